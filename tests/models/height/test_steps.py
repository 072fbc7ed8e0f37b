"""Where somebody walks, by looks at their feet, some of which are at something else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.height.steps import MIN_FEET, walked

AT = np.arange(20) / 12
FEET = 2.8 - 1.1 * AT


def test_a_straight_walk_is_where_it_was_seen() -> None:
    found = walked(AT, FEET)
    assert found is not None
    assert found.ahead_m == pytest.approx(FEET, abs=1e-9)
    assert found.looks == len(AT)


def test_moments_between_looks_are_known_and_others_not() -> None:
    feet = FEET.copy()
    feet[[0, 1, 7, 8, 18, 19]] = np.nan
    found = walked(AT, feet)
    assert found is not None
    ahead, looks = found.ahead_m, found.looks
    assert looks == 14
    assert np.isnan(ahead[[0, 1, 18, 19]]).all()
    assert ahead[2:18] == pytest.approx(FEET[2:18], abs=1e-9)


@pytest.mark.parametrize("off_m", [-0.5, -0.2, 0.3])
def test_looks_at_something_else_are_passed_over(off_m: float) -> None:
    feet = FEET.copy()
    feet[[2, 9, 10, 16]] += off_m
    found = walked(AT, feet)
    assert found is not None
    assert found.looks == 16
    assert found.ahead_m == pytest.approx(FEET, abs=0.03)


def test_who_stops_is_where_they_stopped_but_for_the_moment_of_stopping() -> None:
    feet = np.maximum(2.8 - 1.1 * AT, 1.9)
    found = walked(AT, feet)
    assert found is not None
    known = np.isfinite(found.ahead_m)
    assert known.sum() >= 12
    assert found.ahead_m[known] == pytest.approx(feet[known], abs=0.1)


def test_looks_that_scatter_say_so() -> None:
    shaken = FEET + np.where(np.arange(len(AT)) % 2, 0.05, -0.05)
    straight, apart = walked(AT, FEET), walked(AT, shaken)
    assert straight is not None
    assert apart is not None
    assert straight.scatter_m < 1e-9
    assert 0.03 < apart.scatter_m < 0.11


def test_too_few_looks_are_no_walk() -> None:
    feet = np.full(len(AT), np.nan)
    feet[: MIN_FEET - 1] = FEET[: MIN_FEET - 1]
    assert walked(AT, feet) is None
    feet[MIN_FEET - 1] = FEET[MIN_FEET - 1]
    assert walked(AT, feet) is not None


def test_looks_that_mostly_disagree_are_no_walk() -> None:
    feet = FEET + np.random.default_rng(4).uniform(-1, 1, len(AT))
    assert walked(AT, feet) is None


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.3, 6)), max_size=30))
def test_any_looks_give_ranges_within_reach_or_none(looks: list[tuple[float, float]]) -> None:
    looks.sort()
    found = walked(np.array([at for at, _ in looks]), np.array([feet for _, feet in looks]))
    if found is not None:
        ahead, agreed = found.ahead_m, found.looks
        assert MIN_FEET <= agreed <= len(looks)
        assert len(ahead) == len(looks)
        assert np.isfinite(ahead).sum() >= agreed
