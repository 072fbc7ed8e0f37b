"""A central server, a gate-link and the gate's own side of it, in real processes on the loopback."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from gated.central.folder import CentralFolder
from gated.central.keys import admit_gate, initialise
from gated.central.repository import Lifetimes
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.runtime.bus import Peer
from gated.runtime.messages import FromLink
from gated.store.fetching import Link, LinkFetcher
from gated.store.replication import Refreshed, WatchlistUpdater
from gated.store.watchlist import Watchlist
from gated.watchlist.match import DocumentClaim

BIN = Path(sys.executable).parent
COLUMNS = "number,issuer,type,surname,given,birth,nationality,grade,reason,reference\n"
GATE_TOML = """
gate = "gate-1"
[paths]
state = "{state}"
run = "{run}"
[policy]
liveness_threshold = 0.5
[mrz_scanner]
port = "/dev/null"
[[cameras]]
name = "middle"
source = "/dev/null"
[vision]
embedder = "none"
[trust]
[io_board]
chip = "/dev/null"
[io_board.outputs]
entry_release = {{ line = 0 }}
exit_release = {{ line = 1 }}
entry_green = {{ line = 2 }}
entry_red = {{ line = 3 }}
exit_green = {{ line = 4 }}
exit_red = {{ line = 5 }}
amber = {{ line = 6 }}
[io_board.inputs]
document = {{ line = 7 }}
entry_shut = {{ line = 8 }}
exit_shut = {{ line = 9 }}
occupied = {{ line = 10 }}
crowded = {{ line = 11 }}
fire = {{ line = 12 }}
[link]
requests = "tcp://127.0.0.1:{requests}"
announcements = "tcp://127.0.0.1:{announcements}"
server_key = "{server_key}"
key_file = "{key_file}"
timeout_s = {timeout_s}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Rig:
    """One central folder and one gate under `folder`; processes are started and ended by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.central = folder / "central"
        self.state = folder / "state"
        self.run = Path(tempfile.mkdtemp(prefix="egate-"))  # the path of an ipc socket is short
        self.ports = (free_port(), free_port())
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.logs = {name: folder / f"{name}.log" for name in ("serve", "link")}
        central = CentralFolder(self.central)  # in this process: the commands have tests of their own
        initialise(central, datetime.now(UTC), Lifetimes())
        self.handout = msgspec.to_builtins(admit_gate(central, "gate-1"))
        (self.state / "trust").mkdir(parents=True)
        shutil.copy(self.handout["root"], self.state / "trust" / "root.json")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL)  # stopping well has its own test
        shutil.rmtree(self.run)

    def command(self, name: str, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [BIN / "gate-central", name, self.central, *arguments, "--json"],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def publish(self, *rows: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
        source = self.folder / "list.csv"
        source.write_text(COLUMNS + "".join(f"{row}\n" for row in rows))
        return self.command("publish", "--list", str(source), *options)

    def serve(self, interval_s: float = 1.0, options: tuple[str, ...] = ()) -> None:
        requests, announcements = (f"tcp://127.0.0.1:{port}" for port in self.ports)
        with self.logs["serve"].open("a") as log:
            process = subprocess.Popen(
                [
                    BIN / "gate-central", "serve", self.central, "--json", "--interval", str(interval_s),
                    "--requests", requests, "--announcements", announcements, *options,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )  # fmt: skip
        self.processes["serve"] = process
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["requests"] == requests

    def link(self, timeout_s: float = 1.0, more: str = "", **changes: str) -> None:
        config = self.folder / "gate.toml"
        values: Mapping[str, Any] = {
            "state": self.state,
            "run": self.run,
            "requests": self.ports[0],
            "announcements": self.ports[1],
            "server_key": self.handout["server_key"],
            "key_file": self.handout["key_file"],
            "timeout_s": timeout_s,
        }
        config.write_text(GATE_TOML.format(**{**values, **changes}) + more)
        with self.logs["link"].open("a") as log:
            self.processes["link"] = subprocess.Popen(
                [BIN / "gate-link", "--config", config], stderr=log, text=True
            )

    def stop(self, name: str, number: int = signal.SIGTERM) -> int:
        process = self.processes.pop(name)
        process.send_signal(number)
        status = process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
        return status

    @contextlib.contextmanager
    def gate(self, patience_s: float = 5.0) -> Iterator["Gate"]:
        with Peer[FromLink](f"ipc://{self.run}/link", FromLink, bind=True) as peer:
            gate = Gate(self.state, peer, patience_s)
            try:
                yield gate
            finally:
                gate.watchlist.close()


class Gate:
    """What the watchlist lane of `gated` holds."""

    def __init__(self, state: Path, peer: Peer[FromLink], patience_s: float) -> None:
        self.watchlist = Watchlist.open(state)
        self.link = Link(peer, patience_s)
        self.updater = WatchlistUpdater(self.watchlist, LinkFetcher(self.link, state))

    def refresh(self) -> Refreshed:
        return self.updater.refresh(datetime.now(UTC), time.monotonic())

    def refresh_until(self, kind: type, seconds: float = 10.0) -> Refreshed:
        deadline = time.monotonic() + seconds
        while not isinstance(result := self.refresh(), kind) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert isinstance(result, kind), result
        return result

    def age_s(self) -> float:
        age = self.watchlist.age_s(datetime.now(UTC), time.monotonic())
        assert age is not None
        return age

    def grade(self, number: str) -> Grade:
        return self.watchlist.lookup(document=DocumentClaim(number=Personal(number), issuer="UTO")).grade


def until(condition: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)
