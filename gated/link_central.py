"""The connection to the central server, as `gate-link` holds it.

ZeroMQ reconnects by itself, for ever, and is silent when a key is wrong; so libzmq's connection events are
read for the reason, and new sockets are opened where it has given up for good.
"""

import time

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from gated import logs
from gated.central import curve
from gated.central.wire import MAX_ANSWER, TOPIC, Answer, KeyFileError, KeyPair, ToServer
from gated.core.settings.central import LinkSettings

WINDOW = 4  # questions open towards the server: 1 MiB in flight fills 80 Mbit/s at 100 ms
REFUSED_S, UNLINKED_S = 5.0, 30.0  # until new sockets are tried

_log = logs.get("link")


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
        self.requests = self._socket(zmq.DEALER)
        self.monitor = self.requests.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED
        )
        self.requests.connect(self._settings.requests)
        self.announcements = self._socket(zmq.SUB)
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

    def _socket(self, kind: int) -> "zmq.Socket[bytes]":
        key = self._settings.server_key
        return curve.client(self._context, kind, self._pair, key, longest=MAX_ANSWER, backlog=4 * WINDOW)

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
