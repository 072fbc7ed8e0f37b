"""The five invariants of the design, over every reachable state and every transition."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import (
    Gate,
    State,
    background_is_good,
    chip_is_good,
    face_is_good,
    lists_are_fresh,
)
from gated.core.step import MAX_MOVES, step
from gated.core.table import Row
from gated.core.topologies import mantrap
from gated.core.vocabulary import Device, Door, Mode, OfficerWord
from tests.core.exploration import Transition, explore, started

# --- what must hold for each transition ---------------------------------------------------------


def one_door_at_a_time(transition: Transition) -> None:
    _, _, after, effects = transition
    assert len(after.released) < 2 or after.state is State.EMERGENCY
    for earlier, later in pairwise(e for e in effects if isinstance(e, do.LockDoor | do.UnlockDoor)):
        assert not (isinstance(earlier, do.UnlockDoor) and isinstance(later, do.LockDoor)), (
            "unlock, then lock"
        )


def doors_follow_the_facts(transition: Transition) -> None:
    before, event, after, effects = transition
    released = set() if isinstance(event, ev.GateStarted) else set(before.released)
    for effect in effects:
        if isinstance(effect, do.UnlockDoor):
            released.add(effect.door)
        elif isinstance(effect, do.ReleaseAll):
            assert after.state is State.EMERGENCY
            released.update(Door)
        elif isinstance(effect, do.LockDoor):
            released.discard(effect.door)
    assert released == after.released
    assert (after.renew_at is not None) == (len(after.released) == 1)


def exit_opens_on_a_decision_for_this_passage(transition: Transition) -> None:
    before, _, after, effects = transition
    if after.state is State.EMERGENCY:
        return
    for number, effect in enumerate(effects):
        if isinstance(effect, do.UnlockDoor) and effect.door is Door.EXIT:
            decided = [e for e in effects[:number] if isinstance(e, do.Decide)]
            renewed = Door.EXIT in before.released and before.state is State.EXIT_OPEN
            assert effect.passage is not None
            assert after.passage is not None
            assert effect.passage == after.passage.id
            assert renewed or [d.passage for d in decided] == [effect.passage]
            assert Door.ENTRY in after.shut


def measured_below(gate: Gate, height_m: float) -> bool:
    """Whether this is a child who was found shorter, or whose height is not known."""
    assert gate.passage is not None
    assert gate.passage.background is not None
    assert gate.passage.face is not None
    measured = gate.passage.face.height_m
    return not gate.passage.background.height_exempt and (measured is None or measured < height_m)


def admitted_only_on_good_evidence_or_an_officers_word(transition: Transition) -> None:
    before, event, after, effects = transition
    for effect in effects:
        if not isinstance(effect, do.Decide):
            continue
        assert after.passage is not None
        if effect.officer is not None:
            assert before.state is State.OFFICER
            assert after.passage.word is OfficerWord.ACCEPT
            assert after.passage.officer == effect.officer
            said = isinstance(event, ev.OfficerDecided)
            assert said or (before.passage is not None and before.passage.word is OfficerWord.ACCEPT)
        else:
            assert before.state is not State.OFFICER
            assert chip_is_good(after)
            assert background_is_good(after)
            assert lists_are_fresh(after, event.at)
            assert face_is_good(after)
            assert not measured_below(after, 1.2)
            assert after.clock_good
            assert not after.faults
        assert after.persons == 1


def a_passage_ends_exactly_once(transition: Transition) -> None:
    before, _, after, effects = transition
    ended = [e for e in effects if isinstance(e, do.EndPassage)]
    assert len(ended) <= 1
    begun = before.passage is None and after.passage is not None
    gone = before.passage is not None and (after.passage is None or after.passage.id != before.passage.id)
    instantly = bool(ended) and before.passage is None  # begun and ended by one event
    assert gone <= bool(ended)
    assert bool(ended) <= (gone or instantly or (before.passage is not None and after.passage is not None))
    if ended and before.passage is not None:
        assert ended[0].passage == before.passage.id
    if begun:
        assert after.state not in {State.OUT_OF_SERVICE, State.CLOSED, State.EMERGENCY}


def the_lane_rests_without_a_passage(transition: Transition) -> None:
    *_, after, _ = transition
    resting = {State.OUT_OF_SERVICE, State.CLOSED, State.IDLE, State.CLEARING, State.EMERGENCY}
    assert not (after.state in resting and after.passage is not None)


def nothing_personal_and_nothing_unsaid(transition: Transition) -> None:
    *_, after, _ = transition
    assert after.told is not None


INVARIANTS: tuple[Callable[[Transition], None], ...] = (
    one_door_at_a_time,
    doors_follow_the_facts,
    exit_opens_on_a_decision_for_this_passage,
    admitted_only_on_good_evidence_or_an_officers_word,
    a_passage_ends_exactly_once,
    the_lane_rests_without_a_passage,
    nothing_personal_and_nothing_unsaid,
)


def all_invariants(transition: Transition) -> None:
    for invariant in INVARIANTS:
        invariant(transition)


# --- what must hold for each state -----------------------------------------------------------------


def pass_time(gate: Gate) -> Gate:
    if gate.due is None or gate.expired:
        return gate
    return step(gate, ev.DeadlinePassed(at=0, due=gate.due))[0]


def everybody_leaves(gate: Gate) -> Gate:
    """The lane empties, the doors fall shut, the document is taken, and time passes."""
    facts: tuple[ev.AnyEvent, ...] = (
        ev.OccupancyChanged(at=0, persons=0),
        ev.DocumentRemoved(at=0),
        *(ev.DoorMoved(at=0, door=door, shut=True) for door in Door),
    )
    for fact in facts:
        gate, _ = step(gate, fact)
    return pass_time(gate)


def check_way_out(gate: Gate) -> None:
    """Every passage ends, and whoever is inside gets a door, whatever the gate waits for."""
    if gate.state is State.EMERGENCY:
        return
    left = gate
    for _ in range(MAX_MOVES):
        left = everybody_leaves(left)
    assert left.passage is None
    assert left.state in {State.IDLE, State.CLOSED, State.OUT_OF_SERVICE}
    inside, opened = gate, False
    if gate.persons != 1 or len(gate.shut) != 2 or Device.IO_BOARD not in gate.ready:
        return  # without the board the wiring lets people out, not the program
    for _ in range(2 * MAX_MOVES):
        opened = opened or bool(inside.released)
        inside = pass_time(inside)
    assert opened or bool(inside.released)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_invariants_hold_in_every_reachable_state() -> None:
    visited: set[int] = set()

    def check(transition: Transition) -> None:
        all_invariants(transition)
        after = transition[2]
        if hash(after) not in visited:
            visited.add(hash(after))
            check_way_out(after)

    counts = explore(check)
    assert set(counts) == set(mantrap.TABLE), "every state is reachable"
    assert sum(counts.values()) > 10_000


SEEDED_FAULTS = {
    "exit opens on any face": (State.VERIFY, 0, Row(lambda g: g.persons == 1, State.EXIT_OPEN)),
    "an officer's word is not awaited": (
        State.OFFICER,
        0,
        Row(lambda g: g.expired and g.persons == 1, State.EXIT_OPEN),
    ),
    "the exit opens while the entry stands open": (
        State.ENTRY_OPEN,
        0,
        Row(lambda g: g.persons == 1, State.EXIT_OPEN),
    ),
    "a passage is forgotten": (State.DOC_OPTICAL, 0, Row(lambda g: g.expired, State.IDLE)),
}


@pytest.mark.parametrize("name", SEEDED_FAULTS)
def test_a_seeded_fault_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state, place, row = SEEDED_FAULTS[name]
    rows = mantrap.TABLE[state]
    monkeypatch.setitem(mantrap.TABLE, state, (*rows[:place], row, *rows[place:]))  # type: ignore[arg-type]  # its lambda has no types
    with pytest.raises(AssertionError):
        explore(all_invariants)


def test_a_second_released_door_is_caught() -> None:
    gate = replace(started(), released=frozenset(Door))
    with pytest.raises(AssertionError):
        one_door_at_a_time((started(), ev.ModeChanged(at=0, mode=Mode.OPEN), gate, ()))
