"""The lane of the I/O board: doors, lamps and sensors.

The drivers bring their own threads: one watches the inputs, one keeps the doors' leases, one blinks. This
lane performs what the heart asks of them, and opens the board again when it was lost; `gated.lanes.sensors`
says what the sensors see. A door that does not follow its command is a latched fault: somebody must go and
look.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, tzinfo

from drivers.door import Interlock, Leases, LineLocks
from drivers.face_light import FaceLight, Switch
from drivers.gpio import IoBoard, LineFlaps, OnFault
from drivers.guarded_board import Board, GuardedBoard, guarded
from drivers.safety_faults import INCIDENTS
from gated.core.gate import BOTH
from gated.core.ports import DeviceError, Watch
from gated.core.settings.board import IoBoardSettings, SafetyControllerSettings
from gated.core.vocabulary import Device, Direction, Door
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.lanes.ends import Ends
from gated.lanes.guidance import Guidance
from gated.lanes.sensors import Sensors
from gated.lanes.trace import Trace
from gated.runtime.lanes import Lane
from gated.store.door_cycles import DoorCycles

NO_GUARD = "no_guard"  # the doors' own thread is gone
NOT_OPEN = "not_open"  # the keeper is just opening it, and brings everything in line when it is open
QUIET_S = 5.0  # the watching thread reads all lines every second
TRY_S = 2.0  # so long one lamp burns for a technician to look at it

_CONTACTS = {f"{door}_shut": door for door in Door}


class NotGuardedError(Exception):
    """Nothing would end a lease any more: only a new process brings back the thread that does."""


class BoardLane:
    """Owns the board. What the loop asks of it raises NotGuardedError; whatever else fails is a fault."""

    def __init__(
        self,
        settings: IoBoardSettings,
        dossiers: Dossiers,
        post: Post,
        make: Callable[[IoBoardSettings, Watch, OnFault], Board] = IoBoard,
        zone: tzinfo = UTC,
        safety: SafetyControllerSettings | None = None,
        cycles: DoorCycles | None = None,
        direction: Direction = Direction.FORWARD,
        doors: frozenset[Door] = BOTH,
    ) -> None:
        """Make the board of a lane with these doors that is walked so first; `safety` may command them."""
        if safety is not None:
            make = guarded(safety, make)
        self.lane = Lane("io-board-keeper", turn=self._turn)
        self.condition = Condition(Device.IO_BOARD, post)
        lost = self.lane.guarded(self._lost)
        self.board = make(settings, self.lane.guarded(self._sensed), lost)
        ends = Ends(self.board, direction)
        self.sensors = Sensors(settings, ends, self.condition, dossiers, post, doors)
        locks = self.board.locks(ends.turned) if isinstance(self.board, GuardedBoard) else LineLocks(ends)
        self._doors = Leases(locks, settings.max_lease_s, lost, doors)
        self._guidance = Guidance(settings, self.board, ends, lost, zone)
        self._face_light = FaceLight(self.board, lost) if settings.outputs.face_light else None
        self._emergencies = ("fire", "panic") if settings.inputs.panic or safety else ("fire",)
        self._commanding = threading.Lock()  # loop and keeper: no lock of one after a release of the other
        self._emergency = False
        self.trace = Trace()
        self._ends, self._cycles = ends, cycles
        self._tried_until: float | None = None  # a lamp that a technician looks at
        lines = self.board.lines if isinstance(self.board, GuardedBoard) else self.board
        self._lines = lines if isinstance(lines, IoBoard) else None
        if self._lines:
            self._lines.on_edge = self.trace.edge
        self._loss: DeviceError | None = DeviceError("io_board", "starting", "wait a second")

    # --- what the heart asks --------------------------------------------------------------------

    def unlock(self, door: Door, lease_s: float) -> None:
        """Lease a door open."""
        self._trace_release(door, active=True)
        self._command(lambda: self._doors.unlock(door, lease_s))

    def lock(self, door: Door) -> None:
        """Lock a door now; a board that is away has locked by itself."""
        with self._commanding:
            self._emergency = False
            self._trace_release(door, active=False)
            self._command(lambda: self._doors.lock(door))

    def release_all(self) -> None:
        """Emergency; holds also over a board that comes back, and over a write that failed."""
        with self._commanding:
            self._emergency = True
            self._command(self._doors.release_all)

    def show(self, lamps: str) -> None:
        """Show a lamp pattern, now or as soon as the board is back."""
        self._command(lambda: self._guidance.show(lamps))

    def try_lamp(self, lamp: str) -> None:
        """Light one lamp alone for a moment, by its wire; the face light plays its code."""
        if lamp == "face_light":
            self.light_face()
            return
        self._tried_until = time.monotonic() + TRY_S
        self._command(lambda: self._guidance.try_lamp(lamp))

    @property
    def cycles(self) -> dict[str, int]:
        """How often each door opened and shut again, by its physical end."""
        return {door: getattr(self._cycles.counts, door) for door in Door} if self._cycles else {}

    def turn(self, direction: Direction) -> bool:
        """Serve this direction; returns whether it does.

        Both doors are locked before, since they change their names; where one cannot be, nothing is turned.
        """
        with self._commanding:
            if not self._command(self._doors.lock_all):
                return False
            self.sensors.turn(direction)
        self._command(self._guidance.show_again)
        return True

    def watch_anew(self) -> None:
        """Forget what the light curtains saw while somebody worked on the lane."""
        self.sensors.watch_anew()

    def light_face(self) -> tuple[Switch, ...]:
        """Begin a new code of the face light; return it, empty where the lane has no such lamp."""
        return self._face_light.play() if self._face_light else ()

    def darken_face(self) -> None:
        """Put the face light out."""
        if self._face_light:
            self._face_light.put_out()

    def _command(self, command: Callable[[], None]) -> bool:
        """Do it if the board is there; returns whether it is. One that refuses is opened afresh, locked."""
        try:
            command()
        except DeviceError as error:
            if error.code == NO_GUARD:
                raise NotGuardedError(error.fix) from error
            if self._loss is None and error.code != NOT_OPEN:  # what is away was told already
                self._lost(error)
            return False
        return True

    def fire_is_on(self) -> bool:
        """Whether fire or panic is active, or has not held its end yet; a board that cannot say counts so.

        An alarm that was over for a bounce only, and goes on, would make no edge that anybody is told of.
        """
        told = self.trace.levels()
        if any(told[name][0] for name in self._emergencies if name in told):
            return True
        try:
            return any(self.board.read(name) for name in self._emergencies)
        except DeviceError:
            return True

    def close(self) -> None:
        """Lock the doors and let go."""
        self._doors.close()
        self._guidance.close()
        if self._face_light:
            self._face_light.close()
        self.board.close()

    def _sensed(self, name: str, active: bool) -> None:  # noqa: FBT001  # the level is the message
        self.trace.hold(name, active)
        if self._cycles is not None and name in _CONTACTS:
            self._cycles.moved(_CONTACTS[name], shut=active)
        self.sensors.sense(name, active, self._lines.told_at if self._lines else None)

    def _trace_release(self, door: Door, *, active: bool) -> None:
        self.trace.hold(self._ends.turned(f"{door}_release"), active)

    # --- faults -----------------------------------------------------------------------------------

    def _lost(self, error: DeviceError) -> None:
        latched = error.code in INCIDENTS or isinstance(error, Interlock | LineFlaps)
        if not latched:
            self._loss = error
        self.condition.failed_with(error, latched=latched)

    def _turn(self) -> None:
        if self._loss is None:
            self._watch()
        if self._tried_until is not None and self._tried_until <= time.monotonic():
            self._tried_until = None
            self._command(self._guidance.show_again)
        if self._loss is not None:
            self._reopen()

    def _watch(self) -> None:
        """See that the inputs are watched, and that an emergency really holds."""
        if time.monotonic() - self.board.turned_at > QUIET_S:
            self._lost(
                DeviceError("io_board", "not_watched", "restart gated; if it recurs, replace the board")
            )
            return
        with self._commanding:
            if self._emergency:
                self._command(self._doors.release_all)

    def _reopen(self) -> None:
        self.board.close()
        self.sensors.forget()
        self.trace.forget()
        self._loss = None  # from here on a loss is a new one
        try:
            self.board.open()
            with self._commanding:
                if self._emergency:
                    self._doors.release_all()
                else:
                    self._doors.lock_all()  # a lease from before the loss is over
            self._guidance.show_again()
        except DeviceError as error:
            self._lost(error)
            return
        self.condition.ready()
        self._tell_loss()

    def _tell_loss(self) -> None:
        """Say it again if the board was lost while it came back: `ready` may have been the later word."""
        if self._loss is not None:
            self.condition.failed_with(self._loss)
