"""Pictures of a chessboard and of marks, as a camera with a known lens and mounting would take them."""

import functools

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from models.height.calibration import CameraCalibration
from models.height.camera import GroundCamera
from models.height.lens import Board
from models.height.mounting import Mark

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

BOARD = Board(columns=9, rows=6, square_m=0.04)
_PX = 48  # of a square of the printed board
_MARGIN = 1  # squares of white paper around it


def printed(board: Board = BOARD) -> Image:
    """The board as printed: squares around the inner corners, and a margin."""
    rows, columns = board.rows + 1 + 2 * _MARGIN, board.columns + 1 + 2 * _MARGIN
    down, across = np.mgrid[0:rows, 0:columns]
    inside = (down >= _MARGIN) & (down < rows - _MARGIN) & (across >= _MARGIN) & (across < columns - _MARGIN)
    dark = ((down + across) % 2 == 0) & inside
    return np.kron(np.where(dark, 25, 235), np.ones((_PX, _PX))).astype(np.uint8)


def photograph(camera: GroundCamera, origin: Points, across: Points, down: Points, noise_seed: int) -> Image:
    """The board in level axes: its first inner corner, and unit vectors along its columns and rows."""
    width, height = camera.size
    sheet = printed()
    corner = np.array([[0, 0], [sheet.shape[1], 0], [sheet.shape[1], sheet.shape[0]], [0, sheet.shape[0]]])
    offset = (corner / _PX - (_MARGIN + 1)) * BOARD.square_m
    # a homography to an ideal pinhole first, then the lens's distortion by looking each pixel up
    ideal = _ideal(camera.calibration)
    places = origin + offset[:, :1] * across + offset[:, 1:] * down
    to_ideal = cv2.getPerspectiveTransform(
        (corner - 0.5).astype(np.float32), GroundCamera(ideal).project(places).astype(np.float32)
    )
    sharp = cv2.warpPerspective(
        sheet,
        to_ideal,
        (width, height),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=120,
    )
    maps = _distorting(camera.calibration)
    seen = cv2.remap(sharp, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(seen, (0, 0), 0.7).astype(np.float32)
    noisy = soft + np.random.default_rng(noise_seed).normal(0, 2.0, soft.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _ideal(calibration: CameraCalibration) -> CameraCalibration:
    return msgspec.structs.replace(calibration, distortion=())


@functools.lru_cache(maxsize=4)
def _distorting(calibration: CameraCalibration) -> npt.NDArray[np.float32]:
    """Where each pixel of the lens lies in the picture of an ideal one (height, width, 2)."""
    ys, xs = np.mgrid[0 : calibration.height, 0 : calibration.width].astype(np.float64)
    rays = GroundCamera(calibration).rays(np.column_stack([xs.ravel(), ys.ravel()]))
    far = rays * 50 - np.array([0, calibration.height_m, 0])
    pixels = GroundCamera(_ideal(calibration)).project(far)
    return pixels.reshape(calibration.height, calibration.width, 2).astype(np.float32)


def held(camera: GroundCamera, number: int) -> Image:
    """A view of the board held before the camera, every number another."""
    chance = np.random.default_rng([number, 5])
    pixel = chance.uniform([0.22, 0.25], [0.78, 0.75]) * np.array(camera.size)
    ray = camera.rays(pixel[None])[0]
    middle = ray * chance.uniform(0.5, 0.9) - np.array([0, camera.calibration.height_m, 0])
    turned, bent = np.deg2rad(chance.uniform([-35, -35], [35, 35]))
    across = np.array([np.cos(turned), 0, np.sin(turned)])
    down = np.array([0, np.cos(bent), np.sin(bent)])
    down -= across * (down @ across)
    down /= np.linalg.norm(down)
    size = (BOARD.columns - 1) / 2 * across + (BOARD.rows - 1) / 2 * down
    return photograph(camera, middle - size * BOARD.square_m, across, down, number)


def upright(
    camera: GroundCamera, lowest_m: float, distance_m: float, pan_deg: float = 0.0, turned_deg: float = 0.0
) -> Image:
    """The board standing upright, facing the point over which the camera hangs but for `turned_deg`."""
    pan, turned = np.deg2rad([pan_deg, pan_deg + turned_deg])
    ahead = np.array([np.sin(pan), 0, np.cos(pan)])
    across = np.array([np.cos(turned), 0, -np.sin(turned)])
    top = -(lowest_m + (BOARD.rows - 1) * BOARD.square_m)
    middle = ahead * distance_m + np.array([0, top, 0])
    origin = middle - across * (BOARD.columns - 1) / 2 * BOARD.square_m
    return photograph(camera, origin, across, np.array([0.0, 1.0, 0.0]), 77)


def marks(camera: GroundCamera, places: npt.ArrayLike, noise_px: float, seed: int = 1) -> list[Mark]:
    """Marks at (aside, height, ahead) each, pointed at with so much noise."""
    level = np.asarray(places, np.float64) * np.array([1, -1, 1])
    pixels = camera.project(level)
    pixels += np.random.default_rng(seed).normal(0, noise_px, pixels.shape)
    return [
        Mark(
            x=float(x), y=float(y), height_m=float(-point[1]), distance_m=float(np.hypot(point[0], point[2]))
        )
        for (x, y), point in zip(pixels, level, strict=True)
    ]
