"""A kiosk apart from the gate: reads, checks, looks, and makes a token for the gate. It has no door."""

from collections.abc import Mapping

from gated.core import conditions as on
from gated.core import reasons as because
from gated.core import table as rows
from gated.core.gate import State
from gated.core.table import Plan, Row, Rows
from gated.core.topologies import one_door
from gated.core.vocabulary import Outcome

TABLE: Mapping[State, Rows] = {
    **{
        state: one_door.TABLE[state]
        for state in one_door.TABLE
        if state not in {State.FREE_PASSAGE, State.EXIT_OPEN}
    },
    State.VERIFY: rows.verify(one_door.INSIDE, State.ISSUING),
    State.CONSENT: rows.consent(one_door.INSIDE, State.ISSUING),
    State.OFFICER: rows.officer(one_door.INSIDE, State.ISSUING),
    State.ISSUING: (
        Row(on.token_is_handed_over, State.CLEARING, Outcome.PREPARED),
        Row(on.in_trouble_without_token, State.REJECT_OUT, Outcome.REFERRED, because.faults),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "token_not_issued"),
    ),
}

PLAN = Plan(table=TABLE, doors=frozenset(), releases=rows.nothing)
