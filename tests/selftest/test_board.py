"""The board while no gate runs: `gatectl` in its own process, real python-periphery over a served chip."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gated.config import load
from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard
from hw_sim.lane.gpio_shim import GpioServer, environment
from tests.drivers.gpio_program import Program, shim
from tests.test_config import filled

TESTED = ("lines", "io_board", "inputs", "alarms", "doors", "presence", "document")


class Desk:
    """A gate's computer with its board, and nothing running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "gate.toml"
        chip, served = 'chip = "/dev/egate/io"', 'chip = "/dev/gpiochip0"'
        self.config.write_text(
            filled().replace(chip, served).replace('run = "/run/egate"', f'run = "{folder}"')
        )
        self.settings = load(self.config).config.io_board
        self.board = SimulatedBoard(self.settings)
        for door in Door:
            self.board.drive(f"{door}_shut", active=True)

    def selftest(self) -> tuple[int, list[dict[str, Any]]]:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "gated.cli",
                "selftest",
                "--json",
                "--only",
                *TESTED,
                "--config",
                self.config,
            ],
            env=os.environ | environment(shim(), self.folder),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)["findings"]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Desk(Path(name))


def codes(found: list[dict[str, Any]]) -> list[str]:
    assert all(each["fix"] for each in found if each["code"])
    return [each["code"] for each in found if each["code"]]


def test_a_free_board_is_read_and_nothing_is_energised(desk: Desk) -> None:
    changes: list[tuple[str, bool]] = []
    with GpioServer(desk.folder, desk.board):
        desk.board.drive("document", active=True)
        desk.board.on_change(lambda name, active: changes.append((name, active)))
        status, found = desk.selftest()
    assert changes == []
    assert status == 0
    assert codes(found) == ["document_lies"]
    assert {each["device"] for each in found} == set(TESTED)


def test_a_door_that_stands_open_is_a_fault(desk: Desk) -> None:
    with GpioServer(desk.folder, desk.board):
        desk.board.drive("exit_shut", active=False)
        status, found = desk.selftest()
    assert (status, codes(found)) == (1, ["door_not_shut"])


def test_a_board_that_gate_safe_holds_is_left_to_it(desk: Desk) -> None:
    with GpioServer(desk.folder, desk.board), Program(desk.folder, desk.settings) as holder:
        holder.open_board()
        status, found = desk.selftest()
    assert (status, codes(found)) == (0, ["held_by_gate_safe"])


def test_a_board_that_is_not_there_is_a_fault(desk: Desk) -> None:
    status, found = desk.selftest()
    assert (status, codes(found)) == (1, ["no_chip"])


def test_an_input_that_flaps_is_found_while_it_is_looked_at(desk: Desk) -> None:
    ended = threading.Event()

    def rub() -> None:
        while not ended.wait(0.004):
            desk.board.drive("occupied", active=not desk.board.read("occupied"))

    loose = threading.Thread(target=rub)
    with GpioServer(desk.folder, desk.board):
        loose.start()
        try:
            for _ in range(5):  # a busy machine may let it rub too slowly for once
                status, found = desk.selftest()
                if status:
                    break
        finally:
            ended.set()
            loose.join()
    assert status == 1
    assert "line_flaps" in codes(found)
    assert {each["part"] for each in found if each["code"] == "line_flaps"} == {"occupied"}
