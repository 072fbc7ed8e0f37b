"""The simulated I/O board: the wires between the program's GPIO lines and the things of the lane.

A wire has a name and an offset, both from the same `IoBoardSettings` that the real driver is given. On
the chip's side (`hw_sim.lane.gpio_shim`) it is a level at an offset; on the world's side it is a named thing
that is active or not. The polarity of each wire is turned round here and nowhere else in the simulator.

The hardware modelled: outputs drive monostable relays with a pull towards inactive. A line that nobody
holds falls back to inactive, so a dead program releases no door and lights no lamp.

One lock serves the whole simulated hardware (board, chip server, world), so that a wire, the door that
hangs on it and the edge that the program sees change as one. Hooks run under it and must not wait.
"""

import itertools
import threading
from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from gated.core.settings.board import InputLine, Inputs, IoBoardSettings, OutputLine, Outputs
from gated.core.values import Value

Changed = Callable[[str, bool], None]  # (name of the wire, active)
Edge = Callable[[int, bool], None]  # (offset, new level)

MIN_LINES: Final = 16  # chips come with 16 lines or more; those without a wire read low


class Wire(Value):
    """One connected line. `output` is the program's view: it drives a relay or a lamp."""

    name: str
    offset: int
    output: bool
    active_low: bool


BEAM_S: Final = 0.005  # the debounce time of a beam
CURTAINS: Final = tuple(
    f"{door}_{column}_{height}"
    for door in ("entry", "exit")
    for column in ("outer", "inner")
    for height in ("low", "high")
)
REQUIRED_INPUTS: Final = ("document", "entry_shut", "exit_shut", "occupied", "crowded", "fire")


def wiring(
    chip: str = "/dev/gpiochip0", active_low: tuple[str, ...] = ("fire",), also: tuple[str, ...] = ()
) -> IoBoardSettings:
    """The simulated lane's own wiring: its lines numbered from 0; `also` wires optional inputs.

    The fire input is active low unless told otherwise: a cut cable must read as fire.
    """
    line_of = itertools.count()

    def output(name: str) -> OutputLine:
        return OutputLine(line=next(line_of), active_low=name in active_low)

    def sensor(name: str) -> InputLine:
        line = InputLine(line=next(line_of), active_low=name in active_low)
        return replace(line, debounce_s=BEAM_S) if name in CURTAINS else line

    return IoBoardSettings(
        chip=chip,
        outputs=Outputs(**{name: output(name) for name in Outputs.__struct_fields__}),
        inputs=Inputs(**{name: sensor(name) for name in (*REQUIRED_INPUTS, *also)}),
    )


class SimulatedBoard:
    """Levels of all lines, by offset for the chip and by name for the world.

    `line_names` is what the chip calls its lines: as the settings ask for, else as the wire is called here.
    `lose_edges` makes the chip swallow edges of inputs, as an overflowing kernel buffer does.
    """

    def __init__(self, settings: IoBoardSettings) -> None:
        outputs: dict[str, Any] = _connected(settings.outputs)
        inputs: dict[str, Any] = _connected(settings.inputs)
        outputs |= {name: strip for name, strip in settings.lights.strips if strip.line is not None}
        lines = outputs | inputs
        offsets = _offsets({name: line.line for name, line in lines.items()})
        wires = [
            Wire(name=name, offset=offsets[name], output=name in outputs, active_low=line.active_low)
            for name, line in lines.items()
        ]
        self.lock = threading.RLock()
        self.lose_edges = False
        self.edge_at: float | None = None  # when what is just driven changed, if that was not right now
        self.wires = {wire.name: wire for wire in wires}
        self.by_offset = {wire.offset: wire for wire in wires}
        self.line_names = {
            offsets[name]: line.line if isinstance(line.line, str) else name for name, line in lines.items()
        }
        self.line_count = max(MIN_LINES, 1 + max(self.by_offset))
        self._active = dict.fromkeys(self.wires, False)
        self._driven = dict.fromkeys(self.wires, False)  # what the world says, whatever is stuck
        self._stuck: set[str] = set()
        self._changed: list[Changed] = []
        self._edges: list[Edge] = []

    def on_change(self, hook: Changed) -> None:
        """Call `hook` for each wire that becomes active or inactive, on either side."""
        self._changed.append(hook)

    def on_edge(self, hook: Edge) -> None:
        """Call `hook` for each edge of an input that the chip notices."""
        self._edges.append(hook)

    # --- the world's side ------------------------------------------------------------------------

    def read(self, name: str) -> bool:
        """Whether a wire is active."""
        with self.lock:
            return self._active[name]

    def drive(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Let a sensor say that it is active or not; a stuck one does not listen."""
        with self.lock:
            if self.wires[name].output:
                raise ValueError(f"{name} is an output: the program drives it")
            self._driven[name] = active
            if name not in self._stuck:
                self._set(name, active)

    def stick(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Break a sensor: it stays as it is told here until `mend`."""
        with self.lock:
            self._stuck.add(name)
            self._set(name, active)

    def mend(self, name: str) -> None:
        """Let a stuck sensor tell the truth again."""
        with self.lock:
            self._stuck.discard(name)
            self._set(name, self._driven[name])

    def rattle(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Let a loose plug make an edge: the chip sees it, and nothing in the world has moved."""
        with self.lock:
            self._stuck.add(name)
            self._level(name, active)

    # --- the chip's side -------------------------------------------------------------------------

    def level(self, offset: int) -> bool:
        """The level of a line; an unconnected one is low."""
        with self.lock:
            wire = self.by_offset.get(offset)
            return wire is not None and self._active[wire.name] != wire.active_low

    def put(self, offset: int, level: bool) -> None:  # noqa: FBT001 - the level is the message
        """Let the program drive a line; where a sensor drives it already, the sensor wins."""
        with self.lock:
            wire = self.by_offset.get(offset)
            if wire is not None and wire.output:
                self._set(wire.name, level != wire.active_low)

    def let_go(self, offset: int) -> None:
        """Nobody holds the line any more: an output falls back to inactive."""
        with self.lock:
            wire = self.by_offset.get(offset)
            if wire is not None and wire.output:
                self._set(wire.name, active=False)

    def _set(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        if self._level(name, active):
            for hook in self._changed:
                hook(name, active)

    def _level(self, name: str, active: bool) -> bool:  # noqa: FBT001 - the level is the message
        """Change the level, and let the chip notice it; returns whether it was another."""
        if self._active[name] == active:
            return False
        self._active[name] = active
        wire = self.wires[name]
        if not wire.output and not self.lose_edges:
            for notice in self._edges:
                notice(wire.offset, active != wire.active_low)
        return True


def _connected(group: Outputs | Inputs) -> dict[str, Any]:
    """The lines that this lane has, by name."""
    lines = {name: getattr(group, name) for name in group.__struct_fields__}
    return {name: line for name, line in lines.items() if line is not None}


def _offsets(lines: dict[str, int | str]) -> dict[str, int]:
    """Where each wire is on the chip: where its number says, or for one that has a name, where room is."""
    numbers = {line for line in lines.values() if isinstance(line, int)}
    free = (number for number in itertools.count() if number not in numbers)
    return {name: line if isinstance(line, int) else next(free) for name, line in lines.items()}
