"""Active authentication: messages built here by hand, with bare exponentiation, and forgeries of them."""

import hashlib
import itertools
from functools import cache

import pytest
from asn1crypto import keys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from hypothesis import given
from hypothesis import strategies as st

from gated.core.checks import Check, Result
from gated.document.apdu import Command, Response
from gated.document.errors import GenuineError
from gated.document.genuine import active_authentication as aa
from gated.document.genuine.active_authentication import ActiveEvidence, verify_active
from gated.document.genuine.iso9796 import recover
from gated.document.reading import drive
from gated.document.tlv import encode
from gated.document.trust.signatures import RsaKey
from tests.document.chips import Counted
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, specimen

# Doc 9303-11 appendix F.1; the standard gives no key, only the message representative.
CHALLENGE = bytes.fromhex("F173589974BF40C6")
PART = bytes.fromhex(
    "9D2784A67F8E7C659973EA1AEA25D95B6C8F91E5002F369F0FBDCE8A3CEC1991B543F1696546C5524CF23A5303CD6C98"
    "599F40B79F377B5F3A1406B3B4D8F96784D23AA88DB7E1032A405E69325FA91A6E86F5C71AEA978264C4A207446DAD4E"
    "7292E2DCDA3024B47DA8"
)
REPRESENTATIVE = b"\x6a" + PART + bytes.fromhex("C063AA1E6D22FBD976AB0FE73D94D2D9C6D88127BC")

GOOD = Check("active_authentication", Result.SUCCESSFUL)
TRAILERS = {  # ISO/IEC 10118-3 numbers of the hashes
    "BC": "sha1",
    "33CC": "sha1",
    "34CC": "sha256",
    "35CC": "sha512",
    "36CC": "sha384",
    "38CC": "sha224",
}


def pair(bits: int = 1024, e: int = 65537) -> tuple[RsaKey, int]:
    return _pair(bits, e)


@cache
def _pair(bits: int, e: int) -> tuple[RsaKey, int]:
    numbers = rsa.generate_private_key(e, bits).private_numbers()
    return RsaKey(numbers.public_numbers.n, e), numbers.d


def power(representative: bytes, bits: int = 1024, e: int = 65537) -> bytes:
    """The signature of a message representative."""
    key, d = pair(bits, e)
    return pow(int.from_bytes(representative, "big"), d, key.n).to_bytes(bits // 8, "big")


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()  # noqa: S324 - what the trailer BC means


def message(trailer: str, bits: int = 1024, *, head: str = "6A", part: bytes | None = None) -> bytes:
    """A message representative, put together from the standard's figure."""
    digest, end = TRAILERS[trailer], bytes.fromhex(trailer)
    start = bytes.fromhex(head)
    room = bits // 8 - len(start) - hashlib.new(digest).digest_size - len(end)
    part = bytes(itertools.islice(itertools.cycle(b"\x13\x57\x9b"), room)) if part is None else part
    return start + part + hashlib.new(digest, part + CHALLENGE).digest() + end


def dg15(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | RsaKey) -> bytes:
    if isinstance(key, RsaKey):
        coded = keys.RSAPublicKey({"modulus": key.n, "public_exponent": key.e})
        return encode(
            0x6F, keys.PublicKeyInfo({"algorithm": {"algorithm": "rsa"}, "public_key": coded}).dump()
        )
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return encode(0x6F, key.public_bytes(serialization.Encoding.DER, spki))


def dg14(algorithm: str) -> bytes:
    """ActiveAuthenticationInfo beside another protocol; `algorithm` is the identifier's content."""
    info = (
        encode(0x06, bytes.fromhex("678108010105")) + b"\x02\x01\x01" + encode(0x06, bytes.fromhex(algorithm))
    )
    other = encode(0x06, bytes.fromhex("04007F0007020202")) + b"\x02\x01\x01"
    return encode(0x6E, encode(0x31, encode(0x30, other) + encode(0x30, info)))


def judged(signature: bytes, bits: int = 1024, e: int = 65537) -> Check:
    return verify_active(dg15(pair(bits, e)[0]), None, ActiveEvidence(CHALLENGE, signature))


def failed(reason: str) -> Check:
    return Check("active_authentication", Result.FAILED, reason)


# --- RSA --------------------------------------------------------------------------------------------


def test_the_worked_example_of_the_standard() -> None:
    key, _ = pair()
    recovered = recover(key, power(REPRESENTATIVE), CHALLENGE)
    assert (recovered.part, recovered.digest, recovered.total) == (PART, "sha1", False)
    assert judged(power(REPRESENTATIVE)) == GOOD
    assert repr(recovered) == "Recovered(106 bytes, sha1, total=False)"


@pytest.mark.parametrize("trailer", TRAILERS)
@pytest.mark.parametrize("bits", [1024, 1280, 2048])
def test_every_trailer(trailer: str, bits: int) -> None:
    assert judged(power(message(trailer, bits), bits), bits) == GOOD


@pytest.mark.parametrize("trailer", TRAILERS)
def test_the_smaller_of_two_signatures_is_as_good_and_so_is_the_larger(trailer: str) -> None:
    n = pair()[0].n
    signature = int.from_bytes(power(message(trailer)), "big")
    for either in (signature, n - signature):
        assert judged(either.to_bytes(128, "big")) == GOOD


@pytest.mark.parametrize("head", ["6BBA", "6BBBBA", "6BBBBBBBBA"])
def test_padding_before_a_shorter_recovered_part(head: str) -> None:
    assert judged(power(message("34CC", head=head))) == GOOD


def in_total(part: bytes) -> bytes:
    """The signature of a message that is all inside."""
    end = hashlib.sha256(part).digest() + b"\x34\xcc"
    return power(b"\x4b" + b"\xbb" * (128 - len(part) - len(end) - 2) + b"\xba" + part + end)


def test_total_recovery_counts_only_with_the_challenge_inside() -> None:
    assert judged(in_total(PART[:80] + CHALLENGE)) == GOOD
    assert judged(in_total(PART[:88])) == failed("signature_rest")
    assert judged(in_total(CHALLENGE + PART[:80])) == failed("signature_rest")
    assert recover(pair()[0], in_total(PART[:80] + CHALLENGE), CHALLENGE).total


def test_another_challenge_is_not_signed() -> None:
    evidence = ActiveEvidence(CHALLENGE[::-1], power(REPRESENTATIVE))
    assert verify_active(dg15(pair()[0]), None, evidence) == failed("signature_hash")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"\x6a" + REPRESENTATIVE[1:-2] + b"\x00\xbc", "signature_hash"),
        (b"\x0a" + REPRESENTATIVE[1:], "signature_header"),  # neither partial nor total
        (b"\x2a" + REPRESENTATIVE[1:], "signature_header"),
        (b"\x6c" + REPRESENTATIVE[1:], "signature_header"),  # no border
        (b"\x60" + REPRESENTATIVE[1:], "signature_header"),
        (b"\x6b\xbb\xab" + REPRESENTATIVE[3:], "signature_header"),  # padding that is not all B, then A
        (b"\x6b" + b"\xbb" * 126 + b"\xbc", "signature_header"),  # nothing but padding
        (REPRESENTATIVE[:-1] + b"\xac", "signature_trailer"),
        (REPRESENTATIVE[:-2] + b"\x31\xcc", "signature_trailer"),  # RIPEMD-160
        (REPRESENTATIVE[:-1] + b"\xbe", "signature_form"),  # even: n less it is odd, and never ends in C
        (b"\x6a" + bytes(126) + b"\xbc", "signature_hash"),
    ],
)
def test_representatives_that_are_not_of_the_scheme(wrong: bytes, reason: str) -> None:
    assert judged(power(wrong)) == failed(reason)


def test_room_for_a_hash_but_not_behind_the_padding() -> None:
    wrong = b"\x6b" + b"\xbb" * 108 + b"\xba" + bytes(17) + b"\xbc"
    assert judged(power(wrong)) == failed("signature_header")


def test_bytes_between_hash_and_trailer_are_no_room_for_a_forger() -> None:
    digest = sha1(PART[:40] + CHALLENGE)
    for filling in (bytes(66), PART[:66], digest + PART[:46]):
        assert judged(power(b"\x6a" + PART[:40] + digest + filling + b"\xbc")) == failed("signature_hash")


def test_a_cube_root_is_no_signature() -> None:
    """With exponent 3 anyone finds a number whose cube begins right, or ends right; not both."""
    begin = b"\x6a" + PART[:16] + sha1(PART[:16] + CHALLENGE)
    room = 8 * (128 - len(begin))
    root = cube_root(int.from_bytes(begin, "big") << room | (1 << room) - 1)
    assert (root**3).to_bytes(128, "big").startswith(begin)  # header, part and its hash, then garbage
    for near in range(root - 512, root + 1):
        assert judged(near.to_bytes(128, "big"), 1024, 3).result is Result.FAILED
    n = pair(1024, 3)[0].n
    end = int.from_bytes(sha1(CHALLENGE) + b"\xbc", "big")
    root = 1
    for bit in range(1, 168):  # of n - end modulo a power of two, bit by bit: n - s**3 is taken too
        root |= (root**3 ^ (n - end)) & 1 << bit
    assert (n - root**3) % (1 << 168) == end
    assert judged(root.to_bytes(128, "big"), 1024, 3) == failed("signature_header")


def cube_root(number: int) -> int:
    """Rounded down."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle)
    return low


@pytest.mark.parametrize("signature", [b"", b"\x01", bytes(127), bytes(129), bytes(1025)])
def test_signatures_of_another_length(signature: bytes) -> None:
    assert judged(signature) == failed("signature_length")


def test_signatures_out_of_range() -> None:
    n = pair()[0].n
    for value in (0, n, n + int.from_bytes(power(REPRESENTATIVE), "big")):
        if value < 1 << 1024:
            assert judged(value.to_bytes(128, "big")) == failed("signature_range")


def test_trivial_signatures() -> None:
    n = pair()[0].n
    for value in (1, 2, n - 1):
        assert judged(value.to_bytes(128, "big")).result is Result.FAILED


def test_a_modulus_that_is_not_of_whole_bytes() -> None:
    with refused(GenuineError, "modulus_not_whole_bytes"):
        recover(RsaKey(2**1022 + 1, 3), bytes(128), CHALLENGE)


@FUZZ
@given(st.binary(min_size=128, max_size=128))
def test_no_chance_signature_is_good(signature: bytes) -> None:
    assert judged(signature).result is Result.FAILED


@FUZZ
@given(damaged(REPRESENTATIVE))
def test_no_damaged_representative_is_good(representative: bytes) -> None:
    sized = representative[:128].rjust(128, b"\x6a")
    if sized != REPRESENTATIVE and int.from_bytes(sized, "big") < pair()[0].n:
        assert judged(power(sized)).result is Result.FAILED


def test_the_minimum_is_told() -> None:
    evidence = ActiveEvidence(CHALLENGE, power(REPRESENTATIVE))
    assert verify_active(dg15(pair()[0]), None, evidence, min_rsa_bits=1280) == failed("aa_rsa_key_too_short")
    short = RsaKey(2**1023 - 1, 65537)
    assert verify_active(dg15(short), None, evidence) == failed("rsa_key_length")


# --- ECDSA ------------------------------------------------------------------------------------------

P256 = ec.derive_private_key(0x1234567, ec.SECP256R1())
BP512 = ec.derive_private_key(0x1234567, ec.BrainpoolP512R1())
HASHES = {"02": hashes.SHA224(), "03": hashes.SHA256(), "04": hashes.SHA384(), "05": hashes.SHA512()}
PLAIN = "04007F000701010401"  # ecdsa-plain-SHA..., TR-03111
X962 = {
    "02": "2A8648CE3D040301",
    "03": "2A8648CE3D040302",
    "04": "2A8648CE3D040303",
    "05": "2A8648CE3D040304",
}


def plain(key: ec.EllipticCurvePrivateKey, der: bytes) -> bytes:
    size = (key.key_size + 7) // 8
    return b"".join(part.to_bytes(size, "big") for part in utils.decode_dss_signature(der))


@pytest.mark.parametrize("arc", HASHES)
@pytest.mark.parametrize("key", [P256, BP512])
def test_ecdsa_plain_and_der_with_the_hash_of_dg14(key: ec.EllipticCurvePrivateKey, arc: str) -> None:
    """Also where the hash is longer than the curve's order."""
    public = dg15(key.public_key())
    der = key.sign(CHALLENGE, ec.ECDSA(HASHES[arc]))
    other = "03" if arc != "03" else "05"
    for signature in (der, plain(key, der)):
        evidence = ActiveEvidence(CHALLENGE, signature)
        assert verify_active(public, dg14(PLAIN + arc), evidence) == GOOD
        assert verify_active(public, dg14(X962[arc]), evidence) == GOOD
        assert verify_active(public, dg14(PLAIN + other), evidence).result is Result.FAILED


def test_without_a_named_hash_any_counts_that_fits_the_curve() -> None:
    public = dg15(P256.public_key())
    for arc, chosen in HASHES.items():
        evidence = ActiveEvidence(CHALLENGE, P256.sign(CHALLENGE, ec.ECDSA(chosen)))
        fits = chosen.digest_size <= 32
        for absent in (None, encode(0x6E, encode(0x31, b""))):
            assert verify_active(public, absent, evidence) == (GOOD if fits else failed("signature_wrong")), (
                arc
            )


def test_a_hash_that_dg14_does_not_name_is_told() -> None:
    evidence = ActiveEvidence(CHALLENGE, P256.sign(CHALLENGE, ec.ECDSA(hashes.SHA256())))
    found = verify_active(dg15(P256.public_key()), dg14(PLAIN + "02"), evidence)
    assert found == failed("aa_hash_not_as_announced")


def test_a_hash_that_is_not_known_leaves_it_undetermined() -> None:
    evidence = ActiveEvidence(CHALLENGE, P256.sign(CHALLENGE, ec.ECDSA(hashes.SHA256())))
    found = verify_active(dg15(P256.public_key()), dg14(PLAIN + "06"), evidence)  # RIPEMD-160
    assert found.result is Result.UNDETERMINED
    assert found.reason == "signature_algorithm_unsupported"


def test_ecdsa_over_something_else() -> None:
    public = dg15(P256.public_key())
    for signature in (
        P256.sign(CHALLENGE[::-1], ec.ECDSA(hashes.SHA256())),
        BP512.sign(CHALLENGE, ec.ECDSA(hashes.SHA256())),
        bytes(64),
        P256.sign(CHALLENGE, ec.ECDSA(hashes.SHA256())) + b"\0",
    ):
        assert verify_active(public, None, ActiveEvidence(CHALLENGE, signature)) == failed("signature_wrong")


def test_curves_that_are_not_known() -> None:
    other = ec.derive_private_key(5, ec.SECP256K1())
    evidence = ActiveEvidence(CHALLENGE, other.sign(CHALLENGE, ec.ECDSA(hashes.SHA256())))
    found = verify_active(dg15(other.public_key()), None, evidence)
    assert found == Check("active_authentication", Result.UNDETERMINED, "curve_unknown")


# --- what the chip and its files say ----------------------------------------------------------------


def test_the_command_asks_for_a_whole_signature() -> None:
    sent: list[Command] = []

    def chip(command: Command) -> Response:
        sent.append(command)
        return Response(b"\xaa" * 4, 0x9000)

    for key in (pair()[0], pair(2048)[0], RsaKey(2**4095 + 1, 3), P256.public_key()):
        evidence = drive(aa.active_authentication(dg15(key), Counted()), chip)
        assert (sent[-1].header, sent[-1].le) == (bytes.fromhex("00880000"), 256)
        assert (sent[-1].body, evidence.challenge, len(evidence.challenge)) == (
            evidence.challenge,
            sent[-1].body,
            8,
        )
        assert evidence.signature == b"\xaa" * 4
    drive(aa.active_authentication(b"not a file", Counted()), chip)
    assert sent[-1].le == 256


@pytest.mark.parametrize(
    ("bits", "whole_in_short", "whole_in_long", "asked"),
    [
        (1024, True, False, [256]),
        (2048, False, True, [65_536]),
        (2048, True, False, [65_536, 256]),  # nothing in the long form: the short one is tried
        (1024, False, True, [256, 65_536]),
        (1024, False, False, [256, 65_536]),
    ],
)
def test_the_form_follows_from_the_key_and_the_other_is_tried_once(
    bits: int, *, whole_in_short: bool, whole_in_long: bool, asked: list[int]
) -> None:
    sent: list[Command] = []

    def chip(command: Command) -> Response:
        sent.append(command)
        whole = whole_in_long if command.extended else whole_in_short
        return Response(bytes(bits // 8 if whole else 40), 0x9000)

    key = dg15(pair(bits)[0])
    evidence = drive(aa.active_authentication(key, Counted(), lambda length: length > 223), chip)
    assert [command.le for command in sent] == asked
    assert len({command.body for command in sent}) == len(asked)  # another challenge
    assert evidence.challenge == sent[-1].body
    assert (len(evidence.signature) == bits // 8) == (whole_in_short or whole_in_long)


def test_a_refusal_is_evidence() -> None:
    evidence = drive(
        aa.active_authentication(dg15(P256.public_key()), Counted()), lambda _: Response(b"", 0x6982)
    )
    assert repr(evidence) == "ActiveEvidence(0 bytes, 6982)"
    assert verify_active(dg15(P256.public_key()), None, evidence) == failed("aa_security_status")


def test_files_that_cannot_be_read() -> None:
    evidence = ActiveEvidence(CHALLENGE, P256.sign(CHALLENGE, ec.ECDSA(hashes.SHA256())))
    public = dg15(P256.public_key())
    assert verify_active(public[:-1], None, evidence) == failed("dg15_malformed")
    assert verify_active(encode(0x6F, b"\x30\x00"), None, evidence) == failed("key_malformed")
    assert verify_active(public, b"\x6e\x00", evidence) == failed("dg14_malformed")
    assert verify_active(public, encode(0x6E, encode(0x31, b"\x30\x00")), evidence) == failed(
        "security_infos_malformed"
    )
    assert verify_active(public, dg14(PLAIN + "03")[:-2], evidence) == failed("dg14_malformed")
    assert verify_active(public, None, ActiveEvidence(b"", evidence.signature)) == failed(
        "aa_challenge_length"
    )


def test_the_key_of_the_specimen_passport_is_read() -> None:
    key = aa.parse_active_key(specimen("DG15"))
    assert isinstance(key, RsaKey)
    assert (key.n.bit_length(), key.e) == (1024, 65537)
    assert aa.announced_digests(specimen("DG14")) == ()


@FUZZ
@given(damaged(dg15(P256.public_key())))
def test_keys_are_accepted_or_refused(raw: bytes) -> None:
    accepts_or_raises(aa.parse_active_key, GenuineError, raw)


@FUZZ
@given(damaged(dg14(PLAIN + "03")))
def test_security_infos_are_accepted_or_refused(raw: bytes) -> None:
    accepts_or_raises(aa.announced_digests, GenuineError, raw)
    evidence = ActiveEvidence(CHALLENGE, bytes(64))
    assert verify_active(dg15(P256.public_key()), raw, evidence).result is not Result.SUCCESSFUL
