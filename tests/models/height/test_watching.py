"""From rendered frames to a height, with the networks that the manifest names."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from gated.core.stature import tall_enough
from hw_sim.camera.render import GATE_LENS, Lens, Mount
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from models import manifest
from models.face import FaceReader
from models.height.calibration import CalibrationError, CameraCalibration
from models.height.outline import Outline
from models.height.stature import HeightCheck
from models.height.watching import Measured, find, measure
from models.manifest import ModelError
from models.tflite import Image

LEVEL = CameraCalibration(width=1280, height=720, focal_px=1200.0, height_m=1.2, tilt_deg=0.0)
FEET = CameraCalibration(width=720, height=1280, focal_px=1000.0, height_m=1.7, tilt_deg=22.0)
PATH = (Waypoint(time_s=0, distance_m=2.4), Waypoint(time_s=1.2, distance_m=1.2))


def frames(
    calibration: CameraCalibration, stature_m: float, person: str, seed: int
) -> Iterator[tuple[Image, float]]:
    lens = Lens(calibration.width, calibration.height, calibration.focal_px)
    mount = Mount(calibration.height_m, float(np.deg2rad(calibration.tilt_deg)))
    walker = Walker(person=person, path=PATH, seed=seed, stature_m=stature_m)
    scene = Scene(present=(walker,), seed=1, lens=lens, mount=mount)
    return ((picture(scene, number / 10), number / 10) for number in range(12))


def measured(
    calibration: CameraCalibration, stature_m: float, person: str = "stranger-77", seed: int = 3
) -> Measured:
    return measure(frames(calibration, stature_m, person, seed), calibration, manifest.load())


@pytest.mark.parametrize(("stature_m", "person"), [(1.18, "ada"), (1.22, "stranger-77"), (1.35, "emmy")])
def test_a_camera_at_the_height_of_the_rule_measures_by_the_horizon(stature_m: float, person: str) -> None:
    found = measured(LEVEL, stature_m, person)
    assert found.stature is not None
    assert found.stature.method == "horizon"
    assert found.stature.height_m == pytest.approx(stature_m, abs=0.018)
    assert abs(found.stature.height_m - stature_m) < found.stature.error_m
    assert found.with_face == found.frames == 12


@pytest.mark.parametrize("stature_m", [1.18, 1.6])
def test_a_camera_that_sees_the_feet_measures_by_them(stature_m: float) -> None:
    found = measured(FEET, stature_m)
    assert found.stature is not None
    assert found.stature.method == "feet"
    assert found.stature.height_m == pytest.approx(stature_m, abs=0.022)


def test_a_child_two_centimetres_too_short_is_not_accepted() -> None:
    stature = measured(LEVEL, 1.18, "sofia", seed=8).stature
    assert stature is not None
    assert tall_enough(stature.height_m, stature.error_m, 1.2) != "yes"


def test_an_empty_lane_has_no_height() -> None:
    scene = Scene(lens=GATE_LENS, mount=Mount(1.2))
    empty = [(picture(scene, number / 10), number / 10) for number in range(3)]
    found = measure(empty, LEVEL, manifest.load())
    assert (found.stature, found.reason, found.frames) == (None, "no_face", 3)


def test_a_glimpse_is_too_few_frames() -> None:
    few = list(frames(LEVEL, 1.3, "ada", 3))[8:11]
    found = measure(few, LEVEL, manifest.load())
    assert (found.stature, found.reason, found.with_face) == (None, "too_few_frames", 3)


def test_frames_of_another_size_are_not_of_this_camera() -> None:
    with pytest.raises(CalibrationError, match="other_image_size"):
        measure([(np.zeros((480, 640, 3), np.uint8), 0.0)], LEVEL, manifest.load())


def test_a_wiped_check_knows_nobody() -> None:
    models = manifest.load()
    reader, check = FaceReader(models), HeightCheck(LEVEL, models.height)
    for image, at in list(frames(LEVEL, 1.3, "ada", 3))[6:]:
        face = reader.read(image, reader.detect(image)[0])
        assert face is not None
        check.add(image, face, at)
    assert check.judge() is not None
    check.wipe()
    assert check.frames == 0
    assert check.judge() is None
    for outline in (check._head, check._body):
        assert not outline._interpreter.get_tensor(outline._input).any()


def test_frames_that_come_faster_than_needed_cost_nothing() -> None:
    models = manifest.load()
    reader, check = FaceReader(models), HeightCheck(LEVEL, models.height)
    image, _ = list(frames(LEVEL, 1.3, "ada", 3))[9]
    face = reader.read(image, reader.detect(image)[0])
    assert face is not None
    for number in range(10):
        check.add(image, face, number * 0.02)
    assert check.frames == 2


def test_a_face_that_is_small_in_the_whole_picture_is_found_in_a_part() -> None:
    reader = FaceReader(manifest.load())
    small = CameraCalibration(width=1280, height=720, focal_px=800.0, height_m=1.7, tilt_deg=25.0)
    image, _ = next(frames(msgspec.structs.replace(small), 1.18, "ada", 3))
    assert reader.detect(image) == ()
    (face,) = find(reader, image)
    assert 600 < face.eyes[:, 0].mean() < 680


def test_an_outline_is_where_the_person_is() -> None:
    walker = Walker(person="carl", path=(Waypoint(time_s=0, distance_m=1.5),), seed=2)
    image = picture(Scene(present=(walker,)), 1.0)
    outline = Outline(manifest.load().height.head)
    scale, left, top = 4.0, 640 - 4.0 * 128, 50.0
    person = outline.read(image, np.array([[scale, 0, left], [0, scale, top]], np.float64))
    assert person.shape == (144, 256)
    assert person[100, 128] > 0.9
    assert person[:5].max() < 0.5
    assert person[:, :20].max() < 0.5


def test_another_network_is_not_taken_for_an_outline() -> None:
    models = manifest.load()
    with pytest.raises(ModelError, match="TFLite cannot run it"):
        Outline(models.detector)
