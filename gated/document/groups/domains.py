"""Domains of key agreement: a group, a generator, and keys in it as they travel (Doc 9303-11, 9.4 to 9.6).

PACE and chip authentication are the same protocols over elliptic curves and over the residues modulo a
prime, so both kinds of group answer to one interface here, with public keys as bytes. A public key from
outside is checked each time it is used: on the curve and not infinity; within the subgroup of prime order
where that is known (RFC 2631 section 2.1.5), and neither 0, 1 nor p - 1 anywhere.
"""

import hashlib
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from gated.document.errors import GroupError
from gated.document.groups.curves import CURVES, Curve, Point, Random
from gated.document.groups.modp import STANDARD_GROUPS, ModpGroup
from gated.document.groups.point_encoding import encoded_point

_MAX_DRAWS = 16  # 256^-16 is a broken source of chance


class KeyPair(NamedTuple):
    """A private key, and the public key as a plain public key value (section 9.4.5)."""

    private: int
    public: bytes


class Domain(ABC):
    """A group and a generator. Whatever is given a public key raises GroupError for one that is none."""

    name: str
    number: int | None  # of the standardized domain parameters (section 9.5.1); None for others
    strength: int  # bits of security
    public_tag: ClassVar[int]  # of the public value in a public key data object (sections 9.4.3 and 9.4.4)

    @abstractmethod
    def draw(self, random: Random) -> KeyPair:
        """An ephemeral key pair."""

    @abstractmethod
    def public_of(self, private: int) -> bytes:
        """The public key to a private one."""

    @abstractmethod
    def agree(self, private: int, public: bytes) -> bytes:
        """The shared secret: an x coordinate or a residue, as long as the prime."""

    @abstractmethod
    def map_generically(self, nonce: int, private: int, public: bytes) -> "Domain":
        """The same group with the generator s * G + H, where H is agreed (section 4.4.3.3.1)."""

    @abstractmethod
    def map_integrally(self, value: int) -> "Domain":
        """The same group with the generator that a value below the prime encodes (section 4.4.3.3.2)."""

    @abstractmethod
    def compress(self, public: bytes) -> bytes:
        """Comp(PK): what terminal authentication names a public key by (section 7.1.4)."""

    @property
    @abstractmethod
    def prime(self) -> int:
        """The prime of the field."""

    @abstractmethod
    def alike(self, one: bytes, other: bytes) -> bool:
        """Whether two public keys are the same or inverse to each other, as echoes are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


class EllipticDomain(Domain):
    """A standard curve, with its own base point or another generator."""

    public_tag = 0x86

    def __init__(self, curve: Curve, generator: Point | None = None) -> None:
        self.curve = curve
        self.name = curve.name
        self.number = curve.number
        self.strength = curve.n.bit_length() // 2
        self._generator = generator

    @property
    def prime(self) -> int:
        """The prime of the coordinates."""
        return self.curve.p

    def draw(self, random: Random) -> KeyPair:
        """A scalar below the order, and its multiple of the generator."""
        private = self.curve.draw(random)
        return KeyPair(private, self.public_of(private))

    def public_of(self, private: int) -> bytes:
        """A multiple of the generator, as an uncompressed point."""
        curve = self.curve
        own = curve.public(private) if self._generator is None else curve.multiply(private, self._generator)
        return curve.encode(own)

    def agree(self, private: int, public: bytes) -> bytes:
        """The x coordinate of the product."""
        return self.curve.agree(private, self.curve.decode(public))

    def map_generically(self, nonce: int, private: int, public: bytes) -> "EllipticDomain":
        """The new generator is s * G + H."""
        curve = self.curve
        shared = curve.multiply(private, curve.decode(public))
        return EllipticDomain(curve, curve.add(curve.multiply(nonce, curve.generator), shared))

    def map_integrally(self, value: int) -> "EllipticDomain":
        """The encoded point as the new generator."""
        return EllipticDomain(self.curve, encoded_point(self.curve, value))

    def compress(self, public: bytes) -> bytes:
        """The x coordinate (section 7.1.4.2.3)."""
        return self.curve.encode_x(self.curve.decode(public))

    def alike(self, one: bytes, other: bytes) -> bool:
        """Equal x coordinates: the same point, or its negative."""
        return self.curve.decode(one).x == self.curve.decode(other).x


class ModpDomain(Domain):
    """The residues modulo a prime, with the group's generator or another of its subgroup."""

    public_tag = 0x84

    def __init__(self, group: ModpGroup, generator: int | None = None) -> None:
        self.group = group
        self.name = group.name
        self.number = group.number
        self.strength = group.strength
        self._generator = group.g if generator is None else generator

    @property
    def prime(self) -> int:
        """The modulus."""
        return self.group.p

    def draw(self, random: Random) -> KeyPair:
        """Draw until the public key fills the length of the prime.

        One key in 256 would begin with a zero byte, which the standard leaves out and some chips want.
        """
        for _ in range(_MAX_DRAWS):
            private = self.group.draw(random)
            public = self.public_of(private)
            if len(public) == self.group.length:
                return KeyPair(private, public)
        raise GroupError("no_randomness")

    def public_of(self, private: int) -> bytes:
        """A power of the generator, as an unsigned integer."""
        return self.group.encode(self.group.power(self._generator, private))

    def agree(self, private: int, public: bytes) -> bytes:
        """The power, as long as the prime. GroupError(`secret_degenerate`) for 1 and p - 1."""
        group = self.group
        shared = group.power(group.decode(public), private)
        if not 1 < shared < group.p - 1:
            raise GroupError("secret_degenerate")
        return group.secret(shared)

    def map_generically(self, nonce: int, private: int, public: bytes) -> "ModpDomain":
        """The new generator is g^s * h."""
        group = self.group
        shared = group.power(group.decode(public), private)
        return self._with(group.power(group.g, nonce) * shared % group.p)

    def map_integrally(self, value: int) -> "ModpDomain":
        """The value, raised into the subgroup, as the new generator."""
        group = self.group
        if group.q is None:
            raise GroupError("mapping_unsupported")
        return self._with(group.power(value, (group.p - 1) // group.q))

    def compress(self, public: bytes) -> bytes:
        """The SHA-1 hash of the public value (section 7.1.4.1.3)."""
        return hashlib.new("sha1", public, usedforsecurity=False).digest()

    def alike(self, one: bytes, other: bytes) -> bool:
        """The same residue, or its inverse."""
        first, second = (int.from_bytes(coded, "big") for coded in (one, other))
        return first == second or first * second % self.group.p == 1

    def _with(self, generator: int) -> "ModpDomain":
        if not 1 < generator < self.group.p - 1:
            raise GroupError("mapping_degenerate")
        return ModpDomain(self.group, generator)


_DOMAINS: tuple[EllipticDomain | ModpDomain, ...] = (
    *(ModpDomain(group) for group in STANDARD_GROUPS),
    *(EllipticDomain(curve) for curve in CURVES),
)
_STANDARD = {domain.number: domain for domain in _DOMAINS}


def standardized(number: int) -> EllipticDomain | ModpDomain:
    """The domain of this number in section 9.5.1. Raises GroupError(`domain_unknown`)."""
    if number not in _STANDARD:
        raise GroupError("domain_unknown")
    return _STANDARD[number]


def residues(p: int, g: int, q: int | None = None, *, exponent_bits: int | None = None) -> ModpDomain:
    """The domain of these values: the standard one if it is. Raises GroupError."""
    for group in STANDARD_GROUPS:
        if (p, g) == (group.p, group.g) and q in {None, group.q}:
            return ModpDomain(group)
    return ModpDomain(ModpGroup(p, g, q, exponent_bits=exponent_bits))
