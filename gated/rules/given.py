"""Facts as people write them: in the examples of a pack, and on the command line."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from gated.rules.compiling import MAX_CODES, day, minutes, number, shown
from gated.rules.errors import RulesError
from gated.rules.facts import FACTS, Fact, Kind, is_code_of
from gated.rules.knowledge import Facts, Known, Several, Span, exactly, one


def given(table: Mapping[str, Any], key: str) -> Facts:
    """Facts from a table such as `{ nationality = "KOR", age = 34 }`. Raises RulesError.

    A number that is not known exactly is `{ at_least = 8, at_most = 9 }`; what is left out is unknown.
    """
    known: dict[str, Known] = {}
    for name, value in table.items():
        if name not in FACTS:
            raise RulesError(key, f"`{shown(name)}` is no fact", f"take one of {', '.join(FACTS)}")
        known[name] = _known(FACTS[name], value, f"{key}.{name}")
    return Facts(known)


def worded(texts: Iterable[str]) -> Facts:
    """Facts from words such as `age=34`, each value as in TOML or a plain text. Raises RulesError."""
    table: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise RulesError(shown(text), "no fact", "write NAME=VALUE, such as age=34")
        table[name.strip()] = _value(value.strip())
    return given(table, "facts")


def _value(text: str) -> Any:
    if "\n" in text:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _known(fact: Fact, value: object, key: str) -> Known:
    match fact.kind:
        case Kind.CODE:
            if not isinstance(value, str) or not is_code_of(fact, value):
                raise RulesError(key, f"no {fact.name}", f"write {fact.needs}")
            return one(value)
        case Kind.SEVERAL:
            several = [value] if isinstance(value, str) else value
            if not isinstance(several, list) or len(several) > MAX_CODES:
                raise RulesError(key, "no list of codes", f"write [ ... ], each {fact.needs}")
            if not all(isinstance(each, str) and is_code_of(fact, each) for each in several):
                raise RulesError(key, "no list of codes", f"write [ ... ], each {fact.needs}")
            return Several(frozenset(several))
        case Kind.FLAG:
            if not isinstance(value, bool):
                raise RulesError(key, "neither true nor false", "write one of them")
            return value
        case Kind.NUMBER:
            return _span(value, key)
        case Kind.DATE:
            return day(value, key)
        case Kind.TIME:
            return minutes(value, key)


def _span(value: object, key: str) -> Span:
    if not isinstance(value, Mapping):
        return exactly(number(value, key))
    if not value or not set(value) <= {"at_least", "at_most"}:
        raise RulesError(key, "no number", "write one, or { at_least = 8, at_most = 9 }")
    least, most = (
        number(value[end], f"{key}.{end}") if end in value else None for end in ("at_least", "at_most")
    )
    if least is not None and most is not None and least > most:
        raise RulesError(key, "ends before it begins", "exchange the two numbers")
    return Span(least, most)
