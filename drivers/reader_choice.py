"""Which driver stands for the chip reader: the one place that knows them all."""

from typing import Any

from drivers.chip_reader import CcidChipReader
from drivers.pcsc_reader import PcscChipReader
from gated.core.ports import ChipReader
from gated.core.settings.readers import ChipReaderSettings


def chip_reader(settings: ChipReaderSettings, usb_backend: Any = None) -> ChipReader:
    """The driver that the configuration asks for, not opened. `usb_backend` is pyusb's; None means libusb."""
    if settings.interface == "pcsc":
        return PcscChipReader(settings)
    return CcidChipReader(settings, usb_backend)
