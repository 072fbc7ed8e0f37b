"""The I/O board: named lines of a GPIO character device (uAPI v2), by python-periphery.

Outputs are requested inactive (locked, dark), locks first, so that a program which starts or restarts
begins from the safe side. What the kernel does to a line when the program dies is not relied upon: the
relays are monostable.

Inputs are watched by one thread. An edge starts the line's debounce time and the level counts once it
has held that long. Edges are hints, levels are the truth: every second all levels are read again, so an
edge that the kernel's buffer lost is made good within that second, and a board that went away is noticed
also when nothing moves. The thread only ever calls `watch` and `on_fault`; both must return at once.

An input that flaps (`drivers.debounce`) is a fault. It counts as a cut wire would, and its edges are not
looked at until a second brought none: a loose plug may make thousands, and keeps nobody else waiting.
"""

import contextlib
import errno
import os
import select
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

# Named outright: periphery's own choice falls back to the retired uAPI v1 on what it takes for old kernels.
from periphery.gpio_cdev2 import Cdev2GPIO

from drivers.debounce import Debounce
from drivers.gpio_names import NoLineError, find_line, read_names
from gated.core.ports import DeviceError, DeviceGone, Watch
from gated.core.settings.board import InputLine, IoBoardSettings, OutputLine

OnFault = Callable[[DeviceError], None]
OnEdge = Callable[[str, bool, float], None]  # (input, active, monotonic time): before debouncing

DEVICE: Final = "io_board"
CONSUMER: Final = "egate"
LATE_S: Final = 5.0  # no edge waits longer to be read
SWEEP_S: Final = 1.0  # all levels are read again this often
JOIN_S: Final = 2.0  # the thread is woken to stop; it never waits for anything else

STALE: Final = 64  # more edges than the kernel keeps of one line

# The inputs whose cut wire must read as active (docs/wiring.md), and so a flapping one too.
ACTIVE_WHEN_CUT: Final = frozenset(
    {
        *("fire", "panic", "mains_lost", "occupied", "crowded"),
        *("entry_outer_low", "entry_outer_high", "entry_inner_low", "entry_inner_high"),
        *("exit_outer_low", "exit_outer_high", "exit_inner_low", "exit_inner_high"),
    }
)
GONE: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.EBADF, errno.ESHUTDOWN})


class Lines(Protocol):
    """Named lines: what doors and lamps need of a board."""

    def read(self, name: str) -> bool:
        """Whether the line is active now. Raises DeviceError."""

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Make an output active or not. Raises DeviceError."""


class LineFlaps(DeviceError):
    """One input says nothing that can be believed; the board itself is well, and watched on."""


class IoBoard:
    """The lines of `IoBoardSettings`. `watch` learns every input's level at start and each change after.

    `on_fault` hears from the watching thread, once, that the board is lost: `close` and `open` again. It also
    hears LineFlaps, once each time that an input begins to flap: then there is nothing to open again.
    `on_edge` may be set to hear each edge, bounces too, in the watching thread: for who measures contacts.
    """

    def __init__(self, settings: IoBoardSettings, watch: Watch, on_fault: OnFault) -> None:
        self._settings = settings
        self._watch = watch
        self._on_fault = on_fault
        self._lines: dict[str, Cdev2GPIO] = {}
        self._guard = threading.Lock()  # no descriptor is closed, and its number reused, under a write
        self._stop = -1
        self._thread: threading.Thread | None = None
        self._turned_at = self._told_at = 0.0
        self._inputs: tuple[_Input, ...] = ()
        self.on_edge: OnEdge = _unheard

    @property
    def turned_at(self) -> float:
        """When the watching thread last read all levels (monotonic seconds): its sign of life."""
        return self._turned_at

    @property
    def told_at(self) -> float:
        """Since when the level counts that `watch` is just told of (monotonic seconds, in its thread)."""
        return self._told_at

    @property
    def flapping(self) -> tuple[str, ...]:
        """The inputs that flap now, and count as cut."""
        return tuple(each.name for each in self._inputs if each.state.flapping)

    def open(self) -> None:
        """Request all lines and start to watch.

        Raises DeviceGone when the chip is absent, DeviceError when a line cannot be had.
        """
        if self._thread is not None:
            raise RuntimeError("the I/O board is open already")
        try:
            for key, name, line, number in self._numbered():
                self._lines[name] = self._request(key, name, line, number)
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

    def _numbered(self) -> list[tuple[str, str, OutputLine | InputLine, int]]:
        """All lines as (key, name, line, number on the chip), in the order in which they are requested."""
        names: tuple[str, ...] | None = None
        holders: dict[int, str] = {}
        found = []
        for key, name, line in _lines(self._settings):
            number = line.line
            if isinstance(number, str):
                if names is None:
                    names = self._read_names(key, number)
                number = self._find(names, key, number)
            if (other := holders.setdefault(number, key)) != key:
                raise DeviceError(
                    DEVICE,
                    "line_twice",
                    f"{key} and {other} are both line {number}: correct one",
                )
            found.append((key, name, line, number))
        return found

    def _read_names(self, key: str, wanted: str) -> tuple[str, ...]:
        try:
            return read_names(self._settings.chip)
        except OSError as error:
            raise self._not_had(key, wanted, error) from error

    def _find(self, names: tuple[str, ...], key: str, wanted: str) -> int:
        try:
            return find_line(names, wanted)
        except NoLineError as error:
            raise DeviceError(DEVICE, error.code, f"{key} line: on {self._settings.chip} {error}") from error

    def _request(self, key: str, name: str, line: OutputLine | InputLine, number: int) -> Cdev2GPIO:
        # periphery's "low" and "high" are physical levels, whatever `inverted` says: an active-low output
        # asked for as "low" (or "out") would start active, which is a released door.
        output = isinstance(line, OutputLine)
        direction = ("high" if line.active_low else "low") if output else "in"
        try:
            return Cdev2GPIO(
                self._settings.chip,
                number,
                direction,
                edge="none" if output else "both",
                inverted=line.active_low,
                label=f"{CONSUMER}-{name}",
            )
        except OSError as error:
            raise self._not_had(key, line.line, error) from error

    def _not_had(self, key: str, line: int | str, error: OSError) -> DeviceError:
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
        self._inputs = tuple(self._levels())
        inputs = {each.gpio.fd: each for each in self._inputs}
        for fd, each in inputs.items():
            poll.register(fd, select.POLLIN)
            self._tell(each, time.monotonic())
        sweep_at = time.monotonic() + SWEEP_S
        while True:
            ready = poll.poll(_milliseconds(min(sweep_at, *_dues(inputs.values())) - time.monotonic()))
            if any(fd == stop for fd, _ in ready):
                return
            now = time.monotonic()
            edges = sorted(self._read_edge(inputs[fd], now) for fd, _ in ready)
            for edge in edges:
                self._settle(inputs.values(), edge.at)
                self.on_edge(inputs[edge.fd].name, edge.level, edge.at)
                inputs[edge.fd].state.edge(edge.level, edge.at)
            if now >= sweep_at:
                for fd in self._sweep(inputs.values(), now):
                    poll.register(fd, select.POLLIN)
                sweep_at = now + SWEEP_S
                self._turned_at = now
            for fd, each in inputs.items():
                before = each.state.settled
                if each.state.flap():
                    poll.unregister(fd)
                    self._on_fault(self._flaps(each))
                    if each.state.settled != before:
                        self._tell(each, now)
            if not edges:  # else there may be more to read, and older than now
                self._settle(inputs.values(), now)

    def _settle(self, inputs: Iterable["_Input"], now: float) -> None:
        """Tell of the levels that have held by `now`, in the order in which they came to count."""
        dues = [(each.state.due, each) for each in inputs if each.state.due is not None]
        for due, each in sorted(dues, key=lambda one: one[0]):
            if each.state.settle(now):
                self._tell(each, due)

    def _tell(self, each: "_Input", at: float) -> None:
        self._told_at = at
        self._watch(each.name, each.state.settled)

    def _levels(self) -> Iterable["_Input"]:
        """The inputs with their levels now."""
        for _, name, line in _lines(self._settings):
            if isinstance(line, InputLine):
                state = Debounce(line.debounce_s, self.read(name), cut=name in ACTIVE_WHEN_CUT)
                yield _Input(name, line.line, self._line(name), state)

    def _sweep(self, inputs: Iterable["_Input"], now: float) -> list[int]:
        """Read all levels; returns the descriptors of flapping lines that were quiet since the last time."""
        calmed = []
        for each in inputs:
            level = self.read(each.name)
            if not each.state.flapping:
                each.state.observe(level, now)
            elif not self._drop_edges(each):
                each.state.calm(level, now)
                calmed.append(each.gpio.fd)
        return calmed

    def _drop_edges(self, each: "_Input") -> bool:
        """Throw away the edges that came meanwhile; returns whether there were any."""
        dropped = 0
        while dropped < STALE and each.gpio.poll(0):
            self._read_edge(each, 0.0)
            dropped += 1
        return dropped > 0

    def _flaps(self, each: "_Input") -> LineFlaps:
        return LineFlaps(
            DEVICE,
            "line_flaps",
            f"input {each.name} (line {each.line} of {self._settings.chip}) flaps and never settles: push its"
            " plug home, check its wire and contact; it counts as cut until it is quiet for a second",
        )

    def _read_edge(self, each: "_Input", now: float) -> "_Edge":
        """Consume one edge: when it came, by the kernel's clock, and the level that the line changed to."""
        try:
            event: Any = each.gpio.read_event()
        except OSError as error:
            raise self._lost(each.name, error) from error
        except ValueError as error:  # periphery on an end of file: no event where poll announced one
            raise self._lost(each.name, OSError(errno.ENODEV, "no event")) from error
        age_s = time.time() - event.timestamp * 1e-9  # periphery asks for the real-time clock, which may leap
        at = now - age_s if 0.0 <= age_s < LATE_S else now
        return _Edge(at, each.gpio.fd, bool(event.edge == "rising"))


class _Edge(NamedTuple):
    """A line changed its level at a time (monotonic seconds)."""

    at: float
    fd: int
    level: bool


class _Input(NamedTuple):
    """One watched input."""

    name: str
    line: int | str  # as in the configuration
    gpio: Cdev2GPIO
    state: Debounce


def _unheard(name: str, active: bool, at: float) -> None:  # noqa: FBT001 - the level is the message
    """Nobody measures contacts now."""


def _lines(settings: IoBoardSettings) -> list[tuple[str, str, OutputLine | InputLine]]:
    """All lines as (key, name, line), in the order in which they are requested: locks come first."""
    wired = [
        (f"[io_board.{kind}.{name}]", name, getattr(group, name))
        for kind, group in (("outputs", settings.outputs), ("inputs", settings.inputs))
        for name in group.__struct_fields__
        if getattr(group, name) is not None
    ]
    strips = [
        (f"[io_board.lights] {name}", name, OutputLine(line=strip.line, active_low=strip.active_low))
        for name, strip in settings.lights.strips
        if strip.line is not None
    ]
    return [*wired, *strips]


def _dues(inputs: Iterable[_Input]) -> list[float]:
    return [each.state.due for each in inputs if each.state.due is not None] or [float("inf")]


def _milliseconds(wait_s: float) -> float:
    """A timeout for poll(), never negative: that would wait for ever."""
    return max(0.0, wait_s * 1000.0)
