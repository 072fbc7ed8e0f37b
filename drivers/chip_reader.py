"""The contactless reader: a CCID device on USB with one slot, used by one thread.

`drivers.ccid` knows the messages and `drivers.usb` the pipes; this file knows the order of things. One
command is under way at a time and has one deadline, whatever the number of time extensions. A reply that is
not the one awaited (an old sequence number, another kind) is a leftover of a command that was given up, and
is dropped. After a command was given up the reader is told so (ABORT, 5.3.1) before it is asked anything
else; one that does not answer even that is frozen, and only opening it again can help.

Whole APDUs only: a reader that wants ISO 7816-3 blocks (TPDU level) is refused when it is opened.
"""

import math
import time
from collections.abc import Callable
from typing import Any, Final

from drivers import ccid
from drivers.ccid import Card, CcidError, Command, Level, Reply, Verdict
from drivers.usb import UsbInterface, open_interface
from gated.core.ports import CardGone, DeviceError, DeviceGone, DeviceTimeout
from gated.core.settings import ChipReaderSettings

DEVICE: Final = "chip_reader"
STATUS_S: Final = 1.0  # a status needs no card: real readers answer within a few milliseconds
GREETING_S: Final = 0.3  # so a reader that is busy for a dead process is noticed soon
ABORT_S: Final = 1.0
QUIET_S: Final = 0.02  # an empty pipe says nothing for this long; USB polls it every 125 us
MAX_LEFTOVERS: Final = 16
POLL_S: Final = 0.2  # for readers without an interrupt pipe

PLUG_AGAIN: Final = "unplug the reader and plug it in again"
KEEP_STILL: Final = "leave the passport still on the reader"

# What a contactless reader says when the chip stopped talking or was never understood.
_CARD_ERRORS: Final = frozenset({ccid.MUTE, 0xFD, 0xFC, 0xF8, 0xF7, 0xF6})
_BUSY_ERRORS: Final = frozenset({ccid.SLOT_BUSY, ccid.AUTO_SEQUENCE})


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
        self._pipe: UsbInterface | None = None
        self._profile: ccid.ReaderProfile | None = None
        self._sequence = 0
        self._given_up: int | None = None  # the sequence number of a command without a reply

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
            backend=self._backend,
        )
        try:
            self._profile = _usable_profile(pipe.class_descriptors)
            self._pipe = pipe
            self._drop_leftovers()
            self._greet()
        except BaseException:
            pipe.close()
            self._forget()
            raise

    def close(self) -> None:
        """Cut the card's power and give the device back. Idempotent, never raises."""
        self.disconnect()
        if self._pipe is not None:
            self._pipe.close()
        self._forget()

    @property
    def is_open(self) -> bool:
        """Whether the device is held (it may have been unplugged since)."""
        return self._pipe is not None

    @property
    def max_response(self) -> int:
        """The most response data, without status word, in one exchange. Raises DeviceGone if not open."""
        return self._opened_profile().max_response

    def card_present(self) -> bool:
        """Whether a card is in the field now. Raises DeviceGone, DeviceTimeout."""
        return self._status(self._clock() + STATUS_S).card is not Card.ABSENT

    def await_card(self, timeout_s: float) -> bool:
        """Wait for a card in the field; False when none came in time. Raises DeviceGone, DeviceTimeout."""
        deadline = self._clock() + timeout_s
        while not self.card_present():
            left = deadline - self._clock()
            if left <= 0:
                return False
            self._await_change(left)
        return True

    def connect(self) -> None:
        """Power the card from scratch. Raises CardGone when there is none or it does not answer."""
        deadline = self._clock() + self._settings.exchange_s
        card = self._status(deadline).card
        if card is Card.ABSENT:
            raise CardGone(DEVICE, "no_card", "place the passport on the reader")
        if card is Card.ACTIVE:
            self._command(Command.POWER_OFF, deadline)
        self._command(Command.POWER_ON, deadline, select=self._opened_profile().power_select)

    def transceive(self, apdu: bytes) -> bytes:
        """Exchange one APDU within `exchange_s`. Raises CardGone, DeviceGone, DeviceTimeout, DeviceError."""
        deadline = self._clock() + self._settings.exchange_s
        profile = self._opened_profile()
        if not 4 <= len(apdu) <= ccid.MAX_MESSAGE - ccid.HEADER:
            raise ValueError("a command APDU has at least a header, and fits one at most")
        if profile.level is Level.EXTENDED_APDU:
            response = self._chained(apdu, profile.room, deadline)
        elif len(apdu) <= ccid.SHORT_COMMAND:
            response = self._command(Command.TRANSFER, deadline, apdu).data
        else:
            raise DeviceError(DEVICE, "short_apdus_only", "send shorter commands, or use another reader")
        if not 2 <= len(response) <= ccid.MAX_RESPONSE:
            raise DeviceError(DEVICE, "garbled_reply", PLUG_AGAIN)
        return response

    def disconnect(self) -> None:
        """Cut the card's power. Idempotent, never raises."""
        if self._pipe is None:
            return
        try:
            self._command(Command.POWER_OFF, self._clock() + STATUS_S)
        except DeviceError:
            return  # a reader that cannot be told has no card powered, or says so at the next command

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
                raise DeviceError(DEVICE, error.code, PLUG_AGAIN) from error

    def _greet(self) -> None:
        """See that the reader answers; the second try has it drop what a killed process had begun."""
        try:
            self._status(self._clock() + GREETING_S)
        except DeviceTimeout:
            self._status(self._clock() + STATUS_S)

    def _status(self, deadline: float) -> Reply:
        return self._command(Command.SLOT_STATUS, deadline)

    def _command(
        self, command: Command, deadline: float, data: bytes = b"", *, select: int = 0, level: int = 0
    ) -> Reply:
        """Send one command and return its successful reply."""
        pipe = self._opened_pipe()
        self._settle(pipe)
        self._sequence = (self._sequence + 1) & 0xFF
        self._given_up = self._sequence
        pipe.write(
            ccid.message(command, self._sequence, data, select=select, level=level), self._left(deadline)
        )
        reply = self._await_reply(pipe, command, deadline)
        self._given_up = None
        if reply.verdict is Verdict.FAILED and command is not Command.SLOT_STATUS:
            raise _failure(reply)
        return reply

    def _await_reply(self, pipe: UsbInterface, command: Command, deadline: float) -> Reply:
        """Receive until the reply to the command under way comes; leftovers and time extensions pass by."""
        while True:
            reply = self._receive(pipe, deadline)
            if reply.sequence != self._sequence or reply.slot != 0:
                continue
            if reply.verdict is Verdict.MORE_TIME:
                continue
            if reply.kind is ccid.ANSWER_TO[command] or reply.verdict is Verdict.FAILED:
                return reply

    def _receive(self, pipe: UsbInterface, deadline: float) -> Reply:
        """Receive one message by whole packets, so that it may or may not be closed by an empty one."""
        raw = bytearray()
        try:
            while len(raw) < ccid.HEADER:
                raw += pipe.read(pipe.packet, self._left(deadline))
            length = ccid.length_of(bytes(raw))
            while len(raw) < length:
                packets = math.ceil((length - len(raw)) / pipe.packet)
                raw += pipe.read(packets * pipe.packet, self._left(deadline))
            return ccid.parse_reply(bytes(raw))
        except CcidError as error:
            raise DeviceError(DEVICE, "garbled_reply", PLUG_AGAIN) from error

    def _settle(self, pipe: UsbInterface) -> None:
        """Have the reader give up what we gave up (5.3.1). Raises DeviceTimeout when it is frozen."""
        if self._given_up is None:
            return
        deadline = self._clock() + ABORT_S
        self._sequence = (self._sequence + 1) & 0xFF
        try:
            pipe.class_request(ccid.ABORT_REQUEST, self._sequence << 8, self._left(deadline))
            pipe.write(ccid.message(Command.ABORT, self._sequence), self._left(deadline))
            self._await_abort(pipe, deadline)
        except DeviceTimeout as error:
            raise DeviceTimeout(DEVICE, "frozen", PLUG_AGAIN) from error
        self._given_up = None

    def _await_abort(self, pipe: UsbInterface, deadline: float) -> None:
        """Receive until the reader confirms the abort, through the rest of a reply that made no sense."""
        while True:
            try:
                self._await_reply(pipe, Command.ABORT, deadline)
            except (DeviceGone, DeviceTimeout):
                raise
            except DeviceError:
                continue
            return

    def _drop_leftovers(self) -> None:
        """Empty the pipe of replies to an earlier command, or to a process that was killed."""
        pipe = self._opened_pipe()
        for _ in range(MAX_LEFTOVERS):
            try:
                pipe.read(max(pipe.packet, ccid.MAX_MESSAGE // pipe.packet * pipe.packet), QUIET_S)
            except DeviceTimeout:
                return

    def _await_change(self, left: float) -> None:
        """Sleep until the reader reports a change of its slot, at most `left` seconds."""
        pipe = self._opened_pipe()
        if not pipe.has_events:
            time.sleep(min(left, POLL_S))
            return
        try:
            ccid.parse_notification(pipe.event(left))
        except DeviceTimeout:
            return
        except CcidError as error:
            raise DeviceError(DEVICE, "garbled_event", PLUG_AGAIN) from error

    def _left(self, deadline: float) -> float:
        """Seconds until the deadline. Raises DeviceTimeout when it has passed."""
        left = deadline - self._clock()
        if left <= 0:
            raise DeviceTimeout(DEVICE, "silent", KEEP_STILL)
        return left

    def _opened_pipe(self) -> UsbInterface:
        if self._pipe is None:
            raise DeviceGone(DEVICE, "not_open", "open the reader first")
        return self._pipe

    def _opened_profile(self) -> ccid.ReaderProfile:
        if self._profile is None:
            raise DeviceGone(DEVICE, "not_open", "open the reader first")
        return self._profile

    def _forget(self) -> None:
        self._pipe = None
        self._profile = None
        self._given_up = None


def _usable_profile(class_descriptors: bytes) -> ccid.ReaderProfile:
    """Read the class descriptor and refuse what this driver cannot serve. Raises DeviceError."""
    try:
        profile = ccid.parse_descriptor(class_descriptors)
    except CcidError as error:
        raise DeviceError(DEVICE, error.code, "this is not a usable CCID reader: replace it") from error
    if profile.level not in (Level.SHORT_APDU, Level.EXTENDED_APDU):
        raise DeviceError(
            DEVICE,
            f"{profile.level.value}_level_reader",
            "it takes no whole APDUs: use a reader with short or extended APDU exchange level",
        )
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
