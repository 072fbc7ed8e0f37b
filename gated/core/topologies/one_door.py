"""One door at the end of an open way: the table of the lane with one door.

People stand before the door while their document is read, and the way back is always free. Whoever is
admitted is through when the light curtain of the door has seen them; nobody else may be.
"""

from collections.abc import Mapping

from gated.core import conditions as on
from gated.core import reasons as because
from gated.core import table as rows
from gated.core.gate import Gate, State
from gated.core.table import Plan, Row, Rows
from gated.core.vocabulary import Door, Outcome

BEFORE: Rows = rows.TROUBLE_BEFORE_ENTRY

INSIDE: Rows = (
    Row(on.crowded, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
    Row(on.empty, State.CLEARING, Outcome.ABANDONED, "walked_away"),
)

APPROACH: Rows = (
    *BEFORE,
    Row(on.in_and_document_taken, State.FACE_CAPTURE),
    Row(on.nobody_came, State.CLEARING, Outcome.ABANDONED, "entry_unused"),
    Row(on.crowded_for_too_long, State.REJECT_OUT, Outcome.REFUSED, "two_persons"),
    Row(on.expired, State.REJECT_OUT, Outcome.REFUSED, "document_left"),
)

EXIT_OPEN: Rows = (
    Row(on.tailgated, State.CLEARING, Outcome.ADMITTED, "tailgating"),
    Row(on.passed, State.CLEARING, Outcome.ADMITTED),
    Row(on.came_in_by_the_exit, State.OFFICER, why="wrong_way"),
    Row(on.is_locked, State.OFFICER, why="lane_locked"),
    Row(on.exit_stays_shut, State.OFFICER, why=because.faults),
    Row(on.hesitates_in_the_exit, State.EXIT_OPEN),
    Row(on.stands_in_the_exit, State.OFFICER, why="exit_obstructed"),
    Row(on.never_passed, State.CLEARING, Outcome.ABANDONED, "authorisation_unused"),
    Row(on.expired, State.OFFICER, why="loitering"),
)

FREE_PASSAGE: Rows = (
    Row(on.in_trouble, State.OUT_OF_SERVICE),
    Row(on.free_passage_is_over, State.OUT_OF_SERVICE),
)

REJECT_OUT: Rows = (
    Row(on.left_with_everything, State.CLEARING),
    rows.REPAIR,
    Row(on.expired, State.REJECT_OUT),
)

TABLE: Mapping[State, Rows] = {
    State.OUT_OF_SERVICE: rows.BY_MODE,
    State.CLOSED: rows.resting(State.CLOSED),
    State.LOCKED: rows.resting(State.LOCKED),
    State.MAINTENANCE: rows.MAINTENANCE,
    State.FREE_PASSAGE: FREE_PASSAGE,
    State.IDLE: (*rows.resting(State.IDLE), Row(on.passage_began, State.DOC_OPTICAL)),
    State.DOC_OPTICAL: rows.optical(BEFORE),
    State.DOC_CHIP: rows.chip(BEFORE),
    State.BACKGROUND: rows.background(BEFORE, State.APPROACH),
    State.APPROACH: APPROACH,
    State.FACE_CAPTURE: rows.capture(INSIDE),
    State.VERIFY: rows.verify(INSIDE, State.EXIT_OPEN),
    State.CONSENT: rows.consent(INSIDE, State.EXIT_OPEN),
    State.OFFICER: rows.officer(INSIDE, State.EXIT_OPEN),
    State.EXIT_OPEN: EXIT_OPEN,
    State.REJECT_OUT: REJECT_OUT,
    State.CLEARING: rows.AFTER_CLEARING,
    State.EMERGENCY: rows.EMERGENCY,
}


def releases(gate: Gate) -> frozenset[Door]:
    """The door, for whoever was admitted; in free passage for all."""
    match gate.state:
        case State.EXIT_OPEN:
            return rows.exit_for_those_admitted(gate)
        case State.FREE_PASSAGE:
            return frozenset({Door.EXIT})
        case State.MAINTENANCE:
            return rows.asked(gate) & {Door.EXIT}
        case _:
            return frozenset()


PLAN = Plan(table=TABLE, doors=frozenset({Door.EXIT}), releases=releases)
