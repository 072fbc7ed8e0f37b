"""The twists that are faults: what breaks of the lane, its devices and its machine, and how it is mended."""

import signal
import time
from collections.abc import Mapping
from threading import Event, Thread
from typing import Final

from gated.core.vocabulary import Door
from hw_sim.course import Course
from hw_sim.reader.reader_model import Fault
from hw_sim.scenarios import Twist
from hw_sim.site import Site
from hw_sim.supervisor import DaemonError

RESTART_S: Final = 1.0  # as in the units
POLL_S: Final = 0.1
OPENS_S: Final = 15.0  # until the entry opens for the traveller
SEEN_S: Final = 0.45
FLAP_S: Final = 0.004  # between two edges of a loose plug
MID_READ: Final = 8  # of the exchanges with the chip, the one that is cut off
LEAP_S: Final = 3 * 3600.0
ENDS_S: Final = 15.0  # until a daemon that cannot go on has ended
LEFT_BYTES: Final = 8 * 2**20
SYNC_S: Final = 1.2

# --- the lane ---------------------------------------------------------------------------------------


def _entry_sticks_open(site: Site) -> None:
    site.world.wait_until(lambda: site.world.door(Door.ENTRY) >= 1.0, OPENS_S)
    site.world.jam(Door.ENTRY)


def _contact_breaks(site: Site) -> None:
    """Not before the gate, which looks five times a second, has seen the door shut."""
    time.sleep(SEEN_S)
    site.world.stick("entry_shut", active=False)


class LoosePlug:
    """An input that flaps from `shake` until `push_home`."""

    def __init__(self) -> None:
        self._home = Event()
        self._shaking: Thread | None = None

    def shake(self, site: Site, name: str) -> None:
        """Let the plug be loose."""
        self._home.clear()
        site.world.note("fault", name, "flaps")
        self._shaking = Thread(target=self._flap, args=(site, name), name="loose-plug", daemon=True)
        self._shaking.start()

    def push_home(self, site: Site, name: str) -> None:
        """Mend it."""
        self._home.set()
        if self._shaking is not None:
            self._shaking.join()
        site.board.mend(name)
        site.world.note("fault", name, "mended")

    def _flap(self, site: Site, name: str) -> None:
        active = False
        while not self._home.wait(FLAP_S):
            active = not active
            site.board.rattle(name, active)


_PLUG = LoosePlug()

# --- the devices ------------------------------------------------------------------------------------


def _board_goes(site: Site) -> None:
    site.world.note("fault", "GPIO chip", "gone")
    site.gpio.close()


def _reader_is_back(site: Site) -> None:
    """Plug it in; then pull it out once more, while nobody is there."""
    site.usb.bus.plug(site.reader)
    site.world.note("fault", "chip reader", "plugged in")
    site.await_state({"idle"}, ENDS_S)
    site.usb.bus.unplug(site.reader)
    site.world.note("fault", "chip reader", "pulled out")
    site.await_state({"out_of_service"}, ENDS_S)
    site.usb.bus.plug(site.reader)
    site.world.note("fault", "chip reader", "plugged in")


# --- the machine ------------------------------------------------------------------------------------


def _clock_leaps(site: Site) -> None:
    site.world.note("fault", "clock", "leaps")
    site.machine.leap(LEAP_S)


def _clock_is_set_right(site: Site) -> None:
    """That is a leap too; a technician who clears the fault before the gate has seen it clears it again."""
    log = site.daemons["gated"].log
    told = log.read_text(encoding="utf-8").count("clock_leapt")
    site.machine.leap(0)
    deadline = time.monotonic() + ENDS_S
    while log.read_text(encoding="utf-8").count("clock_leapt") == told and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _gated_hangs(site: Site) -> None:
    """What was released stays so, until the watchdog ends the process and its lines fall back."""
    gated = site.daemons["gated"]
    gated.signal(signal.SIGSTOP)
    site.world.note("fault", "gated", "hangs")
    if not gated.end_by_watchdog(ENDS_S):
        raise DaemonError("gated fed its watchdog while it was stopped")
    site.world.note("fault", "gated", "ended by its watchdog")
    time.sleep(RESTART_S)
    gated.start()


def _disk_is_read_only(site: Site) -> None:
    """Nothing can be recorded, so nothing may move: gated ends, and so does the next one; gate-safe holds."""
    gated = site.daemons["gated"]
    site.world.note("fault", "disk", "read-only")
    site.machine.make_read_only()
    if gated.wait(ENDS_S) is None:
        raise DaemonError("gated goes on with a disk that takes no records")
    time.sleep(RESTART_S)
    try:
        gated.start()
        gated.wait(ENDS_S)
    except DaemonError:
        pass  # it said why, and ended before it was ready
    if site.safe is not None:
        site.safe.start()


def _disk_is_writable(site: Site) -> None:
    site.machine.mend_disk()
    if site.safe is not None:
        site.safe.stop()
    site.daemons["gated"].start()


BREAKDOWNS: Mapping[Twist, Course] = {
    Twist.ENTRY_STICKS_OPEN: Course(
        happens=_entry_sticks_open, mended=lambda site: site.world.jam(Door.ENTRY, jammed=False)
    ),
    Twist.EXIT_STICKS_SHUT: Course(
        happens=lambda site: site.world.jam(Door.EXIT),
        mended=lambda site: site.world.jam(Door.EXIT, jammed=False),
    ),
    Twist.CONTACT_BREAKS: Course(
        happens=_contact_breaks,
        mended=lambda site: site.world.mend("entry_shut"),
    ),
    Twist.PRESENCE_STICKS: Course(
        happens=lambda site: site.world.stick("occupied", active=True),
        mended=lambda site: site.world.mend("occupied"),
    ),
    Twist.BOARD_GOES: Course(
        happens=_board_goes, mended=lambda site: site.replug_board(), mended_when_told=True
    ),
    Twist.INPUT_FLAPS: Course(
        happens=lambda site: _PLUG.shake(site, "document"),
        mended=lambda site: _PLUG.push_home(site, "document"),
    ),
    Twist.LINE_IS_DISTURBED: Course(
        comes=lambda site, seed: site.scanner.disturb(seed), mended=lambda site: site.scanner.calm()
    ),
    Twist.READER_GOES: Course(
        comes=lambda site, _: site.reader.arm(Fault.UNPLUG, transfer=MID_READ), mended=_reader_is_back
    ),
    Twist.CLOCK_LEAPS: Course(happens=_clock_leaps, mended=_clock_is_set_right, mended_when_told=True),
    Twist.GATED_HANGS: Course(happens=_gated_hangs),
    Twist.DISK_FILLS: Course(
        happens=lambda site: site.machine.fill_disk(LEFT_BYTES),
        mended=lambda site: site.machine.mend_disk(),
    ),
    Twist.DISK_IS_READ_ONLY: Course(
        happens=_disk_is_read_only, mended=_disk_is_writable, mended_when_told=True
    ),
    Twist.DISK_IS_SLOW: Course(
        happens=lambda site: site.machine.slow_down(SYNC_S),
        mended=lambda site: site.machine.mend_disk(),
    ),
}
