"""Generated walks through a doorway, as the edges of its four beams: bodies, gaits, speeds, stops, turns.

Everything is drawn from one seeded generator, so a walk can be told by its number. Edges pass through the
debouncing that the board does: what holds for less than 5 ms is lost, the rest comes that much later, and up
to 2 ms more for the thread that reads it.
"""

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gated.core.crossings import Beam
from gated.core.curtain import Curtain, Happening
from gated.core.vocabulary import Body
from hw_sim.lane.bodies import Shape, adult, bag, child, pressed, wheelchair, with_trolley
from hw_sim.lane.curtain import BEAMS, Course, Edge, LightCurtain

STEP_S: Final = 0.02
PACE_M: Final = 0.7  # a step
DEBOUNCE_S: Final = 0.005
LATE_S: Final = 0.002
START_M: Final = 3.0  # from here to the other side, where nothing reaches a beam
SLOWEST, FASTEST = 0.4, 2.2
Crossed = tuple[bool, int, Body]  # inward, persons, body


@dataclass(frozen=True)
class Walker:
    """A body and its way: legs of (place to go to, speed), with a pause where the speed is 0."""

    shape: Shape
    legs: tuple[tuple[float, float], ...]
    start_m: float = -START_M
    start_s: float = 0.0
    facing: bool = True  # towards the inside
    backwards: bool = False


@dataclass(frozen=True)
class Walk:
    """What happens, and what a perfect curtain would tell of it."""

    kind: str
    walkers: tuple[Walker, ...]
    truth: tuple[Crossed, ...]


def courses(walker: Walker, chance: random.Random) -> list[Course]:
    """The way of a body in short even pieces; everybody's speed swings with their steps."""
    swing, phase = chance.uniform(0.0, 0.15), chance.uniform(0, 6.3)
    at, x_m, walked_m, pieces = walker.start_s, walker.start_m, 0.0, list[Course]()
    for to_m, speed in walker.legs:
        if speed == 0:  # stands still for `to_m` seconds
            pieces.append(_piece(walker, at, at + to_m, x_m, x_m, walked_m, ahead=walker.facing))
            at += to_m
            continue
        while x_m != to_m:
            here = speed * (1 + swing * math.sin(2 * math.pi * walked_m / PACE_M + phase))
            step_m = max(-here * STEP_S, min(here * STEP_S, to_m - x_m))
            ahead = (step_m > 0) != walker.backwards
            spent = abs(step_m) / here
            pieces.append(_piece(walker, at, at + spent, x_m, x_m + step_m, walked_m, ahead=ahead))
            at, walked_m = at + spent, walked_m + abs(step_m)
            x_m = to_m if abs(to_m - x_m - step_m) < 1e-9 else x_m + step_m
    return pieces


def _piece(
    walker: Walker, since: float, until: float, from_m: float, to_m: float, walked_m: float, *, ahead: bool
) -> Course:
    return Course(
        shape=walker.shape,
        since=since,
        until=until,
        from_m=from_m,
        to_m=to_m,
        walked_m=walked_m,
        ahead=ahead,
    )


def edges(walk: Walk, chance: random.Random) -> list[Edge]:
    """The true edges of the beams, in the order of time."""
    ways = [courses(walker, chance) for walker in walk.walkers]
    curtain = LightCurtain(0.0)
    times = sorted({t for way in ways for course in way for t in (course.since, course.until)})
    found: list[Edge] = []
    nexts = [0] * len(ways)
    for since, until in itertools.pairwise(times):
        middle = (since + until) / 2
        now = []
        for number, way in enumerate(ways):
            while nexts[number] < len(way) and way[nexts[number]].until < middle:
                nexts[number] += 1
            if nexts[number] < len(way) and way[nexts[number]].since <= middle:
                now.append(way[nexts[number]])
        found += curtain.pass_time(now, since, until)
    return found


def debounced(true: list[Edge], chance: random.Random) -> list[Edge]:
    """What the board tells of them."""
    told: list[Edge] = []
    for beam in BEAMS:
        level = False
        mine = [edge for edge in true if edge.beam == beam]
        for number, edge in enumerate(mine):
            holds = number + 1 == len(mine) or mine[number + 1].at - edge.at >= DEBOUNCE_S
            if holds and edge.blocked != level:
                level = edge.blocked
                late = edge.at + DEBOUNCE_S + chance.uniform(0, LATE_S)
                told.append(Edge(at=late, beam=beam, blocked=level))
    return sorted(told, key=lambda edge: edge.at)


def recognise(told: list[Edge], *, then_s: float = 5.0) -> list[Happening]:
    """Feed them to a fresh curtain, and let `elapse` be called when it asks for it."""
    curtain = Curtain()
    happened = [each for beam in Beam for each in curtain.observe(beam, blocked=False, at=0.0)]
    for edge in told:
        while (due := curtain.due) is not None and due <= edge.at:
            happened += curtain.elapse(due)
        happened += curtain.observe(Beam(edge.beam), edge.blocked, edge.at)
    end = (told[-1].at if told else 0.0) + then_s
    while (due := curtain.due) is not None and due <= end:
        happened += curtain.elapse(due)
    return happened


# --- kinds of walks -----------------------------------------------------------------------------------


def _speed(chance: random.Random, slowest: float = SLOWEST, fastest: float = FASTEST) -> float:
    return chance.uniform(slowest, fastest)


def _phase(chance: random.Random) -> float:
    return chance.uniform(0, 6.3)


def _grown(chance: random.Random, rucksack: float = 0.0) -> Shape:
    return adult(
        min(2.0, max(1.45, chance.gauss(1.70, 0.1))),
        depth_m=chance.uniform(0.18, 0.34),
        swing_m=chance.uniform(0.08, 0.22),
        phase=_phase(chance),
        rucksack_m=rucksack,
    )


def _through(
    kind: str, shape: Shape, body: Body, chance: random.Random, *, persons: int = 1, slowest: float = SLOWEST,
    fastest: float = FASTEST, backwards: bool = False,
) -> Walk:  # fmt: skip
    inward = chance.random() < 0.5
    way = START_M if inward else -START_M
    legs = ((way, _speed(chance, slowest, fastest)),)
    walker = Walker(shape, legs, start_m=-way, backwards=backwards)
    return Walk(kind, (walker,), ((inward, persons, body),))


def adult_alone(chance: random.Random) -> Walk:
    return _through("adult", _grown(chance), Body.PERSON, chance)


def adult_backwards(chance: random.Random) -> Walk:
    return _through("adult, backwards", _grown(chance), Body.PERSON, chance, fastest=1.0, backwards=True)


def adult_with_rucksack(chance: random.Random) -> Walk:
    return _through("adult with rucksack", _grown(chance, chance.uniform(0.1, 0.3)), Body.PERSON, chance)


def taller_child(chance: random.Random) -> Walk:
    shape = child(chance.uniform(1.09, 1.45), phase=_phase(chance))
    return _through("child over 1.05 m", shape, Body.PERSON, chance)


def small_child(chance: random.Random) -> Walk:
    shape = child(chance.uniform(0.78, 1.04), phase=_phase(chance))
    return _through("child under 1.05 m", shape, Body.CHILD, chance, fastest=1.6)


def pushed_trolley(chance: random.Random) -> Walk:
    shape = with_trolley(
        chance.uniform(0.45, 1.0),
        pushed=True,
        gap_m=chance.uniform(0.05, 0.3),
        hands_m=chance.uniform(0.0, 0.3),
        phase=_phase(chance),
    )
    return _through("trolley pushed", shape, Body.TROLLEY, chance, fastest=1.6)


def pulled_suitcase(chance: random.Random) -> Walk:
    shape = with_trolley(
        chance.uniform(0.3, 0.7),
        pushed=False,
        gap_m=chance.uniform(0.12, 0.4),
        hands_m=chance.uniform(0.0, 0.3),
        phase=_phase(chance),
    )
    return _through("suitcase pulled", shape, Body.TROLLEY, chance, fastest=1.8)


def wheelchair_alone(chance: random.Random) -> Walk:
    shape = wheelchair(chance.uniform(0.85, 1.15), lean_m=chance.uniform(-0.05, 0.1))
    return _through("wheelchair", shape, Body.WHEELCHAIR, chance, fastest=1.4)


def wheelchair_pushed(chance: random.Random) -> Walk:
    shape = wheelchair(chance.uniform(0.85, 1.15), pushed=True, phase=_phase(chance))
    return _through("wheelchair pushed", shape, Body.WHEELCHAIR, chance, persons=2, fastest=1.4)


def _file(kind: str, chance: random.Random, least_m: float, most_m: float, fastest: float = 2.0) -> Walk:
    inward = chance.random() < 0.5
    way = START_M if inward else -START_M
    speed = _speed(chance, 0.5, fastest)
    first, second = _grown(chance), _grown(chance)
    depths = sum(_depth(shape) for shape in (first, second)) / 2
    behind = (chance.uniform(least_m, most_m) + depths) / speed
    walkers = tuple(
        Walker(shape, ((way, speed),), start_m=-way, start_s=late)
        for shape, late in ((first, 0.0), (second, behind))
    )
    return Walk(kind, walkers, ((inward, 1, Body.PERSON),) * 2)


def _depth(shape: Shape) -> float:
    trunk = shape.parts[1]
    return getattr(trunk, "front_m", 0.0) - getattr(trunk, "rear_m", 0.0)


def three_in_file(chance: random.Random) -> Walk:
    inward = chance.random() < 0.5
    way = START_M if inward else -START_M
    speed, late, walkers = _speed(chance, 0.5, 1.6), 0.0, list[Walker]()
    for _ in range(3):
        walkers.append(Walker(_grown(chance), ((way, speed),), start_m=-way, start_s=late))
        late += (chance.uniform(0.3, 0.6) + 0.25) / speed
    return Walk("three in file", tuple(walkers), ((inward, 1, Body.PERSON),) * 3)


def follows_a_suitcase(chance: random.Random) -> Walk:
    """Somebody close behind the suitcase that the first one pulls."""
    inward = chance.random() < 0.5
    way = START_M if inward else -START_M
    speed = _speed(chance, 0.5, 1.5)
    length_m, gap_m = chance.uniform(0.3, 0.6), chance.uniform(0.12, 0.35)
    first = with_trolley(length_m, pushed=False, gap_m=gap_m, phase=_phase(chance))
    behind_m = 0.13 + gap_m + length_m + chance.uniform(0.25, 0.6) + 0.13
    walkers = (
        Walker(first, ((way, speed),), start_m=-way),
        Walker(_grown(chance), ((way, speed),), start_m=-way, start_s=behind_m / speed),
    )
    truth = ((inward, 1, Body.TROLLEY), (inward, 1, Body.PERSON))
    return Walk("one behind a suitcase", walkers, truth)


def follower(chance: random.Random) -> Walk:
    return _file("two, 0.3 to 0.4 m apart", chance, 0.3, 0.4)


def one_after_another(chance: random.Random) -> Walk:
    return _file("two, 0.4 to 1.5 m apart", chance, 0.4, 1.5)


def close_follower(chance: random.Random) -> Walk:
    return _file("two, 0.15 to 0.3 m apart", chance, 0.15, 0.3)


def pressed_pair(chance: random.Random) -> Walk:
    shape = pressed(chance.uniform(0.24, 0.34), phase=_phase(chance))
    return _through("pair pressed together", shape, Body.PERSON, chance, persons=2, fastest=1.3)


def child_after_adult(chance: random.Random) -> Walk:
    inward = chance.random() < 0.5
    way = START_M if inward else -START_M
    speed = _speed(chance, 0.5, 1.3)
    grown = _grown(chance)
    small = child(chance.uniform(0.8, 1.04), phase=_phase(chance))
    late = (chance.uniform(0.3, 0.5) + _depth(grown) / 2 + 0.08) / speed
    walkers = (
        Walker(grown, ((way, speed),), start_m=-way),
        Walker(small, ((way, speed),), start_m=-way, start_s=late),
    )
    truth = ((inward, 1, Body.PERSON), (inward, 1, Body.CHILD))
    return Walk("small child behind adult", walkers, truth)


def stops_in_doorway(chance: random.Random) -> Walk:
    inward = chance.random() < 0.5
    way = 1.0 if inward else -1.0
    legs = (
        (way * chance.uniform(-0.35, 0.35), _speed(chance, 0.5, 1.6)),
        (chance.uniform(0.3, 8.0), 0.0),
        (way * START_M, _speed(chance, 0.5, 1.6)),
    )
    walker = Walker(_grown(chance), legs, start_m=-way * START_M, facing=inward)
    return Walk("stops in the doorway", (walker,), ((inward, 1, Body.PERSON),))


def steps_back_then_on(chance: random.Random) -> Walk:
    inward = chance.random() < 0.5
    way = 1.0 if inward else -1.0
    to_m = chance.uniform(-0.2, 0.3)
    legs = (
        (way * to_m, _speed(chance, 0.5, 1.4)),
        (chance.uniform(0.2, 1.0), 0.0),
        (way * (to_m - chance.uniform(0.15, 0.5)), _speed(chance, 0.4, 0.8)),
        (chance.uniform(0.2, 1.5), 0.0),
        (way * START_M, _speed(chance, 0.5, 1.4)),
    )
    walker = Walker(_grown(chance), legs, start_m=-way * START_M, facing=inward)
    return Walk("steps back, then on", (walker,), ((inward, 1, Body.PERSON),))


def turns_round(chance: random.Random) -> Walk:
    way = 1.0 if chance.random() < 0.5 else -1.0
    legs = (
        (way * chance.uniform(-0.2, 0.2), _speed(chance, 0.4, 1.6)),
        (chance.uniform(0.0, 3.0), 0.0),
        (-way * START_M, _speed(chance, 0.4, 1.6)),
    )
    walker = Walker(_grown(chance), legs, start_m=-way * START_M, facing=way > 0)
    return Walk("turns round", (walker,), ())


def two_meet(chance: random.Random) -> Walk:
    """One comes into the doorway, sees another coming, gives way; the other goes through afterwards."""
    way = 1.0 if chance.random() < 0.5 else -1.0
    pace = _speed(chance, 0.5, 1.4)
    gives_way = Walker(
        _grown(chance),
        (
            (way * chance.uniform(-0.15, 0.05), pace),
            (chance.uniform(0.3, 1.5), 0.0),
            (-way * START_M, _speed(chance, 0.6, 1.4)),
        ),
        start_m=-way * START_M,
        facing=way > 0,
    )
    clear_s = courses(gives_way, random.Random(1))[-1].until - 1.4 / 0.6
    speed = _speed(chance, 0.5, 1.4)
    other = Walker(
        _grown(chance),
        ((-way * START_M, speed),),
        start_m=way * START_M,
        start_s=max(0.0, clear_s - START_M / speed + 0.5),
        facing=way < 0,
    )
    return Walk("two meet, one gives way", (gives_way, other), ((way < 0, 1, Body.PERSON),))


def abreast(chance: random.Random) -> Walk:
    """What no beam across the way can see."""
    walk = _through("two side by side", _grown(chance), Body.PERSON, chance, persons=2)
    (first,) = walk.walkers
    beside = Walker(_grown(chance), first.legs, start_m=first.start_m)
    return Walk(walk.kind, (first, beside), walk.truth)


def lone_bag(chance: random.Random) -> Walk:
    return _through("bag shoved through", bag(chance.uniform(0.32, 0.7)), Body.OBJECT, chance, fastest=1.5)


KINDS: Final[tuple[Callable[[random.Random], Walk], ...]] = (
    adult_alone,
    adult_backwards,
    adult_with_rucksack,
    taller_child,
    small_child,
    pushed_trolley,
    pulled_suitcase,
    wheelchair_alone,
    wheelchair_pushed,
    one_after_another,
    follower,
    close_follower,
    three_in_file,
    follows_a_suitcase,
    child_after_adult,
    pressed_pair,
    stops_in_doorway,
    steps_back_then_on,
    turns_round,
    two_meet,
    lone_bag,
    abreast,
)
