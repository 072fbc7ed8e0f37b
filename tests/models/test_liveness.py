"""The motion check on tracks that geometry gives; `python -m tests.bench liveness` tries it on pictures."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face import Points, eye_centres
from models.liveness.motion import STABLE, Evidence, MotionCheck, measure
from tests.bench import liveness as bench
from tests.models.heads import APPROACH, STILL, Kind, shape, tracks
from tests.models.portraits import MODELS

CONSTANTS = MODELS.liveness
SEEDS = range(100, 120)
FAR = np.full(24, 1.6)  # the eyes are 47 px apart


def judged(frames: Iterable[Points]) -> Evidence:
    check = MotionCheck(CONSTANTS)
    for points in frames:
        check.add(points)
    return check.judge()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_head_that_comes_near_is_live(seed: int) -> None:
    evidence = judged(tracks("head", APPROACH, seed))
    assert evidence.verdict == "live"
    assert evidence.score >= CONSTANTS.live_score


@pytest.mark.parametrize("seed", SEEDS)
def test_a_head_that_turns_where_it_stands_is_live(seed: int) -> None:
    assert judged(tracks("head", STILL, seed)).verdict == "live"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flat_print_that_comes_near_is_an_attack(seed: int) -> None:
    evidence = judged(tracks("flat", APPROACH, seed))
    assert evidence.verdict == "attack"
    assert evidence.score <= CONSTANTS.attack_score


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["flat", "bent"])
@pytest.mark.parametrize("yaw_deg", [0.0, 2.0, 4.0, 8.0])
def test_a_print_is_never_live_at_any_frame(kind: Kind, seed: int, yaw_deg: float) -> None:
    check = MotionCheck(CONSTANTS)
    for points in tracks(kind, APPROACH, seed, yaw_deg=yaw_deg):
        check.add(points)
        assert check.judge().verdict != "live"


@pytest.mark.parametrize("kind", ["head", "flat", "bent"])
def test_what_does_not_move_is_undetermined(kind: Kind) -> None:
    for seed in SEEDS:
        evidence = judged(tracks(kind, STILL, seed, yaw_deg=0.0))
        assert evidence.verdict == "undetermined"
        assert CONSTANTS.attack_score <= evidence.score < CONSTANTS.live_score


@pytest.mark.parametrize("kind", ["head", "flat"])
def test_a_picture_that_is_the_same_in_every_frame_is_undetermined(kind: Kind) -> None:
    one = tracks(kind, STILL, 1)[0]
    assert judged([one] * 30).verdict == "undetermined"


def test_a_print_that_is_only_turned_is_no_attack_yet() -> None:
    for seed in SEEDS:
        assert judged(tracks("flat", STILL, seed)).verdict == "undetermined"


@pytest.mark.parametrize("noise_px", [0.4, 0.8])
def test_noise_that_hides_relief_makes_nobody_an_attacker(noise_px: float) -> None:
    for seed in SEEDS:
        assert judged(tracks("head", APPROACH, seed, noise_px=noise_px)).verdict != "attack"


def test_a_few_frames_are_no_evidence() -> None:
    head, flat = tracks("head", APPROACH, 1), tracks("flat", APPROACH, 1)
    for frames in (head, flat):
        evidence = judged(frames[: CONSTANTS.min_frames - 1])
        assert evidence == Evidence(verdict="undetermined", score=0.5, motion=None)
    assert judged([]).verdict == "undetermined"
    assert judged(flat[:: len(flat) // CONSTANTS.min_frames]).verdict == "undetermined", (
        "too few for an attack"
    )


def test_a_face_that_is_far_away_is_left_out() -> None:
    frames = tracks("head", FAR, 1)
    eyes = eye_centres(frames[0])
    assert np.hypot(*(eyes[1] - eyes[0])) < CONSTANTS.min_eyes_px
    assert judged(frames).motion is None
    assert judged([*frames, *tracks("head", APPROACH, 1)]) == judged(tracks("head", APPROACH, 1))


def test_only_the_last_frames_count() -> None:
    late = tracks("head", np.linspace(1.2, 0.7, CONSTANTS.window), 3)
    assert judged([*tracks("flat", STILL, 2), *late]) == judged(late)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 50),
    degrees=st.floats(-40, 40),
    scale=st.floats(0.8, 3),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_turning_scaling_and_moving_the_whole_picture_changes_nothing(
    seed: int, degrees: float, scale: float, shift: tuple[float, float]
) -> None:
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    frames = tracks("head", APPROACH, seed)
    changed = [np.column_stack([f[:, :2] @ turn.T + shift, f[:, 2] * scale]) for f in frames]
    one, other = measure(frames), measure(changed)
    assert other.frames == one.frames
    assert other.parallax == pytest.approx(one.parallax, rel=1e-6)
    assert other.share == pytest.approx(one.share, rel=1e-6)
    assert other.nearing == pytest.approx(one.nearing, rel=1e-6, abs=1e-9)
    assert other.approach == pytest.approx(one.approach, rel=1e-6)


def test_the_signs_of_relief_tell_a_head_from_a_print() -> None:
    head, flat, bent = (measure(tracks(kind, APPROACH, 5)) for kind in ("head", "flat", "bent"))
    assert head.parallax > bent.parallax > flat.parallax
    assert head.share > bent.share > flat.share
    assert head.nearing > bent.nearing > flat.nearing
    assert head.approach == pytest.approx(flat.approach, abs=0.05)


def test_a_mesh_without_depth_has_no_share() -> None:
    frames = [np.column_stack([f[:, :2], np.zeros(len(f))]) for f in tracks("head", APPROACH, 1)]
    assert measure(frames).share == pytest.approx(0, abs=1e-9)
    assert judged(frames).verdict != "live"


def test_lips_lids_and_rim_are_not_looked_at() -> None:
    calm = tracks("head", APPROACH, 1)
    speaking = [points.copy() for points in calm]
    loose = np.setdiff1d(np.arange(len(shape())), [*STABLE, 33, 133, 263, 362])  # eye corners give the scale
    chance = np.random.default_rng(4)
    for points in speaking:
        points[loose] += chance.normal(0, 5, (len(loose), 3))
    assert measure(speaking) == measure(calm)


def test_wipe_overwrites_and_forgets() -> None:
    check = MotionCheck(CONSTANTS)
    frames = tracks("head", APPROACH, 1)
    for points in frames:
        check.add(points)
    kept = list(check._tracks)
    check.wipe()
    assert kept
    assert all(not points.any() for points in kept)
    assert check.judge().motion is None
    assert all(points.any() for points in frames), "the caller's points are the caller's"


def test_a_frame_that_falls_out_of_the_window_is_overwritten() -> None:
    check = MotionCheck(CONSTANTS)
    check.add(tracks("head", STILL, 1)[0])
    oldest = check._tracks[0]
    for points in tracks("head", np.full(CONSTANTS.window, 0.75), 2):
        check.add(points)
    assert not oldest.any()


@pytest.mark.slow
def test_the_bench_tells_its_rates_in_the_words_of_the_standard(capsys: pytest.CaptureFixture[str]) -> None:
    bench.run(quick=True)
    told = capsys.readouterr().out
    for kind in bench.BENDS:
        assert f"{kind:22} APCER 0.0% (0 of 1;" in told
    assert "BPCER 0.0% (0 of 1;" in told
    assert "4 presentations by 6 rendered people" in told
