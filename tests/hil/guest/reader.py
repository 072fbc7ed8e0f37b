"""The contactless reader in the guest: `drivers.chip_reader` through libusb on the kernel's USB."""

import secrets
import time
from hashlib import sha256
from typing import Any

from drivers.ccid import INTERFACE_CLASS
from drivers.chip_reader import CcidChipReader
from drivers.usb import interfaces_of
from gated.core.settings.readers import ChipReaderSettings
from gated.document import mrz
from gated.document.access import Password
from gated.document.reading import drive, read_passport

APPEARS_S = 60.0

_reader: list[CcidChipReader] = []


def await_readers(*, count: int) -> float:
    """Wait until libusb sees so many readers; return how long it took."""
    began = time.monotonic()
    while len(list(interfaces_of("chip_reader", INTERFACE_CLASS))) != count:
        if time.monotonic() - began > APPEARS_S:
            raise TimeoutError
        time.sleep(0.1)
    return time.monotonic() - began


def open_reader(*, exchange_s: float = 3.0) -> None:
    """Open the reader; the one that was open before is given back."""
    close_reader()
    reader = CcidChipReader(ChipReaderSettings(exchange_s=exchange_s))
    reader.open()
    _reader.append(reader)


def close_reader() -> None:
    """Give the reader back. Idempotent."""
    while _reader:
        _reader.pop().close()


def await_card(*, within_s: float) -> bool:
    """Wait for a card in the field."""
    return _reader[0].await_card(within_s)


def card_present() -> bool:
    """Whether a card is in the field."""
    return _reader[0].card_present()


def read_chip(*, lines: list[str]) -> dict[str, Any]:
    """Read the whole passport that lies on the reader; return how access was got and the files' digests."""
    reader, began = _reader[0], time.monotonic()
    historical = reader.connect()
    commands = read_passport(
        Password.of_mrz(mrz.parse("\n".join(lines).encode())),
        random=secrets.token_bytes,
        limits=reader.limits,
        historical=historical,
    )
    files = drive(commands, reader.transceive)
    return {
        "access": files.access,
        "files": {name: sha256(files[name].reveal()).hexdigest() for name in ("sod", "dg1", "dg2")},
        "seconds": time.monotonic() - began,
    }
