"""Replay: recorded events fed into `step` again must give the recorded effects, bit for bit."""

from collections.abc import Iterable

from gated.core.effects import AnyEffect
from gated.core.events import AnyEvent, GateStarted
from gated.core.gate import Gate, State
from gated.core.step import step
from gated.core.values import Value


class Recorded(Value):
    """One step as the journal has it."""

    seq: int
    event: AnyEvent
    state: State
    effects: tuple[AnyEffect, ...]


class Difference(Value):
    """An entry that does not come out as recorded; for an investigator, the gravest of findings."""

    seq: int
    recorded_state: State
    state: State
    recorded: tuple[AnyEffect, ...]
    effects: tuple[AnyEffect, ...]


class Replayed(Value):
    """What a replay found."""

    steps: int
    starts: int
    differences: tuple[Difference, ...]


MAX_DIFFERENCES = 20


def replay(steps: Iterable[Recorded]) -> Replayed:
    """Step through a record that begins with a start of the gate. Raises ValueError if it does not."""
    gate: Gate | None = None
    count = starts = 0
    differences: list[Difference] = []
    for recorded in steps:
        if isinstance(recorded.event, GateStarted):
            gate = Gate(policy=recorded.event.policy)
            starts += 1
        if gate is None:
            raise ValueError("a replay begins where the gate was started")
        gate, effects = step(gate, recorded.event)
        count += 1
        if (effects != recorded.effects or gate.state is not recorded.state) and (
            len(differences) < MAX_DIFFERENCES
        ):
            differences.append(
                Difference(
                    seq=recorded.seq,
                    recorded_state=recorded.state,
                    state=gate.state,
                    recorded=recorded.effects,
                    effects=effects,
                )
            )
    return Replayed(steps=count, starts=starts, differences=tuple(differences))
