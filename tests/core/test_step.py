"""Single passages through the table: what happens, in which order, and what the traveller is told."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.policy import Policy
from gated.core.replay import Recorded, replay
from gated.core.step import LEASE_S, RENEW_S, next_deadline, step
from gated.core.vocabulary import Advice, Device, Door, Grade, Liveness, Mode, OfficerWord, Outcome
from tests.core.exploration import (
    BAD,
    GOOD,
    PASSAGE,
    POLICY,
    assessed,
    background,
    possible,
    started,
)
from tests.core.passages import citizen, start_events, stepped, timed

OTHER = "f" * 16
STORED = tuple[ev.AnyEvent, tuple[do.AnyEffect, ...]]


def placed() -> Gate:
    return step(started(), ev.DocumentPlaced(at=0, passage=PASSAGE, utc="2030-01-01T00:00:00Z"))[0]


def inside(*, grown: bool = False) -> Gate:
    """One person stands inside, the entry is shut, nothing has been assessed."""
    gate, _ = stepped(started(), citizen(PASSAGE, grown=grown)[:8])
    return step(gate, ev.DoorMoved(at=0, door=Door.ENTRY, shut=True))[0]


def with_officer() -> Gate:
    gate = inside()
    for attempt in range(1, POLICY.captures + 1):
        gate, _ = step(gate, assessed(attempt, 0.1, Liveness.LIVE))
    assert gate.state is State.OFFICER
    return gate


def test_a_citizen_is_admitted_and_the_order_is_safe() -> None:
    gate, effects = stepped(started(), tuple(timed(citizen(PASSAGE))))
    assert gate.state is State.IDLE
    kinds = [type(effect) for effect in effects]
    assert kinds.index(do.ReadMrz) < kinds.index(do.ReadChip) < kinds.index(do.PrepareReference)
    entry, exit_ = (
        next(i for i, e in enumerate(effects) if isinstance(e, do.UnlockDoor) and e.door is door)
        for door in Door
    )
    entry_locked = next(
        i for i, e in enumerate(effects) if isinstance(e, do.LockDoor) and e.door is Door.ENTRY and i > entry
    )
    assert entry < entry_locked < kinds.index(do.Decide) < exit_
    ends = [effect for effect in effects if isinstance(effect, do.EndPassage)]
    assert ends == [do.EndPassage(passage=PASSAGE, outcome=Outcome.ADMITTED, reasons=())]


def test_capture_begins_while_the_entry_closes_behind_one_person() -> None:
    gate, effects = stepped(started(), citizen(PASSAGE)[:8])
    assert gate.state is State.ENTRY_CLOSING
    assert do.StartCapture(passage=PASSAGE, attempt=1, min_height_m=POLICY.min_height_m) in effects


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (background(Grade.STOP), "watchlist_hit"),
        (background(Grade.REFER), "watchlist_hit"),
        (background(Grade.NONE, age=POLICY.watchlist_max_age_s + 1), "watchlist_stale"),
        (background(Grade.NONE, checks=BAD), "dg1_hash"),
        (ev.ReferenceFailed(at=0, passage=PASSAGE, reason="not_an_image"), "photograph_unusable"),
        (ev.ClockChecked(at=0, synchronised=False), "clock_unsynchronised"),
    ],
)
def test_what_forbids_entry_refers_with_its_reason(event: ev.AnyEvent, reason: str) -> None:
    gate = placed()
    good = background(Grade.NONE)
    events = [
        ev.MrzRead(at=0, passage=PASSAGE, format="TD3"),
        ev.ChipRead(at=0, passage=PASSAGE, access="BAC", checks=GOOD),
        event,
        *([] if isinstance(event, ev.BackgroundChecked) else [good]),
        ev.ReferenceReady(at=0, passage=PASSAGE),
    ]
    gate, effects = stepped(gate, tuple(events))
    assert gate.state is State.REJECT_OUT
    assert gate.passage is not None
    assert (gate.passage.outcome, gate.passage.reasons) == (Outcome.REFERRED, (reason,))
    assert not any(isinstance(effect, do.UnlockDoor) for effect in effects)


def test_a_silent_hit_alerts_and_goes_on() -> None:
    gate, _ = step(placed(), ev.MrzRead(at=0, passage=PASSAGE, format="TD3"))
    gate, effects = step(gate, background(Grade.SILENT))
    assert effects == (do.AlertOfficer(kind="watchlist_hit", passage=PASSAGE, grade=Grade.SILENT),)
    assert gate.state is State.DOC_CHIP


def test_an_aging_list_is_told_before_it_is_too_old() -> None:
    gate, _ = step(placed(), ev.MrzRead(at=0, passage=PASSAGE, format="TD3"))
    gate, effects = step(gate, ev.AgesChecked(at=0, watchlist_s=POLICY.watchlist_warn_age_s + 1))
    assert effects == (do.AlertOfficer(kind="watchlist_aging", passage=None),)
    gate, effects = step(gate, background(Grade.NONE, age=POLICY.watchlist_warn_age_s + 1))
    assert effects == ()
    assert gate.state is State.DOC_CHIP


def test_the_traveller_is_not_told_why() -> None:
    """A hit, a forgery and a broken chip look alike from outside."""
    told = set()
    for event in (
        ev.ChipRead(at=0, passage=PASSAGE, access="BAC", checks=BAD),
        ev.DeadlinePassed(at=0, due=POLICY.limits.chip_s),
    ):
        gate, _ = step(placed(), ev.MrzRead(at=0, passage=PASSAGE, format="TD3"))
        gate, _ = step(gate, event)
        assert gate.state is State.REJECT_OUT
        told.add(gate.told)
    assert len(told) == 1


def test_facts_of_another_passage_change_nothing() -> None:
    gate = placed()
    for event in (
        ev.MrzRead(at=0, passage=OTHER, format="TD3"),
        ev.ChipRead(at=0, passage=OTHER, access="BAC", checks=GOOD),
        ev.OfficerDecided(at=0, passage=OTHER, word=OfficerWord.ACCEPT, officer="kim"),
    ):
        assert step(gate, event) == (gate, ())


def test_an_officers_word_counts_only_when_one_is_asked_for() -> None:
    gate = inside()
    word = ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ACCEPT, officer="kim")
    assert step(gate, word)[0].state is State.FACE_CAPTURE
    gate, effects = step(with_officer(), word)
    assert gate.state is State.EXIT_OPEN
    decided = next(effect for effect in effects if isinstance(effect, do.Decide))
    assert decided.officer == "kim"
    assert "face_mismatch" in decided.reasons


def test_an_officer_who_does_not_come_is_called_again_and_then_the_way_back_opens() -> None:
    gate = with_officer()
    gate, effects = step(gate, ev.DeadlinePassed(at=60, due=gate.due or 0))
    assert do.AlertOfficer(kind="officer_late", passage=PASSAGE, grade=Grade.REFER) in effects
    gate, effects = step(gate, ev.DeadlinePassed(at=120, due=gate.due or 0))
    assert gate.state is State.REJECT_OUT
    assert Door.ENTRY in gate.released


def test_evidence_of_an_earlier_capture_does_not_count() -> None:
    gate, _ = step(inside(), assessed(1, 0.1, Liveness.LIVE))
    assert gate.state is State.FACE_CAPTURE
    assert step(gate, assessed(1, 0.9, Liveness.LIVE))[0].state is State.FACE_CAPTURE
    assert step(gate, assessed(2, 0.9, Liveness.LIVE))[0].state is State.EXIT_OPEN


def test_standing_still_is_never_live() -> None:
    gate = inside()
    for attempt in range(1, POLICY.captures + 1):
        gate, _ = step(gate, assessed(attempt, 0.9, Liveness.UNDETERMINED, score=0.9))
    assert gate.state is State.OFFICER
    assert gate.passage is not None
    assert gate.passage.reasons == ("liveness_undetermined",)


def test_a_child_too_short_for_the_lane_goes_to_an_officer_at_once() -> None:
    gate, _ = step(inside(), assessed(1, 0.9, Liveness.LIVE, height=1.18))
    assert gate.state is State.OFFICER
    assert gate.passage is not None
    assert gate.passage.reasons == ("too_short",)


@pytest.mark.parametrize("height", [None, 1.205, 1.195])
def test_a_height_that_is_not_sure_is_measured_again_and_never_admitted(height: float | None) -> None:
    gate = inside()
    for attempt in range(1, POLICY.captures + 1):
        gate, _ = step(gate, assessed(attempt, 0.9, Liveness.LIVE, height=height))
    assert gate.state is State.OFFICER
    assert gate.passage is not None
    assert gate.passage.reasons == ("height_undetermined",)


@pytest.mark.parametrize("height", [None, 1.10])
def test_nobody_who_is_grown_up_is_measured(height: float | None) -> None:
    seen = assessed(1, 0.9, Liveness.LIVE, height=height)
    assert step(inside(grown=True), seen)[0].state is State.EXIT_OPEN


def test_the_height_of_children_alone_is_measured() -> None:
    for grown, height in ((False, POLICY.min_height_m), (True, 0.0)):
        _, effects = stepped(started(), citizen(PASSAGE, grown=grown)[:8])
        (start,) = [effect for effect in effects if isinstance(effect, do.StartCapture)]
        assert start.min_height_m == height


def test_a_lane_may_ask_for_no_height() -> None:
    gate = inside()
    gate = replace(gate, policy=replace(gate.policy, min_height_m=0.0))
    assert step(gate, assessed(1, 0.9, Liveness.LIVE, height=None))[0].state is State.EXIT_OPEN


def test_leases_are_renewed_while_they_are_wanted_and_not_after() -> None:
    gate, _ = stepped(started(), tuple(timed(citizen(PASSAGE)[:5], at=0.0)))
    opened = gate.since
    assert next_deadline(gate) == opened + RENEW_S
    gate, effects = step(gate, ev.DeadlinePassed(at=opened + RENEW_S, due=opened + RENEW_S))
    assert effects == (do.UnlockDoor(door=Door.ENTRY, lease_s=LEASE_S, passage=PASSAGE),)
    gate, effects = step(gate, ev.DeadlinePassed(at=opened + 8, due=gate.due or 0))
    assert do.LockDoor(door=Door.ENTRY) in effects
    assert gate.renew_at is None


def test_an_interrupted_passage_reads_as_aborted() -> None:
    first = start_events()[0]
    assert isinstance(first, ev.GateStarted)
    _, effects = step(Gate(policy=POLICY), replace(first, interrupted=OTHER))
    assert do.EndPassage(passage=OTHER, outcome=Outcome.ABORTED, reasons=("interrupted",)) in effects
    assert [e.door for e in effects if isinstance(e, do.LockDoor)] == list(Door)


def test_whoever_is_inside_after_a_power_cut_is_let_out_by_the_entry() -> None:
    gate, effects = stepped(
        Gate(policy=POLICY), (start_events()[0], ev.OccupancyChanged(at=0, persons=1), *start_events()[1:])
    )
    assert gate.state is State.REJECT_OUT
    assert do.UnlockDoor(door=Door.ENTRY, lease_s=LEASE_S, passage=None) in effects


def test_emergency_opens_both_doors_and_ends_the_passage() -> None:
    gate, effects = step(inside(), ev.EmergencyRaised(at=0))
    assert gate.released == frozenset(Door)
    assert do.ReleaseAll() in effects
    assert do.EndPassage(passage=PASSAGE, outcome=Outcome.ABORTED, reasons=("emergency",)) in effects
    gate, effects = step(gate, ev.EmergencyReset(at=0))
    assert [e.door for e in effects if isinstance(e, do.LockDoor)] == list(Door)
    assert gate.mode is Mode.CLOSED


def test_a_latched_fault_outlives_the_devices_recovery() -> None:
    gate, _ = step(started(), ev.FaultRaised(at=0, device=Device.IO_BOARD, code="door_forced", latched=True))
    gate, _ = step(gate, ev.DeviceReady(at=0, device=Device.IO_BOARD))
    assert gate.state is State.OUT_OF_SERVICE
    gate, _ = step(gate, ev.FaultCleared(at=0, device=Device.IO_BOARD))
    assert gate.state is State.IDLE


def test_no_passage_begins_while_a_door_is_not_shut() -> None:
    gate, _ = step(started(), ev.DoorMoved(at=0, door=Door.EXIT, shut=False))
    assert gate.state is State.OUT_OF_SERVICE
    gate, _ = step(gate, ev.DocumentPlaced(at=0, passage=PASSAGE, utc="2030-01-01T00:00:00Z"))
    assert gate.passage is None
    gate, _ = step(gate, ev.DoorMoved(at=0, door=Door.EXIT, shut=True))
    assert gate.state is State.DOC_OPTICAL


@settings(deadline=None)
@given(st.data())
def test_any_history_replays_bit_for_bit(data: st.DataObject) -> None:
    """Through the journal's own encoding, so that nothing is lost on the way."""
    gate, recorded = Gate(policy=POLICY), []
    events = list(start_events())
    for _ in range(data.draw(st.integers(0, 40))):
        events.append(
            data.draw(st.sampled_from(list(possible(stepped(Gate(policy=POLICY), tuple(events))[0]))))
        )
    for seq, event in enumerate(events, 1):
        gate, effects = step(gate, event)
        stored = msgspec.json.encode((event, effects))
        event_again, effects_again = msgspec.json.decode(
            stored, type=tuple[ev.AnyEvent, tuple[do.AnyEffect, ...]]
        )
        recorded.append(Recorded(seq=seq, event=event_again, state=gate.state, effects=effects_again))
    found = replay(recorded)
    assert (found.steps, found.starts, found.differences) == (len(events), 1, ())


def test_replay_tells_a_changed_decision() -> None:
    gate, recorded = Gate(policy=POLICY), []
    for seq, event in enumerate((*start_events(), *citizen(PASSAGE)), 1):
        gate, effects = step(gate, event)
        if isinstance(event, ev.FaceAssessed):
            event = replace(event, match_score=0.1)  # noqa: PLW2901  # the tampering that is to be found
        recorded.append(Recorded(seq=seq, event=event, state=gate.state, effects=effects))
    assert replay(recorded).differences


def test_replay_needs_the_start() -> None:
    with pytest.raises(ValueError, match="started"):
        replay([Recorded(seq=1, event=ev.DutyChanged(at=0, on=True), state=State.IDLE, effects=())])


def screens(effects: tuple[do.AnyEffect, ...]) -> list[tuple[str, str | None]]:
    return [(effect.screen, effect.prompt) for effect in effects if isinstance(effect, do.Tell)]


def test_advice_is_shown_and_spoken_until_it_is_heeded() -> None:
    gate = placed()
    for advice in (Advice.TURN_OVER, Advice.PUSH_INTO_CORNER):
        gate, effects = step(gate, ev.PlacementAdvised(at=1, passage=PASSAGE, advice=advice))
        assert screens(effects) == [(advice, advice)]
    gate, effects = step(gate, ev.PlacementAdvised(at=2, passage=PASSAGE, advice=None))
    assert screens(effects) == [("reading", "hold_still")]
    gate, effects = step(gate, ev.PlacementAdvised(at=3, passage=OTHER, advice=Advice.TURN_OVER))
    assert screens(effects) == []


def test_advice_about_the_page_is_gone_once_it_is_read_and_advice_about_the_chip_once_that_is() -> None:
    gate, _ = step(placed(), ev.PlacementAdvised(at=1, passage=PASSAGE, advice=Advice.TURN_OVER))
    gate, effects = step(gate, ev.MrzRead(at=2, passage=PASSAGE, format="TD3"))
    assert screens(effects) == [("leave_it_still", "leave_it_still")]
    gate, effects = step(gate, ev.ChipFailed(at=3, passage=PASSAGE, reason="card_removed"))
    assert screens(effects) == []
    gate, effects = step(gate, ev.PlacementAdvised(at=3, passage=PASSAGE, advice=Advice.HOLD_STILL))
    assert screens(effects) == [("hold_still", "hold_still")]
    gate, effects = step(gate, ev.ChipRead(at=4, passage=PASSAGE, access="PACE", checks=GOOD))
    assert screens(effects) == [("leave_it_still", None)]


def test_advice_after_the_last_try_is_not_listened_to() -> None:
    gate, _ = step(placed(), ev.MrzRead(at=2, passage=PASSAGE, format="TD3"))
    for _ in range(POLICY.chip_tries):
        gate, _ = step(gate, ev.ChipFailed(at=3, passage=PASSAGE, reason="card_removed"))
    assert gate.state is State.REJECT_OUT
    assert screens(step(gate, ev.PlacementAdvised(at=3, passage=PASSAGE, advice=Advice.HOLD_STILL))[1]) == []


# --- consent ------------------------------------------------------------------------------------------------

ANSWER = ev.ConsentAnswered(at=0, passage=PASSAGE, given=True, text="2026-1")


def asked(policy: Policy = POLICY) -> Gate:
    """The traveller may pass, and is to be registered: the question is put."""
    gate = inside()
    assert gate.passage is not None
    assert gate.passage.background is not None
    background = replace(gate.passage.background, registration=True)
    gate = replace(gate, policy=policy, passage=replace(gate.passage, background=background))
    gate, effects = step(gate, assessed(1, 0.9, Liveness.LIVE))
    assert gate.state is State.CONSENT
    assert do.AskConsent(passage=PASSAGE) in effects
    assert not any(isinstance(effect, do.Decide | do.UnlockDoor) for effect in effects)
    return gate


def test_who_agrees_is_admitted_and_then_registered() -> None:
    gate, effects = step(asked(), ANSWER)
    assert gate.state is State.EXIT_OPEN
    kinds = [type(effect) for effect in effects]
    assert kinds.index(do.Decide) < kinds.index(do.Register) < kinds.index(do.UnlockDoor)


@pytest.mark.parametrize(
    ("event", "reason"),
    [(replace(ANSWER, given=False), "consent_declined"), (None, "consent_unanswered")],
)
def test_who_does_not_agree_goes_to_the_counter_or_passes_by_policy(
    event: ev.AnyEvent | None, reason: str
) -> None:
    for without, state in (("refer", State.REJECT_OUT), ("admit", State.EXIT_OPEN)):
        gate = asked(replace(POLICY, without_consent=without))
        gate, effects = step(gate, event or ev.DeadlinePassed(at=0, due=gate.due or 0))
        assert gate.state is state
        assert not any(isinstance(effect, do.Register) for effect in effects)
        assert gate.passage is not None
        if state is State.REJECT_OUT:
            assert (gate.passage.outcome, gate.passage.reasons) == (Outcome.REFERRED, (reason,))


def test_an_answer_for_another_passage_or_before_the_question_does_not_count() -> None:
    gate, effects = step(asked(), replace(ANSWER, passage=OTHER))
    assert gate.state is State.CONSENT
    assert effects == ()
    early, _ = step(inside(), ANSWER)
    assert early.passage is not None
    assert early.passage.consent is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (ev.ClockChecked(at=0, synchronised=False), "clock_unsynchronised"),
        (ev.DoorMoved(at=0, door=Door.ENTRY, shut=False), "automatic_admission_not_allowed"),
        (replace(ANSWER, at=POLICY.watchlist_max_age_s + 60), "watchlist_stale"),
        (ev.ModeChanged(at=0, mode=Mode.LOCKED), "lane_locked"),
        (ev.FaultRaised(at=0, device=Device.VISION, code="vision_silent"), "vision_silent"),
    ],
)
def test_what_changes_while_the_traveller_thinks_brings_an_officer(event: ev.AnyEvent, reason: str) -> None:
    gate, effects = step(asked(), event)
    assert gate.state is State.OFFICER
    assert gate.passage is not None
    assert reason in gate.passage.reasons
    assert not any(isinstance(effect, do.Register | do.Decide) for effect in effects)


def test_a_registration_that_could_not_be_kept_is_told_to_officers() -> None:
    _, effects = step(started(), ev.RegistrationFailed(at=0, passage=PASSAGE, reason="disk_full"))
    assert effects == (do.AlertOfficer(kind="not_registered", passage=PASSAGE),)
