"""The scanner's serial line in the guest: `drivers.mrz_scanner` on the kernel's driver for the adapter."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import serial

from drivers.mrz_scanner import SerialMrzScanner
from gated.core.ports import DeviceTimeout
from gated.core.settings.readers import MrzScannerSettings
from tests.hil.guest.system import await_devices

NODE = Path("/dev/egate/mrz")  # the name that the project's udev rule gives it
APPEARS_S = 60.0

_scanner: list[SerialMrzScanner] = []


def await_node(*, there: bool) -> None:
    """Wait until the kernel has seen the adapter come or go."""
    deadline = time.monotonic() + APPEARS_S
    while NODE.exists() != there:
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)
    await_devices()


def open_scanner(**habits: Any) -> None:
    """Open the scanner with these keys of `[mrz_scanner]`."""
    scanner = SerialMrzScanner(MrzScannerSettings(port=str(NODE), **habits))
    scanner.open()
    _scanner.append(scanner)


def close_scanner() -> None:
    """Give the port back. Idempotent."""
    while _scanner:
        _scanner.pop().close()


def read(*, within_s: float) -> str | None:
    """What the scanner's driver makes of what comes."""
    message = _scanner[0].read(within_s)
    return None if message is None else message.decode("ascii")


def read_on(*, within_s: float) -> None:
    """Read, whatever comes, until the driver raises that the line is gone."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(DeviceTimeout):
            _scanner[0].read(1.0)


def inquire() -> None:
    """Ask the scanner for what lies on it."""
    _scanner[0].inquire()


def modem_lines() -> dict[str, bool]:
    """What the kernel says of the far end's lines, asked beside the driver."""
    with serial.Serial(str(NODE)) as port:
        return {"cts": port.cts, "dsr": port.dsr, "cd": port.cd}
