"""The wall clock, and whether it may be believed: the kernel knows if something keeps it synchronised.

Certificates and lists are valid for a time, so a gate with a wrong date admits whom it must not. The kernel
holds the state that NTP daemons maintain (adjtimex(2)); reading it needs no privilege. Where the state
cannot be read the clock counts as not synchronised. In a unit this needs `ProtectClock=no` and the call
`clock_adjtime` in the system call filter: the C library reads the state through it.
"""

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime

STA_UNSYNC = 0x0040  # <linux/timex.h>: nobody has corrected the clock for a while
STA_CLOCKERR = 0x1000  # the reference clock reports a fault
TIME_ERROR = 5  # the return value that sums up both, and some more
LEAP_S = 10.0  # corrections of seconds happen after a start; an officer's word is good for 30 s


class Timex(ctypes.Structure):
    """`struct timex` of <linux/timex.h>; with `modes` zero the kernel fills it in and changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_s", ctypes.c_long),
        ("time_fraction", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


def synchronised() -> bool:
    """Whether the kernel holds the clock for synchronised; False if that cannot be known."""
    try:
        state, kernel = read_kernel_clock()
    except (OSError, AttributeError):  # AttributeError: a C library without the call
        return False
    return believable(state, kernel.status)


def believable(state: int, status: int) -> bool:
    """Judge adjtimex's return value and status bits."""
    return 0 <= state != TIME_ERROR and not status & (STA_UNSYNC | STA_CLOCKERR)


def read_kernel_clock() -> tuple[int, Timex]:
    """Ask the kernel for the state of its clock. Raises OSError when it does not tell."""
    kernel = Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(kernel))
    if state < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return state, kernel


def now_utc() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)


class LeapWatch:
    """Whether the wall clock goes on as the clock does that nobody can set. One thread uses it."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._wall, self._steady = wall, steady
        self._ahead = wall() - steady()

    def look(self) -> float | None:
        """Return by how many seconds the wall clock leapt since the last look; None if it did not."""
        ahead = self._wall() - self._steady()
        leap, self._ahead = ahead - self._ahead, ahead
        return leap if abs(leap) >= LEAP_S else None
