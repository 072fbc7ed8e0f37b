"""What kind of reader is simulated, what lies on it, and what can go wrong with it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from hw_sim.lane.ledger import Span

# dwFeatures: what the reader sees to by itself
BY_ATR: Final = 0x0000_0002
NEGOTIATES: Final = 0x0000_0040
PPS: Final = 0x0000_0080
ANNOUNCES_IFSD: Final = 0x0000_0400
ALL_AUTOMATIC: Final = 0x0000_04BE  # parameters by ATR, activation, voltage, clock, bit rate, PPS, IFSD
LEFT_TO_HOST: Final = 0x0000_003C  # activation, voltage, clock and bit rate only


class Card(Protocol):
    """What lies on the reader."""

    @property
    def atr(self) -> bytes:
        """What the reader says to power-on (PC/SC part 3)."""

    def reset(self) -> None:
        """Enter the field: forget every session. May raise NoAnswer."""

    def command(self, apdu: bytes) -> bytes:
        """Answer one command APDU. May raise NoAnswer."""

    def busy_s(self, command: bytes, response: bytes) -> float:
        """How long the chip itself works on this exchange, in seconds."""


class Exchange(Enum):
    """Exchange levels of dwFeatures."""

    CHARACTER = 0
    TPDU = 0x0001_0000
    SHORT_APDU = 0x0002_0000
    EXTENDED_APDU = 0x0004_0000


class Fault(Enum):
    """What can go wrong with a reader."""

    UNPLUG = "unplug"
    FREEZE = "freeze"  # answers nothing any more, until it is plugged in again
    ENDLESS_EXTENSION = "endless_extension"  # asks for more time until it is told to abort
    GARBAGE = "garbage"  # one reply that is no message
    WRONG_SEQUENCE = "wrong_sequence"  # one reply with the number of another command
    WRONG_SLOT = "wrong_slot"  # one reply that speaks for another slot
    BROKEN_CHAIN = "broken_chain"  # one reply that asks for more of a command that was whole
    SLOT_BUSY = "slot_busy"  # one command refused: the reader says it is busy
    HARDWARE = "hardware"  # one command refused: the reader says it is broken
    LOST_TO_CARD = "lost_to_card"  # a block reaches the card with a wrong bit
    LOST_TO_HOST = "lost_to_host"  # the card's block reaches the host with a wrong bit
    PARITY = "parity"  # the reader itself notices that the card's block is wrong
    NO_BLOCK = "no_block"  # the card's block is lost: the reader waits in vain


LINE_FAULTS: Final = frozenset({Fault.LOST_TO_CARD, Fault.LOST_TO_HOST, Fault.PARITY, Fault.NO_BLOCK})


@dataclass(frozen=True, kw_only=True)
class ReaderModel:
    """What kind of reader it is. `closing_packet`: it ends full-packet messages with an empty packet.

    `declared_message` is the length in its descriptor where that is not `max_message`. Of its `slots`, `slot`
    has the antenna. `companion`: it has another CCID interface before this one, for cards with contacts.
    """

    exchange: Exchange = Exchange.EXTENDED_APDU
    max_message: int = 65_556
    declared_message: int | None = None
    features: int = ALL_AUTOMATIC
    max_ifsd: int = 254
    slots: int = 1
    slot: int = 0
    companion: bool = False
    two_cards_error: int = (
        0xFB  # what it says to power-on with two cards: a hardware error, or one of its own
    )
    bit_rate: int = 848_000
    packet: int = 512
    closing_packet: bool = False
    events: bool = True
    aborts: bool = True
    sets_parameters: bool = True

    def has(self, feature: int) -> bool:
        """Whether the reader does this by itself."""
        return bool(self.features & feature)


@dataclass
class Spent:
    """Where the time of a passage went, in seconds: `modelled_s` waited for, `overrun_s` beyond it.

    `spans` are the modelled waits themselves, in monotonic seconds.
    """

    exchanges: int = 0
    modelled_s: float = 0.0
    overrun_s: float = 0.0
    spans: list[Span] = field(default_factory=list)
