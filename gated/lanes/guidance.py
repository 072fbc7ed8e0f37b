"""What the traveller sees of the board: the signal lamps, and the light strips where there are some."""

import threading
from collections.abc import Callable
from datetime import time, tzinfo

from drivers.gpio import Lines, OnFault
from drivers.lamps import SignalLamps
from drivers.light_strips import LightStrips
from gated import logs
from gated.core.ports import DeviceError
from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Direction
from gated.lanes.ends import Ends
from gated.runtime.clock import now_utc

_log = logs.get("lane.light_strips")


class Guidance:
    """Lamps and strips show one pattern. A lamp that fails is a fault; of a strip only the log tells."""

    def __init__(
        self, settings: IoBoardSettings, board: Lines, ends: Ends, on_fault: OnFault, zone: tzinfo
    ) -> None:
        self._ends = ends
        self._lamps = SignalLamps(ends, on_fault)
        self._strips: LightStrips | None = None
        if settings.lights.strips:
            local = _local_time(zone)
            self._strips = LightStrips(board, settings.lights, _tell, local)
        self._pattern = "out_of_service"
        self._showing = threading.Lock()

    def show(self, pattern: str) -> None:
        """Show a pattern, now or, if the board is away, by `show_again`. Raises DeviceError."""
        with self._showing:
            self._pattern = pattern
            if self._strips is not None:
                self._strips.show(pattern, turned=self._ends.direction is Direction.REVERSE)
            self._lamps.show(pattern)

    def show_again(self) -> None:
        """The board is back, or the ends have changed places. Raises DeviceError."""
        self.show(self._pattern)

    def try_lamp(self, lamp: str) -> None:
        """Light one lamp alone, by its wire, until the pattern is shown again. Raises DeviceError."""
        with self._showing:
            self._lamps.show_only(self._ends.turned(lamp))

    def close(self) -> None:
        """Stop blinking and moving."""
        self._lamps.close()
        if self._strips is not None:
            self._strips.close()


def _local_time(zone: tzinfo) -> Callable[[], time]:
    return lambda: now_utc().astimezone(zone).time()


def _tell(error: DeviceError) -> None:
    """A dark strip is a pity; the lamps tell the same."""
    _log.error("device failed", device=error.device, code=error.code, fix=error.fix)
