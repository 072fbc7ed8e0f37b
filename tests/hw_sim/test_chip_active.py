"""Active authentication of the simulated chip, checked with OpenSSL and bare exponentiation."""

import hashlib
import secrets

import pytest
from asn1crypto import keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gated.core.checks import Result
from gated.document import tlv
from gated.document.apdu import Command
from gated.document.genuine.active_authentication import ActiveEvidence, verify_active
from hw_sim.passport import lds
from hw_sim.passport.chip_active import ActiveKey, ActiveProfile, Digest
from hw_sim.passport.issuer import Passport, issue
from tests.holder import ANNA
from tests.hw_sim import terminal
from tests.hw_sim.terminal import UTOPIA, Terminal

CHALLENGE = bytes(range(8))
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
TRAILERS = {"sha1": "33CC", "sha224": "38CC", "sha256": "34CC", "sha384": "36CC", "sha512": "35CC"}
DIGESTS: tuple[Digest, ...] = ("sha1", "sha224", "sha256", "sha384", "sha512")


def passport(profile: ActiveProfile) -> Passport:
    return issue(UTOPIA, ANNA, b"\xff\xd8", active_authentication=profile)


def in_session(profile: ActiveProfile) -> Terminal:
    of = terminal.at(passport(profile))
    of.enter_pace()
    of.select_application()
    return of


def ask(challenge: bytes = CHALLENGE, le: int | None = 256) -> Command:
    return Command(0x00, 0x88, 0x00, 0x00, challenge, le)


def signature(profile: ActiveProfile) -> tuple[bytes, Passport]:
    document = passport(profile)
    assert document.active is not None
    return document.active.answer(ask(), secrets.token_bytes), document


def opened(profile: ActiveProfile) -> bytes:
    """The message representative of a signature."""
    signed, document = signature(profile)
    info = keys.PublicKeyInfo.load(tlv.parse_one(document.files[lds.DG15], 0x6F).value)
    numbers = info["public_key"].parsed
    public = rsa.RSAPublicNumbers(numbers["public_exponent"].native, numbers["modulus"].native)
    power = pow(int.from_bytes(signed, "big"), public.e, public.n)
    if power % 16 != 12:
        power = public.n - power
    return power.to_bytes(profile.rsa_bits // 8, "big")


@pytest.mark.parametrize("digest", DIGESTS)
def test_rsa_is_what_iso_9796_2_calls_for(digest: Digest) -> None:
    representative = opened(ActiveProfile(rsa_bits=1024, digest=digest))
    size = hashlib.new(digest).digest_size
    assert representative[0] == 0x6A
    assert representative[-2:].hex().upper() == TRAILERS[digest]
    part, hashed = representative[1 : -2 - size], representative[-2 - size : -2]
    assert hashed == hashlib.new(digest, part + CHALLENGE).digest()


def test_rsa_with_the_implicit_trailer_and_exponent_three() -> None:
    representative = opened(ActiveProfile(rsa_bits=1024, implicit=True, exponent=3))
    part, hashed = representative[1:-21], representative[-21:-1]
    assert (representative[0], representative[-1]) == (0x6A, 0xBC)
    assert hashed == hashlib.sha1(part + CHALLENGE).digest()  # noqa: S324 - what the trailer means


def test_rsa_with_padding_and_total_recovery() -> None:
    representative = opened(ActiveProfile(rsa_bits=1024, total=True, filled=3))
    assert representative.startswith(bytes.fromhex("4BBBBBBA"))
    part, hashed = representative[4:-34], representative[-34:-2]
    assert part.endswith(CHALLENGE)
    assert hashed == hashlib.sha256(part).digest()


def test_the_smaller_of_the_two_signatures() -> None:
    profile = ActiveProfile(rsa_bits=1024, smaller=True)
    for _ in range(8):
        signed, document = signature(profile)
        assert document.active is not None
        assert int.from_bytes(signed, "big") <= document.active.n // 2


@pytest.mark.parametrize("digest", DIGESTS[1:])
@pytest.mark.parametrize("domain", [12, 13, 15, 16, 17, 18])
@pytest.mark.parametrize("der", [False, True])
def test_ecdsa_verifies_with_openssl(digest: Digest, domain: int, *, der: bool) -> None:
    signed, document = signature(ActiveProfile(domain=domain, digest=digest, der=der))
    key = load_der_public_key(tlv.parse_one(document.files[lds.DG15], 0x6F).value)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    if not der:
        half = len(signed) // 2
        assert half == (key.key_size + 7) // 8
        signed = utils.encode_dss_signature(
            *(int.from_bytes(it, "big") for it in (signed[:half], signed[half:]))
        )
    key.verify(signed, CHALLENGE, ec.ECDSA(HASHES[digest]))


@pytest.mark.parametrize(
    "profile",
    [
        *(ActiveProfile(rsa_bits=bits, digest=digest) for bits in (1024, 2048) for digest in DIGESTS),
        ActiveProfile(rsa_bits=1280, implicit=True),
        ActiveProfile(rsa_bits=3072, smaller=True),
        ActiveProfile(rsa_bits=1024, exponent=3, total=True, filled=2),
        *(ActiveProfile(domain=domain, digest="sha224") for domain in range(10, 19)),
        *(ActiveProfile(domain=domain, digest="sha512", explicit=True) for domain in (8, 9, 11, 16)),
        ActiveProfile(announced=False),
        ActiveProfile(domain=11, digest="sha224", announced=False, der=True),
    ],
    ids=str,
)
def test_the_terminal_finds_each_variant_good_and_no_other_challenge(profile: ActiveProfile) -> None:
    signed, document = signature(profile)
    files = document.files[lds.DG15], document.files.get(lds.DG14)
    assert verify_active(*files, ActiveEvidence(CHALLENGE, signed)).result is Result.SUCCESSFUL
    assert verify_active(*files, ActiveEvidence(CHALLENGE[::-1], signed)).result is Result.FAILED


@pytest.mark.parametrize("profile", [ActiveProfile(rsa_bits=1024), ActiveProfile()], ids=str)
def test_another_chips_key_is_found_out(profile: ActiveProfile) -> None:
    _, document = signature(profile)
    signed = ActiveKey.make(profile, "copy").sign(CHALLENGE, secrets.token_bytes)
    files = document.files[lds.DG15], document.files.get(lds.DG14)
    assert verify_active(*files, ActiveEvidence(CHALLENGE, signed)).result is Result.FAILED


def test_what_dg14_announces() -> None:
    told = passport(ActiveProfile(announced_as="sha512")).files[lds.DG14]
    assert bytes.fromhex("30170606678108010105020101060A04007F00070101040105") in told
    untold = passport(ActiveProfile(announced=False)).files[lds.DG14]
    assert bytes.fromhex("678108010105") not in untold
    assert bytes.fromhex("678108010105") not in passport(ActiveProfile(rsa_bits=1024)).files[lds.DG14]


def test_it_runs_in_a_session_and_only_there() -> None:
    of = in_session(ActiveProfile())
    answer = of.send(ask())
    assert (answer.status, len(answer.body)) == (0x9000, 64)
    outside = terminal.at(passport(ActiveProfile()))
    assert outside.status(ask().encode()) == 0x6982


def test_a_chip_without_it_knows_no_such_instruction() -> None:
    assert terminal.in_pace_session().send(ask()).status == 0x6D00


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (ask(bytes(7)), 0x6700),
        (ask(bytes(9)), 0x6700),
        (ask(le=None), 0x6700),
        (Command(0x00, 0x88, 0x01, 0x00, CHALLENGE, 256), 0x6A86),
    ],
)
def test_malformed_commands(command: Command, status: int) -> None:
    assert in_session(ActiveProfile()).send(command).status == status


def test_a_signature_longer_than_a_short_response_comes_whole_in_a_long_one() -> None:
    of = in_session(ActiveProfile(rsa_bits=3072))
    answer = of.send(ask(le=384))
    assert (answer.status, len(answer.body)) == (0x9000, 384)


def test_no_private_key_shows() -> None:
    document = passport(ActiveProfile())
    assert document.active is not None
    assert str(document.active.d) not in repr(document.active) + repr(document)
