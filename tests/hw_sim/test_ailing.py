"""A machine that fails below an unmodified program: its clock and its disk, and nothing else."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gated.store import disk
from hw_sim.lane.gpio_shim import ShimError
from hw_sim.machine.ailing import AilingMachine, library

# What a program finds: the wall clock, how long 50 ms take, a record in a database, and the disk itself.
LOOK = """
import os, sqlite3, sys, threading, time
from pathlib import Path
from gated.store import disk
folder = Path(sys.argv[1])
began = time.monotonic()
threading.Event().wait(0.05)
print(round(time.time()), round(time.monotonic() - began, 1))
print((disk.look(folder) or disk.probe(folder) or ("well",))[0])
try:
    db = sqlite3.connect(folder / "one.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE IF NOT EXISTS records (one INTEGER)")
    began = time.monotonic()
    db.execute("INSERT INTO records VALUES (1)")
    print(round(time.monotonic() - began, 1))
except sqlite3.Error as error:
    print(error.sqlite_errorname)
(Path(sys.argv[1]).parent / "elsewhere").write_text("written")
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(tmp_path: Path, state: Path) -> AilingMachine:
    return AilingMachine(tmp_path / "page", state)


@pytest.fixture
def look(
    machine: AilingMachine, state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], list[str]]:
    try:
        preloaded = library(tmp_path_factory.getbasetemp() / "shim")
    except ShimError as error:
        pytest.skip(str(error))

    def run() -> list[str]:
        command = [sys.executable, "-c", LOOK, str(state)]
        environment = os.environ | machine.environment(preloaded)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert (state.parent / "elsewhere").read_text(encoding="utf-8") == "written"
        return done.stdout.split()

    return run


def test_a_machine_that_is_well_is_left_alone(look: Callable[[], list[str]]) -> None:
    clock, waited, condition, _ = look()
    assert abs(int(clock) - time.time()) < 60
    assert (waited, condition) == ("0.1", "well")


@pytest.mark.parametrize("hours", [3, -26])
def test_a_clock_that_leapt_is_wrong_and_waits_are_as_long_as_ever(
    look: Callable[[], list[str]], machine: AilingMachine, hours: int
) -> None:
    machine.leap(hours * 3600)
    clock, waited, _, _ = look()
    assert abs(int(clock) - time.time() - hours * 3600) < 60
    assert float(waited) < 1.0
    machine.leap(0)
    assert abs(int(look()[0]) - time.time()) < 60


def test_a_full_disk_refuses_and_says_so(look: Callable[[], list[str]], machine: AilingMachine) -> None:
    machine.fill_disk(disk.MIN_FREE - 4096)
    assert look()[2] == "disk_nearly_full"
    machine.fill_disk(0)
    _, _, condition, failure = look()
    assert condition == "disk_nearly_full"
    assert failure.startswith("SQLITE_")
    machine.mend_disk()
    assert look()[2] == "well"


def test_a_read_only_disk_can_be_read(
    look: Callable[[], list[str]], machine: AilingMachine, state: Path
) -> None:
    look()
    machine.make_read_only()
    _, _, condition, failure = look()
    assert condition == "disk_read_only"
    assert failure in {"SQLITE_READONLY", "SQLITE_CANTOPEN"}
    with closing(sqlite3.connect(state / "one.db")) as database:
        assert database.execute("SELECT count(*) FROM records").fetchone() == (1,)


def test_a_slow_disk_takes_its_time_for_each_record(
    look: Callable[[], list[str]], machine: AilingMachine
) -> None:
    look()
    machine.slow_down(0.6)
    _, _, condition, took = look()
    assert condition == "disk_slow"
    assert float(took) >= 0.6
