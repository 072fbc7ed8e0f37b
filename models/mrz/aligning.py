"""Which columns of the line reader's output are which characters of the line.

The print has an even pitch, so a line of 30, 36 or 44 characters is a grid laid over the columns: its pitch
and start come from the characters that stand out, its number from all of them together.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BLANK = 37
MIN_SEEN = 8  # characters that must stand out for a grid
COUNTS = (30, 36, 44)
OUTSIDE = 3  # places before and after the line that should be blank
NEAR = 0.24  # of a pitch: columns whose opinion on a character counts
FLOOR = 1e-3  # probability that the reader misses a character or sees one where none is


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of characters, in columns: `place(i) = start + pitch * i + bend * i * i`, from `low` to `high`."""

    start: float
    pitch: float
    bend: float
    low: int
    high: int

    def places(self, first: int, count: int) -> Floats:
        """The middles of so many characters from number `first` on."""
        number = np.arange(first, first + count)
        middles: Floats = self.start + self.pitch * number + self.bend * number * number
        return middles


def probabilities(logits: npt.NDArray[np.float32], temperature: float) -> Floats:
    """Columns x classes; a temperature above 1 makes the reader less sure."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(1, keepdims=True)
    raised: Floats = np.exp(scaled)
    return raised / raised.sum(1, keepdims=True)


def grid_of(columns: Floats) -> Grid | None:
    """Fit a grid to the characters that stand out; None where too few do."""
    centres = _centres(columns)
    if len(centres) < MIN_SEEN:
        return None
    gaps = np.diff(centres)
    pitch = float(np.median(gaps))
    near = gaps[np.abs(gaps - pitch) < 0.3 * pitch]
    if len(near) < MIN_SEEN // 2:
        return None
    pitch = float(near.mean())
    # number them from the middle outwards, so that an odd gap at an end spoils nothing
    numbers = np.concatenate(([0], np.cumsum(np.maximum(np.round(gaps / pitch), 1))))
    weight = np.ones(len(centres))
    coefficients: Any = np.zeros(3)
    for _ in range(4):
        degree = 2 if numbers[-1] > 20 else 1
        coefficients = np.polyfit(numbers, centres, degree, w=weight)
        errors = np.abs(np.polyval(coefficients, numbers) - centres)
        weight = 1 / (1 + (errors / (0.15 * pitch)) ** 2)
        # renumber by the fit: where does each centre fall?
        slope = np.polyder(coefficients)
        guess = numbers + (centres - np.polyval(coefficients, numbers)) / np.maximum(
            np.polyval(slope, numbers), 1
        )
        numbers = np.round(guess)
    bend, pitch, start = (0.0, *coefficients) if len(coefficients) == 2 else coefficients
    if pitch < 1.5 or abs(bend) * 44 > 0.25 * pitch:
        return None
    good = np.abs(np.polyval(coefficients, numbers) - centres) < 0.3 * pitch
    if good.sum() < MIN_SEEN:
        return None
    return Grid(float(start), float(pitch), float(bend), int(numbers[good].min()), int(numbers[good].max()))


def _centres(columns: Floats) -> Floats:
    """Middles of the runs of columns that agree on a character."""
    best = columns.argmax(1)
    borders = np.flatnonzero(np.diff(best)) + 1
    starts, ends = np.concatenate(([0], borders)), np.concatenate((borders, [len(best)]))
    solid = 1 - columns[:, BLANK]
    centres = []
    for start, end in zip(starts, ends, strict=True):
        if best[start] != BLANK:
            weight = solid[start:end]
            centres.append(float((np.arange(start, end) * weight).sum() / weight.sum()))
    return np.array(centres)


def sampled(columns: Floats, places: Floats) -> Floats:
    """The columns' probabilities at fractional places; blank beyond the ends."""
    inside = np.clip(places, 0, len(columns) - 1)
    low = np.minimum(inside.astype(int), len(columns) - 2)
    share = (inside - low)[:, None]
    mixed: Floats = columns[low] * (1 - share) + columns[low + 1] * share
    beyond = (places < -0.5) | (places > len(columns) - 0.5)
    mixed[beyond] = 0
    mixed[beyond, BLANK] = 1
    return mixed


def offsets(columns: Floats, grid: Grid, count: int) -> dict[int, float]:
    """For each number that the first of `count` characters may have on the grid, what speaks for that.

    The logarithm of how much likelier it is than that there are no characters at all.
    """
    first, last = grid.low - OUTSIDE - 2, grid.high + OUTSIDE + 2
    seen = 1 - sampled(columns, grid.places(first, last - first + 1))[:, BLANK]
    solid = np.log(np.maximum(seen, FLOOR))
    empty = np.log(np.maximum(1 - seen, FLOOR))
    scores = {}
    gain = np.concatenate(([0], np.cumsum(solid - empty)))
    for low in range(first, max(first, last - count + 1) + 1):
        if low + count - first < len(gain):
            scores[low] = float(gain[low + count - first] - gain[low - first])
    return scores


def characters(columns: Floats, grid: Grid, first: int, count: int) -> Floats:
    """`count` x 37 probabilities of the characters from number `first` on."""
    middles = grid.places(first, count)
    logs = np.zeros((count, len(columns[0])))
    shifts = np.array([-NEAR, 0, NEAR]) * grid.pitch
    for shift in shifts:
        logs += np.log(np.maximum(sampled(columns, middles + shift), 1e-9))
    raised = np.exp(logs[:, :BLANK] / len(shifts))
    result: Floats = raised / raised.sum(1, keepdims=True)
    return result
