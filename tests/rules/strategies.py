"""Conditions and facts at random, over the whole catalogue; and the same facts known less exactly."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from gated.rules.facts import FACTS, Fact, Kind
from gated.rules.knowledge import Code, Facts, Known, Several, Span, exactly, one

WORDS = ("permanent", "reciprocity", "exit_ban", "lost", "none")
_OWN = {
    "document_type": ("P", "PD", "PO", "I", "P<"),
    "direction": ("departure", "arrival"),
    "weekday": ("mon", "tue", "sat", "sun"),
    "issuer": ("UTO", "FRA", "D", "KOR"),
    "nationality": ("UTO", "FRA", "D", "KOR"),
}


def codes_of(fact: Fact) -> tuple[str, ...]:
    return _OWN.get(fact.name, WORDS)


def tests_of(fact: Fact) -> st.SearchStrategy[Any]:
    """What may stand after the name of this fact in a condition."""
    match fact.kind:
        case Kind.CODE | Kind.SEVERAL:
            return st.lists(st.sampled_from(codes_of(fact)), min_size=1, max_size=3, unique=True)
        case Kind.FLAG:
            return st.booleans()
        case Kind.NUMBER:
            limits = st.sampled_from(("at_least", "at_most", "below", "above"))
            return st.dictionaries(limits, st.integers(-5, 25), min_size=1, max_size=2)
        case Kind.DATE:
            days = st.dates(date(2026, 1, 1), date(2026, 1, 9))
            return st.tuples(days, days).map(lambda two: {"from": min(two), "until": max(two)})
        case Kind.TIME:
            hours = st.lists(st.integers(0, 23), min_size=2, max_size=2, unique=True)
            return hours.map(lambda two: {"from": f"{two[0]:02}:00", "until": f"{two[1]:02}:30"})


def _simple() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(sorted(FACTS)).flatmap(
        lambda name: tests_of(FACTS[name]).map(lambda wanted: {name: wanted})
    )


def tables() -> st.SearchStrategy[dict[str, Any]]:
    """Conditions as they are written."""
    return st.recursive(
        _simple(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=6,
    )


def _exact(fact: Fact) -> st.SearchStrategy[Known]:
    match fact.kind:
        case Kind.CODE:
            shown = [code for code in codes_of(fact) if code != "P<"]
            return st.sampled_from(shown).map(one)
        case Kind.SEVERAL:
            return st.sets(st.sampled_from(WORDS), max_size=3).map(lambda some: Several(frozenset(some)))
        case Kind.FLAG:
            return st.booleans()
        case Kind.NUMBER:
            return st.integers(-6, 26).map(exactly)
        case Kind.DATE:
            return st.dates(date(2026, 1, 1), date(2026, 1, 9))
        case Kind.TIME:
            return st.integers(0, 1439)


def whole() -> st.SearchStrategy[Facts]:
    """Every fact, exactly."""
    return st.fixed_dictionaries({name: _exact(fact) for name, fact in FACTS.items()}).map(Facts)


@st.composite
def blurred(draw: st.DrawFn, facts: Facts) -> Facts:
    """The same facts, some of them known less exactly, some not at all."""
    known: dict[str, Known] = {}
    for name, value in facts.known.items():
        match draw(st.sampled_from(("kept", "blurred", "lost"))):
            case "kept":
                known[name] = value
            case "blurred":
                known[name] = _blur(draw, FACTS[name], value)
            case _:
                pass
    return Facts(known)


def _blur(draw: st.DrawFn, fact: Fact, value: Known) -> Known:
    if isinstance(value, Span) and value.least is not None and value.most is not None:
        less, more = draw(st.integers(0, 9)), draw(st.integers(0, 9))
        open_below, open_above = draw(st.booleans()), draw(st.booleans())
        return Span(None if open_below else value.least - less, None if open_above else value.most + more)
    if isinstance(value, Code):
        (code,) = value.codes
        if fact.name == "document_type":
            return one(f"{code[0]}?")
        others = frozenset(draw(st.sets(st.sampled_from(codes_of(fact)), max_size=3)))
        if draw(st.booleans()):
            return Code(others - {code}, other=True) if others - {code} else value
        return Code(others | {code})
    return value
