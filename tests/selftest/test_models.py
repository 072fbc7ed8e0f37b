"""What a self-test says of the models, and of the embedder that really decides: published ones, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.config import load
from gated.embedders import Embedders, Stock
from gated.published_kinds import overlaid
from gated.selftest import models
from gated.selftest.finding import Finding, Verdict
from models import manifest
from tests.published_models import model
from tests.test_published_kinds import Daemon, written

OTHER = {"y = 87.7798": "y = 87.7799"}  # another version of the embedder


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.gate.watchlist.close()


def publish(daemon: Daemon, folder: Path, name: str, vision: str = "", **changed: str) -> None:
    daemon.publish("models", *model(folder, name, **changed))
    overlay = written(folder, "overlay.toml", vision or f'[vision]\nembedder = "{name}"\n')
    daemon.publish("config", ("overlay", overlay))


def start(daemon: Daemon) -> Embedders:
    """As a start of gated, and gate-vision that takes into use what it is told."""
    daemon.start()
    config = daemon.loaded.config
    stock = Stock(Path(config.paths.models), daemon.published)
    embedders = Embedders(stock, Path(config.paths.state), daemon.loaded.sha256)
    embedders.used(embedders.choose(config, load(daemon.path).config.vision).decides.at)
    return embedders


def judged(daemon: Daemon, running: str = "") -> list[Finding]:
    own = load(daemon.path)
    loaded = overlaid(daemon.path, own, daemon.published)
    found = list(models.judge(own.config, loaded, running))
    assert all(each.code and each.fix for each in found if each.verdict is not Verdict.OK)
    return found


def told(daemon: Daemon, running: str = "") -> list[tuple[str, str]]:
    """Of all findings but that on the shipped files: which embedder, and what of it."""
    return [(each.part, each.code or each.measured) for each in judged(daemon, running)[1:]]


def network(daemon: Daemon, release: int, name: str) -> Path:
    return daemon.published.place("models", release) / f"{name}.tflite"


def test_without_a_publication_the_gate_s_own_embedder_is_looked_at(daemon: Daemon) -> None:
    (_, then) = judged(daemon)
    assert (then.part, then.verdict) == ("dlib-resnet", Verdict.OK)
    assert then.measured.startswith("decides from the next start on; gate-vision has not tried it yet;")
    assert told(daemon, "dlib-resnet") == [("dlib-resnet", "decides; shipped or installed, the right file")]


def test_the_published_embedder_that_decides_is_looked_at_and_named(daemon: Daemon, tmp_path: Path) -> None:
    publish(daemon, tmp_path / "m", "mine")
    start(daemon)
    assert told(daemon, "mine") == [("mine", "decides; published 1, the right file")]
    ((name, stopped),) = told(daemon)
    assert (name, "gate-vision has used it" in stopped) == ("mine", True)


@pytest.mark.parametrize("running", ["", "mine"])
def test_a_published_embedder_that_decides_and_is_damaged_is_a_fault(
    daemon: Daemon, tmp_path: Path, running: str
) -> None:
    publish(daemon, tmp_path / "m", "mine")
    start(daemon)
    with network(daemon, 1, "mine").open("ab") as file:
        file.write(b"\0")
    (shipped, bad) = judged(daemon, running)
    assert shipped.verdict is Verdict.OK
    assert (bad.part, bad.verdict, bad.code) == ("mine", Verdict.FAULT, "model_damaged")


def test_what_waits_for_the_next_start_is_told_beside_what_decides(daemon: Daemon, tmp_path: Path) -> None:
    start(daemon)
    publish(daemon, tmp_path / "m", "mine")
    own = ("dlib-resnet", "decides; shipped or installed, the right file")
    assert told(daemon, "dlib-resnet") == [own, ("mine", "embedder_after_start")]
    network(daemon, 1, "mine").unlink()
    assert told(daemon, "dlib-resnet") == [own, ("mine", "model_damaged")]
    assert all(each.verdict is not Verdict.FAULT for each in judged(daemon, "dlib-resnet"))


def test_another_network_under_the_same_name_is_another_one(daemon: Daemon, tmp_path: Path) -> None:
    publish(daemon, tmp_path / "m", "mine")
    start(daemon)
    publish(daemon, tmp_path / "n", "mine", **OTHER)
    now, then = told(daemon, "mine")
    assert now == ("mine", "decides; published 1, the right file")
    assert then == ("mine", "embedder_after_start")


def test_what_stands_in_is_looked_at_and_the_refused_one_is_told(daemon: Daemon, tmp_path: Path) -> None:
    publish(daemon, tmp_path / "m", "mine")
    embedders = start(daemon)
    embedders.refused(Stock(tmp_path / "none", daemon.published).find("mine").at, "model_crashed")
    own = ("dlib-resnet", "decides; shipped or installed, the right file")
    assert told(daemon, "dlib-resnet") == [own, ("mine", "model_crashed")]
    (refused,) = [each for each in judged(daemon, "dlib-resnet") if each.code]
    assert refused.verdict is Verdict.WARNING
    assert "gate-vision" in refused.fix


def test_a_damaged_shadow_keeps_nobody_out(daemon: Daemon, tmp_path: Path) -> None:
    publish(daemon, tmp_path / "m", "mine", '[vision]\nshadow = "mine"\n')
    start(daemon)
    assert told(daemon, "dlib-resnet")[1] == (
        "mine",
        "runs beside, and decides nothing; published 1, the right file",
    )
    network(daemon, 1, "mine").write_bytes(b"no network")
    (bad,) = [each for each in judged(daemon, "dlib-resnet") if each.code]
    assert (bad.part, bad.verdict, bad.code) == ("mine", Verdict.WARNING, "model_damaged")


def test_a_gate_that_runs_by_what_is_gone_is_told_before_it_starts_again(daemon: Daemon) -> None:
    found = judged(daemon, "mine")
    (gone,) = [each for each in found if each.verdict is Verdict.FAULT]
    assert (gone.part, gone.code) == ("mine", "embedder_gone")


def test_where_none_serves_gated_could_not_start(daemon: Daemon) -> None:
    text = daemon.path.read_text()
    daemon.path.write_text(text.replace('"dlib-resnet"', '"nobody"'))
    none = judged(daemon)[-1]
    assert (none.verdict, none.code) == (Verdict.FAULT, "no_embedder")
    assert "no embedder of this name" in none.fix


def test_a_model_that_is_not_the_right_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (good,) = models.on_disk(tmp_path, "dlib-resnet")
    assert good.verdict is Verdict.OK
    read = manifest.read

    def read_wrongly(file: str, sha256: str) -> bytes:
        return read(file, sha256.replace("0", "1"))

    monkeypatch.setattr(manifest, "read", read_wrongly)
    found = list(models.on_disk(tmp_path, "dlib-resnet"))
    assert {each.code for each in found} == {"model_damaged"}
    assert {each.verdict for each in found if each.part == "embedders.dlib-resnet"} == {Verdict.FAULT}
