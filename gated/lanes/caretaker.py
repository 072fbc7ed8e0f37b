"""The caretaker: looks now and then after what no device reports, the clock and the disk.

A disk is told to be well or not as soon as it is seen; one that is only slow must be so twice in a row, and
quick again twice. A clock that leaps is an incident: the times in the journal no longer follow one another,
and what is valid today may not be, so somebody must look.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from gated.core.events import ClockChecked
from gated.core.vocabulary import Device
from gated.lanes.condition import Condition, Post
from gated.runtime.clock import LeapWatch, synchronised
from gated.runtime.lanes import Lane
from gated.store import disk
from gated.store.disk import Look, Trouble

ROUND_S = 2.0
PATIENCE_S = 30.0  # a disk may be slow; when it hangs, so does the gate
IN_A_ROW = 2

CLOCK_FIX = "find out why (battery, time service, by hand), set it right, then clear this fault"


class CaretakerLane:
    """Posts whether the clock is synchronised, on change; a fault while the disk is not well; each leap."""

    def __init__(
        self,
        state: Path,
        post: Post,
        look: Look = os.statvfs,
        probe: Callable[[Path], Trouble | None] = disk.probe,
        leaps: LeapWatch | None = None,
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        """Look at the disk of `state`; `keep` writes there what may wait for it, each round."""
        self.lane = Lane("caretaker", turn=self._turn, period_s=ROUND_S, patience_s=PATIENCE_S)
        self.condition = Condition(Device.JOURNAL, post)
        self._state = state
        self._post = post
        self._look = look
        self._probe = probe
        self._leaps = leaps or LeapWatch()
        self._keep = keep
        self._clock: bool | None = None
        self._slow: str | None = None  # what the last probe said
        self._alike = IN_A_ROW  # probes in a row that said so

    def _turn(self) -> None:
        self._look_at_clock()
        trouble = disk.look(self._state, self._look) or self._probed()
        if trouble is not None:
            self.condition.failed(*trouble)
        elif self._alike >= IN_A_ROW:
            self.condition.ready()
        self._keep()

    def _look_at_clock(self) -> None:
        good = synchronised()
        if good != self._clock:
            self._clock = good
            self._post(ClockChecked(at=time.monotonic(), synchronised=good))
        leap = self._leaps.look()
        if leap is not None:
            fix = f"the clock leapt by {leap:+.0f} s: {CLOCK_FIX}"
            self.condition.failed("clock_leapt", fix, latched=True)

    def _probed(self) -> Trouble | None:
        """What a probe says, once it has said so often enough."""
        trouble = self._probe(self._state)
        if trouble is not None and trouble.code != "disk_slow":
            return trouble
        said = None if trouble is None else trouble.code
        self._alike = self._alike + 1 if said == self._slow else 1
        self._slow = said
        return trouble if self._alike >= IN_A_ROW else None
