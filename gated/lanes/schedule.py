"""The lane that wants a two-way lane turned at the times of its schedule, by the clock on the wall.

It says what it wants once for each time, and at the start what the last time before asked for. In between the
lane may be turned by demand or by an officer; the next time of the schedule counts again.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo

from gated.core.events import DirectionWanted
from gated.core.settings.port import Turning
from gated.lanes.condition import Post
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane

ROUND_S = 1.0

Time = tuple[date, Turning]


def last_time(schedule: Sequence[Turning], now: datetime) -> Time | None:
    """Which time of the schedule came last, on which day, by the clock on the wall; None: none ever."""
    if not schedule:
        return None
    by_time = sorted(schedule, key=lambda turning: turning.at)
    passed = [turning for turning in by_time if turning.at <= now.strftime("%H:%M")]
    return (now.date(), passed[-1]) if passed else (now.date() - timedelta(days=1), by_time[-1])


class ScheduleLane:
    """Posts which direction is wanted, at each time of the schedule. `now` tells the time, in any zone."""

    def __init__(
        self, schedule: Sequence[Turning], zone: tzinfo, post: Post, now: Callable[[], datetime] = now_utc
    ) -> None:
        self.lane = Lane("schedule", turn=self._turn, period_s=ROUND_S)
        self._schedule = tuple(schedule)
        self._zone = zone
        self._post = post
        self._now = now
        self._told: deque[Time] = deque(maxlen=2)  # the time before, too: in autumn an hour comes twice

    def _turn(self) -> None:
        last = last_time(self._schedule, self._now().astimezone(self._zone))
        if last is None or last in self._told:
            return
        self._told.append(last)
        _, turning = last
        self._post(DirectionWanted(at=time.monotonic(), direction=turning.direction, by="schedule"))
