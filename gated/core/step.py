"""The heart: `step(gate, event) -> (gate, effects)`. Pure: a recorded journal gives the same effects again.

One event is taken in three strides: `facts.observe` turns it into facts, the rows of the table are followed
until none holds, and what follows from the facts alone (doors, screen, lamps) is brought in line.
"""

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.entering import ENTERING
from gated.core.facts import observe
from gated.core.gate import BOTH, Gate, State, with_passage
from gated.core.screens import told
from gated.core.table import ANYWHERE, LIMITS, Row
from gated.core.topologies import plan_of
from gated.core.vocabulary import Body, Door

LEASE_S = 3.0  # a hung loop keeps no door released for longer
RENEW_S = 1.0  # renewed this often while it is wanted: two renewals may be lost
DOORS = tuple(Door)
MAX_MOVES = 8  # no event can lead through more states than this; the exploration proves it

Stepped = tuple[Gate, tuple[do.AnyEffect, ...]]


def step(gate: Gate, event: ev.AnyEvent) -> Stepped:
    """Take one event; return the gate after it and what is to be done, in this order."""
    wanted: list[do.AnyEffect] = []
    gate, reactions = observe(gate, event)
    wanted.extend(reactions)
    table = plan_of(gate.policy).table
    for _ in range(MAX_MOVES):
        row = next((row for row in (*_anywhere(gate), *table[gate.state]) if row.when(gate)), None)
        if row is None:
            break
        gate, entered = _enter(gate, row, event.at)
        wanted.extend(entered)
    else:
        raise AssertionError(f"the table does not come to rest in {gate.state}")
    gate, moved = _move_doors(gate, event)
    return _tell(gate, (*moved[0], *wanted, *moved[1]))


def next_deadline(gate: Gate) -> float | None:
    """Return the monotonic time at which a DeadlinePassed is due, if any."""
    waits = [time for time in (None if gate.expired else gate.due, gate.renew_at) if time is not None]
    return min(waits, default=None)


def _anywhere(gate: Gate) -> tuple[Row, ...]:
    return () if gate.state is State.EMERGENCY else ANYWHERE


def _enter(gate: Gate, row: Row, at: float) -> Stepped:
    """Take a row: note its outcome and reasons, arm the deadline, perform what entering asks for."""
    came_from, late = gate.state, gate.expired
    reasons = row.why(gate) if callable(row.why) else ((row.why,) if row.why else ())
    if gate.passage is not None:
        outcome = gate.passage.outcome or row.outcome
        known = gate.passage.reasons
        gate = with_passage(gate, outcome=outcome, reasons=(*known, *(r for r in reasons if r not in known)))
    limit = LIMITS.get(row.to)
    due = None if limit is None else at + getattr(gate.policy.limits, limit) * _patience(gate)
    gate = replace(gate, state=row.to, since=at, due=due, expired=False)
    entering = ENTERING.get(row.to)
    return (gate, ()) if entering is None else entering(gate, came_from, late=late)


def _patience(gate: Gate) -> float:
    """A wheelchair takes longer than a walk."""
    slow = gate.passage is not None and gate.passage.body is Body.WHEELCHAIR
    return gate.policy.limits.slow_factor if slow else 1.0


def _move_doors(gate: Gate, event: ev.AnyEvent) -> tuple[Gate, tuple[list[do.AnyEffect], list[do.AnyEffect]]]:
    """Bring the doors in line. Locks come before everything else, unlocks after the decision."""
    wanted = BOTH if gate.state is State.EMERGENCY else plan_of(gate.policy).releases(gate)
    if wanted == BOTH:
        unlocks: list[do.AnyEffect] = [] if gate.released == BOTH else [do.ReleaseAll()]
        return replace(gate, released=wanted, unopened=frozenset(), renew_at=None), ([], unlocks)
    if gate.released == BOTH or isinstance(event, ev.GateStarted):  # whatever was released has no lease
        locks: list[do.AnyEffect] = [do.LockDoor(door=door) for door in DOORS]
        gate = replace(gate, released=frozenset())
    else:
        locks = [do.LockDoor(door=door) for door in DOORS if door in gate.released - wanted]
    renew = isinstance(event, ev.DeadlinePassed) and event.due == gate.renew_at
    passage = gate.passage.id if gate.passage else None
    unlocks = [
        do.UnlockDoor(door=door, lease_s=LEASE_S, passage=passage)
        for door in DOORS
        if door in wanted and (renew or door not in gate.released)
    ]
    if unlocks:
        gate = replace(gate, renew_at=event.at + RENEW_S)
    elif not wanted:
        gate = replace(gate, renew_at=None)
    unopened = (gate.unopened & wanted) | ((wanted - gate.released) & gate.shut)
    return replace(gate, released=wanted, unopened=unopened), (locks, unlocks)


def _tell(gate: Gate, effects: tuple[do.AnyEffect, ...]) -> Stepped:
    """Tell the traveller what is new."""
    now = told(gate)
    if now == gate.told:
        return gate, effects
    screen, prompt, lamps = now
    return replace(gate, told=now), (*effects, do.Tell(screen=screen, prompt=prompt, lamps=lamps))
