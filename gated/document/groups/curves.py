"""Elliptic curves over prime fields: what PACE and explicit-parameter certificates need beyond OpenSSL.

PACE multiplies arbitrary generators and adds points, and document signers use curves (brainpoolP224r1) that
OpenSSL builds leave out, so the group law is written here: Jacobian coordinates (Guide to ECC, section 3.2,
without the shortcut for a = -3) and signed windows for the scalars. Where OpenSSL knows the curve, it makes
public keys from private ones and agrees on secrets. Points are affine and on their curve by construction;
infinity is never a value but an error, as it is in every protocol step that uses this.

The arithmetic written here is not constant in time. Its secrets are the terminal's one-time scalars, each
used in one session with a chip that is in the gate's own reader.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from gated.document.errors import CurveError
from gated.document.groups.domain_parameters import TABLE, DomainParameters

Random = Callable[[int], bytes]
_Jacobian = tuple[int, int, int]  # X, Y, Z with x = X / Z^2 and y = Y / Z^3; Z = 0 is infinity

_INFINITY: _Jacobian = (1, 1, 0)
_WINDOW = 5
_MAX_DRAWS = 64  # a draw fails with probability below 1/2: 2^-64 is a broken source of chance

_OPENSSL: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}


@dataclass(frozen=True, slots=True)
class Point:
    """An affine point, not infinity."""

    x: int
    y: int


class Curve:
    """y^2 = x^3 + a*x + b over GF(p), with base point G of prime order n and cofactor 1."""

    def __init__(self, parameters: DomainParameters) -> None:
        self.name = parameters.name
        self.number = parameters.number
        self.oid = parameters.oid
        self.p = parameters.p
        self.a = parameters.a
        self.b = parameters.b
        self.n = parameters.n
        self.generator = Point(parameters.x, parameters.y)
        self.length = (parameters.p.bit_length() + 7) // 8  # of a coordinate, in bytes
        self.openssl = _OPENSSL.get(parameters.name)  # None: it has not got this curve

    def __repr__(self) -> str:
        return f"Curve({self.name})"

    def point(self, x: int, y: int) -> Point:
        """Make a point of coordinates. Raises CurveError(`point_off_curve`)."""
        if not (0 <= x < self.p and 0 <= y < self.p) or (y * y - (x * x + self.a) * x - self.b) % self.p:
            raise CurveError("point_off_curve")
        return Point(x, y)

    def decode(self, coded: bytes) -> Point:
        """Read an uncompressed point (TR-03111 section 3.2). Raises CurveError."""
        if len(coded) != 1 + 2 * self.length or coded[0] != 0x04:
            raise CurveError("point_coding")
        x, y = coded[1 : 1 + self.length], coded[1 + self.length :]
        return self.point(int.from_bytes(x, "big"), int.from_bytes(y, "big"))

    def encode(self, point: Point) -> bytes:
        """04, x and y, each of `length` bytes."""
        return b"\x04" + self.encode_x(point) + point.y.to_bytes(self.length, "big")

    def encode_x(self, point: Point) -> bytes:
        """The x coordinate in `length` bytes: the shared secret of a key agreement."""
        return point.x.to_bytes(self.length, "big")

    def add(self, one: Point, other: Point) -> Point:
        """Add two points. Raises CurveError(`point_at_infinity`)."""
        return self._affine(self._add((one.x, one.y, 1), (other.x, other.y, 1)))

    def multiply(self, scalar: int, point: Point) -> Point:
        """Multiply a point of order n. Raises CurveError(`point_at_infinity`)."""
        return self._affine(self._multiply(scalar % self.n, point))

    def public(self, private: int) -> Point:
        """The public key to a private one, which lies in 1 ... n - 1."""
        if self.openssl is None:
            return self.multiply(private, self.generator)
        numbers = ec.derive_private_key(private, self.openssl).public_key().public_numbers()
        return Point(numbers.x, numbers.y)

    def agree(self, private: int, public: Point) -> bytes:
        """The x coordinate of their product, `private` in 1 ... n - 1 (ECKA-DH, TR-03111 section 4.3.1)."""
        if self.openssl is None:
            return self.encode_x(self.multiply(private, public))
        theirs = ec.EllipticCurvePublicNumbers(public.x, public.y, self.openssl).public_key()
        return ec.derive_private_key(private, self.openssl).exchange(ec.ECDH(), theirs)

    def draw(self, random: Random) -> int:
        """Draw a private key, uniform in 1 ... n - 1. Raises CurveError(`no_randomness`)."""
        scalar = draw_below(self.n, random)
        if scalar is None:
            raise CurveError("no_randomness")
        return scalar

    def verifies(self, public: Point, digest: bytes, r: int, s: int) -> bool:
        """ECDSA (FIPS 186-4 section 6.4): whether (r, s) signs the digest."""
        if not (0 < r < self.n and 0 < s < self.n):
            return False
        excess = max(8 * len(digest) - self.n.bit_length(), 0)
        e = int.from_bytes(digest, "big") >> excess
        w = pow(s, -1, self.n)
        first = self._multiply(e * w % self.n, self.generator)
        second = self._multiply(r * w % self.n, public)
        try:
            return self._affine(self._add(first, second)).x % self.n == r
        except CurveError:
            return False

    def _affine(self, point: _Jacobian) -> Point:
        x, y, z = point
        if z == 0:
            raise CurveError("point_at_infinity")
        inverse = pow(z, -1, self.p)
        square = inverse * inverse % self.p
        return Point(x * square % self.p, y * square * inverse % self.p)

    def _double(self, point: _Jacobian) -> _Jacobian:
        x, y, z = point
        p = self.p
        if z == 0 or y == 0:
            return _INFINITY
        yy = y * y % p
        s = 4 * x * yy % p
        zz = z * z % p
        m = (3 * x * x + self.a * zz * zz) % p
        x3 = (m * m - 2 * s) % p
        return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p

    def _add(self, one: _Jacobian, other: _Jacobian) -> _Jacobian:
        x1, y1, z1 = one
        x2, y2, z2 = other
        p = self.p
        if z1 == 0:
            return other
        if z2 == 0:
            return one
        zz1, zz2 = z1 * z1 % p, z2 * z2 % p
        u1, u2 = x1 * zz2 % p, x2 * zz1 % p
        s1, s2 = y1 * zz2 * z2 % p, y2 * zz1 * z1 % p
        h, r = (u2 - u1) % p, (s2 - s1) % p
        if h == 0:
            return self._double(one) if r == 0 else _INFINITY
        hh = h * h % p
        hhh, v = h * hh % p, u1 * hh % p
        x3 = (r * r - hhh - 2 * v) % p
        return x3, (r * (v - x3) - s1 * hhh) % p, h * z1 * z2 % p

    def _multiply(self, scalar: int, point: Point) -> _Jacobian:
        """Width-w NAF from the most significant digit (Guide to ECC, algorithm 3.36)."""
        base: _Jacobian = (point.x, point.y, 1)
        twice = self._double(base)
        odd = [base]
        for _ in range(2 ** (_WINDOW - 2) - 1):
            odd.append(self._add(odd[-1], twice))
        total = _INFINITY
        for digit in reversed(_signed_digits(scalar)):
            total = self._double(total)
            if digit > 0:
                total = self._add(total, odd[digit // 2])
            elif digit < 0:
                x, y, z = odd[-digit // 2]
                total = self._add(total, (x, -y % self.p, z))
        return total


def draw_below(limit: int, random: Random) -> int | None:
    """A number uniform in 1 ... limit - 1; None from a source that gives no chance."""
    bits = (limit - 1).bit_length()
    size, mask = (bits + 7) // 8, (1 << bits) - 1
    for _ in range(_MAX_DRAWS):
        number = int.from_bytes(random(size), "big") & mask
        if 0 < number < limit:
            return number
    return None


def _signed_digits(scalar: int) -> list[int]:
    """Width-w NAF of a scalar, least significant digit first (Guide to ECC, algorithm 3.35)."""
    digits = []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar % 2**_WINDOW
            if digit >= 2 ** (_WINDOW - 1):
                digit -= 2**_WINDOW
        digits.append(digit)
        scalar = (scalar - digit) >> 1
    return digits


CURVES = tuple(Curve(row) for row in TABLE)
_BY_NUMBER = {curve.number: curve for curve in CURVES}
_BY_OID = {curve.oid: curve for curve in CURVES}


def by_number(number: int) -> Curve:
    """The curve with this number in Doc 9303-11 section 9.5.1. Raises CurveError(`curve_unknown`)."""
    if number not in _BY_NUMBER:
        raise CurveError("curve_unknown")
    return _BY_NUMBER[number]


def by_oid(oid: str) -> Curve:
    """The named curve. Raises CurveError(`curve_unknown`)."""
    if oid not in _BY_OID:
        raise CurveError("curve_unknown")
    return _BY_OID[oid]


def by_parameters(p: int, a: int, b: int, *, base: bytes, n: int, cofactor: int) -> Curve:
    """The known curve that explicit parameters describe, if all of them do. Raises CurveError.

    The base point decides with the rest: with a generator of the attacker's choice every public key can
    be given a private key (CVE-2020-0601).
    """
    for curve in CURVES:
        same_field = (p, a % p, b % p) == (curve.p, curve.a, curve.b) if p > 0 else False
        if same_field and (n, cofactor) == (curve.n, 1) and _is_generator(curve, base):
            return curve
    raise CurveError("curve_parameters_unknown")


def _is_generator(curve: Curve, coded: bytes) -> bool:
    """Compare in the uncompressed or the compressed form (SEC 1 section 2.3.3)."""
    parity = bytes([2 + curve.generator.y % 2])
    return coded in {curve.encode(curve.generator), parity + curve.encode_x(curve.generator)}
