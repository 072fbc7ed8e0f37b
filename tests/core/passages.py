"""Plausible passages as events, for tests that need a gate at work."""

from collections.abc import Iterator

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import REQUIRED, Gate
from gated.core.step import step
from gated.core.vocabulary import Door, Grade, Liveness
from gated.proof.happenings import FRESH
from tests.core.exploration import GOOD, POLICY, assessed, background

UTC = "2030-01-01T00:00:00.000+00:00"
STEP_S = 0.25


def start_events() -> tuple[ev.AnyEvent, ...]:
    """The start of a gate whose devices all become ready."""

    return (
        ev.GateStarted(at=0, utc=UTC, policy=POLICY, hashes={"config": "0" * 64}),
        *(ev.DeviceReady(at=0, device=device) for device in sorted(REQUIRED)),
        ev.ClockChecked(at=0, synchronised=True),
        FRESH,
        *(ev.DoorMoved(at=0, door=door, shut=True) for door in Door),
    )


def citizen(passage: str, *, grown: bool = False) -> tuple[ev.AnyEvent, ...]:
    """A traveller who is admitted."""
    return tuple(
        replace(event, passage=passage) if hasattr(event, "passage") else event
        for event in (
            ev.DocumentPlaced(at=0, passage=passage, utc=UTC),
            ev.MrzRead(at=0, passage=passage, format="TD3"),
            background(Grade.NONE, grown=grown),
            ev.ChipRead(at=0, passage=passage, access="PACE-ECDH-GM-AES-128", checks=GOOD),
            ev.ReferenceReady(at=0, passage=passage),
            ev.DoorMoved(at=0, door=Door.ENTRY, shut=False),
            ev.DocumentRemoved(at=0),
            ev.OccupancyChanged(at=0, persons=1),
            assessed(1, 0.9, Liveness.LIVE),
            ev.DoorMoved(at=0, door=Door.ENTRY, shut=True),
            ev.DoorMoved(at=0, door=Door.EXIT, shut=False),
            ev.OccupancyChanged(at=0, persons=0),
            ev.DoorMoved(at=0, door=Door.EXIT, shut=True),
        )
    )


def timed(events: tuple[ev.AnyEvent, ...], at: float = 1.0) -> Iterator[ev.AnyEvent]:
    """Give the events times, a quarter of a second apart."""
    for number, event in enumerate(events):
        yield replace(event, at=at + number * STEP_S)


def stepped(gate: Gate, events: tuple[ev.AnyEvent, ...]) -> tuple[Gate, list[do.AnyEffect]]:
    """Step through events; return the gate and all effects."""
    done: list[do.AnyEffect] = []
    for event in events:
        gate, effects = step(gate, event)
        done.extend(effects)
    return gate, done
