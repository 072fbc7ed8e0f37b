import hashlib
import random

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given
from hypothesis import strategies as st

from gated.document.errors import CurveError
from gated.document.groups.curves import CURVES, Curve, Point, by_number, by_oid, by_parameters
from tests.document.material import FUZZ, refused

P256 = by_number(12)
OPENSSL: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}


def is_prime(number: int) -> bool:
    """Miller-Rabin with 16 bases."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (random.Random(1).randrange(2, 2**64) for _ in range(16)):
        x = pow(base, odd, number)
        if x not in {1, number - 1} and all((x := x * x % number) != number - 1 for _ in range(twos - 1)):
            return False
    return True


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_every_row_of_the_table_is_a_curve(curve: Curve) -> None:
    generator = curve.generator
    assert curve.point(generator.x, generator.y) == generator
    assert is_prime(curve.p)
    assert is_prime(curve.n)
    assert (4 * curve.a**3 + 27 * curve.b**2) % curve.p
    assert (curve.n - curve.p - 1) ** 2 <= 4 * curve.p  # Hasse
    assert by_number(curve.number) is curve
    assert repr(curve) == f"Curve({curve.name})"
    assert by_oid(curve.oid) is curve
    with refused(CurveError, "point_at_infinity"):  # n * G = (n - 1) * G + G
        curve.add(curve.multiply(curve.n - 1, generator), generator)


def test_the_table_is_that_of_the_standard() -> None:
    assert [curve.number for curve in CURVES] == list(range(8, 19))


@pytest.mark.parametrize("name", OPENSSL)
def test_agrees_with_openssl(name: str) -> None:
    curve = next(curve for curve in CURVES if curve.name == name)
    scalars = [1, 2, 3, curve.n - 1, random.Random(2).randrange(1, curve.n)]
    for scalar in scalars:
        numbers = ec.derive_private_key(scalar, OPENSSL[name]).public_key().public_numbers()
        assert curve.multiply(scalar, curve.generator) == Point(numbers.x, numbers.y)


@pytest.mark.parametrize("name", OPENSSL)
def test_verifies_what_openssl_signs(name: str) -> None:
    curve = next(curve for curve in CURVES if curve.name == name)
    private = ec.derive_private_key(12345, OPENSSL[name])
    numbers = private.public_key().public_numbers()
    public = Point(numbers.x, numbers.y)
    for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA512()):  # noqa: S303 - passports have it
        digest = hashlib.new(algorithm.name, b"message", usedforsecurity=False).digest()
        signature = private.sign(b"message", ec.ECDSA(algorithm, deterministic_signing=True))
        r, s = utils.decode_dss_signature(signature)
        assert curve.verifies(public, digest, r, s)
        assert not curve.verifies(public, digest[::-1], r, s)
        assert not curve.verifies(curve.generator, digest, r, s)


@pytest.mark.parametrize("name", ["brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1", "P-192", "P-224"])
def test_verifies_on_curves_that_openssl_lacks(name: str) -> None:
    curve = next(curve for curve in CURVES if curve.name == name)
    private, nonce, digest = 4242, 31337, hashlib.sha256(b"message").digest()
    e = int.from_bytes(digest, "big") >> max(256 - curve.n.bit_length(), 0)
    r = curve.multiply(nonce, curve.generator).x % curve.n
    s = pow(nonce, -1, curve.n) * (e + r * private) % curve.n
    public = curve.multiply(private, curve.generator)
    assert curve.verifies(public, digest, r, s)
    assert not curve.verifies(public, digest, r, s + 1)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (P256.n, 1), (1, P256.n), (-1, 1)])
def test_signatures_out_of_range(r: int, s: int) -> None:
    assert not P256.verifies(P256.generator, bytes(32), r, s)


def test_a_signature_that_adds_up_to_infinity() -> None:
    # With the public key -G, r = e gives u1 * G + u2 * (-G) = infinity.
    digest = (7).to_bytes(32, "big")
    public = P256.multiply(P256.n - 1, P256.generator)
    assert not P256.verifies(public, digest, 7, 1)


@pytest.mark.parametrize(
    ("coded", "code"),
    [
        (b"", "point_coding"),
        (b"\x00", "point_coding"),  # the coding of infinity
        (b"\x04" + bytes(64), "point_off_curve"),
        (b"\x04" + b"\xff" * 64, "point_off_curve"),
        (b"\x02" + P256.encode_x(P256.generator), "point_coding"),
        (P256.encode(P256.generator) + b"\0", "point_coding"),
        (P256.encode(P256.generator)[:-1] + b"\0", "point_off_curve"),
    ],
)
def test_points_that_are_refused(coded: bytes, code: str) -> None:
    with refused(CurveError, code):
        P256.decode(coded)


def test_a_point_of_another_curve_is_off_this_one() -> None:
    other = by_number(13)
    with refused(CurveError, "point_off_curve"):
        P256.decode(other.encode(other.generator))


def explicit(**changes: int | bytes) -> Curve:
    parameters: dict[str, int | bytes] = {
        "p": P256.p,
        "a": P256.a,
        "b": P256.b,
        "base": P256.encode(P256.generator),
        "n": P256.n,
        "cofactor": 1,
    }
    p, a, b, base, n, cofactor = (parameters | changes).values()
    assert isinstance(base, bytes)
    return by_parameters(int(p), int(a), int(b), base=base, n=int(n), cofactor=int(cofactor))


def test_explicit_parameters_of_a_known_curve() -> None:
    assert explicit() is P256
    assert explicit(base=b"\x03" + P256.encode_x(P256.generator)) is P256


@pytest.mark.parametrize(
    "change",
    [
        {"p": by_number(13).p},
        {"p": 0},
        {"a": 5},
        {"b": 5},
        {"base": P256.encode(P256.multiply(2, P256.generator))},  # CVE-2020-0601
        {"base": b"\x02" + P256.encode_x(P256.generator)},
        {"n": P256.n - 2},
        {"cofactor": 2},
    ],
)
def test_explicit_parameters_with_one_thing_changed(change: dict[str, int | bytes]) -> None:
    with refused(CurveError, "curve_parameters_unknown"):
        explicit(**change)


def test_unknown_curves() -> None:
    for number in (0, 7, 19, 255):
        with refused(CurveError, "curve_unknown"):
            by_number(number)
    with refused(CurveError, "curve_unknown"):
        by_oid("1.3.132.0.10")  # secp256k1


def test_drawing_a_key() -> None:
    draws = iter([bytes(32), P256.n.to_bytes(32, "big"), (5).to_bytes(32, "big")])
    assert P256.draw(lambda _: next(draws)) == 5
    with refused(CurveError, "no_randomness"):
        P256.draw(bytes)
    assert by_number(18).draw(lambda size: b"\xfe" + bytes(size - 2) + b"\x07") == 7


@FUZZ
@given(st.integers(1, P256.n - 1), st.integers(1, P256.n - 1))
def test_multiplication_is_additive(one: int, other: int) -> None:
    total = (one + other) % P256.n
    if total and one != other:
        summed = P256.add(P256.multiply(one, P256.generator), P256.multiply(other, P256.generator))
        assert summed == P256.multiply(total, P256.generator)
