"""A small stand-in for systemd: starts the daemons, hears their `sd_notify`, kills and restarts them.

It takes the part of the service manager only as far as a rehearsal needs it: READY, WATCHDOG and the exit
status. The units themselves are verified with the real systemd tools elsewhere.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

WATCHDOG_S = 5.0  # as in the units
STOP_S = 5.0


class DaemonError(Exception):
    """A daemon did not do what a supervisor expects; the text names it and its log."""


class Daemon:
    """One process under supervision. Its log is a file; `ready_s` is how long it took to say READY."""

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.ready_s = 0.0
        self.fed_at = 0.0
        """Monotonic time of the last WATCHDOG=1."""
        self._command = list(command)
        self._environment = dict(environment or {})
        self._socket_path = folder / f"{name}.notify"
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = threading.Event()

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return self._process.pid if self.is_running() and self._process else 0

    def start(self, timeout_s: float = 20.0) -> None:
        """Start and wait for READY. Raises DaemonError."""
        self._ready.clear()
        self._socket_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(self._socket_path))
        environment = {
            **os.environ,
            **self._environment,
            "NOTIFY_SOCKET": str(self._socket_path),
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
            "PYTHONUNBUFFERED": "1",
        }
        began = time.monotonic()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._process = process
        threading.Thread(target=self._listen, args=(listener, process), daemon=True).start()
        while not self._ready.wait(0.05):
            if process.poll() is not None:
                raise DaemonError(f"{self.name} ended with {process.returncode}: see {self.log}")
            if time.monotonic() - began > timeout_s:
                self.kill()
                raise DaemonError(f"{self.name} was not ready in {timeout_s:.0f} s: see {self.log}")
        self.ready_s = time.monotonic() - began
        self.fed_at = max(self.fed_at, began)  # the watchdog counts from the start

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to a process that runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: what a power cut or the kernel's out-of-memory killer does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)

    def end_by_watchdog(self, patience_s: float) -> bool:
        """End it as systemd does once it has not fed its watchdog in time; False if it goes on feeding."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() - self.fed_at < WATCHDOG_S:
            if time.monotonic() > deadline or not self.is_running():
                return False
            time.sleep(0.05)
        for number in (signal.SIGABRT, signal.SIGCONT):
            self.signal(number)
        if self.wait(STOP_S) is None:
            self.kill()
        return True

    def stop(self) -> int:
        """SIGTERM, then SIGKILL; return the exit status. Idempotent."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the process to end by itself; return its exit status, or None in time."""
        try:
            return self._process.wait(timeout_s) if self._process else None
        except subprocess.TimeoutExpired:
            return None

    def cpu_s(self) -> float:
        """CPU time that the process has used so far, in seconds (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _listen(self, listener: socket.socket, process: subprocess.Popen[bytes]) -> None:
        listener.settimeout(0.5)
        with listener:
            while process.poll() is None:
                try:
                    message = listener.recv(4096)
                except TimeoutError:
                    continue
                for line in message.split(b"\n"):
                    if line == b"READY=1":
                        self._ready.set()
                    elif line == b"WATCHDOG=1":
                        self.fed_at = time.monotonic()


def python(*arguments: str) -> list[str]:
    """The command line of a module in this environment."""
    return [sys.executable, "-W", "ignore::DeprecationWarning", *arguments]
