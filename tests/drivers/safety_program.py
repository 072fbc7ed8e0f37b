"""A program that holds the doors by a safety controller, and the test's end of it.

Run as a module it is the program: the real drivers, which release the door that a line of its input names.
`Program` is the other end, which may stop it dead.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from drivers.door import Leases
from drivers.safety_controller import SafetyController
from gated.core.ports import DeviceError
from gated.core.settings.board import SafetyControllerSettings
from gated.core.vocabulary import Door

ROOT = Path(__file__).resolve().parents[2]
MAX_LEASE_S = 60.0


class Program:
    """The running program, with its session begun. Leaving kills it if it still runs."""

    def __init__(self, settings: SafetyControllerSettings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.drivers.safety_program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._say(json.loads(msgspec.json.encode(settings)))

    def __enter__(self) -> Self:
        assert self.hear() == "open"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def unlock(self, door: Door) -> None:
        """Let it release a door for a minute."""
        self._say(door.value)
        assert self.hear() == door.value

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def lock_all(self) -> None:
        """Let it lock both doors, and end an emergency."""
        self._say("")
        assert self.hear() == "locked"

    def stop(self) -> None:
        """SIGSTOP: no thread of it runs any more."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def hear(self) -> str:
        """The next thing that it says."""
        assert self._process.stdout is not None
        return str(json.loads(self._process.stdout.readline()))

    def _say(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


# --- the program ----------------------------------------------------------------------------------


def _tell(said: str) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _fault(error: DeviceError) -> None:
    _tell(error.code)


def main() -> None:
    """Release the doors that are named, lock both at an empty name, until the input ends."""
    settings = msgspec.json.decode(sys.stdin.readline(), type=SafetyControllerSettings)
    controller = SafetyController(settings, lambda _name, _active: None, _fault)
    controller.open()
    doors = Leases(controller, MAX_LEASE_S, _fault)
    _tell("open")
    for line in sys.stdin:
        if name := json.loads(line):
            doors.unlock(Door(name), MAX_LEASE_S)
        else:
            doors.lock_all()
        _tell(name or "locked")


if __name__ == "__main__":
    main()
