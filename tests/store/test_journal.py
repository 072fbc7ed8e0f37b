"""The journal: chained, append-only, whole after a kill; every kind of tampering is told."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.step import step
from gated.core.vocabulary import Mode, Outcome
from gated.store.database import StoreError, open_to_read
from gated.store.journal import Followed, Head, Journal, JournalError, read, verify
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events

UTC = "2030-01-01T00:00:00.000+00:00"
FIRST, SECOND = "1" * 16, "2" * 16


def write(journal: Journal, events: tuple[ev.AnyEvent, ...]) -> None:
    gate = Gate(policy=POLICY)
    for event in events:
        gate, effects = step(gate, event)
        passage = gate.passage.id if gate.passage else None
        journal.append(UTC, event, Followed(state=gate.state, passage=passage, effects=effects))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    write(journal, (*start_events(), *citizen(FIRST), *citizen(SECOND)))
    journal.close()
    return path


def tamper(path: Path, statement: str) -> None:
    """Change the file behind the journal's back, as somebody with the disk could."""
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER entries_stay")
        db.execute("DROP TRIGGER entries_remain")
        db.execute(statement)
    db.close()


def test_a_whole_journal_verifies(path: Path) -> None:
    verdict = verify(open_to_read(path))
    assert (verdict.problems, verdict.passages, verdict.open_passages) == ((), 2, 0)
    assert verdict.entries == len(start_events()) + 2 * len(citizen(FIRST))


def test_the_chain_goes_on_after_a_restart(path: Path) -> None:
    before = verify(open_to_read(path))
    journal = Journal(path)
    assert journal.head == Head(seq=before.entries, hash=before.head)
    write(journal, start_events())
    journal.close()
    assert verify(open_to_read(path)).problems == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET event = replace(event, 'TD3', 'TD1') WHERE event LIKE '%MrzRead%'",
        "UPDATE entries SET outcome = replace(outcome, 'admitted', 'refused')",
        "UPDATE entries SET utc = '2031-01-01T00:00:00Z' WHERE seq = 5",
        "DELETE FROM entries WHERE seq = 12",
        "UPDATE passages SET outcome = 'refused'",
        "DELETE FROM passages",
        "INSERT INTO passages VALUES ('3333333333333333', 3, 4, 'admitted')",
    ],
)
def test_tampering_is_told(path: Path, statement: str) -> None:
    tamper(path, statement)
    assert verify(open_to_read(path)).problems


def test_a_cut_end_is_told_by_a_head_that_was_kept(path: Path) -> None:
    whole = verify(open_to_read(path))
    tamper(path, "DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)")
    cut = verify(open_to_read(path), Head(seq=whole.entries, hash=whole.head))
    assert any("cut off" in problem for problem in cut.problems)


def test_a_rewritten_chain_is_told_by_a_head_that_was_kept(path: Path) -> None:
    kept = Head(seq=5, hash="0" * 64)
    assert any("whose head was kept" in p for p in verify(open_to_read(path), kept).problems)


def test_entries_cannot_be_changed_through_the_database(path: Path) -> None:
    db = sqlite3.connect(path)
    for statement in ("UPDATE entries SET utc = ''", "DELETE FROM entries"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()


def test_a_passage_cannot_end_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    end = do.EndPassage(passage=FIRST, outcome=Outcome.ABANDONED, reasons=())
    followed = Followed(state=State.IDLE, passage=None, effects=(end,))
    journal.append(UTC, ev.DutyChanged(at=0, on=True), followed)
    with pytest.raises(JournalError):
        journal.append(UTC, ev.DutyChanged(at=1, on=True), followed)
    assert journal.head.seq == 1
    journal.append(UTC, ev.DutyChanged(at=2, on=True), replace(followed, effects=()))
    journal.close()


def test_reading_one_passage_or_the_last_entries(path: Path) -> None:
    db = open_to_read(path)
    of_first = list(read(db, passage=FIRST))
    assert isinstance(of_first[0].event, ev.DocumentPlaced)
    assert any(isinstance(e, do.EndPassage) for e in of_first[-1].followed.effects)
    assert len(list(read(db, last=3))) == 3
    with pytest.raises(JournalError, match="unknown_passage"):
        list(read(db, passage="f" * 16))


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"This is not a database. " * 100)
    with pytest.raises(JournalError, match="damaged"):
        Journal(path)
    with pytest.raises(StoreError, match="missing"):
        open_to_read(tmp_path / "other.db")


def test_the_check_sees_a_journal_that_was_moved_away_or_replaced(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    write(journal, start_events())
    journal.check()
    path.rename(tmp_path / "taken.db")
    with pytest.raises(JournalError, match="replaced"):
        journal.check()
    path.write_bytes((tmp_path / "taken.db").read_bytes())
    with pytest.raises(JournalError, match="replaced"):
        journal.check()
    journal.close()


def test_the_check_sees_a_journal_that_takes_no_entries_and_leaves_no_trace(path: Path) -> None:
    journal = Journal(path)
    head = journal.head
    for _ in range(3):
        journal.check()
    assert journal.head == head
    assert verify(open_to_read(path)).entries == head.seq
    journal.close()
    with pytest.raises(JournalError):
        journal.check()


def test_a_head_that_another_thread_asks_for_is_of_one_entry(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    heads: set[tuple[int, str]] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            head = journal.head
            heads.add((head.seq, head.hash))

    thread = threading.Thread(target=look)
    thread.start()
    write(journal, (*start_events(), *(event for n in range(1, 20) for event in citizen(f"{n:016x}"))))
    stop.set()
    thread.join()
    whole = {(entry.seq, entry.hash) for entry in read(open_to_read(tmp_path / "journal.db"))}
    assert {head for head in heads if head[0]} <= whole
    journal.close()


WRITER = """
import sys
from pathlib import Path
from gated.store.journal import Journal
from tests.store.test_journal import write
from tests.core.passages import start_events, citizen
journal = Journal(Path(sys.argv[1]))
print("ready", flush=True)
number = 0
write(journal, start_events())
while True:
    number += 1
    write(journal, citizen(f"{number:016x}"))
"""


@pytest.mark.parametrize("delay_s", [0.05, 0.13, 0.21])
def test_a_kill_at_any_moment_leaves_a_whole_journal(tmp_path: Path, delay_s: float) -> None:
    path = tmp_path / "journal.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    time.sleep(delay_s)
    writer.send_signal(signal.SIGKILL)
    writer.wait(10)
    writer.stdout.close()
    verdict = verify(open_to_read(path))
    assert verdict.problems == ()
    assert verdict.open_passages <= 1
    journal = Journal(path)
    interrupted = journal.interrupted()
    assert (interrupted is not None) == (verdict.open_passages == 1)
    journal.close()


def told(mode: Mode, officer: str | None = None) -> ev.ModeChanged:
    return ev.ModeChanged(at=1, mode=mode, reason="test", officer=officer)


@pytest.mark.parametrize(
    ("words", "locked_by"),
    [
        ((), None),
        ((told(Mode.LOCKED),), None),
        ((told(Mode.LOCKED, "kim"),), "kim"),
        ((told(Mode.LOCKED, "kim"), told(Mode.OPEN), told(Mode.LOCKED)), "kim"),
        ((told(Mode.LOCKED, "kim"), told(Mode.LOCKED, "eve")), "eve"),
        ((told(Mode.LOCKED, "kim"), told(Mode.OPEN, "eve")), None),
        ((told(Mode.LOCKED, "kim"), told(Mode.OPEN, "eve"), told(Mode.LOCKED)), None),
    ],
)
def test_a_lock_that_an_officer_signed_is_known_at_the_next_start(
    path: Path, words: tuple[ev.AnyEvent, ...], locked_by: str | None
) -> None:
    journal = Journal(path)
    write(journal, (*words, *start_events(), *citizen("3" * 16)))
    journal.close()
    again = Journal(path)
    assert again.locked_by() == locked_by
    again.close()


def test_the_last_words_to_a_lane_are_found_without_reading_everything(path: Path) -> None:
    journal, asked = Journal(path), list[str]()
    journal._db.set_trace_callback(asked.append)
    journal.locked_by()
    (query,) = asked
    plan = " ".join(str(row[3]) for row in journal._db.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "USING INDEX entries_modes" in plan
    journal.close()


def test_a_journal_of_before_learns_to_find_them(path: Path) -> None:
    journal = Journal(path)
    write(journal, (told(Mode.LOCKED, "kim"),))
    journal.close()
    with sqlite3.connect(path) as db:
        db.execute("DROP INDEX entries_modes")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'index_of_modes'")
    db.close()
    again = Journal(path)
    assert again.locked_by() == "kim"
    again.close()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from gated.store.journal import Journal, JournalError
from tests.store.test_journal import write
from tests.core.passages import start_events, citizen
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    for number in range(1, 10_000):
        write(journal, citizen(f"{number:016x}"))
except JournalError as error:
    print(error.code, "free space" in error.fix or "disk" in error.fix)
"""


def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() in (["disk_full", "True"], ["disk_fails", "True"])
    assert verify(open_to_read(path)).problems == ()
