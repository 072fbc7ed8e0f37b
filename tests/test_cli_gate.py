"""`gatectl` and a gate that runs: what a technician and an officer ask of it, and what they are told."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from msgspec.structs import replace

from gated.core.vocabulary import Direction, Door
from gated.runtime import requests as say
from gated.runtime.messages import Message
from tests.gatectl import Run, RunningGate, gatectl
from tests.test_report_text import PASSAGE, STATUS

ANOTHER = "1" * 16


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


@pytest.fixture
def gate() -> Iterator[RunningGate]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        gate = RunningGate(Path(name))
        yield gate
        gate.close()


def test_status_of_a_gate_that_is_well(run: Run, gate: RunningGate) -> None:
    status, out, err = run("status", "--run", gate.folder)
    assert (status, err) == (0, "")
    assert f"state      officer, passage {PASSAGE}" in out
    status, out, _ = run("status", "--run", gate.folder, "--json")
    assert status == 0
    assert json.loads(out)["journal_entries"] == 1234567


@pytest.mark.parametrize(
    "trouble",
    [
        {"faults": {"io_board: chip_lost": "check the cable"}},
        {"devices": {**STATUS.devices, "vision": False}},
        {"state": "out_of_service"},
        {"state": "emergency"},
    ],
)
def test_status_of_a_gate_in_trouble_is_bad_news(
    run: Run, gate: RunningGate, trouble: dict[str, Any]
) -> None:
    gate.status = replace(STATUS, **trouble)
    assert run("status", "--run", gate.folder)[0] == 1
    assert run("status", "--run", gate.folder, "--json")[0] == 1


def test_an_unsynchronised_clock_is_shown_and_left_to_policy(run: Run, gate: RunningGate) -> None:
    gate.status = replace(STATUS, devices={**STATUS.devices, "clock": False})
    status, out, _ = run("status", "--run", gate.folder)
    assert status == 0
    assert "clock NOT SYNCHRONISED" in out


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (("gate", "door", "entry"), say.AskDoor(door=Door.ENTRY)),
        (("gate", "door", "none"), say.AskDoor(door=None)),
        (("gate", "direction", "reverse"), say.SetDirection(direction=Direction.REVERSE)),
        (("clear-fault", "io_board"), say.ClearFaults(device="io_board")),
        (("reset-emergency",), say.ResetEmergency()),
    ],
)
def test_what_a_technician_asks_is_done_or_refused(
    run: Run, gate: RunningGate, arguments: tuple[str, ...], request_: Message
) -> None:
    assert run(*arguments, "--run", gate.folder) == (0, "done\n", "")
    assert run(*arguments, "--run", gate.folder, "--json") == (0, '{"done":true}\n', "")
    assert gate.asked == [request_, request_]
    gate.answer = lambda _: say.Refused(reason="fire_input_active", fix="clear the fire alarm first")
    status, out, _ = run(*arguments, "--run", gate.folder)
    assert (status, out) == (1, "refused: fire_input_active: clear the fire alarm first\n")
    assert json.loads(run(*arguments, "--run", gate.folder, "--json")[1])["reason"] == "fire_input_active"


def test_a_gate_that_does_not_run(run: Run, tmp_path: Path) -> None:
    for arguments in (("status",), ("gate", "mode", "open", "--reason", "test"), ("reset-emergency",)):
        status, out, err = run(*arguments, "--run", tmp_path)
        assert (status, out) == (2, "")
        assert "systemctl status gated" in err
    assert "no socket" in json.loads(run("status", "--run", tmp_path, "--json")[2])["error"]


def test_a_word_that_is_none_is_told(run: Run, gate: RunningGate) -> None:
    for arguments in (("service", "ajar"), ("clear-fault", "toaster"), ("officer", "maybe"), ("dance",), ()):
        status, _, err = run(*arguments)
        assert status == 2
        assert "usage: gatectl" in err
    assert gate.asked == []


# --- the officer ----------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.generate()
    path = tmp_path / "kim.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path, private


@pytest.mark.parametrize("passage", [None, ANOTHER])
def test_an_officers_word_is_signed_for_one_passage(
    run: Run, gate: RunningGate, key: tuple[Path, Ed25519PrivateKey], passage: str | None
) -> None:
    path, private = key
    named = () if passage is None else ("--passage", passage)
    command = ("officer", "accept", "--name", "kim", "--key", path, *named, "--run", gate.folder)
    assert run(*command)[:2] == (0, "done\n")
    said = gate.asked[-1]
    assert (said.passage, said.word, said.officer) == (passage or PASSAGE, "accept", "kim")
    private.public_key().verify(said.signature, said.signed_text)


def test_without_a_passage_there_is_nothing_to_decide(
    run: Run, gate: RunningGate, key: tuple[Path, Ed25519PrivateKey]
) -> None:
    gate.status = replace(STATUS, passage=None, state="idle")
    status, _, err = run("officer", "accept", "--name", "kim", "--key", key[0], "--run", gate.folder)
    assert status == 2
    assert "no passage is under way" in err


def pem(kind: str) -> bytes:
    private = Ed25519PrivateKey.generate()
    match kind:
        case "of another kind":
            other = generate_private_key(SECP256R1())
            return other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        case "encrypted":
            return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        case "public":
            return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        case _:
            return b"hush"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("of another kind", "not an Ed25519 key"),
        ("encrypted", "not an unencrypted PEM private key"),
        ("public", "not an unencrypted PEM private key"),
        ("text", "not an unencrypted PEM private key"),
    ],
)
def test_a_key_file_that_cannot_sign_is_named_and_not_quoted(
    run: Run, gate: RunningGate, tmp_path: Path, kind: str, word: str
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(pem(kind))
    status, _, err = run("officer", "refuse", "--name", "kim", "--key", path, "--run", gate.folder)
    assert status == 2
    assert f"{path}: {word}" in err
    assert "hush" not in err
    assert all(isinstance(request, say.AskStatus) for request in gate.asked)


def test_a_key_file_that_is_not_there(run: Run, gate: RunningGate, tmp_path: Path) -> None:
    arguments = ("officer", "refuse", "--name", "kim", "--key", tmp_path / "no.pem", "--run", gate.folder)
    status, _, err = run(*arguments)
    assert status == 2
    assert "No such file" in err


@pytest.mark.parametrize("wrong", ["short", "../../x", "F" * 16])
def test_a_passage_that_is_no_id_is_told_before_anything_is_signed(
    run: Run, gate: RunningGate, key: tuple[Path, Ed25519PrivateKey], wrong: str
) -> None:
    command = (
        "officer",
        "accept",
        "--name",
        "kim",
        "--key",
        key[0],
        "--passage",
        wrong,
        "--run",
        gate.folder,
    )
    status, _, err = run(*command)
    assert status == 2
    assert "16 hexadecimal digits" in err
    assert gate.asked == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 121, "x" * 10_000, "two\nlines", "\x1b[2J", "\udcff"])
def test_a_reason_that_is_no_line_of_plain_text_is_a_question_that_cannot_be_asked(
    run: Run, gate: RunningGate, reason: str
) -> None:
    status, out, err = run("gate", "mode", "closed", "--reason", reason, "--run", gate.folder)
    assert (status, out) == (2, "")
    assert "one line of plain text" in err
    assert gate.asked == []
