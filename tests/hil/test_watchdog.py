"""The hardware watchdog: a machine whose systemd does nothing any more is reset, and comes up again."""

import pytest

from tests.hil.guest import system
from tests.hil.machine import Machine

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]


def test_a_machine_whose_systemd_is_frozen_is_reset_and_boots(machine: Machine) -> None:
    watched = machine.call(system.show, names=["RuntimeWatchdogUSec"])
    assert watched == {"RuntimeWatchdogUSec": "20s"}
    before = machine.call(system.boot_id)
    machine.call(system.freeze_systemd)
    event = machine.await_event("WATCHDOG", 120.0)
    assert event["data"] == {"action": "reset"}
    machine.await_boot()
    assert machine.call(system.boot_id) != before
    machine.call(system.install)  # for whatever test comes next
