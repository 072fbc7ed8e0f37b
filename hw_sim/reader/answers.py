"""What a simulated reader sends: its messages, the time that they take, and the account of that time."""

import struct
import time
from collections.abc import Callable
from threading import Condition
from typing import Final

from hw_sim.lane.ledger import Span
from hw_sim.reader.bulk_pipe import BulkPipe
from hw_sim.reader.reader_model import ReaderModel, Spent

FIRMWARE_S: Final = 0.0005  # what a reader of this kind adds to a message
EXTENSION_S: Final = 0.3  # it asks the host for more time this often

DATA_BLOCK, SLOT_STATUS, PARAMETERS = 0x80, 0x81, 0x82
DONE, FAILED, MORE_TIME = 0x00, 0x40, 0x80
ACTIVE, INACTIVE, ABSENT = 0, 1, 2


class Answers:
    """The way from the reader to the host. `pace` scales how much of the modelled time really passes."""

    def __init__(
        self, model: ReaderModel, changed: Condition, card_state: Callable[[], int], pace: float
    ) -> None:
        self.spent = Spent()
        self.pipe = BulkPipe(model.packet, closing_packet=model.closing_packet)
        self._slot = model.slot
        self._changed = changed
        self._card_state = card_state
        self._pace = pace

    def after(self, modelled_s: float, started: float) -> float:
        """When something that takes `modelled_s` is ready, and the account of it."""
        modelled_s += FIRMWARE_S
        self.spent.modelled_s += modelled_s
        ready_at = started + modelled_s * self._pace
        self.spent.spans.append(Span(start=started, end=ready_at))
        self.spent.overrun_s += max(0.0, time.monotonic() - ready_at)
        return ready_at

    def extend(self, sequence: int, started: float, ready_at: float) -> None:
        """Ask for more time as often as a reader does while the chip works."""
        for number in range(1, int((ready_at - started) / EXTENSION_S) + 1):
            self.ask_for_time(sequence, started + number * EXTENSION_S)

    def ask_for_time(self, sequence: int, ready_at: float) -> None:
        """Ask for more time once."""
        self.reply(DATA_BLOCK, sequence, status=MORE_TIME, error=1, ready_at=ready_at)

    def fail(self, sequence: int, error: int, *, kind: int = DATA_BLOCK, ready_at: float = 0.0) -> None:
        """Say that a command failed."""
        self.reply(kind, sequence, status=FAILED, error=error, ready_at=ready_at)

    def reply(
        self,
        kind: int,
        sequence: int,
        *,
        data: bytes = b"",
        status: int = DONE,
        error: int = 0,
        parameter: int = 0,
        ready_at: float = 0.0,
    ) -> None:
        """Send a message that speaks for the slot with the antenna."""
        status |= self._card_state()
        header = struct.pack("<BIBBBBB", kind, len(data), self._slot, sequence, status, error, parameter)
        self.send(header + data, ready_at)

    def send(self, message: bytes, ready_at: float) -> None:
        """Send bytes as they are."""
        self.pipe.put(message, ready_at)
        self._changed.notify_all()
