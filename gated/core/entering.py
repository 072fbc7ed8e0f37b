"""What entering a state asks for: one small function for each state that asks for anything.

Each takes the gate as it enters, the state it comes from and whether the limit of that state had passed,
and returns the gate and the effects.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from gated.core import effects as do
from gated.core.checks import Check
from gated.core.conditions import other_way_is_wanted
from gated.core.gate import (
    ALWAYS_FELT,
    TOUCHED,
    Gate,
    Passage,
    State,
    inside,
    is_enclosed,
    presence_is_doubted,
    raised,
    with_passage,
)
from gated.core.vocabulary import Direction, Grade, Outcome

Stepped = tuple[Gate, tuple[do.AnyEffect, ...]]


def _passage(gate: Gate) -> Passage:
    """Return the passage that a state within one must have."""
    if gate.passage is None:
        raise AssertionError(f"{gate.state} without a passage")
    return gate.passage


def _idle(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """Begin at once with a document that was laid down early."""
    del came_from, late
    return (gate, ()) if other_way_is_wanted(gate) else (_with_the_waiting(gate), ())


def _with_the_waiting(gate: Gate) -> Gate:
    if gate.waiting is None:
        return gate
    return replace(gate, passage=Passage(id=gate.waiting.passage), waiting=None)


def _change_over(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """Turn to the direction that is wanted; what is not wanted by the schedule is by demand the other one.

    A turn that is not told in time is commanded again, and somebody is called each time.
    """
    wanted = gate.wanted_direction
    if wanted is gate.direction:
        (wanted,) = set(Direction) - {gate.direction}
    again = late and came_from is State.CHANGE_OVER
    alerts = (do.AlertOfficer(kind="not_turned", passage=None, grade=Grade.REFER),) if again else ()
    return replace(gate, wanted_direction=wanted), (*alerts, do.TurnLane(direction=wanted))


def _out_of_service(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """Not everybody who came in was seen to leave: it was time to look into the lane."""
    if came_from is State.MAINTENANCE:
        return _watched_anew(gate)
    if came_from is not State.CLEARING or not late or gate.counted == 0:
        return gate, ()
    gate = raised(replace(gate, counted=0), "count_unsure")
    return gate, (do.AlertOfficer(kind="count_unsure", passage=None, grade=Grade.REFER),)


def _watched_anew(gate: Gate) -> Stepped:
    """What was done to the curtains in maintenance is forgotten; what is still so is told again."""
    faults = frozenset(fault for fault in gate.faults if fault.latched or fault.code not in TOUCHED)
    return replace(gate, faults=faults), (do.WatchAnew(),)


def _maintenance(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """Somebody works on the lane; a passage that only waited for the presence sensor ends."""
    del late
    gate, ended = _end(gate, came_from, late=False)
    return replace(gate, counted=0), (*ended, do.AlertOfficer(kind="maintenance", passage=None))


def _free_passage(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """People go as they like: who is in the lane is not counted any more, but felt."""
    del came_from, late
    alert = do.AlertOfficer(kind="free_passage", passage=None, grade=Grade.REFER)
    return replace(gate, counted=0), (alert,)


def _doc_optical(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    del late
    if came_from is State.CLEARING:
        gate = _with_the_waiting(gate)
    gate = replace(gate, served=True)
    return gate, (do.ReadMrz(passage=_passage(gate).id),)


def _doc_token(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    del came_from, late
    passage = _passage(gate).id
    return gate, (do.FindToken(passage=passage), do.CheckBackground(passage=passage))


def _doc_chip(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    del came_from, late
    passage = _passage(gate).id
    gate = with_passage(gate, chip_attempt=1)
    return gate, (do.ReadChip(passage=passage, attempt=1), do.CheckBackground(passage=passage))


def _entry_open(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    del late
    reversed_now = came_from is State.ENTRY_CLOSING
    return with_passage(gate, reversals=_passage(gate).reversals + reversed_now), ()


def _begin_capture(gate: Gate) -> Stepped:
    """Begin a fresh capture; what an earlier one found does not count any more."""
    passage = _passage(gate)
    attempt = passage.attempt + 1
    gate = with_passage(gate, attempt=attempt, face=None, hint=None, seen=0)
    exempt = passage.background is not None and passage.background.height_exempt
    height = 0.0 if exempt else gate.policy.min_height_m
    return gate, (do.StartCapture(passage=passage.id, attempt=attempt, min_height_m=height),)


def _approach(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """The traveller comes nearer: the capture begins while they walk."""
    del came_from, late
    return _begin_capture(gate)


def _entry_closing(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """One person is inside: the capture begins while the door closes behind them."""
    del came_from, late
    return _begin_capture(gate)


def _face_capture(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    del late
    gate = with_passage(gate, looks=_passage(gate).looks + 1)
    return _begin_capture(gate) if came_from is State.VERIFY else (gate, ())


def _verify(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    del came_from
    passage = _passage(gate)
    if not late or passage.face is not None:
        return gate, ()
    return gate, (do.ConcludeCapture(passage=passage.id, attempt=passage.attempt),)


def _consent(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """The traveller may pass, and is asked whether they agree to be registered."""
    del came_from, late
    return gate, (do.AskConsent(passage=_passage(gate).id),)


def _registering(passage: Passage) -> tuple[do.Register, ...]:
    return (do.Register(passage=passage.id),) if passage.consent else ()


def _officer(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """From here on an officer decides: what the camera saw does not count any more."""
    escalated = late and came_from is State.OFFICER
    passage = _passage(gate)
    referred = Passage(
        id=passage.id,
        chip=passage.chip,
        background=passage.background,
        attempt=passage.attempt,
        body=passage.body,
        party=max(passage.party, inside(gate)) if came_from is State.ENTRY_CLOSING else passage.party,
        token=passage.token,
        escalated=escalated,
        reasons=passage.reasons,
    )
    kind = "officer_late" if escalated else "referred"
    alert = do.AlertOfficer(kind=kind, passage=passage.id, grade=Grade.REFER)
    return replace(gate, passage=referred), (alert,)


def _issuing(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """The kiosk has seen enough: a token takes the place of an open door."""
    del came_from, late
    passage = _passage(gate)
    issue = do.IssueToken(passage=passage.id, checks=_checks(passage), officer=passage.officer)
    return gate, (issue, *_registering(passage))


def _checks(passage: Passage) -> tuple[Check, ...]:
    """Everything that was checked on the document and its holder."""
    background = passage.background.checks if passage.background else ()
    return (*(passage.chip or ()), *background)


def _exit_open(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """Decide: the one place where a traveller is admitted. Who stands in the exit for long was already."""
    del late
    passage = _passage(gate)
    if came_from is State.EXIT_OPEN:
        alert = do.AlertOfficer(kind="exit_obstructed", passage=passage.id, grade=Grade.REFER)
        return with_passage(gate, escalated=True), (alert,)
    party = passage.word_for if passage.officer else passage.party
    gate = with_passage(gate, party=party, escalated=False)
    decided = do.Decide(
        passage=passage.id,
        reasons=passage.reasons,
        checks=_checks(passage),
        officer=passage.officer,
    )
    return gate, (decided, *_registering(passage))


def _reject_out(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """The passage is decided: what it was judged by is in the journal, and no longer in the facts."""
    again = late and came_from is State.REJECT_OUT
    gate, doubts = _doubted(gate) if again and gate.persons > 0 else (replace(gate, calls=0), ())
    passage = gate.passage
    if passage is None:
        return gate, (do.AlertOfficer(kind=_unknown(gate, came_from), passage=None), *doubts)
    kind = "not_left" if again else str(passage.outcome)
    gate = replace(gate, passage=Passage(id=passage.id, outcome=passage.outcome, reasons=passage.reasons))
    return gate, (do.AlertOfficer(kind=kind, passage=passage.id), *doubts)


def _doubted(gate: Gate) -> Stepped:
    """Called again, and nothing has moved: after `policy.calls` it is time to look at the presence sensor.

    Between two doors it is not trusted again until somebody has looked. Where the way back is open anybody
    may stand for as long as they like, so there the fault ends when nobody is felt any more.
    """
    if presence_is_doubted(gate):
        return gate, ()
    if gate.calls + 1 < gate.policy.calls:
        return replace(gate, calls=gate.calls + 1), ()
    doubted = raised(replace(gate, calls=0), ALWAYS_FELT.code, latched=is_enclosed(gate))
    return doubted, (do.AlertOfficer(kind="presence_stuck", passage=None, grade=Grade.REFER),)


def _unknown(gate: Gate, came_from: State) -> str:
    """Name who or what is there without a passage."""
    if not is_enclosed(gate):
        return "not_identified"
    left = gate.policy.lane.curtains and came_from is State.CLEARING and gate.counted == 0
    return "left_object" if left else "intrusion"


def _end(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    """End the passage: exactly once, since it is gone from the facts afterwards."""
    passage = gate.passage
    gate = replace(gate, passage=None)
    if passage is not None:
        outcome = passage.outcome or Outcome.ABORTED
        return gate, (do.EndPassage(passage=passage.id, outcome=outcome, reasons=passage.reasons),)
    if late and came_from is State.CLEARING:
        kind = "document_left" if gate.document else "not_clear"
        return gate, (do.AlertOfficer(kind=kind, passage=None),)
    return gate, ()


def _emergency(gate: Gate, came_from: State, *, late: bool) -> Stepped:
    gate, ended = _end(gate, came_from, late=late)
    gate, anew = _watched_anew(gate) if came_from is State.MAINTENANCE else (gate, ())
    gate = replace(gate, counted=0)
    return gate, (do.AlertOfficer(kind="emergency", passage=None, grade=Grade.STOP), *ended, *anew)


ENTERING: Mapping[State, Callable[..., Stepped]] = {
    State.OUT_OF_SERVICE: _out_of_service,
    State.MAINTENANCE: _maintenance,
    State.FREE_PASSAGE: _free_passage,
    State.CHANGE_OVER: _change_over,
    State.IDLE: _idle,
    State.DOC_OPTICAL: _doc_optical,
    State.DOC_CHIP: _doc_chip,
    State.DOC_TOKEN: _doc_token,
    State.APPROACH: _approach,
    State.ENTRY_OPEN: _entry_open,
    State.ENTRY_CLOSING: _entry_closing,
    State.FACE_CAPTURE: _face_capture,
    State.VERIFY: _verify,
    State.CONSENT: _consent,
    State.ISSUING: _issuing,
    State.OFFICER: _officer,
    State.EXIT_OPEN: _exit_open,
    State.REJECT_OUT: _reject_out,
    State.CLEARING: _end,
    State.EMERGENCY: _emergency,
}
