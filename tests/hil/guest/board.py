"""The I/O board of the guest: gpio-sim from below, `drivers.gpio` and `drivers.door` from above."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from drivers.door import LeasedDoors
from drivers.gpio import IoBoard
from gated.config import load_board
from gated.core.ports import DeviceError
from gated.core.vocabulary import Door
from tests.hil.guest.system import await_devices

CONFIG = Path("/etc/egate/gate.toml")
SIMULATORS = Path("/sys/kernel/config/gpio-sim")
NODE = Path("/dev/egate/io")  # the name that the project's udev rule gives it
LINES = 32
RELEASES = (0, 1)  # as gate.example.toml numbers the doors' lines
APPEARS_S = 30.0
HOLDER = """
import sys, time
from periphery.gpio_cdev2 import Cdev2GPIO
line = Cdev2GPIO(sys.argv[1], int(sys.argv[2]), "out", label="holder")
line.write(True)
print("held", flush=True)
time.sleep(600)
"""


class _Ears:
    """What the board had to say."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.levels: list[tuple[str, bool]] = []
        self.faults: list[str] = []

    def hear(self, name: str, level: bool) -> None:  # noqa: FBT001 - the board's signature
        with self.changed:
            self.levels.append((name, level))
            self.changed.notify_all()

    def be_told(self, fault: DeviceError) -> None:
        with self.changed:
            self.faults.append(fault.code)
            self.changed.notify_all()


_ears = _Ears()
_board: list[IoBoard] = []
_doors: list[LeasedDoors] = []
_holders: list["subprocess.Popen[str]"] = []


# --- from below --------------------------------------------------------------------------------------


def plug() -> None:
    """Make the chip: all its lines are pulled down, as the shut contacts and a quiet fire line are up."""
    place = SIMULATORS / "board"
    if not place.exists():
        (place / "bank").mkdir(parents=True)
        (place / "bank" / "num_lines").write_text(str(LINES))
    (place / "live").write_text("1")
    await_devices()
    inputs = load_board(CONFIG).inputs
    for name in inputs.__struct_fields__:
        line = getattr(inputs, name)
        if line is not None:
            pull(line=line.line, up=line.active_low or name.endswith("_shut"))


def unplug() -> None:
    """Take the chip away, whoever holds its lines."""
    (SIMULATORS / "board" / "live").write_text("0")
    await_devices()


def _line(number: int) -> Path:
    place = SIMULATORS / "board"
    device = (place / "dev_name").read_text().strip()
    chip = (place / "bank" / "chip_name").read_text().strip()
    return Path(f"/sys/devices/platform/{device}/{chip}/sim_gpio{number}")


def level(*, line: int) -> bool:
    """What stands on a line, measured behind the driver's back."""
    return (_line(line) / "value").read_text().strip() == "1"


def levels() -> list[int]:
    """The lines that are up."""
    return [number for number in range(LINES) if level(line=number)]


def pull(*, line: int, up: bool) -> None:
    """Put a level on an input."""
    (_line(line) / "pull").write_text("pull-up" if up else "pull-down")


def await_levels(*, levels: list[int], within_s: float) -> float:
    """Wait until of the release lines just these are up; return how long it took."""
    began = time.monotonic()
    while [number for number in RELEASES if level(line=number)] != levels:
        if time.monotonic() - began > within_s:
            raise TimeoutError
        time.sleep(0.001)
    return time.monotonic() - began


def seconds_from_pull_to_levels(*, line: int, up: bool, levels: list[int]) -> float:
    """Put a level on an input and wait until of the release lines just these are up."""
    pull(line=line, up=up)
    return await_levels(levels=levels, within_s=APPEARS_S)


def rattle(*, line: int, times: int, up: bool) -> None:
    """Change a level as often and as fast as this machine can, and leave it so."""
    place = os.open(_line(line) / "pull", os.O_WRONLY)
    for turn in range(times):
        os.pwrite(place, b"pull-up" if turn % 2 else b"pull-down", 0)
    os.pwrite(place, b"pull-up" if up else b"pull-down", 0)
    os.close(place)


# --- from above --------------------------------------------------------------------------------------


def open_board() -> None:
    """Open the board that gate.toml describes, and its doors."""
    _ears.levels.clear()
    _ears.faults.clear()
    settings = load_board(CONFIG)
    board = IoBoard(settings, _ears.hear, _ears.be_told)
    board.open()
    _board.append(board)
    _doors.append(LeasedDoors(board, settings, _ears.be_told))


def close_board() -> None:
    """Give it back. Idempotent."""
    while _doors:
        _doors.pop().close()
    while _board:
        _board.pop().close()


def write(*, name: str, active: bool) -> None:
    """Write an output."""
    _board[0].write(name, active)


def read(*, name: str) -> bool:
    """Read a line."""
    return _board[0].read(name)


def unlock(*, door: str, lease_s: float) -> None:
    """Release a door."""
    _doors[0].unlock(Door(door), lease_s)


def seconds_until_down(*, line: int, within_s: float) -> float:
    """How long a line stays up from now on."""
    began = time.monotonic()
    while level(line=line):
        if time.monotonic() - began > within_s:
            raise TimeoutError
        time.sleep(0.005)
    return time.monotonic() - began


def heard(*, name: str, after_s: float = 0.0) -> list[bool]:
    """The levels of an input that the board told so far, or a while from now."""
    time.sleep(after_s)
    with _ears.changed:
        return [level for heard, level in _ears.levels if heard == name]


def await_level(*, name: str, active: bool, within_s: float) -> float:
    """Wait until the board has told this level last; return how long it took."""
    began = time.monotonic()

    def is_last() -> bool:
        told = [level for heard, level in _ears.levels if heard == name]
        return told[-1:] == [active]

    with _ears.changed:
        if not _ears.changed.wait_for(is_last, within_s):
            raise TimeoutError
    return time.monotonic() - began


def seconds_from_pull_to_word(*, name: str, line: int, up: bool, active: bool) -> float:
    """Put a level on an input and wait until the board tells it."""
    pull(line=line, up=up)
    return await_level(name=name, active=active, within_s=APPEARS_S)


def await_fault(*, within_s: float) -> list[str]:
    """Wait for the first fault; return all codes."""
    with _ears.changed:
        _ears.changed.wait_for(lambda: bool(_ears.faults), within_s)
        return list(_ears.faults)


def hold(*, line: int) -> None:
    """Have another program hold a line up."""
    command = [sys.executable, "-c", HOLDER, str(NODE), str(line)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    _holders.append(holder)
    assert holder.stdout is not None
    if holder.stdout.readline() != "held\n":
        raise RuntimeError("the line could not be held")


def signal_holder(*, number: int) -> None:
    """Send that program a signal; wait for its end where that ends it."""
    _holders[-1].send_signal(number)
    if number != signal.SIGSTOP:
        holder = _holders.pop()
        holder.wait(APPEARS_S)
        if holder.stdout is not None:
            holder.stdout.close()
