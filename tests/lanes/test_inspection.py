"""What the lanes tell of their devices: known, never asked of a device."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.chip_reader import CcidChipReader
from drivers.gpio import OnFault
from drivers.mrz_scanner import SerialMrzScanner
from gated.core.ports import Watch
from gated.core.settings.board import IoBoardSettings, SafetyControllerSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.vocabulary import Door
from gated.lanes.board import BoardLane
from gated.lanes.chip import ChipLane
from gated.lanes.dossier import Dossiers
from gated.lanes.inspection import inspect
from gated.lanes.lists import ListsLane
from gated.lanes.scanner import ScannerLane
from gated.runtime.requests import SelfTested
from gated.store.watchlist import Watchlist
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.safety_controller import PtySafetyController
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.scanner import PtyScanner
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus
from tests.drivers.test_mrz_scanner import TD3
from tests.lanes.rounds import SOON_S, Posted, come_round, leave, rounds_until
from tests.lanes.test_board import WireBoard
from tests.lanes.test_chip import TRUST
from tests.test_report_text import STATUS


class Gate:
    """A board, a reader and a scanner with their lanes; `safety` puts the doors behind a controller."""

    def __init__(self, folder: Path, posted: Posted, safety: SafetyControllerSettings | None = None) -> None:
        self.hardware = SimulatedBoard(wiring())
        for door in Door:
            self.hardware.drive(f"{door}_shut", active=True)
        self.board = BoardLane(wiring(), Dossiers(), posted, self._make, safety=safety)
        self.scanner = PtyScanner(folder, baud=115_200)
        settings = MrzScannerSettings(port=str(self.scanner.path), byte_gap_s=0.1)
        self.zone = ScannerLane(SerialMrzScanner(settings), Dossiers(), posted)
        reader = CcidChipReader(ChipReaderSettings(), BusBackend(UsbBus(CcidDevice())))
        self.chip = ChipLane(reader, TRUST, Dossiers(), 5.0, posted)
        self.watchlist = Watchlist.open(folder / "watchlist")
        self.lists = ListsLane(f"ipc://{folder}/link", self.watchlist, posted)

    def _make(self, settings: IoBoardSettings, watch: Watch, on_fault: OnFault) -> WireBoard:
        del settings
        return WireBoard(self.hardware, watch, on_fault)

    def inspect(self) -> SelfTested:
        conditions = (self.board.condition, self.zone.condition, self.chip.condition, self.lists.condition)
        return inspect(STATUS, conditions, self.board, self.zone, self.chip, self.lists)

    def close(self) -> None:
        self.board.close()
        leave(self.zone.lane)
        leave(self.chip.lane)
        self.scanner.close()
        self.watchlist.close()


@pytest.fixture
def gate(run: Path, posted: Posted) -> Iterator[Gate]:
    one = Gate(run, posted)
    yield one
    one.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_before_anything_was_opened_all_is_starting(gate: Gate) -> None:
    told = gate.inspect()
    assert told.status is STATUS
    assert {name: each.code for name, each in told.troubles.items()} == dict.fromkeys(
        ("io_board", "mrz_scanner", "chip_reader", "watchlist"), "starting"
    )
    assert (told.inputs, told.longest_command, told.messages, told.link) == ((), 0, 0, "unknown")
    assert told.safety is None


def test_levels_limits_and_messages_are_known_once_they_were(gate: Gate) -> None:
    for lane in (gate.board.lane, gate.zone.lane, gate.chip.lane):
        come_round(lane)
    gate.hardware.drive("occupied", active=True)
    gate.scanner.send(TD3)
    rounds_until(gate.zone.lane, lambda: gate.zone.heard == 1)
    told = gate.inspect()
    assert set(told.troubles) == {"watchlist"}
    assert {each.name for each in told.inputs if each.active} == {"entry_shut", "exit_shut", "occupied"}
    assert all(each.since_s < SOON_S for each in told.inputs)
    assert told.watched_s < SOON_S
    assert told.longest_command > 200
    assert told.messages == 1
    assert "ERIKSSON" not in repr(told)


def test_a_trouble_comes_with_its_fix(gate: Gate) -> None:
    come_round(gate.board.lane)
    gate.board.board.lose()  # type: ignore[attr-defined]  # the simulated one
    told = gate.inspect()
    assert (told.troubles["io_board"].code, told.troubles["io_board"].fix) == ("chip_lost", "check the cable")


def test_a_safety_controller_says_who_it_is_and_what_it_finds(run: Path, posted: Posted) -> None:
    box_board = SimulatedBoard(wiring())
    for door in Door:
        box_board.drive(f"{door}_shut", active=True)
    box = PtySafetyController(box_board, run)
    has = box.setting.configuration().hex()
    gate = Gate(run, posted, SafetyControllerSettings(port=str(box.path), configuration=has, timeout_s=1.2))
    try:
        come_round(gate.board.lane)
        until(lambda: gate.inspect().safety is not None)
        safety = gate.inspect().safety
        assert safety is not None
        assert (safety.configuration, safety.faults) == (has, {})
        assert safety.supply_v == pytest.approx(24.0, abs=0.5)
    finally:
        gate.close()
        box.close()
    assert gate.inspect().safety is None
