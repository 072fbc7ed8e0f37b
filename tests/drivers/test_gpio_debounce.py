"""Debouncing as a pure thing: a level counts once it has held, and a line that never holds flaps."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drivers.debounce import CALM_S, FLAP_S, Debounce

HOLD_S = 0.01
EDGES = some.lists(some.tuples(some.booleans(), some.floats(0, 0.03)), max_size=40)


def test_a_level_counts_when_it_has_held() -> None:
    line = Debounce(HOLD_S, level=False)
    line.edge(level=True, now=1.0)
    assert line.due == 1.0 + HOLD_S
    assert not line.settle(1.005)
    assert line.settle(1.010)
    assert line.settled
    assert not line.settle(1.020)


def test_a_bounce_starts_the_time_anew() -> None:
    line = Debounce(HOLD_S, level=False)
    line.edge(level=True, now=1.0)
    line.edge(level=False, now=1.004)
    line.edge(level=True, now=1.008)
    assert not line.settle(1.012)
    assert line.settle(1.018)


def test_a_line_without_hold_time_counts_at_once() -> None:
    line = Debounce(0.0, level=True)
    line.edge(level=False, now=1.0)
    assert line.settle(1.0)
    assert not line.settled


def test_reading_what_the_edges_said_does_not_start_the_time_anew() -> None:
    line = Debounce(HOLD_S, level=False)
    line.edge(level=True, now=1.0)
    line.observe(level=True, now=1.009)
    assert line.settle(1.010)


def test_reading_what_no_edge_said_does() -> None:
    line = Debounce(HOLD_S, level=False)
    line.observe(level=True, now=1.0)
    assert line.due == 1.0 + HOLD_S


@given(EDGES)
def test_only_levels_that_held_are_ever_told_and_each_differs_from_the_last(
    edges: list[tuple[bool, float]],
) -> None:
    line = Debounce(HOLD_S, level=False)
    now, seen, since, told = 0.0, False, 0.0, [False]
    for level, wait_s in edges:
        now += wait_s
        if line.settle(now):
            assert line.settled == seen
            assert now - since >= HOLD_S * 0.999
            told.append(line.settled)
        line.edge(level, now)
        seen, since = level, now
    line.settle(now + HOLD_S * 1.001)
    assert line.settled == seen
    assert all(one != two for one, two in pairwise(told))


def flapped(line: Debounce, for_s: float, every_s: float, began: float = 1.0) -> float | None:
    """Let a line change every so often; returns when it was found to flap."""
    number = 0
    while number * every_s <= for_s:
        now = began + number * every_s
        line.settle(now)
        line.edge(level=number % 2 == 0, now=now)
        number += 1
        if line.flap():
            return now - began
    return None


@pytest.mark.parametrize("every_s", [0.0001, 0.002, 0.009])
def test_a_line_that_never_settles_flaps_and_says_so_once(every_s: float) -> None:
    line = Debounce(HOLD_S, level=False)
    found = flapped(line, 2 * FLAP_S, every_s)
    assert found == pytest.approx(FLAP_S, abs=3 * every_s)
    assert line.flapping
    assert flapped(line, FLAP_S, every_s, began=10.0) is None


@pytest.mark.parametrize("hold_s", [0.0, HOLD_S])
@pytest.mark.parametrize("cut", [False, True])
def test_a_line_that_flaps_counts_as_cut_until_it_is_calm(hold_s: float, cut: bool) -> None:  # noqa: FBT001 - a case
    line = Debounce(hold_s, level=not cut, cut=cut)
    assert flapped(line, 2 * FLAP_S, 0.0005) is not None
    assert line.settled is cut
    assert line.due is None
    line.calm(level=not cut, now=20.0)
    assert line.settled is cut
    assert line.settle(20.0 + hold_s)
    assert line.settled is not cut
    assert not line.flap()


def test_a_slow_line_that_never_settles_flaps_too() -> None:
    found = flapped(Debounce(0.5, level=False), 10.0, 0.3)
    assert found == pytest.approx(2.5, abs=0.3)


def test_a_slow_line_that_settles_in_between_does_not() -> None:
    line = Debounce(0.5, level=False)
    for moment in range(20):  # three edges 0.3 s apart, then 0.6 s of rest
        assert flapped(line, 0.6, 0.3, began=1.0 + moment * 1.2) is None


def test_a_contact_that_bounces_at_every_movement_does_not_flap() -> None:
    line = Debounce(HOLD_S, level=False)
    for movement in range(100):
        assert flapped(line, 0.02, 0.001, began=movement * (CALM_S + 0.1)) is None


def test_a_beam_that_legs_cross_all_day_does_not_flap() -> None:
    assert flapped(Debounce(0.005, level=False), 30.0, 0.02) is None


def test_a_fringe_now_and_then_at_a_beam_does_not_flap() -> None:
    line = Debounce(HOLD_S, level=False)
    for moment in range(100):  # two bounces each time, less than CALM_S apart
        assert flapped(line, 0.004, 0.002, began=1.0 + moment * 0.4) is None


def test_a_plug_that_settles_now_and_then_still_flaps() -> None:
    line = Debounce(HOLD_S, level=False)
    found = [flapped(line, 0.05, 0.004, began=1.0 + burst * 0.3) for burst in range(10)]
    assert [each for each in found if each is not None]
