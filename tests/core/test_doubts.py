"""Sensors and doors that cannot be believed: what the lane says of them, and that nobody is admitted."""

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import TOUCHED, State
from gated.core.vocabulary import Device, Door, Mode, OfficerWord, Outcome, Topology
from tests.core.passages import POLICY, UTC
from tests.core.test_lanes import PASSAGE, Lane, inside

OPEN_LANES = (Topology.ONE_DOOR, Topology.CORRIDOR, Topology.KIOSK)


def faults(lane: Lane) -> set[tuple[str, bool]]:
    return {(fault.code, fault.latched) for fault in lane.gate.faults}


def fail(lane: Lane, code: str, *, latched: bool = True, device: Device = Device.IO_BOARD) -> Lane:
    return lane.tell(ev.FaultRaised(at=0, device=device, code=code, latched=latched))


def reasons(lane: Lane) -> tuple[str, ...]:
    assert lane.gate.passage is not None
    return lane.gate.passage.reasons


def felt_inside(lane: Lane) -> Lane:
    """Somebody is in a lane without light curtains, and the entry is shut."""
    lane.lay_document().read().open(Door.ENTRY).tell(ev.DocumentRemoved(at=0)).count(1)
    return lane.shut(Door.ENTRY)


# --- a presence sensor that always feels somebody -------------------------------------------------------


def waited(lane: Lane, calls: int) -> Lane:
    for _ in range(calls):
        lane.wait()
    return lane


@pytest.mark.parametrize("curtains", [True, False])
def test_a_presence_sensor_that_is_stuck_is_a_fault_that_somebody_must_look_at(*, curtains: bool) -> None:
    lane = Lane(curtains=curtains).count(1)
    waited(lane, POLICY.calls - 1)
    assert faults(lane) == set()
    waited(lane, 1)
    assert faults(lane) == {("presence_stuck", True)}
    assert lane.alerts.count("presence_stuck") == 1
    assert (lane.state, lane.released()) == (State.REJECT_OUT, {Door.ENTRY}), "somebody may be there"
    waited(lane, 3)
    assert lane.alerts.count("presence_stuck") == 1, "it is told"
    lane.count(0)
    assert lane.state is State.OUT_OF_SERVICE
    lane.tell(ev.FaultCleared(at=0, device=Device.IO_BOARD))
    assert lane.state is State.IDLE


@pytest.mark.parametrize("topology", [Topology.MANTRAP, Topology.PORT, *OPEN_LANES])
def test_whoever_works_on_a_stuck_presence_sensor_need_not_wait_for_it(topology: Topology) -> None:
    lane = Lane(topology)
    if topology in OPEN_LANES:
        lane.lay_document().told(Mode.LOCKED).tell(ev.DocumentRemoved(at=0)).told(Mode.OPEN)
        lane.lay_document("2" * 16).count(1).told(Mode.LOCKED).tell(ev.DocumentRemoved(at=0))
    else:
        lane.count(1)
    assert lane.state is State.REJECT_OUT
    lane.told(Mode.MAINTENANCE)
    assert lane.state is State.REJECT_OUT, "somebody may be there"
    waited(lane, POLICY.calls)
    assert lane.state is State.MAINTENANCE
    enclosed = topology not in OPEN_LANES
    assert lane.released() == ({Door.ENTRY} if enclosed else set()), "and whoever is there may leave"
    assert lane.gate.passage is None
    lane.told(Mode.OPEN)
    assert lane.state in {State.REJECT_OUT, State.OUT_OF_SERVICE}, "it is not mended"


def test_a_door_that_is_asked_for_takes_the_place_of_the_way_out() -> None:
    lane = waited(Lane().count(1), POLICY.calls).open(Door.ENTRY).told(Mode.MAINTENANCE, officer=None)
    assert (lane.state, lane.released()) == (State.MAINTENANCE, {Door.ENTRY})
    lane.tell(ev.DoorAsked(at=0, door=Door.EXIT))
    assert lane.released() == set(), "first the entry shuts"
    assert lane.shut(Door.ENTRY).released() == {Door.EXIT}
    lane.tell(ev.DoorAsked(at=0, door=None))
    assert lane.released() == {Door.ENTRY}
    lane.count(0)
    assert lane.released() == set(), "nobody is felt any more"


def test_a_passage_that_waited_for_a_stuck_sensor_ends_with_the_maintenance() -> None:
    lane = felt_inside(Lane(curtains=False)).told(Mode.LOCKED)
    lane.tell(ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ESCORT, officer="kim"))
    waited(lane, POLICY.calls)
    assert lane.ends == []
    lane.told(Mode.MAINTENANCE)
    assert lane.ends == [(Outcome.REFERRED, ("lane_locked", "officer_escorts"))]
    assert lane.state is State.MAINTENANCE
    lane.count(0).tell(ev.FaultCleared(at=0, device=Device.IO_BOARD)).told(Mode.OPEN)
    assert lane.state is State.IDLE


def test_it_is_told_in_a_passage_too() -> None:
    lane = felt_inside(Lane(curtains=False))
    lane.told(Mode.LOCKED).tell(
        ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ESCORT, officer="kim")
    )
    waited(lane, POLICY.calls)
    assert faults(lane) == {("presence_stuck", True)}
    assert lane.count(0).ends == [(Outcome.REFERRED, ("lane_locked", "officer_escorts"))]


@pytest.mark.parametrize(
    "moves",
    [
        (ev.OccupancyChanged(at=0, persons=2),),
        (ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=True),),
        (ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=False),),
    ],
)
def test_where_anything_moves_somebody_is_there(moves: tuple[ev.AnyEvent, ...]) -> None:
    lane = Lane().count(1)
    for _ in range(3):
        waited(lane, POLICY.calls - 1).tell(*moves)
    assert faults(lane) == set()
    waited(lane, POLICY.calls)
    assert faults(lane) == {("presence_stuck", True)}


def test_a_technician_who_clears_it_before_it_is_mended_hears_of_it_again() -> None:
    lane = waited(Lane().count(1), POLICY.calls)
    lane.tell(ev.FaultCleared(at=0, device=Device.IO_BOARD))
    assert faults(waited(lane, POLICY.calls - 1)) == set()
    assert faults(waited(lane, 1)) == {("presence_stuck", True)}


@pytest.mark.parametrize("topology", OPEN_LANES)
def test_where_the_way_back_is_open_it_ends_with_whoever_stood_there(topology: Topology) -> None:
    lane = Lane(topology).lay_document().told(Mode.LOCKED).tell(ev.DocumentRemoved(at=0)).count(1)
    lane.told(Mode.OPEN)
    if lane.state is not State.REJECT_OUT:  # nobody was there when the passage ended
        lane = Lane(topology).count(1).lay_document().told(Mode.LOCKED).tell(ev.DocumentRemoved(at=0))
        lane.told(Mode.OPEN)
    assert lane.state is State.REJECT_OUT
    assert faults(waited(lane, POLICY.calls)) == {("presence_stuck", False)}
    lane.count(0)
    assert (lane.state, faults(lane)) == (State.IDLE, set())


# --- doors that do not follow ---------------------------------------------------------------------------


@pytest.mark.parametrize("topology", [Topology.MANTRAP, Topology.ONE_DOOR])
def test_an_exit_that_does_not_open_is_no_loitering(topology: Topology) -> None:
    lane = Lane(topology)
    if topology is Topology.MANTRAP:
        inside(lane)
    else:
        lane.lay_document().read().tell(ev.DocumentRemoved(at=0)).count(1)
    lane.be_known()
    assert lane.state is State.EXIT_OPEN
    fail(lane, "door_not_open")
    assert (lane.state, lane.released()) == (State.OFFICER, set())
    assert reasons(lane) == ("io_board_door_not_open",)
    lane.tell(ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ACCEPT, officer="kim"))
    assert (lane.state, lane.released()) == (State.EXIT_OPEN, {Door.EXIT}), "once more, by an officer's word"
    fail(lane, "door_not_open")
    assert lane.state is State.OFFICER, "and it does not open again"


def test_a_board_that_is_lost_before_the_exit_opens_brings_an_officer_at_once() -> None:
    lane = fail(inside(Lane()).be_known(), "chip_lost", latched=False)
    assert lane.state is State.OFFICER
    assert reasons(lane) == ("io_board_chip_lost",)


def test_whoever_walks_through_the_open_exit_finishes_their_way() -> None:
    lane = fail(inside(Lane()).be_known().open(Door.EXIT), "exit_flutter")
    fail(lane, "noise", latched=False, device=Device.MRZ_SCANNER)
    assert lane.state is State.EXIT_OPEN
    lane.step_into_exit().step_out_of_exit().count(0).crossed_exit()
    assert lane.ends == [(Outcome.ADMITTED, ())]


def test_a_device_of_somebody_else_does_not_shut_the_exit_before_an_admitted_traveller() -> None:
    lane = fail(inside(Lane()).be_known(), "noise", latched=False, device=Device.MRZ_SCANNER)
    assert (lane.state, lane.released()) == (State.EXIT_OPEN, {Door.EXIT})


def test_an_entry_that_does_not_open_is_not_left_unused() -> None:
    lane = fail(Lane().lay_document().read(), "door_not_open")
    assert (lane.state, lane.released()) == (State.REJECT_OUT, set())
    lane.tell(ev.DocumentRemoved(at=0))
    assert lane.ends == [(Outcome.REFERRED, ("io_board_door_not_open",))]


def test_whoever_is_in_when_something_fails_before_the_entry_is_shut_goes_back() -> None:
    lane = fail(Lane().lay_document().read().come_in(), "silent", latched=False, device=Device.VISION)
    assert (lane.state, lane.released()) == (State.REJECT_OUT, {Door.ENTRY})
    assert reasons(lane) == ("vision_silent",)


# --- contacts that say shut -----------------------------------------------------------------------------


def test_whoever_comes_in_by_an_entry_that_is_told_shut_is_not_led_on() -> None:
    lane = Lane(curtains=False).lay_document().read().tell(ev.DocumentRemoved(at=0)).count(1)
    assert faults(lane) == {("entry_contact_stuck", True)}
    assert (lane.state, lane.released()) == (State.REJECT_OUT, {Door.ENTRY})
    assert reasons(lane) == ("io_board_entry_contact_stuck",)
    assert "entry_contact_stuck" in lane.alerts
    assert not any(isinstance(effect, do.Decide) for effect in lane.done)


def test_whoever_leaves_by_an_exit_that_is_told_shut_is_the_last_one() -> None:
    lane = felt_inside(Lane(curtains=False)).be_known().count(0)
    assert lane.ends == [(Outcome.ADMITTED, ())]
    assert faults(lane) == {("exit_contact_stuck", True)}
    assert "exit_contact_stuck" in lane.alerts
    assert lane.state is State.OUT_OF_SERVICE


def test_a_contact_that_has_told_that_its_door_opened_is_believed() -> None:
    lane = felt_inside(Lane(curtains=False)).be_known().open(Door.EXIT).shut(Door.EXIT).count(0)
    assert (lane.state, faults(lane)) == (State.IDLE, set())
    lane = Lane(curtains=False).lay_document().read().open(Door.ENTRY).shut(Door.ENTRY).count(1)
    assert faults(lane) == set()


def test_a_child_that_is_lifted_before_the_exit_opens_is_no_contradiction() -> None:
    lane = Lane(curtains=False, wide=True).lay_document().read().come_in(persons=2).shut(Door.ENTRY)
    lane.tell(ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ACCEPT, officer="kim", persons=2))
    assert lane.state is State.EXIT_OPEN
    assert faults(lane.count(1)) == set()


# --- hands in the beams -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(TOUCHED))
def test_what_a_technician_touches_ends_with_the_maintenance(code: str) -> None:
    lane = fail(Lane().told(Mode.MAINTENANCE, officer=None), code)
    assert faults(lane) == {(code, False)}, "it is shown"
    lane.told(Mode.OPEN, officer=None)
    assert (lane.state, faults(lane)) == (State.IDLE, set())
    assert do.WatchAnew() in lane.done, "what is still so is told again"


@pytest.mark.parametrize("code", ["door_not_open", "entry_beam_unseen", "line_flaps"])
def test_what_no_hand_in_a_beam_does_is_latched_in_maintenance_too(code: str) -> None:
    lane = fail(Lane().told(Mode.MAINTENANCE, officer=None), code).told(Mode.OPEN, officer=None)
    assert (lane.state, faults(lane)) == (State.OUT_OF_SERVICE, {(code, True)})


def test_what_was_latched_before_the_maintenance_is_cleared_by_somebody_who_looked() -> None:
    lane = fail(Lane(), "exit_beam_stuck").told(Mode.MAINTENANCE, officer=None)
    fail(lane, "exit_beam_stuck").told(Mode.OPEN, officer=None)
    assert faults(lane) == {("exit_beam_stuck", True)}


def test_a_fire_ends_the_maintenance_with_all_that_was_touched() -> None:
    lane = fail(Lane().told(Mode.MAINTENANCE, officer=None), "exit_flutter").tell(ev.EmergencyRaised(at=0))
    assert (lane.state, faults(lane)) == (State.EMERGENCY, set())
    assert do.WatchAnew() in lane.done


# --- an officer's lock ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.LOCKED])
def test_a_lock_that_an_officer_signed_is_lifted_by_a_signature_only(mode: Mode) -> None:
    lane = Lane().told(Mode.LOCKED, officer="kim")
    assert lane.told(mode, officer=None).state is State.LOCKED
    assert lane.gate.mode is Mode.LOCKED
    assert lane.told(Mode.LOCKED, officer=None).told(Mode.OPEN, officer=None).state is State.LOCKED
    assert lane.told(Mode.CLOSED, officer="eve").state is State.CLOSED
    assert lane.told(Mode.OPEN, officer=None).state is State.IDLE


def test_a_technicians_lock_is_lifted_by_a_technician() -> None:
    assert Lane().told(Mode.LOCKED, officer=None).told(Mode.OPEN, officer=None).state is State.IDLE


def test_an_officers_lock_outlasts_a_fire() -> None:
    lane = Lane().told(Mode.LOCKED, officer="kim").tell(ev.EmergencyRaised(at=0))
    assert lane.released() == set(Door)
    assert lane.tell(ev.EmergencyReset(at=0)).gate.mode is Mode.LOCKED
    assert lane.told(Mode.OPEN, officer=None).gate.mode is Mode.LOCKED


def test_an_officers_lock_outlasts_a_restart() -> None:
    lane = Lane()
    start = ev.GateStarted(at=0, utc=UTC, policy=lane.policy, hashes={}, locked_by="kim")
    lane.tell(start).told(Mode.OPEN, officer=None)
    assert lane.gate.mode is Mode.LOCKED
    assert lane.tell(replace(start, locked_by=None)).gate.mode is Mode.OPEN
