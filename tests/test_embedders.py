"""Which embedder decides at a gate, and which stands in for one that cannot be used."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gated.core.settings.cameras import VisionSettings
from gated.embedders import MEMORY, Embedders, Stock, read_memory
from gated.store.published import Published
from models import manifest
from models.manifest import ModelError
from tests.models.brought import lay_down
from tests.published_models import model
from tests.test_published_kinds import Daemon, written

OWN = VisionSettings(embedder="dlib-resnet")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.gate.watchlist.close()


def embedders(daemon: Daemon, under: str = "") -> Embedders:
    """As after a start of gated."""
    config = daemon.loaded.config
    stock = Stock(Path(config.paths.models), Published(Path(config.paths.state) / "published"))
    return Embedders(stock, Path(config.paths.state), under or daemon.loaded.sha256)


def publish_and_name(daemon: Daemon, folder: Path, name: str, **changed: str) -> None:
    daemon.publish("models", *model(folder, name, **changed))
    overlay = written(folder, "overlay.toml", f'[vision]\nembedder = "{name}"\n')
    daemon.publish("config", ("overlay", overlay))
    daemon.start()


def test_without_a_publication_the_gate_s_own_embedder_decides(daemon: Daemon) -> None:
    choice = embedders(daemon).choose(daemon.loaded.config, OWN)
    assert (choice.decides.name, choice.decides.release, choice.troubles) == ("dlib-resnet", 0, {})
    assert choice.threshold == manifest.load().threshold("dlib-resnet", 0.001)
    assert choice.hashes == {"embedder": f"dlib-resnet {choice.decides.entry.sha256}"}


def test_a_published_embedder_decides_with_the_threshold_of_its_own_entry(
    daemon: Daemon, tmp_path: Path
) -> None:
    publish_and_name(daemon, tmp_path / "m", "mine")
    choice = embedders(daemon).choose(daemon.loaded.config, OWN)
    assert (choice.decides.name, choice.decides.release) == ("mine", 1)
    assert choice.threshold == 0.625
    assert choice.use.decides.version == choice.decides.entry.version
    assert choice.hashes["embedder"] == f"mine {choice.decides.entry.sha256}"


def test_what_gate_vision_refused_is_not_tried_again_under_the_same_configuration(
    daemon: Daemon, tmp_path: Path
) -> None:
    publish_and_name(daemon, tmp_path / "m", "mine")
    before = embedders(daemon)
    first = before.choose(daemon.loaded.config, OWN)
    before.refused(first.decides.at, "model_crashed")
    choice = embedders(daemon).choose(daemon.loaded.config, OWN)
    assert (choice.decides.name, choice.troubles) == ("dlib-resnet", {"mine": "model_crashed"})
    assert choice.threshold == manifest.load().threshold("dlib-resnet", 0.001)
    assert choice.hashes["embedder_not_used_mine"] == "model_crashed"
    assert embedders(daemon, "another configuration").choose(daemon.loaded.config, OWN).decides.name == "mine"


def test_the_one_that_decided_last_stands_in_before_the_gate_s_own(daemon: Daemon, tmp_path: Path) -> None:
    publish_and_name(daemon, tmp_path / "m", "mine")
    before = embedders(daemon)
    before.used(before.choose(daemon.loaded.config, OWN).decides.at)
    daemon.publish(
        "models",
        *model(tmp_path / "n", "newer", **{"y = 87.7798": "y = 87.7799"}),
        *model(tmp_path / "n", "mine"),
    )
    overlay = written(tmp_path, "overlay.toml", '[vision]\nembedder = "newer"\n')
    daemon.publish("config", ("overlay", overlay))
    daemon.start()
    now = embedders(daemon)
    choice = now.choose(daemon.loaded.config, OWN)
    assert (choice.decides.name, choice.decides.release) == ("newer", 2)
    now.refused(choice.decides.at, "model_unusable")
    choice = embedders(daemon).choose(daemon.loaded.config, OWN)
    assert (choice.decides.name, choice.decides.release) == ("mine", 1)
    assert choice.troubles == {"newer": "model_unusable"}


def test_a_model_that_is_gone_lets_the_gate_s_own_stand_in(daemon: Daemon, tmp_path: Path) -> None:
    publish_and_name(daemon, tmp_path / "m", "mine")
    place = daemon.published.place("models", 1)
    (place / "mine.tflite").write_bytes(b"damaged")
    daemon.start()  # the release is swept: it is not whole any more
    choice = embedders(daemon).choose(daemon.loaded.config, OWN)
    assert (choice.decides.name, choice.troubles) == ("dlib-resnet", {"mine": "embedder_not_here"})


def test_nothing_stands_in_with_a_laxer_rate(daemon: Daemon, tmp_path: Path) -> None:
    publish_and_name(daemon, tmp_path / "m", "mine")
    config = daemon.loaded.config
    strict = msgspec.structs.replace(config, policy=msgspec.structs.replace(config.policy, match_fmr=1e-9))
    with pytest.raises(ModelError, match="no threshold for FMR 1e-09"):
        embedders(daemon).choose(strict, OWN)


def test_a_shadow_is_another_one_that_need_not_be_there(daemon: Daemon, tmp_path: Path) -> None:
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    config = daemon.loaded.config

    def shadow(embedder: str, name: str) -> object:
        vision = msgspec.structs.replace(config.vision, embedder=embedder, shadow=name)
        choice = embedders(daemon).choose(msgspec.structs.replace(config, vision=vision), OWN)
        return choice.shadow and choice.shadow.name, choice.troubles

    assert shadow("dlib-resnet", "mine") == ("mine", {})
    assert shadow("mine", "mine") == (None, {})
    assert shadow("dlib-resnet", "nobody") == (None, {"nobody": "embedder_not_here"})


def test_one_name_for_two_embedders_is_neither(daemon: Daemon, tmp_path: Path) -> None:
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    folder = tmp_path / "installed"
    stock = Stock(folder, daemon.published)
    assert stock.find("mine").release == 1
    entry = lay_down(folder, "mine")
    entry.rename(folder / "mine.toml")
    assert stock.find("mine").release == 0  # the same, wherever it lies
    text = (folder / "mine.toml").read_text()
    (folder / "mine.toml").write_text(text.replace("y = 87.7798", "y = 87.7799"))
    with pytest.raises(ModelError, match="one is installed, and another one is published"):
        stock.find("mine")


@pytest.mark.parametrize("raw", [b"", b"[]", b"x" * 20_000, b"\xff"])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / MEMORY).write_bytes(raw)
    assert read_memory(tmp_path).decides is None
