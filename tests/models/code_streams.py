"""JPEG 2000 code streams written by hand (ISO/IEC 15444-1), to cost a decoder as much as few bytes can.

One tile, one layer, no wavelet level. Each code block is there from the first bit plane on, claims as many
coding passes as its planes allow, and has some random bytes of data for them.
"""

import random
import struct


class _Bits:
    """Packet headers: after a byte of ones comes a bit that is zero (B.10.1)."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._current, self._free = 0, 8

    def put(self, value: int, count: int) -> None:
        for at in range(count - 1, -1, -1):
            self._free -= 1
            self._current |= (value >> at & 1) << self._free
            if not self._free:
                self._end_byte()

    def padded(self) -> bytes:
        if self._free < 8:
            self._end_byte()
        return bytes(self._bytes)

    def _end_byte(self) -> None:
        self._bytes.append(self._current)
        self._free = 7 if self._current == 0xFF else 8
        self._current = 0


def code_stream(
    side: int, planes: int, *, block: int = 64, data: int = 4, quantisation: bytes = b""
) -> bytes:
    """Three components of `side` squared samples in code blocks of `block` squared, `data` bytes for each.

    `quantisation` takes the place of the QCD segment that declares the planes.
    """
    across = -(-side // block)
    noise = random.Random(1)
    packets = b"".join(_packet(across, 3 * planes - 2, data, noise) for _ in range(3))
    size = struct.pack(">H8IH", 0, side, side, 0, 0, side, side, 0, 0, 3) + b"\x07\x01\x01" * 3
    exponent = block.bit_length() - 3
    coding = struct.pack(">BBHBBBBBB", 0, 0, 1, 0, 0, exponent, exponent, 0, 1)
    declared = quantisation or _segment(0xFF5C, bytes([1 << 5, planes << 3]))
    tile = struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14 + len(packets), 0, 1, 0xFF93) + packets
    return b"\xff\x4f" + _segment(0xFF51, size) + _segment(0xFF52, coding) + declared + tile + b"\xff\xd9"


def step_sizes(marker: int, content: bytes) -> bytes:
    """A QCD (FF5C) or QCC (FF5D) segment."""
    return _segment(marker, content)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">HH", marker, 2 + len(content)) + content


def _packet(across: int, passes: int, data: int, noise: random.Random) -> bytes:
    """The packet of one component: `across` squared code blocks."""
    bits = _Bits()
    bits.put(1, 1)
    levels = (across - 1).bit_length()
    for y in range(across):
        for x in range(across):
            told = [level for level in range(levels + 1) if not (x | y) & ((1 << level) - 1)]
            bits.put((1 << len(told)) - 1, len(told))  # included at once: a tag tree of zeros (B.10.2)
            bits.put((1 << len(told)) - 1, len(told))  # and no plane is left out
            bits.put(*_pass_count(passes))
            room = 3 + passes.bit_length() - 1
            longer = max(0, data.bit_length() - room)
            bits.put((1 << longer + 1) - 2, longer + 1)
            bits.put(data, room + longer)
    return bits.padded() + noise.randbytes(data * across * across)


def _pass_count(passes: int) -> tuple[int, int]:
    """The code word of table B.4 and its length."""
    if passes <= 5:
        return ((0, 0b10, 0b1100, 0b1101, 0b1110)[passes - 1], (1, 2, 4, 4, 4)[passes - 1])
    if passes <= 36:
        return 0b1111 << 5 | passes - 6, 9
    return 0x1FF << 7 | passes - 37, 16
