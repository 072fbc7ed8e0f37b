"""The scanner's lane: real driver, real serial line, a simulated reader at the far end."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.mrz_scanner import SerialMrzScanner
from gated.core import events as ev
from gated.core.settings.readers import MrzScannerSettings
from gated.core.vocabulary import Device
from gated.document.mrz import parse
from gated.lanes import scanner as module
from gated.lanes.dossier import Dossiers
from gated.lanes.scanner import ScannerLane
from hw_sim.reader.scanner import Framing, PtyScanner
from tests.lanes.rounds import BEGAN, NEXT, PASSAGE, Posted, come_round, leave, rounds_until

# Doc 9303-4, appendix B
PAGE = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
FORGED = (PAGE[0], PAGE[1].replace("C36", "C37"))


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PtyScanner]:
    one = PtyScanner(tmp_path, baud=115_200, inquire="I\r")
    yield one
    one.close()


@pytest.fixture
def dossiers() -> Dossiers:
    """Of a gate whose sensor has not felt any document yet."""
    return Dossiers()


@pytest.fixture
def lane(
    device: PtyScanner, dossiers: Dossiers, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScannerLane]:
    monkeypatch.setattr(module, "LISTEN_S", 0.02)
    monkeypatch.setattr(module, "REOPEN_S", 0.01)
    monkeypatch.setattr(module, "KEEP_S", 0.3)
    settings = MrzScannerSettings(port=str(device.path), byte_gap_s=0.1, inquire="I\r", baud=115200)
    one = ScannerLane(SerialMrzScanner(settings), dossiers, posted)
    come_round(one.lane)
    assert posted.kinds() == ["DeviceReady"]
    posted.clear()
    yield one
    leave(one.lane)


def test_what_is_asked_for_and_sent_is_read(
    lane: ScannerLane, device: PtyScanner, dossiers: Dossiers, posted: Posted
) -> None:
    dossiers.begin(PASSAGE, BEGAN)
    lane.read(PASSAGE)
    come_round(lane.lane)
    device.send(PAGE)
    rounds_until(lane.lane, lambda: bool(posted))
    assert isinstance(posted[0], ev.MrzRead)
    assert (posted[0].passage, posted[0].format) == (PASSAGE, "TD3")
    known = dossiers.mrz(PASSAGE)
    assert known is not None
    assert known[0].document_number == "L898902C3"


def test_a_message_just_before_the_passage_is_kept_for_it(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    assert posted == []
    device.take()  # nothing is there to be sent again
    lane.read(PASSAGE)
    come_round(lane.lane)
    assert posted.kinds() == ["MrzRead"]
    assert lane._kept is None


def test_a_document_laid_down_while_another_passage_lasts_is_read_when_its_turn_comes(
    lane: ScannerLane, device: PtyScanner, dossiers: Dossiers, posted: Posted
) -> None:
    dossiers.begin(PASSAGE, BEGAN)
    dossiers.put_mrz(PASSAGE, parse("\n".join(PAGE).encode()))  # the first was read and is inside
    dossiers.begin(NEXT, BEGAN)
    device.send(PAGE)
    rounds_until(lane.lane, lambda: dossiers._open[NEXT].page is not None)
    device.take()
    time.sleep(module.KEEP_S)
    dossiers.end(PASSAGE)
    lane.forget()
    lane.read(NEXT)
    come_round(lane.lane)
    assert posted.kinds() == ["MrzRead"]
    assert dossiers.mrz(NEXT) is not None
    assert dossiers.take_page(NEXT) is None


def test_a_message_that_was_quicker_than_the_sensor_waits_with_its_document(
    lane: ScannerLane, device: PtyScanner, dossiers: Dossiers, posted: Posted
) -> None:
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    dossiers.begin(NEXT, BEGAN)
    come_round(lane.lane)
    assert lane._kept is None
    device.take()
    time.sleep(module.KEEP_S)
    lane.read(NEXT)
    come_round(lane.lane)
    assert posted.kinds() == ["MrzRead"]


def test_what_lies_at_the_other_end_of_the_lane_is_given_to_no_passage_here(
    lane: ScannerLane, device: PtyScanner, dossiers: Dossiers, posted: Posted
) -> None:
    lane._reader = "exit_document"  # this scanner is at the other end
    dossiers.begin(PASSAGE, BEGAN)
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    come_round(lane.lane)
    assert dossiers.take_page(PASSAGE) is None
    dossiers.begin(NEXT, BEGAN, "exit_document")
    come_round(lane.lane)
    assert dossiers.take_page(NEXT) is not None
    assert posted == []


def test_a_message_that_nobody_asks_for_is_dropped(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    rounds_until(lane.lane, lambda: lane._kept is None)
    device.take()
    lane.read(PASSAGE)
    come_round(lane.lane)
    assert posted == []


def test_a_message_that_grew_old_while_the_lane_was_busy_is_not_used(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    device.take()
    time.sleep(module.KEEP_S)
    lane.read(PASSAGE)
    come_round(lane.lane)
    assert posted == []


def test_what_one_traveller_left_is_not_read_for_the_next(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    device.take()
    lane.forget()
    lane.read(NEXT)
    come_round(lane.lane)
    assert posted == []


def test_nothing_is_read_for_a_passage_that_ended(
    lane: ScannerLane, device: PtyScanner, dossiers: Dossiers, posted: Posted
) -> None:
    dossiers.begin(PASSAGE, BEGAN)
    lane.read(PASSAGE)
    come_round(lane.lane)
    lane.forget()
    dossiers.end(PASSAGE)
    come_round(lane.lane)
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane._kept is not None)
    assert posted == []
    assert dossiers.mrz(PASSAGE) is None


def test_an_unreadable_zone_names_its_fault_and_the_reader_is_asked_again(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    lane.read(PASSAGE)
    come_round(lane.lane)
    device.send(FORGED)
    rounds_until(lane.lane, lambda: bool(posted))
    assert isinstance(posted[0], ev.MrzFailed)
    assert (posted[0].passage, posted[0].reason) == (PASSAGE, "mrz_document_number_check_digit")
    device.place(PAGE)
    lane.read(PASSAGE)
    rounds_until(lane.lane, lambda: len(posted) > 1)
    assert isinstance(posted[1], ev.MrzRead)


def test_noise_fails_the_read_and_not_the_device(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    lane.read(PASSAGE)
    come_round(lane.lane)
    device.send_raw(bytes(range(256)) * 2)
    rounds_until(lane.lane, lambda: bool(posted))
    assert [type(event) for event in posted] == [ev.MrzFailed]
    assert lane.condition.is_ready


def bring_noise(lane: ScannerLane, device: PtyScanner, times: int) -> None:
    for _ in range(times):
        before = lane._noise
        device.send_raw(bytes(range(256)) * 2)
        rounds_until(lane.lane, lambda before=before: lane._noise > before)


def test_a_line_that_brings_nothing_but_noise_is_a_fault_until_it_was_quiet(
    lane: ScannerLane, device: PtyScanner, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.3)
    bring_noise(lane, device, module.NOISY)
    assert posted.faults() == ["noise"]
    assert "[mrz_scanner] baud" in lane.condition.fix("noise")
    rounds_until(lane.lane, lambda: lane.condition.is_ready)
    assert time.monotonic() - lane._noise_at >= 0.3
    bring_noise(lane, device, 1)
    assert posted.faults() == ["noise", "noise"], "nothing was read in between: it is the same fault"


def test_a_message_ends_the_fault_of_a_noisy_line_at_once(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    bring_noise(lane, device, module.NOISY)
    assert not lane.condition.is_ready
    lane.read(PASSAGE)
    device.send(PAGE)
    rounds_until(lane.lane, lambda: lane.condition.is_ready)
    assert posted.kinds() == ["FaultRaised", "MrzRead", "DeviceReady"]
    bring_noise(lane, device, module.NOISY - 1)
    assert lane.condition.is_ready


def test_a_noisy_line_that_is_pulled_out_and_plugged_in_again_is_still_noisy(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    bring_noise(lane, device, module.NOISY)
    device.vanish()
    rounds_until(lane.lane, lambda: len(posted.faults()) == 2)
    device.appear()
    rounds_until(lane.lane, lambda: lane._is_open)
    assert not lane.condition.is_ready


def test_a_port_that_vanishes_is_a_fault_until_it_is_back(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    device.vanish()
    rounds_until(lane.lane, lambda: bool(posted.faults()))
    assert posted.of(ev.FaultRaised)[0].device is Device.MRZ_SCANNER
    assert "[mrz_scanner] port" in " ".join(lane.condition.fix(code) for code in posted.faults())
    device.appear()
    rounds_until(lane.lane, lambda: lane.condition.is_ready)
    lane.read(PASSAGE)
    come_round(lane.lane)
    device.send(PAGE)
    rounds_until(lane.lane, lambda: bool(posted.of(ev.MrzRead)))


def test_asking_a_port_that_is_gone_is_a_fault_too(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    device.vanish()
    lane._read(PASSAGE)
    assert len(posted.faults()) == 1
    assert not lane.condition.is_ready


def test_a_message_without_its_end_fails_the_read_and_not_the_device(
    lane: ScannerLane, device: PtyScanner, posted: Posted
) -> None:
    lane.read(PASSAGE)
    come_round(lane.lane)
    device.send_raw(b"\x02" + PAGE[0].encode())
    rounds_until(lane.lane, lambda: bool(posted))
    assert isinstance(posted[0], ev.MrzFailed)
    assert posted[0].reason == "cut_off"
    assert lane.condition.is_ready


def test_a_reader_that_needs_a_command_for_each_document_is_read_twice(
    tmp_path: Path, dossiers: Dossiers, posted: Posted
) -> None:
    device = PtyScanner(
        tmp_path,
        framing=Framing.ELYCTIS,
        baud=115_200,
        continuous="C\x00\x01\x01",
        inquire="I\x00\x00",
    )
    settings = MrzScannerSettings(port=str(device.path), profile="elyctis-idbox", baud=115200)
    lane = ScannerLane(SerialMrzScanner(settings), dossiers, posted)
    come_round(lane.lane)
    for passage in (PASSAGE, NEXT):
        posted.clear()
        dossiers.begin(passage, BEGAN)
        device.place(PAGE)
        lane.read(passage)  # the lane asks, and the reader answers
        rounds_until(lane.lane, lambda: bool(posted))
        assert posted.kinds() == ["MrzRead"]
        dossiers.end(passage)
        lane.forget()
    leave(lane.lane)
    device.close()
