"""Every code that the heart can tell has words, collected from where it stands: tables, screens, effects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.core import screens
from gated.core.gate import FIXES, State
from gated.core.table import ANYWHERE, Row
from gated.core.topologies import PLANS
from gated.core.vocabulary import Advice, Aging, Device, Hint, Vouched
from hw_sim.telling import words

ROOT = Path(__file__).parents[2]
CORE = ROOT / "gated" / "core"
AGES = {f"{kind}_{meaning}" for kind in Vouched for meaning in Aging if meaning is not Aging.FRESH}


def rows() -> Iterator[Row]:
    yield from ANYWHERE
    for plan in PLANS.values():
        for of_state in plan.table.values():
            yield from of_state


def reasons() -> set[str]:
    """What a row gives as its one reason; others are computed by functions."""
    return {row.why for row in rows() if isinstance(row.why, str) and row.why}


def texts(*nodes: ast.AST) -> set[str]:
    found = (inner for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Constant))
    return {constant.value for constant in found if isinstance(constant.value, str)}


def kinds_in(tree: ast.Module) -> Iterator[str]:
    """Each text that can become the kind of an alert: where it is given, assigned or returned."""
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for function in functions.values():
        assigned = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name not in {"AlertOfficer", "_alert"}:
                continue
            kind = call.args[0] if call.args else next(k.value for k in call.keywords if k.arg == "kind")
            while isinstance(kind, ast.Name) and kind.id in assigned:
                kind = assigned[kind.id]
            if isinstance(kind, ast.JoinedStr):  # of an age: the kind, and what it means
                yield from AGES
            elif isinstance(kind, ast.IfExp):
                yield from texts(kind.body, kind.orelse)
            elif isinstance(kind, ast.Call) and isinstance(kind.func, ast.Name) and kind.func.id in functions:
                returned = (
                    node for node in ast.walk(functions[kind.func.id]) if isinstance(node, ast.Return)
                )
                yield from texts(*returned) - texts(*(n.test for n in returned if isinstance(n, ast.IfExp)))
            else:
                yield from texts(kind)


def alerts() -> set[str]:
    """Kinds of alerts in the sources of the heart, and the outcomes that are told as such."""
    found = {kind for path in CORE.rglob("*.py") for kind in kinds_in(ast.parse(path.read_text("utf-8")))}
    return found | {str(row.outcome) for row in rows() if row.to is State.REJECT_OUT and row.outcome}


def told() -> set[screens.Told]:
    return set(screens.TOLD.values()) | {
        value for value in vars(screens).values() if isinstance(value, tuple) and len(value) == 3
    }


def test_the_collection_finds_what_is_known_to_be_there() -> None:
    assert {"tailgating", "emergency", "entry_unused"} <= reasons()
    assert {
        "referred",
        "officer_late",
        "not_left",
        "not_identified",
        "left_object",
        "wrong_way",
        "not_turned",
    } <= alerts()


@pytest.mark.parametrize("code", sorted(reasons()))
def test_every_reason_of_the_tables_has_words(code: str) -> None:
    assert code in words.REASONS


@pytest.mark.parametrize("kind", sorted(alerts()))
def test_every_alert_has_words(kind: str) -> None:
    assert kind in words.ALERTS or kind in words.REASONS


def test_every_screen_prompt_and_lamp_pattern_has_words() -> None:
    for screen, prompt, lamps in told():
        assert screen in words.SEEN
        assert prompt is None or prompt in words.SEEN or prompt in words.HEARD
        assert words.lamps(lamps) != words.spaced(lamps)
    assert set(words.SEEN) >= {*map(str, Advice), *map(str, Hint)}


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_a_word_or_has_some(state: State) -> None:
    assert state in words.STATES or "_" not in state


@pytest.mark.parametrize("code", sorted(FIXES))
def test_every_fault_of_the_heart_has_words(code: str) -> None:
    assert words.REASONS.get(code)


def test_a_fault_that_ends_a_passage_is_said_with_its_device() -> None:
    assert words.reason(f"{Device.IO_BOARD}_door_forced") == "fault of io board: door forced"
    assert words.reason("watchlist_stale") == words.REASONS["watchlist_stale"]
