"""Packs are read whole or refused, and the refusal names the key and what to do."""

import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.rulings import Ruling
from gated.rules import MAX_PACK, Pack, RulesError, from_table, read
from gated.rules.compiling import MAX_DEPTH, MAX_TESTS
from gated.rules.given import given as facts_of
from gated.rules.given import worded
from gated.rules.knowledge import Span, exactly, one
from tests.rules.packs import AGENCY_FILE, BAN, TALL, small

Change = Callable[[dict[str, Any]], None]


def refused(change: Change) -> RulesError:
    table = small(BAN, TALL)
    change(table)
    with pytest.raises(RulesError) as error:
        from_table(table)
    return error.value


def at(*path: str | int, value: Any) -> Change:
    """Put a value somewhere into a table."""

    def change(table: Any) -> None:
        for step in path[:-1]:
            table = table[step]
        table[path[-1]] = value

    return change


def deep(levels: int) -> dict[str, Any]:
    table: dict[str, Any] = {"registered": True}
    for _ in range(levels):
        table = {"not": table}
    return table


THAT = ("rules", 0, "that")


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (at("format", value=2), "format", "Invalid"),
        (at("nmae", value="x"), "top level", "unknown field `nmae`"),
        (at("version", value=0), "version", ""),
        (at("name", value="Agency"), "name", ""),
        (at("grounds", value=[]), "grounds", ""),
        (at("law", value={}), "law", ""),
        (at("rules", 0, "law", value="art-9"), "rules[0].law", "is no text"),
        (at("grounds", 0, "law", value="art-9"), "grounds[0].law", "is no text"),
        (at("rules", 1, "id", value="ten"), "id", "`ten` stands twice"),
        (at("rules", 0, "id", value="national"), "id", "stands twice"),
        (at("rules", 0, "chekc", value="x"), "rules[0]", "unknown field"),
        (at("rules", 0, "check", value="beauty"), "rules[0].check", "is no check"),
        (at("rules", 0, "check", value="eligibility"), "rules[0].check", "that of the grounds"),
        (at("rules", 0, "reason", value="too_ugly"), "rules[0].reason", "is no reason"),
        (at("rules", 0, "reason", value="not_served"), "rules[0].reason", "is no reason"),
        (at("rules", 0, "unsure", value=""), "rules[0].unsure", "is no reason"),
        (at("rules", 0, "otherwise", value="admit"), "rules[0].otherwise", ""),
        (at(*THAT, value={}), "rules[0].that", "asks for nothing"),
        (at(*THAT, value={"agee": 3}), "rules[0].that", "`agee` is no fact"),
        (at(*THAT, value={"age": 10}), "rules[0].that.age", "no limits"),
        (at(*THAT, value={"age": {}}), "rules[0].that.age", "no limits"),
        (at(*THAT, value={"age": {"min": 10}}), "rules[0].that.age", "is no limit"),
        (at(*THAT, value={"age": {"at_least": "10"}}), "rules[0].that.age.at_least", "no number"),
        (at(*THAT, value={"age": {"at_least": True}}), "rules[0].that.age.at_least", "no number"),
        (at(*THAT, value={"age": {"at_least": float("nan")}}), "rules[0].that.age.at_least", "no number"),
        (at(*THAT, value={"age": {"at_least": 10**9}}), "rules[0].that.age.at_least", "no number"),
        (at(*THAT, value={"nationality": "DEU"}), "rules[0].that.nationality", "is no nationality"),
        (at(*THAT, value={"nationality": "KRO"}), "rules[0].that.nationality", "is no nationality"),
        (at(*THAT, value={"nationality": []}), "rules[0].that.nationality", "no codes"),
        (at(*THAT, value={"nationality": [1]}), "rules[0].that.nationality", "no codes"),
        (at(*THAT, value={"nationality": "@friends"}), "rules[0].that.nationality", "is no group"),
        (at(*THAT, value={"visa": "@nationals"}), "rules[0].that.visa", "holds `UTO`, no visa"),
        (at(*THAT, value={"nationality": ["UTO"] * 301}), "rules[0].that.nationality", "more than 300"),
        (at(*THAT, value={"document_type": "p"}), "rules[0].that.document_type", "is no document_type"),
        (at(*THAT, value={"direction": "north"}), "rules[0].that.direction", "is no direction"),
        (at(*THAT, value={"registered": "yes"}), "rules[0].that.registered", "neither true nor false"),
        (at(*THAT, value={"time": {"from": "6:00", "until": "22:00"}}), "rules[0].that.time.from", "no time"),
        (
            at(*THAT, value={"time": {"from": "24:00", "until": "22:00"}}),
            "rules[0].that.time.from",
            "no time",
        ),
        (at(*THAT, value={"time": {"from": "06:00"}}), "rules[0].that.time", "no window"),
        (at(*THAT, value={"time": {"from": "06:00", "until": "06:00"}}), "rules[0].that.time", "ends when"),
        (at(*THAT, value={"date": {"from": "2026-01-01", "until": 3}}), "rules[0].that.date.from", "no date"),
        (
            at(*THAT, value={"date": {"from": date(2026, 1, 2), "until": date(2026, 1, 1)}}),
            "rules[0].that.date",
            "ends before it begins",
        ),
        (at(*THAT, value={"any": []}), "rules[0].that.any", "no list"),
        (at(*THAT, value={"all": {"age": 1}}), "rules[0].that.all", "no list"),
        (at(*THAT, value={"any": [3]}), "rules[0].that.any[0]", "no condition"),
        (at(*THAT, value={"not": True}), "rules[0].that.not", "no condition"),
        (at(*THAT, value=deep(MAX_DEPTH)), "rules[0].that" + ".not" * MAX_DEPTH, "nested deeper"),
        (
            at(*THAT, value={"any": [{"registered": True}] * MAX_TESTS}),
            f"rules[0].that.any[{MAX_TESTS - 1}]",
            "tests",
        ),
        (at("rules", 2, "that", "registered", value=True), "rules[2].that", "height together"),
        (at("rules", 2, "that", value={"height_m": {"below": 2}}), "rules[2].that", "height together"),
        (at("rules", 2, "that", "height_m", "at_least", value=120), "rules[2].that.height_m", "no height"),
        (at("rules", 2, "otherwise", value="stop"), "rules[2]", "height is told by"),
        (at("rules", 2, "of", value={"height_m": {"at_least": 1}}), "rules[2].of", "asks for the height"),
        (at("grounds", 0, "when", value={"height_m": {"at_least": 1}}), "grounds[0].when", "asks for the"),
        (
            at("rules", 1, value={**TALL, "id": "taller", "that": {"height_m": {"at_least": 1.3}}}),
            "rules",
            "several least heights",
        ),
    ],
)
def test_whatever_cannot_be_meant_is_refused_by_its_key(change: Change, key: str, says: str) -> None:
    error = refused(change)
    assert error.key == key
    assert says in error.fault
    assert error.fix
    assert str(error) == f"{error.key}: {error.fault}: {error.fix}"


EXAMPLE: dict[str, Any] = {"title": "Somebody", "facts": {"age": 30}, "outcome": "admit"}


@pytest.mark.parametrize(
    ("changed", "key", "says"),
    [
        ({"facts": {"agee": 1}}, "examples[0].facts", "is no fact"),
        ({"facts": {"age": {"at_least": 3, "at_most": 2}}}, "examples[0].facts.age", "ends before"),
        ({"facts": {"age": {}}}, "examples[0].facts.age", "no number"),
        ({"facts": {"age": "x"}}, "examples[0].facts.age", "no number"),
        ({"facts": {"nationality": ["UTO"]}}, "examples[0].facts.nationality", "no nationality"),
        ({"facts": {"registered": 1}}, "examples[0].facts.registered", "neither"),
        ({"facts": {"listed": [1]}}, "examples[0].facts.listed", "no list of codes"),
        ({"facts": {"time": 600}}, "examples[0].facts.time", "no time"),
        ({"facts": {"date": "2026-01-01"}}, "examples[0].facts.date", "no date"),
        ({"outcome": "refer"}, "examples[0].reasons", "contradict"),
        ({"reasons": ["under_age"]}, "examples[0].reasons", "contradict"),
        ({"outcome": "refer", "reasons": ["too_ugly"]}, "examples[0].reasons", "is no reason"),
        ({"outcome": "perhaps"}, "examples[0].outcome", ""),
    ],
)
def test_examples_are_checked_as_strictly(changed: dict[str, Any], key: str, says: str) -> None:
    error = refused(at("examples", value=[EXAMPLE | changed]))
    assert error.key == key
    assert says in error.fault


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"format = ", "not TOML"),
        (b"\xff", "no UTF-8"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
        (b"day = 2026-02-30", "TOML"),
        (b"number = " + b"9" * 5000, "a value that does not exist"),
        (b"a." * 100_000 + b"a = 1", "a value that does not exist"),  # two minutes for who reads it
        (b"[law]\nx = { " + rb'"\"" . ' * 20_000 + b"a = 1 }", "a value that does not exist"),
        (b"#" * (MAX_PACK + 1), "longer than"),
        (b"format = 1\n", "missing required field"),
    ],
)
def test_what_is_no_pack_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(RulesError, match=says):
        read(raw)


def test_what_stands_in_a_file_moves_no_terminal() -> None:
    error = refused(at(*THAT, value={"\x1b[31mage\n": 3}))
    assert str(error).isprintable()
    assert str(refused(at("law", value={"art\x1b": "x"}))).isprintable()


def test_the_shipped_pack_is_read_and_hashed_by_its_bytes() -> None:
    raw = AGENCY_FILE.read_bytes()
    pack = read(raw)
    assert (pack.name, pack.version, pack.min_height_m) == ("agency", 1, 1.2)
    assert pack.sha256 == read(raw).sha256 != read(raw + b"\n").sha256
    ban = next(rule for rule in pack.rules if rule.id == "no-exit-ban")
    assert ban.otherwise is Ruling.STOP
    assert all(part.law in pack.law for part in (*pack.grounds, *pack.rules))
    named = {part.law for part in (*pack.grounds, *pack.rules)}
    assert named == set(pack.law)


def assert_taken_or_refused(reading: Callable[[], Pack]) -> None:
    """Any other error than RulesError ends the test."""
    try:
        told = reading().title
    except RulesError as error:
        told = str(error)
    assert told.isprintable()


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_damaged_pack_is_read_or_refused_and_nothing_else(seed: int, wounds: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(AGENCY_FILE.read_bytes()[: chance.choice((2000, 6000, 50_000))])
    for _ in range(wounds):
        place = chance.randrange(len(raw))
        match chance.randrange(3):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place : place + chance.randrange(1, 40)]
            case _:
                raw[place:place] = chance.choice((b'"', b"[", b"{", b"\n", b"= ", b"9", b"\x00", b"'''"))
    assert_taken_or_refused(lambda: read(bytes(raw)))


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_keys = st.sampled_from(("that", "of", "id", "law", "check", "reason", "unsure", "otherwise"))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(_keys, _json)
def test_any_value_in_a_rule_is_taken_or_refused(key: str, value: Any) -> None:
    table = small()
    table["rules"][0][key] = value
    assert_taken_or_refused(lambda: from_table(table))


def test_facts_are_written_as_in_the_examples_or_in_words() -> None:
    table = {"age": {"at_least": 8, "at_most": 9}, "nationality": "D", "days_left": -3}
    assert facts_of(table, "facts").known == {
        "age": Span(8, 9), "nationality": one("D"), "days_left": exactly(-3)
    }  # fmt: skip
    told = worded(["age=34", "nationality=FRA", 'visa="work"', "registered=true", "listed=[]", "time=06:30"])
    assert told.known["age"] == exactly(34)
    assert told.known["nationality"] == one("FRA")
    assert told.known["time"] == 390
    assert told.known["registered"] is True


@pytest.mark.parametrize(
    "text", ["age", "=3", "age=", "age=old", "age=1\nx=2", "shoe=44", "age=" + "[" * 999]
)
def test_words_that_are_no_facts_are_refused(text: str) -> None:
    with pytest.raises(RulesError):
        worded([text])
