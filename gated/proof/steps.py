"""What must hold for each step of the heart, whatever its sensors said.

A check answers True (it asked something, and it holds), False (it does not hold) or None (it does not apply).
"""

from collections.abc import Callable
from itertools import pairwise

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import (
    BOTH,
    TOUCHED,
    Gate,
    State,
    background_is_good,
    chip_is_good,
    face_is_good,
    healthy,
    height_verdict,
    inside,
    is_enclosed,
    lists_are_fresh,
    presence_is_doubted,
)
from gated.core.screens import told
from gated.core.topologies import plan_of
from gated.core.vocabulary import Door, Mode, OfficerWord, Outcome, Topology, Vouched
from gated.proof.abstraction import normal

Effects = tuple[do.AnyEffect, ...]
StepCheck = Callable[[Gate, ev.AnyEvent, Gate, Effects], bool | None]

RESTING = frozenset(
    {
        State.OUT_OF_SERVICE,
        State.CLOSED,
        State.LOCKED,
        State.MAINTENANCE,
        State.FREE_PASSAGE,
        State.CHANGE_OVER,
        State.IDLE,
        State.CLEARING,
        State.EMERGENCY,
    }
)


def one_door_at_a_time(before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> bool | None:
    """1. Never are both doors released, except in an emergency; a lock comes before the other's release."""
    del before, event
    if after.state is State.EMERGENCY or not after.released:
        return None
    moved = [effect for effect in effects if isinstance(effect, do.LockDoor | do.UnlockDoor)]
    for earlier, later in pairwise(moved):
        if isinstance(earlier, do.UnlockDoor) and isinstance(later, do.LockDoor):
            return False
    return len(after.released) == 1 and after.released <= plan_of(after.policy).doors


def doors_follow_the_facts(before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> bool | None:
    """What the effects release and lock is what the gate believes; every single release is a lease."""
    released = set() if isinstance(event, ev.GateStarted) else set(before.released)
    for effect in effects:
        if isinstance(effect, do.UnlockDoor):
            released.add(effect.door)
        elif isinstance(effect, do.ReleaseAll):
            if after.state is not State.EMERGENCY:
                return False
            released.update(Door)
        elif isinstance(effect, do.LockDoor):
            released.discard(effect.door)
    if released != after.released:
        return False
    return (after.renew_at is not None) == (len(after.released) == 1)


def the_exit_opens_on_a_decision_for_this_passage(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """2. The decision is in the journal before; free passage and maintenance need their own mode."""
    del event
    if after.state is State.EMERGENCY:
        return None
    asked = None
    for number, effect in enumerate(effects):
        if not (isinstance(effect, do.UnlockDoor) and effect.door is Door.EXIT):
            continue
        asked = True
        if after.state is State.FREE_PASSAGE:
            return after.mode is Mode.FREE_PASSAGE
        if after.state is State.MAINTENANCE:
            return after.mode is Mode.MAINTENANCE and after.asked_door is Door.EXIT
        if after.state is not State.EXIT_OPEN or after.passage is None:
            return False
        decided = [e.passage for e in effects[:number] if isinstance(e, do.Decide)]
        earlier = before.state is State.EXIT_OPEN and not decided and before.passage is not None
        if effect.passage != after.passage.id or not (earlier or decided == [effect.passage]):
            return False
    if after.state is State.EXIT_OPEN and before.state is not State.EXIT_OPEN:
        return any(isinstance(e, do.Decide) for e in effects)
    return asked


def _decided(gate: Gate, effects: Effects) -> list[do.Decide | do.IssueToken]:
    del gate
    return [effect for effect in effects if isinstance(effect, do.Decide | do.IssueToken)]


def _officer_said(before: Gate, event: ev.AnyEvent) -> ev.OfficerDecided | None:
    """The word that counts: the one just given, or one that was waiting."""
    if isinstance(event, ev.OfficerDecided) and before.passage is not None:
        return event if event.passage == before.passage.id and event.word is OfficerWord.ACCEPT else None
    passage = before.passage
    if passage is not None and passage.word is OfficerWord.ACCEPT:
        return ev.OfficerDecided(
            at=0, passage=passage.id, word=passage.word, officer="kim", persons=passage.word_for
        )
    return None


def nobody_is_admitted_without_good_evidence_or_an_officer(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """3, 5. Chip, lists, face, height, clock and devices; or an officer's word, for as many as there are.

    What a kiosk issues a token on is judged alike.
    """
    found = _decided(after, effects)
    if not found or after.passage is None:
        return None
    if before.state is State.OFFICER:
        said = _officer_said(before, event)
        if said is None or after.mode is Mode.LOCKED:
            return False
        more_than_one = after.persons == 2 and not after.policy.lane.curtains and said.persons > 2
        return inside(after) == said.persons or more_than_one
    if isinstance(found[0], do.Decide) and found[0].officer is not None:
        return False
    return (
        chip_is_good(after)
        and background_is_good(after)
        and lists_are_fresh(after, event.at)
        and face_is_good(after)
        and height_verdict(after) == "yes"
        and not after.stale
        and (after.clock_good or not after.policy.require_synchronised_clock)
        and healthy(after)
        and after.mode is not Mode.LOCKED
        and inside(after) == 1
        and after.persons == 1
        and after.passage.officer is None
    )


def nobody_is_registered_without_their_word(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """Once, with the decision that admits them, on their own answer to the question just put."""
    registered = [effect.passage for effect in effects if isinstance(effect, do.Register)]
    if not registered:
        return None
    if not isinstance(event, ev.ConsentAnswered) or not event.given or before.state is not State.CONSENT:
        return False
    return [each.passage for each in _decided(after, effects)] == registered == [event.passage]


def who_is_to_be_registered_is_asked(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """And passes without their consent only where the policy says so; an officer may let out anybody."""
    del event
    background = after.passage.background if after.passage else None
    if before.state is State.OFFICER or background is None or not background.registration:
        return None
    if not _decided(after, effects) or after.passage is None:
        return None
    without = after.policy.without_consent == "admit"
    return before.state is State.CONSENT and (after.passage.consent is True or without)


def an_old_list_admits_nobody(before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> bool | None:
    """5. Lists or clock that are not to be relied on send the passage to an officer before anybody is in.

    Nobody is let in while the last word on any kind is too old. Whoever is in by then goes to an officer.
    """
    del event, effects
    if after.state not in {State.ENTRY_OPEN, State.APPROACH} or after.passage is None:
        return None
    let_in = before.state in {State.ENTRY_OPEN, State.APPROACH, State.ENTRY_CLOSING}
    then = after if not let_in else replace(after, stale=frozenset[Vouched]())
    return lists_are_fresh(then, after.since) and background_is_good(after) and chip_is_good(after)


def a_lane_closed_by_age_takes_nobody(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """No passage begins while something is too old to keep the lane open, and nobody is asked for one."""
    del event, effects
    if not after.closing:
        return None
    was, now = before.passage, after.passage
    begins = now is not None and (was is None or was.id != now.id)
    return not begins and after.state is not State.IDLE


def a_passage_ends_exactly_once(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """4. When it is gone from the facts it has been ended; what has been ended is gone."""
    ended = [effect for effect in effects if isinstance(effect, do.EndPassage)]
    if len(ended) > 1:
        return False
    was, now = before.passage, after.passage
    gone = was is not None and (now is None or now.id != was.id)
    if isinstance(event, ev.GateStarted):
        return (was is None) is (not ended)
    if gone and (not ended or was is None or ended[0].passage != was.id):
        return False
    if ended and not gone and was is not None:
        return False
    return True if ended or gone else None


def the_lane_rests_without_a_passage(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """A passage is under way exactly while somebody is served or let out."""
    del before, event, effects
    if after.state in RESTING:
        return after.passage is None
    return True if after.state is State.REJECT_OUT else after.passage is not None


def an_emergency_opens_everything(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """From every state at once, and until it is reset nothing locks again."""
    if isinstance(event, ev.GateStarted) or not (before.emergency or isinstance(event, ev.EmergencyRaised)):
        return None
    if isinstance(event, ev.EmergencyReset):
        return True
    locks = any(isinstance(effect, do.LockDoor) for effect in effects)
    opened = any(isinstance(effect, do.ReleaseAll) for effect in effects) or before.released == BOTH
    return after.state is State.EMERGENCY and after.released == BOTH and opened and not locks


def a_locked_lane_admits_nobody(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """Told to lock, the exit is not released, and nobody more is let in; whoever is inside may go back."""
    del before, event
    if after.mode is not Mode.LOCKED or after.state is State.EMERGENCY:
        return None
    if _decided(after, effects) or Door.EXIT in after.released:
        return False
    return Door.ENTRY not in after.released or after.state in {
        State.REJECT_OUT,
        State.ENTRY_OPEN,
    }


def free_passage_is_an_officers_decision(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """It begins only by a signed word, in a lane without trouble."""
    del effects
    if after.mode is Mode.FREE_PASSAGE and before.mode is not Mode.FREE_PASSAGE:
        return isinstance(event, ev.ModeChanged) and event.officer is not None
    if after.state is State.FREE_PASSAGE:
        return after.mode is Mode.FREE_PASSAGE and healthy(after)
    return None


def a_signed_lock_yields_to_a_signature_only(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """What an officer locked by signature stays locked, through an emergency too, until one signs again."""
    del effects
    signed = isinstance(event, ev.ModeChanged) and event.officer is not None
    if before.locked_by is None or signed:
        return None
    return after.mode is Mode.LOCKED and after.locked_by == before.locked_by


def what_a_technician_touched_ends_with_maintenance(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """No hand in a beam latches a fault; nothing of it is left afterwards, and curtains are watched anew."""
    if State.MAINTENANCE not in {before.state, after.state} or isinstance(event, ev.GateStarted):
        return None
    if after.state is State.MAINTENANCE:
        new = after.faults - before.faults
        return not any(fault.latched and fault.code in TOUCHED for fault in new)
    left = any(not fault.latched and fault.code in TOUCHED for fault in after.faults)
    return not left and any(isinstance(effect, do.WatchAnew) for effect in effects)


def maintenance_moves_one_door(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """A technician gets the door that was asked for, and only while the other one is told shut.

    It begins with nobody felt inside, or with a sensor that is doubted; then the entry stays released for
    whoever may be there, while no door is asked for.
    """
    del event, effects
    if after.state is not State.MAINTENANCE:
        return None
    if after.mode is not Mode.MAINTENANCE:
        return False
    doubted = presence_is_doubted(after)
    if before.state is not State.MAINTENANCE and after.persons > 0 and not doubted:
        return False
    wanted = Door.ENTRY if after.asked_door is None and after.persons and doubted else after.asked_door
    kept_in = wanted is Door.ENTRY and Door.EXIT in after.shut and not after.released and is_enclosed(after)
    return not kept_in and all(wanted is door and after.shut >= BOTH - {door} for door in after.released)


def a_door_is_released_only_against_a_shut_one(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """A release begins only while the other door is told to be shut."""
    del before, event
    if after.state is State.EMERGENCY:
        return None
    asked = None
    for effect in effects:
        if isinstance(effect, do.UnlockDoor):
            asked = True
            if effect.door in after.released and not after.shut >= BOTH - {effect.door}:
                return False
    return asked


def a_lane_turns_at_rest(before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> bool | None:
    """The direction changes only with nobody felt inside, both doors told shut and locked, and no passage."""
    del event
    if after.direction is not before.direction and after.state is not State.OUT_OF_SERVICE:
        return before.state is State.CHANGE_OVER and not before.released
    if not any(isinstance(effect, do.TurnLane) for effect in effects):
        return (not after.released) if after.state is State.CHANGE_OVER else None
    return (
        after.policy.lane.topology is Topology.PORT
        and after.passage is None
        and after.persons == 0
        and after.shut == BOTH
        and not after.released
        and not after.blocked
        and after.counted == 0
    )


def a_limit_that_leads_nowhere_calls_somebody(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """Who has not left, and what has not cleared, is told again each time that the limit passes."""
    if not (isinstance(event, ev.DeadlinePassed) and before.due == event.due and not before.expired):
        return None
    if after.state is not before.state or normal(after) != before:
        return None
    return any(isinstance(effect, do.AlertOfficer) for effect in effects)


def nothing_is_left_unsaid(before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> bool | None:
    """The traveller is told what the facts give, at once."""
    del before, event, effects
    return after.told == told(after)


def an_outcome_says_what_happened(
    before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects
) -> bool | None:
    """Who was admitted had the exit open for them; who was not decided for was not."""
    del after
    ended = [effect for effect in effects if isinstance(effect, do.EndPassage)]
    if not ended or before.passage is None:
        return None
    match ended[0].outcome:
        case Outcome.ADMITTED:
            return before.state is State.EXIT_OPEN
        case Outcome.PREPARED:
            return before.state is State.ISSUING and (
                before.passage.issued or isinstance(event, ev.TokenIssued)
            )
        case _:
            return True


STEPS: tuple[StepCheck, ...] = (
    one_door_at_a_time,
    doors_follow_the_facts,
    the_exit_opens_on_a_decision_for_this_passage,
    nobody_is_admitted_without_good_evidence_or_an_officer,
    nobody_is_registered_without_their_word,
    who_is_to_be_registered_is_asked,
    an_old_list_admits_nobody,
    a_lane_closed_by_age_takes_nobody,
    a_passage_ends_exactly_once,
    the_lane_rests_without_a_passage,
    an_emergency_opens_everything,
    a_locked_lane_admits_nobody,
    free_passage_is_an_officers_decision,
    a_signed_lock_yields_to_a_signature_only,
    what_a_technician_touched_ends_with_maintenance,
    maintenance_moves_one_door,
    a_door_is_released_only_against_a_shut_one,
    a_lane_turns_at_rest,
    a_limit_that_leads_nowhere_calls_somebody,
    nothing_is_left_unsaid,
    an_outcome_says_what_happened,
)
