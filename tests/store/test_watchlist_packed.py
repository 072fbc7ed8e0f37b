"""Packed documents from the centre's list to the gate's answer, and every way that this can fail."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.central.packs import list_key, new_list_key
from gated.central.publish import withdraw_list
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store.documents import CHANGES, PACK
from gated.store.replication import Failed, Unchanged, Updated
from gated.store.watchlist import NoWatchlist, Watchlist, WatchlistError
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import Answer, DocumentClaim, PersonClaim
from tests.store.central_stand_in import Central, Gate, document, person

MANY = [document(f"A{number:05}") for number in range(400)]


@pytest.fixture
def central(tmp_path: Path) -> Central:
    central = Central(tmp_path / "central")
    new_list_key(central.folder)
    return central


@pytest.fixture
def keys(central: Central) -> ListKeys:
    key = list_key(central.folder)
    assert key is not None
    return ListKeys([key])


@pytest.fixture
def gate(tmp_path: Path, central: Central, keys: ListKeys) -> Iterator[Gate]:
    gate = Gate(tmp_path / "state", central, keys)
    yield gate
    gate.watchlist.close()


def ask(gate: Gate, number: str) -> Answer:
    return gate.watchlist.lookup(document=DocumentClaim(number=Personal(number), issuer="UTO", type="P<"))


def packed(gate: Gate) -> int:
    """How many packed documents the gate has."""
    return gate.watchlist.documents.state.documents if gate.watchlist.documents else 0


def fetched(central: Central) -> set[str]:
    """The names of the packs and steps that were fetched since the last question."""
    names = {
        url.rpartition(".pack")[0].rpartition(".")[2] for url in central.fetched if url.endswith(".pack")
    }
    central.fetched.clear()
    return names


def test_documents_come_as_a_pack_and_persons_as_before(gate: Gate, central: Central) -> None:
    published = central.publish(*MANY, person("Eriksson", "Anna Maria", "1974-08-12"))
    assert (published.documents, published.persons) == (400, 1)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    assert ask(gate, "A00007").grade is Grade.STOP
    assert ask(gate, "B00007").grade is Grade.NONE
    claim = PersonClaim(surname=Personal("ERIKSSON"), given=Personal("ANNA MARIA"), birth=Personal("740812"))
    assert gate.watchlist.lookup(person=claim).grade is Grade.REFER
    assert packed(gate) == 400
    gate.reopen()
    assert ask(gate, "A00007").grade is Grade.STOP


def test_neither_the_wire_nor_the_disk_shows_a_number(gate: Gate, central: Central, tmp_path: Path) -> None:
    central.publish(*MANY, document("QX7654321"))
    gate.refresh()
    central.publish(*MANY[1:], document("QX7654322"))
    gate.refresh()
    assert ask(gate, "QX7654322").grade is Grade.STOP
    for folder in (tmp_path / "state", central.folder.repository):
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert b"QX765432" not in content, path
                assert b"A00007" not in content, path


def test_a_change_comes_as_a_step_and_the_pack_stays(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    assert fetched(central) == {"documents-1"}
    central.publish(*MANY[1:], document("B00001"))
    assert gate.refresh() == Updated(version=2, by="delta")
    central.publish(*MANY[2:], document("B00001"))
    central.publish(*MANY[3:], document("B00001"))
    assert gate.refresh() == Updated(version=4, by="delta")
    assert fetched(central) == {"changes-1-2", "changes-2-3", "changes-3-4"}
    numbers = ("A00000", "A00001", "A00002", "A00003", "B00001")
    assert [ask(gate, number).grade is Grade.STOP for number in numbers] == [False] * 3 + [True] * 2
    assert (gate.place(4) / PACK).samefile(gate.place(2) / PACK)
    gate.reopen()
    assert [ask(gate, number).grade is Grade.STOP for number in numbers] == [False] * 3 + [True] * 2


def test_a_change_of_persons_alone_leaves_the_documents(gate: Gate, central: Central) -> None:
    central.publish(*MANY, person("Eriksson", "Anna Maria", "1974-08-12"))
    gate.refresh()
    before = gate.watchlist.digest
    central.publish(*MANY, person("Eriksson", "Anna", "1974-08-12"))
    assert gate.refresh() == Updated(version=2, by="delta")
    assert ask(gate, "A00007").grade is Grade.STOP
    assert gate.watchlist.digest != before


def test_the_same_list_again_is_no_new_version(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    assert central.publish(*reversed(MANY)).unchanged
    assert gate.refresh() == Unchanged(version=1)


def test_a_gate_without_a_list_takes_the_pack_and_the_steps_since(
    tmp_path: Path, central: Central, keys: ListKeys
) -> None:
    central.publish(*MANY)
    central.publish(*MANY[1:])
    late = Gate(tmp_path / "late", central, keys)
    assert late.refresh() == Updated(version=2, by="snapshot")
    assert fetched(central) == {"documents-1", "changes-1-2"}
    assert (ask(late, "A00000").grade, ask(late, "A00001").grade) == (Grade.NONE, Grade.STOP)
    late.watchlist.close()


def test_large_changes_bring_a_new_pack_and_those_who_have_the_old_one_take_the_steps(
    gate: Gate, central: Central
) -> None:
    central.publish(*MANY)
    gate.refresh()
    more = [document(f"B{number:05}") for number in range(400)]
    central.publish(*MANY, *more)
    assert gate.refresh().__class__ is Updated
    assert fetched(central) == {"documents-1", "changes-1-2"}
    assert packed(gate) == 800
    late = Gate(gate.state.parent / "late", central, gate.keys)
    late.refresh()
    assert fetched(central) == {"documents-2"}
    assert late.watchlist.digest == gate.watchlist.digest
    late.watchlist.close()


def test_a_gap_in_the_steps_means_the_pack(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    central.publish(*MANY[1:], keep=1)
    central.publish(*MANY[2:], keep=1)
    fetched(central)
    assert gate.refresh() == Updated(version=3, by="snapshot")
    assert any(name.startswith("documents-") for name in fetched(central))
    assert ask(gate, "A00001").grade is Grade.NONE


def test_a_step_that_does_not_fit_what_is_here_is_replaced_by_the_pack(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    central.publish(*MANY[1:])
    gate.refresh()
    step = (gate.place(2) / CHANGES).read_bytes()
    gate.watchlist.close()
    (gate.place(2) / CHANGES).write_bytes(step[:-1])  # a bad disk
    gate.open()
    assert gate.watchlist.version == 1, "the version before serves"
    central.publish(*MANY[2:])
    assert isinstance(gate.refresh(), Updated)
    assert [ask(gate, f"A0000{number}").grade for number in range(3)] == [Grade.NONE, Grade.NONE, Grade.STOP]


def test_a_pack_that_is_lost_is_no_list_without_documents(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    gate.watchlist.close()
    (gate.place(1) / PACK).unlink()
    gate.open()
    with pytest.raises(NoWatchlist):
        ask(gate, "A00007")
    assert isinstance(gate.refresh(), Updated)
    assert ask(gate, "A00007").grade is Grade.STOP


def test_a_pack_that_is_damaged_in_service_is_an_error_and_no_free_pass(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    os.truncate(gate.place(1) / PACK, 5000)
    with pytest.raises(WatchlistError, match="check the disk"):
        all_are_found(gate)


def all_are_found(gate: Gate) -> None:
    for number in range(400):
        assert ask(gate, f"A{number:05}").grade is Grade.STOP


def test_a_gate_without_the_key_says_so_and_keeps_what_it_has(
    tmp_path: Path, central: Central, keys: ListKeys
) -> None:
    central.publish(*MANY)
    gate = Gate(tmp_path / "keyless", central)
    refused = gate.refresh()
    assert isinstance(refused, Failed)
    assert refused.code == "no_list_key"
    assert "[watchlist] keys" in refused.fix
    assert not (gate.place(1).with_name(".next")).exists()
    gate.keys = keys
    gate.open()
    gate.refresh()
    gate.keys = None
    gate.reopen()
    with pytest.raises(NoWatchlist, match=r"\[watchlist\] keys"):
        ask(gate, "A00007")


def test_a_change_of_keys_is_a_new_pack_for_gates_that_hold_both(
    gate: Gate, central: Central, keys: ListKeys
) -> None:
    central.publish(*MANY)
    gate.refresh()
    new = new_list_key(central.folder)
    assert new.id not in keys.ids
    (old,) = (keys[key_id] for key_id in keys.ids)
    gate.keys = ListKeys([old, new])
    gate.reopen()
    assert ask(gate, "A00007").grade is Grade.STOP
    fetched(central)
    central.publish(*MANY[1:])
    assert isinstance(gate.refresh(), Updated)
    assert fetched(central) == {"documents-2"}
    assert (ask(gate, "A00000").grade, ask(gate, "A00007").grade) == (Grade.NONE, Grade.STOP)
    central.publish(*MANY[2:])
    assert gate.refresh() == Updated(version=3, by="delta")


def test_a_list_that_was_withdrawn_gives_way_to_the_one_before_under_a_higher_number(
    gate: Gate, central: Central
) -> None:
    central.publish(*MANY)
    gate.refresh()
    first = gate.watchlist.documents
    assert first is not None
    digest = first.state.digest
    central.publish(*MANY[:200])
    gate.refresh()
    assert ask(gate, "A00300").grade is Grade.NONE
    withdrawn = withdraw_list(central.folder, central.now)
    assert (withdrawn.version, withdrawn.documents) == (3, 400)
    assert gate.refresh() == Updated(version=3, by="delta")
    assert ask(gate, "A00300").grade is Grade.STOP
    now = gate.watchlist.documents
    assert now is not None
    assert now.state.digest == digest


def test_a_list_is_packed_from_the_day_that_there_is_a_key(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    central.publish(*MANY, person("Eriksson", "Anna Maria", "1974-08-12"))
    gate = Gate(tmp_path / "state", central)
    gate.refresh()
    assert packed(gate) == 0
    gate.keys = ListKeys([new_list_key(central.folder)])
    gate.reopen()
    assert not central.publish(*MANY, person("Eriksson", "Anna Maria", "1974-08-12")).unchanged
    assert isinstance(gate.refresh(), Updated)
    assert packed(gate) == 400
    assert gate.watchlist.header is not None
    assert (gate.watchlist.header.documents, gate.watchlist.header.persons) == (0, 1)
    assert [hit.kind for hit in ask(gate, "A00007").hits] == ["document"]


def test_going_back_and_forward_with_packed_documents(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    central.publish(*MANY[1:])
    gate.refresh()
    gate.watchlist.roll_back()
    assert (gate.watchlist.version, ask(gate, "A00000").grade) == (2, Grade.STOP)
    gate.reopen()
    assert gate.refresh() == Unchanged(version=2)
    central.publish(*MANY[2:])
    assert isinstance(gate.refresh(), Updated)
    assert (gate.watchlist.version, ask(gate, "A00000").grade) == (3, Grade.NONE)


def test_lookups_go_on_while_packs_come_and_go(gate: Gate, central: Central) -> None:
    central.publish(*MANY)
    gate.refresh()
    grades: set[Grade] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            grades.add(ask(gate, "A00300").grade)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for number in range(1, 4):
            central.publish(*MANY[number:])
            assert isinstance(gate.refresh(), Updated)
    finally:
        done.set()
        looker.join()
    assert grades == {Grade.STOP}


@pytest.mark.parametrize("tampered", [b"", b"eGpack1\n" + bytes(400)])
def test_a_pack_that_was_changed_on_its_way_changes_nothing(
    gate: Gate, central: Central, tampered: bytes
) -> None:
    central.publish(*MANY)
    gate.refresh()
    more = [document(f"B{number:05}") for number in range(400)]
    central.publish(*MANY, *more, keep=0)
    central.tamper = lambda url, content: tampered if url.endswith(".pack") else content
    assert isinstance(gate.refresh(), Failed)
    assert (gate.watchlist.version, ask(gate, "A00007").grade) == (1, Grade.STOP)
    central.tamper = lambda _, content: content
    assert gate.refresh() == Updated(version=2, by="snapshot")


def test_a_version_whose_parts_disagree_is_not_used(gate: Gate, central: Central, tmp_path: Path) -> None:
    central.publish(*MANY)
    gate.refresh()
    central.publish(*MANY[1:])
    gate.refresh()
    gate.watchlist.close()
    (gate.place(2) / CHANGES).unlink()  # the pack alone is version 1
    assert Watchlist.open(tmp_path / "state", gate.keys).version == 1
