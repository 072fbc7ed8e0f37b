"""Lanes: one named thread for each thing that can block, so that nothing but itself ever waits for it.

A lane works off a queue of jobs in order and, between them, takes its turn at whatever it watches. It says
when it last came round; a lane that has not come round within its patience hangs, and then the watchdog
is not fed. An error that nobody foresaw ends the lane and is kept as the cause: the daemon stops and fails
safe rather than go on without the lane. `guarded` does the same for what a driver's own thread calls.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import ParamSpec

Job = Callable[[], None]
P = ParamSpec("P")

MAX_JOBS = 32  # a passage asks a lane for a handful of things


class Lane:
    """A thread with a queue. `turn` is called at least every `period_s` seconds, and after each job.

    `leave` is called in the thread when it ends: to give back what belongs to it.
    """

    def __init__(
        self,
        name: str,
        *,
        turn: Job | None = None,
        leave: Job | None = None,
        period_s: float = 1.0,
        patience_s: float = 15.0,
    ) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self._turn = turn
        self._leave = leave
        self._period_s = period_s
        self._patience_s = patience_s
        self._jobs: queue.Queue[Job | None] = queue.Queue(MAX_JOBS)
        self._came_round = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._came_round = time.monotonic()
        self._thread.start()

    def ask(self, job: Job) -> None:
        """Queue a job. Raises queue.Full when the lane is hopelessly behind."""
        self._jobs.put_nowait(job)

    def alive(self) -> None:
        """Say, from within a long job, that it goes on."""
        self._came_round = time.monotonic()

    def is_well(self) -> bool:
        """Whether the lane came round within its patience and has not failed."""
        return self.failure is None and time.monotonic() - self._came_round < self._patience_s

    def guarded(self, call: Callable[P, None]) -> Callable[P, None]:
        """Wrap what another thread calls for this lane: an error that nobody foresaw fails the lane."""

        def guard(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                call(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  # kept as the cause: the daemon ends and fails safe
                self._fail(error)

        return guard

    def stop(self, timeout_s: float = 2.0) -> None:
        """Finish the job at hand and end; wait at most `timeout_s`. What is queued is dropped. Idempotent."""
        while True:
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        self._jobs.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:  # what comes later may only follow from the first
            self.failure = error

    def _run(self) -> None:
        for part in (self._work, self._leave):
            if part is not None:
                self.guarded(part)()

    def _work(self) -> None:
        while True:
            if self._turn is not None:
                self._turn()
            self._came_round = time.monotonic()
            try:
                job = self._jobs.get(timeout=self._period_s)
            except queue.Empty:
                continue
            if job is None:
                return
            job()
