"""The lens is found from rendered chessboards, and too few, too flat or too bad views are refused."""

import functools

import cv2
import numpy as np
import pytest

from models.height.calibration import CalibrationError, CameraCalibration
from models.height.camera import GroundCamera
from models.height.lens import MIN_VIEWS, Board, calibrate, corners
from tests.models.height.pictures import BOARD, Image, held, upright

TRUE = CameraCalibration(
    width=640, height=480, focal_px=560.0, height_m=1.5, tilt_deg=10.0, cx=325.0, cy=236.0,
    distortion=(-0.12, 0.05, 0.0, 0.0, 0.0),
)  # fmt: skip


@functools.cache
def views() -> tuple[Image, ...]:
    camera = GroundCamera(TRUE)
    return tuple(held(camera, number) for number in range(16))


def refused(images: list[Image], board: Board = BOARD) -> CalibrationError:
    with pytest.raises(CalibrationError) as error:
        calibrate(images, board)
    return error.value


@pytest.mark.slow
def test_the_lens_is_found_from_views_of_a_board() -> None:
    found = calibrate(views(), BOARD)
    assert found.focal_px == pytest.approx(560.0, rel=0.005)
    assert abs(found.focal_px - 560.0) < 4 * found.focal_sigma_px
    assert (found.cx, found.cy) == pytest.approx((325.0, 236.0), abs=1.5)
    assert found.distortion[:2] == pytest.approx((-0.12, 0.05), abs=0.03)
    assert found.residual_px < 0.3
    assert MIN_VIEWS <= found.views <= 16


def test_corners_are_where_they_were_drawn_from_the_top_left() -> None:
    camera = GroundCamera(TRUE)
    found = corners(upright(camera, 1.2, 0.9), BOARD)
    assert found is not None
    down, across = np.mgrid[0:6, 0:9]
    places = np.stack([(across - 4) * 0.04, -(1.2 + (5 - down) * 0.04), np.full((6, 9), 0.9)], axis=-1)
    expected = camera.project(places.reshape(-1, 3)).reshape(6, 9, 2)
    assert found == pytest.approx(expected, abs=0.3)


def test_a_board_upside_down_is_the_same_board() -> None:
    image = upright(GroundCamera(TRUE), 1.2, 0.9)
    straight, turned = corners(image, BOARD), corners(np.ascontiguousarray(image[::-1, ::-1]), BOARD)
    assert straight is not None
    assert turned is not None
    assert turned == pytest.approx((np.array([639, 479]) - straight)[::-1, ::-1], abs=0.2)


def test_the_same_view_again_is_no_other_view() -> None:
    error = refused([views()[0]] * 12)
    assert error.code == "too_few_views"
    assert "1 different" in error.fix


def test_a_board_of_another_size_is_not_seen() -> None:
    assert refused(list(views()[:4]), Board(columns=8, rows=5, square_m=0.04)).code == "too_few_views"


def test_pictures_of_two_sizes_are_of_two_cameras() -> None:
    smaller = np.asarray(cv2.resize(views()[0], (320, 240)), np.uint8)
    assert refused([views()[0], smaller]).code == "sizes_differ"


def test_no_pictures_are_too_few() -> None:
    assert refused([]).code == "too_few_views"


def test_views_in_one_corner_say_little_of_the_lens() -> None:
    camera = GroundCamera(TRUE)
    far = [upright(camera, 1.2 + 0.03 * number, 0.9 + 0.02 * number) for number in range(10)]
    assert refused(far).code in {"views_cover_little", "focal_uncertain"}
