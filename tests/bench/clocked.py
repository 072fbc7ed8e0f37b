"""How the benches take time: medians over runs, on one core where a figure is for one core."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def median_ms(action: Callable[[], object], runs: int = 31) -> float:
    """Milliseconds of CPU time that `action` takes in this thread: the median, after a run that warms up."""
    action()
    return 1000 * statistics.median(_thread_s(action) for _ in range(runs))


def _thread_s(action: Callable[[], object]) -> float:
    began = time.thread_time()
    action()
    return time.thread_time() - began


@contextmanager
def one_core() -> Iterator[int]:
    """Run on a single core; gives its number. Threads that are started inside stay on it."""
    with _cores(1) as (chosen,):
        yield chosen


@contextmanager
def two_cores() -> Iterator[tuple[int, ...]]:
    """Run on two cores, as a gate has them; gives their numbers."""
    with _cores(2) as chosen:
        yield chosen


@contextmanager
def _cores(count: int) -> Iterator[tuple[int, ...]]:
    allowed = os.sched_getaffinity(0)
    chosen = tuple(sorted(allowed)[-count:])
    os.sched_setaffinity(0, chosen)
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, allowed)


def come_first(pid: int, priority: int) -> None:
    """Let all threads of a process have real-time priority (round robin), but no child of it.

    For figures of a whole gate on a machine that others use as well. Raises PermissionError.
    """
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))
