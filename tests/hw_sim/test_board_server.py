"""The served /dev/gpiochipN behaves as the kernel documents it, seen by python-periphery from outside."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer, ShimError, build, environment

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 20.0

PRELUDE = """
import errno, fcntl, os, select, struct, sys
from periphery.gpio_cdev2 import Cdev2GPIO as Gpio
CHIP = "/dev/gpiochip0"
def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "accepted"
"""


@pytest.fixture(scope="module")
def library() -> Path:
    try:
        return build(ROOT / "build" / "sim")
    except ShimError as error:
        pytest.skip(str(error))


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def board() -> SimulatedBoard:
    return SimulatedBoard(wiring(active_low=("exit_release",)))


@pytest.fixture
def server(folder: Path, board: SimulatedBoard) -> Iterator[GpioServer]:
    with GpioServer(folder, board) as server:
        yield server


def run(program: str, library: Path, folder: Path) -> str:
    """Run a program under the preloaded library; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELUDE + program],
        env=os.environ | environment(library, folder),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("server")
def test_chip_and_lines_describe_themselves(library: Path, folder: Path) -> None:
    program = """
with Gpio(CHIP, "fire", "in", edge="both", label="test") as line:
    print(line.chip_name, line.chip_label, line.line, line.name, line.label, line.read())
"""
    assert run(program, library, folder) == "gpiochip0 egate-io 13 fire test False\n"


@pytest.mark.usefixtures("server")
def test_requests_are_refused_as_the_kernel_refuses_them(library: Path, folder: Path) -> None:
    program = """
print(refused(Gpio, "/dev/gpiochip9", 0, "in"), refused(Gpio, CHIP, 99, "in"))
first = Gpio(CHIP, 12, "in", edge="both")
print(refused(Gpio, CHIP, 12, "in"))
values = bytearray(16)
print(refused(fcntl.ioctl, first.fd, 0xC010B40F, values))  # set values of an input
print(refused(fcntl.ioctl, first.chip_fd, 0x8044B4FF, bytearray(68)))
print(refused(fcntl.ioctl, first.fd, 0xC010B4FF, values))
print(refused(os.read, first.fd, 8))
for _ in range(100):  # a closed line is free at once
    first.close()
    first = Gpio(CHIP, 12, "in")
"""
    said = run(program, library, folder).split()
    assert said == ["ENOENT", "EINVAL", "EBUSY", "EPERM", "ENOTTY", "ENOTTY", "EINVAL"]


@pytest.mark.usefixtures("server")
def test_edges_are_polled_and_read_and_carry_a_time(
    library: Path, folder: Path, board: SimulatedBoard
) -> None:
    board.on_change(  # a door that follows its lock at once
        lambda name, active: board.drive("exit_shut", not active) if name == "exit_release" else None
    )
    program = """
import time
lock, shut = Gpio(CHIP, "exit_release", "high", inverted=True), Gpio(CHIP, "exit_shut", "in", edge="both")
print(shut.poll(0))
lock.write(True); lock.write(False); lock.write(True)
for _ in range(3):
    assert shut.poll(2)
    event = shut.read_event()
    print(event.edge, abs(event.timestamp / 1e9 - time.time()) < 5)
print(shut.poll(0), shut.read())
"""
    board.drive("exit_shut", active=True)
    said = run(program, library, folder).split()
    assert said == ["False", "falling", "True", "rising", "True", "falling", "True", "False", "False"]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("direction", "inverted", "released"),
    [("low", False, False), ("high", False, True), ("low", True, True), ("high", True, False)],
)
def test_periphery_means_physical_levels_when_it_requests_an_output(
    library: Path,
    folder: Path,
    board: SimulatedBoard,
    *,
    direction: str,
    inverted: bool,
    released: bool,
) -> None:
    """Why the driver asks for "high" where a line is active low."""
    name = "exit_release" if inverted else "entry_release"
    changes: list[tuple[str, bool]] = []
    board.on_change(lambda wire, active: changes.append((wire, active)))
    run(f'Gpio(CHIP, "{name}", "{direction}", inverted={inverted}).close()', library, folder)
    assert changes == ([(name, True), (name, False)] if released else [])


@pytest.mark.usefixtures("server")
def test_a_child_of_the_program_takes_no_line_with_it(library: Path, folder: Path) -> None:
    program = """
import subprocess
lamp = Gpio(CHIP, "amber", "high")
subprocess.run(["/bin/true"], check=True)
child = os.fork()
if child == 0:
    os.close(lamp.fd)
    os._exit(0)
os.waitpid(child, 0)
print(lamp.read(), refused(Gpio, CHIP, "amber", "low"))
"""
    assert run(program, library, folder).split() == ["True", "EBUSY"]


@pytest.mark.usefixtures("server")
def test_other_files_are_none_of_the_librarys_business(library: Path, folder: Path) -> None:
    program = """
import tempfile
with tempfile.TemporaryFile() as file:
    file.write(b"plain"); file.seek(0); print(file.read().decode())
reader, writer = os.pipe()
os.write(writer, b"x"); print(os.read(reader, 1).decode())
print(oct(os.stat(os.open(tempfile.mktemp(), os.O_CREAT | os.O_RDWR, 0o640)).st_mode & 0o777))
"""
    assert run(program, library, folder).split() == ["plain", "x", "0o640"]


def test_an_unplugged_chip_is_enodev_and_wakes_a_reader(
    library: Path, folder: Path, board: SimulatedBoard, server: GpioServer
) -> None:
    unplugging = threading.Thread(target=server.close)
    board.on_change(lambda name, active: unplugging.start() if (name, active) == ("amber", True) else None)
    program = """
line, lamp = Gpio(CHIP, "fire", "in", edge="both"), Gpio(CHIP, "amber", "low")
lamp.write(True)
print(line.poll(5), refused(os.read, line.fd, 48), refused(line.read), refused(lamp.write, True))
print(refused(Gpio, CHIP, 0, "in"))
"""
    assert run(program, library, folder).split() == ["True", "ENODEV", "ENODEV", "ENODEV", "ENOENT"]
    unplugging.join(5)
    assert not board.read("amber")


def test_nonsense_on_the_socket_is_hung_up_on_and_the_chip_serves_on(
    library: Path, folder: Path, server: GpioServer
) -> None:
    for packet in (b"\1", b"\xff" * 600, b"\x07\xb4\x50\xc2"):  # too short, unknown size, no argument
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
            stranger.connect(str(folder / "gpiochip0.sock"))
            stranger.settimeout(2)
            stranger.send(packet)
            assert stranger.recv(100) == b""
    assert run('print(Gpio(CHIP, 0, "low").read())', library, folder) == "False\n"
    assert server.holders == {}


def test_the_library_is_built_once_and_named_by_its_source(tmp_path: Path, library: Path) -> None:
    copy = tmp_path / library.name
    shutil.copy(library, copy)
    changed_at = copy.stat().st_mtime_ns
    assert build(tmp_path) == copy.resolve()
    assert copy.stat().st_mtime_ns == changed_at


def test_without_any_compiler_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ShimError, match="install gcc, or `pip install ziglang`"):
        build(tmp_path / "out")


@pytest.mark.slow
def test_the_bundled_compiler_builds_it_too(
    folder: Path, board: SimulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ziglang", reason="the ziglang package is not installed")
    monkeypatch.setenv("PATH", str(folder))
    library = build(ROOT / "build" / "sim-zig")
    with GpioServer(folder, board):
        assert run('print(Gpio(CHIP, "fire", "in").read())', library, folder) == "False\n"


def test_a_folder_that_is_too_deep_for_a_socket_is_refused(tmp_path: Path, board: SimulatedBoard) -> None:
    server = GpioServer(tmp_path / ("deep" * 30), board)
    with pytest.raises(ShimError, match="shorter folder"):
        server.start()
    server.close()
