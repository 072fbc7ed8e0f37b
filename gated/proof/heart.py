"""The heart as a graph: gates are numbered, and each step is made once, however many worlds it happens in."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import BOTH, Gate, State
from gated.core.step import step
from gated.core.vocabulary import Device, Direction, Door, OfficerWord
from gated.proof import happenings
from gated.proof.abstraction import normal
from gated.proof.builds import Build
from gated.proof.world import Kind

Watcher = Callable[[Gate, ev.AnyEvent, Gate, tuple[do.AnyEffect, ...]], None]


# Made or said over hundreds of milliseconds, in which sensors have told what changed before.
SLOW = (ev.FaceAssessed, ev.OfficerDecided)


class Mark:
    """What a step of the heart does to the world, or commits itself to (bits of an int)."""

    NOTHING = 0
    LEASES = 1  # a lease is given or renewed
    DECIDES = 2  # somebody is admitted
    TURNS = 4  # the lane is to be turned round
    TURNED = 8  # it was: everything changes its name
    LOSES_BOARD = 16  # the releases fall back
    STARTS = 32
    ENDS = 64  # whoever goes out from here on was not decided for
    SERVES = 128  # somebody did something to the lane, or something befell it
    BOARD = 256  # the board is back
    CLEARS = 512  # a technician clears a fault
    SAYS = 1024  # an officer says how many there are
    OF_THE_WORLD = LEASES | DECIDES | TURNED | LOSES_BOARD | STARTS | ENDS


class Taken(NamedTuple):
    """One step: what happened, the gate after it, and what it means for the world."""

    event: ev.AnyEvent
    to: int
    marks: int
    kind: int


class View(NamedTuple):
    """What the world needs to know about a gate."""

    gate: Gate
    free: frozenset[Door]
    free_when_lapsed: frozenset[Door]
    told: int
    board: bool
    irregular: int


class Heart:
    """All gates met so far, and the steps between them."""

    def __init__(self, build: Build, watch: Watcher) -> None:
        self.build = build
        self.gates: list[Gate] = []
        self.steps = 0
        self._watch = watch
        self._numbers: dict[Gate, int] = {}
        self._tolds: dict[tuple[object, ...], int] = {}
        self.views: list[View] = []
        self._sensed: list[dict[ev.AnyEvent, Taken]] = []
        self._own: list[tuple[tuple[Taken, ...], tuple[Taken, ...]] | None] = []

    def number(self, gate: Gate) -> int:
        """The number of a gate, by which everything else names it."""
        known = normal(gate)
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self.gates)
            self.gates.append(known)
            self.views.append(self._view(known))
            self._sensed.append({})
            self._own.append(None)
        return number

    def _view(self, gate: Gate) -> View:
        emergency = gate.state is State.EMERGENCY
        board = Device.IO_BOARD in gate.ready
        facts = (gate.shut, gate.persons, gate.blocked, gate.document, gate.other_document, board)
        return View(
            gate=gate,
            free=BOTH if emergency else gate.released,
            free_when_lapsed=BOTH if emergency else frozenset(),
            told=self._tolds.setdefault(facts, len(self._tolds)),
            board=board,
            irregular=happenings.deviations(gate),
        )

    def sensed(self, number: int, event: ev.AnyEvent) -> Taken:
        """The step that a sensor's word leads to."""
        known = self._sensed[number].get(event)
        if known is None:
            known = self._sensed[number][event] = self._take(number, event, Kind.ANY)
        return known

    def own(self, number: int) -> tuple[tuple[Taken, ...], tuple[Taken, ...]]:
        """The steps that no world asks for: those of any moment, and those that sensors are quicker than."""
        known = self._own[number]
        if known is None:
            gate = self.gates[number]
            quiet = Mark.SERVES | Mark.BOARD | Mark.CLEARS | Mark.SAYS
            others = [t for t in self._others(number, gate) if t.to != number or t.marks & ~quiet]
            slow = [t for t in others if isinstance(t.event, SLOW)]
            quick = [t for t in others if not isinstance(t.event, SLOW)]
            known = self._own[number] = (tuple(quick), (*slow, *self._time(number, gate)))
        return known

    def _others(self, number: int, gate: Gate) -> Iterator[Taken]:
        for event in happenings.answers(gate):
            yield self._take(number, event, Kind.ANY)
        if gate.state is State.CHANGE_OVER:
            for direction in Direction:
                turned = ev.LaneTurned(at=0, direction=direction)
                if direction is gate.wanted_direction is not gate.direction:
                    yield self._take(number, turned, Kind.MENDING)  # the board may fail to
        most = max(happenings.deviations(gate), self.build.irregular)
        for event in happenings.service(gate):
            taken = self._take(number, event, _mends(gate, event))
            if happenings.deviations(self.gates[taken.to]) <= most:
                yield taken
        yield self._restart(number)

    def started(self) -> int:
        """The gate of a daemon that has just come up, before its sensors have told anything."""
        return self._restart(self.number(Gate(policy=self.build.policy))).to

    def _restart(self, number: int) -> Taken:
        """The daemon is started anew; whatever was under way is told from the journal."""
        gate = self.gates[number]
        start = happenings.started(gate.policy, gate.passage.id if gate.passage else None, gate.locked_by)
        to = self._take(number, start, Kind.ANY).to
        for event in happenings.coming_up(gate.policy):
            to = self.sensed(to, event).to
        return Taken(start, to, Mark.STARTS, Kind.ENTERS)

    def _time(self, number: int, gate: Gate) -> Iterator[Taken]:
        if gate.due is not None and not gate.expired:
            yield self._take(number, ev.DeadlinePassed(at=0, due=gate.due), Kind.FAIR | Kind.TIME)
        if gate.renew_at is not None:
            yield self._take(number, ev.DeadlinePassed(at=0, due=gate.renew_at), Kind.FAIR)

    def _take(self, number: int, event: ev.AnyEvent, kind: int) -> Taken:
        before = self.gates[number]
        after, effects = step(before, event)
        self.steps += 1
        self._watch(before, event, after, effects)
        marks = _marks(event, effects)
        if before.state is State.EXIT_OPEN is not after.state:
            marks |= Mark.ENDS
        entered = after.state is not before.state or bool(marks & Mark.DECIDES)
        if kind & Kind.TIME and after.due is not None and not after.expired:
            entered = True
        return Taken(event, self.number(after), marks, kind | (Kind.ENTERS if entered else Kind.ANY))


def _mends(gate: Gate, event: ev.AnyEvent) -> int:
    """Whether this puts the lane back in order: somebody in charge would do it."""
    match event:
        case ev.ModeChanged(mode="open") | ev.DeviceReady() | ev.FaultCleared() | ev.EmergencyReset():
            return Kind.MENDING
        case ev.DutyChanged(on=True) | ev.ClockChecked(synchronised=True):
            return Kind.MENDING
        case ev.AgesChecked() if event == happenings.FRESH:
            return Kind.MENDING
        case ev.OtherDeviceChanged(code="well"):
            return Kind.MENDING
        case ev.DirectionWanted() if event.direction is gate.direction:
            return Kind.MENDING
        case _:
            return Kind.ANY


def _marks(event: ev.AnyEvent, effects: tuple[do.AnyEffect, ...]) -> int:
    marks = Mark.SERVES if isinstance(event, happenings.SERVICE) else Mark.NOTHING
    for effect in effects:
        if isinstance(effect, do.UnlockDoor | do.ReleaseAll):
            marks |= Mark.LEASES
        elif isinstance(effect, do.Decide):
            marks |= Mark.DECIDES
        elif isinstance(effect, do.TurnLane):
            marks |= Mark.TURNS
    match event:
        case ev.GateStarted():
            marks |= Mark.STARTS
        case ev.LaneTurned():
            marks |= Mark.TURNED
        case ev.FaultCleared():
            marks |= Mark.CLEARS
        case ev.OfficerDecided(word=OfficerWord.ACCEPT):
            marks |= Mark.SAYS
        case ev.DeviceReady(device=Device.IO_BOARD):
            marks |= Mark.BOARD
        case ev.FaultRaised(device=Device.IO_BOARD, latched=False):
            marks |= Mark.LOSES_BOARD
        case _:
            pass
    return marks
