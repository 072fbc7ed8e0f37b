"""How people move: along the lane as the world says, and around that path as bodies do.

The path is the world's: points (time, distance) joined by straight lines. On it lies gait: the head rises
and falls with each step (2 Hz, about 1 cm), sways with each pair of steps, and looks about by a few degrees.
Somebody who stands still keeps a slow postural sway and a living head, and turns it if asked to. A held
photograph has the gait of its holder and the tremor and tilt of hands. All of it is a function of time and a
seed: no state.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from hw_sim.camera.render import CAMERA_HEIGHT_M, Pose

_STEP_HZ: Final = 1.9
_WALKING_MPS: Final = 0.6  # at this speed gait has its full size
_BRISK_MPS: Final = 1.2  # beyond this speed, of people in a hurry, it grows
_BRISK_MORE: Final = 0.8  # by so much at twice that speed
_ASKED_DEG: Final = (8.0, 16.0)  # to each side, by who is asked to turn the head a little
_TURNING_S: Final = 1.6  # to one side, to the other, and back


class Path(NamedTuple):
    """Points (monotonic seconds, metres from the camera) in order of time; constant before and after."""

    points: tuple[tuple[float, float], ...]

    def at(self, time_s: float) -> tuple[float, float]:
        """Distance (m) and speed (m/s, positive towards the camera) at a time."""
        times, distances = zip(*self.points, strict=True)
        distance = float(np.interp(time_s, times, distances))
        ahead = float(np.interp(time_s + 0.05, times, distances))
        return distance, (distance - ahead) / 0.05


class _Sway(NamedTuple):
    """A sum of two slow sines with phases of its own."""

    phase: tuple[float, float]
    hertz: tuple[float, float]

    def at(self, time_s: float) -> float:
        """Between -1 and 1."""
        (p, q), (f, g) = self.phase, self.hertz
        return float(0.6 * np.sin(2 * np.pi * f * time_s + p) + 0.4 * np.sin(2 * np.pi * g * time_s + q))


def _sway(chance: np.random.Generator, low: float, high: float) -> _Sway:
    a, b = chance.uniform(0, 2 * np.pi, 2)
    f, g = chance.uniform(low, high, 2)
    return _Sway((float(a), float(b)), (float(f), float(g)))


class Gait:
    """The movements of one person, fixed by a seed.

    `sinks`: a walking head is never higher than a standing one, as with people; else it swings about that
    height.
    """

    def __init__(self, seed: int, eye_height_m: float, *, sinks: bool = False) -> None:
        chance = np.random.default_rng([seed, 101])
        self._drop_m = CAMERA_HEIGHT_M - eye_height_m  # y grows downwards
        self._bob_m = chance.uniform(0.008, 0.014)
        self._sway_m = chance.uniform(0.008, 0.016)
        self._step = chance.uniform(0, 2 * np.pi)
        self._look = np.deg2rad(chance.uniform(3.5, 6.0))
        self._yaw, self._pitch, self._roll = (_sway(chance, 0.25, 0.75) for _ in range(3))
        self._stand_x, self._stand_z = (_sway(chance, 0.15, 0.4) for _ in range(2))
        self._aim = np.deg2rad(chance.normal(0, [2.0, 2.0, 1.0]))
        self._aside_m = chance.normal(0, 0.025)
        self._sink_m = self._bob_m + chance.uniform(0.0, 0.006) if sinks else 0.0
        self._asked = np.deg2rad(chance.uniform(*_ASKED_DEG)) * chance.choice([-1, 1])

    def turned(self, turns_s: Sequence[float], time_s: float) -> float:
        """The yaw (radians) of a head that turns to one side and the other from each of those times on."""
        into = [time_s - since for since in turns_s if 0 <= time_s - since <= _TURNING_S]
        return float(self._asked) * float(sum(np.sin(2 * np.pi * each / _TURNING_S) for each in into))

    def pose(self, path: Path, time_s: float) -> Pose:
        """Where the head is and how it is turned, if nobody asked for a turn."""
        distance, speed = path.at(time_s)
        brisk = min(1.0, max(0.0, abs(speed) / _BRISK_MPS - 1))
        stride = min(1.0, abs(speed) / _WALKING_MPS) + _BRISK_MORE * brisk
        nod = stride * np.deg2rad(0.8)
        step = 2 * np.pi * _STEP_HZ * time_s + self._step
        bob = stride * self._bob_m * np.sin(step)
        return Pose(
            x_m=self._aside_m + stride * self._sway_m * np.sin(step / 2) + 0.006 * self._stand_x.at(time_s),
            y_m=self._drop_m + bob + stride * self._sink_m,
            distance_m=max(distance + 0.008 * self._stand_z.at(time_s), 0.4),
            yaw=self._aim[0] + self._look * self._yaw.at(time_s) + 1.5 * nod * np.sin(step / 2 + 0.6),
            pitch=self._aim[1] + 0.5 * self._look * self._pitch.at(time_s) + nod * np.cos(step),
            roll=self._aim[2] + 0.3 * self._look * self._roll.at(time_s) + nod * np.sin(step / 2),
            lean=stride * np.deg2rad(2.0) * np.sin(step / 2 + 0.3),
            step=step / 2 - np.pi / 4,  # both feet are on the floor when the head is lowest
            stride_m=abs(speed) / _STEP_HZ,
        )


class Grip:
    """How a held photograph moves against the body of its holder, fixed by a seed."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng([seed, 202])
        self._tilt = np.deg2rad(chance.uniform(2.0, 5.0))
        self._tremor = np.deg2rad(chance.uniform(0.2, 0.4))
        self._turns = tuple(_sway(chance, 0.3, 0.9) for _ in range(3))
        self._shakes = tuple(_sway(chance, 4.0, 8.0) for _ in range(3))
        self._shifts = tuple(_sway(chance, 0.3, 0.9) for _ in range(2))
        self._aim = np.deg2rad(chance.normal(0, [2.0, 3.0, 1.5]))
        self._reach_m = chance.uniform(0.24, 0.32)

    def pose(self, holder: Pose, time_s: float) -> Pose:
        """Where the middle of the photograph's face is, from where the holder's eyes are."""
        yaw, pitch, roll = (
            self._aim[i] + self._tilt * self._turns[i].at(time_s) + self._tremor * self._shakes[i].at(time_s)
            for i in range(3)
        )
        return Pose(
            x_m=holder.x_m + 0.012 * self._shifts[0].at(time_s),
            y_m=holder.y_m + 0.03 + 0.010 * self._shifts[1].at(time_s) + 0.0008 * self._shakes[0].at(time_s),
            distance_m=max(holder.distance_m - self._reach_m, 0.3),
            yaw=yaw, pitch=pitch, roll=0.6 * roll,
        )  # fmt: skip
