"""How long a chip thinks: what a reader adds to the time that the bytes take through the air.

The figures model a contactless chip of recent years at 13.56 MHz with coprocessors for symmetric ciphers and
long numbers. Three are assumed: a command, a KiB, and one point multiplication on a curve of 256 bits. All
other arithmetic is counted in products of two 256-bit numbers on the same multiplier: such a multiplication
takes about 256 doublings and additions of 16 products, 4096 in all; a product of numbers m times as long
takes m^2 as long; an exponentiation with an exponent of e bits takes 1.25 e products (windows of four bits).
"""

from typing import Final

from gated.document import tlv
from gated.document.apdu import Command, Response
from gated.document.errors import TlvError
from gated.document.groups.domains import EllipticDomain, standardized
from hw_sim.passport.chip_active import ActiveKey
from hw_sim.passport.protocols import Protocols

COMMAND_S: Final = 0.003  # dispatch, file access, one MAC each way
KIB_S: Final = 0.010  # each KiB that goes through cipher and MAC
MULTIPLICATION_S: Final = 0.060  # one point multiplication with a scalar of 256 bits

PRODUCT_S: Final = MULTIPLICATION_S / 4096

_UNCOMPRESSED = 0x04
_SHORT_EXPONENT = {1024: 160, 2048: 256}  # orders of the groups of RFC 5114, by length of the prime
_NONCE_BITS = 128
_PUBLIC_EXPONENT_PRODUCTS = 17  # 65537
_LONGEST_ELLIPTIC_SIGNATURE = 2 * 66


def busy_s(command: bytes, response: bytes) -> float:
    """Seconds from the last bit of the command to the first bit of the response, without long numbers."""
    return COMMAND_S + KIB_S * (len(command) + len(response)) / 1024


def work_s(
    command: Command, response: Response, protocols: Protocols, active: ActiveKey | None = None
) -> float:
    """Seconds of arithmetic with long numbers behind a plain command and its plain response."""
    if not response.ok:
        return 0.0
    match command.ins:
        case 0x86:
            return _general_authenticate_s(command.body, response.body, protocols)
        case 0x22 if (command.p1, command.p2) == (0x41, 0xA6):  # chip authentication with 3DES
            return _agreement_s(_value(command.body, 0x91))
        case 0x88 if active:
            return _signing_s(active, len(response.body))
        case 0x2A:  # a terminal's certificate
            return _verification_s(_value(command.body, 0x5F37))
        case 0x82 if len(command.body) != 40:  # terminal authentication; 40 bytes are BAC
            return _verification_s(command.body)
    return 0.0


def multiplication_s(bits: int) -> float:
    """One point multiplication on a curve over a field of so many bits."""
    return MULTIPLICATION_S * (bits / 256) ** 2


def exponentiation_s(modulus: int, exponent: int) -> float:
    """One exponentiation, by lengths in bits."""
    return 1.25 * exponent * PRODUCT_S * (modulus / 256) ** 2


def _general_authenticate_s(given: bytes, answered: bytes, protocols: Protocols) -> float:
    """PACE (Doc 9303-11 section 4.4.1) by the tag of what was given, or chip authentication."""
    content = _value(given, 0x7C)
    reply = _value(answered, 0x7C)
    if key := _value(content, 0x80):
        return _agreement_s(key)
    if _value(content, 0x81):
        key = _value(reply, 0x82)
        return _generic_s(key) if key else _integrated_s(protocols)
    if _value(content, 0x83):
        return 2 * _agreement_s(_value(reply, 0x84))  # its key pair, and the agreement
    return 0.0


def _generic_s(key: bytes) -> float:
    """Key pair of the mapping, H, and the nonce's multiple of the generator."""
    if _is_point(key):
        return 3 * _agreement_s(key)
    return 2 * _agreement_s(key) + exponentiation_s(8 * len(key), _NONCE_BITS)


def _integrated_s(protocols: Protocols) -> float:
    """A root in the field for a curve; for a group, a power that its cofactor has as exponent."""
    profile = next((it for it in protocols.pace if it.mapping == "IM"), None)
    if profile is None:
        return 0.0
    domain = standardized(profile.domain)
    bits = domain.prime.bit_length()
    if isinstance(domain, EllipticDomain):
        return exponentiation_s(bits, bits)
    return exponentiation_s(bits, bits - _SHORT_EXPONENT.get(bits, 256))


def _agreement_s(key: bytes) -> float:
    """One multiplication or exponentiation in the group of a public key."""
    if _is_point(key):
        return multiplication_s((len(key) - 1) * 4)
    bits = 8 * len(key)
    return exponentiation_s(bits, _SHORT_EXPONENT.get(bits, 256))


def _signing_s(active: ActiveKey, length: int) -> float:
    """RSA by the two halves of the modulus (CRT), or ECDSA."""
    if active.n:
        half = 8 * length // 2
        return 2 * exponentiation_s(half, half)
    return multiplication_s(8 * length // 2)


def _verification_s(signature: bytes) -> float:
    """A signature with a short public exponent, or ECDSA with its two multiplications."""
    bits = 8 * len(signature)
    if len(signature) > _LONGEST_ELLIPTIC_SIGNATURE:
        return _PUBLIC_EXPONENT_PRODUCTS * PRODUCT_S * (bits / 256) ** 2
    return 2 * multiplication_s(bits // 2)


def _is_point(key: bytes) -> bool:
    return len(key) % 2 == 1 and key[0] == _UNCOMPRESSED


def _value(data: bytes, tag: int) -> bytes:
    """The value of the first object with a tag; empty where there is none."""
    try:
        return next((item.value for item in tlv.parse(data) if item.tag == tag), b"")
    except TlvError:
        return b""
