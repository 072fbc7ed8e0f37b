"""On a gate that holds a list key, persons lie sealed beside the list, and are found in other spellings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.core.personal import Personal
from gated.store.list_version import PERSONS
from gated.store.replication import Updated
from gated.store.watchlist import NoWatchlist, Watchlist
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import Hit, PersonClaim
from tests.store.central_stand_in import Central, Gate, document, person

OLD, NEW = ListKey(bytes(32)), ListKey(bytes(range(32)))
CHEKHOV = person("CHEKHOV", "ANTON PAVLOVICH", "1960-01-29")
MUELLER = person("MUELLER", "JUERGEN", "1974-XX-XX", "stop")


@pytest.fixture
def central(tmp_path: Path) -> Central:
    return Central(tmp_path / "central")


@pytest.fixture
def gate(tmp_path: Path, central: Central) -> Iterator[Gate]:
    gate = Gate(tmp_path / "state", central, ListKeys([OLD]))
    yield gate
    gate.watchlist.close()


def hits(gate: Gate, surname: str, given: str, birth: str) -> tuple[Hit, ...]:
    claim = PersonClaim(surname=Personal(surname), given=Personal(given), birth=Personal(birth))
    return gate.watchlist.lookup(person=claim).hits


def test_a_wanted_person_is_found_under_another_spelling(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"), CHEKHOV, MUELLER)
    assert isinstance(gate.refresh(), Updated)
    (found,) = hits(gate, "TSCHECHOW", "ANTON", "600129")
    assert (found.kind, found.grade, found.reason, found.reference) == ("person", "refer", "exit_ban", "C-1")
    assert found.certain
    assert found.score >= 0.9
    assert found.why[1] == "birth: same"
    (other,) = hits(gate, "MULLER", "JURGEN", "740203")
    assert not other.certain
    assert hits(gate, "CHEKHOV", "ANTON", "800129") == ()


def test_no_file_of_the_list_shows_a_person(gate: Gate, central: Central) -> None:
    central.publish(CHEKHOV)
    gate.refresh()
    raw = b"".join(path.read_bytes() for path in gate.place(1).iterdir())
    assert (gate.place(1) / PERSONS).exists()
    for plain in (b"CHEKHOV", b"ANTON", b"1960-01-29"):
        assert plain not in raw


def test_deltas_change_the_sealed_persons(gate: Gate, central: Central) -> None:
    many = [document(f"D{number}") for number in range(20)]  # a delta is taken where it is the shorter way
    central.publish(CHEKHOV, MUELLER, *many)
    gate.refresh()
    central.publish(MUELLER, person("OKAFOR", "CHIDI", "1990-02-03"), *many)
    assert gate.refresh() == Updated(version=2, by="delta")
    assert hits(gate, "CHEKHOV", "ANTON", "600129") == ()
    assert len(hits(gate, "OKAFOR", "CHIDI", "900203")) == 1
    assert len(hits(gate, "MUELLER", "JUERGEN", "740203")) == 1
    gate.reopen()
    assert gate.watchlist.version == 2
    assert len(hits(gate, "OKAFOR", "CHIDI", "900203")) == 1


def test_the_next_list_is_sealed_under_the_key_that_is_named_first(gate: Gate, central: Central) -> None:
    central.publish(CHEKHOV)
    gate.refresh()
    gate.keys = ListKeys([NEW, OLD])
    gate.reopen()
    assert len(hits(gate, "CHEKHOV", "ANTON", "600129")) == 1
    central.publish(CHEKHOV, MUELLER)
    assert gate.refresh() == Updated(version=2, by="snapshot")
    gate.keys = ListKeys([NEW])
    gate.reopen()
    assert gate.watchlist.version == 2
    assert len(hits(gate, "CHEKHOV", "ANTON", "600129")) == 1


def test_persons_that_lay_open_are_sealed_once_there_is_a_key(tmp_path: Path, central: Central) -> None:
    gate = Gate(tmp_path / "state", central)
    central.publish(CHEKHOV)
    gate.refresh()
    assert not (gate.place(1) / PERSONS).exists()
    gate.keys = ListKeys([NEW])
    gate.reopen()
    central.publish(CHEKHOV, MUELLER)
    assert gate.refresh() == Updated(version=2, by="snapshot")
    assert len(hits(gate, "TSCHECHOW", "ANTON", "600129")) == 1
    gate.watchlist.close()


def test_without_the_sealed_persons_or_their_key_there_is_no_list(gate: Gate, central: Central) -> None:
    central.publish(CHEKHOV)
    gate.refresh()
    gate.watchlist.close()
    other = Watchlist.open(gate.state, ListKeys([NEW]))
    with pytest.raises(NoWatchlist, match="key"):
        other.lookup()
    (gate.place(1) / PERSONS).unlink()
    bare = Watchlist.open(gate.state, ListKeys([OLD]))
    assert bare.version == 0
    gate.open()


def test_persons_of_another_version_are_not_taken_for_these(gate: Gate, central: Central) -> None:
    central.publish(CHEKHOV)
    gate.refresh()
    central.publish(MUELLER)
    gate.refresh()
    gate.watchlist.close()
    (gate.place(2) / PERSONS).write_bytes((gate.place(1) / PERSONS).read_bytes())
    gate.open()
    assert gate.watchlist.content == 1  # the one before serves
