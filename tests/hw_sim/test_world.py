"""The physics of the lane, on a clock that the test turns."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import pytest

from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.doorway import CLOSING_S, OPENING_S, PASSABLE
from hw_sim.lane.ledger import Ledger, Span
from hw_sim.lane.walking import (
    BACK_OUT,
    CAMERA_M,
    DECISION_M,
    DOOR_M,
    ENTER,
    LEAVE,
    OUT_M,
    READER_M,
    TRAVEL,
    WALK_S,
    Await,
    Pause,
    Place,
    Sight,
    Walk,
    tailgate,
)
from hw_sim.lane.world import STEP_S, World

TURN_S: Final = 0.02


class Lane:
    """A world whose clock the test turns, and the gate's outputs by name."""

    def __init__(self) -> None:
        self.now = 100.0
        self.board = SimulatedBoard(wiring())
        self.world = World(self.board, lambda: self.now)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now = min(end, self.now + TURN_S)
            self.world.advance()

    def until(self, true: Callable[[], bool], limit_s: float = 10.0) -> float:
        """Run until it is true; returns how long that took, in seconds of the world."""
        began = self.now
        while not true():
            assert self.now - began < limit_s, "it did not come true"
            self.run(TURN_S)
        return self.now - began

    def put(self, name: str, *, active: bool) -> None:
        wire = self.board.wires[name]
        self.board.put(wire.offset, active != wire.active_low)

    def show_step_back(self) -> None:
        """Green at the entry, red at the exit, and amber that has blinked."""
        for lamp in ("entry_green", "exit_red", "amber"):
            self.put(lamp, active=True)
        for lit in (False, True):
            self.run(0.5)
            self.put("amber", active=lit)

    def release(self, door: Door) -> None:
        self.put(f"{door}_release", active=True)

    def lock(self, door: Door) -> None:
        self.put(f"{door}_release", active=False)

    def marks(self, kind: str) -> list[tuple[str, str]]:
        return [(mark.name, mark.state) for mark in self.world.timeline if mark.kind == kind]

    def read(self, name: str) -> bool:
        return self.board.read(name)


@pytest.fixture
def lane() -> Lane:
    return Lane()


# --- doors ------------------------------------------------------------------------------------------


def test_a_lane_begins_shut_and_empty(lane: Lane) -> None:
    active = {name for name in lane.board.wires if lane.read(name)}
    assert active == {"entry_shut", "exit_shut"}


@pytest.mark.parametrize("door", Door)
def test_a_door_opens_while_it_is_released_and_shuts_afterwards(lane: Lane, door: Door) -> None:
    lane.release(door)
    lane.run(TURN_S)
    assert not lane.read(f"{door}_shut")
    assert lane.until(lambda: lane.world.door(door) == 1.0) == pytest.approx(OPENING_S, abs=3 * TURN_S)
    lane.lock(door)
    assert lane.until(lambda: lane.read(f"{door}_shut")) == pytest.approx(CLOSING_S, abs=2 * TURN_S)
    motions = [state for name, state in lane.marks("door") if name == door]
    assert motions == ["opening", "open", "closing", "shut"]


def test_a_person_in_the_doorway_makes_a_closing_door_reverse(lane: Lane) -> None:
    lane.release(Door.ENTRY)
    lane.run(OPENING_S)
    lane.world.person("slow", (Walk(to_m=0.0), Pause(seconds=1.0), Walk(to_m=DECISION_M)))
    lane.run(0.5)
    lane.lock(Door.ENTRY)
    lane.run(0.5)
    assert lane.world.door(Door.ENTRY) == 1.0
    lane.run(3.0)
    assert lane.read("entry_shut")
    assert lane.world.count_inside() == 1


def test_a_jammed_door_stays_where_it_is(lane: Lane) -> None:
    lane.release(Door.EXIT)
    lane.run(OPENING_S / 2)
    lane.world.jam(Door.EXIT)
    halfway = lane.world.door(Door.EXIT)
    lane.lock(Door.EXIT)
    lane.run(3.0)
    assert 0 < lane.world.door(Door.EXIT) == halfway
    lane.world.jam(Door.EXIT, jammed=False)
    lane.run(1.0)
    assert lane.read("exit_shut")


def test_a_pried_door_shows_on_its_sensor(lane: Lane) -> None:
    lane.world.pry(Door.EXIT)
    assert not lane.read("exit_shut")
    lane.run(1.0)
    assert lane.read("exit_shut")


def test_fire_opens_both_doors_by_wire_and_is_no_violation(lane: Lane) -> None:
    lane.world.fire(burning=True)
    assert lane.read("fire")
    lane.run(OPENING_S + STEP_S)
    assert [lane.world.door(door) for door in Door] == [1.0, 1.0]
    for door in Door:
        lane.release(door)
    assert lane.world.violations == ()
    lane.world.fire(burning=False)
    for door in Door:
        lane.lock(door)
    lane.run(2.0)
    assert lane.read("entry_shut")
    assert lane.read("exit_shut")


def test_both_doors_released_without_fire_is_a_violation_each_time(lane: Lane) -> None:
    for _ in range(2):
        lane.release(Door.ENTRY)
        lane.release(Door.EXIT)
        lane.lock(Door.EXIT)
        lane.lock(Door.ENTRY)
    assert len(lane.world.violations) == 2


def test_an_emergency_outlasts_the_fire_until_both_doors_are_locked_again(lane: Lane) -> None:
    lane.world.fire(burning=True)
    for door in Door:
        lane.release(door)
    lane.world.fire(burning=False)
    assert lane.world.violations == ()
    for door in Door:
        lane.lock(door)
    for door in Door:
        lane.release(door)
    assert len(lane.world.violations) == 1


# --- people -----------------------------------------------------------------------------------------


def test_a_traveller_goes_through_as_the_doors_open(lane: Lane) -> None:
    traveller = lane.world.person("anna", TRAVEL)
    lane.run(0.5)
    assert lane.world.is_outside("anna")
    assert lane.read("document")
    assert not lane.read("occupied")
    lane.release(Door.ENTRY)
    lane.until(lambda: lane.read("occupied"))
    assert not lane.read("document")
    lane.lock(Door.ENTRY)
    lane.run(2.0)
    assert traveller.x_m == pytest.approx(DECISION_M)
    assert lane.read("entry_shut")
    assert not lane.read("crowded")
    lane.release(Door.EXIT)
    lane.until(lambda: not lane.read("occupied"))
    lane.until(lambda: traveller.gone)
    lane.lock(Door.EXIT)
    lane.run(1.0)
    assert lane.world.count_inside() == 0
    assert lane.world.in_view() == ()
    assert not lane.world.anybody()
    assert [state for _, state in lane.marks("person")] == [
        "came",
        "through the entry",
        f"at {DECISION_M} m",
        "through the exit",
        f"at {OUT_M} m",
    ]


@pytest.mark.parametrize("walk_s", [WALK_S, 5.0])
def test_a_walk_takes_the_time_that_was_asked_for(lane: Lane, walk_s: float) -> None:
    for door in Door:
        lane.world.jam(door)
        lane.world.pry(door, 1.0)
    walker = lane.world.person("anna", (Walk(to_m=OUT_M),), walk_s=walk_s)
    assert lane.until(lambda: walker.gone) == pytest.approx(walk_s, abs=2 * TURN_S)
    walked = sum(span.end - span.start for span in lane.world.ledger.spans("walk"))
    assert walked == pytest.approx(walk_s, abs=2 * TURN_S)


def test_nobody_walks_through_a_door_that_is_not_open_far_enough(lane: Lane) -> None:
    person = lane.world.person("anna", (Walk(to_m=DECISION_M),))
    lane.run(2.0)
    assert person.x_m < DOOR_M[Door.ENTRY]
    lane.release(Door.ENTRY)
    lane.until(lambda: person.x_m > DOOR_M[Door.ENTRY])
    assert lane.world.door(Door.ENTRY) >= PASSABLE
    lane.lock(Door.ENTRY)
    lane.world.intend("anna", (Walk(to_m=OUT_M),))
    lane.run(5.0)
    assert DECISION_M < person.x_m < DOOR_M[Door.EXIT]


def test_the_camera_sees_a_person_come_nearer(lane: Lane) -> None:
    lane.world.person("anna", ENTER)
    lane.release(Door.ENTRY)
    lane.until(lambda: lane.read("occupied"))
    seen = [lane.world.distance_m("anna")]
    while lane.world.distance_m("anna") > CAMERA_M - DECISION_M + 1e-6:
        lane.run(TURN_S)
        assert lane.world.in_view() == (("anna", lane.world.distance_m("anna")),)
        seen.append(lane.world.distance_m("anna"))
    assert seen[0] == pytest.approx(3.0, abs=0.05)
    assert seen[-1] == pytest.approx(0.7)
    assert all(0 < was - is_ < 0.04 for was, is_ in pairwise(seen))


def test_two_persons_crowd_the_lane_and_back_out_when_the_lamps_say_so(lane: Lane) -> None:
    first = lane.world.person("anna", TRAVEL)
    second = lane.world.person("eve", tailgate("anna"), at_m=READER_M - 0.6)
    lane.release(Door.ENTRY)
    lane.until(lambda: lane.read("crowded"))
    assert first.x_m - second.x_m == pytest.approx(0.6, abs=0.05)
    lane.run(1.0)
    assert lane.world.count_inside() == 2
    lane.show_step_back()
    lane.until(lambda: not lane.read("occupied"))
    lane.until(lambda: first.gone and second.gone)
    assert first.x_m < 0
    assert second.x_m < 0
    assert ("eve", "told to step back") in lane.marks("person")


def test_people_inside_do_not_walk_through_one_another(lane: Lane) -> None:
    lane.release(Door.ENTRY)
    lane.world.person("anna", (*ENTER[:-1], Walk(to_m=1.5)))
    second = lane.world.person("ben", (Pause(seconds=0.8), *ENTER), at_m=-1.0)
    lane.run(6.0)
    assert second.x_m == pytest.approx(1.1)


def test_who_does_not_heed_the_lamps_stays(lane: Lane) -> None:
    lane.release(Door.ENTRY)
    stubborn = lane.world.person("eve", ENTER, heeds=False)
    lane.run(3.0)
    lane.show_step_back()
    lane.run(3.0)
    assert stubborn.inside
    lane.world.tell_back("eve")
    lane.until(lambda: stubborn.gone)


def test_other_lamps_send_nobody_back(lane: Lane) -> None:
    lane.release(Door.ENTRY)
    traveller = lane.world.person("anna", ENTER)
    for lamp in ("entry_green", "exit_red"):  # `enter`
        lane.put(lamp, active=True)
    lane.run(3.0)
    assert traveller.x_m == pytest.approx(DECISION_M)


def test_who_is_turned_away_at_the_reader_takes_the_document_along(lane: Lane) -> None:
    person = lane.world.person("anna", TRAVEL)
    lane.run(0.1)
    assert lane.read("document")
    lane.world.tell_back("anna")
    lane.until(lambda: person.gone)
    assert not lane.read("document")


def test_nobody_takes_the_document_of_somebody_else(lane: Lane) -> None:
    lane.world.place_document("anna")
    lane.world.person("eve", BACK_OUT[2:])
    lane.run(3.0)
    assert lane.read("document")
    lane.world.take_document()
    assert not lane.read("document")


def test_a_person_waits_for_what_their_plan_says(lane: Lane) -> None:
    plan = (Pause(seconds=0.5), Place(), Await(sight=Sight.EXIT_OPEN), *LEAVE)
    lane.world.person("anna", plan, at_m=DECISION_M)
    assert lane.until(lambda: lane.read("document")) == pytest.approx(0.5, abs=2 * TURN_S)
    lane.run(2.0)
    assert lane.world.count_inside() == 1
    lane.release(Door.EXIT)
    lane.until(lambda: lane.world.count_inside() == 0)


# --- sensors, books, time -----------------------------------------------------------------------------


def test_a_stuck_person_sensor_hides_the_person_until_it_is_mended(lane: Lane) -> None:
    lane.world.stick("occupied", active=False)
    lane.world.person("anna", (), at_m=1.0)
    lane.run(1.0)
    assert not lane.read("occupied")
    lane.world.mend("occupied")
    assert lane.read("occupied")
    assert lane.marks("fault") == [("occupied", "stuck"), ("occupied", "mended")]


def test_modelled_time_counts_overlaps_once_and_leaves_the_rest(lane: Lane) -> None:
    began = lane.now
    lane.world.person("anna", TRAVEL)
    lane.run(1.0)
    lane.release(Door.ENTRY)
    lane.run(3.0)
    walk, door = lane.world.ledger.spans("walk"), lane.world.ledger.spans("door")
    assert len(walk) == len(door) == 1
    assert walk[0].start < door[0].end  # they slipped in while it was still opening
    both = walk[0].end - door[0].start
    assert lane.world.modelled_s(began, lane.now) == pytest.approx(both)
    chip = Span(start=began, end=began + 0.4)
    assert lane.world.modelled_s(began, lane.now, [chip]) == pytest.approx(both + 0.4)
    assert lane.world.modelled_s(began + 0.2, began + 0.3, [chip]) == pytest.approx(0.1)


def test_the_ledger_joins_what_touches() -> None:
    ledger = Ledger()
    ledger.book("walk", 1.0, 1.01)
    ledger.book("walk", 1.01, 1.02)
    ledger.book("walk", 2.0, 2.01)
    ledger.book("door", 1.0, 1.01)
    assert ledger.spans("walk") == (Span(start=1.0, end=1.02), Span(start=2.0, end=2.01))
    assert ledger.moving_s(0.0, 3.0) == pytest.approx(0.03)


def test_the_timeline_is_in_order_and_dates_what_happens_after_a_long_quiet(lane: Lane) -> None:
    lane.run(0.5)
    lane.now += 3600.0
    lane.release(Door.ENTRY)
    lane.run(1.0)
    times = [mark.at for mark in lane.world.timeline]
    assert times == sorted(times)
    assert times[0] == pytest.approx(3700.5)
    assert lane.world.ledger.spans("door")[0].start == pytest.approx(3700.5)


def test_time_passes_by_itself_between_start_and_close() -> None:
    board = SimulatedBoard(wiring())
    with World(board) as world:
        person = world.person("anna", ENTER)
        began = time.monotonic()
        wire = board.wires["entry_release"]
        board.put(wire.offset, not wire.active_low)
        assert world.wait_until(lambda: person.inside, 5.0)
        assert 0.4 <= time.monotonic() - began < 2.5
        assert not world.wait_until(lambda: person.gone, 0.05)
    assert "sim-world" not in {thread.name for thread in threading.enumerate()}
