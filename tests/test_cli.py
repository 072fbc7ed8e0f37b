"""`gatectl`, in this process: every command as text and as JSON, and every exit status with its fix."""

import json
import sqlite3
from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.gate import Gate
from gated.core.step import step
from gated.store.journal import Followed, Journal
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events
from tests.gatectl import Run, gatectl
from tests.test_config import filled

UTC = "2030-01-01T00:00:00.000+00:00"
FIRST, SECOND = "1" * 16, "2" * 16


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


def write(path: Path, events: tuple[ev.AnyEvent, ...]) -> None:
    journal = Journal(path)
    gate = Gate(policy=POLICY)
    for event in events:
        gate, effects = step(gate, event)
        passage = gate.passage.id if gate.passage else None
        journal.append(UTC, event, Followed(state=gate.state, passage=passage, effects=effects))
    journal.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "journal.db"
    write(path, (*start_events(), *citizen(FIRST), *citizen(SECOND)))
    return path


@pytest.fixture
def config(tmp_path: Path, journal: Path) -> Path:
    """The configuration of the gate that this journal is of."""
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace('"/var/lib/egate"', f'"{journal.parent}"'))
    return path


# --- the journal ----------------------------------------------------------------------------------------


def test_a_whole_journal_is_good_news(run: Run, config: Path, journal: Path) -> None:
    for where in (("--config", config), ("--file", journal)):
        status, out, err = run("journal", "verify", *where)
        assert (status, err) == (0, "")
        assert "2 passages" in out
        assert out.endswith("the chain is whole, and every passage ended once\n")
    status, out, _ = run("journal", "verify", "--file", journal, "--json")
    assert status == 0
    verdict = json.loads(out)
    assert (verdict["passages"], verdict["problems"]) == (2, [])


def test_options_count_before_the_words_as_behind_them(run: Run, config: Path) -> None:
    behind = run("journal", "verify", "--json", "--config", config)
    assert behind[0] == 0
    assert run("--json", "--config", config, "journal", "verify") == behind
    assert run("--config", "/nowhere", "journal", "verify", "--json", "--config", config) == behind


def test_a_head_that_was_kept_proves_the_end(run: Run, journal: Path) -> None:
    printed = run("journal", "verify", "--file", journal)[1]
    head = next(line for line in printed.splitlines() if line.startswith("head ")).removeprefix("head ")
    assert run("journal", "verify", "--file", journal, "--head", head)[0] == 0
    number, _, digest = head.partition(":")
    status, out, _ = run("journal", "verify", "--file", journal, "--head", f"{int(number) + 1}:{digest}")
    assert status == 1
    assert "cut off" in out
    status, out, _ = run("journal", "verify", "--file", journal, "--head", f"3:{digest}")
    assert (status, "whose head was kept" in out) == (1, True)


@pytest.mark.parametrize(
    "head", ["", "3", "x:" + "0" * 64, "3:abc", "3:" + "g" * 64, "-1:" + "0" * 64, "³:" + "0" * 64]
)
def test_a_head_that_is_none_is_not_taken(run: Run, journal: Path, head: str) -> None:
    status, out, err = run("journal", "verify", "--file", journal, f"--head={head}")
    assert (status, out) == (2, "")
    assert "NUMBER:HASH" in err


def test_a_changed_journal_is_bad_news(run: Run, journal: Path) -> None:
    db = sqlite3.connect(journal)
    db.execute("DROP TRIGGER entries_stay")
    db.execute("UPDATE entries SET outcome = replace(outcome, 'admitted', 'refused')")
    db.commit()
    db.close()
    status, out, err = run("journal", "verify", "--file", journal)
    assert (status, err) == (1, "")
    assert "PROBLEM  entry" in out
    status, out, _ = run("replay", "--file", journal)
    assert status == 1
    assert "DIFFERENCE  entry" in out
    status, out, _ = run("replay", "--file", journal, "--json")
    assert status == 1
    assert json.loads(out)["differences"]


def test_entries_are_shown_from_the_end_or_by_passage(run: Run, journal: Path) -> None:
    status, out, _ = run("journal", "show", "--file", journal, "--last", 3)
    assert status == 0
    assert out.splitlines()[0] == "2030-01-01 (UTC)"
    assert "outcome=admitted" in out
    of_first = run("journal", "show", "--file", journal, "--passage", FIRST)[1]
    assert f"DocumentPlaced passage={FIRST}" in of_first
    assert SECOND not in of_first
    entries = json.loads(run("journal", "show", "--file", journal, "--passage", FIRST, "--json")[1])
    assert entries[0]["event"]["type"] == "DocumentPlaced"
    assert max(map(len, run("journal", "show", "--file", journal, "--last", 1000)[1].splitlines())) <= 100


def test_an_unknown_passage_is_no_answer(run: Run, journal: Path) -> None:
    status, out, err = run("journal", "show", "--file", journal, "--passage", "f" * 16)
    assert (status, out) == (2, "")
    assert "`gatectl journal show` lists" in err
    status, out, err = run("journal", "show", "--file", journal, "--passage", "f" * 16, "--json")
    assert "unknown_passage" in json.loads(err)["error"]


@pytest.mark.parametrize("last", ["0", "-3", "many", "1e3", "99999999999"])
def test_a_count_that_is_none_is_told(run: Run, journal: Path, last: str) -> None:
    status, _, err = run("journal", "show", "--file", journal, f"--last={last}")
    assert status == 2
    assert "give a number from 1 to" in err


def test_the_record_replays(run: Run, journal: Path) -> None:
    status, out, _ = run("replay", "--file", journal)
    assert (status, out.splitlines()[-1]) == (0, "every decision and every effect came out as recorded")
    assert json.loads(run("replay", "--file", journal, "--json")[1])["differences"] == []


COMMANDS = (("journal", "verify"), ("journal", "show"), ("replay",))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_journal_that_is_not_there(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    status, out, err = run(*command, "--file", tmp_path / "none.db")
    assert (status, out) == (2, "")
    assert err.startswith("gatectl: missing: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_journal(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"This is not a database. " * 100)
    status, _, err = run(*command, "--file", other)
    assert status == 2
    assert "damaged" in err
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE t (x)").connection.close()
    status, _, err = run(*command, "--file", tmp_path / "empty.db")
    assert status == 2
    assert err.startswith("gatectl: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_journal_with_a_broken_page_is_one_line_with_the_fix(
    run: Run, journal: Path, command: tuple[str, ...]
) -> None:
    raw = bytearray(journal.read_bytes())
    size = int.from_bytes(raw[16:18], "big")
    for page in range(1, len(raw) // size):
        raw[page * size : page * size + 200] = b"\xff" * 200
    journal.write_bytes(raw)
    status, _, err = run(*command, "--file", journal)
    assert status == 2
    assert err.startswith("gatectl: damaged: keep ")
    assert err.count("\n") == 1


def test_a_journal_without_its_beginning_cannot_be_replayed(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "journal.db", citizen(FIRST))
    status, _, err = run("replay", "--file", tmp_path / "journal.db")
    assert status == 2
    assert "journal verify" in err


# --- the rest ---------------------------------------------------------------------------------------------


def test_a_good_configuration(run: Run, config: Path) -> None:
    status, out, _ = run("config-check", config)
    assert status == 0
    assert out.startswith(f"{config}: good (gate lane-1, SHA-256 ")
    assert json.loads(run("config-check", config, "--json")[1])["gate"] == "lane-1"


def test_a_bad_configuration_names_file_key_and_fix(run: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("liveness_threshold", "liveness_treshold"))
    status, out, err = run("config-check", config)
    assert (status, out) == (2, "")
    assert err.startswith(f"gatectl: {config}: [policy] ")
    assert "liveness_treshold" in err
    status, _, err = run("journal", "verify", "--config", config)
    assert status == 2
    assert "liveness_treshold" in err


@pytest.mark.parametrize("status", [1, 2])
def test_a_file_whose_name_is_no_text_is_named_and_obeyed_by_no_terminal(
    run: Run, tmp_path: Path, status: int
) -> None:
    named = tmp_path / "bad\udcff\x1b[2J\n.jpg"
    if status == 1:
        named.write_bytes(b"no picture")
    found, *said = run("face", "quality", named)
    assert found == status
    assert "bad\\udcff\\x1b[2J\\n.jpg: " in "".join(said)
    assert "\x1b" not in "".join(said)
    found, *said = run("face", "quality", named, "--json")
    assert found == status
    (text,) = json.loads("".join(said)).values() if status == 2 else [json.loads(said[0])["file"]]
    assert "bad\\udcff" in text


def test_the_diagram(run: Run) -> None:
    status, out, _ = run("gate", "diagram")
    assert status == 0
    assert out.startswith("stateDiagram-v2\n")
    assert json.loads(run("gate", "diagram", "--json")[1])["mermaid"].startswith("stateDiagram-v2\n")
    assert "issuing" in run("gate", "diagram", "--topology", "kiosk", "--mermaid")[1]


HELPED = (
    (),
    ("status",),
    ("journal",),
    ("journal", "verify"),
    ("journal", "show"),
    ("replay",),
    ("gate", "mode"),
    ("clear-fault",),
    ("reset-emergency",),
    ("officer",),
    ("gate", "diagram"),
    ("gate", "explore"),
    ("config-check",),
)


@pytest.mark.parametrize("command", HELPED)
def test_help_fits_a_terminal_and_explains_itself(
    run: Run, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    status, out, _ = run(*command, "--help")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 100
    assert out.startswith(" ".join(("usage: gatectl", *command)))
