"""`gatectl watchlist false-hit`: an officer's signed word over the control socket, and what comes of it."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gated.central.packs import new_list_key
from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate as Heart
from gated.core.policy import Policy
from gated.core.settings.central import OfficerSettings
from gated.core.step import step
from gated.lanes.control import ControlLane, Service
from gated.lanes.false_hits import FalseHitDesk
from gated.lanes.trace import Trace
from gated.runtime import requests as say
from gated.watchlist.false_hits import signed_text
from gated.watchlist.keyed import ListKeys
from tests.gatectl import Run, gatectl
from tests.lanes.conftest import run as run_folder  # noqa: F401 - a fixture
from tests.lanes.rounds import Posted
from tests.store.central_stand_in import Central, Gate, document, person
from tests.test_cli_watchlist_lookup import ZONE, _Input
from tests.test_report_text import STATUS

KIM = Ed25519PrivateKey.generate()
OFFICERS = (OfficerSettings(name="kim", public_key=KIM.public_key().public_bytes_raw().hex()),)
WANTED = person("Eriksson", "Anna Maria", "1974-08-12", "stop")
Given = Callable[[bytes], None]


class Lane:
    """A gate's control socket over a real list, its words kept as the loop has them kept."""

    def __init__(self, folder: Path, run: Path) -> None:
        self.run = run
        central = Central(folder / "central")
        self.central = central
        self.gate = Gate(folder / "state", central, ListKeys([new_list_key(central.folder)]))
        self.recorded = Posted()
        policy = Policy(match_threshold=0.5, liveness_threshold=0.5)
        began = ev.GateStarted(at=0.0, utc="2026-11-27T00:00:00Z", policy=policy, hashes={})
        self.heart = step(Heart(policy=policy), began)[0]
        self.desk = FalseHitDesk(folder / "false_hits.db", self.gate.watchlist, 1000, self._post)
        service = Service(_never, Trace(), lambda _: None, None, self.desk.answer)
        address = f"ipc://{run}/control"
        self.control = ControlLane(address, OFFICERS, self._post, lambda: STATUS, lambda: False, service)
        self.control._turn()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def publish(self, *rows: str) -> None:
        self.central.publish(*rows)
        self.gate.refresh()

    def _post(self, event: ev.AnyEvent) -> None:
        self.recorded(event)
        for effect in step(self.heart, event)[1]:
            assert isinstance(effect, do.KeepFalseHit)
            self.desk.keep(effect)

    def _serve(self) -> None:
        while not self._stop.is_set():
            self.control._turn()
        self.control._leave()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.desk.close()
        self.gate.watchlist.close()


def _never() -> say.SelfTested:
    raise AssertionError("nobody asks for a self-test")


@pytest.fixture
def lane(tmp_path: Path, run_folder: Path) -> Iterator[Lane]:  # noqa: F811
    one = Lane(tmp_path, run_folder)
    one.publish(WANTED)
    yield one
    one.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], lane: Lane, monkeypatch: pytest.MonkeyPatch) -> Run:
    asked = gatectl(capsys)

    def false_hit(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", _Input(ZONE))
        return asked("watchlist", "false-hit", *words, "--run", lane.run)

    return false_hit


@pytest.fixture
def signed(tmp_path: Path) -> tuple[object, ...]:
    return ("--name", "kim", "--key", _pem(tmp_path / "kim.pem", KIM))


def _pem(path: Path, key: Ed25519PrivateKey) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def test_an_officer_says_it_and_takes_it_back(lane: Lane, run: Run, signed: tuple[object, ...]) -> None:
    status, out, _ = run("show")
    assert (status, out.startswith("C-1: stop, exit_ban, score ")) == (1, True)
    status, out, _ = run("add", "C-1", *signed)
    assert (status, out) == (0, "C-1: a false hit from now on\n")
    status, out, _ = run("show")
    assert (status, "; false: kim, 20" in out) == (0, True)
    status, out, _ = run("withdraw", "C-1", *signed)
    assert (status, out) == (0, "C-1: counts again\n")
    assert run("show")[0] == 1
    assert [each.withdrawn for each in lane.recorded.of(ev.FalseHitDecided)] == [False, True]


def test_whoever_reads_the_journal_later_can_check_the_signature(
    lane: Lane, run: Run, signed: tuple[object, ...]
) -> None:
    run("add", "C-1", *signed)
    (event,) = lane.recorded.of(ev.FalseHitDecided)
    text = signed_text(event.reference, event.marks, event.officer, event.said_at, withdrawn=event.withdrawn)
    KIM.public_key().verify(bytes.fromhex(event.signature), text)


def test_nobody_else_says_it(lane: Lane, run: Run, tmp_path: Path) -> None:
    eve = Ed25519PrivateKey.generate()
    for name, reason in (("kim", "bad_signature"), ("eve", "unknown_officer")):
        status, out, _ = run("add", "C-1", "--name", name, "--key", _pem(tmp_path / "eve.pem", eve))
        assert (status, reason in out) == (1, True)
    assert lane.recorded == []


def test_several_cases_are_said_one_by_one(lane: Lane, run: Run, signed: tuple[object, ...]) -> None:
    lane.publish(WANTED, WANTED.replace("C-1", "C-2"))
    status, out, _ = run("add", "C-2", "C-1", "C-9", *signed, "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [(each["reference"], each["refused"]) for each in told] == [
        ("C-2", ""),
        ("C-1", ""),
        ("C-9", "no_such_hit"),
    ]
    assert run("show")[0] == 0


def test_a_listed_document_is_said_to_vouch_for_nobody(
    lane: Lane, run: Run, signed: tuple[object, ...]
) -> None:
    run("add", "C-1", *signed)
    lane.publish(WANTED, document("L898902C3", "silent"))
    status, out, _ = run("show")
    assert status == 1
    assert out.startswith("the document itself is listed: all of them stand\n")
    assert "; stands all the same" in out


@pytest.mark.parametrize("cases", [("c 1",), tuple(f"C-{number}" for number in range(17))])
def test_what_is_no_case_is_not_asked(run: Run, signed: tuple[object, ...], cases: tuple[str, ...]) -> None:
    status, _, err = run("add", *cases, *signed)
    assert (status, "CASE" in err) == (2, True)
