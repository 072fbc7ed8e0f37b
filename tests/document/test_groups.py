"""Domains of key agreement: curves and residues behind one interface, and how chips write them."""

import hashlib
import itertools
import secrets
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.errors import CurveError, GroupError
from gated.document.groups.curves import CURVES, Curve, by_number
from gated.document.groups.domains import Domain, EllipticDomain, ModpDomain, residues, standardized
from gated.document.groups.key_info import dotted, parse_domain, parse_public_key
from gated.document.groups.modp import STANDARD_GROUPS, ModpGroup
from gated.document.groups.point_encoding import can_encode, encoded_point
from tests.document.material import FUZZ, damaged, refused
from tests.document.test_curves import is_prime
from tests.document.worked_examples import I1_STATIC_KEY

HEX = bytes.fromhex
NUMBERS = (0, 1, 2, *range(8, 19))
MERSENNE = (1 << 1279) - 1  # a prime that is nobody's standard
SAFE_PRIME = int(  # RFC 3526 section 3: 2048 bits
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)


def residue_domain(number: int) -> ModpDomain:
    domain = standardized(number)
    assert isinstance(domain, ModpDomain)
    return domain


def curve_domain(number: int) -> EllipticDomain:
    domain = standardized(number)
    assert isinstance(domain, EllipticDomain)
    return domain


# --- the table ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", STANDARD_GROUPS, ids=lambda group: group.name)
def test_every_row_of_the_table_is_a_group(group: ModpGroup) -> None:
    assert group.q is not None
    assert is_prime(group.p)
    assert is_prime(group.q)
    assert (group.p - 1) % group.q == 0
    assert pow(group.g, group.q, group.p) == 1
    assert f"MODP-{group.p.bit_length()}-{group.q.bit_length()}" == group.name


def test_the_numbers_are_those_of_the_standard() -> None:
    for number in range(-1, 40):
        if number in NUMBERS:
            assert standardized(number).number == number
        else:
            with refused(GroupError, "domain_unknown"):
                standardized(number)


def test_strengths() -> None:
    strengths = [standardized(number).strength for number in NUMBERS]
    assert strengths == [80, 112, 112, 96, 96, 112, 112, 128, 128, 160, 192, 192, 256, 260]


# --- agreement ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS)
def test_both_sides_agree_before_and_after_mapping(number: int) -> None:
    domain = standardized(number)
    one, other = domain.draw(secrets.token_bytes), domain.draw(secrets.token_bytes)
    secret = domain.agree(one.private, other.public)
    assert secret == domain.agree(other.private, one.public)
    assert len(secret) == (domain.prime.bit_length() + 7) // 8
    mine = domain.map_generically(12345, one.private, other.public)
    theirs = domain.map_generically(12345, other.private, one.public)
    third, fourth = mine.draw(secrets.token_bytes), theirs.draw(secrets.token_bytes)
    assert mine.agree(third.private, fourth.public) == theirs.agree(fourth.private, third.public)
    assert mine.public_of(1) != domain.public_of(1)
    assert repr(mine).endswith(f"({domain.name})")


@pytest.mark.parametrize("number", NUMBERS)
def test_echoes_are_told(number: int) -> None:
    domain = standardized(number)
    own = domain.public_of(7)
    order = domain.curve.n if isinstance(domain, EllipticDomain) else domain.group.q or 0
    assert domain.alike(own, own)
    assert domain.alike(own, domain.public_of(order - 7))
    assert not domain.alike(own, domain.public_of(8))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_openssl_agrees_with_the_arithmetic_here(curve: Curve) -> None:
    for private in (1, 2, curve.n - 1, 0x1234567890ABCDEF):
        point = curve.multiply(private, curve.generator)
        assert curve.public(private) == point
        assert curve.agree(3, point) == curve.encode_x(curve.multiply(3, point))


def test_keys_are_compressed_as_terminal_authentication_names_them() -> None:
    point = standardized(13).public_of(5)
    assert standardized(13).compress(point) == point[1:33]
    residue = standardized(0).public_of(5)
    assert standardized(0).compress(residue) == hashlib.sha1(residue, usedforsecurity=False).digest()


# --- residues ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 2])
def test_residues_that_are_no_public_keys(number: int) -> None:
    domain = residue_domain(number)
    p, length = domain.group.p, domain.group.length
    small = next(value for value in itertools.count(2) if pow(value, domain.group.q or 0, p) != 1)
    for coded, code in (
        (b"", "key_coding"),
        (bytes(length + 1), "key_coding"),
        (b"\0", "key_out_of_range"),
        (b"\1", "key_out_of_range"),
        ((p - 1).to_bytes(length, "big"), "key_out_of_range"),
        (p.to_bytes(length, "big"), "key_out_of_range"),
        ((p + 1).to_bytes(length, "big"), "key_out_of_range"),
        (small.to_bytes(1, "big"), "key_outside_subgroup"),
    ):
        with refused(GroupError, code):
            domain.agree(5, coded)
        with refused(GroupError, code):
            domain.map_generically(5, 5, coded)


def test_unsigned_integers_have_no_leading_zeros_and_secrets_have() -> None:
    """Doc 9303-11 section 9.4.1 for keys; RFC 2631 section 2.1.2 for secrets."""
    group = STANDARD_GROUPS[0]
    assert group.encode(255) == b"\xff"
    assert group.secret(255) == bytes(127) + b"\xff"
    short = next(
        value
        for private in itertools.count(2)
        if (value := pow(group.g, private, group.p)).bit_length() <= 1016
    )
    assert group.decode(group.encode(short)) == group.decode(b"\0" + group.encode(short)) == short


def test_an_own_key_fills_the_length_of_the_prime() -> None:
    domain = residue_domain(0)
    short = next(
        private
        for private in itertools.count(2)
        if pow(domain.group.g, private, domain.group.p).bit_length() <= 1016
    )
    waiting = iter([short.to_bytes(20, "big"), (5).to_bytes(20, "big")])
    assert domain.draw(lambda _: next(waiting)).private == 5
    with refused(GroupError, "no_randomness"):
        domain.draw(lambda _: short.to_bytes(20, "big"))
    with refused(GroupError, "no_randomness"):
        domain.draw(bytes)


def test_a_secret_that_gives_itself_away() -> None:
    """Without the order, a key of order 2 q passes; the secret is then looked at."""
    domain = ModpDomain(ModpGroup(MERSENNE, 3))
    third = pow(5, (MERSENNE - 1) // 3, MERSENNE)
    assert third != 1
    with refused(GroupError, "secret_degenerate"):
        domain.agree(3, domain.group.encode(third))


@pytest.mark.parametrize(
    ("p", "g", "q", "code"),
    [
        (MERSENNE + 1, 3, None, "group_size"),
        ((1 << 521) - 1, 3, None, "group_size"),
        ((1 << 4423) - 1, 3, None, "group_size"),
        (MERSENNE, 1, None, "group_generator"),
        (MERSENNE, MERSENNE - 1, None, "group_generator"),
        (MERSENNE, 0, None, "group_generator"),
        (STANDARD_GROUPS[0].p, STANDARD_GROUPS[0].g, (1 << 159) + 1, "group_order"),
        (STANDARD_GROUPS[0].p, 2, STANDARD_GROUPS[0].q, "group_order"),
        (MERSENNE, 3, 2, "group_order"),
        (MERSENNE, 3, (MERSENNE - 1) // 6, "group_order"),  # too long an order: too long to check with
    ],
)
def test_groups_that_are_not_taken(p: int, g: int, q: int | None, code: str) -> None:
    with refused(GroupError, code):
        residues(p, g, q)


def test_a_standard_group_is_itself_however_it_is_written() -> None:
    group = STANDARD_GROUPS[1]
    assert residues(group.p, group.g, group.q).number == 1
    assert residues(group.p, group.g).group.q == group.q
    other = residues(group.p, pow(group.g, 2, group.p), group.q)
    assert (other.number, other.strength, other.name) == (None, 112, "MODP-2048")


def test_a_safe_prime_needs_no_check_of_the_order_and_no_long_exponents() -> None:
    p = SAFE_PRIME
    assert is_prime(p)
    assert is_prime((p - 1) // 2)
    domain = residues(p, 2, (p - 1) // 2)
    sizes: list[int] = []

    def random(size: int) -> bytes:
        sizes.append(size)
        return secrets.token_bytes(size)

    one, other = domain.draw(random), domain.draw(random)
    assert domain.agree(one.private, other.public) == domain.agree(other.private, one.public)
    assert set(sizes) == {28}  # twice 112 bits
    assert residues(p, 2, exponent_bits=4096).draw(random).private < 1 << 512


def test_without_an_order_there_is_no_integrated_mapping() -> None:
    with refused(GroupError, "mapping_unsupported"):
        residues(MERSENNE, 3).map_integrally(5)


@pytest.mark.parametrize("value", [0, 1, STANDARD_GROUPS[0].p - 1])
def test_degenerate_generators_are_refused(value: int) -> None:
    """Doc 9303-11 section 4.4.3.3.2: implementations must check that the new generator is not 1."""
    with refused(GroupError, "mapping_degenerate"):
        standardized(0).map_integrally(value)


def test_a_generic_mapping_that_ends_at_one_is_refused() -> None:
    group = STANDARD_GROUPS[0]
    order = group.q or 0
    public = group.encode(group.power(group.g, order - 6))
    with refused(GroupError, "mapping_degenerate"):
        standardized(0).map_generically(6, 1, public)  # g^6 * g^-6


# --- points for residues -----------------------------------------------------------------------------


@FUZZ
@given(st.sampled_from([curve for curve in CURVES if can_encode(curve)]), st.integers(2, 2**600))
def test_every_residue_is_a_point(curve: Curve, value: int) -> None:
    value = value % (curve.p - 3) + 2
    point = encoded_point(curve, value)
    assert curve.point(point.x, point.y) == point
    assert encoded_point(curve, curve.p - value).x == point.x


def test_residues_that_are_no_points() -> None:
    curve = by_number(13)
    for value in (0, 1, curve.p - 1):
        with refused(CurveError, "mapping_degenerate"):
            encoded_point(curve, value)
    with refused(CurveError, "mapping_unsupported"):
        encoded_point(by_number(10), 5)
    assert [curve.name for curve in CURVES if not can_encode(curve)] == ["P-224"]


# --- how chips write them ----------------------------------------------------------------------------


def sequence(*fields: str | bytes) -> bytes:
    return tlv.encode(0x30, b"".join(HEX(it) if isinstance(it, str) else it for it in fields))


def integer(value: int) -> bytes:
    return tlv.encode(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


STANDARDIZED, EC, X942, PKCS3 = (
    "060704007F00070102",
    "06072A8648CE3D0201",
    "06072A8648CE3E0201",
    "06092A864886F70D010301",
)
P256 = by_number(12)
TWICE = P256.encode(P256.multiply(2, P256.generator))
GROUP = STANDARD_GROUPS[2]


def written_curve(**changes: bytes) -> bytes:
    parts = {
        "version": integer(1),
        "field": sequence("06072A8648CE3D0101", integer(P256.p)),
        "equation": sequence(
            tlv.encode(0x04, P256.a.to_bytes(32, "big")), tlv.encode(0x04, P256.b.to_bytes(32, "big"))
        ),
        "base": tlv.encode(0x04, P256.encode(P256.generator)),
        "order": integer(P256.n),
        "cofactor": integer(1),
    } | changes
    return sequence(EC, sequence(*parts.values()))


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (sequence(STANDARDIZED, "02010D"), 13),
        (sequence(STANDARDIZED, "020100"), 0),
        (sequence(EC, "06082A8648CE3D030107"), 12),
        (written_curve(), 12),
        (written_curve(cofactor=b""), 12),
        (sequence(X942, sequence(integer(GROUP.p), integer(GROUP.g), integer(GROUP.q or 0))), 2),
        (sequence(X942, sequence(integer(GROUP.p), integer(GROUP.g), integer(GROUP.q or 0), integer(2))), 2),
        (sequence(PKCS3, sequence(integer(GROUP.p), integer(GROUP.g))), 2),
        (sequence(PKCS3, sequence(integer(GROUP.p), integer(GROUP.g), integer(256))), 2),
    ],
)
def test_domains_are_read(written: bytes, number: int) -> None:
    assert parse_domain(written).number == number


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (b"", "domain_malformed"),
        (sequence(), "domain_malformed"),
        (sequence(STANDARDIZED), "domain_malformed"),
        (sequence(STANDARDIZED, "0500"), "domain_malformed"),
        (sequence(STANDARDIZED, "0201FF"), "domain_malformed"),
        (sequence(STANDARDIZED, "020105"), "domain_unknown"),
        (sequence("06092A864886F70D010101", "0500"), "domain_unsupported"),  # RSA
        (sequence("0680", "0500"), "domain_malformed"),
        (sequence("060180", "0500"), "oid_malformed"),
        (sequence(EC, "06052B8104000A"), "curve_unknown"),
        (sequence(EC, sequence("0500")), "domain_malformed"),
        (sequence(EC, "0500"), "domain_malformed"),
        (written_curve(field=sequence("06072A8648CE3D0102", "020101")), "domain_unsupported"),
        (written_curve(base=tlv.encode(0x04, TWICE)), "curve_parameters_unknown"),
        (written_curve(cofactor=integer(4)), "curve_parameters_unknown"),
        (written_curve(cofactor=integer(1) + integer(1)), "domain_malformed"),
        (written_curve(version=b""), "domain_malformed"),
        (sequence(X942, sequence(integer(GROUP.p), integer(GROUP.g))), "domain_malformed"),
        (sequence(PKCS3, sequence(integer(GROUP.p))), "domain_malformed"),
        (sequence(PKCS3, sequence(integer((1 << 521) - 1), integer(3))), "group_size"),
        (sequence(PKCS3, sequence(integer(1 << 5000), integer(3))), "domain_malformed"),
    ],
)  # fmt: skip
def test_domains_that_are_not_taken(written: bytes, code: str) -> None:
    with pytest.raises(GroupError) as refusal:
        parse_domain(written)
    assert refusal.value.code == code


def key(domain: bytes, bits: bytes) -> bytes:
    return sequence(domain, tlv.encode(0x03, bits))


def test_public_keys_are_read() -> None:
    read = parse_public_key(key(sequence(EC, "06082A8648CE3D030107"), b"\0" + P256.encode(P256.generator)))
    assert (read.domain.number, read.value) == (12, P256.encode(P256.generator))
    number = GROUP.power(GROUP.g, 5)
    read = parse_public_key(key(sequence(STANDARDIZED, "020102"), b"\0" + integer(number)))
    assert (read.domain.number, read.value) == (2, GROUP.encode(number))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (b"", "key_malformed"),
        (sequence(sequence(STANDARDIZED, "02010D")), "key_malformed"),
        (key(sequence(STANDARDIZED, "02010C"), b""), "key_malformed"),
        (key(sequence(STANDARDIZED, "02010C"), b"\1" + P256.encode(P256.generator)), "key_malformed"),
        (key(sequence(STANDARDIZED, "02010C"), b"\0\0"), "point_coding"),
        (key(sequence(STANDARDIZED, "02010C"), b"\0\4" + bytes(64)), "point_off_curve"),
        (key(sequence(STANDARDIZED, "020100"), b"\0" + integer(1)), "key_out_of_range"),
        (key(sequence(STANDARDIZED, "020100"), b"\0" + integer(0)), "key_coding"),
        (key(sequence(STANDARDIZED, "020100"), b"\0" + integer(2)), "key_outside_subgroup"),
        (key(sequence(STANDARDIZED, "020100"), b"\0\5\0"), "key_malformed"),
        (key(sequence(STANDARDIZED, "020105"), b"\0\5\0"), "domain_unknown"),
    ],
)
def test_public_keys_that_are_not_taken(written: bytes, code: str) -> None:
    with pytest.raises(GroupError) as refusal:
        parse_public_key(written)
    assert refusal.value.code == code


def test_identifiers_in_dots() -> None:
    assert dotted(HEX("04007F00070202040202")) == "0.4.0.127.0.7.2.2.4.2.2"
    assert dotted(HEX("2A8648CE3D0201")) == "1.2.840.10045.2.1"
    assert dotted(HEX("6781080101")) == "2.23.136.1.1"
    assert dotted(HEX("883703")) == "2.999.3"
    for content in (b"", b"\x80", b"\xff" * 12 + b"\x01"):
        with refused(GroupError, "oid_malformed"):
            dotted(content)


PUBLIC_KEY = I1_STATIC_KEY[13:-3]


@FUZZ
@given(damaged(PUBLIC_KEY) | damaged(key(written_curve(), b"\0" + P256.encode(P256.generator))))
def test_public_keys_accept_or_raise_group_errors(raw: bytes) -> None:
    with suppress(GroupError):  # anything else fails the test
        parse_public_key(raw)


def test_a_domain_is_an_interface() -> None:
    with pytest.raises(TypeError):
        Domain()  # type: ignore[abstract]  # wrong on purpose
