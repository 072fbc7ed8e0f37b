"""The state diagram of the passage, drawn from the table itself so that it cannot disagree with it."""

from collections.abc import Iterator

from gated.core.gate import State
from gated.core.table import ANYWHERE, LIMITS, TABLE, Row


def mermaid() -> str:
    """Write the table as a Mermaid state diagram; one arrow for each pair of states."""
    return "\n".join(("stateDiagram-v2", "    [*] --> out_of_service", *_arrows(), *_anywhere())) + "\n"


def _arrows() -> Iterator[str]:
    for state in State:
        targets: dict[State, list[Row]] = {}
        for row in TABLE[state]:
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
