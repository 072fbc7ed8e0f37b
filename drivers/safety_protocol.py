"""The telegrams between the PC and the safety controller, as bytes and as values. No I/O, no clock.

`docs/safety-controller.md` is the protocol; its numbers stand here and in the firmware, and nowhere else.
Every telegram has 32 bytes, so that no damaged length and no stuffing can move its end: a receiver that
lost its place finds it again by the mark and the CRC (`Gathering`). At this length CRC-32/ISO-HDLC finds
every error of up to five bits and every burst of up to 32.

Each telegram is complete in itself. The PC sends a wish: for how long each door is to be released, at most.
The controller sends a report: what is released, what its inputs say, what is wrong. A lost telegram is made
good by the next one.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from enum import STRICT, IntEnum, IntFlag
from typing import Final

VERSION: Final = 1
MARK: Final = b"\xe6\x5a"
LENGTH: Final = 32
MAX_RELEASE_MS: Final = 0xFFFF

_HEAD: Final = struct.Struct(">2sBBIHH")  # mark, version, kind, session, sequence, acknowledged
_CRC: Final = struct.Struct(">I")
_BODY: Final = slice(_HEAD.size, LENGTH - _CRC.size)  # 16 bytes
_HELLO: Final = struct.Struct(">16x")
_WISH: Final = struct.Struct(">IHHH6x")
_WELCOME: Final = struct.Struct(">I8sHH")
_REPORT: Final = struct.Struct(">IBBBBHHHH")
_STRANGER: Final = struct.Struct(">BB14x")
_PARAMETERS: Final = struct.Struct(">BBHHHHHHHH")


class TelegramError(Exception):
    """The bytes are no telegram. `code`: not_a_telegram, bad_crc, wrong_version, unknown_kind, bad_value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Kind(IntEnum):
    """What a telegram is; the PC sends those below 0x80."""

    HELLO = 0x01
    WISH = 0x02
    WELCOME = 0x81
    REPORT = 0x82
    STRANGER = 0x83


class Mode(IntEnum):
    """What a wish says about the emergency. Any two codes differ in seven bits or more."""

    KEEP = 0x0000
    EMERGENCY = 0xE5C3  # release both doors
    END = 0x1A3C  # an emergency that has no cause any more is over


class State(IntEnum):
    """What the controller is doing."""

    STANDBY = 1  # no session: both doors are locked
    RUNNING = 2
    EMERGENCY = 3  # both doors are released
    LOCKED_OUT = 4  # one of its faults forbids every release


class Reason(IntEnum):
    """Why the last release ended, or why one that is wished for is held back."""

    NONE = 0
    WISHED = 1  # the PC wished it locked
    EXPIRED = 2
    HEARTBEAT = 3  # no valid wish came in time
    INTERLOCK = 4  # the other door is released or not shut, or both were wished for
    FAULT = 5


class Output(IntFlag, boundary=STRICT):  # an unknown bit is a ValueError
    """The relays, and what their feedback contacts say."""

    ENTRY = 0x01  # the release of the door is commanded
    EXIT = 0x02
    COMMON = 0x04  # the contact in series with both
    ENTRY_REVERSING = 0x08  # released for what is in the doorway, whatever is wished
    EXIT_REVERSING = 0x10
    ENTRY_FEEDBACK = 0x20  # the relay is seen to be picked up
    EXIT_FEEDBACK = 0x40


class Input(IntFlag, boundary=STRICT):
    """What the controller's inputs say, after its own debouncing."""

    ENTRY_SHUT = 0x01
    EXIT_SHUT = 0x02
    ENTRY_OBSTRUCTED = 0x04
    EXIT_OBSTRUCTED = 0x08
    FIRE = 0x10
    PANIC = 0x20


class Fault(IntFlag, boundary=STRICT):
    """What the controller finds wrong with itself and its wires."""

    ENTRY_RELAY_STUCK = 0x0001
    EXIT_RELAY_STUCK = 0x0002
    ENTRY_RELAY_DEAD = 0x0004
    EXIT_RELAY_DEAD = 0x0008
    COMMON_RELAY_STUCK = 0x0010
    SUPPLY_LOW = 0x0020
    SUPPLY_HIGH = 0x0040
    SELF_TEST = 0x0080
    WATCHDOG_RESET = 0x0100
    FIRE_CHANNELS = 0x0200


class Strangeness(IntEnum):
    """Why the controller does not listen."""

    NO_SESSION = 1
    OTHER_VERSION = 2


@dataclass(frozen=True, slots=True)
class Hello:
    """The PC begins; `session` of the telegram is its nonce."""


@dataclass(frozen=True, slots=True)
class Wish:
    """All that the PC wants, in milliseconds from the receipt; 0 locks. `answer` is that to the challenge."""

    answer: int
    entry_ms: int = 0
    exit_ms: int = 0
    mode: Mode = Mode.KEEP


@dataclass(frozen=True, slots=True)
class Welcome:
    """The controller names itself; the telegram's session is the PC's nonce. `nonce`: the first challenge."""

    nonce: int
    configuration: bytes
    firmware: int  # major * 256 + minor
    deadman_ms: int


@dataclass(frozen=True, slots=True)
class Report:
    """All that the controller knows."""

    challenge: int
    state: State
    outputs: Output
    inputs: Input
    reason: Reason
    faults: Fault
    supply_mv: int
    entry_left_ms: int
    exit_left_ms: int


@dataclass(frozen=True, slots=True)
class Stranger:
    """The controller does not know the session, or speaks another version (`speaks`)."""

    why: Strangeness
    speaks: int


Body = Hello | Wish | Welcome | Report | Stranger


@dataclass(frozen=True, slots=True)
class Telegram:
    """One telegram. `acknowledged` is the last sequence number accepted from the other side."""

    session: int
    sequence: int
    acknowledged: int
    body: Body

    @property
    def from_pc(self) -> bool:
        """Whether it is of a kind that only the PC sends."""
        return isinstance(self.body, Hello | Wish)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a controller, set at commissioning; their hash is what WELCOME tells."""

    doors: int = 2
    deadman_ms: int = 300
    max_release_ms: int = 15_000
    report_ms: int = 100
    reversal_ms: int = 1_000
    fire_hold_ms: int = 2_000
    supply_min_mv: int = 20_400
    supply_max_mv: int = 28_800
    pc_emergency: bool = True

    def configuration(self) -> bytes:
        """The hash of the parameter block: the first eight bytes of its SHA-256."""
        block = _PARAMETERS.pack(
            VERSION,
            self.doors,
            self.deadman_ms,
            self.max_release_ms,
            self.report_ms,
            self.reversal_ms,
            self.fire_hold_ms,
            self.supply_min_mv,
            self.supply_max_mv,
            int(self.pc_emergency),
        )
        return hashlib.sha256(block).digest()[:8]


def encode(telegram: Telegram) -> bytes:
    """The 32 bytes of a telegram. A field out of its range is a programming error."""
    kind, body = _pack(telegram.body)
    head = _HEAD.pack(MARK, VERSION, kind, telegram.session, telegram.sequence, telegram.acknowledged)
    return head + body + _CRC.pack(zlib.crc32(head + body))


def decode(raw: bytes) -> Telegram:
    """The telegram of 32 bytes. Raises TelegramError."""
    if len(raw) != LENGTH or not raw.startswith(MARK):
        raise TelegramError("not_a_telegram")
    if zlib.crc32(raw[: -_CRC.size]) != _CRC.unpack(raw[-_CRC.size :])[0]:
        raise TelegramError("bad_crc")
    _, version, kind, session, sequence, acknowledged = _HEAD.unpack_from(raw)
    if version != VERSION:
        raise TelegramError("wrong_version")
    if kind not in Kind.__members__.values():
        raise TelegramError("unknown_kind")
    try:
        body = _unpack(Kind(kind), raw[_BODY])
    except ValueError as error:
        raise TelegramError("bad_value") from error
    telegram = Telegram(session, sequence, acknowledged, body)
    if encode(telegram) != raw:  # a reserved byte is set: not of this version
        raise TelegramError("bad_value")
    return telegram


def session_of(pc_nonce: int, controller_nonce: int) -> int:
    """The number of a session, from the nonces of both sides."""
    return zlib.crc32(struct.pack(">II", pc_nonce, controller_nonce))


def answer_to(challenge: int, session: int, sequence: int) -> int:
    """What the wish with this sequence number answers to a challenge."""
    return zlib.crc32(struct.pack(">IIH", challenge, session, sequence))


def is_newer(sequence: int, than: int, window: int = 64) -> bool:
    """Whether a sequence number follows another one, over the wrap, at most `window` telegrams later."""
    return 0 < (sequence - than) % 0x10000 <= window


class Gathering:
    """Finds telegrams in a stream of bytes; what is none is dropped and counted."""

    def __init__(self) -> None:
        self.dropped = 0  # bytes that belonged to no telegram
        self._held = b""  # shorter than a telegram

    def take(self, data: bytes) -> list[Telegram | TelegramError]:
        """The telegrams that are whole now, in order.

        Bytes that make no CRC are noise, and looked through for another beginning. A telegram whose CRC is
        right and whose content is not (another version, an unknown kind) is given as its error: somebody
        speaks, and must be told of.
        """
        found: list[Telegram | TelegramError] = []
        held = self._held + data
        while True:
            at = held.find(MARK)
            if at < 0:
                at = len(held) - held.endswith(MARK[:1])
            self.dropped += at
            held = held[at:]
            if len(held) < LENGTH:
                self._held = held
                return found
            try:
                found.append(decode(held[:LENGTH]))
            except TelegramError as error:
                if error.code == "bad_crc":
                    self.dropped += 1
                    held = held[1:]
                    continue
                found.append(error)
            held = held[LENGTH:]


def _pack(body: Body) -> tuple[Kind, bytes]:
    match body:
        case Hello():
            return Kind.HELLO, _HELLO.pack()
        case Wish():
            return Kind.WISH, _WISH.pack(body.answer, body.entry_ms, body.exit_ms, body.mode)
        case Welcome():
            packed = _WELCOME.pack(body.nonce, body.configuration, body.firmware, body.deadman_ms)
            return Kind.WELCOME, packed
        case Report():
            return Kind.REPORT, _REPORT.pack(
                body.challenge,
                body.state,
                body.outputs,
                body.inputs,
                body.reason,
                body.faults,
                body.supply_mv,
                body.entry_left_ms,
                body.exit_left_ms,
            )
        case Stranger():
            return Kind.STRANGER, _STRANGER.pack(body.why, body.speaks)


def _unpack(kind: Kind, raw: bytes) -> Body:
    """The body of a telegram. Raises ValueError for a value that this version does not know."""
    match kind:
        case Kind.HELLO:
            return Hello()
        case Kind.WISH:
            answer, entry_ms, exit_ms, mode = _WISH.unpack(raw)
            return Wish(answer, entry_ms, exit_ms, Mode(mode))
        case Kind.WELCOME:
            return Welcome(*_WELCOME.unpack(raw))
        case Kind.REPORT:
            challenge, state, outputs, inputs, reason, faults, supply, entry, exit_ = _REPORT.unpack(raw)
            return Report(
                challenge,
                State(state),
                Output(outputs),
                Input(inputs),
                Reason(reason),
                Fault(faults),
                supply,
                entry,
                exit_,
            )
        case Kind.STRANGER:
            why, speaks = _STRANGER.unpack(raw)
            return Stranger(Strangeness(why), speaks)
