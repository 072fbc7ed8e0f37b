"""The kinds of lanes, the modes, and the light curtains: what happens, in words of the lane."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import REQUIRED, Gate, State
from gated.core.policy import LaneRules, Policy
from gated.core.step import step
from gated.core.topologies import plan_of
from gated.core.vocabulary import (
    Body,
    Device,
    Direction,
    Door,
    Grade,
    Liveness,
    Mode,
    OfficerWord,
    Outcome,
    Topology,
)
from gated.proof.happenings import FRESH
from tests.core.passages import GOOD, POLICY, UTC, assessed, background

PASSAGE, NEXT = "0" * 16, "1" * 16


class Lane:
    """A gate of this kind that is open, and everything that it did."""

    def __init__(
        self, topology: Topology = Topology.MANTRAP, *, curtains: bool = True, **rules: object
    ) -> None:
        lane = LaneRules(topology=topology, curtains=curtains, **rules)  # type: ignore[arg-type]  # by name
        self.policy: Policy = replace(POLICY, lane=lane)
        self.gate = Gate(policy=self.policy)
        self.done: list[do.AnyEffect] = []
        self.now = 0.0
        self.tell(ev.GateStarted(at=0, utc=UTC, policy=self.policy, hashes={}))
        self.tell(*(ev.DeviceReady(at=0, device=device) for device in sorted(REQUIRED)))
        self.tell(ev.ClockChecked(at=0, synchronised=True), FRESH)
        self.tell(*(ev.DoorMoved(at=0, door=door, shut=True) for door in sorted(plan_of(self.policy).doors)))

    def tell(self, *events: ev.AnyEvent) -> "Lane":
        for event in events:
            self.now += 0.01
            self.gate, effects = step(self.gate, replace(event, at=self.now))
            self.done.extend(effects)
        return self

    def wait(self) -> "Lane":
        """Let the limit of the present state pass."""
        assert self.gate.due is not None
        self.now = self.gate.due
        return self.tell(ev.DeadlinePassed(at=self.now, due=self.gate.due))

    # --- what people and officers do --------------------------------------------------------------

    def lay_document(self, passage: str = PASSAGE) -> "Lane":
        return self.tell(ev.DocumentPlaced(at=0, passage=passage, utc=UTC))

    def read(self, passage: str = PASSAGE) -> "Lane":
        """Everything about the document is good."""
        return self.tell(
            ev.MrzRead(at=0, passage=passage, format="TD3"),
            replace(background(Grade.NONE, grown=True), passage=passage),
            ev.ChipRead(at=0, passage=passage, access="PACE", checks=GOOD),
            ev.ReferenceReady(at=0, passage=passage),
        )

    def come_in(self, body: Body = Body.PERSON, persons: int = 1) -> "Lane":
        """Through the entry, with the document taken; the curtain tells a moment later."""
        self.tell(
            ev.DoorMoved(at=0, door=Door.ENTRY, shut=False),
            ev.DocumentRemoved(at=0),
            ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=True),
            ev.OccupancyChanged(at=0, persons=min(persons, 2)),
            ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=False),
        )
        return self.tell(ev.Crossed(at=0, door=Door.ENTRY, inward=True, persons=persons, body=body))

    def shut(self, door: Door) -> "Lane":
        return self.tell(ev.DoorMoved(at=0, door=door, shut=True))

    def open(self, door: Door) -> "Lane":
        return self.tell(ev.DoorMoved(at=0, door=door, shut=False))

    def be_known(self) -> "Lane":
        assert self.gate.passage is not None
        return self.tell(replace(assessed(self.gate.passage.attempt, 0.9, Liveness.LIVE), passage=PASSAGE))

    def step_into_exit(self) -> "Lane":
        return self.tell(ev.DoorwayChanged(at=0, door=Door.EXIT, blocked=True))

    def step_out_of_exit(self) -> "Lane":
        return self.tell(ev.DoorwayChanged(at=0, door=Door.EXIT, blocked=False))

    def crossed_exit(self, persons: int = 1, *, inward: bool = False) -> "Lane":
        return self.tell(ev.Crossed(at=0, door=Door.EXIT, inward=inward, persons=persons, body=Body.PERSON))

    def count(self, persons: int) -> "Lane":
        return self.tell(ev.OccupancyChanged(at=0, persons=persons))

    def told(self, mode: Mode, officer: str | None = "kim") -> "Lane":
        return self.tell(ev.ModeChanged(at=0, mode=mode, reason="test", officer=officer))

    # --- what is seen -----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.gate.state

    @property
    def alerts(self) -> list[str]:
        return [effect.kind for effect in self.done if isinstance(effect, do.AlertOfficer)]

    @property
    def ends(self) -> list[tuple[Outcome, tuple[str, ...]]]:
        return [(e.outcome, e.reasons) for e in self.done if isinstance(e, do.EndPassage)]

    def released(self) -> set[Door]:
        return set(self.gate.released)


def inside(lane: Lane, body: Body = Body.PERSON) -> Lane:
    return lane.lay_document().read().come_in(body).shut(Door.ENTRY)


def admitted(lane: Lane) -> Lane:
    inside(lane).be_known()
    assert lane.state is State.EXIT_OPEN
    return lane.open(Door.EXIT)


# --- light curtains at the exit -------------------------------------------------------------------


def test_the_exit_locks_as_soon_as_whoever_was_admitted_is_through() -> None:
    lane = admitted(Lane())
    assert lane.released() == {Door.EXIT}
    lane.step_into_exit().count(0)
    assert lane.released() == {Door.EXIT}, "somebody stands in it"
    lane.step_out_of_exit()
    assert lane.released() == set()
    assert lane.state is State.EXIT_OPEN, "until the curtain has counted them"
    lane.crossed_exit()
    assert lane.ends == [(Outcome.ADMITTED, ())]


def test_whoever_turns_back_in_the_exit_may_try_again() -> None:
    lane = admitted(Lane()).step_into_exit().step_out_of_exit()
    assert lane.released() == set()
    lane.tell(ev.TurnedBack(at=0, door=Door.EXIT))
    assert lane.released() == {Door.EXIT}


def test_one_who_follows_through_the_exit_is_an_alarm_and_on_record() -> None:
    lane = admitted(Lane(Topology.ONE_DOOR)).step_into_exit().crossed_exit(persons=2)
    assert "tailgating" in lane.alerts
    assert lane.ends == [(Outcome.ADMITTED, ("tailgating",))]
    assert lane.released() == set()


def test_somebody_who_comes_in_by_the_exit_brings_an_officer() -> None:
    lane = admitted(Lane()).crossed_exit(inward=True)
    assert "wrong_way" in lane.alerts
    assert Door.EXIT not in lane.released()


def test_what_was_left_behind_does_not_keep_the_passage_open() -> None:
    lane = admitted(Lane()).step_into_exit().step_out_of_exit().crossed_exit()
    lane.wait()
    assert lane.ends == [(Outcome.ADMITTED, ("left_object",))]
    assert lane.alerts[-1] == "left_object"


def test_an_exit_that_nobody_was_counted_through_has_the_lane_looked_into() -> None:
    lane = admitted(Lane()).step_into_exit().step_out_of_exit().count(0)
    lane.wait()
    assert lane.ends == [(Outcome.ADMITTED, ("count_unsure",))]
    lane.shut(Door.EXIT).wait()
    assert lane.state is State.OUT_OF_SERVICE
    assert {fault.code for fault in lane.gate.faults} == {"count_unsure"}
    lane.tell(ev.FaultCleared(at=0, device=Device.IO_BOARD))
    assert lane.state is State.IDLE


# --- who comes in -----------------------------------------------------------------------------------


def test_a_wheelchair_is_given_more_time() -> None:
    times = {}
    for body in (Body.PERSON, Body.WHEELCHAIR):
        lane = inside(Lane(), body).be_known()
        assert lane.gate.due is not None
        times[body] = lane.gate.due - lane.gate.since
    limits = POLICY.limits
    assert times[Body.WHEELCHAIR] == pytest.approx(limits.slow_factor * times[Body.PERSON])


def test_what_stands_in_the_closing_entry_has_it_open_again_at_once() -> None:
    lane = Lane().lay_document().read().come_in()
    assert lane.state is State.ENTRY_CLOSING
    lane.tell(ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=True))
    assert (lane.state, lane.released()) == (State.ENTRY_OPEN, {Door.ENTRY})
    lane.tell(ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=False))
    assert lane.state is State.ENTRY_CLOSING


def test_who_stands_in_the_entry_until_the_end_is_named_and_no_document() -> None:
    lane = Lane().lay_document().read()
    lane.tell(
        ev.DoorMoved(at=0, door=Door.ENTRY, shut=False),
        ev.DocumentRemoved(at=0),
        ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=True),
        ev.OccupancyChanged(at=0, persons=1),
    )
    lane.wait()
    assert lane.gate.passage is not None
    assert lane.gate.passage.reasons == ("entry_obstructed",)


def test_two_that_only_the_camera_sees_are_not_one() -> None:
    lane = inside(Lane())
    lane.tell(ev.PeopleSeen(at=0, passage=PASSAGE, persons=2))
    assert lane.state is State.REJECT_OUT
    assert lane.gate.passage is not None
    assert lane.gate.passage.reasons == ("two_persons",)


@pytest.mark.parametrize("persons", [2, 3])
def test_a_party_in_a_wide_lane_is_let_out_by_its_number_and_by_an_officer_only(persons: int) -> None:
    lane = Lane(wide=True).lay_document().read().come_in(persons=persons).shut(Door.ENTRY)
    assert lane.state is State.OFFICER
    word = ev.OfficerDecided(
        at=0, passage=PASSAGE, word=OfficerWord.ACCEPT, officer="kim", persons=persons - 1
    )
    lane.tell(word)
    assert lane.state is State.OFFICER, "the officer sees fewer than there are"
    lane.tell(replace(word, persons=persons))
    assert lane.state is State.EXIT_OPEN
    for left in range(persons, 0, -1):
        assert lane.released() == {Door.EXIT}
        lane.step_into_exit().step_out_of_exit().count(min(left - 1, 2)).crossed_exit()
    assert lane.ends == [(Outcome.ADMITTED, ("party",))]
    assert "tailgating" not in lane.alerts


def test_a_party_in_a_lane_for_one_goes_back() -> None:
    lane = Lane().lay_document().read().come_in(persons=2)
    assert lane.state is State.REJECT_OUT


def test_the_next_document_is_read_while_the_exit_still_closes() -> None:
    lane = admitted(Lane()).lay_document(NEXT).step_into_exit().step_out_of_exit().count(0).crossed_exit()
    assert lane.state is State.DOC_OPTICAL
    assert Door.EXIT not in lane.gate.shut
    assert do.ReadMrz(passage=NEXT) in lane.done
    lane.read(NEXT)
    assert lane.state is State.BACKGROUND, "nobody enters before the exit is shut"
    lane.shut(Door.EXIT)
    assert lane.state is State.ENTRY_OPEN


def test_an_exit_that_does_not_shut_sends_the_next_traveller_to_the_counter() -> None:
    lane = admitted(Lane()).lay_document(NEXT).step_into_exit().step_out_of_exit().count(0).crossed_exit()
    lane.read(NEXT).wait()
    assert lane.gate.passage is not None
    assert lane.gate.passage.reasons == ("exit_not_shut",)


# --- one door, corridor, kiosk ----------------------------------------------------------------------


def at_the_door(lane: Lane) -> Lane:
    """One person before the only door, with a good document taken back."""
    return lane.lay_document().read().tell(ev.DocumentRemoved(at=0)).count(1)


def test_one_door_admits_whom_the_curtain_sees_through() -> None:
    lane = at_the_door(Lane(Topology.ONE_DOOR)).be_known()
    assert lane.released() == {Door.EXIT}
    lane.step_into_exit().count(0).step_out_of_exit()
    assert (lane.ends, lane.released()) == ([], set())
    lane.crossed_exit()
    assert lane.ends == [(Outcome.ADMITTED, ())]


def test_an_authorisation_that_nobody_uses_ends_as_abandoned() -> None:
    lane = at_the_door(Lane(Topology.ONE_DOOR)).be_known().count(0).wait()
    assert lane.ends == [(Outcome.ABANDONED, ("authorisation_unused",))]


def test_people_may_stand_before_the_only_door_but_one_alone_is_looked_at() -> None:
    lane = Lane(Topology.ONE_DOOR).count(1).lay_document().count(2).read()
    assert lane.state is State.APPROACH
    lane.tell(ev.DocumentRemoved(at=0))
    assert lane.gate.told is not None
    assert lane.gate.told[0] == "one_at_a_time"
    lane.count(1)
    assert lane.state is State.FACE_CAPTURE


def test_whoever_is_not_identified_meets_a_closed_barrier() -> None:
    lane = Lane(Topology.CORRIDOR).count(1)
    assert (lane.state, lane.released()) == (State.REJECT_OUT, set())
    assert lane.alerts == ["not_identified"]
    lane.count(0)
    assert lane.state is State.IDLE


def test_a_kiosk_hands_out_a_token_and_opens_nothing() -> None:
    lane = at_the_door(Lane(Topology.KIOSK)).be_known()
    assert lane.state is State.ISSUING
    (issued,) = [effect for effect in lane.done if isinstance(effect, do.IssueToken)]
    assert (issued.passage, issued.officer) == (PASSAGE, None)
    assert issued.checks == (*GOOD, *GOOD), "what the chip showed, and what the lists said"
    lane.tell(ev.TokenIssued(at=0, passage=PASSAGE, token="a" * 16)).count(0)
    assert lane.ends == [(Outcome.PREPARED, ())]
    assert not any(isinstance(effect, do.UnlockDoor) for effect in lane.done)


def test_a_token_takes_the_place_of_the_chip_and_a_refused_one_does_not() -> None:
    lane = Lane(Topology.TOKEN_GATE).lay_document()
    lane.tell(ev.MrzRead(at=0, passage=PASSAGE, format="TD3"))
    assert do.FindToken(passage=PASSAGE) in lane.done
    refused = Lane(Topology.TOKEN_GATE).lay_document()
    refused.tell(
        ev.MrzRead(at=0, passage=PASSAGE, format="TD3"),
        ev.TokenRefused(at=0, passage=PASSAGE, reason="token_used"),
    )
    assert refused.gate.passage is not None
    assert refused.gate.passage.reasons == ("token_used",)
    lane.tell(
        ev.TokenFound(at=0, passage=PASSAGE, token="a" * 16, checks=GOOD),
        background(Grade.NONE, grown=True),
        ev.ReferenceReady(at=0, passage=PASSAGE),
    )
    assert lane.state is State.ENTRY_OPEN


# --- modes ------------------------------------------------------------------------------------------


def modes(lane: Lane, wanted: Iterable[Mode]) -> list[State]:
    return [lane.told(mode).state for mode in wanted]


def test_a_lane_at_rest_does_what_it_is_told() -> None:
    wanted = (Mode.CLOSED, Mode.LOCKED, Mode.MAINTENANCE, Mode.FREE_PASSAGE, Mode.OPEN)
    states = [State.CLOSED, State.LOCKED, State.MAINTENANCE, State.FREE_PASSAGE, State.IDLE]
    assert modes(Lane(), wanted) == states


def test_a_closed_lane_finishes_its_passage_and_a_locked_one_calls_an_officer() -> None:
    closed = inside(Lane()).told(Mode.CLOSED)
    assert closed.state is State.FACE_CAPTURE
    locked = inside(Lane()).told(Mode.LOCKED)
    assert locked.state is State.OFFICER
    locked.tell(ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ACCEPT, officer="kim"))
    assert locked.state is State.OFFICER
    assert locked.released() == set()


def test_free_passage_without_an_officer_is_not_taken() -> None:
    assert Lane().told(Mode.FREE_PASSAGE, officer=None).state is State.IDLE


def test_free_passage_leads_people_through_one_door_after_the_other() -> None:
    lane = Lane().told(Mode.FREE_PASSAGE)
    assert lane.released() == {Door.ENTRY}
    lane.open(Door.ENTRY).count(1)
    assert lane.released() == set()
    lane.shut(Door.ENTRY)
    assert lane.released() == {Door.EXIT}


def test_in_maintenance_one_door_moves_at_a_time_and_only_then() -> None:
    lane = Lane().tell(ev.DoorAsked(at=0, door=Door.EXIT))
    assert lane.released() == set()
    lane.told(Mode.MAINTENANCE, officer=None).tell(ev.DoorAsked(at=0, door=Door.EXIT))
    assert lane.released() == {Door.EXIT}
    lane.open(Door.EXIT).tell(ev.DoorAsked(at=0, door=Door.ENTRY))
    assert lane.released() == set()
    lane.shut(Door.EXIT)
    assert lane.released() == {Door.ENTRY}
    assert "maintenance" in lane.alerts


def test_nobody_on_duty_closes_the_lane_by_itself() -> None:
    lane = Lane(duty_s=60.0)
    assert lane.state is State.CLOSED
    lane.tell(ev.DutyChanged(at=0, on=True))
    assert lane.state is State.IDLE
    inside(lane).tell(ev.DutyChanged(at=0, on=False))
    assert lane.state is State.FACE_CAPTURE, "the passage under way is finished"
    lane.be_known().step_into_exit().step_out_of_exit().count(0).crossed_exit()
    assert lane.state is State.CLOSED


# --- two directions -----------------------------------------------------------------------------------


def test_a_port_lane_turns_when_it_is_empty_and_not_before() -> None:
    lane = inside(Lane(Topology.PORT)).tell(
        ev.DirectionWanted(at=0, direction=Direction.REVERSE, by="schedule")
    )
    assert lane.gate.direction is Direction.FORWARD
    lane.be_known().open(Door.EXIT).step_into_exit().step_out_of_exit().count(0).crossed_exit()
    assert not any(isinstance(effect, do.TurnLane) for effect in lane.done)
    lane.shut(Door.EXIT)
    assert lane.state is State.CHANGE_OVER
    assert do.TurnLane(direction=Direction.REVERSE) in lane.done
    lane.tell(ev.LaneTurned(at=0, direction=Direction.REVERSE))
    assert lane.state is State.CHANGE_OVER, "both ends wait until nobody walks in any more"
    assert lane.wait().state is State.IDLE


def test_a_document_at_the_other_end_turns_it_by_demand_and_not_in_one_way() -> None:
    demand = ev.OtherEndChanged(at=0, document=True)
    assert Lane(Topology.PORT).tell(demand).state is State.CHANGE_OVER
    assert Lane(Topology.PORT).told(Mode.ONE_WAY).tell(demand).state is State.IDLE
    assert Lane(Topology.PORT, demand=False).tell(demand).state is State.IDLE
    assert Lane(Topology.MANTRAP).tell(demand).state is State.IDLE
