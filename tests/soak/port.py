"""The board's port below `BoardLane`: simulated wires, real debouncing, and cables that can be pulled."""

from collections.abc import Callable

from drivers.debounce import Debounce
from drivers.gpio import ACTIVE_WHEN_CUT, SWEEP_S, LineFlaps, OnFault
from gated.core.ports import DeviceGone, Watch
from gated.core.settings.board import IoBoardSettings
from hw_sim.lane.board import SimulatedBoard


def _lost() -> DeviceGone:
    """A new one each time: an exception that is raised again keeps all frames that it passed."""
    return DeviceGone("io_board", "chip_lost", "check the board's cable and power")


class Socket:
    """Where a board is plugged in. One for the whole soak: ports come and go with their programs."""

    def __init__(self, hardware: SimulatedBoard) -> None:
        self.hardware = hardware
        self.plugged = True
        self.hangs = False
        self.port: Port | None = None
        hardware.on_edge(self._edge)

    def pull(self) -> None:
        """Pull the cable: the relays fall back, and the program hears of it."""
        self.plugged = False
        if self.port is not None and self.port.is_open:
            self.port.lose()

    def _edge(self, offset: int, level: bool) -> None:  # noqa: FBT001 - the board's hook
        wire = self.hardware.by_offset[offset]
        if self.port is not None and self.port.is_open and not self.hangs:
            self.port.edge(wire.name, level != wire.active_low)


class Port:
    """A `Board` for `BoardLane`; `turn` is what the driver's thread would do."""

    def __init__(
        self,
        socket: Socket,
        clock: Callable[[], float],
        settings: IoBoardSettings,
        watch: Watch,
        on_fault: OnFault,
    ) -> None:
        self.is_open = False
        self.turned_at = 0.0
        self._socket, self._clock, self._settings = socket, clock, settings
        self._watch, self._on_fault = watch, on_fault
        self._inputs: dict[str, Debounce] = {}
        self._sweep_at = 0.0
        socket.port = self

    def open(self) -> None:
        """Request all lines and tell every level. Raises DeviceGone."""
        if not self._socket.plugged:
            raise DeviceGone("io_board", "no_chip", "connect the board")
        self.is_open = True
        self.turned_at, self._sweep_at = self._clock(), self._clock() + SWEEP_S
        for name, wire in self._socket.hardware.wires.items():
            if not wire.output:
                hold_s = getattr(self._settings.inputs, name).debounce_s
                self._inputs[name] = Debounce(hold_s, self.read(name), cut=name in ACTIVE_WHEN_CUT)
        for name, state in self._inputs.items():
            self._watch(name, state.settled)

    def close(self) -> None:
        """Let go of all lines."""
        self.is_open = False
        self._inputs.clear()
        for wire in self._socket.hardware.wires.values():
            self._socket.hardware.let_go(wire.offset)

    def read(self, name: str) -> bool:
        """Raises DeviceError."""
        self._check()
        return self._socket.hardware.read(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        """Raises DeviceError."""
        self._check()
        wire = self._socket.hardware.wires[name]
        self._socket.hardware.put(wire.offset, active != wire.active_low)

    def _check(self) -> None:
        if not self.is_open:
            raise DeviceGone("io_board", "not_open", "open the board first")
        if not self._socket.plugged:
            raise _lost()

    def lose(self) -> None:
        """The cable is out."""
        for wire in self._socket.hardware.wires.values():
            self._socket.hardware.let_go(wire.offset)
        self._on_fault(_lost())

    # --- the driver's thread --------------------------------------------------------------------------

    def edge(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """An input changed."""
        self._inputs[name].edge(active, self._clock())

    @property
    def due(self) -> float:
        """When `turn` has something to do."""
        if not self.is_open or not self._socket.plugged or self._socket.hangs:
            return float("inf")
        return min([self._sweep_at, *(each.due for each in self._inputs.values() if each.due is not None)])

    def turn(self) -> None:
        """Tell levels that have held, and look at all of them once a second."""
        now = self._clock()
        if self.due > now:
            return
        if now >= self._sweep_at:
            self._sweep_at, self.turned_at = now + SWEEP_S, now
            for name, state in self._inputs.items():
                (state.calm if state.flapping else state.observe)(self.read(name), now)
        for name, state in tuple(self._inputs.items()):
            before = state.settled
            if state.flap():
                self._on_fault(LineFlaps("io_board", "line_flaps", f"input {name}: push its plug home"))
            if state.settle(now) or state.settled != before:
                self._watch(name, state.settled)
