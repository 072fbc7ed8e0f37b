"""What a technician is told about the readers on USB."""

from drivers.reader_survey import FoundReader, usb_readers
from hw_sim.reader.ccid_descriptors import PRODUCT_ID, VENDOR_ID
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.reader_model import Exchange, ReaderModel
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus


def found(*models: ReaderModel) -> tuple[FoundReader, ...]:
    return usb_readers(BusBackend(UsbBus(*(CcidDevice(model) for model in models))))


def test_every_interface_of_every_reader_is_told_with_what_it_carries() -> None:
    short = ReaderModel(exchange=Exchange.SHORT_APDU, max_message=263, companion=True, slots=2)
    blocks = ReaderModel(exchange=Exchange.TPDU, max_message=271)
    both = {"vendor_id": VENDOR_ID, "product_id": PRODUCT_ID}
    assert found(short, blocks) == (
        FoundReader(
            **both,
            ccid_interface=0,
            slots=1,
            level="short_apdu",
            max_message=263,
            max_command=253,
            max_response=251,
            usb_path="1-2.1",
        ),
        FoundReader(
            **both,
            ccid_interface=1,
            slots=2,
            level="short_apdu",
            max_message=263,
            max_command=253,
            max_response=251,
            usb_path="1-2.1",
        ),
        FoundReader(
            **both,
            ccid_interface=0,
            slots=1,
            level="tpdu",
            max_message=271,
            max_command=65_544,
            max_response=65_536,
            usb_path="1-2.2",
        ),
    )


def test_a_reader_that_the_gate_cannot_use_is_told_with_the_reason() -> None:
    character = ReaderModel(exchange=Exchange.CHARACTER)
    odd = ReaderModel(declared_message=10)
    assert [one.fault for one in found(character, odd)] == [
        "character_level_reader",
        "message_length_out_of_range",
    ]


def test_nothing_is_told_of_an_empty_bus() -> None:
    assert found() == ()
