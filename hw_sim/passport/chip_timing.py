"""How long a chip thinks: what a reader adds to the time that the bytes take through the air.

The figures model a contactless chip of recent years at 13.56 MHz with coprocessors for symmetric ciphers
and long numbers. They depend on the bytes of one command and its response alone.
"""

from gated.document import tlv
from gated.document.errors import TlvError

COMMAND_S = 0.003  # dispatch, file access, one MAC each way
KIB_S = 0.010  # each KiB that goes through cipher and MAC
MULTIPLICATION_S = 0.060  # one point multiplication with a scalar of 256 bits

# Section 4.4 of Doc 9303-11: the key pair, H and s * G in the mapping; key pair and agreement after it.
_MULTIPLICATIONS = {0x81: 3, 0x83: 2}
_GENERAL_AUTHENTICATE = 0x86


def busy_s(command: bytes, response: bytes) -> float:
    """Seconds from the last bit of the command to the first bit of the response."""
    seconds = COMMAND_S + KIB_S * (len(command) + len(response)) / 1024
    if len(command) > 1 and command[1] == _GENERAL_AUTHENTICATE and response[-2:] == b"\x90\x00":
        seconds += _key_agreement_s(response[:-2])
    return seconds


def _key_agreement_s(body: bytes) -> float:
    """Time for the multiplications behind a public key; it grows with the square of the field's length."""
    try:
        item = tlv.parse_one(tlv.parse_one(body, 0x7C).value)
    except TlvError:
        return 0.0
    bits = (len(item.value) - 1) * 4
    return _MULTIPLICATIONS.get(item.tag - 1, 0) * MULTIPLICATION_S * (bits / 256) ** 2
