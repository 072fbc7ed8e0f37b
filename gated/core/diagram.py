"""The state diagram of the passage, drawn from the table itself so that it cannot disagree with it."""

from collections.abc import Iterator

from gated.core.gate import State
from gated.core.table import ANYWHERE, LIMITS, Plan, Row
from gated.core.topologies import PLANS
from gated.core.vocabulary import Topology


def mermaid(topology: Topology = Topology.MANTRAP) -> str:
    """Write the table as a Mermaid state diagram; one arrow for each pair of states."""
    arrows = _arrows(PLANS[topology])
    return "\n".join(("stateDiagram-v2", "    [*] --> out_of_service", *arrows, *_anywhere())) + "\n"


def _arrows(plan: Plan) -> Iterator[str]:
    for state in plan.table:
        targets: dict[State, list[Row]] = {}
        for row in plan.table[state]:
            targets.setdefault(row.to, []).append(row)
        for target, rows in targets.items():
            yield f"    {state} --> {target}: {'<br/>'.join(_label(state, row) for row in rows)}"


def _anywhere() -> Iterator[str]:
    for row in ANYWHERE:
        yield f"    note right of {row.to}: from anywhere, when {_words(row)}"


def _label(state: State, row: Row) -> str:
    name = _words(row)
    if "expired" in name and state in LIMITS:
        name = f"{name} ({LIMITS[state]})"
    return f"{name} [{row.outcome}]" if row.outcome else name


def _words(row: Row) -> str:
    return row.when.__name__.replace("_", " ")
