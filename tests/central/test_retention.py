"""What the centre keeps no longer: whole passages, from the oldest on; the chain, alarms and the record stay.

Those that ask for a `pair` are held against PostgreSQL, too (tests/system/test_independent_postgresql.py).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gated.central import retention
from gated.central.cli import main
from gated.central.record_store import DatabaseError
from gated.central.retention import Keeper, Kept, Rule, _at_rest
from gated.core import events as ev
from gated.core.gate import Gate
from gated.core.step import step
from gated.store.journal import Followed, Journal, chained
from tests.central.collecting import KEY, OWN, Pair, change, copied, paired
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events
from tests.store.test_journal import UTC as AT_GATE

BEGUN = datetime(2030, 1, 1, tzinfo=UTC)
RULE = Rule(keep_days=30, by="egate-central for anna", why="Border Act 12")


def lived(path: Path, events: tuple[ev.AnyEvent, ...], skip: int = 0) -> None:
    """Let a gate live through events; those before `skip` are in its journal already."""
    gate, journal = Gate(policy=POLICY), Journal(path)
    for number, event in enumerate(events):
        gate, effects = step(gate, event)
        passage = gate.passage.id if gate.passage else None
        if number >= skip:
            journal.append(AT_GATE, event, Followed(state=gate.state, passage=passage, effects=effects))
    journal.close()


def travellers(*numbers: int) -> tuple[ev.AnyEvent, ...]:
    return (*start_events(), *(event for number in numbers for event in citizen(f"{number:016x}")))


def deliver(pair: Pair, day: int) -> None:
    """What is in the journal now comes on this day."""
    pair.restart()
    pair.now += 1000
    pair.utc = (BEGUN + timedelta(days=day)).isoformat(timespec="milliseconds")
    pair.deliver()


def keep(pair: Pair, day: int, *, dry: bool = False) -> Kept:
    return Keeper(pair.records._db, KEY).remove(RULE, BEGUN + timedelta(days=day), dry=dry)


def numbers(pair: Pair, branch: int | None = None) -> list[int]:
    return [seq for seq, _ in pair.held(branch)]


def settle(pair: Pair) -> None:
    pair.records.begin()
    for alarm in pair.records.alarms():
        assert pair.records.settle(alarm.id, "a new disk", "2030")
    pair.records.commit()


def sound(pair: Pair) -> list[bool]:
    return [each.sound for each in Keeper(pair.records._db, KEY).recorded()]


def follows(pair: Pair, link: str, after: int) -> bool:
    """Whether what is left is a chain from there on."""
    previous, seq = bytes.fromhex(link), after
    for each in pair.records.entries():
        seq += 1
        previous = chained(previous, seq, each.utc, each.event.encode(), each.outcome.encode())
        if (each.seq, each.hash) != (seq, previous.hex()):
            return False
    return seq > after


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    lived(tmp_path / "lived.db", start_events())
    with paired(copied(tmp_path / "lived.db", tmp_path / "gate"), tmp_path / "centre.db") as pair:
        yield pair


def test_whole_passages_that_came_earlier_go_and_the_rest_follows_from_what_is_on_record(pair: Pair) -> None:
    lived(pair.journal, travellers(1, 2), len(start_events()))
    deliver(pair, 0)
    old = pair.held()
    lived(pair.journal, travellers(1, 2, 3), len(travellers(1, 2)))
    deliver(pair, 20)
    whole = pair.held()
    assert keep(pair, 29).removed == (), "the first came 29 days ago"
    told = keep(pair, 31, dry=True)
    assert pair.held() == whole, "nothing but told"
    assert keep(pair, 31) == told
    [removal] = told.removed
    assert (removal.first, removal.last, removal.hash) == (1, *old[-1])
    assert (removal.entries, removal.gate, removal.keep_days) == (len(old), "gate-1", 30)
    assert (removal.by, removal.why) == ("egate-central for anna", "Border Act 12")
    assert pair.held() == whole[len(old) :]
    assert follows(pair, removal.hash, removal.last)
    assert [each.removal for each in Keeper(pair.records._db, KEY).recorded()] == [removal]
    assert sound(pair) == [True]
    assert keep(pair, 31).removed == ()


def test_the_gate_goes_on_delivering_to_what_is_left(pair: Pair) -> None:
    lived(pair.journal, travellers(1), len(start_events()))
    deliver(pair, 0)
    gone = numbers(pair)
    keep(pair, 31)
    assert numbers(pair) == []
    lived(pair.journal, travellers(1, 2), len(travellers(1)))
    deliver(pair, 32)
    assert numbers(pair)[0] == len(gone) + 1
    assert pair.alarms() == []
    [state] = pair.records.states()
    assert (state.entries, state.lag, state.branches) == (len(travellers(1, 2)), 0, 1)
    keep(pair, 63)
    assert sound(pair) == [True, True]


def test_a_passage_that_came_in_two_halves_stays_whole_until_all_of_it_is_old(pair: Pair) -> None:
    first, both = len(travellers(1)), len(travellers(1, 2))
    lived(pair.journal, travellers(1, 2)[: first + 6], len(start_events()))
    deliver(pair, 0)
    lived(pair.journal, travellers(1, 2), first + 6)
    deliver(pair, 10)
    [removal] = keep(pair, 31).removed
    assert numbers(pair)[-1] == both
    passages = [json.loads(each.outcome)["passage"] for each in pair.records.entries()]
    assert passages[0] == f"{2:016x}"
    assert removal.last < first + 6
    [removal] = keep(pair, 41).removed
    assert (removal.last, numbers(pair)) == (both, [])


def test_what_an_open_alarm_is_about_stays_until_somebody_settles_it(pair: Pair) -> None:
    lived(pair.journal, travellers(1, 2), len(start_events()))
    deliver(pair, 0)
    cut = len(travellers(1)) + 4
    assert cut == 27
    change(pair.journal, "DELETE FROM entries WHERE seq >= 27", "DELETE FROM passages WHERE ended >= 27")
    deliver(pair, 1)
    assert pair.alarms() == [("cut", cut)]
    [alarm] = pair.records.alarms()
    told = keep(pair, 400)
    assert [(each.gate, each.alarm, each.entry) for each in told.held] == [("gate-1", alarm.id, cut)]
    assert cut in numbers(pair)
    passages = [json.loads(each.outcome)["passage"] for each in pair.records.entries()]
    assert passages[0] == f"{2:016x}", "the passage that it is in stays whole"
    settle(pair)
    assert keep(pair, 400).held == ()
    assert numbers(pair) == []
    assert sound(pair) == [True, True]


def test_a_passage_that_another_branch_goes_on_with_stays_with_it(pair: Pair, tmp_path: Path) -> None:
    first = len(travellers(1))
    pair.outbox.close()  # so that the copy has all of it
    lived(pair.journal, travellers(1, 2)[: first + 6], len(start_events()))
    older = copied(pair.journal, tmp_path / "older")
    lived(pair.journal, travellers(1, 2), first + 6)
    deliver(pair, 0)
    lived(older, travellers(9))
    pair.journal = older
    deliver(pair, 35)
    assert "fork" in [code for code, _ in pair.alarms()]
    settle(pair)
    keep(pair, 40)
    passages = [json.loads(each.outcome)["passage"] for each in pair.records.entries()]
    assert passages[0] == f"{2:016x}"
    keep(pair, 70)
    assert numbers(pair) == []


def test_a_run_that_is_interrupted_has_on_record_what_it_did(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FEW", 5)
    lived(pair.journal, travellers(1, 2, 3), len(start_events()))
    deliver(pair, 0)
    whole = pair.held()
    commit, left = pair.records._db.commit, 2

    def fails() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise DatabaseError("the disk has failed")
        commit()

    monkeypatch.setattr(pair.records._db, "commit", fails)
    with pytest.raises(DatabaseError):
        keep(pair, 31)
    [on_record] = Keeper(pair.records._db, KEY).recorded()
    assert on_record.sound
    gone = on_record.removal.entries
    assert 0 < gone < len(whole)
    assert pair.held() == whole[gone:]
    assert follows(pair, on_record.removal.hash, on_record.removal.last)
    monkeypatch.setattr(pair.records._db, "commit", commit)
    [rest] = keep(pair, 31).removed
    assert (rest.first, rest.last) == (gone + 1, len(whole))


def test_entries_that_go_without_the_centre_s_word_show(pair: Pair) -> None:
    lived(pair.journal, travellers(1, 2), len(start_events()))
    deliver(pair, 0)
    lived(pair.journal, travellers(1, 2, 3), len(travellers(1, 2)))
    deliver(pair, 20)
    keep(pair, 31)
    assert sound(pair) == [True]
    more = len(travellers(1, 2)) + 5
    link = bytes.fromhex(dict(pair.held())[more])
    pair.records._db.rows("DELETE FROM entries WHERE seq <= ?", (more,))
    pair.records._db.rows("UPDATE branches SET first = ?, anchor = ?", (more + 1, link))
    assert sound(pair) == [False], "the branch begins elsewhere"
    pair.records._db.rows("UPDATE removals SET last = ?, hash = ?", (more, link))
    assert sound(pair) == [False], "nobody has signed that"


@pytest.mark.parametrize(
    "outcome", ["", "{}", "[]", '{"passage": 7}', '{"passage": "a"}', "\ud800", "[" * 9999]
)
def test_after_what_cannot_be_read_a_passage_may_be_under_way(outcome: str) -> None:
    assert not _at_rest(outcome)


def test_what_is_left_of_a_delivery_is_still_what_its_gate_has_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "central", tmp_path / "export.jsonl"
    assert main(["init", str(folder)]) == 0
    lived(tmp_path / "lived.db", travellers(1, 2))
    with paired(copied(tmp_path / "lived.db", tmp_path / "gate"), folder / "journals.db") as pair:
        deliver(pair, 0)
        change(pair.journal, "DELETE FROM entries WHERE seq >= 27", "DELETE FROM passages WHERE ended >= 27")
        deliver(pair, 1)
        [removal] = keep(pair, 400).removed
        left = numbers(pair)
    assert left[0] == removal.last + 1 > 1
    assert main(["collect", str(folder), "--export", str(out)]) == 0
    capsys.readouterr()
    key = f"gate-1={OWN.public_key().public_bytes_raw().hex()}"
    assert main(["verify", str(folder), "--export", str(out), "--key", key, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["good"]
    [journal] = told["journals"]
    assert (journal["first"], journal["signed"]) == (left[0], len(left))


def test_the_bytes_are_gone_from_the_file(pair: Pair, tmp_path: Path) -> None:
    lived(pair.journal, travellers(0xABCDEF123), len(start_events()))
    deliver(pair, 0)
    traveller = f"{0xABCDEF123:016x}".encode()

    def written() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("centre.db*"))

    assert traveller in written()
    keep(pair, 31)
    assert traveller not in written()


def test_the_command_says_what_it_removed_and_keeps_it_on_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "central"
    assert main(["init", str(folder)]) == 0
    lived(tmp_path / "lived.db", travellers(1))
    with paired(copied(tmp_path / "lived.db", tmp_path / "gate"), folder / "journals.db") as pair:
        deliver(pair, -3000)
    capsys.readouterr()

    def said(*words: str) -> dict[str, list[dict[str, object]]]:
        assert main(["collect", str(folder), *words, "--json"]) == 0
        answer: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
        return answer

    dry = said("--keep-days", "30", "--dry-run")["removed"]
    assert said("--removed")["removals"] == []
    assert said("--keep-days", "30", "--gate", "gate-2")["removed"] == []
    [removal] = said("--keep-days", "30", "--why", "Border Act 12")["removed"]
    assert (removal["entries"], removal["why"]) == (len(travellers(1)), "Border Act 12")
    assert [{**each, "utc": "", "why": ""} for each in dry] == [{**removal, "utc": "", "why": ""}]
    assert [each["removal"] for each in said("--removed")["removals"]] == [removal]
    for wrong in ("0", "-1", "never"):
        with pytest.raises(SystemExit):
            main(["collect", str(folder), "--keep-days", wrong])
