"""Sockets of the line between gates and the centre: CURVE, bounded queues, capped messages, heartbeats.

Nobody comes in whom the answer at `zap.ENDPOINT` does not admit: bind that first, for without it libzmq
lets nobody decide, and lets everybody in.
"""

from typing import Final

import zmq

from gated.central.wire import KeyPair

BEAT_MS: Final = 5_000  # of a server: a connection whose other end vanished is noticed within three of these
HANDSHAKE_MS: Final = 3_000  # a client that connects and says nothing is cut off
CLIENT_BEAT_MS: Final = 10_000
RECONNECT_MS, RECONNECT_MAX_MS = 200, 5_000


def server(
    context: "zmq.Context[zmq.Socket[bytes]]",
    kind: int,
    secret_key: str,
    *,
    longest: int,
    backlog: int,
    domain: bytes = b"gates",
) -> "zmq.Socket[bytes]":
    """A socket to bind: messages of `longest` bytes at most, and `backlog` of them for one client.

    Raises zmq.ZMQError for a key that is none.
    """
    socket = _socket(context, kind, longest, backlog)
    _set(
        socket,
        (zmq.HEARTBEAT_IVL, BEAT_MS),
        (zmq.HEARTBEAT_TIMEOUT, 3 * BEAT_MS),
        (zmq.HANDSHAKE_IVL, HANDSHAKE_MS),
        (zmq.CURVE_SERVER, 1),
    )
    if kind == zmq.ROUTER:
        socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, secret_key.encode())
    socket.setsockopt(zmq.ZAP_DOMAIN, domain)
    return socket


def client(
    context: "zmq.Context[zmq.Socket[bytes]]",
    kind: int,
    pair: KeyPair,
    server_key: str,
    *,
    longest: int,
    backlog: int,
) -> "zmq.Socket[bytes]":
    """A socket to connect; nothing is queued for a server that is not there. Raises zmq.ZMQError."""
    socket = _socket(context, kind, longest, backlog)
    _set(
        socket,
        (zmq.IMMEDIATE, 1),
        (zmq.RECONNECT_IVL, RECONNECT_MS),
        (zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS),
        (zmq.HEARTBEAT_IVL, CLIENT_BEAT_MS),
        (zmq.HEARTBEAT_TIMEOUT, 2 * CLIENT_BEAT_MS),
        (zmq.HANDSHAKE_IVL, CLIENT_BEAT_MS),
    )
    socket.setsockopt(zmq.CURVE_SERVERKEY, server_key.encode())
    socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public_key.encode())
    socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret_key.encode())
    return socket


def _socket(
    context: "zmq.Context[zmq.Socket[bytes]]", kind: int, longest: int, backlog: int
) -> "zmq.Socket[bytes]":
    socket = context.socket(kind)
    _set(
        socket,
        (zmq.LINGER, 0),
        (zmq.SNDHWM, backlog),
        (zmq.RCVHWM, backlog),
        (zmq.MAXMSGSIZE, longest),
    )
    return socket


def _set(socket: "zmq.Socket[bytes]", *options: tuple[int, int]) -> None:
    for option, value in options:
        socket.setsockopt(option, value)
