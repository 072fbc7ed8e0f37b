"""The answer to the gate's lamp: in step and uneven, in step and even, or none at all."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face import Points
from models.liveness.cue import Cue
from models.liveness.light import KEPT, LEAST_FRAMES, MAX_CODE, REGIONS, LightCheck, brightness, respond
from models.tflite import Image
from tests.models.heads import shape

PATTERN = (1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0)
SLOT_S = 0.2
CODE = [(number * SLOT_S, bool(bit)) for number, bit in enumerate(PATTERN)]
UNEVEN = np.array([0.09, 0.06, 0.06, 0.12, 0.02, 0.03, 0.07])
FPS = 20
ASIDE = np.array([900.0, 0, 0])


def lamp(at: float, code: list[tuple[float, bool]] = CODE) -> float:
    on = [state for moment, state in code if moment <= at]
    return float(on[-1]) if on else 0.0


def series(
    gains: np.ndarray, behind: float, noise: float, seed: int = 1, drift: float = 0.05
) -> list[tuple[float, np.ndarray]]:
    """Brightness of each region and of what lies behind, as an answer to CODE."""
    chance = np.random.default_rng(seed)
    base, seen = chance.uniform(70, 150, len(gains) + 1), []
    for number in range(round(len(PATTERN) * SLOT_S * FPS)):
        at = (number + 0.4) / FPS
        factor = 1 + np.append(gains, behind) * lamp(at) + drift * at
        seen.append((at, base * factor + chance.normal(0, noise, len(base))))
    return seen


def judged(seen: list[tuple[float, np.ndarray]]) -> Cue:
    check = LightCheck()
    check.play(CODE)
    check._seen.extend(seen)
    return check.judge()


def test_a_face_in_relief_answers_in_step_and_unevenly() -> None:
    score = judged(series(UNEVEN, 0.01, 0.8)).score
    assert score is not None
    assert score > 0.8


def test_a_print_answers_evenly_and_is_taken_for_no_face() -> None:
    score = judged(series(np.full(7, 0.06), 0.01, 0.4)).score
    assert score is not None
    assert score < 0.5


@pytest.mark.parametrize("seed", range(4))
def test_a_screen_that_does_not_answer_counts_against_life(seed: int) -> None:
    score = judged(series(np.full(7, 0.0), 0.0, 0.8, seed)).score
    assert score is not None
    assert score < 0.2


def test_a_lamp_that_lights_all_the_room_alike_proves_nothing() -> None:
    score = judged(series(UNEVEN, 0.09, 0.5)).score
    assert score is not None
    assert score <= 0.5


def test_the_gain_and_the_agreement_are_measured() -> None:
    answer = respond(CODE, series(UNEVEN, 0.01, 0.3))
    assert answer is not None
    assert answer.gain == pytest.approx(UNEVEN.mean() / (1 + UNEVEN.mean() / 2), rel=0.15)
    assert answer.agreement > 0.95
    assert answer.behind < 0.02


def test_without_a_code_or_with_too_few_changes_there_is_no_evidence() -> None:
    assert LightCheck().judge() == Cue(name="light", score=None, reason="no light code was played")
    assert respond([(0.0, True)], series(UNEVEN, 0.0, 0.5)) is None
    assert respond(CODE, series(UNEVEN, 0.0, 0.5)[: LEAST_FRAMES - 1]) is None
    assert respond(CODE, []) is None


def test_a_code_played_at_another_time_is_not_answered() -> None:
    late = [(at + 100, values) for at, values in series(UNEVEN, 0.01, 0.8)]
    assert respond([(at + 100.37, on) for at, on in CODE], late) is not None
    score = judged([(at + 0.5 * SLOT_S * 7, values) for at, values in series(UNEVEN, 0.01, 0.8)]).score
    assert score is not None
    assert score < 0.5


@settings(derandomize=True, max_examples=40, deadline=None)
@given(scale=st.floats(0.3, 1.5), drift=st.floats(-0.05, 0.2))
def test_exposure_and_slow_light_change_little(scale: float, drift: float) -> None:
    one = respond(CODE, series(UNEVEN, 0.01, 0.2))
    other = respond(CODE, [(at, values * scale) for at, values in series(UNEVEN, 0.01, 0.2, drift=drift)])
    assert one is not None
    assert other is not None
    assert other.gain == pytest.approx(one.gain, rel=0.2)


def frame(level: Callable[[str], float]) -> tuple[Image, Points]:
    """A picture in which each region has its own grey."""
    points = shape().copy() * 2000 + np.array([480.0, 240, 0])
    image = np.full((480, 960, 3), 40, np.uint8)
    for name, numbers in REGIONS.items():
        x, y = points[list(numbers), :2].mean(0).round().astype(int)
        image[y - 19 : y + 20, x - 19 : x + 20] = level(name)
    return image, points


def test_each_region_is_looked_at_where_it_is() -> None:
    greys = {name: 60.0 + 20 * number for number, name in enumerate(REGIONS)}
    image, points = frame(greys.__getitem__)
    assert brightness(image, points)[:-1] == pytest.approx(list(greys.values()), abs=1)
    assert brightness(image, points)[-1] == pytest.approx(40, abs=1)


def test_a_face_half_outside_is_no_error() -> None:
    image, points = frame(lambda _: 90.0)
    values = brightness(image, points + ASIDE)
    assert np.isnan(values).any()
    check = LightCheck()
    check.play(CODE)
    for number in range(40):
        check.add(image, points + ASIDE, number / FPS)
    assert check.judge().score is None


def test_nothing_is_kept_without_a_code_and_little_with_one() -> None:
    image, points = frame(lambda _: 90.0)
    check = LightCheck()
    check.add(image, points, 0.0)
    assert not check._seen
    check.play([(float(number), number % 2 == 0) for number in range(MAX_CODE + 50)])
    assert len(check._code) == MAX_CODE
    for number in range(KEPT + 10):
        check.add(image, points, float(number))
    assert len(check._seen) == KEPT
    kept = check._seen[-1][1]
    check.wipe()
    assert not kept.any()
    assert check.judge().score is None
