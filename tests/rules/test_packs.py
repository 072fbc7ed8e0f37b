"""The packs that there are: the shipped one, a gate's own settings, and their examples."""

from typing import Any

import pytest

from gated.core.rulings import Held, Ruling
from gated.core.settings.travellers import EligibilitySettings
from gated.rules import CHECKS, REASONS, RulesError, decide, of_settings, tried
from gated.rules.given import given as facts_of
from gated.rules.telling import trace_in_words
from tests.rules.packs import BAN, agency, small_pack


def test_every_example_of_the_shipped_pack_comes_out_and_shows_all_rules() -> None:
    found = tried(agency())
    assert found.good
    assert found.examples > 20


def test_each_decision_of_the_shipped_pack_is_explained_by_a_text() -> None:
    pack = agency()
    for example in pack.examples:
        decision = decide(pack, example.facts)
        assert all(why.law in pack.law for why in decision.why)
        assert {why.reason for why in decision.why} - {""} == example.reasons
        decisive = [why for why in decision.why if why.held in {Held.NO, Held.UNKNOWN} and why.reason]
        assert bool(decisive) is (decision.ruling is not Ruling.ADMIT)
        assert all(why.by for why in decisive)


def test_an_example_that_does_not_come_out_is_told() -> None:
    child = {"title": "A child", "facts": {"nationality": "UTO", "age": 9}, "outcome": "admit"}
    (broken,) = tried(small_pack(examples=[child])).broken
    assert (broken.number, broken.title) == (0, "A child")
    assert (broken.outcome, broken.decided, broken.decided_reasons) == (
        Ruling.ADMIT,
        Ruling.REFER,
        ("under_age",),
    )


def test_what_no_example_shows_is_told() -> None:
    facts = {"nationality": "UTO", "age": 9, "direction": "arrival"}
    child = {"title": "A child", "facts": facts, "outcome": "refer", "reasons": ["under_age"]}
    found = tried(small_pack(BAN, examples=[child]))
    assert not found.broken
    assert found.unshown == ("ban",)
    assert not found.good


def ruled(settings: EligibilitySettings, height: float = 1.2, **facts: Any) -> tuple[Ruling, tuple[str, ...]]:
    known = {"document_type": "P", "age": 30, **facts}
    decision = decide(of_settings(settings, height), facts_of(known, "facts"))
    return decision.ruling, decision.reasons


@pytest.mark.parametrize(
    ("changed", "facts", "reason"),
    [
        ({}, {}, None),
        ({}, {"age": 9}, "under_age"),
        ({"min_age_years": 0}, {"age": 0}, None),
        ({"document_types": ("P<",)}, {"document_type": "PD"}, "document_type_not_served"),
        ({"document_types": ("I", "AC")}, {"document_type": "AC"}, None),
        ({"document_types": ()}, {}, "document_type_not_served"),
    ],
)
def test_the_settings_are_rules(changed: dict[str, Any], facts: dict[str, Any], reason: str | None) -> None:
    ruling, reasons = ruled(EligibilitySettings(**changed), **facts)
    assert reasons == (() if reason is None else (reason,))
    assert (ruling is Ruling.ADMIT) is (reason is None)


@pytest.mark.parametrize(
    ("height", "until", "age", "asked"),
    [(1.2, 18, 12, 1.2), (1.2, 18, 18, None), (0.0, 18, 12, None), (1.2, 0, 12, None), (1.1, 150, 99, 1.1)],
)
def test_the_settings_ask_for_the_height_of_children(
    height: float, until: int, age: int, asked: float | None
) -> None:
    pack = of_settings(EligibilitySettings(height_until_age_years=until), height)
    assert decide(pack, facts_of({"document_type": "P", "age": age}, "facts")).min_height_m == asked


def test_other_settings_are_another_pack() -> None:
    hashes = {
        of_settings(EligibilitySettings(min_age_years=age), height).sha256
        for age in (0, 10, 12)
        for height in (0.0, 1.2)
    }
    assert len(hashes) == 6
    assert of_settings(EligibilitySettings(), 1.2) == of_settings(EligibilitySettings(), 1.2)


def test_settings_that_are_no_rules_are_refused() -> None:
    with pytest.raises(RulesError):
        of_settings(EligibilitySettings(document_types=("<",)), 1.2)


def test_a_trace_in_words_begins_with_what_decided_and_names_the_law() -> None:
    pack = small_pack(BAN)
    facts = facts_of({"nationality": "UTO", "age": 9, "direction": "departure"}, "facts")
    lines = list(trace_in_words(decide(pack, facts).why))
    assert lines == [
        "ten does not hold, by the age in whole years: too young to use the lane alone [art-2]",
        (
            "ban cannot be told, by the entries of lists:"
            " it is not known whether the traveller may leave: the lists did not answer [art-1]"
        ),
        "national holds, by the nationality [art-1]",
    ]
    arriving = facts_of({"nationality": "UTO", "age": 30, "direction": "arrival"}, "facts")
    assert "ban is not about this traveller [art-1]" in trace_in_words(decide(pack, arriving).why, whole=True)


def test_every_word_is_a_code_with_a_sentence() -> None:
    for code, sentence in {**CHECKS, **REASONS}.items():
        assert code.replace("_", "").isalpha()
        assert code == code.lower()
        assert sentence == sentence.strip() != ""
