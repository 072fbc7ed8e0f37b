"""People walk through a corridor up to a barrier, which opens for whom it knows: the walk-through lane.

The presence sensor watches the stretch between the decision line and the barrier. Whoever stands there
without a passage of their own meets a closed barrier and is asked to go back.
"""

from collections.abc import Mapping

from gated.core import conditions as on
from gated.core import table as rows
from gated.core.gate import State
from gated.core.table import Plan, Row, Rows
from gated.core.topologies import one_door
from gated.core.vocabulary import Door

NOT_IDENTIFIED = Row(on.occupied, State.REJECT_OUT)

TABLE: Mapping[State, Rows] = {
    **one_door.TABLE,
    State.CLOSED: rows.resting(State.CLOSED, NOT_IDENTIFIED),
    State.LOCKED: rows.resting(State.LOCKED, NOT_IDENTIFIED),
    State.IDLE: (
        *rows.resting(State.IDLE, NOT_IDENTIFIED),
        Row(on.passage_began, State.DOC_OPTICAL),
    ),
    State.CLEARING: (NOT_IDENTIFIED, *rows.AFTER_CLEARING),
}

PLAN = Plan(table=TABLE, doors=frozenset({Door.EXIT}), releases=one_door.releases)
