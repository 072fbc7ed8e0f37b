"""Bodies of all kinds in the simulated lane: beams, presence sensor, doors, and lanes of other builds."""

from collections.abc import Callable
from typing import Final

import pytest

from gated.core.crossings import Beam, Crossing
from gated.core.curtain import Curtain, Happening
from gated.core.vocabulary import Body, Door, Topology
from hw_sim.lane.board import CURTAINS, SimulatedBoard, wiring
from hw_sim.lane.bodies import Shape, adult, bag, child, pressed, wheelchair, with_trolley
from hw_sim.lane.curtain import APART_M, BEAMS, Course, LightCurtain
from hw_sim.lane.geometry import CORRIDOR, GEOMETRIES, MANTRAP, ONE_DOOR, PORT, Geometry
from hw_sim.lane.ledger import Mark
from hw_sim.lane.senses import PresenceSensor
from hw_sim.lane.walking import (
    DECISION_M,
    LEAVE,
    TRAVEL,
    WHEELED_S,
    Pause,
    PickUp,
    Step,
    Walk,
    leave_bag,
    slip_in,
    stand_in_doorway,
    tailgate,
    travel,
    turn_round,
)
from hw_sim.lane.world import World

TURN_S: Final = 0.02


class Lane:
    """A world with both curtains, whose clock the test turns."""

    def __init__(
        self,
        lane: Geometry = MANTRAP,
        also: tuple[str, ...] = (*CURTAINS, "exit_document"),
        presence: PresenceSensor | None = None,
    ) -> None:
        self.now = 100.0
        self.board = SimulatedBoard(wiring(also=also))
        self.world = World(self.board, lambda: self.now, lane, presence)

    def run(self, seconds: float, turn_s: float = TURN_S) -> None:
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now = min(end, self.now + turn_s)
            self.world.advance()

    def until(self, true: Callable[[], bool], limit_s: float = 15.0) -> None:
        began = self.now
        while not true():
            assert self.now - began < limit_s, "it did not come true"
            self.run(TURN_S)

    def call_in(self) -> None:
        """Show, where there is no entry door, that the document is read, and then that its owner may come."""
        for lamp in ("entry_red", "entry_green"):
            self.run(0.1)
            self.board.put(self.board.wires[lamp].offset, level=True)
            self.run(0.1)
            self.board.put(self.board.wires[lamp].offset, level=False)

    def command(self, door: Door, *, released: bool) -> None:
        wire = self.board.wires[f"{door}_release"]
        self.board.put(wire.offset, released != wire.active_low)

    def prop_open(self, *doors: Door) -> None:
        for door in doors or tuple(Door):
            self.world.jam(door)
            self.world.pry(door, 1.0)

    def beams(self, door: Door) -> list[Mark]:
        return [mark for mark in self.world.timeline if mark.name in {f"{door}_{beam}" for beam in BEAMS}]

    def crossings(self, door: Door) -> list[tuple[bool, int, Body]]:
        """What the recogniser makes of the beams of a doorway."""
        curtain, told = Curtain(), list[Happening]()
        for beam in Beam:
            told += curtain.observe(beam, blocked=False, at=0.0)
        for mark in self.beams(door):
            beam = Beam(mark.name.removeprefix(f"{door}_"))
            told += curtain.observe(beam, mark.state == "active", mark.at)
        told += curtain.elapse(self.now + 10.0)
        return [(each.inward, each.persons, each.body) for each in told if isinstance(each, Crossing)]


@pytest.fixture
def lane() -> Lane:
    return Lane()


# --- light curtains ---------------------------------------------------------------------------------


def test_beams_change_at_exact_times_within_a_step(lane: Lane) -> None:
    lane.prop_open()
    walker = lane.world.person("anna", (Walk(to_m=3.4),), shape=adult(), at_m=-1.0)
    lane.run(5.0, turn_s=0.37)
    assert walker.gone
    for door in Door:
        marks = lane.beams(door)
        assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)
        assert not any(lane.board.read(f"{door}_{beam}") for beam in BEAMS)
    rigid = lane.world.person("box", (Walk(to_m=3.4),), shape=bag(0.5), at_m=-1.0)
    before = len(lane.world.timeline)
    lane.run(5.0, turn_s=0.37)
    later = lane.world.timeline[before:]
    fronts = {mark.name: mark.at for mark in later if mark.state == "active" and "_low" in mark.name}
    delay_s = APART_M / rigid.speed_m_s
    assert fronts["entry_inner_low"] - fronts["entry_outer_low"] == pytest.approx(delay_s, abs=2e-4)
    assert fronts["exit_outer_low"] - fronts["exit_inner_low"] == pytest.approx(delay_s, abs=2e-4)


def test_a_lane_without_light_curtains_has_none() -> None:
    lane = Lane(also=())
    lane.prop_open()
    lane.world.person("anna", (Walk(to_m=3.4),))
    lane.run(5.0)
    assert lane.beams(Door.ENTRY) == []
    assert not lane.world.anybody()


@pytest.mark.parametrize(
    ("shape", "walk_s", "told"),
    [
        (adult(), 2.5, (1, Body.PERSON)),
        (adult(rucksack_m=0.25), 2.5, (1, Body.PERSON)),
        (child(1.2), 3.5, (1, Body.PERSON)),
        (child(0.95), 4.0, (1, Body.CHILD)),
        (with_trolley(0.8, pushed=True), 3.5, (1, Body.TROLLEY)),
        (with_trolley(0.5, pushed=False), 3.0, (1, Body.TROLLEY)),
        (wheelchair(), WHEELED_S, (1, Body.WHEELCHAIR)),
        (wheelchair(pushed=True), WHEELED_S, (2, Body.WHEELCHAIR)),
    ],
    ids=lambda value: value.kind if isinstance(value, Shape) else None,
)
def test_the_recogniser_tells_the_bodies_of_the_lane(
    lane: Lane, shape: Shape, walk_s: float, told: tuple[int, Body]
) -> None:
    lane.prop_open()
    body = lane.world.person("ada", (Walk(to_m=3.4),), shape=shape, walk_s=walk_s, at_m=-1.5)
    lane.until(lambda: body.gone)
    lane.run(0.1)
    assert lane.crossings(Door.ENTRY) == [(True, *told)]
    assert lane.crossings(Door.EXIT) == [(False, *told)]
    assert not any(lane.board.read(wire) for wire in CURTAINS)


def test_two_who_follow_closely_are_told_as_two(lane: Lane) -> None:
    lane.prop_open()
    lane.world.person("ada", (Walk(to_m=3.4),), at_m=-1.0, shape=adult(phase=1.0))
    lane.world.person("eve", tailgate("ada", to_m=3.4), at_m=-1.6)
    lane.run(6.0)
    assert [(inward, persons) for inward, persons, _ in lane.crossings(Door.ENTRY)] == [(True, 1), (True, 1)]


def test_a_turn_in_the_lane_shows_in_both_directions(lane: Lane) -> None:
    lane.prop_open()
    person = lane.world.person("ada", turn_round(1.5), heeds=False)
    lane.until(lambda: person.gone)
    assert [inward for inward, _, _ in lane.crossings(Door.ENTRY)] == [True, False]
    assert lane.crossings(Door.EXIT) == []


def test_who_goes_backwards_faces_the_way_they_came_from(lane: Lane) -> None:
    lane.prop_open()
    shape = with_trolley(0.6, pushed=False)  # behind them: what they pull in going backwards goes first
    person = lane.world.person("ada", (Walk(to_m=2.0, backwards=True),), at_m=-1.5, shape=shape)
    lane.run(1.0)
    assert person.extent[1] > person.place_m + 0.6
    lane.until(lambda: not person.moving)
    assert lane.crossings(Door.ENTRY) == [(True, 1, Body.TROLLEY)]


def test_beams_are_blocked_by_what_stands_in_the_doorway_until_it_is_taken_away(lane: Lane) -> None:
    lane.world.leave_thing("bag", bag(), 3.0)
    lane.run(0.1)
    assert {wire for wire in CURTAINS if lane.board.read(wire)} == {"exit_outer_low", "exit_inner_low"}
    lane.world.take_away("bag")
    lane.run(0.1)
    assert not any(lane.board.read(wire) for wire in CURTAINS)


def test_who_stands_still_moves_no_limb() -> None:
    curtain = LightCurtain(0.0)
    still = Course(shape=adult(), since=0.0, until=5.0, from_m=0.05, to_m=0.05, walked_m=0.2)
    met = curtain.pass_time([still], 0.0, 5.0)
    assert met
    assert {edge.beam for edge in met} == {beam for beam, blocked in curtain.blocked.items() if blocked}
    assert curtain.pass_time([still], 5.0, 9.0) == []


# --- presence ---------------------------------------------------------------------------------------


def test_a_bag_that_is_left_behind_occupies_the_lane_until_it_is_taken_away(lane: Lane) -> None:
    lane.prop_open()
    person = lane.world.person("ada", leave_bag(1.5))
    lane.until(lambda: person.gone)
    lane.run(0.5)
    assert lane.world.count_inside() == 0
    assert lane.board.read("occupied")
    assert not lane.board.read("crowded")
    assert lane.world.things() == ("bag",)
    lane.world.take_away("bag")
    lane.run(0.1)
    assert not lane.board.read("occupied")
    assert [mark.state for mark in lane.world.timeline if mark.kind == "thing"] == [
        "left at 1.5 m",
        "taken away",
    ]


def test_who_comes_back_for_a_bag_takes_it_along(lane: Lane) -> None:
    lane.prop_open()
    plan = leave_bag(1.0, (Walk(to_m=2.0), Walk(to_m=1.0), PickUp(), *LEAVE))
    person = lane.world.person("ada", plan)
    lane.until(lambda: person.gone)
    assert lane.world.things() == ()
    assert not lane.board.read("occupied")


@pytest.mark.parametrize("pair_as", [1, 2])
def test_two_who_press_together_read_as_the_sensor_is_good_for(pair_as: int) -> None:
    lane = Lane(presence=PresenceSensor(pair_as=1 if pair_as == 1 else 2))
    lane.world.person("both", (), at_m=1.5, shape=pressed())
    lane.run(0.1)
    assert lane.board.read("occupied")
    assert lane.board.read("crowded") == (pair_as == 2)
    assert lane.world.count_inside() == 2


def test_a_full_floor_is_crowded_whatever_stands_there() -> None:
    lane = Lane(presence=PresenceSensor(full_m=1.2))
    lane.world.person("ada", (), at_m=1.5)
    lane.run(0.1)
    assert not lane.board.read("crowded")
    lane.world.leave_thing("trunk", bag(0.9), 0.6)
    lane.run(0.1)
    assert lane.board.read("crowded")


# --- doors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stands", ["body", "bag", "suitcase"])
def test_a_closing_door_is_reversed_by_whatever_is_in_its_way(lane: Lane, stands: str) -> None:
    lane.command(Door.ENTRY, released=True)
    lane.run(1.0)
    if stands == "body":
        lane.world.person("ada", stand_in_doorway(3.0, (Walk(to_m=DECISION_M),)))
    elif stands == "bag":
        lane.world.leave_thing("bag", bag(), 0.0)
    else:
        lane.world.person("ada", (Walk(to_m=0.7), Pause(seconds=3.0)), shape=with_trolley(0.6, pushed=False))
    lane.run(1.0)
    lane.command(Door.ENTRY, released=False)
    lane.run(1.0)
    assert lane.world.door(Door.ENTRY) == 1.0
    assert not lane.board.read("entry_shut")
    if stands == "body":
        lane.run(4.0)
    elif stands == "bag":
        lane.world.take_away("bag")
        lane.run(1.0)
    else:
        lane.world.intend("ada", (Walk(to_m=2.0),))
        lane.run(3.0)
    assert lane.board.read("entry_shut")


def test_what_is_pushed_waits_before_a_shut_door_with_who_pushes_it(lane: Lane) -> None:
    shape = with_trolley(0.8, pushed=True)
    person = lane.world.person("ada", TRAVEL, shape=shape, walk_s=3.5)
    lane.run(1.0)
    assert lane.board.read("document")
    assert person.extent[1] <= MANTRAP.entry_m
    lane.command(Door.ENTRY, released=True)
    lane.until(lambda: person.inside and not person.moving)
    lane.command(Door.ENTRY, released=False)
    lane.run(1.5)
    assert lane.board.read("entry_shut")
    assert person.extent[1] <= MANTRAP.exit_m
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: person.gone)


def test_a_suitcase_is_out_before_its_owner_is_gone(lane: Lane) -> None:
    lane.prop_open()
    shape = with_trolley(0.6, pushed=False)
    person = lane.world.person("ada", (Walk(to_m=3.4),), shape=shape)
    lane.until(lambda: person.gone)
    assert person.extent[0] > 3.1
    assert lane.crossings(Door.EXIT) == [(False, 1, Body.TROLLEY)]


# --- from the other end, and other lanes ------------------------------------------------------------


def test_the_wrong_way_leads_in_by_the_exit(lane: Lane) -> None:
    intruder = lane.world.person("eve", slip_in(), from_exit=True)
    lane.run(1.0)
    assert not lane.board.read("occupied")
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: not intruder.moving and intruder.inside)
    assert intruder.place_m == pytest.approx(1.5)
    assert lane.crossings(Door.EXIT) == [(True, 1, Body.PERSON)]
    assert lane.crossings(Door.ENTRY) == []
    assert lane.world.in_view() == ()  # the camera sees the back of a head


def test_a_port_is_walked_from_the_other_end_with_the_same_plan() -> None:
    lane = Lane(PORT)
    traveller = lane.world.person("ada", travel(PORT), from_exit=True)
    lane.run(0.5)
    assert lane.board.read("exit_document")
    assert not lane.board.read("document")
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: traveller.inside)
    assert not lane.board.read("exit_document")
    lane.until(lambda: not traveller.moving)
    assert traveller.place_m == pytest.approx(3.0 - DECISION_M)
    assert lane.world.in_view(from_exit=True) == (("ada", pytest.approx(0.7)),)
    lane.command(Door.EXIT, released=False)
    lane.run(1.5)
    lane.command(Door.ENTRY, released=True)
    lane.until(lambda: traveller.gone)
    assert lane.crossings(Door.EXIT) == [(True, 1, Body.PERSON)]
    assert lane.crossings(Door.ENTRY) == [(False, 1, Body.PERSON)]


def test_two_who_come_from_both_ends_stop_before_one_another(lane: Lane) -> None:
    lane.prop_open()
    ada = lane.world.person("ada", (Walk(to_m=2.9),))
    eve = lane.world.person("eve", (Walk(to_m=2.9),), from_exit=True)
    lane.run(5.0)
    assert eve.place_m - ada.place_m == pytest.approx(0.4, abs=0.05)


def test_who_came_from_the_other_end_heeds_the_lamps_of_that_end() -> None:
    lane = Lane(PORT)
    lane.prop_open(Door.EXIT)
    traveller = lane.world.person("ada", travel(PORT), from_exit=True)
    lane.until(lambda: traveller.inside)
    lane.run(2.0)
    for lamp, lit in (("exit_green", True), ("entry_red", True), ("amber", True), ("amber", False)):
        lane.board.put(lane.board.wires[lamp].offset, lit)
        lane.run(0.4)
    lane.until(lambda: traveller.gone)
    assert traveller.place_m > 3.0


def test_a_lane_with_one_door_is_open_at_its_beginning() -> None:
    lane = Lane(ONE_DOOR)
    assert lane.board.read("entry_shut")  # bridged: there is no such door
    traveller = lane.world.person("ada", travel(ONE_DOOR))
    lane.call_in()
    lane.until(lambda: traveller.inside)
    lane.run(3.0)
    assert traveller.x_m == pytest.approx(ONE_DOOR.decision_m)
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: traveller.gone)
    assert lane.crossings(Door.EXIT) == [(False, 1, Body.PERSON)]
    assert lane.board.read("entry_shut")


def test_a_corridor_watches_from_its_decision_line_on() -> None:
    lane = Lane(CORRIDOR)
    traveller = lane.world.person("ada", travel(CORRIDOR), walk_s=4.0)
    lane.call_in()
    lane.until(lambda: lane.world.in_view() != ())
    assert not lane.board.read("occupied")
    lane.until(lambda: lane.board.read("occupied"))
    assert traveller.x_m == pytest.approx(CORRIDOR.exit_m - 1.0, abs=0.05)
    lane.run(2.0)
    assert lane.world.distance_m("ada") == pytest.approx(0.7)
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: traveller.gone)
    assert lane.crossings(Door.EXIT) == [(False, 1, Body.PERSON)]


def test_every_topology_with_a_lane_has_its_geometry() -> None:
    assert set(GEOMETRIES) == set(Topology) - {Topology.KIOSK}
    plan: tuple[Step, ...] = travel(CORRIDOR)
    assert Walk(to_m=CORRIDOR.decision_m) in plan
    assert travel() == TRAVEL
