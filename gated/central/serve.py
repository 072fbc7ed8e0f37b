"""The running server: gives out pieces of published files, says when something is new, and keeps vouching.

One thread, one poller, three sockets: ROUTER for questions, PUB for announcements, and the ZAP socket where
libzmq asks whether a client's key may come in. The allow-list is the folder of gates' keys and is read again
when it changes; a gate that was revoked while connected is refused question by question. All that the server
holds of a gate are the tokens that kiosks have left for it (`gated.central.mailbox`), few and for a while.

As long as it runs it signs the timestamp anew at every interval: that word is what keeps the gates' lists
fresh. When it stops, the lists grow old, which is what the gates' policies count on.
"""

import contextlib
import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec
import zmq

from gated import logs
from gated.central import curve
from gated.central.figures import EVERY_S, Figures, write_text
from gated.central.folder import CentralError, CentralFolder
from gated.central.keys import allowed_gates, server_pair
from gated.central.mailbox import Mailboxes
from gated.central.repository import Lifetimes, Repository
from gated.central.wire import (
    MAX_ASK,
    TOPIC,
    Absent,
    Answer,
    Ask,
    Collect,
    Leave,
    Left,
    Parcel,
    Piece,
    ToServer,
    served_path,
    token_topic,
)
from gated.central.zap import ENDPOINT, admission
from gated.core.values import Value
from gated.runtime.notify import Notifier

LOOK_S = 0.1  # how often the folder is looked at: a publication is announced within this time
TOGETHER = 100  # questions answered between two looks around: some 10 ms
BACKLOG = 1000  # messages for one gate: announcements are small, answers are asked for
COMPLAIN_S = 10.0  # between two complaints about unknown keys

_log = logs.get("central")


class ServeSettings(Value):
    """Where to listen, and how often to vouch. `metrics`: a file in Prometheus' text format, where wanted."""

    requests: str
    announcements: str
    interval_s: float = 60.0
    metrics: str = ""
    lifetimes: Lifetimes = Lifetimes()


class Gatekeeper:
    """The allow-list, read again when the folder of keys changes."""

    def __init__(self, folder: CentralFolder) -> None:
        self._folder = folder
        self._stamp = -1
        self._gates: dict[str, str] = {}
        self._names: dict[bytes, str] = {}

    def knows(self, gate: str) -> bool:
        """Whether a gate of this name may come in."""
        return (self._folder.gates / f"{gate}.pub").is_file()

    def gate(self, key: str) -> str | None:
        """The name of the gate that has this public key (Z85), None when it may not come in."""
        try:
            stamp = self._folder.gates.stat().st_mtime_ns
        except OSError:
            return None  # no list, no entry
        if stamp != self._stamp:
            self._stamp, self._gates = stamp, allowed_gates(self._folder)
            self._names = {gate.encode(): gate for gate in self._gates.values()}
        return self._gates.get(key)

    def named(self, name: bytes) -> str | None:
        """The gate of this name, as somebody says whom `gate` has let in; None when it may not come in."""
        return self._names.get(name)

    def count(self) -> int:
        """How many gates may come in."""
        return sum(1 for _ in self._folder.gates.glob("*.pub"))


class Server:
    """The central server over one folder. Belongs to one thread."""

    def __init__(self, folder: CentralFolder, settings: ServeSettings) -> None:
        folder.require()
        self._folder = folder
        self._settings = settings
        self._repository = Repository(folder)
        self._gatekeeper = Gatekeeper(folder)
        self._mailboxes = Mailboxes()
        self._asks: msgspec.msgpack.Decoder[ToServer] = msgspec.msgpack.Decoder(ToServer)
        self._encoder = msgspec.msgpack.Encoder()
        self._published: dict[str, int] | None = None
        self._seen: tuple[int, int] | None = None
        self.figures = Figures()
        self._sign_due = 0.0
        self._figures_due = 0.0
        self._look_due = 0.0
        self._complained = False
        self._complain_due = 0.0
        pair = server_pair(folder)
        self._context = zmq.Context()
        try:
            self._zap = self._context.socket(zmq.REP)
            self._zap.bind(ENDPOINT)  # before the others: without it libzmq lets nobody decide
            self._requests = self._listen(zmq.ROUTER, settings.requests, pair.secret_key)
            self._announcements = self._listen(zmq.PUB, settings.announcements, pair.secret_key)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise CentralError(
                f"cannot listen on {settings.requests} and {settings.announcements} ({error}): free them, or"
                " choose others"
            ) from error

    def _listen(self, kind: int, address: str, secret: str) -> "zmq.Socket[bytes]":
        socket = curve.server(self._context, kind, secret, longest=MAX_ASK, backlog=BACKLOG)
        socket.bind(address)
        return socket

    @property
    def addresses(self) -> tuple[str, str]:
        """Where the server listens: requests, announcements."""
        return _address(self._requests), _address(self._announcements)

    def run(self, going: Callable[[], bool], alive: Callable[[], None] = lambda: None) -> None:
        """Serve until `going` says no; asked at least every LOOK_S seconds."""
        poller = zmq.Poller()
        poller.register(self._zap, zmq.POLLIN)
        poller.register(self._requests, zmq.POLLIN)
        while going():
            ready = dict(poller.poll(int(LOOK_S * 1000)))
            if self._zap in ready:
                self._admit()
            if self._requests in ready:
                self._answer_some()
            self._keep_house()
            alive()

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._context.destroy(linger=0)

    def _admit(self) -> None:
        """Answer libzmq's question about a client (ZAP, RFC 27)."""
        answer, gate = admission(self._zap.recv_multipart(), self._gatekeeper.gate)
        if gate is None:
            self.figures.strangers += 1
            self._complain_of_stranger()
        else:
            _log.info("a gate connected", gate=gate)
        self._zap.send_multipart(answer)

    def _complain_of_stranger(self) -> None:
        """Say it, but not as often as a stranger may knock."""
        now = time.monotonic()
        if now >= self._complain_due:
            self._complain_due = now + COMPLAIN_S
            _log.warning("a client with an unknown key was refused", fix="gate-central keys, if it is ours")

    def _answer_some(self) -> None:
        """Answer what is there, but not so long that nobody else gets in."""
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                self._answer(self._requests.recv_multipart(zmq.DONTWAIT, copy=False))

    def _answer(self, frames: "Sequence[zmq.Frame]") -> None:
        if len(frames) != 2:
            return
        try:
            ask = self._asks.decode(frames[1].buffer)
        except (msgspec.MsgspecError, RecursionError):
            return
        try:
            gate = self._gatekeeper.gate(str(frames[1].get("User-Id")))
        except zmq.ZMQError:
            gate = None
        answer = self._answer_to(ask, gate)
        self._count(answer, gate)
        with contextlib.suppress(zmq.ZMQError):  # the gate went away meanwhile, or takes no more
            self._requests.send_multipart([frames[0].bytes, self._encoder.encode(answer)], zmq.DONTWAIT)

    def _count(self, answer: Answer, gate: str | None) -> None:
        self.figures.answers[type(answer).__name__.lower()] += 1
        if isinstance(answer, Piece):
            self.figures.bytes += len(answer.body)
        if gate is not None:
            self.figures.heard[gate] = time.monotonic()

    def _answer_to(self, ask: ToServer, gate: str | None) -> Answer:
        """What this gate is told; None: one that may no longer ask."""
        match ask:
            case Leave() if gate is None:
                return Left(number=ask.number, reason="refused")
            case _ if gate is None:
                return Absent(number=ask.number, reason="refused")
            case Ask():
                return self._piece(ask)
            case Collect():
                body = self._mailboxes.collect(gate, ask.done, time.monotonic())
                return Parcel(number=ask.number, body=body)
            case Leave():
                return self._leave(ask, gate)

    def _leave(self, ask: Leave, sender: str) -> Left:
        """Keep a token for its gate, and say so: a gate that hears it collects at once."""
        if not self._gatekeeper.knows(ask.gate):
            return Left(number=ask.number, reason="no_such_gate")
        if not self._mailboxes.leave(ask.gate, ask.body, sender, time.monotonic()):
            return Left(number=ask.number, reason="full")
        self._announcements.send(token_topic(ask.gate))
        return Left(number=ask.number)

    def _piece(self, ask: Ask) -> Answer:
        path = served_path(ask.path)
        if path is None:
            return Absent(number=ask.number, reason="missing")
        try:
            handle = os.open(self._folder.repository / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                state = os.fstat(handle)
                if not stat.S_ISREG(state.st_mode):
                    return Absent(number=ask.number, reason="missing")
                body = os.pread(handle, ask.length, ask.offset)
            finally:
                os.close(handle)
        except OSError:
            return Absent(number=ask.number, reason="missing")
        stamp = f"{state.st_ino:x}-{state.st_mtime_ns:x}"
        return Piece(number=ask.number, total=state.st_size, stamp=stamp, body=body)

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now < self._look_due:
            return
        self._look_due = now + LOOK_S
        try:
            if now >= self._sign_due:
                with self._folder.locked(wait=False) as alone:  # a publication under way signs by itself
                    if alone:
                        self._sign_due = now + self._settings.interval_s
                        self._repository.sign_again(datetime.now(UTC), self._settings.lifetimes)
                        self.figures.signatures += 1
            self._announce()
            if self._settings.metrics and now >= self._figures_due:
                self._figures_due = now + EVERY_S
                gates = self._gatekeeper.count()
                write_text(Path(self._settings.metrics), self.figures.told(self._repository, gates, now))
            self._complained = False
        except (CentralError, OSError) as error:
            if not self._complained:
                _log.error(
                    "cannot vouch for the list",
                    fix="see the error; the gates' lists grow old",
                    exc_info=error,
                )
            self._complained = True

    def _announce(self) -> None:
        """Tell the gates when a role's metadata changed since the last look."""
        state = (self._folder.metadata / "timestamp.json").stat()
        if (seen := (state.st_ino, state.st_mtime_ns)) == self._seen:
            return
        snapshot = self._repository.snapshot()
        versions = {name: meta.version for name, meta in snapshot.meta.items()}
        if versions != self._published:
            if self._published is not None:
                self._announcements.send_multipart([TOPIC, str(snapshot.version).encode()])
                self.figures.announcements += 1
                _log.info("announced", version=snapshot.version)
            self._published = versions
        self._seen = seen


def _address(socket: "zmq.Socket[bytes]") -> str:
    address = socket.getsockopt(zmq.LAST_ENDPOINT)
    return address.decode().rstrip("\0") if isinstance(address, bytes) else ""


def serve(folder: CentralFolder, settings: ServeSettings, told: Callable[[tuple[str, str]], None]) -> None:
    """Serve until SIGTERM or SIGINT; `told` hears the addresses once they listen. Raises CentralError."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    server = Server(folder, settings)
    notifier = Notifier()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        told(server.addresses)
        notifier.ready()
        server.run(lambda: not stopping, notifier.watchdog)
        notifier.stopping()
    finally:
        server.close()
