"""How DG11, DG12 and DG16 write names, lists and dates (Doc 9303-10, sections 4.7.11, 4.7.12 and 4.7.16).

Text is UTF-8. `<` separates the parts of a list, and of a name; `<<` separates primary from secondary
identifier. A date is eight digits CCYYMMDD, as text or packed into four bytes; issuers do either, and zeros,
fillers and letters X stand for a part that is not known.
"""

import re
from dataclasses import dataclass
from datetime import date

from gated.core.personal import MASK
from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.directory import ElementaryFile

MAX_TEXT = 4096  # bytes of one element; a personal summary or an endorsement is the longest
MAX_LIST = 64  # parts of a list, or names

_UNKNOWN = re.compile("0+|X+|<+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, repr=False)
class FullName:
    """A name in national characters: primary and secondary identifier, parts separated by spaces."""

    primary: str
    secondary: str

    def __repr__(self) -> str:
        return f"FullName({MASK})"


@dataclass(frozen=True, slots=True, repr=False)
class CalendarDate:
    """A date of which the chip may know the year only, or year and month."""

    year: int
    month: int | None
    day: int | None

    def __repr__(self) -> str:
        return f"CalendarDate({MASK})"


class Elements:
    """The data elements of one such group. Every method raises LdsError(`dg11_...`).

    One that is asked for may be there once only; what nobody asks for does not matter.
    """

    def __init__(self, content: bytes, file: ElementaryFile) -> None:
        """`content` of the group, or of a template inside it."""
        self._name = file.name
        try:
            items = tlv.parse(content)
        except TlvError as error:
            raise self.wrong("malformed") from error
        self._items = items

    def wrong(self, what: str) -> LdsError:
        """The error to raise."""
        return LdsError(f"{self._name}_{what}")

    def octets(self, tag: int) -> bytes | None:
        """The bytes as they stand; None where the element is absent."""
        values = [item.value for item in self._items if item.tag == tag]
        if len(values) > 1:
            raise self.wrong("malformed")
        return values[0] if values else None

    def text(self, tag: int) -> str | None:
        """UTF-8 text without control characters; line breaks are allowed."""
        value = self.octets(tag)
        return None if value is None else self._decoded(value)

    def parts(self, tag: int) -> tuple[str, ...]:
        """A list separated by `<`, empty parts left out; empty where the element is absent."""
        parts = tuple(part for part in (self.text(tag) or "").split("<") if part)
        if len(parts) > MAX_LIST:
            raise self.wrong("too_many")
        return parts

    def name(self, tag: int) -> FullName | None:
        """One name."""
        text = self.text(tag)
        return None if text is None else _name(text)

    def names(self, container: int, tag: int) -> tuple[FullName, ...]:
        """The counted names in a container; none where it is absent."""
        value = self.octets(container)
        if value is None:
            return ()
        try:
            items = tlv.parse(value)
            count = tlv.only(items, 0x02)
        except TlvError as error:
            raise self.wrong("malformed") from error
        found = [self._decoded(item.value) for item in items if item.tag == tag]
        if len(count) != 1 or count[0] != len(found) or len(found) > MAX_LIST:
            raise self.wrong("malformed")
        return tuple(_name(text) for text in found)

    def date(self, tag: int) -> CalendarDate | None:
        """CCYYMMDD, as text or packed; None where it is absent or no part of it is known."""
        value = self.octets(tag)
        if value is None:
            return None
        digits = self.digits(value, 8)
        if _UNKNOWN.fullmatch(digits[:4]):
            return None
        found = _calendar_date(digits)
        if found is None:
            raise self.wrong("date_wrong")
        return found

    def digits(self, value: bytes, count: int) -> str:
        """Text of that many characters, or as many digits packed into half the bytes."""
        if len(value) == count and value.isascii():
            return value.decode("ascii").upper()
        if len(value) == count // 2:
            return value.hex()
        raise self.wrong("date_wrong")

    def _decoded(self, value: bytes) -> str:
        if len(value) > MAX_TEXT:
            raise self.wrong("too_long")
        text = _utf8(value)
        if text is None:
            raise self.wrong("not_utf8")
        if _CONTROL.search(text):
            raise self.wrong("not_printable")
        return text


def _name(text: str) -> FullName:
    primary, _, secondary = text.partition("<<")
    return FullName(_spaced(primary), _spaced(secondary))


def _spaced(part: str) -> str:
    return " ".join(part.replace("<", " ").split())


def _utf8(value: bytes) -> str | None:
    """None for other bytes: the error of the codec would carry them along."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _calendar_date(digits: str) -> CalendarDate | None:
    """None for a day that is not in the calendar, or a known day of an unknown month."""
    parts = [None if _UNKNOWN.fullmatch(part) else part for part in (digits[:4], digits[4:6], digits[6:])]
    if not all(part is None or part.isdecimal() for part in parts):
        return None
    year, month, day = (None if part is None else int(part) for part in parts)
    if year is None or (month is None and day is not None):
        return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return CalendarDate(year, month, day)
