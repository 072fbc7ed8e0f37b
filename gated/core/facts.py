"""Events become facts: `observe` is the only place where the outside world changes what the gate knows.

A fact of a passage counts only if it names the passage under way and comes in a state that can use it;
anything else is journalled and otherwise ignored.
"""

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Result, overall
from gated.core.conditions import officer_accepts
from gated.core.gate import (
    ALWAYS_FELT,
    BOTH,
    TOUCHED,
    Background,
    Face,
    Fault,
    Gate,
    Passage,
    Placed,
    State,
    is_enclosed,
    raised,
    with_passage,
)
from gated.core.rulings import Ruling
from gated.core.topologies import plan_of
from gated.core.vocabulary import (
    Aging,
    Body,
    Device,
    Door,
    Grade,
    Mode,
    OfficerWord,
    Outcome,
    Topology,
    Vouched,
)

Stepped = tuple[Gate, tuple[do.AnyEffect, ...]]

BEFORE_ENTRY = frozenset({State.IDLE, State.DOC_OPTICAL, State.DOC_CHIP, State.DOC_TOKEN, State.BACKGROUND})
CAPTURING = frozenset({State.APPROACH, State.ENTRY_CLOSING, State.FACE_CAPTURE, State.VERIFY})
UNWATCHED = frozenset({State.EMERGENCY, State.MAINTENANCE, State.FREE_PASSAGE})  # people may go as they like
STALE = frozenset({Aging.STALE, Aging.CLOSING})
MANY = 3  # counted no further


def observe(gate: Gate, event: ev.AnyEvent) -> Stepped:
    """Turn the event into facts, with the effects that it asks for wherever the table stands."""
    match event:
        case ev.GateStarted():
            return _start(event)
        case (
            ev.MrzRead()
            | ev.MrzFailed()
            | ev.PlacementAdvised()
            | ev.ChipRead()
            | ev.ChipFailed()
            | ev.TokenFound()
            | ev.TokenRefused()
            | ev.TokenIssued()
            | ev.BackgroundChecked()
            | ev.ReferenceReady()
            | ev.ReferenceFailed()
            | ev.PeopleSeen()
            | ev.GuidanceGiven()
            | ev.FaceAssessed()
            | ev.OfficerDecided()
            | ev.ConsentAnswered()
        ):
            passage = gate.passage
            return (
                (gate, ()) if passage is None or passage.id != event.passage else _learn(gate, passage, event)
            )
        case ev.DeviceReady() | ev.FaultRaised() | ev.FaultCleared():
            return _devices(gate, event), ()
        case ev.CameraChanged() if event.code != "well":
            return gate, (do.AlertOfficer(kind="camera_trouble", passage=None),)
        case ev.RegistrationFailed():
            return gate, (do.AlertOfficer(kind="not_registered", passage=event.passage),)
        case ev.FalseHitDecided():
            return gate, (_kept(event),)
        case ev.AgesChecked():
            return _aged(gate, event)
        case ev.DirectionWanted() | ev.OtherDeviceChanged():
            return (gate, ()) if gate.policy.lane.topology is not Topology.PORT else _other_end(gate, event)
        case ev.Crossed():
            return _crossed(gate, event)
        case ev.TurnedBack():
            return _stepped(gate, -1 if event.door is Door.EXIT else 0), ()
        case ev.OccupancyChanged():
            return _felt(gate, event.persons)
        case (
            ev.DocumentPlaced()
            | ev.DocumentRemoved()
            | ev.OtherEndChanged()
            | ev.DoorMoved()
            | ev.DoorwayChanged()
        ):
            return _sense(gate, event), ()
        case _:
            return _serve(gate, event), ()


def _kept(event: ev.FalseHitDecided) -> do.KeepFalseHit:
    """What an officer found of a hit is kept once it is on record."""
    return do.KeepFalseHit(
        marks=event.marks, officer=event.officer, said_at=event.said_at, withdrawn=event.withdrawn
    )


def _start(event: ev.GateStarted) -> Stepped:
    lane = event.policy.lane
    gate = Gate(
        policy=event.policy,
        since=event.at,
        mode=_mode_at_start(event),
        locked_by=event.locked_by,
        shut=BOTH - plan_of(event.policy).doors,  # a door that is not there never opens
        direction=lane.direction,
        wanted_direction=lane.direction,
    )
    if event.interrupted is None:
        return gate, ()
    ended = do.EndPassage(passage=event.interrupted, outcome=Outcome.ABORTED, reasons=("interrupted",))
    return gate, (ended,)


def _mode_at_start(event: ev.GateStarted) -> Mode:
    """What an officer locked by signature stays locked."""
    if event.locked_by is not None:
        return Mode.LOCKED
    return Mode.OPEN if event.policy.open_at_start else Mode.CLOSED


def _devices(gate: Gate, event: ev.DeviceReady | ev.FaultRaised | ev.FaultCleared) -> Gate:
    """Which devices answer, and which can be relied on.

    A latched fault says that a device which does answer is not to be trusted until somebody has looked; what
    whoever works on the lane does to its light curtains is none, and ends with the maintenance. Who
    clears one of the board has looked into the lane: what the curtains counted before does not hold any more.
    """
    match event:
        case ev.DeviceReady():
            faults = frozenset(f for f in gate.faults if f.device != event.device or f.latched)
            return replace(gate, ready=gate.ready | {event.device}, faults=faults)
        case ev.FaultRaised():
            fault = Fault(device=event.device, code=event.code, latched=event.latched)
            if event.device is Device.IO_BOARD and gate.state is State.EXIT_OPEN:
                gate = with_passage(gate, stays_shut=Door.EXIT in gate.shut)
            if event.latched and gate.state is State.MAINTENANCE and event.code in TOUCHED:
                known = frozenset() if fault in gate.faults else {replace(fault, latched=False)}
                return replace(gate, faults=gate.faults | known)
            if event.latched:
                return replace(gate, faults=gate.faults | {fault})
            others = frozenset(f for f in gate.faults if f.device != event.device or f.latched)
            return replace(gate, ready=gate.ready - {event.device}, faults=others | {fault})
        case ev.FaultCleared():
            kept = frozenset(f for f in gate.faults if f.device != event.device or not f.latched)
            looked = event.device is Device.IO_BOARD and gate.state is State.OUT_OF_SERVICE
            counted = 0 if looked and gate.persons == 0 else gate.counted
            return replace(gate, faults=kept, counted=counted)


def _aged(gate: Gate, event: ev.AgesChecked) -> Stepped:
    """What the ages of the centre's words mean by policy. Whatever has come to mean something graver is told.

    A gate always decides by a watchlist: where it has none, it has no fresh one.
    """
    ages = event.ages
    known = {kind: gate.policy.meaning(kind, age_s) for kind, age_s in ages.items() if age_s is not None}
    known.setdefault(Vouched.WATCHLIST, Aging.STALE)
    after = replace(
        gate,
        old=frozenset(kind for kind, meaning in known.items() if meaning is not Aging.FRESH),
        stale=frozenset(kind for kind, meaning in known.items() if meaning in STALE),
        closing=frozenset(kind for kind, meaning in known.items() if meaning is Aging.CLOSING),
    )
    risen = {
        **dict.fromkeys(after.old - gate.old, Aging.OLD),
        **dict.fromkeys(after.stale - (gate.stale & gate.old), Aging.STALE),
        **dict.fromkeys(after.closing - gate.closing, Aging.CLOSING),
    }
    return after, tuple(
        do.AlertOfficer(
            kind=f"{kind}_{meaning}", passage=None, grade=Grade.NONE if meaning is Aging.OLD else Grade.REFER
        )
        for kind, meaning in sorted(risen.items())
    )


def _other_end(gate: Gate, event: ev.DirectionWanted | ev.OtherDeviceChanged) -> Stepped:
    """What is wanted of the end that is not in use, and what is wrong there: the officers are told."""
    match event:
        case ev.DirectionWanted():
            waits = event.direction is not gate.direction and gate.other_faults
            alerts = (do.AlertOfficer(kind="turn_waits", passage=None, grade=Grade.REFER),) if waits else ()
            return replace(gate, wanted_direction=event.direction), alerts
        case ev.OtherDeviceChanged():
            others = frozenset(fault for fault in gate.other_faults if fault.device != event.device)
            if event.code == "well":
                return replace(gate, other_faults=others), ()
            fault = Fault(device=event.device, code=event.code)
            told = fault in gate.faults  # one device may serve both ends
            alerts = () if told else (do.AlertOfficer(kind="other_end_trouble", passage=None),)
            return replace(gate, other_faults=others | {fault}), alerts


def _stepped(gate: Gate, more: int) -> Gate:
    """So many more have stepped into the exit since it was released for them."""
    known = gate.passage.stepped if gate.passage else 0
    return with_passage(gate, stepped=min(max(known + more, 0), MANY)) if more else gate


def _crossed(gate: Gate, event: ev.Crossed) -> Stepped:
    """Somebody went through a doorway: count them, and see whether they may."""
    went_in = event.inward
    gate = replace(gate, calls=0)
    if is_enclosed(gate) and gate.state not in UNWATCHED:
        counted = gate.counted + (event.persons if went_in else -event.persons)
        gate = replace(gate, counted=min(max(counted, 0), MANY))
    if event.persons == 0 or gate.state in UNWATCHED:
        return gate, ()
    passage = gate.passage
    match event.door, gate.state:
        case Door.ENTRY, State.ENTRY_OPEN | State.ENTRY_CLOSING | State.FACE_CAPTURE if went_in:
            return _known_by_the_curtain(gate, event), ()
        case Door.EXIT, State.EXIT_OPEN if passage is not None and went_in:
            return with_passage(gate, came_back=True), (_alert("wrong_way", passage),)
        case Door.EXIT, State.EXIT_OPEN if passage is not None:
            gone = min(passage.crossed + event.persons, MANY)
            gate = with_passage(gate, crossed=gone)
            return gate, ((_alert("tailgating", passage),) if gone > passage.party else ())
        case Door.EXIT, _:
            return gate, (_alert("wrong_way" if went_in else "tailgating", passage),)
        case _:
            return gate, ()


def _known_by_the_curtain(gate: Gate, event: ev.Crossed) -> Gate:
    """A wheelchair is slow: the limit of the present state moves as well, as those of the next ones will."""
    known = gate.passage.body if gate.passage else None
    if event.body is Body.WHEELCHAIR is not known and gate.due is not None and not gate.expired:
        gate = replace(gate, due=gate.since + (gate.due - gate.since) * gate.policy.limits.slow_factor)
    return with_passage(gate, body=Body.WHEELCHAIR if known is Body.WHEELCHAIR else event.body)


def _alert(kind: str, passage: Passage | None) -> do.AlertOfficer:
    return do.AlertOfficer(kind=kind, passage=passage.id if passage else None, grade=Grade.STOP)


def _sense(
    gate: Gate,
    event: ev.DocumentPlaced | ev.DocumentRemoved | ev.OtherEndChanged | ev.DoorMoved | ev.DoorwayChanged,
) -> Gate:
    """What the sensors of the lane say."""
    match event:
        case ev.DocumentPlaced() if gate.state is State.IDLE:
            return replace(gate, document=True, passage=Passage(id=event.passage))
        case ev.DocumentPlaced():
            return replace(gate, document=True, waiting=Placed(passage=event.passage, utc=event.utc))
        case ev.DocumentRemoved():
            return replace(gate, document=False, waiting=None)
        case ev.OtherEndChanged():
            return replace(gate, other_document=event.document)
        case ev.DoorwayChanged():
            blocked = gate.blocked | {event.door} if event.blocked else gate.blocked - {event.door}
            leaving = gate.state is State.EXIT_OPEN and event.blocked and event.door is Door.EXIT
            return replace(_stepped(gate, 1 if leaving else 0), blocked=blocked, calls=0)
        case ev.DoorMoved() if event.door not in plan_of(gate.policy).doors:
            return gate
        case ev.DoorMoved():
            shut = gate.shut | {event.door} if event.shut else gate.shut - {event.door}
            unopened = gate.unopened if event.shut else gate.unopened - {event.door}
            return replace(gate, shut=shut, unopened=unopened)


def _felt(gate: Gate, persons: int) -> Stepped:
    """So many are felt. Who comes or goes by a door that was told shut all the while shows that it is not."""
    faults = gate.faults - {ALWAYS_FELT} if persons == 0 else gate.faults
    known = replace(gate, persons=persons, faults=faults, calls=0)
    came, gone = gate.persons == 0 < persons, persons == 0 < gate.persons
    if not is_enclosed(gate):
        return known, ()
    if came and gate.state is State.ENTRY_OPEN and Door.ENTRY in gate.unopened:
        return _doubted(known, "entry_contact_stuck")
    if gone and gate.state is State.EXIT_OPEN and Door.EXIT in gate.unopened:
        return _doubted(known, "exit_contact_stuck")
    return known, ()


def _doubted(gate: Gate, code: str) -> Stepped:
    alert = do.AlertOfficer(kind=code, passage=gate.passage.id if gate.passage else None, grade=Grade.REFER)
    return raised(gate, code), (alert,)


def _serve(gate: Gate, event: ev.AnyEvent) -> Gate:
    """Facts about the service of the lane, the clock, and the passing of time."""
    match event:
        case ev.ModeChanged() if _may_tell(gate, event):
            locked_by = event.officer if event.mode is Mode.LOCKED else None
            return replace(gate, mode=event.mode, locked_by=locked_by, asked_door=None)
        case ev.DutyChanged():
            return replace(gate, on_duty=event.on)
        case ev.LaneTurned():  # documents, doorways and devices are told anew, by their new names
            return replace(
                gate,
                direction=event.direction,
                document=False,
                waiting=None,
                other_document=False,
                other_faults=frozenset(),
                served=False,
                blocked=frozenset(),
            )
        case ev.DoorAsked():
            return replace(gate, asked_door=event.door if gate.state is State.MAINTENANCE else None)
        case ev.EmergencyRaised():
            mode = Mode.CLOSED if gate.locked_by is None else Mode.LOCKED
            return replace(gate, emergency=True, mode=mode)
        case ev.EmergencyReset():
            return replace(gate, emergency=False)
        case ev.ClockChecked():
            return replace(gate, clock_good=event.synchronised)
        case ev.DeadlinePassed() if event.due == gate.due:
            return replace(gate, expired=True)
        case _:
            return gate


def _may_tell(gate: Gate, event: ev.ModeChanged) -> bool:
    """Free passage is an officer's decision, and so is what lifts a lock that an officer signed."""
    unsigned = event.officer is None
    return not (unsigned and (event.mode is Mode.FREE_PASSAGE or gate.locked_by is not None))


def _learn(gate: Gate, passage: Passage, event: ev.AnyEvent) -> Stepped:
    """Facts about the passage under way, and the reactions that do not wait for the table."""
    match gate.state, event:
        case State.DOC_OPTICAL, ev.MrzRead():
            return with_passage(gate, mrz=True, hint=None), ()
        case State.DOC_OPTICAL | State.DOC_CHIP, ev.PlacementAdvised():
            return with_passage(gate, hint=event.advice), ()
        case State.DOC_OPTICAL, ev.MrzFailed():
            return _mrz_failed(gate, passage)
        case State.DOC_CHIP, ev.ChipRead():
            gate = with_passage(gate, chip=event.checks, hint=None)
            good = overall(event.checks) is Result.SUCCESSFUL
            return gate, ((do.PrepareReference(passage=passage.id),) if good else ())
        case State.DOC_CHIP, ev.ChipFailed():
            return _chip_failed(gate, passage, event)
        case _, ev.BackgroundChecked() if gate.state in BEFORE_ENTRY:
            return _background_checked(gate, passage, event)
        case _, ev.ReferenceReady() | ev.ReferenceFailed() if gate.state in BEFORE_ENTRY:
            return with_passage(gate, enrolled=isinstance(event, ev.ReferenceReady)), ()
        case State.DOC_TOKEN, ev.TokenFound():
            gate = with_passage(gate, chip=event.checks, token=True)
            good = overall(event.checks) is Result.SUCCESSFUL
            return gate, ((do.PrepareReference(passage=passage.id),) if good else ())
        case State.DOC_TOKEN, ev.TokenRefused():
            return with_passage(gate, token_refused=event.reason), ()
        case State.ISSUING, ev.TokenIssued():
            return with_passage(gate, issued=True), ()
        case State.CONSENT, ev.ConsentAnswered():
            return with_passage(gate, consent=event.given, answered_at=event.at), ()
        case State.OFFICER, ev.OfficerDecided():
            return _officer_decided(gate, passage, event)
        case _ if gate.state in CAPTURING:
            return _see(gate, passage, event), ()
        case _:
            return gate, ()


def _officer_decided(gate: Gate, passage: Passage, event: ev.OfficerDecided) -> Stepped:
    """An officer's word. To let people out counts now or not at all: later they may be others, or more."""
    told = with_passage(gate, word=event.word, officer=event.officer, word_for=event.persons)
    if event.word is OfficerWord.ACCEPT and not officer_accepts(told):
        return gate, (do.AlertOfficer(kind="not_accepted", passage=passage.id, grade=Grade.REFER),)
    return told, ()


def _see(gate: Gate, passage: Passage, event: ev.AnyEvent) -> Gate:
    """What the camera shows; evidence of an earlier capture does not count."""
    match event:
        case ev.GuidanceGiven():
            return with_passage(gate, hint=event.hint)
        case ev.PeopleSeen() if gate.state in {State.FACE_CAPTURE, State.VERIFY}:
            # While the entry still closes, who stands outside of it is as near as who has just come in.
            return with_passage(gate, seen=event.persons)
        case ev.FaceAssessed() if event.attempt == passage.attempt:
            face = Face(
                frames=event.frames,
                match_score=event.match_score,
                liveness_score=event.liveness_score,
                liveness=event.liveness,
                height_m=event.height_m,
                height_error_m=event.height_error_m,
            )
            return with_passage(gate, face=face)
        case _:
            return gate


def _mrz_failed(gate: Gate, passage: Passage) -> Stepped:
    failures = passage.mrz_failures + 1
    gate = with_passage(gate, mrz_failures=failures)
    return gate, ((do.ReadMrz(passage=passage.id),) if failures < gate.policy.mrz_tries else ())


def _chip_failed(gate: Gate, passage: Passage, event: ev.ChipFailed) -> Stepped:
    if passage.chip_attempt >= gate.policy.chip_tries:
        return with_passage(gate, chip_failure=event.reason), ()
    attempt = passage.chip_attempt + 1
    gate = with_passage(gate, chip_attempt=attempt)
    return gate, (do.ReadChip(passage=passage.id, attempt=attempt),)


def _background_checked(gate: Gate, passage: Passage, event: ev.BackgroundChecked) -> Stepped:
    background = Background(
        checks=event.checks,
        grade=event.grade,
        list_age_s=event.list_age_s,
        asked_at=event.at,
        height_exempt=event.height_exempt,
        registration=event.registration,
    )
    alerts = []
    if event.grade is not Grade.NONE:
        hit = do.AlertOfficer(kind="watchlist_hit", passage=passage.id, grade=event.grade, hits=event.hits)
        alerts.append(hit)
    match event.ruling:
        case Ruling.REFUSE:
            alerts.append(do.AlertOfficer(kind="refused_by_rules", passage=passage.id, grade=Grade.REFER))
        case Ruling.STOP:
            alerts.append(do.AlertOfficer(kind="stopped_by_rules", passage=passage.id, grade=Grade.STOP))
    return with_passage(gate, background=background), tuple(alerts)
