"""The geometry of a calibrated camera: from pixels to rays, and from rays to heights over the floor.

*Level* axes have their origin on the floor below the camera: x to the right, y down, z ahead along the
floor. A point of height H lies at y = -H.
"""

import cv2
import numpy as np
import numpy.typing as npt

from models.height.calibration import CameraCalibration

Points = npt.NDArray[np.float64]

_STEEP = 1e-6  # a ray that goes less ahead than this goes nowhere


class GroundCamera:
    """Where the pixels of a calibrated camera look."""

    def __init__(self, calibration: CameraCalibration) -> None:
        self.calibration = calibration
        x, y = calibration.centre
        f = calibration.focal_px
        self._matrix = np.array([[f, 0, x], [0, f, y], [0, 0, 1]], np.float64)
        self._distortion = np.array(calibration.distortion, np.float64) if calibration.distortion else None
        self._turn = turn(calibration.tilt_deg, calibration.roll_deg)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.calibration.width, self.calibration.height

    def rays(self, pixels: Points) -> Points:
        """Directions (N, 3) in level axes, of length 1 along the optical axis, of pixels (N, 2)."""
        flat = cv2.undistortPoints(pixels.reshape(-1, 1, 2), self._matrix, self._distortion)
        normal = np.column_stack([flat.reshape(-1, 2), np.ones(len(pixels))])
        return np.asarray(normal @ self._turn, np.float64)

    def project(self, points: Points) -> Points:
        """Pixels (N, 2) of points (N, 3) in level axes."""
        seen = (points + np.array([0, self.calibration.height_m, 0])) @ self._turn.T
        pixels, _ = cv2.projectPoints(
            seen.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), self._matrix, self._distortion
        )
        return np.asarray(pixels.reshape(-1, 2), np.float64)

    def rises(self, pixels: Points) -> Points:
        """How many metres each ray rises for each metre ahead; not a number where it goes back."""
        x_y_z = self.rays(pixels)
        ahead = np.where(x_y_z[:, 2] > _STEEP, x_y_z[:, 2], np.nan)
        return np.asarray(-x_y_z[:, 1] / ahead, np.float64)

    def heights(self, pixels: Points, ahead_m: Points) -> Points:
        """Heights over the floor of what the pixels show, so far ahead."""
        return self.calibration.height_m + ahead_m * self.rises(pixels)

    def floor_ahead(self, pixels: Points) -> Points:
        """How far ahead the pixels show the floor; not a number above the horizon."""
        rises = self.rises(pixels)
        falls = np.where(rises < -_STEEP, -rises, np.nan)
        return np.asarray(self.calibration.height_m / falls, np.float64)


def turn(tilt_deg: float, roll_deg: float) -> Points:
    """Rotation matrix from level axes to those of a camera."""
    (ct, cr), (st, sr) = np.cos(np.deg2rad([tilt_deg, roll_deg])), np.sin(np.deg2rad([tilt_deg, roll_deg]))
    down = np.array([[1, 0, 0], [0, ct, -st], [0, st, ct]])
    aside = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(aside @ down, np.float64)
