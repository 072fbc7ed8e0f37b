"""Everything that a gate journals is at the centre once, whatever the line does; and what was cut shows."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gated.central.record_store import DatabaseError, Sqlite
from gated.central.records import Records
from gated.core import events as ev
from gated.store import delivery as say
from gated.store.journal import Journal
from gated.store.outbox import CHECK_S
from gated.store.receipts import CONTRADICTED, RECEIPT, read_receipt
from tests.central.collecting import GATE, KEY, OWN, Pair, change, copied, entries, lived, paired
from tests.core.passages import citizen
from tests.store.test_journal import write


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of three travellers."""
    path = tmp_path_factory.mktemp("lives") / "journal.db"
    lived(path, range(3))
    return path


@pytest.fixture
def pair(lives: Path, tmp_path: Path) -> Iterator[Pair]:
    with paired(copied(lives, tmp_path / "gate"), tmp_path / "centre.db") as pair:
        yield pair


def pass_on(pair: Pair, *passages: int) -> None:
    journal = Journal(pair.journal)
    for number in passages:
        write(journal, citizen(f"{number:016x}"))
    journal.close()


def test_a_whole_journal_arrives_and_a_receipt_comes_back(pair: Pair) -> None:
    pair.deliver()
    mine = entries(pair.journal)
    assert pair.held() == mine
    assert pair.alarms() == []
    assert pair.outbox.standing.acknowledged == len(mine)
    kept = read_receipt(pair.journal.parent / RECEIPT)
    assert kept is not None
    assert (kept.seq, kept.hash) == mine[-1]
    assert say.holds(KEY.public_key(), kept.receipt, "gate-1")
    [state] = pair.records.states()
    assert (state.entries, state.hash, state.lag, state.branches) == (*mine[-1], 0, 1)


def test_what_comes_later_is_delivered_from_where_it_stood(pair: Pair) -> None:
    pair.deliver()
    before = len(pair.said)
    pass_on(pair, 10, 11)
    pair.restart()
    pair.deliver()
    assert pair.held() == entries(pair.journal)
    first, *rest = pair.said[before:]
    assert isinstance(first, say.Whereabouts)
    assert sum(len(say.unpack(each.entries)) for each in rest if isinstance(each, say.Delivery)) == 26


@settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    there=st.lists(st.integers(0, 2), max_size=30),
    back=st.lists(st.integers(0, 2), max_size=30),
    restarts=st.sets(st.integers(0, 20), max_size=4),
    later=st.integers(0, 12),
)
def test_lost_repeated_and_interrupted_each_entry_is_at_the_centre_once(
    lives: Path,
    tmp_path_factory: pytest.TempPathFactory,
    there: list[int],
    back: list[int],
    restarts: set[int],
    later: int,
) -> None:
    folder = tmp_path_factory.mktemp("line")
    with paired(copied(lives, folder / "gate"), folder / "centre.db") as pair:
        forth, home = iter(there), iter(back)
        for number in range(20):
            if number in restarts:
                pair.restart()
            if number == later:
                pass_on(pair, 99)
            pair.round(lambda _: next(forth, 1), lambda _: next(home, 1))
        pair.now += 100.0
        pair.deliver()
        assert pair.held() == entries(pair.journal)
        assert pair.alarms() == []
        assert pair.outbox.standing.code == ""


@pytest.mark.parametrize("known", [True, False], ids=["with its receipt", "the receipt removed too"])
def test_a_cut_journal_shows_at_the_centre_and_at_the_gate(pair: Pair, *, known: bool) -> None:
    pair.deliver()
    whole = entries(pair.journal)
    change(pair.journal, "DELETE FROM entries WHERE seq > 30", "DELETE FROM passages WHERE ended > 30")
    if not known:
        (pair.journal.parent / RECEIPT).unlink()
    pair.restart()
    pair.deliver()
    assert pair.held() == whole  # the centre gives up nothing
    assert pair.alarms() == [("cut", 31)]
    assert pair.outbox.standing.code == "journal_cut"
    told = read_receipt(pair.journal.parent / CONTRADICTED)
    assert told is not None
    assert told.seq == len(whole)


def test_an_older_journal_that_is_put_back_and_goes_on_is_another_branch(pair: Pair, tmp_path: Path) -> None:
    older = copied(pair.journal, tmp_path / "older")
    pass_on(pair, 10)
    pair.deliver()
    first = entries(pair.journal)
    pair.restart(older)
    pass_on(pair, 20, 21)
    pair.now += 100
    pair.deliver()
    second = entries(older)
    forked = [("fork", next(seq for seq, link in second if (seq, link) not in first))]
    assert pair.held(1) == first
    assert pair.held(2) == [each for each in second if each not in first]
    assert pair.alarms() == forked
    assert pair.outbox.standing.code == "journal_cut"
    pair.restart()  # and goes on there without another word
    pass_on(pair, 22)
    pair.deliver()
    assert pair.held(2) == [each for each in entries(older) if each not in first]
    assert pair.alarms() == forked
    [state] = pair.records.states()
    assert (state.entries, state.lag, state.branches) == (len(entries(older)), 0, 2)


def test_a_journal_written_anew_from_its_first_entry_is_another_branch_and_is_found_again(
    pair: Pair, tmp_path: Path
) -> None:
    pair.deliver()
    anew = tmp_path / "anew" / "journal.db"
    lived(anew, range(50, 56), ev.DutyChanged(at=0, on=True))
    pair.restart(anew)
    pair.deliver()
    assert pair.held(2) == entries(anew)
    assert pair.alarms() == [("fork", 1)]
    (anew.parent / RECEIPT).unlink()
    pair.restart()
    pass_on(pair, 60)
    pair.deliver()
    assert pair.held(2) == entries(anew)
    assert len({each.branch for each in pair.records.entries()}) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET outcome = '{}' WHERE seq = 20",
        "UPDATE entries SET event = '{}' WHERE seq = 20",
        "UPDATE entries SET utc = '2031-01-01T00:00:00Z' WHERE seq = 20",
    ],
)
def test_an_entry_that_was_changed_before_it_was_delivered_shows_and_the_rest_comes(
    pair: Pair, statement: str
) -> None:
    change(pair.journal, statement)
    pair.deliver()
    assert pair.held() == entries(pair.journal)
    assert [each.seq for each in pair.records.entries() if not each.sound] == [20]
    assert pair.alarms() == [("broken", 20)]


def test_entries_that_are_missing_before_delivery_hold_the_rest_back_for_somebody_to_look(pair: Pair) -> None:
    before = len(entries(pair.journal))
    change(pair.journal, "DELETE FROM entries WHERE seq BETWEEN 20 AND 22")
    pair.deliver()
    assert len(pair.held()) == 19
    [state] = pair.records.states()
    assert state.lag == before - 19


def test_a_centre_that_was_restored_from_an_older_copy_is_filled_up_again(pair: Pair, tmp_path: Path) -> None:
    pair.deliver()
    pair.records.close()
    shutil.copy(tmp_path / "centre.db", tmp_path / "backup.db")
    pass_on(pair, 10, 11)
    pair.records = Records(Sqlite(tmp_path / "centre.db"))
    pair.deliver()
    pair.records.close()
    for beside in tmp_path.glob("centre.db*"):
        beside.unlink()
    shutil.copy(tmp_path / "backup.db", tmp_path / "centre.db")
    pair.records = Records(Sqlite(tmp_path / "centre.db"))
    pass_on(pair, 12)
    pair.deliver()
    assert pair.held() == entries(pair.journal)
    assert pair.alarms() == []


def test_a_gate_without_the_entries_that_the_centre_lacks_is_a_gap(pair: Pair) -> None:
    rows = entries(pair.journal)
    sent = tuple(
        say.Sent(utc=each[0], event=each[1], followed=each[2], hash=bytes(each[3]))
        for each in pair.outbox._db.execute(
            "SELECT utc, event, outcome, hash FROM entries WHERE seq > 30 ORDER BY seq"
        )
    )
    after = say.Position(seq=30, hash=bytes.fromhex(rows[29][1]))
    head = say.Position(seq=rows[-1][0], hash=bytes.fromhex(rows[-1][1]))
    plain = say.Delivery(number=1, head=head, after=after, at=head, entries=say.pack(sent))
    asked = say.attest(OWN, GATE, plain)
    unknown = say.NotTaken(number=1, reason="unknown_position")
    assert pair.answer(say.encode(asked)) == unknown
    oldest = say.attest(OWN, GATE, msgspec.structs.replace(plain, number=2, oldest=True))
    assert isinstance(pair.answer(say.encode(oldest)), say.Receipt)
    assert pair.held() == rows[30:]
    assert pair.alarms() == [("gap", 30)]
    pair.answer(say.encode(oldest))
    assert pair.held() == rows[30:]


def test_a_gate_whose_journal_is_ever_another_one_is_stopped_until_somebody_settles_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.central.records.MAX_UNSETTLED", 2)
    [sent] = [say.Sent(utc="2030", event="{}", followed="{}", hash=bytes([number]) * 32) for number in [1]]

    def begun(number: int) -> say.FromCentre:
        after = say.Position(seq=number, hash=bytes([number]) * 32)
        at = say.Position(seq=number + 1, hash=sent.hash)
        asked = say.Delivery(number=1, head=after, after=after, at=at, entries=say.pack((sent,)), oldest=True)
        return pair.answer(say.encode(say.attest(OWN, GATE, asked)))

    assert isinstance(begun(10), say.Receipt)
    assert isinstance(begun(20), say.Receipt)
    assert begun(30) == say.NotTaken(number=1, reason="too_many_branches")
    assert {alarm.code for alarm in pair.records.alarms()} == {"gap", "broken"}
    for alarm in pair.records.alarms():
        assert pair.records.settle(alarm.id, "seen to", "2030")
        assert not pair.records.settle(alarm.id, "again", "2030")
    assert isinstance(begun(30), say.Receipt)


def test_a_receipt_that_the_centre_did_not_sign_counts_for_nothing(pair: Pair) -> None:
    head, link = entries(pair.journal)[-1]
    [asked] = pair.outbox.due(1.0, head)
    at = say.Position(seq=head, hash=bytes.fromhex(link))
    honest = say.sign(KEY, asked.number, "gate-1", at, "2030")
    for forged in (
        say.sign(KEY, asked.number, "gate-2", at, "2030"),
        say.Receipt(number=asked.number, gate="gate-1", at=at, utc="2031", signature=honest.signature),
    ):
        pair.outbox.take(forged, 1.0)
        assert pair.outbox.standing.acknowledged == 0
        assert pair.outbox.standing.code == "receipt_forged"
        pair.outbox.take(honest, 1.0)  # to a question that was given up
        assert pair.outbox.standing.acknowledged == 0
        pair.now += 100.0
        [asked] = pair.outbox.due(pair.now, head)
    pair.deliver()
    assert pair.outbox.standing.code == ""


def test_a_database_that_fails_keeps_nothing_of_the_transaction_and_says_no_content(pair: Pair) -> None:
    pair.records.begin()
    pair.records._db.rows("DROP TABLE entries")
    with pytest.raises(DatabaseError) as failed:
        pair.round()
    assert "TD3" not in str(failed.value)
    pair.records.roll_back()
    pair.now += 100
    pair.deliver()
    assert pair.held() == entries(pair.journal)


@settings(derandomize=True, max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_delivery_error(raw: bytes) -> None:
    for read in (say.read_at_centre, say.read_at_gate, say.unpack):
        with contextlib.suppress(say.DeliveryError):
            read(raw)


def test_a_delivery_that_unpacks_without_end_is_refused() -> None:
    entry = say.Sent(utc="2030", event="a" * say.MAX_PART, followed="b" * say.MAX_PART, hash=bytes(32))
    assert len(say.unpack(say.pack((entry,) * 7))) == 7
    with pytest.raises(say.DeliveryError):
        say.unpack(say.pack((entry,) * 9))
    with pytest.raises(say.DeliveryError):
        say.unpack(say.pack((entry,))[:-1])
    with pytest.raises(say.DeliveryError):
        say.unpack(say.pack((entry,)) + b"x")
    for utc, event, followed in (
        ("2030", "\0", ""),
        ("2030", "", "a\0"),
        ("2030 ", "", ""),
        ("2030\n", "", ""),
    ):
        wrong = say.Sent(utc=utc, event=event, followed=followed, hash=bytes(32))
        with pytest.raises(say.DeliveryError):
            say.unpack(say.pack((entry, wrong)))


def test_a_gate_with_nothing_to_deliver_is_heard_now_and_then_and_compared_anew(pair: Pair) -> None:
    pair.deliver()
    pair.said.clear()
    pair.deliver(3)
    assert pair.said == []
    pair.now += CHECK_S
    pair.round()
    [said] = pair.said
    assert isinstance(said, say.Whereabouts)
    pair.round()
    change(pair.journal, "DELETE FROM entries WHERE seq > 30", "DELETE FROM passages WHERE ended > 30")
    pair.now += CHECK_S
    pair.round()
    assert pair.outbox.standing.code == "journal_cut"  # found while the gate goes on running
    assert pair.alarms() == [("cut", 31)]
