"""The board's lane over the simulated board's wires, with a port that can be lost and had again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.door import SETTLE_S, WATCH_S
from drivers.gpio import OnFault
from drivers.lamps import LAMPS
from gated.core import events as ev
from gated.core.personal import Personal
from gated.core.ports import DeviceError, DeviceGone, Watch
from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Device, Door
from gated.lanes import board as module
from gated.lanes.board import BoardLane, NotGuardedError
from gated.lanes.dossier import Dossiers
from gated.store.door_cycles import DoorCycles
from hw_sim.lane.board import REQUIRED_INPUTS, SimulatedBoard, wiring
from tests.lanes.rounds import SOON_S, Posted, come_round

BOTH = frozenset(Door)


class WireBoard:
    """The driver's port over simulated wires: it tells every level when it is opened, then each change."""

    def __init__(self, hardware: SimulatedBoard, watch: Watch, on_fault: OnFault) -> None:
        self.hardware = hardware
        self.turned_at = 0.0
        self.is_open = False
        self.plugged = True
        self.broken: set[str] = set()
        self.when_opened: Callable[[], None] = lambda: None
        self._watch = watch
        self._on_fault = on_fault
        hardware.on_change(self._changed)

    def open(self) -> None:
        if not self.plugged:
            raise DeviceGone("io_board", "no_chip", "connect the board")
        self.is_open = True
        self.turned_at = time.monotonic()
        for name in REQUIRED_INPUTS:
            self._watch(name, self.hardware.read(name))
        self.when_opened()

    def close(self) -> None:
        self.is_open = False
        for wire in self.hardware.wires.values():
            self.hardware.let_go(wire.offset)

    def read(self, name: str) -> bool:
        self._check(name)
        return self.hardware.read(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        self._check(name)
        wire = self.hardware.wires[name]
        self.hardware.put(wire.offset, active != wire.active_low)

    def lose(self) -> None:
        self.plugged = False
        self._on_fault(DeviceGone("io_board", "chip_lost", "check the cable"))

    def _check(self, name: str) -> None:
        if not self.is_open:
            raise DeviceGone("io_board", "not_open", "open the board first")
        if not self.plugged or name in self.broken:
            raise DeviceGone("io_board", "chip_lost", "check the cable")

    def _changed(self, name: str, active: bool) -> None:  # noqa: FBT001 - the board's hook
        if self.is_open and not self.hardware.wires[name].output:
            self._watch(name, active)


class Bench:
    """A lane that has opened its board."""

    def __init__(self, posted: Posted) -> None:
        self.posted = posted
        self.dossiers = Dossiers()
        self.settings = wiring()
        self.hardware = SimulatedBoard(self.settings)
        for door in Door:
            self.hardware.drive(f"{door}_shut", active=True)
        self.lane = BoardLane(self.settings, self.dossiers, posted, self._make)

    def _make(self, settings: IoBoardSettings, watch: Watch, on_fault: OnFault) -> WireBoard:
        assert settings is self.settings
        self.board = WireBoard(self.hardware, watch, on_fault)
        return self.board

    def come_round(self) -> None:
        come_round(self.lane.lane)

    def released(self) -> frozenset[Door]:
        return frozenset(door for door in Door if self.hardware.read(f"{door}_release"))


@pytest.fixture
def bench(posted: Posted) -> Iterator[Bench]:
    one = Bench(posted)
    one.come_round()
    yield one
    one.board.broken.clear()
    one.lane.close()


def test_the_levels_at_the_start_are_told_and_the_board_is_ready(bench: Bench) -> None:
    assert bench.posted.kinds() == [
        "DocumentRemoved",
        "DoorMoved",
        "DoorMoved",
        "OccupancyChanged",
        "DeviceReady",
    ]
    assert {(e.door, e.shut) for e in bench.posted.of(ev.DoorMoved)} == {(door, True) for door in Door}
    assert bench.posted.of(ev.OccupancyChanged)[0].persons == 0
    assert bench.released() == frozenset()


def test_a_document_begins_a_passage_with_a_dossier_of_its_own(bench: Bench) -> None:
    bench.posted.clear()
    for _ in range(2):
        bench.hardware.drive("document", active=True)
        bench.hardware.drive("document", active=False)
    assert bench.posted.kinds() == ["DocumentPlaced", "DocumentRemoved"] * 2
    first, second = bench.posted.of(ev.DocumentPlaced)
    assert first.passage != second.passage
    assert len(first.passage) == 16
    assert first.utc.endswith("+00:00")
    assert bench.dossiers.is_open(first.passage)
    assert bench.dossiers.is_open(second.passage)


def test_a_page_that_waits_goes_with_its_document(bench: Bench) -> None:
    bench.hardware.drive("document", active=True)
    (placed,) = bench.posted.of(ev.DocumentPlaced)
    assert bench.dossiers.put_page(Personal(b"page"))
    bench.hardware.drive("document", active=False)
    assert bench.dossiers.is_open(placed.passage)
    assert bench.dossiers.take_page(placed.passage) is None


def test_doors_and_persons_become_facts_and_only_changes_count(bench: Bench) -> None:
    bench.posted.clear()
    bench.hardware.drive("entry_shut", active=False)
    bench.hardware.drive("occupied", active=True)
    bench.hardware.drive("crowded", active=True)
    bench.hardware.drive("occupied", active=False)  # a broken line for the first: still more than one
    bench.hardware.drive("crowded", active=False)
    assert [(e.door, e.shut) for e in bench.posted.of(ev.DoorMoved)] == [(Door.ENTRY, False)]
    assert [e.persons for e in bench.posted.of(ev.OccupancyChanged)] == [1, 2, 0]


def test_fire_is_an_emergency_and_its_end_is_nobodys_word(bench: Bench) -> None:
    bench.posted.clear()
    assert not bench.lane.fire_is_on()
    bench.hardware.drive("fire", active=True)
    assert bench.lane.fire_is_on()
    bench.hardware.drive("fire", active=False)
    assert bench.posted.kinds() == ["EmergencyRaised"]
    bench.board.close()
    assert bench.lane.fire_is_on()  # a board that cannot say


def test_a_fire_that_pauses_for_less_than_its_debounce_time_is_not_over(bench: Bench) -> None:
    told: Watch = bench.lane.board._watch  # type: ignore[attr-defined]  # levels that have held
    told("fire", True)  # noqa: FBT003 - the port of the driver
    assert not bench.lane.board.read("fire"), "at this moment the wire is not active"
    assert bench.lane.fire_is_on()
    told("fire", False)  # noqa: FBT003
    assert not bench.lane.fire_is_on()


def test_locks_and_lamps_follow_the_heart(bench: Bench) -> None:
    bench.lane.unlock(Door.ENTRY, 3.0)
    assert bench.released() == {Door.ENTRY}
    bench.lane.lock(Door.ENTRY)
    bench.lane.unlock(Door.EXIT, 3.0)
    deadline = time.monotonic() + SETTLE_S + SOON_S
    while not bench.released():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert bench.released() == {Door.EXIT}
    bench.lane.lock(Door.EXIT)
    bench.lane.release_all()
    assert bench.released() == BOTH
    for door in Door:
        bench.lane.lock(door)
    assert bench.released() == frozenset()
    bench.lane.show("go")
    assert bench.hardware.read("exit_green")
    assert bench.lane.condition.is_ready


def test_a_door_that_is_forced_is_latched_and_each_time_told(bench: Bench) -> None:
    bench.posted.clear()
    for _ in range(2):
        time.sleep(2 * WATCH_S)  # it is seen to be shut
        bench.hardware.drive("exit_shut", active=False)
        deadline = time.monotonic() + SOON_S
        count = len(bench.posted.faults())
        while len(bench.posted.faults()) == count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        bench.hardware.drive("exit_shut", active=True)
    faults = bench.posted.of(ev.FaultRaised)
    assert [(e.device, e.code, e.latched) for e in faults] == [(Device.IO_BOARD, "door_forced", True)] * 2
    assert "exit door" in bench.lane.condition.fix("door_forced")
    bench.come_round()
    assert bench.lane.condition.is_ready  # the board answers; that it is not trusted is the heart's to know
    assert bench.board.is_open


def test_both_doors_at_once_are_refused_and_latched(bench: Bench) -> None:
    bench.lane.unlock(Door.ENTRY, 3.0)
    bench.lane.unlock(Door.EXIT, 3.0)
    assert bench.released() == {Door.ENTRY}
    assert [(e.code, e.latched) for e in bench.posted.of(ev.FaultRaised)] == [("interlock", True)]


def test_a_lost_board_is_one_fault_and_comes_back_locked_and_with_its_lamps(bench: Bench) -> None:
    bench.lane.unlock(Door.ENTRY, 10.0)
    bench.posted.clear()
    bench.board.lose()
    bench.come_round()
    assert bench.released() == frozenset()
    bench.lane.unlock(Door.ENTRY, 3.0)  # asked while it is away: nothing new is told
    bench.lane.lock(Door.ENTRY)
    bench.lane.show("officer")
    for _ in range(3):
        bench.come_round()
    assert bench.posted.faults() == ["chip_lost", "no_chip"]
    bench.posted.clear()
    bench.board.plugged = True
    bench.come_round()
    assert bench.posted.kinds()[-1] == "DeviceReady"
    assert len(bench.posted.of(ev.DoorMoved)) == 2  # all levels are told anew
    assert bench.released() == frozenset()
    assert bench.hardware.read("amber")
    bench.lane.unlock(Door.ENTRY, 3.0)
    deadline = time.monotonic() + SETTLE_S + SOON_S  # both were locked just now
    while bench.released() != {Door.ENTRY}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_write_that_fails_has_the_board_opened_afresh(bench: Bench) -> None:
    bench.posted.clear()
    bench.board.broken.add("entry_release")
    bench.lane.unlock(Door.ENTRY, 3.0)
    assert bench.posted.faults() == ["chip_lost"]
    bench.board.broken.clear()
    bench.come_round()
    assert bench.lane.condition.is_ready
    assert bench.released() == frozenset()


def test_an_emergency_survives_the_loss_of_the_board(bench: Bench) -> None:
    bench.lane.release_all()
    bench.board.lose()
    bench.come_round()
    bench.board.plugged = True
    bench.come_round()
    assert bench.released() == BOTH
    for door in Door:
        bench.lane.lock(door)
    bench.board.lose()
    bench.board.plugged = True
    bench.come_round()
    assert bench.released() == frozenset()


def test_an_emergency_that_comes_while_the_board_is_opened_is_not_locked_again(bench: Bench) -> None:
    bench.board.lose()
    bench.board.plugged = True
    bench.board.when_opened = bench.lane.release_all
    bench.come_round()
    assert bench.released() == BOTH


def test_a_door_that_did_not_release_in_an_emergency_is_tried_again(bench: Bench) -> None:
    bench.board.broken.add("exit_release")
    bench.lane.release_all()
    assert bench.released() == {Door.ENTRY}
    bench.board.broken.clear()
    bench.come_round()
    assert bench.released() == BOTH


def test_an_emergency_is_held_against_whatever_locks(bench: Bench) -> None:
    bench.lane.release_all()
    bench.hardware.put(bench.hardware.wires["exit_release"].offset, level=False)
    bench.come_round()
    assert bench.released() == BOTH


def test_a_loss_while_the_board_comes_back_is_not_forgotten(bench: Bench) -> None:
    bench.board.lose()
    bench.board.plugged = True
    bench.posted.clear()
    bench.board.when_opened = lambda: bench.board._on_fault(DeviceGone("io_board", "chip_lost", "check"))
    bench.come_round()
    assert bench.posted[-1] == bench.posted.of(ev.FaultRaised)[-1]
    assert not bench.lane.condition.is_ready
    bench.board.when_opened = lambda: None
    bench.come_round()
    assert bench.lane.condition.is_ready


def test_inputs_that_nobody_watches_any_more_are_a_fault(bench: Bench) -> None:
    bench.posted.clear()
    bench.board.turned_at -= module.QUIET_S + 1
    bench.come_round()
    assert bench.posted.faults() == ["not_watched"]
    assert bench.lane.condition.is_ready  # it was opened afresh in the same round
    assert bench.board.is_open


def test_doors_without_their_guard_end_the_daemon(bench: Bench) -> None:
    bench.lane._doors.close()
    with pytest.raises(NotGuardedError, match="restart"):
        bench.lane.unlock(Door.ENTRY, 1.0)


def test_an_error_in_a_callback_fails_the_lane(posted: Posted) -> None:
    class Broken(Posted):
        def __call__(self, event: ev.AnyEvent) -> None:
            raise ZeroDivisionError(event)

    bench = Bench(Broken())
    try:
        bench.lane.lane.guarded(bench.lane._sensed)("document", True)  # noqa: FBT003 - the port's own shape
        assert isinstance(bench.lane.lane.failure, ZeroDivisionError)
        bench.board._watch("fire", True)  # noqa: FBT003 - as the board's thread does: it goes on
        bench.board._on_fault(DeviceError("io_board", "chip_lost", "check"))
        assert not bench.lane.lane.is_well()
    finally:
        bench.lane.close()
    assert posted == []


def test_the_end_locks_and_lets_go(bench: Bench) -> None:
    bench.lane.unlock(Door.ENTRY, 10.0)
    bench.lane.close()
    assert bench.released() == frozenset()
    assert not bench.board.is_open
    bench.lane.close()


def test_a_lamp_that_is_tried_burns_alone_and_the_pattern_comes_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.lane.show("ready")
    monkeypatch.setattr(module, "TRY_S", 0.0)
    bench.lane.try_lamp("exit_green")
    assert [lamp for lamp in LAMPS if bench.hardware.read(lamp)] == ["exit_green"]
    bench.come_round()
    assert [lamp for lamp in LAMPS if bench.hardware.read(lamp)] == ["entry_green", "exit_red"]


def test_the_trace_tells_levels_that_hold_and_the_commands_to_the_doors(bench: Bench) -> None:
    began = bench.lane.trace.last()
    bench.lane.unlock(Door.ENTRY, 3.0)
    bench.lane.unlock(Door.ENTRY, 3.0)  # a renewal is nothing new
    bench.hardware.drive("entry_shut", active=False)
    bench.lane.lock(Door.ENTRY)
    marks = [(mark.name, mark.active) for mark in bench.lane.trace.after(began)]
    assert marks == [("entry_release", True), ("entry_shut", False), ("entry_release", False)]
    assert bench.lane.trace.levels()["entry_shut"][0] is False


def test_each_door_counts_its_cycles(bench: Bench, tmp_path: Path) -> None:
    cycles = DoorCycles(tmp_path / "doors.json")
    hardware = SimulatedBoard(bench.settings)
    lane = BoardLane(
        bench.settings,
        Dossiers(),
        bench.posted,
        lambda _, watch, lost: WireBoard(hardware, watch, lost),
        cycles=cycles,
    )
    come_round(lane.lane)  # the doors stand open: that they shut ends a cycle
    for active in (True, False, True, True):
        hardware.drive("exit_shut", active)
    assert lane.cycles == {"entry": 0, "exit": 2}
    lane.close()
