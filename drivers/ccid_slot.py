"""One slot of a CCID reader on USB: commands and their replies, in order, used by one thread.

`drivers.ccid` knows the messages and `drivers.usb` the pipes; this file knows the order of things. One
command is under way at a time and has one deadline, whatever the number of time extensions. A reply that is
not the one awaited (an old sequence number, another slot, another kind) is a leftover of a command that was
given up, and is dropped. After a command was given up the reader is told so (ABORT, 5.3.1) before it is asked
anything else; one that does not answer even that is frozen, and only opening it again can help.
"""

import math
import time
from collections.abc import Callable
from typing import Final

from drivers import ccid
from drivers.ccid import CcidError, Command, Reply, Verdict
from drivers.usb import UsbInterface
from gated.core.ports import CardGone, DeviceError, DeviceGone, DeviceTimeout

DEVICE: Final = "chip_reader"
STATUS_S: Final = 1.0  # a status needs no card: real readers answer within a few milliseconds
GREETING_S: Final = 0.3  # so a reader that is busy for a dead process is noticed soon
ABORT_S: Final = 1.0
QUIET_S: Final = 0.02  # an empty pipe says nothing for this long; USB polls it every 125 us
MAX_LEFTOVERS: Final = 16
POLL_S: Final = 0.2  # for readers without an interrupt pipe
LOOK_S: Final = 1.0  # and for those whose interrupt pipe missed a change

PLUG_AGAIN: Final = "unplug the reader and plug it in again"
KEEP_STILL: Final = "leave the passport still on the reader"


class CcidSlot:
    """A slot of a claimed reader. Every verb raises DeviceGone, DeviceTimeout or DeviceError.

    `ask` also raises CardGone where the reader answers and the card does not come to an end.
    """

    def __init__(self, pipe: UsbInterface, number: int, clock: Callable[[], float]) -> None:
        self._pipe = pipe
        self._number = number
        self._clock = clock
        self._sequence = 0
        self._given_up: int | None = None  # the sequence number of a command without a reply

    def close(self) -> None:
        """Give the device back. Idempotent, never raises."""
        self._pipe.close()

    def greet(self) -> None:
        """See that the reader answers; the second try has it drop what a killed process had begun."""
        self._drop_leftovers()
        try:
            self.status(self._clock() + GREETING_S)
        except DeviceTimeout:
            self.status(self._clock() + STATUS_S)

    def status(self, deadline: float) -> Reply:
        """Ask whether there is a card, and whether it has power."""
        return self.ask(Command.SLOT_STATUS, deadline)

    def ask(
        self, command: Command, deadline: float, data: bytes = b"", *, select: int = 0, level: int = 0
    ) -> Reply:
        """Send one command and return its reply, which may say that the command failed."""
        self._settle()
        self._sequence = (self._sequence + 1) & 0xFF
        self._given_up = self._sequence
        raw = ccid.message(command, self._sequence, data, select=select, level=level, slot=self._number)
        self._pipe.write(raw, self._left(deadline))
        reply = self._await_reply(command, deadline)
        self._given_up = None
        return reply

    def await_change(self, left: float) -> None:
        """Sleep until the reader reports a change of the slot, at most `left` seconds, or less."""
        if not self._pipe.has_events:
            time.sleep(min(left, POLL_S))
            return
        give_up = self._clock() + min(left, LOOK_S)
        try:
            while (left := give_up - self._clock()) > 0:
                if ccid.parse_notification(self._pipe.event(left), self._number) is not None:
                    return
        except DeviceTimeout:
            return
        except CcidError as error:
            raise DeviceError(DEVICE, "garbled_event", PLUG_AGAIN) from error

    def _await_reply(self, command: Command, deadline: float) -> Reply:
        """Receive until the reply to the command under way comes; leftovers and time extensions pass by.

        A reader that goes on asking for more time is well: it is the card that does not come to an end, and
        no card may pass for a fault of the reader. Raises CardGone then.
        """
        extended = False
        while True:
            try:
                reply = self._receive(deadline)
            except DeviceTimeout as error:
                if extended and command is Command.TRANSFER:
                    raise CardGone(DEVICE, "chip_too_slow", KEEP_STILL) from error
                raise
            if reply.sequence != self._sequence or reply.slot != self._number:
                continue
            if reply.verdict is Verdict.MORE_TIME:
                extended = True
                continue
            if reply.kind is ccid.ANSWER_TO[command] or reply.verdict is Verdict.FAILED:
                return reply

    def _receive(self, deadline: float) -> Reply:
        """Receive one message by whole packets, so that it may or may not be closed by an empty one."""
        pipe, raw = self._pipe, bytearray()
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

    def _settle(self) -> None:
        """Have the reader give up what we gave up (5.3.1). Raises DeviceTimeout when it is frozen."""
        if self._given_up is None:
            return
        deadline = self._clock() + ABORT_S
        self._sequence = (self._sequence + 1) & 0xFF
        abort = ccid.message(Command.ABORT, self._sequence, slot=self._number)
        try:
            self._pipe.class_request(
                ccid.ABORT_REQUEST, self._sequence << 8 | self._number, self._left(deadline)
            )
            self._pipe.write(abort, self._left(deadline))
            self._await_abort(deadline)
        except DeviceTimeout as error:
            raise DeviceTimeout(DEVICE, "frozen", PLUG_AGAIN) from error
        self._given_up = None

    def _await_abort(self, deadline: float) -> None:
        """Receive until the reader confirms the abort, through the rest of a reply that made no sense."""
        while True:
            try:
                self._await_reply(Command.ABORT, deadline)
            except (DeviceGone, DeviceTimeout):
                raise
            except DeviceError:
                continue
            return

    def _drop_leftovers(self) -> None:
        """Empty the pipe of replies to an earlier command, or to a process that was killed."""
        packet = self._pipe.packet
        for _ in range(MAX_LEFTOVERS):
            try:
                self._pipe.read(max(packet, ccid.MAX_MESSAGE // packet * packet), QUIET_S)
            except DeviceTimeout:
                return

    def _left(self, deadline: float) -> float:
        """Seconds until the deadline. Raises DeviceTimeout when it has passed."""
        left = deadline - self._clock()
        if left <= 0:
            raise DeviceTimeout(DEVICE, "silent", KEEP_STILL)
        return left
