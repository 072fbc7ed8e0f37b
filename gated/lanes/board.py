"""The lane of the I/O board: doors, lamps and sensors.

The drivers bring their own threads: one watches the inputs, one keeps the doors' leases, one blinks. This
lane turns edges into events, performs what the heart asks of the doors, and opens the board again when
it was lost. A door that does not follow its command is a latched fault: somebody must go and look.
"""

import secrets
import threading
import time

from drivers.door import DoorWatch, LeasedDoors
from drivers.gpio import IoBoard
from drivers.lamps import SignalLamps
from gated.core import events as ev
from gated.core.ports import DeviceError
from gated.core.settings import IoBoardSettings
from gated.core.vocabulary import Device, Door
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane

LATCHED = frozenset({DoorWatch.Breach.FORCED, DoorWatch.Breach.NOT_SHUT})
QUIET_S = 5.0  # the watching thread reads all lines every second


class BoardLane:
    """Owns the board; `unlock`, `lock` and `tell` are called by the loop and raise DeviceError."""

    def __init__(self, settings: IoBoardSettings, dossiers: Dossiers, post: Post) -> None:
        self.lane = Lane("io-board-keeper", turn=self._turn)
        self.condition = Condition(Device.IO_BOARD, post)
        self.board = IoBoard(settings, self._sensed, self._lost)
        self._doors = LeasedDoors(self.board, settings, self._lost)
        self._lamps = SignalLamps(self.board, self._lost)
        self._dossiers = dossiers
        self._post = post
        self._levels: dict[str, bool] = {}
        self._persons: int | None = None
        self._emergency = False
        self._pattern = "out_of_service"
        self._gone = threading.Event()
        self._gone.set()

    # --- what the heart asks --------------------------------------------------------------------

    def unlock(self, door: Door, lease_s: float) -> None:
        """Lease a door open."""
        self._doors.unlock(door, lease_s)

    def lock(self, door: Door) -> None:
        """Lock a door now; a board that is away has locked by itself."""
        self._emergency = False
        if not self._gone.is_set():
            self._doors.lock(door)

    def release_all(self) -> None:
        """Emergency; holds also over a board that comes back."""
        self._emergency = True
        self._doors.release_all()

    def show(self, lamps: str) -> None:
        """Show a lamp pattern, now or as soon as the board is back."""
        self._pattern = lamps
        if not self._gone.is_set():
            self._lamps.show(lamps)

    def fire_is_on(self) -> bool:
        """Whether the fire input is active now; a board that cannot say counts as active."""
        try:
            return self.board.read("fire")
        except DeviceError:
            return True

    def close(self) -> None:
        """Lock the doors and let go."""
        self._doors.close()
        self._lamps.close()
        self.board.close()

    # --- what the sensors say (in the board's own thread) -----------------------------------------

    def _sensed(self, name: str, active: bool) -> None:  # noqa: FBT001  # the level is the message
        at = time.monotonic()
        self._levels[name] = active
        match name:
            case "document" if active:
                passage, now = secrets.token_hex(8), now_utc()
                self._dossiers.begin(passage, now)
                utc = now.isoformat(timespec="milliseconds")
                self._post(ev.DocumentPlaced(at=at, passage=passage, utc=utc))
            case "document":
                self._post(ev.DocumentRemoved(at=at))
            case "entry_shut" | "exit_shut":
                self._post(ev.DoorMoved(at=at, door=Door(name.removesuffix("_shut")), shut=active))
            case "occupied" | "crowded":
                self._count(at)
            case "fire" if active:
                self._post(ev.EmergencyRaised(at=at))
            case _:
                pass

    def _count(self, at: float) -> None:
        """More than one counts even if the line for the first is broken."""
        persons = 2 if self._levels.get("crowded") else int(self._levels.get("occupied", False))
        if persons != self._persons:
            self._persons = persons
            self._post(ev.OccupancyChanged(at=at, persons=persons))

    # --- faults -----------------------------------------------------------------------------------

    def _lost(self, error: DeviceError) -> None:
        latched = error.code in LATCHED
        if not latched:
            self._gone.set()
        self.condition.failed_with(error, latched=latched)

    def _turn(self) -> None:
        if not self._gone.is_set():
            if time.monotonic() - self.board.turned_at > QUIET_S:
                self._lost(
                    DeviceError("io_board", "not_watched", "restart gated; if it recurs, replace the board")
                )
            return
        self.board.close()
        self._levels.clear()
        self._persons = None
        try:
            self.board.open()
            if self._emergency:
                self._doors.release_all()
            else:
                self._doors.lock_all()  # a lease from before the loss is over
            self._lamps.show(self._pattern)
        except DeviceError as error:
            self.condition.failed_with(error)
            return
        self._gone.clear()
        self.condition.ready()
