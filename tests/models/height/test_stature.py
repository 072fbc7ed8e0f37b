"""The height of a walk from its frames: sightings are made up, so that the truth is known."""

import dataclasses
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from gated.core.stature import tall_enough
from models.height import proportions
from models.height.calibration import CameraCalibration
from models.height.sighting import Sighting
from models.height.stature import MIN_FRAMES, Stature, estimate
from models.height.steps import MIN_FEET

LEVEL = CameraCalibration(width=1280, height=720, focal_px=1200.0, height_m=1.2, tilt_deg=0.0)
HIGH = CameraCalibration(width=1280, height=720, focal_px=1000.0, height_m=1.7, tilt_deg=22.0)


def walk(
    height_m: float,
    camera: CameraCalibration,
    *,
    hair_m: float = proportions.HAIR_M,
    face: float = 1.0,
    feet: bool = False,
    sink: Callable[[float], float] = lambda at: 0.0,  # noqa: ARG005 - of time
    frames: int = 24,
) -> list[Sighting]:
    """Somebody who walks from 3 m to 1 m; `face`: the size of the face against what is usual."""
    sightings = []
    for number in range(frames):
        at = number / 15
        ahead = 3.0 - 2.0 * number / max(frames - 1, 1)
        long = proportions.face_m(height_m) * face
        eyes_ahead = ahead - proportions.BEHIND * long
        crown = height_m - sink(at)
        eyes = crown - proportions.SKULL * long
        rise = (crown + hair_m - camera.height_m) / ahead
        top = crown + hair_m + proportions.ROUND_M * (np.sqrt(1 + rise**2) - 1)
        sightings.append(
            Sighting(
                at=at,
                outline_rise=(top - camera.height_m) / ahead,
                eyes_rise=(eyes - camera.height_m) / eyes_ahead,
                eyes_range=eyes_ahead / (proportions.eyes_apart_m(height_m) * face),
                chin_range=eyes_ahead / long,
                feet_ahead_m=ahead - proportions.TOE * height_m if feet and number % 2 == 0 else None,
            )
        )
    return sightings


def found(sightings: list[Sighting], camera: CameraCalibration) -> Stature:
    stature = estimate(sightings, camera)
    assert stature is not None
    return stature


@pytest.mark.parametrize("height_m", [1.05, 1.18, 1.22, 1.5, 1.8])
@pytest.mark.parametrize("camera", [LEVEL, HIGH])
def test_a_walk_of_a_usual_person_gives_their_height(height_m: float, camera: CameraCalibration) -> None:
    stature = found(walk(height_m, camera, feet=camera is HIGH), camera)
    assert stature.height_m == pytest.approx(height_m, abs=0.005)
    assert stature.method == ("feet" if camera is HIGH else "horizon")
    assert not stature.is_covered


def test_at_the_horizon_a_face_of_unusual_size_changes_nothing() -> None:
    for face in (0.85, 1.15):
        for height_m in (1.18, 1.22):
            stature = found(walk(height_m, LEVEL, face=face), LEVEL)
            assert stature.height_m == pytest.approx(height_m, abs=0.012)


def test_far_from_the_horizon_a_face_of_unusual_size_is_within_the_error() -> None:
    for height_m, camera in ((1.12, LEVEL), (1.7, LEVEL), (1.6, HIGH)):
        stature = found(walk(height_m, camera, face=1.1), camera)
        assert 0.005 < abs(stature.height_m - height_m) < stature.error_m


def test_feet_make_up_for_a_face_of_unusual_size() -> None:
    stature = found(walk(1.2, HIGH, face=1.1, feet=True), HIGH)
    assert stature.method == "feet"
    assert stature.height_m == pytest.approx(1.2, abs=0.012)


def test_nobody_far_below_the_camera_is_measured_by_the_face_alone() -> None:
    for height_m in (1.05, 1.18, 1.35):
        assert estimate(walk(height_m, HIGH), HIGH) is None


@pytest.mark.parametrize("face", [1.2, 1.6])
def test_faces_that_are_misread_while_no_feet_are_seen_do_not_make_a_child_tall(face: float) -> None:
    misread = walk(1.18, HIGH, face=face)[:10]
    rest = walk(1.18, HIGH, feet=True)[10:]
    stature = found(misread + rest, HIGH)
    assert (stature.method, stature.frames) == ("feet", len(rest) - 1)  # the last one has none after it
    assert stature.height_m == pytest.approx(1.18, abs=0.006)


def test_fewer_than_five_looks_at_feet_are_no_measurement_by_feet() -> None:
    frames = walk(1.18, HIGH, feet=True)
    few = [without_feet(each) if number >= 2 * (MIN_FEET - 1) else each for number, each in enumerate(frames)]
    assert estimate(few, HIGH) is None
    assert estimate([*few, dataclasses.replace(frames[8], at=frames[7].at + 0.01)], HIGH) is not None


def test_what_is_taken_for_a_foot_in_some_frames_does_not_make_a_child_tall() -> None:
    frames = walk(1.18, HIGH, feet=True)
    for number in (4, 12, 14, 20):
        seen = frames[number].feet_ahead_m
        assert seen is not None
        frames[number] = dataclasses.replace(frames[number], feet_ahead_m=seen - 0.4)
    assert found(frames, HIGH).height_m == pytest.approx(1.18, abs=0.008)


@pytest.mark.parametrize("stain_m", [1.4, 1.6, 1.8])
def test_a_stain_that_is_taken_for_the_feet_does_not_make_a_child_tall(stain_m: float) -> None:
    frames = [
        each
        if each.feet_ahead_m is None
        else dataclasses.replace(each, feet_ahead_m=min(each.feet_ahead_m, stain_m))
        for each in walk(1.18, HIGH, feet=True)
    ]
    stature = estimate(frames, HIGH)
    assert stature is None or tall_enough(stature.height_m, stature.error_m, 1.2) != "yes"


def test_who_walks_fast_is_taken_to_stand_a_little_higher_than_they_come() -> None:
    fast = walk(1.18, HIGH, feet=True)  # 1.3 m a second
    slow = [dataclasses.replace(each, at=2.5 * each.at) for each in fast]
    gained = found(fast, HIGH).height_m - found(slow, HIGH).height_m
    assert 0.4 * proportions.LOST_M < gained <= proportions.LOST_M
    assert proportions.lost_m(3.0) == proportions.LOST_M
    assert proportions.lost_m(0.0) == 0.0


def test_feet_that_scatter_make_a_height_less_certain() -> None:
    frames = walk(1.18, HIGH, feet=True)
    shaken = [
        each
        if each.feet_ahead_m is None
        else dataclasses.replace(each, feet_ahead_m=each.feet_ahead_m + 0.08 * (-1) ** (number // 2))
        for number, each in enumerate(frames)
    ]
    assert found(shaken, HIGH).error_m > 1.5 * found(frames, HIGH).error_m


def test_frames_that_disagree_make_a_height_less_certain() -> None:
    frames = walk(1.18, HIGH, feet=True)
    apart = []
    for number, each in enumerate(frames):
        assert each.outline_rise is not None
        apart.append(
            dataclasses.replace(
                each,
                outline_rise=each.outline_rise + 0.01 * (-1) ** (number // 4),
                eyes_rise=each.eyes_rise + 0.01 * (-1) ** (number // 4),
            )
        )
    unsure = found(apart, HIGH)
    assert unsure.error_m > 1.5 * found(frames, HIGH).error_m
    assert tall_enough(unsure.height_m, unsure.error_m, 1.2) != "yes"


@pytest.mark.parametrize("chin", [0.6, 0.8])
def test_a_small_face_that_reads_too_large_leaves_the_usual_hair_on_nobody(chin: float) -> None:
    frames = [
        dataclasses.replace(each, chin_range=each.chin_range * chin) for each in walk(1.19, HIGH, feet=True)
    ]
    assert found(frames, HIGH).height_m == pytest.approx(1.19, abs=0.006)


def without_feet(sighting: Sighting) -> Sighting:
    return dataclasses.replace(sighting, feet_ahead_m=None)


def test_who_bobs_is_as_tall_as_who_stands() -> None:
    def sink(at: float) -> float:
        return 0.015 * (1 + np.sin(12 * at))

    stature = found(walk(1.22, LEVEL, sink=sink), LEVEL)
    assert stature.height_m == pytest.approx(1.22, abs=0.008)


def test_hair_is_taken_off_in_part() -> None:
    flat, thick = (found(walk(1.2, LEVEL, hair_m=hair), LEVEL).height_m for hair in (0.0, 0.03))
    assert flat == pytest.approx(1.2, abs=0.01)
    assert 0.005 < thick - flat < 0.025


def test_what_lies_behind_a_head_in_some_frames_does_not_make_it_tall() -> None:
    frames = walk(1.19, LEVEL)
    for number in (3, 12, 21, 22, 23):
        seen = frames[number].outline_rise
        assert seen is not None
        frames[number] = dataclasses.replace(frames[number], outline_rise=seen + 0.06)
    assert found(frames, LEVEL).height_m == pytest.approx(1.19, abs=0.006)


@pytest.mark.parametrize("hair_m", [0.05, 0.08, 0.15])
def test_a_bun_does_not_make_a_child_tall(hair_m: float) -> None:
    stature = found(walk(1.18, LEVEL, hair_m=hair_m), LEVEL)
    assert stature.is_covered
    assert stature.height_m < 1.20
    assert stature.error_m > found(walk(1.18, LEVEL), LEVEL).error_m


def test_a_tilt_that_is_less_certain_makes_a_height_less_certain() -> None:
    unsure = msgspec.structs.replace(LEVEL, tilt_sigma_deg=1.0)
    assert found(walk(1.2, unsure), unsure).error_m > 2 * found(walk(1.2, LEVEL), LEVEL).error_m


def test_a_crown_above_the_picture_is_told_from_the_face() -> None:
    cut = [without_crown(each) for each in walk(1.8, LEVEL)]
    stature = found(cut, LEVEL)
    assert stature.height_m == pytest.approx(1.8, abs=0.02)


def without_crown(sighting: Sighting) -> Sighting:
    return Sighting(
        at=sighting.at,
        outline_rise=None,
        eyes_rise=sighting.eyes_rise,
        eyes_range=sighting.eyes_range,
        chin_range=sighting.chin_range,
    )


def test_few_frames_are_no_measurement() -> None:
    assert estimate(walk(1.2, LEVEL, frames=MIN_FRAMES - 1), LEVEL) is None
    assert estimate(walk(1.2, LEVEL, frames=MIN_FRAMES), LEVEL) is not None


def test_what_has_no_persons_height_is_none() -> None:
    assert estimate(walk(0.3, LEVEL), LEVEL) is None
