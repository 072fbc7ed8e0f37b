import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store import list_build
from gated.store.replication import Failed, Unchanged, Updated
from gated.store.versions import CONTENTS, POINTER
from gated.store.watchlist import ENTRIES, NothingBefore, NoWatchlist, Watchlist, WatchlistError
from gated.watchlist.freshness import Freshness
from gated.watchlist.match import Answer, DocumentClaim, PersonClaim
from gated.watchlist.snapshot import ListError
from tests.store.central_stand_in import Central, Gate, document, person


@pytest.fixture
def central(tmp_path: Path) -> Central:
    return Central(tmp_path / "central")


@pytest.fixture
def gate(tmp_path: Path, central: Central) -> Iterator[Gate]:
    gate = Gate(tmp_path / "state", central)
    yield gate
    gate.watchlist.close()


def ask(gate: Gate, number: str, issuer: str = "UTO", kind: str = "P<") -> Answer:
    return gate.watchlist.lookup(document=DocumentClaim(number=Personal(number), issuer=issuer, type=kind))


def ask_person(gate: Gate, surname: str, given: str, birth: str) -> Answer:
    claim = PersonClaim(surname=Personal(surname), given=Personal(given), birth=Personal(birth))
    return gate.watchlist.lookup(person=claim)


def test_without_a_list_there_is_no_answer(gate: Gate) -> None:
    assert gate.watchlist.version == 0
    assert gate.age_s() is None
    with pytest.raises(NoWatchlist):
        ask(gate, "L898902C3")


def test_documents_and_persons_are_found_with_the_gravest_grade(gate: Gate, central: Central) -> None:
    central.publish(
        document("L898902C3", "silent"),
        person("Eriksson", "Anna Maria", "1974-08-12"),
        person("Eriksson", "Anna Maria", "1974-XX-XX", "stop"),
    )
    assert gate.refresh() == Updated(version=1, by="snapshot")
    assert ask(gate, "L898902C3<").grade is Grade.SILENT
    assert ask(gate, "L898902C3", issuer="FRA").grade is Grade.NONE
    assert ask(gate, "L898902C3", kind="I<").grade is Grade.NONE
    assert ask_person(gate, "ERIKSSON", "ANNA<MARIA<<<<", "740812").grade is Grade.STOP
    assert [hit.certain for hit in ask_person(gate, "MARIA", "ANNA<ERIKSSON", "740812").hits] == [True, False]
    assert ask_person(gate, "ERIKSSON", "ANNA", "740812").hits == ()
    assert ask_person(gate, "ERIKSSON", "ANNA<MARIA", "751231").hits == ()
    both = gate.watchlist.lookup(
        document=DocumentClaim(number=Personal("L898902C3"), issuer="UTO", type="P"),
        person=PersonClaim(
            surname=Personal("ERIKSSON"), given=Personal("ANNA MARIA"), birth=Personal("740812")
        ),
    )
    assert (both.grade, both.version, len(both.hits)) == (Grade.STOP, 1, 3)
    assert {(hit.reason, hit.reference) for hit in both.hits} == {
        ("stolen", "R-L898902C3"),
        ("exit_ban", "C-1"),
    }


def test_a_delta_is_applied_to_a_copy_and_gives_what_was_published(gate: Gate, central: Central) -> None:
    many = [document(f"A{number:05}") for number in range(200)]
    central.publish(*many)
    gate.refresh()
    central.publish(*many[1:], document("B00001"), person("MUSTER", "ERIKA", "1964-08-12"))
    assert gate.refresh() == Updated(version=2, by="delta")
    assert ask(gate, "A00000").grade is Grade.NONE
    assert ask(gate, "A00001").grade is Grade.STOP
    assert ask(gate, "B00001").grade is Grade.STOP
    assert ask_person(gate, "MUSTER", "ERIKA", "640812").grade is Grade.REFER
    assert gate.watchlist.header is not None
    assert (gate.watchlist.header.documents, gate.watchlist.header.persons) == (200, 1)
    with closing(sqlite3.connect(gate.place(1) / ENTRIES)) as previous:  # the list before is kept, whole
        assert previous.execute("SELECT count(*) FROM document").fetchone() == (200,)


def test_a_chain_of_deltas_is_one_switch(gate: Gate, central: Central) -> None:
    many = [document(f"A{number:05}") for number in range(100)]
    central.publish(*many)
    gate.refresh()
    central.publish(*many[1:])
    central.publish(*many[2:])
    assert gate.refresh() == Updated(version=3, by="delta")
    assert [ask(gate, f"A0000{number}").grade for number in range(3)] == [Grade.NONE, Grade.NONE, Grade.STOP]


def test_a_gap_in_the_chain_means_the_snapshot(gate: Gate, central: Central) -> None:
    many = [document(f"A{number:05}") for number in range(100)]
    central.publish(*many)
    gate.refresh()
    central.publish(*many[1:], keep=1)
    central.publish(*many[2:], keep=1)
    assert gate.refresh() == Updated(version=3, by="snapshot")


def test_a_delta_that_does_not_fit_what_is_here_is_replaced_by_the_snapshot(
    gate: Gate, central: Central
) -> None:
    many = [document(f"A{number:05}") for number in range(100)]
    central.publish(*many)
    gate.refresh()
    gate.watchlist.close()
    with closing(sqlite3.connect(gate.place(1) / ENTRIES)) as database:  # a row lost to a bad disk
        database.execute("DELETE FROM document WHERE number = 'A00000'")
        database.commit()
    gate.open()
    central.publish(*many[1:])  # removes the very row that is missing
    assert gate.refresh() == Updated(version=2, by="snapshot")


def test_the_list_and_its_age_survive_a_restart(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"))
    gate.refresh()
    gate.reopen()
    assert gate.watchlist.version == 1
    assert gate.age_s(later_s=30) == pytest.approx(30, abs=1)
    assert ask(gate, "L898902C3").grade is Grade.STOP


def test_the_age_falls_only_when_the_central_side_vouches_again(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"))
    gate.refresh()
    assert gate.age_s(later_s=3600) == pytest.approx(3600, abs=1)
    assert gate.refresh() == Unchanged(version=1)  # the same word again
    assert gate.age_s() == pytest.approx(3600, abs=1)
    central.sign_again(later_s=3700)
    assert gate.refresh() == Unchanged(version=1)
    assert gate.age_s() == pytest.approx(0, abs=1)


def test_a_clock_in_the_past_after_a_restart_makes_nothing_younger(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"))
    gate.refresh()
    gate.watchlist.age_s(central.now, gate.at)
    central.sign_again(later_s=5)
    gate.refresh()
    central.down = True
    central.now += timedelta(hours=2)
    assert isinstance(gate.refresh(), Failed)  # what time it was is remembered all the same
    gate.reopen()
    age = gate.watchlist.age_s(datetime(1970, 1, 1, tzinfo=UTC), 0.0)
    assert age == pytest.approx(7200, abs=1)


def test_a_damaged_list_gives_way_to_the_previous_one_and_is_mended(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"))
    gate.refresh()
    central.publish(document("L898902C3"), document("B00001"))
    gate.refresh()
    gate.watchlist.close()
    (gate.place(2) / ENTRIES).write_bytes(b"no database at all")
    gate.open()
    assert gate.watchlist.version == 1
    assert ask(gate, "L898902C3").grade is Grade.STOP
    assert isinstance(gate.refresh(), Updated)
    gate.reopen()
    assert gate.watchlist.version == 2
    assert ask(gate, "B00001").grade is Grade.STOP


def test_a_pointer_that_was_lost_leaves_the_newest_list_that_is_whole(gate: Gate, central: Central) -> None:
    for number in range(3):
        central.publish(document(f"A0000{number}"))
        gate.refresh()
    pointer = gate.place(3).with_name(POINTER)
    for content in (b"", b"{}", b"x" * 9000, b'{"version":1e400}', b"\xff", b"[" * 4000):
        pointer.write_bytes(content)
        gate.reopen()
        assert (gate.watchlist.version, ask(gate, "A00002").grade) == (3, Grade.STOP)
    pointer.unlink()
    (gate.place(3) / ENTRIES).unlink()
    gate.reopen()
    assert gate.watchlist.version == 2
    assert isinstance(gate.refresh(), Updated)
    assert gate.watchlist.version == 3


def test_versions_that_nobody_needs_any_more_are_removed(gate: Gate, central: Central) -> None:
    for number in range(4):
        central.publish(document(f"A0000{number}"))
        gate.refresh()
    assert sorted(path.name for path in gate.place(1).parent.iterdir()) == ["3", "4", POINTER]


def test_going_back_is_going_forward(gate: Gate, central: Central) -> None:
    central.publish(document("A00001"))
    gate.refresh()
    with pytest.raises(NothingBefore):
        gate.watchlist.roll_back()
    central.publish(document("A00002"))
    gate.refresh()
    gate.watchlist.roll_back()
    for _ in range(2):  # the same after a restart
        assert (gate.watchlist.version, gate.watchlist.content) == (2, 1)
        assert ask(gate, "A00001").version == 2
        assert (ask(gate, "A00001").grade, ask(gate, "A00002").grade) == (Grade.STOP, Grade.NONE)
        assert gate.refresh() == Unchanged(version=2), "what was left behind does not come back by itself"
        gate.reopen()
    with pytest.raises(NothingBefore):
        gate.watchlist.roll_back()
    central.publish(document("A00002"), document("A00003"))
    assert gate.refresh() == Updated(version=3, by="snapshot")
    assert (gate.watchlist.version, gate.watchlist.content) == (3, 3)
    assert ask(gate, "A00001").grade is Grade.NONE


def test_a_list_that_was_gone_back_to_grows_older_whatever_the_centre_says(
    gate: Gate, central: Central
) -> None:
    central.publish(document("A00001"))
    gate.refresh()
    central.sign_again(later_s=60)
    central.publish(document("A00002"))
    gate.refresh()
    gate.watchlist.roll_back()
    central.sign_again(later_s=3600)
    assert gate.refresh() == Unchanged(version=2)
    assert gate.age_s() == pytest.approx(3660, abs=1)


def test_an_older_list_is_not_put_in_force(gate: Gate, central: Central) -> None:
    central.publish(document("A00001"))
    gate.refresh()
    assert gate.watchlist.header is not None
    gate.watchlist.begin()
    with pytest.raises(WatchlistError, match="newer"):
        gate.watchlist.activate(gate.watchlist.header)
    assert ask(gate, "A00001").grade is Grade.STOP


def test_a_database_of_another_kind_is_not_a_list(tmp_path: Path) -> None:
    folder = Watchlist.open(tmp_path).begin()
    with closing(sqlite3.connect(folder / ENTRIES)) as other:
        other.execute("CREATE TABLE document (number TEXT)")
    (folder / CONTENTS).write_text('{"format":"egate-version/1","version":7}')
    folder.rename(folder.with_name("7"))
    assert Watchlist.open(tmp_path).version == 0


def test_lookups_go_on_while_a_list_is_built_and_switched(gate: Gate, central: Central) -> None:
    central.publish(*(document(f"A{number:05}") for number in range(20_000)))
    gate.refresh()
    central.publish(*(document(f"A{number:05}") for number in range(10_000, 40_000)))
    grades: set[Grade] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            grades.add(ask(gate, "A15000").grade)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        assert isinstance(gate.refresh(), Updated)
    finally:
        done.set()
        looker.join()
    assert grades == {Grade.STOP}


def test_a_snapshot_that_is_not_what_its_header_says_is_not_built(tmp_path: Path, central: Central) -> None:
    central.publish(document("L898902C3"), document("B00001"))
    (published,) = (central.folder.targets / "watchlist").glob("*.snapshot-1.jsonl")
    lines = published.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    for content in (lines[:-1], [*lines[:-1], lines[-1][:-3]], lines[1:], []):
        cut.write_bytes(b"".join(content))
        with pytest.raises(ListError):
            list_build.from_snapshot(
                tmp_path / "next", "main", cut, Freshness(signed_at=1.0, seen_at=1.0), lambda: None
            )
        assert not (tmp_path / "next").exists()


def test_a_list_that_cannot_be_read_is_an_error_and_no_free_pass(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"))
    gate.refresh()
    assert gate.watchlist._list is not None
    gate.watchlist._list._database.execute("DROP TABLE document")
    with pytest.raises(WatchlistError, match="check the disk"):
        ask(gate, "L898902C3")
