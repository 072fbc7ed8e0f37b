"""Reading a passport chip: one generator that yields command APDUs, is sent responses, returns the files.

EF.CardAccess decides how access is asked for. If it offers a PACE that is supported, that is run, and when
it fails the reading has failed. BAC is run only where the chip offers no PACE, or, if the caller's policy
says so, where it offers none that is supported; the result says which and why.

Everything is read in pieces: the head of a file first, whose length has a cap, then as much at a time as
reader and chip can carry. A chip that cannot answer a piece that long says 6700 or 6Cxx, and pieces get
smaller; if it says so outside secure messaging the session is lost, and access is asked for once more, in
the same way. Time limits belong to whoever drives the generator.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gated.core.personal import MASK, Personal
from gated.document import tlv
from gated.document.access import Password, bac, pace
from gated.document.access.card_access import MAX_CARD_ACCESS, CardAccess, PaceChoice, parse_card_access
from gated.document.apdu import (
    END_OF_FILE,
    OK,
    WRONG_LENGTH,
    WRONG_OFFSET,
    Command,
    Response,
    parse_response,
    status_name,
)
from gated.document.errors import AccessError, MessagingError, ReadingError, TlvError
from gated.document.groups.curves import Random
from gated.document.keys import Suite

if TYPE_CHECKING:
    from gated.document.messaging import SecureChannel

T = TypeVar("T")
Bytes = Generator[bytes, bytes, bytes]
Nothing = Generator[bytes, bytes, None]

APPLICATION = bytes.fromhex("A0000002471001")  # the eMRTD application, Doc 9303-10 section 3.3
MASTER_FILE = bytes.fromhex("3F00")

SHORT_RESPONSE = 256
SMALLER_PIECES = (223, 160, 112, 64)  # one chip family answers at most 160 bytes; 64 serves any
MAX_EXCHANGES = 8192  # 256 KiB in the smallest pieces and as much again
MAX_SESSIONS = 3
LAST_EVEN_OFFSET = 0x7FFF  # above, READ BINARY needs its odd instruction (ISO 7816-4, 11.3.3)


@dataclass(frozen=True, slots=True)
class File:
    """An elementary file: its identifier, the tag it starts with, its cap, and how much to read first."""

    name: str
    identifier: int
    tag: int
    max_length: int
    first: int = 6  # one tag byte and the longest length: never beyond the end of any file


CARD_ACCESS = File("card_access", 0x011C, 0x31, MAX_CARD_ACCESS)
COM = File("com", 0x011E, 0x60, 1024)
SOD = File("sod", 0x011D, 0x77, 0x1_0000, first=223)
DG1 = File("dg1", 0x0101, 0x61, 256)
DG2 = File("dg2", 0x0102, 0x75, 0x4_0000, first=223)
FILES = (COM, SOD, DG1, DG2)  # the image last: all that can refuse the chip is there before it


@dataclass(frozen=True, slots=True, repr=False)
class ChipFiles:
    """The raw files, and how access was got: `access` such as `PACE-ECDH-GM-AES-128` or `BAC`.

    `access_reason` says why BAC was used: `no_card_access`, `no_pace_offered`, `pace_unsupported`.
    """

    com: Personal[bytes]
    sod: Personal[bytes]
    dg1: Personal[bytes]
    dg2: Personal[bytes]
    access: str
    access_reason: str = ""

    def __repr__(self) -> str:
        return f"ChipFiles({self.access}, {MASK})"


def read_passport(
    password: Password,
    *,
    random: Random,
    max_response: int = SHORT_RESPONSE,
    bac_without_supported_pace: bool = False,
) -> Generator[bytes, bytes, ChipFiles]:
    """Read COM, SOD, DG1 and DG2.

    `max_response` is the longest response body in bytes that the reader can carry; above 256 commands
    become extended. Raises DocumentError; whatever the driver of the generator raises passes through.
    """
    chip = _Chip(max_response)
    card_access = yield from chip.read_card_access()
    choice, reason = _choose(card_access, bac_without_supported_pace=bac_without_supported_pace)
    found: dict[File, bytes] = {}
    for session in range(MAX_SESSIONS):
        try:
            yield from chip.enter(choice, password, random, again=session > 0)
            for file in FILES[len(found) :]:
                found[file] = yield from chip.read(file)
            break
        except MessagingError as error:
            if session + 1 == MAX_SESSIONS or not chip.take_smaller_pieces(error):
                raise
    com, sod, dg1, dg2 = (Personal(found[file]) for file in FILES)
    access = choice.offer.name if choice else "BAC"
    return ChipFiles(com, sod, dg1, dg2, access, reason)


def drive(commands: Generator[bytes, bytes, T], transceive: Callable[[bytes], bytes]) -> T:
    """Run a generator of APDUs against a chip. What `transceive` raises passes through."""
    try:
        command = next(commands)
        while True:
            command = commands.send(transceive(command))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        commands.close()


def _choose(
    card_access: CardAccess | None, *, bac_without_supported_pace: bool
) -> tuple[PaceChoice | None, str]:
    """What to run (None for BAC), and why if it is not PACE."""
    if card_access is None:
        return None, "no_card_access"
    if not card_access.offers:
        return None, "no_pace_offered"
    choice = card_access.choose()
    if choice is None and not bac_without_supported_pace:
        raise AccessError("pace_unsupported")
    return choice, "" if choice else "pace_unsupported"


class _Chip:
    """The chip as this reading knows it: its channel, and how long a piece it can answer."""

    def __init__(self, max_response: int) -> None:
        self._channel: SecureChannel | None = None
        self._max_response = max_response
        self._max_piece = 65536
        self._exchanges = 0

    def read_card_access(self) -> Generator[bytes, bytes, CardAccess | None]:
        """EF.CardAccess, or None where the chip lets nothing of that name be selected."""
        selected = yield from self._send(_select(CARD_ACCESS.identifier.to_bytes(2, "big")))
        if not selected.ok:
            return None
        return parse_card_access((yield from self._content(CARD_ACCESS)))

    def enter(self, choice: PaceChoice | None, password: Password, random: Random, *, again: bool) -> Nothing:
        """Get access and select the application, in the order that the protocol needs."""
        self._channel = None
        if again:
            yield from self._send(Command(0x00, 0xA4, 0x00, 0x0C, MASTER_FILE))
        if choice:
            self._channel = yield from pace(choice, password, random)
        selected = yield from self._send(Command(0x00, 0xA4, 0x04, 0x0C, APPLICATION))
        if not selected.ok:
            raise ReadingError("application_missing")
        if not choice:
            self._channel = yield from bac(password, random)

    def read(self, file: File) -> Bytes:
        """Select and read a file. Raises ReadingError: `dg2_missing`, `dg2_too_long`, `dg2_truncated` ..."""
        selected = yield from self._send(_select(file.identifier.to_bytes(2, "big")))
        if not selected.ok:
            raise ReadingError(f"{file.name}_missing")
        return (yield from self._content(file))

    def take_smaller_pieces(self, error: MessagingError) -> bool:
        """Whether the chip gave the session up over a length, and a smaller one is left to try."""
        over_length = error.status is not None and _about_length(error.status)
        return error.code == "messaging_unprotected" and over_length and self._shrink()

    def _content(self, file: File) -> Bytes:
        pieces = bytearray()
        while (head := _head(file, pieces)) is None:
            pieces += yield from self._piece(file, len(pieces), max(file.first - len(pieces), 1))
        while len(pieces) < head.total:
            pieces += yield from self._piece(file, len(pieces), head.total - len(pieces))
        return bytes(pieces[: head.total])

    def _piece(self, file: File, offset: int, wanted: int) -> Bytes:
        """At least one byte at the offset; fewer than `wanted` where reader or chip carry fewer."""
        while True:
            length = min(wanted, self._piece_length(odd=offset > LAST_EVEN_OFFSET))
            command = _read_binary(offset, length)
            response = yield from self._send(command)
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
            if not self._shrink(response.status, length):
                raise ReadingError("tag_protocol")

    def _piece_length(self, *, odd: bool) -> int:
        """How many bytes of a file fit into one response."""
        room = self._max_response
        if self._channel is not None:
            block = 8 if self._channel.suite is Suite.TDES else 16
            head = 4 if room <= SHORT_RESPONSE else 5  # DO87 with its length and padding indicator
            room = (room - head - 4 - 10) // block * block - 1  # DO99, DO8E; at least one byte of padding
        room -= 4 if odd else 0  # DO53 with its length
        return max(min(room, self._max_piece), 1)

    def _shrink(self, status: int = WRONG_LENGTH, tried: int = 65536) -> bool:
        """Take smaller pieces from now on; False when there is nothing smaller to take."""
        current = min(tried, self._max_piece, self._piece_length(odd=False))
        told = (status & 0xFF or 256) if status >> 8 == 0x6C else 0
        smaller = (told,) if 0 < told < current else tuple(step for step in SMALLER_PIECES if step < current)
        if not smaller:
            return False
        self._max_piece = smaller[0]
        return True

    def _send(self, command: Command) -> Generator[bytes, bytes, Response]:
        self._exchanges += 1
        if self._exchanges > MAX_EXCHANGES:
            raise ReadingError("too_many_exchanges")
        if self._channel is None:
            return parse_response((yield command.encode()))
        raw = yield self._channel.protect(command).encode()
        return self._channel.unprotect(parse_response(raw))


def _head(file: File, start: bytearray) -> tlv.Head | None:
    """Tag and length of a file by its first bytes; None while they are too few. Raises ReadingError."""
    try:
        head = tlv.read_head(bytes(start), max_length=file.max_length)
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


def _select(identifier: bytes) -> Command:
    """SELECT an elementary file and want no answer: some chips refuse a length here."""
    return Command(0x00, 0xA4, 0x02, 0x0C, identifier)


def _read_binary(offset: int, length: int) -> Command:
    if offset <= LAST_EVEN_OFFSET:
        return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, b"", length)
    coded = tlv.encode(0x54, offset.to_bytes((offset.bit_length() + 7) // 8, "big"))
    wrapped = length + 1 + len(tlv.encode_length(length))  # exactly: a byte more may lie beyond the end
    return Command(0x00, 0xB1, 0x00, 0x00, coded, wrapped)


def _discretionary(body: bytes) -> bytes:
    """The value of DO53, in which the odd READ BINARY answers."""
    try:
        return tlv.parse_one(body, 0x53).value
    except TlvError as error:
        raise ReadingError("tag_protocol") from error
