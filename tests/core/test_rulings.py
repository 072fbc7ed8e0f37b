"""What the heart does with a ruling: whom the rules do not admit is not let in, and who is told of it."""

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.gate import Gate, State
from gated.core.rulings import Ruling
from gated.core.step import step
from gated.core.vocabulary import Grade, Outcome
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events

PASSAGE = "1" * 16


def passed(ruling: Ruling, result: Result) -> tuple[list[do.AnyEffect], list[State]]:
    """A citizen's passage in which the rules say this."""
    gate = Gate(policy=POLICY)
    effects: list[do.AnyEffect] = []
    states: list[State] = []
    for event in (*start_events(), *citizen(PASSAGE)):
        if isinstance(event, ev.BackgroundChecked):
            said = Check("exit_ban", result, "" if result is Result.SUCCESSFUL else "exit_ban")
            event = replace(event, ruling=ruling, checks=(*event.checks, said))  # noqa: PLW2901
        gate, then = step(gate, event)
        effects += then
        states.append(gate.state)
    return effects, states


def alerts(effects: list[do.AnyEffect]) -> dict[str, Grade]:
    return {effect.kind: effect.grade for effect in effects if isinstance(effect, do.AlertOfficer)}


def test_an_admission_by_the_rules_calls_nobody() -> None:
    effects, states = passed(Ruling.ADMIT, Result.SUCCESSFUL)
    assert State.EXIT_OPEN in states
    assert not {"stopped_by_rules", "refused_by_rules"} & alerts(effects).keys()


@pytest.mark.parametrize("ruling", [Ruling.REFER, Ruling.REFUSE, Ruling.STOP])
def test_whoever_the_rules_do_not_admit_is_not_let_in(ruling: Ruling) -> None:
    effects, states = passed(ruling, Result.FAILED)
    assert State.ENTRY_OPEN not in states
    (ended,) = (effect for effect in effects if isinstance(effect, do.EndPassage))
    assert (ended.outcome, ended.reasons) == (Outcome.REFERRED, ("exit_ban",))
    told = {kind: grade for kind, grade in alerts(effects).items() if kind.endswith("_by_rules")}
    assert (
        told
        == {
            Ruling.REFER: {},
            Ruling.REFUSE: {"refused_by_rules": Grade.REFER},
            Ruling.STOP: {"stopped_by_rules": Grade.STOP},
        }[ruling]
    )
