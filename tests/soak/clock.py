"""Time that passes only when it is told to, for the whole process, and an agenda of what happens when."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Job = Callable[[], None]


class Clock:
    """Virtual monotonic seconds. `rule` puts them in the place of `time.monotonic`, for good."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._agenda: list[tuple[float, int, Job]] = []
        self._number = itertools.count()

    def __call__(self) -> float:
        """The time."""
        return self.now

    def rule(self) -> None:
        """From here on this process has no other monotonic time, and its threads are worked by hand.

        The waiting of the standard library keeps its own, real time; nothing here waits.
        """
        time.monotonic = self  # type: ignore[assignment]
        threading.Thread = WorkedByHand  # type: ignore[misc]

    def later(self, seconds: float, job: Job) -> None:
        """Let something happen in a while."""
        heapq.heappush(self._agenda, (self.now + max(0.0, seconds), next(self._number), job))

    @property
    def due(self) -> float:
        """When the next thing of the agenda happens."""
        return self._agenda[0][0] if self._agenda else float("inf")

    def happen(self) -> None:
        """Let everything happen that is due."""
        while self._agenda and self._agenda[0][0] <= self.now:
            heapq.heappop(self._agenda)[2]()


class WorkedByHand(threading.Thread):
    """A thread that is never started: the soak does what it would do, in virtual time."""

    def start(self) -> None:
        """Not at all."""

    def is_alive(self) -> bool:
        """As far as anybody asks, it works."""
        return True

    def join(self, timeout: float | None = None) -> None:
        """There is nothing to wait for."""
