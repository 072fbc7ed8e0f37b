"""Triangles to pixels on one CPU core.

Back to front (painter's order), OpenCV fills each triangle's number into an integer picture; then one
vectorised pass turns numbers into texture coordinates by each triangle's own affine map, and one
`cv2.remap` fetches the texture. The affine map is exact at the corners; inside, the error against true
perspective is below a tenth of a pixel for triangles as small as these.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Indices = NDArray[np.intp]

_SHIFT: Final = 4  # fractional bits of the corners given to OpenCV
_OUTSIDE: Final = -8.0  # texture coordinate where no triangle lies


class Patch(NamedTuple):
    """A drawn rectangle of the picture, its texture maps (maybe coarser), where triangles lie (0 or 255)."""

    x: int
    y: int
    width: int
    height: int
    map_x: Floats
    map_y: Floats
    cover: Bytes
    carried: Floats | None = None  # what `draw` was given to carry, (height, width, 2); nought outside


def affine_maps(corners: Floats, texture: Floats) -> Floats:
    """The affine maps (T, 6) from picture to texture of triangles given as (T, 3, 2) each.

    Row: u = r0 x + r1 y + r2, v = r3 x + r4 y + r5. Degenerate triangles map everything to their corner.
    """
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    safe = np.where(np.abs(area) < 1e-6, np.inf, area)
    p, q, r = texture[:, 0], texture[:, 1] - texture[:, 0], texture[:, 2] - texture[:, 0]
    by_x = (q * c[:, 1:2] - r * b[:, 1:2]) / safe[:, None]
    by_y = (r * b[:, 0:1] - q * c[:, 0:1]) / safe[:, None]
    at_0 = p - by_x * a[:, 0:1] - by_y * a[:, 1:2]
    rows = np.stack([by_x[:, 0], by_y[:, 0], at_0[:, 0], by_x[:, 1], by_y[:, 1], at_0[:, 1]], axis=1)
    return np.asarray(rows, np.float32)


def draw(
    corners: Floats, texture: Floats, size: tuple[int, int], scale: float = 1.0, carry: Floats | None = None
) -> Patch | None:
    """Draw triangles (T, 3, 2), given back to front, into a picture of `size` (width, height).

    Only the rectangle that they cover is drawn, `scale` times the picture's resolution. None: nothing to see.
    `carry` (T, 3, 2) are two more values of each corner, interpolated as the texture's coordinates are.
    """
    low = np.maximum(np.floor(corners.min(axis=(0, 1))).astype(int) - 1, 0)
    high = np.minimum(np.ceil(corners.max(axis=(0, 1))).astype(int) + 2, np.array(size))
    if (high <= low).any():
        return None
    width, height = (max(1, round(float(n) * scale)) for n in high - low)
    # pixel centres: picture x <-> drawn (x - low + 0.5) * scale - 0.5
    drawn = (corners - low + 0.5) * np.float32(scale) - 0.5
    numbers = np.full((height, width), -1, np.int32)
    for number, polygon in enumerate(np.round(drawn * (1 << _SHIFT)).astype(np.int32)):
        cv2.fillConvexPoly(numbers, polygon, (number,), lineType=cv2.LINE_8, shift=_SHIFT)
    map_x, map_y = _interpolated(numbers, affine_maps(drawn, texture), _OUTSIDE)
    carried = None
    if carry is not None:
        carried = np.stack(_interpolated(numbers, affine_maps(drawn, carry), 0.0), axis=-1)
    x, y, full_width, full_height = (int(n) for n in (*low, *(high - low)))
    cover = np.where(numbers >= 0, 255, 0).astype(np.uint8)
    return Patch(x, y, full_width, full_height, map_x, map_y, cover, carried)


def _interpolated(numbers: NDArray[np.int32], maps: Floats, outside: float) -> tuple[Floats, Floats]:
    """Two values of each pixel by the affine map of its triangle."""
    nowhere = np.array([[0, 0, outside, 0, 0, outside]], np.float32)
    chosen = np.concatenate([maps, nowhere])[numbers]  # -1 is the last row
    xs = np.arange(numbers.shape[1], dtype=np.float32)[None, :]
    ys = np.arange(numbers.shape[0], dtype=np.float32)[:, None]
    first = chosen[..., 0] * xs + chosen[..., 1] * ys + chosen[..., 2]
    second = chosen[..., 3] * xs + chosen[..., 4] * ys + chosen[..., 5]
    return first, second
