"""The lane for two directions in the heart: when it is turned, when not, and who passes first."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import REQUIRED, Gate, State
from gated.core.policy import LaneRules
from gated.core.step import next_deadline, step
from gated.core.vocabulary import Device, Direction, Door, Mode, Topology
from tests.core.exploration import POLICY
from tests.core.passages import UTC

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
PORT = replace(POLICY, lane=LaneRules(topology=Topology.PORT))
CHIP_GONE = {"device": Device.CHIP_READER, "code": "unplugged"}


class Lane:
    """A heart with a hand that turns the lane as it asks, and tells what lies at either end."""

    def __init__(self) -> None:
        self.gate = Gate(policy=PORT)
        self.at = 0.0
        self.turns: list[Direction] = []
        self.alerts: list[str] = []
        self.lying = dict.fromkeys(Direction, False)  # a document at the end where people come in who go so
        self._passages = (f"{number:016x}" for number in range(1, 1000))
        self.tell(ev.GateStarted(at=0, utc=UTC, policy=PORT, hashes={}))
        for device in sorted(REQUIRED):
            self.tell(ev.DeviceReady(at=0, device=device))
        self.tell(ev.ClockChecked(at=0, synchronised=True))
        self.tell(ev.AgesChecked(at=0, watchlist_s=0.0))
        for door in Door:
            self.tell(ev.DoorMoved(at=0, door=door, shut=True))
        assert self.gate.state is State.IDLE

    def tell(self, event: ev.AnyEvent) -> None:
        self.at += 0.01
        self.gate, effects = step(self.gate, replace(event, at=self.at))
        for effect in effects:
            match effect:
                case do.TurnLane():
                    self.turns.append(effect.direction)
                    for told in self._turned(effect.direction):
                        self.tell(told)
                case do.AlertOfficer():
                    self.alerts.append(effect.kind)
                case _:
                    pass

    def _turned(self, direction: Direction) -> Iterator[ev.AnyEvent]:
        yield ev.LaneTurned(at=0, direction=direction)
        for end, lies in self.lying.items():
            if lies:
                yield self._placed(end, direction)

    def _placed(self, end: Direction, direction: Direction) -> ev.AnyEvent:
        if end is direction:
            return ev.DocumentPlaced(at=0, passage=next(self._passages), utc=UTC)
        return ev.OtherEndChanged(at=0, document=True)

    def lay(self, end: Direction) -> None:
        self.lying[end] = True
        self.tell(self._placed(end, self.gate.direction))

    def lift(self, end: Direction) -> None:
        self.lying[end] = False
        here = end is self.gate.direction
        self.tell(ev.DocumentRemoved(at=0) if here else ev.OtherEndChanged(at=0, document=False))

    def time_passes(self) -> None:
        """Up to the next deadline and through it."""
        due = next_deadline(self.gate)
        assert due is not None
        self.at = max(self.at, due)
        self.tell(ev.DeadlinePassed(at=0, due=due))

    def want(self, direction: Direction) -> None:
        self.tell(ev.DirectionWanted(at=0, direction=direction, by="schedule"))


@pytest.fixture
def lane() -> Lane:
    return Lane()


def test_a_document_at_the_other_end_turns_the_lane_and_begins_its_passage(lane: Lane) -> None:
    lane.lay(REVERSE)
    assert (lane.turns, lane.gate.state, lane.gate.direction) == ([REVERSE], State.CHANGE_OVER, REVERSE)
    assert lane.gate.passage is None, "nobody is served while it turns"
    lane.time_passes()
    assert lane.gate.state is State.DOC_OPTICAL


def test_nobody_turns_a_lane_with_somebody_on_the_way(lane: Lane) -> None:
    lane.lay(FORWARD)
    lane.lay(REVERSE)
    lane.want(REVERSE)
    assert (lane.turns, lane.gate.state) == ([], State.DOC_OPTICAL)


def test_an_officer_who_locks_the_direction_keeps_documents_from_turning_it(lane: Lane) -> None:
    lane.tell(ev.ModeChanged(at=0, mode=Mode.ONE_WAY, reason="departures only"))
    lane.lay(REVERSE)
    assert lane.turns == []
    lane.want(REVERSE)
    assert lane.turns == [REVERSE], "the schedule and officers still can"


def test_with_documents_at_both_ends_each_is_served_in_turn(lane: Lane) -> None:
    lane.lay(FORWARD)
    lane.lay(REVERSE)
    lane.lift(FORWARD)  # abandoned: the passage ends
    assert lane.turns == [REVERSE]
    lane.lay(FORWARD)  # and the next one waits at this end, too
    lane.time_passes()
    assert lane.gate.state is State.DOC_OPTICAL, "it does not turn back before it served who waited"
    assert lane.gate.direction is REVERSE
    lane.lift(REVERSE)
    lane.lay(REVERSE)
    lane.time_passes()
    assert (lane.turns, lane.gate.state) == ([REVERSE, FORWARD], State.DOC_OPTICAL)


def test_a_lane_is_not_turned_to_an_end_that_is_out_of_order_before_that_is_well(lane: Lane) -> None:
    lane.tell(ev.OtherDeviceChanged(at=0, **CHIP_GONE))
    lane.want(REVERSE)
    lane.lay(REVERSE)
    assert (lane.turns, lane.gate.state) == ([], State.IDLE)
    assert lane.alerts == ["other_end_trouble", "turn_waits"]
    lane.lay(FORWARD)
    assert lane.gate.state is State.DOC_OPTICAL, "the present direction is served"
    lane.lift(FORWARD)
    lane.tell(ev.OtherDeviceChanged(at=0, device=Device.CHIP_READER, code="well"))
    assert lane.turns == [REVERSE]


def test_a_lane_turns_away_from_an_end_that_is_out_of_order(lane: Lane) -> None:
    lane.tell(ev.FaultRaised(at=0, **CHIP_GONE))
    assert lane.gate.state is State.OUT_OF_SERVICE
    lane.lay(REVERSE)
    assert (lane.turns, lane.gate.state) == ([REVERSE], State.CHANGE_OVER)
    lane.tell(ev.DeviceReady(at=0, device=Device.CHIP_READER))  # that of the other end
    lane.tell(ev.OtherDeviceChanged(at=0, **CHIP_GONE))
    lane.time_passes()
    assert lane.gate.state is State.DOC_OPTICAL


def test_a_fault_of_what_serves_both_ends_is_told_once(lane: Lane) -> None:
    lane.tell(ev.FaultRaised(at=0, device=Device.VISION, code="vision_silent"))
    lane.tell(ev.OtherDeviceChanged(at=0, device=Device.VISION, code="vision_silent"))
    assert lane.alerts == []
    lane.lay(REVERSE)
    assert lane.turns == []


def test_a_fault_of_the_board_keeps_the_lane_as_it_is(lane: Lane) -> None:
    lane.tell(ev.FaultRaised(at=0, device=Device.IO_BOARD, code="chip_lost"))
    lane.want(REVERSE)
    lane.lay(REVERSE)
    assert lane.turns == []


def test_a_lane_for_one_direction_does_not_care() -> None:
    gate = Gate(policy=POLICY)
    for event in (
        ev.DirectionWanted(at=0, direction=REVERSE, by="officer"),
        ev.OtherDeviceChanged(at=0, **CHIP_GONE),
    ):
        assert step(gate, event)[1] == step(gate, ev.DocumentRemoved(at=0))[1]
