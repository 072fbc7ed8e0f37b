"""Errors that the exploration found in the tables, each with the history that showed it."""

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, Passage, State
from gated.core.policy import LaneRules
from gated.core.step import step
from gated.core.vocabulary import Direction, Door, Liveness, Mode, OfficerWord, Topology
from gated.proof.happenings import THIS, assessed, word
from tests.core.exploration import started
from tests.core.passages import citizen, stepped

BOTH = frozenset(Door)


def moved(door: Door, *, shut: bool) -> ev.DoorMoved:
    return ev.DoorMoved(at=0, door=door, shut=shut)


def lane(gate: Gate, **rules: object) -> Gate:
    """The same gate in a lane with other rules."""
    known = replace(gate.policy.lane, **rules)
    assert isinstance(known, LaneRules)
    return replace(gate, policy=replace(gate.policy, lane=known))


def test_the_entry_is_locked_at_once_when_the_exit_comes_open() -> None:
    gate, _ = stepped(started(), citizen(THIS)[:5])
    assert gate.released == {Door.ENTRY}
    gate, effects = step(gate, moved(Door.EXIT, shut=False))
    assert gate.state is State.ENTRY_OPEN
    assert effects == (do.LockDoor(door=Door.ENTRY),)
    gate, _ = step(gate, moved(Door.EXIT, shut=True))
    assert gate.released == {Door.ENTRY}


def test_nobody_is_admitted_by_the_machine_while_the_exit_stands_open() -> None:
    events = citizen(THIS)
    gate, _ = stepped(started(), (*events[:8], events[9], moved(Door.EXIT, shut=False)))
    assert gate.state is State.FACE_CAPTURE
    gate, effects = step(gate, assessed(1, 0.9, Liveness.LIVE))
    assert gate.state is not State.EXIT_OPEN
    assert not any(isinstance(effect, do.Decide) for effect in effects)


def test_a_lane_does_not_turn_in_the_moment_in_which_a_door_was_released() -> None:
    gate = lane(started(), topology=Topology.PORT)
    gate, _ = step(gate, ev.ModeChanged(at=0, mode=Mode.FREE_PASSAGE, officer="kim"))
    assert gate.released == {Door.ENTRY}
    gate, _ = step(gate, ev.DirectionWanted(at=0, direction=Direction.REVERSE, by="officer"))
    gate, effects = step(gate, ev.ModeChanged(at=0, mode=Mode.OPEN))
    assert gate.state is State.IDLE
    assert not any(isinstance(effect, do.TurnLane) for effect in effects)
    gate, effects = step(gate, ev.ClockChecked(at=0, synchronised=True))
    assert do.TurnLane(direction=Direction.REVERSE) in effects


def test_a_turn_that_is_not_told_is_commanded_again_and_officers_are_called() -> None:
    gate = lane(started(), topology=Topology.PORT)
    gate, _ = step(gate, ev.DirectionWanted(at=0, direction=Direction.REVERSE, by="schedule"))
    assert gate.state is State.CHANGE_OVER
    for _ in range(3):
        assert gate.due is not None
        gate, effects = step(gate, ev.DeadlinePassed(at=0, due=gate.due))
        assert gate.state is State.CHANGE_OVER
        assert do.TurnLane(direction=Direction.REVERSE) in effects
        assert [e.kind for e in effects if isinstance(e, do.AlertOfficer)] == ["not_turned"]
    gate, _ = step(gate, ev.LaneTurned(at=0, direction=Direction.REVERSE))
    assert gate.due is not None
    assert step(gate, ev.DeadlinePassed(at=0, due=gate.due))[0].state is State.IDLE


def of_a_party(*, curtains: bool, counted: int) -> Gate:
    """An officer is waited for; presence says that there is more than one."""
    gate = lane(started(), wide=True, curtains=curtains)
    passage = Passage(id=THIS, party=max(2, counted))
    return replace(gate, state=State.OFFICER, passage=passage, persons=2, counted=counted)


def test_three_may_be_accepted_where_presence_alone_says_more_than_one() -> None:
    said = word(OfficerWord.ACCEPT, 3)
    gate, _ = step(of_a_party(curtains=False, counted=0), said)
    assert gate.state is State.EXIT_OPEN
    assert gate.passage is not None
    assert gate.passage.party == 3
    gate, _ = step(of_a_party(curtains=True, counted=2), said)
    assert gate.state is State.OFFICER
    gate, _ = step(of_a_party(curtains=True, counted=3), said)
    assert gate.state is State.EXIT_OPEN


def test_an_officers_word_that_cannot_be_followed_now_is_not_followed_later() -> None:
    gate = replace(of_a_party(curtains=False, counted=0), shut=frozenset({Door.EXIT}))
    gate, effects = step(gate, word(OfficerWord.ACCEPT, 2))
    assert [e.kind for e in effects if isinstance(e, do.AlertOfficer)] == ["not_accepted"]
    gate, _ = step(gate, moved(Door.ENTRY, shut=True))
    assert gate.state is State.OFFICER
    gate, _ = step(gate, word(OfficerWord.ACCEPT, 2))
    assert gate.state is State.EXIT_OPEN
