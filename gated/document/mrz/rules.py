"""What makes a zone right: the one set of rules under the strict parser and under the examination.

Every rule names the field, the place and the reason of what it finds. Reasons: `length`; `characters` (not of
the alphabet); `value` (not of the field's form); `code` (not listed, or not for this field); `filler` (a
filler where it announces nothing); `check_digit`. Unknown parts of a birth are fillers; zeros for them, which
some issuers write, are a fault.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from gated.document.mrz import dates
from gated.document.mrz.characters import ALPHABET, FILLER, VALUES, digit_over, values
from gated.document.mrz.codes import ISSUERS, NATIONALITIES
from gated.document.mrz.layouts import CHECKED, LAYOUTS, CheckDigit, Layout
from gated.document.mrz.names import NAME, WORDS
from gated.document.mrz.sentences import sentence

CheckState = Literal["good", "wrong", "filler", "absent"]
"""`filler`: `<` stands for the digit, rightly or not; `absent`: this format has no such digit."""

_ALLOWED = re.compile("[0-9A-Z<]*")
_COUNTRY = re.compile("[A-Z]{3}|[A-Z]{2}<|[A-Z]<<")
_NUMBER = re.compile("<*[A-Z0-9][A-Z0-9<]*")
_FRENCH_NUMBER = re.compile("[0-9]{2}(?:0[1-9]|1[0-2])[0-9A-Z]{3}[0-9]{5}")
_OFFICE = re.compile("[0-9A-Z]*<*")
_DAYS = frozenset(
    f"{month:02}{day:02}" for month in range(1, 13) for day in range(1, dates.days_of(1, month) + 1)
)
_FORBIDDEN_TYPES = {  # notes k of Doc 9303-5 and -6; AC is the crew member certificate, a TD1
    "TD1": {"AV", "CV", "IV", "AI"},
    "TD2": {"AV", "CV", "IV", "AC"},
}


def _types(layout: Layout) -> frozenset[str]:
    second = ALPHABET if layout.format != "TD3" else [c for c in ALPHABET if not c.isdigit()]
    return frozenset(map("".join, product(layout.types, second))) - _FORBIDDEN_TYPES.get(layout.format, set())


_TYPES = {layout.format: _types(layout) for layout in LAYOUTS}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; nothing of what the zone says is in it.

    `position` is counted through all lines, `column` in its line, both from 1; 0 where a fault has none.
    """

    field: str
    reason: str
    position: int
    line: int
    column: int
    text: str


@dataclass(slots=True)
class Findings:
    """What the rules say of a zone. `number` and its digit are whole also where they run on."""

    layout: Layout
    text: str
    faults: list[Fault] = field(default_factory=list)
    checks: dict[str, CheckState] = field(default_factory=dict)
    number: str = ""
    number_check: str = ""
    spoiled: set[str] = field(default_factory=set)  # fields with characters that are none

    def wrong(self, name: str, reason: str, at: int) -> None:
        """Note what is wrong at a place that is counted from 0."""
        if reason == "characters" or name not in self.spoiled:
            line, column = self.layout.place(at)
            self.faults.append(Fault(name, reason, at + 1, line, column, sentence(name, reason)))


def judge(layout: Layout, text: str) -> Findings:
    """Apply every rule of the format. The faults come in the order of their places."""
    findings = Findings(layout, text)
    if not _ALLOWED.fullmatch(text):
        strays = [at for at, character in enumerate(text) if character not in VALUES]
        findings.spoiled.update(layout.field_at(at) for at in strays)
        for at in strays:
            findings.wrong(layout.field_at(at), "characters", at)
    _judge_type(findings)
    _judge_codes(findings)
    _judge_names(findings)
    _judge_number(findings)
    _judge_dates(findings)
    sex = layout.fields["sex"][0]
    if text[sex] not in "FM<":
        findings.wrong("sex", "value", sex)
    _judge_digits(findings)
    findings.faults.sort(key=lambda fault: fault.position)
    return findings


def shape_fault(lines: Sequence[str]) -> Fault:
    """What is wrong with lines that are no zone by their number and widths."""
    widths = [len(line) for line in lines]
    wanted = {2: (36, 44), 3: (30,)}.get(len(lines), ())
    nearest = min(wanted, key=lambda width: sum(abs(width - found) for found in widths), default=0)
    line = next((number for number, width in enumerate(widths, 1) if nearest and width != nearest), 0)
    found = " and ".join(map(str, widths)) if len(lines) in {2, 3} else f"{sum(widths)} in all"
    told = "nothing" if not sum(widths) else f"{len(lines)} line{'s' * (len(lines) > 1)}: {found}"
    text = f"A zone has 3 lines of 30 characters, 2 of 36 or 2 of 44; here is {told}."
    return Fault("zone", "length", 0, line, 0, text)


def _judge_type(findings: Findings) -> None:
    text, layout = findings.text, findings.layout
    if text[:2] not in _TYPES[layout.format]:
        findings.wrong("document_type", "value", 0 if text[0] not in layout.types else 1)


def _judge_codes(findings: Findings) -> None:
    for name, listed in (("issuer", ISSUERS), ("nationality", NATIONALITIES)):
        span = findings.layout.fields.get(name)
        if span is None:
            continue
        code = findings.text[span[0] : span[1]]
        if code not in listed:
            findings.wrong(name, "code" if _COUNTRY.fullmatch(code) else "value", span[0])


def _judge_names(findings: Findings) -> None:
    fields = findings.layout.fields
    for name, grammar in (
        ("name", NAME),
        ("surname", WORDS),
        ("given_names", WORDS),
        ("issuing_office", _OFFICE),
    ):
        if name in fields:
            start, end = fields[name]
            follows = grammar.match(findings.text, start, end)
            stop = follows.end() if follows else start
            if stop < end:
                findings.wrong(name, "value", stop)


def _judge_number(findings: Findings) -> None:
    """The number as it enters the access key, and its check digit; longer ones run on in optional data."""
    layout, text = findings.layout, findings.text
    start, end = layout.fields["document_number"]
    number, digit = text[start:end], text[end]
    grammar = _FRENCH_NUMBER if layout.format == "FRA-ID" else _NUMBER
    if not grammar.fullmatch(number):
        findings.wrong("document_number", "value", start)
    at, state = end, ""
    if digit == FILLER and layout.continuation is not None:  # Doc 9303-5 section 4.2.2.3 note j
        first, last = layout.fields[layout.continuation]
        rest, filler, _ = text[first:last].partition(FILLER)
        if len(rest) < 2 or not filler or FILLER in number:
            findings.wrong(
                "document_number", "filler", end if len(rest) < 2 or FILLER in number else last - 1
            )
            state = "filler"
        else:
            number, digit, at = number + rest[:-1], rest[-1], first + len(rest) - 1
    findings.number, findings.number_check = number, digit
    if state == "filler":
        findings.checks["document_number"] = "filler"
    else:
        _note(findings, "document_number", at, digit, digit_over(values(number)))


def _judge_dates(findings: Findings) -> None:
    for name, grammar in (("birth_date", dates.BIRTH), ("expiry_date", dates.DIGITS)):
        span = findings.layout.fields.get(name)
        if span is None:
            continue
        value = findings.text[span[0] : span[1]]
        if not grammar.fullmatch(value):
            findings.wrong(name, "value", span[0])
        elif value[2:] not in _DAYS:
            part = dates.wrong_part(value)
            if part is not None:
                findings.wrong(name, "value", span[0] + part)


def _judge_digits(findings: Findings) -> None:
    layout, text, checks = findings.layout, findings.text, findings.checks
    worth = values(text)
    for check in layout.check_digits:
        if check.field == "document_number":
            continue
        covered = b"".join([worth[start:end] for start, end in check.covers])
        expected = digit_over(covered)
        if check.field == "optional_data" and text[check.at] == FILLER and _is_empty(text, check):
            checks["optional_data"] = "filler"  # Doc 9303-4 section 4.2.2.2, position 43
        else:
            _note(findings, check.field, check.at, text[check.at], expected)
    findings.checks = {name: checks.get(name, "absent") for name in CHECKED}


def _note(findings: Findings, name: str, at: int, digit: str, expected: str) -> None:
    """Note how a check digit fits. None fits over characters that are none."""
    spoiled = findings.spoiled and (name in findings.spoiled or name == "composite")
    if digit == expected and not spoiled:
        findings.checks[name] = "good"
        return
    findings.checks[name] = "filler" if digit == FILLER else "wrong"
    findings.wrong(name, "check_digit", at)


def _is_empty(text: str, check: CheckDigit) -> bool:
    return all(not text[start:end].strip(FILLER) for start, end in check.covers)
