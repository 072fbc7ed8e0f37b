"""A contactless CCID reader as a USB device, with one slot: no bus, no host, no thread of its own.

It is written from the standard once more and shares no code with `drivers.ccid`, so a slip in one of them
shows. An exchange is computed at once, but its reply becomes readable only when the modelled time has gone
by: the reader's firmware, the bits on the air (`rf_link`) and the chip's own work, which the chip states. The
time that computing the chip really took hides inside; what does not fit is counted as `overrun_s`.

Faults are armed for a certain TRANSFER from now, which is how a scenario unplugs the reader in mid-read.
"""

import struct
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition
from typing import Final, Protocol

from hw_sim.lane.ledger import Span
from hw_sim.passport.chip import NoAnswer
from hw_sim.reader import rf_link
from hw_sim.reader.bulk_pipe import BulkPipe
from hw_sim.reader.ccid_descriptors import (
    EVENTS,
    configuration_descriptor,
    device_descriptor,
    string_descriptor,
)
from hw_sim.reader.usb_bus import Unplugged

FIRMWARE_S: Final = 0.0005  # what a reader of this kind adds to a message
MAX_INCOMING: Final = 65_556
MUTE_S: Final = 0.3  # how long it waits for a chip that does not answer
EXTENSION_S: Final = 0.3  # it asks the host for more time this often
ENDLESS_S: Final = 0.02  # and this often when it has lost its mind

_DONE, _FAILED, _MORE_TIME = 0x00, 0x40, 0x80
_ACTIVE, _INACTIVE, _ABSENT = 0, 1, 2
_MUTE, _OVERRUN, _HARDWARE, _BUSY, _UNKNOWN = 0xFE, 0xFC, 0xFB, 0xE0, 0x00
_LENGTH_FIELD, _LEVEL_FIELD = 1, 8
_DATA_BLOCK, _SLOT_STATUS, _PARAMETERS = 0x80, 0x81, 0x82


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
    BROKEN_CHAIN = "broken_chain"  # one reply that asks for more of a command that was whole
    SLOT_BUSY = "slot_busy"  # one command refused: the reader says it is busy
    HARDWARE = "hardware"  # one command refused: the reader says it is broken


@dataclass(frozen=True, kw_only=True)
class ReaderModel:
    """What kind of reader it is. `closing_packet`: it ends full-packet messages with an empty packet."""

    exchange: Exchange = Exchange.EXTENDED_APDU
    max_message: int = 65_556
    bit_rate: int = 848_000
    packet: int = 512
    closing_packet: bool = False
    events: bool = True
    aborts: bool = True


@dataclass
class Spent:
    """Where the time of a passage went, in seconds: `modelled_s` waited for, `overrun_s` beyond it.

    `spans` are the modelled waits themselves, in monotonic seconds.
    """

    exchanges: int = 0
    modelled_s: float = 0.0
    overrun_s: float = 0.0
    spans: list[Span] = field(default_factory=list)


class CcidDevice:
    """A reader on the bus. `pace` scales how much of the modelled time really passes: 1 all, 0 none."""

    def __init__(self, model: ReaderModel = ReaderModel(), *, pace: float = 1.0) -> None:
        self.model = model
        self.changed = Condition()
        self.spent = Spent()
        self.device_descriptor = device_descriptor()
        self.configuration_descriptor = configuration_descriptor(
            model.exchange.value, model.max_message, model.packet, events=model.events
        )
        self._pace = pace
        self._card: Card | None = None
        self._faults: dict[int, Fault] = {}
        self._transfers = 0
        self._replies = BulkPipe(model.packet, closing_packet=model.closing_packet)
        self._events: deque[bytes] = deque()
        self.power_cycle()

    # what the world does to it

    def insert(self, card: Card) -> None:
        """Lay a document on the reader, in place of one that lies there."""
        with self.changed:
            self._card, self._powered = card, False
            self._report_slot()

    def remove(self) -> None:
        """Take the document away; an exchange under way fails."""
        with self.changed:
            if self._card is None:
                return
            self._card, self._powered = None, False
            if self._replies.withdraw():
                self._reply(_DATA_BLOCK, self._sequence, status=_FAILED, error=_MUTE)
            self._report_slot()

    def arm(self, fault: Fault, *, transfer: int = 1) -> None:
        """Have a fault happen at the n-th TRANSFER message from now (1: the next)."""
        with self.changed:
            self._faults[self._transfers + transfer] = fault

    def start_account(self) -> None:
        """Begin to count time anew, as a passage begins."""
        with self.changed:
            self.spent = Spent()

    # what the bus sees of it

    def power_cycle(self) -> None:
        """Forget all but the document that lies on the reader and the faults to come."""
        with self.changed:
            self._powered = False
            self._sequence = 0
            self._frozen = False
            self._extending = False
            self._aborting: int | None = None
            self._incoming = bytearray()
            self._command_chain = bytearray()
            self._response_chain = b""
            self._replies.clear()
            self._events.clear()
            self._report_slot()

    def control(self, request_type: int, request: int, value: int, length: int) -> bytes | None:
        """Answer GET_DESCRIPTOR, GET_STATUS and ABORT; stall the rest."""
        if (request_type, request) == (0x80, 6):
            kept = {
                1: self.device_descriptor,
                2: self.configuration_descriptor,
                3: string_descriptor(value & 0xFF),
            }
            found = kept.get(value >> 8)
            return None if found is None else found[:length]
        if (request_type, request) == (0x80, 0):
            return bytes(2)
        if (request_type, request) == (0x21, 1) and self.model.aborts:
            self._aborting = value >> 8
            return b""
        return None

    def bulk_out(self, data: bytes) -> None:
        """Gather one command message and serve it. May raise Unplugged."""
        with self.changed:
            self._incoming += data
            if len(self._incoming) > MAX_INCOMING:
                self._incoming.clear()
            if len(self._incoming) < 10 or len(self._incoming) < 10 + _length(self._incoming):
                return
            message, self._incoming = bytes(self._incoming), bytearray()
            if self._frozen:
                return
        self._serve(message[0], message[6], message[7:10], message[10 : 10 + _length(message)])

    def take(self, endpoint: int, size: int, *, final: bool) -> bytes | None:
        """Bring whole packets until one is short or `size` is reached, as a USB transfer does."""
        if endpoint == EVENTS:
            return self._events.popleft()[:size] if self._events else None
        if self._extending and not self._replies:
            self._ask_for_time(self._sequence, time.monotonic() + ENDLESS_S)
        return self._replies.take(size, final=final)

    def due_s(self, endpoint: int) -> float | None:
        """Seconds until the next reply has come through the air."""
        return None if endpoint == EVENTS else self._replies.due_s()

    # what it does

    def _serve(self, kind: int, sequence: int, specific: bytes, data: bytes) -> None:
        started, self._sequence = time.monotonic(), sequence
        if kind == 0x6F:
            self._transfer(sequence, int.from_bytes(specific[1:3], "little"), data, started)
        elif kind == 0x62:
            self._power_on(sequence, started)
        else:
            with self.changed:
                self._serve_at_once(kind, sequence)

    def _serve_at_once(self, kind: int, sequence: int) -> None:
        """Commands that touch no card."""
        if kind == 0x63:
            self._powered = False
            self._reply(_SLOT_STATUS, sequence)
        elif kind == 0x65:
            self._reply(_SLOT_STATUS, sequence)
        elif kind == 0x6C:
            self._reply(_PARAMETERS, sequence, data=bytes.fromhex("11100045000000"), parameter=1)
        elif kind == 0x72 and self._aborting == sequence:
            self._aborting, self._extending = None, False
            self._replies.clear()
            self._reply(_SLOT_STATUS, sequence)
        else:
            self._reply(_SLOT_STATUS, sequence, status=_FAILED, error=_UNKNOWN)

    def _power_on(self, sequence: int, started: float) -> None:
        card = self._card
        try:
            if card is not None:
                card.reset()
        except NoAnswer:
            self._lose(sequence, started)
            return
        with self.changed:
            if card is None or card is not self._card:
                self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_MUTE)
                return
            self._powered = True
            self._command_chain.clear()
            self._response_chain = b""
            self._reply(
                _DATA_BLOCK, sequence, data=card.atr, ready_at=self._after(rf_link.ACTIVATION_S, started)
            )

    def _transfer(self, sequence: int, level: int, data: bytes, started: float) -> None:
        with self.changed:
            self._transfers += 1
            if self._misbehave(self._faults.pop(self._transfers, None), sequence):
                return
            card = self._card
            if card is None or not self._powered:
                self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_MUTE)
                return
            apdu = self._whole_command(sequence, level, data)
        if apdu is None:
            return
        try:
            response = card.command(apdu)
        except NoAnswer:
            self._lose(sequence, started)
            return
        air_s = rf_link.exchange_s(len(apdu), len(response), self.model.bit_rate)
        with self.changed:
            if card is not self._card:
                self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_MUTE)
                return
            self.spent.exchanges += 1
            ready_at = self._after(air_s + card.busy_s(apdu, response), started)
            self._extend(sequence, started, ready_at)
            self._answer(sequence, response, ready_at)

    def _whole_command(self, sequence: int, level: int, data: bytes) -> bytes | None:
        """The command APDU once its last piece is here; answers the other pieces itself."""
        if self.model.exchange is not Exchange.EXTENDED_APDU:
            if level == 0 and len(data) <= 261:
                return data
            wrong = _LEVEL_FIELD if level else _LENGTH_FIELD
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=wrong)
            return None
        if len(data) > self.model.max_message - 10:
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_LENGTH_FIELD)
            return None
        if level == 0x10 and self._response_chain:
            self._answer(sequence, self._response_chain, self._after(0.0, time.monotonic()), begun=True)
            return None
        if (level in (0, 1)) is bool(self._command_chain) or level not in (0, 1, 2, 3):
            self._command_chain.clear()
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_LEVEL_FIELD)
            return None
        self._command_chain += data
        if level in (1, 3):
            self._reply(_DATA_BLOCK, sequence, parameter=0x10, ready_at=self._after(0.0, time.monotonic()))
            return None
        whole, self._command_chain = bytes(self._command_chain), bytearray()
        return whole

    def _answer(self, sequence: int, response: bytes, ready_at: float, *, begun: bool = False) -> None:
        """Send a response, or the next piece of a chain."""
        room = self.model.max_message - 10
        if self.model.exchange is not Exchange.EXTENDED_APDU and len(response) > 258:
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_OVERRUN, ready_at=ready_at)
            return
        piece, self._response_chain = response[:room], response[room:]
        more = bool(self._response_chain)
        parameter = (3 if more else 2) if begun else (1 if more else 0)
        self._reply(_DATA_BLOCK, sequence, data=piece, parameter=parameter, ready_at=ready_at)

    def _lose(self, sequence: int, started: float) -> None:
        """The chip did not answer: say so after having waited for it."""
        with self.changed:
            self._powered = False
            ready_at = self._after(MUTE_S, started)
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_MUTE, ready_at=ready_at)

    def _misbehave(self, fault: Fault | None, sequence: int) -> bool:
        """Do what a fault does in place of an exchange; whether it did."""
        if fault is Fault.UNPLUG:
            raise Unplugged
        if fault is Fault.FREEZE:
            self._frozen = True
        elif fault is Fault.ENDLESS_EXTENSION:
            self._extending = True
            self._ask_for_time(sequence, time.monotonic())
        elif fault is Fault.GARBAGE:
            self._send(b"\xff" * 64, time.monotonic())
        elif fault is Fault.WRONG_SEQUENCE:
            self._reply(_DATA_BLOCK, (sequence + 0x55) & 0xFF, data=b"\x90\x00")
        elif fault is Fault.BROKEN_CHAIN:
            self._reply(_DATA_BLOCK, sequence, parameter=0x10)
        elif fault is Fault.SLOT_BUSY:
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_BUSY)
        elif fault is Fault.HARDWARE:
            self._reply(_DATA_BLOCK, sequence, status=_FAILED, error=_HARDWARE)
        return fault is not None

    def _after(self, modelled_s: float, started: float) -> float:
        """When something that takes `modelled_s` is ready, and the account of it."""
        modelled_s += FIRMWARE_S
        self.spent.modelled_s += modelled_s
        ready_at = started + modelled_s * self._pace
        self.spent.spans.append(Span(start=started, end=ready_at))
        self.spent.overrun_s += max(0.0, time.monotonic() - ready_at)
        return ready_at

    def _extend(self, sequence: int, started: float, ready_at: float) -> None:
        """Ask for more time as often as a reader does while the chip works."""
        for number in range(1, int((ready_at - started) / EXTENSION_S) + 1):
            self._ask_for_time(sequence, started + number * EXTENSION_S)

    def _ask_for_time(self, sequence: int, ready_at: float) -> None:
        self._reply(_DATA_BLOCK, sequence, status=_MORE_TIME, error=1, ready_at=ready_at)

    def _reply(
        self,
        kind: int,
        sequence: int,
        *,
        data: bytes = b"",
        status: int = _DONE,
        error: int = 0,
        parameter: int = 0,
        ready_at: float = 0.0,
    ) -> None:
        card = _ABSENT if self._card is None else _ACTIVE if self._powered else _INACTIVE
        header = struct.pack("<BIBBBBB", kind, len(data), 0, sequence, status | card, error, parameter)
        self._send(header + data, ready_at)

    def _send(self, message: bytes, ready_at: float) -> None:
        self._replies.put(message, ready_at)
        self.changed.notify_all()

    def _report_slot(self) -> None:
        """Notify the host of a change (RDR_to_PC_NotifySlotChange)."""
        self._events.append(bytes((0x50, 0x02 | (self._card is not None))))
        self.changed.notify_all()


def _length(message: bytes | bytearray) -> int:
    """The dwLength field of a message."""
    return int.from_bytes(message[1:5], "little")
