"""gate-safe as a process, on a served /dev/gpiochip0 and a served NOTIFY_SOCKET."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gated.core.settings.board import Lights, Strip
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer, environment
from tests.drivers.gpio_program import shim
from tests.test_config import filled

ROOT = Path(__file__).parents[2]
MAIN = "import sys; from gated.safe import main; sys.exit(main())"
RELEASES = {"entry_release", "exit_release"}
OUT_OF_SERVICE = {"entry_red", "exit_red", "amber"}  # which blink together
SETTINGS = msgspec.structs.replace(
    wiring(active_low=("fire", "panic", "exit_release"), also=("panic",)),
    lights=Lights(exit_strip=Strip(line="EXIT STRIP")),
)


def configuration() -> str:
    """The example with the simulated wiring, and a typo where gate-safe must not look."""
    text = filled().replace("/dev/egate/io", "/dev/gpiochip0").replace("mrz_tries = 3", "mrz_trys = 3")
    start, end = text.index("[io_board.outputs]"), text.index("[[cameras]]")
    wires = []
    for kind, group in (("outputs", SETTINGS.outputs), ("inputs", SETTINGS.inputs)):
        wires.append(f"[io_board.{kind}]")
        for name in group.__struct_fields__:
            line = getattr(group, name)
            if line is not None:
                wires.append(
                    f"{name} = {{ line = {line.line}, active_low = {str(line.active_low).lower()} }}"
                )
    wires += ["[io_board.lights]", 'exit_strip = { line = "EXIT STRIP" }']
    return text[:start] + "\n".join(wires) + "\n" + text[end:]


class Safe:
    """The running gate-safe and what it tells systemd."""

    def __init__(self, folder: Path, text: str) -> None:
        config = folder / "gate.toml"
        config.write_text(text)
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._systemd.bind(str(folder / "notify"))
        self.heard: list[str] = []
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", MAIN, "--config", str(config)],
                cwd=ROOT,
                stderr=log,
                env=os.environ | environment(shim(), folder) | {"NOTIFY_SOCKET": str(folder / "notify")},
            )

    def hear(self, beginning: str, within_s: float = 10) -> str:
        """Wait for a word to systemd."""
        due = time.monotonic() + within_s
        while (left := due - time.monotonic()) > 0:
            self._systemd.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self.heard.append(self._systemd.recv(4096).decode())
                if self.heard[-1].startswith(beginning):
                    return self.heard[-1]
        raise AssertionError(f"no {beginning!r} in {self.heard}; log: {self.log.read_text()}")

    def close(self) -> None:
        """End whatever still runs."""
        self.process.kill()
        self.process.wait(10)
        self._systemd.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)


@pytest.fixture
def board() -> SimulatedBoard:
    return SimulatedBoard(SETTINGS)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[str], Safe]]:
    with contextlib.ExitStack() as running:

        def begin(text: str) -> Safe:
            safe = Safe(folder, text)
            running.callback(safe.close)
            return safe

        yield begin


def active(board: SimulatedBoard) -> set[str]:
    return {name for name, wire in board.wires.items() if wire.output and board.read(name)}


def wait_until(truth: Callable[[], bool], within_s: float = 5) -> None:
    due = time.monotonic() + within_s
    while not truth():
        assert time.monotonic() < due, "it did not come about"
        time.sleep(0.01)


def test_it_locks_shows_out_of_service_and_opens_in_a_fire(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    released: list[str] = []
    board.on_change(lambda name, on: released.append(name) if on and name in RELEASES else None)
    with GpioServer(folder, board) as server:
        safe = start(configuration())
        safe.hear("READY=1")
        wait_until(lambda: active(board) == OUT_OF_SERVICE)
        assert released == []
        safe.hear("WATCHDOG=1")

        board.drive("fire", active=True)
        wait_until(lambda: active(board) >= RELEASES | {"entry_green", "exit_green"})
        safe.hear("WATCHDOG=1")
        board.drive("fire", active=False)
        wait_until(lambda: active(board) == OUT_OF_SERVICE)

        safe.process.send_signal(signal.SIGTERM)
        safe.hear("STOPPING=1")
        assert safe.process.wait(5) == 0
        wait_until(lambda: server.holders == {})
    assert active(board) == set()


def test_the_strips_are_dark_but_for_a_fire(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    with GpioServer(folder, board):
        safe = start(configuration())
        safe.hear("READY=1")
        assert not board.read("exit_strip")
        board.drive("fire", active=True)
        wait_until(lambda: board.read("exit_strip"))
        board.drive("fire", active=False)
        wait_until(lambda: not board.read("exit_strip"))


def test_an_input_that_flaps_is_logged_and_the_board_held(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    with GpioServer(folder, board) as server:
        safe = start(configuration())
        safe.hear("READY=1")

        def told() -> bool:
            assert set(server.holders) == set(board.wires)
            for active in (True, False):
                board.drive("occupied", active)
            return "line_flaps" in safe.log.read_text()

        wait_until(told, within_s=15)
        safe.hear("WATCHDOG=1")
        assert set(server.holders) == set(board.wires)
        board.drive("fire", active=True)
        wait_until(lambda: {name for name in RELEASES if board.read(name)} == RELEASES)


def test_a_panic_button_opens_as_a_fire_does(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    def released() -> set[str]:
        return active(board) & RELEASES

    with GpioServer(folder, board):
        start(configuration()).hear("READY=1")
        board.drive("panic", active=True)
        wait_until(lambda: released() == RELEASES)
        board.drive("fire", active=True)
        board.drive("panic", active=False)
        time.sleep(0.3)
        assert released() == RELEASES
        board.drive("fire", active=False)
        wait_until(lambda: released() == set())


def test_it_opens_at_once_when_it_starts_into_a_fire(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    board.drive("fire", active=True)
    with GpioServer(folder, board):
        safe = start(configuration())
        safe.hear("READY=1")
        wait_until(lambda: active(board) >= RELEASES)


def test_it_holds_the_lines_as_long_as_it_lives_and_no_longer(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    with GpioServer(folder, board) as server:
        safe = start(configuration())
        safe.hear("READY=1")
        assert set(server.holders) == set(board.wires)
        safe.process.kill()
        wait_until(lambda: server.holders == {})
        assert active(board) == set()


def test_it_keeps_trying_for_a_board_that_is_not_there(
    folder: Path, board: SimulatedBoard, start: Callable[[str], Safe]
) -> None:
    safe = start(configuration())
    assert safe.hear("STATUS=not held").startswith("STATUS=not held: no_chip: no GPIO chip at /dev/gpiochip0")
    with GpioServer(folder, board):
        safe.hear("READY=1")
        wait_until(lambda: active(board) == OUT_OF_SERVICE)
    safe.hear("STATUS=not held: ")  # unplugged
    with GpioServer(folder, board):
        safe.hear("READY=1")
        wait_until(lambda: active(board) == OUT_OF_SERVICE)
    assert safe.process.poll() is None
    safe.process.send_signal(signal.SIGTERM)
    assert safe.process.wait(5) == 0


def test_a_board_that_is_wrongly_configured_ends_it_with_the_reason(start: Callable[[str], Safe]) -> None:
    safe = start(configuration().replace('chip = "/dev/gpiochip0"', ""))
    assert safe.process.wait(10) == 78
    assert "[io_board] Object missing required field `chip`: add it" in safe.log.read_text()
