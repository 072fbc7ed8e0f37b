"""What a camera sees of the dots of a screen or a print, and of the hall that is mirrored in it.

A grid finer than the sensor's pixels is not seen as a grid: what the lens and the pixels' own extent leave of
its contrast is sampled at the pixels' centres and comes out as a coarser pattern, moire. So it is computed
here: the exact place on the device that each pixel looks at gives the phase, the optics gives the contrast.
At 1200 px of focal length a tablet's grid is gone beyond a quarter of a metre, and so are printed dots.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.raster import Patch
from hw_sim.camera.render import Lens

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_CUTOFF: Final = 1.9  # cycles a pixel that an F/2.8 lens before pixels of 3 um still passes
_ABERRATION: Final = 0.8  # cycles a pixel at which an inexpensive lens has 1/e of that
_APERTURE: Final = 0.7  # of a pixel's side takes light
_LEAST: Final = 0.002  # contrast that is drawn: half a grey level
_ROWS: Final = 0.6  # of the contrast between a screen's columns is between its rows


def contrast(cycles: float) -> float:
    """How much of a grid's contrast reaches the sensor's samples, by its cycles a pixel."""
    diffraction = max(0.0, 1 - cycles / _CUTOFF)
    return float(diffraction * np.exp(-((cycles / _ABERRATION) ** 2)) * abs(np.sinc(_APERTURE * cycles)))


class Dots(NamedTuple):
    """A grid of coloured dots: how many of its periods one pixel of the atlas has, contrast on the sensor."""

    periods_per_px: float
    contrast: float

    def laid(self, colour: Bytes, patch: Patch) -> Bytes:
        """The picture of the surface with its dots: columns of red, green and blue, and rows."""
        if self.contrast < _LEAST:
            return colour
        size = (patch.width, patch.height)
        x, y = (cv2.resize(m, size) if m.shape[::-1] != size else m for m in (patch.map_x, patch.map_y))
        turns = np.float32(2 * np.pi * self.periods_per_px)
        thirds = np.array([2, 1, 0], np.float32) * np.float32(2 * np.pi / 3)  # of blue, green, red
        columns = 1 + np.float32(self.contrast) * np.cos(x[..., None] * turns + thirds)
        rows = 1 + np.float32(self.contrast * _ROWS) * np.cos(y[..., None] * turns)
        return np.asarray(np.clip(colour * columns * rows, 0, 255), np.uint8)


class Sheen(NamedTuple):
    """A lit board of the hall behind the camera, mirrored: middle and half size in pixels, grey levels."""

    x: float
    y: float
    half_px: float
    light: float
    soft: float  # exponent's width in parts of the half size

    def laid(self, colour: Bytes, patch: Patch) -> Bytes:
        """The picture of the surface with what it mirrors."""
        xs = (np.arange(patch.width, dtype=np.float32) + (patch.x - self.x)) / self.half_px
        ys = (np.arange(patch.height, dtype=np.float32) + (patch.y - self.y)) / self.half_px
        across, down = _edge(xs, self.soft), _edge(ys * 1.6, self.soft)
        if across.max() * down.max() * self.light < 1:
            return colour
        cover = patch.cover
        if cover.shape != (patch.height, patch.width):
            cover = cv2.resize(cover, (patch.width, patch.height))
        light = (down[:, None] * across[None, :] * np.float32(self.light)).astype(np.uint8)
        return np.asarray(cv2.add(colour, cv2.cvtColor(cv2.min(light, cover), cv2.COLOR_GRAY2BGR)), np.uint8)


def _edge(part: Floats, soft: float) -> Floats:
    """One within +-1, nought outside, `soft` wide between."""
    return np.asarray(0.5 - 0.5 * np.tanh((np.abs(part) - 1) / soft), np.float32)


_BOARD: Final = np.array([0.45, -0.30, -2.4], np.float32)  # camera metres: a lit board behind the gate
_BOARD_HALF_M: Final = 0.30


def sheen(lens: Lens, point: Floats, normal: Floats, light: float, soft: float) -> Sheen | None:
    """What a flat surface through `point` with its unit `normal` (camera metres) mirrors of the board."""
    image = _BOARD - 2 * float((_BOARD - point) @ normal) * normal
    if image[2] <= float(point[2]):
        return None
    x, y = lens.project(image[None])[0]
    return Sheen(float(x), float(y), float(lens.focal_px * _BOARD_HALF_M / image[2]), light, soft)


class Finished(NamedTuple):
    """A raster of dots under a sheen."""

    dots: Dots
    sheen: Sheen | None

    def laid(self, colour: Bytes, patch: Patch) -> Bytes:
        """The drawn picture with both; a `render.Raster`."""
        seen = self.dots.laid(colour, patch)
        return seen if self.sheen is None else self.sheen.laid(seen, patch)
