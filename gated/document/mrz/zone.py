"""The machine-readable zone of Doc 9303-3 to -6: the lines of a serial reader in, one checked value out.

`parse` accepts a zone only when its characters, its fields and every check digit are right, and raises
MrzError otherwise. It does not know what day it is: the zone carries two digits of a year, and whoever
needs the century gives `today`. What the zone says is personal: `Mrz` shows nothing of it, encoders
refuse it, and errors name the field and the place, never the characters.
"""

import re
from dataclasses import dataclass
from datetime import date
from itertools import cycle

from gated.core.personal import MASK, Personal
from gated.document.errors import DocumentError

MAX_MESSAGE = 256  # bytes; the longest zone has 90 characters, serial readers add line ends and blanks

Span = tuple[int, int]


class MrzError(DocumentError):
    """What was read is not a machine-readable zone with good check digits.

    `field` is what is wrong, `position` its first character, counted from 1 through all lines (0 for the
    zone as a whole), `reason` one of `length`, `characters`, `filler`, `check_digit`, `value`.
    """

    def __init__(self, field: str, position: int, reason: str) -> None:
        super().__init__(f"mrz_{field}_{reason}")
        self.field = field
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where each field lies in the joined lines: [from, to), counted from 0; a check digit follows."""

    format: str
    width: int
    lines: int
    types: str
    name: Span
    number: Span
    birth: Span
    expiry: Span
    nationality: Span
    sex: int
    optional: tuple[Span, ...]
    checked_optional: bool
    composite: int
    covered: tuple[Span, ...]


_LAYOUTS = (
    _Layout(  # Doc 9303-4 section 4.2.2: passports
        format="TD3",
        width=44,
        lines=2,
        types="P",
        name=(5, 44),
        number=(44, 53),
        birth=(57, 63),
        expiry=(65, 71),
        nationality=(54, 57),
        sex=64,
        optional=((72, 86),),
        checked_optional=True,
        composite=87,
        covered=((44, 54), (57, 64), (65, 87)),
    ),
    _Layout(  # Doc 9303-6 section 4.2.2
        format="TD2",
        width=36,
        lines=2,
        types="ACI",
        name=(5, 36),
        number=(36, 45),
        birth=(49, 55),
        expiry=(57, 63),
        nationality=(46, 49),
        sex=56,
        optional=((64, 71),),
        checked_optional=False,
        composite=71,
        covered=((36, 46), (49, 56), (57, 71)),
    ),
    _Layout(  # Doc 9303-5 section 4.2.2
        format="TD1",
        width=30,
        lines=3,
        types="ACI",
        name=(60, 90),
        number=(5, 14),
        birth=(30, 36),
        expiry=(38, 44),
        nationality=(45, 48),
        sex=37,
        optional=((15, 30), (48, 59)),
        checked_optional=False,
        composite=59,
        covered=((5, 37), (38, 45), (48, 59)),
    ),
)

_TYPE: Span = (0, 2)
_ISSUER: Span = (2, 5)
_COUNTRY = re.compile(r"[A-Z]{3}|[A-Z]{2}<|[A-Z]<<")
_NAME = re.compile(r"[A-Z]+(?:<[A-Z]+)*(?:<<[A-Z]+(?:<[A-Z]+)*)?<*")
_NUMBER = re.compile(r"<*[A-Z0-9][A-Z0-9<]*")
_BIRTH = re.compile(r"<{6}|[0-9]{2}<{4}|[0-9]{4}<<|[0-9]{6}")
_VALUES = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_VALUES["<"] = 0


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of birth of which parts may be unknown."""

    year: int | None
    month: int | None
    day: int | None

    @property
    def latest(self) -> date | None:
        """The last day that it can mean; None without a year."""
        if self.year is None:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or _days(self.year, month))

    def __repr__(self) -> str:
        return f"PartialDate({MASK})"


@dataclass(frozen=True, slots=True, repr=False)
class _Zone:
    """The fields as they stand, fillers included where they mean something."""

    text: str
    number: str
    number_check: str


@dataclass(frozen=True, slots=True, repr=False)
class Mrz:
    """A checked zone. Every property is personal data; `repr` shows the format only."""

    format: str
    zone: Personal[_Zone]

    def __repr__(self) -> str:
        return f"Mrz({self.format}, {MASK})"

    @property
    def text(self) -> str:
        """All lines joined: what DG1 holds."""
        return self.zone.reveal().text

    @property
    def document_type(self) -> str:
        """One or two letters, without filler."""
        return self._field(_TYPE).rstrip("<")

    @property
    def issuer(self) -> str:
        """Issuing state or organisation: three letters, or fewer as in `D`."""
        return self._field(_ISSUER).rstrip("<")

    @property
    def document_number(self) -> str:
        """Normalised: letters and digits only."""
        return self.zone.reveal().number.replace("<", "")

    @property
    def surname(self) -> str:
        """The primary identifier in MRZ letters, its parts separated by one space."""
        return self._field(self._layout.name).rstrip("<").partition("<<")[0].replace("<", " ")

    @property
    def given_names(self) -> str:
        """The secondary identifier in MRZ letters, separated by spaces; empty if there is none."""
        return self._field(self._layout.name).rstrip("<").partition("<<")[2].replace("<", " ")

    @property
    def name_fills_field(self) -> bool:
        """Whether the name reaches the end of its field, so that it may have been cut short."""
        return not self._field(self._layout.name).endswith("<")

    @property
    def nationality(self) -> str:
        """Three letters, or fewer as in `D`."""
        return self._field(self._layout.nationality).rstrip("<")

    @property
    def sex(self) -> str:
        """`F`, `M`, or empty where it is not specified."""
        return self.text[self._layout.sex].rstrip("<")

    @property
    def birth_yymmdd(self) -> str:
        """The date of birth as it stands; unknown parts are `<`."""
        return self._field(self._layout.birth)

    @property
    def expiry_yymmdd(self) -> str:
        """The date of expiry as it stands."""
        return self._field(self._layout.expiry)

    @property
    def access_key(self) -> str:
        """The MRZ information of Doc 9303-11: number, birth and expiry with their check digits."""
        zone = self.zone.reveal()
        layout = self._layout
        dates = "".join(zone.text[start : end + 1] for start, end in (layout.birth, layout.expiry))
        return zone.number + zone.number_check + dates

    def birth_date(self, today: date) -> PartialDate:
        """The latest century in which the birth is not after `today`."""
        year, month, day = (_part(self.birth_yymmdd[at : at + 2]) for at in (0, 2, 4))
        if year is None:
            return PartialDate(None, None, None)
        for century in range(today.year // 100 * 100, 0, -100):
            full = century + year
            if (full, month or 1, day or 1) <= (today.year, today.month, today.day):
                break
        if day is not None and month is not None and day > _days(full, month):
            day = None  # 29 February of a year that turns out not to be a leap year
        return PartialDate(full, month, day)

    def expiry_date(self, today: date) -> date:
        """The century that brings the expiry nearest to `today`."""
        year, month, day = (int(self.expiry_yymmdd[at : at + 2]) for at in (0, 2, 4))
        century = today.year // 100 * 100
        full = min((century + shift + year for shift in (-100, 0, 100)), key=lambda y: abs(y - today.year))
        return date(full, month, min(day, _days(full, month)))

    def age(self, today: date) -> int | None:
        """Whole years at `today`, the least that the date of birth allows; None without a year."""
        born = self.birth_date(today).latest
        if born is None:
            return None
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        return max(today.year - born.year - (0 if had_birthday else 1), 0)

    @property
    def _layout(self) -> _Layout:
        return next(layout for layout in _LAYOUTS if layout.format == self.format)

    def _field(self, span: Span) -> str:
        return self.text[span[0] : span[1]]


def check_digit(text: str) -> str:
    """The check digit of Doc 9303-3 section 4.9: weights 7, 3, 1, modulo 10."""
    weighted = (
        _VALUES[character] * weight for character, weight in zip(text, cycle((7, 3, 1)), strict=False)
    )
    return str(sum(weighted) % 10)


def parse(message: bytes) -> Mrz:
    """Parse what a serial reader sent. Raises MrzError and nothing else."""
    layout, text = _join(message)
    if text[0] not in layout.types:
        raise MrzError("document_type", 1, "value")
    _match(text, "issuer", _ISSUER, _COUNTRY)
    _match(text, "name", layout.name, _NAME)
    _match(text, "nationality", layout.nationality, _COUNTRY)
    _match(text, "document_number", layout.number, _NUMBER)
    if text[layout.sex] not in "FM<":
        raise MrzError("sex", layout.sex + 1, "value")
    number, number_check = _number(text, layout)
    _check_dates(text, layout)
    if layout.checked_optional:
        _check_optional(text, layout.optional[0])
    covered = "".join(text[start:end] for start, end in layout.covered)
    if text[layout.composite] != check_digit(covered):
        raise MrzError("composite", layout.composite + 1, "check_digit")
    return Mrz(layout.format, Personal(_Zone(text, number, number_check)))


def _join(message: bytes) -> tuple[_Layout, str]:
    """Undo the habits of serial lines (line ends, blanks, one long line) and find the format."""
    if len(message) > MAX_MESSAGE:
        raise MrzError("zone", 0, "length")
    if not message.isascii():
        raise MrzError("zone", 0, "characters")
    lines = [line.strip(" \t") for line in re.split("[\r\n]+", message.decode("ascii").strip("\0 \t\r\n"))]
    text = "".join(lines)
    for layout in _LAYOUTS:
        whole = layout.width * layout.lines
        if [len(line) for line in lines] in ([layout.width] * layout.lines, [whole]):
            break
    else:
        raise MrzError("zone", 0, "length")
    for position, character in enumerate(text, 1):
        if character not in _VALUES:
            raise MrzError("zone", position, "characters")
    return layout, text


def _match(text: str, field: str, span: Span, grammar: re.Pattern[str]) -> None:
    if not grammar.fullmatch(text, *span):
        raise MrzError(field, span[0] + 1, "value")


def _number(text: str, layout: _Layout) -> tuple[str, str]:
    """The number as it enters the access key, and its check digit; longer ones run on in optional data."""
    start, end = layout.number
    number, check = text[start:end], text[end]
    if check == "<" and layout.format != "TD3":  # Doc 9303-5 section 4.2.2.1 note j
        first, last = layout.optional[0]
        rest = text[first:last].partition("<")[0]
        if len(rest) < 2 or "<" in number:
            raise MrzError("document_number", end + 1, "filler")
        number, check = number + rest[:-1], rest[-1]
    if check != check_digit(number):
        raise MrzError("document_number", end + 1, "check_digit")
    return number, check


def _check_dates(text: str, layout: _Layout) -> None:
    for field, (start, end) in (("birth_date", layout.birth), ("expiry_date", layout.expiry)):
        value = text[start:end]
        if (field == "expiry_date" and "<" in value) or not _BIRTH.fullmatch(value):
            raise MrzError(field, start + 1, "value")
        month, day = _part(value[2:4]), _part(value[4:6])
        if month is not None and not 1 <= month <= 12:
            raise MrzError(field, start + 3, "value")
        if month is not None and day is not None and not 1 <= day <= _days(int(value[:2]), month):
            raise MrzError(field, start + 5, "value")
        if text[end] != check_digit(value):
            raise MrzError(field, end + 1, "check_digit")


def _check_optional(text: str, span: Span) -> None:
    """An empty field may leave its check digit empty too (Doc 9303-4 section 4.2.2.2)."""
    value, check = text[span[0] : span[1]], text[span[1]]
    if check != check_digit(value) and (check != "<" or value.strip("<")):
        raise MrzError("optional_data", span[1] + 1, "check_digit")


def _part(two: str) -> int | None:
    return None if two == "<<" else int(two)


def _days(year: int, month: int) -> int:
    """Days of a month; two-digit years divisible by four count as leap years."""
    if month == 2:
        return 29 if year % 4 == 0 and (year < 100 or year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31
