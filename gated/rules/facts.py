"""The catalogue of facts that a rule may ask for: what each means, its kind, and where a gate has it from.

A fact that nothing at this gate tells stays unknown, and what is unknown is never yes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gated.document.mrz.codes import CODES


class Kind(StrEnum):
    """How a fact is asked for."""

    CODE = "code"
    SEVERAL = "several"  # codes of which any may apply
    FLAG = "flag"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"


class Origin(StrEnum):
    """Where a gate has a fact from."""

    ZONE = "zone"  # the machine-readable zone, which the chip confirms before anybody enters
    LANE = "lane"  # how the lane is walked, and the clock
    LISTS = "lists"
    STANDING = "standing"  # what the centre knows of the traveller: titles, registrations, entries
    CAMERA = "camera"  # measured inside, after the others


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `codes` are all that it may be, `pattern` what they look like, where that is limited."""

    name: str
    kind: Kind
    meaning: str
    origin: Origin
    codes: frozenset[str] | None = None
    pattern: re.Pattern[str] = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
    needs: str = "lowercase letters, digits, hyphens and underscores"


WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DIRECTIONS: Final = ("departure", "arrival")
NONE: Final = "none"
"""The code of a title, visa or programme that somebody is known not to have."""

_STATE = "a code of Doc 9303-3, such as FRA; Germany is D"
_ISSUERS = frozenset(code.letters for code in CODES.values() if code.may_issue)
_NATIONALITIES = frozenset(code.letters for code in CODES.values() if code.may_be_nationality)
_TYPE = re.compile(r"[A-Z][A-Z<]?")
_TYPE_NEEDS = "one or two letters as in the zone: P any passport, P< an ordinary one, PD a diplomatic one"

_ALL: Final = (
    Fact("document_type", Kind.CODE, "kind of document", Origin.ZONE, None, _TYPE, _TYPE_NEEDS),
    Fact("document_days", Kind.NUMBER, "days until the document expires", Origin.ZONE),
    Fact("issuer", Kind.CODE, "state that issued the document", Origin.ZONE, _ISSUERS, needs=_STATE),
    Fact("nationality", Kind.CODE, "nationality", Origin.ZONE, _NATIONALITIES, needs=_STATE),
    Fact("age", Kind.NUMBER, "age in whole years", Origin.ZONE),
    Fact("height_m", Kind.NUMBER, "body height in metres", Origin.CAMERA),
    Fact("accompanied", Kind.FLAG, "an adult comes along", Origin.STANDING),
    Fact(
        "direction",
        Kind.CODE,
        "direction",
        Origin.LANE,
        frozenset(DIRECTIONS),
        needs=" or ".join(DIRECTIONS),
    ),
    Fact("date", Kind.DATE, "date at the gate", Origin.LANE),
    Fact("time", Kind.TIME, "time of day at the gate", Origin.LANE),
    Fact(
        "weekday",
        Kind.CODE,
        "day of the week at the gate",
        Origin.LANE,
        frozenset(WEEKDAYS),
        needs=", ".join(WEEKDAYS),
    ),
    Fact("listed", Kind.SEVERAL, "entries of lists", Origin.LISTS),
    Fact("registered", Kind.FLAG, "registered for the lanes", Origin.STANDING),
    Fact("consent", Kind.FLAG, "consented to the use of biometric data", Origin.STANDING),
    Fact("residence_title", Kind.CODE, "title of residence", Origin.STANDING),
    Fact("residence_days", Kind.NUMBER, "days until the title of residence ends", Origin.STANDING),
    Fact("programmes", Kind.SEVERAL, "programmes of reciprocity", Origin.STANDING),
    Fact("visa", Kind.CODE, "visa", Origin.STANDING),
    Fact("visa_days", Kind.NUMBER, "days until the visa ends", Origin.STANDING),
    Fact("entry_recorded", Kind.FLAG, "there is a record of the entry", Origin.STANDING),
    Fact("days_left", Kind.NUMBER, "days left of the permitted stay", Origin.STANDING),
)

FACTS: Final[Mapping[str, Fact]] = {fact.name: fact for fact in _ALL}

HEIGHT: Final = "height_m"
"""Measured inside the lane, after everything else was decided."""


def is_code_of(fact: Fact, text: str) -> bool:
    """Whether this may be a code of this fact."""
    if fact.codes is not None:
        return text in fact.codes
    return fact.pattern.fullmatch(text) is not None
