"""The lens of a camera from pictures of a printed chessboard: focal length, principal point, distortion.

OpenCV's calibration does the arithmetic; this file says which pictures it may be given and which results are
good enough to measure heights with. One focal length for both axes, no tangential distortion: a gate's
lenses have none, and fewer unknowns need fewer pictures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.height.calibration import CalibrationError
from models.tflite import Image

Points = npt.NDArray[np.float64]

MIN_VIEWS: Final = 8
MAX_VIEWS: Final = 60  # more cost time and say nothing new
MAX_RESIDUAL_PX: Final = 1.0
MAX_FOCAL_SIGMA: Final = 0.01  # of the focal length
MIN_COVERED: Final = 0.35  # of the picture, by all views together
CORNERS: Final = range(3, 31)
_REFINE: Final = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.01)
_MOVED: Final = 0.02  # of the picture's width that corners must have moved to be another view


@dataclass(frozen=True, kw_only=True)
class Board:
    """A chessboard: inner corners across and down, and the side of a square in metres."""

    columns: int
    rows: int
    square_m: float

    def points(self) -> Points:
        """Corners (rows * columns, 3) in the board's plane, metres, row by row from the top."""
        down, across = np.mgrid[0 : self.rows, 0 : self.columns]
        flat = np.column_stack([across.ravel(), down.ravel(), np.zeros(self.rows * self.columns)])
        return np.asarray(flat * self.square_m, np.float64)


@dataclass(frozen=True, kw_only=True)
class Lens:
    """Pixels, OpenCV's distortion, standard error of the focal length, root mean square of what is left."""

    width: int
    height: int
    focal_px: float
    cx: float
    cy: float
    distortion: tuple[float, ...]
    focal_sigma_px: float
    residual_px: float
    views: int


def corners(image: Image, board: Board) -> Points | None:
    """Inner corners (rows, columns, 2) in a BGR image, the top row first; None: not seen whole."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    size = (board.columns, board.rows)
    flags = cv2.CALIB_CB_ADAPTIVE_THRESH | cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_FAST_CHECK
    seen, found = cv2.findChessboardCorners(grey, size, flags=flags)
    if not seen:
        return None
    grid = found.reshape(board.rows, board.columns, 2)
    apart = np.linalg.norm(np.diff(grid, axis=1), axis=2).min()
    half = int(np.clip(apart / 2 - 1, 2, 11))
    cv2.cornerSubPix(grey, found, (half, half), (-1, -1), _REFINE)
    grid = found.reshape(board.rows, board.columns, 2).astype(np.float64)
    if grid[0, :, 1].mean() > grid[-1, :, 1].mean():
        grid = grid[::-1]
    return np.asarray(grid if grid[:, 0, 0].mean() < grid[:, -1, 0].mean() else grid[:, ::-1], np.float64)


def calibrate(images: Iterable[Image], board: Board) -> Lens:
    """The lens that took these pictures, all of one size. Raises CalibrationError that says what to do."""
    views: list[Points] = []
    size: tuple[int, int] | None = None
    for image in images:
        shape = (image.shape[1], image.shape[0])
        if size not in (None, shape):
            raise CalibrationError("sizes_differ", "give pictures of one camera at one size")
        size = shape
        found = corners(image, board)
        if found is not None and _is_another(found, views, shape[0]) and len(views) < MAX_VIEWS:
            views.append(found)
    if size is None or len(views) < MIN_VIEWS:
        raise CalibrationError(
            "too_few_views",
            f"the board is seen whole in {len(views)} different views, {MIN_VIEWS} are needed: "
            "take more, and check --board (inner corners across x down)",
        )
    if (covered := _covered(views, size)) < MIN_COVERED:
        raise CalibrationError(
            "views_cover_little",
            f"the board was seen in {covered:.0%} of the picture, {MIN_COVERED:.0%} are needed: "
            "hold it into the corners too, and nearer",
        )
    return _solved(views, size, board)


def _is_another(found: Points, views: Sequence[Points], width: int) -> bool:
    return all(float(np.abs(found - view).max()) > _MOVED * width for view in views)


def _covered(views: Sequence[Points], size: tuple[int, int]) -> float:
    """The part of the picture that the boards of all views cover together."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    for view in views:
        hull = cv2.convexHull(view.reshape(-1, 1, 2).astype(np.float32))
        cv2.fillConvexPoly(mask, hull.round().astype(np.int32), (1,))
    return float(mask.mean())


def _solved(views: Sequence[Points], size: tuple[int, int], board: Board) -> Lens:
    start = np.array(
        [[size[0], 0, (size[0] - 1) / 2], [0, size[0], (size[1] - 1) / 2], [0, 0, 1]], np.float64
    )
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_ASPECT_RATIO
    flags |= cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K3
    model = board.points().astype(np.float32)
    pictured = [view.reshape(-1, 1, 2).astype(np.float32) for view in views]
    residual, matrix, distortion, _, _, sigmas, _, _ = cv2.calibrateCameraExtended(
        [model] * len(views), pictured, size, start, np.zeros(5), flags=flags
    )
    focal, sigma = float(matrix[0, 0]), float(sigmas[:2].max())  # one of the two axes is fixed to the other
    if not np.isfinite(residual) or residual > MAX_RESIDUAL_PX:
        raise CalibrationError(
            "residual_too_large",
            f"{residual:.2f} pixels, at most {MAX_RESIDUAL_PX:g}: keep the board flat and still, in focus, "
            "and check --board",
        )
    if not 0 < focal < 20_000 or sigma > MAX_FOCAL_SIGMA * focal:
        raise CalibrationError(
            "focal_uncertain",
            f"{sigma / max(focal, 1e-9):.1%} of the focal length, at most {MAX_FOCAL_SIGMA:.0%}: "
            "tilt the board by 20 to 45 degrees in half of the pictures",
        )
    return Lens(
        width=size[0], height=size[1], focal_px=focal, cx=float(matrix[0, 2]), cy=float(matrix[1, 2]),
        distortion=tuple(float(k) for k in distortion.ravel()[:5]), focal_sigma_px=sigma,
        residual_px=float(residual), views=len(views),
    )  # fmt: skip
