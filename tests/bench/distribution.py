"""How soon a change is at every gate: the real central server, with proxies or without, and a thousand gates.

A delta of 1,000 entries is published; from the moment that its signature is in place until the last gate has
it live. All but one are light gates (`light_gates`), which share the machine with the server: what a real
gate does with a processor of its own is done once for many. One real gate, with gate-link and updater, does
all of it.

Then that gate is away for a week, in which 168 deltas are published, one each hour, and comes back.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import msgspec
from tuf.api.metadata import TargetFile

from gated.central.folder import CentralFolder
from gated.central.keys import admit_gate
from gated.central.publish import publish
from gated.central.repository import Lifetimes, Repository, newest_root, utc_text
from gated.central.wire import read_key_file
from gated.store.replication import Unchanged, Updated
from gated.watchlist.delta import delta_header
from gated.watchlist.replica import INDEX, PublishedDelta, PublishedSnapshot, parse_index
from gated.watchlist.snapshot import DocumentEntry, Header, Tally, encode_entry, encode_header
from tests.bench import light_gates
from tests.system.link_rig import BIN, COLUMNS, Rig, free_port

GATES: Final = int(os.environ.get("EGATE_BENCH_GATES", "1000"))
PROCESSES: Final = 4
PROXIES: Final = 2
LISTED, CHANGED, ROUNDS = 10_000, 1_000, 3
WANTED_S, WANTED_BACK_S = 2.0, 5.0
HOURS, AN_HOUR, LONG_LIST = 168, 100, 200_000
PATIENCE_S: Final = 120.0


def run() -> None:
    """Print all figures."""
    folder = Path(tempfile.mkdtemp(prefix="egate-bench-"))
    try:
        for proxies in (0, PROXIES):
            (folder / str(proxies)).mkdir()
            with Rig(folder / str(proxies)) as rig:
                _everywhere(rig, proxies)
        (folder / "week").mkdir()
        with Rig(folder / "week") as rig:
            _a_week(rig)
    finally:
        shutil.rmtree(folder)


def _row(number: int) -> str:
    return f"A{number:07},UTO,P,,,,,refer,stolen,R-{number}"


def _published(rig: Rig, numbers: range) -> tuple[float, float]:
    """Publish; return how long that took, and the moment on the monotonic clock when it was signed."""
    source = rig.folder / "list.csv"
    source.write_text(COLUMNS + "".join(f"{_row(number)}\n" for number in numbers))
    began = time.monotonic()
    publish(CentralFolder(rig.central), source, datetime.now(UTC))
    done = time.monotonic()
    signed = (rig.central / "repository" / "metadata" / "timestamp.json").stat().st_mtime
    return done - began, min(done, done - (time.time() - signed))


def _proxy(rig: Rig, number: int) -> light_gates.Place:
    """Start a proxy; where gates find it."""
    name = f"proxy-{number}"
    handout = admit_gate(CentralFolder(rig.central), name)
    command = [
        BIN / "gate-central", "proxy", rig.central / "gates", "--key-file", handout.key_file,
        "--server-key", handout.server_key,
    ]  # fmt: skip
    own = [f"tcp://127.0.0.1:{free_port()}" for _ in rig.ports]
    for what, address, port in zip(("requests", "announcements"), own, rig.ports, strict=True):
        command += [f"--{what}", address, f"--upstream-{what}", f"tcp://127.0.0.1:{port}"]
    with (rig.folder / f"{name}.log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    rig.processes[name] = process
    assert process.stdout is not None
    process.stdout.readline()
    return own[0], own[1], read_key_file(Path(handout.key_file)).public_key


def _everywhere(rig: Rig, proxies: int) -> None:
    folder = CentralFolder(rig.central)
    pairs = [
        read_key_file(Path(admit_gate(folder, f"light-{number}").key_file)) for number in range(GATES - 1)
    ]
    _published(rig, range(LISTED))
    rig.serve(interval_s=60.0)
    rig.link()
    requests, announcements = (f"tcp://127.0.0.1:{port}" for port in rig.ports)
    places = [_proxy(rig, number) for number in range(proxies)]
    places = places or [(requests, announcements, rig.handout["server_key"])]
    fleet = light_gates.start(PROCESSES, pairs, places, newest_root(folder))
    began = time.monotonic()
    present = sum(_heard(line) for line, _ in fleet)
    took = time.monotonic() - began
    where = f"{proxies} proxies" if proxies else "the server itself"
    print(
        f"  {present} light gates in {PROCESSES} processes at {where}, connected and current in {took:.1f} s"
    )
    worst = []
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        for turn in range(1, ROUNDS + 1):
            gate.link.wait(0)
            for line, _ in fleet:
                line.send(turn + 1)
            served = [process.pid for name, process in rig.processes.items() if name != "link"]
            spent = _spent(served), _spent([process.pid for _, process in fleet])
            took, signed = _published(rig, range(LISTED + turn * CHANGED))
            assert gate.link.wait(PATIENCE_S), "the announcement did not come"
            assert gate.refresh_until(Updated) == Updated(version=turn + 1, by="delta")
            real = time.monotonic() - signed
            moments = sorted(moment - signed for line, _ in fleet for moment in _heard(line))
            worst.append(max(moments[-1], real))
            servers = _spent(served) - spent[0]
            gates = _spent([process.pid for _, process in fleet]) - spent[1]
            print(
                f"  delta of {CHANGED} entries live after it was signed: at half of {len(moments) + 1} gates"
                f" {statistics.median(moments):.2f} s, at all {worst[-1]:.2f} s, at the real one {real:.2f} s"
                f" (publishing itself: {took:.2f} s; processor time: {servers:.2f} s of server and proxies,"
                f" {gates:.2f} s of the light gates)"
            )
    for line, process in fleet:
        line.close()
        process.join(10)
    print(f"  at all of {GATES} gates: {statistics.median(worst):.2f} s (wanted <= {WANTED_S:.0f} s)")


def _spent(processes: list[int]) -> float:
    """Processor time of some processes up to now, in seconds (proc(5))."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _heard(line: Connection) -> Any:
    assert line.poll(PATIENCE_S), "the light gates did not get there"
    return line.recv()


def _a_week(rig: Rig) -> None:
    folder = CentralFolder(rig.central)
    _published(rig, range(LONG_LIST))
    rig.serve(interval_s=60.0)
    rig.link(timeout_s=5.0)
    with rig.gate(patience_s=20.0) as gate:
        began = time.monotonic()
        gate.refresh_until(Updated, PATIENCE_S)
        whole = time.monotonic() - began
        length = _a_week_of_deltas(folder)
        began = time.monotonic()
        result = gate.refresh()
        back = time.monotonic() - began
        assert result == Updated(version=HOURS + 1, by="delta"), result
        assert isinstance(gate.refresh(), Unchanged)
    print(
        f"  a list of {LONG_LIST:,} from its snapshot: {whole:.1f} s; a week away,"
        f" {HOURS} deltas of {AN_HOUR} entries ({length / 1e6:.1f} MB): {back:.1f} s"
        f" (wanted <= {WANTED_BACK_S:.0f} s)"
    )


def _a_week_of_deltas(folder: CentralFolder) -> int:
    """Publish what a week of hourly publications leaves behind, in one go; return the deltas' length."""
    repository, now = Repository(folder), datetime.now(UTC)
    files = dict(repository.targets("watchlist").targets)
    index = parse_index(repository.file(files[INDEX]).read_bytes())
    old = repository.file(files[index.snapshot.path])
    lines = old.read_bytes().splitlines()
    header = msgspec.json.decode(lines[0], type=Header)
    tally, listed, deltas = Tally(header.documents, header.persons, header.digest), lines[1:], []
    for hour in range(1, HOURS + 1):
        came = [_entry(LONG_LIST + hour * AN_HOUR + number) for number in range(AN_HOUR)]
        for entry in came:
            tally.add(entry, encode_entry(entry))
        after = msgspec.structs.replace(
            header, version=hour + 1, documents=tally.documents, digest=tally.digest, created=utc_text(now)
        )
        changes = sorted(encode_entry(entry) for entry in came)
        raw = b"\n".join([delta_header(header, after), *(b"+" + line for line in changes), b""])
        path = f"watchlist/delta-{hour}-{hour + 1}.jsonl"
        files[path] = _placed(repository, path, raw)
        deltas.append(PublishedDelta(path=path, length=len(raw), base=hour, version=hour + 1))
        listed += changes
        header = after
    raw = b"\n".join([encode_header(header), *sorted(listed), b""])
    path = f"watchlist/snapshot-{HOURS + 1}.jsonl"
    snapshot = files[path] = _placed(repository, path, raw)
    index = msgspec.structs.replace(
        index,
        version=HOURS + 1,
        snapshot=PublishedSnapshot(path=path, length=snapshot.length),
        deltas=tuple(deltas),
    )
    files[INDEX] = _placed(repository, INDEX, msgspec.json.encode(index))
    with folder.locked():
        repository.publish("watchlist", files, now, Lifetimes())
    return sum(delta.length for delta in deltas)


def _entry(number: int) -> DocumentEntry:
    return DocumentEntry(
        number=f"A{number:07}",
        issuer="UTO",
        type="P",
        grade="refer",
        reason="stolen",
        reference=f"R-{number}",
    )


def _placed(repository: Repository, path: str, raw: bytes) -> TargetFile:
    target = TargetFile.from_data(path, raw, ["sha256"])
    repository.file(target).write_bytes(raw)
    return target
