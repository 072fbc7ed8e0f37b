"""Bodies at one height of a light curtain, from the interruptions of its two columns.

What is in the beams can only be told by how it moves. The delay from column to column gives direction and
speed, the time of an interruption times the speed its length. A body that is longer than the columns are
apart keeps one of them interrupted all the way, so that the side on which it came and the side on which it
left are known whatever it did meanwhile. Limbs that swing, and people who follow closely, blur that.
"""

import math
from collections.abc import Sequence
from typing import Final

from gated.core.values import Value

APART_M: Final = 0.20  # between the columns of beams, along the walk
ARM_M: Final = 0.13  # what is shorter, and near a trunk, is an arm
ARM_REACH_M: Final = 0.30
ISLAND_M: Final = 0.06  # an arm and its trunk leave no more free between them, in both columns
STEADY: Final = 1.7  # front and back of a body pass with the same speed, within this factor
EVEN: Final = 2.2  # so do all who follow one another, whatever their arms do
ALIKE: Final = 0.5  # part of what either column saw of people in file that both saw, one after the other
NEARLY: Final = 0.93  # swinging limbs may make a wrong delay so much likelier than the right one
TRUNK_M: Final = 0.66  # with a rucksack
WALKS_S: Final = (0.08, 0.7)  # from column to column: 2.5 to 0.3 m/s
MOST_PAIRS: Final = 256  # more is a flutter
APART_S: Final = 1.5  # a body shorter than the columns are apart is lost between them no longer


class Run(Value):
    """A beam was interrupted from `start` to `end` (monotonic seconds)."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """For how long."""
        return self.end - self.start


class Pass(Value):
    """One body in one height, in both columns."""

    outer: Run
    inner: Run

    @property
    def fronts_s(self) -> float:
        """How much later its front met the inner column, seconds; below nought: it came from inside."""
        return self.inner.start - self.outer.start

    @property
    def backs_s(self) -> float:
        """The same of its back."""
        return self.inner.end - self.outer.end

    @property
    def through(self) -> bool:
        """Whether it went from one side to the other."""
        return self.fronts_s * self.backs_s > 0

    @property
    def inward(self) -> bool:
        """Which way it went."""
        return self.fronts_s > 0

    @property
    def steady(self) -> bool:
        """Whether its length can be told: it did not stop or turn amid the columns."""
        return 1 / STEADY < abs(self.fronts_s / self.backs_s) < STEADY

    @property
    def even(self) -> bool:
        """Whether it may be one of several that follow closely."""
        return 1 / EVEN < abs(self.fronts_s / self.backs_s) < EVEN

    @property
    def speed_m_s(self) -> float:
        """The mean of front and back."""
        return APART_M / math.sqrt(abs(self.fronts_s * self.backs_s))

    @property
    def length_m(self) -> float:
        """The shorter of the two columns' views: limbs that swing make a body longer, never shorter."""
        return self.speed_m_s * min(self.outer.seconds, self.inner.seconds)

    @property
    def at(self) -> float:
        """When it had left both columns."""
        return max(self.outer.end, self.inner.end)

    @property
    def begun(self) -> float:
        """When it came."""
        return min(self.outer.start, self.inner.start)


def passes(outer: Sequence[Run], inner: Sequence[Run], join_m: float) -> list[Pass]:
    """The bodies that one height met, by the islands of time in which either column was interrupted.

    An island in both columns is one body, unless it can only be several that follow closely. What only one
    column met may be a body that is shorter than the columns are apart: it is sought in the other one.
    """
    if not outer or not inner:
        return []
    if file := _in_file(outer, inner):
        return file
    pace = _pace(outer, inner)
    gap_s = join_m / pace
    found: list[Pass] = []
    lone: tuple[list[Run], list[Run]] = ([], [])
    for ours, theirs in _islands(_joined(outer, gap_s), _joined(inner, gap_s), ISLAND_M / pace):
        if ours and theirs:
            found += _several(ours, theirs) or [Pass(outer=_whole(ours), inner=_whole(theirs))]
        else:
            lone[0].extend(ours)
            lone[1].extend(theirs)
    found += _matched(*lone)
    return sorted(found, key=lambda one: one.begun)


def _islands(outer: list[Run], inner: list[Run], gap_s: float) -> list[tuple[list[Run], list[Run]]]:
    islands: list[tuple[list[Run], list[Run]]] = []
    reached = -math.inf
    for run, ours in sorted([*((run, True) for run in outer), *((run, False) for run in inner)], key=_began):
        if run.start > reached + gap_s:
            islands.append(([], []))
        islands[-1][0 if ours else 1].append(run)
        reached = max(reached, run.end)
    return islands


def _began(each: tuple[Run, bool]) -> float:
    return each[0].start


def _whole(runs: list[Run]) -> Run:
    return Run(start=runs[0].start, end=runs[-1].end)


def _in_file(ours: Sequence[Run], theirs: Sequence[Run]) -> list[Pass]:
    """People who follow one another closely at one speed, if all that was seen is that.

    With the right delay the one column repeats what the other has seen; limbs that swing do not take part in
    that, trunks do. Whoever stands, steps back and goes on leaves a longer trace than a trunk is.
    """
    if len(ours) * len(theirs) > MOST_PAIRS:
        return []
    whole_s = sum(run.seconds for run in (*ours, *theirs))
    tried = []
    for delay_s in _delays(ours, theirs):
        common = _common(ours, theirs, delay_s)
        shared_s = sum(run.seconds for run in common)
        tried.append((shared_s / (whole_s - shared_s), delay_s, common))
    tried.sort(key=_likeness, reverse=True)
    for likeness, delay_s, common in tried:
        if likeness < max(ALIKE, NEARLY * tried[0][0]):
            break
        lengths = [run.seconds * APART_M / abs(delay_s) for run in common]
        trunks = [run for run, length in zip(common, lengths, strict=True) if length >= ARM_M]
        if len(trunks) > 1 and max(lengths) <= TRUNK_M:
            return [
                Pass(outer=Run(start=run.start - delay_s, end=run.end - delay_s), inner=run) for run in trunks
            ]
    return []


def _likeness(each: tuple[float, float, list[Run]]) -> float:
    return each[0]


def _delays(ours: Sequence[Run], theirs: Sequence[Run]) -> list[float]:
    """The delays between the columns that edges suggest, of those at which people walk in file."""
    pairs = [(mine, its) for mine in ours for its in theirs]
    delays = {delay for mine, its in pairs for delay in (its.start - mine.start, its.end - mine.end)}
    return sorted(delay for delay in delays if WALKS_S[0] <= abs(delay) <= WALKS_S[1])


def _common(ours: Sequence[Run], theirs: Sequence[Run], delay_s: float) -> list[Run]:
    """When the inner column is interrupted and the outer one was, so long before."""
    shared: list[Run] = []
    mine, its = 0, 0
    while mine < len(ours) and its < len(theirs):
        ends = ours[mine].end + delay_s, theirs[its].end
        start, end = max(ours[mine].start + delay_s, theirs[its].start), min(ends)
        if end > start:
            shared.append(Run(start=start, end=end))
        if ends[0] < ends[1]:
            mine += 1
        else:
            its += 1
    return shared


def _several(ours: list[Run], theirs: list[Run]) -> list[Pass]:
    """Bodies that follow one another evenly, if the island is that: one direction, like speeds, no rest."""
    if len(ours) < 2 or len(theirs) < 2:
        return []
    bodies = [one for one in _matched(ours, theirs) if one.length_m >= ARM_M]
    if len({one.inward for one in bodies}) != 1 or not all(one.even for one in bodies):
        return []
    speeds = [one.speed_m_s for one in bodies]
    if max(speeds) > EVEN * min(speeds):
        return []
    explained = [run for one in bodies for run in (one.outer, one.inner)]
    rest = [run for run in (*ours, *theirs) if run not in explained]
    if any(run.seconds * min(speeds) > ARM_M for run in rest):
        return []
    return bodies


def _matched(outer: Sequence[Run], inner: Sequence[Run]) -> list[Pass]:
    """Which interruption of the one column is which of the other: the likeliest order-keeping match."""
    rows, columns = len(outer), len(inner)
    cost = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows + 1):
        for column in range(columns + 1):
            ways = []
            if row:
                ways.append(cost[row - 1][column] + _alone(outer[row - 1]))
            if column:
                ways.append(cost[row][column - 1] + _alone(inner[column - 1]))
            if row and column:
                ways.append(cost[row - 1][column - 1] + _together(outer[row - 1], inner[column - 1]))
            cost[row][column] = min(ways, default=0.0)
    return _traced(outer, inner, cost)


def _traced(ours: Sequence[Run], theirs: Sequence[Run], cost: list[list[float]]) -> list[Pass]:
    matched: list[Pass] = []
    row, column = len(ours), len(theirs)
    while row and column:
        mine, its = ours[row - 1], theirs[column - 1]
        if cost[row][column] == cost[row - 1][column - 1] + _together(mine, its):
            matched.append(Pass(outer=mine, inner=its))
            row, column = row - 1, column - 1
        elif cost[row][column] == cost[row - 1][column] + _alone(mine):
            row -= 1
        else:
            column -= 1
    return matched[::-1]


def _pace(outer: Sequence[Run], inner: Sequence[Run]) -> float:
    """A first guess of the speed, m/s, from who comes first and who leaves last."""
    delays = (abs(inner[0].start - outer[0].start), abs(inner[-1].end - outer[-1].end))
    return min(3.0, max(0.15, APART_M / max(min(delays), 1e-3)))


def _joined(runs: Sequence[Run], gap_s: float) -> list[Run]:
    joined: list[Run] = []
    for run in runs:
        if joined and run.start - joined[-1].end <= gap_s:
            run = Run(start=joined.pop().start, end=run.end)  # noqa: PLW2901 - the two are one
        joined.append(run)
    return joined


def _alone(run: Run) -> float:
    """How unlikely it is that only one column met something: an arm may do so, a trunk does not."""
    return 0.3 + min(0.9, 3.0 * run.seconds)


def _together(outer: Run, inner: Run) -> float:
    """How unlikely it is that two interruptions are of the same body."""
    fronts_s, backs_s = inner.start - outer.start, inner.end - outer.end
    overlap = min(outer.end, inner.end) > max(outer.start, inner.start)
    if fronts_s * backs_s <= 0:
        return math.inf
    if not overlap and max(abs(fronts_s), abs(backs_s)) > APART_S:
        return math.inf
    return min(1.0, 0.3 * abs(math.log(fronts_s / backs_s)))


def without_arms(found: list[Pass]) -> list[Pass]:
    """Drop what is short and near a trunk that goes the same way."""
    kept = []
    for one in found:
        reach_s = ARM_REACH_M / one.speed_m_s
        trunks = (
            other
            for other in found
            if other.length_m > max(ARM_M, one.length_m)
            and other.inward == one.inward
            and other.outer.start - one.outer.end <= reach_s
            and one.outer.start - other.outer.end <= reach_s
        )
        if one.length_m >= ARM_M or not any(trunks):
            kept.append(one)
    return kept
