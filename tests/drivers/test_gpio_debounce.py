"""Debouncing as a pure thing: a level counts once it has held, whatever came before."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from drivers.gpio import Debounce

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
