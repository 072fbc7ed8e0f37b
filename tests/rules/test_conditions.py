"""Conditions in three-valued logic: what is known less exactly never gives another answer, only none."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.rules.compiling import compiled
from gated.rules.given import given as facts_of
from gated.rules.knowledge import Code, Facts, Several, Span, one
from gated.rules.truth import Truth
from tests.rules.strategies import blurred, tables, whole

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
GROUPS = {"nationals": frozenset({"UTO"})}


def asked(table: dict[str, Any], facts: Facts) -> Truth:
    return compiled(table, "when", GROUPS).ask(facts).truth


@pytest.mark.parametrize(
    ("table", "known", "truth"),
    [
        ({"age": {"at_least": 10}}, Span(10, 10), YES),
        ({"age": {"at_least": 10}}, Span(9, 9), NO),
        ({"age": {"at_least": 10}}, Span(9, 10), UNKNOWN),
        ({"age": {"at_least": 10}}, Span(None, 9), NO),
        ({"age": {"at_least": 10}}, Span(10, None), YES),
        ({"age": {"below": 10}}, Span(9, 9), YES),
        ({"age": {"below": 10}}, Span(10, 12), NO),
        ({"age": {"above": 10}}, Span(10, 10), NO),
        ({"age": {"above": 10}}, Span(11, None), YES),
        ({"age": {"at_most": 10}}, Span(10, 10), YES),
        ({"age": {"at_most": 10}}, Span(None, 11), UNKNOWN),
        ({"age": {"at_least": 10, "below": 18}}, Span(12, 14), YES),
        ({"nationality": "@nationals"}, one("UTO"), YES),
        ({"nationality": "@nationals"}, one("FRA"), NO),
        ({"nationality": ["FRA", "@nationals"]}, Code(frozenset({"FRA", "UTO"})), YES),
        ({"nationality": "FRA"}, Code(frozenset({"FRA", "UTO"})), UNKNOWN),
        ({"nationality": "@nationals"}, Code(frozenset({"UTO"}), other=True), NO),
        ({"nationality": "FRA"}, Code(frozenset({"UTO"}), other=True), UNKNOWN),
        ({"document_type": "P"}, one("PD"), YES),
        ({"document_type": "P"}, one("P"), YES),
        ({"document_type": "P<"}, one("P"), YES),
        ({"document_type": "P<"}, one("PD"), NO),
        ({"document_type": "PD"}, one("P"), NO),
        ({"document_type": "P"}, one("P?"), YES),
        ({"document_type": "PD"}, one("P?"), UNKNOWN),
        ({"document_type": "I"}, one("P?"), NO),
        ({"listed": "exit_ban"}, Several(frozenset({"lost", "exit_ban"})), YES),
        ({"listed": "exit_ban"}, Several(frozenset()), NO),
        ({"registered": True}, True, YES),
        ({"registered": False}, True, NO),
        ({"date": {"from": date(2026, 1, 1), "until": date(2026, 1, 2)}}, date(2026, 1, 2), YES),
        ({"date": {"from": date(2026, 1, 1), "until": date(2026, 1, 2)}}, date(2026, 1, 3), NO),
        ({"time": {"from": "06:00", "until": "22:00"}}, 6 * 60, YES),
        ({"time": {"from": "06:00", "until": "22:00"}}, 22 * 60, NO),
        ({"time": {"from": "22:00", "until": "06:00"}}, 23 * 60, YES),
        ({"time": {"from": "22:00", "until": "06:00"}}, 5 * 60 + 59, YES),
        ({"time": {"from": "22:00", "until": "06:00"}}, 6 * 60, NO),
    ],
)
def test_one_fact(table: dict[str, Any], known: Any, truth: Truth) -> None:
    (name,) = table
    assert asked(table, Facts({name: known})) is truth
    assert asked({"not": table}, Facts({name: known})) is {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[truth]


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ({"age": {"at_least": 10}}, True),
        ({"nationality": "UTO"}, Span(1, 1)),
        ({"document_type": "P"}, Code(frozenset({"P", "I"}))),
        ({"listed": "lost"}, one("lost")),
        ({"registered": True}, 1),
        ({"date": {"from": date(2026, 1, 1), "until": date(2026, 1, 2)}}, 5),
        ({"time": {"from": "06:00", "until": "22:00"}}, True),
    ],
)
def test_what_is_missing_or_of_another_kind_is_unknown(table: dict[str, Any], kind: Any) -> None:
    (name,) = table
    assert asked(table, Facts({})) is UNKNOWN
    assert asked(table, Facts({name: kind})) is UNKNOWN


def test_an_empty_condition_holds_and_its_opposite_never() -> None:
    assert asked({}, Facts({})) is YES
    assert asked({"not": {}}, Facts({})) is NO


def test_the_facts_that_decided_are_named_and_no_others() -> None:
    condition = compiled(
        {"age": {"at_least": 18}, "any": [{"registered": True}, {"visa": "work"}]}, "when", {}
    )
    young = facts_of({"age": 9, "registered": True, "visa": "none"}, "facts")
    assert condition.ask(young) == (NO, ("age",))
    grown = facts_of({"age": 30, "registered": True}, "facts")
    assert condition.ask(grown) == (YES, ("age", "registered"))
    neither = facts_of({"age": 30, "registered": False, "visa": "none"}, "facts")
    assert condition.ask(neither) == (NO, ("registered", "visa"))
    unsure = facts_of({"age": 30, "registered": False}, "facts")
    assert condition.ask(unsure) == (UNKNOWN, ("visa",))
    assert set(condition.names()) == {"age", "registered", "visa"}


@settings(derandomize=True, max_examples=150, deadline=None)
@given(tables(), whole(), st.data())
def test_less_knowledge_never_turns_an_answer(
    table: dict[str, Any], facts: Facts, data: st.DataObject
) -> None:
    condition = compiled(table, "when", {})
    answer = condition.ask(facts)
    assert answer.truth is not UNKNOWN
    less = condition.ask(data.draw(blurred(facts)))
    assert less.truth in {answer.truth, UNKNOWN}
    assert set(less.by) <= set(condition.names())


@settings(derandomize=True, max_examples=100, deadline=None)
@given(tables(), whole())
def test_the_facts_that_are_named_decide_alone(table: dict[str, Any], facts: Facts) -> None:
    condition = compiled(table, "when", {})
    answer = condition.ask(facts)
    alone = Facts({name: facts.known[name] for name in answer.by})
    assert condition.ask(alone).truth is answer.truth


def test_facts_show_their_names_and_never_what_they_are() -> None:
    facts = facts_of({"nationality": "FRA", "age": 34, "visa": "work", "listed": ["lost"]}, "facts")
    assert repr(facts) == "Facts(nationality, age, visa, listed)"
    for value in facts.known.values():
        assert not any(text in repr(value) for text in ("FRA", "34", "work", "lost"))
