"""Facts for the journal, without personal data, and back: so that new rules can be tried on old passages.

Profile `basic` writes bands in place of ages and days, the family of a document's type, and of nationality
and issuer only whether they are the own state's: the pack's group `nationals`. Profile `extended` writes
those codes themselves. Neither writes a number, a name or a date. Heights and times stand in the journal
already.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from gated.core.rulings import Held, Why
from gated.rules.conditions import ANY_OF_FAMILY, Groups
from gated.rules.deciding import Decision
from gated.rules.facts import FACTS, HEIGHT, NONE, Kind, is_code_of
from gated.rules.knowledge import Code, Facts, Known, Several, Span

_encoder = msgspec.json.Encoder()

Profile = Literal["basic", "extended"]

NATIONALS: Final = "nationals"
MAX_NATIONALS: Final = 32  # codes: a longer group is not written for each passage
MAX_SEVERAL: Final = 16
MAX_TRACE: Final = 16 * 1024  # bytes of an entry of the journal, which holds 64 KiB
OR, OTHER, TO, EMPTY = "|", "!", "..", "-"
UNTOLD: Final = "?"
"""The gate knew it, and the profile does not let it be written."""

# The first number of each band: ages at which laws differ, and margins of validity that states ask for.
BANDS: Final[Mapping[str, tuple[int, ...]]] = {
    "age": (0, 6, 10, 12, 14, 16, 18, 21, 65),
    "document_days": (0, 30, 90, 180),
    "residence_days": (0, 30),
    "visa_days": (0, 30),
    "days_left": (0, 30),
}


def recorded(facts: Facts, profile: Profile, groups: Groups) -> dict[str, str]:
    """What goes on record, by the names of facts."""
    written: dict[str, str] = {}
    for name, known in facts.known.items():
        if FACTS[name].kind in {Kind.DATE, Kind.TIME} or name in {"weekday", HEIGHT}:
            continue
        written[name] = _text(name, known, profile, groups) or UNTOLD
    return written


def traced(decision: Decision) -> tuple[Why, ...]:
    """The trace for the record: whom a rule does not concern is not told of it.

    Of a pack so large that an entry of the journal would not hold it all, what decided comes first.
    """
    concerned = [each for each in decision.why if each.held is not Held.NOT_CONCERNED]
    kept: set[str] = set()
    room = MAX_TRACE
    for each in sorted(concerned, key=lambda why: not why.reason):
        room -= len(_encoder.encode(each)) + 1
        if room < 0:
            break
        kept.add(each.rule)
    return tuple(each for each in concerned if each.rule in kept)


def recalled(written: Mapping[str, str]) -> Facts:
    """What a record tells; what is not understood is unknown."""
    known: dict[str, Known] = {}
    for name, text in written.items():
        fact = FACTS.get(name)
        if fact is None or name == HEIGHT or text == UNTOLD:
            continue
        value = _known(fact.kind, text)
        if value is not None:
            known[name] = value
    return Facts(known)


def _text(name: str, known: Known, profile: Profile, groups: Groups) -> str | None:
    match known:
        case bool():
            return "yes" if known else "no"
        case Span():
            return _band(BANDS[name], known) if name in BANDS else None
        case Several():
            tellable = profile == "extended" or name == "listed" or not known.codes
            tellable = tellable and len(known.codes) <= MAX_SEVERAL
            return (OR.join(sorted(known.codes)) or EMPTY) if tellable else None
        case Code():
            return _code_text(name, known, profile, groups)
        case _:
            return None


def _band(edges: tuple[int, ...], known: Span) -> str:
    """The bands from that of the least to that of the most, as one."""
    first = 0 if known.least is None else bisect_right(edges, known.least)
    last = len(edges) if known.most is None else bisect_right(edges, known.most)
    least = "" if first == 0 else str(edges[first - 1])
    most = "" if last == len(edges) else str(edges[last] - 1)
    return f"{least}{TO}{most}"


def _code_text(name: str, known: Code, profile: Profile, groups: Groups) -> str | None:
    if known.other or len(known.codes) != 1:
        return None
    (code,) = known.codes
    if profile == "extended" or name == "direction":
        return code if is_code_of(FACTS[name], code) else None
    if name == "document_type":
        return code[:1] + ANY_OF_FAMILY
    if name in {"nationality", "issuer"}:
        own = groups.get(NATIONALS, frozenset())
        if not 0 < len(own) <= MAX_NATIONALS:
            return None
        return ("" if code in own else OTHER) + OR.join(sorted(own))  # !KOR: any but this one
    return NONE if code == NONE else OTHER + NONE


def _known(kind: Kind, text: str) -> Known | None:
    match kind:
        case Kind.FLAG:
            return {"yes": True, "no": False}.get(text)
        case Kind.NUMBER:
            least, to, most = text.partition(TO)
            try:
                return Span(int(least) if least else None, int(most) if most else None) if to else None
            except ValueError:
                return None
        case Kind.SEVERAL:
            return Several(frozenset() if text == EMPTY else frozenset(text.split(OR)))
        case Kind.CODE:
            codes = frozenset(filter(None, text.removeprefix(OTHER).split(OR)))
            return Code(codes, other=text.startswith(OTHER)) if codes else None
        case _:
            return None
