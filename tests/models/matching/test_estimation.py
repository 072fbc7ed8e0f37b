"""False matches are counted among strangers only, and nobody is kept beyond the bounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.matching.estimation import Bounds, Count, FalseMatches
from models.tflite import Floats

LIMIT = 0.6


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def row(value: float) -> Floats:
    return np.array([value, 1 - value], np.float32)


def likeness(one: Floats, others: Floats) -> Floats:
    return np.asarray(1 - np.abs(others - one).max(axis=1), np.float32)


def compare(estimate: FalseMatches, value: float, subject: str, stratum: str = "adult-f") -> dict[str, Count]:
    return estimate.compare(
        row(value), subject=subject.encode(), stratum=stratum, threshold=LIMIT, scores=likeness
    )


def keep(estimate: FalseMatches, value: float, subject: str, stratum: str = "adult-f") -> None:
    estimate.keep(row(value), subject=subject.encode(), stratum=stratum)


def total(counts: dict[str, Count]) -> Count:
    return Count(
        comparisons=sum(count.comparisons for count in counts.values()),
        matches=sum(count.matches for count in counts.values()),
    )


def test_whoever_comes_is_compared_with_those_before_and_matches_are_counted() -> None:
    estimate = FalseMatches(Bounds(references=8, seconds=900))
    assert compare(estimate, 0.5, "a") == {}
    keep(estimate, 0.5, "a")
    assert compare(estimate, 0.6, "b") == {"adult-f/adult-f": Count(comparisons=1, matches=1)}
    keep(estimate, 0.6, "b", "adult-m")
    assert compare(estimate, 0.0, "c", "child-m") == {
        "adult-f/child-m": Count(comparisons=1, matches=0),
        "adult-m/child-m": Count(comparisons=1, matches=0),
    }


def test_one_who_comes_again_is_no_stranger() -> None:
    estimate = FalseMatches(Bounds(references=8, seconds=900))
    keep(estimate, 0.5, "a")
    assert compare(estimate, 0.5, "a") == {}


def test_nobody_is_kept_longer_than_the_time_says_and_what_is_dropped_is_overwritten() -> None:
    clock = Clock()
    estimate = FalseMatches(Bounds(references=8, seconds=900), clock)
    keep(estimate, 0.5, "a")
    kept = estimate._kept[0].embedding
    clock.now += 899
    assert len(estimate) == 1
    clock.now += 1
    assert compare(estimate, 0.5, "b") == {}
    assert len(estimate) == 0
    assert not kept.any()


def test_where_nobody_comes_any_more_the_last_are_dropped_in_time_all_the_same() -> None:
    clock = Clock()
    estimate = FalseMatches(Bounds(references=8, seconds=900), clock)
    keep(estimate, 0.5, "a")
    kept = estimate._kept[0].embedding
    clock.now += 900
    estimate.drop_old()
    assert not estimate._kept
    assert not kept.any()


def test_the_reference_that_is_kept_is_a_copy() -> None:
    estimate = FalseMatches(Bounds(references=8, seconds=900))
    mine = row(0.5)
    estimate.keep(mine, subject=b"a", stratum="f-adult")
    mine.fill(0)
    assert total(compare(estimate, 0.5, "b")).matches == 1


def test_without_bounds_nobody_is_kept() -> None:
    estimate = FalseMatches(Bounds(references=0, seconds=900))
    keep(estimate, 0.5, "a")
    assert len(estimate) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 30)), max_size=60), st.integers(0, 5))
def test_no_order_of_travellers_exceeds_the_bounds(visits: list[tuple[int, float]], most: int) -> None:
    clock = Clock()
    estimate = FalseMatches(Bounds(references=most, seconds=60), clock)
    for subject, pause in visits:
        clock.now += pause
        assert len(estimate) <= most
        assert all(clock.now - kept.at < 60 for kept in estimate._kept)
        strangers = sum(kept.subject != str(subject).encode() for kept in estimate._kept)
        assert total(compare(estimate, 0.5, str(subject))).comparisons == strangers
        keep(estimate, 0.5, str(subject))
