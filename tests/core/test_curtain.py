"""What a light curtain is taken to say: any edges, generated walks, and beams that fail."""

import collections
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.crossings import MAX_PERSONS, Beam, Crossing, TurnedBack
from gated.core.curtain import (
    MAX_RUNS,
    STUCK_S,
    UNSEEN,
    Curtain,
    DoorwayChanged,
    Happening,
    Implausible,
    Mended,
)
from gated.core.vocabulary import Body
from hw_sim.lane.bodies import adult
from tests.core import walks

LIVELY = settings(deadline=None, derandomize=True, max_examples=150)
SURE: tuple[Callable[[random.Random], walks.Walk], ...] = (
    walks.adult_alone,
    walks.adult_backwards,
    walks.taller_child,
    walks.small_child,
    walks.wheelchair_alone,
    walks.wheelchair_pushed,
    walks.turns_round,
    walks.lone_bag,
)  # told right every time
MOSTLY = {
    walks.adult_with_rucksack: 0.9,
    walks.one_after_another: 0.9,
    walks.three_in_file: 0.9,
    walks.follows_a_suitcase: 0.8,
    walks.follower: 0.9,
    walks.close_follower: 0.8,
    walks.pushed_trolley: 0.8,
    walks.pulled_suitcase: 0.8,
    walks.stops_in_doorway: 0.8,
    walks.steps_back_then_on: 0.6,
    walks.two_meet: 0.5,
}

Edges = list[tuple[Beam, bool, float]]


def fresh() -> Curtain:
    curtain = Curtain()
    for beam in Beam:
        assert curtain.observe(beam, blocked=False, at=0.0) == ()
    return curtain


def feed(curtain: Curtain, edges: Edges, until: float) -> list[Happening]:
    told: list[Happening] = []
    for beam, blocked, at in edges:
        while (due := curtain.due) is not None and due <= at:
            told += curtain.elapse(due)
        told += curtain.observe(beam, blocked, at)
    while (due := curtain.due) is not None and due <= until:
        told += curtain.elapse(due)
    return told


def only(kind: type, told: list[Happening]) -> list[Happening]:
    return [each for each in told if isinstance(each, kind)]


def passing(at: float, *, inward: bool = True, speed: float = 1.0, high: bool = True) -> Edges:
    """Somebody without legs or arms: 0.25 m deep."""
    edges: Edges = []
    for column, place in (("outer", 0.0), ("inner", 0.2)):
        away = place if inward else 0.2 - place
        for height in ("low", "high") if high else ("low",):
            beam = Beam(f"{column}_{height}")
            edges += [(beam, True, at + away / speed), (beam, False, at + (away + 0.25) / speed)]
    return sorted(edges, key=lambda edge: edge[2])


def recognised(
    make: Callable[[random.Random], walks.Walk], number: int
) -> tuple[walks.Walk, list[Happening]]:
    chance = random.Random(number)
    walk = make(chance)
    return walk, walks.recognise(walks.debounced(walks.edges(walk, chance), chance))


def persons(crossings: list[Happening]) -> collections.Counter[tuple[bool, Body]]:
    count = collections.Counter[tuple[bool, Body]]()
    for each in crossings:
        assert isinstance(each, Crossing)
        count[each.inward, each.body] += each.persons
    return count


def truth(walk: walks.Walk) -> collections.Counter[tuple[bool, Body]]:
    count = collections.Counter[tuple[bool, Body]]()
    for inward, number, body in walk.truth:
        count[inward, body] += number
    return count


# --- whatever the edges are -------------------------------------------------------------------------------


@LIVELY
@given(
    st.lists(
        st.tuples(
            st.sampled_from(Beam), st.booleans(), st.one_of(st.floats(0, 3), st.floats(0, 100), st.just(0.0))
        ),
        max_size=120,
    )
)
def test_any_edges_give_sane_happenings_in_the_order_of_time(steps: list[tuple[Beam, bool, float]]) -> None:
    curtain, now, told = Curtain(), 0.0, list[Happening]()
    for beam, blocked, wait in steps:
        now += wait
        told += curtain.observe(beam, blocked, now)
        due = curtain.due
        assert due is None or due > now
    for beam in Beam:
        told += curtain.observe(beam, blocked=False, at=now + 1.0)
    told += curtain.elapse(now + 100.0)
    assert curtain.due is None
    assert not curtain.blocked
    blocked_now = False
    for each in told:
        match each:
            case Crossing():
                assert 1 <= each.persons <= MAX_PERSONS
            case DoorwayChanged():
                assert each.blocked is not blocked_now
                blocked_now = each.blocked
            case Implausible():
                assert each.fix
        assert 0.0 <= each.at <= now + 100.0
    assert not blocked_now


@LIVELY
@given(st.lists(st.tuples(st.sampled_from(Beam), st.booleans(), st.floats(-5, 5)), max_size=60))
def test_times_that_run_backwards_do_no_harm(steps: list[tuple[Beam, bool, float]]) -> None:
    curtain = Curtain()
    for beam, blocked, at in steps:
        curtain.observe(beam, blocked, at)
    curtain.elapse(1000.0)


# --- walks -----------------------------------------------------------------------------------------------


@LIVELY
@given(st.sampled_from(SURE), st.integers(0, 10**6))
def test_who_walks_through_is_counted_once_in_the_right_direction(
    make: Callable[[random.Random], walks.Walk], number: int
) -> None:
    walk, told = recognised(make, number)
    count = persons(only(Crossing, told))
    for inward in (True, False):
        told_so = sum(n for (way, _), n in count.items() if way is inward)
        assert told_so == sum(n for way, n, _ in walk.truth if way is inward)


@pytest.mark.parametrize("make", SURE)
def test_bodies_are_told_apart(make: Callable[[random.Random], walks.Walk]) -> None:
    for number in range(12):
        walk, told = recognised(make, number)
        assert persons(only(Crossing, told)) == truth(walk)
        assert only(Implausible, told) == []


@pytest.mark.parametrize(("make", "share"), MOSTLY.items())
def test_harder_walks_are_mostly_told_right(
    make: Callable[[random.Random], walks.Walk], share: float
) -> None:
    right = 0
    for number in range(20):
        walk, told = recognised(make, number)
        right += persons(only(Crossing, told)) == truth(walk)
    assert right >= share * 20


@pytest.mark.parametrize("speed", [0.4, 1.0, 2.2])
@pytest.mark.parametrize("inward", [True, False])
def test_the_doorway_is_blocked_at_once_and_free_when_the_last_beam_is(speed: float, inward: bool) -> None:  # noqa: FBT001
    curtain = fresh()
    told = feed(curtain, passing(10.0, inward=inward, speed=speed), 20.0)
    over = 10.0 + 0.45 / speed
    assert told[:2] == [
        DoorwayChanged(blocked=True, at=10.0),
        DoorwayChanged(blocked=False, at=pytest.approx(over)),
    ]
    assert told[2:] == [Crossing(inward=inward, persons=1, body=Body.PERSON, at=pytest.approx(over))]


def test_a_crossing_is_told_within_a_second_after_the_doorway_is_free() -> None:
    curtain = fresh()
    edges = passing(10.0, speed=1.2)
    for beam, blocked, at in edges:
        assert only(Crossing, list(curtain.observe(beam, blocked, at))) == []
    assert curtain.due == pytest.approx(edges[-1][2] + 0.45 / 1.2)


def test_who_comes_in_and_goes_back_has_turned_back() -> None:
    told = feed(
        fresh(),
        [
            (Beam.OUTER_HIGH, True, 1.0),
            (Beam.INNER_HIGH, True, 1.2),
            (Beam.INNER_HIGH, False, 2.0),
            (Beam.OUTER_HIGH, False, 2.2),
        ],
        5.0,
    )
    assert only(TurnedBack, told) == [TurnedBack(from_outside=True, at=2.2)]
    assert only(Crossing, told) == []


def test_who_only_leans_into_the_doorway_from_inside_has_turned_back_inside() -> None:
    told = feed(fresh(), [(Beam.INNER_HIGH, True, 1.0), (Beam.INNER_HIGH, False, 2.0)], 5.0)
    assert only(TurnedBack, told) == [TurnedBack(from_outside=False, at=2.0)]


def test_people_side_by_side_are_one_to_the_beams() -> None:
    """The limit of two columns, told in the docs: the presence sensor and the camera must see them."""
    side_by_side = tuple(walks.Walker(adult(phase=phase), ((walks.START_M, 1.0),)) for phase in (0.0, 1.0))
    chance = random.Random(3)
    told = walks.recognise(walks.edges(walks.Walk("abreast", side_by_side, ()), chance))
    assert sum(each.persons for each in told if isinstance(each, Crossing)) == 1


# --- beams that fail ---------------------------------------------------------------------------------------


def test_both_columns_at_once_is_implausible() -> None:
    edges: Edges = [(beam, True, 1.0) for beam in Beam] + [(beam, False, 1.5) for beam in Beam]
    told = feed(fresh(), edges, 5.0)
    assert only(Crossing, told) == []
    edges = [
        (Beam.OUTER_HIGH, True, 1.0),
        (Beam.INNER_HIGH, True, 1.005),
        (Beam.OUTER_HIGH, False, 1.5),
        (Beam.INNER_HIGH, False, 1.505),
    ]
    told = feed(fresh(), edges, 5.0)
    assert [each.code for each in told if isinstance(each, Implausible)] == ["too_fast"]
    assert only(Crossing, told) == []


@pytest.mark.parametrize(
    ("beams", "code"),
    [
        ([Beam.OUTER_HIGH], "beam_stuck"),
        ([Beam.INNER_LOW], "beam_stuck"),
        ([Beam.OUTER_LOW, Beam.INNER_LOW], "doorway_obstructed"),
        (list(Beam), "curtain_dark"),
    ],
)
def test_beams_that_stay_interrupted_are_a_fault_until_they_are_free(beams: list[Beam], code: str) -> None:
    curtain = fresh()
    told = feed(curtain, [(beam, True, 5.0) for beam in beams], 5.0 + STUCK_S - 0.1)
    assert only(Implausible, told) == []
    assert curtain.blocked
    assert curtain.due == 5.0 + STUCK_S
    fault, changed = curtain.elapse(5.0 + STUCK_S)
    assert isinstance(fault, Implausible)
    assert (fault.code, fault.beams) == (code, tuple(beam for beam in Beam if beam in beams))
    assert changed == DoorwayChanged(blocked=False, at=5.0 + STUCK_S)
    assert not curtain.trusted
    mended = [each for beam in beams for each in curtain.observe(beam, blocked=False, at=100.0)]
    assert mended == [Mended(beams=(beam,), at=100.0) for beam in beams]
    assert curtain.trusted
    told = feed(curtain, passing(110.0), 120.0)
    assert len(only(Crossing, told)) == 1


def test_people_are_counted_while_a_beam_is_only_dirty_for_a_while() -> None:
    curtain = fresh()
    curtain.observe(Beam.OUTER_LOW, blocked=True, at=1.0)
    told = feed(curtain, [edge for edge in passing(70.0) if edge[0] is not Beam.OUTER_LOW], 80.0)
    assert [each.code for each in told if isinstance(each, Implausible)] == ["beam_stuck"]
    assert [(each.inward, each.persons) for each in told if isinstance(each, Crossing)] == [(True, 1)]


def test_a_beam_that_nobody_interrupts_is_a_fault() -> None:
    curtain = fresh()
    told: list[Happening] = []
    for number in range(UNSEEN + 2):
        edges = [edge for edge in passing(10.0 * number + 1) if edge[0] is not Beam.INNER_LOW]
        told += feed(curtain, edges, 10.0 * number + 9)
    assert [(each.code, each.beams) for each in told if isinstance(each, Implausible)] == [
        ("beam_unseen", (Beam.INNER_LOW,))
    ]
    assert len(only(Crossing, told)) == UNSEEN + 2


def test_who_stands_in_the_doorway_when_the_watch_begins_is_not_guessed() -> None:
    curtain = Curtain()
    for beam in Beam:
        curtain.observe(beam, blocked=beam is not Beam.OUTER_LOW, at=1.0)
    edges: Edges = [
        (Beam.OUTER_HIGH, False, 2.0),
        (Beam.INNER_LOW, False, 2.1),
        (Beam.INNER_HIGH, False, 2.2),
    ]
    told = feed(curtain, edges, 5.0)
    assert [each.code for each in told if isinstance(each, Implausible)] == ["began_blocked"]
    assert only(Crossing, told) == []
    assert len(only(Crossing, feed(curtain, passing(10.0), 15.0))) == 1


def test_a_fluttering_beam_is_a_fault_and_bounded() -> None:
    edges: Edges = [
        (Beam.OUTER_LOW, bool(number % 2), 1.0 + 0.01 * number) for number in range(1, 2 * MAX_RUNS + 4)
    ]
    told = feed(fresh(), edges, 1.0)
    assert "flutter" in [each.code for each in told if isinstance(each, Implausible)]
