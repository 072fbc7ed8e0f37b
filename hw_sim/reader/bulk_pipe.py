"""The inward bulk pipe of a simulated device: messages readable from a time on, taken packet by packet.

A transfer ends at a short packet or when the host's buffer is full (USB 2.0, 5.8.3); a message of whole
packets does not end it unless an empty packet follows, which some readers send and some do not.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class _Message:
    """A message on its way to the host."""

    ready_at: float
    packets: deque[bytes] = field(default_factory=deque)


class BulkPipe:
    """Messages on their way to the host, in order. Not thread-safe: the device's lock guards it."""

    def __init__(self, packet: int, *, closing_packet: bool) -> None:
        self._packet = packet
        self._closing_packet = closing_packet
        self._messages: deque[_Message] = deque()

    def __bool__(self) -> bool:
        """Whether anything is on its way."""
        return bool(self._messages)

    def put(self, message: bytes, ready_at: float) -> None:
        """Send a message that can be read from `ready_at` on (monotonic clock)."""
        self._messages.append(_Message(ready_at, deque(self._split(message))))

    def clear(self) -> None:
        """Forget everything."""
        self._messages.clear()

    def withdraw(self) -> bool:
        """Forget what cannot be read yet; whether there was anything."""
        now = time.monotonic()
        kept = deque(one for one in self._messages if one.ready_at <= now)
        withdrawn = len(kept) < len(self._messages)
        self._messages = kept
        return withdrawn

    def due_s(self) -> float | None:
        """Seconds until something more can be read, None when nothing else is under way."""
        now = time.monotonic()
        return min((one.ready_at - now for one in self._messages if one.ready_at > now), default=None)

    def take(self, size: int, *, final: bool) -> bytes | None:
        """What a transfer of `size` brings; None while it is incomplete (`final`: bring what there is)."""
        gathered, count, complete = bytearray(), 0, False
        for packet in self._readable():
            if len(gathered) + len(packet) > size:
                break
            gathered += packet
            count += 1
            complete = len(packet) < self._packet or len(gathered) == size
            if complete:
                break
        if not complete and not (final and gathered):
            return None
        self._drop(count)
        return bytes(gathered)

    def _readable(self) -> Iterator[bytes]:
        now = time.monotonic()
        for message in self._messages:
            if message.ready_at > now:
                return
            yield from message.packets

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._messages[0].packets.popleft()
            if not self._messages[0].packets:
                self._messages.popleft()

    def _split(self, message: bytes) -> Iterator[bytes]:
        for start in range(0, len(message) or 1, self._packet):
            yield message[start : start + self._packet]
        if message and self._closing_packet and len(message) % self._packet == 0:
            yield b""
