"""Cuts one line of the zone out of an image, straight and at the scale that the line reader expects.

Training and reading use this same function, so that the reader sees what it was trained on.
"""

from dataclasses import dataclass
from math import hypot
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

WIDTH = 768  # of the reader's input
HEIGHT = 32
CAP = 19.0  # height of a capital letter in the reader's input
PITCH = 16.0  # distance of characters in the reader's input
MARGIN = 24.0  # from the reader's left edge to the line's start
MAX_SUPERSAMPLING = 4
BOXES = range(14, 26, 2)  # heights in rows that `levelled` tries
BOX_TO_CAP = 1.06  # strokes at the capitals' upper and lower ends change little along the line
MAX_TILT = 5  # rows between the middles of both halves


@dataclass(frozen=True, slots=True)
class Strip:
    """A straight line of text in an image, in pixels.

    `start` and `end` are the outer edges of its first and last character, halfway up; `cap` is the height of
    a capital letter.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    cap: float

    @property
    def length(self) -> float:
        """From start to end, in pixels."""
        return hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])

    @property
    def direction(self) -> tuple[float, float]:
        """The unit vector in which it is read."""
        return (self.end[0] - self.start[0]) / self.length, (self.end[1] - self.start[1]) / self.length

    def reversed(self) -> "Strip":
        """The same strip, read upside down."""
        return Strip(self.end, self.start, self.cap)

    def moved(self, right: float, down: float) -> "Strip":
        """The same strip, so many pixels further right and down."""
        return Strip(
            (self.start[0] + right, self.start[1] + down), (self.end[0] + right, self.end[1] + down), self.cap
        )

    def at(self, along: float, down: float) -> tuple[float, float]:
        """The point `along` pixels after the start and `down` pixels below the middle of the line."""
        x, y = self.direction
        return self.start[0] + along * x - down * y, self.start[1] + along * y + down * x


def scale(strip: Strip, characters: float) -> float:
    """Pixels of the reader's input for one pixel along a strip of so many characters."""
    return min(PITCH * characters, WIDTH - 2 * MARGIN) / strip.length


def cut(grey: Grey, strip: Strip, characters: float) -> Grey:
    """Return the strip as the reader's input, HEIGHT x WIDTH: its start at MARGIN, `characters` at PITCH."""
    along = scale(strip, characters)
    across = CAP / strip.cap
    x, y = strip.direction
    # rows of the matrix from image to input
    forward = np.array(
        [
            [along * x, along * y, MARGIN - along * (x * strip.start[0] + y * strip.start[1])],
            [-across * y, across * x, HEIGHT / 2 - across * (-y * strip.start[0] + x * strip.start[1])],
        ]
    )
    finer = min(MAX_SUPERSAMPLING, max(1, round(1 / max(along, across))))
    # OpenCV's coordinates are those of pixel centres
    half = np.array([0.5, 0.5])
    offset = forward[:, 2] + forward[:, :2] @ half
    matrix = np.column_stack((forward[:, :2] * finer, offset * finer - half))
    size = WIDTH * finer, HEIGHT * finer
    flags = cv2.INTER_CUBIC if finer == 1 else cv2.INTER_LINEAR
    warped: Any = cv2.warpAffine(grey, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if finer > 1:
        warped = cv2.resize(warped, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    cutting: Grey = warped
    return cutting


def levelled(grey: Grey, strip: Strip, characters: float) -> Strip:
    """The same strip moved, tilted and made higher or lower to where its print is.

    Print changes from dark to light along a line, the paper above and below it less: the rows of either half
    are compared with a box of the capitals' height.
    """
    cutting = cut(grey, strip, characters).astype(np.float32)
    end = round(MARGIN + scale(strip, characters) * strip.length)
    begin = round(MARGIN)
    change = np.abs(np.diff(cutting[:, begin:end], axis=1))
    change = np.minimum(change, np.percentile(change, 98))
    half = change.shape[1] // 2
    profiles = change[:, :half].mean(1), change[:, half:].mean(1)
    best = None
    for height in BOXES:
        fits = [_box_fits(profile, height) for profile in profiles]
        for tilt in range(-MAX_TILT, MAX_TILT + 1):
            for row in range(len(fits[0])):
                other = row + tilt
                if 0 <= other < len(fits[1]):
                    fit = fits[0][row] + fits[1][other]
                    if best is None or fit > best[0]:
                        best = fit, row + height / 2, other + height / 2, height
    if best is None or best[0] <= 0:
        return strip
    _, left, right, height = best
    across = strip.cap / CAP
    slope = (right - left) / 2  # the halves' middles are half the length apart
    start, finish = left - HEIGHT / 2 - slope, right - HEIGHT / 2 + slope
    return Strip(
        strip.at(0, start * across), strip.at(strip.length, finish * across), height * across * BOX_TO_CAP
    )


def _box_fits(profile: Floats, height: int) -> list[float]:
    """For each first row of a box of so many rows, how far the change inside exceeds that around it."""
    total = np.concatenate(([0.0], np.cumsum(profile)))
    inside = total[height:] - total[:-height]
    outside = total[-1] - inside
    fits: list[float] = (inside / height - outside / (HEIGHT - height)) * np.sqrt(height * (HEIGHT - height))
    return fits


def normalised(cutting: Grey) -> Floats:
    """Zero mean and unit deviation, the reader's input."""
    values = cutting.astype(np.float32)
    values -= values.mean()
    values /= values.std() + 4.0  # grey levels: a blank strip stays near zero
    return values
