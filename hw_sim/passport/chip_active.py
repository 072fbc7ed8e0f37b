"""Active authentication, the chip's side (Doc 9303-11 section 6.1), in all the ways that chips do it.

An `ActiveProfile` says how a chip signs; `ActiveKey` is the private key that goes with one, made at
personalisation. The public key goes to DG15, and for ECDSA the hash to DG14.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.asymmetric import rsa

from gated.core.values import Value
from gated.document.apdu import Command
from gated.document.groups.curves import by_number
from gated.document.tlv import encode
from hw_sim.passport.chip_files import WRONG_LENGTH, WRONG_PARAMETERS, Refused
from hw_sim.passport.pki_keys import HandKey, Recipe, public_info

Entropy = Callable[[int], bytes]
Digest = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]

_NUMBERS = {"sha1": 0x33, "sha256": 0x34, "sha512": 0x35, "sha384": 0x36, "sha224": 0x38}  # ISO/IEC 10118-3
_ARCS = {"sha1": 1, "sha224": 2, "sha256": 3, "sha384": 4, "sha512": 5}
_CHALLENGE_LENGTH = 8


class ActiveProfile(Value):
    """How a chip signs: by RSA of `rsa_bits`, or where these are 0 by ECDSA on the domain's curve."""

    rsa_bits: int = 0
    exponent: int = 65537
    domain: int = 12  # Doc 9303-11 section 9.5.1; 12 is P-256
    digest: Digest = "sha256"
    # RSA
    implicit: bool = False  # the trailer BC, which means SHA-1; else the hash by its number
    smaller: bool = False  # the smaller of s and n - s
    total: bool = False  # the challenge inside the recovered part, header 4A
    filled: int = 0  # pairs of nibbles BB of padding between header and recovered part
    # ECDSA
    der: bool = False  # r and s as a SEQUENCE; else side by side
    explicit: bool = False  # the curve written out in DG15
    announced: bool = True  # the hash in DG14
    announced_as: Digest | None = None  # another one than is used


@dataclass(frozen=True, slots=True, repr=False)
class ActiveKey:
    """A private key and how it is used. With `d` for RSA; `n` is then the modulus, else 0."""

    profile: ActiveProfile
    d: int
    n: int = 0

    def __repr__(self) -> str:
        return f"ActiveKey({self.profile})"

    @classmethod
    def make(cls, profile: ActiveProfile, label: str) -> "ActiveKey":
        """A key; an elliptic one follows from the label, an RSA key is drawn once for it in a process."""
        if profile.rsa_bits:
            return cls(profile, *_rsa_key(label, profile.rsa_bits, profile.exponent))
        curve = by_number(profile.domain)
        seed = hashlib.shake_256(f"{label}/active/{curve.name}".encode()).digest(curve.length + 8)
        return cls(profile, int.from_bytes(seed, "big") % (curve.n - 1) + 1)

    @property
    def public_info(self) -> bytes:
        """SubjectPublicKeyInfo: the content of DG15."""
        if self.n:
            coded = {"modulus": self.n, "public_exponent": self.profile.exponent}
            info = {"algorithm": {"algorithm": "rsa"}, "public_key": asn1_keys.RSAPublicKey(coded)}
            return bytes(asn1_keys.PublicKeyInfo(info).dump())
        key = HandKey(by_number(self.profile.domain), self.d)
        return bytes(public_info(key, explicit=self.profile.explicit).dump())

    @property
    def security_info(self) -> bytes:
        """ActiveAuthenticationInfo (section 9.2.4); empty where there is none to be."""
        profile = self.profile
        if self.n or not profile.announced:
            return b""
        arc = _ARCS[profile.announced_as or profile.digest]
        algorithm = bytes.fromhex("04007F000701010401") + bytes([arc])  # ecdsa-plain-SHA..., TR-03111
        protocol = bytes.fromhex("678108010105")
        return encode(0x30, encode(0x06, protocol) + b"\x02\x01\x01" + encode(0x06, algorithm))

    def answer(self, command: Command, entropy: Entropy) -> bytes:
        """INTERNAL AUTHENTICATE (section 6.1.3). Raises Refused."""
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        if len(command.body) != _CHALLENGE_LENGTH or command.le is None:
            raise Refused(WRONG_LENGTH)
        return self.sign(command.body, entropy)

    def sign(self, challenge: bytes, entropy: Entropy) -> bytes:
        """Sign a challenge in the profile's way."""
        if self.n:
            return self._sign_rsa(challenge, entropy)
        recipe = Recipe("ecdsa" if self.profile.der else "ecdsa-plain", self.profile.digest)
        return recipe.sign(HandKey(by_number(self.profile.domain), self.d), challenge)

    def _sign_rsa(self, challenge: bytes, entropy: Entropy) -> bytes:
        """ISO/IEC 9796-2 scheme 1: header, padding, chance, hash, trailer."""
        profile, size = self.profile, self.profile.rsa_bits // 8
        trailer = b"\xbc" if profile.implicit else bytes([_NUMBERS[profile.digest], 0xCC])
        name = "sha1" if profile.implicit else profile.digest
        length = hashlib.new(name, usedforsecurity=False).digest_size
        header = 0x40 if profile.total else 0x60
        head = bytes([header | 0x0A])
        if profile.filled:
            head = bytes([header | 0x0B]) + b"\xbb" * (profile.filled - 1) + b"\xba"
        room = size - len(head) - length - len(trailer)
        part = entropy(room - len(challenge)) + challenge if profile.total else entropy(room)
        message = part if profile.total else part + challenge
        digest = hashlib.new(name, message, usedforsecurity=False).digest()
        s = pow(int.from_bytes(head + part + digest + trailer, "big"), self.d, self.n)
        return (min(s, self.n - s) if profile.smaller else s).to_bytes(size, "big")


@lru_cache(maxsize=32)
def _rsa_key(label: str, bits: int, exponent: int) -> tuple[int, int]:
    """Private exponent and modulus."""
    del label
    key = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
    numbers = key.private_numbers()
    return numbers.d, numbers.public_numbers.n
