"""Journals through a proxy: letters of many gates go up over one connection, and each answer finds its gate.

Nothing of it is believed for having come this way: a letter is signed by its gate, a receipt by the centre.
Before each letter stand the bytes that find the way back, and the name of the gate, by its transport key; the
centre looks for that gate's signature. Nothing is kept: what cannot go at once is dropped, and its gate says
it again.
"""

import contextlib
from collections.abc import Callable

import zmq

from gated import logs
from gated.central import curve
from gated.central.wire import KeyPair
from gated.store.delivery import MAX_ANSWER, MAX_DELIVERY

OF_A_GATE = 16  # letters that wait for their turn here: it has four deliveries under way
UPWARDS = 256  # letters of all gates that wait for the line to the centre
TOGETHER = 100  # letters passed on between two looks around
SILENT_S = 30.0  # said something, and heard nothing: libzmq gives up for good where it was refused

_log = logs.get("proxy.journals")


class JournalProxy:
    """Passes journals on within a running proxy. Belongs to its thread."""

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        pair: KeyPair,
        addresses: tuple[str, str],
        server_key: str,
    ) -> None:
        """Listen at the first address, connect to the collector at the other. Raises ZMQError."""
        self._context, self._pair, self._server_key = context, pair, server_key
        here, self._collector = addresses
        self._gates = curve.server(
            context, zmq.ROUTER, pair.secret_key, longest=MAX_DELIVERY, backlog=OF_A_GATE
        )
        self._gates.bind(here)
        self._upwards = self._open()
        self._unheard_since: float | None = None

    @property
    def sockets(self) -> "tuple[zmq.Socket[bytes], zmq.Socket[bytes]]":
        """What to wait on, until the next `turn`."""
        return self._gates, self._upwards

    def turn(self, name_of: Callable[[str], str | None], now: float) -> None:
        """Pass on what came from either side; `name_of` is a gate's name by its public key (Z85)."""
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                self._pass_up(self._gates.recv_multipart(zmq.DONTWAIT, copy=False), name_of, now)
        with contextlib.suppress(zmq.Again):
            for _ in range(TOGETHER):
                self._pass_down(self._upwards.recv_multipart(zmq.DONTWAIT))
        if self._unheard_since is not None and now >= self._unheard_since + SILENT_S:
            self._unheard_since = None
            _log.warning(
                "the collector does not answer", fix="see gate-central collect, and its address here"
            )
            self._upwards.close()
            self._upwards = self._open()

    def _pass_up(self, frames: "list[zmq.Frame]", name_of: Callable[[str], str | None], now: float) -> None:
        if len(frames) != 2:
            return
        try:
            gate = name_of(str(frames[1].get("User-Id")))
        except zmq.ZMQError:
            return
        if gate is None:  # its key was taken away meanwhile
            return
        if self._unheard_since is None:
            self._unheard_since = now
        with contextlib.suppress(zmq.Again):  # no connection, or one that takes no more
            self._upwards.send_multipart([frames[0].bytes, gate.encode(), frames[1].bytes], zmq.DONTWAIT)

    def _pass_down(self, frames: list[bytes]) -> None:
        self._unheard_since = None
        if len(frames) == 2 and 0 < len(frames[1]) <= MAX_ANSWER:
            with contextlib.suppress(zmq.ZMQError):  # the gate went away meanwhile, or takes no more
                self._gates.send_multipart(frames, zmq.DONTWAIT)

    def _open(self) -> "zmq.Socket[bytes]":
        socket = curve.client(
            self._context, zmq.DEALER, self._pair, self._server_key, longest=MAX_ANSWER, backlog=UPWARDS
        )
        socket.connect(self._collector)
        return socket
