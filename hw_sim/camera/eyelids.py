"""Blinking: when somebody's eyes close, and how their lids move on the mesh of the face.

People who wait blink some 17 times a minute at irregular intervals, for a quarter of a second: the lid falls
in 80 ms, stays for a moment and rises more slowly. A function of time and a seed: no state.
"""

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_EVERY_S: Final = 3.5  # one blink in each stretch of time so long
_LATEST_S: Final = 3.1  # where in its stretch a blink begins at the latest: it ends within the stretch
_FALL_S: Final = 0.08
_RISE_S: Final = 0.16
_SHUT_S: Final = (0.04, 0.10)
_TWICE: Final = 0.08  # chance that a blink is followed by another at once
_AGAIN_S: Final = 0.42
# lids from the outer corner inwards: upper rim, lower rim, crease above the upper lid
_UPPER: Final = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
_LOWER: Final = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
_CREASE: Final = (247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414)
_LOWER_RISES: Final = 0.12  # share of the opening that the lower lid closes
_CREASE_FALLS: Final = 0.42  # share of the upper lid's way that its crease follows
_BULGE_M: Final = 0.0012  # the eyeball under the closed lid


class Blinks:
    """When one person blinks, fixed by a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def closed(self, time_s: float) -> float:
        """How far the eyes are closed: 0 open, 1 shut."""
        number = int(np.floor(time_s / _EVERY_S))
        into_s = time_s - number * _EVERY_S
        begins = _begins(self._seed, number)
        return max((_closed(into_s - begin, shut_s) for begin, shut_s in begins), default=0.0)


@functools.lru_cache(maxsize=64)
def _begins(seed: int, number: int) -> tuple[tuple[float, float], ...]:
    """When blinks of a stretch begin, from its own beginning, and how long each stays shut."""
    chance = np.random.default_rng([seed, 707, number % 2**32])
    shut_s = float(chance.uniform(*_SHUT_S))
    if chance.random() < _TWICE:
        first = float(chance.uniform(0, _LATEST_S - _AGAIN_S))
        return (first, shut_s), (first + _AGAIN_S, shut_s)
    return ((float(chance.uniform(0, _LATEST_S)), shut_s),)


def _closed(since_s: float, shut_s: float) -> float:
    if since_s < 0:
        return 0.0
    if since_s < _FALL_S:
        return since_s / _FALL_S
    return float(np.clip(1 - (since_s - _FALL_S - shut_s) / _RISE_S, 0, 1))


def falling(face: Floats) -> Floats:
    """How the points (468, 3) of a face move, in metres, when its eyes shut."""
    moved = np.zeros_like(face)
    upper, lower, crease = (list(ring) for ring in (_UPPER, _LOWER, _CREASE))
    opening = face[lower] - face[upper]
    moved[upper] = opening * np.float32(1 - _LOWER_RISES)
    moved[lower] = -opening * np.float32(_LOWER_RISES)
    moved[crease] = moved[upper] * np.float32(_CREASE_FALLS)
    for ring in (upper, lower, crease):
        moved[ring, 2] -= np.float32(_BULGE_M)
    return moved
