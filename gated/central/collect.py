"""The collector: takes the journals of all gates, and signs for what it holds durably.

A service of its own, beside the one that gives out lists: neither waits for the other's disk. One thread,
one ROUTER socket with CURVE and the same allow-list; who a gate is, its key says, never its message, and what
its journal is, the journal key says that gate-link does not have. All that waits is taken in one transaction,
and only after it is on the disk do receipts go out: a thousand gates cost a few synchronisations a second.
When the collector or its database is away, the gates keep what they have.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import zmq

from gated import logs
from gated.central import curve
from gated.central.figures import write_text
from gated.central.folder import CentralError, CentralFolder
from gated.central.journal_keys import KeyRing
from gated.central.keys import server_pair
from gated.central.receipts import receipt_key
from gated.central.record_store import DatabaseError, open_database
from gated.central.records import NotPlacedError, Records
from gated.central.registrations import RegistrationBook
from gated.central.serve import Gatekeeper
from gated.central.zap import ENDPOINT, admission
from gated.core.values import Value
from gated.runtime.notify import Notifier
from gated.store import disk
from gated.store import registration_post as post
from gated.store.database import StoreError
from gated.store.delivery import (
    MAX_DELIVERY,
    Delivery,
    DeliveryError,
    Enclosed,
    FromCentre,
    NotTaken,
    Whereabouts,
    encode,
    entries_of,
    read_at_centre,
    sign,
)
from gated.store.registration_letters import sign_receipt

DATABASE = "journals.db"  # in the central folder
FROM_GATE, FROM_PROXY = 2, 4  # frames: the way back, and the letter; the way behind a proxy, and whose it is
BURST = 64  # messages in one transaction: some ten thousand entries
LOOK_S = 0.5
BACKLOG = 16  # of one gate: it has four deliveries under way
MIN_FREE = 256 * 1024 * 1024
COMPLAIN_S = 10.0
METRICS_S = 3.0

_log = logs.get("central.collect")


class CollectSettings(Value):
    """Where to listen, and where the journals go: a file, or a `postgresql://` address; empty: in the folder.

    `metrics`: a file that is written now and then, in Prometheus' text format. `proxies` are the names of
    those that may bring letters of other gates.
    """

    address: str
    database: str = ""
    metrics: str = ""
    proxies: tuple[str, ...] = ()


@dataclass
class Counts:
    """What the collector has done since its start."""

    deliveries: int = 0
    entries: int = 0
    not_taken: int = 0
    failures: int = 0


@dataclass
class _Letter:
    """A message, who it is from, and what ZeroMQ finds the way back by."""

    way: tuple[bytes, ...]
    gate: str | None
    said: Whereabouts | Delivery


class Collector:
    """The collector of one central folder. Belongs to one thread."""

    def __init__(self, folder: CentralFolder, settings: CollectSettings) -> None:
        """Open the database and listen. Raises CentralError."""
        folder.require()
        self._folder = folder
        self._gatekeeper = Gatekeeper(folder)
        self._proxies = frozenset(settings.proxies)
        self._keys = KeyRing(folder)
        self._key = receipt_key(folder)
        self._metrics = Path(settings.metrics) if settings.metrics else None
        self.counts = Counts()
        self._complain_due = 0.0
        self._look_due = 0.0
        self._metrics_due = 0.0
        self._has_room = True
        self._in_file = not settings.database.startswith(("postgresql://", "postgres://"))
        self._context = zmq.Context()
        with contextlib.ExitStack() as opened:
            opened.callback(self._context.destroy, linger=0)
            try:
                self._records = Records(open_database(database_of(folder, settings.database)))
                opened.callback(self._records.close)
                self._book = RegistrationBook(folder)
                opened.callback(self._book.close)
                self._zap = self._context.socket(zmq.REP)
                self._zap.bind(ENDPOINT)  # before the other: without it libzmq lets nobody decide
                self._socket = self._listen(settings.address, server_pair(folder).secret_key)
            except (DatabaseError, StoreError) as error:
                raise CentralError(str(error)) from error
            except zmq.ZMQError as error:
                raise CentralError(
                    f"cannot listen on {settings.address} ({error}): free it, or choose another"
                ) from error
            opened.pop_all()  # `close` does it from here on

    def _listen(self, address: str, secret: str) -> "zmq.Socket[bytes]":
        socket = curve.server(self._context, zmq.ROUTER, secret, longest=MAX_DELIVERY, backlog=BACKLOG)
        socket.bind(address)
        return socket

    @property
    def address(self) -> str:
        """Where the collector listens."""
        found = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        return found.decode().rstrip("\0") if isinstance(found, bytes) else ""

    def run(self, going: Callable[[], bool], alive: Callable[[], None] = lambda: None) -> None:
        """Collect until `going` says no; asked at least every LOOK_S seconds."""
        poller = zmq.Poller()
        poller.register(self._zap, zmq.POLLIN)
        poller.register(self._socket, zmq.POLLIN)
        while going():
            ready = dict(poller.poll(int(LOOK_S * 1000)))
            if self._zap in ready:
                self._admit()
            if self._socket in ready:
                self._collect(self._letters())
            self._keep_house()
            alive()

    def close(self) -> None:
        """Stop listening and close the database. Idempotent."""
        self._context.destroy(linger=0)
        self._records.close()
        self._book.close()

    def _admit(self) -> None:
        answer, gate = admission(self._zap.recv_multipart(), self._gatekeeper.gate)
        if gate is None and self._may_complain():
            _log.warning("an unknown key was refused", fix="gate-central keys, if it is ours")
        self._zap.send_multipart(answer)

    def _letters(self) -> list[_Letter]:
        """What waits, some of it; what is no message of ours is answered as such."""
        letters: list[_Letter] = []
        for _ in range(BURST):
            try:
                frames = self._socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                break
            try:
                gate = self._gatekeeper.gate(str(frames[-1].get("User-Id")))
            except zmq.ZMQError:
                gate = None
            way: tuple[bytes, ...] = (frames[0].bytes,)
            if len(frames) == FROM_PROXY and gate in self._proxies:
                way = (frames[0].bytes, frames[1].bytes)
                gate = self._gatekeeper.named(frames[2].bytes)
            elif len(frames) != FROM_GATE:
                continue
            try:
                said = read_at_centre(frames[-1].buffer)
            except DeliveryError:
                continue  # it has no number to answer to
            if isinstance(said, Enclosed):
                self._registration(way, gate, said)
            else:
                letters.append(_Letter(way, gate, said))
        return letters

    def _registration(self, way: tuple[bytes, ...], gate: str | None, enclosed: Enclosed) -> None:
        """Take a letter about a registration; what cannot be kept is not answered, and comes again.

        One that its gate has not signed counts for nothing; of that its journal's deliveries tell.
        """
        if gate is None or not self._has_room:
            return
        if self._keys.signer(gate, enclosed, datetime.now(UTC)) is None:
            return
        try:
            said = post.read_at_centre(enclosed.body)
        except post.PostError:
            return
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            if isinstance(said, post.AskWithdrawn):
                answer: post.FromCentre = post.sign_withdrawn(self._key, gate, said, self._book.wishes(gate))
            else:
                self._book.take(gate, said, utc)
                receipt = sign_receipt(self._key, gate, said.registration, said.sealed, utc)
                answer = post.LetterTaken(receipt=receipt)
        except StoreError as error:
            self.counts.failures += 1
            if self._may_complain():
                _log.error("registrations cannot be kept", fix=str(error))
            return
        with contextlib.suppress(zmq.ZMQError):  # the gate went away meanwhile, or takes no more
            self._socket.send_multipart([*way, post.encode(answer)], zmq.DONTWAIT)

    def _collect(self, letters: Sequence[_Letter]) -> None:
        """Take all of them at once; where that fails, one by one, that none keeps the others out."""
        try:
            answers = self._taken(letters)
        except DatabaseError as error:
            self._fail(error)
            if len(letters) > 1:
                for letter in letters:
                    self._collect([letter])
                return
            answers = [NotTaken(number=letter.said.number, reason="busy") for letter in letters]
        for letter, answer in zip(letters, answers, strict=True):
            self.counts.not_taken += isinstance(answer, NotTaken)
            with contextlib.suppress(zmq.ZMQError):  # the gate went away meanwhile, or takes no more
                self._socket.send_multipart([*letter.way, encode(answer)], zmq.DONTWAIT)

    def _taken(self, letters: Sequence[_Letter]) -> list[FromCentre]:
        """The answers, when all that they sign for is on the disk. Raises DatabaseError: nothing is."""
        now = datetime.now(UTC)
        self._records.begin()
        try:
            answers = [self._answer(letter, now) for letter in letters]
        except BaseException:
            self._records.roll_back()
            raise
        self._records.commit()
        return answers

    def _answer(self, letter: _Letter, now: datetime) -> FromCentre:
        gate, said = letter.gate, letter.said
        utc = now.isoformat(timespec="milliseconds")
        if gate is None:
            return NotTaken(number=said.number, reason="refused")
        signer = self._keys.signer(gate, said, now)
        if signer is None:
            return self._unsigned(gate, said, now)
        if isinstance(said, Whereabouts):
            at, common = self._records.whereabouts(gate, said, utc)
            return sign(self._key, said.number, gate, at, utc, common)
        return self._deliver(gate, said, signer, utc)

    def _unsigned(self, gate: str, said: Whereabouts | Delivery, now: datetime) -> NotTaken:
        """Nothing of it counts; people must know of it."""
        known = self._keys.has(gate, now)
        self._records.unsigned(gate, now.isoformat(timespec="milliseconds"))
        if self._may_complain():
            fix = "gate-central status compares keys; if they are alike, somebody else speaks on its line"
            fix = fix if known else "gate-central journal-key, with the key that its technician tells"
            _log.error("a journal is not taken: its gate has not signed it", gate=gate, fix=fix)
        return NotTaken(number=said.number, reason="not_signed" if known else "no_journal_key")

    def _deliver(self, gate: str, said: Delivery, signer: bytes, utc: str) -> FromCentre:
        if not self._has_room:
            return NotTaken(number=said.number, reason="full")
        try:
            entries = entries_of(said)
            at = self._records.take(gate, said, entries, signer, utc)
        except DeliveryError:
            return NotTaken(number=said.number, reason="malformed")
        except NotPlacedError as error:
            return NotTaken(number=said.number, reason=error.reason)
        self.counts.deliveries += 1
        self.counts.entries += len(entries)
        return sign(self._key, said.number, gate, at, utc)

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now < self._look_due:
            return
        self._look_due = now + LOOK_S
        self._has_room = not self._in_file or disk.free_bytes(self._folder.path) >= MIN_FREE
        if not self._has_room and self._may_complain():
            _log.error("no room for journals", fix=f"free space on the disk of {self._folder.path}")
        if self._metrics is not None and now >= self._metrics_due:
            self._metrics_due = now + METRICS_S
            self._write_metrics(self._metrics)

    def _write_metrics(self, path: Path) -> None:
        try:
            write_text(path, metrics(self._records, self.counts))
        except (DatabaseError, OSError) as error:
            if self._may_complain():
                _log.warning("the metrics cannot be written", fix=f"check {path}", exc_info=error)

    def _fail(self, error: DatabaseError) -> None:
        self.counts.failures += 1
        if self._may_complain():
            _log.error("journals cannot be kept", fix=str(error))

    def _may_complain(self) -> bool:
        """Whether it is time to say what may happen often."""
        now = time.monotonic()
        if now < self._complain_due:
            return False
        self._complain_due = now + COMPLAIN_S
        return True


def database_of(folder: CentralFolder, named: str) -> str:
    """Where the journals are: what was named, or the file in the folder."""
    return named or str(folder.path / DATABASE)


def metrics(records: Records, counts: Counts) -> str:
    """What a monitor asks of a collector, in Prometheus' text format. Nothing in it is personal."""
    lines = []
    for name, value in (
        ("deliveries", counts.deliveries),
        ("entries", counts.entries),
        ("not_taken", counts.not_taken),
        ("failures", counts.failures),
    ):
        lines += [f"# TYPE egate_collector_{name}_total counter", f"egate_collector_{name}_total {value}"]
    states = records.states()
    for name in ("entries", "lag"):
        lines.append(f"# TYPE egate_journal_{name} gauge")
        lines += [f'egate_journal_{name}{{gate="{state.gate}"}} {getattr(state, name)}' for state in states]
    lines.append("# TYPE egate_journal_alarms gauge")
    lines += [f'egate_journal_alarms{{gate="{state.gate}"}} {len(state.alarms)}' for state in states]
    lines.append("# TYPE egate_journal_heard_seconds gauge")
    for state in states:
        heard = datetime.fromisoformat(state.heard).timestamp()
        lines.append(f'egate_journal_heard_seconds{{gate="{state.gate}"}} {heard:.0f}')
    return "\n".join(lines) + "\n"


def collect(folder: CentralFolder, settings: CollectSettings, told: Callable[[str], None]) -> None:
    """Collect until SIGTERM or SIGINT; `told` hears the address once it listens. Raises CentralError."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    collector = Collector(folder, settings)
    notifier = Notifier()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        told(collector.address)
        notifier.ready()
        collector.run(lambda: not stopping, notifier.watchdog)
        notifier.stopping()
    finally:
        collector.close()
