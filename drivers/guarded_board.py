"""The I/O board and the safety controller as one board: doors behind the controller, the rest on lines.

What the controller has (releases, door contacts, fire, panic, obstruction) counts from it alone: the board's
lines of these names are unused. If either is lost, both are closed: a lane needs its doors and its lamps.
"""

from collections.abc import Callable
from typing import Final, Protocol

from drivers.door import Locks
from drivers.gpio import IoBoard, Lines, OnFault
from drivers.safety_controller import SafetyController
from drivers.safety_protocol import Input
from gated.core.ports import DeviceError, Watch
from gated.core.settings.board import IoBoardSettings, SafetyControllerSettings
from gated.core.vocabulary import Door

INPUTS: Final = frozenset(str(one.name).lower() for one in Input)
RELEASES: Final = {f"{door}_release": door for door in Door}

Turned = Callable[[str], str]  # from a line's name as the lane calls it now to that of its wire


class Board(Lines, Protocol):
    """Lines that can be lost and had again; `turned_at` is when all inputs were last read."""

    @property
    def turned_at(self) -> float: ...  # noqa: D102

    def open(self) -> None: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class GuardedBoard:
    """A `Board`, whose doors are commanded by its `locks`."""

    def __init__(self, board: Board, controller: SafetyController) -> None:
        self.controller = controller
        self._board = board

    @property
    def lines(self) -> Board:
        """The board beside the controller."""
        return self._board

    @property
    def turned_at(self) -> float:
        """When both were last heard: the earlier one (monotonic seconds)."""
        return min(self._board.turned_at, self.controller.turned_at)

    def open(self) -> None:
        """Open both, the controller first. Raises DeviceError."""
        self.controller.open()
        try:
            self._board.open()
        except DeviceError:
            self.controller.close()
            raise

    def close(self) -> None:
        """Close both; the controller locks. Idempotent, never raises."""
        self.controller.close()
        self._board.close()

    def read(self, name: str) -> bool:
        """Whether a line is active now. Raises DeviceError."""
        return self.controller.read(name) if name in INPUTS else self._board.read(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Make a lamp active or not. Raises DeviceError, and ValueError for a door: `locks` commands it."""
        if name in RELEASES:
            raise ValueError(f"{name} is behind the safety controller: command the door by `locks`")
        self._board.write(name, active)

    def locks(self, turned: Turned) -> Locks:
        """The doors by what the lane calls them now."""
        return _TurnedLocks(self.controller, turned)


class _TurnedLocks:
    """The controller's doors, by what the lane calls them now."""

    def __init__(self, controller: SafetyController, turned: Turned) -> None:
        self._controller = controller
        self._turned = turned

    def release(self, door: Door, at_most_s: float) -> None:
        """Release it."""
        self._controller.release(self._behind(door), at_most_s)

    def lock(self, door: Door) -> None:
        """Lock it."""
        self._controller.lock(self._behind(door))

    def is_shut(self, door: Door) -> bool:
        """Whether the controller sees it shut."""
        return self._controller.is_shut(self._behind(door))

    def _behind(self, door: Door) -> Door:
        return RELEASES[self._turned(f"{door}_release")]


def guarded(
    safety: SafetyControllerSettings, make: Callable[[IoBoardSettings, Watch, OnFault], Board] = IoBoard
) -> Callable[[IoBoardSettings, Watch, OnFault], GuardedBoard]:
    """How to make the board of a lane that has this safety controller."""

    def make_guarded(settings: IoBoardSettings, watch: Watch, on_fault: OnFault) -> GuardedBoard:
        def watch_line(name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
            if name not in INPUTS:
                watch(name, active)

        return GuardedBoard(make(settings, watch_line, on_fault), SafetyController(safety, watch, on_fault))

    return make_guarded
