"""The conditions that the tables ask: small questions about facts.

A condition's name is its sentence; the generated diagram prints it.
"""

from gated.core.gate import (
    BOTH,
    REQUIRED,
    Gate,
    State,
    background_is_good,
    chip_is_good,
    healthy,
    height_verdict,
    inside,
    is_enclosed,
    is_open,
    lists_are_fresh,
    may_admit,
    presence_is_doubted,
)
from gated.core.vocabulary import Device, Door, Grade, Liveness, Mode, OfficerWord, Topology

__all__ = ("chip_is_good", "may_admit")  # rows ask them by this module's name too

AT_AN_END = frozenset({Device.MRZ_SCANNER, Device.CHIP_READER, Device.VISION})  # each end has its own
PRESENCE_MOST = 2  # what the presence sensor says for two and for more
PARTY = 3  # so many at once in a wide lane, at most


def emergency_is_on(gate: Gate) -> bool:
    return gate.emergency


def emergency_is_over(gate: Gate) -> bool:
    return not gate.emergency


def expired(gate: Gate) -> bool:
    return gate.expired


def in_trouble(gate: Gate) -> bool:
    return not healthy(gate)


def may_be_inside(gate: Gate) -> int:
    """How many people this lane takes at once: one; in a wide one a party, which an officer then counts."""
    if gate.state in {State.ENTRY_OPEN, State.ENTRY_CLOSING}:
        return PARTY if gate.policy.lane.wide else 1
    return gate.passage.party if gate.passage else 1


def occupied(gate: Gate) -> bool:
    return gate.persons > 0


def crowded(gate: Gate) -> bool:
    return inside(gate) > may_be_inside(gate)


def crowded_for_too_long(gate: Gate) -> bool:
    return gate.expired and crowded(gate)


def empty(gate: Gate) -> bool:
    return gate.persons == 0 and gate.counted == 0


def trapped(gate: Gate) -> bool:
    """Somebody is in a lane that is not in service, and the doors can be moved."""
    return gate.persons > 0 and Device.IO_BOARD in gate.ready


# --- a lane at rest, and what it was told to do ---------------------------------------------------------


def at_rest(gate: Gate) -> bool:
    return healthy(gate) and gate.shut == BOTH and (gate.persons == 0 or not is_enclosed(gate))


def fit_to_open(gate: Gate) -> bool:
    return at_rest(gate) and is_open(gate)


def fit_to_close(gate: Gate) -> bool:
    """Told to, or because nobody is on duty, or what the lane decides by is too old.

    Also while it waits for what it was told to be: until nobody is felt in it, or, at a kiosk, for ever.
    """
    return at_rest(gate) and not is_open(gate) and gate.mode is not Mode.LOCKED


def fit_to_lock(gate: Gate) -> bool:
    return at_rest(gate) and gate.mode is Mode.LOCKED


def fit_for_free_passage(gate: Gate) -> bool:
    return (
        at_rest(gate) and gate.mode is Mode.FREE_PASSAGE and gate.policy.lane.topology is not Topology.KIOSK
    )


def fit_for_maintenance(gate: Gate) -> bool:
    """A lane in trouble is just what is maintained; nobody may be felt in it, unless that is the trouble."""
    return gate.mode is Mode.MAINTENANCE and (gate.persons == 0 or presence_is_doubted(gate))


def in_trouble_with_presence(gate: Gate) -> bool:
    """Whoever works on the sensor need not wait until it feels nobody."""
    return presence_is_doubted(gate) and fit_for_maintenance(gate)


def maintenance_is_over(gate: Gate) -> bool:
    return gate.mode is not Mode.MAINTENANCE


def is_locked(gate: Gate) -> bool:
    return gate.mode is Mode.LOCKED


def free_passage_is_over(gate: Gate) -> bool:
    return gate.mode is not Mode.FREE_PASSAGE


def free_passage_ends_on_somebody(gate: Gate) -> bool:
    return gate.mode is not Mode.FREE_PASSAGE and gate.persons > 0


def a_door_is_not_shut(gate: Gate) -> bool:
    return gate.shut != BOTH


def other_way_is_wanted(gate: Gate) -> bool:
    """By the schedule or an officer; or by demand, where somebody waits at the other end. It must be well.

    Whoever waited for the lane to turn passes before it turns back by demand.
    """
    lane = gate.policy.lane
    if lane.topology is not Topology.PORT or gate.other_faults:
        return False
    heeded = lane.demand and gate.mode is Mode.OPEN and is_open(gate)
    by_demand = heeded and gate.other_document and (gate.served or gate.waiting is None)
    return gate.wanted_direction is not gate.direction or by_demand


def turn_is_wanted(gate: Gate) -> bool:
    """At rest; and no door was just released, whose contact may not have told yet that it opens."""
    rests = gate.passage is None and gate.shut == BOTH and empty(gate) and not gate.released
    return rests and other_way_is_wanted(gate)


def broken_for_both_ways(gate: Gate) -> bool:
    """In trouble that is not only at the end where people come in now: to turn the lane would not help."""
    lacking = REQUIRED - gate.ready | {fault.device for fault in gate.faults}
    return not lacking <= AT_AN_END


def turn_is_the_way_on(gate: Gate) -> bool:
    """The end where people come in now is out of order, the other one is not, and it is wanted."""
    return turn_is_wanted(gate) and not broken_for_both_ways(gate)


def turned(gate: Gate) -> bool:
    return gate.expired and gate.wanted_direction is gate.direction


# --- the document -----------------------------------------------------------------------------------------


def passage_began(gate: Gate) -> bool:
    return gate.passage is not None


def document_is_gone(gate: Gate) -> bool:
    return not gate.document


def mrz_is_read(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.mrz


def mrz_tries_are_spent(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.mrz_failures >= gate.policy.mrz_tries


def token_is_refused(gate: Gate) -> bool:
    return gate.passage is not None and bool(gate.passage.token_refused)


def token_is_handed_over(gate: Gate) -> bool:
    """The traveller was told to go to the gate, and went, or had time to."""
    issued = gate.passage is not None and gate.passage.issued
    return issued and (gate.persons == 0 or gate.expired)


def in_trouble_without_token(gate: Gate) -> bool:
    return gate.passage is not None and not gate.passage.issued and not healthy(gate)


def chip_tries_are_spent(gate: Gate) -> bool:
    return gate.passage is not None and bool(gate.passage.chip_failure)


def chip_check_failed(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.chip is not None and not chip_is_good(gate)


def clock_is_unsure(gate: Gate) -> bool:
    return gate.policy.require_synchronised_clock and not gate.clock_good


def list_hit(gate: Gate) -> bool:
    background = gate.passage.background if gate.passage else None
    return background is not None and background.grade in {Grade.REFER, Grade.STOP}


def lists_are_stale(gate: Gate) -> bool:
    """The watchlist, or anything else that the centre vouches for and that decides here."""
    known = gate.passage is not None and gate.passage.background is not None
    return known and not lists_are_fresh(gate, gate.since)


def trust_has_lapsed(gate: Gate) -> bool:
    """Since the traveller was let in, the clock or a list came to be no ground for an admission any more."""
    return face_is_assessed(gate) and (clock_is_unsure(gate) or not lists_are_fresh(gate, gate.since))


def not_eligible(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.background is not None and not background_is_good(gate)


def photograph_is_unusable(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.enrolled is False


def may_enter(gate: Gate) -> bool:
    enrolled = gate.passage is not None and gate.passage.enrolled is True
    return enrolled and chip_is_good(gate) and background_is_good(gate) and Door.EXIT in gate.shut


def exit_stays_open(gate: Gate) -> bool:
    return gate.expired and Door.EXIT not in gate.shut


# --- the way in -------------------------------------------------------------------------------------------


def in_and_document_taken(gate: Gate) -> bool:
    allowed = 1 <= inside(gate) <= may_be_inside(gate)
    return allowed and gate.persons > 0 and not gate.document and Door.ENTRY not in gate.blocked


def lingers_in_the_entry(gate: Gate) -> bool:
    return gate.expired and gate.persons == 0 and Door.ENTRY in gate.blocked


def stands_in_the_entry(gate: Gate) -> bool:
    """Somebody is in, and something keeps the door from closing behind them."""
    return gate.expired and not gate.document and Door.ENTRY in gate.blocked


def nobody_came(gate: Gate) -> bool:
    return gate.expired and gate.persons == 0


def closed_on_one(gate: Gate) -> bool:
    return gate.persons == 1 and inside(gate) == 1 and Door.ENTRY in gate.shut


def closed_on_a_party(gate: Gate) -> bool:
    return gate.policy.lane.wide and inside(gate) > 1 and Door.ENTRY in gate.shut


def closed_on_nobody(gate: Gate) -> bool:
    return gate.persons == 0 and Door.ENTRY in gate.shut


def _may_reverse(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.reversals < gate.policy.reversals


def in_the_way(gate: Gate) -> bool:
    return Door.ENTRY in gate.blocked and _may_reverse(gate)


def obstructed(gate: Gate) -> bool:
    return gate.expired and _may_reverse(gate)


# --- the person -------------------------------------------------------------------------------------------


def face_is_assessed(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.face is not None


def consent_is_to_be_asked(gate: Gate) -> bool:
    """Everything else is good, and the rules want the traveller registered."""
    background = gate.passage.background if gate.passage else None
    return background is not None and background.registration and may_admit(gate)


def settled_at(gate: Gate) -> float:
    """When the question was answered, or the time for it was over; before that, when it was put."""
    passage = gate.passage
    if passage is not None and passage.consent is not None:
        return passage.answered_at
    return gate.due if gate.expired and gate.due is not None else gate.since


def may_be_admitted_no_more(gate: Gate) -> bool:
    """While the traveller thought about it something changed that their admission rests on."""
    return not may_admit(gate) or not lists_are_fresh(gate, settled_at(gate))


def consents(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.consent is True


def declines(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.consent is False


def passes_without_consent(gate: Gate) -> bool:
    return gate.policy.without_consent == "admit" and (declines(gate) or gate.expired)


def attack_is_seen(gate: Gate) -> bool:
    face = gate.passage.face if gate.passage else None
    return face is not None and face.frames > 0 and face.liveness is Liveness.ATTACK


def too_short(gate: Gate) -> bool:
    return height_verdict(gate) == "no"


def another_look(gate: Gate) -> bool:
    passage = gate.passage
    return passage is not None and passage.face is not None and passage.looks < gate.policy.captures


def fits(gate: Gate, persons: int) -> bool:
    """Whether so many may be inside, as far as sensors can tell: presence alone knows two only from one."""
    uncounted = gate.persons == PRESENCE_MOST and not gate.policy.lane.curtains
    return persons == inside(gate) or (uncounted and persons > PRESENCE_MOST)


def officer_accepts(gate: Gate) -> bool:
    """An officer lets out as many as they said that they saw, if no sensor contradicts."""
    passage = gate.passage
    said = passage is not None and passage.word is OfficerWord.ACCEPT and fits(gate, passage.word_for)
    able = Door.ENTRY in gate.shut and Device.IO_BOARD in gate.ready and gate.mode is not Mode.LOCKED
    return said and able and gate.persons > 0


def officer_refuses(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.word is OfficerWord.REFUSE


def officer_escorts(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.word is OfficerWord.ESCORT


def officer_is_late(gate: Gate) -> bool:
    return gate.expired and gate.passage is not None and not gate.passage.escalated


def entry_came_open(gate: Gate) -> bool:
    return Door.ENTRY not in gate.shut


# --- the way out ------------------------------------------------------------------------------------------


def _gone_by_the_exit(gate: Gate) -> int:
    return gate.passage.crossed if gate.passage else 0


def tailgated(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.crossed > gate.passage.party


def left_by_the_exit(gate: Gate) -> bool:
    return empty(gate) and Door.EXIT not in gate.blocked


def passed(gate: Gate) -> bool:
    """The door's own light curtain saw them through: where the way back is open, nothing else can."""
    party = gate.passage.party if gate.passage else 1
    return _gone_by_the_exit(gate) >= party and Door.EXIT not in gate.blocked


def never_passed(gate: Gate) -> bool:
    return gate.expired and gate.persons == 0 and _gone_by_the_exit(gate) == 0


def exit_stays_shut(gate: Gate) -> bool:
    """Its board told of a fault before the exit began to open: nobody waits for what will not come."""
    return gate.passage is not None and gate.passage.stays_shut


def came_in_by_the_exit(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.came_back


def left_something(gate: Gate) -> bool:
    """Whoever was counted has gone, and still something is there: they left it behind."""
    return gate.expired and _gone_by_the_exit(gate) > 0 and gate.counted == 0 and gate.persons > 0


def left_uncounted(gate: Gate) -> bool:
    return gate.expired and gate.persons == 0 and Door.EXIT not in gate.blocked


def stands_in_the_exit(gate: Gate) -> bool:
    return gate.expired and Door.EXIT in gate.blocked


def hesitates_in_the_exit(gate: Gate) -> bool:
    """They may finish their way; whoever stands there longer still brings an officer."""
    return stands_in_the_exit(gate) and gate.passage is not None and not gate.passage.escalated


def left_with_everything(gate: Gate) -> bool:
    return empty(gate) and not gate.document and Door.ENTRY not in gate.blocked


def left_with_everything_uncounted(gate: Gate) -> bool:
    return gate.expired and gate.persons == 0 and not gate.document and Door.ENTRY not in gate.blocked


def cleared(gate: Gate) -> bool:
    nobody = empty(gate) or not is_enclosed(gate)
    return nobody and gate.shut == BOTH and (not gate.document or gate.waiting is not None)


def cleared_in_trouble(gate: Gate) -> bool:
    return cleared(gate) and not healthy(gate)


def cleared_to_open(gate: Gate) -> bool:
    return cleared(gate) and healthy(gate) and is_open(gate)


def next_waits(gate: Gate) -> bool:
    """The next document is read while the exit still closes behind the last traveller."""
    nobody = empty(gate) or not is_enclosed(gate)
    may = nobody and Door.ENTRY in gate.shut and healthy(gate) and is_open(gate)
    return may and gate.waiting is not None and not other_way_is_wanted(gate)


def count_is_unsure(gate: Gate) -> bool:
    """Nobody is felt, but not everybody who came in was seen to leave: somebody must go and look."""
    return gate.expired and gate.persons == 0 and gate.counted > 0 and gate.shut == BOTH
