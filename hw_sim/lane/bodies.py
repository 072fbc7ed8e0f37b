"""Bodies as beams see them: what part of the way they cover at two heights, while legs and arms swing.

Lengths are metres along the walk from the middle of the trunk, ahead counted positive. Covered stretches are
a function of how far the body has walked, so a gait stands still with its walker. The thighs swing about the
hip; how far is what is left of the step at the beam's height. All measures are assumptions, chosen as common
ones: nobody walked through a curtain for them.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta

from gated.core.values import Value

LOW_M: Final = 0.40  # how high the beams of a curtain hang
HIGH_M: Final = 1.05
HIP: Final = 0.50  # of the body's height
HEAD_RADIUS_M: Final = 0.09
BULK_M: Final = 0.25
Stretch = tuple[float, float]  # rear and front end
Height = Annotated[float, Meta(ge=0.6, le=2.2)]


class Block(Value):
    """Something rigid between `rear_m` and `front_m`, in the low beams, the high ones or both."""

    rear_m: float
    front_m: float
    low: bool = False
    high: bool = False

    def covers(self, walked_m: float, height_m: float) -> tuple[Stretch, ...]:  # noqa: ARG002 - it is rigid
        """The stretch that it covers at a height, if any."""
        there = self.high if height_m > (LOW_M + HIGH_M) / 2 else self.low
        return ((self.rear_m, self.front_m),) if there else ()


class Swing(Value):
    """A pair of limbs in one height that swing against each other, once forth and back in two steps."""

    at_m: float
    thick_m: float
    reach_m: float  # of a limb's middle, either way
    step_m: float
    high: bool
    phase: float = 0.0

    def covers(self, walked_m: float, height_m: float) -> tuple[Stretch, ...]:
        """The two stretches that the limbs cover now."""
        if self.high != (height_m > (LOW_M + HIGH_M) / 2):
            return ()
        swing = self.reach_m * math.cos(math.pi * walked_m / self.step_m + self.phase)
        half = self.thick_m / 2
        return tuple((self.at_m + way - half, self.at_m + way + half) for way in (swing, -swing))


Part = Block | Swing


class Shape(Value):
    """A body or several that move as one. `persons`: how many people; 0 for a thing."""

    kind: str
    parts: tuple[Part, ...]
    persons: int = 1

    def covers(self, walked_m: float, height_m: float, *, ahead: bool = True) -> list[Stretch]:
        """What the body covers, ahead counted positive; `ahead` false: it faces the other way."""
        covered = [stretch for part in self.parts for stretch in part.covers(walked_m, height_m)]
        return covered if ahead else [(-front, -rear) for rear, front in covered]

    @property
    def bulk(self) -> Stretch:
        """Rear and front end of what a door must not meet: trunks, `BULK_M` either way, and rigid things."""
        return _bulk(self.parts, self.persons > 0)

    @property
    def span(self) -> Stretch:
        """Rear and front end of all that it ever covers."""
        return _span(self.parts)


@lru_cache(maxsize=256)  # asked at every step of time, of the few bodies that are there
def _bulk(parts: tuple[Part, ...], alive: bool) -> Stretch:  # noqa: FBT001 - part of the key
    ends = [_ends(part) for part in parts if isinstance(part, Block)]
    return _outermost([*ends, *([(-BULK_M, BULK_M)] if alive else [])])


@lru_cache(maxsize=256)
def _span(parts: tuple[Part, ...]) -> Stretch:
    return _outermost([_ends(part) for part in parts])


def _outermost(ends: Sequence[Stretch]) -> Stretch:
    return min(rear for rear, _ in ends), max(front for _, front in ends)


def _ends(part: Part) -> Stretch:
    if isinstance(part, Block):
        return part.rear_m, part.front_m
    far = part.reach_m + part.thick_m / 2
    return part.at_m - far, part.at_m + far


def upright(
    height_m: float = 1.72,
    *,
    at_m: float = 0.0,
    depth_m: float = 0.25,
    phase: float = 0.0,
    swing_m: float = 0.15,
    rucksack_m: float = 0.0,
) -> tuple[Part, ...]:
    """Somebody who walks upright: legs in the low beams, and in the high ones what reaches up there.

    `swing_m`: how far the arms swing to either side; 0 if they do not.
    """
    hip_m, step_m = HIP * height_m, 0.41 * height_m
    thick_m = 0.085 * height_m
    left = max(0.0, (hip_m - LOW_M) / hip_m)  # of the step, at the height of the low beams
    legs: Part = Swing(
        at_m=at_m, thick_m=thick_m, reach_m=left * step_m / 2, step_m=step_m, high=False, phase=phase
    )
    if left == 0.0:  # the beam meets the trunk
        legs = Block(rear_m=at_m - 0.6 * thick_m, front_m=at_m + 0.6 * thick_m, low=True)
    over_m = height_m - HIGH_M
    if over_m <= 0:
        return (legs,)
    if over_m < 2 * HEAD_RADIUS_M:  # only the head, or what of it is up there
        half = math.sqrt(HEAD_RADIUS_M**2 - max(0.0, HEAD_RADIUS_M - over_m) ** 2)
        return legs, Block(rear_m=at_m - half, front_m=at_m + half, high=True)
    depth_m *= min(1.0, height_m / 1.6)
    half = depth_m / 2
    trunk = Block(rear_m=at_m - half - rucksack_m, front_m=at_m + half, high=True)
    if swing_m == 0:
        return legs, trunk
    swing = Swing(
        at_m=at_m,
        thick_m=0.045 * height_m,
        reach_m=swing_m,
        step_m=step_m,
        high=True,
        phase=phase + math.pi,
    )
    return legs, trunk, swing


def adult(
    height_m: Height = 1.72,
    *,
    depth_m: float = 0.25,
    phase: float = 0.0,
    rucksack_m: float = 0.0,
    swing_m: float = 0.15,
) -> Shape:
    """A grown-up; `rucksack_m` is how far what they carry stands off their back."""
    parts = upright(height_m, depth_m=depth_m, phase=phase, rucksack_m=rucksack_m, swing_m=swing_m)
    return Shape(kind="adult", parts=parts)


def child(height_m: Height, *, phase: float = 0.0) -> Shape:
    """A child; below 1.05 m the high beams do not see it."""
    return Shape(
        kind="child",
        parts=upright(height_m, depth_m=0.22, phase=phase, swing_m=0.1 if height_m > 1.3 else 0.0),
    )


def wheelchair(
    length_m: float = 1.0, *, pushed: bool = False, phase: float = 0.0, lean_m: float = 0.0
) -> Shape:
    """Somebody in a wheelchair: frame, wheels and legs low, shoulders high; and who pushes it."""
    rear_m = -0.30
    chair = (
        Block(rear_m=rear_m, front_m=rear_m + length_m, low=True),
        Block(rear_m=-0.11 + lean_m, front_m=0.11 + lean_m, high=True),
    )
    if not pushed:
        return Shape(kind="wheelchair", parts=chair)
    at_m = rear_m - 0.36
    pusher = upright(at_m=at_m, phase=phase, swing_m=0.0)
    hands = Block(rear_m=at_m, front_m=at_m + 0.28, high=True)
    return Shape(kind="pushed_wheelchair", parts=(*chair, *pusher, hands), persons=2)


def with_trolley(
    length_m: float = 0.6, *, pushed: bool, gap_m: float = 0.15, hands_m: float = 0.2, phase: float = 0.0
) -> Shape:
    """Somebody who pushes a trolley before them, or pulls a suitcase behind; `gap_m` off the trunk."""
    near_m = 0.13 + gap_m
    if pushed:
        thing = Block(rear_m=near_m, front_m=near_m + length_m, low=True)
        hands = Block(rear_m=0.0, front_m=0.13 + hands_m, high=True)
    else:
        thing = Block(rear_m=-near_m - length_m, front_m=-near_m, low=True)
        hands = Block(rear_m=-0.13 - hands_m / 2, front_m=0.0, high=True)
    parts = (*upright(phase=phase, swing_m=0.0), thing, hands)
    return Shape(kind="pushed_trolley" if pushed else "pulled_suitcase", parts=parts)


def pressed(distance_m: float = 0.28, *, phase: float = 0.0) -> Shape:
    """Two who go chest to back, trunks `distance_m` apart, in step."""
    first = upright(1.75, phase=phase, swing_m=0.0)
    second = upright(1.70, at_m=-distance_m, phase=phase, swing_m=0.0)
    return Shape(kind="pressed_pair", parts=(*first, *second), persons=2)


def bag(length_m: float = 0.45) -> Shape:
    """A bag or a suitcase that stands upright by itself."""
    half = length_m / 2
    return Shape(kind="bag", parts=(Block(rear_m=-half, front_m=half, low=True),), persons=0)
