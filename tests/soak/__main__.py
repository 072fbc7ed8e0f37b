"""`python -m tests.soak [--passages N] [--hours H] [--seed S]`: prints a table; 1 where something fails."""

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gated import logs
from gated.store.database import open_to_read
from gated.store.journal import Entry, read, verify
from tests.bench.__main__ import print_conditions
from tests.soak.clock import Clock
from tests.soak.hall import BrokenError, Hall

_real = time.monotonic  # before virtual time rules
PAGE = os.sysconf("SC_PAGE_SIZE")
MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder in it that nobody else can name
SAMPLED = ((1, "resident set", " MiB"), (2, "objects", ""), (3, "threads", ""), (4, "descriptors", ""))
LAST = 40  # entries that are printed when something broke
WARM = 0.2  # of the samples: caches fill


def main(argv: Sequence[str] | None = None) -> int:
    """Run one soak; return 0 if everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--passages", type=int, default=5000, help="so many have ended at least")
    parser.add_argument("--hours", type=float, default=2.0, help="so many hours of the lane's time at least")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    logs.configure("soak", Path(os.devnull).open("w", encoding="utf-8"), json=True)  # noqa: SIM115 - till the end
    sys.excepthook = sys.__excepthook__  # what ends the soak is told here
    print_conditions()
    wanted = f"at least {arguments.passages} passages and {arguments.hours:g} h"
    print(f"seed {arguments.seed}, {wanted}", flush=True)
    clock = Clock()
    clock.rule()
    memory = str(MEMORY) if os.access(MEMORY, os.W_OK) else None  # what is measured here is no disk
    with tempfile.TemporaryDirectory(prefix="egate-soak-", dir=memory) as folder:
        return _soak(Path(folder), clock, arguments)


def _soak(folder: Path, clock: Clock, arguments: argparse.Namespace) -> int:
    began, virtual = _real(), clock.now
    hall = Hall(folder, clock, arguments.seed)
    samples: list[tuple[float, float, float, float, float]] = []

    def sample() -> None:
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20
        open_files = len(tuple(Path("/proc/self/fd").iterdir()))
        samples.append((hall.ended, resident, len(gc.get_objects()), threading.active_count(), open_files))

    problems: list[str] = []
    try:
        hall.run(arguments.passages, arguments.hours, sample, max(10, arguments.passages // 50))
    except BrokenError as error:
        problems.append(str(error))
    hall.kill()
    lane_s, took_s = clock.now - virtual, _real() - began
    database = open_to_read(folder / "journal.db")
    verdict = verify(database)
    told = Counter(dict(database.execute("SELECT outcome, count(*) FROM passages GROUP BY outcome")))
    if problems:
        for entry in read(database, last=LAST):
            print(f"  {entry.event.at:.2f} {_short(entry)}")
    database.close()
    problems += verdict.problems
    if verdict.open_passages > 1 or verdict.passages - verdict.open_passages != hall.ended:
        problems.append(f"{verdict.passages} passages in the journal, {hall.ended} ended")
    if {str(k): v for k, v in hall.outcomes.items()} != {k: v for k, v in told.items() if k is not None}:
        problems.append("the outcomes of journal and lane differ")
    if hall.violations:
        problems.append(f"both doors were released without a fire {hall.violations} times")
    print(f"{hall.ended} passages in {lane_s / 3600:.1f} h of the lane's time, {took_s:.0f} s of ours")
    _print_counts("who came", hall.came)
    _print_counts("how it ended", Counter({str(k): v for k, v in hall.outcomes.items()}))
    _print_counts("for these reasons", hall.reasons)
    _print_counts("what broke", hall.broke)
    _print_counts("what was latched, and cleared", hall.latched)
    _print_counts("officers were called", hall.alerts)
    _print_counts("who went out by the exit", hall.went_out)
    print(f"starts after a power cut or a failed disk: {hall.restarts}")
    print(f"journal: {verdict.entries} entries, {verdict.passages} passages, {verdict.open_passages} open,")
    print(f"  problems: {', '.join(verdict.problems) or 'none'}")
    print(f"longest time that anybody was inside: {hall.longest_inside_s:.0f} s")
    _print_samples(samples)
    print("FAILED: " + "; ".join(problems) if problems else "everything held")
    return 1 if problems else 0


def _short(entry: Entry) -> str:
    """An entry in a line, for whoever looks for the cause."""
    event = str(entry.event).partition(", ")[2]
    effects = ", ".join(type(effect).__name__ for effect in entry.followed.effects)
    return f"{type(entry.event).__name__}({event} -> {entry.followed.state}: {effects}"


def _print_counts(title: str, counts: "Counter[str]") -> None:
    each = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    print(f"{title}: {each or 'nothing'}")


def _print_samples(samples: list[tuple[float, float, float, float, float]]) -> None:
    """Memory, objects, threads and descriptors at the beginning and the end, and the slope between."""
    settled = samples[int(len(samples) * WARM) :]
    if len(settled) < 3:
        print("too few samples for a slope")
        return
    passages = [each[0] for each in settled]
    for column, name, unit in SAMPLED:
        values = [each[column] for each in settled]
        slope = 1000 * _slope(passages, values)
        print(f"{name}: {values[0]:.1f} to {values[-1]:.1f}{unit}, {slope:+.3f}{unit} in 1000 passages")


def _slope(xs: list[float], ys: list[float]) -> float:
    """Least squares."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


if __name__ == "__main__":
    sys.exit(main())
