"""How serial readers wrap the lines of a zone: where a message ends, and what its lines are. No I/O.

A framing is asked for the first whole frame in the bytes that have come so far, and, once there is a pause,
for what the bytes are worth as they are. Four are known:

- `auto`: STX ... ETX when a message begins with STX. Else the lines come one after the other, each ended by
  CR, LF or both; lines in the form of a zone (Doc 9303: 3 x 30, 2 x 36, 2 x 44, or all in one line) are
  whole, others end with a pause. Empty lines, such as the bare CRs for missing lines, are no lines.
- `delimited`: what stands between `start` and `end`; the rest is not looked at.
- `rte`: blocks of SOH, length, device, type, STX, flag, lines, ETX and a check byte.
- `elyctis`: a letter, a length of two bytes (big-endian) and that many bytes.

What is not a zone but well framed is returned all the same: the parser of the zone is its judge. Nothing here
is ever quoted in an error: a zone is personal data.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

SOH, STX, ETX = b"\x01", b"\x02", b"\x03"
CR_LF: Final = b"\r\n"
_ENDS: Final = re.compile(rb"[\r\n]+")
_ZONES: Final = frozenset({(30, 30, 30), (36, 36), (44, 44), (90,), (72,), (88,)})


class FramingError(Exception):
    """The bytes are no message. `code`: `noise`, or `cut_off` for one that lacks its end."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame: its text, empty where it carries no zone, and where it ends in the bytes."""

    text: bytes = field(repr=False)
    end: int


class Framing(Protocol):
    """How one kind of reader wraps its messages."""

    def first(self, raw: bytes) -> Frame | None:
        """The first whole frame; None while there is none. Raises FramingError (`noise`)."""

    def rest(self, raw: bytes) -> bytes:
        """The text of bytes after which there was a pause. Raises FramingError."""


class Auto:
    """STX ... ETX, or lines."""

    def first(self, raw: bytes) -> Frame | None:
        """The first whole frame; None while there is none."""
        begins = len(raw) - len(raw.lstrip(CR_LF))
        if raw.startswith(STX, begins):
            end = raw.find(ETX, begins) + 1
            return Frame(raw[begins + 1 : end - 1], end) if end else None
        end = _zone_end(raw, begins)
        return Frame(raw[begins:end], end) if end else None

    def rest(self, raw: bytes) -> bytes:
        """The lines of a zone of another form, or of what is none. Raises FramingError."""
        text = raw.lstrip(CR_LF)
        if text.startswith(STX):
            raise FramingError("cut_off")
        return text


class Delimited:
    """What stands between two marks."""

    def __init__(self, start: bytes, end: bytes) -> None:
        self._start = start
        self._end = end

    def first(self, raw: bytes) -> Frame | None:
        """The first whole frame; None while there is none."""
        begins = raw.find(self._start)
        if begins < 0:
            return None
        begins += len(self._start)
        ends = raw.find(self._end, begins)
        return None if ends < 0 else Frame(raw[begins:ends], ends + len(self._end))

    def rest(self, raw: bytes) -> bytes:
        """Nothing but line ends may stand alone. Raises FramingError."""
        if self._start in raw:
            raise FramingError("cut_off")
        return _nothing_but_line_ends(raw)


class Rte:
    """RTE Native: `<SOH>[length]"OU"<STX>[flag][line 1]<CR>[line 2]<CR>[line 3]<CR><ETX>[BCC]`.

    What the length counts and how BCC is computed stands in a manual that is not public, so both are left
    unchecked: the check digits of the zone guard its content.
    """

    _MARKS: Final = 6  # SOH, length, device, type, STX
    _TEXT: Final = 7  # after the flag, which may be any byte

    def first(self, raw: bytes) -> Frame | None:
        """The first whole frame; None while there is none. Raises FramingError."""
        begins = raw.find(SOH)
        if begins < 0 or len(raw) < begins + self._MARKS:
            return None
        if raw[begins + 5 : begins + 6] != STX:
            raise FramingError("noise")
        ends = raw.find(ETX, begins + self._TEXT)
        if ends < 0 or len(raw) < ends + 2:
            return None
        of_optics = raw[begins + 3 : begins + 4] == b"O"
        return Frame(raw[begins + self._TEXT : ends] if of_optics else b"", ends + 2)

    def rest(self, raw: bytes) -> bytes:
        """Nothing but line ends may stand alone. Raises FramingError."""
        if SOH in raw:
            raise FramingError("cut_off")
        return _nothing_but_line_ends(raw)


class Elyctis:
    """Answers of a letter, a length and content: `I` and `L` carry a zone, others confirm commands."""

    _HEAD: Final = 3
    _WITH_ZONE: Final = b"IL"

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length

    def first(self, raw: bytes) -> Frame | None:
        """The first whole frame; None while there is none. Raises FramingError."""
        if not b"A" <= raw[:1] <= b"Z":
            raise FramingError("noise")
        if len(raw) < self._HEAD:
            return None
        end = self._HEAD + int.from_bytes(raw[1:3], "big")
        if end > self._max_length:
            raise FramingError("noise")
        if len(raw) < end:
            return None
        return Frame(raw[self._HEAD : end] if raw[:1] in self._WITH_ZONE else b"", end)

    def rest(self, raw: bytes) -> bytes:  # noqa: ARG002 - no frame can do without its end
        """No frame can do without its end: raises FramingError."""
        raise FramingError("cut_off")


def lines_of(text: bytes, *, filler: bytes = b"<", padding: bytes = b"") -> bytes:
    r"""The lines of a text, joined by `\n`.

    `filler` is what the reader sends for `<`. `padding` is what it fills lines up with that are shorter than
    it expected, at their right.
    """
    lines = [line for line in _ENDS.split(text) if line]
    if padding:
        lines = [line.rstrip(padding) for line in lines]
    return b"\n".join(lines).replace(filler, b"<")


def _zone_end(raw: bytes, begins: int) -> int:
    """Where the lines that have the form of a whole zone end; 0 while they do not have it."""
    widths: tuple[int, ...] = ()
    for found in _ENDS.finditer(raw, begins):
        widths = (*widths, found.start() - begins)
        begins = found.end()
        if widths in _ZONES:
            return begins
    return 0


def _nothing_but_line_ends(raw: bytes) -> bytes:
    if raw.strip(CR_LF):
        raise FramingError("noise")
    return b""
