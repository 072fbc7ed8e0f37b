"""What a gate takes of the published kinds into use: it looks with what only the gate knows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gated.central import kinds as central_kinds
from gated.central.checks import check_release
from gated.central.folder import CentralError
from gated.central.kinds import Signing
from gated.config import ConfigError, load
from gated.core.events import Event, PublishedChanged
from gated.published_kinds import PublishedKinds, load_published
from gated.store.replication import WatchlistUpdater
from gated.watchlist.publication import Kind, Stage
from hw_sim.passport.issuer import Authority
from models import manifest
from tests.models.brought import lay_down
from tests.published_models import model
from tests.store.central_stand_in import Central, Gate, document
from tests.system.link_rig import GATE_TOML

RULES = Path(__file__).parents[1] / "config" / "rules"


class Daemon:
    """As much of `gated` as takes published kinds."""

    def __init__(self, folder: Path, trust: str = "") -> None:
        self.central = Central(folder / "central")
        self.central.publish(document("L898902C3"))
        self.gate = Gate(folder / "watchlist", self.central)
        self.path = folder / "gate.toml"
        values = {"requests": 1, "announcements": 2, "server_key": "x" * 40, "key_file": "/k", "timeout_s": 1}
        text = GATE_TOML.format(state=folder, run=folder / "run", **values)
        text = text.replace('"none"', '"dlib-resnet"').replace("[trust]\n", f"[trust]\n{trust}")
        self.path.write_text(text)
        self.posted: list[Event] = []
        self.taken: list[str] = []
        self.start()

    def start(self) -> None:
        self.loaded, published = load_published(self.path)
        taken: dict[Kind, Callable[[], None]] = {"trust": lambda: self.taken.append("trust")}
        self.kinds = PublishedKinds(self.path, self.loaded, published, self.posted.append, taken)
        self.published = published
        self.gate.updater = WatchlistUpdater(
            self.gate.watchlist, self.central, beside=self.kinds.updater.beside
        )

    def publish(self, kind: Kind, *files: tuple[str, Path]) -> None:
        """Publish without the centre's own look at it: the gate must not depend on that."""
        now = datetime.now(UTC)
        central_kinds.release(self.central.folder, kind, files, (Stage(),), Signing(now))
        self.central.now = now
        self.gate.refresh()

    def withdraw(self, kind: Kind, version: int) -> None:
        now = datetime.now(UTC)
        central_kinds.withdraw(self.central.folder, kind, version, Signing(now))
        self.central.now = now
        self.gate.refresh()

    def version(self, kind: Kind) -> int:
        now = self.published.in_force(kind)
        return now.version if now else 0

    def code(self, kind: Kind) -> str:
        return self.kinds.updater.status[kind].code


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.gate.watchlist.close()


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_published_configuration_counts_from_the_next_start(daemon: Daemon, tmp_path: Path) -> None:
    overlay = written(
        tmp_path, "overlay.toml", "[policy]\nchip_tries = 3\n[eligibility]\nmin_age_years = 12\n"
    )
    daemon.publish("config", ("overlay", overlay))
    assert (daemon.version("config"), daemon.loaded.config.policy.chip_tries) == (1, 2)
    assert daemon.kinds.updater.status["config"].restart
    before = daemon.loaded.sha256
    daemon.start()
    assert daemon.loaded.config.policy.chip_tries == 3
    assert daemon.loaded.config.policy.liveness_threshold == 0.5  # what is not said anew stays
    assert daemon.loaded.config.eligibility.min_age_years == 12
    assert daemon.loaded.sha256 != before
    assert not daemon.kinds.updater.status["config"].restart
    assert set(daemon.kinds.hashes()) == {"published_config"}
    (event,) = daemon.posted
    assert isinstance(event, PublishedChanged)
    assert (event.kind, event.version) == ("config", 1)
    assert event.sha256 == daemon.kinds.hashes()["published_config"]


@pytest.mark.parametrize(
    "text",
    [
        "[policy]\nno_such_key = 1\n",
        "[policy]\nliveness_threshold = 7\n",
        "[policy]\nmatch_fmr = 0.00000001\n",  # no threshold was measured for it
        '[link]\nserver_key = "x"\n',
        '[paths]\nstate = "/tmp"\n',
        '[policy.lane]\ntopology = "kiosk"\n',
        "not toml",
    ],
)
def test_a_configuration_that_this_gate_cannot_live_by_does_not_take_effect(
    daemon: Daemon, tmp_path: Path, text: str
) -> None:
    daemon.publish("config", ("overlay", written(tmp_path, "overlay.toml", text)))
    assert (daemon.version("config"), daemon.code("config")) == (0, "not_usable_here")
    assert not daemon.posted
    daemon.start()


def test_a_gate_whose_own_file_no_longer_fits_does_not_start_on_half_of_it(
    daemon: Daemon, tmp_path: Path
) -> None:
    daemon.publish("config", ("overlay", written(tmp_path, "overlay.toml", "[policy]\nchip_tries = 3\n")))
    with daemon.path.open("a") as file:
        file.write("[nonsense]\n")
    with pytest.raises(ConfigError):
        daemon.start()


def test_a_published_trust_store_counts_at_once_beside_the_gate_s_own_anchors(tmp_path: Path) -> None:
    authority = Authority.establish("utopia", today=datetime.now(UTC).date())
    anchor, masters = tmp_path / "anchor.der", tmp_path / "masters.ml"
    anchor.write_bytes(authority.anchor)
    masters.write_bytes(authority.master_list())
    daemon = Daemon(tmp_path, f'anchors = ["{anchor}"]\n')
    assert len(daemon.kinds.trust()) == 0
    daemon.publish("trust", ("master_lists", masters))
    assert (daemon.version("trust"), daemon.taken) == (1, ["trust"])
    assert len(daemon.kinds.trust()) > 0
    assert not daemon.kinds.updater.status["trust"].restart
    daemon.gate.watchlist.close()


def test_a_master_list_that_no_anchor_of_the_gate_has_signed_is_not_taken(
    daemon: Daemon, tmp_path: Path
) -> None:
    authority = Authority.establish("utopia", today=datetime.now(UTC).date())
    masters = tmp_path / "masters.ml"
    masters.write_bytes(authority.master_list())
    daemon.publish("trust", ("master_lists", masters))
    assert (daemon.version("trust"), daemon.code("trust")) == (0, "not_usable_here")
    assert daemon.taken == []


def test_published_rules_must_do_what_their_examples_say(daemon: Daemon, tmp_path: Path) -> None:
    pack = next(iter(sorted(RULES.glob("*.toml"))))
    daemon.publish("rules", ("rules", written(tmp_path, "rules.toml", pack.read_text())))
    assert (daemon.version("rules"), daemon.code("rules")) == (1, "")
    daemon.publish("rules", ("rules", written(tmp_path, "rules.toml", "[nonsense]\n")))
    assert (daemon.version("rules"), daemon.code("rules")) == (1, "not_usable_here")
    wrong = pack.read_text().replace("age = { at_least = 10 }", "age = { at_least = 9 }")
    daemon.publish("rules", ("rules", written(tmp_path, "rules.toml", wrong)))
    assert (daemon.version("rules"), daemon.code("rules")) == (1, "not_usable_here")


def test_published_rules_and_configuration_must_ask_for_the_same_height(
    daemon: Daemon, tmp_path: Path
) -> None:
    pack = (RULES / "agency.toml").read_text()
    taller = written(tmp_path, "rules.toml", pack.replace("at_least = 1.20", "at_least = 1.30"))
    daemon.publish("rules", ("rules", taller))
    assert (daemon.version("rules"), daemon.code("rules")) == (0, "not_usable_here")
    daemon.publish("rules", ("rules", written(tmp_path, "rules.toml", pack)))
    assert (daemon.version("rules"), daemon.code("rules")) == (2, "")
    overlay = written(tmp_path, "overlay.toml", "[policy]\nmin_height_m = 1.3\n")
    daemon.publish("config", ("overlay", overlay))
    assert (daemon.version("config"), daemon.code("config")) == (0, "not_usable_here")


def test_models_come_whole_and_with_the_hash_that_their_entry_names(daemon: Daemon, tmp_path: Path) -> None:
    entry = written(tmp_path, "mine.toml", 'name = "mine"\n')
    model = written(tmp_path, "mine.tflite", "not a model")
    daemon.publish("models", ("model", entry), ("model", model))
    assert (daemon.version("models"), daemon.code("models")) == (0, "not_usable_here")


def named(folder: Path, embedder: str) -> tuple[str, Path]:
    folder.mkdir(exist_ok=True)
    return "overlay", written(folder, "overlay.toml", f'[vision]\nembedder = "{embedder}"\n')


def test_a_configuration_waits_for_the_model_that_it_names(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.publish("config", named(tmp_path / "c", "mine"))
    assert (daemon.version("config"), daemon.code("config")) == (0, "not_usable_here")
    told = "".join(capsys.readouterr())
    assert "mine: there is no embedder of this name here: publish its model or install it" in told
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    assert (daemon.version("models"), daemon.version("config"), daemon.code("config")) == (1, 1, "")
    daemon.start()
    assert daemon.loaded.config.vision.embedder == "mine"
    assert set(daemon.kinds.hashes()) == {"published_config", "published_models"}


def test_models_before_the_configuration_that_names_one_come_as_well(daemon: Daemon, tmp_path: Path) -> None:
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    daemon.publish("config", named(tmp_path / "c", "mine"))
    assert (daemon.version("models"), daemon.version("config")) == (1, 1)
    for path in daemon.published.place("models", 1).iterdir():
        assert path.stat().st_mode & 0o777 == 0o644, "gate-vision reads it under an account of its own"
        path.chmod(0o600)  # as an earlier version kept it
    daemon.start()
    for path in daemon.published.place("models", 1).iterdir():
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_rate_for_which_the_model_has_no_threshold_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    text = '[vision]\nembedder = "mine"\n[policy]\nmatch_fmr = 0.0001\n'
    daemon.publish("config", ("overlay", written(tmp_path, "overlay.toml", text)))
    assert (daemon.version("config"), daemon.code("config")) == (0, "not_usable_here")


def test_a_model_stays_as_long_as_the_configuration_names_it(daemon: Daemon, tmp_path: Path) -> None:
    daemon.publish("models", *model(tmp_path / "o", "other"))
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    daemon.publish("config", ("overlay", written(tmp_path, "overlay.toml", "[policy]\nchip_tries = 3\n")))
    daemon.publish("config", named(tmp_path / "c", "mine"))
    assert (daemon.version("models"), daemon.version("config")) == (2, 2)
    daemon.withdraw("models", 2)
    assert (daemon.version("models"), daemon.code("models")) == (2, "not_usable_here")
    daemon.withdraw("config", 2)
    assert (daemon.version("config"), daemon.version("models"), daemon.code("models")) == (3, 3, "")
    daemon.start()
    assert daemon.loaded.config.vision.embedder == "dlib-resnet"


@pytest.mark.parametrize("name", ["dlib-resnet", "taken"])
def test_a_published_model_takes_no_name_that_another_one_has_here(
    daemon: Daemon, tmp_path: Path, name: str
) -> None:
    lay_down(tmp_path / "installed", "taken").rename(tmp_path / "installed" / "taken.toml")
    daemon.path.write_text(
        daemon.path.read_text().replace("[paths]\n", f'[paths]\nmodels = "{tmp_path / "installed"}"\n')
    )
    daemon.start()
    changed = {"y = 87.7798": "y = 87.7799"}
    daemon.publish("models", *model(tmp_path / "m", name, **changed))
    assert (daemon.version("models"), daemon.code("models")) == (0, "not_usable_here")


def test_prompts_are_kept(daemon: Daemon, tmp_path: Path) -> None:
    daemon.publish("prompts", ("prompt", written(tmp_path, "welcome.txt", "good day")))
    (path,) = daemon.published.files("prompts")["prompt"]
    assert path.read_text() == "good day"
    assert daemon.kinds.updater.status["prompts"].restart


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("rules", "rules.toml", "[nonsense]\n"),
        ("config", "overlay.toml", "[link]\n"),
        ("config", "overlay.toml", "[policy.lane]\nwide = true\n"),
        ("trust", "masters.ml", "nothing"),
        ("models", "mine.toml", "name = 'mine'\n"),
        ("config", "overlay.toml", "[vision]\nkeep_images = true\n"),
    ],
)
def test_what_no_gate_could_use_is_refused_at_the_centre(kind: Kind, name: str, content: str) -> None:
    with pytest.raises(CentralError, match=":"):
        check_release(kind, {name: content.encode()})


def test_a_model_is_looked_at_before_it_is_published(tmp_path: Path) -> None:
    sources = model(tmp_path, "mine")
    files = {path.name: path.read_bytes() for _, path in sources}
    check_release("models", files)
    entry = files["mine.toml"].decode()
    for changed in (
        {"mine.tflite": b"another network"},
        {"mine.toml": entry.replace('name = "mine"', 'name = "yours"').encode()},
        {"mine.toml": entry.replace("mine.tflite", "other.tflite").encode()},
        {"mine.toml": entry.replace("mirror = false", "").encode()},
    ):
        with pytest.raises(CentralError, match=":"):
            check_release("models", files | changed)
    shipped = {name.replace("mine", "dlib-resnet"): body for name, body in files.items()}
    shipped["dlib-resnet.toml"] = entry.replace("mine", "dlib-resnet").encode()
    with pytest.raises(CentralError, match="ships an embedder of this name"):
        check_release("models", shipped)


def test_the_example_of_a_gate_takes_an_overlay(daemon: Daemon, tmp_path: Path) -> None:
    overlay = written(tmp_path, "overlay.toml", 'time_zone = "Asia/Seoul"\n')
    assert load(daemon.path, overlay).config.time_zone == "Asia/Seoul"
    assert load(daemon.path).config.time_zone == "UTC"
    assert manifest.load().embedders
