"""The wall clock: what the kernel says is read rightly, and doubt counts as no."""

import ctypes
import platform
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from gated.runtime import clock


@pytest.mark.parametrize(
    ("state", "status", "answer"),
    [
        (0, 0x0000, True),
        (0, 0x2001, True),  # STA_NANO and STA_PLL: an NTP daemon at work
        (1, 0x2001, True),  # a leap second is announced
        (0, clock.STA_UNSYNC, False),
        (0, clock.STA_CLOCKERR, False),
        (clock.TIME_ERROR, 0x2001, False),
        (clock.TIME_ERROR, clock.STA_UNSYNC, False),
        (-1, 0x2001, False),
    ],
)
def test_the_kernel_s_answer_is_judged(state: int, status: int, answer: bool) -> None:  # noqa: FBT001
    assert clock.believable(state, status) is answer


def test_the_kernel_s_structure_is_read_in_its_places() -> None:
    before = int(time.time())
    state, kernel = clock.read_kernel_clock()
    assert before <= kernel.time_s <= before + 5
    assert (
        9000 <= kernel.tick <= 11000
    )  # microseconds between two ticks of 100 Hz, within the kernel's limits
    assert 0 <= state <= clock.TIME_ERROR
    assert state == clock.TIME_ERROR or not kernel.status & clock.STA_UNSYNC
    assert ctypes.sizeof(kernel) == 208 or ctypes.sizeof(ctypes.c_long) != 8
    assert clock.synchronised() is clock.believable(state, kernel.status)


REFUSE = """
import ctypes, struct, sys
# A seccomp filter that refuses adjtimex (159) and clock_adjtime (305) with EPERM, as ProtectClock=yes does.
refuse, allow = (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)
code = [(0x20, 0, 0, 0), (0x15, 1, 0, 159), (0x15, 0, 1, 305), refuse, allow]
raw = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(raw))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
if libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) != 0:
    sys.exit(77)
from gated.runtime import clock
try:
    clock.read_kernel_clock()
except OSError as error:
    print(error.errno, clock.synchronised())
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter's call numbers are those of x86-64")
def test_a_refused_question_means_not_synchronised() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REFUSE], capture_output=True, text=True, timeout=20, check=False
    )
    if done.returncode == 77:
        pytest.skip("seccomp filters are not available here")
    assert done.stdout == "1 False\n", done.stderr


def test_now_is_aware_and_in_utc() -> None:
    now = clock.now_utc()
    assert now.utcoffset() == timedelta(0)
    assert abs(now.timestamp() - time.time()) < 5
