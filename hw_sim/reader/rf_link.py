"""How long an APDU travels between a contactless reader and a chip: ISO/IEC 14443 type A, modelled.

The model counts what the standard fixes: bits on the air, block framing, the frame delay between the two
sides and the acknowledgements of chained blocks. It leaves out errors, retries and the reader's choice of
waiting longer than it must. The chip's own work is not here: the chip says how long it is busy.
"""

import math
from typing import Final

BIT_RATES: Final = (106_000, 212_000, 424_000, 848_000)
FRAME_DELAY_S: Final = (
    1172 / 13.56e6
)  # ISO/IEC 14443-3, 6.2.1.1: least delay from one side's frame to the other's
BITS_PER_BYTE: Final = 9  # eight data bits and odd parity
FRAME_BITS: Final = 2  # start and end of frame
BLOCK_BYTES: Final = 3  # ISO/IEC 14443-4: protocol control byte and two of CRC
BLOCK_ROOM: Final = 256 - BLOCK_BYTES  # the largest frame that type A chips of passports offer (FSC 256)
ACTIVATION_S: Final = 0.012  # wake-up, anticollision of a 7-byte identifier, RATS, PPS: at 106 kbit/s


def frame_s(size: int, bit_rate: int) -> float:
    """Seconds for one frame of `size` bytes and the delay after it."""
    return (size * BITS_PER_BYTE + FRAME_BITS) / bit_rate + FRAME_DELAY_S


def one_way_s(size: int, bit_rate: int) -> float:
    """Seconds for `size` bytes in one direction: chained blocks, each but the last acknowledged."""
    blocks = max(1, math.ceil(size / BLOCK_ROOM))
    bits = (size + blocks * BLOCK_BYTES) * BITS_PER_BYTE + blocks * FRAME_BITS
    return bits / bit_rate + blocks * FRAME_DELAY_S + (blocks - 1) * frame_s(BLOCK_BYTES, bit_rate)


def exchange_s(command: int, response: int, bit_rate: int) -> float:
    """Seconds on the air for a command and its response of these lengths in bytes."""
    return one_way_s(command, bit_rate) + one_way_s(response, bit_rate)
