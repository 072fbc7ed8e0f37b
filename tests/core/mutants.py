"""Tables that are wrong on purpose.

Every row of a lane is dropped, led astray, swapped with the next, and negated; every release of a door is
forgotten, and added where it does not belong.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gated.core.gate import Gate, State
from gated.core.table import Plan, Row, Rows
from gated.core.topologies import PLANS
from gated.core.vocabulary import Door, Topology

ASTRAY = (State.EXIT_OPEN, State.IDLE)
RELEASING = {State.ENTRY_OPEN, State.EXIT_OPEN, State.REJECT_OUT, State.FREE_PASSAGE, State.MAINTENANCE}


@dataclass(frozen=True)
class Mutant:
    """One wrong plan, and what is wrong with it."""

    name: str
    plan: Plan


@contextmanager
def in_force(topology: Topology, plan: Plan) -> Iterator[None]:
    """The heart decides by this plan."""
    right = PLANS[topology]
    plans = PLANS
    assert isinstance(plans, dict)
    plans[topology] = plan
    try:
        yield
    finally:
        plans[topology] = right


def with_rows(plan: Plan, state: State, rows: Rows) -> Plan:
    """The plan with other rows for one state."""
    return plan._replace(table={**plan.table, state: rows})


def releasing(plan: Plan, state: State, *doors: Door) -> Plan:
    """The plan that releases just these doors in one state."""

    def releases(gate: Gate) -> frozenset[Door]:
        return frozenset(doors) if gate.state is state else plan.releases(gate)

    return plan._replace(releases=releases)


def mutants(topology: Topology) -> Iterator[Mutant]:
    """All of them, in the order of the table."""
    plan = PLANS[topology]
    for state, rows in plan.table.items():
        for number, row in enumerate(rows):
            before, after = rows[:number], rows[number + 1 :]
            name = f"{state} {number} {row.when.__name__}"
            yield Mutant(f"{name}: dropped", with_rows(plan, state, (*before, *after)))
            for target in ASTRAY:
                if target in plan.table and target is not row.to:
                    wrong = (*before, row._replace(to=target), *after)
                    yield Mutant(f"{name}: to {target}", with_rows(plan, state, wrong))
            if after:
                yield Mutant(
                    f"{name}: after the next", with_rows(plan, state, (*before, after[0], row, *after[1:]))
                )
            yield Mutant(f"{name}: negated", with_rows(plan, state, (*before, _negated(row), *after)))
    yield from _of_releases(plan, plan.table)


def _of_releases(plan: Plan, table: Mapping[State, Rows]) -> Iterator[Mutant]:
    for state in table:
        if state is State.EMERGENCY or not plan.doors:
            continue
        if state in RELEASING:
            yield Mutant(f"{state}: releases nothing", releasing(plan, state))
        for door in sorted(plan.doors):
            yield Mutant(f"{state}: releases the {door} always", releasing(plan, state, door))


def _negated(row: Row) -> Row:
    def wrong(gate: Gate) -> bool:
        return not row.when(gate)

    wrong.__name__ = f"not_{row.when.__name__}"
    return row._replace(when=wrong)
