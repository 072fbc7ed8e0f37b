"""How far ahead a crown is in each frame, by feet or by the size of the face, and how well each tells it."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.height import proportions
from models.height.calibration import CameraCalibration
from models.height.sighting import Sighting
from models.height.steps import Walk

Points = npt.NDArray[np.float64]
Method = Literal["horizon", "feet"]

_MESH_SIGMA_PX: Final = 1.2  # of the eyes' distance in one frame, that of small faces above all
_EYES_M: Final = 0.06
_TURNS_M: Final = 0.04  # scatter of looks at feet that take turns to be ahead
_STEADY_S: Final = 0.4
_NEAREST: Final = 0.1  # metres ahead for each metre of a face: no range is less
_LONG_FACE: Final = 1.1  # a mesh that makes a face longer, for its height, is of a face that is too small


class ByFeet:
    """How far ahead the crown is in each frame, for a supposed height: behind the tips of the shoes."""

    method: Method = "feet"
    least_hair_m = proportions.HAIR_M  # faces are small where feet are in view: they tell of no bald head

    def __init__(self, sightings: Sequence[Sighting], walk: Walk) -> None:
        """`sightings`: those whose range is known to the walk."""
        at = np.array([each.at for each in sightings])
        self.lost_m = proportions.lost_m(walk.speed)
        self._feet = walk.ahead_m[np.isfinite(walk.ahead_m)]
        # looks that scatter more than feet in turn are wrong alike: they see the same shadow or stain
        stained = np.sqrt(max(0.0, walk.scatter_m**2 - _TURNS_M**2))
        of_feet = proportions.FOOT_SIGMA_M / np.sqrt(walk.looks)
        self._sigma = float(np.linalg.norm([proportions.TOE_SIGMA_M, of_feet, stained]))
        self._chin = _steadied(np.array([each.chin_range for each in sightings]), at)

    def at(self, height_m: float) -> tuple[Points, Points]:
        """Range of the crown (metres) and its standard error, which all frames share."""
        ahead = self._feet + proportions.TOE * height_m
        return ahead, np.full(len(ahead), self._sigma)

    def behind(self, ahead: Points, height_m: float) -> Points:
        """Ranges of the eyes for those of the crown."""
        return ahead - proportions.BEHIND * proportions.face_m(height_m)

    def skull(self, ahead: Points, height_m: float) -> Points:
        """How far the bare crown should be above the eyes, by the face's own size at these ranges."""
        face = self.behind(ahead, height_m) / self._chin
        return proportions.SKULL * np.minimum(face, _LONG_FACE * proportions.face_m(height_m))

    def random(self, ahead: Points, rises: Points) -> Points:  # noqa: ARG002 - as of faces
        """Standard error of each frame's height by its range alone."""
        return np.asarray(proportions.FOOT_SIGMA_M * np.abs(rises), np.float64)


class ByFace:
    """How far ahead the crown is in each frame, for a supposed height: by the size of the face."""

    method: Method = "horizon"
    least_hair_m = 0.0
    lost_m = 0.0  # a higher quantile is taken

    def __init__(self, sightings: Sequence[Sighting], calibration: CameraCalibration) -> None:
        at = np.array([each.at for each in sightings])
        self._eyes = _steadied(np.array([each.eyes_range for each in sightings]), at)
        self._chin = _steadied(np.array([each.chin_range for each in sightings]), at)
        self._focal_px, self._camera_m = calibration.focal_px, calibration.height_m

    def at(self, height_m: float) -> tuple[Points, Points]:
        """Range of the crown (metres) and its standard error, which all frames share."""
        chin = self._chin * proportions.face_m(height_m)
        faces = (self._eyes * proportions.eyes_apart_m(height_m) + chin) / 2
        crown = faces + proportions.BEHIND * proportions.face_m(height_m)
        from_above = height_m < self._camera_m
        return crown, (proportions.FACE_ABOVE_SIGMA if from_above else proportions.FACE_SIGMA) * crown

    def behind(self, ahead: Points, height_m: float) -> Points:
        """Ranges of the eyes for those of the crown."""
        return ahead - proportions.BEHIND * proportions.face_m(height_m)

    def skull(self, ahead: Points, height_m: float) -> Points:
        """How far the bare crown should be above the eyes, by the face's own size at these ranges."""
        return proportions.SKULL * self.behind(ahead, height_m) / self._chin

    def random(self, ahead: Points, rises: Points) -> Points:
        """Standard error of each frame's height by its range alone."""
        far = ahead**2 * np.abs(rises)
        return np.asarray(_MESH_SIGMA_PX * far / (_EYES_M * self._focal_px), np.float64)


def _steadied(ranges: Points, at: Points) -> Points:
    """Ranges freed of the mesh's noise: within `_STEADY_S` a walk is straight and even."""
    since = at[None, :] - at[:, None]
    near = np.abs(since) <= _STEADY_S
    count = near.sum(1)
    middle = (near * since).sum(1) / count
    mean = near @ ranges / count
    away = near * (since - middle[:, None])
    spread = (away**2).sum(1)
    slope = np.divide(away @ ranges, spread, out=np.zeros_like(ranges), where=spread > 0)
    return np.asarray(np.maximum(mean - slope * middle, _NEAREST), np.float64)
