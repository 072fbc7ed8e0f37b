"""Whatever file `gatectl` is given in the place of another, it names it and says what to do, on one line."""

import sqlite3
import sys
from pathlib import Path

import pytest

from hw_sim.passport.issuer import Authority
from tests.gatectl import Run, gatectl
from tests.hw_sim.terminal import TODAY

GIVEN = "GIVEN"  # where the file goes that is not what it should be
UNUSABLE = [
    "journal verify --file GIVEN",
    "journal show --file GIVEN",
    "replay --file GIVEN",
    "face estimate --file GIVEN",
    "config-check GIVEN",
    "status --config GIVEN",
    "status --run GIVEN",
    "document read --reader sim --mrz GIVEN",
    "document read --reader sim --trust GIVEN",
    "document read --reader sim --trust ROOT --anchor GIVEN",
    "document read --reader sim --trust ROOT --crl GIVEN",
    "document read --reader sim --trust ROOT --deviations GIVEN",
    "document transcript GIVEN",
    "document verify --sod ROOT --trust GIVEN",
    "document verify --sod ROOT --trust ROOT --com GIVEN",
    "face compare GIVEN ROOT",
    "face liveness GIVEN",
    "officer accept --name kim --passage 0123456789abcdef --key GIVEN",
    "face height ROOT --calibration GIVEN",
    "face evaluate --all-pairs --images GIVEN",
    "face evaluate-pad --bona-fide GIVEN --attack ROOT",
    "calibrate camera --check GIVEN",
    "calibrate camera --board 9x6 --square-mm 25 --marks MARKS --images GIVEN",
    "models install GIVEN",
    "models verify --config GIVEN",
]
ONLY_FILES = ["mrz read GIVEN", "face quality GIVEN", "trust show GIVEN"]  # what a file holds is their answer


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "text").write_text("hello\n")
    (folder / "nested").write_text("a = " + "[" * 20_000)
    (folder / "noise").write_bytes(bytes(range(256)) * 8)
    (folder / "marks").write_text("[[mark]]\nx = 1.0\ny = 2.0\nheight_m = 1.0\ndistance_m = 2.0\n" * 4)
    (folder / "root").write_bytes(Authority.establish("utopia", today=TODAY).anchor)
    return folder


def asked(command: str, files: Path, kind: str) -> list[str]:
    for word, name in ((GIVEN, kind), ("ROOT", "root"), ("MARKS", "marks")):
        command = command.replace(word, str(files / name))
    return command.split()


def refused(run: Run, command: list[str]) -> str:
    status, out, err = run(*command)
    assert (status, out) == (2, "")
    assert err.startswith("gatectl: ")
    assert len(err.splitlines()) == 1
    return err


@pytest.mark.parametrize("kind", ["absent", "folder", "empty", "text", "noise", "nested"])
@pytest.mark.parametrize("command", UNUSABLE)
def test_what_is_not_the_file_that_was_asked_for_is_named(
    run: Run, files: Path, command: str, kind: str
) -> None:
    said = refused(run, asked(command, files, kind))
    assert kind in said
    assert said.count(": ") >= 2  # the thing, what is wrong, and the fix


@pytest.mark.parametrize("kind", ["absent", "folder"])
@pytest.mark.parametrize("command", ONLY_FILES)
def test_what_cannot_be_read_is_named(run: Run, files: Path, command: str, kind: str) -> None:
    assert str(files / kind) in refused(run, asked(command, files, kind))


@pytest.mark.parametrize("kind", ["empty", "text", "noise"])
@pytest.mark.parametrize("command", ONLY_FILES)
def test_a_file_of_nothing_usable_is_bad_news(run: Run, files: Path, command: str, kind: str) -> None:
    status, out, err = run(*asked(command, files, kind))
    assert (status, err) == (1, "")
    assert out


@pytest.mark.parametrize("option", ["--anchor", "--crl", "--deviations"])
def test_trust_material_without_a_list_is_not_passed_over(run: Run, files: Path, option: str) -> None:
    said = refused(run, ["document", "read", "--reader", "sim", option, str(files / "root")])
    assert "--trust" in said


@pytest.mark.parametrize("command", [("list",), ("verify",), ("remove", "own")])
def test_a_folder_of_models_that_was_named_must_be_there(
    run: Run, files: Path, command: tuple[str, ...]
) -> None:
    said = refused(run, ["models", *command, "--models", str(files / "absent")])
    assert f"--models {files / 'absent'}: no such folder" in said


def test_an_embedder_that_is_not_there_is_told_with_those_that_are(run: Run, files: Path) -> None:
    photograph = str(files / "root")
    said = refused(run, ["face", "compare", photograph, photograph, "--model", "nobody"])
    assert said == (
        "gatectl: --model nobody: no such embedder: choose dlib-resnet, or give an entry's .toml\n"
    )


def test_the_database_of_something_else_is_no_journal(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE entries (other TEXT)")
    connection.close()
    said = refused(run, ["journal", "verify", "--file", str(other)])
    assert said.startswith(f"gatectl: not_ours: {other} is no database of this gate")


@pytest.mark.parametrize("command", ["mrz parse", "document read --reader sim --mrz -"])
def test_no_standard_input_is_said(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input is closed" in refused(run, command.split())
