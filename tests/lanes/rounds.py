"""What the tests of lanes share: a lane worked by hand, round by round, and what it posted.

No thread is started here unless a test says so: one round is what the lane's own thread would do next.
"""

import queue
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from gated.core import events as ev
from gated.runtime.lanes import Lane

E = TypeVar("E", bound=ev.AnyEvent)

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
PASSAGE, NEXT = "a" * 16, "b" * 16
SOON_S = 5.0


class Posted(list[ev.AnyEvent]):
    """The events that a lane posted, in order; call it to post."""

    def __call__(self, event: ev.AnyEvent) -> None:
        self.append(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self if isinstance(event, kind)]

    def faults(self) -> list[str]:
        return [event.code for event in self.of(ev.FaultRaised)]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self]


def come_round(lane: Lane) -> None:
    """One round of the lane: what was asked of it, then its turn."""
    while True:
        try:
            job = lane._jobs.get_nowait()
        except queue.Empty:
            break
        assert job is not None
        job()
    if lane._turn is not None:
        lane._turn()


def rounds_until(lane: Lane, reached: Callable[[], bool]) -> None:
    """Let the lane come round until something is true."""
    deadline = time.monotonic() + SOON_S
    while not reached():
        assert time.monotonic() < deadline, "not reached"
        come_round(lane)


def leave(lane: Lane) -> None:
    """What the lane's thread does at its end."""
    if lane._leave is not None:
        lane._leave()
