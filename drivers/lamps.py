"""The signal lamps of the lane: a literal table from pattern to lamps.

A pattern names every lamp that burns and every lamp that blinks; all others are dark. Steady patterns
are written once; one thread turns blinking lamps over and sleeps as long as nothing blinks. A lamp is
put out before another is lit, so that a door never shows red and green together.

No meaning hangs on a hue: red stands above green, the one is a cross and the other an arrow, and what must
not be taken for one another also differs in which lamps burn or in how they blink. In short: green invites at
the door where it burns; red that burns says wait or not here, red that blinks that nobody may use the lane;
amber that blinks says the gate is at work, amber that burns that somebody must wait or take care. The strips
(`drivers.light_strips`) say the same by place and movement alone.
"""

import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from drivers.gpio import Lines, OnFault
from gated.core.ports import DeviceError
from gated.core.values import Value

LAMPS: Final = ("entry_green", "entry_red", "exit_green", "exit_red", "amber")
BLINK_S: Final = 0.5  # half a period: 1 Hz, well below the three flashes a second of EN 301 549 9.2.3.1


class Pattern(Value):
    """Which lamps burn and which blink; those `in_turn` are lit when the other blinking ones are dark."""

    steady: frozenset[str] = frozenset()
    blinking: frozenset[str] = frozenset()
    in_turn: frozenset[str] = frozenset()


def _pattern(steady: str = "", blinking: str = "", in_turn: str = "") -> Pattern:
    return Pattern(
        steady=frozenset(steady.split()),
        blinking=frozenset(blinking.split()),
        in_turn=frozenset(in_turn.split()),
    )


PATTERNS: Final[Mapping[str, Pattern]] = MappingProxyType(
    {
        "closed": _pattern(steady="entry_red exit_red"),
        "ready": _pattern(steady="entry_green exit_red"),
        "reading": _pattern(steady="entry_red exit_red", blinking="amber"),
        "enter": _pattern(steady="exit_red", blinking="entry_green"),
        "wait": _pattern(steady="entry_red exit_red amber"),
        "approach": _pattern(steady="entry_green exit_red amber"),
        "go": _pattern(steady="entry_red exit_green"),
        "token": _pattern(steady="entry_red", blinking="exit_green"),
        "step_back": _pattern(steady="entry_green exit_red", blinking="amber"),
        "officer": _pattern(steady="entry_red exit_red amber"),
        "free_passage": _pattern(steady="entry_green exit_green"),
        "wrong_end": _pattern(steady="entry_red", blinking="exit_red"),
        "change_over": _pattern(blinking="entry_red exit_red", in_turn="amber"),
        "locked": _pattern(blinking="entry_red exit_red"),
        "maintenance": _pattern(steady="amber", blinking="entry_red exit_red"),
        "out_of_service": _pattern(blinking="entry_red exit_red amber"),
        "emergency": _pattern(steady="entry_green exit_green amber"),
    }
)


class SignalLamps:
    """Shows one pattern at a time. `on_fault` hears once that a blinking lamp cannot be written."""

    def __init__(self, board: Lines, on_fault: OnFault) -> None:
        self._board = board
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._pattern = Pattern()
        self._lit = True  # the phase of blinking lamps
        self._turn_at = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._blink, name="lamps", daemon=True)
        self._thread.start()

    def show(self, pattern: str) -> None:
        """Show a pattern of `PATTERNS`; the one that is shown already is written again, in step.

        Raises ValueError for an unknown name, DeviceError when a lamp cannot be written.
        """
        wanted = PATTERNS.get(pattern)
        if wanted is None:
            raise ValueError(f"no lamp pattern {pattern!r}: use one of {', '.join(PATTERNS)}")
        with self._changed:
            if wanted != self._pattern:
                self._pattern, self._lit = wanted, True
                self._turn_at = time.monotonic() + BLINK_S
            self._write(LAMPS)
            self._changed.notify()

    def show_only(self, lamp: str) -> None:
        """Light this lamp alone, for who looks whether it does; `show` ends it. Raises DeviceError."""
        with self._changed:
            self._pattern = Pattern(steady=frozenset({lamp}))
            self._write(LAMPS)

    def close(self) -> None:
        """Stop blinking. The lamps stay as they are until the board closes. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(BLINK_S)

    def _write(self, lamps: tuple[str, ...]) -> None:
        blinking = self._pattern.blinking if self._lit else self._pattern.in_turn
        burning = self._pattern.steady | blinking
        for lamp in sorted(lamps, key=burning.__contains__):  # dark ones first
            self._board.write(lamp, lamp in burning)

    def _blink(self) -> None:
        with self._changed:
            while not self._closed:
                if not self._pattern.blinking:
                    self._changed.wait()  # for show() or close(); nothing is due
                elif (wait_s := self._turn_at - time.monotonic()) > 0:
                    self._changed.wait(wait_s)
                else:
                    self._turn_over()

    def _turn_over(self) -> None:
        self._lit = not self._lit
        self._turn_at += BLINK_S
        try:
            self._write((*self._pattern.blinking, *self._pattern.in_turn))
        except DeviceError as error:
            self._pattern = Pattern()  # nothing blinks until the next show()
            self._on_fault(error)
