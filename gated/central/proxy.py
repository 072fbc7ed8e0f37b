"""A proxy between gates and the centre: one question upwards for many gates that ask the same.

What is published is signed, and a file's name is its version or its hash, so whatever has come through once
can be given to every gate that asks, believed by none of them for its sender. Only the timestamp changes
under its name: it is asked for anew when it is older than a second, or something was announced. While the
centre is silent, what is here goes on being given at once, a no as well as a file, and each question is put
to the centre all the same; gates see by the signed time in it how old it is.

A proxy has one key: gates know it as their server by it, and the centre admits it as it admits a gate. Which
gates may come in is told by a folder of their public keys, as at the centre. Journals go through it where it
is told so (`journal_proxy`); tokens do not: kiosks and their gates are linked to the centre itself.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import msgspec
import zmq

from gated import logs
from gated.central import curve
from gated.central.folder import CentralError
from gated.central.journal_proxy import JournalProxy
from gated.central.keys import gates_in
from gated.central.shelf import TIMESTAMP, Shelf
from gated.central.wire import MAX_ANSWER, MAX_ASK, TOPIC, Absent, Answer, Ask, KeyPair, Piece, served_path
from gated.central.zap import ENDPOINT, admission
from gated.core.values import Value
from gated.runtime.notify import Notifier

FRESH_S = 1.0  # how old a timestamp, or a no, may be that is given without asking
PATIENCE_S = 1.0  # for the centre's answer; then what is here is given. Gates wait for 3 s
TURN_S = 0.5
TOGETHER = 100  # questions taken between two looks around
BACKLOG = 1000
MAX_KEPT = 1024 * 1024 * 1024
COMPLAIN_S = 10.0  # between two complaints about strangers
MAX_WAITING = 20_000  # questions that wait for the centre
MAX_ABSENT = 20_000  # names that are remembered as not published

_log = logs.get("proxy")


class ProxySettings(Value):
    """Where to listen, where the centre is, and the folder with the keys of those who may come in.

    `journals` and `upstream_journals` are for journals; both, or neither.
    """

    requests: str
    announcements: str
    upstream_requests: str
    upstream_announcements: str
    server_key: str
    gates: str
    journals: str = ""
    upstream_journals: str = ""


@dataclass
class _Asked:
    """A question to the centre, and everybody who waits for the answer."""

    ask: Ask
    at: float
    waiting: list[tuple[bytes, int]] = field(default_factory=list)


class Questions:
    """What is known here, what is being asked, and who waits. `now` is monotonic. Pure."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._number = 0
        self._asked: dict[int, _Asked] = {}
        self._by_piece: dict[tuple[str, int, int], int] = {}
        self._fresh: dict[str, float] = {}  # changing paths: until when they are given without asking
        self._absent: dict[str, float] = {}  # not published: until when that is said without asking
        self._silent = False

    def put(self, route: bytes, ask: Ask, now: float) -> tuple[Answer | None, Ask | None]:
        """A gate's question: the answer if it is known, and the question upwards if there is one."""
        if served_path(ask.path) is None or now < self._absent.get(ask.path, 0.0):
            return Absent(number=ask.number, reason="missing"), None
        held = self._shelf.get(ask)
        if held is not None and (not _changes(ask.path) or now < self._fresh.get(ask.path, 0.0)):
            return held, None
        known = self._known(ask) if self._silent else None
        waiting = [] if known is not None else [(route, ask.number)]
        piece = (ask.path, ask.offset, ask.length)
        if piece in self._by_piece:
            self._asked[self._by_piece[piece]].waiting += waiting
            return known, None
        if len(self._asked) >= MAX_WAITING:
            return held or Absent(number=ask.number, reason="missing"), None
        self._number += 1
        upwards = msgspec.structs.replace(ask, number=self._number)
        self._asked[self._number] = _Asked(upwards, now, waiting)
        self._by_piece[piece] = self._number
        return known, upwards

    def _known(self, ask: Ask) -> Answer | None:
        """What was last heard about this, whenever that was."""
        held = self._shelf.get(ask)
        missing = held is None and ask.path in self._absent
        return Absent(number=ask.number, reason="missing") if missing else held

    def take(self, answer: Answer, now: float) -> list[tuple[bytes, Answer]]:
        """The centre's answer: what to tell to whom."""
        asked = self._asked.get(answer.number)
        if asked is None or not isinstance(answer, Piece | Absent):
            return []
        self._silent = False
        self._forget(asked)
        path = asked.ask.path
        self._absent.pop(path, None)
        if isinstance(answer, Piece):
            self._shelf.put(path, asked.ask.offset, answer)
            self._fresh[path] = now + FRESH_S
        elif answer.reason == "missing":
            self._absent[path] = now + FRESH_S  # the last of them: others go first
            if len(self._absent) > MAX_ABSENT:
                del self._absent[next(iter(self._absent))]
        return [(route, msgspec.structs.replace(answer, number=number)) for route, number in asked.waiting]

    def announced(self) -> None:
        """Something new is published: nothing that changes is given before the centre was asked."""
        self._silent = False
        self._fresh.clear()
        self._absent.clear()

    def late(self, now: float) -> list[tuple[bytes, Answer]]:
        """The centre is silent: what is here is told, or nothing to those who would wait in vain."""
        told: list[tuple[bytes, Answer]] = []
        for asked in [each for each in self._asked.values() if now >= each.at + PATIENCE_S]:
            self._silent = True
            self._forget(asked)
            known = self._known(asked.ask)
            if known is not None:
                told += [
                    (route, msgspec.structs.replace(known, number=number)) for route, number in asked.waiting
                ]
        self._fresh = {path: until for path, until in self._fresh.items() if now < until}
        return told

    def _forget(self, asked: _Asked) -> None:
        del self._asked[asked.ask.number]
        del self._by_piece[asked.ask.path, asked.ask.offset, asked.ask.length]


class Proxy:
    """The running proxy. Belongs to one thread."""

    def __init__(self, settings: ProxySettings, pair: KeyPair) -> None:
        """Listen, and connect. Raises CentralError."""
        self._settings = settings
        self._gates: dict[str, str] = {}
        self._looked_at = self._complain_due = 0.0
        self._questions = Questions(Shelf(MAX_KEPT))
        self._decoder: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
        self._answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
        self._encoder = msgspec.msgpack.Encoder()
        self._context = zmq.Context()
        try:
            self._zap = self._context.socket(zmq.REP)
            self._zap.bind(ENDPOINT)  # before the others: without it libzmq lets nobody decide
            self._requests = self._listening(zmq.ROUTER, settings.requests, pair)
            self._announcements = self._listening(zmq.PUB, settings.announcements, pair)
            self._upwards = self._connected(zmq.DEALER, settings.upstream_requests, pair)
            self._hearing = self._connected(zmq.SUB, settings.upstream_announcements, pair)
            self._hearing.setsockopt(zmq.SUBSCRIBE, TOPIC)
            self._journals = self._journals_through(pair)
        except zmq.ZMQError as error:
            self.close()
            raise CentralError(
                f"an address or the server's key cannot be used ({error}): free the one, or correct the other"
            ) from error

    def _journals_through(self, pair: KeyPair) -> JournalProxy | None:
        addresses = (self._settings.journals, self._settings.upstream_journals)
        if not all(addresses):
            return None
        return JournalProxy(self._context, pair, addresses, self._settings.server_key)

    def _listening(self, kind: int, address: str, pair: KeyPair) -> "zmq.Socket[bytes]":
        socket = curve.server(self._context, kind, pair.secret_key, longest=MAX_ASK, backlog=BACKLOG)
        socket.bind(address)
        return socket

    def _connected(self, kind: int, address: str, pair: KeyPair) -> "zmq.Socket[bytes]":
        key = self._settings.server_key
        socket = curve.client(self._context, kind, pair, key, longest=MAX_ANSWER, backlog=BACKLOG)
        socket.connect(address)
        return socket

    def run(self, going: Callable[[], bool], alive: Callable[[], None] = lambda: None) -> None:
        """Serve until `going` says no; asked at least every TURN_S seconds."""
        while going():
            further = () if self._journals is None else self._journals.sockets
            sockets = (self._zap, self._requests, self._upwards, self._hearing, *further)
            ready = dict(zmq.zmq_poll([(socket, zmq.POLLIN) for socket in sockets], int(TURN_S * 1000)))
            now = time.monotonic()
            if self._zap in ready:
                self._admit()
            if self._hearing in ready:
                self._announce()
            if self._upwards in ready:
                self._answer(now)
            if self._requests in ready:
                self._ask_some(now)
            if self._journals is not None:
                self._journals.turn(self._name_of, now)
            self._tell(self._questions.late(now))
            alive()

    def close(self) -> None:
        """Stop. Idempotent."""
        self._context.destroy(linger=0)

    def _name_of(self, key: str) -> str | None:
        now = time.monotonic()
        if now >= self._looked_at + FRESH_S:
            self._looked_at, self._gates = now, gates_in(Path(self._settings.gates))
        return self._gates.get(key)

    def _admit(self) -> None:
        answer, gate = admission(self._zap.recv_multipart(), self._name_of)
        now = time.monotonic()
        if gate is None and now >= self._complain_due:
            self._complain_due = now + COMPLAIN_S
            _log.warning(
                "a client with an unknown key was refused", fix="copy its key to the folder of gates"
            )
        self._zap.send_multipart(answer)

    def _announce(self) -> None:
        self._questions.announced()
        self._announcements.send_multipart(self._hearing.recv_multipart())

    def _answer(self, now: float) -> None:
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                raw = self._upwards.recv(zmq.DONTWAIT)
                with contextlib.suppress(msgspec.MsgspecError, RecursionError):
                    self._tell(self._questions.take(self._answers.decode(raw), now))

    def _ask_some(self, now: float) -> None:
        """Take the questions that are there, but not so long that nobody else gets in."""
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                self._ask(self._requests.recv_multipart(zmq.DONTWAIT, copy=False), now)

    def _ask(self, frames: "Sequence[zmq.Frame]", now: float) -> None:
        if len(frames) != 2:
            return
        try:
            ask = self._decoder.decode(frames[1].buffer)
            known = self._name_of(str(frames[1].get("User-Id")))
        except (msgspec.MsgspecError, RecursionError, zmq.ZMQError):
            return
        route = frames[0].bytes
        if known is None:
            self._tell([(route, Absent(number=ask.number, reason="refused"))])
            return
        answer, upwards = self._questions.put(route, ask, now)
        if answer is not None:
            self._tell([(route, answer)])
        if upwards is not None:
            with contextlib.suppress(zmq.Again):  # the centre takes no more: the question grows late
                self._upwards.send(self._encoder.encode(upwards), zmq.DONTWAIT)

    def _tell(self, answers: list[tuple[bytes, Answer]]) -> None:
        for route, answer in answers:
            with contextlib.suppress(zmq.ZMQError):  # the gate went away meanwhile, or takes no more
                self._requests.send_multipart([route, self._encoder.encode(answer)], zmq.DONTWAIT)


def _changes(path: str) -> bool:
    return path == TIMESTAMP


def stand_between(settings: ProxySettings, pair: KeyPair, told: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `told` is called once it listens. Raises CentralError."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    proxy, notifier = Proxy(settings, pair), Notifier()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        told()
        notifier.ready()
        proxy.run(lambda: not stopping, notifier.watchdog)
        notifier.stopping()
    finally:
        proxy.close()
