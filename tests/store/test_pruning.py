"""What the centre has signed for may go when it is old, and nothing else; what remains is a whole journal."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.vocabulary import Mode
from gated.selftest import records
from gated.store import pruning
from gated.store.database import open_to_read
from gated.store.journal import Head, Journal, foundation_of, snapshot, verify
from gated.store.pruning import Pruner
from tests.central.collecting import Pair, change, entries, lived, paired
from tests.core.passages import citizen, start_events
from tests.store.test_journal import write

LATE, EARLY = datetime(2031, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three starts of a gate, each with some travellers."""
    for number in range(3):
        lived(tmp_path / "journal.db", range(10 * number, 10 * number + 2))
    return tmp_path / "journal.db"


def starts(path: Path) -> list[int]:
    db = open_to_read(path)
    found = db.execute("SELECT seq FROM entries WHERE event LIKE '%GateStarted%' ORDER BY seq").fetchall()
    db.close()
    return [row[0] for row in found]


def pruned(path: Path, receipted: int, before: datetime = LATE) -> int:
    pruner = Pruner(path)
    pruner.aim(receipted, before)
    total = 0
    while removed := pruner.prune():
        total += removed
    pruner.close()
    return total


def test_what_remains_begins_with_a_start_and_is_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "FEW", 7)
    before, head = entries(path), Head(seq=0, hash="")
    third = starts(path)[2]
    assert pruned(path, before[-1][0]) == third - 1
    assert entries(path) == before[third - 1 :]
    head = Head(seq=before[-1][0], hash=before[-1][1])
    verdict = verify(open_to_read(path), head)
    assert (verdict.problems, verdict.foundation, verdict.entries) == ((), third - 1, before[-1][0])
    journal = Journal(path)
    write(journal, (*start_events(), *citizen("f" * 16)))
    journal.close()
    assert verify(open_to_read(path), head).problems == ()


@pytest.mark.parametrize("few", [1, 5, 40])
def test_ended_at_any_moment_the_journal_is_whole(
    path: Path, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "FEW", few)
    pruner = Pruner(path)
    pruner.aim(entries(path)[-1][0], LATE)
    while pruner.prune():
        assert verify(open_to_read(path)).problems == ()
    pruner.close()


def test_nothing_goes_that_is_young_or_has_no_receipt(path: Path) -> None:
    whole, (_, second, third) = entries(path), starts(path)
    assert pruned(path, whole[-1][0], EARLY) == 0
    assert pruned(path, second - 2) == 0
    assert pruned(path, third - 2) == second - 1
    assert foundation_of(open_to_read(path)) == (second - 1, bytes.fromhex(whole[second - 2][1]))


def test_a_lock_that_an_officer_signed_stays_on_record_while_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    lived(path, range(1))
    lived(path, range(2, 3), ev.ModeChanged(at=0, mode=Mode.LOCKED, officer="ab", reason="x"))
    lived(path, range(4, 5))
    assert pruned(path, entries(path)[-1][0]) == 0  # the lock stands before the second start
    journal = Journal(path)
    assert journal.locked_by() == "ab"
    write(journal, (ev.ModeChanged(at=0, mode=Mode.OPEN, officer="ab", reason="x"),))
    journal.close()
    third = starts(path)[2]
    assert pruned(path, entries(path)[-1][0]) == third - 1


def test_the_database_refuses_to_lose_more_than_the_foundation_allows(path: Path) -> None:
    pruned(path, entries(path)[-1][0])
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("DELETE FROM entries")
    db.close()


def test_a_foundation_that_is_not_what_was_signed_for_shows(path: Path) -> None:
    last, link = entries(path)[-1]
    pruned(path, last)
    change(path, "UPDATE foundation SET hash = zeroblob(32)")
    assert any("does not follow" in problem for problem in verify(open_to_read(path)).problems)
    emptied = "UPDATE foundation SET seq = (SELECT max(seq) FROM entries)"
    change(path, emptied, "DELETE FROM entries", "DELETE FROM passages")
    assert any("is not the one" in p for p in verify(open_to_read(path), Head(seq=last, hash=link)).problems)
    assert any("was removed" in p for p in verify(open_to_read(path), Head(seq=3, hash=link)).problems)


def test_a_pruned_journal_is_delivered_and_found_again(path: Path, tmp_path: Path) -> None:
    with paired(path, tmp_path / "centre.db") as pair:
        pair.deliver()
        whole = entries(path)
        receipted = pair.outbox.receipted
        assert (receipted.seq, receipted.hash.hex()) == whole[-1]
        pruned(path, receipted.seq)
        lived(path, range(90, 92))
        pair.restart()
        pair.deliver()
        assert pair.held() == [*whole, *(each for each in entries(path) if each not in whole)]
        assert pair.alarms() == []
        assert pair.outbox.standing.code == ""


def test_a_centre_that_lost_what_was_pruned_is_told_of_the_gap_and_gets_the_rest(
    path: Path, tmp_path: Path
) -> None:
    with paired(path, tmp_path / "centre.db") as pair:
        pair.deliver()
        pruned(path, pair.outbox.receipted.seq)
        base = foundation_of(open_to_read(path))[0]
    with paired(path, tmp_path / "another.db") as pair:
        fill(pair)
        assert pair.held() == entries(path)
        assert pair.alarms() == [("gap", base)]


def fill(pair: Pair) -> None:
    for _ in range(20):
        pair.round()


def test_a_journal_of_an_older_version_is_read_as_it_is_and_brought_up_to_date(path: Path) -> None:
    change(path, "DROP TABLE foundation", "DELETE FROM _sqlite_migrations WHERE name = 'foundation'")
    change(path, "CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE (ABORT, ''); END")
    assert verify(open_to_read(path)).problems == ()
    lived(path, range(70, 71))
    assert verify(open_to_read(path)).problems == ()
    assert pruned(path, entries(path)[-1][0]) > 0


def test_whoever_checks_a_journal_sees_it_as_of_one_moment(path: Path) -> None:
    whole = entries(path)
    db = open_to_read(path)
    with snapshot(db):
        assert foundation_of(db)[0] == 0
        assert pruned(path, whole[-1][0]) > 0
        assert verify(db).problems == ()
        assert verify(db).foundation == 0
    assert verify(db).foundation > 0
    db.close()


def test_the_selftest_knows_a_pruned_journal_for_whole(path: Path) -> None:
    last = entries(path)[-1][0]
    removed = pruned(path, last)
    assert records.journal(path.parent).measured == (
        f"{last - removed} entries, all of them follow from one another"
    )
    change(path, "UPDATE entries SET utc = '2031' WHERE seq = (SELECT min(seq) FROM entries)")
    assert records.journal(path.parent).code == "chain_broken"
