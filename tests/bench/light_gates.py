"""Many gates in one process, for the bench of the distribution: each with its own key, sockets and list.

A light gate does on the line what a gate does: it hears the announcement, probes for a newer root, asks for
timestamp, snapshot, its role's metadata, index and delta, checks length and SHA-256 of every file against
what is signed, and applies the delta strictly to a list of its own, which is live when that is done. What a
real gate has a processor for is done once for all gates of the process: checking the signatures of equal
bytes, and decoding the lines of equal deltas.
"""

import hashlib
import itertools
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import zmq
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from gated.central.wire import PIECE, TOPIC, Absent, Answer, Ask, KeyPair, Piece
from gated.watchlist.delta import Change, read_delta
from gated.watchlist.replica import INDEX, parse_index

Place = tuple[str, str, str]  # addresses for questions and announcements, the server's key


@dataclass
class Known:
    """What is verified once for every gate of this process."""

    root: Root
    signed: dict[bytes, Any] = field(default_factory=dict)
    changes: dict[bytes, list[Change]] = field(default_factory=dict)

    def verified(self, raw: bytes, role: str, delegator: Root | Targets) -> Any:
        """The signed part of these bytes. Raises UnsignedMetadataError."""
        mark = hashlib.sha256(raw).digest()
        if mark not in self.signed:
            metadata: Metadata[Any] = Metadata.from_bytes(raw)
            delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
            self.signed[mark] = metadata.signed
        return self.signed[mark]

    def decoded(self, raw: bytes) -> list[Change]:
        """The changes of a delta. Raises ListError."""
        mark = hashlib.sha256(raw).digest()
        if mark not in self.changes:
            self.changes[mark] = list(read_delta(iter(raw.splitlines()))[1])
        return self.changes[mark]


class LightGate:
    """One gate: asks one question at a time, as TUF does."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", pair: KeyPair, place: Place, known: Known
    ) -> None:
        self.list: set[bytes] = set()
        self.version = 1
        self.live_at = 0.0
        self.busy = False
        self._known = known
        self._targets: Targets | None = None
        self._then: Callable[[bytes], None] = lambda _: None
        self._path = ""
        self._body = b""
        self.asking = self._socket(context, zmq.DEALER, pair, place[2], place[0])
        self.hearing = self._socket(context, zmq.SUB, pair, place[2], place[1])
        self.hearing.setsockopt(zmq.SUBSCRIBE, TOPIC)

    def _socket(
        self, context: Any, kind: int, pair: KeyPair, server: str, address: str
    ) -> "zmq.Socket[bytes]":
        socket: zmq.Socket[bytes] = context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.CURVE_SERVERKEY, server.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public_key.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret_key.encode())
        socket.connect(address)
        return socket

    def refresh(self) -> None:
        """Begin as TUF begins; the rest follows answer by answer."""
        self.busy = True
        self._ask(f"metadata/{self._known.root.version + 1}.root.json", lambda _: self._ask_timestamp())

    def _ask(self, path: str, then: Callable[[bytes], None]) -> None:
        self._path, self._then, self._body = path, then, b""
        self.asking.send(msgspec.msgpack.encode(Ask(number=1, path=path, offset=0, length=PIECE)))

    def take(self, answer: Answer) -> None:
        """Take a piece, ask for the next one, or go on with the whole."""
        if isinstance(answer, Absent):
            self._then(b"")
        elif isinstance(answer, Piece):
            self._body += answer.body
            if len(self._body) < answer.total:
                ask = Ask(number=1, path=self._path, offset=len(self._body), length=PIECE)
                self.asking.send(msgspec.msgpack.encode(ask))
            else:
                self._then(self._body)

    def _ask_timestamp(self) -> None:
        self._ask("metadata/timestamp.json", self._timestamp)

    def _timestamp(self, raw: bytes) -> None:
        timestamp: Timestamp = self._known.verified(raw, Timestamp.type, self._known.root)
        meta = timestamp.snapshot_meta
        self._ask(f"metadata/{meta.version}.snapshot.json", lambda body: self._snapshot(body, meta))

    def _snapshot(self, raw: bytes, meta: MetaFile) -> None:
        meta.verify_length_and_hashes(raw)
        snapshot: Snapshot = self._known.verified(raw, Snapshot.type, self._known.root)
        top, watchlist = snapshot.meta["targets.json"], snapshot.meta["watchlist.json"]
        if self._targets is None:  # a gate has it from before, unless it is new
            self._ask(f"metadata/{top.version}.targets.json", lambda body: self._top(body, top, watchlist))
        else:
            self._ask(
                f"metadata/{watchlist.version}.watchlist.json", lambda body: self._role(body, watchlist)
            )

    def _top(self, raw: bytes, meta: MetaFile, watchlist: MetaFile) -> None:
        meta.verify_length_and_hashes(raw)
        self._targets = self._known.verified(raw, Targets.type, self._known.root)
        self._ask(f"metadata/{watchlist.version}.watchlist.json", lambda body: self._role(body, watchlist))

    def _role(self, raw: bytes, meta: MetaFile) -> None:
        meta.verify_length_and_hashes(raw)
        assert self._targets is not None
        role: Targets = self._known.verified(raw, "watchlist", self._targets)
        index = role.targets[INDEX]
        self._ask(_file(index), lambda body: self._index(body, index, role))

    def _index(self, raw: bytes, target: TargetFile, role: Targets) -> None:
        target.verify_length_and_hashes(raw)
        steps = [step for step in parse_index(raw).deltas if step.base == self.version]
        if not steps:
            self.busy = False
            return
        delta = role.targets[steps[0].path]
        self._ask(_file(delta), lambda body: self._delta(body, delta, steps[0].version))

    def _delta(self, raw: bytes, target: TargetFile, version: int) -> None:
        target.verify_length_and_hashes(raw)
        for change in self._known.decoded(raw):
            assert change.came != (change.line in self.list), "the delta does not fit"
            (self.list.add if change.came else self.list.remove)(change.line)
        self.version, self.live_at, self.busy = version, time.monotonic(), False


def _file(target: TargetFile) -> str:
    folder, _, name = target.path.rpartition("/")
    return f"targets/{folder}/{target.hashes['sha256']}.{name}"


def fleet(line: Connection, pairs: list[KeyPair], place: Place, root: Path) -> None:
    """Be these gates: say when all are current; hear a version, say when each had it; until hung up on."""
    known = Known(Metadata[Root].from_file(str(root)).signed)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 2 * len(pairs) + 16)
    gates = [LightGate(context, pair, place, known) for pair in pairs]
    poller = zmq.Poller()
    by_socket = {gate.asking: gate for gate in gates} | {gate.hearing: gate for gate in gates}
    for socket in by_socket:
        poller.register(socket, zmq.POLLIN)
    answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
    for gate in gates:
        gate.refresh()
    said = False
    wanted = 0
    while True:
        for socket, _ in poller.poll(50):
            gate = by_socket[socket]
            if socket is gate.asking:
                gate.take(answers.decode(socket.recv()))
            else:
                socket.recv_multipart()
                if not gate.busy:
                    gate.refresh()
        if not said and not any(gate.busy for gate in gates):
            said = True
            line.send(len(gates))
        if line.poll(0):
            try:
                wanted = line.recv()
            except EOFError:
                return
        if wanted and all(gate.version >= wanted for gate in gates):
            line.send([gate.live_at for gate in gates])
            wanted = 0


def start(
    count: int, pairs: list[KeyPair], places: Sequence[Place], root: Path
) -> list[tuple[Connection, Any]]:
    """Start `count` processes with as many of the gates each, at one place after the other."""
    spawn = multiprocessing.get_context("spawn")
    started = []
    for number in range(count):
        ours, theirs = spawn.Pipe()
        share = list(itertools.islice(pairs, number, None, count))
        place = places[number % len(places)]
        process = spawn.Process(target=fleet, args=(theirs, share, place, root), daemon=True)
        process.start()
        theirs.close()
        started.append((ours, process))
    return started
