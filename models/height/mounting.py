"""How a camera hangs: height over the floor, tilt and roll, from marks whose places were measured by tape.

A mark is a pixel and the height over the floor of what it shows, at a distance along the floor from the point
under the camera. How far the camera is turned to the side does not matter and is not asked for. A chessboard
that stands upright at a measured distance is as many marks as it has corners.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from gated.core.values import Value
from models.height.calibration import CalibrationError, CameraCalibration
from models.height.camera import GroundCamera
from models.height.lens import Board

Points = npt.NDArray[np.float64]

MIN_MARKS: Final = 4
MAX_MARKS: Final = 2000
MAX_RESIDUAL_PX: Final = 3.0
MAX_TILT_SIGMA_DEG: Final = 0.3  # 0.3 degrees are 1 cm at 2 m
MAX_HEIGHT_SIGMA_M: Final = 0.01
_PIXEL_SIGMA: Final = 0.7  # how well a mark is pointed at
_TAPE_M: Final = 0.002  # and how well its height is measured
_DISTANCE_M: Final = 0.005
_LEAST_SIGMAS: Final = (_TAPE_M, 0.05, 0.05)  # the tape is wrong for all corners of a board alike
_ROUNDS: Final = 30
_START_TILTS: Final = (0.0, 20.0, -20.0, 40.0, 60.0)


class Mark(Value):
    """What a pixel shows: `height_m` over the floor, `distance_m` along it from below the camera."""

    x: Annotated[float, Meta(ge=0, le=8192)]
    y: Annotated[float, Meta(ge=0, le=8192)]
    height_m: Annotated[float, Meta(ge=0, le=4)]
    distance_m: Annotated[float, Meta(ge=0.2, le=20)]


def marks_of_board(
    corners: Points, board: Board, lowest_m: float, distance_m: float, lens: CameraCalibration
) -> list[Mark]:
    """The corners (rows, columns, 2) of a board that stands upright, as marks. Raises CalibrationError.

    `lowest_m`: height of the lowest row of inner corners; `distance_m`: to the middle of the board. Of `lens`
    only the lens is used, by which the board's own perspective tells how far it is turned from the camera.
    """
    rows, columns = corners.shape[:2]
    aside = _aside(corners, board, lens)
    straight = np.sqrt(max(distance_m**2 - aside**2, 0.0))
    marks = []
    for row in range(rows):
        for column in range(columns):
            along = aside + (column - (columns - 1) / 2) * board.square_m
            x, y = (float(each) for each in corners[row, column])
            high = lowest_m + (rows - 1 - row) * board.square_m
            marks.append(Mark(x=x, y=y, height_m=high, distance_m=float(np.hypot(straight, along))))
    return marks


def _aside(corners: Points, board: Board, lens: CameraCalibration) -> float:
    """How far to the right the board's middle is of where its plane is nearest to the camera, metres."""
    (x, y), f = lens.centre, lens.focal_px
    matrix = np.array([[f, 0, x], [0, f, y], [0, 0, 1]], np.float64)
    distortion = np.array(lens.distortion, np.float64) if lens.distortion else None
    found, turned, moved = cv2.solvePnP(board.points(), corners.reshape(-1, 1, 2), matrix, distortion)
    if not found:
        raise CalibrationError("board_not_seen", "its perspective is that of no board: check --board")
    turn, _ = cv2.Rodrigues(turned)
    camera = -turn.T @ moved.reshape(3)
    return float((board.columns - 1) / 2 * board.square_m - camera[0])


def mounted(
    lens: CameraCalibration, marks: Sequence[Mark], height_m: float | None = None
) -> CameraCalibration:
    """The calibration with height, tilt and roll that fit the marks; of `lens` only the lens is used.

    `height_m`: the camera's height where it was measured by tape. Raises CalibrationError: what to do.
    """
    if not MIN_MARKS <= len(marks) <= MAX_MARKS:
        raise CalibrationError("number_of_marks", f"{len(marks)}: give {MIN_MARKS} to {MAX_MARKS}")
    fits = [_Fit(lens, marks, height_m, tilt) for tilt in _START_TILTS]
    best = min(fits, key=lambda fit: fit.cost)
    residual = float(np.sqrt(np.mean(best.pixels**2)))
    if residual > MAX_RESIDUAL_PX:
        worst = int(np.abs(best.pixels).argmax()) + 1
        raise CalibrationError(
            "marks_disagree",
            f"{residual:.1f} pixels, at most {MAX_RESIDUAL_PX:g}; mark {worst} most: measure it again, "
            "and give heights over the floor and distances along it in metres",
        )
    height, tilt, roll = (float(each) for each in best.values)
    height_sigma, tilt_sigma, roll_sigma = (float(each) for each in np.hypot(best.sigmas, _LEAST_SIGMAS))
    if tilt_sigma > MAX_TILT_SIGMA_DEG or roll_sigma > 3 * MAX_TILT_SIGMA_DEG:
        raise CalibrationError(
            "tilt_uncertain",
            f"tilt to {tilt_sigma:.2f}, roll to {roll_sigma:.2f} degrees: give marks at two distances that "
            "differ by a metre, and at both sides of the picture",
        )
    if height_sigma > MAX_HEIGHT_SIGMA_M:
        raise CalibrationError(
            "height_uncertain",
            f"to {height_sigma * 100:.1f} cm: measure the camera's height by tape (--height-m), or give "
            "marks at distances that differ more",
        )
    return msgspec.structs.replace(
        lens, height_m=height, tilt_deg=tilt, roll_deg=roll, height_sigma_m=height_sigma,
        tilt_sigma_deg=tilt_sigma, residual_px=residual,
    )  # fmt: skip


class _Fit:
    """Least squares by Gauss and Newton over height (m), tilt and roll (degrees)."""

    def __init__(
        self, lens: CameraCalibration, marks: Sequence[Mark], height_m: float | None, tilt_deg: float
    ) -> None:
        self._lens = lens
        self._pixels = np.array([[mark.x, mark.y] for mark in marks])
        self._high = np.array([mark.height_m for mark in marks])
        self._far = np.array([mark.distance_m for mark in marks])
        self._taped = height_m
        slope = (self._high - (1.5 if height_m is None else height_m)) / self._far
        tape = np.hypot(_TAPE_M, slope * _DISTANCE_M) / self._far * lens.focal_px
        self._noise = np.hypot(_PIXEL_SIGMA, tape)
        self.values = np.array([1.5 if height_m is None else height_m, tilt_deg, 0.0])
        for _ in range(_ROUNDS):
            step = self._step()
            self.values = self.values + step
            self.values[0] = np.clip(self.values[0], 0.3, 4.0)
            self.values[1:] = np.clip(self.values[1:], [-60.0, -90.0], [75.0, 90.0])
            if np.abs(step).max() < 1e-6:
                break
        self.pixels = self._off(self.values)
        self.cost = float(((self.pixels / self._noise) ** 2).sum())
        self.sigmas = self._errors()

    def _off(self, values: Points) -> Points:
        """How far each mark lies above its pixel, as an angle in pixels of the middle."""
        height, tilt, roll = (float(each) for each in values)
        turned = msgspec.structs.replace(self._lens, height_m=height, tilt_deg=tilt, roll_deg=roll)
        rays = GroundCamera(turned).rays(self._pixels)
        seen = np.arctan2(-rays[:, 1], np.hypot(rays[:, 0], rays[:, 2]))
        true = np.arctan2(self._high - height, self._far)
        return np.asarray((true - seen) * self._lens.focal_px, np.float64)

    def _slopes(self) -> Points:
        """Jacobian of the weighted residuals; a height that was taped is one more, of 2 mm."""
        steps = np.array([1e-4, 1e-3, 1e-3])
        columns = [
            (self._off(self.values + np.eye(3)[i] * steps[i]) - self._off(self.values))
            / steps[i]
            / self._noise
            for i in range(3)
        ]
        slopes = np.stack(columns, axis=1)
        if self._taped is not None:
            slopes = np.vstack([slopes, [1 / _TAPE_M, 0, 0]])
        return np.asarray(slopes, np.float64)

    def _weighted(self) -> Points:
        off = self._off(self.values) / self._noise
        return off if self._taped is None else np.append(off, (self.values[0] - self._taped) / _TAPE_M)

    def _step(self) -> Points:
        return np.asarray(-np.linalg.lstsq(self._slopes(), self._weighted(), rcond=None)[0], np.float64)

    def _errors(self) -> Points:
        """Standard errors; residuals larger than expected make them larger, as does a tape's own error."""
        slopes, off = self._slopes(), self._weighted()
        freedom = max(len(off) - 3, 1)
        larger = max(1.0, float((off**2).sum()) / freedom)
        covariance = np.linalg.pinv(slopes.T @ slopes, rcond=1e-12) * larger
        unknown = np.abs(slopes).sum(0) < 1e-9
        return np.where(unknown, np.inf, np.sqrt(np.abs(np.diag(covariance))))
