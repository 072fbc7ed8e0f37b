"""A whole passport through the real driver, real pyusb and every kind of reader: what is in it comes out."""

import secrets
from datetime import date
from pathlib import Path

import pytest

from drivers.chip_reader import CcidChipReader
from drivers.mrz_scanner import SerialMrzScanner
from gated.core.ports import CardGone, DeviceGone
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.document import mrz
from gated.document.access import Password
from gated.document.reading import ChipFiles, drive, read_passport
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.reader_model import LEFT_TO_HOST, Exchange, Fault, ReaderModel
from hw_sim.reader.scanner import PtyScanner
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus
from tests.holder import ANNA

READERS = {
    "extended": ReaderModel(),
    "chaining": ReaderModel(max_message=271),
    "short": ReaderModel(exchange=Exchange.SHORT_APDU, max_message=271),
    "short-263": ReaderModel(exchange=Exchange.SHORT_APDU, max_message=263),
    "blocks": ReaderModel(exchange=Exchange.TPDU, max_message=271),
    "bare-blocks": ReaderModel(exchange=Exchange.TPDU, max_message=271, features=LEFT_TO_HOST, packet=64),
    "full-speed": ReaderModel(packet=64, closing_packet=True),
}
AUTHORITY = issuer.Authority.establish("utopia", today=date(2026, 11, 23))
PASSPORT = issuer.issue(
    AUTHORITY, ANNA, b"\xff\xd8\xff\xe0" + bytes(range(256)) * 60, protocols=issuer.PACE_AND_BAC
)


def read(reader: CcidChipReader, message: bytes) -> ChipFiles:
    historical = reader.connect()
    commands = read_passport(
        Password.of_mrz(mrz.parse(message)),
        random=secrets.token_bytes,
        limits=reader.limits,
        historical=historical,
    )
    return drive(commands, reader.transceive)


def is_whole(files: ChipFiles) -> bool:
    wanted = {"sod": lds.SOD, "dg1": lds.DG1, "dg2": lds.DG2}
    return all(files[name].reveal() == PASSPORT.files[file] for name, file in wanted.items())


@pytest.mark.parametrize("kind", READERS)
def test_page_scanned_and_chip_read(kind: str, tmp_path: Path) -> None:
    scanner_device = PtyScanner(tmp_path, baud=115_200)
    scanner = SerialMrzScanner(MrzScannerSettings(port=str(scanner_device.path)))
    scanner.open()
    device = CcidDevice(READERS[kind], pace=0.0)
    reader = CcidChipReader(ChipReaderSettings(), BusBackend(UsbBus(device)))
    reader.open()
    scanner_device.send(PASSPORT.lines)
    device.insert(Chip(PASSPORT))
    message = scanner.read(1.0)
    assert message is not None
    assert is_whole(read(reader, message))
    reader.close()
    scanner.close()
    scanner_device.close()


def test_a_passport_moved_in_mid_read_is_read_at_the_second_try() -> None:
    device = CcidDevice(pace=0.0)
    device.insert(Chip(PASSPORT, Behaviour(lost_at=10)))
    reader = CcidChipReader(ChipReaderSettings(), BusBackend(UsbBus(device)))
    reader.open()
    page = "\n".join(PASSPORT.lines).encode()
    with pytest.raises(CardGone, match="card_mute"):
        read(reader, page)
    assert is_whole(read(reader, page))
    reader.close()


def test_a_reader_unplugged_in_mid_read_serves_again_after_plugging_in() -> None:
    device = CcidDevice(pace=0.0)
    bus = UsbBus(device)
    device.insert(Chip(PASSPORT))
    reader = CcidChipReader(ChipReaderSettings(), BusBackend(bus))
    reader.open()
    page = "\n".join(PASSPORT.lines).encode()
    device.arm(Fault.UNPLUG, transfer=9)
    with pytest.raises(DeviceGone, match="unplugged"):
        read(reader, page)
    bus.plug(device)
    reader.open()
    assert is_whole(read(reader, page))
    reader.close()
