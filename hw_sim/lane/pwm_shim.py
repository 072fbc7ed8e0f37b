"""Serves simulated PWM chips as /sys/class/pwm/pwmchipN to unmodified programs.

The preloaded library of `hw_sim.lane.gpio_shim` turns what a program opens, writes and looks for below that
folder into packets to the `PwmServer` here (`gpiochip.c` states the wire format). What the kernel would
refuse (its Documentation/driver-api/pwm.rst) is refused with its error number. As with the kernel, a channel
goes on as it was told when its program dies.
"""

import contextlib
import errno
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

OPEN, WRITE, IS_FOLDER = 1, 2, 3  # what the library asks
FOLDER, ATTRIBUTE = 1, 0
FOR_WRITING: Final = 1  # O_WRONLY
MAX_PACKET: Final = 128
MAX_NS: Final = 2**32 - 1
POLL_S: Final = 0.05


class _Refused(Exception):
    """The system call ends with this errno."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode[number])
        self.number = number


@dataclass
class _Channel:
    """One exported output, as sysfs shows it."""

    period: int = 0
    duty_cycle: int = 0
    enable: int = 0


class SimulatedPwm:
    """A PWM chip with so many channels; `broken` makes every write fail, as a chip on a lost bus does."""

    def __init__(self, channels: int = 4) -> None:
        self.count = channels
        self.broken = False
        self.lock = threading.RLock()
        self.history: list[tuple[int, float]] = []
        self._exported: dict[int, _Channel] = {}

    @property
    def exported(self) -> frozenset[int]:
        """The channels that a program has asked for and not given back."""
        with self.lock:
            return frozenset(self._exported)

    def duty(self, channel: int) -> float:
        """How much of the time an output is high: 0 to 1."""
        with self.lock:
            state = self._exported.get(channel)
            return state.duty_cycle / state.period if state and state.enable and state.period else 0.0

    def period_ns(self, channel: int) -> int:
        """The period of an exported channel."""
        with self.lock:
            return self._exported[channel].period

    # --- what sysfs does ---------------------------------------------------------------------------

    def is_folder(self, path: str) -> bool:
        """Whether a path below the chip is a folder. Raises _Refused where nothing is there."""
        if not path:
            return True
        self._attribute(path)
        return "/" not in path and path.startswith("pwm")

    def read(self, path: str) -> str:
        """The text of an attribute. Raises _Refused."""
        state, name = self._attribute(path)
        if name == "npwm":
            return f"{self.count}\n"
        if state is None or not name:
            raise _Refused(errno.EACCES if not state else errno.EISDIR)
        return "normal\n" if name == "polarity" else f"{getattr(state, name)}\n"

    def write(self, path: str, text: str) -> None:
        """Write an attribute. Raises _Refused."""
        state, name = self._attribute(path)
        try:
            value = int(text)
        except ValueError:
            raise _Refused(errno.EINVAL) from None
        if self.broken:
            raise _Refused(errno.EIO)
        if state is None:
            self._export(name, value)
            return
        with self.lock:
            channel = int(path.partition("/")[0].removeprefix("pwm"))
            wanted = _Channel(**(vars(state) | {name: value}))
            if not 0 <= value <= MAX_NS or not wanted.period or wanted.duty_cycle > wanted.period:
                raise _Refused(errno.EINVAL)  # pwm_apply_state()
            self._exported[channel] = wanted
            self.history.append((channel, self.duty(channel)))

    def _export(self, name: str, channel: int) -> None:
        with self.lock:
            if not 0 <= channel < self.count or (name == "unexport" and channel not in self._exported):
                raise _Refused(errno.ENODEV)
            if name == "unexport":
                del self._exported[channel]
            elif channel in self._exported:
                raise _Refused(errno.EBUSY)
            else:
                self._exported[channel] = _Channel()

    def _attribute(self, path: str) -> tuple[_Channel | None, str]:
        """Find (channel, attribute) of a path, without channel for those of the chip. Raises _Refused."""
        first, _, rest = path.partition("/")
        if first in {"export", "unexport", "npwm"} and not rest:
            return None, first
        number = first.removeprefix("pwm")
        with self.lock:
            state = self._exported.get(int(number)) if number.isdecimal() else None
        if state is None or rest not in {"", "period", "duty_cycle", "enable", "polarity"}:
            raise _Refused(errno.ENOENT)
        return state, rest


class _Server(socketserver.ThreadingUnixStreamServer):
    socket_type = socket.SOCK_SEQPACKET
    daemon_threads = True
    block_on_close = False
    chip: SimulatedPwm


class _Connection(socketserver.BaseRequestHandler):
    """One open attribute, or one question."""

    server: _Server

    def handle(self) -> None:
        path = ""
        with contextlib.suppress(OSError):
            while len(packet := self.request.recv(MAX_PACKET)) >= struct.calcsize("<I"):
                (asked,) = struct.unpack_from("<I", packet)
                if asked != WRITE:
                    path = packet[8:].partition(b"\0")[0].decode(errors="replace")
                (flags,) = struct.unpack_from("<I", packet.ljust(8, b"\0"), 4)
                try:
                    result, content = self._answer(asked, path, flags, packet)
                except _Refused as refused:
                    result, content = -refused.number, None
                self.request.send(struct.pack("<i", result))
                if content is not None:
                    self.request.send(content)
                    self.request.shutdown(socket.SHUT_WR)  # the end of the file

    def _answer(self, asked: int, path: str, flags: int, packet: bytes) -> tuple[int, bytes | None]:
        chip = self.server.chip
        if asked == IS_FOLDER:
            return (FOLDER if chip.is_folder(path) else ATTRIBUTE), None
        if asked == WRITE:
            chip.write(path, packet[4:].decode(errors="replace"))
            return 0, None
        if chip.is_folder(path):
            raise _Refused(errno.EISDIR)
        return 0, None if flags & FOR_WRITING else chip.read(path).encode()


class PwmServer:
    """One chip, served in `folder` as `pwmchip<number>.sock` from `with` to its end, which unplugs it."""

    def __init__(self, folder: Path, chip: SimulatedPwm, number: int = 0) -> None:
        self._path = folder.resolve() / f"pwmchip{number}.sock"
        self._server = _Server(str(self._path), _Connection)
        self._server.chip = chip
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), name=f"sim-pwmchip{number}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
