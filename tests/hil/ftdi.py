"""A USB adapter for a serial line (FT232BM), with the line and what hangs on it: no bus, no thread.

What is sent at the far end goes through the line's format twice, once as the far end has it and once as the
guest has set the adapter: where the two differ, other bytes come out, as on a real line. QEMU's usb-serial
does not tell what the guest has set, so nothing could be seen to be wrong there.
"""

import struct
from collections import deque
from dataclasses import dataclass
from threading import Condition

IN, OUT = 0x81, 0x02
PACKET = 64
_SET, _GET = 0x40, 0xC0
_RESET, _MODEM, _FLOW, _BAUD, _DATA, _STATUS, _SET_LATENCY, _GET_LATENCY = 0, 1, 2, 3, 4, 5, 9, 10
_CLOCK = 3_000_000
_EIGHTHS = (0, 4, 2, 1, 3, 5, 6, 7)  # the fractions of the divisor, by their code
_RATES = (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
_NEAR_ENOUGH = 0.03  # of its rate: then a frame of ten bits is still read right
_CTS, _DSR, _CARRIER = 0x10, 0x20, 0x80
_BREAK, _PARITY, _FRAMING = 0x10, 0x04, 0x08
_SENDER_EMPTY = 0x60
_STRINGS = ("", "egate", "Simulated serial line", "LINE0001")


@dataclass(frozen=True)
class Format:
    """Rate, data bits and parity (N, E, O) of a line."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"

    def frame(self, byte: int) -> list[int]:
        """The bits between start and stop, the lowest first."""
        bits = [byte >> place & 1 for place in range(self.bits)]
        return bits + ([] if self.parity == "N" else [(sum(bits) + (self.parity == "O")) % 2])

    def received(self, frame: list[int]) -> tuple[int, int]:
        """The byte that a receiver of this format makes of a frame, and what it finds wrong with it."""
        padded = [*frame, 1, 1]  # after the last bit comes the stop bit's level
        byte = sum(bit << place for place, bit in enumerate(padded[: self.bits]))
        if self.parity == "N":
            return byte, 0
        wrong = padded[self.bits] != (sum(padded[: self.bits]) + (self.parity == "O")) % 2
        return byte, _PARITY if wrong else 0


class SerialAdapter:
    """An adapter on the bus whose line ends in a device of the format `far`."""

    def __init__(self, far: Format) -> None:
        self.far = far
        self.changed = Condition()
        self.device_descriptor = struct.pack(
            "<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, 0x0403, 0x6001, 0x0400, 1, 2, 3, 1
        )
        ends = struct.pack("<BBBBHB", 7, 5, IN, 2, PACKET, 0) + struct.pack(
            "<BBBBHB", 7, 5, OUT, 2, PACKET, 0
        )
        body = bytes((9, 4, 0, 0, 2, 0xFF, 0xFF, 0xFF, 2)) + ends
        self.configuration_descriptor = (
            struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 1, 1, 0, 0x80, 45) + body
        )
        self.power_cycle()

    # what hangs on it

    def send(self, data: bytes) -> None:
        """The far end sends bytes."""
        with self.changed:
            self._coming.extend(self._through_the_line(byte) for byte in data)
            self.changed.notify_all()

    def send_break(self) -> None:
        """The far end holds the line low for longer than a byte."""
        with self.changed:
            self._coming.append((0, _BREAK | _FRAMING))
            self.changed.notify_all()

    def set_modem_lines(self, *, clear_to_send: bool, data_set_ready: bool, carrier: bool) -> None:
        """The far end raises or drops its lines."""
        with self.changed:
            raised = zip((_CTS, _DSR, _CARRIER), (clear_to_send, data_set_ready, carrier), strict=True)
            self._lines = sum(line for line, is_up in raised if is_up)
            self._lines_changed = True
            self.changed.notify_all()

    @property
    def heard(self) -> bytes:
        """What the guest has sent so far."""
        with self.changed:
            return bytes(self._heard)

    @property
    def format(self) -> Format:
        """What the guest has set."""
        with self.changed:
            return self._near

    @property
    def raised(self) -> tuple[bool, bool]:
        """Whether the guest has raised DTR and RTS."""
        with self.changed:
            return bool(self._modem & 1), bool(self._modem & 2)

    def _through_the_line(self, byte: int) -> tuple[int, int]:
        if self.far.baud != self._near.baud:
            return byte ^ 0xD5, _FRAMING  # whatever comes, it is not what was sent
        return self._near.received(self.far.frame(byte))

    # what the bus sees of it

    def power_cycle(self) -> None:
        """Forget what the guest has set and what is on its way."""
        with self.changed:
            self._near = Format()
            self._modem = 0
            self._latency = 16
            self._lines = _CTS | _DSR
            self._lines_changed = True
            self._coming: deque[tuple[int, int]] = deque()
            self._heard = bytearray()

    def control(self, request_type: int, request: int, value: int, length: int) -> bytes | None:
        """Answer GET_DESCRIPTOR and what the adapter's driver asks and sets; stall the rest."""
        if (request_type, request) == (0x80, 6):
            texts = {3: self._string(value & 0xFF)}
            found = (texts | {1: self.device_descriptor, 2: self.configuration_descriptor}).get(value >> 8)
            return None if found is None else found[:length]
        with self.changed:
            if request_type == _GET and request in {_STATUS, _GET_LATENCY}:
                status = bytes((self._lines, _SENDER_EMPTY))
                return (status if request == _STATUS else bytes((self._latency,)))[:length]
            return self._set(request, value) if request_type == _SET else None

    def _string(self, index: int) -> bytes | None:
        if index >= len(_STRINGS):
            return None
        text = _STRINGS[index].encode("utf-16le") if index else b"\x09\x04"
        return bytes((len(text) + 2, 3)) + text

    def _set(self, request: int, value: int) -> bytes | None:
        if request == _MODEM:
            chosen = value >> 8
            self._modem = self._modem & ~chosen | value & chosen & 0xFF
        elif request == _BAUD:
            self._near = Format(_rate(value), self._near.bits, self._near.parity)
        elif request == _DATA:
            self._near = Format(self._near.baud, value & 0xFF, "NOEMS"[value >> 8 & 7])
        elif request == _SET_LATENCY:
            self._latency = value & 0xFF
        elif request == _RESET and value == 1:  # what has come is thrown away
            self._coming.clear()
        elif request not in {_RESET, _FLOW}:
            return None
        return b""

    def bulk_out(self, data: bytes) -> None:
        """Send bytes to the far end."""
        with self.changed:
            self._heard += data

    def take(self, endpoint: int, size: int, *, final: bool) -> bytes | None:
        """One packet: two bytes of status and what came with that status."""
        if endpoint != IN or not (self._coming or self._lines_changed or final):
            return None
        wrong = self._coming[0][1] if self._coming else 0
        packet = bytearray((self._lines, _SENDER_EMPTY | wrong))
        while self._coming and self._coming[0][1] == wrong and len(packet) < min(PACKET, size):
            packet.append(self._coming.popleft()[0])
        self._lines_changed = False
        return bytes(packet)

    def due_s(self, endpoint: int) -> float | None:  # noqa: ARG002 - nothing comes later than at once
        """Nothing is under way that cannot be taken yet."""
        return None


def _rate(divisor: int) -> int:
    """The usual rate that a divisor comes near; else the rate itself."""
    rate = _CLOCK * 8 / ((divisor & 0x3FFF) * 8 + _EIGHTHS[divisor >> 14])
    return next((usual for usual in _RATES if abs(rate / usual - 1) < _NEAR_ENOUGH), round(rate))
