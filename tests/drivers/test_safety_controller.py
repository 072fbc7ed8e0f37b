"""The safety controller on a pseudo-terminal: real drivers, real pyserial, a simulated box at the far end."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from drivers.door import Interlock, Leases
from drivers.safety_controller import Obedience, SafetyController, read_identity
from drivers.safety_faults import FIXES, INCIDENTS
from drivers.safety_protocol import Input, State
from gated.core.ports import DeviceError, DeviceGone
from gated.core.settings.board import SafetyControllerSettings
from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.safety_controller import PtySafetyController
from hw_sim.lane.safety_firmware import Setting
from hw_sim.lane.walking import TRAVEL
from hw_sim.lane.world import World
from tests.drivers.safety_program import Program

SOON_S = 3.0
MAX_LEASE_S = 15.0
PATIENT = Setting(deadman_ms=1_000)  # the tests share their processors
STRICT = Setting(deadman_ms=300)
SLACK_S = 0.15  # what a busy machine may add to a time that the box keeps
BOTH = frozenset(Door)


def wait(true: Callable[[], bool], timeout_s: float = SOON_S) -> float:
    """Wait until it is true; returns how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < timeout_s, "not in time"
        time.sleep(0.001)
    return time.monotonic() - began


class Lane:
    """A board with a box in front of its releases, and the drivers before that."""

    def __init__(self, folder: Path, setting: Setting = PATIENT, *, version: int = 1) -> None:
        self.board = SimulatedBoard(wiring())
        for door in Door:
            self.board.drive(f"{door}_shut", active=True)
        self.box = PtySafetyController(self.board, folder, setting=setting, version=version)
        self.settings = SafetyControllerSettings(
            port=str(self.box.path), configuration=setting.configuration().hex(), timeout_s=1.2
        )
        self.inputs: dict[str, bool] = {}
        self.faults: list[DeviceError] = []
        self.controller = SafetyController(self.settings, self._watch, self.faults.append)
        self.doors = Leases(self.controller, MAX_LEASE_S, self.faults.append)

    def _watch(self, name: str, active: bool) -> None:  # noqa: FBT001 - the driver's port
        self.inputs[name] = active

    @property
    def released(self) -> frozenset[Door]:
        return frozenset(door for door in Door if self.board.read(f"{door}_release"))

    @property
    def codes(self) -> list[str]:
        return [error.code for error in self.faults]

    def open(self) -> None:
        self.controller.open()
        wait(lambda: len(self.inputs) == len(Input))

    def reopen(self) -> None:
        self.controller.close()
        wait(self._can_open)

    def _can_open(self) -> bool:
        try:
            self.controller.open()
        except DeviceGone:
            return False
        return True

    def close(self) -> None:
        self.doors.close()
        self.controller.close()
        self.box.close()


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Lane]:
    lane = Lane(tmp_path)
    yield lane
    lane.close()


@pytest.fixture
def lane(closed: Lane) -> Lane:
    closed.open()
    return closed


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Lane]:
    lane = Lane(tmp_path, STRICT)
    yield lane
    lane.close()


# --- what works ---------------------------------------------------------------------------------------


def test_every_input_is_told_at_the_start_and_each_change_after(lane: Lane) -> None:
    assert lane.inputs == {
        "entry_shut": True,
        "exit_shut": True,
        "entry_obstructed": False,
        "exit_obstructed": False,
        "fire": False,
        "panic": False,
    }
    lane.board.drive("entry_shut", active=False)
    lane.box.obstruct(Door.EXIT)
    wait(lambda: not lane.inputs["entry_shut"] and lane.inputs["exit_obstructed"])
    assert not lane.controller.read("entry_shut")
    assert lane.controller.read("exit_obstructed")


def test_a_door_is_released_and_locked_as_it_is_told(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 10)
    wait(lambda: lane.released == {Door.ENTRY})
    assert lane.doors.released == {Door.ENTRY}
    lane.doors.lock(Door.ENTRY)
    wait(lambda: not lane.released)
    lane.doors.unlock(Door.EXIT, 10)
    wait(lambda: lane.released == {Door.EXIT})
    time.sleep(1.5)  # over many heartbeats
    assert lane.released == {Door.EXIT}
    assert lane.codes == []


def test_a_lease_ends_by_itself(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 0.3)
    wait(lambda: bool(lane.released))
    assert 0.2 < wait(lambda: not lane.released) < 0.3 + SLACK_S


def test_a_lease_ends_in_the_box_when_the_thread_of_the_leases_hangs(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 0.5)
    wait(lambda: bool(lane.released))
    with lane.doors._changed:  # the thread cannot go on
        wait(lambda: not lane.released, 0.5 + SLACK_S)


def test_the_box_is_told_how_much_of_a_lease_is_left(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 2.0)
    time.sleep(0.5)
    report = lane.controller.report
    assert report is not None
    assert 1_000 < report.entry_left_ms <= 1_600
    lane.controller.lock(Door.ENTRY)
    lane.controller.release(Door.EXIT, math.inf)  # one door alone is no emergency, and as long as it can be
    wait(lambda: lane.released == {Door.EXIT})
    lane.controller.lock(Door.EXIT)


def test_the_interlock_of_the_pc_comes_first(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 10)
    with pytest.raises(Interlock):
        lane.doors.unlock(Door.EXIT, 10)
    wait(lambda: lane.released == {Door.ENTRY})


def test_the_box_refuses_both_doors_to_a_program_without_an_interlock(lane: Lane) -> None:
    lane.controller.release(Door.ENTRY, 10)
    wait(lambda: lane.released == {Door.ENTRY})
    lane.controller.release(Door.EXIT, 10)
    wait(lambda: not lane.released)
    wait(lambda: lane.codes.count("not_released") == 2)


def test_the_exit_waits_in_the_box_until_the_entry_is_shut(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 10)
    wait(lambda: lane.released == {Door.ENTRY})
    lane.board.drive("entry_shut", active=False)
    wait(lambda: not lane.inputs["entry_shut"])
    lane.doors.lock(Door.ENTRY)
    lane.doors.unlock(Door.EXIT, 10)
    time.sleep(0.3)
    assert lane.released == frozenset()
    lane.board.drive("entry_shut", active=True)
    wait(lambda: lane.released == {Door.EXIT})
    assert lane.codes == []


def test_a_release_that_is_held_back_is_told_once(lane: Lane) -> None:
    lane.board.drive("entry_shut", active=False)
    wait(lambda: not lane.inputs["entry_shut"])
    time.sleep(0.4)
    lane.doors.unlock(Door.EXIT, 10)
    wait(lambda: "not_released" in lane.codes)
    time.sleep(1.2)
    assert lane.codes.count("not_released") == 1


def test_an_emergency_holds_until_both_doors_are_locked(lane: Lane) -> None:
    lane.doors.release_all()
    wait(lambda: lane.released == BOTH)
    time.sleep(0.5)
    assert lane.released == BOTH
    lane.doors.lock(Door.ENTRY)
    wait(lambda: lane.released == {Door.EXIT})
    lane.doors.lock(Door.EXIT)
    wait(lambda: not lane.released)


def test_an_emergency_that_is_ended_at_once_ends(lane: Lane) -> None:
    lane.doors.release_all()
    lane.doors.lock_all()
    time.sleep(0.3)
    assert lane.released == frozenset()


def test_the_end_of_one_emergency_does_not_end_the_next(tmp_path: Path) -> None:
    lane = Lane(tmp_path, Setting(deadman_ms=1_000, fire_hold_ms=100))
    lane.open()
    lane.doors.release_all()
    wait(lambda: lane.released == BOTH)
    lane.doors.lock_all()
    wait(lambda: not lane.released)
    lane.board.drive("fire", active=True)
    wait(lambda: lane.inputs["fire"])
    lane.board.drive("fire", active=False)
    time.sleep(0.6)
    assert lane.released == BOTH  # though the wish for the end of the first still stood
    lane.doors.lock_all()
    wait(lambda: not lane.released)
    lane.close()


def test_a_closing_door_reverses_for_what_stands_in_it_though_it_is_locked(lane: Lane) -> None:
    lane.doors.unlock(Door.EXIT, 10)
    wait(lambda: bool(lane.released))
    lane.board.drive("exit_shut", active=False)
    wait(lambda: not lane.inputs["exit_shut"])
    lane.doors.lock(Door.EXIT)
    wait(lambda: not lane.released)
    lane.box.obstruct(Door.EXIT)
    wait(lambda: lane.released == {Door.EXIT})
    time.sleep(1.2)
    assert lane.codes == []
    lane.box.obstruct(Door.EXIT, obstructed=False)
    wait(lambda: not lane.released)


def test_a_traveller_passes_the_simulated_lane(tmp_path: Path) -> None:
    lane = Lane(tmp_path)
    with World(lane.board) as world:
        lane.open()
        traveller = world.person("anna", TRAVEL, walk_s=1.5)
        wait(lambda: lane.board.read("document"))
        lane.doors.unlock(Door.ENTRY, 8)
        wait(lambda: lane.board.read("occupied"), 6)
        lane.doors.lock(Door.ENTRY)
        lane.doors.unlock(Door.EXIT, 8)  # the box waits for the entry to shut
        assert world.wait_until(lambda: traveller.gone, 8)
        lane.doors.lock(Door.EXIT)
        wait(lambda: lane.inputs["exit_shut"])
        assert world.violations == ()
        assert lane.codes == []
        lane.close()


# --- what is lost ------------------------------------------------------------------------------------


def test_without_the_drivers_thread_the_box_locks_within_its_deadman_time(strict: Lane) -> None:
    strict.open()
    strict.doors.unlock(Door.ENTRY, 10)
    wait(lambda: bool(strict.released))
    strict.controller._stop.set()  # the thread ends, and says nothing
    assert wait(lambda: not strict.released) < 0.3 + 0.1 + SLACK_S


def test_a_listener_that_fails_ends_the_session_and_every_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[type[BaseException] | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: died.append(hook.exc_type))
    lane = Lane(tmp_path, STRICT)

    def fail(name: str, active: bool) -> None:  # noqa: FBT001 - the driver's port
        if name == "panic" or not active:
            return
        if lane.released:
            raise ZeroDivisionError

    controller = SafetyController(lane.settings, fail, lane.faults.append)
    controller.open()
    controller.release(Door.ENTRY, 10)
    wait(lambda: bool(lane.released))
    lane.box.obstruct(Door.ENTRY)
    wait(lambda: not lane.released)
    with pytest.raises(DeviceGone, match="not_open"):
        controller.release(Door.ENTRY, 10)
    assert died == [ZeroDivisionError]
    controller.close()
    lane.close()


def test_a_program_that_is_stopped_dead_holds_no_door_and_hinders_no_fire(strict: Lane) -> None:
    with Program(strict.settings) as program:
        program.unlock(Door.EXIT)
        wait(lambda: strict.released == {Door.EXIT})
        program.stop()
        assert wait(lambda: not strict.released) < 0.3 + SLACK_S
        began = time.monotonic()
        strict.board.drive("fire", active=True)
        wait(lambda: strict.released == BOTH)
        assert time.monotonic() - began < 0.05
        time.sleep(0.1)
        strict.board.drive("fire", active=False)
        time.sleep(0.5)
        assert strict.released == BOTH
        program.go_on()
        assert program.hear() in {"heartbeat_lost", "restarted"}


def test_fire_releases_both_though_the_line_is_out_and_the_box_hangs(lane: Lane) -> None:
    lane.box.vanish()
    with lane.board.lock:  # nothing in the box can run
        lane.board.drive("fire", active=True)
        assert lane.released == BOTH


def test_a_program_that_is_killed_holds_no_door(strict: Lane) -> None:
    with Program(strict.settings) as program:
        program.unlock(Door.ENTRY)
        wait(lambda: strict.released == {Door.ENTRY})
        program.kill()
        assert wait(lambda: not strict.released) < 0.3 + SLACK_S


def test_a_line_that_is_pulled_out_locks_and_comes_back_with_nothing_released(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 15)
    wait(lambda: bool(lane.released))
    lane.box.vanish()
    wait(lambda: lane.codes == ["vanished"])
    wait(lambda: not lane.released)
    with pytest.raises(DeviceGone, match="not_open"):
        lane.doors.unlock(Door.ENTRY, 1)
    with pytest.raises(DeviceGone, match="not_open"):
        lane.controller.read("fire")
    lane.box.appear()
    lane.reopen()
    wait(lambda: lane.controller.report is not None)
    time.sleep(0.3)
    assert lane.released == frozenset()
    lane.doors.lock_all()
    lane.doors.unlock(Door.EXIT, 5)
    wait(lambda: lane.released == {Door.EXIT})


@pytest.mark.parametrize(
    ("broken", "codes"),
    [
        pytest.param("mute", {"silent"}, id="nothing comes"),
        pytest.param("deaf", {"heartbeat_lost", "unheard"}, id="nothing goes"),
    ],
)
def test_a_wire_that_breaks_locks_the_doors_and_is_told(lane: Lane, broken: str, codes: set[str]) -> None:
    lane.doors.unlock(Door.ENTRY, 15)
    wait(lambda: bool(lane.released))
    setattr(lane.box, broken, True)
    wait(lambda: not lane.released)
    wait(lambda: bool(lane.faults))
    assert lane.codes[0] in codes


def test_a_box_that_restarts_is_told_and_says_why_when_it_is_back(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 15)
    wait(lambda: bool(lane.released))
    lane.box.reset()
    assert lane.released == frozenset()
    wait(lambda: lane.codes == ["restarted"])
    lane.reopen()
    wait(lambda: lane.codes == ["restarted", "watchdog_reset"])


def test_a_box_without_power_is_silent_and_locks(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 15)
    wait(lambda: bool(lane.released))
    lane.box.power(on=False)
    assert lane.released == frozenset()
    wait(lambda: lane.codes == ["silent"])
    lane.box.power(on=True)
    lane.reopen()
    assert lane.controller.report is not None


def test_noise_between_telegrams_changes_nothing(lane: Lane) -> None:
    lane.doors.unlock(Door.EXIT, 15)
    for number in range(40):
        lane.box.babble(b"\xe6\x5a\x01\x82" * 5 + bytes(range(number)))
        time.sleep(0.02)
    assert lane.released == {Door.EXIT}
    assert lane.codes == []


def test_noise_alone_is_told_from_silence(lane: Lane) -> None:
    lane.box.mute = True
    lane.box.babble(bytes(range(200)))
    wait(lambda: lane.codes == ["garbled"])


def test_lost_telegrams_cost_no_session_while_some_come_through(lane: Lane) -> None:
    lane.box.loses = 0.2
    lane.doors.unlock(Door.ENTRY, 15)
    wait(lambda: lane.released == {Door.ENTRY})
    time.sleep(2.0)
    lane.doors.lock(Door.ENTRY)
    wait(lambda: not lane.released)
    assert lane.codes == []


# --- what is wrong -----------------------------------------------------------------------------------


def test_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    lane = Lane(tmp_path, version=2)
    with pytest.raises(DeviceError, match=r"wrong_version: .* install firmware for protocol 1"):
        lane.controller.open()
    lane.close()


def test_a_changed_parameter_is_refused_but_can_be_asked_for(closed: Lane) -> None:
    other = msgspec.structs.replace(closed.settings, configuration="00" * 8)
    controller = SafetyController(other, lambda _name, _active: None, closed.faults.append)
    with pytest.raises(DeviceError, match=r"wrong_configuration: .* test the doors again"):
        controller.open()
    identity, report = read_identity(other)
    assert identity.configuration == PATIENT.configuration()
    assert identity.deadman_s == 1.0
    assert report.state is State.RUNNING
    controller.close()


def test_a_heartbeat_that_is_too_slow_for_the_box_is_refused(strict: Lane) -> None:
    slow = msgspec.structs.replace(strict.settings, heartbeat_s=0.2)
    controller = SafetyController(slow, lambda _name, _active: None, strict.faults.append)
    with pytest.raises(DeviceError, match="heartbeat_too_slow: lower"):
        controller.open()


def test_a_box_that_is_not_there_is_gone(closed: Lane) -> None:
    closed.box.vanish()
    with pytest.raises(DeviceGone, match="not_there"):
        closed.controller.open()


def test_a_box_that_does_not_answer_is_silent(closed: Lane) -> None:
    closed.box.power(on=False)
    with pytest.raises(DeviceGone, match="silent: check the controller's power"):
        closed.controller.open()


def test_a_welded_relay_ends_the_other_doors_release_and_locks_out(lane: Lane) -> None:
    lane.doors.unlock(Door.EXIT, 15)
    wait(lambda: lane.released == {Door.EXIT})
    lane.box.weld(Door.ENTRY)
    wait(lambda: not lane.released)
    wait(lambda: "entry_relay_stuck" in lane.codes)
    assert lane.controller.report is not None
    assert lane.controller.report.state is State.LOCKED_OUT
    lane.board.drive("fire", active=True)
    assert lane.released == BOTH


def test_a_relay_that_does_not_pick_up_is_told(lane: Lane) -> None:
    lane.box.break_coil(Door.EXIT)
    lane.doors.unlock(Door.EXIT, 15)
    wait(lambda: "exit_relay_dead" in lane.codes)


def test_every_incident_leaves_the_session_on(lane: Lane) -> None:
    lane.box.supply(19_000)
    wait(lambda: lane.codes == ["supply_low"])
    lane.box.cut_fire_contact()
    wait(lambda: lane.codes == ["supply_low", "fire_channels"])
    assert lane.released == BOTH
    assert set(lane.codes) <= INCIDENTS
    assert lane.controller.report is not None
    assert all(error.fix == FIXES[error.code] for error in lane.faults)


def test_obedience_is_asked_for_in_both_directions_and_told_once() -> None:
    obedience = Obedience()
    assert obedience.observe(wished=False, released=True, now=0.0) is None
    assert obedience.observe(wished=False, released=True, now=0.9) is None
    assert obedience.observe(wished=False, released=True, now=1.0) == "not_locked"
    assert obedience.observe(wished=False, released=True, now=2.0) is None
    assert obedience.observe(wished=False, released=False, now=3.0) is None
    assert obedience.observe(wished=True, released=False, now=4.0) is None
    assert obedience.observe(wished=True, released=False, now=5.0) == "not_released"


# --- its life -----------------------------------------------------------------------------------------


def test_opening_twice_is_a_mistake_of_the_program(lane: Lane) -> None:
    with pytest.raises(RuntimeError, match="open already"):
        lane.controller.open()


def test_closing_locks_ends_the_thread_and_may_be_repeated(lane: Lane) -> None:
    lane.doors.unlock(Door.ENTRY, 15)
    wait(lambda: bool(lane.released))
    lane.controller.close()
    lane.controller.close()
    assert wait(lambda: not lane.released) < 0.1 + SLACK_S
    assert all(thread.name != "safety-controller" for thread in threading.enumerate())
    assert (lane.controller.report, lane.controller.identity) == (None, None)
    assert lane.codes == []


def test_its_sign_of_life_goes_on(lane: Lane) -> None:
    before = lane.controller.turned_at
    wait(lambda: lane.controller.turned_at > before)
    assert math.isclose(lane.controller.turned_at, time.monotonic(), abs_tol=1.0)


@pytest.mark.parametrize("configuration", ["", "xyz", "00" * 7, "EA" * 8])
def test_a_configuration_is_sixteen_small_hexadecimal_digits(configuration: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="configuration"):
        msgspec.convert({"port": "/dev/x", "configuration": configuration}, SafetyControllerSettings)


def test_a_timeout_of_less_than_two_heartbeats_is_refused() -> None:
    with pytest.raises(ValueError, match="`timeout_s` is shorter than two heartbeats"):
        SafetyControllerSettings(port="/dev/x", configuration="00" * 8, heartbeat_s=0.3, timeout_s=0.5)
