"""`gatectl document readers`: what is told of the readers that are found."""

import dataclasses

import pytest

from drivers.reader_survey import FoundReader
from gated.commands import readers
from tests.gatectl import gatectl

USABLE = FoundReader(0x076B, 0x5427, 0, 2, "extended_apdu", 65_556, 65_544, 65_536)
UNUSABLE = FoundReader(0x04E6, 0x5116, 1, fault="character_level_reader")


def test_each_reader_comes_with_the_settings_that_select_it() -> None:
    lines = readers._text((USABLE, UNUSABLE), ("OMNIKEY 5427 00 00",), "")
    assert lines[0].startswith(
        "usb   vendor_id = 0x076b, product_id = 0x5427, ccid_interface = 0: extended_apdu"
    )
    assert "2 slots" in lines[0]
    placed = readers._text((dataclasses.replace(USABLE, usb_path="1-2.3"),), (), "")
    assert 'ccid_interface = 0, usb_path = "1-2.3": extended_apdu' in placed[0]
    assert lines[1].endswith("cannot be used: character_level_reader")
    assert lines[2] == 'pcsc  interface = "pcsc", name = "OMNIKEY 5427 00 00"'


def test_nothing_found_says_where_to_look() -> None:
    lines = readers._text((), (), "chip_reader: no_daemon: start the PC/SC daemon")
    assert lines == [
        "usb   no CCID reader: check the cable, and `lsusb`",
        "pcsc  chip_reader: no_daemon: start the PC/SC daemon",
    ]


def test_the_command_runs_on_a_machine_without_readers(capsys: pytest.CaptureFixture[str]) -> None:
    status, printed, complained = gatectl(capsys)("document", "readers")
    assert (status in {0, 1} and printed.startswith("usb ")) or (status == 2 and "chip_reader" in complained)
