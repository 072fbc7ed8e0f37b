"""What the lane's sensors make of the bodies in it: the presence sensor, and the light curtains' wires."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from gated.core.values import Value
from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard
from hw_sim.lane.bodies import Stretch
from hw_sim.lane.curtain import BEAMS, Course, Edge, LightCurtain
from hw_sim.lane.geometry import Geometry
from hw_sim.lane.walking import Person, Thing

SEEN_M: Final = 0.25  # half of a person


class PresenceSensor(Value):
    """How the presence sensor above the lane tells one from several.

    It sees whoever, or whatever, has half a person's length or half of its own where it watches. Persons are
    counted as bodies: two who press together read as `pair_as`. More than `full_m` of covered floor is more
    than one, whatever it is. A thing alone occupies the lane and is no second person.
    """

    pair_as: Literal[1, 2] = 1
    full_m: float = 2.2

    def sense(self, people: Iterable[Person], things: Iterable[Thing], lane: Geometry) -> tuple[bool, bool]:
        """What its two outputs say: `occupied` and `crowded`."""
        seen = [person for person in people if _sees(person.extent, lane.watched_m)]
        left = [thing for thing in things if _sees(thing.extent, lane.watched_m)]
        count = sum(self._count(person) for person in seen)
        extents = [*(person.extent for person in seen), *(thing.extent for thing in left)]
        covered = sum(_overlap(extent, lane.watched_m) for extent in extents)
        return bool(seen or left), count > 1 or covered > self.full_m

    def _count(self, person: Person) -> int:
        return self.pair_as if person.shape.kind == "pressed_pair" else person.shape.persons


def _overlap(extent: Stretch, watched: Stretch) -> float:
    return max(0.0, min(extent[1], watched[1]) - max(extent[0], watched[0]))


def _sees(extent: Stretch, watched: Stretch) -> bool:
    return _overlap(extent, watched) > min(SEEN_M, (extent[1] - extent[0]) / 2)


class Curtains:
    """The light curtains that are wired, all four beams of a doorway; others are not there."""

    def __init__(self, board: SimulatedBoard, lane: Geometry) -> None:
        self._curtains = {
            door: LightCurtain(place, inward=1.0 if door is Door.ENTRY else -1.0)
            for door, place in lane.ends_m.items()
            if all(f"{door}_{beam}" in board.wires for beam in BEAMS)
        }

    def near(self, courses: Sequence[Course]) -> bool:
        """Whether somebody may meet a beam soon, so that time should pass in short steps."""
        return any(curtain.near(course) for curtain in self._curtains.values() for course in courses)

    def pass_time(self, courses: Sequence[Course], since: float, until: float) -> list[tuple[str, Edge]]:
        """The edges of the beams' wires, in the order of time, while these courses are run."""
        edges = [
            (f"{door}_{edge.beam}", edge)
            for door, curtain in self._curtains.items()
            for edge in curtain.pass_time(courses, since, until)
        ]
        return sorted(edges, key=lambda each: each[1].at)
