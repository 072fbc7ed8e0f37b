"""The gate's face light: two bars beside the camera, how much of it a surface sends back."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

LAMP_AT: Final = np.array([0.0, -0.10, 0.0], np.float32)  # level metres: close above the gate's camera
STRENGTH: Final = 0.10  # light at 1 m on a surface that faces it, in parts of the hall's light


class Lamp(NamedTuple):
    """A light that is on: its place in camera metres, its strength at 1 m."""

    at: Floats
    strength: float = STRENGTH


class Finish(NamedTuple):
    """How a surface answers the lamp: shares that it scatters and that it mirrors."""

    matt: float = 1.0
    gloss: float = 0.10
    sharp: float = 14.0  # exponent of the gloss: skin is a little greasy, glass a mirror


def returned(points: Floats, faces: Indices, lamp: Lamp, finish: Finish) -> Floats:
    """What each point (N, 3) in camera metres adds to its own colour, and to white: (N, 2)."""
    normals = _normals(points, faces)
    ray = lamp.at - points
    distance = np.linalg.norm(ray, axis=1)
    ray /= distance[:, None]
    sight = -points / np.linalg.norm(points, axis=1, keepdims=True)
    half = ray + sight
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    falls = np.clip((normals * ray).sum(1), 0, 1) * (lamp.strength / np.square(distance))
    shines = np.clip((normals * half).sum(1), 0, 1) ** finish.sharp * (lamp.strength / np.square(distance))
    return np.asarray(np.stack([falls * finish.matt, shines * finish.gloss], axis=1), np.float32)


def _normals(points: Floats, faces: Indices) -> Floats:
    """Unit normals of the points, outwards."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)  # as long as its triangle is large
    summed = [np.bincount(faces.ravel(), np.repeat(across[:, i], 3), len(points)) for i in range(3)]
    normal = np.stack(summed, axis=1)
    return np.asarray(normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12), np.float32)
