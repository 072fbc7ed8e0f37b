"""Journals at the centre: how fast one gate catches up after days, and how many entries of many gates go in.

The collector is the real one, in a process of its own, over CURVE on the loopback, with SQLite on this disk.
"""

import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import zmq

from gated.central.folder import CentralFolder
from gated.central.keys import initialise
from gated.central.repository import Lifetimes
from gated.core.events import DutyChanged
from gated.core.gate import Gate, State
from gated.core.step import step
from gated.store import delivery as say
from gated.store.journal import GENESIS, Followed, Journal, chained
from gated.store.journal_key import public_part
from tests.central.collecting import OWN
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events
from tests.link.collect_rig import BIN, CollectRig

HOURS, AN_HOUR, OF_A_PASSAGE = 72, 300, 40  # a busy lane; entries that one traveller makes
CATCH_UP: Final = HOURS * AN_HOUR * OF_A_PASSAGE
GATES, DELIVERIES, ENTRIES = 1000, 8, 40
WINDOW = 2
APPENDS, PAUSE_S = 200, 0.02  # a gate at work writes some ten entries a second

UTC_TEXT = "2030-01-01T00:00:00.000+00:00"


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="egate-bench-") as name:
        folder = Path(name)
        catch_up(folder / "one", CATCH_UP)
        many(folder / "many")


def texts() -> tuple[tuple[str, str], ...]:
    """What a start and a citizen's passage write, as the journal has it."""
    gate, encode = Gate(policy=POLICY), msgspec.json.encode
    found = []
    for event in (*start_events(), *citizen("1" * 16)):
        gate, effects = step(gate, event)
        followed = Followed(state=gate.state, passage=gate.passage and gate.passage.id, effects=effects)
        found.append((encode(event).decode(), encode(followed).decode()))
    return tuple(found)


def chain(count: int, of: tuple[tuple[str, str], ...]) -> list[say.Sent]:
    """So many entries, each following from the one before."""
    link, made = GENESIS, []
    for number in range(1, count + 1):
        event, followed = of[number % len(of)]
        link = chained(link, number, UTC_TEXT, event.encode(), followed.encode())
        made.append(say.Sent(utc=UTC_TEXT, event=event, followed=followed, hash=link))
    return made


def catch_up(folder: Path, count: int) -> None:
    """One gate that was away: its own lane, its link, the collector."""
    (folder / "state").mkdir(parents=True)
    path = folder / "state" / "journal.db"
    Journal(path).close()
    db = sqlite3.connect(path)
    rows = ((n, s.utc, s.event, s.followed, s.hash) for n, s in enumerate(chain(count, texts()), 1))
    db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()
    journal = Journal(path)
    alone = appends(journal, lambda: True)
    with CollectRig(folder, path) as rig:
        rig.collect()
        rig.link()
        begun, before = time.monotonic(), time.process_time()
        rig.start_gate(lambda: journal.head.seq)
        beside = appends(journal, lambda: rig.acknowledged() >= count)
        while rig.acknowledged() < count:
            time.sleep(0.05)
        took, used = time.monotonic() - begun, time.process_time() - before
    journal.close()
    what = f"{HOURS} h of {AN_HOUR} travellers an hour"
    print(f"one gate, {count:,} entries ({what}), {path.stat().st_size / 2**20:.0f} MiB:")
    print(f"  at the centre, on its disk, signed for in {took:.1f} s: {count / took:,.0f} entries/s")
    print(f"  processor time of the gate's side, lane and link: {used:.1f} s ({used / took:.0%} of a core)")
    for name, times in (("before it", alone), ("meanwhile", beside)):
        middle, late = times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3
        print(f"  an entry written {name}: median {middle:.1f} ms, 99 % {late:.1f} ms ({len(times)} entries)")


def appends(journal: Journal, over: Callable[[], bool]) -> list[float]:
    """How long a gate at work waits for its journal, entry by entry, until `over`; 200 entries at least."""
    followed = Followed(state=State.IDLE, passage=None, effects=())
    times = []
    while len(times) < APPENDS or not over():
        begun = time.perf_counter()
        journal.append(UTC_TEXT, DutyChanged(at=0, on=True), followed)
        times.append(time.perf_counter() - begun)
        time.sleep(PAUSE_S)
    return sorted(times)


class Crowd:
    """The links of many gates, each with its own connection, all with the same journal and journal key."""

    def __init__(self, server_key: str, address: str, pairs: list[tuple[bytes, bytes]]) -> None:
        """Connect all of them, and wait until each was heard."""
        sent = chain(DELIVERIES * ENTRIES, texts())
        marks = [
            say.Position(seq=n, hash=sent[n - 1].hash if n else GENESIS)
            for n in range(0, len(sent) + 1, ENTRIES)
        ]
        deliveries = [
            say.Delivery(
                number=n + 1,
                head=marks[-1],
                after=mark,
                at=marks[n + 1],
                entries=say.pack(tuple(sent[mark.seq : mark.seq + ENTRIES])),
            )
            for n, mark in enumerate(marks[:-1])
        ]
        self.letters = [
            [say.encode(say.attest(OWN, name, delivery)) for delivery in deliveries]
            for name in map(name_of, range(len(pairs)))
        ]
        self._context = zmq.Context()
        self._context.setsockopt(zmq.MAX_SOCKETS, 2 * len(pairs) + 100)
        self._poller = zmq.Poller()
        self.sockets = [self._connect(server_key, address, *pair) for pair in pairs]
        asks = say.Whereabouts(number=0, head=marks[-1], known=(say.GENESIS,))
        for number, socket in enumerate(self.sockets):
            socket.send(say.encode(say.attest(OWN, name_of(number), asks)))
        waits = set(self.sockets)
        while waits:
            for socket, _ in self._poller.poll(1000):
                socket.recv()
                waits.discard(socket)

    def _connect(self, server_key: str, address: str, public: bytes, secret: bytes) -> "zmq.Socket[bytes]":
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.HANDSHAKE_IVL, 60_000)
        socket.setsockopt(zmq.CURVE_SERVERKEY, server_key.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        socket.connect(address)
        self._poller.register(socket, zmq.POLLIN)
        return socket

    def deliver(self) -> list[float]:
        """Deliver everything, a window of deliveries each; how long each was without its receipt."""
        sent_at: dict[tuple[zmq.Socket[bytes], int], float] = {}
        following = dict.fromkeys(self.sockets, 0)
        letters = dict(zip(self.sockets, self.letters, strict=True))
        took: list[float] = []

        def post(socket: "zmq.Socket[bytes]") -> None:
            if following[socket] < DELIVERIES:
                socket.send(letters[socket][following[socket]])
                following[socket] += 1
                sent_at[socket, following[socket]] = time.monotonic()

        for socket in self.sockets * WINDOW:
            post(socket)
        while len(took) < len(self.sockets) * DELIVERIES:
            for socket, _ in self._poller.poll(1000):
                answer = say.read_at_gate(socket.recv())
                assert isinstance(answer, say.Receipt), answer
                took.append(time.monotonic() - sent_at[socket, answer.number])
                post(socket)
        return sorted(took)

    def close(self) -> None:
        """Leave."""
        self._context.destroy(linger=0)


def name_of(number: int) -> str:
    """One of the many gates."""
    return f"gate-{number}"


def many(folder: Path) -> None:
    """A thousand gates at once."""
    central = CentralFolder(folder / "central")
    initialise(central, datetime.now(UTC), Lifetimes())
    pairs = [zmq.curve_keypair() for _ in range(GATES)]
    for number, (public, _) in enumerate(pairs):
        (central.gates / f"{name_of(number)}.pub").write_text(public.decode())
        known = {"keys": [{"public_key": public_part(OWN), "since": "2026-01-01T00:00:00Z"}]}
        (central.gates / f"{name_of(number)}.journal").write_text(json.dumps(known))
    command = [BIN / "gate-central", "collect", central.path, "--address", "tcp://127.0.0.1:*", "--json"]
    collector = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert collector.stdout is not None
    address = json.loads(collector.stdout.readline())["address"]
    crowd = Crowd((central.curve / "server.pub").read_text().strip(), address, pairs)
    before, begun = cpu_s(collector.pid), time.monotonic()
    took = crowd.deliver()
    seconds, used = time.monotonic() - begun, cpu_s(collector.pid) - before
    crowd.close()
    collector.send_signal(signal.SIGTERM)
    collector.wait(10)
    collector.stdout.close()
    total = GATES * DELIVERIES * ENTRIES
    middle, late = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"{GATES:,} gates, {total:,} entries in deliveries of {ENTRIES}, all at once:")
    print(
        f"  into SQLite, on the disk before the receipt: {total / seconds:,.0f} entries/s ({seconds:.1f} s)"
    )
    print(f"  from delivery to receipt: median {middle:.2f} s, 99 % {late:.2f} s")
    print(f"  processor time of the collector: {used:.1f} s, {used / total * 1e6:.0f} us an entry")


def cpu_s(process: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
