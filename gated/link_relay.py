"""Neighbours: gates that hand each other what the centre has published, while the way to the centre is down.

Every link keeps the pieces that came lately, in memory and bounded, and gives them to the links that its
configuration names. Nobody believes a neighbour: what it hands over is checked by its signature like what the
centre sends, so a neighbour that lies is no more than one that is silent. It can hand over an older state,
and one that the gate has outgrown is a false alarm; so a timestamp older than the one here is passed over.

Only questions about published files are answered. A neighbour learns nothing else, and no door opens by it.
"""

import contextlib
import time
from collections.abc import Mapping, Sequence

import msgspec
import zmq

from gated import logs
from gated.central import curve
from gated.central.shelf import Shelf
from gated.central.wire import MAX_ANSWER, MAX_ASK, Absent, Answer, Ask, KeyPair, Piece, served_path
from gated.central.zap import ENDPOINT, admission

BACKLOG = 64
TOGETHER = 32  # messages of neighbours taken at a time: none of them keeps the link from its own gate
COMPLAIN_S = 10.0  # between two complaints about strangers

_log = logs.get("link.relay")


class Relay:
    """Gives what is on the shelf to neighbours, each known by the key of its link."""

    def __init__(self, address: str, pair: KeyPair, neighbours: Mapping[str, str], shelf: Shelf) -> None:
        """Listen; `neighbours` are public keys with the gates' names. Raises zmq.ZMQError."""
        self._neighbours = neighbours
        self._shelf = shelf
        self._complain_due = 0.0
        self._asks: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
        self._context = zmq.Context()
        try:
            self._zap = self._context.socket(zmq.REP)
            self._zap.bind(ENDPOINT)  # before the other: without it libzmq lets nobody decide
            self._requests = curve.server(
                self._context,
                zmq.ROUTER,
                pair.secret_key,
                longest=MAX_ASK,
                backlog=BACKLOG,
                domain=b"neighbours",
            )
            self._requests.bind(address)
        except zmq.ZMQError:
            self.close()
            raise

    @property
    def sockets(self) -> "tuple[zmq.Socket[bytes], ...]":
        """What to wait on."""
        return self._zap, self._requests

    def turn(self) -> None:
        """Admit, and answer, whoever has asked."""
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                answer, gate = admission(self._zap.recv_multipart(zmq.DONTWAIT), self._neighbours.get)
                if gate is None:
                    self._complain()
                self._zap.send_multipart(answer)
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                frames = self._requests.recv_multipart(zmq.DONTWAIT)
                if len(frames) == 2:
                    self._answer(*frames)

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._context.destroy(linger=0)

    def _complain(self) -> None:
        """Say it, but not as often as a stranger may knock."""
        now = time.monotonic()
        if now >= self._complain_due:
            self._complain_due = now + COMPLAIN_S
            _log.warning("somebody who is no neighbour was refused", fix="[[link.neighbours]] names them")

    def _answer(self, route: bytes, raw: bytes) -> None:
        try:
            ask = self._asks.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            return
        held = self._shelf.get(ask) if served_path(ask.path) else None
        answer: Answer = held or Absent(number=ask.number, reason="missing")
        with contextlib.suppress(zmq.ZMQError):  # the neighbour went away meanwhile
            self._requests.send_multipart([route, msgspec.msgpack.encode(answer)], zmq.DONTWAIT)


class Neighbour:
    """The line to one neighbour: questions and answers only."""

    def __init__(self, name: str, address: str, public_key: str, pair: KeyPair) -> None:
        """Connect, at some time. Raises zmq.ZMQError for an address or a key that is none."""
        self.name = name
        self._answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
        self._context = zmq.Context()
        try:
            self.socket = curve.client(
                self._context, zmq.DEALER, pair, public_key, longest=MAX_ANSWER, backlog=BACKLOG
            )
            self.socket.connect(address)
        except zmq.ZMQError:
            self.close()
            raise

    def ask(self, ask: Ask) -> bool:
        """Send a question without waiting; False while there is no connection."""
        try:
            self.socket.send(msgspec.msgpack.encode(ask), zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def answers(self) -> Sequence[Piece | Absent]:
        """The answers that are there and can be understood."""
        found: list[Piece | Absent] = []
        for _ in range(TOGETHER):
            try:
                answer = self._answers.decode(self.socket.recv(zmq.DONTWAIT))
            except zmq.Again:
                break
            except (msgspec.MsgspecError, RecursionError):
                continue
            if isinstance(answer, Piece | Absent):
                found.append(answer)
        return found

    def close(self) -> None:
        """Leave. Idempotent."""
        self._context.destroy(linger=0)
