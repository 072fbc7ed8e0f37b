"""From the tables of a pack to conditions; whatever cannot be meant is refused, by key and with what to do.

{ nationality = "@nationals", age = { at_least = 10 } }     all of them hold
{ any = [ {...}, {...} ] }   { all = [ ... ] }   { not = {...} }
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any as Anything
from typing import Final

from gated.rules.conditions import (
    All,
    Among,
    Any,
    AtLeast,
    AtMost,
    Between,
    Condition,
    Groups,
    Is,
    Listed,
    Not,
    OfType,
    Within,
)
from gated.rules.errors import RulesError
from gated.rules.facts import FACTS, Fact, Kind, is_code_of

MAX_DEPTH: Final = 6  # of all, any and not
MAX_TESTS: Final = 64  # in one condition
MAX_CODES: Final = 300  # in one list: there are 250 states
MAX_NUMBER: Final = 100_000
GROUP: Final = "@"
CONNECTIVES: Final = ("all", "any", "not")


@dataclass(slots=True)
class _Count:
    """How many tests one condition has so far."""

    tests: int = 0


def compiled(table: Mapping[str, Anything], key: str, groups: Groups) -> Condition:
    """Compile a condition; an empty table holds always. Raises RulesError."""
    return _table(table, key, groups, MAX_DEPTH, _Count())


def _table(table: object, key: str, groups: Groups, depth: int, count: _Count) -> Condition:
    if not isinstance(table, Mapping):
        raise RulesError(key, "no condition", "write a table, such as { age = { at_least = 18 } }")
    if depth == 0:
        raise RulesError(key, f"nested deeper than {MAX_DEPTH}", "divide it into several rules")
    parts: list[Condition] = []
    for name, wanted in table.items():
        inner = f"{key}.{name}"
        count.tests += 1
        if count.tests > MAX_TESTS:
            raise RulesError(key, f"more than {MAX_TESTS} tests", "divide it into several rules")
        if name == "not":
            parts.append(Not(_table(wanted, inner, groups, depth - 1, count)))
        elif name in CONNECTIVES:
            several = _several(wanted, inner, groups, depth - 1, count)
            parts.append(All(several) if name == "all" else Any(several))
        elif name in FACTS:
            parts.append(_test(FACTS[name], wanted, inner, groups))
        else:
            raise RulesError(key, f"`{shown(name)}` is no fact", f"take one of {', '.join(FACTS)}")
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _several(wanted: object, key: str, groups: Groups, depth: int, count: _Count) -> tuple[Condition, ...]:
    if not isinstance(wanted, list) or not wanted:
        raise RulesError(key, "no list of conditions", "write [ {...}, {...} ]")
    return tuple(_table(each, f"{key}[{n}]", groups, depth, count) for n, each in enumerate(wanted))


def _test(fact: Fact, wanted: object, key: str, groups: Groups) -> Condition:
    match fact.kind:
        case Kind.CODE:
            found = codes(fact, wanted, key, groups)
            return OfType(fact.name, found) if fact.name == "document_type" else Among(fact.name, found)
        case Kind.SEVERAL:
            return Listed(fact.name, codes(fact, wanted, key, groups))
        case Kind.FLAG:
            if not isinstance(wanted, bool):
                raise RulesError(key, "neither true nor false", "write one of them")
            return Is(fact.name, wanted)
        case Kind.NUMBER:
            return _limits(fact, wanted, key)
        case Kind.DATE:
            first, last = window(wanted, key, "{ from = 2026-12-20, until = 2027-01-10 }")
            return Between(fact.name, *_days(first, last, key))
        case Kind.TIME:
            first, last = window(wanted, key, '{ from = "22:00", until = "06:00" }')
            begin, end = minutes(first, f"{key}.from"), minutes(last, f"{key}.until")
            if begin == end:
                raise RulesError(key, "ends when it begins", "correct it, or leave it out")
            return Within(fact.name, begin, end)


def codes(fact: Fact, wanted: object, key: str, groups: Groups) -> frozenset[str]:
    """The codes that a list, a single text or `@group` names. Raises RulesError."""
    texts = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise RulesError(key, "no codes", f"write one or a list of them: {fact.needs}")
    if len(texts) > MAX_CODES:
        raise RulesError(key, f"more than {MAX_CODES} codes", "put them into several groups")
    found: set[str] = set()
    for text in texts:
        if text.startswith(GROUP):
            if text[1:] not in groups:
                raise RulesError(key, f"`{shown(text)}` is no group", "add it under [groups]")
            members = groups[text[1:]]
            if wrong := sorted(code for code in members if not is_code_of(fact, code)):
                raise RulesError(
                    key, f"`{shown(text)}` holds `{shown(wrong[0])}`, no {fact.name}", f"take {fact.needs}"
                )
            found |= members
        elif is_code_of(fact, text):
            found.add(text)
        else:
            raise RulesError(key, f"`{shown(text)}` is no {fact.name}", f"take {fact.needs}")
    return frozenset(found)


def _limits(fact: Fact, wanted: object, key: str) -> Condition:
    """`{ at_least = 10, at_most = 17 }`, or `below` and `above`."""
    if not isinstance(wanted, Mapping) or not wanted:
        raise RulesError(key, "no limits", "write { at_least = 10 }, or at_most, below, above")
    parts: list[Condition] = []
    for word, limit in wanted.items():
        inner = f"{key}.{word}"
        if word not in {"at_least", "at_most", "below", "above"}:
            raise RulesError(key, f"`{shown(word)}` is no limit", "take at_least, at_most, below or above")
        least: Condition = AtLeast(fact.name, number(limit, inner))
        most: Condition = AtMost(fact.name, number(limit, inner))
        meant = {"at_least": least, "at_most": most, "below": Not(least), "above": Not(most)}
        parts.append(meant[word])
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def number(value: object, key: str) -> float:
    """A number within reason. Raises RulesError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise RulesError(key, "no number", f"write one from -{MAX_NUMBER} to {MAX_NUMBER}")
    return value


def window(wanted: object, key: str, like: str) -> tuple[object, object]:
    """What stands under `from` and `until`. Raises RulesError."""
    if not isinstance(wanted, Mapping) or set(wanted) != {"from", "until"}:
        raise RulesError(key, "no window", f"write {like}")
    return wanted["from"], wanted["until"]


def day(value: object, key: str) -> date:
    """A day as TOML writes it. Raises RulesError."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise RulesError(key, "no date", "write 2026-12-20, without quotes")
    return value


def _days(first: object, last: object, key: str) -> tuple[date, date]:
    begin, end = day(first, f"{key}.from"), day(last, f"{key}.until")
    if begin > end:
        raise RulesError(key, "ends before it begins", "exchange the two days")
    return begin, end


def minutes(value: object, key: str) -> int:
    """A time of day as minutes since midnight. Raises RulesError."""
    if isinstance(value, str) and len(value) == 5 and value[2] == ":":
        hours, rest = value[:2], value[3:]
        if (hours + rest).isascii() and (hours + rest).isdigit() and int(hours) < 24 and int(rest) < 60:
            return 60 * int(hours) + int(rest)
    raise RulesError(key, "no time of day", 'write "22:00"')


def shown(text: object) -> str:
    """What stands in a pack, short and printable: it moves no terminal."""
    plain = "".join(each if each.isprintable() and each != "`" else "?" for each in str(text))
    return plain if len(plain) <= 40 else f"{plain[:39]}…"
