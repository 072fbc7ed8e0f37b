"""A program that holds the I/O board, and the test's end of it.

Run as a module (with the served chip preloaded) it is the program: real drivers on real python-periphery.
It takes commands as JSON lines and answers in JSON lines; `Program` is the other end. With the argument
`figures` it measures the latencies of the simulated board instead and prints them.
"""

import datetime as dt
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import msgspec
import pytest

from drivers.door import LeasedDoors
from drivers.gpio import IoBoard
from drivers.lamps import SignalLamps
from drivers.light_strips import LightStrips
from gated.core.ports import DeviceError
from gated.core.settings.board import Inputs, IoBoardSettings
from gated.core.vocabulary import Door
from hw_sim.lane.board import REQUIRED_INPUTS, SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer, ShimError, build, environment

ROOT = Path(__file__).resolve().parents[2]
ANSWER_S = 10.0

Said = dict[str, Any]


@functools.cache
def shim() -> Path:
    """The preloaded library; skips the test where nothing here can compile C."""
    try:
        return build(ROOT / "build" / "sim")
    except ShimError as error:
        pytest.skip(str(error))


class Program:
    """The running program. Leaving kills it if it still runs."""

    def __init__(self, folder: Path, settings: IoBoardSettings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.drivers.gpio_program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environment(shim(), folder),
        )
        self._lines: SimpleQueue[Said] = SimpleQueue()
        self.said: list[Said] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._tell(json.loads(msgspec.json.encode(settings)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(ANSWER_S)
        self._reader.join(ANSWER_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def ask(self, verb: str, *arguments: Any) -> Said:
        """Let the program do something; returns its answer, `{"value": ...}` or `{"error": ...}`."""
        self._tell([verb, *arguments])
        return self.expect(lambda said: "value" in said or "error" in said)

    def write(self, name: str, *, active: bool) -> Said:
        """Let the program write a line; returns its answer."""
        return self.ask("write", name, active)

    def open_board(self) -> None:
        """Let the program open the board; returns when that was answered and all inputs were reported."""
        self.begin("open")
        waited_for = {"answer", "fire"}  # `fire` is the last of the inputs; either may come first

        def came(said: Said) -> bool:
            assert "error" not in said, said
            waited_for.discard("answer" if "value" in said else said.get("watch", [""])[0])
            return not waited_for

        self.expect(came)

    def begin(self, verb: str, *arguments: Any) -> None:
        """Let the program begin something that it does not answer for."""
        self._tell([verb, *arguments])

    def expect(self, wanted: Callable[[Said], bool], timeout_s: float = ANSWER_S) -> Said:
        """The next line that is wanted; those before it stay in `said`."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                said = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"not said within {timeout_s} s; said: {self.said}") from None
            self.said.append(said)
            if wanted(said):
                return said

    def expect_input(self, name: str, *, active: bool, timeout_s: float = ANSWER_S) -> Said:
        """The next report that an input is so."""
        return self.expect(lambda said: said.get("watch") == [name, active], timeout_s)

    def silent_for(self, seconds: float) -> bool:
        """Whether the program says nothing at all for a while."""
        try:
            self.said.append(self._lines.get(timeout=seconds))
        except Empty:
            return True
        return False

    def kill(self) -> None:
        """SIGKILL."""
        self._process.send_signal(signal.SIGKILL)

    def _tell(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))


BEAM_S = 0.005  # the debounce time of a light curtain's beams


def figures(rounds: int = 1000) -> dict[str, float]:
    """Median, 99th percentile and worst latencies through the whole simulated board, in microseconds.

    `write` is one output line; `edge` runs from the world's change to `watch`, with no debounce time, and
    `beam` likewise with that of a light curtain.
    """
    plain = wiring()
    undebounced = {
        name: msgspec.structs.replace(
            getattr(plain.inputs, name), debounce_s=BEAM_S if name == "crowded" else 0.0
        )
        for name in REQUIRED_INPUTS
    }
    settings = msgspec.structs.replace(plain, inputs=Inputs(**undebounced))
    board = SimulatedBoard(settings)
    with (
        TemporaryDirectory() as name,
        GpioServer(Path(name), board),
        Program(Path(name), settings) as program,
    ):
        program.open_board()
        writes = sorted(program.ask("time_writes", rounds)["value"])
        took: dict[str, list[float]] = {"occupied": [], "crowded": []}
        for number in range(2 * rounds):
            sensor = "crowded" if number % 2 else "occupied"
            active, began = number % 4 < 2, time.monotonic()
            board.drive(sensor, active)
            took[sensor].append(program.expect_input(sensor, active=active)["at"] - began)
        before = program.ask("processor_s")["value"]
        program.ask("doors")
        time.sleep(3.0)
        idle = program.ask("processor_s")["value"] - before
    found = {}
    for name, each in (("write", writes), ("edge", took["occupied"]), ("beam", took["crowded"])):
        each.sort()
        for label, at in (("", rounds // 2), ("_p99", rounds * 99 // 100), ("_worst", -1)):
            found[f"{name}{label}_us"] = 1e6 * each[at]
    return found | {"idle_percent": 100 * idle / 3.0}


# --- the program ----------------------------------------------------------------------------------


def _say(said: Said) -> None:
    sys.stdout.write(json.dumps(said | {"at": time.monotonic()}) + "\n")
    sys.stdout.flush()


def _fault(error: DeviceError) -> None:
    _say({"fault": error.code, "kind": type(error).__name__, "text": str(error)})


def _time_writes(board: IoBoard, count: int) -> list[float]:
    took = []
    for number in range(count):
        began = time.monotonic()
        board.write("amber", number % 2 == 0)
        took.append(time.monotonic() - began)
    return took


def _hang(seconds: float) -> None:
    """Hang as a bug would: the interpreter never gives the processor up by itself."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def main() -> None:
    """Carry out commands until the input ends."""
    settings = msgspec.json.decode(sys.stdin.readline(), type=IoBoardSettings)
    board = IoBoard(
        settings, lambda name, active: _say({"watch": [name, active], "since": board.told_at}), _fault
    )
    doors = lamps = strips = None
    clock = [dt.time(12, 0)]
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        try:
            if verb == "doors":
                doors = LeasedDoors(board, settings, _fault)
            if verb == "lamps":
                lamps = SignalLamps(board, _fault)
            if verb == "clock":
                clock[0] = dt.time.fromisoformat(arguments[0])
            if verb == "strips":
                clock[0] = dt.time.fromisoformat(arguments[0])
                strips = LightStrips(board, settings.lights, _fault, lambda: clock[0])
            verbs: dict[str, Callable[..., Any]] = {
                "open": board.open,
                "close": board.close,
                "write": board.write,
                "read": board.read,
                "time_writes": lambda count: _time_writes(board, count),
                "hang": _hang,
                "processor_s": time.process_time,
                "doors": lambda: None,
                "lamps": lambda: None,
                "clock": lambda _at: None,
                "strips": lambda _at: None,
            }
            if doors is not None:
                at = doors
                verbs |= {
                    "unlock": lambda door, lease_s, at=at: at.unlock(Door(door), lease_s),
                    "lock": lambda door, at=at: at.lock(Door(door)),
                    "lock_all": at.lock_all,
                    "release_all": at.release_all,
                }
            if lamps is not None:
                verbs["show"] = lamps.show
            if strips is not None:
                verbs |= {"guide": strips.show, "darken": strips.close}
            value = verbs[verb](*arguments)
        except DeviceError as error:
            _say({"error": error.code, "kind": type(error).__name__, "text": str(error)})
        else:
            _say({"value": value})


if __name__ == "__main__":
    if sys.argv[1:] == ["figures"]:
        sys.stdout.write("".join(f"{name:16} {figure:10.2f}\n" for name, figure in figures().items()))
    else:
        main()
