"""Periodic fine structure as a camera's pixels sample it.

A grid of ink or of screen pixels is a sum of waves. Each reaches the sensor weakened by the lens and by the
area of a pixel (its modulation transfer), and is then sampled at whole pixels. So the waves are evaluated
just there: one that is finer than the pixels comes out folded over, as coarse moire, with the strength that
the optics left it. Nothing need be drawn at a higher resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MAX_TERMS = 12


@dataclass(frozen=True)
class Optics:
    """Standard deviation of the lens blur and width of the light-sensitive square, in pixels.

    `floor` is what is left of any wave, however fine: cameras that skip rows when they scale let it through.
    """

    blur: float
    aperture: float
    floor: float

    def passed(self, across: float, down: float) -> float:
        """The share of a wave of so many periods a pixel that reaches the sensor."""
        lens = np.exp(-2 * np.square(np.pi * self.blur) * (across * across + down * down))
        area = np.sinc(across * self.aperture) * np.sinc(down * self.aperture)
        return float(max(lens * abs(area), self.floor))


@dataclass(frozen=True)
class Term:
    """A wave, `across` and `down` periods to a cell of a grid: amplitude and phase of blue, green, red."""

    across: float
    down: float
    amplitude: tuple[float, float, float]
    phase: tuple[float, float, float] = (0.0, 0.0, 0.0)


def waves(across: Floats, down: Floats, terms: Sequence[Term], optics: Optics) -> Floats:
    """The sum of waves (side, side, 3) over a grid whose cells are counted by `across` and `down`."""
    if len(terms) > MAX_TERMS:
        raise ValueError(f"more than {MAX_TERMS} terms")
    total = np.zeros((*across.shape, 3), np.float32)
    for term in terms:
        cycles = np.float32(term.across) * across + np.float32(term.down) * down
        passed = optics.passed(*_frequency(cycles))
        if passed * max(abs(a) for a in term.amplitude) < 2e-3:
            continue
        cycles = (cycles - np.rint(cycles)) * np.float32(2 * np.pi)
        cos, sin = np.cos(cycles), np.sin(cycles)
        for channel in range(3):
            strength = passed * term.amplitude[channel]
            phase = term.phase[channel] * 2 * np.pi
            total[..., channel] += np.float32(strength * np.cos(phase)) * cos
            total[..., channel] -= np.float32(strength * np.sin(phase)) * sin
    return total


def _frequency(cycles: Floats) -> tuple[float, float]:
    """Periods a pixel across and down, in the middle of the image."""
    y, x = cycles.shape[0] // 2, cycles.shape[1] // 2
    return float(cycles[y, x + 1] - cycles[y, x]), float(cycles[y + 1, x] - cycles[y, x])
