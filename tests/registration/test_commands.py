"""The commands about registrations at a gate and at the centre: asked by a passport, told without one."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from gated.central.cli import main as central
from gated.central.folder import CentralFolder
from gated.central.registrations import RegistrationBook
from gated.core import events as ev
from gated.core.settings.central import OfficerSettings
from gated.lanes.control import ControlLane, Service
from gated.lanes.dossier import Dossiers
from gated.lanes.registration import RegistrationLane
from gated.lanes.trace import Trace
from gated.runtime import requests as say
from gated.store.list_keys import read_list_key
from gated.store.registration_letters import Registered, fingerprint, seal, sign_receipt
from gated.store.registration_post import LetterUp
from gated.store.registrations import Kind, Registrations
from tests.gatectl import Run, gatectl
from tests.lanes.conftest import run as run_folder  # noqa: F401 - a fixture
from tests.lanes.rounds import PASSAGE, Posted
from tests.registration.people import ANNA, CENTRE, GATE, KEY, SIGNS
from tests.registration.test_lane import SETTINGS, page
from tests.test_cli_watchlist_lookup import _Input
from tests.test_report_text import STATUS

ZONE = page().text.encode()
LINES = ZONE[:44] + b"\n" + ZONE[44:] + b"\n"
KIM = Ed25519PrivateKey.generate()
OFFICERS = (OfficerSettings(name="kim", public_key=KIM.public_key().public_bytes_raw().hex()),)
UTC = "2026-11-26T22:00:00.000+00:00"
Given = Callable[[bytes], None]


class Gate:
    """A gate's control socket over a real store of registrations."""

    def __init__(self, folder: Path, run: Path) -> None:
        self.folder, self.run = folder, run
        self.store = Registrations(folder, KEY, GATE, CENTRE.public_key())
        self.posted = Posted()
        lane = RegistrationLane(self.store, SETTINGS, Dossiers(), self.posted)
        service = Service(_never, Trace(), lambda _: None, lane.answer)
        control = ControlLane(
            f"ipc://{run}/control", OFFICERS, self.posted, lambda: STATUS, lambda: False, service
        )
        control._turn()
        self.control, self._stop = control, threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            self.control._turn()
        self.control._leave()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.store.close()


def _never() -> say.SelfTested:
    raise AssertionError("nobody asks for a self-test")


@pytest.fixture
def gate(tmp_path: Path, run_folder: Path) -> Iterator[Gate]:  # noqa: F811
    one = Gate(tmp_path, run_folder)
    yield one
    one.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    return lambda raw: monkeypatch.setattr("sys.stdin", _Input(raw))


def test_a_registration_is_shown_deleted_and_proved_to_be_gone(gate: Gate, run: Run, given: Given) -> None:
    number, _ = gate.store.register(ANNA, "2026-1", PASSAGE, 1_800_000_000)
    given(LINES)
    status, shown, _ = run("registration", "show", "--run", gate.run)
    assert status == 0
    assert number in shown
    assert "consent to text 2026-1 given 2027-01-15" in shown

    given(LINES)
    status, out, _ = run("registration", "withdraw", "--run", gate.run, "--json")
    told = json.loads(out)
    assert (status, told["registration"], told["left_behind"], told["held"]) == (0, number, 0, False)
    (erased,) = gate.posted.of(ev.RegistrationErased)
    assert (erased.registration, erased.proof, erased.reason) == (number, told["proof"], "withdrawn")

    given(LINES)
    status, out, _ = run("registration", "verify-deleted", number, "--run", gate.run)
    assert status == 1, "the centre has not signed yet"
    assert "not signed for yet" in out
    (letter,) = gate.store.letters(4)
    gate.store.acknowledge(sign_receipt(SIGNS, GATE, number, letter.sealed, UTC), SIGNS.public_key())
    given(LINES)
    status, out, _ = run("registration", "verify-deleted", number, "--run", gate.run)
    assert status == 0
    assert "in the files: nothing of this passport" in out
    assert f"signed {UTC}" in out


def test_what_is_left_in_a_file_is_bad_news(gate: Gate, run: Run, given: Given) -> None:
    number, _ = gate.store.register(ANNA, "2026-1", PASSAGE, 1_800_000_000)
    gate.store.erase(number, "withdrawn", 1_800_000_001)
    (gate.folder / "registrations.db-journal").write_bytes(b"x" + gate.store._marks(ANNA)[0])
    given(LINES)
    status, out, _ = run("registration", "verify-deleted", number, "--run", gate.run)
    assert status == 1
    assert "1 marks of this passport" in out


@pytest.mark.parametrize("words", [("show",), ("withdraw",), ("verify-deleted", "0" * 32)])
def test_nobody_is_found_who_is_not_there(gate: Gate, run: Run, given: Given, words: tuple[str, ...]) -> None:
    given(LINES)
    status, out, _ = run("registration", *words, "--run", gate.run)
    assert (status, out.split(": ")[1]) == (1, "registration_unknown")


@pytest.mark.parametrize("raw", [b"", b"x" * 300, b"P<UTO\n"])
def test_what_is_no_zone_is_told_and_not_repeated(gate: Gate, run: Run, given: Given, raw: bytes) -> None:
    given(raw)
    status, out, err = run("registration", "show", "--run", gate.run)
    assert status in {1, 2}
    assert "zone" in out + err or "mrz" in out + err
    assert "x" * 20 not in out + err


def test_an_officer_links_a_new_passport_by_a_signed_word(
    gate: Gate, run: Run, given: Given, tmp_path: Path
) -> None:
    number, _ = gate.store.register(replace(ANNA, personal=""), "2026-1", PASSAGE, 1_800_000_000)
    anew = page("M000000X1")
    keys = {"kim": KIM, "eve": Ed25519PrivateKey.generate()}
    for name, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(pem)
    words = ("registration", "link", number, "--run", gate.run, "--name", "kim", "--key")
    given(anew.text.encode())
    status, out, _ = run(*words, tmp_path / "eve.pem")
    assert (status, "bad_signature" in out) == (1, True)
    assert gate.posted == []
    given(anew.text.encode())
    assert run(*words, tmp_path / "kim.pem")[0] == 0
    (linked,) = gate.posted.of(ev.RegistrationLinked)
    assert (linked.registration, linked.by, linked.officer) == (number, "officer", "kim")
    given(anew.text.encode())
    assert number in run("registration", "show", "--run", gate.run)[1]


def test_no_officer_gives_a_passport_two_registrations(
    gate: Gate, run: Run, given: Given, tmp_path: Path
) -> None:
    gate.store.register(ANNA, "2026-1", PASSAGE, 1_800_000_000)
    pem = KIM.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "kim.pem").write_bytes(pem)
    given(LINES)
    words = ("registration", "link", "f" * 32, "--run", gate.run, "--name", "kim", "--key")
    status, out, _ = run(*words, tmp_path / "kim.pem")
    assert (status, "registered_otherwise" in out) == (1, True)


def test_a_word_for_one_passport_is_none_for_another() -> None:
    word = say.LinkRegistration(registration="f" * 32, zone=ZONE, officer="kim", said_at=1.0, signature=b"")
    others = (
        replace(word, zone=page("M000000X1").text.encode()),
        replace(word, registration="e" * 32),
        replace(word, officer="eve"),
        replace(word, said_at=2.0),
    )
    assert all(other.signed_text != word.signed_text for other in others)
    assert "ERIKSSON" not in repr(word)
    assert b"ERIKSSON" not in word.signed_text


def test_a_number_that_is_none_is_told(gate: Gate, run: Run, given: Given) -> None:
    given(LINES)
    status, _, err = run("registration", "verify-deleted", "12", "--run", gate.run)
    assert status == 2
    assert "32 hexadecimal digits" in err


def test_a_key_is_made_once(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "registration.key"
    status, out, _ = run("registration", "key", path, "--json")
    assert (status, json.loads(out)["id"]) == (0, read_list_key(path).id)
    assert run("registration", "key", path)[0] == 2


# --- the centre -------------------------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    assert central([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_the_centre_finds_and_withdraws_by_a_passport(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: Given
) -> None:
    folder = tmp_path / "central"
    told(capsys, "init", folder)
    made = told(capsys, "registrations", folder, "key")
    assert told(capsys, "registrations", folder, "key") == made, "it is made once"
    key = X25519PublicKey.from_public_bytes(bytes.fromhex(str(made["centre_key"])))
    number = "0" * 31 + "7"
    sealed = seal(Registered(who=ANNA, text="2026-1", agreed=1, passage=PASSAGE), number, GATE, key)
    book = RegistrationBook(CentralFolder(folder))
    book.take(GATE, LetterUp(registration=number, kind=Kind.REGISTERED, sealed=sealed), UTC)
    place = {"gate": GATE, "registration": number}

    given(LINES)
    assert told(capsys, "registrations", folder, "find") == {"found": [place], "withdrawn": False}
    assert book.wishes(GATE) == ()
    given(LINES)
    assert told(capsys, "registrations", folder, "withdraw") == {"found": [place], "withdrawn": True}
    assert book.wishes(GATE) == (number,)
    (held,) = told(capsys, "registrations", folder, "list")["registrations"]  # type: ignore[misc]
    assert (held["letters"], held["withdrawn"], held["erased"]) == (1, True, False)
    assert fingerprint(sealed) not in str(held)
    given(page("M000000X1").text.encode())
    assert central(["registrations", str(folder), "find"]) == 1
    assert "nothing is registered" in capsys.readouterr().err
    book.close()
