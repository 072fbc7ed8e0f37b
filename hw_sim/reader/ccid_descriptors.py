"""The descriptors of the simulated reader: USB 2.0 chapter 9 and CCID rev 1.1, 5.1."""

import struct
from typing import Final

from hw_sim.reader.reader_model import ReaderModel

OUT, IN, EVENTS = 0x02, 0x82, 0x81
VENDOR_ID, PRODUCT_ID = 0x1209, 0x0001  # pid.codes keeps it for tests
STRINGS: Final = ("", "egate", "Simulated passport reader", "SIM-0001")


def device_descriptor() -> bytes:
    """Eighteen bytes that say who the device is."""
    return struct.pack(
        "<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, VENDOR_ID, PRODUCT_ID, 0x0100, 1, 2, 3, 1
    )


def configuration_descriptor(model: ReaderModel) -> bytes:
    """One configuration with one or two CCID interfaces, their class descriptors and their endpoints."""
    pipes = [(OUT, 2, model.packet, 0), (IN, 2, model.packet, 0)]
    if model.events:
        pipes.append((EVENTS, 3, 8, 10))
    declared = model.max_message if model.declared_message is None else model.declared_message
    features = model.features | model.exchange.value
    body = _interface(
        int(model.companion),
        class_descriptor(features, declared, slots=model.slots, max_ifsd=model.max_ifsd),
        pipes,
    )
    if model.companion:
        contacts = [(OUT + 1, 2, model.packet, 0), (IN + 1, 2, model.packet, 0)]
        body = _interface(0, class_descriptor(features, declared), contacts) + body
    interfaces = 1 + model.companion
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), interfaces, 1, 0, 0x80, 100) + body


def _interface(number: int, description: bytes, pipes: list[tuple[int, int, int, int]]) -> bytes:
    return (
        bytes((9, 4, number, 0, len(pipes), 0x0B, 0, 0, 0))
        + description
        + b"".join(struct.pack("<BBBBHB", 7, 5, *pipe) for pipe in pipes)
    )


def class_descriptor(features: int, max_message: int, *, slots: int = 1, max_ifsd: int = 254) -> bytes:
    """Fifty-four bytes that say what the reader can do: T=1, all voltages."""
    identity = struct.pack("<BBHBBI", 54, 0x21, 0x0110, slots - 1, 7, 2)
    clocks = struct.pack("<IIBIIB", 13_560, 13_560, 0, 106_000, 848_000, 0)
    limits = struct.pack("<IIII", max_ifsd, 0, 0, features)
    return identity + clocks + limits + struct.pack("<IBBHBB", max_message, 0xFF, 0xFF, 0, 0, 1)


def string_descriptor(index: int) -> bytes | None:
    """A string descriptor; number 0 lists the languages, None is one that there is not."""
    if index >= len(STRINGS):
        return None
    text = STRINGS[index].encode("utf-16le") if index else b"\x09\x04"
    return bytes((len(text) + 2, 3)) + text
