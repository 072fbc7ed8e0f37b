"""Two doors with one person between them: the table of the mantrap.

Whoever is inside when the passage is over leaves by the entry; the exit must be shut for that.
"""

from collections.abc import Mapping

from gated.core import conditions as on
from gated.core import reasons as because
from gated.core import table as rows
from gated.core.gate import BOTH, Gate, State, inside
from gated.core.table import Plan, Row, Rows
from gated.core.vocabulary import Door, Outcome

SOMEBODY = Row(on.occupied, State.REJECT_OUT)
BEFORE_ENTRY: Rows = (*rows.TROUBLE_BEFORE_ENTRY, *rows.SOMEBODY_IS_INSIDE)

INSIDE: Rows = (
    Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
    Row(on.empty, State.CLEARING, Outcome.ABORTED, "person_lost"),
)

TABLE: Mapping[State, Rows] = {
    State.OUT_OF_SERVICE: (Row(on.trapped, State.REJECT_OUT), *rows.BY_MODE),
    State.CLOSED: rows.resting(State.CLOSED, SOMEBODY),
    State.LOCKED: rows.resting(State.LOCKED, SOMEBODY),
    State.MAINTENANCE: rows.MAINTENANCE,
    State.FREE_PASSAGE: (
        Row(on.in_trouble, State.OUT_OF_SERVICE),
        Row(on.free_passage_ends_on_somebody, State.REJECT_OUT),
        Row(on.free_passage_is_over, State.OUT_OF_SERVICE),
    ),
    State.IDLE: (
        *rows.resting(State.IDLE, SOMEBODY),
        Row(on.passage_began, State.DOC_OPTICAL),
    ),
    State.DOC_OPTICAL: rows.optical(BEFORE_ENTRY),
    State.DOC_CHIP: rows.chip(BEFORE_ENTRY),
    State.BACKGROUND: rows.background(BEFORE_ENTRY, State.ENTRY_OPEN),
    State.ENTRY_OPEN: (
        Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
        Row(on.in_trouble, State.REJECT_OUT, Outcome.REFERRED, because.faults),
        Row(on.in_and_document_taken, State.ENTRY_CLOSING),
        Row(on.lingers_in_the_entry, State.REJECT_OUT, Outcome.REFUSED, "loitering"),
        Row(on.nobody_came, State.CLEARING, Outcome.ABANDONED, "entry_unused"),
        Row(on.stands_in_the_entry, State.REJECT_OUT, Outcome.REFUSED, "entry_obstructed"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFUSED, "document_left"),
    ),
    State.ENTRY_CLOSING: (
        Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
        Row(on.in_trouble, State.REJECT_OUT, Outcome.REFERRED, because.faults),
        Row(on.closed_on_a_party, State.OFFICER, why="party"),
        Row(on.closed_on_one, State.FACE_CAPTURE),
        Row(on.closed_on_nobody, State.CLEARING, Outcome.ABANDONED, "stepped_back_out"),
        Row(on.in_the_way, State.ENTRY_OPEN),
        Row(on.obstructed, State.ENTRY_OPEN),
        Row(on.expired, State.REJECT_OUT, Outcome.REFUSED, "entry_obstructed"),
    ),
    State.FACE_CAPTURE: rows.capture(INSIDE),
    State.VERIFY: rows.verify(INSIDE, State.EXIT_OPEN),
    State.CONSENT: rows.consent(INSIDE, State.EXIT_OPEN),
    State.OFFICER: rows.officer(INSIDE, State.EXIT_OPEN),
    State.EXIT_OPEN: (
        Row(on.tailgated, State.CLEARING, Outcome.ADMITTED, "tailgating"),
        Row(on.left_by_the_exit, State.CLEARING, Outcome.ADMITTED),
        Row(on.came_in_by_the_exit, State.OFFICER, why="wrong_way"),
        Row(on.crowded, State.OFFICER, why="wrong_way"),
        Row(on.entry_came_open, State.OFFICER, why="entry_forced"),
        Row(on.is_locked, State.OFFICER, why="lane_locked"),
        Row(on.exit_stays_shut, State.OFFICER, why=because.faults),
        Row(on.hesitates_in_the_exit, State.EXIT_OPEN),
        Row(on.stands_in_the_exit, State.OFFICER, why="exit_obstructed"),
        Row(on.left_something, State.CLEARING, Outcome.ADMITTED, "left_object"),
        Row(on.left_uncounted, State.CLEARING, Outcome.ADMITTED, "count_unsure"),
        Row(on.expired, State.OFFICER, why="loitering"),
    ),
    State.REJECT_OUT: (
        Row(on.left_with_everything, State.CLEARING),
        rows.REPAIR,
        Row(on.left_with_everything_uncounted, State.CLEARING),
        Row(on.expired, State.REJECT_OUT),
    ),
    State.CLEARING: (SOMEBODY, *rows.AFTER_CLEARING),
    State.EMERGENCY: rows.EMERGENCY,
}


def releases(gate: Gate) -> frozenset[Door]:
    """Which door the present facts want released; in free passage one after the other."""
    match gate.state:
        case State.ENTRY_OPEN if Door.EXIT in gate.shut:
            return frozenset({Door.ENTRY})
        case State.EXIT_OPEN:
            return rows.exit_for_those_admitted(gate)
        case State.REJECT_OUT if Door.EXIT in gate.shut and (inside(gate) or Door.ENTRY in gate.blocked):
            return frozenset({Door.ENTRY})
        case State.FREE_PASSAGE if inside(gate) == 0 and Door.EXIT in gate.shut:
            return frozenset({Door.ENTRY})
        case State.FREE_PASSAGE if inside(gate) > 0 and Door.ENTRY in gate.shut:
            return frozenset({Door.EXIT})
        case State.MAINTENANCE:
            return rows.asked(gate)
        case _:
            return frozenset()


PLAN = Plan(table=TABLE, doors=BOTH, releases=releases)
