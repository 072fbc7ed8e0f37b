"""The virtual reader of the PC/SC daemon, seen from our driver."""

import time

from drivers.pcsc_reader import PcscChipReader
from gated.core.settings.readers import ChipReaderSettings
from tests.system.independent.programs import START_S

SETTINGS = ChipReaderSettings(interface="pcsc", name="virtual pcd 00 00", exchange_s=5.0)


def until_empty() -> None:
    """Wait until the daemon has noticed that nothing lies on the reader: it looks only now and then."""
    reader = PcscChipReader(SETTINGS)
    reader.open()
    try:
        deadline = time.monotonic() + START_S
        while reader.card_present():
            assert time.monotonic() < deadline, "the card stays on the reader"
            time.sleep(0.02)
    finally:
        reader.close()
