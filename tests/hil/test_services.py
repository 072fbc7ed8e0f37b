"""The units under systemd itself: their sandboxes, a service's watchdog, who takes the lines when."""

import signal
from collections.abc import Iterator

import pytest

from hw_sim.reader.ccid_device import CcidDevice
from tests.hil.ftdi import Format, SerialAdapter
from tests.hil.guest import board, line, reader, system
from tests.hil.machine import Machine
from tests.hil.usb_redir import Port

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

ENTRY_RELEASE, EXIT_RELEASE, FIRE = 0, 1, 13  # as config/gate.example.toml numbers the lines
BOTH = {ENTRY_RELEASE, EXIT_RELEASE}
START_S = 180.0
WATCHDOG_S, ABORT_S = 5, 5  # of gated.service: WatchdogSec, TimeoutAbortSec
BURST = 3  # StartLimitBurst


@pytest.fixture(scope="module")
def devices(machine: Machine) -> Iterator[Machine]:
    """A machine with every device that gated opens."""
    ports: list[Port] = []
    for name, device in (("line", SerialAdapter(Format())), ("reader", CcidDevice(pace=0.0))):
        ports.append(machine.usb_port(name))
        ports[-1].plug(device)
    machine.call(board.plug)
    machine.call(line.await_node, there=True)
    machine.call(reader.await_readers, count=1)
    yield machine
    for unit in ("gated", "gate-safe"):
        machine.call(system.run, command=["systemctl", "stop", unit])
    for port in ports:
        port.unplug()
        port.close()
    machine.call(line.await_node, there=False)
    machine.call(board.unplug)


@pytest.fixture
def gate(devices: Machine) -> Machine:
    """A gate that runs, whatever was done to it before."""
    devices.call(board.pull, line=FIRE, up=True)
    devices.call(system.run, command=["systemctl", "reset-failed"])
    devices.call(system.start, unit="gated")
    return devices


def released(gate: Machine) -> set[int]:
    """The doors whose release line is up."""
    return BOTH & set(gate.call(board.levels))


def test_gated_has_its_devices_from_within_its_sandbox(gate: Machine) -> None:
    shown = gate.call(system.show, unit="gated", names=["ActiveState", "Type", "User", "NoNewPrivileges"])
    assert shown == {
        "ActiveState": "active",
        "Type": "notify",
        "User": "egate-gated",
        "NoNewPrivileges": "yes",
    }
    gate.call(
        system.await_status, within_s=120.0, devices=["io_board", "mrz_scanner", "chip_reader", "journal"]
    )
    assert gate.call(system.status)["doors"] == {"entry": "locked, shut", "exit": "locked, shut"}
    assert released(gate) == set()


def test_a_fire_opens_both_doors_at_once(gate: Machine) -> None:
    took_s = gate.call(board.seconds_from_pull_to_levels, line=FIRE, up=False, levels=sorted(BOTH))
    assert took_s < 1.0


def test_a_gated_that_hangs_is_killed_lets_go_of_the_doors_and_is_started_again(gate: Machine) -> None:
    before = gate.call(system.show, unit="gated", names=["MainPID", "NRestarts"])
    gate.call(board.seconds_from_pull_to_levels, line=FIRE, up=False, levels=sorted(BOTH))
    gate.call(system.signal_service, unit="gated", number=int(signal.SIGSTOP))
    assert released(gate) == BOTH  # a stopped process keeps its lines, and its leases do not end
    gate.call(board.pull, line=FIRE, up=True)
    took_s = gate.call(board.seconds_until_down, line=ENTRY_RELEASE, within_s=60.0)
    assert took_s < WATCHDOG_S + ABORT_S + 5
    assert released(gate) == set()
    gate.call(system.await_unit, unit="gated", within_s=START_S, ActiveState="active", SubState="running")
    after = gate.call(system.show, unit="gated", names=["MainPID", "NRestarts"])
    assert after["MainPID"] != before["MainPID"]
    assert int(after["NRestarts"]) == int(before["NRestarts"]) + 1
    journal = gate.call(system.run, command=["journalctl", "--no-pager", "-u", "gated", "-n", "200"])
    assert "Watchdog timeout (limit 5s)" in journal
    assert released(gate) == set()


def test_a_gated_that_is_killed_is_started_again_and_knows_the_fire(gate: Machine) -> None:
    gate.call(board.seconds_from_pull_to_levels, line=FIRE, up=False, levels=sorted(BOTH))
    gate.call(system.signal_service, unit="gated", number=int(signal.SIGKILL))
    gate.call(board.seconds_until_down, line=ENTRY_RELEASE, within_s=10.0)  # where the wiring alone holds
    gate.call(board.await_levels, levels=sorted(BOTH), within_s=START_S)
    gate.call(system.await_unit, unit="gated", within_s=START_S, ActiveState="active", SubState="running")


def test_a_gated_that_fails_for_good_is_followed_by_gate_safe_until_it_is_started_again(
    gate: Machine,
) -> None:
    assert BURST <= gate.call(system.fail_for_good, unit="gated") <= BURST + 2
    gate.call(system.await_unit, unit="gate-safe", within_s=START_S, ActiveState="active", SubState="running")
    shown = gate.call(system.show, unit="gate-safe", names=["StatusText", "User"])
    assert shown == {"StatusText": "doors locked, out of service", "User": "egate-safe"}
    assert gate.call(system.show, unit="gated", names=["ActiveState"]) == {"ActiveState": "failed"}
    assert released(gate) == set()
    gate.call(board.seconds_from_pull_to_levels, line=FIRE, up=False, levels=sorted(BOTH))
    gate.call(board.seconds_from_pull_to_levels, line=FIRE, up=True, levels=[])

    gate.call(system.run, command=["systemctl", "reset-failed", "gated"])
    gate.call(system.start, unit="gated")
    assert gate.call(system.show, unit="gate-safe", names=["ActiveState"]) == {"ActiveState": "inactive"}
    assert gate.call(system.show, unit="gated", names=["ActiveState"]) == {"ActiveState": "active"}


def test_a_board_that_is_pulled_out_costs_no_restart_and_is_taken_again(gate: Machine) -> None:
    gate.call(system.await_status, within_s=120.0, devices=["io_board"])
    before = gate.call(system.show, unit="gated", names=["MainPID"])
    gate.call(board.unplug)
    gate.call(system.await_status, within_s=120.0, devices=[], without=["io_board"])
    gate.call(board.plug)
    gate.call(system.await_status, within_s=120.0, devices=["io_board"])
    assert gate.call(system.show, unit="gated", names=["MainPID"]) == before
