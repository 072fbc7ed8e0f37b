"""Birth dates of which parts may be unknown, and how far two of them agree (Doc 9303-3, 4.8).

A date of the zone has two digits of the year: so many are compared. Dates that differ by one slip of a pen
(a digit, two digits swapped, day for month, the year before or after) are further apart than equal ones and
far nearer than others.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from gated.core.personal import MASK

_PART = "[0-9X?]{1,2}"
_TIME = "(?:[T ][0-9:.]{1,15}Z?)?"
_FORMS = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        rf"(?P<year>\d{{4}}|[X?]{{4}})(?:-(?P<month>{_PART})(?:-(?P<day>{_PART}))?)?{_TIME}",
        r"(?P<year>[0-9]{4})[./](?P<month>[0-9]{1,2})[./](?P<day>[0-9]{1,2})",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        r"(?P<year>[0-9]{2}|<<)(?P<month>[0-9]{2}|<<)(?P<day>[0-9]{2}|<<)",
        r"(?P<day>[0-9]{1,2})[./-](?P<month>[0-9]{1,2})[./-](?P<year>[0-9]{4})",
    )
)


class Agreement(StrEnum):
    """How far two statements agree."""

    SAME = "same"
    PARTLY = "partly"
    """What both know agrees; something is known to one side only."""
    UNKNOWN = "unknown"
    SLIP = "slip"
    DIFFERENT = "different"


class Birth(NamedTuple):
    """A birth date; None for unknown. A year below 100 is one of the zone. Personal data."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def __repr__(self) -> str:
        return f"Birth({MASK})"


UNKNOWN = Birth()
_NOTHING = frozenset({"", "-", "?", "n/a", "na", "nan", "none", "null", "unknown"})


def birth_of(written: str) -> Birth | None:
    """The date in `1974-08-12`, `1974`, `1974-XX-XX`, `19740812`, `740812`, `74<<<<` or `12.8.1974`.

    None if it is none of these. The parts need not make a day of the calendar, but months end at 12 and days
    at 31; 00 is unknown, and so is what tables write in an empty cell. Where the day should stand first and
    only the month can, it does: `8/31/1974`.
    """
    text = written.strip()
    if text.lower() in _NOTHING:
        return UNKNOWN
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            year, month, day = (_part(match[name]) for name in ("year", "month", "day"))
            if form is _FORMS[-1] and (month or 1) > 12:
                month, day = day, month
            if (month or 1) > 12 or (day or 1) > 31:
                return None
            return Birth(year, month or None, day or None)  # some issuers write 00 for unknown
    return None


def _part(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def compare_births(left: Birth, right: Birth) -> Agreement:
    """How far two dates agree in the parts that both know."""
    if _two_digits(left) or _two_digits(right):
        left, right = _in_zone(left), _in_zone(right)
    pairs = [(ours, theirs) for ours, theirs in zip(left, right, strict=True) if None not in (ours, theirs)]
    if not pairs:
        return Agreement.UNKNOWN
    if all(ours == theirs for ours, theirs in pairs):
        return Agreement.SAME if len(pairs) == 3 else Agreement.PARTLY
    if len(pairs) == 3 and _is_slip(left, right):
        return Agreement.SLIP
    return Agreement.DIFFERENT


def _two_digits(birth: Birth) -> bool:
    return birth.year is not None and birth.year < 100


def _in_zone(birth: Birth) -> Birth:
    return birth._replace(year=None if birth.year is None else birth.year % 100)


def _is_slip(left: Birth, right: Birth) -> bool:
    if (left.day, left.month, left.year) == (right.month, right.day, right.year):
        return True
    differing = [(ours, theirs) for ours, theirs in zip(left, right, strict=True) if ours != theirs]
    if len(differing) != 1:
        return False
    ours, theirs = differing[0]
    if ours is None or theirs is None:
        return False
    return abs(ours - theirs) == 1 or _one_slip(f"{ours:04}", f"{theirs:04}")


def slips_of(birth: Birth) -> frozenset[Birth]:
    """All dates of the zone that are one slip away from a date known in full."""
    year, month, day = _in_zone(birth)
    if year is None or month is None or day is None:
        return frozenset()
    here = Birth(year, month, day)
    near = [
        *(Birth(other, month, day) for other in range(100)),
        *(Birth(year, other, day) for other in range(1, 13)),
        *(Birth(year, month, other) for other in range(1, 32)),
        Birth(year, day, month),
    ]
    return frozenset(other for other in near if other != here and _is_slip(here, other))


def _one_slip(ours: str, theirs: str) -> bool:
    """Whether one digit differs, or two neighbours are swapped."""
    at = [place for place in range(len(ours)) if ours[place] != theirs[place]]
    swapped = "".join(reversed(ours[at[0] : at[-1] + 1])) if len(at) == 2 else ""
    return len(at) == 1 or (len(swapped) == 2 and swapped == theirs[at[0] : at[-1] + 1])
