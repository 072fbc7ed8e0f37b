"""Relief in a depth frame: an optional camera that sees liveness directly.

The frame is aligned with the colour image and holds millimetres from the camera (uint16; 0: not known). Over
the inner face a plane and then a quadratic surface are fitted by the mesh's points. What is left of a head is
its relief, two centimetres of nose; a sheet, flat or bent, leaves the sensor's noise. It must also have
the shape of a face: the rest is compared with the relief that the mesh expects there.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.face import Points, eye_centres
from models.liveness.alignment import STABLE
from models.liveness.cue import Cue, chance

Depth = npt.NDArray[np.uint16]

_LEAST_POINTS: Final = 120
_NEAREST_MM: Final = 150
_FARTHEST_MM: Final = 4000
_EYES_MM: Final = 63.0
_NOISE_MM: Final = 1.5  # of relief in a sheet, below which nothing is relief
_MOST: Final = 6.0
_SLOPE: Final = 12.0  # log likelihood for each unit of share of expected relief beyond a half


def read(depth: Depth, points: Points) -> Cue:
    """Compare a depth frame with a mesh (468, 3) in its pixels. Raises ValueError for what is no frame."""
    if depth.dtype != np.uint16 or depth.ndim != 2:
        raise ValueError("a depth frame has one channel of 16 bits")
    found = relief(depth, points)
    if found is None:
        return Cue(name="depth", score=None, reason="too little of the face has a depth")
    share, raised = found
    if raised < _NOISE_MM:
        return Cue(name="depth", score=chance(-_MOST), reason=f"flat or bent: {raised:.1f} mm of relief left")
    value = float(np.clip(_SLOPE * (share - 0.5), -_MOST, _MOST))
    return Cue(
        name="depth", score=chance(value), reason=f"{raised:.1f} mm of relief, {share:.2f} of a face's"
    )


def relief(depth: Depth, points: Points) -> tuple[float, float] | None:
    """Return the share of a face's expected relief that is there, and what is left of the surface, mm RMS."""
    height, width = depth.shape
    at = np.round(points[STABLE, :2]).astype(int)
    inside = (at >= 0).all(1) & (at[:, 0] < width) & (at[:, 1] < height)
    at, expected = at[inside], points[STABLE, 2][inside]
    measured = depth[at[:, 1], at[:, 0]].astype(np.float64)
    known = (measured >= _NEAREST_MM) & (measured <= _FARTHEST_MM)
    if known.sum() < _LEAST_POINTS:
        return None
    near = np.abs(measured - np.median(measured[known])) < 2 * _EYES_MM
    known &= near
    if known.sum() < _LEAST_POINTS:
        return None
    eyes = eye_centres(points)
    distance = float(np.hypot(*(eyes[1] - eyes[0])))
    x, y = ((at[known] - at[known].mean(0)) / max(distance, 1.0)).T
    surface = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    fit = np.linalg.qr(surface)[0]
    mine, face = measured[known], expected[known] / max(distance, 1.0) * _EYES_MM
    mine, face = (values - fit @ (fit.T @ values) for values in (mine, face))
    share = float(mine @ face) / max(float(face @ face), 1e-9)
    return share, float(np.sqrt(np.square(mine).mean()))
