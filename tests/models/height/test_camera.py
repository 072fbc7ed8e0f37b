"""Rays, heights and the floor: what a camera sees is where optics has it."""

import msgspec
import numpy as np
import pytest

from hw_sim.camera.render import Lens, Mount
from models.height.calibration import CameraCalibration
from models.height.camera import GroundCamera

LEVEL = CameraCalibration(width=1280, height=720, focal_px=1200.0, height_m=1.2, tilt_deg=0.0)
TURNED = CameraCalibration(
    width=1280, height=720, focal_px=900.0, height_m=1.7, tilt_deg=18.0, roll_deg=3.0, cx=650.0, cy=350.0,
    distortion=(-0.15, 0.06, 0.0, 0.0, 0.0),
)  # fmt: skip
PLACES = np.array([[0.0, -1.2, 2.0], [0.3, 0.0, 2.5], [-0.4, -0.6, 1.8], [0.2, -1.6, 3.0]])


def test_without_tilt_the_horizon_is_the_height_of_the_camera_at_any_distance() -> None:
    camera = GroundCamera(LEVEL)
    middle = np.array([[640.0, 359.5]])
    for ahead in (0.5, 1.0, 4.0):
        assert camera.heights(middle, np.array([ahead])) == pytest.approx(1.2)


def test_a_point_is_found_where_it_is_projected_to() -> None:
    for calibration in (LEVEL, TURNED):
        camera = GroundCamera(calibration)
        pixels = camera.project(PLACES)
        assert camera.heights(pixels, PLACES[:, 2]) == pytest.approx(-PLACES[:, 1], abs=1e-4)


def test_the_floor_is_where_feet_are() -> None:
    camera = GroundCamera(TURNED)
    floor = np.array([[0.2, 0.0, 1.8], [-0.3, 0.0, 3.0]])
    assert camera.floor_ahead(camera.project(floor)) == pytest.approx(floor[:, 2], abs=1e-4)


def test_above_the_horizon_there_is_no_floor() -> None:
    assert np.isnan(GroundCamera(LEVEL).floor_ahead(np.array([[640.0, 300.0]]))).all()


def test_a_camera_that_looks_down_sees_the_horizon_higher() -> None:
    far = np.array([[0.0, -1.7, 1000.0]])
    down = msgspec.structs.replace(TURNED, roll_deg=0.0, distortion=())
    assert GroundCamera(down).project(far)[0, 1] == pytest.approx(350 - 900 * np.tan(np.deg2rad(18)), abs=0.1)


def test_a_camera_whose_right_side_is_lower_sees_the_horizon_rise_to_the_right() -> None:
    rolled = GroundCamera(msgspec.structs.replace(LEVEL, roll_deg=5.0))
    left, right = rolled.project(np.array([[-300.0, -1.2, 1000.0], [300.0, -1.2, 1000.0]]))
    assert right[1] < left[1]


def test_the_simulated_camera_hangs_as_its_calibration_says() -> None:
    mount, lens = Mount(1.7, np.deg2rad(18.0), np.deg2rad(3.0)), Lens(1280, 720, 900.0)
    camera = GroundCamera(msgspec.structs.replace(TURNED, cx=639.5, cy=359.5, distortion=()))
    level = PLACES + np.array([0, 1.6, 0])  # the simulator's origin is at its default camera
    seen = lens.project(mount.see(level.astype(np.float32)))
    assert camera.project(PLACES) == pytest.approx(seen - 0.5, abs=0.01)
