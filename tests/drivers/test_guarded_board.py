"""The I/O board and the safety controller as one: each name has one source, and both come and go together."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.door import Leases
from drivers.gpio import OnFault
from drivers.guarded_board import INPUTS, guarded
from gated.core.ports import DeviceError, DeviceGone, Watch
from gated.core.settings.board import IoBoardSettings, SafetyControllerSettings
from gated.core.vocabulary import Door
from hw_sim.lane.board import REQUIRED_INPUTS, SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer
from hw_sim.lane.safety_controller import PtySafetyController, unwired
from hw_sim.lane.safety_firmware import Setting
from tests.drivers.gpio_program import Program

SETTING = Setting(deadman_ms=1_000)


def wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 3.0
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.002)


class Lines:
    """The lines of a board, as the driver gives them."""

    def __init__(self, hardware: SimulatedBoard, watch: Watch) -> None:
        self.is_open = False
        self.fails = False
        self.turned_at = 1.0
        self._hardware = hardware
        self._watch = watch

    def open(self) -> None:
        if self.fails:
            raise DeviceGone("io_board", "no_chip", "check the cable")
        self.is_open = True
        for name in REQUIRED_INPUTS:
            self._watch(name, self._hardware.read(name))

    def close(self) -> None:
        self.is_open = False

    def read(self, name: str) -> bool:
        return self._hardware.read(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        wire = self._hardware.wires[name]
        self._hardware.put(wire.offset, active != wire.active_low)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.hardware = SimulatedBoard(wiring())
        for door in Door:
            self.hardware.drive(f"{door}_shut", active=True)
        self.box = PtySafetyController(self.hardware, folder, setting=SETTING)
        self.told: list[tuple[str, bool]] = []
        self.faults: list[DeviceError] = []
        safety = SafetyControllerSettings(
            port=str(self.box.path), configuration=SETTING.configuration().hex(), timeout_s=1.2
        )
        self.board = guarded(safety, self._make)(wiring(), self._watch, self.faults.append)

    def _make(self, _settings: IoBoardSettings, watch: Watch, _on_fault: OnFault) -> Lines:
        self.lines = Lines(self.hardware, watch)
        return self.lines

    def _watch(self, name: str, active: bool) -> None:  # noqa: FBT001 - the driver's port
        self.told.append((name, active))

    def released(self) -> set[Door]:
        return {door for door in Door if self.hardware.read(f"{door}_release")}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    one = Rig(tmp_path)
    yield one
    one.board.close()
    one.box.close()


def test_each_input_is_told_from_one_source(rig: Rig) -> None:
    rig.board.open()
    names = INPUTS | set(REQUIRED_INPUTS)
    wait(lambda: {name for name, _ in rig.told} == names)
    assert sorted(name for name, _ in rig.told) == sorted(names)
    rig.hardware.drive("document", active=True)
    assert rig.board.read("document")
    assert rig.board.read("entry_shut")


def test_lamps_are_on_the_lines_and_doors_behind_the_controller(rig: Rig) -> None:
    rig.board.open()
    rig.board.write("amber", active=True)
    assert rig.hardware.read("amber")
    with pytest.raises(ValueError, match="command the door by `locks`"):
        rig.board.write("entry_release", active=True)
    assert rig.released() == set()


def test_the_doors_change_their_names_with_the_direction(rig: Rig) -> None:
    rig.board.open()
    ends = {"entry_release": "exit_release", "exit_release": "entry_release"}
    doors = Leases(rig.board.locks(lambda name: ends[name]), 15.0, rig.faults.append)
    doors.unlock(Door.ENTRY, 5)
    wait(lambda: rig.released() == {Door.EXIT})
    doors.lock(Door.ENTRY)
    wait(lambda: rig.released() == set())
    rig.hardware.drive("exit_shut", active=False)
    locks = rig.board.locks(lambda name: ends[name])
    wait(lambda: not locks.is_shut(Door.ENTRY))
    assert locks.is_shut(Door.EXIT)
    doors.close()
    assert rig.faults == []


def test_a_board_that_cannot_be_opened_leaves_the_controller_free(rig: Rig) -> None:
    rig.lines.fails = True
    with pytest.raises(DeviceGone, match="no_chip"):
        rig.board.open()
    assert rig.board.controller.report is None
    rig.lines.fails = False
    rig.board.open()
    rig.board.close()
    assert not rig.lines.is_open
    assert rig.board.controller.report is None


def test_a_controller_that_cannot_be_opened_leaves_the_lines_free(rig: Rig) -> None:
    rig.box.vanish()
    with pytest.raises(DeviceGone, match="not_there"):
        rig.board.open()
    assert not rig.lines.is_open


def test_the_sign_of_life_is_the_older_one(rig: Rig) -> None:
    rig.board.open()
    assert rig.board.turned_at == 1.0
    rig.lines.turned_at = float("inf")
    assert rig.board.turned_at == rig.board.controller.turned_at


def test_a_program_whose_releases_lead_nowhere_moves_no_door_behind_the_box(tmp_path: Path) -> None:
    settings = wiring()
    hardware = SimulatedBoard(settings)
    box = PtySafetyController(hardware, tmp_path, setting=SETTING)
    free = unwired(hardware, settings)
    with (
        tempfile.TemporaryDirectory() as name,
        GpioServer(Path(name), hardware),
        Program(Path(name), free) as program,
    ):
        hardware.drive("fire", active=True)
        program.open_board()
        assert all(hardware.read(f"{door}_release") for door in Door)
        program.write("amber", active=True)
        assert hardware.read("amber")
        hardware.drive("fire", active=False)
    box.power(on=False)
    assert not any(hardware.read(f"{door}_release") for door in Door)
    box.close()
