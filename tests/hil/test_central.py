"""The units of a centre under systemd itself: each daemon works in its sandbox, and sees what that takes."""

import signal
from collections.abc import Iterator

import pytest

from tests.hil.guest import centre, system
from tests.hil.machine import Machine

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

START_S = 240.0
PATHS = [
    "keys/timestamp.pem",
    "keys/rules.pem",
    "curve/receipt.pem",
    "repository/metadata",
    "handout/gate-1",
    "gates",
]


@pytest.fixture(scope="module")
def here(machine: Machine) -> Iterator[Machine]:
    """A centre that runs."""
    machine.call(centre.found)
    for unit in ("gate-central-serve", "gate-central-collect"):
        machine.call(system.start, unit=unit)
    yield machine
    machine.call(system.run, command=["systemctl", "stop", "gate-central-serve", "gate-central-collect"])


def test_the_daemons_run_and_see_what_they_need(here: Machine) -> None:
    for unit in ("gate-central-serve", "gate-central-collect"):
        here.call(system.await_unit, unit=unit, within_s=START_S, ActiveState="active", NRestarts="0")
    assert here.call(centre.seen_by, unit="gate-central-serve", paths=PATHS) == {
        "keys/timestamp.pem": "r",
        "keys/rules.pem": "r",
        "curve/receipt.pem": "",
        "repository/metadata": "rw",
        "handout/gate-1": "",
        "gates": "r",
    }
    assert here.call(centre.seen_by, unit="gate-central-collect", paths=PATHS) == {
        "keys/timestamp.pem": "",
        "keys/rules.pem": "",
        "curve/receipt.pem": "r",
        "repository/metadata": "r",
        "handout/gate-1": "",
        "gates": "r",
    }


def test_a_monitor_reads_what_they_tell(here: Machine) -> None:
    assert "egate_central_gates_allowed 1" in here.call(centre.metrics, name="serve")
    assert "egate_collector_failures_total 0" in here.call(centre.metrics, name="collect")


def test_what_timers_run_ends_well(here: Machine) -> None:
    for unit in ("gate-central-check", "gate-central-keep"):
        assert here.call(centre.ran, unit=unit) == "success", unit


def test_a_server_that_hangs_is_killed_and_comes_back(here: Machine) -> None:
    here.call(system.signal_service, unit="gate-central-serve", number=signal.SIGSTOP)
    here.call(
        system.await_unit, unit="gate-central-serve", within_s=START_S, ActiveState="active", NRestarts="1"
    )
