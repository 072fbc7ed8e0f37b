"""People in the simulated lane: bodies on a line, each with a plan of small steps.

A plan is what a person means to do: lay the document down, wait until the entry is open, take the document,
walk, wait until the exit is open, walk out. Steps react to what can be seen at a gate (doors and lamps),
never to what the program thinks. The lane is measured in metres from the entry door (`hw_sim.lane.geometry`).

Whoever comes from the other end measures it from there: their entry is the exit of the others. So the same
plan leads through a lane that is turned round, and against the direction through one that is not.
"""

from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from gated.core.values import Value
from gated.core.vocabulary import Door
from hw_sim.lane.bodies import BULK_M, Shape, Stretch, adult, bag
from hw_sim.lane.curtain import Course
from hw_sim.lane.geometry import MANTRAP, Geometry

AWAY_M: Final = MANTRAP.away_m  # turned back and gone
READER_M: Final = MANTRAP.reader_m  # where one stands at the document reader, before the entry
DECISION_M: Final = MANTRAP.decision_m  # where one stands to be looked at
OUT_M: Final = MANTRAP.out_m  # through the exit and gone
DOOR_M: Final = MANTRAP.doors_m
CAMERA_M: Final = MANTRAP.camera_m  # above the exit: 3.0 m from the entry door, 0.7 m from the decision point
DOORWAY_M: Final = BULK_M  # a body nearer to a door than this stands in its way
BODY_M: Final = 0.4  # people inside do not come closer to one another
CLEAR_M: Final = 0.29  # of the exit, with who is out: what they pull along farther behind still has to come
WALK_S: Final = 2.5  # from the reader to out, without waiting: 1.5 m/s
WHEELED_S: Final = 4.2  # the same in a wheelchair: 0.9 m/s


class Sight(StrEnum):
    """What a person at the gate may wait to see."""

    ENTRY_OPEN = "entry_open"
    EXIT_OPEN = "exit_open"
    LANE_EMPTY = "lane_empty"  # both doors are shut, and nobody is inside
    BUSY = "busy"  # the entry's lamp is red
    CALLED = "called"  # where there is no entry door: its lamp is green
    STEP_BACK = "step_back"  # the entry is open, its lamp is green, the exit's red, amber blinks


class Place(Value):
    """Lay the document on the reader."""


class Take(Value):
    """Take the own document back, if it lies there."""


class Drop(Value):
    """Leave something behind, where one stands."""

    name: str = "bag"
    thing: Shape = bag()


class PickUp(Value):
    """Take something along that was left behind, wherever it is."""

    name: str = "bag"


class Pause(Value):
    """Stand still for so many seconds."""

    seconds: float


class Await(Value):
    """Stand still until something can be seen."""

    sight: Sight


class Walk(Value):
    """Walk to a place (metres from the entry door); stop at doors and at people in the way."""

    to_m: float
    backwards: bool = False


class Follow(Value):
    """Walk to a place, `gap_m` behind somebody: from middle to middle, as somebody of the same direction."""

    leader: str
    gap_m: float
    to_m: float


Step = Place | Take | Drop | PickUp | Pause | Await | Walk | Follow
Plan = tuple[Step, ...]


def enter(lane: Geometry = MANTRAP) -> Plan:
    """Go in as soon as the entry is open, with the own document, and stand to be looked at."""
    has_a_door = Door.ENTRY in lane.doors
    called = (Sight.ENTRY_OPEN,) if has_a_door else (Sight.BUSY, Sight.CALLED)
    return (*(Await(sight=sight) for sight in called), Take(), Walk(to_m=lane.decision_m))


def leave(lane: Geometry = MANTRAP) -> Plan:
    """Go out as soon as the exit is open."""
    return (Await(sight=Sight.EXIT_OPEN), Walk(to_m=lane.out_m))


def travel(lane: Geometry = MANTRAP) -> Plan:
    """The whole passage of an ordinary traveller."""
    return (Place(), *enter(lane), *leave(lane))


def back_out(lane: Geometry = MANTRAP) -> Plan:
    """Go back to the reader and away, with the own document."""
    away = Walk(to_m=lane.away_m)
    return (Await(sight=Sight.ENTRY_OPEN), Walk(to_m=lane.reader_m), Take(), away)


ENTER: Final = enter()
LEAVE: Final = leave()
TRAVEL: Final = travel()
BACK_OUT: Final = back_out()
TURN_AWAY: Final[Plan] = (Take(), Walk(to_m=AWAY_M))  # for who is still outside


def tailgate(leader: str, gap_m: float = 0.6, to_m: float = 1.2) -> Plan:
    """Slip in close behind `leader`; at 0.6 m there are about 0.35 m of air between the two."""
    return (Follow(leader=leader, gap_m=gap_m, to_m=to_m),)


def slip_in(to_m: float = 1.5) -> Plan:
    """Without a document through the door as soon as it is open; from the other end: the wrong way."""
    return (Await(sight=Sight.ENTRY_OPEN), Walk(to_m=to_m))


def stand_in_doorway(seconds: float, then: Plan = (), *, at_m: float = 0.0) -> Plan:
    """Stop in a doorway, and go on after a while."""
    return (Walk(to_m=at_m), Pause(seconds=seconds), *then)


def leave_bag(at_m: float, then: Plan = LEAVE, *, name: str = "bag", thing: Shape | None = None) -> Plan:
    """Go to a place, leave a bag there, and go on."""
    return (Walk(to_m=at_m), Drop(name=name, thing=thing or bag()), *then)


def turn_round(at_m: float, after_s: float = 0.5, lane: Geometry = MANTRAP) -> Plan:
    """Change one's mind at a place: stand there for a moment, and go back and away."""
    return (Walk(to_m=at_m), Pause(seconds=after_s), *back_out(lane))


class Thing(Value):
    """What was left behind, at a place of the lane."""

    shape: Shape
    place_m: float

    @property
    def extent(self) -> Stretch:
        """From where to where it reaches."""
        rear, front = self.shape.bulk
        return self.place_m + rear, self.place_m + front

    def is_at(self, place_m: float) -> bool:
        """Whether it is in the way there."""
        rear, front = self.extent
        return rear < place_m < front

    def course(self, since: float, until: float) -> Course:
        """It stays where it is."""
        return Course(shape=self.shape, since=since, until=until, from_m=self.place_m, to_m=self.place_m)


class Person:
    """A body at `x_m` that carries out a plan. Who heeds the lamps leaves by the entry when they say so.

    `x_m` and all places of the plan are measured from the end that they come from; `place_m` is the place in
    the lane. `turned`: they come from the other end.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        *,
        at_m: float,
        walk_s: float,
        heeds: bool,
        lane: Geometry = MANTRAP,
        shape: Shape | None = None,
        turned: bool = False,
    ) -> None:
        self.name = name
        self.x_m = at_m
        self.lane = lane
        self.shape = shape or adult()
        self.turned = turned
        self.speed_m_s = (lane.out_m - lane.reader_m) / walk_s
        self.heeds = heeds
        self.moving = False
        self.walked_m = 0.0
        self.facing = True  # the way that they came
        self._was_m = at_m
        self._plan = deque(plan)
        self._paused_s = 0.0

    @property
    def place_m(self) -> float:
        """Where they are in the lane."""
        return self.own(self.x_m)

    @property
    def gone(self) -> bool:
        """Whether they have left, by either end, with all that they push and pull."""
        return self.x_m >= self.lane.out_m + self.tail_m or self.x_m <= self.lane.away_m

    @property
    def tail_m(self) -> float:
        """How much farther they must go until what they pull along is out, too."""
        return max(0.0, -self.shape.span[0] - CLEAR_M)

    @property
    def inside(self) -> bool:
        """Whether the person sensor sees them: where it watches."""
        since, until = self.lane.watched_m
        return since < self.place_m < until

    @property
    def in_view(self) -> bool:
        """Whether they stand where a camera looks that sees faces of their direction."""
        sees = self.lane.two_way or not self.turned
        return sees and self.lane.view_m[0] <= self.x_m <= self.lane.view_m[1]

    @property
    def distance_m(self) -> float:
        """How far they are from the camera that they walk up to."""
        return self.lane.camera_m - self.x_m

    @property
    def step(self) -> Step | None:
        """What they are about, or None: stand still, with nothing in mind."""
        return self._plan[0] if self._plan else None

    @property
    def extent(self) -> Stretch:
        """From where to where in the lane they and their things reach."""
        rear, front = self.shape.bulk
        if self.facing == self.turned:
            rear, front = -front, -rear
        return self.place_m + rear, self.place_m + front

    def is_at(self, place_m: float) -> bool:
        """Whether they or their things are in the way there."""
        rear, front = self.extent
        return rear < place_m < front

    def reach_m(self, ahead: float) -> float:
        """How far they reach in a direction of their own (1.0 or -1.0)."""
        rear, front = self.shape.bulk
        return front if (ahead > 0) == self.facing else -rear

    def goal_m(self, step: Walk | Follow) -> float:
        """Where a step leads; out is out with everything."""
        return step.to_m + self.tail_m if step.to_m >= self.lane.out_m else step.to_m

    def own(self, place_m: float) -> float:
        """A place of the lane as they measure it, or the other way round."""
        return self.lane.mirrored(place_m) if self.turned else place_m

    def start_at(self, x_m: float) -> None:
        """Come from there."""
        self.x_m = self._was_m = x_m

    def go_to(self, x_m: float) -> float:
        """Be there now; returns how far that was."""
        way = abs(x_m - self.x_m)
        self.x_m = x_m
        self.walked_m += way
        return way

    def course(self, since: float, until: float) -> Course:
        """How they have moved since this was last asked."""
        was, self._was_m = self._was_m, self.x_m
        return Course(
            shape=self.shape,
            since=since,
            until=until,
            from_m=self.own(was),
            to_m=self.place_m,
            walked_m=self.walked_m - abs(self.x_m - was),
            ahead=self.facing != self.turned,
        )

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
