"""The I/O board: named lines of a GPIO character device (uAPI v2), by python-periphery.

Outputs are requested inactive (locked, dark), locks first, so that a program which starts or restarts
begins from the safe side. What the kernel does to a line when the program dies is not relied upon: the
relays are monostable.

Inputs are watched by one thread. An edge starts the line's debounce time and the level counts once it
has held that long. Edges are hints, levels are the truth: every second all levels are read again, so an
edge that the kernel's buffer lost is made good within that second, and a board that went away is noticed
also when nothing moves. The thread only ever calls `watch` and `on_fault`; both must return at once.
"""

import contextlib
import errno
import os
import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

# Named outright: periphery's own choice falls back to the retired uAPI v1 on what it takes for old kernels.
from periphery.gpio_cdev2 import Cdev2GPIO

from gated.core.ports import DeviceError, DeviceGone, Watch
from gated.core.settings import InputLine, IoBoardSettings, OutputLine

OnFault = Callable[[DeviceError], None]

DEVICE: Final = "io_board"
CONSUMER: Final = "egate"
SWEEP_S: Final = 1.0  # all levels are read again this often
JOIN_S: Final = 2.0  # the thread is woken to stop; it never waits for anything else

GONE: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.EBADF, errno.ESHUTDOWN})


class Lines(Protocol):
    """Named lines: what doors and lamps need of a board."""

    def read(self, name: str) -> bool:
        """Whether the line is active now. Raises DeviceError."""

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Make an output active or not. Raises DeviceError."""


class Debounce:
    """One input line: a level counts once it has held for `hold_s` (seconds on the caller's clock)."""

    def __init__(self, hold_s: float, level: bool) -> None:  # noqa: FBT001 - the level is the message
        self.settled = level
        self.due: float | None = None  # when the pending level counts, if it still holds
        self._hold_s = hold_s
        self._seen = level

    def edge(self, level: bool, now: float) -> None:  # noqa: FBT001 - the level is the message
        """The line changed to `level`: whatever was pending starts anew."""
        self._seen = level
        self.due = None if level == self.settled else now + self._hold_s

    def observe(self, level: bool, now: float) -> None:  # noqa: FBT001 - the level is the message
        """The line was read: counts as an edge only if it is not what the edges said."""
        if level != self._seen:
            self.edge(level, now)

    def settle(self, now: float) -> bool:
        """Take over the pending level if it has held; returns whether it did."""
        if self.due is None or now < self.due:
            return False
        self.settled, self.due = self._seen, None
        return True


class IoBoard:
    """The lines of `IoBoardSettings`. `watch` learns every input's level at start and each change after.

    `on_fault` hears once, from the watching thread, that the board is lost; `close` and `open` again.
    """

    def __init__(self, settings: IoBoardSettings, watch: Watch, on_fault: OnFault) -> None:
        self._settings = settings
        self._watch = watch
        self._on_fault = on_fault
        self._lines: dict[str, Cdev2GPIO] = {}
        self._guard = threading.Lock()  # no descriptor is closed, and its number reused, under a write
        self._stop = -1
        self._thread: threading.Thread | None = None
        self._turned_at = 0.0

    @property
    def turned_at(self) -> float:
        """When the watching thread last read all levels (monotonic seconds): its sign of life."""
        return self._turned_at

    def open(self) -> None:
        """Request all lines and start to watch.

        Raises DeviceGone when the chip is absent, DeviceError when a line cannot be had.
        """
        if self._thread is not None:
            raise RuntimeError("the I/O board is open already")
        try:
            for kind, name, line in _lines(self._settings):
                self._lines[name] = self._request(kind, name, line)
        except DeviceError:
            self.close()
            raise
        self._turned_at = time.monotonic()
        self._stop = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="io-board", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of all lines; the relays fall back. Idempotent, never raises."""
        thread, self._thread = self._thread, None
        if thread is not None:
            os.eventfd_write(self._stop, 1)
            if thread is not threading.current_thread():
                thread.join(JOIN_S)
            os.close(self._stop)
        with self._guard:
            lines, self._lines = self._lines, {}
            for line in lines.values():
                with contextlib.suppress(OSError):
                    line.close()

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Make an output active or not. Raises DeviceError."""
        with self._guard:
            line = self._line(name)
            try:
                line.write(active)
            except OSError as error:
                raise self._lost(name, error) from error

    def read(self, name: str) -> bool:
        """Whether a line is active now, before debouncing. Raises DeviceError."""
        with self._guard:
            line = self._line(name)
            try:
                return bool(line.read())
            except OSError as error:
                raise self._lost(name, error) from error

    def _line(self, name: str) -> Cdev2GPIO:
        line = self._lines.get(name)
        if line is None:
            raise DeviceGone(DEVICE, "not_open", f"line {name} is not open: open the board first")
        return line

    # --- opening ---------------------------------------------------------------------------------

    def _request(self, kind: str, name: str, line: OutputLine | InputLine) -> Cdev2GPIO:
        # periphery's "low" and "high" are physical levels, whatever `inverted` says: an active-low output
        # asked for as "low" (or "out") would start active, which is a released door.
        direction = ("high" if line.active_low else "low") if kind == "outputs" else "in"
        edge = "none" if kind == "outputs" else "both"
        try:
            return Cdev2GPIO(
                self._settings.chip,
                line.line,
                direction,
                edge=edge,
                inverted=line.active_low,
                label=f"{CONSUMER}-{name}",
            )
        except OSError as error:
            raise self._not_had(f"[io_board.{kind}.{name}]", line.line, error) from error

    def _not_had(self, key: str, line: int, error: OSError) -> DeviceError:
        chip = self._settings.chip
        if error.errno in GONE:
            return DeviceGone(
                DEVICE, "no_chip", f"no GPIO chip at {chip}: connect the board or correct [io_board] chip"
            )
        code, fix = {
            errno.EBUSY: (
                "line_busy",
                f"line {line} of {chip} is held by another program: find it with gpioinfo and stop it",
            ),
            errno.EINVAL: ("no_such_line", f"{chip} has no usable line {line}: correct {key} line"),
            errno.EACCES: ("no_access", f"{chip} may not be opened: give this service's user access to it"),
            errno.EPERM: ("no_access", f"{chip} may not be opened: give this service's user access to it"),
            errno.ENOTTY: ("not_a_chip", f"{chip} is not a GPIO chip: correct [io_board] chip"),
        }.get(error.errno or 0, ("line_refused", f"{chip} refused {key} line {line}: see the kernel's log"))
        return DeviceError(DEVICE, code, fix)

    def _lost(self, name: str, error: OSError) -> DeviceError:
        if error.errno is None:  # periphery's own: a write to an input
            return DeviceError(DEVICE, "not_an_output", f"line {name} is an input: correct the program")
        return DeviceGone(
            DEVICE, "chip_lost", f"{self._settings.chip} stopped answering: check the board's cable and power"
        )

    # --- watching --------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._watch_inputs(self._stop)
        except DeviceError as error:
            if self._thread is not None:  # not when `close` took the lines away
                self._on_fault(error)

    def _watch_inputs(self, stop: int) -> None:
        poll = select.poll()
        poll.register(stop, select.POLLIN)
        inputs: dict[int, tuple[str, Cdev2GPIO]] = {}
        debounce: dict[str, Debounce] = {}
        for kind, name, line in _lines(self._settings):
            if kind == "inputs" and isinstance(line, InputLine):
                gpio = self._line(name)
                inputs[gpio.fd] = (name, gpio)
                poll.register(gpio.fd, select.POLLIN)
                debounce[name] = Debounce(line.debounce_s, self.read(name))
                self._watch(name, debounce[name].settled)
        sweep_at = time.monotonic() + SWEEP_S
        while True:
            ready = poll.poll(_milliseconds(min(sweep_at, *_dues(debounce)) - time.monotonic()))
            if any(fd == stop for fd, _ in ready):
                return
            now = time.monotonic()
            for fd, _ in ready:
                name, gpio = inputs[fd]
                debounce[name].edge(self._read_edge(name, gpio), now)
            if now >= sweep_at:
                for name, line_state in debounce.items():
                    line_state.observe(self.read(name), now)
                sweep_at = now + SWEEP_S
                self._turned_at = now
            for name, line_state in debounce.items():
                if line_state.settle(now):
                    self._watch(name, line_state.settled)

    def _read_edge(self, name: str, gpio: Cdev2GPIO) -> bool:
        """Consume one edge: the level that the line changed to."""
        try:
            event: Any = gpio.read_event()
        except OSError as error:
            raise self._lost(name, error) from error
        except ValueError as error:  # periphery on an end of file: no event where poll announced one
            raise self._lost(name, OSError(errno.ENODEV, "no event")) from error
        return bool(event.edge == "rising")


def _lines(settings: IoBoardSettings) -> list[tuple[str, str, OutputLine | InputLine]]:
    """All lines as (section, name, line), in the order in which they are requested: locks come first."""
    return [
        (kind, name, getattr(group, name))
        for kind, group in (("outputs", settings.outputs), ("inputs", settings.inputs))
        for name in group.__struct_fields__
        if getattr(group, name) is not None
    ]


def _dues(debounce: Mapping[str, Debounce]) -> list[float]:
    return [line.due for line in debounce.values() if line.due is not None] or [float("inf")]


def _milliseconds(wait_s: float) -> float:
    """A timeout for poll(), never negative: that would wait for ever."""
    return max(0.0, wait_s * 1000.0)
