"""What must hold, always: for each step of the heart, for each state of heart and world, for each move in it.

A check answers True (it asked something, and it holds), False (it does not hold) or None (it does not apply
here); how often each one applied is counted, so that none holds only because it was never asked.
"""

from collections.abc import Callable
from itertools import pairwise

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
    lists_are_fresh,
)
from gated.core.policy import Policy
from gated.core.screens import told
from gated.core.topologies import plan_of
from gated.core.vocabulary import Door, Mode, OfficerWord, Outcome, Topology
from gated.proof.abstraction import normal
from gated.proof.heart import Mark
from gated.proof.world import Broken, Kind, Move, World

Effects = tuple[do.AnyEffect, ...]
StepCheck = Callable[[Gate, ev.AnyEvent, Gate, Effects], bool | None]
StateCheck = Callable[[Gate, World], bool | None]
MoveCheck = Callable[[Gate, World, Move], bool | None]
CommitCheck = Callable[[Gate, World, int], bool | None]

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
CONTACTS = frozenset({Broken.ENTRY_CONTACT, Broken.EXIT_CONTACT})
CURTAINS = frozenset({Broken.ENTRY_CURTAIN, Broken.EXIT_CURTAIN})
LOCKS = frozenset({Broken.ENTRY_LOCK, Broken.EXIT_LOCK})
ENCLOSED = frozenset({Topology.MANTRAP, Topology.PORT, Topology.TOKEN_GATE})


def _is_enclosed(policy: Policy) -> bool:
    return policy.lane.topology in ENCLOSED


# --- steps of the heart -----------------------------------------------------------------------------------


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
        and (after.clock_good or not after.policy.require_synchronised_clock)
        and healthy(after)
        and after.mode is not Mode.LOCKED
        and inside(after) == 1
        and after.persons == 1
        and after.passage.officer is None
    )


def an_old_list_admits_nobody(before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> bool | None:
    """5. Lists or clock that are not to be relied on send the passage to an officer before anybody is in."""
    del before, event, effects
    if after.state not in {State.ENTRY_OPEN, State.APPROACH} or after.passage is None:
        return None
    return lists_are_fresh(after, after.since) and background_is_good(after) and chip_is_good(after)


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
    """A technician gets the door that was asked for, and only while the other one is told shut."""
    del before, event, effects
    if after.state is not State.MAINTENANCE:
        return None
    if after.mode is not Mode.MAINTENANCE:
        return False
    return all(after.asked_door is door and after.shut >= BOTH - {door} for door in after.released)


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


# --- states of heart and world ----------------------------------------------------------------------------


def never_both_doors_free(gate: Gate, world: World) -> bool | None:
    """1. In the lane as it really is, too."""
    free = gate.released if not world.lapsed else frozenset[Door]()
    if not free:
        return None
    return gate.state is State.EMERGENCY or len(free) == 1


def a_lane_at_rest_is_locked(gate: Gate, world: World) -> bool | None:
    """Nothing is released in a lane that serves nobody."""
    del world
    if gate.state not in RESTING - {State.EMERGENCY, State.MAINTENANCE, State.FREE_PASSAGE}:
        return None
    return not gate.released


# --- moves of the world -----------------------------------------------------------------------------------


def no_door_opens_while_the_other_is_open(gate: Gate, world: World, move: Move) -> bool | None:
    """1. Really: by a release, with contacts that are honest, and outside of an emergency."""
    if not move.kind & Kind.OPENS or gate.state is State.EMERGENCY or world.broken in CONTACTS:
        return None
    if not _is_enclosed(gate.policy):
        return None
    other = world.exit_open if move.kind & Kind.ENTRY_DOOR else world.entry_open
    return not other


def nobody_leaves_by_the_exit_uncounted(gate: Gate, world: World, move: Move) -> bool | None:
    """3. As many leave by the exit of two doors as were decided for, and not one more."""
    if not move.kind & Kind.LEAVES or not _is_enclosed(gate.policy) or world.broken:
        return None
    if gate.state is not State.EXIT_OPEN or gate.passage is None:
        return None
    return move.to.out <= gate.passage.party


# --- commitments ------------------------------------------------------------------------------------------


def as_many_are_inside_as_are_let_out(gate: Gate, world: World, mark: int) -> bool | None:
    """3. When the exit is released there are really so many people between the doors.

    With light curtains this holds with any one sensor for people broken, too. Where the exit hangs open while
    an officer gives the word, it is the officer who sees to it.
    """
    if not mark & Mark.DECIDES or not _is_enclosed(gate.policy) or gate.passage is None:
        return None
    spared = {Broken.NOTHING, Broken.DOCUMENT}
    if gate.policy.lane.curtains:
        spared |= {Broken.PRESENCE, *CURTAINS}
    officer_sees = gate.passage.word is not None and world.exit_open
    if world.broken not in spared or officer_sees:
        return None
    return world.inside <= gate.passage.party


def the_lane_is_really_empty_when_it_turns(gate: Gate, world: World, mark: int) -> bool | None:
    """Nobody is between the doors, and both are shut."""
    if not mark & Mark.TURNS or world.broken not in {Broken.NOTHING, Broken.DOCUMENT}:
        return None
    del gate
    return not world.people and not world.entry_open and not world.exit_open


STEPS: tuple[StepCheck, ...] = (
    one_door_at_a_time,
    doors_follow_the_facts,
    the_exit_opens_on_a_decision_for_this_passage,
    nobody_is_admitted_without_good_evidence_or_an_officer,
    an_old_list_admits_nobody,
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
STATES: tuple[StateCheck, ...] = (never_both_doors_free, a_lane_at_rest_is_locked)
MOVES: tuple[MoveCheck, ...] = (no_door_opens_while_the_other_is_open, nobody_leaves_by_the_exit_uncounted)
COMMITMENTS: tuple[CommitCheck, ...] = (
    as_many_are_inside_as_are_let_out,
    the_lane_is_really_empty_when_it_turns,
)


def _in_words(thing: object) -> str:
    """An event, effects, or a move; gates and worlds are told by the history before."""
    match thing:
        case Move():
            return f"then {thing.name}"
        case ev.Event():
            return f"then {thing}"
        case tuple() if not isinstance(thing, World):
            return f"which asks for {', '.join(type(effect).__name__ for effect in thing) or 'nothing'}"
        case _:
            return ""


class Violation(Exception):  # it is what was looked for
    """An invariant does not hold; `where` is what was asked about."""

    def __init__(self, invariant: str, where: tuple[object, ...]) -> None:
        super().__init__(invariant)
        self.invariant = invariant
        self.where = where

    @property
    def last(self) -> tuple[str, ...]:
        """What happened last, in words."""
        words = [_in_words(each) for each in self.where]
        return tuple(word for word in words if word)


class Checks:
    """Asks all of them, or only one, and counts how often each one applied."""

    def __init__(self, only: str | None = None) -> None:
        everything = (*STEPS, *STATES, *MOVES, *COMMITMENTS)
        self._of: dict[str, list[Callable[..., bool | None]]] = {
            kind: [check for check in checks if only in {None, check.__name__}]
            for kind, checks in (("step", STEPS), ("state", STATES), ("move", MOVES), ("commit", COMMITMENTS))
        }
        self.asked: dict[str, int] = {check.__name__: 0 for check in everything}

    def _judge(self, kind: str, *where: object) -> None:
        for check in self._of[kind]:
            answer = check(*where)
            if answer is None:
                continue
            name = check.__name__
            self.asked[name] += 1
            if not answer:
                raise Violation(name, where)

    def step(self, before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> None:
        """A step of the heart."""
        self._judge("step", before, event, after, effects)

    def state(self, gate: Gate, world: World) -> None:
        """A state of both."""
        self._judge("state", gate, world)

    def move(self, gate: Gate, world: World, move: Move) -> None:
        """A move of the world that a door or a person makes."""
        self._judge("move", gate, world, move)

    def commits(self, gate: Gate, world: World, mark: int) -> None:
        """A step that admits somebody or turns the lane, in this world."""
        self._judge("commit", gate, world, mark)
