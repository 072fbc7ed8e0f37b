"""What may happen to the heart: answers of devices, officers, technicians, and time; each at time 0.

Only what a state listens to is offered in it, so the exploration does not step through what is ignored; that
the rest is ignored is shown by the exploration of the heart alone.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.gate import ALWAYS_FELT, Fault, Gate, State, required
from gated.core.policy import Policy
from gated.core.vocabulary import (
    Body,
    Device,
    Direction,
    Door,
    Grade,
    Liveness,
    Mode,
    OfficerWord,
    Topology,
    Vouched,
)

THIS, NEXT = "a" * 16, "b" * 16  # the passage under way, and the one whose document waits
UTC = "2030-01-01T00:00:00Z"
DUE, RENEW_AT = 600.0, 1.0  # the two times that a gate may wait for, told apart
LATCHED = Fault(device=Device.IO_BOARD, code="door_forced", latched=True)
GOOD = (Check("sod_signature", Result.SUCCESSFUL),)
BAD = (Check("dg_hashes", Result.FAILED, "dg1_hash"),)

Events = tuple[ev.AnyEvent, ...]


def assessed(
    attempt: int,
    match: float,
    live: Liveness,
    *,
    frames: int = 9,
    score: float = 0.9,
    height_m: float | None = 1.70,
    passage: str = THIS,
) -> ev.FaceAssessed:
    """The end of one capture."""
    return ev.FaceAssessed(
        at=0,
        passage=passage,
        attempt=attempt,
        frames=frames,
        match_score=match,
        liveness_score=score,
        liveness=live,
        height_m=height_m,
        height_error_m=0.02,
    )


def background(
    grade: Grade,
    *,
    age_s: float = 0.0,
    checks: tuple[Check, ...] = GOOD,
    grown: bool = False,
    passage: str = THIS,
    registration: bool = False,
) -> ev.BackgroundChecked:
    """The answer of lists and eligibility."""
    return ev.BackgroundChecked(
        at=0,
        passage=passage,
        checks=checks,
        grade=grade,
        list_age_s=age_s,
        list_version=1,
        height_exempt=grown,
        registration=registration,
    )


def answered(*, given: bool, passage: str = THIS) -> ev.ConsentAnswered:
    """What the traveller says to being registered."""
    return ev.ConsentAnswered(at=0, passage=passage, given=given, text="1")


FRESH = ev.AgesChecked(at=0, watchlist_s=0.0, rules_s=0.0, trust_s=0.0, standings_s=0.0)


def aged(policy: Policy, kind: Vouched, *, closing: bool = False) -> ev.AgesChecked:
    """The centre's last word on one kind is too old to admit by, or to keep the lane open."""
    _, max_s, close_s = policy.ages_of(kind)
    age_s = (max_s if close_s is None or not closing else close_s) + 1
    return replace(FRESH, **{f"{kind}_s": age_s})


def stale(policy: Policy) -> ev.BackgroundChecked:
    """A good answer from lists that are too old."""
    return background(Grade.NONE, age_s=policy.watchlist_max_age_s + 1)


def started(policy: Policy, interrupted: str | None = None, locked_by: str | None = None) -> ev.GateStarted:
    """The daemon comes up."""
    return ev.GateStarted(
        at=0, utc=UTC, policy=policy, hashes={}, interrupted=interrupted, locked_by=locked_by
    )


def coming_up(policy: Policy) -> Iterator[ev.AnyEvent]:
    """Every device but the board answers, the clock is right, and an officer is on duty.

    The board is ready when its sensors have told how things are.
    """
    others = sorted(required(policy) - {Device.IO_BOARD})
    yield from (ev.DeviceReady(at=0, device=device) for device in others)
    yield ev.ClockChecked(at=0, synchronised=True)
    yield FRESH
    yield ev.DutyChanged(at=0, on=True)


def word(said: OfficerWord, persons: int = 1) -> ev.OfficerDecided:
    """An officer's signed word for the passage under way."""
    return ev.OfficerDecided(at=0, passage=THIS, word=said, officer="kim", persons=persons)


_FACES: Events = (
    assessed(1, 0.9, Liveness.LIVE),
    assessed(0, 0.9, Liveness.LIVE),  # of an earlier capture
    assessed(1, 0.9, Liveness.LIVE, passage=NEXT),
    assessed(1, 0.9, Liveness.LIVE, height_m=1.10),
    assessed(1, 0.9, Liveness.LIVE, height_m=None),
    assessed(1, 0.1, Liveness.LIVE),
    assessed(1, 0.9, Liveness.ATTACK, score=0.1),
    assessed(1, 0.9, Liveness.UNDETERMINED, score=0.9),
    assessed(1, 0.9, Liveness.LIVE, score=0.4),
    assessed(1, 0.9, Liveness.LIVE, frames=0),
)
_EARLY_FACES: Events = _FACES[:2] + _FACES[5:6]  # what is known before it may be judged: good, old, bad
_PEOPLE: Events = tuple(ev.PeopleSeen(at=0, passage=THIS, persons=n) for n in (1, 2))
_BACKGROUND: Events = (
    background(Grade.NONE),
    background(Grade.STOP),
    background(Grade.NONE, checks=BAD),
    background(Grade.NONE, registration=True),
    ev.ReferenceReady(at=0, passage=THIS),
    ev.ReferenceFailed(at=0, passage=THIS, reason="not_an_image"),
)

OF_A_STATE: Mapping[State, Events] = {
    State.DOC_OPTICAL: (
        ev.MrzRead(at=0, passage=THIS, format="TD3"),
        ev.MrzFailed(at=0, passage=THIS, reason="check_digit"),
    ),
    State.DOC_CHIP: (
        ev.ChipRead(at=0, passage=THIS, access="PACE", checks=GOOD),
        ev.ChipRead(at=0, passage=THIS, access="PACE", checks=BAD),
        ev.ChipRead(at=0, passage=NEXT, access="PACE", checks=GOOD),
        ev.ChipFailed(at=0, passage=THIS, reason="card_gone"),
        *_BACKGROUND,
    ),
    State.DOC_TOKEN: (
        ev.TokenFound(at=0, passage=THIS, token=NEXT, checks=GOOD),
        ev.TokenFound(at=0, passage=THIS, token=NEXT, checks=BAD),
        ev.TokenRefused(at=0, passage=THIS, reason="token_used"),
        *_BACKGROUND,
    ),
    State.BACKGROUND: _BACKGROUND,
    State.APPROACH: (*_EARLY_FACES, *_PEOPLE),
    State.ENTRY_CLOSING: (*_EARLY_FACES, *_PEOPLE),
    State.FACE_CAPTURE: (*_FACES, *_PEOPLE),
    State.VERIFY: (*_FACES, *_PEOPLE),
    State.CONSENT: (
        answered(given=True),
        answered(given=False),
        answered(given=True, passage=NEXT),
        *_PEOPLE,
    ),
    State.OFFICER: (
        *(word(OfficerWord.ACCEPT, persons) for persons in (1, 2, 3)),
        word(OfficerWord.REFUSE),
        word(OfficerWord.ESCORT),
        ev.OfficerDecided(at=0, passage=NEXT, word=OfficerWord.ACCEPT, officer="kim"),
    ),
    State.ISSUING: (ev.TokenIssued(at=0, passage=THIS, token=NEXT),),
}


def answers(gate: Gate) -> Iterator[ev.AnyEvent]:
    """What devices and officers may say to a gate in this state."""
    if gate.passage is not None:
        yield from OF_A_STATE.get(gate.state, ())
        if gate.state in {State.DOC_CHIP, State.DOC_TOKEN, State.BACKGROUND}:
            yield stale(gate.policy)


def service(gate: Gate) -> Iterator[ev.AnyEvent]:
    """What operators, technicians and faults may do; never what has just been done."""
    lane = gate.policy.lane
    for mode in Mode:
        if mode is not gate.mode and (mode is not Mode.ONE_WAY or lane.topology is Topology.PORT):
            signed = "kim" if mode is Mode.FREE_PASSAGE or gate.locked_by is not None else None
            yield ev.ModeChanged(at=0, mode=mode, reason="proof", officer=signed)
    yield ev.ModeChanged(at=0, mode=Mode.FREE_PASSAGE, reason="unsigned")
    if gate.locked_by is None:
        yield ev.ModeChanged(at=0, mode=Mode.LOCKED, reason="proof", officer="kim")
    else:
        yield from (ev.ModeChanged(at=0, mode=mode, reason="unsigned") for mode in (Mode.OPEN, Mode.LOCKED))
    if not gate.on_duty or gate.state is State.IDLE:  # a passage under way is finished, as in a closed lane
        yield ev.DutyChanged(at=0, on=not gate.on_duty)
    yield ev.ClockChecked(at=0, synchronised=not gate.clock_good)
    yield from _ages(gate)
    yield ev.EmergencyReset(at=0) if gate.emergency else ev.EmergencyRaised(at=0)
    if gate.state is State.MAINTENANCE:
        yield from (ev.DoorAsked(at=0, door=door) for door in (None, *Door) if door is not gate.asked_door)
    if lane.topology is Topology.PORT:
        (other,) = set(Direction) - {gate.wanted_direction}
        yield ev.DirectionWanted(at=0, direction=other, by="officer")
        code = "well" if gate.other_faults else "silent"
        yield ev.OtherDeviceChanged(at=0, device=Device.CHIP_READER, code=code)
    yield from _devices(gate)


# Where ages are asked for, in this state or one that the same step may lead through. Elsewhere it is all the
# same when they are told.
ADMITTING = frozenset(
    {
        State.DOC_CHIP,
        State.DOC_TOKEN,
        State.BACKGROUND,
        State.APPROACH,
        State.ENTRY_CLOSING,
        State.FACE_CAPTURE,
        State.VERIFY,
        State.CONSENT,
    }
)
OPENING = frozenset({State.IDLE, State.CLEARING, State.EXIT_OPEN, State.REJECT_OUT})


# Where each kind is tried. Elsewhere the question is the same for all of them, and so is the state that it
# leads to: none keeps which kind is old.
OF_EACH_KIND = frozenset({State.BACKGROUND, State.VERIFY, State.CONSENT, State.IDLE})


def _ages(gate: Gate) -> Iterator[ev.AnyEvent]:
    """Any one kind grows too old to admit by, or to keep the lane open; a word of the centre ends both."""
    kinds = tuple(Vouched) if gate.state in OF_EACH_KIND else (Vouched.WATCHLIST,)
    if gate.old:
        yield FRESH
    elif gate.state in ADMITTING:
        yield from (aged(gate.policy, kind) for kind in kinds)
    if gate.state in OPENING and not gate.closing:
        yield from (aged(gate.policy, kind, closing=True) for kind in kinds)


def _is_worked_on(gate: Gate) -> bool:
    """It is the presence sensor that must be looked at before the lane serves anybody again."""
    return any(fault.latched and fault.code == ALWAYS_FELT.code for fault in gate.faults)


def _devices(gate: Gate) -> Iterator[ev.AnyEvent]:
    for device in sorted(required(gate.policy)):
        if device not in gate.ready:
            yield ev.DeviceReady(at=0, device=device)
            if device is not Device.IO_BOARD:
                break  # the others come up one after the other
    if gate.ready >= required(gate.policy) and gate.state in {State.IDLE, State.FACE_CAPTURE}:
        yield ev.FaultRaised(at=0, device=Device.VISION, code="silent")
    if Device.IO_BOARD in gate.ready:
        yield ev.FaultRaised(at=0, device=Device.IO_BOARD, code="chip_lost")
        if not any(fault.latched for fault in gate.faults):
            yield ev.FaultRaised(at=0, device=Device.IO_BOARD, code=LATCHED.code, latched=True)
            if gate.state is State.MAINTENANCE:
                yield ev.FaultRaised(at=0, device=Device.IO_BOARD, code="exit_flutter", latched=True)
    cleared_later = gate.state is State.MAINTENANCE and _is_worked_on(gate)
    if any(fault.latched for fault in gate.faults) and not cleared_later:
        yield ev.FaultCleared(at=0, device=Device.IO_BOARD)


def deviations(gate: Gate) -> int:
    """In how many ways the lane is not open and sound; a presence sensor that is being mended is one."""
    missing = required(gate.policy) - gate.ready
    mended = gate.state is State.MAINTENANCE and _is_worked_on(gate)
    return (
        (gate.mode is not Mode.OPEN and not gate.emergency and not mended)
        + (not gate.on_duty)
        + (not gate.clock_good)
        + (Device.IO_BOARD in missing)
        + bool(missing - {Device.IO_BOARD})
        + any(fault.latched for fault in gate.faults)
        + (gate.wanted_direction is not gate.direction)
        + gate.emergency
        + bool(gate.other_faults)
        + bool(gate.old or gate.closing)
    )


def crossed(door: Door, *, inward: bool) -> ev.Crossed:
    """A light curtain saw one person through."""
    return ev.Crossed(at=0, door=door, inward=inward, persons=1, body=Body.PERSON)


# What somebody does to a lane, or what befalls it: bounded by how much may be irregular at once.
SERVICE = (
    ev.ModeChanged,
    ev.DutyChanged,
    ev.ClockChecked,
    ev.AgesChecked,
    ev.EmergencyRaised,
    ev.FaultRaised,
    ev.DirectionWanted,
    ev.OtherDeviceChanged,
)
