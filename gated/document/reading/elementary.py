"""Reading one elementary file of a chip in pieces (ISO 7816-4 section 11.3), and what it tells of the chip.

A file is selected and read at once by its short identifier, where the chip knows those; else SELECT, then
READ BINARY. The first piece shows the file's length, which has a cap; then come pieces as long as reader and
chip carry. A chip that cannot answer a piece that long says 6700 or 6Cxx, and pieces get smaller; if it says
so outside secure messaging, the session is lost: `forgive` tells whether another one can go differently.
"""

from gated.document import tlv
from gated.document.apdu import (
    END_OF_FILE,
    NOT_FOUND,
    OK,
    WRONG_LENGTH,
    WRONG_OFFSET,
    Command,
    status_name,
)
from gated.document.errors import MessagingError, ReadingError, TlvError
from gated.document.lds.directory import ElementaryFile
from gated.document.reading.terminal import SHORT_RESPONSE, Raw, Terminal

AHEAD = 223  # what fits into a short secured answer; small files are mostly shorter
HEAD = 6  # one tag byte and the longest length: never beyond the end of any file
LONG_PIECES = (16_384, 8192, 4096, 2048, 1024, 512)
SHORT_PIECES = (223, 160, 112, 64)  # one chip family answers at most 160 bytes; 64 serves any
LAST_EVEN_OFFSET = 0x7FFF  # above, READ BINARY needs its odd instruction (ISO 7816-4, 11.3.3)

_WITH_SHORT_IDENTIFIER = range(0x0101, 0x011F)  # Doc 9303-10 table 34: their low five bits
_SHORT_IDENTIFIER = 0x80  # P1: bits 5 to 1 name the file


class FileReader:
    """Reads files over one terminal and remembers the habits of the chip at its other end."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._max_piece = 65_536
        self._short_identifiers = True
        self._asked_short_identifier = False
        self._tells_end = False  # asked for more than a file has, it gives what there is

    def read(self, file: ElementaryFile, *, first: int = HEAD) -> Raw[bytes]:
        """The whole file. `first` bytes are asked for at once: not more than the file surely has.

        Raises ReadingError: `dg2_missing`, `dg2_too_long`, `dg2_truncated`, `dg2_malformed` ...
        """
        if self._tells_end:
            first = max(first, AHEAD)
        start = yield from self._start(file, first)
        return (yield from self.read_selected(file, start))

    def read_first(self, file: ElementaryFile) -> Raw[bytes]:
        """The whole of the current file, small and in the clear: more than it has is asked for at once.

        That saves a command if the chip gives what there is, and tells how it will answer in a session, where
        an answer in the clear would end it. Raises ReadingError.
        """
        ahead = yield from self._terminal.send(self._read_binary(0, SHORT_RESPONSE))
        start = ahead.body if ahead.status in {OK, END_OF_FILE} else b""
        if len(start) > SHORT_RESPONSE:
            raise ReadingError("tag_protocol")
        content = yield from self.read_selected(file, start)
        self._tells_end = len(content) <= len(start) < SHORT_RESPONSE
        return content

    def read_selected(self, file: ElementaryFile, start: bytes = b"") -> Raw[bytes]:
        """The whole of the current file, beginning with what is there of it. Raises ReadingError."""
        if file.tag is None:
            return (yield from self._to_the_end(file, start))
        return (yield from self._content(file, start))

    def takes_long_form(self) -> Raw[bool]:
        """Whether the chip reads the head of the current file by an APDU in the long form."""
        response = yield from self._terminal.send(Command(0x00, 0xB0, 0x00, 0x00, b"", HEAD, long=True))
        return response.ok and len(response.body) == HEAD

    def forgive(self, error: MessagingError) -> bool:
        """Whether the session was lost over a habit of the chip, now known, so that another may hold."""
        if error.code != "messaging_unprotected" or error.status is None:
            return False
        if self._asked_short_identifier:
            self._asked_short_identifier = self._short_identifiers = False
            return True
        if not _about_length(error.status):
            return False
        if self._terminal.extended:
            self._terminal.limit()
            return True
        return self._shrink(self._piece_length(odd=False))

    def _start(self, file: ElementaryFile, first: int) -> Raw[bytes]:
        """Make it the current file; the first bytes, where they came with that."""
        known = self._short_identifiers
        # In the master file one identifier would name another file where an application is selected already.
        if known and file.in_application and file.identifier in _WITH_SHORT_IDENTIFIER:
            length = min(first, self._piece_length(odd=False))
            command = Command(0x00, 0xB0, _SHORT_IDENTIFIER | file.short_identifier, 0x00, b"", length)
            self._asked_short_identifier = True
            response = yield from self._terminal.send(command)
            self._asked_short_identifier = False
            if response.status in {OK, END_OF_FILE} and 0 < len(response.body) <= length:
                return response.body
            self._short_identifiers = _about_length(response.status)
        selected = yield from self._terminal.send(select(file))
        if selected.status == NOT_FOUND:
            self._short_identifiers = known  # it was right about a file that is not there
            raise ReadingError(f"{file.name}_missing")
        if not selected.ok:
            raise ReadingError(f"{file.name}_{status_name(selected.status)}")
        return b""

    def _content(self, file: ElementaryFile, start: bytes) -> Raw[bytes]:
        pieces = bytearray(start)
        while (head := _head(file, pieces)) is None:
            pieces += yield from self._piece(file, len(pieces), max(HEAD - len(pieces), 1))
        while len(pieces) < head.total:
            pieces += yield from self._piece(file, len(pieces), head.total - len(pieces))
        return bytes(pieces[: head.total])

    def _to_the_end(self, file: ElementaryFile, start: bytes) -> Raw[bytes]:
        """A file without an object around it, whose length only its end tells."""
        pieces = bytearray(start)
        while len(pieces) < file.max_length:
            length = min(file.max_length - len(pieces), self._piece_length(odd=False))
            response = yield from self._terminal.send(self._read_binary(len(pieces), length))
            if response.status not in {OK, END_OF_FILE} or not response.body:
                break
            pieces += response.body
            if response.status == END_OF_FILE or len(response.body) < length:
                break
        return bytes(pieces[: file.max_length])

    def _piece(self, file: ElementaryFile, offset: int, wanted: int) -> Raw[bytes]:
        """At least one byte at the offset; fewer than `wanted` where reader or chip carry fewer."""
        while True:
            length = min(wanted, self._piece_length(odd=offset > LAST_EVEN_OFFSET))
            command = self._read_binary(offset, length)
            response = yield from self._terminal.send(command)
            if response.status in {OK, END_OF_FILE} and response.body:
                body = response.body if command.ins == 0xB0 else _discretionary(response.body)
                if not body or len(response.body) > (command.le or 0):
                    raise ReadingError("tag_protocol")
                return body
            if response.status in {END_OF_FILE, WRONG_OFFSET}:
                raise ReadingError(f"{file.name}_truncated")
            if response.status == OK:
                raise ReadingError("tag_protocol")
            if not _about_length(response.status):
                raise ReadingError(f"{file.name}_{status_name(response.status)}")
            if not self._shrink(length, response.status):
                raise ReadingError("tag_protocol")

    def _read_binary(self, offset: int, length: int) -> Command:
        """In the long form where a short response has no room for what secure messaging adds to the bytes."""
        if offset <= LAST_EVEN_OFFSET:
            long = self._terminal.wants_long_form(length)
            return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, b"", length, long=long)
        coded = tlv.encode(0x54, offset.to_bytes((offset.bit_length() + 7) // 8, "big"))
        wrapped = length + 1 + len(tlv.encode_length(length))  # exactly: a byte more may lie beyond the end
        long = self._terminal.wants_long_form(wrapped)
        return Command(0x00, 0xB1, 0x00, 0x00, coded, wrapped, long=long)

    def _piece_length(self, *, odd: bool) -> int:
        """How many bytes of a file fit into one response."""
        room = self._terminal.room(long=self._terminal.extended)
        room -= 4 if odd else 0  # DO53 with its length
        return max(min(room, self._max_piece), 1)

    def _shrink(self, tried: int, status: int = WRONG_LENGTH) -> bool:
        """Take smaller pieces from now on; False when there is nothing smaller to take."""
        told = (status & 0xFF or 256) if status >> 8 == 0x6C else 0
        steps = (told,) if 0 < told < tried else (*LONG_PIECES, *SHORT_PIECES)
        smaller = next((step for step in steps if step < tried), 0)
        self._max_piece = smaller or self._max_piece
        return smaller > 0


def select(file: ElementaryFile) -> Command:
    """SELECT an elementary file and want no answer: some chips refuse a length here."""
    return Command(0x00, 0xA4, 0x02, 0x0C, file.identifier.to_bytes(2, "big"))


def _head(file: ElementaryFile, start: bytearray) -> tlv.Head | None:
    """Tag and length of a file by its first bytes; None while they are too few. Raises ReadingError."""
    try:
        head = tlv.read_head(bytes(start[:8]), max_length=file.max_length)
    except TlvError as error:
        if error.code == "tlv_truncated":
            return None
        suffix = "too_long" if error.code == "tlv_too_long" else "malformed"
        raise ReadingError(f"{file.name}_{suffix}") from error
    if head.tag != file.tag:
        raise ReadingError(f"{file.name}_malformed")
    return head


def _about_length(status: int) -> bool:
    return status == WRONG_LENGTH or status >> 8 == 0x6C


def _discretionary(body: bytes) -> bytes:
    """The value of DO53, in which the odd READ BINARY answers."""
    try:
        return tlv.parse_one(body, 0x53).value
    except TlvError as error:
        raise ReadingError("tag_protocol") from error
