"""The last movements of the board's wires, for technicians who test and measure: levels, no people.

What was told to the lane (a level that held) and each edge below it (a contact that bounces) stand in one
sequence, by the monotonic clock, with the commands to the doors. Every thread of the board writes here; it
costs each of them an append.
"""

import itertools
import threading
import time
from collections import deque

from gated.runtime.requests import Mark

KEPT = 4096  # a door's contact that bounces makes some tens
AT_ONCE = 1000  # marks in one answer, which fits into the control socket's cap


class Trace:
    """Marks in order, the oldest forgotten first; and the levels that hold now. For any thread."""

    def __init__(self) -> None:
        self._adding = threading.Lock()
        self._numbers = itertools.count(1)
        self._marks: deque[Mark] = deque(maxlen=KEPT)
        self._levels: dict[str, tuple[bool, float]] = {}

    def hold(self, name: str, active: bool) -> None:  # noqa: FBT001  # the level is the message
        """A wire holds this level from now on; the same one again is no mark."""
        with self._adding:
            before = self._levels.get(name)
            if before is None or before[0] != active:
                at = time.monotonic()
                self._levels[name] = (active, at)
                self._add(name, active, at, bounce=False)

    def edge(self, name: str, active: bool, at: float) -> None:  # noqa: FBT001  # likewise
        """A wire changed, whether it holds or not."""
        with self._adding:
            self._add(name, active, at, bounce=True)

    def forget(self) -> None:
        """The board was away: no level holds any more."""
        with self._adding:
            self._levels.clear()

    def levels(self) -> dict[str, tuple[bool, float]]:
        """Each wire that was told of, and since when it is so (monotonic seconds)."""
        with self._adding:
            return dict(self._levels)

    def after(self, number: int) -> tuple[Mark, ...]:
        """The marks after the one of this number, the first `AT_ONCE` of them."""
        with self._adding:
            return tuple(itertools.islice((mark for mark in self._marks if mark.number > number), AT_ONCE))

    def last(self) -> int:
        """The number of the newest mark; 0 before the first."""
        with self._adding:
            return self._marks[-1].number if self._marks else 0

    def _add(self, name: str, active: bool, at: float, *, bounce: bool) -> None:  # noqa: FBT001
        self._marks.append(Mark(number=next(self._numbers), at=at, name=name, active=active, bounce=bounce))
