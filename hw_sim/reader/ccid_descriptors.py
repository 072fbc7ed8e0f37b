"""The descriptors of the simulated reader: USB 2.0 chapter 9 and CCID rev 1.1, 5.1."""

import struct
from typing import Final

OUT, IN, EVENTS = 0x02, 0x82, 0x81
VENDOR_ID, PRODUCT_ID = 0x1209, 0x0001  # pid.codes keeps it for tests
STRINGS: Final = ("", "egate", "Simulated passport reader", "SIM-0001")

_AUTOMATIC = 0x0000_04BE  # parameters, activation, voltage, clock, bit rate, PPS, IFSD: the reader sees to it


def device_descriptor() -> bytes:
    """Eighteen bytes that say who the device is."""
    return struct.pack(
        "<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, VENDOR_ID, PRODUCT_ID, 0x0100, 1, 2, 3, 1
    )


def configuration_descriptor(exchange_bit: int, max_message: int, packet: int, *, events: bool) -> bytes:
    """One configuration with one CCID interface, its class descriptor and its endpoints."""
    pipes = [(OUT, 2, packet, 0), (IN, 2, packet, 0)]
    if events:
        pipes.append((EVENTS, 3, 8, 10))
    body = (
        bytes((9, 4, 0, 0, len(pipes), 0x0B, 0, 0, 0))
        + class_descriptor(exchange_bit, max_message)
        + b"".join(struct.pack("<BBBBHB", 7, 5, *pipe) for pipe in pipes)
    )
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 1, 1, 0, 0x80, 100) + body


def class_descriptor(exchange_bit: int, max_message: int) -> bytes:
    """Fifty-four bytes that say what the reader can do: one slot, T=1, all voltages."""
    identity = struct.pack("<BBHBBI", 54, 0x21, 0x0110, 0, 7, 2)
    clocks = struct.pack("<IIBIIB", 13_560, 13_560, 0, 106_000, 848_000, 0)
    limits = struct.pack("<IIII", 254, 0, 0, _AUTOMATIC | exchange_bit)
    return identity + clocks + limits + struct.pack("<IBBHBB", max_message, 0xFF, 0xFF, 0, 0, 1)


def string_descriptor(index: int) -> bytes | None:
    """A string descriptor; number 0 lists the languages, None is one that there is not."""
    if index >= len(STRINGS):
        return None
    text = STRINGS[index].encode("utf-16le") if index else b"\x09\x04"
    return bytes((len(text) + 2, 3)) + text
