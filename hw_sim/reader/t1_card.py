"""The card's side of T=1 (ISO/IEC 7816-3:2006, clauses 9 and 11), around a card of whole APDUs.

It is written from the standard once more and shares no code with `drivers.t1`, so a slip in one of them
shows. A card never takes the initiative: it answers each block, or says nothing. What it may do besides (ask
for time, change its buffer, give a chain up) is set by its `Habits`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hw_sim.reader.reader_model import Card

MAX_APDU: Final = 65_544
BWT_S: Final = 0.1  # 960 x 372 periods at 3.57 MHz: what one step of BWI doubles


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What the card does of its own accord. Counts are of I-blocks received since reset, from 1.

    `wants_time`: it asks for this many waiting times before every response, whatever its work. `new_ifsc`:
    it announces another buffer when it got its first I-block. `gives_up_at`: it aborts the chain at that
    I-block. `forgets_resynch`: it does not answer to RESYNCH.
    """

    crc: bool = False
    bwi: int = 4
    wants_time: int = 0
    new_ifsc: int = 0
    gives_up_at: int = 0
    forgets_resynch: bool = False


class T1Card:
    """One card that speaks T=1; `selected`: no PPS exchange is needed before."""

    def __init__(self, card: Card, habits: Habits = Habits(), *, selected: bool = True) -> None:
        self._card = card
        self._habits = habits
        self._selected = selected
        self.worked_s = 0.0  # what the last block cost the chip itself
        self.needed_waits = 1  # and how many waiting times it took for that
        self._i_blocks = 0
        self._ifsd = 32
        self._start_over()

    def _start_over(self) -> None:
        self._ns = self._nr = 0
        self._command = bytearray()
        self._response = b""
        self._sent_i = b""  # the last I-block, until the host has it for certain
        self._asked = b""  # a request that the host has not answered
        self._goes_on: Callable[[], bytes] = self._r  # once it has

    def block(self, raw: bytes) -> bytes | None:
        """Answer one block; None is silence. May raise NoAnswer."""
        self.worked_s, self.needed_waits = 0.0, 1
        return self._take(raw) if self._selected else self._select(raw)

    def _select(self, raw: bytes) -> bytes | None:
        """A PPS exchange: all that is asked for is granted."""
        check = 0
        for one in raw:
            check ^= one
        if len(raw) < 3 or raw[0] != 0xFF or raw[1] & 0x0F != 1 or check:
            return None
        self._selected = True
        return raw

    def _take(self, raw: bytes) -> bytes | None:
        size = 2 if self._habits.crc else 1
        if len(raw) < 3 + size or self._check(raw[:-size]) != raw[-size:]:
            return self._r(error=1)
        pcb, data = raw[1], raw[3:-size]
        if raw[0] or raw[2] != len(data):
            return self._r(error=2)
        if pcb & 0x80 == 0:
            return self._take_i(pcb >> 6 & 1, bool(pcb & 0x20), data)
        if pcb & 0x40 == 0:
            return self._take_r(pcb >> 4 & 1)
        return self._take_s(pcb & 0x3F, data)

    def _take_i(self, sequence: int, more: bool, data: bytes) -> bytes | None:  # noqa: FBT001 - the M bit
        if sequence != self._nr:
            return self._r(error=2)
        self._nr ^= 1
        self._i_blocks += 1
        self._sent_i = self._response = b""
        self._command += data
        if len(self._command) > MAX_APDU:
            return None
        if self._i_blocks == self._habits.gives_up_at:
            self._command.clear()
            return self._ask(0xC2, b"", self._r)
        if self._i_blocks == 1 and self._habits.new_ifsc:
            return self._ask(0xC1, bytes((self._habits.new_ifsc,)), self._r if more else self._work)
        return self._r() if more else self._work()

    def _work(self) -> bytes:
        """Run the command; ask for time first where that takes long."""
        command, self._command = bytes(self._command), bytearray()
        self._response = self._card.command(command)
        busy_s = self._card.busy_s(command, self._response)
        waits = max(self._habits.wants_time, math.ceil(busy_s / (BWT_S * 2**self._habits.bwi)))
        if waits <= 1:
            self.worked_s = busy_s
            return self._piece()

        def after_the_wait() -> bytes:
            self.worked_s, self.needed_waits = busy_s, waits
            return self._piece()

        return self._ask(0xC3, bytes((min(waits, 255),)), after_the_wait)

    def _ask(self, pcb: int, data: bytes, goes_on: Callable[[], bytes]) -> bytes:
        """Send a request, and go on once it is answered."""
        self._asked, self._goes_on = self._block(pcb, data), goes_on
        return self._asked

    def _take_r(self, sequence: int) -> bytes:
        """An R-block: the host wants the next piece, or the last block again."""
        if sequence != self._ns:
            return self._sent_i or self._r(error=2)
        if self._sent_i and self._response:
            return self._piece()
        return self._asked or self._r()

    def _take_s(self, control: int, data: bytes) -> bytes | None:
        if control == 0x00:
            if self._habits.forgets_resynch:
                return None
            self._start_over()
            return self._block(0xE0)
        if control == 0x01 and len(data) == 1:
            self._ifsd = data[0]
            return self._block(0xE1, data)
        if (
            not self._asked
            or control != self._asked[1] & 0x3F | 0x20
            or data != self._asked[3 : 3 + len(data)]
        ):
            return self._r(error=2)
        self._asked = b""
        return self._goes_on()

    def _piece(self) -> bytes:
        """The next I-block of the response."""
        piece, self._response = self._response[: self._ifsd], self._response[self._ifsd :]
        self._sent_i = self._block(self._ns << 6 | (0x20 if self._response else 0), piece)
        self._ns ^= 1
        return self._sent_i

    def _r(self, error: int = 0) -> bytes:
        return self._block(0x80 | self._nr << 4 | error)

    def _block(self, pcb: int, data: bytes = b"") -> bytes:
        body = bytes((0, pcb, len(data))) + data
        return body + self._check(body)

    def _check(self, body: bytes) -> bytes:
        if not self._habits.crc:
            check = 0
            for one in body:
                check ^= one
            return bytes((check,))
        register = 0xFFFF
        for one in body:
            for bit in range(8):
                feed = (register ^ one >> bit) & 1
                register = register >> 1 ^ (0x8408 if feed else 0)
        return bytes((register >> 8, register & 0xFF))
