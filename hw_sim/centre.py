"""The central server of the simulated site: the real `gate-central`, driven by its own commands."""

import csv
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from gated.central.folder import CentralFolder
from gated.central.journal_keys import enrol
from gated.central.publish import current_header
from gated.central.receipts import receipt_public
from gated.core.settings.central import JournalSettings, LinkSettings
from gated.store.journal_key import make_journal_key
from hw_sim.supervisor import STOP_S, DaemonError, python

FIELDS = (
    "number",
    "issuer",
    "type",
    "surname",
    "given",
    "birth",
    "nationality",
    "grade",
    "reason",
    "reference",
)
COMMAND_S = 60.0
SERVE_S = 15.0
SIGN_S = 5.0  # how often the running server vouches for its list

Row = Mapping[str, str]


class Centre:
    """A central folder and its server. `found` once, then `serve`, `publish` and `close` as needed."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self._folder = folder
        self._log = logs / "gate-central.log"
        self._ports = (_free_port(), _free_port())
        self._server: subprocess.Popen[bytes] | None = None
        self._journals_port = _free_port()
        self._collector: subprocess.Popen[bytes] | None = None
        self._journal_keys: dict[str, Path] = {}
        self.problems: list[str] = []
        """What a twist about lists found wrong, for whoever judges the passage."""

    def found(self, gate: str, root: Path) -> LinkSettings:
        """Make the keys and admit the first gate; return what it is told."""
        self._command("init", str(self._folder))
        return self.admit(gate, root)

    def admit(self, gate: str, root: Path) -> LinkSettings:
        """Admit a gate, put its trusted root and its journal key in place; return what the gate is told."""
        self._command("keys", str(self._folder), "--gate", gate)
        handout = self._folder / "handout" / gate
        root.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(handout / "root.json", root)
        key = root.parents[2] / "journal.key"  # as gatectl journal key makes it, in the gate's own folder
        enrol(CentralFolder(self._folder), gate, make_journal_key(key), datetime.now(UTC))
        self._journal_keys[gate] = key
        requests, announcements = (f"tcp://127.0.0.1:{port}" for port in self._ports)
        return LinkSettings(
            requests=requests,
            announcements=announcements,
            server_key=(handout / "server.pub").read_text(encoding="ascii").strip(),
            key_file=str(handout / "gate.key"),
            timeout_s=2.0,
        )

    def publish(self, rows: Iterable[Row], *options: str) -> None:
        """Publish the whole list as its next version."""
        path = self._folder / "list.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, restval="")
            writer.writeheader()
            writer.writerows(rows)
        self._command("publish", str(self._folder), "--list", str(path), *options)

    def version(self) -> int:
        """The version of the list that is published now."""
        header = current_header(CentralFolder(self._folder))
        return header.version if header else 0

    def copied(self, name: str) -> "Centre":
        """The same centre in another folder, as somebody has it who has copied it all."""
        other = Centre(self._folder.with_name(name), self._log.parent)
        shutil.rmtree(other.folder, ignore_errors=True)
        shutil.copytree(self._folder, other.folder)
        return other

    def serve_from(self, other: "Centre") -> None:
        """Serve what lies in the other one's repository from now on, its timestamp last."""
        ours, theirs = self._folder / "repository", other.folder / "repository"
        for path in sorted(theirs.rglob("*"), key=lambda each: each.name == "timestamp.json"):
            if path.is_file():
                spare = self._folder / "spare"
                shutil.copyfile(path, spare)
                (ours / path.relative_to(theirs)).parent.mkdir(parents=True, exist_ok=True)
                spare.replace(ours / path.relative_to(theirs))

    def list_key(self, gate: str) -> str:
        """The file of the list key that was handed out to a gate."""
        return str(self._folder / "handout" / gate / "list.key")

    @property
    def folder(self) -> Path:
        """The central folder."""
        return self._folder

    def serve(self) -> None:
        """Start the server and wait until it listens. Raises DaemonError."""
        requests, announcements = (f"tcp://127.0.0.1:{port}" for port in self._ports)
        command = python(
            "-m", "gated.central.cli", "serve", str(self._folder), "--requests", requests,
            "--announcements", announcements, "--interval", str(SIGN_S),
        )  # fmt: skip
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + SERVE_S
        while not all(_listens(port) for port in self._ports):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise DaemonError(f"gate-central does not serve: see {self._log}")
            time.sleep(0.05)

    def journals(self, gate: str) -> JournalSettings:
        """What a gate that was admitted is told of the collector, whether it runs or not."""
        return JournalSettings(
            collector=f"tcp://127.0.0.1:{self._journals_port}",
            receipt_key=receipt_public(CentralFolder(self._folder)),
            key_file=str(self._journal_keys[gate]),
        )

    def collect(self) -> None:
        """Start the collector of journals and wait until it listens. Raises DaemonError."""
        address = f"tcp://127.0.0.1:{self._journals_port}"
        command = python("-m", "gated.central.cli", "collect", str(self._folder), "--address", address)
        with self._log.open("ab") as log:
            self._collector = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + SERVE_S
        while not _listens(self._journals_port):
            if self._collector.poll() is not None or time.monotonic() > deadline:
                raise DaemonError(f"gate-central does not collect: see {self._log}")
            time.sleep(0.05)

    def kill_collector(self) -> None:
        """The collector disappears."""
        if self._collector is not None:
            self._collector.kill()
            self._collector.wait(STOP_S)

    def kill(self) -> None:
        """The central side disappears."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(STOP_S)

    def close(self) -> None:
        """Stop the servers. Idempotent."""
        self.kill_collector()
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def _command(self, *arguments: str) -> None:
        command = python("-m", "gated.central.cli", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)
        if done.returncode:
            raise DaemonError(f"gate-central {arguments[0]} failed: {(done.stderr or done.stdout).strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
