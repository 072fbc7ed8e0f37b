"""A mantrap for people whom a kiosk has checked: their token takes the place of the chip."""

from collections.abc import Mapping

from gated.core import conditions as on
from gated.core import reasons as because
from gated.core import table as rows
from gated.core.gate import BOTH, State
from gated.core.table import Plan, Row, Rows
from gated.core.topologies import mantrap
from gated.core.vocabulary import Outcome

TABLE: Mapping[State, Rows] = {
    **{state: mantrap.TABLE[state] for state in mantrap.TABLE if state is not State.DOC_CHIP},
    State.DOC_OPTICAL: rows.optical(mantrap.BEFORE_ENTRY, State.DOC_TOKEN),
    State.DOC_TOKEN: (
        *mantrap.BEFORE_ENTRY,
        Row(on.token_is_refused, State.REJECT_OUT, Outcome.REFERRED, because.token_reason),
        Row(on.chip_check_failed, State.REJECT_OUT, Outcome.REFERRED, because.failed_chip_checks),
        Row(on.chip_is_good, State.BACKGROUND),
        Row(on.document_is_gone, State.CLEARING, Outcome.ABANDONED, "document_removed"),
        Row(on.expired, State.REJECT_OUT, Outcome.REFERRED, "token_timeout"),
    ),
}

PLAN = Plan(table=TABLE, doors=BOTH, releases=mantrap.releases)
