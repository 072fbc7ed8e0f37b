"""Bad input and bad hardware, through the real daemons: a clear word, a safe gate, and a way back."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.core.gate import State
from gated.core.vocabulary import Door, Outcome
from gated.store.database import open_to_read
from gated.store.journal import verify
from hw_sim.camera.people import passport_photo
from hw_sim.passport import lds
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.passport.issuer import BROKEN_JPEG, NOT_AN_IMAGE, issue, with_cut_sod
from hw_sim.reader.ccid_device import Fault
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, HOLDERS, Twist
from hw_sim.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CITIZEN = BY_NAME["citizen"]


def eventually(true: Callable[[], bool], timeout_s: float = 15.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return true()


def faults(site: Site) -> str:
    status = site.status()
    return json.dumps(status.faults) if status else ""


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(State.DOC_OPTICAL, marks=pytest.mark.long),
        State.DOC_CHIP,
        State.ENTRY_OPEN,
        pytest.param(State.ENTRY_CLOSING, marks=pytest.mark.long),
        State.FACE_CAPTURE,
        State.EXIT_OPEN,
    ],
)
def test_sigkill_in_any_state_locks_the_doors_and_aborts_the_passage(site: Site, state: State) -> None:
    site.start_daemons()
    marks = len(site.world.timeline)
    scenario = replace(
        CITIZEN, name=f"cut-{state}", expected=Outcome.ABORTED, twist=Twist.POWER_CUT, cut_in=state
    )
    rehearsed = Rehearsal(site, scenario, lambda _: None).play()
    assert rehearsed.outcome is Outcome.ABORTED
    assert rehearsed.reasons == ("interrupted",)
    assert rehearsed.problems == ()
    released = {
        mark.name: mark.state for mark in site.world.timeline[marks:] if mark.name.endswith("_release")
    }
    assert all(last == "inactive" for last in released.values())
    assert verify(open_to_read(site.state / "journal.db")).problems == ()


def test_a_reader_unplugged_in_mid_read_is_a_fault_until_it_is_back(site: Site) -> None:
    site.start_daemons()
    site.reader.arm(Fault.UNPLUG, transfer=8)
    rehearsed = Rehearsal(site, replace(CITIZEN, expected=Outcome.REFERRED), lambda _: None).play()
    assert rehearsed.outcome is Outcome.REFERRED
    assert any(reason.startswith("chip_reader_") for reason in rehearsed.reasons), rehearsed.reasons
    assert "chip_reader" in faults(site)
    site.usb.bus.plug(site.reader)
    site.await_state({"idle"}, 15.0)


def test_garbage_on_the_serial_line_is_not_a_document(site: Site) -> None:
    site.start_daemons()
    site.scanner.send_raw(bytes(range(256)) * 4)
    site.scanner.send_raw(b"P<UTO" + b"<" * 300 + b"\r")
    time.sleep(1.0)
    status = site.status()
    assert status is not None
    assert (status.state, status.faults) == ("idle", {})
    assert Rehearsal(site, CITIZEN, lambda _: None).play().outcome is Outcome.ADMITTED


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("endless", "dg2_too_long"),
        ("cut_sod", "sod_truncated"),
        ("not_an_image", "dg2_not_an_image"),
        ("broken_jpeg", "photograph_unusable"),
    ],
)
def test_a_hostile_chip_is_refused_with_its_reason(site: Site, name: str, reason: str) -> None:
    site.start_daemons()
    scenario = replace(CITIZEN, name=name, expected=Outcome.REFERRED, reasons=(reason,))
    rehearsal = Rehearsal(site, scenario, lambda _: None)
    photograph = {"not_an_image": NOT_AN_IMAGE, "broken_jpeg": BROKEN_JPEG}.get(name) or passport_photo(
        "ada", 0
    )
    passport = issue(site.authority, HOLDERS["ada"], photograph)
    if name == "cut_sod":
        passport = with_cut_sod(passport)
    behaviour = Behaviour(endless_file=lds.DG2) if name == "endless" else Behaviour()
    rehearsal.deal(passport.lines, Chip(passport, behaviour))
    rehearsed = rehearsal.play()
    assert rehearsed.outcome is Outcome.REFERRED
    assert rehearsed.problems == ()


@pytest.mark.long
def test_a_frozen_camera_ends_in_a_fault_and_an_officer_not_in_an_admission(site: Site) -> None:
    site.start_daemons()
    site.camera.freeze()
    try:
        rehearsed = Rehearsal(site, replace(CITIZEN, expected=Outcome.REFERRED), lambda _: None).play()
    finally:
        site.camera.resume()
    assert rehearsed.outcome is Outcome.REFERRED
    site.await_state({"idle"}, 20.0)


def test_a_vision_process_that_dies_takes_nobody_along(site: Site) -> None:
    site.start_daemons()
    site.daemons["gate-vision"].kill()
    assert eventually(lambda: "vision" in faults(site))
    status = site.status()
    assert status is not None
    assert status.state == "out_of_service"
    site.daemons["gate-vision"].start()
    site.await_state({"idle"}, 20.0)


def test_a_missing_scanner_is_named_with_the_fix_and_comes_back(site: Site) -> None:
    site.start_daemons()
    site.scanner.vanish()
    assert eventually(lambda: "mrz_scanner" in faults(site))
    assert "[mrz_scanner] port" in faults(site)
    site.scanner.appear()
    site.await_state({"idle"}, 15.0)


def test_a_frozen_page_camera_refers_the_traveller_and_closes_the_lane_until_it_is_well(site: Site) -> None:
    site.start_daemons()
    site.equip(scanner=False, page_camera=True)
    site.glass.freeze()
    try:
        scenario = replace(BY_NAME["page-camera"], expected=Outcome.REFERRED)
        rehearsed = Rehearsal(site, scenario, lambda _: None).play()
        assert rehearsed.outcome is Outcome.REFERRED
        assert "mrz_scanner" in faults(site)
        assert "[page_camera] source" in faults(site)
    finally:
        site.glass.resume()
    site.await_state({"idle"}, 20.0)
    site.equip(scanner=True, page_camera=False)


def test_a_lost_board_is_a_fault_and_everything_is_locked(site: Site) -> None:
    site.start_daemons()
    site.gpio.close()
    assert eventually(lambda: "io_board" in faults(site))
    assert not any(site.board.read(f"{door}_release") for door in Door)
    site.replug_board()
    site.await_state({"idle"}, 15.0)


def test_a_full_disk_stops_the_gate_safely_and_says_so(site: Site) -> None:
    site.start_daemons()
    daemon = site.daemons["gated"]
    size = (site.state / "journal.db-wal").stat().st_size
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (size + 8192, size + 8192))
    for _ in range(40):
        site.world.place_document()
        time.sleep(0.1)
        site.world.take_document()
        time.sleep(0.1)
        if not daemon.is_running():
            break
    assert daemon.wait(10.0) == 1
    log = daemon.log.read_text(encoding="utf-8")
    assert "disk" in log
    assert not any(site.board.read(f"{door}_release") for door in Door)
    site.start_daemons()
    assert verify(open_to_read(site.state / "journal.db")).problems == ()


def run_gated(config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gated.app", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_wrong_key_in_the_configuration_is_named(site: Site, tmp_path: Path) -> None:
    text = site.config.read_text(encoding="utf-8").replace("liveness_threshold", "liveness_treshold")
    config = tmp_path / "gate.toml"
    config.write_text(text, encoding="utf-8")
    done = run_gated(config)
    assert done.returncode == 78
    assert "liveness_treshold" in done.stderr
    assert "policy" in done.stderr


def test_fire_opens_both_doors_and_closes_the_lane(site: Site) -> None:
    site.start_daemons()
    site.world.fire(burning=True)
    status = site.await_state({"emergency"}, 5.0)
    assert all("released" in text for text in status.doors.values())
    site.world.fire(burning=False)
    for arguments in (["reset-emergency"], ["gate", "mode", "open", "--reason", "the fire is out"]):
        command = [sys.executable, "-m", "gated.cli", *arguments, "--config", str(site.config)]
        assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    site.await_state({"idle"}, 15.0)


def test_nothing_in_this_run_broke_the_interlock(site: Site) -> None:
    assert site.world.violations == ()
