"""A blink: lids that close and open again within a moment.

The opening of an eye is the distance of its lids over its width, as the mesh tells it. A blink is a dip of
both eyes below a part of what is usual for this person, that ends. It is weak evidence: a replayed film
blinks as well, a print whose holes show living eyes too. That nobody blinks within some seconds says little,
and so is no evidence at all.
"""

from collections import deque
from typing import Final

import numpy as np

from models.face import Points
from models.liveness.cue import Cue

_RIGHT: Final = ((159, 145), (33, 133))  # upper and lower lid, corners
_LEFT: Final = ((386, 374), (263, 362))
KEPT: Final = 90
LEAST: Final = 8  # frames before anything is usual
_DIP: Final = 0.6  # of the usual opening
_RISEN: Final = 0.8
_LONGEST_S: Final = 0.6
_APART_S: Final = 0.4  # between frames: what lay between is not known
_OPEN: Final = 0.12  # eyes that are usually narrower are not measured well enough
SCORE: Final = 0.6


def opening(points: Points) -> float:
    """Return how far the eyes are open, the lids' distance over the width, mean of both."""
    eyes = []
    for (upper, lower), (outer, inner) in (_RIGHT, _LEFT):
        wide = float(np.hypot(*(points[outer, :2] - points[inner, :2])))
        eyes.append(float(np.hypot(*(points[upper, :2] - points[lower, :2]))) / max(wide, 1e-6))
    return float(np.mean(eyes))


class BlinkCheck:
    """Watches the lids of one face."""

    def __init__(self) -> None:
        self._openings: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def add(self, points: Points, at: float) -> None:
        """Take one frame's mesh (468, 3) and its moment, monotonic seconds."""
        self._openings.append((at, opening(points)))

    def judge(self) -> Cue:
        """Say whether there was a blink."""
        if blinks(list(self._openings)):
            return Cue(name="blink", score=SCORE, reason="lids closed and opened again")
        return Cue(name="blink", score=None, reason="no blink seen, which says little")

    def wipe(self) -> None:
        """Drop everything."""
        self._openings.clear()


def blinks(openings: list[tuple[float, float]]) -> int:
    """Count the blinks among openings at moments."""
    if len(openings) < LEAST:
        return 0
    usual = float(np.median([wide for _, wide in openings]))
    if usual < _OPEN:
        return 0
    count, closed_at, last_at = 0, None, openings[0][0]
    risen = False  # eyes must have been seen open before
    for at, wide in openings:
        if at - last_at > _APART_S:
            closed_at, risen = None, False
        last_at = at
        if wide < _DIP * usual:
            if closed_at is None and risen:
                closed_at = at
        elif wide > _RISEN * usual:
            if closed_at is not None and at - closed_at <= _LONGEST_S:
                count += 1
            closed_at, risen = None, True
    return count
