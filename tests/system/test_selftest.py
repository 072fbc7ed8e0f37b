"""Self-test and calibrations through the real daemon: at rest, in maintenance, while it is stopped."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gated.core.gate import State
from gated.core.vocabulary import Door, Mode
from gated.runtime import requests as say
from gated.selftest.sensor_record import BEAMS
from hw_sim.lane.doorway import CLOSING_S
from hw_sim.lane.gpio_shim import build, environment
from hw_sim.site import Site

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]

ABOUT_THE_LANE = (
    *("gated", "disk", "journal", "lines", "io_board", "inputs", "alarms", "doors", "curtains"),
    *("presence", "document", "mrz_scanner", "chip_reader", "vision", "link", "watchlist"),
)


def start(site: Site, *words: str) -> "subprocess.Popen[str]":
    """`gatectl`, on the machine that the board is plugged into."""
    return subprocess.Popen(
        [sys.executable, "-m", "gated.cli", *words, "--config", str(site.config)],
        env=os.environ | environment(build(site.folder.parent / "shim"), site.run),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gatectl(site: Site, *words: str) -> tuple[int, dict[str, Any]]:
    with start(site, *words, "--json") as process:
        out, err = process.communicate(timeout=60)
    assert out, err
    return process.returncode, json.loads(out)


def codes(told: dict[str, Any]) -> list[str]:
    assert all(each["fix"] for each in told["findings"] if each["code"])
    return [each["code"] for each in told["findings"] if each["code"]]


@pytest.fixture
def maintained(site: Site) -> Iterator[Site]:
    site.start_daemons()
    site.tell(say.SetMode(mode=Mode.MAINTENANCE, reason="self-test"))
    site.await_state({State.MAINTENANCE}, 5.0)
    yield site
    site.tell(say.SetMode(mode=Mode.OPEN, reason="done"))
    deadline = time.monotonic() + 10.0
    while (status := site.status()) is None or status.state != State.IDLE:
        site.tell(say.ClearFaults(device="io_board"))  # what hands in beams look like is told a little later
        assert time.monotonic() < deadline, status
        time.sleep(0.2)


def test_a_gate_at_rest_is_tested_without_moving_anything(site: Site) -> None:
    site.start_daemons()
    deadline = time.monotonic() + 15.0
    while site.tell(say.SelfTest()).link != "live":  # type: ignore[union-attr]  # gate-link is asked every 5 s
        assert time.monotonic() < deadline
        time.sleep(0.2)
    began = len(site.world.timeline)
    status, told = gatectl(site, "selftest", "--only", *ABOUT_THE_LANE)
    assert (status, codes(told)) == (0, [])
    assert {each["device"] for each in told["findings"]} == set(ABOUT_THE_LANE)
    moved = {mark.name for mark in site.world.timeline[began:] if mark.kind in {"line", "door"}}
    assert not {name for name in moved if name in set(Door) or name.endswith(("_release", "_shut"))}


def test_doors_are_moved_and_measured_in_maintenance(maintained: Site) -> None:
    status, told = gatectl(maintained, "calibrate", "doors", "--cycles", "1")
    assert (status, codes(told)) == (0, [])
    assert [cycle["door"] for cycle in told["cycles"]] == ["entry", "exit"]
    for cycle in told["cycles"]:
        assert cycle["open_s"] < 0.5
        assert cycle["shut_s"] == pytest.approx(CLOSING_S, abs=0.3)
        assert cycle["bounces"] == 0
    assert maintained.world.violations == ()
    assert all(maintained.world.door(door) == 0.0 for door in Door)
    status, told = gatectl(maintained, "selftest", "--only", "doors")
    assert ["1 cycle" in each["measured"] for each in told["findings"]] == [True, True]


def test_a_technician_is_led_from_beam_to_beam(maintained: Site) -> None:
    """The hands of a simulated technician follow what is said; the daemon's trace takes the walk on."""
    beams = iter(BEAMS)
    process = start(maintained, "calibrate", "sensors", "--only", "beams", "--limit", "10")

    def follow() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if "hold a hand" in line:
                wire = next(beams)
                maintained.board.drive(wire, active=True)
                threading.Timer(0.1, maintained.board.drive, [wire, False]).start()

    hand = threading.Thread(target=follow)
    hand.start()
    assert process.stdout is not None
    with process:
        out = process.stdout.read()
        hand.join(60)
    assert process.returncode == 0, out
    assert "12 ok, 0 warnings, 0 faults" in out
    assert next(beams, None) is None


def test_while_the_gate_is_stopped_its_devices_are_opened(site: Site) -> None:
    site.daemons["gated"].stop()
    site.board.drive("exit_shut", active=False)
    try:
        devices = ("gated", "lines", "io_board", "doors", "mrz_scanner", "link", "watchlist")
        status, told = gatectl(site, "selftest", "--only", *devices)
        assert status == 1
        assert codes(told) == ["gated_silent", "door_not_shut"]
    finally:
        site.board.drive("exit_shut", active=True)
