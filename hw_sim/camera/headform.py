"""The head that something is fitted to, and how what is worn becomes surfaces with a picture."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from hw_sim.camera.figure import Figure, Patch, Surface, grid
from hw_sim.camera.portrait import EYE_DISTANCE_M

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

ATLAS_PX: Final = 512
EYES: Final = ((33, 133), (362, 263))  # corners
NOSE_BRIDGE: Final = 197
_AXIS_M: Final = 0.12  # a face is taken for a cylinder whose axis lies so far behind its nose
_SKULL_RINGS: Final = 9
_TEMPLES: Final = (234, 454)


class Head:
    """Measures of a head: metres, from between its eyes."""

    def __init__(self, figure: Figure) -> None:
        self.face = figure.head.points[figure.face]
        self.skull = figure.head.points[: figure.face.start].reshape(_SKULL_RINGS, -1, 3)
        eyes = np.stack([self.face[list(corners)].mean(0) for corners in EYES])
        self.size = float(np.linalg.norm(eyes[1] - eyes[0])) / EYE_DISTANCE_M
        self.axis_m = float(self.face[:, 2].min()) + _AXIS_M * self.size

    def around(self, angle: Floats, y: Floats) -> Floats:
        """How far the face is from its axis, at angles about it (0: ahead) and heights."""
        x, z = self.face[:, 0], self.axis_m - self.face[:, 2]
        places, radius = np.stack([np.arctan2(x, z) * 0.1, self.face[:, 1]], 1), np.hypot(x, z)
        wanted = np.stack([angle * 0.1, y], -1)
        inside = LinearNDInterpolator(places, radius)(wanted)
        return np.asarray(np.where(np.isnan(inside), NearestNDInterpolator(places, radius)(wanted), inside))

    def temple(self, side: float) -> Floats:
        """Where the ear of a side (-1, 1) begins: hair that covers it also covers what ends there."""
        root = self.face[_TEMPLES[side > 0]]
        return np.asarray(root + np.array([side * 0.004, -0.010, 0.006]) * self.size, np.float32)

    def at(self, angle: Floats, y: Floats, radius: Floats) -> Floats:
        """Points (..., 3) at angles about the face's axis, heights, and distances from it."""
        z = self.axis_m - radius * np.cos(angle)
        return np.asarray(np.stack([radius * np.sin(angle), y, z], -1), np.float32)


def paint(atlas: Bytes, patch: Patch, light: Floats, colours: Floats) -> None:
    """Fill a patch with opaque colours (H, W, 3) under a coarse light that is stretched over it."""
    light = cv2.resize(light, (patch.width, patch.height), interpolation=cv2.INTER_CUBIC)[..., None]
    area = atlas[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    area[..., :3], area[..., 3] = np.clip(light * colours, 0, 255), 255


def over(surface: Surface, layer: int) -> Surface:
    """The surface drawn over lower layers of what is worn with it."""
    return surface._replace(layers=np.full(len(surface.faces), layer, np.intp))


def outwards(points: Floats, patch: Patch, side: float) -> Surface:
    """A grid that is seen from the front (`side` 0) or from its side of the head (-1, 1)."""
    surface = grid(points, patch)
    a, b, c = (surface.points[surface.faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a).sum(0)
    wrong = normal[0] * side < 0 if side else normal[2] > 0
    return surface._replace(faces=surface.faces[:, ::-1]) if wrong else surface
