"""Rows of a table of standings, as the centre exports them from its registers: one document a row."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

import msgspec

from gated.core.events import RegistrationId, TextVersion
from gated.core.personal import Personal
from gated.core.values import Value
from gated.document.mrz.codes import CODES
from gated.rules.standing import Standing

COLUMNS: Final = ("issuer", "number", *Standing.__struct_fields__)
SEPARATOR: Final = ";"  # between programmes

_NUMBER = re.compile("[A-Z0-9]{1,20}")
_WORDS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_FLAGS: Final = ("registered", "consent")
_DATES: Final = ("residence_until", "visa_until", "entered")


class RowError(Exception):
    """A row cannot be used; the text names the column and the fix, never what stands there."""


class Lifelong(NamedTuple):
    """The number that a state gave somebody for life, and their birth date: the date as the zone has it."""

    number: str
    birth: str


class Agreed(Value):
    """A registration that somebody agreed to: its number, and the version of the text."""

    registration: RegistrationId
    text: TextVersion


class ByChip(NamedTuple):
    """Whom a chip tells by a number for life, and what they agreed to; None: it counts no more."""

    person: Lifelong
    agreed: Agreed | None


class StandingRow(NamedTuple):
    """The document that a standing is found by, and the standing.

    With a `person` it is found by any other document of theirs, too, as far as it is about registration. A
    number that stands in the chip is known too late for a standing: `by_chip` is what answers the question.
    """

    issuer: str
    number: Personal[str]
    standing: Standing
    person: Personal[Lifelong] | None = None
    by_chip: Personal[ByChip] | None = None


def parse_row(row: Mapping[str, str]) -> StandingRow:
    """Read a row; an empty cell says nothing. Raises RowError."""
    issuer = row.get("issuer", "").strip().upper()
    if issuer not in CODES or not CODES[issuer].may_issue:
        raise RowError("issuer: no state: write its code of Doc 9303-3, such as FRA; Germany is D")
    number = re.sub("[^A-Z0-9]", "", row.get("number", "").upper())
    if not _NUMBER.fullmatch(number):
        raise RowError("number: no document number: write letters and digits")
    known: dict[str, object] = {}
    for name in Standing.__struct_fields__:
        if text := row.get(name, "").strip():
            known[name] = _value(name, text)
    if ("permitted_days" in known) > ("entered" in known):
        raise RowError("permitted_days: without an entry: write `entered` too")
    try:
        standing = msgspec.convert(known, Standing)
    except msgspec.ValidationError as error:
        column = str(error).rpartition("$.")[2].rstrip("`").partition("[")[0]
        fix = "write lowercase letters, digits, hyphens and underscores, or a number of days"
        raise RowError(f"{column}: cannot be meant: {fix}") from error
    return StandingRow(issuer, Personal(number), standing)


def _value(name: str, text: str) -> object:
    if name in _FLAGS:
        if text.lower() not in _WORDS:
            raise RowError(f"{name}: neither yes nor no: write one of them")
        return _WORDS[text.lower()]
    if name in _DATES:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise RowError(f"{name}: no date: write 2026-11-26") from error
    if name == "programmes":
        return tuple(each.strip() for each in text.split(SEPARATOR) if each.strip())
    if name == "permitted_days":
        if not (text.isascii() and text.isdigit() and len(text) <= 5):
            raise RowError("permitted_days: no number of days: write digits")
        return int(text)
    return text
