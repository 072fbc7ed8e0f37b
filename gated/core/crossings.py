"""Who went through a doorway, told from the interruptions of its four beams once all are free again.

What is in the beams can only be told by how it moves: the delay between the two columns gives direction and
speed, the time of an interruption times the speed its length. High beams (1.05 m) meet trunks and heads, so
they count people; an arm that swings ahead or behind is too short to be one. Low beams (0.40 m) meet legs,
which interrupt them several times for one person, and what is pushed, pulled, wheeled or small.

What beams cannot know: people side by side or pressed together closer than a rucksack is deep, a person who
carries a child, and whether a short low thing is a child or a bag. In doubt the larger count is given.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from gated.core.passes import APART_M, Pass, Run, passes, without_arms
from gated.core.values import Value
from gated.core.vocabulary import Body

PAIR_M: Final = 0.66  # a longer trunk is two people's: one with a rucksack has up to 0.6 m
TRIPLE_M: Final = 1.05
LONGEST_M: Final = 1.5  # somebody stood still: no length can be told
HANDS_M: Final = 0.35  # which hold a trolley make a trunk longer by this
LEGS_M: Final = 0.24  # legs are found so far before and behind a trunk
STRIDE_M: Final = 0.31  # and never so far
CHILD_M: Final = 0.28  # a longer low thing is none
CHAIR_M: Final = 0.72  # a wheelchair is longer, without a gap
CHAIR_TRUNK_M: Final = 0.36  # and the trunk in it shorter
FOOTREST_M: Final = 0.25  # a wheelchair begins so far before the trunk in it
TOO_FAST_M_S: Final = 10.0
MAX_PERSONS: Final = 3
NEAR_S: Final = 0.3  # legs are in the low beams so long before and after their trunk


class Beam(StrEnum):
    """The beams; `outer` is the column away from the inside of the lane."""

    OUTER_LOW = "outer_low"
    OUTER_HIGH = "outer_high"
    INNER_LOW = "inner_low"
    INNER_HIGH = "inner_high"


class Crossing(Value):
    """Somebody went all the way through. `at`: when the last of them left the last column."""

    inward: bool
    persons: int
    body: Body
    at: float


class TurnedBack(Value):
    """Somebody came into the doorway and left it on the side that they came from."""

    from_outside: bool
    at: float


class TooFast(Value):
    """Both columns were interrupted at once: nobody walks like that."""

    at: float


Reading = Crossing | TurnedBack | TooFast
Pattern = Mapping[Beam, Sequence[Run]]


def read(pattern: Pattern) -> tuple[Reading, ...]:
    """What happened between two moments at which all beams were free, in the order of time."""
    high = passes(pattern[Beam.OUTER_HIGH], pattern[Beam.INNER_HIGH], join_m=0.0)
    people = without_arms([one for one in high if one.through])
    readings: list[Reading] = []
    claimed: Pass | None = None  # whose the low thing behind them is
    for one in people:
        others = [other for other in high if other is not one and (other in people or not other.through)]
        before = max((other for other in others if other.begun < one.begun), key=_end, default=None)
        after = min((other for other in others if other.begun > one.begun), key=_begin, default=None)
        around = _surroundings(one, before, after, pattern)
        if claimed is not None and before is claimed:
            around = replace(around, ahead=None)
        claimed = one if around.behind else None
        readings += _person(one, around, pattern)
    readings = _pushed_chairs(readings)
    low = passes(*_apart_from_trunks(pattern), join_m=0.15) if not people else []
    readings += [_small(one) for one in low if one.through]
    if not readings:
        readings += _turned_back(pattern, high or low)
    return tuple(sorted(readings, key=lambda one: one.at))


def _begin(one: Pass) -> float:
    return one.begun


def _end(one: Pass) -> float:
    return one.at


def _apart_from_trunks(pattern: Pattern) -> tuple[list[Run], list[Run]]:
    """What the low beams met while nobody was in the high ones: legs of who turned back are no child."""
    trunks = [*pattern[Beam.OUTER_HIGH], *pattern[Beam.INNER_HIGH]]

    def apart(run: Run) -> bool:
        return all(run.end + NEAR_S < trunk.start or trunk.end + NEAR_S < run.start for trunk in trunks)

    outer, inner = ([run for run in pattern[beam] if apart(run)] for beam in (Beam.OUTER_LOW, Beam.INNER_LOW))
    return outer, inner


# --- what a body is -------------------------------------------------------------------------------------


class _Surroundings(Value):
    """What the low beams met before and behind a trunk: how near and how far, metres from its edge."""

    ahead: tuple[float, float] | None
    behind: tuple[float, float] | None


def _person(one: Pass, around: _Surroundings, pattern: Pattern) -> list[Reading]:
    if one.speed_m_s > TOO_FAST_M_S:
        return [TooFast(at=one.at)]
    mine = Crossing(inward=one.inward, persons=1, body=Body.PERSON, at=one.at)
    if _in_chair(one, pattern):
        return [replace(mine, body=Body.WHEELCHAIR)]
    others: list[Reading] = []
    for beyond, at in ((around.ahead, one.begun), (around.behind, one.at)):
        if beyond is None:
            continue
        near_m, far_m = beyond
        if far_m - near_m > CHILD_M or near_m < LEGS_M:
            mine = replace(mine, body=Body.TROLLEY)
        else:
            others.append(Crossing(inward=one.inward, persons=1, body=Body.CHILD, at=at))
    return [replace(mine, persons=_persons(one, mine.body, pattern)), *others]


def _persons(one: Pass, body: Body, pattern: Pattern) -> int:
    """How many people one trunk is: long ones are of two who press together, unless somebody stood still."""
    length_m = one.length_m - (HANDS_M if body is Body.TROLLEY else 0.0)
    if length_m <= PAIR_M or length_m > LONGEST_M or not one.steady or _stood(one, pattern):
        return 1
    return 2 if length_m <= TRIPLE_M else MAX_PERSONS


def _stood(one: Pass, pattern: Pattern) -> bool:
    """Whether legs stood in a low beam meanwhile: of who walks, each leaves it soon."""
    longest = max(
        (
            min(run.end, whole.end) - max(run.start, whole.start)
            for beam, whole in ((Beam.OUTER_LOW, one.outer), (Beam.INNER_LOW, one.inner))
            for run in pattern[beam]
        ),
        default=0.0,
    )
    return longest * one.speed_m_s > 0.6


def _in_chair(one: Pass, pattern: Pattern) -> bool:
    """Whether the trunk moves amid something long and low without a gap."""
    return one.length_m <= CHAIR_TRUNK_M and all(
        any(
            run.seconds * one.speed_m_s >= CHAIR_M
            and (trunk.start - run.start) * one.speed_m_s >= FOOTREST_M
            and run.end > trunk.end
            for run in pattern[beam]
        )
        for beam, trunk in ((Beam.OUTER_LOW, one.outer), (Beam.INNER_LOW, one.inner))
    )


def _surroundings(one: Pass, before: Pass | None, after: Pass | None, pattern: Pattern) -> _Surroundings:
    """What is low and farther from the trunk than legs are, in both columns."""
    columns = ((Beam.OUTER_LOW, one.outer, "outer"), (Beam.INNER_LOW, one.inner, "inner"))
    front_m_s, back_m_s = one.speed_m_s, one.speed_m_s
    if not one.steady:
        front_m_s, back_m_s = APART_M / abs(one.fronts_s), APART_M / abs(one.backs_s)
    ahead, behind = [], []
    for beam, trunk, column in columns:
        since = getattr(before, column).end if before else -math.inf
        until = getattr(after, column).start if after else math.inf
        runs = pattern[beam]
        ahead.append(
            _beyond(
                [
                    ((trunk.start - run.end) * front_m_s, (trunk.start - run.start) * front_m_s)
                    for run in runs
                ],
                (trunk.start - since) * front_m_s,
                shared=before is not None,
                first=False,
            )
        )
        behind.append(
            _beyond(
                [((run.start - trunk.end) * back_m_s, (run.end - trunk.end) * back_m_s) for run in runs],
                (until - trunk.end) * back_m_s,
                shared=after is not None,
                first=True,
            )
        )
    return _Surroundings(ahead=_both(ahead), behind=_both(behind))


def _beyond(
    stretches: list[tuple[float, float]], reach_m: float, *, shared: bool, first: bool
) -> tuple[float, float] | None:
    """The stretch beyond the legs that is met. Between two people it is that of the nearer one.

    Each of them has legs there, too. If it is as near to both, it is that of who goes `first`.
    """
    far_end_m = reach_m - STRIDE_M if shared else reach_m
    met = [(near, min(far, far_end_m)) for near, far in stretches if far > STRIDE_M and near < far_end_m]
    if not met:
        return None
    near_m, far_m = min(near for near, _ in met), max(far for _, far in met)
    if shared:
        mine_m, its_m = max(LEGS_M, near_m), max(LEGS_M, reach_m - far_m)
        if its_m < mine_m or (its_m == mine_m and not first):
            return None
    return (near_m, far_m) if far_m > STRIDE_M else None


def _both(found: list[tuple[float, float] | None]) -> tuple[float, float] | None:
    """What both columns met, the shorter of it: legs that swing are met farther out by one."""
    met = [each for each in found if each is not None]
    if len(met) < len(found):
        return None
    return max(near for near, _ in met), min(far for _, far in met)


def _pushed_chairs(readings: list[Reading]) -> list[Reading]:
    """Whoever comes right behind a wheelchair pushes it: the two are one crossing."""
    told: list[Reading] = []
    for reading in readings:
        last = told[-1] if told else None
        if (
            isinstance(last, Crossing)
            and isinstance(reading, Crossing)
            and last.body is Body.WHEELCHAIR
            and last.persons == 1
            and reading.inward == last.inward
        ):
            told[-1] = replace(last, persons=min(MAX_PERSONS, 1 + reading.persons), at=reading.at)
        else:
            told.append(reading)
    return told


def _small(one: Pass) -> Reading:
    """What only the low beams met. A long thing may be somebody who crawls: it counts as one person, too."""
    if one.speed_m_s > TOO_FAST_M_S:
        return TooFast(at=one.at)
    body = Body.CHILD if one.length_m <= CHILD_M else Body.OBJECT
    return Crossing(inward=one.inward, persons=1, body=body, at=one.at)


def _turned_back(pattern: Pattern, passes: list[Pass]) -> list[Reading]:
    """Nobody went through: tell from which side they had come."""
    runs = [(run, beam) for beam in Beam for run in pattern[beam]]
    if not runs:
        return []
    ended = max(run.end for run, _ in runs)
    held = [one for one in passes if not one.through]
    if held:
        longest = max(held, key=lambda one: max(one.outer.seconds, one.inner.seconds))
        return [TurnedBack(from_outside=longest.outer.seconds > longest.inner.seconds, at=ended)]
    first = min(runs, key=lambda each: each[0].start)[1]
    return [TurnedBack(from_outside=first in {Beam.OUTER_LOW, Beam.OUTER_HIGH}, at=ended)]
