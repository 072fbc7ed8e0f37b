"""The safety controller on a serial line: releases, door sensors and the fire input behind one cable.

The controller enforces by itself that the doors are never released both, that no release outlives the PC,
and that a fire releases both (`docs/safety-controller.md`). Here is only the PC's end: `SafetyController`
offers `drivers.door.Locks`, so `drivers.door.Leases` keeps the leases over it as over the lines of a board;
and inputs by `watch`, as `drivers.gpio`.

A command is written at once, by whoever gives it. One thread reads the reports and renews the wish every
heartbeat, for as long as each lease still lasts: when the thread, the process or the PC dies, no heartbeat
comes and the controller locks. A session that ended is told once to `on_fault`; `close` and `open` again.
What `INCIDENTS` (`drivers.safety_faults`) lists ends no session: somebody must look.
"""

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from drivers.gpio import OnFault
from drivers.safety_faults import DEVICE, FIXES, error_of
from drivers.safety_protocol import MAX_RELEASE_MS, Fault, Input, Mode, Output, Report, State
from drivers.safety_session import Identity, Session, SessionOver
from drivers.serial_line import SerialLine
from gated.core.ports import DeviceError, DeviceGone, Watch
from gated.core.settings.board import SafetyControllerSettings
from gated.core.vocabulary import Door

JOIN_S: Final = 2.0  # the thread waits for one heartbeat at most
FOLLOW_S: Final = 1.0  # a wish that is not fulfilled after this is told; the other door shuts within it

RELEASE: Final = {Door.ENTRY: Output.ENTRY, Door.EXIT: Output.EXIT}
REVERSING: Final = {Door.ENTRY: Output.ENTRY_REVERSING, Door.EXIT: Output.EXIT_REVERSING}
SHUT: Final = {Door.ENTRY: Input.ENTRY_SHUT, Door.EXIT: Input.EXIT_SHUT}
CAUSES: Final = Input.FIRE | Input.PANIC


class Obedience:
    """Whether one door is released and locked as is wished. It names each breach once."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._told = False

    def observe(self, *, wished: bool, released: bool, now: float) -> str | None:
        """Take one look; returns a code the first time that it is due."""
        if wished == released:
            self._since, self._told = None, False
            return None
        if self._since is None:
            self._since = now
        if self._told or now - self._since < FOLLOW_S:
            return None
        self._told = True
        return "not_released" if wished else "not_locked"


class SafetyController:
    """`drivers.door.Locks`, and the inputs `entry_shut`, `exit_obstructed`, `fire` ... of `Input`.

    `watch` learns every input's level after `open`, and each change, from the controller's thread; `on_fault`
    hears there of incidents, and once that the session is over. Both must return at once.
    """

    def __init__(
        self,
        settings: SafetyControllerSettings,
        watch: Watch,
        on_fault: OnFault,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._on_fault = on_fault
        self._clock = clock
        self._line = _line(settings)
        self._guard = threading.Lock()  # session, wishes and writes
        self._session: Session | None = None
        self._report: Report | None = None
        self._until: dict[Door, float] = {}  # until when a release is wished for; infinite in an emergency
        self._ending = False  # an emergency that has no cause any more is over
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def turned_at(self) -> float:
        """When the controller was last heard (monotonic seconds): its sign of life, and of the thread."""
        session = self._session
        return session.heard_at if session else 0.0

    @property
    def identity(self) -> Identity | None:
        """Who the controller is; None when no session is on."""
        session = self._session
        return session.identity if session else None

    @property
    def report(self) -> Report | None:
        """The last report; None when no session is on."""
        return self._report

    def open(self) -> None:
        """Begin a session, in which nothing is released yet, and start to watch.

        Raises DeviceGone (not there, silent), DeviceError (wrong version or configuration, another fault of
        `FIXES`).
        """
        if self._thread is not None:
            raise RuntimeError("the safety controller is open already")
        self._line.open()
        try:
            with _as_device_error():
                expected = bytes.fromhex(self._settings.configuration)
                session, report = _greet(self._line, self._settings, expected, self._clock)
        except DeviceError:
            self._line.close()
            raise
        with self._guard:
            self._until.clear()
            self._ending = False
            self._session, self._report = session, report
            self._stop = stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(session, report, stop), name="safety-controller", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the session; the controller locks. Idempotent, never raises."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(JOIN_S)
        with self._guard:
            self._until.clear()
            if self._session is not None:
                with contextlib.suppress(DeviceError):  # it locks anyway, for want of a heartbeat
                    self._send()
            self._session = self._report = None
            self._line.close()

    def read(self, name: str) -> bool:
        """Whether an input is active, as the last report says. Raises DeviceGone."""
        return bool(self._told().inputs & Input[name.upper()])

    # --- drivers.door.Locks -------------------------------------------------------------------------

    def release(self, door: Door, at_most_s: float) -> None:
        """Wish for a release, of which the controller has the last word. Raises DeviceGone, DeviceTimeout.

        Both doors for an infinite time are an emergency.
        """
        with self._guard:
            self._until[door] = self._clock() + at_most_s
            if self._is_emergency:
                self._ending = False
            self._send()

    def lock(self, door: Door) -> None:
        """Wish a door locked; an emergency ends that has no cause any more. Raises as `release` does."""
        with self._guard:
            self._ending = self._ending or self._is_emergency or self._told().state is State.EMERGENCY
            self._until.pop(door, None)
            self._send()

    def is_shut(self, door: Door) -> bool:
        """Whether the controller sees the door shut. Raises DeviceGone."""
        return bool(self._told().inputs & SHUT[door])

    # --- under the lock of `_guard` -------------------------------------------------------------------

    @property
    def _is_emergency(self) -> bool:
        return all(self._until.get(door) == math.inf for door in Door)

    def _send(self) -> None:
        """Write the whole wish. Raises DeviceGone, DeviceTimeout."""
        if self._session is None:
            raise _not_open()
        self._line.write(self._wish(self._session))

    def _wish(self, session: Session) -> bytes:
        now = self._clock()
        self._until = {door: until for door, until in self._until.items() if until > now}
        left = {door: _milliseconds(self._until.get(door, now) - now) for door in Door}
        if self._is_emergency:
            return session.wish(0, 0, Mode.EMERGENCY, now)
        mode = Mode.END if self._ending else Mode.KEEP
        return session.wish(left[Door.ENTRY], left[Door.EXIT], mode, now)

    # --- the session ------------------------------------------------------------------------------------

    def _told(self) -> Report:
        report = self._report
        if report is None:
            raise _not_open()
        return report

    # --- the controller's own thread -----------------------------------------------------------------

    def _run(self, session: Session, report: Report, stop: threading.Event) -> None:
        try:
            with _as_device_error():
                self._follow(session, report, stop)
        except DeviceError as error:
            if not stop.is_set():
                self._on_fault(error)

    def _follow(self, session: Session, report: Report, stop: threading.Event) -> None:
        """Keep the session until it is to stop. Raises SessionOver, DeviceError."""
        obediences = {door: Obedience() for door in Door}
        try:
            self._tell_inputs(report, ~report.inputs)
            self._tell_faults(report.faults)
            while not stop.is_set():
                data = self._line.read(max(0.0, session.due - self._clock()))
                for said in self._turn(session, data):
                    self._hear(said, obediences)
        finally:
            if not stop.is_set():  # nobody renews the wishes any more: from here on every command is refused
                with self._guard:
                    self._session = self._report = None

    def _turn(self, session: Session, data: bytes) -> list[Report]:
        """Take what was received, and renew the wish if it is time. Raises SessionOver, DeviceError."""
        with self._guard:
            now = self._clock()
            reports = session.take(data, now)
            session.check(now)
            if reports and reports[-1].inputs & CAUSES:
                self._ending = False  # what was wished before is not about this one
            if now >= session.due:
                self._line.write(self._wish(session))
            return reports

    def _hear(self, report: Report, obediences: dict[Door, Obedience]) -> None:
        before = self._told()
        self._report = report
        self._tell_inputs(report, before.inputs)
        self._tell_faults(report.faults & ~before.faults)
        now = self._clock()
        for door, obedience in obediences.items():
            released = bool(report.outputs & RELEASE[door])
            free = report.state is State.EMERGENCY or report.outputs & REVERSING[door]
            wished = released if free else self._until.get(door, now) > now
            code = obedience.observe(wished=wished, released=released, now=now)
            if code is not None:
                self._on_fault(DeviceError(DEVICE, code, FIXES[code]))

    def _tell_inputs(self, report: Report, before: Input) -> None:
        for one in Input:
            if (report.inputs ^ before) & one:
                self._watch(str(one.name).lower(), bool(report.inputs & one))

    def _tell_faults(self, faults: Fault) -> None:
        for one in Fault:
            if faults & one:
                self._on_fault(error_of(one))


def read_identity(settings: SafetyControllerSettings) -> tuple[Identity, Report]:
    """Ask the controller who it is and how it is, whatever its configuration: for whoever commissions it.

    It must not be open elsewhere; nothing is released. Raises DeviceGone, DeviceError.
    """
    line = _line(settings)
    line.open()
    try:
        with _as_device_error():
            session, report = _greet(line, settings, None, time.monotonic)
    finally:
        line.close()
    if session.identity is None:
        raise AssertionError("a report came before the welcome")
    return session.identity, report


def _line(settings: SafetyControllerSettings) -> SerialLine:
    return SerialLine(DEVICE, settings.port, baud=settings.baud, bytesize=8, parity="N", stopbits=1)


def _greet(
    line: SerialLine,
    settings: SafetyControllerSettings,
    configuration: bytes | None,
    clock: Callable[[], float],
) -> tuple[Session, Report]:
    """Say hello until there is a session, then wish for nothing until a report comes. Raises SessionOver."""
    session = Session(secrets.randbits(32), configuration, settings.heartbeat_s, settings.timeout_s)
    while True:
        now = clock()
        if now >= session.due:
            line.write(session.wish(0, 0, Mode.KEEP, now) if session.is_running else session.hello(now))
        data = line.read(max(0.0, session.due - clock()))
        reports = session.take(data, clock())
        if reports:
            return session, reports[-1]
        session.check(clock())


def _milliseconds(seconds: float) -> int:
    """A wish that is not over is at least one millisecond long."""
    return min(MAX_RELEASE_MS, math.ceil(max(0.0, min(seconds, 600.0)) * 1000))


def _not_open() -> DeviceGone:
    return DeviceGone(DEVICE, "not_open", FIXES["not_open"])


@contextmanager
def _as_device_error() -> Generator[None, None, None]:
    try:
        yield
    except SessionOver as over:
        kind = DeviceGone if over.code in {"silent", "restarted", "heartbeat_lost"} else DeviceError
        raise kind(DEVICE, over.code, FIXES[over.code]) from over
