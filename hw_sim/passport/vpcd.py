"""A chip on the wire of a virtual reader: the card's end of vpcd, the virtual PCD of vsmartcard.

The reader driver listens, the card connects. Each message is a length of two bytes, big-endian, and that many
bytes. A message of one byte is for the chip's surroundings: 0 power off, 1 power on, 2 reset, 4 the answer to
reset, please; only the last one has an answer. Any other message is a command APDU, its answer the response.

A chip that stays silent leaves the field: the connection ends, which vpcd reports as a card taken away.
"""

import socket
import time
from collections.abc import Callable
from threading import Event
from typing import Final, Literal

from gated.core.values import Value
from hw_sim.passport.chip import NoAnswer
from hw_sim.reader import rf_link
from hw_sim.reader.reader_model import Card

POWER_OFF, POWER_ON, RESET, ATR = 0, 1, 2, 4
PORT: Final = 35963  # where vpcd listens unless told otherwise
MAX_MESSAGE: Final = 0xFFFF
AWAY_S: Final = 1.0  # how long the card stays away after it was lost, and between two tries to connect
_CONNECT_S: Final = 5.0
_TOO_LONG: Final = b"\x67\x00"

State = Literal["connected", "away", "lost"]
Tell = Callable[[State], None]


class Address(Value):
    """Where vpcd listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """HOST:PORT, an IPv6 host in brackets; without a port the usual one. Raises ValueError that says why."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise ValueError(f"{text!r} names no host: write HOST:PORT, such as localhost:{PORT}")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        raise ValueError(f"{port!r} is no port: write HOST:PORT with a port from 1 to 65535")
    return Address(host=host, port=int(port))


def is_known(address: Address) -> bool:
    """Whether this machine knows the host at all."""
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return True


class WireError(Exception):
    """The other end does not speak vpcd's language."""


class VirtualCard:
    """One card that is laid on a virtual reader."""

    def __init__(self, card: Card, address: Address, *, bit_rate: int | None = None) -> None:
        """With `bit_rate`, in bit/s, an exchange takes the time that chip and radio link need."""
        self._card = card
        self._address = address
        self._bit_rate = bit_rate
        self._powered = False

    def serve(self, tell: Tell, stop: Event | None = None) -> None:
        """Lay the card on the reader, again and again, until `stop` is set between two visits.

        `tell` hears each change: connected to vpcd, vpcd away, chip lost (it comes back by itself); what it
        raises ends the serving. Raises WireError when something else than vpcd listens there.
        """
        stop = stop or Event()
        told: State | None = None

        def tell_change(state: State) -> None:
            nonlocal told
            if state != told:
                told = state
                tell(state)

        while not stop.is_set():
            tell_change(self._visit(tell_change))
            stop.wait(AWAY_S)

    def _visit(self, tell: Tell) -> State:
        """One connection, from its beginning to its end; why it ended, or that there was none."""
        try:
            peer = socket.create_connection((self._address.host, self._address.port), _CONNECT_S)
        except OSError:
            return "away"
        with peer:
            peer.settimeout(None)
            try:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tell("connected")
                self._powered = False
                self._converse(peer)
            except NoAnswer:
                return "lost"
            except OSError:
                pass
        return "away"

    def _converse(self, peer: socket.socket) -> None:
        """Answer messages until the other end has no more."""
        while (message := _receive(peer)) is not None:
            answer = self._answer(message)
            if answer is not None:
                peer.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, message: bytes) -> bytes | None:
        if len(message) != 1:
            return self._exchange(message)
        control = message[0]
        if control == ATR:
            return self._card.atr
        if control in {POWER_ON, RESET}:
            self._power_up()
        elif control == POWER_OFF:
            self._powered = False
        else:
            raise WireError("a message of one byte that vpcd does not know")
        return None

    def _power_up(self) -> None:
        self._powered = True
        self._card.reset()

    def _exchange(self, command: bytes) -> bytes:
        if not self._powered:
            self._power_up()
        began = time.monotonic()
        response = self._card.command(command)
        if len(response) > MAX_MESSAGE:
            response = _TOO_LONG  # the length does not fit into two bytes: asked for fewer, the chip gives it
        if self._bit_rate is not None:
            takes_s = self._card.busy_s(command, response)
            takes_s += rf_link.exchange_s(len(command), len(response), self._bit_rate)
            time.sleep(max(0.0, began + takes_s - time.monotonic()))
        return response


def _receive(peer: socket.socket) -> bytes | None:
    """One message; None at the end of the connection. Raises WireError for an empty one, OSError."""
    head = _exactly(peer, 2)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if not length:
        raise WireError("an empty message")
    return _exactly(peer, length)


def _exactly(peer: socket.socket, size: int) -> bytes | None:
    gathered = bytearray()
    while len(gathered) < size:
        # The driver sends length and body by themselves; a delayed acknowledgement would cost 40 ms each
        # time, and the kernel goes back to delaying by itself.
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        piece = peer.recv(size - len(gathered))
        if not piece:
            return None
        gathered += piece
    return bytes(gathered)
