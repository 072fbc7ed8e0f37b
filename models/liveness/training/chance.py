"""Random parameters whose ranges are cut in two: bands for training, bands that only a test draws from.

Of every range of an attack's parameters the parts from 20 to 30 % and from 70 to 80 % are held out. A test
therefore sees no screen frequency, no ink, no gloss, no bend that the network was trained on, though all
lie between such that it was.
"""

import functools
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
T = TypeVar("T")

_NOISE_SIDE: Final = 2048

_TRAINED: Final = ((0.0, 0.2), (0.3, 0.7), (0.8, 1.0))
_HELD_OUT: Final = ((0.2, 0.3), (0.7, 0.8))


class Chance:
    """A seeded source of parameters; `held_out`: from the bands that training never draws from."""

    def __init__(self, rng: np.random.Generator, *, held_out: bool) -> None:
        self.rng = rng
        bands = _HELD_OUT if held_out else _TRAINED
        widths = np.array([high - low for low, high in bands])
        self._shares = widths / widths.sum()
        self._bands = bands

    def within(self, low: float, high: float) -> float:
        """A parameter of an attack, evenly within its range, from the bands of this part."""
        return low + (high - low) * self._part()

    def scale(self, low: float, high: float) -> float:
        """A parameter of an attack that spans orders of magnitude: even in its logarithm."""
        return float(np.exp(self.within(np.log(low), np.log(high))))

    def free(self, low: float, high: float) -> float:
        """A parameter of the scene or the camera, the same for every class and part."""
        return float(self.rng.uniform(low, high))

    def free_scale(self, low: float, high: float) -> float:
        """The same, even in its logarithm."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def happens(self, share: float) -> bool:
        """Whether something that is so in this share of cases is so in this one."""
        return bool(self.rng.random() < share)

    def one(self, of: Sequence[T]) -> T:
        """One of several, each as likely."""
        return of[int(self.rng.integers(len(of)))]

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def noise(self, side: int, channels: int) -> Floats:
        """White noise of unit deviation (side, side, channels), cut from one store of it at random places."""
        store = _noise()
        layers = []
        for _ in range(channels):
            top, left = (self.whole(0, _NOISE_SIDE - side) for _ in range(2))
            layers.append(store[top : top + side, left : left + side])
        return np.stack(layers, axis=-1)

    def _part(self) -> float:
        low, high = self._bands[int(self.rng.choice(len(self._bands), p=self._shares))]
        return float(self.rng.uniform(low, high))


@functools.cache
def _noise() -> Floats:
    """Drawing it anew for every sensor and every sheet of paper would take a third of all time."""
    return np.random.default_rng(20_26).standard_normal((_NOISE_SIDE, _NOISE_SIDE), np.float32)
