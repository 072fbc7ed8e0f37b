"""The simulated bus across two processes: a server with the simulator, a client in the daemon's process.

A call is one frame each way: four bytes of length, then msgpack. A program holds one *lifeline*, a connection
on which nothing more is said: when it ends, by SIGKILL too, the server closes the program's handles as the
kernel would. Several threads of a program may call at once; each call under way has its own connection.
"""

import errno
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Final, Literal

import msgspec

from gated.core.values import Value
from hw_sim.reader.usb_bus import Listed, UsbBus, UsbDevice, failure

MAX_FRAME: Final = 128 * 1024
PATIENCE_S: Final = 5.0  # beyond a transfer's own time-out: then the server is taken for dead

Verb = Literal[
    "lifeline",
    "enumerate",
    "open",
    "close",
    "claim",
    "release",
    "kernel_driver",
    "detach_kernel_driver",
    "control",
    "write",
    "read",
]


class Call(Value):
    """What a program asks of the bus."""

    verb: Verb
    client: str = ""
    numbers: tuple[int, ...] = ()
    timeout_s: float = 0.0
    data: bytes = b""


class Result(Value):
    """What the bus answers; `error` is an errno, or 0."""

    error: int = 0
    number: int = 0
    data: bytes = b""
    devices: dict[int, Listed] = msgspec.field(default_factory=dict)


_calls = msgspec.msgpack.Decoder(Call)
_results = msgspec.msgpack.Decoder(Result)


def _send(peer: socket.socket, value: Value) -> None:
    body = msgspec.msgpack.encode(value)
    peer.sendall(len(body).to_bytes(4, "big") + body)


def _receive(peer: socket.socket) -> bytes:
    """Receive one frame. Raises OSError when the peer is gone or talks nonsense."""
    length = int.from_bytes(_exactly(peer, 4), "big")
    if length > MAX_FRAME:
        raise failure(errno.EMSGSIZE)
    return _exactly(peer, length)


def _exactly(peer: socket.socket, size: int) -> bytes:
    gathered = bytearray()
    while len(gathered) < size:
        chunk = peer.recv(size - len(gathered))
        if not chunk:
            raise failure(errno.ECONNRESET)
        gathered += chunk
    return bytes(gathered)


class UsbServer:
    """Serves a bus with one device, or any bus, on a Unix socket, from its construction until `close`."""

    def __init__(self, path: Path | str, device: UsbDevice | UsbBus) -> None:
        self.bus = device if isinstance(device, UsbBus) else UsbBus(device)
        self.path = Path(path)
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._peers: set[socket.socket] = set()
        self._lock = Lock()
        self._accepting = Thread(target=self._accept, name="usb-server", daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop serving: every program sees its devices gone. Idempotent."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)
        with self._lock:
            peers = set(self._peers)
        for peer in peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self._accepting.join(PATIENCE_S)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._peers.add(peer)
            Thread(target=self._converse, args=(peer,), name="usb-client", daemon=True).start()

    def _converse(self, peer: socket.socket) -> None:
        """Answer calls until the program hangs up; when its lifeline ends, its handles close."""
        client = ""
        try:
            while True:
                call = _calls.decode(_receive(peer))
                if call.verb == "lifeline":
                    client = call.client
                _send(peer, self._answer(call))
        except (OSError, msgspec.DecodeError):
            pass
        finally:
            peer.close()
            with self._lock:
                self._peers.discard(peer)
            if client:
                self.bus.drop_client(client)

    def _answer(self, call: Call) -> Result:
        try:
            return self._perform(call)
        except OSError as error:
            return Result(error=error.errno or errno.EIO)
        except (TypeError, ValueError):
            return Result(error=errno.EINVAL)

    def _perform(self, call: Call) -> Result:
        first, *others = call.numbers or (0,)
        match call.verb:
            case "lifeline":
                return Result()
            case "enumerate":
                return Result(devices=self.bus.enumerate())
            case "open":
                return Result(number=self.bus.open(first, call.client))
            case "kernel_driver":
                return Result(number=int(self.bus.kernel_driver(first)))
            case "control":
                return Result(data=self.bus.control(first, *others))
            case "write":
                return Result(number=self.bus.write(first, call.data))
            case "read":
                return Result(data=self.bus.read(first, *_two(others), call.timeout_s))
            case "close" | "claim" | "release" | "detach_kernel_driver" as verb:
                getattr(self.bus, verb)(*call.numbers)
                return Result()


def _two(numbers: list[int]) -> tuple[int, int]:
    """Endpoint and size of a read. Raises ValueError."""
    endpoint, size = numbers
    return endpoint, size


class RemoteBus:
    """The verbs of `UsbBus` in another process. ENODEV for everything while no server is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._client = ""
        self._lifeline: socket.socket | None = None
        self._idle: list[socket.socket] = []

    def enumerate(self) -> dict[int, Listed]:
        """Every device, by address."""
        return self._call(Call(verb="enumerate")).devices

    def open(self, address: int, client: str) -> int:  # noqa: ARG002 - the lifeline names the program
        """Open a device; returns the handle."""
        self._hold_lifeline()
        return self._call(Call(verb="open", client=self._client, numbers=(address,))).number

    def close(self, handle: int) -> None:
        """Close a handle."""
        self._call(Call(verb="close", numbers=(handle,)))

    def claim(self, handle: int, interface: int) -> None:
        """Claim an interface."""
        self._call(Call(verb="claim", numbers=(handle, interface)))

    def release(self, handle: int, interface: int) -> None:
        """Give an interface up."""
        self._call(Call(verb="release", numbers=(handle, interface)))

    def kernel_driver(self, handle: int) -> bool:
        """Whether a kernel driver holds the device."""
        return bool(self._call(Call(verb="kernel_driver", numbers=(handle,))).number)

    def detach_kernel_driver(self, handle: int) -> None:
        """Take the device from the kernel driver."""
        self._call(Call(verb="detach_kernel_driver", numbers=(handle,)))

    def control(self, handle: int, request_type: int, request: int, value: int, length: int) -> bytes:
        """Do a control request."""
        return self._call(Call(verb="control", numbers=(handle, request_type, request, value, length))).data

    def write(self, handle: int, data: bytes) -> int:
        """Do an outward bulk transfer."""
        return self._call(Call(verb="write", numbers=(handle,), data=data)).number

    def read(self, handle: int, endpoint: int, size: int, timeout_s: float) -> bytes:
        """Do an inward transfer."""
        return self._call(Call(verb="read", numbers=(handle, endpoint, size), timeout_s=timeout_s)).data

    def _call(self, call: Call) -> Result:
        peer = self._connection()
        peer.settimeout(call.timeout_s + PATIENCE_S)
        try:
            _send(peer, call)
            result = _results.decode(_receive(peer))
        except (OSError, msgspec.DecodeError) as error:
            peer.close()
            self.hang_up()
            raise failure(errno.ENODEV) from error
        with self._lock:
            self._idle.append(peer)
        if result.error:
            raise failure(result.error)
        return result

    def _connection(self) -> socket.socket:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _connect(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(PATIENCE_S)
        try:
            peer.connect(os.fspath(self._path))
        except OSError as error:
            peer.close()
            raise failure(errno.ENODEV) from error
        return peer

    def _hold_lifeline(self) -> None:
        """Tell the server who we are, once for each server."""
        with self._lock:
            if self._lifeline is not None:
                return
            lifeline, client = self._connect(), secrets.token_hex(8)
            try:
                _send(lifeline, Call(verb="lifeline", client=client))
                _receive(lifeline)
            except OSError as error:
                lifeline.close()
                raise failure(errno.ENODEV) from error
            self._lifeline, self._client = lifeline, client

    def hang_up(self) -> None:
        """Close every connection; the next call makes new ones. Idempotent."""
        with self._lock:
            gone = [*self._idle, *([self._lifeline] if self._lifeline else [])]
            self._idle, self._lifeline = [], None
        for peer in gone:
            peer.close()
