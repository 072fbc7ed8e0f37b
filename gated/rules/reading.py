"""Rule packs as TOML: read, checked in every key, and refused whole if one of them is wrong.

Every length has a cap; an unknown key is an error. `read` raises RulesError and nothing else.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from typing import Any as Anything

import msgspec
from msgspec import Meta

from gated.core import toml
from gated.core.rulings import Ruling
from gated.core.values import Value
from gated.rules.compiling import compiled, shown
from gated.rules.conditions import Condition, Groups
from gated.rules.errors import RulesError
from gated.rules.facts import HEIGHT
from gated.rules.given import given
from gated.rules.pack import Example, Ground, Pack, Rule
from gated.rules.vocabulary import CHECKS, ELIGIBILITY, GROUND_UNKNOWN, NOT_SERVED, REASONS

MAX_PACK: Final = 256 * 1024
MAX_HEIGHT_M: Final = 2.0

Id = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,47}\Z")]
Line = Annotated[str, Meta(min_length=1, max_length=160)]
Text = Annotated[str, Meta(min_length=1, max_length=600)]
Table = dict[Annotated[str, Meta(max_length=40)], Anything]
Member = Annotated[str, Meta(min_length=1, max_length=32)]
Members = Annotated[list[Member], Meta(min_length=1, max_length=300)]


class _Ground(Value):
    id: Id
    law: Id
    when: Table


class _Rule(Value):
    id: Id
    check: str
    law: Id
    that: Table
    reason: str
    unsure: str
    of: Table = msgspec.field(default_factory=dict)
    otherwise: Literal["refer", "refuse", "stop"] = "refer"


class _Example(Value):
    title: Line
    facts: Table
    outcome: Ruling
    reasons: Annotated[tuple[str, ...], Meta(max_length=32)] = ()


class _Written(Value):
    """A pack as it stands in the file."""

    format: Literal[1]
    name: Id
    version: Annotated[int, Meta(ge=1, le=2**31)]
    title: Line
    law: Annotated[dict[Id, Text], Meta(min_length=1, max_length=128)]
    grounds: Annotated[tuple[_Ground, ...], Meta(min_length=1, max_length=32)]
    rules: Annotated[tuple[_Rule, ...], Meta(max_length=128)] = ()
    groups: Annotated[dict[Id, Members], Meta(max_length=64)] = msgspec.field(default_factory=dict)
    examples: Annotated[tuple[_Example, ...], Meta(max_length=1000)] = ()


def read(raw: bytes) -> Pack:
    """Read a pack from the bytes of a TOML file. Raises RulesError."""
    if len(raw) > MAX_PACK:
        raise RulesError("file", f"longer than {MAX_PACK} bytes", "divide the pack")
    return _pack(_written(_table(raw)), hashlib.sha256(raw).hexdigest())


def from_table(table: Mapping[str, Anything]) -> Pack:
    """A pack that a program made; its hash is that of its JSON. Raises RulesError."""
    raw = msgspec.json.encode(table, order="sorted")
    return _pack(_written(table), hashlib.sha256(raw).hexdigest())


def _table(raw: bytes) -> dict[str, Anything]:
    try:
        return toml.loads(raw)
    except UnicodeDecodeError as error:
        raise RulesError("file", f"no UTF-8 at byte {error.start}", "save it as UTF-8") from error
    except RecursionError as error:
        raise RulesError("file", "brackets nested too deeply", "correct it there") from error
    except tomllib.TOMLDecodeError as error:
        where = str(error).rpartition("(")[2].rstrip(")")
        raise RulesError("file", f"not TOML ({where})", "correct it there") from error
    except ValueError as error:  # a date that does not exist, a number too long to be one, a key without end
        raise RulesError(
            "file", "a value that does not exist", "look at dates, numbers and long keys"
        ) from error


def _written(table: Mapping[str, Anything]) -> _Written:
    try:
        return msgspec.convert(table, _Written)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from error
    except RecursionError as error:
        raise RulesError("file", "nested too deeply", "correct it there") from error


def _explained(message: str) -> RulesError:
    """Turn msgspec's words into key, fault and fix."""
    fault, _, where = message.partition(" - at `")
    key = where.rstrip("`").removeprefix("key in ").strip("`").removeprefix("$").lstrip(".") or "top level"
    if "unknown field" in fault:
        return RulesError(key, shown_fault(fault), "remove it or correct its spelling")
    if "missing required field" in fault:
        return RulesError(key, shown_fault(fault), "add it")
    return RulesError(key, shown_fault(fault), "correct it")


def shown_fault(fault: str) -> str:
    """What is wrong, without what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in fault)[:200]


def _pack(written: _Written, sha256: str) -> Pack:
    groups: Groups = {name: frozenset(members) for name, members in written.groups.items()}
    grounds = tuple(_ground(each, f"grounds[{n}]", groups) for n, each in enumerate(written.grounds))
    rules = tuple(_rule(each, f"rules[{n}]", groups) for n, each in enumerate(written.rules))
    heights = {rule.min_height_m for rule in rules} - {None}
    if len(heights) > 1:
        raise RulesError("rules", "several least heights", "make them one: a height is measured once")
    laws = {f"grounds[{n}]": ground.law for n, ground in enumerate(grounds)}
    laws |= {f"rules[{n}]": rule.law for n, rule in enumerate(rules)}
    for part, law in laws.items():
        if law not in written.law:
            raise RulesError(f"{part}.law", f"`{law}` is no text", "add it under [law]")
    ids = [*(ground.id for ground in grounds), *(rule.id for rule in rules)]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise RulesError("id", f"`{twice[0]}` stands twice", "give each ground and rule its own")
    return Pack(
        name=written.name,
        version=written.version,
        title=written.title,
        sha256=sha256,
        law=written.law,
        groups=groups,
        grounds=grounds,
        rules=rules,
        examples=tuple(_example(each, f"examples[{n}]") for n, each in enumerate(written.examples)),
    )


def _ground(written: _Ground, key: str, groups: Groups) -> Ground:
    when = compiled(written.when, f"{key}.when", groups)
    _no_height(when, f"{key}.when")
    return Ground(id=written.id, law=written.law, when=when)


def _rule(written: _Rule, key: str, groups: Groups) -> Rule:
    if written.check == ELIGIBILITY:
        raise RulesError(f"{key}.check", "that of the grounds", "take another one")
    if written.check not in CHECKS:
        raise RulesError(f"{key}.check", f"`{shown(written.check)}` is no check", f"take {', '.join(CHECKS)}")
    for name in ("reason", "unsure"):
        code = getattr(written, name)
        if code not in REASONS or code in {NOT_SERVED, GROUND_UNKNOWN}:
            fix = f"take one of {', '.join(REASONS)}"
            raise RulesError(f"{key}.{name}", f"`{shown(code)}` is no reason", fix)
    of = compiled(written.of, f"{key}.of", groups)
    _no_height(of, f"{key}.of")
    if not written.that:
        raise RulesError(f"{key}.that", "asks for nothing", "say what must hold")
    return Rule(
        id=written.id,
        check=written.check,
        law=written.law,
        of=of,
        that=compiled(written.that, f"{key}.that", groups),
        otherwise=Ruling(written.otherwise),
        reason=written.reason,
        unsure=written.unsure,
        min_height_m=_least_height(written, key, groups),
    )


def _least_height(written: _Rule, key: str, groups: Groups) -> float | None:
    """What a rule about height asks for; it asks for nothing else, since height is measured last."""
    that = compiled(written.that, f"{key}.that", groups)
    if HEIGHT not in set(that.names()):
        return None
    limits = written.that.get(HEIGHT)
    if set(written.that) != {HEIGHT} or not isinstance(limits, dict) or set(limits) != {"at_least"}:
        fix = "write that = { height_m = { at_least = 1.20 } }, and everything else under `of`"
        raise RulesError(f"{key}.that", "height together with something else", fix)
    told = (written.check, written.reason, written.unsure, written.otherwise)
    if told != ("height", "too_short", "height_undetermined", "refer"):
        fix = "take height, too_short, height_undetermined, refer"
        raise RulesError(key, "height is told by check, reason, unsure and otherwise of its own", fix)
    least = float(limits["at_least"])
    if not 0 < least <= MAX_HEIGHT_M:
        raise RulesError(f"{key}.that.{HEIGHT}", "no height of a traveller", "write metres, such as 1.20")
    return least


def _no_height(condition: Condition, key: str) -> None:
    if HEIGHT in set(condition.names()):
        fix = "ask for it under `that` of a rule: it is measured when all else is decided"
        raise RulesError(key, "asks for the height", fix)


def _example(written: _Example, key: str) -> Example:
    for code in written.reasons:
        if code not in REASONS:
            raise RulesError(f"{key}.reasons", f"`{shown(code)}` is no reason", "take those that rules name")
    if (written.outcome is Ruling.ADMIT) == bool(written.reasons):
        fix = "give the reasons of whoever is not admitted, and none of whoever is"
        raise RulesError(f"{key}.reasons", "outcome and reasons contradict each other", fix)
    return Example(
        title=written.title,
        facts=given(written.facts, f"{key}.facts"),
        outcome=written.outcome,
        reasons=frozenset(written.reasons),
    )
