"""Serves the simulated board as /dev/gpiochipN to unmodified programs: GPIO uAPI v2 (<linux/gpio.h>).

The program under test runs with `environment(...)`: a preloaded library (`gpiochip.c`, which states the
wire format) turns open, ioctl, poll and read on the device into packets to the `GpioServer` here. What
the kernel would refuse is refused with the kernel's error number. When the program closes a line or
dies, its lines are let go at once and the board's outputs fall back to inactive.
"""

import contextlib
import errno
import hashlib
import itertools
import os
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hw_sim.lane.board import SimulatedBoard

SOURCE: Final = Path(__file__).with_name("gpiochip.c")
BUILD_S: Final = 180.0  # the bundled compiler builds its own C library headers the first time

# <linux/gpio.h>: requests, flags, and the members of the structures that are used here
GET_CHIP_INFO: Final = 0x8044B401
GET_LINE_INFO: Final = 0xC100B405
GET_LINE: Final = 0xC250B407
SET_CONFIG: Final = 0xC110B40D
GET_VALUES: Final = 0xC010B40E
SET_VALUES: Final = 0xC010B40F
RELEASE: Final = 0  # ours: the program closes the line
USED, ACTIVE_LOW, INPUT, OUTPUT, RISING, FALLING = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
REALTIME: Final = 0x800
OUTPUT_VALUES: Final = 2  # id of an attribute
EVENT: Final = struct.Struct("<QIIII24x")  # timestamp, edge (1 rising, 2 falling), offset, seqno, line_seqno
REQUEST_CONFIG, REQUEST_LINES, REQUEST_FD = 288, 560, 588  # offsets in struct gpio_v2_line_request
EVENT_BUFFER: Final = 6144  # bytes as the socket counts: some sixteen events, which is what the kernel keeps
MAX_LINES: Final = 64
MAX_ATTRIBUTES: Final = 10
MAX_PACKET: Final = 1024
MAX_SOCKET_PATH: Final = 107  # unix(7), without the final zero


class ShimError(Exception):
    """The chip cannot be served here; the text says what to install or to change."""


def build(folder: Path, source: Path = SOURCE) -> Path:
    """Build a preloaded library into `folder`, or find it there; returns its path.

    Uses `cc`, else the compiler of the ziglang package. Raises ShimError when neither works.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    library = folder.resolve() / f"{source.stem}-{digest}.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder.resolve() / "zig-cache")}
    said = []
    compilers = ([path] if (path := shutil.which("cc")) else [], [sys.executable, "-m", "ziglang", "cc"])
    for compiler in filter(None, compilers):
        partial = library.with_suffix(f".{os.getpid()}.part")
        command = [*compiler, "-O1", "-shared", "-fPIC", "-o", str(partial), str(source), "-ldl", "-lpthread"]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=BUILD_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said.append(f"{compiler[-1]}: {error}")
            continue
        if done.returncode == 0:
            partial.replace(library)  # another process may have been faster: the same bytes in effect
            return library
        said.append(done.stderr.strip()[-300:])
    raise ShimError(
        f"no C compiler built {source.name}: install gcc, or `pip install ziglang` ({'; '.join(said)})"
    )


def environment(library: Path, folder: Path) -> dict[str, str]:
    """What a program's environment needs so that it sees the chips that are served in `folder`."""
    preload = " ".join(filter(None, [str(library), os.environ.get("LD_PRELOAD")]))
    return {"LD_PRELOAD": preload, "EGATE_GPIO_DIR": str(folder.resolve())}


class _Refused(Exception):
    """The request ends with this errno."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode[number])
        self.number = number


class _Request:
    """Lines that a program holds: what the kernel keeps for one line descriptor."""

    def __init__(self, offsets: tuple[int, ...], consumer: bytes, flags: int, events: socket.socket) -> None:
        self.offsets = offsets
        self.consumer = consumer
        self.flags = flags
        self.events = events
        self.sent = itertools.count(1)

    @property
    def active_low(self) -> bool:
        return bool(self.flags & ACTIVE_LOW)


class GpioServer:
    """One chip, served in `folder` as `<chip>.sock` by a thread of its own from `with` to its end.

    Leaving is unplugging: every program that holds the chip gets ENODEV.
    """

    def __init__(self, folder: Path, board: SimulatedBoard, chip: str = "gpiochip0") -> None:
        self._board = board
        self._chip = chip
        self._path = folder.resolve() / f"{chip}.sock"
        self._held: dict[socket.socket, _Request] = {}  # by the socket that brings its ioctls
        self._selector = selectors.DefaultSelector()
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name=f"sim-{chip}", daemon=True)
        board.on_edge(self._send_edge)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def holders(self) -> dict[str, str]:
        """Who holds which wire: name of the wire to the consumer's label."""
        with self._board.lock:
            return {
                wire.name: request.consumer.decode(errors="replace")
                for request in self._held.values()
                for offset in request.offsets
                if (wire := self._board.by_offset.get(offset)) is not None
            }

    def start(self) -> None:
        """Plug the chip in. Raises ShimError where the folder's path is too long for a socket."""
        if len(os.fsencode(self._path)) > MAX_SOCKET_PATH:
            raise ShimError(f"{self._path} is too long for a Unix socket: serve the chip in a shorter folder")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._path.unlink(missing_ok=True)
        listener.bind(str(self._path))
        listener.listen(64)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._stop_reader, selectors.EVENT_READ, None)
        self._thread.start()

    def close(self) -> None:
        """Unplug the chip. Idempotent."""
        with contextlib.suppress(OSError):
            self._stop_writer.send(b"x")
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        for end in (self._stop_reader, self._stop_writer):
            end.close()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._unplug()
                    return
                if isinstance(key.fileobj, socket.socket) and key.fileobj.fileno() >= 0:
                    key.data(key.fileobj)

    def _unplug(self) -> None:
        self._path.unlink(missing_ok=True)
        for control in tuple(self._held):
            self._release(control)
        for key in tuple(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    # --- connections -----------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        program, _ = listener.accept()
        self._selector.register(program, selectors.EVENT_READ, self._answer_chip)

    def _drop(self, program: socket.socket) -> None:
        self._selector.unregister(program)
        program.close()

    def _receive(self, program: socket.socket) -> tuple[int, bytearray] | None:
        """The next question, or None when the program is gone or talks nonsense."""
        try:
            packet = program.recv(MAX_PACKET)
        except OSError:
            return None
        request, argument = int.from_bytes(packet[:4], "little"), bytearray(packet[4:])
        sound = len(packet) >= 4 and len(argument) == request >> 16 & 0x3FFF  # _IOC_SIZE
        return (request, argument) if sound else None

    def _answer_chip(self, program: socket.socket) -> None:
        question = self._receive(program)
        if question is None:
            self._drop(program)
            return
        request, argument = question
        result, ends = 0, []
        try:
            with self._board.lock:
                ends = self._chip_ioctl(request, argument)
        except _Refused as refused:
            result = -refused.number
        reply = struct.pack("<i", result) + argument
        with contextlib.suppress(OSError):  # the program died meanwhile: its end of file comes next
            socket.send_fds(program, [reply], [end.fileno() for end in ends])
        for end in ends:
            end.close()

    def _answer_line(self, control: socket.socket) -> None:
        question = self._receive(control)
        if question is None:
            self._release(control)
            return
        request, argument = question
        if request == RELEASE:
            self._release(control, reply=True)
            return
        result = 0
        try:
            with self._board.lock:
                self._line_ioctl(self._held[control], request, argument)
        except _Refused as refused:
            result = -refused.number
        with contextlib.suppress(OSError):
            control.send(struct.pack("<i", result) + argument)

    def _release(self, control: socket.socket, *, reply: bool = False) -> None:
        """Let go of the lines of a request, and tell the program that waits for it."""
        with self._board.lock:
            held = self._held.pop(control)
            held.events.close()
            for offset in held.offsets:
                self._board.let_go(offset)
        if reply:
            with contextlib.suppress(OSError):
                control.send(struct.pack("<i", 0))
        self._drop(control)

    # --- the chip --------------------------------------------------------------------------------

    def _chip_ioctl(self, request: int, argument: bytearray) -> list[socket.socket]:
        """Answer in place; returns the descriptors that travel with the answer."""
        if request == GET_LINE:
            return self._grant(argument)
        if request == GET_CHIP_INFO:
            self._chip_info(argument)
        elif request == GET_LINE_INFO:
            self._line_info(argument)
        else:
            raise _Refused(errno.ENOTTY)
        return []

    def _chip_info(self, argument: bytearray) -> None:
        struct.pack_into("<32s32sI", argument, 0, self._chip.encode(), b"egate-io", self._board.line_count)

    def _line_info(self, argument: bytearray) -> None:
        (offset,) = struct.unpack_from("<I", argument, 64)
        if offset >= self._board.line_count:
            raise _Refused(errno.EINVAL)
        holder = next((held for held in self._held.values() if offset in held.offsets), None)
        name = self._board.line_names.get(offset, "").encode()
        struct.pack_into("<32s32sII", argument, 0, name, holder.consumer if holder else b"", offset, 0)
        struct.pack_into("<Q", argument, 72, holder.flags | USED if holder else INPUT)

    def _grant(self, argument: bytearray) -> list[socket.socket]:
        """Enter a line request; returns the program's ends of its events and its control socket."""
        (count,) = struct.unpack_from("<I", argument, REQUEST_LINES)
        if not 1 <= count <= MAX_LINES:
            raise _Refused(errno.EINVAL)
        offsets = struct.unpack_from(f"<{count}I", argument)
        flags, values, mask = _config(argument, REQUEST_CONFIG)
        if any(offset >= self._board.line_count for offset in offsets):
            raise _Refused(errno.EINVAL)
        taken = {offset for held in self._held.values() for offset in held.offsets}
        if taken.intersection(offsets) or len(set(offsets)) < count:
            raise _Refused(errno.EBUSY)
        events, program_events = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control, program_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        events.settimeout(0)
        events.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, EVENT_BUFFER)
        held = _Request(offsets, bytes(argument[256:288]).rstrip(b"\0"), flags, events)
        self._held[control] = held
        self._selector.register(control, selectors.EVENT_READ, self._answer_line)
        if flags & OUTPUT:
            self._put(held, values & mask, (1 << count) - 1)
        return [program_events, program_control]

    # --- a line ----------------------------------------------------------------------------------

    def _line_ioctl(self, held: _Request, request: int, argument: bytearray) -> None:
        if request == GET_VALUES:
            self._get_values(held, argument)
        elif request == SET_VALUES:
            self._set_values(held, *struct.unpack_from("<QQ", argument))
        elif request == SET_CONFIG:
            self._configure(held, argument)
        else:
            raise _Refused(errno.ENOTTY)

    def _get_values(self, held: _Request, argument: bytearray) -> None:
        (mask,) = struct.unpack_from("<Q", argument, 8)
        bits = sum(
            (self._board.level(offset) != held.active_low) << index
            for index, offset in enumerate(held.offsets)
            if mask >> index & 1
        )
        struct.pack_into("<Q", argument, 0, bits)

    def _set_values(self, held: _Request, bits: int, mask: int) -> None:
        if not held.flags & OUTPUT:
            raise _Refused(errno.EPERM)
        self._put(held, bits, mask)

    def _configure(self, held: _Request, argument: bytearray) -> None:
        held.flags, values, mask = _config(argument, 0)
        if held.flags & OUTPUT:
            self._put(held, values, mask)

    def _put(self, held: _Request, bits: int, mask: int) -> None:
        for index, offset in enumerate(held.offsets):
            if mask >> index & 1:
                self._board.put(offset, bool(bits >> index & 1) != held.active_low)

    def _age_ns(self) -> int:
        """How long ago the edge came: the world may be late to drive it."""
        at = self._board.edge_at
        return 0 if at is None else max(0, time.monotonic_ns() - int(at * 1e9))

    def _send_edge(self, offset: int, level: bool) -> None:  # noqa: FBT001 - the board's hook
        """Tell every holder that asked for this edge (active-low lines count logical edges)."""
        for held in self._held.values():
            rising = level != held.active_low
            if offset not in held.offsets or not held.flags & (RISING if rising else FALLING):
                continue
            stamp = (time.time_ns() if held.flags & REALTIME else time.monotonic_ns()) - self._age_ns()
            number = next(held.sent)
            with contextlib.suppress(OSError):  # full: the edge is lost, as in the kernel's buffer
                held.events.send(EVENT.pack(stamp, 1 if rising else 2, offset, number, number))


def _config(argument: bytearray, at: int) -> tuple[int, int, int]:
    """Read struct gpio_v2_line_config: flags, values of outputs, and the mask that those are for.

    Refuses what the kernel refuses, and attributes other than output values, which are not served.
    """
    flags, count = struct.unpack_from("<QI", argument, at)
    values = mask = 0
    both = flags & INPUT and flags & OUTPUT
    edges_of_output = flags & (RISING | FALLING) and not flags & INPUT
    if count > MAX_ATTRIBUTES or both or edges_of_output:
        raise _Refused(errno.EINVAL)
    for index in range(count):
        kind, _, value, lines = struct.unpack_from("<IIQQ", argument, at + 32 + 24 * index)
        if kind != OUTPUT_VALUES or not flags & OUTPUT:
            raise _Refused(errno.EINVAL)
        values, mask = value, lines
    return flags, values, mask
