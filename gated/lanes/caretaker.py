"""The caretaker: looks now and then after what no device reports, the clock and the space on the disk."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from gated.core.events import ClockChecked
from gated.core.vocabulary import Device
from gated.lanes.condition import Condition, Post
from gated.runtime.clock import synchronised
from gated.runtime.lanes import Lane

ROUND_S = 10.0
MIN_FREE = 32 * 1024 * 1024  # a day of passages takes some 20 MiB; the lane closes before the disk is full


class CaretakerLane:
    """Posts whether the clock is synchronised, on change, and a fault while the disk is nearly full."""

    def __init__(
        self, state: Path, post: Post, look: Callable[[Path], os.statvfs_result] = os.statvfs
    ) -> None:
        self.lane = Lane("caretaker", turn=self._turn, period_s=ROUND_S, patience_s=3 * ROUND_S)
        self.condition = Condition(Device.JOURNAL, post)
        self._state = state
        self._post = post
        self._look = look
        self._clock: bool | None = None

    def _turn(self) -> None:
        good = synchronised()
        if good != self._clock:
            self._clock = good
            self._post(ClockChecked(at=time.monotonic(), synchronised=good))
        try:
            disk = self._look(self._state)
        except OSError:
            self.condition.failed("disk_gone", f"see that the disk of {self._state} is mounted")
            return
        if disk.f_flag & os.ST_RDONLY:
            fix = f"the disk of {self._state} was made read-only, as after a disk error: see dmesg, smartctl"
            self.condition.failed("disk_read_only", fix)
        elif disk.f_bavail * disk.f_frsize < MIN_FREE:
            fix = f"free space on the disk of {self._state}: the journal needs {MIN_FREE // 2**20} MiB"
            self.condition.failed("disk_nearly_full", fix)
        else:
            self.condition.ready()
