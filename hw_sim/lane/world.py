"""The physics of one lane, in real time: doors, sensors, people, and what the gate's outputs do to them.

The world hangs on the simulated board and on nothing else of ours: it sees the levels of the outputs and
drives the inputs. Doors are motorised and open for as long as their release is energised (the relay is
monostable); a person in the doorway makes a closing door reverse. Fire opens both by wire, whatever the
program does. Time is the monotonic clock, or in a test any clock: `advance` brings the world up to it in
steps of `STEP_S`; from `start` to `close` a thread does that, and sleeps while nothing can move. The beams of
light curtains, where they are wired, change at their exact times within a step; while somebody is near one
the steps are short (`FINE_S`), since the program takes an edge for as old as its arrival.

It also keeps the books: the timeline, how long people and doors were moving, and every moment at which
both doors were released without a fire.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard
from hw_sim.lane.bodies import BULK_M, Shape
from hw_sim.lane.doorway import TINY, SimulatedDoor
from hw_sim.lane.geometry import MANTRAP, Geometry
from hw_sim.lane.ledger import Ledger, Mark, Moving, Span
from hw_sim.lane.senses import Curtains, PresenceSensor
from hw_sim.lane.walking import (
    TURN_AWAY,
    WALK_S,
    Await,
    Drop,
    Follow,
    Pause,
    Person,
    PickUp,
    Place,
    Plan,
    Sight,
    Step,
    Take,
    Thing,
    Walk,
    back_out,
)
from hw_sim.lane.way import free_way

STEP_S: Final = 0.01
BLINKS: Final = 2
BLINKING_S: Final = 1.2  # a lamp that blinks once a second changes twice within it
FINE_S: Final = 0.002  # near a beam
LEAST_S: Final = 1e-6  # a shorter step is a rounding error, in which nobody would be seen to move


class World:
    """The lane around a simulated board. All methods may be called from any thread."""

    def __init__(
        self,
        board: SimulatedBoard,
        clock: Callable[[], float] = time.monotonic,
        lane: Geometry = MANTRAP,
        presence: PresenceSensor | None = None,
    ) -> None:
        self.ledger = Ledger()
        self.lane = lane
        self._board = board
        self._clock = clock
        self._now = clock()
        self._changed = threading.Condition(board.lock)  # the one lock of the simulated hardware
        self._doors = {door: SimulatedDoor() for door in Door}
        self._people: dict[str, Person] = {}
        self._things: dict[str, Thing] = {}
        self._documents: dict[str, str] = {}  # whose document lies on which reader ("" for nobody's)
        self._presence = presence or PresenceSensor()
        self._curtains = Curtains(board, lane)
        self._fine = False  # somebody is near a beam
        self._edge_at: float | None = None  # when the beam changed that is just being driven
        self._fire = False
        self._violating = False
        self._emergency = False  # doors were released because of a fire, and are not all locked yet
        self._amber: deque[float] = deque(maxlen=BLINKS)  # when the lamp last changed
        self._quiet = True  # nothing moves until somebody does something
        self._thread: threading.Thread | None = None
        self._closed = False
        for door in Door:
            board.drive(f"{door}_shut", active=True)
        board.on_change(self._wire_changed)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Let time pass by itself."""
        self._thread = threading.Thread(target=self._run, name="sim-world", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the time. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)

    # --- what a scenario does --------------------------------------------------------------------

    def person(
        self,
        name: str,
        plan: Plan,
        *,
        at_m: float | None = None,
        walk_s: float = WALK_S,
        heeds: bool = True,
        shape: Shape | None = None,
        from_exit: bool = False,
    ) -> Person:
        """Let somebody come; `walk_s` is their walk from the reader to out, without waiting.

        `from_exit`: they come from the other end, and their plan measures from there.
        """
        with self._changed:
            self._stir()
            someone = Person(
                name,
                plan,
                at_m=self.lane.reader_m if at_m is None else at_m,
                walk_s=walk_s,
                heeds=heeds,
                lane=self.lane,
                shape=shape,
                turned=from_exit,
            )
            if at_m is None and Door.ENTRY in self.lane.doors:  # what they push stands before the door, too
                someone.start_at(min(someone.x_m, self.lane.entry_m - someone.reach_m(1.0) - 2 * TINY))
            self._people[name] = someone
            self._mark("person", name, "came")
            return someone

    def intend(self, name: str, plan: Iterable[Step]) -> None:
        """Let somebody change their mind."""
        with self._changed:
            self._stir()
            self._people[name].intend(plan)

    def tell_back(self, name: str) -> None:
        """Tell somebody, as the display does, to go back: out by the entry, or away from the reader."""
        with self._changed:
            is_in = self._people[name].x_m > self.lane.reader_m
            self.intend(name, back_out(self.lane) if is_in else TURN_AWAY)

    def place_document(self, owner: str = "", *, at_exit: bool = False) -> None:
        """Lay a document on a reader, by no one's hand unless `owner` is named."""
        with self._changed:
            self._stir()
            self._lay(owner, turned=at_exit)

    def take_document(self, *, at_exit: bool = False) -> None:
        """Take away what lies on a reader."""
        with self._changed:
            self._stir()
            self._lift(turned=at_exit)

    def leave_thing(self, name: str, shape: Shape, at_m: float) -> None:
        """Let something stand in the lane."""
        with self._changed:
            self._stir()
            self._put(name, Thing(shape=shape, place_m=at_m))

    def take_away(self, name: str) -> None:
        """Carry something out of the lane that stands there."""
        with self._changed:
            self._stir()
            self._remove(name)

    def owner_of(self, reader: str) -> str:
        """Whose document lies on a reader, by the name of its wire; "" if nobody's."""
        with self._changed:
            return self._documents.get(reader, "")

    def fire(self, *, burning: bool) -> None:
        """Raise or end the fire alarm; its wire also opens both doors."""
        with self._changed:
            self._stir()
            self._fire = burning
            self._board.drive("fire", burning)

    def jam(self, door: Door, *, jammed: bool = True) -> None:
        """Make a door stick where it is, or free it."""
        with self._changed:
            self._stir()
            self._doors[door].jammed = jammed
            self._mark("fault", door, "jammed" if jammed else "freed")

    def pry(self, door: Door, position: float = 0.5) -> None:
        """Force a door open by hand; it closes again unless it is jammed."""
        with self._changed:
            self._stir()
            self._doors[door].position = position
            self._mark("fault", door, "pried")
            self._report_sensors()

    def note(self, kind: str, name: str, state: str) -> None:
        """Mark in the timeline what happens outside the lane."""
        with self._changed:
            self.advance()
            self._mark(kind, name, state)

    def stick(self, sensor: str, *, active: bool) -> None:
        """Break a sensor: it says `active` until `mend`."""
        with self._changed:
            self._stir()
            self._mark("fault", sensor, "stuck")
            self._board.stick(sensor, active)

    def mend(self, sensor: str) -> None:
        """Repair a sensor."""
        with self._changed:
            self._stir()
            self._mark("fault", sensor, "mended")
            self._board.mend(sensor)

    # --- what a scenario and the camera see --------------------------------------------------------

    def in_view(self, *, from_exit: bool = False) -> tuple[tuple[str, float], ...]:
        """Who the camera can see now, nearest first, with the distance in metres.

        `from_exit`: the camera at the entry, which those look at who come from the other end.
        """
        with self._changed:
            self.advance()
            people = [person for person in self._people.values() if person.turned is from_exit]
            seen = [(p.name, p.distance_m) for p in people if p.in_view]
            return tuple(sorted(seen, key=lambda one: one[1]))

    def distance_m(self, name: str) -> float:
        """How far somebody is from the camera now: 3.0 at the entry door, 0.7 at the decision point."""
        with self._changed:
            self.advance()
            return self._people[name].distance_m

    def door(self, door: Door) -> float:
        """How far a door is open, 0 to 1."""
        with self._changed:
            self.advance()
            return self._doors[door].position

    def count_inside(self) -> int:
        """How many people are where the presence sensor watches: in a mantrap, between the doors."""
        with self._changed:
            self.advance()
            return sum(person.shape.persons for person in self._people.values() if person.inside)

    def things(self) -> tuple[str, ...]:
        """What was left behind in the lane."""
        with self._changed:
            self.advance()
            return tuple(self._things)

    def is_outside(self, name: str) -> bool:
        """Whether somebody is there and has not passed the entry."""
        with self._changed:
            self.advance()
            person = self._people.get(name)
            return person is not None and person.x_m <= self.lane.reader_m

    def anybody(self) -> bool:
        """Whether anybody is there at all."""
        with self._changed:
            self.advance()
            return bool(self._people)

    @property
    def timeline(self) -> tuple[Mark, ...]:
        """Everything that changed so far, in the order of time."""
        with self._changed:
            return tuple(self.ledger.marks)

    @property
    def violations(self) -> tuple[Mark, ...]:
        """Every time that both doors were released without a fire: there must be none."""
        with self._changed:
            return self.ledger.of_kind("violation")

    def modelled_s(self, since: float, until: float, more: Iterable[Span] = ()) -> float:
        """For how long of that time people walked, doors moved or `more` (a chip) went on; see Ledger."""
        with self._changed:
            self.advance()
            return self.ledger.moving_s(since, until, more)

    def wait_until(self, true: Callable[[], bool], timeout_s: float) -> bool:
        """Wait, while time passes by itself, until `true()`; returns whether it came true in time."""
        with self._changed:
            return self._changed.wait_for(true, timeout_s)

    # --- time -----------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Bring the world up to its clock."""
        with self._changed:
            goal = self._clock()
            while goal - self._now > LEAST_S and not self._quiet:
                dt = min(self._step_s, goal - self._now)
                self._now += dt
                self._pass(dt)
            self._now = max(self._now, goal)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                self.advance()
                self._changed.wait(None if self._quiet else self._step_s)

    @property
    def _step_s(self) -> float:
        return FINE_S if self._fine else STEP_S

    def _stir(self) -> None:
        """Somebody does something: come up to now, and look again at what can move."""
        self.advance()
        self._quiet = False
        self._changed.notify_all()

    def _wire_changed(self, name: str, active: bool) -> None:  # noqa: FBT001 - the board's hook
        if name == "amber":
            self._amber.append(self._clock())
        elif name.endswith("_green"):  # another pattern: what amber did before says nothing
            self._amber.clear()
        if self._board.wires[name].output:
            self._stir()
        self._mark("line", name, "active" if active else "inactive")
        releases = [self._board.read(f"{door}_release") for door in Door]
        self._emergency = any(releases) and (self._fire or self._emergency)  # until both are locked again
        both = all(releases) and not self._emergency
        if both and not self._violating:
            self._mark("violation", "doors", "both released")
        self._violating = both

    def _mark(self, kind: str, name: str, state: str) -> None:
        at = self._now if self._edge_at is None else self._edge_at
        self.ledger.add(Mark(at=at, kind=kind, name=name, state=state))
        self._changed.notify_all()

    # --- physics ------------------------------------------------------------------------------------

    def _pass(self, dt: float) -> None:
        """Let `dt` pass."""
        moved = [self._move_door(door, dt) for door in Door]
        for person in list(self._people.values()):
            self._act(person, dt)
        self._report_beams(dt)
        self._report_sensors()
        walking = any(person.moving for person in self._people.values())
        pausing = any(isinstance(person.step, Pause) for person in self._people.values())
        went_on: dict[Moving, bool] = {"door": any(moved), "walk": walking}
        for kind in (kind for kind, on in went_on.items() if on):
            self.ledger.book(kind, self._now - dt, self._now)
        staying = {name: person for name, person in self._people.items() if not person.gone}
        left = len(staying) < len(self._people)  # look once more at the beams that they were in
        self._people = staying
        self._quiet = not (walking or pausing or left or any(moved))

    def _move_door(self, door: Door, dt: float) -> bool:
        leaf = self._doors[door]
        blocked = not leaf.shut and self._is_blocked(door)
        opening = self._board.read(f"{door}_release") or self._fire or blocked
        moved = leaf.move(opening=opening, dt=dt)
        motion = leaf.motion
        if moved:
            motion = "opening" if opening else "closing"
        if leaf.shut or leaf.position >= 1.0:
            motion = "shut" if leaf.shut else "open"
        if motion != leaf.motion:
            leaf.motion = motion
            self._mark("door", door, motion)
        return moved

    def _is_blocked(self, door: Door) -> bool:
        """Whether a body or a thing is in the way of a door."""
        place = self.lane.doors_m.get(door)
        return place is not None and any(body.is_at(place) for body in self._bodies())

    def _bodies(self) -> list[Person | Thing]:
        return [*self._people.values(), *self._things.values()]

    def _report_sensors(self) -> None:
        occupied, crowded = self._presence.sense(self._people.values(), self._things.values(), self.lane)
        self._board.drive("occupied", occupied)
        self._board.drive("crowded", crowded)
        for door in self.lane.doors:  # where there is no door, the input is bridged
            self._board.drive(f"{door}_shut", self._doors[door].shut)

    def _report_beams(self, dt: float) -> None:
        """Let the beams change while everybody goes the way that they have gone in the last `dt`."""
        since, until = self._now - dt, self._now
        courses = [body.course(since, until) for body in self._bodies()]
        self._fine = self._curtains.near(courses)
        for wire, edge in self._curtains.pass_time(courses, since, until):
            self._edge_at = self._board.edge_at = edge.at
            try:
                self._board.drive(wire, edge.blocked)
            finally:
                self._edge_at = self._board.edge_at = None

    # --- people ---------------------------------------------------------------------------------------

    def _act(self, person: Person, dt: float) -> None:
        """Let a person do what they mean to do for `dt`: the quick steps at once, the first slow one."""
        person.moving = False
        if person.heeds and person.x_m > self.lane.reader_m and self._sees(person, Sight.STEP_BACK):
            self._heed(person)
        while (step := person.step) is not None and self._finish(person, step, dt):
            person.done()

    def _finish(self, person: Person, step: Step, dt: float) -> bool:
        """Do a step for `dt`; returns whether it is finished."""
        match step:
            case Place():
                self._lay(person.name, turned=person.turned)
            case Take() if self._documents.get(_reader(turned=person.turned)) in {person.name, ""}:
                self._lift(turned=person.turned)
            case Drop():
                self._put(step.name, Thing(shape=step.thing, place_m=person.place_m))
            case PickUp():
                self._remove(step.name)
            case Await():
                return self._sees(person, step.sight)
            case Pause():
                return person.rest(dt) >= step.seconds
            case Walk() | Follow():
                return self._walk(person, step, dt)
        return True

    def _heed(self, person: Person) -> None:
        if not (isinstance(person.step, Walk) and person.step.to_m < person.x_m):
            person.intend(back_out(self.lane))
            self._mark("person", person.name, "told to step back")

    def _lay(self, owner: str, *, turned: bool) -> None:
        reader = _reader(turned=turned)
        self._documents[reader] = owner
        self._board.drive(reader, active=True)

    def _lift(self, *, turned: bool) -> None:
        reader = _reader(turned=turned)
        self._documents.pop(reader, None)
        self._board.drive(reader, active=False)

    def _put(self, name: str, thing: Thing) -> None:
        self._things[name] = thing
        self._mark("thing", name, f"left at {thing.place_m:.1f} m")

    def _remove(self, name: str) -> None:
        if self._things.pop(name, None):
            self._mark("thing", name, "taken away")

    def _sees(self, person: Person, sight: Sight) -> bool:
        """Whether somebody sees that, who calls the end that they came from the entry."""
        entry, way_out = (Door.EXIT, Door.ENTRY) if person.turned else (Door.ENTRY, Door.EXIT)
        match sight:
            case Sight.ENTRY_OPEN:
                return self._passable(entry)
            case Sight.EXIT_OPEN:
                return self._passable(way_out)
            case Sight.LANE_EMPTY:
                shut = all(self._doors[door].shut for door in self.lane.doors)
                return shut and not any(other.inside for other in self._people.values())
            case Sight.BUSY:
                return self._board.read(f"{entry}_red")
            case Sight.CALLED:
                return self._board.read(f"{entry}_green")
            case Sight.STEP_BACK:
                lit = (self._board.read(lamp) for lamp in (f"{entry}_green", f"{way_out}_red"))
                return self._passable(entry) and all(lit) and self._amber_blinks()

    def _amber_blinks(self) -> bool:
        """Whether the amber lamp has gone on or off twice just now: steady, it says something else."""
        return len(self._amber) == BLINKS and self._now - self._amber[0] < BLINKING_S

    def _passable(self, door: Door) -> bool:
        return door not in self.lane.doors or self._doors[door].passable

    def _walk(self, person: Person, step: Walk | Follow, dt: float) -> bool:
        """Walk for `dt`; returns whether the goal is reached, or a door keeps what is pushed from it."""
        was, goal = person.x_m, person.goal_m(step)
        aim = goal
        if isinstance(step, Follow) and (leader := self._people.get(step.leader)) is not None:
            aim = min(goal, max(was, leader.x_m - step.gap_m))
        reach = person.speed_m_s * dt
        aim = min(was + reach, aim) if aim >= was else max(was - reach, aim)
        if abs(aim - was) > TINY:
            person.facing = (aim > was) != (isinstance(step, Walk) and step.backwards)
        x_m = free_way(person, aim, self._people.values(), self._passable)
        x_m = goal if abs(x_m - goal) <= TINY else x_m
        person.moving = person.go_to(x_m) > TINY
        for name, place in self.lane.ends_m.items():
            if (person.place_m - place) * (person.own(was) - place) < 0:
                self._mark("person", person.name, f"through the {name}")
        if person.moving and x_m == goal:
            self._mark("person", person.name, f"at {step.to_m:.1f} m")
        way = 1.0 if goal >= x_m else -1.0
        is_kept = not person.moving and abs(goal - x_m) <= person.reach_m(way) - BULK_M + TINY
        return x_m == goal or (is_kept and isinstance(step, Walk))


def _reader(*, turned: bool) -> str:
    return "exit_document" if turned else "document"
