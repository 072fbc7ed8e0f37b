"""What a transition table is made of, and the rows that every kind of lane shares.

Theory. Events only change facts; rows are conditions over facts. After every event the rows of the present
state are asked from top to bottom and the first that holds is taken; this repeats until none holds. So a fact
that comes early (the watchlist answers before the chip) needs no state of its own, and a fact that comes late
finds the state that waits for it. Rows stand in order of gravity: danger, then trouble, then failure, then
progress, then the passing of time.

A row that ends or refers a passage names the outcome and the reasons; `step` performs the entry effects. Each
kind of lane has its table in a file of its own, in `gated.core.topologies`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gated.core import conditions as on
from gated.core import reasons as because
from gated.core.gate import BOTH, Gate, State, is_enclosed, presence_is_doubted
from gated.core.vocabulary import Door, Outcome

Condition = Callable[[Gate], bool]
Reasons = Callable[[Gate], tuple[str, ...]]


class Row(NamedTuple):
    """When this holds, go there. `why` gives the reasons, or is the one reason."""

    when: Condition
    to: State
    outcome: Outcome | None = None
    why: Reasons | str = ""


Rows = tuple[Row, ...]


class Plan(NamedTuple):
    """One kind of lane: its table, its doors, and which of them the present facts want released.

    `releases` never gives both doors; in an emergency nobody asks it.
    """

    table: Mapping[State, Rows]
    doors: frozenset[Door]
    releases: Callable[[Gate], frozenset[Door]]


# How long a state may last: the name of its limit in the policy. The others wait for as long as it takes.
LIMITS: Mapping[State, str] = {
    State.CHANGE_OVER: "change_over_s",
    State.DOC_OPTICAL: "optical_s",
    State.DOC_CHIP: "chip_s",
    State.DOC_TOKEN: "background_s",
    State.BACKGROUND: "background_s",
    State.APPROACH: "approach_s",
    State.ENTRY_OPEN: "entry_s",
    State.ENTRY_CLOSING: "closing_s",
    State.FACE_CAPTURE: "capture_s",
    State.VERIFY: "verify_s",
    State.CONSENT: "consent_s",
    State.ISSUING: "issuing_s",
    State.OFFICER: "officer_s",
    State.EXIT_OPEN: "exit_s",
    State.REJECT_OUT: "leave_s",
    State.CLEARING: "clearing_s",
}

# --- rows of every lane -------------------------------------------------------------------------------

ANYWHERE: Rows = (Row(on.emergency_is_on, State.EMERGENCY, Outcome.ABORTED, "emergency"),)

# A lane at rest does what it was told to.
BY_MODE: Rows = (
    Row(on.fit_for_maintenance, State.MAINTENANCE),
    Row(on.fit_to_lock, State.LOCKED),
    Row(on.fit_for_free_passage, State.FREE_PASSAGE),
    Row(on.fit_to_close, State.CLOSED),
    Row(on.fit_to_open, State.IDLE),
)


def resting(own: State, *first: Row) -> Rows:
    """Rows of a state in which the lane rests: trouble, `first`, and what else it may be told to do."""
    return (
        Row(on.in_trouble, State.OUT_OF_SERVICE),
        Row(on.a_door_is_not_shut, State.OUT_OF_SERVICE),
        *first,
        *(row for row in BY_MODE if row.to is not own),
    )


MAINTENANCE: Rows = (Row(on.maintenance_is_over, State.OUT_OF_SERVICE),)
EMERGENCY: Rows = (Row(on.emergency_is_over, State.OUT_OF_SERVICE),)

TROUBLE_BEFORE_ENTRY: Rows = (
    Row(on.in_trouble, State.REJECT_OUT, Outcome.REFERRED, because.faults),
    Row(on.is_locked, State.REJECT_OUT, Outcome.REFERRED, "lane_locked"),
)
SOMEBODY_IS_INSIDE: Rows = (Row(on.occupied, State.REJECT_OUT, Outcome.REFERRED, "intrusion"),)


def optical(before: Rows, then: State = State.DOC_CHIP) -> Rows:
    """Rows of the reading of the zone; `before` are those of what may happen outside of it."""
    return (
        *before,
        Row(on.document_is_gone, State.CLEARING, Outcome.ABANDONED, "document_removed"),
        Row(on.mrz_is_read, then),
        Row(on.mrz_tries_are_spent, State.REJECT_OUT, Outcome.REFERRED, "mrz_unreadable"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "mrz_timeout"),
    )


def chip(before: Rows) -> Rows:
    """Rows of the reading of the chip."""
    return (
        *before,
        Row(on.chip_check_failed, State.REJECT_OUT, Outcome.REFERRED, because.failed_chip_checks),
        Row(on.chip_is_good, State.BACKGROUND),
        Row(on.document_is_gone, State.CLEARING, Outcome.ABANDONED, "document_removed"),
        Row(on.chip_tries_are_spent, State.REJECT_OUT, Outcome.REFERRED, because.chip_reason),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "chip_timeout"),
    )


def background(before: Rows, then: State) -> Rows:
    """Rows of lists and eligibility, up to `then`, which lets the traveller come nearer."""
    return (
        *before,
        Row(on.clock_is_unsure, State.REJECT_OUT, Outcome.REFERRED, "clock_unsynchronised"),
        Row(on.list_hit, State.REJECT_OUT, Outcome.REFERRED, "watchlist_hit"),
        Row(on.lists_are_stale, State.REJECT_OUT, Outcome.REFERRED, because.stale_reasons),
        Row(on.not_eligible, State.REJECT_OUT, Outcome.REFERRED, because.failed_background_checks),
        Row(on.photograph_is_unusable, State.REJECT_OUT, Outcome.REFERRED, "photograph_unusable"),
        Row(on.may_enter, then),
        Row(on.exit_stays_open, State.REJECT_OUT, Outcome.REFERRED, "exit_not_shut"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "background_timeout"),
    )


def capture(inside: Rows) -> Rows:
    """Rows of the camera at work; `inside` are those of who else comes and goes."""
    return (
        *inside,
        Row(on.is_locked, State.OFFICER, why="lane_locked"),
        Row(on.in_trouble, State.OFFICER, why=because.faults),
        Row(on.face_is_assessed, State.VERIFY),
        Row(on.expired, State.VERIFY),
    )


def verify(inside: Rows, then: State) -> Rows:
    """Rows of the judgement over all evidence, up to `then`, for whoever may be admitted."""
    return (
        *inside,
        Row(on.is_locked, State.OFFICER, why="lane_locked"),
        Row(on.in_trouble, State.OFFICER, why=because.faults),
        Row(on.consent_is_to_be_asked, State.CONSENT),
        Row(on.may_admit, then),
        Row(on.attack_is_seen, State.OFFICER, why=because.face_reasons),
        Row(on.too_short, State.OFFICER, why=because.face_reasons),
        Row(on.trust_has_lapsed, State.OFFICER, why=because.lapsed_and_face_reasons),
        Row(on.another_look, State.FACE_CAPTURE),
        Row(on.face_is_assessed, State.OFFICER, why=because.face_reasons),
        Row(on.expired, State.OFFICER, why=because.face_reasons),
    )


def consent(inside: Rows, then: State) -> Rows:
    """Rows of the question to whoever may be admitted, whether they agree to be registered.

    To say no, or nothing, is no refusal: the counter serves them, or the lane does without registration.
    """
    return (
        *inside,
        Row(on.is_locked, State.OFFICER, why="lane_locked"),
        Row(on.in_trouble, State.OFFICER, why=because.faults),
        Row(on.may_be_admitted_no_more, State.OFFICER, why=because.lapsed_reasons),
        Row(on.consents, then),
        Row(on.passes_without_consent, then),
        Row(on.declines, State.REJECT_OUT, Outcome.REFERRED, "consent_declined"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "consent_unanswered"),
    )


def officer(inside: Rows, then: State) -> Rows:
    """Rows of an officer's word."""
    return (
        *inside,
        Row(on.officer_accepts, then),
        Row(on.officer_refuses, State.REJECT_OUT, Outcome.REFUSED, "officer_refused"),
        Row(on.officer_escorts, State.REJECT_OUT, Outcome.REFERRED, "officer_escorts"),
        Row(on.officer_is_late, State.OFFICER),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "officer_absent"),
    )


AFTER_CLEARING: Rows = (
    Row(on.cleared_in_trouble, State.OUT_OF_SERVICE),
    Row(on.next_waits, State.DOC_OPTICAL),
    Row(on.cleared_to_open, State.IDLE),
    Row(on.cleared, State.OUT_OF_SERVICE),
    Row(on.count_is_unsure, State.OUT_OF_SERVICE),
    Row(on.expired, State.CLEARING),
)


# Whoever works on a presence sensor that feels somebody for ever need not wait for it.
REPAIR = Row(on.in_trouble_with_presence, State.MAINTENANCE)


def nothing(gate: Gate) -> frozenset[Door]:
    """No door at all."""
    del gate
    return frozenset()


def exit_for_those_admitted(gate: Gate) -> frozenset[Door]:
    """The exit, until all who were admitted have stepped through it: who follows meets a locked door."""
    passage = gate.passage
    through = passage is not None and passage.stepped >= passage.party and Door.EXIT not in gate.blocked
    return frozenset() if through else frozenset({Door.EXIT})


def asked(gate: Gate) -> frozenset[Door]:
    """In maintenance: the door that a technician asked for, as long as the other one is shut.

    Where the presence sensor is doubted somebody may be there all the same: then the entry stays as it is,
    released, while no door is asked for.
    """
    felt = gate.persons > 0 and presence_is_doubted(gate)
    wanted = Door.ENTRY if gate.asked_door is None and felt and is_enclosed(gate) else gate.asked_door
    if wanted is None or not gate.shut >= BOTH - {wanted}:
        return frozenset()
    return frozenset({wanted})
