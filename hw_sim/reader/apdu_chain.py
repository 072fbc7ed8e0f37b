"""How a reader of whole APDUs gathers commands and hands out responses (CCID rev 1.1, 6.1.4 and 6.2.1)."""

import time
from typing import Final

from hw_sim.reader.answers import DATA_BLOCK, Answers
from hw_sim.reader.reader_model import Exchange, ReaderModel

LENGTH_FIELD, LEVEL_FIELD = 1, 8  # what is wrong, by its place in the header
OVERRUN: Final = 0xFC
_BEGINS_AND_ENDS, _BEGINS, _ENDS, _GOES_ON, _NEXT_PLEASE = 0x00, 0x01, 0x02, 0x03, 0x10


class ApduChain:
    """The pieces of the command that comes in, and of the response that goes out."""

    def __init__(self, model: ReaderModel, answers: Answers) -> None:
        self._long = model.exchange is Exchange.EXTENDED_APDU
        self._room = model.max_message - 10
        self._answers = answers
        self._command = bytearray()
        self._response = b""

    def clear(self) -> None:
        """Forget all pieces."""
        self._command.clear()
        self._response = b""

    def take(self, sequence: int, level: int, data: bytes) -> bytes | None:
        """The command APDU once its last piece is here; answers the other pieces itself."""
        if len(data) > (self._room if self._long else min(261, self._room)):
            self._answers.fail(sequence, LENGTH_FIELD)
            return None
        if not self._long:
            if level == 0:
                return data
            self._answers.fail(sequence, LEVEL_FIELD)
            return None
        if level == _NEXT_PLEASE and self._response:
            ready_at = self._answers.after(0.0, time.monotonic())
            self.answer(sequence, self._response, ready_at, begun=True)
            return None
        starts = level in {_BEGINS_AND_ENDS, _BEGINS}
        if starts is bool(self._command) or level not in {0, 1, 2, 3}:
            self._command.clear()
            self._answers.fail(sequence, LEVEL_FIELD)
            return None
        self._command += data
        if level in {_BEGINS, _GOES_ON}:
            ready_at = self._answers.after(0.0, time.monotonic())
            self._answers.reply(DATA_BLOCK, sequence, parameter=_NEXT_PLEASE, ready_at=ready_at)
            return None
        whole, self._command = bytes(self._command), bytearray()
        return whole

    def answer(self, sequence: int, response: bytes, ready_at: float, *, begun: bool = False) -> None:
        """Send a response, or the next piece of a chain."""
        if not self._long and len(response) > min(258, self._room):
            self._answers.fail(sequence, OVERRUN, ready_at=ready_at)
            return
        piece, self._response = response[: self._room], response[self._room :]
        if self._response:
            parameter = _GOES_ON if begun else _BEGINS
        else:
            parameter = _ENDS if begun else _BEGINS_AND_ENDS
        self._answers.reply(DATA_BLOCK, sequence, data=piece, parameter=parameter, ready_at=ready_at)
