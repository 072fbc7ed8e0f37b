"""Typed messages between two processes of one gate, over one ZeroMQ connection.

`gated` binds, the others connect; each end may come and go, and ZeroMQ joins them again by itself. (Both
ends are DEALER sockets: a bound PAIR refuses a process that came back before the old one was noticed to be
gone, silently and for ever.) A message is a tagged struct in MessagePack. What is too long is refused by
ZeroMQ before it is in memory; what does not decode into one of the types that this end expects is dropped
and counted, never an error: the other process may be the one that decodes attacker-supplied images.

A full queue drops the newest message rather than block the gate; the drop is counted too. A peer belongs
to the thread that made it.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import msgspec
import zmq

from gated.runtime.messages import MAX_MESSAGE, Message

M = TypeVar("M", bound=Message)

QUEUE = 64  # messages either way; a gate says a few a second


class Peer(Generic[M]):
    """One end of a pair. `expects` is the union of the message types that this end accepts."""

    def __init__(self, address: str, expects: Any, *, bind: bool) -> None:
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(expects)
        self._encoder = msgspec.msgpack.Encoder()
        self.dropped = 0
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, QUEUE)
        self._socket.setsockopt(zmq.RCVHWM, QUEUE)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 50)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        try:
            if bind:
                self._socket.bind(address)
                if address.startswith("ipc://"):  # whatever the umask: the other processes' group may speak
                    Path(address.removeprefix("ipc://")).chmod(0o660)
            else:
                self._socket.connect(address)
        except zmq.ZMQError:
            self.close()
            raise

    def send(self, message: Message) -> bool:
        """Queue a message without waiting. False, and counted, when the other end takes no more."""
        try:
            self._socket.send(self._encoder.encode(message), zmq.DONTWAIT)
        except zmq.Again:
            self.dropped += 1
            return False
        return True

    def receive(self, timeout_s: float) -> M | None:
        """Return the next message, or None when none that counts came within `timeout_s`."""
        if not self._socket.poll(int(timeout_s * 1000)):
            return None
        try:
            return self._decoder.decode(self._socket.recv(zmq.DONTWAIT))
        except (zmq.Again, msgspec.MsgspecError):
            self.dropped += 1
            return None

    @property
    def pollable(self) -> "zmq.Socket[bytes]":
        """For a poller that waits on several sockets; only this peer sends and receives on it."""
        return self._socket

    def close(self) -> None:
        """Drop what is queued and leave. Idempotent."""
        self._socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
