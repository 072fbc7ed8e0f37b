"""The contactless reader as a CCID device on USB, used by one thread.

`drivers.ccid_slot` carries single commands; this file makes of them what the gate asks of a reader. Readers
differ in what they take (dwFeatures): whole APDUs, long ones in chains of messages; short APDUs only; or
the blocks of T=1, which the host then speaks itself (`drivers.t1`). `limits` says what follows for APDUs.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar

from drivers import atr, ccid, t1
from drivers.ccid import Card, CcidError, Command, Level, Reply, Verdict
from drivers.ccid_slot import DEVICE, KEEP_STILL, PLUG_AGAIN, STATUS_S, CcidSlot
from drivers.t1 import T1Error
from drivers.usb import open_interface
from gated.core.ports import CardGone, DeviceError, DeviceGone, DeviceTimeout, Limits
from gated.core.settings.readers import ChipReaderSettings

T = TypeVar("T")

ONE_DOCUMENT: Final = "lay one document on the reader, and nothing else that has a chip"

# What a contactless reader says when the chip stopped talking or was never understood.
_CARD_ERRORS: Final = frozenset({ccid.MUTE, ccid.PARITY, ccid.OVERRUN, 0xF8, 0xF7, 0xF6})
_BUSY_ERRORS: Final = frozenset({ccid.SLOT_BUSY, ccid.AUTO_SEQUENCE})
_LOST_BLOCK: Final = frozenset({ccid.MUTE, ccid.PARITY, ccid.OVERRUN})  # T=1 asks for it again


class CcidChipReader:
    """A `gated.core.ports.ChipReader` on a USB CCID reader. `backend` is pyusb's; None means libusb."""

    def __init__(
        self,
        settings: ChipReaderSettings,
        backend: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._backend = backend
        self._clock = clock
        self._slot: CcidSlot | None = None
        self._profile: ccid.ReaderProfile | None = None
        self._link: t1.Link | None = None  # at the TPDU level, from `connect` on

    def open(self) -> None:
        """Find the reader, claim it and see that it answers; closes it first if it is open.

        Raises DeviceGone when it is not there, DeviceTimeout when it is silent, DeviceError when it cannot
        serve.
        """
        self.close()
        pipe = open_interface(
            DEVICE,
            ccid.INTERFACE_CLASS,
            vendor_id=self._settings.vendor_id,
            product_id=self._settings.product_id,
            place=self._settings.usb_path,
            ordinal=self._settings.ccid_interface,
            backend=self._backend,
        )
        try:
            profile = _usable_profile(pipe.class_descriptors, self._settings.slot)
            slot = CcidSlot(pipe, self._settings.slot, self._clock)
            slot.greet()
        except BaseException:
            pipe.close()
            raise
        self._profile, self._slot = profile, slot

    def close(self) -> None:
        """Cut the card's power and give the device back. Idempotent, never raises."""
        self.disconnect()
        if self._slot is not None:
            self._slot.close()
        self._slot = self._profile = None

    @property
    def is_open(self) -> bool:
        """Whether the device is held (it may have been unplugged since)."""
        return self._slot is not None

    @property
    def limits(self) -> Limits:
        """What one exchange carries. Raises DeviceGone if the reader is not open."""
        profile = self._opened()[1]
        return Limits(max_command=profile.max_command, max_response=profile.max_response)

    def card_present(self) -> bool:
        """Whether a card is in the field now. Raises DeviceGone, DeviceTimeout."""
        slot, _ = self._opened()
        return slot.status(self._clock() + STATUS_S).card is not Card.ABSENT

    def await_card(self, timeout_s: float) -> bool:
        """Wait for a card in the field; False when none came in time. Raises DeviceGone, DeviceTimeout."""
        deadline = self._clock() + timeout_s
        while not self.card_present():
            left = deadline - self._clock()
            if left <= 0:
                return False
            self._opened()[0].await_change(left)
        return True

    def connect(self) -> bytes:
        """Power the card from scratch, return the historical bytes of its ATR; empty where it has none.

        Raises CardGone when there is no card or it does not answer; its code `two_cards` is what the reader's
        own error number in `two_cards_error` stands for.
        """
        slot, profile = self._opened()
        deadline = self._clock() + self._settings.exchange_s
        self._link = None
        card = slot.status(deadline).card
        if card is Card.ABSENT:
            raise CardGone(DEVICE, "no_card", "place the passport on the reader")
        if card is Card.ACTIVE:
            self._command(Command.POWER_OFF, deadline)
        reply = slot.ask(Command.POWER_ON, deadline, select=profile.power_select)
        if reply.verdict is Verdict.FAILED:
            raise self._power_failure(reply)
        return self._settle_protocol(reply.data, deadline)

    def transceive(self, apdu: bytes) -> bytes:
        """Exchange one APDU within `exchange_s`. Raises CardGone, DeviceGone, DeviceTimeout, DeviceError."""
        deadline = self._clock() + self._settings.exchange_s
        _, profile = self._opened()
        if not 4 <= len(apdu) <= ccid.MAX_COMMAND:
            raise ValueError("a command APDU has at least a header, and fits one at most")
        if len(apdu) > profile.max_command:
            raise DeviceError(DEVICE, "short_apdus_only", "send shorter commands, or use another reader")
        if profile.level is Level.EXTENDED_APDU:
            response = self._chained(apdu, profile.room, deadline)
        elif profile.level is Level.SHORT_APDU:
            response = self._command(Command.TRANSFER, deadline, apdu).data
        else:
            response = self._in_blocks(apdu, deadline)
        if not 2 <= len(response) <= ccid.MAX_RESPONSE:  # the reader passes on what the card sends
            raise CardGone(DEVICE, "card_garbled", KEEP_STILL)
        return response

    def disconnect(self) -> None:
        """Cut the card's power. Idempotent, never raises."""
        self._link = None
        if self._slot is None:
            return
        try:
            self._command(Command.POWER_OFF, self._clock() + STATUS_S)
        except DeviceError:
            return  # a reader that cannot be told has no card powered, or says so at the next command

    # readers of whole APDUs

    def _chained(self, apdu: bytes, room: int, deadline: float) -> bytes:
        """Run the exchange of a possibly long APDU."""
        exchange = ccid.apdu_exchange(apdu, room)
        block = next(exchange)
        while True:
            reply = self._command(Command.TRANSFER, deadline, block.data, level=block.level)
            try:
                block = exchange.send(reply)
            except StopIteration as end:
                response: bytes = end.value
                return response
            except CcidError as error:
                if error.code == "response_too_long":  # the reader passes on what the card sends
                    raise CardGone(DEVICE, "card_garbled", KEEP_STILL) from error
                raise DeviceError(DEVICE, error.code, PLUG_AGAIN) from error

    # readers of blocks

    def _settle_protocol(self, raw: bytes, deadline: float) -> bytes:
        """Agree on T=1 with reader and card, as far as the reader leaves it to the host."""
        _, profile = self._opened()
        left_to_us = profile.level is Level.TPDU or profile.wants_parameters
        try:
            answer = atr.parse_atr(raw)
        except atr.AtrError as error:
            if not left_to_us:
                return b""
            raise CardGone(DEVICE, error.code, ONE_DOCUMENT) from error
        if left_to_us:
            self._agree(answer, profile, deadline)
        return answer.historical

    def _agree(self, answer: atr.Atr, profile: ccid.ReaderProfile, deadline: float) -> None:
        if not answer.has_t1:
            raise CardGone(DEVICE, "card_without_t1", "this is no passport: lay one on the reader")
        if profile.wants_selection and answer.needs_selection:
            request = atr.pps_request(1, answer.fi_di)
            if not atr.pps_granted(request, self._command(Command.TRANSFER, deadline, request).data):
                raise CardGone(DEVICE, "protocol_refused", KEEP_STILL)
        if profile.wants_parameters:
            self._set_parameters(answer, profile, deadline)
        if profile.level is Level.TPDU:
            self._begin_blocks(answer, profile, deadline)

    def _set_parameters(self, answer: atr.Atr, profile: ccid.ReaderProfile, deadline: float) -> None:
        slot, _ = self._opened()
        reply = slot.ask(Command.SET_PARAMETERS, deadline, ccid.t1_parameters(answer), select=1)
        unknown = reply.error == ccid.NOT_SUPPORTED and profile.level is not Level.TPDU
        if reply.verdict is Verdict.FAILED and not unknown:  # who carries whole APDUs may have no use for it
            raise _failure(reply)

    def _begin_blocks(self, answer: atr.Atr, profile: ccid.ReaderProfile, deadline: float) -> None:
        announced = profile.has(ccid.Feature.ANNOUNCES_IFSD)
        self._link = t1.Link(
            ifsc=min(answer.ifsc, profile.room - ccid.BLOCK_FRAME),
            ifsd=profile.ifsd if announced else t1.FIRST_IFSD,
            use_crc=answer.crc,
        )
        if not announced:
            self._run(self._link.announce(profile.ifsd), deadline)

    def _in_blocks(self, apdu: bytes, deadline: float) -> bytes:
        """Carry an APDU in blocks of T=1."""
        if self._link is None:
            raise CardGone(DEVICE, "not_connected", KEEP_STILL)
        return self._run(self._link.exchange(apdu), deadline)

    def _run(self, conversation: Generator[t1.Outgoing, bytes | None, T], deadline: float) -> T:
        """Run a conversation of T=1 against the card."""
        try:
            block = next(conversation)
            while True:
                block = conversation.send(self._block(block, deadline))
        except StopIteration as end:
            result: T = end.value
            return result
        except T1Error as error:
            raise CardGone(DEVICE, error.code, KEEP_STILL) from error

    def _block(self, block: t1.Outgoing, deadline: float) -> bytes | None:
        """Exchange one block; None when the reader got none that is whole."""
        slot, _ = self._opened()
        reply = slot.ask(Command.TRANSFER, deadline, block.data, select=block.waits)
        if reply.verdict is not Verdict.FAILED:
            return reply.data
        if reply.card is Card.ACTIVE and reply.error in _LOST_BLOCK:
            return None
        raise _failure(reply)

    # what all have in common

    def _command(
        self, command: Command, deadline: float, data: bytes = b"", *, select: int = 0, level: int = 0
    ) -> Reply:
        """Send one command and return its successful reply."""
        slot, _ = self._opened()
        reply = slot.ask(command, deadline, data, select=select, level=level)
        if reply.verdict is Verdict.FAILED:
            raise _failure(reply)
        return reply

    def _power_failure(self, reply: Reply) -> DeviceError:
        """Say why a card that lies there got no power."""
        if reply.card is not Card.ABSENT:
            if self._settings.two_cards_error and reply.error == self._settings.two_cards_error:
                return CardGone(DEVICE, "two_cards", ONE_DOCUMENT)
            if reply.error in _CARD_ERRORS:
                return CardGone(DEVICE, ccid.error_name(reply.error), ONE_DOCUMENT)
        return _failure(reply)

    def _opened(self) -> tuple[CcidSlot, ccid.ReaderProfile]:
        if self._slot is None or self._profile is None:
            raise DeviceGone(DEVICE, "not_open", "open the reader first")
        return self._slot, self._profile


def _usable_profile(class_descriptors: bytes, slot: int) -> ccid.ReaderProfile:
    """Read the class descriptor and refuse what this driver cannot serve. Raises DeviceError."""
    try:
        profile = ccid.parse_descriptor(class_descriptors)
    except CcidError as error:
        raise DeviceError(DEVICE, error.code, "this is not a usable CCID reader: replace it") from error
    if profile.level is Level.CHARACTER:
        raise DeviceError(
            DEVICE, "character_level_reader", "use a reader whose exchange level is APDU or TPDU"
        )
    if slot >= profile.slots:
        last = profile.slots - 1
        raise DeviceError(DEVICE, "no_such_slot", f"set [{DEVICE}] slot to a number from 0 to {last}")
    return profile


def _failure(reply: Reply) -> DeviceError:
    """Say what a failed command means for the caller."""
    name = ccid.error_name(reply.error)
    if reply.card is Card.ABSENT:
        return CardGone(DEVICE, "card_removed", KEEP_STILL)
    if reply.error in _CARD_ERRORS or reply.card is Card.INACTIVE:
        return CardGone(DEVICE, name, KEEP_STILL)
    if reply.error in _BUSY_ERRORS:
        return DeviceTimeout(DEVICE, name, KEEP_STILL)
    return DeviceError(DEVICE, name, PLUG_AGAIN)
