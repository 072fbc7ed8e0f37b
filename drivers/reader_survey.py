"""Which chip readers there are, and what to write into `[chip_reader]` for each: for technicians."""

from dataclasses import dataclass
from typing import Any, Final

from drivers import ccid
from drivers.ccid import CcidError
from drivers.pcsc_reader import reader_names
from drivers.usb import interfaces_of

DEVICE: Final = "chip_reader"


@dataclass(frozen=True, slots=True)
class FoundReader:
    """A CCID interface on USB, at `usb_path`. `fault` says why the gate cannot use it; empty when it can.

    `slots` counts its slots. Which of them has the antenna is not said by any descriptor.
    """

    vendor_id: int
    product_id: int
    ccid_interface: int
    slots: int = 0
    level: str = ""
    max_message: int = 0
    max_command: int = 0
    max_response: int = 0
    fault: str = ""
    usb_path: str = ""


def usb_readers(backend: Any = None) -> tuple[FoundReader, ...]:
    """Every CCID interface on USB. Raises DeviceError when USB cannot be looked at."""
    return tuple(_described(*found) for found in interfaces_of(DEVICE, ccid.INTERFACE_CLASS, backend=backend))


def pcsc_readers() -> tuple[str, ...]:
    """The names that the PC/SC daemon knows. Raises DeviceError: no daemon, no right, no pyscard."""
    return reader_names()


def _described(vendor: int, product: int, ordinal: int, place: str, class_descriptors: bytes) -> FoundReader:
    try:
        profile = ccid.parse_descriptor(class_descriptors)
    except CcidError as error:
        return FoundReader(vendor, product, ordinal, fault=error.code, usb_path=place)
    character = profile.level is ccid.Level.CHARACTER
    return FoundReader(
        vendor_id=vendor,
        product_id=product,
        ccid_interface=ordinal,
        usb_path=place,
        slots=profile.slots,
        level=profile.level.value,
        max_message=profile.max_message,
        max_command=profile.max_command,
        max_response=profile.max_response,
        fault="character_level_reader" if character else "",
    )
