"""`gate-link`: carries bytes between the central server and `gated`, and believes none of them.

It is the one process of a gate that has the network, and it has nothing else: no device, no door, no key but
its own CURVE key. `gated` asks for a file (Fetch), the link asks the central server for pieces of it and
passes them on. Questions are few and answers are asked for: at most WINDOW open towards the server, at most
FETCH_PIECES for one Fetch of `gated`, so neither a slow gate nor a fast server can fill a queue.

ZeroMQ reconnects by itself, for ever, and is silent when a key is wrong. So the link keeps a time-out of its
own, says `no_link` when it ends without progress, and reads libzmq's connection events for the reason.
One thread, one poller, no polling loop: while nothing happens the process sleeps.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from gated import logs
from gated.central.shelf import Shelf
from gated.central.wire import (
    MAX_ANSWER,
    PIECE,
    TOPIC,
    Absent,
    Answer,
    Ask,
    KeyFileError,
    KeyPair,
    Piece,
    ToServer,
    read_key_file,
)
from gated.config import ConfigError, GateConfig, load
from gated.core.settings import LinkSettings
from gated.core.vocabulary import Topology
from gated.link_journal import JournalCarrier
from gated.link_relay import Neighbour, Relay
from gated.link_tokens import TokenCarrier
from gated.runtime.bus import Peer
from gated.runtime.messages import (
    FETCH_PIECES,
    Announced,
    Fetch,
    Fetched,
    JournalUp,
    NotFetched,
    Ping,
    Pong,
    TokensToLink,
    ToLink,
)
from gated.runtime.notify import Notifier

WINDOW = 4  # questions open towards the server: 1 MiB in flight fills 80 Mbit/s at 100 ms
ASK_AGAIN = 3  # times that an unanswered question is put within the time-out
TURN_S = 1.0  # the longest sleep: the watchdog wants a sign of life
HEARTBEAT_MS = 10_000
RECONNECT_MS, RECONNECT_MAX_MS = 200, 5_000
REFUSED_S, UNLINKED_S = 5.0, 30.0  # until new sockets are tried
NEIGHBOUR_S = 1.0  # for a neighbour's answer: it has the piece, or it has not
ANNOUNCE_S = 1.0  # announcements are passed on at most this often

Reason = Literal["missing", "too_long", "no_link", "refused"]
_log = logs.get("link")


@dataclass
class _Job:
    """One Fetch in progress: what was asked of the server, what came, what was passed on."""

    fetch: Fetch
    deadline: float
    next_offset: int  # where the next question begins
    passed: int  # up to where pieces were passed to gated
    ask_again: float
    source: Neighbour | None = None
    """Who is asked; None is the centre."""
    further: list[Neighbour | None] = field(default_factory=list)
    """Who is asked after that, while there is no answer."""
    is_absent: bool = False
    """Whether somebody has said that there is no such file."""
    stamp: str | None = None
    total: int | None = None
    sent: int = 0
    asked: dict[int, Ask] = field(default_factory=dict)
    came: dict[int, bytes] = field(default_factory=dict)  # offset to bytes, waiting for their turn


class Central:
    """The connection to the central server: two sockets, reconnecting by themselves."""

    def __init__(self, settings: LinkSettings, pair: KeyPair) -> None:
        self._topics = {TOPIC}
        self._context = zmq.Context()
        self._settings = settings
        self._pair = pair
        self._asks = msgspec.msgpack.Encoder()
        self._answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
        self.state = "no_link"
        try:
            self._open()
        except zmq.ZMQError as error:
            self.close()
            raise KeyFileError(
                f"[link] requests, announcements or server_key cannot be used ({error}): write tcp://HOST:PORT"
                " and the server's key as gate-central status shows it"
            ) from error

    def _open(self) -> None:
        self._opened_at = time.monotonic()
        self.requests = self._socket(zmq.DEALER, self._settings, self._pair)
        self.monitor = self.requests.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED
        )
        self.requests.connect(self._settings.requests)
        self.announcements = self._socket(zmq.SUB, self._settings, self._pair)
        for topic in self._topics:
            self.announcements.setsockopt(zmq.SUBSCRIBE, topic)
        self.announcements.connect(self._settings.announcements)

    def open_again(self, now: float) -> None:
        """Open new sockets when there is no link for long: libzmq gives up for good where it was refused."""
        wait_s = {"live": None, "refused": REFUSED_S}.get(self.state, UNLINKED_S)
        if wait_s is None or now < self._opened_at + wait_s:
            return
        self.requests.disable_monitor()
        self.requests.close()
        self.announcements.close()
        self._open()

    @property
    def sockets(self) -> "tuple[zmq.Socket[bytes], ...]":
        """What to wait on, until the next `open_again`."""
        return self.requests, self.announcements, self.monitor

    def _socket(self, kind: int, settings: LinkSettings, pair: KeyPair) -> "zmq.Socket[bytes]":
        socket = self._context.socket(kind)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.SNDHWM, 4 * WINDOW),
            (zmq.RCVHWM, 4 * WINDOW),
            (zmq.MAXMSGSIZE, MAX_ANSWER),
            (zmq.IMMEDIATE, 1),  # no queue for a server that is not there
            (zmq.RECONNECT_IVL, RECONNECT_MS),
            (zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS),
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, 2 * HEARTBEAT_MS),
            (zmq.HANDSHAKE_IVL, HEARTBEAT_MS),
        ):
            socket.setsockopt(option, value)
        socket.setsockopt(zmq.CURVE_SERVERKEY, settings.server_key.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public_key.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret_key.encode())
        return socket

    def subscribe(self, topic: bytes) -> None:
        """Hear of this, too, when it is announced."""
        self._topics.add(topic)
        self.announcements.setsockopt(zmq.SUBSCRIBE, topic)

    def ask(self, ask: ToServer) -> bool:
        """Send a question without waiting; False while there is no connection."""
        try:
            self.requests.send(self._asks.encode(ask), zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def answer(self) -> Answer | None:
        """The next answer that is there and can be understood."""
        while True:
            try:
                return self._answers.decode(self.requests.recv(zmq.DONTWAIT))
            except zmq.Again:
                return None
            except (msgspec.MsgspecError, RecursionError):
                continue

    def announced(self) -> set[bytes]:
        """Take all announcements that are there; what they were about."""
        topics: set[bytes] = set()
        while True:
            try:
                topics.add(self.announcements.recv_multipart(zmq.DONTWAIT)[0])
            except zmq.Again:
                return topics

    def watch(self) -> None:
        """Read libzmq's connection events: they say why there is no link, if anything does."""
        before = self.state
        while self.monitor.poll(0):
            event = recv_monitor_message(self.monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.state = "live"
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self.state = "refused"
            elif self.state != "refused":
                self.state = "no_link"
        if self.state == before:
            return
        if self.state == "live":
            _log.info("linked to the central server")
        elif self.state == "refused":
            _log.error(
                "the central server refuses this gate's key", fix="gate-central keys, then install the key"
            )
        else:
            _log.warning("no link to the central server", fix="check the cable, the server and server_key")

    def close(self) -> None:
        """Leave. Idempotent."""
        self._context.destroy(linger=0)


class Carrier:
    """Passes files from the central server to `gated`. One Fetch at a time: a newer one replaces an older."""

    def __init__(
        self,
        central: Central,
        peer: Peer[ToLink],
        timeout_s: float,
        neighbours: Sequence[Neighbour] = (),
        shelf: Shelf | None = None,
    ) -> None:
        self.tokens: TokenCarrier | None = None
        """Who carries tokens over the same line, where this lane has any."""
        self._central = central
        self._peer = peer
        self._timeout_s = timeout_s
        self._neighbours = neighbours
        self._shelf = shelf
        self._job: _Job | None = None
        self._number = 0
        self._announce_due: float | None = None
        self._announced_at = 0.0
        self._was_live = False  # what was announced while there was no line is made up for

    def due(self, now: float) -> float:
        """When `turn` wants to be called at the latest, though nothing came."""
        moments = [now + TURN_S]
        if self.tokens is not None:
            moments.append(self.tokens.due(now))
        if self._job:
            moments += [self._job.deadline, self._job.ask_again]
        if self._announce_due is not None:
            moments.append(self._announce_due)
        return min(moments)

    def turn(self, now: float) -> None:
        """Take what came from either side, and do what is due."""
        self._central.watch()
        self._central.open_again(now)
        while (message := self._peer.receive(0)) is not None:
            if isinstance(message, Ping):
                self._peer.send(Pong(number=message.number, camera=self._central.state))
            else:
                self._begin(message, now)
        while (answer := self._central.answer()) is not None:
            if isinstance(answer, Piece | Absent):
                self._take(answer, None, now)
            elif self.tokens is not None:
                self.tokens.take(answer, now)
        for neighbour in self._neighbours:
            for answer in neighbour.answers():
                self._take(answer, neighbour, now)
        announced = self._central.announced()
        if self.tokens is not None:
            if self.tokens.topic in announced:
                self.tokens.announced()
            self.tokens.turn(now)
        came_back = self._central.state == "live" and not self._was_live
        self._was_live = self._central.state == "live"
        if (TOPIC in announced or came_back) and self._announce_due is None:
            self._announce_due = max(now, self._announced_at + ANNOUNCE_S)
        if self._announce_due is not None and now >= self._announce_due:
            self._announce_due, self._announced_at = None, now
            self._peer.send(Announced())
        self._press_on(now)

    def _begin(self, fetch: Fetch, now: float) -> None:
        """Ask the centre, and neighbours after it; neighbours before it while there is no line to it."""
        order: list[Neighbour | None] = [None, *self._neighbours]
        if self._central.state == "no_link":
            order = [*self._neighbours, None]
        self._job = _Job(
            fetch=fetch,
            deadline=0.0,
            next_offset=fetch.offset,
            passed=fetch.offset,
            ask_again=0.0,
            further=order,
        )
        self._turn_to_next(self._job, now)

    def _turn_to_next(self, job: _Job, now: float) -> None:
        """Ask the next one for what did not come yet."""
        job.source = job.further.pop(0)
        wait_s = self._timeout_s if job.source is None else min(self._timeout_s, NEIGHBOUR_S)
        job.deadline, job.ask_again = now + wait_s, now + wait_s / ASK_AGAIN
        job.stamp, job.total, job.next_offset = None, None, job.passed
        job.asked.clear()
        job.came.clear()

    def number(self) -> int:
        """A number for a question, none of them twice."""
        self._number += 1
        return self._number

    def _take(self, answer: Piece | Absent, source: Neighbour | None, now: float) -> None:
        job = self._job
        ask = job.asked.pop(answer.number, None) if job and job.source is source else None
        if job is None or ask is None:
            return  # of an earlier fetch, or put twice and answered twice
        if isinstance(answer, Absent):
            job.is_absent = job.is_absent or answer.reason == "missing"
            self._fail(answer.reason, now)
            return
        if source is not None and self._shelf is not None and self._shelf.is_older(ask.path, answer):
            self._fail("no_link", now)
            return
        if job.stamp is None:
            job.stamp, job.total = answer.stamp, answer.total
        if answer.total > job.fetch.max_bytes:
            self._fail("too_long", now)
        elif answer.stamp != job.stamp or answer.total != job.total:
            self._fail("no_link", now)  # the file was replaced in between: gated asks anew
        elif len(answer.body) != min(ask.length, max(0, answer.total - ask.offset)):
            self._fail("no_link", now)  # a server that does not keep to the protocol
        else:
            if self._shelf is not None:
                self._shelf.put(ask.path, ask.offset, answer)
            job.came[ask.offset] = answer.body
            job.deadline = now + self._timeout_s
            job.ask_again = now + self._timeout_s / ASK_AGAIN
            self._pass_on(job)

    def _pass_on(self, job: _Job) -> None:
        while self._job is job and (body := job.came.pop(job.passed, None)) is not None:
            job.passed += len(body)
            job.sent += 1
            last = job.passed >= (job.total or 0)
            if not self._peer.send(Fetched(number=job.fetch.number, body=body, last=last)):
                _log.warning("gated takes no more", fix="see the log of gated")
                self._job = None
            elif last or job.sent == FETCH_PIECES:
                self._job = None

    def _press_on(self, now: float) -> None:
        """Put the questions that the window allows; repeat them, or give up, when time is over."""
        job = self._job
        if job is None:
            return
        if now >= job.deadline:
            self._fail("refused" if self._central.state == "refused" else "no_link", now)
            return
        if now >= job.ask_again:
            job.ask_again = now + self._timeout_s / ASK_AGAIN
            for ask in job.asked.values():
                self._ask(job, ask)
        first = job.total is None  # nothing is known of the file: one question finds out
        while len(job.asked) < (1 if first else WINDOW) and self._wanted(job):
            ask = Ask(number=self.number(), path=job.fetch.path, offset=job.next_offset, length=PIECE)
            if not self._ask(job, ask):
                if job.source is not None:
                    self._fail("no_link", now)
                else:
                    job.ask_again = min(job.ask_again, now + RECONNECT_MS / 1000)
                return
            job.asked[ask.number] = ask
            job.next_offset += PIECE

    def _wanted(self, job: _Job) -> bool:
        credit = job.fetch.offset + FETCH_PIECES * PIECE
        return job.next_offset < (credit if job.total is None else min(job.total, credit))

    def _ask(self, job: _Job, ask: Ask) -> bool:
        return self._central.ask(ask) if job.source is None else job.source.ask(ask)

    def _fail(self, reason: Reason, now: float) -> None:
        """Turn to whoever has not been asked; else say it. A neighbour's no is not final, the centre's is.

        A root that no neighbour has is missing: whoever looks for newer keys goes on with those there are.
        """
        job = self._job
        if job is None:
            return
        if job.further and (job.source is not None or reason == "no_link"):
            self._turn_to_next(job, now)
            return
        asked = len(self._neighbours) and (job.source is not None or reason == "no_link")
        if asked:
            reason = "missing" if job.fetch.path.endswith(".root.json") and job.is_absent else "no_link"
        self._peer.send(NotFetched(number=job.fetch.number, reason=reason))
        self._job = None


def run(config: Path) -> int:
    """Carry until SIGTERM. Returns the exit status."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    loaded = load(config).config
    address = f"ipc://{loaded.paths.run}/link"
    central = Central(loaded.link, read_key_file(Path(loaded.link.key_file)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    notifier = Notifier()
    try:
        with Peer[ToLink](address, ToLink, bind=False) as peer, ExitStack() as further:
            relay, neighbours, shelf = _neighbours(loaded.link, further)
            carrier = Carrier(central, peer, loaded.link.timeout_s, neighbours, shelf)
            pollable = [peer.pollable, *(neighbour.socket for neighbour in neighbours)]
            pollable += relay.sockets if relay is not None else ()
            if loaded.tokens is not None:
                tokens = Peer[TokensToLink](f"ipc://{loaded.paths.run}/tokens", TokensToLink, bind=False)
                further.enter_context(tokens)
                pollable.append(tokens.pollable)
                _carry_tokens(carrier, central, tokens, loaded)
            journal = _journal(loaded, further)
            pollable += [] if journal is None else [journal.letters]
            notifier.ready()
            _log.info("started", gate=loaded.gate)
            while not stopping:
                now = time.monotonic()
                answers = central.sockets if journal is None else (*central.sockets, journal.answers)
                waiting = [(socket, zmq.POLLIN) for socket in (*pollable, *answers)]
                zmq.zmq_poll(waiting, max(0, int((carrier.due(now) - now) * 1000) + 1))
                carrier.turn(time.monotonic())
                if relay is not None:
                    relay.turn()
                if journal is not None:
                    journal.turn(time.monotonic())
                notifier.watchdog()
            notifier.stopping()
    finally:
        central.close()
    return 0


def _neighbours(
    settings: LinkSettings, further: ExitStack
) -> tuple[Relay | None, list[Neighbour], Shelf | None]:
    """Listen for neighbours, and connect to them, where the configuration names any. Raises KeyFileError."""
    if not settings.neighbours:
        return None, [], None
    pair, shelf, relay = read_key_file(Path(settings.key_file)), Shelf(), None
    neighbours = []
    try:
        if settings.relay is not None:
            known = {each.public_key: each.name for each in settings.neighbours}
            relay = Relay(settings.relay, pair, known, shelf)
            further.callback(relay.close)
        for each in settings.neighbours:
            if each.address is not None:
                neighbour = Neighbour(each.name, each.address, each.public_key, pair)
                further.callback(neighbour.close)
                neighbours.append(neighbour)
    except zmq.ZMQError as error:
        raise KeyFileError(
            f"[link] relay or neighbours cannot be used ({error}): write tcp://HOST:PORT, and each gate's own"
            " public key as its key file has it"
        ) from error
    return relay, neighbours, shelf


def _journal(config: GateConfig, further: ExitStack) -> JournalCarrier | None:
    """Carry the journal, too, where it is delivered. Raises KeyFileError."""
    if config.journal is None:
        return None
    peer = Peer[JournalUp](f"ipc://{config.paths.run}/journal", JournalUp, bind=False)
    further.enter_context(peer)
    try:
        carrier = JournalCarrier(
            config.link, config.journal.collector, read_key_file(Path(config.link.key_file)), peer
        )
    except zmq.ZMQError as error:
        raise KeyFileError(
            f"[journal] collector cannot be used ({error}): write the tcp://HOST:PORT of gate-central collect"
        ) from error
    further.callback(carrier.close)
    return carrier


def _carry_tokens(carrier: Carrier, central: Central, peer: Peer[TokensToLink], config: GateConfig) -> None:
    """Let the carrier carry tokens, too: from a kiosk, or to a gate."""
    collects = config.policy.lane.topology is Topology.TOKEN_GATE
    carrier.tokens = TokenCarrier(central, peer, config.gate, carrier.number, collects=collects)
    if carrier.tokens.topic is not None:
        central.subscribe(carrier.tokens.topic)


def main(arguments: Sequence[str] | None = None) -> int:
    """The process. Exit status 78 (EX_CONFIG) for what only a person can mend."""
    parser = argparse.ArgumentParser(
        prog="gate-link", description="carries bytes between a gate and its centre"
    )
    parser.add_argument("--config", required=True, type=Path, metavar="FILE", help="gate.toml")
    options = parser.parse_args(arguments)
    logs.configure("gate-link")
    try:
        return run(options.config)
    except (ConfigError, KeyFileError) as error:
        sys.stderr.write(f"gate-link: {error}\n")
        return 78


if __name__ == "__main__":
    sys.exit(main())
