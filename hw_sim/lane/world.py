"""The physics of one lane, in real time: doors, sensors, people, and what the gate's outputs do to them.

The world hangs on the simulated board and on nothing else of ours: it sees the levels of the outputs and
drives the inputs. Doors are motorised and open for as long as their release is energised (the relay is
monostable); a person in the doorway makes a closing door reverse. Fire opens both by wire, whatever the
program does. Time is the monotonic clock, or in a test any clock: `advance` brings the world up to it in
steps of `STEP_S`; from `start` to `close` a thread does that, and sleeps while nothing can move.

It also keeps the books: the timeline, how long people and doors were moving, and every moment at which
both doors were released without a fire.
"""

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard
from hw_sim.lane.doorway import TINY, SimulatedDoor
from hw_sim.lane.ledger import Ledger, Mark, Moving, Span
from hw_sim.lane.walking import (
    BACK_OUT,
    BODY_M,
    DOOR_M,
    DOORWAY_M,
    READER_M,
    TURN_AWAY,
    WALK_S,
    Await,
    Follow,
    Pause,
    Person,
    Place,
    Plan,
    Sight,
    Step,
    Take,
    Walk,
)

STEP_S: Final = 0.01
LEAST_S: Final = 1e-6  # a shorter step is a rounding error, in which nobody would be seen to move


class World:
    """The lane around a simulated board. All methods may be called from any thread."""

    def __init__(self, board: SimulatedBoard, clock: Callable[[], float] = time.monotonic) -> None:
        self.ledger = Ledger()
        self._board = board
        self._clock = clock
        self._now = clock()
        self._changed = threading.Condition(board.lock)  # the one lock of the simulated hardware
        self._doors = {door: SimulatedDoor() for door in Door}
        self._people: dict[str, Person] = {}
        self._document_of: str | None = None  # whose document lies on the reader ("" for nobody's)
        self._fire = False
        self._violating = False
        self._emergency = False  # doors were released because of a fire, and are not all locked yet
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
        self, name: str, plan: Plan, *, at_m: float = READER_M, walk_s: float = WALK_S, heeds: bool = True
    ) -> Person:
        """Let somebody come; `walk_s` is their walk from the reader to out, without waiting."""
        with self._changed:
            self._stir()
            someone = Person(name, plan, at_m=at_m, walk_s=walk_s, heeds=heeds)
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
            self.intend(name, BACK_OUT if self._people[name].x_m > READER_M else TURN_AWAY)

    def place_document(self, owner: str = "") -> None:
        """Lay a document on the reader, by no one's hand unless `owner` is named."""
        with self._changed:
            self._stir()
            self._lay(owner)

    def take_document(self) -> None:
        """Take away what lies on the reader."""
        with self._changed:
            self._stir()
            self._lift()

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

    def in_view(self) -> tuple[tuple[str, float], ...]:
        """Who the camera can see now, nearest first, with the distance in metres."""
        with self._changed:
            self.advance()
            seen = [(p.name, p.distance_m) for p in self._people.values() if p.in_view]
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
        """How many people stand between the doors."""
        with self._changed:
            self.advance()
            return sum(person.inside for person in self._people.values())

    def is_outside(self, name: str) -> bool:
        """Whether somebody is there and has not passed the entry."""
        with self._changed:
            self.advance()
            person = self._people.get(name)
            return person is not None and person.x_m <= READER_M

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
                dt = min(STEP_S, goal - self._now)
                self._now += dt
                self._pass(dt)
            self._now = max(self._now, goal)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                self.advance()
                self._changed.wait(None if self._quiet else STEP_S)

    def _stir(self) -> None:
        """Somebody does something: come up to now, and look again at what can move."""
        self.advance()
        self._quiet = False
        self._changed.notify_all()

    def _wire_changed(self, name: str, active: bool) -> None:  # noqa: FBT001 - the board's hook
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
        self.ledger.marks.append(Mark(at=self._now, kind=kind, name=name, state=state))
        self._changed.notify_all()

    # --- physics ------------------------------------------------------------------------------------

    def _pass(self, dt: float) -> None:
        """Let `dt` pass."""
        moved = [self._move_door(door, dt) for door in Door]
        for person in self._people.values():
            self._act(person, dt)
        self._report_sensors()
        walking = any(person.moving for person in self._people.values())
        pausing = any(isinstance(person.step, Pause) for person in self._people.values())
        went_on: dict[Moving, bool] = {"door": any(moved), "walk": walking}
        for kind in (kind for kind, on in went_on.items() if on):
            self.ledger.book(kind, self._now - dt, self._now)
        self._people = {name: person for name, person in self._people.items() if not person.gone}
        self._quiet = not (walking or pausing or any(moved))

    def _move_door(self, door: Door, dt: float) -> bool:
        leaf = self._doors[door]
        blocked = not leaf.shut and any(person.blocks(door) for person in self._people.values())
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

    def _report_sensors(self) -> None:
        inside = sum(person.inside for person in self._people.values())
        self._board.drive("occupied", inside >= 1)
        self._board.drive("crowded", inside >= 2)
        for door, leaf in self._doors.items():
            self._board.drive(f"{door}_shut", leaf.shut)

    # --- people ---------------------------------------------------------------------------------------

    def _act(self, person: Person, dt: float) -> None:
        """Let a person do what they mean to do for `dt`: the quick steps at once, the first slow one."""
        person.moving = False
        if person.heeds and person.x_m > READER_M and self._sees(Sight.STEP_BACK):
            self._heed(person)
        while (step := person.step) is not None and self._finish(person, step, dt):
            person.done()

    def _finish(self, person: Person, step: Step, dt: float) -> bool:
        """Do a step for `dt`; returns whether it is finished."""
        match step:
            case Place():
                self._lay(person.name)
            case Take() if self._document_of in {person.name, ""}:
                self._lift()
            case Await():
                return self._sees(step.sight)
            case Pause():
                return person.rest(dt) >= step.seconds
            case Walk() | Follow():
                self._walk(person, step, dt)
                return person.x_m == step.to_m
        return True

    def _heed(self, person: Person) -> None:
        if not (isinstance(person.step, Walk) and person.step.to_m < person.x_m):
            person.intend(BACK_OUT)
            self._mark("person", person.name, "told to step back")

    def _lay(self, owner: str) -> None:
        self._document_of = owner
        self._board.drive("document", active=True)

    def _lift(self) -> None:
        self._document_of = None
        self._board.drive("document", active=False)

    def _sees(self, sight: Sight) -> bool:
        match sight:
            case Sight.ENTRY_OPEN:
                return self._doors[Door.ENTRY].passable
            case Sight.EXIT_OPEN:
                return self._doors[Door.EXIT].passable
            case Sight.STEP_BACK:
                lit = {lamp: self._board.read(lamp) for lamp in ("entry_green", "exit_red", "amber")}
                return self._doors[Door.ENTRY].passable and all(lit.values())

    def _walk(self, person: Person, step: Walk | Follow, dt: float) -> None:
        was = person.x_m
        reach = person.speed_m_s * dt
        goal = step.to_m
        if isinstance(step, Follow) and (leader := self._people.get(step.leader)) is not None:
            goal = min(goal, max(was, leader.x_m - step.gap_m))
        aim = min(was + reach, goal) if goal >= was else max(was - reach, goal)
        person.x_m = self._free_way(person, was, aim)
        if abs(person.x_m - step.to_m) <= TINY:
            person.x_m = step.to_m
        person.moving = abs(person.x_m - was) > TINY
        for name, place in (("entry", DOOR_M[Door.ENTRY]), ("exit", DOOR_M[Door.EXIT])):
            if (was - place) * (person.x_m - place) < 0:
                self._mark("person", person.name, f"through the {name}")
        if person.moving and person.x_m == step.to_m:
            self._mark("person", person.name, f"at {step.to_m:.1f} m")

    def _free_way(self, person: Person, was: float, aim: float) -> float:
        """How far one comes on the way from `was` to `aim`: to a door that is not open, or to a back."""
        ahead = 1.0 if aim >= was else -1.0
        for door, place in DOOR_M.items():
            stop = place - ahead * (DOORWAY_M + TINY)
            passing = (stop - was) * ahead >= -TINY and (aim - stop) * ahead > 0
            if passing and not self._doors[door].passable:
                aim = stop
        for other in self._people.values():
            gap = (other.x_m - was) * ahead
            if other is not person and other.inside and gap > 0 and (other.x_m - aim) * ahead < BODY_M:
                aim = max(was, other.x_m - BODY_M) if ahead > 0 else min(was, other.x_m + BODY_M)
        return aim
