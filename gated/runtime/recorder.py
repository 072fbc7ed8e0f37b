"""The journal's own thread: the loop goes on while the disk is waited for.

Steps are written in the order in which they were handed over; those that waited together are committed
together, so that a disk that stood still for a second costs one wait and not one for each step.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from gated.core.events import AnyEvent
from gated.store.journal import Followed

MAX_TOGETHER: Final = 64
HANGS_S: Final = 1.0  # a disk that takes longer is slow; one that goes on so is the watchdog's business
CLOSE_S: Final = 2.0

Step = tuple[str, AnyEvent, Followed]
"""The time (UTC), what happened, and what followed from it."""


class Book(Protocol):
    """What is written into: the journal."""

    def extend(self, steps: list[Step]) -> object:
        """Write steps durably, all or none of them."""

    def check(self) -> None:
        """See that a step could be written now."""


class Recorder:
    """Writes what it is handed. `told` is called from its thread when something is on the disk, or failed."""

    def __init__(self, book: Book, told: Callable[[], None]) -> None:
        self.kept = 0
        """How many of the steps are on the disk."""
        self._book = book
        self._told = told
        self._handed: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._news = threading.Condition()
        self._failure: BaseException | None = None
        self._closing = False
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def keep(self, step: Step) -> None:
        """Hand over a step; never waits."""
        self._handed.put(step)

    def keeps_up(self) -> bool:
        """Whether the disk has not been waited for longer than `HANGS_S`; asks for a look at the journal."""
        since = self._busy_since
        self._handed.put(None)
        return since is None or time.monotonic() - since < HANGS_S

    @property
    def has_failed(self) -> bool:
        """Whether the thread has ended before its time."""
        return self._failure is not None

    def look(self) -> None:
        """Raise what ended the thread."""
        if self._failure is not None:
            raise self._failure

    def wait(self, count: int) -> None:
        """Wait until so many steps are on the disk, or the thread has ended."""
        with self._news:
            self._news.wait_for(lambda: self.kept >= count or self._failure is not None)

    def close(self) -> None:
        """End, after what was handed over; waits no longer than `CLOSE_S`. Idempotent."""
        self._closing = True
        self._handed.put(None)
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        try:
            while not (self._closing and self._handed.empty()):
                self._work()
        except BaseException as error:  # noqa: BLE001  # the loop raises it: the gate must not go on
            self._tell(0, error)

    def _work(self) -> None:
        together = [self._handed.get()]
        self._busy_since = time.monotonic()
        while len(together) < MAX_TOGETHER and not self._handed.empty():
            together.append(self._handed.get())
        steps = [step for step in together if step is not None]
        if steps:
            self._book.extend(steps)
            self._tell(len(steps))
        elif not self._closing:
            self._book.check()
        self._busy_since = None

    def _tell(self, kept: int, failure: BaseException | None = None) -> None:
        with self._news:
            self.kept += kept
            self._failure = failure
            self._news.notify_all()
        self._told()
