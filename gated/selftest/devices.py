"""The other devices, opened by their real drivers while no gate holds them.

Nothing moves, and nothing is sent but what a device is always told when it is opened.
"""

import socket
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from drivers.mrz_scanner import SerialMrzScanner
from drivers.reader_choice import chip_reader
from drivers.safety_controller import read_identity
from drivers.safety_faults import FIXES, error_of
from drivers.safety_protocol import Fault
from gated.core.ports import CardGone, DeviceError
from gated.core.settings.board import SafetyControllerSettings
from gated.core.settings.central import LinkSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.selftest.finding import Finding, failed, fault, ok, warning

LISTEN_S: Final = 0.5  # noise shows within this
CONNECT_S: Final = 2.0


def scanner(settings: MrzScannerSettings, part: str = "") -> Finding:
    """Whether its port is there, free and quiet."""
    device = SerialMrzScanner(settings)
    try:
        device.open()
        message = device.read(LISTEN_S)
    except DeviceError as error:
        return failed("mrz_scanner", error, part)
    finally:
        device.close()
    told = "and sent a message" if message else "quiet; lay a document on it to see that it reads"
    return ok("mrz_scanner", f"{settings.port} opens, {told}", part)


def chip(settings: ChipReaderSettings, part: str = "", backend: Any = None) -> Finding:
    """Whether the reader is there and answers; a card in its field is powered once."""
    reader = chip_reader(settings, backend)
    try:
        reader.open()
        told = f"answers; commands of {reader.limits.max_command} bytes"
        if not reader.card_present():
            return ok("chip_reader", f"{told}; no document in the field", part)
        reader.connect()
        reader.disconnect()
    except CardGone as error:
        return warning("chip_reader", error.code, "a chip in the field does not answer", error.fix, part)
    except DeviceError as error:
        return failed("chip_reader", error, part)
    finally:
        reader.close()
    return ok("chip_reader", f"{told}; a chip in the field answers", part)


def safety_controller(settings: SafetyControllerSettings) -> Iterator[Finding]:
    """Who it is, whether its parameters are those of the commissioning, and what it finds wrong."""
    try:
        identity, report = read_identity(settings)
    except DeviceError as error:
        yield failed("safety_controller", error)
        return
    has = identity.configuration.hex()
    if has != settings.configuration:
        wrong = "wrong_configuration"
        yield fault("safety_controller", wrong, f"has {has}, not {settings.configuration}", FIXES[wrong])
    found = [error_of(code) for code in Fault if code in report.faults]
    for each in found:
        yield fault("safety_controller", each.code, "says the controller", each.fix)
    if not found and has == settings.configuration:
        firmware = ".".join(map(str, identity.firmware))
        yield ok(
            "safety_controller",
            f"firmware {firmware}, configuration {has}, {report.supply_mv / 1000:.1f} V, no fault",
        )


def link(settings: LinkSettings) -> Finding:
    """Whether the central side's port takes connections; who answers there only gate-link can tell."""
    try:
        at = urlsplit(str(settings.requests))
        host, port = at.hostname or "", at.port or 0
    except ValueError:
        host, port = "", 0
    if not host or not port:
        fix = "write it as tcp://HOST:PORT"
        return fault("link", "bad_address", "[link] requests is no address", fix)
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        told = f"no connection ({error.strerror or 'no answer'})"
        fix = "check the network cable and [link] requests; ask whether the central server runs"
        return warning("link", "link_no_connection", told, fix)
    return ok("link", "the central side's port takes connections; start gated to see who answers")
