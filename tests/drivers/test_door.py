"""Doors as leases: they relock by themselves, never stand released together, and are checked by physics."""

import math
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.door import FORCED_S, SETTLE_S, WATCH_S, Interlock, LeasedDoors
from gated.core.ports import DeviceError, DeviceGone
from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer
from hw_sim.lane.walking import TRAVEL
from hw_sim.lane.world import World
from tests.drivers.gpio_program import Program

SOON_S = 2.0
BOTH = frozenset(Door)


class Board:
    """The simulated board's lines by name, as the driver's port asks for; `broken` lines refuse."""

    def __init__(self, board: SimulatedBoard) -> None:
        self.hardware = board
        self.broken: set[str] = set()
        self.writes: list[tuple[str, bool]] = []

    def read(self, name: str) -> bool:
        self._fail_if_broken(name)
        return self.hardware.read(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        self.writes.append((name, active))
        self._fail_if_broken(name)
        wire = self.hardware.wires[name]
        self.hardware.put(wire.offset, active != wire.active_low)

    def _fail_if_broken(self, name: str) -> None:
        if name in self.broken:
            raise DeviceGone("io_board", "chip_lost", "check the cable")


class Faults:
    """What the driver told of."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self._told = threading.Condition()

    def __call__(self, error: DeviceError) -> None:
        with self._told:
            self.codes.append(error.code)
            self._told.notify_all()

    def wait_for(self, code: str) -> bool:
        with self._told:
            return self._told.wait_for(lambda: code in self.codes, SOON_S)


@pytest.fixture
def settings() -> IoBoardSettings:
    return wiring(active_low=("exit_release",))


@pytest.fixture
def board(settings: IoBoardSettings) -> Board:
    hardware = SimulatedBoard(settings)
    for door in Door:
        hardware.drive(f"{door}_shut", active=True)
    return Board(hardware)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def doors(board: Board, settings: IoBoardSettings, faults: Faults) -> Iterator[LeasedDoors]:
    doors = LeasedDoors(board, settings, faults)
    yield doors
    board.broken.clear()
    doors.close()


def released(board: Board) -> frozenset[Door]:
    return frozenset(door for door in Door if board.hardware.read(f"{door}_release"))


def wait_locked(board: Board, timeout_s: float = SOON_S) -> float:
    """Wait until both doors are locked; returns when that was."""
    deadline = time.monotonic() + timeout_s
    while released(board):
        assert time.monotonic() < deadline, "still released"
        time.sleep(0.005)
    return time.monotonic()


def wait_released(board: Board, wanted: Door) -> None:
    """Wait until this door alone is released: the other one has to settle first."""
    deadline = time.monotonic() + SETTLE_S + SOON_S
    while not released(board):
        assert time.monotonic() < deadline, "still locked"
        time.sleep(0.005)
    assert released(board) == {wanted}


def test_a_lease_ends_by_itself(board: Board, doors: LeasedDoors) -> None:
    began = time.monotonic()
    doors.unlock(Door.ENTRY, 0.15)
    assert released(board) == {Door.ENTRY}
    assert 0.15 <= wait_locked(board) - began < 1.0
    assert doors.released == frozenset()


def test_a_renewal_replaces_the_lease_also_by_a_shorter_one(board: Board, doors: LeasedDoors) -> None:
    doors.unlock(Door.EXIT, 0.15)
    doors.unlock(Door.EXIT, 0.6)
    time.sleep(0.3)
    assert released(board) == {Door.EXIT}
    doors.unlock(Door.EXIT, 0.05)
    began = time.monotonic()
    assert wait_locked(board) - began < 0.5


def test_lock_ends_the_lease_now(board: Board, doors: LeasedDoors) -> None:
    doors.unlock(Door.ENTRY, 5)
    doors.lock(Door.ENTRY)
    assert released(board) == frozenset()
    doors.unlock(Door.EXIT, 5)
    wait_released(board, Door.EXIT)


def test_a_door_waits_until_the_other_one_would_have_begun_to_open(board: Board, doors: LeasedDoors) -> None:
    doors.unlock(Door.ENTRY, 5)
    doors.lock(Door.ENTRY)
    locked_at = time.monotonic()
    doors.unlock(Door.EXIT, 5)
    assert released(board) == frozenset()
    wait_released(board, Door.EXIT)
    assert time.monotonic() - locked_at >= SETTLE_S - 0.01


def test_a_door_that_began_to_open_after_its_lock_keeps_the_other_one_locked(
    board: Board, doors: LeasedDoors
) -> None:
    doors.unlock(Door.ENTRY, 5)
    doors.lock(Door.ENTRY)
    doors.unlock(Door.EXIT, 5)
    board.hardware.drive("entry_shut", active=False)
    time.sleep(SETTLE_S + 0.3)
    assert released(board) == frozenset()
    board.hardware.drive("entry_shut", active=True)
    doors.unlock(Door.EXIT, 5)
    assert released(board) == {Door.EXIT}, "it is asked for again as long as it is wanted"


def test_a_release_that_waits_is_taken_back_by_its_lock_and_overtaken_by_an_emergency(
    board: Board, doors: LeasedDoors
) -> None:
    doors.unlock(Door.ENTRY, 5)
    doors.lock(Door.ENTRY)
    doors.unlock(Door.EXIT, 5)
    doors.lock(Door.EXIT)
    time.sleep(SETTLE_S + 0.3)
    assert released(board) == frozenset()
    doors.unlock(Door.ENTRY, 5)
    doors.lock(Door.ENTRY)
    doors.unlock(Door.EXIT, 5)
    doors.release_all()
    assert released(board) == BOTH


def test_no_lease_outlives_the_limit_of_the_settings(faults: Faults) -> None:
    plain = wiring()
    short = IoBoardSettings(chip=plain.chip, outputs=plain.outputs, inputs=plain.inputs, max_lease_s=0.1)
    doors = LeasedDoors(Board(SimulatedBoard(short)), short, faults)
    for lease_s in (600.0, math.inf):
        began = time.monotonic()
        doors.unlock(Door.ENTRY, lease_s)
        while doors.released:
            assert time.monotonic() - began < 1.0
            time.sleep(0.005)
    doors.close()


@pytest.mark.parametrize("lease_s", [0.0, -1.0, math.nan])
def test_a_lease_that_would_not_end_or_not_begin_is_refused(
    lease_s: float, board: Board, doors: LeasedDoors
) -> None:
    with pytest.raises(ValueError, match="longer than 0"):
        doors.unlock(Door.ENTRY, lease_s)
    assert released(board) == frozenset()


@pytest.mark.parametrize(("first", "second"), [(Door.ENTRY, Door.EXIT), (Door.EXIT, Door.ENTRY)])
def test_both_doors_are_never_released_together(
    first: Door, second: Door, board: Board, doors: LeasedDoors
) -> None:
    doors.unlock(first, 5)
    with pytest.raises(Interlock) as refused:
        doors.unlock(second, 5)
    assert refused.value.code == "interlock"
    assert released(board) == {first}
    doors.unlock(first, 5)
    doors.lock(first)
    doors.unlock(second, 5)
    with pytest.raises(Interlock):
        doors.unlock(first, 5)
    wait_released(board, second)


def test_an_emergency_releases_both_until_they_are_locked(board: Board, doors: LeasedDoors) -> None:
    doors.unlock(Door.ENTRY, 0.05)
    doors.release_all()
    time.sleep(0.2)
    doors.unlock(Door.EXIT, 0.05)
    time.sleep(0.2)
    assert released(board) == BOTH
    doors.lock_all()
    assert released(board) == frozenset()
    doors.unlock(Door.ENTRY, 5)
    with pytest.raises(Interlock):
        doors.unlock(Door.EXIT, 5)


def test_an_emergency_ends_when_each_door_has_been_locked(board: Board, doors: LeasedDoors) -> None:
    doors.release_all()
    doors.lock(Door.ENTRY)
    assert released(board) == {Door.EXIT}
    doors.lock(Door.EXIT)
    doors.unlock(Door.ENTRY, 5)
    with pytest.raises(Interlock):
        doors.unlock(Door.EXIT, 5)


def test_a_renewal_in_an_emergency_releases_again_what_the_board_forgot(
    board: Board, doors: LeasedDoors
) -> None:
    doors.release_all()
    for door in Door:
        board.hardware.let_go(board.hardware.wires[f"{door}_release"].offset)
    for door in Door:
        doors.unlock(door, 5)
    assert released(board) == BOTH


def test_an_emergency_releases_the_door_that_it_can(board: Board, doors: LeasedDoors) -> None:
    board.broken.add("entry_release")
    with pytest.raises(DeviceGone):
        doors.release_all()
    assert released(board) == {Door.EXIT}


def test_a_failed_unlock_locks_everything_and_is_raised(board: Board, doors: LeasedDoors) -> None:
    board.broken.add("entry_release")
    with pytest.raises(DeviceGone):
        doors.unlock(Door.ENTRY, 5)
    assert ("exit_release", False) in board.writes
    assert doors.released == {Door.ENTRY}  # nobody knows whether it took
    with pytest.raises(Interlock):
        doors.unlock(Door.EXIT, 5)


def test_a_lock_that_fails_at_expiry_is_told_once_and_repeated_until_it_holds(
    board: Board, doors: LeasedDoors, faults: Faults
) -> None:
    doors.unlock(Door.EXIT, 0.1)
    board.broken.add("exit_release")
    assert faults.wait_for("chip_lost")
    assert ("entry_release", False) in board.writes
    assert released(board) == {Door.EXIT}
    time.sleep(0.6)
    assert faults.codes == ["chip_lost"]
    board.broken.clear()
    wait_locked(board)
    deadline = time.monotonic() + SOON_S
    while doors.released:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_lock_all_tries_both_before_it_complains(board: Board, doors: LeasedDoors) -> None:
    doors.release_all()
    board.broken.add("entry_release")
    with pytest.raises(DeviceGone):
        doors.lock_all()
    assert not board.hardware.read("exit_release")


def test_a_listener_that_fails_does_not_stop_the_leases(
    board: Board, settings: IoBoardSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[type[BaseException] | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: reported.append(hook.exc_type))

    def fail(_error: DeviceError) -> None:
        raise ZeroDivisionError

    doors = LeasedDoors(board, settings, fail)
    doors.unlock(Door.EXIT, 0.05)
    board.broken.add("exit_release")
    deadline = time.monotonic() + SOON_S
    while not reported:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    board.broken.clear()
    wait_locked(board)
    doors.unlock(Door.ENTRY, 0.05)
    wait_locked(board)
    doors.close()
    assert reported == [ZeroDivisionError]


def test_nothing_is_released_when_no_thread_would_end_the_lease(
    board: Board, settings: IoBoardSettings, faults: Faults
) -> None:
    doors = LeasedDoors(board, settings, faults)
    doors.close()
    with pytest.raises(DeviceError, match="no_guard"):
        doors.unlock(Door.ENTRY, 1)
    assert released(board) == frozenset()


def test_closing_locks_and_is_idempotent(board: Board, settings: IoBoardSettings, faults: Faults) -> None:
    doors = LeasedDoors(board, settings, faults)
    doors.unlock(Door.ENTRY, 5)
    doors.close()
    doors.close()
    assert released(board) == frozenset()


def test_closing_a_dead_board_tells_and_does_not_raise(
    board: Board, settings: IoBoardSettings, faults: Faults
) -> None:
    doors = LeasedDoors(board, settings, faults)
    board.broken.update({"entry_release", "exit_release", "entry_shut", "exit_shut"})
    doors.close()
    assert "chip_lost" in faults.codes


def test_a_forced_door_is_told_once(board: Board, doors: LeasedDoors, faults: Faults) -> None:
    time.sleep(0.3)  # it has been seen shut
    board.hardware.drive("exit_shut", active=False)
    assert faults.wait_for("door_forced")
    time.sleep(0.5)
    assert faults.codes == ["door_forced"]
    assert doors.released == frozenset()


def test_a_released_door_may_be_open(board: Board, doors: LeasedDoors, faults: Faults) -> None:
    doors.unlock(Door.ENTRY, 5)
    board.hardware.drive("entry_shut", active=False)
    time.sleep(FORCED_S + 0.4)
    assert faults.codes == []


def test_a_board_that_cannot_be_read_is_left_to_the_boards_own_watch(
    board: Board, doors: LeasedDoors, faults: Faults
) -> None:
    board.broken.update({"entry_shut", "exit_shut"})
    doors.unlock(Door.EXIT, 0.1)
    wait_locked(board)
    time.sleep(2 * WATCH_S)
    assert faults.codes == []


# --- in a program that hangs or dies ------------------------------------------------------------------


@pytest.fixture
def program(board: Board, settings: IoBoardSettings) -> Iterator[Program]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with GpioServer(folder, board.hardware), Program(folder, settings) as program:
            program.open_board()
            program.ask("doors")
            yield program


def test_a_door_relocks_while_the_programs_main_thread_hangs(board: Board, program: Program) -> None:
    program.ask("unlock", "exit", 0.4)
    began = time.monotonic()
    assert released(board) == {Door.EXIT}
    program.begin("hang", 5.0)
    assert wait_locked(board, 4.0) - began < 2.0


def test_a_door_relocks_when_the_program_is_killed(board: Board, program: Program) -> None:
    program.ask("unlock", "entry", 15)
    assert released(board) == {Door.ENTRY}
    program.kill()
    wait_locked(board)


def test_the_interlock_and_the_emergency_hold_on_the_real_board(board: Board, program: Program) -> None:
    program.ask("unlock", "entry", 5)
    assert program.ask("unlock", "exit", 5)["error"] == "interlock"
    assert released(board) == {Door.ENTRY}
    program.ask("release_all")
    assert released(board) == BOTH
    program.ask("lock_all")
    assert released(board) == frozenset()


def test_a_traveller_passes_the_simulated_lane_and_no_door_is_called_forced(
    board: Board, settings: IoBoardSettings
) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        GpioServer(Path(name), board.hardware),
        World(board.hardware) as world,
        Program(Path(name), settings) as program,
    ):
        program.open_board()
        program.ask("doors")
        traveller = world.person("anna", TRAVEL, walk_s=1.5)
        program.expect_input("document", active=True)
        program.ask("unlock", "entry", 8)
        program.expect_input("occupied", active=True)
        program.ask("lock", "entry")
        program.expect_input("entry_shut", active=True)
        program.ask("unlock", "exit", 8)
        program.expect_input("occupied", active=False)
        assert world.wait_until(lambda: traveller.gone, SOON_S)
        program.ask("lock", "exit")
        program.expect_input("exit_shut", active=True)
        assert [said for said in program.said if "fault" in said] == []
        assert world.violations == ()
        time.sleep(3 * WATCH_S)  # it has been seen shut
        world.jam(Door.EXIT)
        world.pry(Door.EXIT)
        assert program.expect(lambda said: "fault" in said)["fault"] == "door_forced"
