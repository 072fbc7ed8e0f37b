"""Dates of the zone: six digits without a century, parts of them unknown (Doc 9303-3 section 4.8).

The zone has two digits of a year. A birth is taken for the latest that is not after the day of the passage:
a holder of a hundred years and more counts as a child, who is sent to an officer, and nobody counts as older
than they are. An expiry is taken for the one nearest to that day.
"""

import re
from dataclasses import dataclass
from datetime import date

from gated.core.personal import MASK

UNKNOWN = "<<"
BIRTH = re.compile("(?:[0-9]{2}|<<){3}")
DIGITS = re.compile("[0-9]{6}")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which parts may be unknown."""

    year: int | None
    month: int | None
    day: int | None

    @property
    def latest(self) -> date | None:
        """The last day that it can mean; None without a year."""
        if self.year is None:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or days_of(self.year, month))

    @property
    def iso(self) -> str:
        """YYYY-MM-DD with `?` for what is unknown, such as 1974-08-??. Personal data."""
        year = "????" if self.year is None else f"{self.year:04}"
        month, day = ("??" if part is None else f"{part:02}" for part in (self.month, self.day))
        return f"{year}-{month}-{day}"

    def __repr__(self) -> str:
        return f"PartialDate({MASK})"


def found_birth(text: str, today: date) -> PartialDate | None:
    """What a date of birth says however it is written, zeros for unknown parts too; None if it is no date."""
    text = _zeros_unknown(text)
    return birth(text, today) if BIRTH.fullmatch(text) and wrong_part(text) is None else None


def found_expiry(text: str, today: date) -> PartialDate | None:
    """What a date of expiry says, unknown parts too; None if it is no date."""
    text = _zeros_unknown(text)
    if not BIRTH.fullmatch(text) or wrong_part(text) is not None:
        return None
    year, month, day = (part_of(text[at : at + 2]) for at in (0, 2, 4))
    full = None if year is None else expiry(f"{text[:2]}0101", today).year
    if full is not None and month is not None and day is not None:
        day = min(day, days_of(full, month))
    return PartialDate(full, month, day)


def _zeros_unknown(text: str) -> str:
    """Month and day 00, which some issuers write, as the fillers that the standard asks for."""
    return text[:2] + "".join(UNKNOWN if text[at : at + 2] == "00" else text[at : at + 2] for at in (2, 4))


def wrong_part(text: str) -> int | None:
    """Where a date of the form BIRTH stops to be one: 2 at the month, 4 at the day; None if it is one."""
    year, month, day = (part_of(text[at : at + 2]) for at in (0, 2, 4))
    if month is not None and not 1 <= month <= 12:
        return 2
    if day is None:
        return None
    longest = 31 if month is None else days_of(0 if year is None else year, month)
    return None if 1 <= day <= longest else 4


def birth(text: str, today: date) -> PartialDate:
    """The latest century in which YYMMDD is not after `today`. Issue dates are such too."""
    year, month, day = (part_of(text[at : at + 2]) for at in (0, 2, 4))
    if year is None:
        return PartialDate(None, month, day)
    full = today.year // 100 * 100 + year
    if (full, month or 1, day or 1) > (today.year, today.month, today.day):
        full -= 100
    if day is not None and month is not None and day > days_of(full, month):
        day = None  # 29 February of a year that turns out not to be a leap year
    return PartialDate(full, month, day)


def expiry(text: str, today: date) -> date:
    """The century that brings YYMMDD, without unknown parts, nearest to `today`."""
    year, month, day = (int(text[at : at + 2]) for at in (0, 2, 4))
    century = today.year // 100 * 100
    full = min((century + shift + year for shift in (-100, 0, 100)), key=lambda y: abs(y - today.year))
    return date(full, month, min(day, days_of(full, month)))


def part_of(two: str) -> int | None:
    """Two digits, or unknown."""
    return None if two == UNKNOWN else int(two)


def days_of(year: int, month: int) -> int:
    """Days of a month; two-digit years divisible by four count as leap years."""
    if month == 2:
        return 29 if year % 4 == 0 and (year < 100 or year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31
