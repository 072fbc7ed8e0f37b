"""A light curtain of the simulated lane: four beams across the way, and the exact times of their edges.

Between two moments a body moves evenly. Its gait is followed in slices of `SLICE_M`, and each edge is then
narrowed down to `EDGE_S`: an interruption shorter than a slice may be missed, as a real curtain's scan does.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from gated.core.values import Value
from hw_sim.lane.bodies import HIGH_M, LOW_M, Shape

APART_M: Final = 0.20  # between the columns
SLICE_M: Final = 0.004
EDGE_S: Final = 5e-5
COLUMNS: Final = ("outer", "inner")
HEIGHTS: Final = {"low": LOW_M, "high": HIGH_M}
BEAMS: Final = tuple(f"{column}_{height}" for column in COLUMNS for height in HEIGHTS)


class Course(Value):
    """How a body moves for a while: evenly, from one place to another. Seconds and metres.

    `walked_m` is how far it had walked before, either way.
    """

    shape: Shape
    since: float
    until: float
    from_m: float
    to_m: float
    walked_m: float = 0.0
    ahead: bool = True

    def at(self, time_s: float) -> tuple[float, float]:
        """Where it is at a time, and how far it has walked by then."""
        spent = self.until - self.since
        part = 1.0 if spent <= 0 else min(1.0, max(0.0, (time_s - self.since) / spent))
        way = (self.to_m - self.from_m) * part
        return self.from_m + way, self.walked_m + abs(way)


class Edge(Value):
    """A beam that becomes interrupted, or free again."""

    at: float
    beam: str
    blocked: bool


class LightCurtain:
    """The beams of one doorway. `inward` is 1.0 where the inside of the lane lies ahead, -1.0 behind."""

    def __init__(self, place_m: float, inward: float = 1.0) -> None:
        half = APART_M / 2 * inward
        self.place_m = place_m
        self._at_m = {"outer": place_m - half, "inner": place_m + half}
        self.blocked = dict.fromkeys(BEAMS, False)

    def near(self, course: Course) -> bool:
        """Whether the body can touch a beam on its course."""
        rear, front = course.shape.span
        reach = max(abs(rear), abs(front)) + APART_M
        low, high = sorted((course.from_m, course.to_m))
        return low - reach <= self.place_m <= high + reach

    def pass_time(self, courses: Iterable[Course], since: float, until: float) -> list[Edge]:
        """The edges, in the order of time, while all these courses are run from `since` to `until`."""
        near = [course for course in courses if self.near(course)]
        if not near and not any(self.blocked.values()):
            return []
        longest = max((abs(course.to_m - course.from_m) for course in near), default=0.0)
        slices = max(1, round(longest / SLICE_M))
        edges: list[Edge] = []
        then = since
        for number in range(1, slices + 1):
            now = since + (until - since) * number / slices
            edges += self._slice(near, then, now)
            then = now
        return edges

    def _slice(self, courses: list[Course], then: float, now: float) -> Iterator[Edge]:
        changed = [beam for beam in BEAMS if self.is_met(beam, courses, now) != self.blocked[beam]]
        found = sorted((self._narrow(beam, courses, then, now), beam) for beam in changed)
        for at, beam in found:
            self.blocked[beam] = not self.blocked[beam]
            yield Edge(at=at, beam=beam, blocked=self.blocked[beam])

    def _narrow(self, beam: str, courses: list[Course], then: float, now: float) -> float:
        while now - then > EDGE_S:
            middle = (then + now) / 2
            if self.is_met(beam, courses, middle) == self.blocked[beam]:
                then = middle
            else:
                now = middle
        return now

    def is_met(self, beam: str, courses: Iterable[Course], time_s: float) -> bool:
        """Whether something is in the way of a beam at a time."""
        column, height = beam.split("_")
        for course in courses:
            x_m, walked_m = course.at(time_s)
            at_m = self._at_m[column] - x_m
            covered = course.shape.covers(walked_m, HEIGHTS[height], ahead=course.ahead)
            if any(rear <= at_m <= front for rear, front in covered):
                return True
        return False
