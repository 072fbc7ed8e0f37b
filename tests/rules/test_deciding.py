"""Decisions: one ground is enough, the gravest rule counts, what is unknown refers, and all of it is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.checks import Check, Result, overall
from gated.core.rulings import Held, Ruling
from gated.rules import Decision, decide, from_table
from gated.rules.deciding import GRAVITY
from gated.rules.facts import HEIGHT
from gated.rules.given import given as facts_of
from gated.rules.knowledge import Facts, exactly
from tests.rules.packs import BAN, TALL, agency, small, small_pack
from tests.rules.strategies import blurred, tables, whole

ADULT: dict[str, Any] = {"nationality": "UTO", "age": 30, "direction": "departure", "listed": []}


def decided(table: dict[str, Any] | None = None, **facts: Any) -> Decision:
    given_facts = {name: value for name, value in {**ADULT, **facts}.items() if value is not None}
    return decide(from_table(table or small(BAN, TALL)), facts_of(given_facts, "facts"))


def failures(decision: Decision) -> dict[str, tuple[Result, str]]:
    return {c.name: (c.result, c.reason) for c in decision.checks if c.result is not Result.SUCCESSFUL}


def test_whoever_has_a_ground_and_fulfils_every_rule_is_admitted() -> None:
    decision = decided()
    assert decision.ruling is Ruling.ADMIT
    assert decision.checks == tuple(
        Check(name, Result.SUCCESSFUL) for name in ("eligibility", "age", "exit_ban")
    )
    assert [(why.rule, why.held) for why in decision.why] == [
        ("national", Held.YES),
        ("ten", Held.YES),
        ("ban", Held.YES),
        ("tall", Held.NOT_CONCERNED),
    ]
    assert decision.reasons == ()
    assert decision.min_height_m is None


@pytest.mark.parametrize(
    ("facts", "ruling", "fault"),
    [
        ({"age": 9}, Ruling.REFER, {"age": (Result.FAILED, "under_age")}),
        ({"age": None}, Ruling.REFER, {"age": (Result.UNDETERMINED, "age_unknown")}),
        ({"listed": ["exit_ban"]}, Ruling.STOP, {"exit_ban": (Result.FAILED, "exit_ban")}),
        ({"listed": None}, Ruling.REFER, {"exit_ban": (Result.UNDETERMINED, "exit_ban_unknown")}),
        ({"nationality": "FRA"}, Ruling.REFER, {"eligibility": (Result.FAILED, "not_served")}),
        (
            {"nationality": None},
            Ruling.REFER,
            {"eligibility": (Result.UNDETERMINED, "eligibility_unknown")},
        ),
        (
            {"age": 9, "listed": ["exit_ban"]},
            Ruling.STOP,
            {"age": (Result.FAILED, "under_age"), "exit_ban": (Result.FAILED, "exit_ban")},
        ),
        ({"direction": "arrival", "listed": ["exit_ban"]}, Ruling.ADMIT, {}),
        ({"direction": None}, Ruling.ADMIT, {}),  # whoever is not banned may go whichever way the lane leads
        (
            {"direction": None, "listed": ["exit_ban"]},
            Ruling.REFER,
            {"exit_ban": (Result.UNDETERMINED, "exit_ban_unknown")},
        ),
    ],
)
def test_what_does_not_hold_is_told_as_a_check(
    facts: dict[str, Any], ruling: Ruling, fault: dict[str, tuple[Result, str]]
) -> None:
    decision = decided(**facts)
    assert decision.ruling is ruling
    assert failures(decision) == fault
    assert (overall(decision.checks) is Result.SUCCESSFUL) is (ruling is Ruling.ADMIT)
    assert set(decision.reasons) == {reason for _, reason in fault.values()}


def test_a_rule_may_ask_to_refuse() -> None:
    refusing = {**BAN, "otherwise": "refuse"}
    decision = decided(small(refusing), listed=["exit_ban"])
    assert decision.ruling is Ruling.REFUSE


def test_the_height_of_whoever_may_be_a_child_is_left_for_later() -> None:
    assert decided(age=12).min_height_m == 1.2
    assert decided(age=12).ruling is Ruling.ADMIT
    assert decided(age={"at_least": 17, "at_most": 18}).min_height_m == 1.2
    assert decided(age=18).min_height_m is None
    held = {why.rule: why.held for why in decided(age=12).why}
    assert held["tall"] is Held.LATER
    assert "height" not in {check.name for check in decided(age=12).checks}


@pytest.mark.parametrize(
    ("height", "ruling", "reasons"),
    [
        (1.2, Ruling.ADMIT, ()),
        (1.19, Ruling.REFER, ("too_short",)),
        ({"at_least": 1.18, "at_most": 1.22}, Ruling.REFER, ("height_undetermined",)),
    ],
)
def test_a_height_that_is_known_decides(height: Any, ruling: Ruling, reasons: tuple[str, ...]) -> None:
    decision = decided(age=12, height_m=height)
    assert (decision.ruling, decision.reasons) == (ruling, reasons)


def test_rules_that_share_a_check_give_its_worst_result() -> None:
    also = {**small()["rules"][0], "id": "also", "that": {"age": {"at_least": 16}}, "otherwise": "stop"}
    unsure = {**also, "id": "unsure", "that": {"registered": True}, "reason": "not_registered"}
    decision = decided(small(unsure | {"unsure": "registration_unknown"}, also), age=12)
    assert failures(decision) == {"age": (Result.FAILED, "under_age")}
    assert decision.reasons == ("registration_unknown", "under_age")
    assert decision.ruling is Ruling.STOP


def test_of_several_grounds_those_that_hold_are_told_else_all() -> None:
    pack = agency()
    resident = {
        "document_type": "P", "nationality": "FRA", "age": 30, "direction": "departure", "days_left": 3,
        "residence_title": "permanent", "residence_days": 10, "registered": True, "listed": [],
    }  # fmt: skip
    decision = decide(pack, facts_of(resident, "facts"))
    grounds = [why.rule for why in decision.why if why.rule in {ground.id for ground in pack.grounds}]
    assert grounds == ["resident", "foreigner-departing"]
    stranger = decide(pack, facts_of({**resident, "direction": "arrival", "registered": False}, "facts"))
    assert len([why for why in stranger.why if why.rule in {g.id for g in pack.grounds}]) == 4


def test_the_order_of_rules_and_grounds_decides_nothing() -> None:
    pack = agency()
    mixed = replace(pack, grounds=pack.grounds[::-1], rules=pack.rules[::-1])
    for example in pack.examples:
        one, other = decide(pack, example.facts), decide(mixed, example.facts)
        assert (one.ruling, set(one.checks), set(one.reasons)) == (
            other.ruling,
            set(other.checks),
            set(other.reasons),
        )


def _rule(n: int, of: dict[str, Any], that: dict[str, Any], otherwise: str) -> dict[str, Any]:
    return {**BAN, "id": f"rule-{n}", "of": of, "that": that, "otherwise": otherwise}


no_height = tables().filter(lambda table: HEIGHT not in repr(table))
rule_parts = st.tuples(no_height, no_height, st.sampled_from(("refer", "refuse", "stop")))


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(rule_parts, min_size=1, max_size=4), no_height, whole(), st.data())
def test_with_less_knowledge_nobody_is_admitted_who_else_is_not(
    parts: list[tuple[dict[str, Any], dict[str, Any], str]],
    when: dict[str, Any],
    facts: Facts,
    data: st.DataObject,
) -> None:
    table = small(*(_rule(n, *part) for n, part in enumerate(parts)))
    table["grounds"][0]["when"] = when
    pack = from_table(table)
    known = decide(pack, facts)
    less = decide(pack, data.draw(blurred(facts)))
    if less.ruling is Ruling.ADMIT:
        assert known.ruling is Ruling.ADMIT
    else:
        assert GRAVITY[less.ruling] <= max(GRAVITY[known.ruling], GRAVITY[Ruling.REFER])
    for decision in (known, less):
        assert (overall(decision.checks) is Result.SUCCESSFUL) is (decision.ruling is Ruling.ADMIT)
        assert bool(decision.reasons) is (decision.ruling is not Ruling.ADMIT)
        assert {why.rule for why in decision.why} >= {rule.id for rule in pack.rules}


def test_a_decision_tells_facts_by_their_names_alone() -> None:
    decision = decide(small_pack(), Facts({"age": exactly(7)}))
    assert "7" not in repr(decision.why)
