"""A contactless CCID reader as a USB device, with one slot: no bus, no host, no thread of its own.

It is written from the standard once more and shares no code with `drivers.ccid`, so a slip in one of them
shows. An exchange is computed at once, but its reply becomes readable only when the modelled time has gone
by: the reader's firmware, the bits on the air (`rf_link`) and the chip's own work, which the chip states. The
time that computing the chip really took hides inside; what does not fit is counted as `overrun_s`.

Faults are armed for a certain TRANSFER from now, which is how a scenario unplugs the reader in mid-read.
"""

import math
import struct
import time
from collections import deque
from threading import Condition
from typing import Final

from hw_sim.passport.chip import NoAnswer
from hw_sim.reader import rf_link
from hw_sim.reader.answers import (
    ABSENT,
    ACTIVE,
    DATA_BLOCK,
    DONE,
    FAILED,
    INACTIVE,
    PARAMETERS,
    SLOT_STATUS,
    Answers,
)
from hw_sim.reader.apdu_chain import ApduChain
from hw_sim.reader.ccid_descriptors import (
    EVENTS,
    configuration_descriptor,
    device_descriptor,
    string_descriptor,
)
from hw_sim.reader.reader_model import (
    BY_ATR,
    LINE_FAULTS,
    NEGOTIATES,
    PPS,
    Card,
    Exchange,
    Fault,
    ReaderModel,
    Spent,
)
from hw_sim.reader.t1_card import BWT_S, Habits, T1Card
from hw_sim.reader.usb_bus import Unplugged

__all__ = ["CcidDevice", "Exchange", "Fault", "ReaderModel"]

MAX_INCOMING: Final = 65_556
MUTE_S: Final = 0.3  # how long it waits for a chip that does not answer
ENDLESS_S: Final = 0.02  # and this often when it has lost its mind

_MUTE, _PARITY, _HARDWARE, _NO_PROTOCOL, _BUSY, _UNKNOWN = 0xFE, 0xFD, 0xFB, 0xF6, 0xE0, 0x00
_SLOT_FIELD, _PROTOCOL_FIELD = 5, 7

_PLAIN: Final = ReaderModel()


class CcidDevice:
    """A reader on the bus. `pace` scales how much of the modelled time really passes: 1 all, 0 none."""

    def __init__(self, model: ReaderModel = _PLAIN, *, pace: float = 1.0) -> None:
        self.model = model
        self.changed = Condition()
        self.device_descriptor = device_descriptor()
        self.configuration_descriptor = configuration_descriptor(model)
        self.parameters = b""  # what the host has set
        self.habits = Habits()  # of the card, where the host speaks T=1 with it
        self._card: Card | None = None
        self._second: Card | None = None
        self._t1: T1Card | None = None
        self._faults: dict[int, Fault] = {}
        self._transfers = 0
        self._answers = Answers(model, self.changed, self._card_state, pace)
        self._chain = ApduChain(model, self._answers)
        self._events: deque[bytes] = deque()
        self.power_cycle()

    # what the world does to it

    def insert(self, card: Card) -> None:
        """Lay a document on the reader, in place of one that lies there."""
        with self.changed:
            self._card, self._second, self._powered = card, None, False
            self._report_slot()

    def insert_second(self, card: Card) -> None:
        """Lay another document beside the one that lies there: neither can be talked to."""
        with self.changed:
            self._second, self._powered = card, False

    def remove(self) -> None:
        """Take the document away; an exchange under way fails."""
        with self.changed:
            if self._card is None:
                return
            self._card, self._second, self._powered = None, None, False
            if self._answers.pipe.withdraw():
                self._answers.reply(DATA_BLOCK, self._sequence, status=FAILED, error=_MUTE)
            self._report_slot()

    def arm(self, fault: Fault, *, transfer: int = 1) -> None:
        """Have a fault happen at the n-th TRANSFER message from now (1: the next)."""
        with self.changed:
            self._faults[self._transfers + transfer] = fault

    def start_account(self) -> None:
        """Begin to count time anew, as a passage begins."""
        with self.changed:
            self._answers.spent = Spent()

    @property
    def spent(self) -> Spent:
        """Where the time went since the account was started."""
        return self._answers.spent

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
            self._chain.clear()
            self.parameters = b""
            self._t1 = None
            self._answers.pipe.clear()
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
        if message[5] == self.model.slot:
            self._serve(message[0], message[6], message[7:10], message[10 : 10 + _length(message)])
        else:
            self._serve_other_slot(message[0], message[5], message[6])

    def take(self, endpoint: int, size: int, *, final: bool) -> bytes | None:
        """Bring whole packets until one is short or `size` is reached, as a USB transfer does."""
        if endpoint == EVENTS:
            return self._events.popleft()[:size] if self._events else None
        if self._extending and not self._answers.pipe:
            self._answers.ask_for_time(self._sequence, time.monotonic() + ENDLESS_S)
        return self._answers.pipe.take(size, final=final)

    def due_s(self, endpoint: int) -> float | None:
        """Seconds until the next reply has come through the air."""
        return None if endpoint == EVENTS else self._answers.pipe.due_s()

    # what it does

    def _serve(self, kind: int, sequence: int, specific: bytes, data: bytes) -> None:
        started, self._sequence = time.monotonic(), sequence
        if kind == 0x6F and self.model.exchange is Exchange.TPDU:
            self._transfer_block(sequence, specific[0], data, started)
        elif kind == 0x6F:
            self._transfer(sequence, int.from_bytes(specific[1:3], "little"), data, started)
        elif kind == 0x62:
            self._power_on(sequence, started)
        elif kind == 0x61 and self.model.sets_parameters:
            self._set_parameters(sequence, specific[0], data)
        else:
            with self.changed:
                self._serve_at_once(kind, sequence)

    def _serve_other_slot(self, kind: int, slot: int, sequence: int) -> None:
        """A slot without a card, or none at all: both fail whatever is asked of a card."""
        with self.changed:
            exists = slot < self.model.slots
            failed = kind != 0x65 or not exists
            error = 0 if not failed else _MUTE if exists else _SLOT_FIELD
            status = (FAILED if failed else DONE) | ABSENT
            answer = SLOT_STATUS if kind in {0x63, 0x65} else DATA_BLOCK
            self._answers.send(struct.pack("<BIBBBBB", answer, 0, slot, sequence, status, error, 0), 0.0)

    def _set_parameters(self, sequence: int, protocol: int, data: bytes) -> None:
        with self.changed:
            if protocol != 1 or len(data) != 7:
                self._answers.fail(sequence, _PROTOCOL_FIELD, kind=PARAMETERS)
                return
            self.parameters = data
            self._answers.reply(PARAMETERS, sequence, data=data, parameter=1)

    def _serve_at_once(self, kind: int, sequence: int) -> None:
        """Commands that touch no card."""
        if kind == 0x63:
            self._powered = False
            self._answers.reply(SLOT_STATUS, sequence)
        elif kind == 0x65:
            self._answers.reply(SLOT_STATUS, sequence)
        elif kind == 0x6C:
            data = self.parameters or bytes.fromhex("11100045000000")
            self._answers.reply(PARAMETERS, sequence, data=data, parameter=1)
        elif kind == 0x72 and self._aborting == sequence:
            self._aborting, self._extending = None, False
            self._answers.pipe.clear()
            self._answers.reply(SLOT_STATUS, sequence)
        else:
            self._answers.fail(sequence, _UNKNOWN, kind=SLOT_STATUS)

    def _power_on(self, sequence: int, started: float) -> None:
        card = self._card
        if self._second is not None:
            with self.changed:
                self._answers.fail(sequence, self.model.two_cards_error)
            return
        try:
            if card is not None:
                card.reset()
        except NoAnswer:
            self._lose(sequence, started)
            return
        with self.changed:
            if card is None or card is not self._card:
                self._answers.fail(sequence, _MUTE)
                return
            self._powered = True
            self.parameters = b""
            by_itself = self.model.has(NEGOTIATES) or self.model.has(PPS)
            self._t1 = T1Card(card, self.habits, selected=by_itself)
            self._chain.clear()
            self._answers.reply(
                DATA_BLOCK,
                sequence,
                data=card.atr,
                ready_at=self._answers.after(rf_link.ACTIVATION_S, started),
            )

    def _transfer(self, sequence: int, level: int, data: bytes, started: float) -> None:
        with self.changed:
            self._transfers += 1
            if self._misbehave(self._faults.pop(self._transfers, None), sequence):
                return
            card = self._card
            if card is None or not self._powered:
                self._answers.fail(sequence, _MUTE)
                return
            if not self._has_parameters():
                self._answers.fail(sequence, _NO_PROTOCOL)
                return
            apdu = self._chain.take(sequence, level, data)
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
                self._answers.fail(sequence, _MUTE)
                return
            self._answers.spent.exchanges += 1
            ready_at = self._answers.after(air_s + card.busy_s(apdu, response), started)
            self._answers.extend(sequence, started, ready_at)
            self._chain.answer(sequence, response, ready_at)

    def _transfer_block(self, sequence: int, waits: int, data: bytes, started: float) -> None:
        """Carry one block between the host and a card that speak T=1 with each other."""
        with self.changed:
            self._transfers += 1
            fault = self._faults.pop(self._transfers, None)
            if fault not in LINE_FAULTS and self._misbehave(fault, sequence):
                return
            t1 = self._t1
            if self._card is None or t1 is None or not self._powered:
                self._answers.fail(sequence, _MUTE)
                return
            if not self._has_parameters() and data[:1] != b"\xff":  # 0xff begins a PPS exchange
                self._answers.fail(sequence, _NO_PROTOCOL)
                return
        try:
            answer = t1.block(_with_wrong_bit(data) if fault is Fault.LOST_TO_CARD else data)
        except NoAnswer:
            self._lose(sequence, started)
            return
        with self.changed:
            if t1 is not self._t1 or self._card is None:
                self._answers.fail(sequence, _MUTE)
                return
            if answer is None or fault is Fault.NO_BLOCK or t1.needed_waits > max(1, waits):
                wait_s = self._block_wait_s() * max(1, waits)
                self._answers.fail(sequence, _MUTE, ready_at=self._answers.after(wait_s, started))
                return
            self._answers.spent.exchanges += 1
            air_s = rf_link.exchange_s(len(data), len(answer), self.model.bit_rate)
            ready_at = self._answers.after(air_s + t1.worked_s, started)
            self._answers.extend(sequence, started, ready_at)
            if fault is Fault.PARITY:
                self._answers.fail(sequence, _PARITY, ready_at=ready_at)
                return
            answer = _with_wrong_bit(answer) if fault is Fault.LOST_TO_HOST else answer
            self._answers.reply(DATA_BLOCK, sequence, data=answer, ready_at=ready_at)

    def _has_parameters(self) -> bool:
        """Whether the parameters of the protocol are settled, by the host or by the reader itself."""
        if self.model.has(NEGOTIATES) or self.parameters:
            return True
        by_itself = self.model.has(BY_ATR) or not self.model.sets_parameters
        return self.model.exchange is not Exchange.TPDU and by_itself

    def _block_wait_s(self) -> float:
        """The block waiting time that the parameters say."""
        return BWT_S * math.ldexp(1, self.parameters[3] >> 4 if self.parameters else 4)

    def _lose(self, sequence: int, started: float) -> None:
        """The chip did not answer: say so after having waited for it."""
        with self.changed:
            self._powered = False
            ready_at = self._answers.after(MUTE_S, started)
            self._answers.fail(sequence, _MUTE, ready_at=ready_at)

    def _misbehave(self, fault: Fault | None, sequence: int) -> bool:
        """Do what a fault does in place of an exchange; whether it did."""
        if fault is Fault.UNPLUG:
            raise Unplugged
        if fault is Fault.FREEZE:
            self._frozen = True
        elif fault is Fault.ENDLESS_EXTENSION:
            self._extending = True
            self._answers.ask_for_time(sequence, time.monotonic())
        elif fault is Fault.GARBAGE:
            self._answers.send(b"\xff" * 64, time.monotonic())
        elif fault is Fault.WRONG_SEQUENCE:
            self._answers.reply(DATA_BLOCK, (sequence + 0x55) & 0xFF, data=b"\x90\x00")
        elif fault is Fault.WRONG_SLOT:
            other = struct.pack("<BIBBBBB", DATA_BLOCK, 2, self.model.slot + 1, sequence, DONE, 0, 0)
            self._answers.send(other + b"\x90\x00", time.monotonic())
        elif fault is Fault.BROKEN_CHAIN:
            self._answers.reply(DATA_BLOCK, sequence, parameter=0x10)
        elif fault is Fault.SLOT_BUSY:
            self._answers.fail(sequence, _BUSY)
        elif fault is Fault.HARDWARE:
            self._answers.fail(sequence, _HARDWARE)
        return fault is not None

    def _card_state(self) -> int:
        return ABSENT if self._card is None else ACTIVE if self._powered else INACTIVE

    def _report_slot(self) -> None:
        """Notify the host of a change (RDR_to_PC_NotifySlotChange)."""
        bits = bytearray(math.ceil(self.model.slots / 4))
        slot = self.model.slot
        bits[slot // 4] = (0x02 | (self._card is not None)) << slot % 4 * 2
        self._events.append(b"\x50" + bits)
        self.changed.notify_all()


def _length(message: bytes | bytearray) -> int:
    """The dwLength field of a message."""
    return int.from_bytes(message[1:5], "little")


def _with_wrong_bit(block: bytes) -> bytes:
    """A block as it comes out of a disturbed field: one bit in its middle is not what it was."""
    spoilt = bytearray(block)
    spoilt[len(spoilt) // 2] ^= 0x10
    return bytes(spoilt)
