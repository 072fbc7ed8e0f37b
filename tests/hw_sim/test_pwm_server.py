"""The served /sys/class/pwm behaves as the kernel documents it, seen from outside."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.lane.gpio_shim import ShimError, build, environment
from hw_sim.lane.pwm_shim import PwmServer, SimulatedPwm

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 20.0
PRELUDE = """
import errno, os
from periphery import PWM
CHIP = "/sys/class/pwm/pwmchip0/"
def write(path, text):
    try:
        with open(CHIP + path, "w") as file:
            file.write(text)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"
def read(path):
    try:
        with open(CHIP + path) as file:
            return file.read().strip()
    except OSError as error:
        return errno.errorcode[error.errno]
"""


@pytest.fixture(scope="module")
def library() -> Path:
    try:
        return build(ROOT / "build" / "sim")
    except ShimError as error:
        pytest.skip(str(error))


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)


@pytest.fixture
def chip(folder: Path) -> Iterator[SimulatedPwm]:
    chip = SimulatedPwm(channels=2)
    with PwmServer(folder, chip):
        yield chip


def run(program: str, library: Path, folder: Path) -> list[str]:
    """Run a program under the preloaded library; returns the words that it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELUDE + program],
        env=os.environ | environment(library, folder),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_periphery_drives_a_channel(library: Path, folder: Path, chip: SimulatedPwm) -> None:
    program = """
with PWM(0, 1) as pwm:
    pwm.frequency, pwm.duty_cycle = 1000, 0.25
    pwm.enable()
    print(pwm.period_ns, pwm.duty_cycle_ns, pwm.enabled, pwm.polarity)
"""
    assert run(program, library, folder) == ["1000000", "250000", "True", "normal"]
    assert chip.history[-1] == (1, 0.25)
    assert chip.exported == frozenset()


@pytest.mark.usefixtures("chip")
def test_writes_are_refused_as_the_kernel_refuses_them(library: Path, folder: Path) -> None:
    program = """
print(read("npwm"), write("export", "2"), write("unexport", "0"), read("pwm0/period"))
print(write("export", "0"), write("export", "0"), read("pwm0/period"))
print(write("pwm0/duty_cycle", "0"), write("pwm0/enable", "1"))  # no period yet
print(write("pwm0/period", "1000"), write("pwm0/duty_cycle", "1001"), write("pwm0/period", "one"))
print(write("pwm0/duty_cycle", "1000"), write("pwm0/period", "999"), read("pwm0/period"))
print(write("pwm0/none", "1"), read("export"), write("pwm0", "1"))
print(write("unexport", "0"), read("pwm0/period"))
"""
    assert run(program, library, folder) == [
        *("2", "ENODEV", "ENODEV", "ENOENT"),
        *("ok", "EBUSY", "0"),
        *("EINVAL", "EINVAL"),
        *("ok", "EINVAL", "EINVAL"),
        *("ok", "EINVAL", "1000"),
        *("ENOENT", "EACCES", "EISDIR"),
        *("ok", "ENOENT"),
    ]


@pytest.mark.usefixtures("chip")
def test_folders_are_there_as_long_as_their_channel_is(library: Path, folder: Path) -> None:
    program = """
names = ("pwmchip0", "pwmchip0/pwm1", "pwmchip7")
print(*(os.path.isdir("/sys/class/pwm/" + name) for name in names))
write("export", "1")
print(*(os.path.isdir("/sys/class/pwm/" + name) for name in names))
print(os.path.isdir(CHIP + "pwm1/period"), os.path.isdir("/sys/class"), os.path.isfile("/etc/passwd"))
"""
    assert run(program, library, folder) == [
        *("True", "False", "False"),
        *("True", "True", "False"),
        *("False", "True", "True"),
    ]


def test_a_channel_outlives_its_program(library: Path, folder: Path, chip: SimulatedPwm) -> None:
    program = """
write("export", "0"), write("pwm0/period", "1000"), write("pwm0/duty_cycle", "500"), write("pwm0/enable", "1")
"""
    run(program, library, folder)
    assert chip.duty(0) == 0.5


def test_an_unplugged_chip_is_gone(library: Path, folder: Path) -> None:
    with PwmServer(folder, SimulatedPwm()):
        pass
    assert run('print(os.path.isdir(CHIP), read("npwm"))', library, folder) == ["False", "ENOENT"]
