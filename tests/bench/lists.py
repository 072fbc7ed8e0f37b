"""Packs of documents: how long one takes to build, how large it is, and how fast it answers.

Each part runs in a process of its own, so that its memory is its own. `EGATE_BENCH_DOCUMENTS` names other
sizes (`100000000` takes a quarter of an hour and 1.6 GB of disk, in the folder that TMPDIR names).
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gated.core.personal import Personal
from gated.store.documents import CHANGES, PACK, Documents
from gated.store.pack_build import build_pack, record_of, step_of
from gated.watchlist.changes import MAX_CHANGES, Change, State, after_changes, encode_changes
from gated.watchlist.keyed import KEY_BYTES, ListKey, ListKeys
from gated.watchlist.match import DocumentClaim
from gated.watchlist.snapshot import DocumentEntry, Listed

SIZES: Final = (10**5, 10**6, 10**7)
SIZES_FROM: Final = "EGATE_BENCH_DOCUMENTS"
LOOKUPS: Final = 100_000
STEP: Final = 1_000  # entries of a delta
WEEK_H: Final = 168
KEY: Final = ListKey(b"bench" * 6 + b"22")
GRADES: Final[tuple[Listed, ...]] = ("stop", "refer", "silent")
CREATED: Final = "2026-11-23T03:00:00Z"
PARTS: Final = ("build", "check", "ask", "change")

assert len(KEY.reveal()) == KEY_BYTES


def run() -> None:
    """Print the figures for each size."""
    for size in map(int, os.environ.get(SIZES_FROM, "").split() or SIZES):
        with tempfile.TemporaryDirectory(prefix="egate-bench-") as folder:
            print(f"  {size:,} documents", flush=True)
            for part in PARTS:
                command = [sys.executable, "-m", "tests.bench.lists", part, folder, str(size)]
                subprocess.run(command, check=True)


def _entries(count: int, first: int = 0) -> Iterator[DocumentEntry]:
    for number in range(first, first + count):
        yield DocumentEntry(
            number=_number(number),
            issuer="UTO",
            type="P" if number % 5 else "",
            grade=GRADES[number % 3],
            reason="stolen" if number % 2 else "lost",
            reference=f"R-{number // 10}",
        )


def _number(number: int) -> str:
    return f"X{number:09}"


def build(folder: Path, size: int) -> None:
    """Build the pack."""
    wall, cpu = time.perf_counter(), time.process_time()
    built = build_pack(folder / PACK, _entries(size), KEY, name="main", version=1, created=CREATED)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"    built in {wall:.1f} s ({cpu:.1f} s of processor), peak {_peak_mib():.0f} MiB; "
        f"{built.length / 1e6:,.1f} MB, {built.length / size:.2f} bytes each"
    )


def check(folder: Path, size: int) -> None:
    """Open it, and check every bucket, as before it is put in force; the first lookups meanwhile."""
    began = time.perf_counter()
    documents = Documents.open(folder, ListKeys([KEY]))
    opened = time.perf_counter() - began
    began, cpu = time.perf_counter(), time.process_time()
    documents.verify()
    checked, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"    opened in {1000 * opened:.1f} ms, checked whole in {checked:.1f} s ({cpu:.1f} s of processor)"
    )
    checking = threading.Thread(target=documents.verify)
    checking.start()
    times: list[int] = []
    chance = random.Random(2)
    while checking.is_alive() and len(times) < LOOKUPS:
        times.append(_asked(documents, chance.randrange(2 * size)))
        time.sleep(0.0005)
    checking.join()
    _print("while a pack is checked in another thread", times)
    documents.close()


def ask(folder: Path, size: int) -> None:
    """Ask for documents that are listed, and for others."""
    before = _resident_mib()
    documents = Documents.open(folder, ListKeys([KEY]))
    chance = random.Random(1)
    for _ in range(LOOKUPS // 10):
        _asked(documents, chance.randrange(2 * size))
    _warm(folder / PACK)
    hits = [_asked(documents, chance.randrange(size)) for _ in range(LOOKUPS)]
    misses = [_asked(documents, size + chance.randrange(size)) for _ in range(LOOKUPS)]
    assert documents.hits(_claim(size - 1))
    assert not documents.hits(_claim(size))
    _print("listed", hits)
    _print("not listed", misses)
    print(f"    resident {_resident_mib():.1f} MiB, of which before the pack was opened {before:.1f} MiB")
    documents.close()


def change(folder: Path, size: int) -> None:
    """Make a delta, and take it."""
    keys = ListKeys([KEY])
    documents = Documents.open(folder, keys)
    gone = list(_entries(STEP // 2))
    came = (
        DocumentEntry(number=_number(size + number), issuer="UTO", type="P", grade="stop", reason="stolen",
                      reference="R-1")
        for number in range(STEP // 2)
    )  # fmt: skip
    began = time.perf_counter()
    step = step_of(documents, came, gone, version=2, created=CREATED)
    made = time.perf_counter() - began
    began = time.perf_counter()
    merged = documents.after(step)
    (folder / CHANGES).write_bytes(merged)
    now = Documents.open(folder, keys)
    taken = time.perf_counter() - began
    assert not now.hits(_claim(0))
    assert now.hits(_claim(size))
    print(f"    a delta of {STEP:,}: {len(step):,} bytes, made in {1000 * made:.0f} ms, "
          f"in force in {1000 * taken:.0f} ms")  # fmt: skip
    now.close()
    _catch_up(documents, size)
    _after_months(documents, size)
    documents.close()


def _catch_up(documents: Documents, size: int) -> None:
    """A gate comes back after a week of hourly deltas."""
    steps: list[bytes] = []
    before = documents.state
    for hour in range(WEEK_H):
        step, after = _step_from(documents, before, 2 * size + hour * STEP, STEP)
        steps.append(step)
        before = after
    began, cpu = time.perf_counter(), time.process_time()
    merged = documents.after(*steps)
    taken, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = f"{WEEK_H} deltas of {STEP:,}, {sum(map(len, steps)) / 1e6:.1f} MB"
    print(f"    a week away: {told}, merged in {taken:.1f} s ({cpu:.1f} s of processor; wanted 5)")
    print(f"      into {len(merged) / 1e6:.1f} MB of changes")


def _after_months(documents: Documents, size: int) -> None:
    """One more delta where as much has changed since the pack as lies beside one at most, or half of it."""
    for beside in (MAX_CHANGES // 2, MAX_CHANGES - STEP):
        before = documents.state
        step, after = _step_from(documents, before, 3 * size, beside)
        (documents.folder / CHANGES).write_bytes(step)
        delta, _ = _step_from(documents, after, 3 * size + MAX_CHANGES, STEP)
        now = Documents.open(documents.folder, ListKeys([KEY]))
        began, cpu = time.perf_counter(), time.process_time()
        (documents.folder / CHANGES).write_bytes(now.after(delta))
        Documents.open(documents.folder, ListKeys([KEY])).close()
        taken, cpu = time.perf_counter() - began, time.process_time() - cpu
        times = [_asked(now, 3 * size + number) for number in range(0, beside, beside // LOOKUPS or 1)]
        now.close()
        told = f"in force in {1000 * taken:.0f} ms ({1000 * cpu:.0f} ms of processor)"
        print(f"    a delta of {STEP:,} beside {beside:,} changes: {told}")
        _print(f"listed among {beside:,} changes", times)


def _step_from(documents: Documents, before: State, first: int, count: int) -> tuple[bytes, State]:
    """A step in which so many documents come."""
    pack = documents.pack
    came = [Change(record_of(entry, pack.hashes), came=True) for entry in _entries(count, first)]
    rising = sorted(came, key=lambda change: change.record.tag)
    after = after_changes(before, before.version + 1, rising, pack.key)
    return encode_changes(pack.key, documents.name, CREATED, before, after, rising), after


def _claim(number: int) -> DocumentClaim:
    return DocumentClaim(number=Personal(_number(number)), issuer="UTO", type="P<")


def _asked(documents: Documents, number: int) -> int:
    """Nanoseconds of one question, from the claim to the hits."""
    claim = _claim(number)
    began = time.perf_counter_ns()
    documents.hits(claim)
    return time.perf_counter_ns() - began


def _print(title: str, times: list[int]) -> None:
    times.sort()
    if not times:
        print(f"    {title}: too quick to be asked")
        return
    p50, p99 = times[len(times) // 2] / 1000, times[len(times) * 99 // 100] / 1000
    print(f"    {title}: {len(times):,} asked, median {p50:.1f} us, 99 % {p99:.1f} us (wanted 100), "
          f"worst {times[-1] / 1000:,.0f} us")  # fmt: skip


def _warm(path: Path) -> None:
    """Have the file in the page cache, as after days of service."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
