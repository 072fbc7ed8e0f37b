"""The two doors as leases: an unlock ends by itself, whatever becomes of the program that asked for it.

Who relocks when what fails:
- the daemon's loop hangs, or never asks to lock: the thread in here, at the end of the lease;
- this process dies or is stopped: the kernel lets go of the lines and the monostable relays fall back
  (a SIGSTOP keeps the lines: the service's watchdog kills such a process);
- a write fails: it is repeated until it holds, everything else is locked at once, and the fault is told.

Below the state machine, and knowing nothing of it, stands the interlock: both doors are never released
at once, except in an emergency that was declared by `release_all`. An emergency holds without a lease,
because in a fire a hung program must not lock people in; it ends when both doors have been locked.
A door that was released a moment ago may be about to open though its contact still says shut: so the other
one is released only when that has settled.

The same thread compares the position sensors with the commands (`DoorWatch`): a lock is only a wish until
the door is seen to be shut.
"""

import threading
import time
from enum import StrEnum
from math import inf
from typing import Final, Protocol

from drivers.gpio import Lines, OnFault
from gated.core.ports import DeviceError
from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Door

DEVICE: Final = "doors"
RETRY_S: Final = 0.25  # a lock that could not be written is written again this often
WATCH_S: Final = 0.2  # the position sensors are compared with the commands this often
FORCED_S: Final = 0.3  # a shut door may rattle this long before it counts as forced
OPEN_S: Final = 2.5  # a door begins to open well within a second of its release
SETTLE_S: Final = 1.0  # a door that was locked before it began to open would have begun by then
SHUT_S: Final = 6.0  # a door closes in about 1 s; the rest is for people in the doorway
JOIN_S: Final = 2.0


class Locks(Protocol):
    """What releases and locks the doors, and sees whether they are shut. Each verb may raise DeviceError."""

    def release(self, door: Door, at_most_s: float) -> None:
        """Release the door; `at_most_s` is infinite in an emergency. Whoever calls this locks it in time."""

    def lock(self, door: Door) -> None:
        """Lock the door now."""

    def is_shut(self, door: Door) -> bool:
        """Whether the door is seen to be shut."""


class LineLocks:
    """`Locks` by the lines of a board: they know no time of their own."""

    def __init__(self, board: Lines) -> None:
        self._board = board

    def release(self, door: Door, at_most_s: float) -> None:  # noqa: ARG002 - the relay has no clock
        """Energise the release."""
        self._board.write(_release_of(door), active=True)

    def lock(self, door: Door) -> None:
        """Let the release fall back."""
        self._board.write(_release_of(door), active=False)

    def is_shut(self, door: Door) -> bool:
        """What the position contact says."""
        return self._board.read(f"{door}_shut")


class Interlock(DeviceError):
    """A door and its command, or the two doors, contradict each other: somebody must go and look.

    As an answer to `unlock`: both doors would have been released at once, and nothing was released.
    """


class DoorWatch:
    """Whether one door follows its command. Fed with observations, it names each breach once.

    What looks like a door that sticks may be a contact that does: only somebody who looks can tell.
    """

    class Breach(StrEnum):
        """What is wrong with a door."""

        FORCED = "door_forced"  # it opened though it was never released
        NOT_SHUT = "door_not_shut"  # it was released, locked again, and did not shut
        NOT_OPEN = "door_not_open"  # it was released and did not begin to open

    def __init__(self, forced_s: float = FORCED_S, shut_s: float = SHUT_S, open_s: float = OPEN_S) -> None:
        self._forced_s = forced_s
        self._shut_s = shut_s
        self._open_s = open_s
        self._free = True  # may be open: released, or not seen shut since it was
        self._against: str | None = None  # how the door and its command differ: "open", "shut"
        self._since = 0.0  # they do since then
        self._told = False

    def observe(self, *, shut: bool, released: bool, now: float) -> Breach | None:
        """Take one look at the door; returns a breach the first time that it is seen."""
        if released or shut:
            self._free = released
        against = None if released is not shut else ("shut" if shut else "open")
        if against != self._against:
            self._against, self._since, self._told = against, now, False
        breach, patience_s = self._breach()
        if breach is None or self._told or now - self._since < patience_s:
            return None
        self._told = True
        return breach

    def _breach(self) -> tuple[Breach | None, float]:
        """What the present difference comes to, and how long it may last."""
        match self._against:
            case "shut":
                return self.Breach.NOT_OPEN, self._open_s
            case "open" if self._free:
                return self.Breach.NOT_SHUT, self._shut_s
            case "open":
                return self.Breach.FORCED, self._forced_s
            case _:
                return None, 0.0


_FIXES: Final = {
    DoorWatch.Breach.FORCED: (
        "the {door} door is open though it was not released: see who opened it, and its lock and contact"
    ),
    DoorWatch.Breach.NOT_SHUT: (
        "the {door} door was locked and does not shut: free it, and see its drive and contact"
    ),
    DoorWatch.Breach.NOT_OPEN: (
        "the {door} door was released and does not open: free it; if it does open, its contact sticks"
    ),
}


class Leases:
    """The doors as leases, over whatever locks them.

    `on_fault` hears, from the doors' own thread, of locks that could not be written and of doors that do
    not follow their command; it must return at once. `doors` are those that the lane has: the contact of one
    that is not there says nothing, and is not listened to.
    """

    def __init__(
        self,
        locks: Locks,
        max_lease_s: float,
        on_fault: OnFault,
        doors: frozenset[Door] = frozenset(Door),
    ) -> None:
        self._locks = locks
        self._max_lease_s = max_lease_s
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._released: dict[Door, float] = {}  # until when; infinite in an emergency
        self._unconfirmed: dict[Door, float] = {}  # lock wanted but not written yet: when to try again
        self._held: dict[Door, float] = {}  # release wanted while the other door settles: until when
        self._locked_at: dict[Door, float] = {}  # when a door that was released was locked
        self._emergency = False
        self._watches = {door: DoorWatch() for door in Door if door in doors}
        self._watch_at = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="doors", daemon=True)
        self._thread.start()

    @property
    def released(self) -> frozenset[Door]:
        """The doors that are released, or whose lock could not be written yet."""
        with self._changed:
            return frozenset(self._released) | frozenset(self._unconfirmed)

    def unlock(self, door: Door, lease_s: float) -> None:
        """Release the door for `lease_s` seconds, at most `max_lease_s`; replaces its lease.

        Where the other door was released a moment ago, this one is as soon as that has settled and is shut.
        Raises Interlock while the other door is released, DeviceError when the line cannot be written
        (then both doors are locked) or the thread that ends leases is gone, ValueError for a lease that
        is not positive.
        """
        if not self._thread.is_alive():
            raise DeviceError(DEVICE, "no_guard", "nothing would end the lease: restart the daemon")
        if not lease_s > 0:  # so written, not-a-number is refused too: it would never expire
            raise ValueError("a lease lasts longer than 0 seconds")
        with self._changed:
            if self._emergency:  # a board that was opened anew meanwhile has forgotten it
                self._locks.release(door, inf)
                return
            if (set(self._released) | set(self._unconfirmed) | set(self._held)) - {door}:
                raise Interlock(
                    DEVICE, "interlock", f"{door} was not released, the other door is: report this as a bug"
                )
            now, lease_s = time.monotonic(), min(lease_s, self._max_lease_s)
            self._changed.notify()
            if self._settles_at(door) > now:
                self._held[door] = now + lease_s
                return
            self._released[door] = now + lease_s
            self._unconfirmed.pop(door, None)
            self._release(door, lease_s)

    def lock(self, door: Door) -> None:
        """End the lease now. Raises DeviceError when the line cannot be written; it is tried again."""
        with self._changed:
            self._lock(door)

    def lock_all(self) -> None:
        """Lock both doors and end an emergency.

        Raises the first DeviceError, after both doors were tried; the locks are tried again.
        """
        with self._changed:
            self._lock(*Door)
            if self._locked_at:  # the ends of a lane may change their names after this
                self._locked_at = dict.fromkeys(Door, max(self._locked_at.values()))

    def release_all(self) -> None:
        """Emergency: release both doors, without a lease, until they are locked.

        Raises the first DeviceError, after both doors were tried.
        """
        failed: list[DeviceError] = []
        with self._changed:
            self._emergency = True
            self._unconfirmed.clear()
            self._held.clear()
            for door in Door:
                self._released[door] = inf
                try:
                    self._locks.release(door, inf)
                except DeviceError as error:
                    failed.append(error)
        if failed:
            raise failed[0]

    def close(self) -> None:
        """Lock both doors if the board still listens, and stop. Idempotent, never raises."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            try:
                self._lock(*Door)
            except DeviceError as error:
                self._tell(error)
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    # --- under the lock of `_changed` ------------------------------------------------------------

    def _release(self, door: Door, at_most_s: float) -> None:
        try:
            self._locks.release(door, at_most_s)
        except DeviceError:
            self._lock_quietly()
            raise

    def _lock_quietly(self) -> None:
        """Lock everything that can be locked; what cannot is tried again by the thread."""
        try:
            self._lock(*Door)
        except DeviceError:
            return

    def _lock(self, *doors: Door) -> None:
        failed: list[DeviceError] = []
        for door in doors:
            self._held.pop(door, None)
            if self._released.pop(door, None) is not None:
                self._locked_at[door] = time.monotonic()
            try:
                self._locks.lock(door)
            except DeviceError as error:
                failed.append(error)
                self._unconfirmed[door] = time.monotonic() + RETRY_S
            else:
                self._unconfirmed.pop(door, None)
        if not self._released:
            self._emergency = False
        self._changed.notify()
        if failed:
            raise failed[0]

    def _settles_at(self, door: Door) -> float:
        """When the other door, if it was released of late, would have begun to open."""
        return max((at + SETTLE_S for other, at in self._locked_at.items() if other is not door), default=0.0)

    # --- the doors' own thread -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                faults = [*self._expire(now), *self._retry(now), *self._let_go(now), *self._look(now)]
                if not faults:
                    self._changed.wait(max(0.0, self._next_due() - time.monotonic()))
            for fault in faults:
                self._tell(fault)

    def _tell(self, fault: DeviceError) -> None:
        """Tell of a fault. A listener that fails is reported like a dying thread, but the leases go on."""
        try:
            self._on_fault(fault)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep a door released
            reason = (type(error), error, error.__traceback__, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(reason))

    def _next_due(self) -> float:
        held = (self._settles_at(door) for door in self._held)
        return min((self._watch_at, *self._released.values(), *self._unconfirmed.values(), *held))

    def _expire(self, now: float) -> list[DeviceError]:
        """Lock the doors whose lease has ended. On a failed write lock everything."""
        ended = [door for door, until in self._released.items() if until <= now]
        if not ended:
            return []
        try:
            self._lock(*ended)
        except DeviceError as error:
            self._lock_quietly()
            return [error]
        return []

    def _retry(self, now: float) -> list[DeviceError]:
        """Write again the locks that failed; their fault has been told."""
        for door in [door for door, at in self._unconfirmed.items() if at <= now]:
            try:
                self._lock(door)
            except DeviceError:
                continue  # `_lock` has set the next try
        return []

    def _let_go(self, now: float) -> list[DeviceError]:
        """Release what waited for the other door to settle; one that turned out to open has it asked anew."""
        faults: list[DeviceError] = []
        for door in [door for door in self._held if self._settles_at(door) <= now]:
            until = self._held.pop(door)
            try:
                if until <= now or not all(
                    self._locks.is_shut(other) for other in self._watches.keys() - {door}
                ):
                    continue
                self._released[door] = until
                self._release(door, until - now)
            except DeviceError as error:
                faults.append(error)
        return faults

    def _look(self, now: float) -> list[DeviceError]:
        """Compare the sensors with the commands, as far as they can be read."""
        if now < self._watch_at:
            return []
        self._watch_at = now + WATCH_S
        faults: list[DeviceError] = []
        for door, watch in self._watches.items():
            try:
                shut = self._locks.is_shut(door)
            except DeviceError:
                continue  # the board's own watch tells of a board that is lost
            released = door in self._released
            breach = watch.observe(shut=shut, released=released, now=now)
            if breach is not None:
                faults.append(Interlock(DEVICE, breach, _FIXES[breach].format(door=door)))
        return faults


class LeasedDoors(Leases):
    """The doors on the lines of the I/O board; no lease is longer than `[io_board] max_lease_s`."""

    def __init__(self, board: Lines, settings: IoBoardSettings, on_fault: OnFault) -> None:
        super().__init__(LineLocks(board), settings.max_lease_s, on_fault)


def _release_of(door: Door) -> str:
    """The name of the output that releases a door."""
    return f"{door}_release"
