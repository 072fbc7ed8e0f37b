"""The devices, opened by their real drivers as when no gate runs; each is simulated below its driver."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.mrz_scanner import SerialMrzScanner
from gated.core.settings.board import SafetyControllerSettings
from gated.core.settings.central import LinkSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.vocabulary import Door
from gated.selftest import devices
from gated.selftest.finding import Verdict
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.safety_controller import PtySafetyController
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.scanner import PtyScanner
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus
from tests.drivers.test_mrz_scanner import TD3


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[PtyScanner]:
    one = PtyScanner(tmp_path, baud=115_200)
    yield one
    one.close()


def test_a_scanner_that_is_quiet_and_one_that_sends(scanner: PtyScanner) -> None:
    settings = MrzScannerSettings(port=str(scanner.path), byte_gap_s=0.1)
    assert "quiet" in devices.scanner(settings).measured
    sending = threading.Timer(0.2, scanner.send, [TD3])
    sending.start()
    found = devices.scanner(settings)
    sending.join()
    assert found.verdict is Verdict.OK
    assert "sent a message" in found.measured
    assert "ERIKSSON" not in str(found)


def test_a_scanner_that_is_held_or_gone(scanner: PtyScanner, tmp_path: Path) -> None:
    settings = MrzScannerSettings(port=str(scanner.path))
    holder = SerialMrzScanner(settings)
    holder.open()
    held = devices.scanner(settings)
    holder.close()
    assert (held.verdict, held.code) == (Verdict.FAULT, "in_use")
    assert held.fix
    assert devices.scanner(MrzScannerSettings(port=str(tmp_path / "none"))).code == "not_there"


def test_a_chip_reader_without_a_document_and_none() -> None:
    found = devices.chip(ChipReaderSettings(), backend=BusBackend(UsbBus(CcidDevice())))
    assert (found.verdict, found.device) == (Verdict.OK, "chip_reader")
    assert "no document in the field" in found.measured
    assert "bytes" in found.measured


def test_a_safety_controller_is_asked_who_it_is(tmp_path: Path) -> None:
    board = SimulatedBoard(wiring())
    for door in Door:
        board.drive(f"{door}_shut", active=True)
    box = PtySafetyController(board, tmp_path)
    try:
        has = box.setting.configuration().hex()
        settings = SafetyControllerSettings(port=str(box.path), configuration=has, timeout_s=1.2)
        (good,) = devices.safety_controller(settings)
        assert good.verdict is Verdict.OK
        assert has in good.measured
        other = replace(settings, configuration="0" * 16)
        assert [each.code for each in devices.safety_controller(other)] == ["wrong_configuration"]
        box.vanish()
        (gone,) = devices.safety_controller(settings)
        assert gone.verdict is Verdict.FAULT
        assert gone.fix
    finally:
        box.close()


def test_the_central_sides_port() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    settings = LinkSettings(
        requests=f"tcp://127.0.0.1:{port}",
        announcements=f"tcp://127.0.0.1:{port}",
        server_key="0" * 40,
        key_file="/etc/egate/link.key",
    )
    assert devices.link(settings).verdict is Verdict.OK
    listener.close()
    closed = devices.link(settings)
    assert (closed.verdict, closed.code) == (Verdict.WARNING, "link_no_connection")
    assert devices.link(replace(settings, requests="nowhere")).code == "bad_address"
    assert devices.link(replace(settings, requests="tcp://[::1:x")).code == "bad_address"
