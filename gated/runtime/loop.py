"""The loop: one event from one queue, stepped, journalled, and only then acted upon.

The order is the safety of the gate. The event and all that follows from it are on the disk before the exit is
released, or anything else is performed, so nobody ever passes for a reason that is not in the journal. Only
what makes people safe waits for no disk: a lock, since the end of this process locks as well, whatever it had
written; the release of an emergency, which the fire's own wire makes without it; the entry, where it opens
again and its first release, for this passage or this stay in a state without one, is on record already; and
the call for an officer. Nor does what
happens meanwhile wait: the journal is written in a thread of its own (`gated.runtime.recorder`).

What was asked for later and could not wait comes before what was asked for earlier and had to: so a lock, or
an emergency, cancels the releases that still wait for the disk. Below the state machine the loop checks once
more that the exit is released only for the passage whose decision it has committed.

Whatever fails here ends the daemon: a journal that cannot be written, an effect that cannot be performed,
a lane that died, facts that come faster than they can be written. The doors' leases then run out, and the
service manager starts `gate-safe`.
"""

import queue
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.step import next_deadline, step
from gated.core.vocabulary import Door
from gated.runtime.clock import now_utc
from gated.runtime.recorder import Book, Recorder
from gated.store.journal import Followed

MAX_INBOX = 1000  # a gate makes some ten events a second; this many mean that the loop hangs
UNDECIDED = frozenset({State.FREE_PASSAGE, State.MAINTENANCE})  # an officer's or a technician's doing
BEAT_S = 1.0  # the longest sleep: the watchdog is fed from here
TURN_S = 0.0005  # a lane that computes (the chip's) gives way so soon: an edge passes through three threads

Perform = Callable[[do.AnyEffect], None]


class UnsafeEffectError(Exception):
    """The heart asked for something that its own journal does not allow: stop at once."""


class InboxFullError(Exception):
    """A fact was lost because the loop could not keep up: what the gate believes is no longer true."""


@dataclass
class _Waiting:
    """The effects of an event that is not on the disk yet; `settled`: those that were done, or cancelled."""

    gate: Gate
    effects: tuple[do.AnyEffect, ...]
    settled: set[int] = field(default_factory=set)

    def cancel(self, unwanted: do.LockDoor | do.ReleaseAll) -> None:
        """Let no release come after a later lock of its door, or after a later emergency."""
        for number, effect in enumerate(self.effects):
            if isinstance(effect, do.UnlockDoor) and (
                isinstance(unwanted, do.ReleaseAll) or unwanted.door is effect.door
            ):
                self.settled.add(number)


class Loop:
    """Owns the state of the gate. `post` is for every thread; the rest is for the one that runs it."""

    def __init__(self, gate: Gate, journal: Book, perform: Perform) -> None:
        self.gate = gate
        self._perform = perform
        self._inbox: queue.SimpleQueue[ev.AnyEvent | None] = queue.SimpleQueue()
        self._recorder = Recorder(journal, lambda: self._inbox.put(None))
        self._waiting: deque[_Waiting] = deque()
        self._handed = 0
        self._stopping = False
        self._lost_one = False
        self._entered: str | float | None = None
        """On whose account the entry was released last, with that on record; None: on nobody's yet."""
        self._admitted: str | None = None

    def post(self, event: ev.AnyEvent) -> None:
        """Hand over a fact, from any thread; never waits, never raises.

        A fact that finds no room is lost, and the loop must not go on without it: `run` raises. It is not
        raised here, in a driver's thread, where nobody would hear it.
        """
        if self._inbox.qsize() < MAX_INBOX:
            self._inbox.put(event)
        else:
            self._lost_one = True

    def stop(self) -> None:
        """Let `run` return after the event at hand."""
        self._stopping = True

    def run(self, beat: Callable[[], None]) -> None:
        """Work until stopped. `beat` is called about once a second, between events, unless the disk hangs.

        Raises what it, the journal or an effect raises, UnsafeEffectError, and InboxFullError.
        """
        sys.setswitchinterval(TURN_S)
        next_beat = 0.0
        while not self._stopping:
            if self._lost_one or len(self._waiting) >= MAX_INBOX:
                raise InboxFullError(f"{MAX_INBOX} events wait: see what floods the gate, or slows its disk")
            now = time.monotonic()
            if now >= next_beat:
                if self._recorder.keeps_up():
                    beat()
                next_beat = now + BEAT_S
            event = self._next(next_beat)
            if event is not None:
                self._begin(event)
            self._go_on()
        self._settle()

    def take(self, event: ev.AnyEvent) -> None:
        """Do what an event asks for, to the end: also what waits for the disk."""
        self._begin(event)
        self._settle()

    def close(self) -> None:
        """Let the journal be closed. Idempotent."""
        self._recorder.close()

    def _begin(self, event: ev.AnyEvent) -> None:
        """Do what waits for no disk, and hand the rest over to be written down."""
        gate, effects = step(self.gate, event)
        passage = gate.passage.id if gate.passage else None
        utc = now_utc().isoformat(timespec="milliseconds")
        waiting = _Waiting(gate, effects)
        for number, effect in enumerate(effects):
            if self._waits_for_no_disk(effect, gate):
                if isinstance(effect, do.LockDoor | do.ReleaseAll):
                    for earlier in self._waiting:
                        earlier.cancel(effect)
                if isinstance(effect, do.ReleaseAll):
                    self._check(effect, gate)
                self._perform(effect)
                waiting.settled.add(number)
        self.gate = gate
        self._waiting.append(waiting)
        self._handed += 1
        self._recorder.keep((utc, event, Followed(state=gate.state, passage=passage, effects=effects)))
        if any(isinstance(effect, do.TurnLane) for effect in effects):
            self._settle()  # which door is the entry changes with it: nothing may overtake that

    def _waits_for_no_disk(self, effect: do.AnyEffect, gate: Gate) -> bool:
        if isinstance(effect, do.UnlockDoor):
            return effect.door is Door.ENTRY and self._entered == _account(effect, gate)
        return isinstance(effect, do.LockDoor | do.ReleaseAll | do.AlertOfficer)

    def _settle(self) -> None:
        """Wait for the disk, and do all that waits for it."""
        self._recorder.wait(self._handed)
        self._go_on()

    def _go_on(self) -> None:
        """Do what waits no longer. Raises what kept the rest from being written."""
        kept = self._recorder.kept
        while self._done < kept:
            step = self._waiting.popleft()
            for number, effect in enumerate(step.effects):
                self._check(effect, step.gate)
                if number not in step.settled:
                    self._perform(effect)
        self._recorder.look()

    @property
    def _done(self) -> int:
        return self._handed - len(self._waiting)

    def _next(self, until: float) -> ev.AnyEvent | None:
        """Return what happens next: an event, a deadline, or nothing until then or news from the disk."""
        due = next_deadline(self.gate)
        while True:
            now = time.monotonic()
            if due is not None and due <= now:
                return ev.DeadlinePassed(at=now, due=due)
            wait = max(0.0, min(until, due if due is not None else until) - now)
            try:
                event = self._inbox.get(timeout=wait)
            except queue.Empty:
                return None
            if event is not None or self._recorder.has_failed or self._done < self._recorder.kept:
                return event

    def _check(self, effect: do.AnyEffect, gate: Gate) -> None:
        """See that an effect is safe in the state that is reached. Raises UnsafeEffectError."""
        state = gate.state
        match effect:
            case do.Decide():
                self._admitted = effect.passage
            case do.EndPassage():
                self._admitted = None
            case do.LockDoor(door=Door.EXIT) if state is not State.EXIT_OPEN:
                self._admitted = None  # a decision is good for one way out
            case do.ReleaseAll() if state is not State.EMERGENCY:
                raise UnsafeEffectError("both doors were asked to open without an emergency in the journal")
            case do.UnlockDoor(door=Door.ENTRY):
                self._entered = _account(effect, gate)
            case do.UnlockDoor(door=Door.EXIT, passage=None) if state in UNDECIDED:
                pass
            case do.UnlockDoor(door=Door.EXIT):
                if effect.passage is None or effect.passage != self._admitted:
                    raise UnsafeEffectError("the exit was asked to open without a decision in the journal")


def _account(release: do.UnlockDoor, gate: Gate) -> str | float:
    """On whose account a door is released: a passage's; without one, that of the stay in this state."""
    return gate.since if release.passage is None else release.passage
