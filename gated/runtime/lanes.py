"""Lanes: one named thread for each thing that can block, so that nothing but itself ever waits for it.

A lane works off a queue of jobs in order and, between them, takes its turn at whatever it watches. It says
when it last came round; a lane that has not come round within its patience hangs, and then the watchdog
is not fed. An error that nobody foresaw ends the lane and is kept as the cause: the daemon stops and fails
safe rather than go on without the lane.
"""

import queue
import threading
import time
from collections.abc import Callable

Job = Callable[[], None]

MAX_JOBS = 32  # a passage asks a lane for a handful of things


class Lane:
    """A thread with a queue. `turn` is called at least every `period_s` seconds, and after each job."""

    def __init__(
        self, name: str, *, turn: Job | None = None, period_s: float = 1.0, patience_s: float = 15.0
    ) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self._turn = turn
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

    def stop(self, timeout_s: float = 2.0) -> None:
        """Finish the job at hand and end; what is queued is dropped. Idempotent."""
        while True:
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        self._jobs.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
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
        except BaseException as error:  # noqa: BLE001  # kept as the cause: the daemon ends and fails safe
            self.failure = error
