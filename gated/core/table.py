"""The transition table: for each state, what must hold for the gate to go on, and where to.

Theory. Events only change facts; the rows below are conditions over facts. After every event the rows of
the present state are asked from top to bottom and the first that holds is taken; this repeats until none
holds. So a fact that comes early (the watchlist answers before the chip) needs no state of its own, and a
fact that comes late finds the state that waits for it. Rows stand in order of gravity: danger, then
trouble, then failure, then progress, then the passing of time.

A row that ends or refers a passage names the outcome and the reasons; `step` performs the entry effects.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gated.core import conditions as on
from gated.core.gate import BOTH, Gate, State, chip_is_good, may_admit
from gated.core.vocabulary import Door, Outcome

Condition = Callable[[Gate], bool]
Reasons = Callable[[Gate], tuple[str, ...]]


class Row(NamedTuple):
    """When this holds, go there. `why` gives the reasons, or is the one reason."""

    when: Condition
    to: State
    outcome: Outcome | None = None
    why: Reasons | str = ""


# --- the table --------------------------------------------------------------------------------------

ANYWHERE: tuple[Row, ...] = (Row(on.emergency_is_on, State.EMERGENCY, Outcome.ABORTED, "emergency"),)

BEFORE_ENTRY: tuple[Row, ...] = (
    Row(on.in_trouble, State.REJECT_OUT, Outcome.REFERRED, on.faults),
    Row(on.occupied, State.REJECT_OUT, Outcome.REFERRED, "intrusion"),
)

INSIDE: tuple[Row, ...] = (
    Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
    Row(on.empty, State.CLEARING, Outcome.ABORTED, "person_lost"),
)

TABLE: Mapping[State, tuple[Row, ...]] = {
    State.OUT_OF_SERVICE: (
        Row(on.trapped, State.REJECT_OUT),
        Row(on.fit_to_open, State.IDLE),
        Row(on.fit_to_close, State.CLOSED),
    ),
    State.CLOSED: (
        Row(on.in_trouble, State.OUT_OF_SERVICE),
        Row(on.occupied, State.REJECT_OUT),
        Row(on.a_door_is_not_shut, State.OUT_OF_SERVICE),
        Row(on.wanted_open, State.IDLE),
    ),
    State.IDLE: (
        Row(on.in_trouble, State.OUT_OF_SERVICE),
        Row(on.occupied, State.REJECT_OUT),
        Row(on.a_door_is_not_shut, State.OUT_OF_SERVICE),
        Row(on.wanted_closed, State.CLOSED),
        Row(on.passage_began, State.DOC_OPTICAL),
    ),
    State.DOC_OPTICAL: (
        *BEFORE_ENTRY,
        Row(on.document_is_gone, State.CLEARING, Outcome.ABANDONED, "document_removed"),
        Row(on.mrz_is_read, State.DOC_CHIP),
        Row(on.mrz_tries_are_spent, State.REJECT_OUT, Outcome.REFERRED, "mrz_unreadable"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "mrz_timeout"),
    ),
    State.DOC_CHIP: (
        *BEFORE_ENTRY,
        Row(on.chip_check_failed, State.REJECT_OUT, Outcome.REFERRED, on.failed_chip_checks),
        Row(chip_is_good, State.BACKGROUND),
        Row(on.document_is_gone, State.CLEARING, Outcome.ABANDONED, "document_removed"),
        Row(on.chip_tries_are_spent, State.REJECT_OUT, Outcome.REFERRED, on.chip_reason),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "chip_timeout"),
    ),
    State.BACKGROUND: (
        *BEFORE_ENTRY,
        Row(on.clock_is_unsure, State.REJECT_OUT, Outcome.REFERRED, "clock_unsynchronised"),
        Row(on.list_hit, State.REJECT_OUT, Outcome.REFERRED, "watchlist_hit"),
        Row(on.lists_are_stale, State.REJECT_OUT, Outcome.REFERRED, "watchlist_stale"),
        Row(on.not_eligible, State.REJECT_OUT, Outcome.REFERRED, on.failed_background_checks),
        Row(on.photograph_is_unusable, State.REJECT_OUT, Outcome.REFERRED, "photograph_unusable"),
        Row(on.may_enter, State.ENTRY_OPEN),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "background_timeout"),
    ),
    State.ENTRY_OPEN: (
        Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
        Row(on.one_inside_document_taken, State.ENTRY_CLOSING),
        Row(on.nobody_came, State.CLEARING, Outcome.ABANDONED, "entry_unused"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFUSED, "document_left"),
    ),
    State.ENTRY_CLOSING: (
        Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
        Row(on.closed_on_one, State.FACE_CAPTURE),
        Row(on.closed_on_nobody, State.CLEARING, Outcome.ABANDONED, "stepped_back_out"),
        Row(on.obstructed, State.ENTRY_OPEN),
        Row(on.expired, State.REJECT_OUT, Outcome.REFUSED, "entry_obstructed"),
    ),
    State.FACE_CAPTURE: (
        *INSIDE,
        Row(on.in_trouble, State.OFFICER, why=on.faults),
        Row(on.face_is_assessed, State.VERIFY),
        Row(on.expired, State.VERIFY),
    ),
    State.VERIFY: (
        *INSIDE,
        Row(on.in_trouble, State.OFFICER, why=on.faults),
        Row(may_admit, State.EXIT_OPEN),
        Row(on.attack_is_seen, State.OFFICER, why=on.face_reasons),
        Row(on.too_short, State.OFFICER, why=on.face_reasons),
        Row(on.another_look, State.FACE_CAPTURE),
        Row(on.face_is_assessed, State.OFFICER, why=on.face_reasons),
        Row(on.expired, State.OFFICER, why=on.face_reasons),
    ),
    State.OFFICER: (
        *INSIDE,
        Row(on.officer_accepts, State.EXIT_OPEN),
        Row(on.officer_refuses, State.REJECT_OUT, Outcome.REFUSED, "officer_refused"),
        Row(on.officer_escorts, State.REJECT_OUT, Outcome.REFERRED, "officer_escorts"),
        Row(on.officer_is_late, State.OFFICER),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "officer_absent"),
    ),
    State.EXIT_OPEN: (
        Row(on.empty, State.CLEARING, Outcome.ADMITTED),
        Row(on.crowded, State.OFFICER, why="wrong_way"),
        Row(on.entry_came_open, State.OFFICER, why="entry_forced"),
        Row(on.expired, State.OFFICER, why="loitering"),
    ),
    State.REJECT_OUT: (
        Row(on.left_with_everything, State.CLEARING),
        Row(on.expired, State.REJECT_OUT),
    ),
    State.CLEARING: (
        Row(on.occupied, State.REJECT_OUT),
        Row(on.cleared_in_trouble, State.OUT_OF_SERVICE),
        Row(on.cleared_to_close, State.CLOSED),
        Row(on.cleared, State.IDLE),
        Row(on.expired, State.CLEARING),
    ),
    State.EMERGENCY: (Row(on.emergency_is_over, State.OUT_OF_SERVICE),),
}

# How long a state may last: the name of its limit in the policy. The others wait for as long as it takes.
LIMITS: Mapping[State, str] = {
    State.DOC_OPTICAL: "optical_s",
    State.DOC_CHIP: "chip_s",
    State.BACKGROUND: "background_s",
    State.ENTRY_OPEN: "entry_s",
    State.ENTRY_CLOSING: "closing_s",
    State.FACE_CAPTURE: "capture_s",
    State.VERIFY: "verify_s",
    State.OFFICER: "officer_s",
    State.EXIT_OPEN: "exit_s",
    State.REJECT_OUT: "leave_s",
    State.CLEARING: "clearing_s",
}


def releases(gate: Gate) -> frozenset[Door]:
    """Which doors the present facts want released. Never both but in an emergency.

    Whoever is inside when the passage is over leaves by the entry; the exit must be shut for that.
    """
    match gate.state:
        case State.EMERGENCY:
            return BOTH
        case State.ENTRY_OPEN:
            return frozenset({Door.ENTRY})
        case State.EXIT_OPEN:
            return frozenset({Door.EXIT})
        case State.REJECT_OUT if gate.persons > 0 and Door.EXIT in gate.shut:
            return frozenset({Door.ENTRY})
        case _:
            return frozenset()
