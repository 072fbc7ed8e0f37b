"""What an image shows of how a document lies, apart from what its zone says: for placement coaching."""

from dataclasses import dataclass
from math import atan2, degrees
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.mrz.cutting import Strip

Grey = npt.NDArray[np.uint8]

THUMBNAIL = 96  # long side of what two images are compared by
VIEW = 320  # long side at which print and edges are looked for
CELL = 8
PRINT = 9.0  # grey levels by which a cell with print varies
EDGE = 0.6  # characters: a zone nearer to the image's edge than this may go on beyond it
BURNT = 250
STRONG = 0.7  # of the contrast that one place in a hundred has: an edge to judge sharpness by
LYING = 18.0  # grey levels by which a document differs from what it lies on


@dataclass(frozen=True, slots=True)
class PageSight:
    """One image of a reader's glass or a page before a camera.

    `zone`: lines of a zone are there, whole or in part; `turned`: by how many degrees clockwise it lies, 0,
    90, 180 or 270; `cut_off`: it reaches an edge of the image, or lines or characters are missing.
    `printed`, `covered`, `burnt`: shares of the image with print, under something, and white from glare.
    `extent`: long and short side of what lies there, as shares of the image's long side, 0 if nothing does.
    `sharp`: of the strongest edges, 0 to 1. `moved`: what changed since the image before, 0 to 1, or None.
    """

    zone: bool
    turned: int | None
    cut_off: bool
    printed: float
    covered: float
    extent: tuple[float, float]
    burnt: float
    sharp: float
    moved: float | None


def seen(
    grey: Grey, strips: tuple[Strip, ...], *, whole: bool, characters: int, before: Grey | None = None
) -> PageSight:
    """Look at an image whose zone, if any, lies on `strips`, `whole` if all its characters are there.

    `before` is the image before, of the same size.
    """
    small = _small(grey, VIEW)
    texture = _texture(small)
    covered, extent = _lying(small)
    return PageSight(
        zone=bool(strips),
        turned=_turned(strips[0]) if strips else None,
        cut_off=bool(strips) and (not whole or _at_edge(grey, strips, characters)),
        printed=float((texture > PRINT).mean()),
        covered=covered,
        extent=extent,
        burnt=float((small >= BURNT).mean()),
        sharp=_sharpness(grey),
        moved=None if before is None else change(before, grey),
    )


def change(before: Grey, after: Grey) -> float:
    """How much two images of one size differ, 0 to 1, slow changes of light apart."""
    if before.shape != after.shape:
        return 1.0
    one, two = (_small(image, THUMBNAIL).astype(np.float32) for image in (before, after))
    one, two = one - one.mean(), two - two.mean()
    spread = float(np.sqrt(one.var() * two.var())) + 25.0
    return float(min(1.0, np.square(one - two).mean() / (4 * spread)))


def _small(grey: Grey, side: int) -> Grey:
    factor = side / max(grey.shape)
    size = max(8, round(grey.shape[1] * factor)), max(8, round(grey.shape[0] * factor))
    small: Any = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _texture(small: Grey) -> npt.NDArray[np.float32]:
    """The deviation of grey levels in each cell."""
    rows, columns = small.shape[0] // CELL, small.shape[1] // CELL
    cells = small[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).astype(np.float32)
    deviation: npt.NDArray[np.float32] = cells.std(axis=(1, 3))
    return deviation


def _lying(small: Grey) -> tuple[float, tuple[float, float]]:
    """What differs from the image's border: its share of the image, its long and short side."""
    border = np.concatenate((small[0], small[-1], small[:, 0], small[:, -1])).astype(np.float32)
    ground = float(np.median(border))
    other = (np.abs(small.astype(np.float32) - ground) > LYING).astype(np.uint8)
    closed: Any = cv2.morphologyEx(other, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    closed = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    points = cv2.findNonZero(closed)
    if points is None:
        return 0.0, (0.0, 0.0)
    _, sides, _ = cv2.minAreaRect(points)
    scale = max(small.shape)
    return float(closed.mean()), (max(sides) / scale, min(sides) / scale)


def _sharpness(grey: Grey) -> float:
    """Of the strongest edges' contrast within eight pixels, the share within two; low: blurred or empty.

    It does not ask how many edges there are: a sharp cover has few.
    """
    values = grey[::2].astype(np.int16)
    far = np.abs(values[:, 8:] - values[:, :-8])
    strong = float(np.percentile(far, 99))
    if strong < PRINT:
        return 0.0
    near: Any = np.abs(values[:, 2:] - values[:, :-2])
    steepest = cv2.dilate(near, np.ones((1, 7), np.uint8))[:, 3 : 3 + far.shape[1]]
    edges = far >= STRONG * strong
    return float(min(1.0, np.median(steepest[edges] / far[edges])))


def _turned(strip: Strip) -> int:
    """The direction of reading, to the nearest quarter."""
    x, y = strip.direction
    return round(degrees(atan2(y, x)) / 90) % 4 * 90


def _at_edge(grey: Grey, strips: tuple[Strip, ...], characters: int) -> bool:
    """Whether a line comes so near to the edge that more of it may lie beyond."""
    height, width = grey.shape
    for strip in strips:
        margin = EDGE * strip.length / characters
        for x, y in (strip.at(0, 0), strip.at(strip.length, 0)):
            if not (margin <= x <= width - margin and margin <= y <= height - margin):
                return True
    return False
