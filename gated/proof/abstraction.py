"""Which gates are the same for everything that may still happen: what no condition asks for is left out.

Left out are times (but for whether there is a limit, and whether it has passed), the names of passages and of
the direction (but for this one and the other one), how often something was begun anew, reasons, the names of
latched faults, and evidence that was judged already. A test steps random histories with and without it and
compares.
"""

from msgspec.structs import replace

from gated.core.checks import Check
from gated.core.gate import (
    ALWAYS_FELT,
    TOUCHED,
    Background,
    Fault,
    Gate,
    Passage,
    Placed,
    State,
    is_enclosed,
)
from gated.core.vocabulary import Device, Direction, Vouched
from gated.proof.happenings import DUE, LATCHED, NEXT, RENEW_AT, THIS, UTC

_READING = frozenset({State.DOC_OPTICAL, State.DOC_CHIP, State.DOC_TOKEN})
_LED_THROUGH = frozenset({State.ENTRY_OPEN, State.EXIT_OPEN})  # by a door that must be told to open
# From these states on nobody asks for documents or faces again: only for people, and for an officer.
_JUDGED = frozenset({State.OFFICER, State.EXIT_OPEN, State.REJECT_OUT, State.ISSUING})


def normal(gate: Gate) -> Gate:
    """The gate that stands for all that differ from it in nothing that matters."""
    passage = gate.passage
    turned = gate.wanted_direction is not gate.direction
    return replace(
        gate,
        direction=Direction.FORWARD,
        wanted_direction=Direction.REVERSE if turned else Direction.FORWARD,
        since=0.0,
        due=None if gate.due is None else DUE,
        renew_at=None if gate.renew_at is None else RENEW_AT,
        old=_one(gate.old),
        stale=_one(gate.stale),
        closing=_one(gate.closing),
        faults=_alike(gate.faults),
        calls=gate.calls if gate.state is State.REJECT_OUT else 0,
        unopened=gate.unopened if gate.state in _LED_THROUGH and is_enclosed(gate) else frozenset(),
        waiting=Placed(passage=NEXT, utc=UTC) if gate.waiting else None,
        passage=None if passage is None else _normal(gate.state, passage),
    )


def _one(kinds: frozenset[Vouched]) -> frozenset[Vouched]:
    """Which kinds are old is a reason that is told, and nothing else."""
    return frozenset({Vouched.WATCHLIST}) if kinds else frozenset()


def _alike(faults: frozenset[Fault]) -> frozenset[Fault]:
    """A latched fault of the board is as good as any other, but where its code is asked for."""
    asked = {fault for fault in faults if not fault.latched or fault.code in {ALWAYS_FELT.code, *TOUCHED}}
    others = {fault for fault in faults - asked if fault.device is not Device.IO_BOARD}
    doors = faults - asked - others
    merged = {LATCHED} if doors and not any(fault.latched for fault in asked | others) else set()
    return frozenset(asked | others | merged)


def _normal(state: State, passage: Passage) -> Passage:
    kept = tuple(reason for reason in passage.reasons if reason == "two_persons")
    passage = replace(
        passage, id=THIS, attempt=min(passage.attempt, 1), body=None, reasons=kept, answered_at=0.0
    )
    if state is not State.DOC_OPTICAL:
        passage = replace(passage, mrz=True, mrz_failures=0)
    if state not in _READING:
        passage = replace(passage, chip_attempt=0)
    if state is State.ENTRY_OPEN:
        passage = replace(passage, face=None)  # the next capture begins with none
    if state is not State.CONSENT:
        passage = replace(passage, consent=None)  # whoever agreed is registered with the decision
    if passage.background is not None:
        passage = replace(passage, background=replace(passage.background, asked_at=0.0))
    if state not in _JUDGED:
        return passage
    checks: tuple[Check, ...] | None = None
    background: Background | None = None
    return replace(
        passage,
        chip=checks,
        chip_failure="",
        background=background,
        enrolled=None,
        attempt=0,
        looks=0,
        face=None,
        hint=None,
        reversals=0,
        token=False,
        seen=passage.seen if state in {State.OFFICER, State.EXIT_OPEN, State.ISSUING} else 0,
        officer=None,
    )
