"""The motion check on rendered frames with meshes that geometry gives; the bench tries it with the nets."""

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from models.face import Face, eye_centres
from models.liveness.alignment import RELIEF, STABLE, cut
from models.liveness.cue import Cue
from models.liveness.motion import Motion, MotionCheck, logit, measure, trust
from models.tflite import Image
from tests.bench import liveness as bench
from tests.bench.liveness_fit import fitted
from tests.bench.presentations import Kind, Presentation, Way
from tests.models.liveness_views import LENS, filmed, seen, turned
from tests.models.portraits import MODELS

CONSTANTS = MODELS.liveness.motion
LIVE, ATTACK = MODELS.liveness.live_score, MODELS.liveness.attack_score


def checked(frames: Iterable[tuple[Image, Face, float]]) -> MotionCheck:
    check = MotionCheck(CONSTANTS)
    for image, face, at in frames:
        check.add(image, face.points, at)
    return check


def judged(presentation: Presentation) -> Cue:
    return checked(seen(presentation)).judge()


def measured(presentation: Presentation) -> Motion:
    motion = checked(seen(presentation)).measure()
    assert motion is not None
    return motion


@pytest.mark.parametrize("seed", range(2))
def test_a_head_that_comes_near_has_relief(seed: int) -> None:
    score = checked(filmed("person", "approach", seed)).judge().score
    assert score is not None
    assert score > LIVE


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ["flat", "bent", "wrapped", "mask"])
def test_a_print_that_comes_near_has_none_however_it_is_bent(kind: Kind, seed: int) -> None:
    score = checked(filmed(kind, "approach", seed)).judge().score
    assert score is not None
    assert score < ATTACK


@pytest.mark.parametrize("radius_m", [0.09, 0.15])
def test_a_bent_print_that_is_turned_where_it_stands_is_no_face(radius_m: float) -> None:
    bent = replace(turned("bent", 1, 15.0), radius_m=radius_m)
    score = judged(bent).score
    assert score is not None
    assert score < 0.5


def test_a_flat_print_that_is_swung_is_never_live_at_any_frame() -> None:
    check = MotionCheck(CONSTANTS)
    for image, face, at in seen(turned("flat", 2, 15.0)):
        check.add(image, face.points, at)
        score = check.judge().score
        assert score is None or score < 0.5


def test_a_head_that_turns_where_it_stands_shows_by_how_much() -> None:
    motion = measured(turned("person", 1, 8.0))
    assert 0.5 < motion.span / np.deg2rad(16.0) < 1.3, "a part of a turn looks like that of a bent sheet"
    assert motion.turned > 5 * motion.error


@pytest.mark.parametrize("way", ["frozen", "afar"])
@pytest.mark.parametrize("kind", ["person", "flat", "bent"])
def test_what_does_not_move_is_no_evidence_near_or_far(kind: Kind, way: Way) -> None:
    cue = checked(filmed(kind, way, 3)).judge()
    assert cue.score is None
    assert "too little movement" in cue.reason


def test_one_picture_again_and_again_is_no_evidence() -> None:
    image, face, _ = filmed("person", "approach", 1)[0]
    assert checked((image, face, number / 15) for number in range(20)).judge().score is None


def test_a_few_frames_are_no_evidence() -> None:
    frames = list(filmed("person", "approach", 0))
    cue = checked(frames[: CONSTANTS.min_frames - 1]).judge()
    assert (cue.score, cue.reason) == (None, "too few views of the face")


def test_a_face_without_detail_is_no_evidence() -> None:
    grey = np.full((LENS.height, LENS.width, 3), 128, np.uint8)
    frames = [(grey, face, at) for _, face, at in filmed("person", "approach", 0, whole=True)]
    cue = checked(frames).judge()
    assert (cue.score, cue.reason) == (None, "too little detail in the face")


def ten_of_a_walk(kind: Kind, seed: int) -> list[tuple[Image, Face, float]]:
    frames = filmed(kind, "walk", seed, seconds=2.5)
    return [frames[number] for number in np.linspace(0, len(frames) - 1, 10).round().astype(int)]


@pytest.mark.parametrize("seed", range(3))
def test_ten_frames_spread_over_a_walk_from_afar_are_enough_for_a_person(seed: int) -> None:
    score = checked(ten_of_a_walk("person", seed)).judge().score
    assert score is not None
    assert score > LIVE


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["flat", "bent", "wrapped"])
def test_ten_frames_spread_over_a_walk_never_make_a_print_live(kind: Kind, seed: int) -> None:
    score = checked(ten_of_a_walk(kind, seed)).judge().score
    assert score is None or score < 0.5


def test_a_view_counts_by_how_exactly_it_tells_the_turn() -> None:
    fits = list(checked(filmed("person", "approach", 1)).fits)
    before = measure(fits)
    astray = fits[3]._replace(found=fits[3].found + 0.3, noise=1.0)
    weighed = measure([*fits, astray, astray])
    assert weighed.turned == pytest.approx(before.turned, rel=0.05)
    assert weighed.relief == pytest.approx(before.relief, rel=0.05)
    sure = astray._replace(noise=fits[3].noise)
    assert measure([*fits, sure, sure]).turned > 2 * before.turned


def test_growth_is_measured_on_the_texture_and_not_on_the_mesh() -> None:
    chance = np.random.default_rng(4)
    frames = []
    for image, face, at in filmed("person", "frozen", 1):
        points, middle = face.points.copy(), eye_centres(face.points).mean(0)
        points[:, :2] = middle + (points[:, :2] - middle) * chance.uniform(0.94, 1.06)
        frames.append((image, Face(points=points, presence=1.0), at))
    motion = checked(frames).measure()
    assert motion is not None
    assert motion.growth < 0.03


@pytest.mark.parametrize("wrong", range(2))
def test_a_wrong_mesh_at_the_beginning_costs_no_evidence(wrong: int) -> None:
    frames = ten_of_a_walk("person", 1)
    image, face, at = frames[wrong]
    points = face.points.copy()
    points[:, :2] += 0.6 * face.eye_distance
    frames[wrong] = image, Face(points=points, presence=1.0), at
    score = checked(frames).judge().score
    assert score is not None
    assert score > LIVE


def test_a_mesh_gone_astray_is_no_view() -> None:
    image, face, _ = filmed("person", "approach", 1)[0]
    points = face.points.copy()
    away = np.setdiff1d(STABLE, [33, 133, 263, 362])
    points[away, :2] = np.clip(points[away, :2] + 400, 0, np.array(image.shape[1::-1]) - 1)
    assert MotionCheck(CONSTANTS).view(image, points) is None


def test_the_absence_of_relief_counts_the_less_the_less_exactly_a_turn_is_known() -> None:
    motion = replace(
        measured(turned("person", 1, 8.0)), growth=CONSTANTS.attack_growth, tilted=0.0, error=0.001
    )
    assert trust(motion, -1.0, CONSTANTS) == 1
    assert trust(replace(motion, error=2 * CONSTANTS.attack_error), -1.0, CONSTANTS) == 0.5


def test_irregular_times_and_dropped_frames_make_nobody_an_attacker() -> None:
    frames = list(filmed("person", "approach", 1, seconds=2.0))
    chance = np.random.default_rng(5)
    for _ in range(5):
        kept = [frame for frame in frames if chance.random() < 0.6]
        score = checked(kept).judge().score
        assert score is None or score > 0.5


def test_after_a_gap_nothing_before_it_counts() -> None:
    frames = list(filmed("person", "approach", 1))
    check = checked(frames)
    assert check.judge().score is not None
    image, face, at = frames[-1]
    check.add(image, face.points, at + 1.5)
    assert check.judge().score is None
    assert check.frames == 1


def test_what_was_known_stays_known_when_a_window_is_full() -> None:
    few = CONSTANTS.min_frames + 4
    frames = list(filmed("person", "approach", 1))
    check = MotionCheck(CONSTANTS.__class__(**{**_fields(CONSTANTS), "window": few}))
    for image, face, at in frames[:few]:
        check.add(image, face.points, at)
    before = check.judge().score
    image, face, at = frames[few - 1]
    for number in range(1, 12):
        check.add(image, face.points, at + number / 15)
    assert before is not None
    assert check.judge().score == pytest.approx(before, abs=0.05)


def _fields(constants: object) -> dict[str, object]:
    return {name: getattr(constants, name) for name in constants.__struct_fields__}  # type: ignore[attr-defined]  # msgspec does not type the names of fields


def test_a_face_that_is_far_away_is_left_out() -> None:
    frames = list(filmed("person", "approach", 1))
    image, face, at = frames[0]
    middle = eye_centres(face.points).mean(0)
    far = face.points.copy()
    far[:, :2] = middle + (far[:, :2] - middle) * 0.2
    check = MotionCheck(CONSTANTS)
    check.add(image, far, at)
    assert check.frames == 0


def test_turning_the_whole_picture_changes_little() -> None:
    frames = list(filmed("person", "approach", 1, whole=True))[:12]
    rolled = []
    for image, face, at in frames:
        points = face.points.copy()
        points[:, 0], points[:, 1] = image.shape[0] - 1 - face.points[:, 1], face.points[:, 0]
        rolled.append((np.ascontiguousarray(np.rot90(image, -1)), Face(points=points, presence=1.0), at))
    one, other = checked(frames).measure(), checked(rolled).measure()
    assert one is not None
    assert other is not None
    assert other.turned == pytest.approx(one.turned, rel=0.15)
    assert other.growth == pytest.approx(one.growth, rel=1e-3)


def test_the_mesh_s_own_idea_of_depth_is_no_evidence() -> None:
    """A print's mesh leans by a quarter towards a head, so its points turn as a head's; its texture not."""
    motion = measured(turned("flat", 1, 15.0))
    assert motion.turned < np.deg2rad(15.0 / np.sqrt(2)) / 20


def test_lips_lids_and_rim_are_not_looked_at() -> None:
    image, face, _ = filmed("person", "approach", 1)[0]
    loose = np.setdiff1d(np.arange(468), [*STABLE, 33, 133, 263, 362])
    moved = face.points.copy()
    moved[loose] += 5
    one, other = cut(image, face.points), cut(image, moved)
    assert np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.points, other.points)


def test_a_better_sign_of_relief_never_lowers_the_ratio() -> None:
    motion = measured(turned("person", 1, 8.0))
    assert logit(replace(motion, turned=motion.turned * 2), CONSTANTS) >= logit(motion, CONSTANTS)
    assert logit(replace(motion, relief=motion.relief * 2), CONSTANTS) >= logit(motion, CONSTANTS)


def test_lack_of_relief_counts_only_after_an_approach_or_a_tilt() -> None:
    motion = replace(measured(turned("person", 1, 8.0)), growth=0.0, tilted=0.0, span=1.0)
    assert trust(motion, 1.0, CONSTANTS) == 1
    assert trust(motion, -1.0, CONSTANTS) == 0
    near = replace(motion, growth=2 * CONSTANTS.attack_growth)
    assert trust(near, -1.0, CONSTANTS) == 1
    assert trust(replace(near, frames=CONSTANTS.attack_frames - 1), -1.0, CONSTANTS) < 1


def test_the_relief_is_what_neither_plane_nor_bend_explains() -> None:
    check = checked(seen(turned("bent", 1, 12.0)))
    motion = measure(list(check.fits))
    assert motion.bend > 10 * motion.relief
    assert max(np.abs(fit.found[RELIEF]).max() for fit in check.fits) < 0.1


def test_wipe_overwrites_and_forgets() -> None:
    frames = list(filmed("person", "approach", 1))
    check = checked(frames)
    first, fits = check._first, list(check.fits)[1:]
    assert first is not None
    check.wipe()
    for array in (first._values, first._changes, first._samples, *(fit.found for fit in fits)):
        assert not array.any()
    assert check.judge().score is None
    assert check.frames == 0
    assert all(face.points.any() for _, face, _ in frames), "the caller's points are the caller's"


def test_the_fit_finds_what_separates() -> None:
    chance = np.random.default_rng(2)
    signs = chance.normal(0, [2.0, 1.0], (400, 2))
    live = signs @ np.array([1.5, -0.5]) + 0.5 + chance.logistic(0, 0.5, 400) > 0
    weights, bias = fitted(signs, live)
    assert weights[0] > 0 > weights[1]
    assert ((signs @ weights + bias > 0) == live).mean() > 0.85


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_bench_tells_its_rates_in_the_words_of_the_standard(capsys: pytest.CaptureFixture[str]) -> None:
    bench.run(quick=True)
    told = capsys.readouterr().out
    for row in (*bench.APPROACHES, *bench.SWUNG, *bench.STILL, *bench.WALKS):
        line = next(line for line in told.splitlines() if line.startswith(f"  {row.name:41}"))
        assert re.search(r"BPCER +0\.00%" if row.bona_fide else r"APCER +0\.00%", line)
    assert "APNRR 100.0%" in next(line for line in told.splitlines() if "flat print, quite still" in line)
