"""The loop: one event from one queue, journalled, stepped, and only then acted upon.

The order is the safety of the gate. The event and all that follows from it are on the disk before a door is
released, or anything else is performed, so nobody ever passes for a reason that is not in the journal. Only
what makes people safe waits for no disk (`AT_ONCE`): a lock, since the end of this process locks as well,
whatever it had written; and the release of an emergency, which the fire's own wire makes without it. Below
the state machine the loop checks once more that the exit is released only for the passage whose decision it
has committed.

Whatever fails here ends the daemon: a journal that cannot be written, an effect that cannot be performed,
a lane that died, facts that come faster than they can be written. The doors' leases then run out, and the
service manager starts `gate-safe`.
"""

import queue
import sys
import time
from collections.abc import Callable, Iterable

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.step import next_deadline, step
from gated.core.vocabulary import Door
from gated.runtime.clock import now_utc
from gated.store.journal import Followed, Journal

MAX_INBOX = 1000  # a gate makes some ten events a second; this many mean that the loop hangs
UNDECIDED = frozenset({State.FREE_PASSAGE, State.MAINTENANCE})  # an officer's or a technician's doing
AT_ONCE = (do.LockDoor, do.ReleaseAll)
BEAT_S = 1.0  # the longest sleep: the watchdog is fed from here
TURN_S = 0.0005  # a lane that computes (the chip's) gives way so soon: an edge passes through three threads

Perform = Callable[[do.AnyEffect], None]


class UnsafeEffectError(Exception):
    """The heart asked for something that its own journal does not allow: stop at once."""


class InboxFullError(Exception):
    """A fact was lost because the loop could not keep up: what the gate believes is no longer true."""


class Loop:
    """Owns the state of the gate. `post` is for every thread; the rest is for the one that runs it."""

    def __init__(self, gate: Gate, journal: Journal, perform: Perform) -> None:
        self.gate = gate
        self._journal = journal
        self._perform = perform
        self._inbox: queue.Queue[ev.AnyEvent] = queue.Queue(MAX_INBOX)
        self._stopping = False
        self._lost_one = False
        self._admitted: str | None = None

    def post(self, event: ev.AnyEvent) -> None:
        """Hand over a fact, from any thread; never waits, never raises.

        A fact that finds no room is lost, and the loop must not go on without it: `run` raises. It is not
        raised here, in a driver's thread, where nobody would hear it.
        """
        try:
            self._inbox.put_nowait(event)
        except queue.Full:
            self._lost_one = True

    def stop(self) -> None:
        """Let `run` return after the event at hand."""
        self._stopping = True

    def run(self, beat: Callable[[], None]) -> None:
        """Work until stopped. `beat` is called at least once a second, between events.

        Raises what it, the journal or an effect raises, UnsafeEffectError, and InboxFullError.
        """
        sys.setswitchinterval(TURN_S)
        next_beat = 0.0
        while not self._stopping:
            if self._lost_one:
                raise InboxFullError(f"{MAX_INBOX} events wait: see what floods the gate, or slows its disk")
            now = time.monotonic()
            if now >= next_beat:
                beat()
                next_beat = now + BEAT_S
            event = self._next(next_beat)
            if event is not None:
                self.take(event)

    def take(self, event: ev.AnyEvent) -> None:
        """Lock what is to be locked; journal the event with all that follows from it; then do the rest."""
        gate, effects = step(self.gate, event)
        passage = gate.passage.id if gate.passage else None
        followed = Followed(state=gate.state, passage=passage, effects=effects)
        self._do((effect for effect in effects if isinstance(effect, AT_ONCE)), gate.state)
        self._journal.append(now_utc().isoformat(timespec="milliseconds"), event, followed)
        self.gate = gate
        self._do((effect for effect in effects if not isinstance(effect, AT_ONCE)), gate.state)

    def _do(self, effects: Iterable[do.AnyEffect], state: State) -> None:
        for effect in effects:
            self._check(effect, state)
            self._perform(effect)

    def _next(self, until: float) -> ev.AnyEvent | None:
        """Return what happens next: an event, a deadline of the gate, or nothing until then."""
        due = next_deadline(self.gate)
        now = time.monotonic()
        if due is not None and due <= now:
            return ev.DeadlinePassed(at=now, due=due)
        wait = max(0.0, min(until, due if due is not None else until) - now)
        try:
            return self._inbox.get(timeout=wait)
        except queue.Empty:
            return None

    def _check(self, effect: do.AnyEffect, state: State) -> None:
        """See that an effect is safe in the state that is reached. Raises UnsafeEffectError."""
        match effect:
            case do.Decide():
                self._admitted = effect.passage
            case do.EndPassage():
                self._admitted = None
            case do.LockDoor(door=Door.EXIT) if state is not State.EXIT_OPEN:
                self._admitted = None  # a decision is good for one way out
            case do.ReleaseAll() if state is not State.EMERGENCY:
                raise UnsafeEffectError("both doors were asked to open without an emergency in the journal")
            case do.UnlockDoor(door=Door.EXIT, passage=None) if state in UNDECIDED:
                pass
            case do.UnlockDoor(door=Door.EXIT):
                if effect.passage is None or effect.passage != self._admitted:
                    raise UnsafeEffectError("the exit was asked to open without a decision in the journal")
