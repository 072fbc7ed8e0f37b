"""RSA signatures with message recovery: ISO/IEC 9796-2, digital signature scheme 1 (Doc 9303-11, 6.1.2.2).

The signature, raised to the public exponent, gives back the message representative, as long as the modulus:

  header and padding   6A, or 6B BB .. BA: one part of the message is in the signature, the rest is known;
                       4A, or 4B BB .. BA: all of the message is in the signature
  recovered part       M1
  hash                 of M1 and the known rest M2; in total recovery, of M1
  trailer              BC: SHA-1; or a hash's number from ISO/IEC 10118-3, then CC

Every byte of it has its place: the hash ends where the trailer begins, the recovered part begins where the
padding ends, and both are of fixed form, so there is no room for the bytes of a forger's choice that made
cube roots pass elsewhere. In total recovery the known rest must be the end of what was recovered, else an
old signature would be good for ever.

A signer may take the smaller of s and n - s (ISO/IEC 9796-2, B.4) in place of s itself (B.6). Since n is
odd, only one of the two powers can end in the nibble C. Even exponents (Rabin-Williams) are not taken, no
passport has one.
"""

import hashlib
from dataclasses import dataclass

from gated.document import keys
from gated.document.errors import GenuineError
from gated.document.trust.signatures import RsaKey

_IMPLICIT = 0xBC
_EXPLICIT = 0xCC
_NUMBERED = {0x33: "sha1", 0x34: "sha256", 0x35: "sha512", 0x36: "sha384", 0x38: "sha224"}
_PARTIAL, _TOTAL = 0x6, 0x4
_BORDER, _FILLER = 0xA, 0xB


@dataclass(frozen=True, slots=True, repr=False)
class Recovered:
    """What a signature held: the recovered part, and the name of the hash that its trailer names."""

    part: bytes
    digest: str
    total: bool

    def __repr__(self) -> str:
        return f"Recovered({len(self.part)} bytes, {self.digest}, total={self.total})"


def recover(key: RsaKey, signature: bytes, known: bytes) -> Recovered:
    """Open a signature over a message that ends in `known`, and check it.

    Raises GenuineError: `signature_length`, `signature_range`, `signature_form` (its power has no trailer),
    `signature_header`, `signature_trailer`, `signature_rest` (total recovery without the known rest),
    `signature_hash`; `modulus_not_whole_bytes`.
    """
    size, partial_byte = divmod(key.n.bit_length(), 8)
    if partial_byte:
        raise GenuineError("modulus_not_whole_bytes")  # the scheme allows it, Doc 9303-11 does not
    representative = _representative(key, signature, size)
    total, begin = _after_padding(representative)
    digest, end = _before_trailer(representative)
    middle = end - hashlib.new(digest, usedforsecurity=False).digest_size
    if middle < begin:
        raise GenuineError("signature_header")
    part, claimed = representative[begin:middle], representative[middle:end]
    if total and not part.endswith(known):
        raise GenuineError("signature_rest")
    message = part if total else part + known
    if not keys.equal(hashlib.new(digest, message, usedforsecurity=False).digest(), claimed):
        raise GenuineError("signature_hash")
    return Recovered(part, digest, total)


def _representative(key: RsaKey, signature: bytes, size: int) -> bytes:
    if len(signature) != size:
        raise GenuineError("signature_length")
    s = int.from_bytes(signature, "big")
    if not 0 < s < key.n:
        raise GenuineError("signature_range")
    power = pow(s, key.e, key.n)
    for candidate in (power, key.n - power):
        if candidate & 0x0F == 0x0C:
            return candidate.to_bytes(size, "big")
    raise GenuineError("signature_form")


def _after_padding(representative: bytes) -> tuple[bool, int]:
    """Whether all of the message is inside, and where the recovered part begins."""
    header = representative[0] >> 4
    at, nibble = 0, representative[0] & 0x0F
    while nibble == _FILLER:
        at += 1
        whole = representative[at]
        if whole not in {_FILLER << 4 | _FILLER, _FILLER << 4 | _BORDER}:
            raise GenuineError("signature_header")
        nibble = whole & 0x0F
    if nibble != _BORDER or header not in {_PARTIAL, _TOTAL}:
        raise GenuineError("signature_header")
    return header == _TOTAL, at + 1


def _before_trailer(representative: bytes) -> tuple[str, int]:
    """The hash that the trailer names, and where the trailer begins."""
    if representative[-1] == _IMPLICIT:
        return "sha1", len(representative) - 1
    digest = _NUMBERED.get(representative[-2])
    if representative[-1] != _EXPLICIT or digest is None:
        raise GenuineError("signature_trailer")
    return digest, len(representative) - 2
