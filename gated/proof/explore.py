"""Breadth-first search over everything that heart and world can reach together.

Every transition is made and checked; nothing is drawn by chance. A state is the pair of a gate's number and a
world's. The first way to a state is kept, so whatever is wrong is told with the shortest history that leads
to it.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.vocabulary import Door
from gated.proof.builds import Build
from gated.proof.happenings import NEXT, UTC, crossed
from gated.proof.heart import Heart, Mark, Taken, View
from gated.proof.world import Broken, Crossing, Kind, Move, World, faults_of, mirrored, moves

_WORLDS = 1 << 24  # more worlds than that no lane has
_DEEPEST = 10_000  # steps to any state, by the shortest way: some 50 in a lane whose counts have ends
TOLD: Mapping[Crossing, ev.AnyEvent] = {
    Crossing.IN_BY_ENTRY: crossed(Door.ENTRY, inward=True),
    Crossing.OUT_BY_ENTRY: crossed(Door.ENTRY, inward=False),
    Crossing.OUT_BY_EXIT: crossed(Door.EXIT, inward=False),
    Crossing.IN_BY_EXIT: crossed(Door.EXIT, inward=True),
    Crossing.BACK_FROM_EXIT: ev.TurnedBack(at=0, door=Door.EXIT),
}


class Telling(NamedTuple):
    """What a sensor says, and the world after it was told; `honest`: it is so."""

    event: ev.AnyEvent
    to: World
    honest: bool


class Judge(Protocol):
    """Checks what it is shown; raises `invariants.Broken` when something must not be."""

    def step(self, before: Gate, event: ev.AnyEvent, after: Gate, effects: tuple[do.AnyEffect, ...]) -> None:
        """A step of the heart."""

    def state(self, gate: Gate, world: World) -> None:
        """A state of both."""

    def move(self, gate: Gate, world: World, move: Move) -> None:
        """A move of the world that a door or a person makes."""

    def commits(self, gate: Gate, world: World, marks: int) -> None:
        """A step by which somebody is admitted, or the lane is turned round, in this world."""


class Space:
    """The states that were reached, how, and the transitions that liveness is judged by."""

    def __init__(self, build: Build, heart: Heart) -> None:
        self.build = build
        self.heart = heart
        self.worlds: list[World] = []
        self.keys: array[int] = array("q")
        self.parents: array[int] = array("i")
        self.depths: array[int] = array("H")
        self.transitions = 0
        self.current = -1
        self.pending = bytearray()  # an honest sensor has something to tell
        self.edges_from: array[int] = array("i")
        self.edges_to: array[int] = array("i")
        self.edges_kind: array[int] = array("B")
        self._numbers: dict[World, int] = {}
        self._found: dict[int, int] = {}
        self._moves: dict[tuple[int, frozenset[Door], int], tuple[tuple[Move, int], ...]] = {}
        self._tellings: dict[tuple[int, int], tuple[tuple[tuple[Telling, int], ...], int]] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def gate(self, index: int) -> Gate:
        """The gate of a state."""
        return self.heart.gates[self.keys[index] // _WORLDS]

    def first_with(self, gate: int) -> int:
        """The first state with this gate; -1 if there is none."""
        return next((index for index in range(len(self)) if self.gate_number(index) == gate), -1)

    def gate_number(self, index: int) -> int:
        """The number of the gate of a state."""
        return self.keys[index] // _WORLDS

    def world(self, index: int) -> World:
        """The world of a state."""
        return self.worlds[self.keys[index] % _WORLDS]

    def number(self, world: World) -> int:
        """The number of a world."""
        number = self._numbers.get(world)
        if number is None:
            number = self._numbers[world] = len(self.worlds)
            self.worlds.append(world)
        return number

    def explore(self, judge: Judge) -> None:
        """Reach everything from a lane that has just been started, sound or with one thing broken."""
        gate = self.heart.started()
        for broken in faults_of(self.build):
            self._reach(gate, self.number(World(broken=broken)), -1, 0, judge)
        index = 0
        while index < len(self.keys):
            self._leave(index, judge)
            index += 1

    def _reach(self, gate: int, world: int, parent: int, depth: int, judge: Judge) -> int:
        key = gate * _WORLDS + world
        index = self._found.get(key)
        if index is None:
            if depth > _DEEPEST:
                raise AssertionError("this lane counts something without end")
            index = self._found[key] = len(self.keys)
            self.keys.append(key)
            self.parents.append(parent)
            self.depths.append(depth)
            self.pending.append(0)
            judge.state(self.heart.gates[gate], self.worlds[world])
        return index

    def _leave(self, index: int, judge: Judge) -> None:
        self.current = index
        gate_number, world_number = divmod(self.keys[index], _WORLDS)
        view, world = self.heart.views[gate_number], self.worlds[world_number]
        gate, depth = view.gate, self.depths[index] + 1
        tellings, waiting = self._tellings_of(view, world_number)
        honest = waiting > 0
        self.pending[index] = honest
        free = view.free_when_lapsed if world.lapsed else view.free
        counting = gate.state is State.EXIT_OPEN
        people = self.build.people_in_trouble if view.irregular else self.build.people
        late = waiting >= self.build.late and view.board  # one that is lost tells nothing for a while
        mended = gate.passage is None or gate.state is State.REJECT_OUT
        for move, to in () if late else self._moves_of(world_number, free, people):
            number = to
            if move.kind & Kind.MENDING and not mended:
                continue  # nobody repairs a lane while it serves somebody
            if move.kind & (Kind.OPENS | Kind.LEAVES):
                judge.move(gate, world, move)
                if not counting and move.to.out:
                    number = self.number(move.to._replace(out=0))
            self._edge(index, self._reach(gate_number, number, index, depth, judge), move.kind)
        if world.broken is Broken.LEASE and len(gate.released) == 1 and not world.lapsed:
            lapsed = self.number(world._replace(lapsed=True))
            self._edge(index, self._reach(gate_number, lapsed, index, depth, judge), Kind.ANY)
        for telling, number in tellings:
            taken = self.heart.sensed(gate_number, telling.event)
            to = self._affected(number, taken)
            if taken.marks & (Mark.DECIDES | Mark.TURNS) and waiting <= 1:
                judge.commits(self.heart.gates[taken.to], self.worlds[to], taken.marks)
            kind = taken.kind | (Kind.FAIR if telling.honest else Kind.ANY)
            self._edge(index, self._reach(taken.to, to, index, depth, judge), kind)
        if world.broken is Broken.MENDED:
            return
        others, time = self.heart.own(gate_number)
        quiet = not world.broken and not world.thing and world.people <= self.build.people_in_trouble
        most = max(self.build.irregular if quiet else 0, view.irregular)
        for taken in others if honest and view.board else (*others, *time):
            if honest and taken.marks & Mark.BOARD:  # it tells everything anew before it is ready
                continue
            irregular = self.heart.views[taken.to].irregular
            if taken.marks & Mark.SERVES and (irregular > most or not self._may_work(taken, world)):
                continue
            if taken.marks & (Mark.CLEARS | Mark.SAYS) and not _looked(taken.event, world):
                continue
            if taken.marks & Mark.STARTS and (view.irregular or most < 1):
                continue
            to = self._affected(world_number, taken)
            if taken.marks & (Mark.DECIDES | Mark.TURNS) and not honest:
                judge.commits(self.heart.gates[taken.to], self.worlds[to], taken.marks)
            self._edge(index, self._reach(taken.to, to, index, depth, judge), taken.kind)

    def _may_work(self, taken: Taken, world: World) -> bool:
        """Of what is broken only the presence sensor is worked on while the lane feels somebody."""
        begins = self.heart.gates[taken.to].state is State.MAINTENANCE
        return not begins or world.broken in {Broken.NOTHING, Broken.PRESENCE}

    def _edge(self, source: int, target: int, kind: int) -> None:
        self.transitions += 1
        if source != target or kind & Kind.TIME:
            self.edges_from.append(source)
            self.edges_to.append(target)
            self.edges_kind.append(kind)

    def _affected(self, world_number: int, taken: Taken) -> int:
        """The world after a step of the heart that means something for it."""
        marks = taken.marks
        if not marks & Mark.OF_THE_WORLD:
            return world_number
        world = self.worlds[world_number]
        if marks & Mark.TURNED:
            world = mirrored(world)
        if marks & (Mark.DECIDES | Mark.ENDS):
            world = world._replace(out=0)
        if marks & (Mark.STARTS | Mark.LOSES_BOARD):
            world = world._replace(lapsed=True, untold=Crossing.NONE)
        elif marks & Mark.LEASES and self.heart.views[taken.to].board:
            world = world._replace(lapsed=False)
        return self.number(world)

    def _moves_of(self, number: int, free: frozenset[Door], people: int) -> tuple[tuple[Move, int], ...]:
        known = self._moves.get((number, free, people))
        if known is None:
            found = moves(self.worlds[number], free, self.build, people)
            known = self._moves[number, free, people] = tuple((move, self.number(move.to)) for move in found)
        return known

    def _tellings_of(self, view: View, number: int) -> tuple[tuple[tuple[Telling, int], ...], int]:
        known = self._tellings.get((view.told, number))
        if known is None:
            found = tuple(tellings(view.gate, self.worlds[number], self.build))
            numbered = tuple((telling, self.number(telling.to)) for telling in found)
            known = self._tellings[view.told, number] = (numbered, sum(t.honest for t in found))
        return known

    def history(self, index: int) -> list[str]:
        """How this state was reached, from the start on, in words."""
        chain = []
        while index >= 0:
            chain.append(index)
            index = self.parents[index]
        return [f"{self.gate(i).state}: {_words(self, i)}" for i in reversed(chain)]


def _words(space: Space, index: int) -> str:
    gate, world = space.gate(index), space.world(index)
    facts = {name: value for name, value in world._asdict().items() if value}
    shut = ",".join(sorted(gate.shut)) or "nothing"
    released = ",".join(sorted(gate.released)) or "nothing"
    real = ", ".join(
        name if value is True else f"{name} {getattr(value, 'name', value)}" for name, value in facts.items()
    )
    told = f"told {shut} shut, {gate.persons} persons, {gate.counted} counted"
    return f"{gate.mode}, released {released}; {told}; really: {real or 'empty, all shut'}"


def _looked(event: ev.AnyEvent, world: World) -> bool:
    """Whoever clears a fault has looked into the lane, and an officer says as many as there are."""
    if isinstance(event, ev.OfficerDecided):
        return event.persons == world.inside + bool(world.exit)
    return not world.people


def tellings(gate: Gate, world: World, build: Build) -> Iterator[Telling]:
    """What the sensors may say to this gate in this world."""
    yield from _contacts(gate, world, build)
    persons = min(2, world.inside + world.thing)
    for said in (0, 1, 2) if world.broken is Broken.PRESENCE else (persons,):
        if said != gate.persons:
            honest = world.broken is not Broken.PRESENCE
            yield Telling(ev.OccupancyChanged(at=0, persons=said), world, honest)
    yield from _documents(gate, world, build)
    if build.curtains:
        yield from _curtains(gate, world, build)


def _contacts(gate: Gate, world: World, build: Build) -> Iterator[Telling]:
    doors = [(Door.EXIT, world.exit_open, Broken.EXIT_CONTACT)] if build.has_exit else []
    if build.enclosed:
        doors.append((Door.ENTRY, world.entry_open, Broken.ENTRY_CONTACT))
    for door, is_open, contact in doors:
        honest = world.broken is not contact
        shut = door in gate.shut
        if not honest or shut is is_open:
            yield Telling(ev.DoorMoved(at=0, door=door, shut=not shut), world, honest)


def _documents(gate: Gate, world: World, build: Build) -> Iterator[Telling]:
    honest = world.broken is not Broken.DOCUMENT
    if gate.document is not world.document or not honest:
        said: ev.AnyEvent = (
            ev.DocumentRemoved(at=0) if gate.document else ev.DocumentPlaced(at=0, passage=NEXT, utc=UTC)
        )
        yield Telling(said, world, honest)
    if build.topology == "port" and gate.other_document is not world.other_document:
        yield Telling(ev.OtherEndChanged(at=0, document=world.other_document), world, honest=True)


def _curtains(gate: Gate, world: World, build: Build) -> Iterator[Telling]:
    doorways = [(Door.EXIT, bool(world.exit), Broken.EXIT_CURTAIN)]
    if build.enclosed:
        doorways.append((Door.ENTRY, bool(world.entry), Broken.ENTRY_CURTAIN))
    for door, occupied, curtain in doorways:
        honest = world.broken is not curtain
        told = door in gate.blocked
        if not honest or told is not occupied:
            yield Telling(ev.DoorwayChanged(at=0, door=door, blocked=not told), world, honest)
        if not honest:
            yield from (
                Telling(crossed(door, inward=inward), world, honest=False) for inward in (True, False)
            )
    if world.untold:
        yield Telling(TOLD[world.untold], world._replace(untold=Crossing.NONE), honest=True)
