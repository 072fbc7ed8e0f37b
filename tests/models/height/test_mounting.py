"""The mounting is found from marks and upright boards, and poor marks are refused with advice."""

import msgspec
import numpy as np
import pytest

from models.height.calibration import CalibrationError, CameraCalibration
from models.height.camera import GroundCamera
from models.height.lens import corners
from models.height.mounting import Mark, marks_of_board, mounted
from tests.models.height.pictures import BOARD, marks, upright

TRUE = CameraCalibration(
    width=1280, height=720, focal_px=1000.0, height_m=1.7, tilt_deg=14.0, roll_deg=1.5, cx=645.0, cy=355.0
)
LENS = msgspec.structs.replace(TRUE, height_m=1.0, tilt_deg=0.0, roll_deg=0.0)
DOORS = [(x, y, z) for z in (2.0, 3.2) for x in (-0.4, 0.4) for y in (0.5, 1.5)]  # aside, high, ahead


def refused(given: list[Mark], height_m: float | None = None) -> CalibrationError:
    with pytest.raises(CalibrationError) as error:
        mounted(LENS, given, height_m)
    return error.value


@pytest.mark.parametrize("tilt_deg", [-10.0, 0.0, 14.0, 40.0])
def test_marks_at_two_distances_give_height_tilt_and_roll(tilt_deg: float) -> None:
    camera = GroundCamera(msgspec.structs.replace(TRUE, tilt_deg=tilt_deg))
    found = mounted(LENS, marks(camera, DOORS, noise_px=0.5))
    assert found.tilt_deg == pytest.approx(tilt_deg, abs=0.25)
    assert found.roll_deg == pytest.approx(1.5, abs=0.3)
    assert found.height_m == pytest.approx(1.7, abs=0.012)
    assert found.residual_px is not None
    assert found.residual_px < 1.5


def test_what_is_claimed_of_the_error_is_true() -> None:
    camera, tilts, heights = GroundCamera(TRUE), [], []
    for seed in range(40):
        found = mounted(LENS, marks(camera, DOORS, noise_px=0.7, seed=seed))
        tilts.append((found.tilt_deg - 14.0) / found.tilt_sigma_deg)
        heights.append((found.height_m - 1.7) / found.height_sigma_m)
    assert np.std(tilts) < 1.2
    assert np.std(heights) < 1.2


def test_a_height_by_tape_needs_fewer_marks() -> None:
    camera = GroundCamera(TRUE)
    near = [(x, y, 2.0) for x in (-0.4, 0.4) for y in (0.8, 1.5)]
    assert refused(marks(camera, near, noise_px=0.5)).code in {"tilt_uncertain", "height_uncertain"}
    found = mounted(LENS, marks(camera, near, noise_px=0.5), height_m=1.7)
    assert found.tilt_deg == pytest.approx(14.0, abs=0.15)
    assert found.height_m == pytest.approx(1.7, abs=0.005)


def test_upright_boards_are_marks_whatever_way_the_camera_is_turned_aside() -> None:
    camera, given = GroundCamera(TRUE), []
    for distance_m in (1.6, 3.0):
        seen = corners(upright(camera, 0.9, distance_m, pan_deg=3.0), BOARD)
        assert seen is not None
        given += marks_of_board(seen, BOARD, 0.9, distance_m, LENS)
    found = mounted(LENS, given)
    assert found.tilt_deg == pytest.approx(14.0, abs=0.1)
    assert found.roll_deg == pytest.approx(1.5, abs=0.1)
    assert found.height_m == pytest.approx(1.7, abs=0.005)


@pytest.mark.parametrize("turned_deg", [-8.0, 0.0, 4.0])
def test_boards_that_do_not_quite_face_the_camera_give_the_same_roll(turned_deg: float) -> None:
    camera, given = GroundCamera(TRUE), []
    for distance_m in (1.5, 3.0):
        seen = corners(upright(camera, 0.9, distance_m, turned_deg=turned_deg), BOARD)
        assert seen is not None
        given += marks_of_board(seen, BOARD, 0.9, distance_m, LENS)
    found = mounted(LENS, given)
    assert found.roll_deg == pytest.approx(1.5, abs=0.1)
    assert found.tilt_deg == pytest.approx(14.0, abs=0.1)
    assert found.height_m == pytest.approx(1.7, abs=0.005)


def test_a_mark_that_was_measured_wrongly_is_named() -> None:
    given = marks(GroundCamera(TRUE), DOORS, noise_px=0.3)
    given[4] = msgspec.structs.replace(given[4], height_m=given[4].height_m + 0.25)
    error = refused(given)
    assert error.code == "marks_disagree"
    assert "mark 5" in error.fix


def test_marks_at_one_height_and_distance_do_not_tell_how_a_camera_hangs() -> None:
    line = [(x, 1.2, 2.0) for x in (-0.2, 0.0, 0.2, 0.3)]
    assert refused(marks(GroundCamera(TRUE), line, noise_px=0.3)).code in {
        "tilt_uncertain",
        "height_uncertain",
    }


def test_three_marks_are_too_few() -> None:
    assert refused(marks(GroundCamera(TRUE), DOORS[:3], noise_px=0.1)).code == "number_of_marks"
