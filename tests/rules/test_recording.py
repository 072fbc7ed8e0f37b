"""What goes on record of the facts: nothing that names anybody, and nothing that says more than was known."""

import re
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.rules import decide
from gated.rules.compiling import compiled
from gated.rules.facts import FACTS
from gated.rules.given import given as facts_of
from gated.rules.knowledge import Code, Facts, Several, Span
from gated.rules.recording import BANDS, MAX_TRACE, Profile, recalled, recorded, traced
from gated.rules.truth import Truth
from tests.rules.packs import BAN, agency, small_pack
from tests.rules.strategies import tables, whole

NATIONALS = {"nationals": frozenset({"UTO"})}
WHOLE: dict[str, Any] = {
    "document_type": "PD",
    "nationality": "FRA",
    "issuer": "UTO",
    "age": 34,
    "document_days": 700,
    "direction": "departure",
    "date": date(2026, 11, 26),
    "time": "06:30",
    "weekday": "thu",
    "height_m": 1.7,
    "listed": ["lost"],
    "registered": True,
    "residence_title": "permanent",
    "visa": "none",
    "programmes": ["reciprocity"],
    "days_left": -4,
}


def on_record(profile: Profile, groups: Any = None, **changed: Any) -> dict[str, str]:
    return recorded(facts_of(WHOLE | changed, "facts"), profile, NATIONALS if groups is None else groups)


def test_the_basic_profile_writes_bands_and_families_and_no_codes_of_people() -> None:
    assert on_record("basic") == {
        "document_type": "P?",
        "nationality": "!UTO",
        "issuer": "UTO",
        "age": "21..64",
        "document_days": "180..",
        "direction": "departure",
        "listed": "lost",
        "registered": "yes",
        "residence_title": "!none",
        "visa": "none",
        "programmes": "?",
        "days_left": "..-1",
    }


def test_the_extended_profile_writes_codes_and_still_no_age() -> None:
    written = on_record("extended")
    assert (written["document_type"], written["nationality"], written["age"]) == ("PD", "FRA", "21..64")
    assert (written["residence_title"], written["programmes"]) == ("permanent", "reciprocity")


@pytest.mark.parametrize("groups", [{}, {"nationals": frozenset(f"A{n}" for n in range(33))}])
def test_without_a_short_group_of_nationals_no_nationality_is_written(groups: Any) -> None:
    assert on_record("basic", groups)["nationality"] == "?"


def test_what_was_not_known_is_not_written_and_what_may_not_be_is_marked() -> None:
    assert recorded(Facts({}), "basic", NATIONALS) == {}
    assert recalled({"programmes": "?", "listed": "-"}).known == {"listed": Several(frozenset())}


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ({"age": "10..11"}, Span(10, 11)),
        ({"age": "65.."}, Span(65, None)),
        ({"days_left": "..-1"}, Span(None, -1)),
        ({"nationality": "!UTO|FRA"}, Code(frozenset({"UTO", "FRA"}), other=True)),
        ({"registered": "no"}, False),
    ],
)
def test_a_record_is_recalled(written: dict[str, str], known: Any) -> None:
    assert recalled(written).known == dict.fromkeys(written, known)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*FACTS, "shoe_size"]), st.text("0123456789.!|?-ABCnoys", max_size=9)))
def test_what_a_record_does_not_say_well_is_unknown(written: dict[str, str]) -> None:
    facts = recalled(written)
    assert set(facts.known) <= set(FACTS) & set(written)
    decide(agency(), facts)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(whole(), tables(), st.sampled_from(("basic", "extended")))
def test_a_record_never_answers_otherwise_than_what_it_was_made_of(
    facts: Facts, table: dict[str, Any], profile: Profile
) -> None:
    """And neither age nor days are told to the number."""
    written = recorded(facts, profile, NATIONALS)
    condition = compiled(table, "when", {})
    assert condition.ask(recalled(written)).truth in {condition.ask(facts).truth, Truth.UNKNOWN}
    for name in BANDS:
        assert re.fullmatch(r"(-?\d+)?\.\.(-?\d+)?", written[name])
        least, _, most = written[name].partition("..")
        assert not least or least != most


def test_more_codes_than_there_is_room_for_are_marked_and_not_cut() -> None:
    many = Facts({"listed": Several(frozenset(f"reason_{n}" for n in range(17)))})
    assert recorded(many, "extended", {}) == {"listed": "?"}


def test_a_trace_leaves_out_whom_rules_do_not_concern() -> None:
    decision = decide(small_pack(BAN), facts_of({"nationality": "UTO", "direction": "arrival"}, "facts"))
    assert [each.rule for each in traced(decision)] == ["national", "ten"]


def test_a_trace_that_is_too_long_for_the_journal_keeps_what_decided() -> None:
    law = {"art-1": "a", "art-2": "b", "a" * 48: "c"}
    held = {**BAN, "of": {}, "law": "a" * 48, "that": {"any": [{"nationality": "UTO"}, {"registered": True}]}}
    rules = [{**held, "id": f"{'r' * 44}-{n:03}"} for n in range(126)]
    pack = small_pack(*rules, {**BAN, "of": {}}, law=law)
    decision = decide(pack, facts_of({"nationality": "UTO", "age": 9, "listed": ["exit_ban"]}, "facts"))
    told = traced(decision)
    assert len(msgspec.json.encode(decision.why)) > MAX_TRACE >= len(msgspec.json.encode(told))
    assert len(told) > 60
    assert {each.rule for each in told} >= {"ten", "ban"}
    assert [each.rule for each in decision.why if each in told] == [each.rule for each in told]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.integers(-10, 120), st.integers(0, 9))
def test_a_band_holds_all_that_was_possible(least: int, more: int) -> None:
    for name in BANDS:
        span = recalled(recorded(Facts({name: Span(least, least + more)}), "basic", {})).known[name]
        assert isinstance(span, Span)
        assert span.least is None or span.least <= least
        assert span.most is None or span.most >= least + more
