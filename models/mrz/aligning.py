"""Which columns of the line reader's output are which characters of the line.

The print has an even pitch, so a line of 30, 36 or 44 characters is a grid laid over the columns: its pitch
and start come from the characters that stand out, its number from all of them together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BLANK = 37
MIN_SEEN = 8  # characters that must stand out for a grid
MIN_PITCH = 2.0  # columns
LONGEST = 44
MAX_BEND = 0.25  # by which the pitch may change from one end of a line to the other
OUTSIDE = 3  # places before and after the line that should be blank
BENDS = (0.0, 6e-4, -6e-4, 1.2e-3, -1.2e-3, 1.8e-3, -1.8e-3, 2.4e-3, -2.4e-3)  # of the pitch, a character
IN_STEP = 0.95  # strength of the common step at which no other bend is tried
NEAR = 0.24  # of a pitch: columns whose opinion on a character counts
FLOOR = 1e-3  # probability that the reader misses a character or sees one where none is


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of characters in columns, `start + pitch * i + bend * i * i`: those seen are `low` to `high`."""

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
    raised /= raised.sum(1, keepdims=True)
    return raised


def grid_of(columns: Floats) -> Grid | None:
    """Fit a grid to the characters that stand out; None where too few do."""
    centres = _centres(columns)
    if len(centres) < MIN_SEEN:
        return None
    gaps = np.diff(centres)
    usual = float(np.median(gaps))
    if usual < MIN_PITCH:
        return None
    numbers = _in_step(centres, usual)
    if np.ptp(numbers) < MIN_SEEN - 1:
        return None
    degree = 2 if np.ptp(numbers) > 20 else 1
    weight = np.ones(len(centres))
    for _ in range(3):
        fit = np.concatenate((np.zeros(2 - degree), np.polyfit(numbers, centres, degree, w=weight)))
        off = np.abs(centres - np.polyval(fit, numbers))
        weight = 1 / (1 + (off / (0.12 * usual)) ** 2)
    good = np.abs(np.polyval(fit, numbers) - centres) < 0.3 * usual
    if good.sum() < MIN_SEEN or fit[1] < MIN_PITCH or abs(fit[0]) * LONGEST > MAX_BEND * fit[1]:
        return None
    low, high = int(numbers[good].min()), int(numbers[good].max())
    return Grid(float(fit[2]), float(fit[1]), float(fit[0]), low, high)


def _in_step(centres: Floats, usual: float) -> Floats:
    """Number the characters by the pitch, and its change along the line, at which they keep step best.

    Missing characters and false ones between them do not put the others out of step.
    """
    middle = (centres[0] + centres[-1]) / 2
    x = (centres - middle) / usual
    pitches = np.linspace(0.9, 1.1, 61)
    best = (0.0, 1.0, x, 0.0)
    for bend in BENDS:
        bent = x - bend * x * x
        steps = np.exp(2j * np.pi * bent[:, None] / pitches).sum(0)
        at = int(np.abs(steps).argmax())
        strength = float(np.abs(steps[at]))
        if strength > best[0]:
            best = strength, float(pitches[at]), bent, float(np.angle(steps[at])) / (2 * np.pi)
        if best[0] > IN_STEP * len(x):
            break
    _, pitch, bent, phase = best
    numbers: Floats = np.round(bent / pitch - phase)
    numbers -= numbers[0]
    return numbers


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
