"""Brings the world before the cameras: whoever the lane holds is rendered where they are.

Some fifteen times a second it asks the world who is in view and at what distance, and gives every camera each
one's recent way and where they will be in a moment; in between the camera interpolates. It is told when the
gate's face light goes on and off. A camera that is dead shows nothing; the others go on.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from hw_sim.camera.scene import Lit, Presence, Scene, Waypoint
from hw_sim.camera.server import CameraFailed, SimulatedCamera
from hw_sim.lane.world import World

PERIOD_S = 1 / 15
AHEAD_S = 0.1  # a frame is rendered within this time of the last look
KEEP = 6
LIT = 8  # last times of the light that cameras are told


class _Side:
    """The cameras that people see who come from one end, and their ways as those see them."""

    def __init__(self, cameras: Sequence[SimulatedCamera], *, from_exit: bool) -> None:
        self.cameras = cameras
        self.from_exit = from_exit
        self.ways: dict[str, deque[Waypoint]] = {}
        self.empty = True


class Projector:
    """A thread between `World` and its cameras. `cast` says what each person looks like.

    `others` are the cameras at the entry of a lane for two directions; each sees those who walk towards it.
    """

    def __init__(
        self, world: World, *cameras: SimulatedCamera, others: Sequence[SimulatedCamera] = ()
    ) -> None:
        self._world = world
        self._sides = (_Side(cameras, from_exit=False), _Side(others, from_exit=True))
        self._light: tuple[Lit, ...] = ()
        self._beside: tuple[Presence, ...] = ()
        self._cast: dict[str, tuple[Presence, ...]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sim-projector", daemon=True)

    def cast(self, name: str, *looks: Presence) -> None:
        """Give a person of the world a face, or two who go as one their faces; their path is filled in."""
        self._cast[name] = looks

    def beside(self, *presences: Presence) -> None:
        """People in the hall whom the lane's world does not know; their paths are their own."""
        self._beside = presences

    def light(self, *, on: bool, at: float) -> None:
        """The gate's face light went on or off `at` a monotonic time; cameras learn it within 70 ms."""
        lit = self._light
        shines = bool(lit) and lit[-1].until_s is None
        if on and not shines:
            self._light = (*lit, Lit(since_s=at))[-LIT:]
        elif shines and not on:
            self._light = (*lit[:-1], replace(lit[-1], until_s=at))

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            for side in self._sides:
                if side.cameras:
                    self._show(side)

    def _show(self, side: _Side) -> None:
        present = self._present(side, time.monotonic())
        if present or not side.empty:
            for camera in side.cameras:
                shown = Scene(present=present, lens=camera.lens, mount=camera.mount, light=self._light)
                with contextlib.suppress(CameraFailed):  # a dead camera shows nothing; the lane goes on
                    camera.show(shown)
        side.empty = not present

    def _present(self, side: _Side, now: float) -> tuple[Presence, ...]:
        shown: list[Presence] = []
        in_view = self._world.in_view(from_exit=side.from_exit)
        seen = [(name, distance) for name, distance in in_view if name in self._cast]
        for name, distance in seen:
            way = side.ways.setdefault(name, deque(maxlen=KEEP))
            way.append(Waypoint(time_s=now, distance_m=distance))
            path = (*way, _ahead(way))
            shown += [replace(look, path=path) for look in self._cast[name]]
        side.ways = {name: side.ways[name] for name, _ in seen}
        return (*shown, *(() if side.from_exit else self._beside))


def _ahead(way: deque[Waypoint]) -> Waypoint:
    """Where somebody will be in a moment, if they go on as they do."""
    last, before = way[-1], way[-2] if len(way) > 1 else way[-1]
    elapsed = last.time_s - before.time_s
    speed = (last.distance_m - before.distance_m) / elapsed if elapsed > 0 else 0.0
    return Waypoint(time_s=last.time_s + AHEAD_S, distance_m=last.distance_m + speed * AHEAD_S)
