"""The answer to the gate's lamp: in step and uneven, in step and even, or none at all."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.face_light import MOST_ALIKE
from models import manifest
from models.face import Points
from models.liveness.cue import Cue
from models.liveness.light import (
    KEPT,
    LEAST_FRAMES,
    MARKS,
    MAX_CODE,
    REGIONS,
    LightCheck,
    Look,
    Series,
    brightness,
    marked,
    respond,
)
from models.tflite import Image
from tests.models.heads import shape

PATTERN = (1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0)
SLOT_S = 0.2
CODE = [(number * SLOT_S, bool(bit)) for number, bit in enumerate(PATTERN)]
UNEVEN = np.array([0.09, 0.06, 0.06, 0.12, 0.02, 0.03, 0.07])
FPS = 20
ANSWER_SCORE = manifest.load().liveness.answer_score
ASIDE = np.array([900.0, 0, 0])


def lamp(at: float, code: list[tuple[float, bool]] = CODE) -> float:
    on = [state for moment, state in code if moment <= at]
    return float(on[-1]) if on else 0.0


def series(
    gains: Series,
    behind: float,
    noise: float,
    seed: int = 1,
    drift: float = 0.05,
    marks: Sequence[float] | None = None,
) -> list[Look]:
    """What is seen of each region, of what lies behind and of each mark, as an answer to CODE.

    Marks follow as the face does, if nothing else is said.
    """
    chance = np.random.default_rng(seed)
    base, seen = chance.uniform(70, 150, len(gains) + 1), []
    grown = np.array([gains.mean()] * len(MARKS) if marks is None else marks)[:, None]
    pictures = chance.normal(0, 15, (len(MARKS), 144))
    for number in range(round(len(PATTERN) * SLOT_S * FPS)):
        at = (number + 0.4) / FPS
        factor = 1 + np.append(gains, behind) * lamp(at) + drift * at
        light = base * factor + chance.normal(0, noise, len(base))
        shown = pictures * (1 + grown * lamp(at) + drift * at) + chance.normal(0, noise, pictures.shape)
        seen.append(Look(at=at, light=light, marks=shown.astype(np.float32)))
    return seen


def judged(seen: list[Look]) -> Cue:
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


def another(chance: np.random.Generator) -> list[bool]:
    """A code by the rule of the lamp's own."""
    steps: list[bool] = []
    while len(steps) < len(PATTERN):
        step = bool(chance.integers(2))
        if steps[-MOST_ALIKE:] != [step] * MOST_ALIKE:
            steps.append(step)
    return steps


def late(seen: list[Look], late_s: float) -> list[Look]:
    return [replace(look, at=look.at + late_s) for look in seen]


@pytest.mark.parametrize("late_s", [0.04, 0.08, 0.13, 0.15, 0.2, 0.25])
def test_an_answer_may_be_late_for_a_camera_and_its_machine_take_their_time(late_s: float) -> None:
    face, paper, screen = (
        judged(late(series(gains, 0.01, 0.5), late_s)).score
        for gains in (UNEVEN, np.full(7, 0.06), np.full(7, 0.0))
    )
    assert face is not None
    assert paper is not None
    assert screen is not None
    assert face > 0.8
    assert paper < 0.5
    assert screen < 0.2


def test_what_follows_another_code_is_hardly_ever_taken_for_a_late_answer() -> None:
    """A film of a face before such a lamp holds the answer to the code of its day, begun at any moment."""
    chance, taken = np.random.default_rng(5), 0
    for seed in range(60):
        film = late(series(UNEVEN, 0.01, 0.4, seed=seed), -chance.uniform(0, SLOT_S))
        check = LightCheck()
        check.play([(number * SLOT_S, on) for number, on in enumerate(another(chance))])
        check._seen.extend(film)
        score = check.judge().score
        taken += score is not None and score >= ANSWER_SCORE
    assert taken <= 4


def test_a_lamp_that_lights_all_the_room_alike_proves_nothing() -> None:
    score = judged(series(UNEVEN, 0.09, 0.5)).score
    assert score is not None
    assert score <= 0.5


@pytest.mark.parametrize("marks", [(0,) * 6, (0, 0, 0.2, 0.2, 0, 0), (0.01, -0.02, 0.02, 0, -0.01, 0)])
def test_an_answer_that_leaves_the_face_s_marks_as_they_were_is_mirrored_and_no_face_s(
    marks: tuple[float, ...],
) -> None:
    score = judged(series(UNEVEN, 0.01, 0.4, marks=marks)).score
    assert score is not None
    assert score < 0.2


@pytest.mark.parametrize("eyes", [-0.1, 0.5])
def test_both_eyes_may_do_what_they_like_behind_lenses_that_mirror_the_lamp(eyes: float) -> None:
    score = judged(series(UNEVEN, 0.01, 0.4, marks=(0.06, 0.07, eyes, eyes, 0.07, 0.06))).score
    assert score is not None
    assert score > 0.8


def test_marks_that_grow_out_of_step_are_no_evidence() -> None:
    seen, chance = series(UNEVEN, 0.01, 0.4), np.random.default_rng(2)
    for look in seen:
        look.marks[:] *= np.float32(chance.normal(1, 0.3))
    answer = respond(CODE, seen)
    assert answer is not None
    assert answer.marks_agreement < 0.5
    score = judged(seen).score
    assert score is not None
    assert score <= 0.5


@pytest.mark.parametrize("by", [0.01, np.nan])
def test_an_answer_of_a_face_whose_marks_are_faint_or_outside_is_no_evidence_for_it(by: float) -> None:
    """Three of six are too few, four are enough."""
    seen = series(UNEVEN, 0.01, 0.4)
    for look in seen:
        look.marks[:2] *= np.float32(by)
    score = judged(seen).score
    assert score is not None
    assert score > 0.8
    for look in seen:
        look.marks[2] *= np.float32(by)
    assert judged(seen).score == 0.5


@pytest.mark.parametrize("weak", [0.25, 0.4])
def test_a_lamp_that_is_weak_for_its_place_makes_nobody_sure_of_either(weak: float) -> None:
    score = judged(series(UNEVEN * weak, 0.0, 0.8)).score
    assert score is not None
    assert 0.1 < score < 0.8


def test_the_gain_and_the_agreement_are_measured() -> None:
    answer = respond(CODE, series(UNEVEN, 0.01, 0.3))
    assert answer is not None
    assert answer.gain == pytest.approx(UNEVEN.mean() / (1 + UNEVEN.mean() / 2), rel=0.15)
    assert answer.agreement > 0.95
    assert answer.behind < 0.02
    assert answer.marks == pytest.approx(UNEVEN.mean(), rel=0.15)
    assert answer.marks_agreement > 0.95


def test_without_a_code_or_with_too_few_changes_there_is_no_evidence() -> None:
    assert LightCheck().judge() == Cue(name="light", score=None, reason="no light code was played")
    assert respond([(0.0, True)], series(UNEVEN, 0.0, 0.5)) is None
    assert respond(CODE, series(UNEVEN, 0.0, 0.5)[: LEAST_FRAMES - 1]) is None
    assert respond(CODE, []) is None


def later(look: Look, by: float, scale: float = 1.0) -> Look:
    return Look(at=look.at + by, light=look.light * scale, marks=look.marks * np.float32(scale))


def test_a_code_played_at_another_time_is_not_answered() -> None:
    late = [later(look, 100) for look in series(UNEVEN, 0.01, 0.8)]
    assert respond([(at + 100.37, on) for at, on in CODE], late) is not None
    score = judged([later(look, 0.5 * SLOT_S * 7) for look in series(UNEVEN, 0.01, 0.8)]).score
    assert score is not None
    assert score < 0.5


@settings(derandomize=True, max_examples=40, deadline=None)
@given(scale=st.floats(0.3, 1.5), drift=st.floats(-0.05, 0.2))
def test_exposure_and_slow_light_change_little(scale: float, drift: float) -> None:
    one = respond(CODE, series(UNEVEN, 0.01, 0.2))
    other = respond(CODE, [later(look, 0, scale) for look in series(UNEVEN, 0.01, 0.2, drift=drift)])
    assert one is not None
    assert other is not None
    assert other.gain == pytest.approx(one.gain, rel=0.2)
    assert other.marks == pytest.approx(one.marks, rel=0.2)


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


DARK = (
    ((70, 63, 105), 5),
    ((300, 293, 334), 5),
    ((33, 133), 6),
    ((362, 263), 6),
    ((64,), 4),
    ((294,), 4),
    ((61, 0, 291, 17), 7),
)
"""What is dark in a face: points of the mesh, and half its height."""
Veil = Callable[[Series, Series, Points], Series]
"""What a lamp adds at (x, y) of a face: in parts of its own light, or in grey levels."""


def drawn(scatters: Veil, mirrors: Veil, seed: int = 1, shade: float = 1.0) -> Cue:
    """What is said of a drawn face with dark brows, eyes, nostrils and lips under a lamp that plays CODE."""
    chance = np.random.default_rng(seed)
    points = shape().copy() * 1000 + np.array([240.0, 160, 0])
    y, x = np.mgrid[:320, :480].astype(np.float64)
    own = np.full((320, 480), 40.0)
    own[np.hypot((x - 240) / 85, (y - 180) / 110) < 1] = 150 * shade
    for numbers, size in DARK:
        middle = points[list(numbers), :2].mean(0)
        own[np.hypot((x - middle[0]) / 2, y - middle[1]) < size] = 60 * shade
    lit = own * (1 + scatters(x, y, points)) + mirrors(x, y, points)
    check = LightCheck()
    check.play(CODE)
    for number in range(round(len(PATTERN) * SLOT_S * FPS)):
        at = (number + 0.4) / FPS
        image = (lit if lamp(at) else own) + chance.normal(0, 3, own.shape)
        check.add(np.repeat(np.clip(image, 0, 255).astype(np.uint8)[..., None], 3, 2), points, at)
    return check.judge()


def nothing(x: Series, _y: Series, _points: Points) -> Series:
    return np.zeros_like(x)


def relief(share: float, aside: float = 0.0) -> Veil:
    """What a head scatters: least at its sides; the lamp may stand aside."""
    return lambda x, _y, points: (
        share
        * np.clip(np.cos(1.1 * (x - points[168, 0]) / 85 - aside), 0, 1)
        * (np.abs(x - points[168, 0]) < 87)
    )


def spot(grey: float, number: int, radius: float) -> Veil:
    """What a glass mirrors, about a point of the mesh."""
    return lambda x, y, points: (
        grey
        * np.exp(
            -0.5 * np.square(np.hypot(*(axis - points[number, n] for n, axis in enumerate((x, y)))) / radius)
        )
    )


@pytest.mark.parametrize("aside", [0.0, 0.6, -1.0])
@pytest.mark.parametrize("shade", [1.0, 0.4])
def test_a_drawn_face_of_light_or_dark_skin_answers_a_lamp_before_or_beside_it(
    shade: float, aside: float
) -> None:
    score = drawn(relief(0.12, aside), nothing, shade=shade).score
    assert score is not None
    assert score > 0.8


@pytest.mark.parametrize("number", [4, 50, 280, 9, 152])
@pytest.mark.parametrize(("grey", "radius"), [(80, 50), (80, 30), (200, 12), (30, 80)])
def test_a_lamp_mirrored_by_glass_before_a_film_is_no_face_s_answer(
    number: int, grey: float, radius: float
) -> None:
    score = drawn(relief(0.005), spot(grey, number, radius)).score
    assert score is not None
    assert score <= 0.5


def test_the_sheen_of_skin_does_not_hide_that_it_scatters() -> None:
    score = drawn(relief(0.12), spot(6, 4, 60)).score
    assert score is not None
    assert score > 0.8


def test_no_veil_changes_the_picture_of_a_mark() -> None:
    image, points = frame(lambda _: 90.0)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    veiled = image + np.round(20 + 0.05 * x + 0.03 * y)[..., None]
    assert marked(veiled.astype(np.uint8), points) == pytest.approx(marked(image, points), abs=1.5)
    assert marked((image * 1.5).astype(np.uint8), points) == pytest.approx(
        1.5 * marked(image, points), abs=1.5
    )
    assert marked(image, points).std(1).max() > 5
    assert np.isnan(marked(image, points + ASIDE)).any()


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
    kept = check._seen[-1]
    check.wipe()
    assert not kept.light.any()
    assert not kept.marks.any()
    assert check.judge().score is None
