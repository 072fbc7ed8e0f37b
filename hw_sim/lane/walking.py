"""People in the simulated lane: bodies on a line, each with a plan of small steps.

A plan is what a person means to do: lay the document down, wait until the entry is open, take the document,
walk, wait until the exit is open, walk out. Steps react to what can be seen at a gate (doors and lamps),
never to what the program thinks. The lane is measured in metres from the entry door.
"""

from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from gated.core.values import Value
from gated.core.vocabulary import Door

AWAY_M: Final = -2.0  # turned back and gone
READER_M: Final = -0.4  # where one stands at the document reader, before the entry
DECISION_M: Final = 2.3  # where one stands to be looked at
OUT_M: Final = 3.4  # through the exit and gone
DOOR_M: Final = {Door.ENTRY: 0.0, Door.EXIT: 3.0}
CAMERA_M: Final = 3.0  # above the exit: 3.0 m from the entry door, 0.7 m from the decision point
VIEW_M: Final = (-0.3, 2.8)  # between these the camera can see a person
DOORWAY_M: Final = 0.25  # a body nearer to a door than this stands in its way
BODY_M: Final = 0.4  # people inside do not come closer to one another
WALK_S: Final = 2.5  # from the reader to out, without waiting: 1.5 m/s


class Sight(StrEnum):
    """What a person at the gate may wait to see."""

    ENTRY_OPEN = "entry_open"
    EXIT_OPEN = "exit_open"
    STEP_BACK = "step_back"  # the entry is open, its lamp is green, the exit's red, amber is on


class Place(Value):
    """Lay the document on the reader."""


class Take(Value):
    """Take the own document back, if it lies there."""


class Pause(Value):
    """Stand still for so many seconds."""

    seconds: float


class Await(Value):
    """Stand still until something can be seen."""

    sight: Sight


class Walk(Value):
    """Walk to a place (metres from the entry door); stop at doors and at people in the way."""

    to_m: float


class Follow(Value):
    """Walk to a place, `gap_m` behind somebody."""

    leader: str
    gap_m: float
    to_m: float


Step = Place | Take | Pause | Await | Walk | Follow
Plan = tuple[Step, ...]

ENTER: Final[Plan] = (Await(sight=Sight.ENTRY_OPEN), Take(), Walk(to_m=DECISION_M))
LEAVE: Final[Plan] = (Await(sight=Sight.EXIT_OPEN), Walk(to_m=OUT_M))
TRAVEL: Final[Plan] = (Place(), *ENTER, *LEAVE)  # the whole passage of an ordinary traveller
BACK_OUT: Final[Plan] = (Await(sight=Sight.ENTRY_OPEN), Walk(to_m=READER_M), Take(), Walk(to_m=AWAY_M))
TURN_AWAY: Final[Plan] = (Take(), Walk(to_m=AWAY_M))  # for who is still outside


def tailgate(leader: str, gap_m: float = 0.6, to_m: float = 1.2) -> Plan:
    """Slip in close behind `leader`."""
    return (Follow(leader=leader, gap_m=gap_m, to_m=to_m),)


class Person:
    """A body at `x_m` that carries out a plan. Who heeds the lamps leaves by the entry when they say so."""

    def __init__(self, name: str, plan: Plan, *, at_m: float, walk_s: float, heeds: bool) -> None:
        self.name = name
        self.x_m = at_m
        self.speed_m_s = (OUT_M - READER_M) / walk_s
        self.heeds = heeds
        self.moving = False
        self._plan = deque(plan)
        self._paused_s = 0.0

    @property
    def gone(self) -> bool:
        """Whether the person has left, by either end."""
        return self.x_m >= OUT_M or self.x_m <= AWAY_M

    @property
    def inside(self) -> bool:
        """Whether the person sensor sees them: between the doors."""
        return DOOR_M[Door.ENTRY] < self.x_m < DOOR_M[Door.EXIT]

    @property
    def in_view(self) -> bool:
        """Whether they stand where the camera looks."""
        return VIEW_M[0] <= self.x_m <= VIEW_M[1]

    @property
    def distance_m(self) -> float:
        """How far they are from the camera."""
        return CAMERA_M - self.x_m

    @property
    def step(self) -> Step | None:
        """What they are about, or None: stand still, with nothing in mind."""
        return self._plan[0] if self._plan else None

    def blocks(self, door: Door) -> bool:
        """Whether they stand in a doorway."""
        return abs(self.x_m - DOOR_M[door]) < DOORWAY_M

    def intend(self, plan: Iterable[Step]) -> None:
        """Drop the plan for another."""
        self._plan = deque(plan)
        self._paused_s = 0.0

    def done(self) -> None:
        """Go on to the next step."""
        self._plan.popleft()
        self._paused_s = 0.0

    def rest(self, dt: float) -> float:
        """Stand still for `dt`; returns for how long it has been in this step."""
        self._paused_s += dt
        return self._paused_s
