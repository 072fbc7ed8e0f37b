"""Histories in which the lane once counted, released or recorded wrongly, each as people would walk it."""

import pytest

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.core.vocabulary import Body, Device, Door, Mode, Outcome, Topology
from tests.core.test_lanes import Lane, admitted, inside


def walk_through(lane: Lane, *, counted_in: int = 1, counted_out: int = 1) -> Lane:
    """One person through a lane in free passage, whom the curtains may take for several."""
    lane.open(Door.ENTRY).count(1)
    lane.tell(ev.Crossed(at=0, door=Door.ENTRY, inward=True, persons=counted_in, body=Body.PERSON))
    assert Door.ENTRY not in lane.released()
    lane.shut(Door.ENTRY)
    assert lane.released() == {Door.EXIT}
    return lane.open(Door.EXIT).count(0).crossed_exit(persons=counted_out).shut(Door.EXIT)


def test_free_passage_goes_on_after_somebody_was_counted_twice() -> None:
    lane = walk_through(Lane().told(Mode.FREE_PASSAGE), counted_in=2)
    assert lane.released() == {Door.ENTRY}
    walk_through(lane)


@pytest.mark.parametrize("mode", [Mode.FREE_PASSAGE, Mode.MAINTENANCE])
def test_who_was_counted_while_people_went_as_they_liked_does_not_count_afterwards(mode: Mode) -> None:
    lane = Lane().told(mode)
    lane.tell(ev.Crossed(at=0, door=Door.ENTRY, inward=True, persons=2, body=Body.PERSON))
    lane.told(Mode.OPEN)
    assert lane.state is State.IDLE
    assert inside(lane).state is State.FACE_CAPTURE


def test_who_was_counted_before_an_emergency_does_not_count_after_it() -> None:
    lane = inside(Lane())
    assert lane.gate.counted == 1
    lane.tell(ev.EmergencyRaised(at=0)).count(0).tell(ev.EmergencyReset(at=0)).told(Mode.OPEN)
    assert lane.state is State.IDLE
    assert lane.gate.counted == 0


def test_whoever_clears_a_fault_of_the_board_has_looked_into_the_lane() -> None:
    lane = Lane()
    fault = ev.FaultRaised(at=0, device=Device.IO_BOARD, code="crossed_a_shut_door", latched=True)
    lane.tell(fault, ev.Crossed(at=0, door=Door.ENTRY, inward=True, persons=1, body=Body.PERSON))
    lane.tell(ev.FaultCleared(at=0, device=Device.IO_BOARD))
    assert lane.state is State.IDLE
    assert inside(lane).state is State.FACE_CAPTURE


@pytest.mark.parametrize("topology", [Topology.MANTRAP, Topology.ONE_DOOR])
def test_who_stands_in_the_exit_for_long_was_admitted_all_the_same(topology: Topology) -> None:
    lane = admitted(Lane(topology)).step_into_exit().count(0)
    decided = sum(isinstance(effect, do.Decide) for effect in lane.done)
    lane.wait()
    assert lane.alerts[-1] == "exit_obstructed"
    assert lane.released() == {Door.EXIT}
    lane.step_out_of_exit().crossed_exit()
    assert lane.ends == [(Outcome.ADMITTED, ())]
    assert "tailgating" not in lane.alerts
    assert sum(isinstance(effect, do.Decide) for effect in lane.done) == decided


def test_who_does_not_get_out_of_the_exit_brings_an_officer() -> None:
    lane = admitted(Lane()).step_into_exit().count(0).wait().wait()
    assert lane.state is State.OFFICER
    assert lane.released() == set()
