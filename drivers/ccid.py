"""CCID framing (USB-IF, Integrated Circuit Cards Interface Devices, rev 1.1), without any I/O.

Host and reader talk in messages of a ten-byte header and at most `dwMaxCCIDMessageLength - 10` bytes. The
host sends one command (`PC_to_RDR_*`) at a time; the reader answers with the same sequence number
(`RDR_to_PC_*`), after any number of time extensions. What a command may carry is the *exchange level* of the
class descriptor: whole APDUs, short or extended, or the blocks of ISO 7816-3. At the extended level an APDU
longer than a message travels in a chain of them (6.1.4, 6.2.1); `apdu_exchange` is that conversation as a
generator, so it runs against a reader, a simulator or a recorded list alike.

What this file refuses to know: USB, time, and what an APDU says. Every parser accepts, or raises CcidError.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from enum import Enum, Flag, IntEnum
from struct import Struct
from typing import Final

from drivers.atr import Atr

HEADER: Final = 10
MAX_MESSAGE: Final = 65_556  # 65544 + 10 by the standard (5.1); readers in the field declare two more
MAX_RESPONSE: Final = 65_536 + 2  # ISO 7816-4: the longest response APDU
MAX_COMMAND: Final = 4 + 3 + 65_535 + 2  # ISO 7816-4: header, Lc, data and Le, extended
SHORT_COMMAND: Final = 261  # ISO 7816-4: header, Lc, 255 bytes, Le
SHORT_RESPONSE: Final = 256  # without the status word
MIN_MESSAGE: Final = 64  # 5.1 wants 271 for APDUs, but readers declare a few bytes less: 263, 261, 270
BLOCK_FRAME: Final = 3 + 2  # ISO 7816-3: what a T=1 block adds to its information field, at most

DESCRIPTOR_LENGTH: Final = 54
DESCRIPTOR_TYPE: Final = 0x21
INTERFACE_CLASS: Final = 0x0B
ABORT_REQUEST: Final = 0x01  # 5.3.1: class request on the control pipe, wValue = sequence << 8 | slot

_COMMAND = Struct("<BIBB3s")
_REPLY = Struct("<BIBBBBB")
_DESCRIPTOR = Struct("<BBHBBIIIBIIBIIIIIBBHBB")


class CcidError(Exception):
    """A message or descriptor that breaks the standard. `code` is snake_case; input bytes are never in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Command(IntEnum):
    """Messages from the host (6.1)."""

    POWER_ON = 0x62
    POWER_OFF = 0x63
    SLOT_STATUS = 0x65
    SET_PARAMETERS = 0x61
    TRANSFER = 0x6F
    ABORT = 0x72


class Answer(IntEnum):
    """Messages from the reader (6.2)."""

    DATA_BLOCK = 0x80
    SLOT_STATUS = 0x81
    PARAMETERS = 0x82
    ESCAPE = 0x83
    RATE_AND_CLOCK = 0x84


ANSWER_TO: Final = {
    Command.POWER_ON: Answer.DATA_BLOCK,
    Command.POWER_OFF: Answer.SLOT_STATUS,
    Command.SLOT_STATUS: Answer.SLOT_STATUS,
    Command.SET_PARAMETERS: Answer.PARAMETERS,
    Command.TRANSFER: Answer.DATA_BLOCK,
    Command.ABORT: Answer.SLOT_STATUS,
}


class Card(IntEnum):
    """bmICCStatus (6.2.6)."""

    ACTIVE = 0
    INACTIVE = 1
    ABSENT = 2


class Verdict(IntEnum):
    """bmCommandStatus (6.2.6)."""

    DONE = 0
    FAILED = 1
    MORE_TIME = 2


class Level(Enum):
    """What a TRANSFER message may carry (dwFeatures, 5.1)."""

    CHARACTER = "character"
    TPDU = "tpdu"
    SHORT_APDU = "short_apdu"
    EXTENDED_APDU = "extended_apdu"


class Feature(Flag):
    """The bits of dwFeatures that the host acts on."""

    PARAMETERS_BY_ATR = 0x0000_0002  # the reader takes them from the ATR by itself
    AUTO_VOLTAGE = 0x0000_0008
    NEGOTIATES = 0x0000_0040  # the reader settles parameters and protocol with the card by itself
    PPS = 0x0000_0080  # the reader selects what the active parameters say
    ANNOUNCES_IFSD = 0x0000_0400
    TPDU = 0x0001_0000
    SHORT_APDU = 0x0002_0000
    EXTENDED_APDU = 0x0004_0000


MUTE: Final = 0xFE
PARITY: Final = 0xFD
OVERRUN: Final = 0xFC
SLOT_BUSY: Final = 0xE0
AUTO_SEQUENCE: Final = 0xF2
NOT_SUPPORTED: Final = 0x00

SLOT_ERRORS: Final = {  # table 6.2-2
    0xFF: "command_aborted",
    MUTE: "card_mute",
    PARITY: "parity_error",
    OVERRUN: "overrun",
    0xFB: "hardware_error",
    0xF8: "bad_atr_ts",
    0xF7: "bad_atr_tck",
    0xF6: "protocol_not_supported",
    0xF5: "class_not_supported",
    0xF4: "procedure_byte_conflict",
    0xF3: "deactivated_protocol",
    AUTO_SEQUENCE: "busy_with_auto_sequence",
    0xF0: "pin_timeout",
    0xEF: "pin_cancelled",
    SLOT_BUSY: "slot_busy",
    NOT_SUPPORTED: "command_not_supported",
}


def error_name(code: int) -> str:
    """Name a slot error (bError of a failed command); unknown ones keep their number."""
    if code in SLOT_ERRORS:
        return SLOT_ERRORS[code]
    return f"bad_field_{code}" if code < 0x80 else f"vendor_error_{code:02x}"


@dataclass(frozen=True, slots=True)
class ReaderProfile:
    """The class descriptor of a reader: what the host needs of it."""

    voltages: int
    features: int
    max_message: int
    slots: int = 1
    max_ifsd: int = 254

    def has(self, feature: Feature) -> bool:
        """Whether the reader does this by itself."""
        return bool(self.features & feature.value)

    @property
    def level(self) -> Level:
        """The exchange level; bits that exclude each other count from the highest down."""
        for feature, level in (
            (Feature.EXTENDED_APDU, Level.EXTENDED_APDU),
            (Feature.SHORT_APDU, Level.SHORT_APDU),
            (Feature.TPDU, Level.TPDU),
        ):
            if self.has(feature):
                return level
        return Level.CHARACTER

    @property
    def room(self) -> int:
        """Bytes that one message carries after its header."""
        return min(self.max_message, MAX_MESSAGE - 2) - HEADER

    @property
    def power_select(self) -> int:
        """The voltage to ask for (6.1.1): 0 lets the reader choose, else the lowest that it has."""
        if self.has(Feature.AUTO_VOLTAGE):
            return 0
        return next((select for bit, select in ((4, 3), (2, 2), (1, 1)) if self.voltages & bit), 0)

    @property
    def wants_parameters(self) -> bool:
        """Whether the host sets the parameters of T=1 (6.1.7)."""
        if self.level is Level.TPDU:
            return not self.has(Feature.NEGOTIATES)
        return not (self.has(Feature.NEGOTIATES) or self.has(Feature.PARAMETERS_BY_ATR))

    @property
    def wants_selection(self) -> bool:
        """Whether the host itself does the PPS exchange where the card needs one."""
        by_itself = self.has(Feature.NEGOTIATES) or self.has(Feature.PPS)
        return self.level is Level.TPDU and not by_itself

    @property
    def ifsd(self) -> int:
        """The longest information field of a T=1 block that this reader takes in."""
        return max(1, min(self.max_ifsd or 254, 254, self.room - BLOCK_FRAME))

    @property
    def max_command(self) -> int:
        """The longest command APDU that this reader carries."""
        return min(SHORT_COMMAND, self.room) if self.level is Level.SHORT_APDU else MAX_COMMAND

    @property
    def max_response(self) -> int:
        """The most response data, without status word, that a card can send through this reader."""
        if self.level is Level.SHORT_APDU:
            return min(SHORT_RESPONSE, self.room - 2)
        return MAX_RESPONSE - 2


@dataclass(frozen=True, slots=True)
class Reply:
    """One message from the reader. `parameter` is the last header byte: bChainParameter of a data block."""

    kind: Answer
    slot: int
    sequence: int
    card: Card
    verdict: Verdict
    error: int
    parameter: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SlotChange:
    """RDR_to_PC_NotifySlotChange (6.3.1), for one slot."""

    present: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class HardwareFault:
    """RDR_to_PC_HardwareError (6.3.2)."""

    slot: int
    code: int


@dataclass(frozen=True, slots=True)
class Block:
    """What one TRANSFER message is to carry; `level` is wLevelParameter (6.1.4)."""

    level: int
    data: bytes = field(repr=False)


def parse_descriptor(raw: bytes) -> ReaderProfile:
    """Read the class descriptor (5.1) out of an interface's extra descriptors. Raises CcidError."""
    for piece in _descriptors(raw):
        if piece[1] == DESCRIPTOR_TYPE and len(piece) == DESCRIPTOR_LENGTH:
            return _profile(piece)
    raise CcidError("no_class_descriptor")


def _descriptors(raw: bytes) -> Iterator[bytes]:
    """Walk length-prefixed descriptors; a length that does not fit ends the walk."""
    offset = 0
    while offset + 2 <= len(raw):
        length = raw[offset]
        if length < 2 or offset + length > len(raw):
            return
        yield raw[offset : offset + length]
        offset += length


def _profile(piece: bytes) -> ReaderProfile:
    fields = _DESCRIPTOR.unpack(piece)
    if fields[16] < MIN_MESSAGE:
        raise CcidError("message_length_out_of_range")
    return ReaderProfile(
        voltages=fields[4],
        features=fields[15],
        max_message=fields[16],  # more than there can be is no harm: see `room`
        slots=fields[3] + 1,
        max_ifsd=fields[12],
    )


def message(
    command: Command, sequence: int, data: bytes = b"", *, select: int = 0, level: int = 0, slot: int = 0
) -> bytes:
    """Build a command.

    `select` is bPowerSelect of POWER_ON, bProtocolNum of SET_PARAMETERS, bBWI of TRANSFER; `level` is
    wLevelParameter of TRANSFER.
    """
    specific = bytes((select,)) + level.to_bytes(2, "little")
    return _COMMAND.pack(command, len(data), slot, sequence & 0xFF, specific) + data


def length_of(header: bytes) -> int:
    """The length of the whole message that begins with these bytes. Raises CcidError."""
    if len(header) < HEADER:
        raise CcidError("message_too_short")
    length = HEADER + int.from_bytes(header[1:5], "little")
    if length > MAX_MESSAGE:
        raise CcidError("message_too_long")
    return length


def parse_reply(raw: bytes) -> Reply:
    """Read one whole message from the reader. Raises CcidError."""
    if length_of(raw) != len(raw):
        raise CcidError("length_mismatch")
    kind, _, slot, sequence, status, error, parameter = _REPLY.unpack_from(raw)
    try:
        return Reply(
            kind=Answer(kind),
            slot=slot,
            sequence=sequence,
            card=Card(status & 3),
            verdict=Verdict(status >> 6),
            error=error,
            parameter=parameter,
            data=raw[HEADER:],
        )
    except ValueError as fault:
        raise CcidError("unknown_kind_or_status") from fault


def t1_parameters(atr: Atr) -> bytes:
    """The structure for T=1 that SET_PARAMETERS carries (6.1.7)."""
    kind = 0x10 | int(atr.inverse) << 1 | int(atr.crc)
    return bytes((atr.fi_di, kind, atr.guard, atr.waiting, 0, atr.ifsc, 0))


def parse_notification(raw: bytes, slot: int = 0) -> SlotChange | HardwareFault | None:
    """Read one message of the interrupt pipe; None when it does not speak of the slot. Raises CcidError."""
    if 2 <= len(raw) <= 65 and raw[0] == 0x50:
        if 1 + slot // 4 >= len(raw):
            return None
        bits = raw[1 + slot // 4] >> slot % 4 * 2
        return SlotChange(present=bool(bits & 1), changed=bool(bits & 2))
    if len(raw) == 4 and raw[0] == 0x51:
        return HardwareFault(slot=raw[1], code=raw[3])
    raise CcidError("unknown_notification")


_BEGINS_AND_ENDS, _BEGINS, _ENDS, _CONTINUES, _NEXT_PLEASE = 0x00, 0x01, 0x02, 0x03, 0x10


def apdu_exchange(apdu: bytes, room: int) -> Generator[Block, Reply, bytes]:
    """Carry one APDU at the extended level: yields blocks, is sent their replies, returns the response.

    `room` is what one message carries. Raises CcidError when the reader breaks the chain; it never gathers
    more than MAX_RESPONSE bytes.
    """
    pieces = [apdu[start : start + room] for start in range(0, len(apdu), room)]
    for number, piece in enumerate(pieces[:-1]):
        reply = yield Block(_CONTINUES if number else _BEGINS, piece)
        if reply.parameter != _NEXT_PLEASE or reply.data:
            raise CcidError("command_chain_broken")
    reply = yield Block(_ENDS if len(pieces) > 1 else _BEGINS_AND_ENDS, pieces[-1])
    gathered = bytearray(reply.data)
    while reply.parameter in (_BEGINS, _CONTINUES):
        reply = yield Block(_NEXT_PLEASE, b"")
        if reply.parameter not in (_CONTINUES, _ENDS) or not reply.data:
            raise CcidError("response_chain_broken")
        gathered += reply.data
        if len(gathered) > MAX_RESPONSE:
            raise CcidError("response_too_long")
    if reply.parameter not in (_BEGINS_AND_ENDS, _ENDS):
        raise CcidError("response_chain_broken")
    return bytes(gathered)
