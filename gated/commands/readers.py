"""The command that looks for chip readers, and says what to write into `[chip_reader]` for each."""

import argparse
import dataclasses
from typing import Any

from drivers.reader_survey import FoundReader, pcsc_readers, usb_readers
from gated.commands.answer import Answer, UsageError, Words
from gated.core.ports import DeviceError


def add(document: Words) -> None:
    """Put `readers` under the word `document`."""
    document.command("readers", document_readers)


def document_readers(arguments: argparse.Namespace) -> Answer:
    """Show the chip readers on USB and those of the PC/SC daemon, and the settings that select each."""
    del arguments
    try:
        found = usb_readers()
    except DeviceError as error:
        raise UsageError(str(error)) from error
    try:
        named, trouble = pcsc_readers(), ""
    except DeviceError as error:  # a gate need not have the daemon
        named, trouble = (), str(error)
    value: dict[str, Any] = {
        "usb": [dataclasses.asdict(reader) for reader in found],
        "pcsc": list(named),
        "pcsc_trouble": trouble,
    }
    usable = bool(named) or any(not reader.fault for reader in found)
    return Answer(value=value, text=tuple(_text(found, named, trouble)), good=usable)


def _text(found: tuple[FoundReader, ...], named: tuple[str, ...], trouble: str) -> list[str]:
    lines = [_usb(reader) for reader in found] or ["usb   no CCID reader: check the cable, and `lsusb`"]
    lines += [f'pcsc  interface = "pcsc", name = "{name}"' for name in named]
    if not named:
        lines.append(f"pcsc  {trouble or 'the daemon knows no reader'}")
    return lines


def _usb(reader: FoundReader) -> str:
    settings = (
        f"vendor_id = 0x{reader.vendor_id:04x}, product_id = 0x{reader.product_id:04x}, "
        f"ccid_interface = {reader.ccid_interface}"
    )
    if reader.usb_path:
        settings += f', usb_path = "{reader.usb_path}"'
    if reader.fault:
        return f"usb   {settings}: cannot be used: {reader.fault}"
    slots = f", {reader.slots} slots (set `slot` to the one with the antenna)" if reader.slots > 1 else ""
    return (
        f"usb   {settings}: {reader.level} level, messages of {reader.max_message} bytes, "
        f"responses of {reader.max_response}{slots}"
    )
