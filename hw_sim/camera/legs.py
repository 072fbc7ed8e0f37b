"""Legs that walk: two tubes from the hips over knees to shoes that stand on the floor.

While a foot carries, it lies still on the floor and the body passes over it; then it swings ahead, lifted.
The knee is where thigh and shin meet, bent ahead. The camera is ahead of the person, so ahead is -z.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_COLUMNS: Final = 13
_WHOLE_STRIDE_M: Final = 0.3  # a foot is lifted less in a shorter one
_LIFT_M: Final = 0.07  # of a swinging foot
_APART_M: Final = 0.085  # a foot from the middle
ANKLE_M: Final = 0.085  # above the floor
HIPS_M: Final = 0.82  # below the eyes
# half width, half depth, along thigh and shin, of somebody grown up
_THIGH: Final = ((0.088, 0.094), (0.084, 0.088), (0.070, 0.076))
_SHIN: Final = ((0.062, 0.066), (0.060, 0.062), (0.056, 0.058))
# height above the floor, how far ahead of the ankle, half width, half length
_SHOE: Final = ((0.095, 0.010, 0.045, 0.056), (0.060, 0.050, 0.048, 0.105), (0.022, 0.062, 0.050, 0.130),
                (0.0, 0.062, 0.050, 0.130), (0.0, 0.062, 0.010, 0.030))  # fmt: skip


class Legs(NamedTuple):
    """`hips` (2, 3) from between the eyes, right then left; `bone_m` from hip to ankle of a straight leg."""

    hips: Floats
    bone_m: float
    size: float = 1.0  # 1: grown up

    def sized(self, size: float, eye_height_m: float, pivot: Floats, moved: Floats) -> "Legs":
        """The legs of a smaller or larger body, its size changed about `pivot`, which moves to `moved`."""
        hips = (self.hips - pivot) * np.float32(size) + moved
        return Legs(hips, eye_height_m - float(hips[0, 1]) - ANKLE_M * size, size)

    def standing(self, hips: Floats, floor_y: float, step: float, stride_m: float) -> tuple[Floats, ...]:
        """Trousers and shoe of the right leg, then of the left, as grids of points in level metres.

        `hips` (2, 3) are above a floor at `floor_y`; `step` is the phase of a stride of `stride_m`.
        """
        middle = float(hips[:, 0].mean())
        grids: list[Floats] = []
        for hip, side, phase in zip(hips, (-1, 1), (step, step + np.pi), strict=True):
            ahead, lifted = tread(phase)
            lift = lifted * _LIFT_M * min(1.0, stride_m / _WHOLE_STRIDE_M)
            floor = floor_y - lift * self.size
            foot = np.array([middle + side * _APART_M * self.size, floor, hip[2] - ahead * stride_m / 2])
            ankle = foot - np.array([0, ANKLE_M * self.size, 0])
            grids += [self._trousers(hip, ankle), self._shoe(foot)]
        return tuple(grids)

    def _trousers(self, hip: Floats, ankle: Floats) -> Floats:
        down = ankle - hip
        length = float(np.linalg.norm(down))
        bend = np.sqrt(max((self.bone_m / 2) ** 2 - (length / 2) ** 2, 0.0))
        knee = hip + down / 2 + bend / length * np.array([0, down[2], -down[1]])
        rings = [hip + (knee - hip) * part for part in (0, 0.5, 0.92)]
        rings += [knee + (ankle - knee) * part for part in (0.1, 0.55, 1.0)]
        return np.stack([self._ring(at, *size) for at, size in zip(rings, (*_THIGH, *_SHIN), strict=True)])

    def _shoe(self, foot: Floats) -> Floats:
        rings = [
            self._ring(foot - self.size * np.array([0, up, ahead]), wide, long)
            for up, ahead, wide, long in _SHOE
        ]
        return np.stack(rings)

    def _ring(self, at: Floats, wide: float, deep: float) -> Floats:
        angle = np.linspace(np.pi, -np.pi, _COLUMNS)
        flat = np.stack([-wide * np.sin(angle), np.zeros(_COLUMNS), -deep * np.cos(angle)], axis=1)
        return np.asarray(at + self.size * flat, np.float32)


def legs_of(eye_height_m: float) -> Legs:
    """The legs of somebody grown up whose eyes are so high above the floor."""
    hips = np.array([[-0.095, HIPS_M, 0.075], [0.095, HIPS_M, 0.075]], np.float32)
    return Legs(hips, eye_height_m - HIPS_M - ANKLE_M)


def tread(phase: float) -> tuple[float, float]:
    """How far ahead a foot is (1 to -1) and how far lifted (0 to 1), at a phase of its stride (radians)."""
    part = (phase / (2 * np.pi)) % 1.0
    if part < 0.5:
        return 1 - 4 * part, 0.0  # it carries: the floor takes it back
    swing = (part - 0.5) * 2
    return float(-np.cos(np.pi * swing)), float(np.sin(np.pi * swing))
