"""A simulated reader with a passport on it: what `gatectl document read --reader sim` reads.

The driver is the product's own; only the USB bus below it and the chip are not there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from drivers.chip_reader import CcidChipReader
from gated.core.ports import ChipReader
from gated.core.settings.readers import ChipReaderSettings
from hw_sim.passport import profiles
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus


@dataclass(frozen=True, slots=True)
class Desk:
    """A reader, what is printed on the page, and the roots of the state that issued the passport."""

    reader: ChipReader
    lines: tuple[str, ...]
    can: str | None
    roots: tuple[bytes, ...]


def lay(profile: str) -> Desk:
    """Lay the passport of a profile on the reader. Raises KeyError for a name that is none."""
    chosen = profiles.BY_NAME[profile]
    today = datetime.now(UTC).date()
    passport = chosen.passport(today)
    device = CcidDevice()
    device.insert(chosen.chip(today))
    return Desk(
        reader=CcidChipReader(ChipReaderSettings(), BusBackend(UsbBus(device))),
        lines=passport.lines,
        can=passport.protocols.can if chosen.opened_by == "can" else None,
        roots=(chosen.authority(today).anchor,),
    )
