"""The file system of a simulated passport chip (Doc 9303-10 section 3.6): select, read, say where it ends.

Two directories: the master file, whose files anyone may read (EF.CardSecurity once PACE has succeeded), and
the passport application, whose files nobody may select or read before access was granted. A read of an
absolute length that goes beyond the end gets what there is and 6282; `Le` zero means "as much as there is"
and ends with 9000.
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.apdu import Command, Response
from gated.document.errors import TlvError
from hw_sim.passport import lds
from hw_sim.passport.behaviour import Behaviour

OK = 0x9000
END_OF_FILE = 0x6282
WRONG_LENGTH = 0x6700
SECURITY_STATUS = 0x6982
NO_CURRENT_FILE = 0x6986
WRONG_DATA = 0x6A80
NOT_FOUND = 0x6A82
WRONG_PARAMETERS = 0x6A86
WRONG_OFFSET = 0x6B00
CORRECTED_LE = 0x6C00

MASTER_FILE = b"\x3f\x00"
NO_FILE_INFORMATION = 0x0C  # P2 of SELECT: answer with a status only
SHORT_IDENTIFIER = 0x80  # bit 8 of P1: bits 5 to 1 name the file

WILDCARDS = frozenset({256, 65536})  # Le coded as zeros

_OPEN_FILES = frozenset({lds.CARD_ACCESS, lds.ATR_INFO, lds.DIR})
_MASTER_FILES = _OPEN_FILES | {lds.CARD_SECURITY}
_IN_MASTER_FILE = 0x3F00_0000  # with an identifier that the application uses too
_IN_APPLICATION = 0x0001_0000  # with an identifier that the master file uses too
_DO_OFFSET = 0x54
_DO_DISCRETIONARY = 0x53
_ENDLESS = 0xFFFF_FFFF


class Refused(Exception):
    """The chip says no; `status` is the status word."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04x}")
        self.status = status


@dataclass(frozen=True, slots=True, repr=False)
class StoredFile:
    """A file's content; an endless one goes on with zeros for the 4 GB that its head declares."""

    content: bytes
    endless: bool = False

    @property
    def size(self) -> int:
        """Length in bytes, as far as reading goes."""
        return len(self.content) + (_ENDLESS if self.endless else 0)

    def part(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`."""
        count = max(0, min(count, self.size - offset))
        return self.content[offset : offset + count].ljust(count, b"\0")


def endless(content: bytes) -> StoredFile:
    """A file that keeps its tag and declares 4 GB after it."""
    return StoredFile(content[:1] + b"\x84" + _ENDLESS.to_bytes(4, "big"), endless=True)


@dataclass(slots=True)
class FileSystem:
    """What is selected, and how reading behaves. `files` is by file identifier.

    The `closed` ones stay so when access is granted: they await terminal authentication.
    """

    files: dict[int, StoredFile]
    behaviour: Behaviour
    closed: frozenset[int] = frozenset()
    in_application: bool = False
    current: int | None = None

    def select(self, command: Command, *, granted: bool, locked: bool) -> None:
        """SELECT. `locked` hides the application itself until access is granted. Raises Refused."""
        if command.p2 != NO_FILE_INFORMATION:
            raise Refused(WRONG_PARAMETERS)
        match command.p1:
            case 0x00 if command.body in {b"", MASTER_FILE}:
                self.in_application, self.current = False, None
            case 0x02 if len(command.body) == 2:
                self.current = self._find(int.from_bytes(command.body, "big"), granted=granted)
            case 0x04:
                self._select_application(command.body, allowed=granted or not locked)
            case 0x00 | 0x02:
                raise Refused(NOT_FOUND if len(command.body) == 2 else WRONG_LENGTH)
            case _:
                raise Refused(WRONG_PARAMETERS)

    def read(self, command: Command, room: int, *, granted: bool) -> Response:
        """READ BINARY B0; at most `room` bytes fit into the response. Raises Refused."""
        if command.body or command.le is None:
            raise Refused(WRONG_LENGTH)
        if command.p1 & SHORT_IDENTIFIER:
            if command.p1 & 0x60 or not self.behaviour.short_identifiers:
                raise Refused(WRONG_PARAMETERS)
            self.current = self._find_short(command.p1 & 0x1F, granted=granted)
            return self._read(command.p2, command.le, room, granted=granted)
        return self._read(command.p1 << 8 | command.p2, command.le, room, granted=granted)

    def read_far(self, command: Command, room: int, *, granted: bool) -> Response:
        """READ BINARY B1, whose offset travels in DO54 and whose answer in DO53. Raises Refused."""
        if command.le is None:
            raise Refused(WRONG_LENGTH)
        try:
            offset = tlv.parse_one(command.body, _DO_OFFSET).value
        except TlvError as error:
            raise Refused(WRONG_DATA) from error
        if not 1 <= len(offset) <= 4:
            raise Refused(WRONG_DATA)
        wanted = command.p1 << 8 | command.p2
        if 0 < wanted < 0x1F:
            self.current = self._find_short(wanted, granted=granted)
        elif wanted:
            self.current = self._find(wanted, granted=granted)
        le = command.le if command.le in WILDCARDS else _content_of(command.le)
        room = _content_of(min(room, command.le))
        answer = self._read(int.from_bytes(offset, "big"), le, room, granted=granted)
        body = tlv.encode(_DO_DISCRETIONARY, answer.body) if answer.body else b""
        return Response(body, answer.status)

    def _read(self, offset: int, le: int, room: int, *, granted: bool) -> Response:
        if self.current is None:
            raise Refused(NO_CURRENT_FILE)
        self._check_access(self.current, granted=granted)  # it may be selected from a session that has ended
        file = self.files[self.current]
        left = file.size - offset
        if left <= 0:
            raise Refused(WRONG_OFFSET)
        self._check_length(le, left, room)
        count = min(le, room, self.behaviour.max_read or room)
        short = count > left and le not in WILDCARDS
        return Response(file.part(offset, count + self.behaviour.generous), END_OF_FILE if short else OK)

    def _check_length(self, le: int, left: int, room: int) -> None:
        behaviour = self.behaviour
        if le in WILDCARDS:
            if behaviour.exact_le and left < min(le, 256):
                raise Refused(CORRECTED_LE | left)
            return
        if le > room:
            raise Refused(WRONG_LENGTH)
        if le > left and behaviour.beyond_end != "partial":
            known = behaviour.beyond_end == "corrected_le" and left < 256
            raise Refused(CORRECTED_LE | left if known else WRONG_LENGTH)

    def _select_application(self, name: bytes, *, allowed: bool) -> None:
        if name != lds.APPLICATION:
            raise Refused(NOT_FOUND)
        if not allowed:
            raise Refused(SECURITY_STATUS)
        self.in_application, self.current = True, None

    def _find(self, fid: int, *, granted: bool) -> int:
        """A file of the selected directory."""
        if self.in_application and not granted:
            raise Refused(SECURITY_STATUS)
        if not self.in_application and _IN_MASTER_FILE | fid in self.files:
            fid |= _IN_MASTER_FILE
        elif self.in_application and _IN_APPLICATION | fid in self.files:
            fid |= _IN_APPLICATION
        if fid not in self.files or (fid in _MASTER_FILES) == self.in_application:
            raise Refused(NOT_FOUND)
        self._check_access(fid, granted=granted)
        return fid

    def _check_access(self, fid: int, *, granted: bool) -> None:
        if (fid not in _OPEN_FILES and not granted) or fid in self.closed:
            raise Refused(SECURITY_STATUS)

    def _find_short(self, short: int, *, granted: bool) -> int:
        """A file of the selected directory by its short identifier."""
        if self.in_application:
            high = 0x0100
            return self._find(high | short, granted=granted)
        known = {0x1C: lds.CARD_ACCESS, 0x1E: lds.DIR, 0x01: lds.ATR_INFO, 0x1D: 0x011D}
        return self._find(known.get(short, 0), granted=granted)


def _content_of(room: int) -> int:
    """Most bytes of content that fit into `room` with DO53's tag and length around them."""
    return max(0, next(room - head for head in (2, 3, 4) if _head(room - head) <= head))


def _head(count: int) -> int:
    return 1 + len(tlv.encode_length(max(0, count)))
