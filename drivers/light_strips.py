"""Light guidance: strips at both doorways and along the floor that show where to go.

The strips are of one colour, and all dark means: there is nowhere to go now. What they say is in the place
and in the movement: a doorway that burns is the one to use, a floor that runs shows which way, a floor that
burns says here is your place. So whoever takes red for green, or sees the lane from afar, is told the same.

A pattern is a row of steps of half a second, gone through again and again. Nothing in a lane lights up more
than three times a second, lamps included (EN 301 549, 9.2.3.1), and nothing moves while the camera looks.
A light along the floor advances a strip a step, and each round ends with a dark step: two strips that only
took turns would have no direction.

No strip is needed to pass: one that fails is a fault to be told, and is tried again every `RETRY_S`.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from drivers.gpio import Lines, OnFault
from drivers.pwm import Dimmer
from gated.core.ports import DeviceError
from gated.core.settings.board import Lights
from gated.core.values import Value

DEVICE: Final = "light_strips"
STEP_S: Final = 0.5
RETRY_S: Final = 2.0
DUSK_S: Final = 30.0  # how often it is looked whether night has begun or ended
JOIN_S: Final = 2.0

Doorway = Literal["dark", "steady", "blinking"]
Floor = Literal["dark", "steady", "forward", "backward", "outward"]


class StripPattern(Value):
    """What the strips do. `full`: as bright as can be, also at night."""

    entry: Doorway = "dark"
    floor: Floor = "dark"
    exit: Doorway = "dark"
    full: bool = False

    @property
    def moves(self) -> bool:
        """Whether anything changes by itself."""
        return "blinking" in {self.entry, self.exit} or self.floor not in {"dark", "steady"}


DARK: Final = StripPattern()
STAND_HERE: Final = StripPattern(floor="steady")

STRIP_PATTERNS: Final[Mapping[str, StripPattern]] = MappingProxyType(
    {
        "closed": DARK,
        "ready": StripPattern(entry="steady"),
        "reading": StripPattern(entry="blinking"),
        "enter": StripPattern(entry="steady", floor="forward"),
        "approach": STAND_HERE,
        "wait": STAND_HERE,
        "go": StripPattern(floor="forward", exit="steady"),
        "step_back": StripPattern(entry="steady", floor="backward"),
        "officer": STAND_HERE,
        "token": StripPattern(exit="steady"),
        "free_passage": StripPattern(entry="steady", floor="forward", exit="steady"),
        "change_over": DARK,
        "wrong_end": DARK,
        "locked": DARK,
        "maintenance": DARK,
        "out_of_service": DARK,
        "emergency": StripPattern(entry="steady", floor="outward", exit="steady", full=True),
    }
)


def lit(pattern: StripPattern, step: int, floor: int, *, turned: bool = False) -> frozenset[str]:
    """Return the names of the strips that burn in a step, in a lane with so many along the floor.

    `turned`: the lane is walked from its exit to its entry; the doorways change places, the floor runs back.
    """
    segments = _floor(pattern.floor, step, floor)
    if turned:
        segments = frozenset(floor - 1 - segment for segment in segments)
    entry, leave = ("exit_strip", "entry_strip") if turned else ("entry_strip", "exit_strip")
    doorways = {name for name, does in ((entry, pattern.entry), (leave, pattern.exit)) if _burns(does, step)}
    return frozenset(doorways | {f"floor_strip_{segment + 1}" for segment in segments})


def _burns(does: Doorway, step: int) -> bool:
    return does == "steady" or (does == "blinking" and step % 2 == 0)


def _floor(does: Floor, step: int, count: int) -> frozenset[int]:
    """The strips along the floor that burn, from 0 at the entry. A single one burns or blinks."""
    match does:
        case "dark":
            return frozenset()
        case "forward" if count > 1:
            return frozenset({step % (count + 1)} - {count})
        case "backward" if count > 1:
            return frozenset({count - 1 - step % (count + 1)} - {-1})
        case "outward" | "backward":
            half = (count + 1) // 2
            at = step % (half + 1)
            return frozenset({half - 1 - at, count - half + at} if at < half else ())
        case _:
            return frozenset(range(count))


def brightness_at(lights: Lights, clock: dt.time) -> float:
    """How bright the strips are at a time of the day; a night may reach over midnight."""
    if lights.night is None:
        return lights.brightness
    begins, ends = (dt.time.fromisoformat(text) for text in lights.night)
    after, before = clock >= begins, clock < ends
    night = (after and before) if begins < ends else (after or before)
    return lights.night_brightness if night else lights.brightness


class LightStrips:
    """Shows one pattern at a time, in a thread of its own; strips that are lines are written to the board.

    `on_fault` hears, from that thread, of each PWM strip that fails, once until it works again; of a board
    that is lost its own watch tells. `clock` is the time of the day where the gate stands.
    """

    def __init__(self, board: Lines, lights: Lights, on_fault: OnFault, clock: Callable[[], dt.time]) -> None:
        self._board = board
        self._lights = lights
        self._on_fault = on_fault
        self._clock = clock
        self._lines = tuple(name for name, strip in lights.strips if strip.line is not None)
        self._dimmers = {
            name: Dimmer(DEVICE, f"[io_board.lights] {name}", strip.chip, strip.channel, strip.frequency)
            for name, strip in lights.strips
            if strip.chip is not None and strip.channel is not None
        }
        self._failed: dict[str, float] = dict.fromkeys(self._dimmers, 0.0)  # when to try it again
        self._told: set[str] = set()
        self._changed = threading.Condition()
        self._pattern = DARK
        self._turned = False
        self._began = 0.0
        self._asked = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="light-strips", daemon=True)
        self._thread.start()

    def show(self, pattern: str, *, turned: bool = False) -> None:
        """Show a pattern of `STRIP_PATTERNS`, `turned` as for `lit`; returns at once.

        The one that is shown already goes on in step, and is written again. Raises ValueError for an
        unknown name.
        """
        wanted = STRIP_PATTERNS.get(pattern)
        if wanted is None:
            raise ValueError(f"no strip pattern {pattern!r}: use one of {', '.join(STRIP_PATTERNS)}")
        with self._changed:
            if (wanted, turned) != (self._pattern, self._turned):
                self._pattern, self._turned, self._began = wanted, turned, time.monotonic()
            self._asked += 1
            self._changed.notify()

    def close(self) -> None:
        """Darken the PWM strips, give them back and stop; lines fall back with their board. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(JOIN_S)

    # --- the strips' own thread -------------------------------------------------------------------

    def _run(self) -> None:
        served = 0
        shown: dict[str, float] = {}
        while True:
            with self._changed:
                if not self._closed and self._asked == served:
                    self._changed.wait(self._wait_s(time.monotonic()))
                if self._closed:
                    break
                if self._asked != served:
                    served, shown = self._asked, {}
                pattern, turned, began = self._pattern, self._turned, self._began
            shown = self._show(pattern, time.monotonic() - began, shown, turned=turned)
        for dimmer in self._dimmers.values():
            dimmer.close()

    def _wait_s(self, now: float) -> float | None:
        """How long nothing is due."""
        due = [max(0.0, at - now) for name, at in self._failed.items() if not self._dimmers[name].is_open]
        if self._pattern.moves:
            due.append(STEP_S - (now - self._began) % STEP_S)
        if self._dimmers and self._lights.night is not None:
            due.append(DUSK_S)
        return min(due, default=None)

    def _show(
        self, pattern: StripPattern, elapsed_s: float, shown: Mapping[str, float], *, turned: bool
    ) -> dict[str, float]:
        """Write what differs from what is shown; returns what is shown now. Dark ones come first."""
        self._open(time.monotonic())
        level = 1.0 if pattern.full else brightness_at(self._lights, self._clock())
        burning = lit(pattern, int(elapsed_s / STEP_S), len(self._lights.floor_strips), turned=turned)
        wanted = {name: level if name in burning else 0.0 for name, _ in self._lights.strips}
        return {
            name: wanted[name]
            for name in sorted(wanted, key=burning.__contains__)
            if shown.get(name) == wanted[name] or self._write(name, wanted[name])
        }

    def _open(self, now: float) -> None:
        for name, dimmer in self._dimmers.items():
            if dimmer.is_open or now < self._failed[name]:
                continue
            try:
                dimmer.open()
            except DeviceError as error:
                self._fails(name, error)

    def _write(self, name: str, level: float) -> bool:
        """Write one strip; returns whether it shows that now."""
        if name in self._lines:
            return self._write_line(name, active=level > 0)
        dimmer = self._dimmers[name]
        if not dimmer.is_open:
            return False
        try:
            dimmer.light(level)
        except DeviceError as error:
            self._fails(name, error)
            return False
        self._told.discard(name)
        return True

    def _write_line(self, name: str, *, active: bool) -> bool:
        try:
            self._board.write(name, active)
        except DeviceError:
            return False  # the board's own watch tells
        return True

    def _fails(self, name: str, error: DeviceError) -> None:
        self._failed[name] = time.monotonic() + RETRY_S
        if name not in self._told:
            self._told.add(name)
            self._on_fault(error)
