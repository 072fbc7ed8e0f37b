"""The same person at another body height: children have larger heads, higher skulls and shorter legs.

Shares follow the growth of European and American children: at seven, and 1.20 m, a head has 0.88 of its
grown-up size, with a skull that is a twentieth higher over the eyes.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.figure import PIVOT, Figure, Surface

Floats = NDArray[np.float32]

# body height (m), size of the head, of the skull above the eyes besides, of the trunk and its breadth
_GROWTH: Final = (
    (0.95, 0.83, 1.08, 0.52),
    (1.20, 0.88, 1.05, 0.66),
    (1.45, 0.93, 1.02, 0.80),
    (1.70, 1.00, 1.00, 0.98),
    (2.05, 1.03, 1.00, 1.16),
)
_BROW_M: Final = 0.03  # above the eyes the skull begins


def grown(figure: Figure, stature_m: float) -> Figure:
    """The figure at a body height without shoes' heels or hair: the bare crown over the floor, in metres."""
    head, skull, trunk = _shares(stature_m)
    pivot = PIVOT * np.float32(head)
    crown_m = float(-_head(np.array([[0, -figure.crown_m, 0]], np.float32), head, skull)[0, 1])
    legs = figure.legs and figure.legs.sized(trunk, stature_m - crown_m, PIVOT, pivot)
    return figure._replace(
        head=_moved(figure.head, _head(figure.head.points, head, skull)),
        body=_moved(figure.body, (figure.body.points - PIVOT) * np.float32(trunk) + pivot),
        behind=figure.behind and _moved(figure.behind, _head(figure.behind.points, head, skull)),
        legs=legs,
        crown_m=crown_m,
        pivot=pivot,
    )


def _shares(stature_m: float) -> tuple[float, float, float]:
    heights, *columns = zip(*_GROWTH, strict=True)
    head, skull, trunk = (float(np.interp(stature_m, heights, column)) for column in columns)
    return head, skull, trunk


def _moved(surface: Surface, points: Floats) -> Surface:
    return surface._replace(points=points)


def _head(points: Floats, size: float, skull: float) -> Floats:
    higher = points.copy()
    higher[:, 1] -= np.float32(skull - 1) * np.maximum(-points[:, 1] - np.float32(_BROW_M), 0)
    return np.asarray(higher * np.float32(size), np.float32)
