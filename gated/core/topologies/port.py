"""A mantrap for two directions, never both at once: the table of the seaport lane.

It turns round only at rest, with nobody inside and both doors shut: by the schedule, by an officer's word, or
because somebody with a document waits at the other end. It does not turn to an end that is out of order, and
turns away from one that is where the other end is wanted.
"""

from collections.abc import Mapping

from gated.core import conditions as on
from gated.core import table as rows
from gated.core.gate import BOTH, State
from gated.core.table import Plan, Row, Rows
from gated.core.topologies import mantrap

TURN = Row(on.turn_is_wanted, State.CHANGE_OVER)

TABLE: Mapping[State, Rows] = {
    **mantrap.TABLE,
    State.CLOSED: rows.resting(State.CLOSED, mantrap.SOMEBODY, TURN),
    State.LOCKED: rows.resting(State.LOCKED, mantrap.SOMEBODY, TURN),
    State.IDLE: (
        *rows.resting(State.IDLE, mantrap.SOMEBODY, TURN),
        Row(on.passage_began, State.DOC_OPTICAL),
    ),
    State.OUT_OF_SERVICE: (
        *mantrap.TABLE[State.OUT_OF_SERVICE],
        Row(on.turn_is_the_way_on, State.CHANGE_OVER),
    ),
    State.CHANGE_OVER: (
        Row(on.broken_for_both_ways, State.OUT_OF_SERVICE),
        mantrap.SOMEBODY,
        Row(on.a_door_is_not_shut, State.OUT_OF_SERVICE),
        Row(on.turned, State.OUT_OF_SERVICE),
        Row(on.expired, State.CHANGE_OVER),
    ),
}

PLAN = Plan(table=TABLE, doors=BOTH, releases=mantrap.releases)
