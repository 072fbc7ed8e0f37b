"""Events that a gate may be told, each at time 0, for tests that need some or all of them.

What is proved over all reachable states is in `gated.proof`.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.gate import REQUIRED, Gate
from gated.core.policy import Policy
from gated.core.step import step
from gated.core.vocabulary import Advice, Device, Door, Grade, Liveness, Mode, OfficerWord
from gated.proof.happenings import FRESH

PASSAGE = "0" * 16
POLICY = Policy(
    match_threshold=0.5,
    liveness_threshold=0.5,
    mrz_tries=2,
    chip_tries=2,
    captures=2,
    reversals=1,
    calls=2,
    require_synchronised_clock=True,
)
GOOD = (Check("sod_signature", Result.SUCCESSFUL),)
BAD = (Check("dg_hashes", Result.FAILED, "dg1_hash"),)
UNKNOWN = (Check("csca", Result.UNDETERMINED, "csca_unknown"),)


def started() -> Gate:
    """A gate whose devices are ready, whose doors are shut and whose lane is empty."""
    gate, _ = step(
        Gate(policy=POLICY), ev.GateStarted(at=0, utc="2030-01-01T00:00:00Z", policy=POLICY, hashes={})
    )
    for device in REQUIRED:
        gate, _ = step(gate, ev.DeviceReady(at=0, device=device))
    gate, _ = step(gate, ev.ClockChecked(at=0, synchronised=True))
    gate, _ = step(gate, FRESH)
    for door in Door:
        gate, _ = step(gate, ev.DoorMoved(at=0, door=door, shut=True))
    return gate


def assessed(
    attempt: int,
    match: float,
    live: Liveness,
    frames: int = 9,
    score: float = 0.9,
    height: float | None = 1.70,
) -> ev.AnyEvent:
    return ev.FaceAssessed(
        at=0,
        passage=PASSAGE,
        attempt=attempt,
        frames=frames,
        match_score=match,
        liveness_score=score,
        liveness=live,
        height_m=height,
        height_error_m=0.02,
    )


def background(
    grade: Grade,
    age: float = 0.0,
    checks: tuple[Check, ...] = GOOD,
    *,
    grown: bool = False,
    registration: bool = False,
) -> ev.AnyEvent:
    return ev.BackgroundChecked(
        at=0,
        passage=PASSAGE,
        checks=checks,
        grade=grade,
        list_age_s=age,
        list_version=1,
        height_exempt=grown,
        registration=registration,
    )


ALWAYS: tuple[ev.AnyEvent, ...] = (
    *(ev.OccupancyChanged(at=0, persons=n) for n in (0, 1, 2)),
    *(ev.DoorMoved(at=0, door=door, shut=shut) for door in Door for shut in (True, False)),
    ev.EmergencyRaised(at=0),
    ev.EmergencyReset(at=0),
    ev.ModeChanged(at=0, mode=Mode.CLOSED),
    ev.ModeChanged(at=0, mode=Mode.OPEN),
    ev.FaultRaised(at=0, device=Device.IO_BOARD, code="door_forced", latched=True),
    ev.FaultRaised(at=0, device=Device.IO_BOARD, code="chip_lost"),
    ev.DeviceReady(at=0, device=Device.IO_BOARD),
    ev.FaultCleared(at=0, device=Device.IO_BOARD),
    ev.DocumentRemoved(at=0),
    ev.DocumentPlaced(at=0, passage=PASSAGE, utc="2030-01-01T00:00:00Z"),
    ev.ClockChecked(at=0, synchronised=False),
    replace(FRESH, trust_s=POLICY.trust_max_age_s + 1),
)

OF_A_PASSAGE: tuple[ev.AnyEvent, ...] = (
    ev.MrzRead(at=0, passage=PASSAGE, format="TD3"),
    ev.MrzFailed(at=0, passage=PASSAGE, reason="check_digit"),
    ev.PlacementAdvised(at=0, passage=PASSAGE, advice=Advice.TURN_ROUND),
    ev.PlacementAdvised(at=0, passage=PASSAGE, advice=None),
    ev.ChipRead(at=0, passage=PASSAGE, access="PACE", checks=GOOD),
    ev.ChipRead(at=0, passage=PASSAGE, access="PACE", checks=BAD),
    ev.ChipRead(at=0, passage=PASSAGE, access="BAC", checks=UNKNOWN),
    ev.ChipFailed(at=0, passage=PASSAGE, reason="card_gone"),
    background(Grade.NONE),
    background(Grade.SILENT),
    background(Grade.STOP),
    background(Grade.NONE, age=POLICY.watchlist_max_age_s + 1),
    background(Grade.NONE, checks=BAD),
    background(Grade.NONE, registration=True),
    *(ev.ConsentAnswered(at=0, passage=PASSAGE, given=given, text="1") for given in (True, False)),
    ev.ReferenceReady(at=0, passage=PASSAGE),
    ev.ReferenceFailed(at=0, passage=PASSAGE, reason="not_an_image"),
    *(ev.OfficerDecided(at=0, passage=PASSAGE, word=word, officer="kim") for word in OfficerWord),
)


def possible(gate: Gate) -> Iterator[ev.AnyEvent]:
    """Everything that may happen next."""
    yield from ALWAYS
    for due in {gate.due if not gate.expired else None, gate.renew_at} - {None}:
        yield ev.DeadlinePassed(at=0, due=due)
    if gate.passage is None:
        return
    yield from OF_A_PASSAGE
    for attempt in {gate.passage.attempt, max(gate.passage.attempt - 1, 0)}:
        yield assessed(attempt, 0.9, Liveness.LIVE)
        yield assessed(attempt, 0.9, Liveness.LIVE, height=1.17)
        yield assessed(attempt, 0.1, Liveness.LIVE)
        yield assessed(attempt, 0.9, Liveness.ATTACK, score=0.1)
        yield assessed(attempt, 0.9, Liveness.UNDETERMINED, score=0.4)
        yield assessed(attempt, 0.0, Liveness.UNDETERMINED, frames=0, score=0.0)
