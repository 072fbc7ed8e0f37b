"""Residues modulo a prime, and in them the subgroup in which Diffie-Hellman keys live (PKCS #3, RFC 2631).

The arithmetic is Python's own `pow`. Exponents are below the order of the subgroup; where that is not told,
as in PKCS #3, they are twice as long as the strength of the prime (RFC 7919 section 5.2), which keeps a
2048-bit agreement at some milliseconds.
"""

from collections.abc import Callable

from gated.document.errors import GroupError
from gated.document.groups.curves import draw_below
from gated.document.groups.modp_parameters import MODP_TABLE

Random = Callable[[int], bytes]

MIN_PRIME_BITS = 1024
MAX_PRIME_BITS = 4096
_MIN_EXPONENT_BITS, _MAX_EXPONENT_BITS = 160, 512  # what a chip can make the host compute has a bound
_STRENGTHS = ((3072, 128), (2048, 112), (1024, 80))  # of a prime, in bits: NIST SP 800-57, table 2


class ModpGroup:
    """The residues modulo p, with a generator g; q is the prime order of g, None where it is not known.

    That p and q are prime is not checked: a chip's own groups count only with the issuing state's signature.
    """

    def __init__(
        self,
        p: int,
        g: int,
        q: int | None = None,
        *,
        name: str = "",
        number: int | None = None,
        exponent_bits: int | None = None,
    ) -> None:
        """`exponent_bits` is the length of private keys where q is not known. Raises GroupError."""
        if not MIN_PRIME_BITS <= p.bit_length() <= MAX_PRIME_BITS or p % 2 == 0:
            raise GroupError("group_size")
        if not 1 < g < p - 1:
            raise GroupError("group_generator")
        if q is not None and q.bit_length() > _MAX_EXPONENT_BITS:
            if p != 2 * q + 1:
                raise GroupError("group_order")
            q = None  # the prime is a safe one: whatever lies between 1 and p - 1 has a large order
        if q is not None and (q.bit_length() < _MIN_EXPONENT_BITS or (p - 1) % q or pow(g, q, p) != 1):
            raise GroupError("group_order")
        self.p, self.g, self.q = p, g, q
        self.name = name or f"MODP-{p.bit_length()}"
        self.number = number
        self.length = (p.bit_length() + 7) // 8  # of a residue, in bytes
        by_prime = next(bits for size, bits in _STRENGTHS if p.bit_length() >= size)
        self.strength = by_prime if q is None else min(by_prime, q.bit_length() // 2)
        wanted = min(max(exponent_bits or 2 * by_prime, _MIN_EXPONENT_BITS), _MAX_EXPONENT_BITS)
        self._limit = q if q is not None else 1 << wanted

    def draw(self, random: Random) -> int:
        """A private key, uniform below the order or the limit. Raises GroupError(`no_randomness`)."""
        private = draw_below(self._limit, random)
        if private is None:
            raise GroupError("no_randomness")
        return private

    def power(self, base: int, exponent: int) -> int:
        """Raise a residue to a power."""
        return pow(base, exponent, self.p)

    def decode(self, coded: bytes) -> int:
        """Read a public key, and check that it is one. Raises GroupError.

        Leading zeros are taken, though an unsigned integer has none (Doc 9303-11 section 9.4.1).
        """
        if not 0 < len(coded) <= self.length:
            raise GroupError("key_coding")
        value = int.from_bytes(coded, "big")
        if not 1 < value < self.p - 1:
            raise GroupError("key_out_of_range")
        if self.q is not None and pow(value, self.q, self.p) != 1:
            raise GroupError("key_outside_subgroup")
        return value

    def encode(self, value: int) -> bytes:
        """A public key as an unsigned integer: no leading zeros (Doc 9303-11 section 9.4.1)."""
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def secret(self, value: int) -> bytes:
        """A shared secret: as long as the prime (PKCS #3 section 8.3; RFC 2631 section 2.1.2)."""
        return value.to_bytes(self.length, "big")


STANDARD_GROUPS = tuple(
    ModpGroup(row.p, row.g, row.q, name=row.name, number=row.number) for row in MODP_TABLE
)
