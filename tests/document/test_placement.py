import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.vocabulary import Advice
from gated.document.placement import Coach, Station, Status, advice_for

STATION = Station()


@dataclass(frozen=True)
class Seen:
    """An open passport at rest on the glass, its zone whole and upright."""

    zone: bool = True
    turned: int | None = 0
    cut_off: bool = False
    printed: float = 0.4
    covered: float = 0.9
    extent: tuple[float, float] = (0.96, 0.68)
    sharp: float = 0.6
    moved: float | None = 0.0


WHOLE = Seen()
NO_ZONE = replace(WHOLE, zone=False, turned=None)
CARD = (85.6 / STATION.glass_mm, 54 / STATION.glass_mm)


@pytest.mark.parametrize(
    ("sight", "advice"),
    [
        (WHOLE, None),
        (replace(WHOLE, cut_off=True), Advice.PUSH_INTO_CORNER),
        (replace(WHOLE, moved=0.3), Advice.HOLD_STILL),
        (replace(WHOLE, cut_off=True, moved=0.3), Advice.HOLD_STILL),
        (replace(WHOLE, sharp=0.1), Advice.HOLD_STILL),
        (replace(WHOLE, turned=180), None),
        (NO_ZONE, Advice.OPEN_AT_PHOTO_PAGE),
        (replace(NO_ZONE, printed=0.0, sharp=0.0), Advice.OPEN_AT_PHOTO_PAGE),
        (replace(NO_ZONE, extent=CARD), Advice.TURN_OVER),
        (replace(NO_ZONE, extent=CARD, printed=0.0, sharp=0.0), Advice.TURN_OVER),
        (replace(NO_ZONE, sharp=0.1), Advice.HOLD_STILL),
        (replace(NO_ZONE, moved=None), Advice.OPEN_AT_PHOTO_PAGE),
        (replace(NO_ZONE, covered=0.0, extent=(0.0, 0.0), printed=0.0, sharp=0.0), None),
    ],
)
def test_each_sight_has_its_advice(sight: Seen, advice: Advice | None) -> None:
    assert advice_for(STATION, sight, "unknown", read=False) == advice


def test_what_was_read_needs_no_advice_and_neither_does_an_empty_reader() -> None:
    for sight in (replace(WHOLE, cut_off=True), NO_ZONE):
        assert advice_for(STATION, sight, "present", read=True) is None
        assert advice_for(STATION, sight, "empty", read=False) is None


def test_the_readers_sensor_tells_a_cover_from_an_empty_glass() -> None:
    dark = replace(NO_ZONE, covered=0.0, extent=(0.0, 0.0), printed=0.0, sharp=0.0)
    assert advice_for(STATION, dark, "unknown", read=False) is None
    assert advice_for(STATION, dark, "present", read=False) == Advice.OPEN_AT_PHOTO_PAGE


def test_a_reader_that_takes_one_direction_asks_for_it() -> None:
    narrow = Station(directions=frozenset({0}))
    assert advice_for(narrow, WHOLE, "present", read=False) is None
    for turned in (90, 180, 270):
        sight = replace(WHOLE, turned=turned)
        assert advice_for(narrow, sight, "present", read=False) == Advice.TURN_ROUND


def test_an_advice_is_given_when_it_has_applied_for_a_while() -> None:
    coach = Coach(STATION)
    said = [coach.look(NO_ZONE, "present", now, read=False) for now in (0.0, 0.3, 0.59, 0.61, 5.0)]
    assert said == [None, None, None, Advice.OPEN_AT_PHOTO_PAGE, Advice.OPEN_AT_PHOTO_PAGE]


def test_an_advice_stands_before_another_takes_its_place() -> None:
    coach = Coach(STATION)
    cut = replace(WHOLE, cut_off=True)
    for now in (0.0, 1.0):
        coach.look(NO_ZONE, "present", now, read=False)
    said = {now: coach.look(cut, "present", now, read=False) for now in (1.1, 1.8, 2.9, 3.1)}
    assert said[1.8] == said[2.9] == Advice.OPEN_AT_PHOTO_PAGE
    assert said[3.1] == Advice.PUSH_INTO_CORNER


def test_a_flicker_is_not_passed_on() -> None:
    coach = Coach(STATION)
    for step in range(40):
        sight = NO_ZONE if step % 2 else replace(WHOLE, cut_off=True)
        assert coach.look(sight, "present", step * 0.2, read=False) is None


def test_a_read_zone_ends_all_advice_at_once() -> None:
    coach = Coach(STATION)
    for now in (0.0, 1.0):
        coach.look(NO_ZONE, "present", now, read=False)
    assert coach.look(WHOLE, "present", 1.1, read=True) is None
    assert coach.look(NO_ZONE, "present", 1.2, read=False) is None


SIGHTS = st.builds(
    Seen,
    zone=st.booleans(),
    turned=st.sampled_from([0, 90, 180, 270]),
    cut_off=st.booleans(),
    printed=st.floats(0, 1),
    covered=st.floats(0, 1),
    extent=st.sampled_from([(0.0, 0.0), CARD, (0.96, 0.68)]),
    sharp=st.floats(0, 1),
    moved=st.none() | st.floats(0, 1),
)
STATUSES: st.SearchStrategy[Status] = st.sampled_from(["empty", "present", "unknown"])


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.tuples(SIGHTS, STATUSES, st.booleans(), st.floats(0.01, 1.5)), max_size=30))
def test_no_advice_replaces_another_within_its_time(steps: list[tuple[Seen, Status, bool, float]]) -> None:
    coach, now = Coach(STATION), 0.0
    said: list[tuple[float, Advice | None]] = []
    for sight, status, read, pause in steps:
        now += pause
        said.append((now, coach.look(sight, status, now, read=read)))
        if read or status == "empty":
            assert said[-1][1] is None
    changes = [after for before, after in itertools.pairwise(said) if before[1] != after[1]]
    for before, after in itertools.pairwise(changes):
        if before[1] is not None and after[1] is not None:
            assert after[0] - before[0] >= STATION.stand_s
