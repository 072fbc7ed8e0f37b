"""Blinks: a dip of both lids that ends."""

from collections.abc import Callable

import numpy as np
import pytest

from models.face import Points
from models.liveness.blink import SCORE, BlinkCheck, blinks, opening
from tests.models.heads import shape

FPS = 15


def lids(wide: float) -> Points:
    """A face whose eyes are open by `wide` of their width."""
    points = shape().copy() * 1000
    for upper, lower, outer, inner in ((159, 145, 33, 133), (386, 374, 263, 362)):
        middle = (points[outer] + points[inner]) / 2
        half = wide * np.hypot(*(points[outer] - points[inner])[:2]) / 2
        points[upper], points[lower] = middle - np.array([0, half, 0]), middle + np.array([0, half, 0])
    return points


def watched(wide: Callable[[int], float], count: int = 30, fps: float = FPS) -> BlinkCheck:
    check = BlinkCheck()
    for number in range(count):
        check.add(lids(wide(number)), number / fps)
    return check


def test_the_opening_is_measured() -> None:
    assert opening(lids(0.3)) == pytest.approx(0.3)


def test_a_blink_adds_to_life_a_little() -> None:
    cue = watched(lambda number: 0.05 if 12 <= number < 15 else 0.3).judge()
    assert cue.score == SCORE
    assert 0.5 < SCORE < 0.7


@pytest.mark.parametrize(
    "wide",
    [
        pytest.param(lambda _: 0.3, id="always open"),
        pytest.param(lambda _: 0.03, id="always closed"),
        pytest.param(lambda number: 0.3 if number < 20 else 0.05, id="closed to the end"),
        pytest.param(lambda number: 0.05 if number < 3 else 0.3, id="only opened"),
        pytest.param(lambda number: 0.05 if 8 <= number < 20 else 0.3, id="closed too long"),
        pytest.param(lambda number: 0.3 + 0.04 * np.sin(number), id="a wandering mesh"),
    ],
)
def test_anything_else_is_no_evidence(wide: Callable[[int], float]) -> None:
    assert watched(wide).judge().score is None


def test_two_blinks_are_two() -> None:
    times = [(number / FPS, 0.05 if number in {10, 11, 22} else 0.3) for number in range(30)]
    assert blinks(times) == 2


def test_what_happened_between_frames_far_apart_is_not_known() -> None:
    assert watched(lambda number: 0.05 if number == 12 else 0.3, fps=2).judge().score is None


def test_few_frames_are_no_evidence_and_none_are_kept_after_wipe() -> None:
    assert watched(lambda number: 0.05 if number == 3 else 0.3, count=6).judge().score is None
    check = watched(lambda number: 0.05 if 12 <= number < 15 else 0.3)
    check.wipe()
    assert not check._openings
    assert check.judge().score is None
