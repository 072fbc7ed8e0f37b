"""A pack of documents at its full size, from the centre to a gate that has none: over the real line.

Published, served, fetched through gate-link in pieces, broken off twice (gate-link killed, then the gate's
own process), taken up where it stood, checked whole, put in force and asked. Each of them is a process of its
own; printed are times, throughput and the peak of each one's resident memory. The gate's process is what the
lane of lists in `gated` runs: fetcher, updater and watchlist.

14,000,000 documents are a pack of 212 MB. `EGATE_BENCH_TRANSFER=100000000` is the largest list, 1.5 GB: with
it, half an hour and 8 GB of disk in the folder that TMPDIR names.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gated.central.folder import CentralFolder
from gated.central.publish import publish
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.runtime.bus import Peer
from gated.runtime.messages import FromLink
from gated.store.fetching import Link, LinkFetcher
from gated.store.list_keys import read_list_keys
from gated.store.replication import Failed, Refreshed, WatchlistUpdater
from gated.store.watchlist import Watchlist
from gated.watchlist.match import DocumentClaim
from tests.bench.lists import GRADES, _entries, _number
from tests.system.link_rig import Rig, until

DOCUMENTS: Final = int(os.environ.get("EGATE_BENCH_TRANSFER", "14000000"))
STRETCH_S: Final = 3600.0
PATIENCE_S: Final = 10.0
LIMIT_MIB: Final = {"centre, publishing": 512, "gate-central serve": 128, "gate-link": 128, "gate": 256}
"""What each process may come to; of gate-link and gated the units allow 256 and 512 MiB."""
AGAIN_MB: Final = 12.0  # two windows for each break, and what a gate fetches besides


@dataclass
class Figures:
    """What was measured. Memory in MiB, by process; seconds by what was done."""

    documents: int
    megabytes: float
    seconds: dict[str, float]
    peaks: dict[str, float]
    again: float
    """Megabytes that the centre gave out beyond the pack."""
    silent_s: float
    """The longest time without a sign of life in the gate's process; its watchdog waits for a minute."""


def run() -> None:
    """Print the figures."""
    folder = Path(tempfile.mkdtemp(prefix="egate-bench-"))
    try:
        show(measure(folder, DOCUMENTS))
    finally:
        shutil.rmtree(folder)


def show(figures: Figures) -> None:
    """Print what was measured."""
    print(f"  {figures.documents:,} documents, a pack of {figures.megabytes:,.0f} MB")
    for what, seconds in figures.seconds.items():
        print(f"    {what}: {seconds:.1f} s, {figures.megabytes / seconds:,.1f} MB/s")
    print(f"    given out by the centre again because of two breaks: {figures.again:.1f} MB")
    print(f"    longest time without a sign of life: {figures.silent_s:.1f} s (the watchdog waits a minute)")
    for what, peak in figures.peaks.items():
        print(f"    peak of {what}: {peak:.0f} MiB (wanted {LIMIT_MIB[what]})")


def measure(folder: Path, documents: int) -> Figures:
    """Publish, break, resume, activate and ask. Fails where something does not come as it must."""
    seconds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    with Rig(folder) as rig:
        rig.command("list-key")
        began = time.monotonic()
        peaks["centre, publishing"] = float(_told(_started("publish", rig.central, documents))["peak"])
        seconds["built and published"] = time.monotonic() - began
        (pack,) = (rig.central / "repository" / "targets" / "watchlist").glob("*.documents-1.pack")
        length = pack.stat().st_size
        metrics = folder / "metrics.prom"
        rig.serve(options=("--metrics", str(metrics)))
        rig.link()
        links: list[float] = []
        arguments = (rig.state, rig.run, rig.central / "keys" / "list.key", documents)
        began = time.monotonic()
        first = _started("gate", *arguments)
        _await(rig.state, length // 3)
        links.append(_peak_of(rig.processes["link"].pid))
        rig.stop("link", signal.SIGKILL)
        time.sleep(1.0)
        rig.link()
        _await(rig.state, 2 * length // 3)
        first.kill()
        first.communicate()
        lies = _partial(rig.state)
        assert lies >= length // 3, "what had come was thrown away"
        last = _started("gate", *arguments)
        told = _told(last)
        seconds["fetched and in force, breaks included"] = time.monotonic() - began
        seconds["checked and put in force"] = float(told["checked"])
        peaks["gate-central serve"] = _peak_of(rig.processes["serve"].pid)
        peaks["gate-link"] = max(*links, _peak_of(rig.processes["link"].pid))
        peaks["gate"] = float(told["peak"])
        served = _served(metrics)
    again = (served - length) / 1e6
    return Figures(documents, length / 1e6, seconds, peaks, again, float(told["silent"]))


def publish_list(folder: Path, documents: int) -> None:
    """Publish a list of so many documents."""
    publish(CentralFolder(folder), Path("bench"), datetime.now(UTC), rows=_entries(documents))
    _tell(peak=_peak_of(os.getpid()))


def take_list(state: Path, run: Path, key: Path, documents: int) -> None:
    """Be a gate: fetch until the list is in force, and ask it."""
    silent = _Silence()
    watchlist = Watchlist.open(state, read_list_keys([key]))
    with Peer[FromLink](f"ipc://{run}/link", FromLink, bind=True) as peer:
        fetcher = _Timed(Link(peer, PATIENCE_S, silent.alive), state)
        updater = WatchlistUpdater(watchlist, fetcher, alive=silent.alive)
        codes: list[str] = []
        deadline = time.monotonic() + STRETCH_S
        while isinstance(result := _refreshed(updater), Failed):
            assert time.monotonic() < deadline, codes
            codes.append(result.code)
            time.sleep(0.5)
            silent.alive()
        checked = time.monotonic() - fetcher.whole_at
    found = [_grade(watchlist, number) for number in (0, documents - 1, documents)]
    assert found == [Grade.STOP, _of(documents - 1), Grade.NONE], found
    watchlist.close()
    _tell(peak=_peak_of(os.getpid()), checked=checked, silent=silent.longest_s, codes=sorted(set(codes)))


class _Timed(LinkFetcher):
    """The fetcher, and when the pack had come whole."""

    whole_at = 0.0

    def download_file(self, url: str, max_length: int) -> Any:
        return self._stamped(url, super().download_file(url, max_length))

    @contextlib.contextmanager
    def _stamped(self, url: str, opened: Any) -> Iterator[Any]:
        with opened as file:
            if url.endswith(".pack"):
                self.whole_at = time.monotonic()
            yield file


class _Silence:
    """The longest time for which nobody said that the work goes on, which the watchdog waits for."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._said_at = time.monotonic()

    def alive(self) -> None:
        """Go on."""
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - self._said_at)
        self._said_at = now


def _refreshed(updater: WatchlistUpdater) -> Refreshed:
    return updater.refresh(datetime.now(UTC), time.monotonic())


def _grade(watchlist: Watchlist, number: int) -> Grade:
    claim = DocumentClaim(number=Personal(_number(number)), issuer="UTO", type="P<")
    return watchlist.lookup(document=claim).grade


def _of(number: int) -> Grade:
    return Grade(GRADES[number % 3])


def _started(part: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.bench.transfer", part, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = process.communicate(timeout=STRETCH_S)
    assert process.returncode == 0, out
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told


def _tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


def _partial(state: Path) -> int:
    """How much of the pack has come."""
    return sum(path.stat().st_size for path in (state / "partial").glob("*.pack"))


def _await(state: Path, length: int) -> None:
    until(lambda: _partial(state) >= length, STRETCH_S)


def _served(metrics: Path) -> int:
    """What the centre has given out, once it has written it down."""
    written = metrics.stat().st_mtime_ns
    until(lambda: metrics.stat().st_mtime_ns > written, 60)
    (line,) = [each for each in metrics.read_text().splitlines() if each.startswith("egate_central_sent_b")]
    return int(line.split()[1])


def _peak_of(pid: int) -> float:
    """The largest resident set of a process so far (proc(5), VmHWM), in MiB.

    Not that of getrusage(2), which begins with what the process had that started it.
    """
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (peak,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["publish", folder, count]:
            publish_list(Path(folder), int(count))
        case ["gate", state, run_folder, key, count]:
            take_list(Path(state), Path(run_folder), Path(key), int(count))
