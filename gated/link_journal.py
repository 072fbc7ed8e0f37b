"""The journal on `gate-link`: what `gated` says to the centre's collector goes there, and its answers back.

The link carries sealed letters: it neither reads what is delivered nor believes a receipt, which is signed.
It holds nothing: what cannot go at once is dropped, and `gated` says it again. The collector has an address
of its own, so that a centre that writes journals down keeps nobody waiting for a list.
"""

import contextlib

import zmq

from gated import logs
from gated.central import curve
from gated.central.wire import KeyPair
from gated.core.settings.central import LinkSettings
from gated.runtime.bus import Peer
from gated.runtime.messages import JournalDown, JournalUp
from gated.store.delivery import MAX_ANSWER

QUEUE = 8  # deliveries that wait to be sent: twice what `gated` has under way
SILENT_S = 30.0  # said something, and heard nothing: libzmq gives up for good where it was refused

_log = logs.get("link.journal")


class JournalCarrier:
    """Carries between `gated` and the collector. Belongs to the link's thread."""

    def __init__(self, settings: LinkSettings, address: str, pair: KeyPair, peer: Peer[JournalUp]) -> None:
        """To the collector at `address`. Raises ZMQError where that is none."""
        self._settings = settings
        self._address = address
        self._pair = pair
        self._peer = peer
        self._context = zmq.Context()
        self._unheard_since: float | None = None
        self._told_silent = False
        try:
            self._socket = self._open()
        except zmq.ZMQError:
            self.close()
            raise

    @property
    def letters(self) -> "zmq.Socket[bytes]":
        """What to wait on for `gated`."""
        return self._peer.pollable

    @property
    def answers(self) -> "zmq.Socket[bytes]":
        """What to wait on for the collector, until the next `turn`."""
        return self._socket

    def turn(self, now: float) -> None:
        """Pass on what came from either side."""
        while (message := self._peer.receive(0)) is not None:
            if self._unheard_since is None:
                self._unheard_since = now
            with contextlib.suppress(zmq.Again):  # no connection, or one that takes no more
                self._socket.send(message.body, zmq.DONTWAIT)
        while (body := self._answer()) is not None:
            self._unheard_since = None
            if self._told_silent:
                self._told_silent = False
                _log.info("the collector answers")
            if 0 < len(body) <= MAX_ANSWER:
                self._peer.send(JournalDown(body=body))
        if self._unheard_since is not None and now >= self._unheard_since + SILENT_S:
            self._unheard_since = None
            self._open_again()

    def close(self) -> None:
        """Leave. Idempotent."""
        self._context.destroy(linger=0)

    def _answer(self) -> bytes | None:
        try:
            return self._socket.recv(zmq.DONTWAIT)
        except zmq.Again:
            return None

    def _open_again(self) -> None:
        if not self._told_silent:
            self._told_silent = True
            _log.warning(
                "the collector does not answer", fix="see gate-central collect, and its address here"
            )
        self._socket.close()
        self._socket = self._open()

    def _open(self) -> "zmq.Socket[bytes]":
        key = self._settings.server_key
        socket = curve.client(self._context, zmq.DEALER, self._pair, key, longest=MAX_ANSWER, backlog=QUEUE)
        socket.connect(self._address)
        return socket
