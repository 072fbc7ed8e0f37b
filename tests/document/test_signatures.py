"""Every scheme against OpenSSL's signatures, and keys and algorithms that are refused."""

import hashlib
from functools import cache

import pytest
from asn1crypto import algos, keys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from gated.document.errors import TrustError
from gated.document.groups.curves import by_number
from gated.document.trust import signatures
from gated.document.trust.signatures import EllipticKey, RsaKey, Scheme
from tests.document.material import refused

MESSAGE = b"what the issuing state wrote"


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def info_of(
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey,
) -> keys.PublicKeyInfo:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return keys.PublicKeyInfo.load(public.public_bytes(serialization.Encoding.DER, spki))


def scheme_of(name: str, digest: str | None = None) -> Scheme:
    return signatures.parse_scheme(algos.SignedDigestAlgorithm({"algorithm": name}), digest)


@pytest.mark.parametrize("name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_rsa_with_every_hash(name: str) -> None:
    chosen = {"sha1": hashes.SHA1(), "sha224": hashes.SHA224(), "sha256": hashes.SHA256(),  # noqa: S303
              "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[name]  # fmt: skip
    key = signatures.parse_key(info_of(rsa_key().public_key()))
    signature = rsa_key().sign(MESSAGE, padding.PKCS1v15(), chosen)
    for scheme in (scheme_of(f"{name}_rsa"), scheme_of("rsassa_pkcs1v15", name)):
        assert signatures.verifies(key, scheme, signature, MESSAGE)
        assert not signatures.verifies(key, scheme, signature, MESSAGE + b".")
        assert not signatures.verifies(key, scheme, signature[:-1], MESSAGE)


def test_rsa_without_the_parameters_of_the_hash() -> None:
    """RFC 8017 section 8.2.2: DigestInfo with NULL or without; any other filling is none."""
    private = rsa_key().private_numbers()
    key = signatures.parse_key(info_of(rsa_key().public_key()))
    digest = hashlib.sha256(MESSAGE).digest()

    def signed(info: str, filling: bytes = b"") -> bytes:
        coded = bytes.fromhex(info) + digest
        padded = b"\0\1" + (filling or b"\xff" * (253 - len(coded))) + b"\0" + coded
        value = pow(int.from_bytes(padded, "big"), private.d, private.public_numbers.n)
        return value.to_bytes(256, "big")

    scheme = scheme_of("sha256_rsa")
    with_null, without = "3031300D060960864801650304020105000420", "302F300B0609608648016503040201" + "0420"
    assert signatures.verifies(key, scheme, signed(with_null), MESSAGE)
    assert signatures.verifies(key, scheme, signed(without), MESSAGE)
    assert not signatures.verifies(key, scheme, signed(without), MESSAGE + b".")
    short = b"\xff" * (253 - 49 - 32 - 1) + b"\0"
    for wrong in (signed("302F300B0609608648016503040202" + "0420"), signed(""), signed(without, short)):
        assert not signatures.verifies(key, scheme, wrong, MESSAGE)


def test_rsa_signatures_written_as_numbers() -> None:
    key = signatures.parse_key(info_of(rsa_key().public_key()))
    messages = (bytes([first, second]) for first in range(256) for second in range(20))
    made = ((rsa_key().sign(it, padding.PKCS1v15(), hashes.SHA256()), it) for it in messages)
    signature, message = next((made, it) for made, it in made if made[0] == 0)
    for written in (signature, signature[1:], b"\0" + signature):
        assert signatures.verifies(key, scheme_of("sha256_rsa"), written, message)


def test_readings_are_few_and_begin_with_what_is_named() -> None:
    key = signatures.parse_key(info_of(rsa_key().public_key()))
    elliptic = EllipticKey(by_number(12), by_number(12).generator)
    for some, named in ((key, scheme_of("sha256_rsa")), (elliptic, scheme_of("sha256_ecdsa"))):
        read = list(signatures.readings(some, named, "sha256"))
        assert read[0] == named
        assert len(read) == len(set(read)) <= 16


def pss(**changes: object) -> algos.SignedDigestAlgorithm:
    parameters: dict[str, object] = {
        "hash_algorithm": {"algorithm": "sha256"},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha512"}},
        "salt_length": 20,
    }
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters | changes})


def test_pss_takes_its_parameters_from_the_identifier() -> None:
    key = signatures.parse_key(info_of(rsa_key().public_key()))
    signature = rsa_key().sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA512()), 20), hashes.SHA256())
    scheme = signatures.parse_scheme(pss())
    assert scheme == Scheme("pss", "sha256", "sha512", 20)
    assert signatures.verifies(key, scheme, signature, MESSAGE)
    assert not signatures.verifies(key, signatures.parse_scheme(pss(salt_length=21)), signature, MESSAGE)
    other = {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}}
    assert not signatures.verifies(
        key, signatures.parse_scheme(pss(mask_gen_algorithm=other)), signature, MESSAGE
    )


def test_pss_defaults_are_those_of_the_standard() -> None:
    coded = bytes.fromhex("300D06092A864886F70D01010A3000")
    bare = algos.SignedDigestAlgorithm.load(coded)
    assert signatures.parse_scheme(bare) == Scheme("pss", "sha1", "sha1", 20)


@pytest.mark.parametrize("change", [{"hash_algorithm": {"algorithm": "md5"}}, {"salt_length": 100_000}])
def test_pss_parameters_that_are_refused(change: dict[str, object]) -> None:
    with refused(TrustError, "signature_algorithm_unsupported"):
        signatures.parse_scheme(pss(**change))


@pytest.mark.parametrize("coded", ["300B06092A864886F70D01010A", "300D06092A864886F70D01010A0500"])
def test_pss_without_parameters_has_the_defaults(coded: str) -> None:
    bare = algos.SignedDigestAlgorithm.load(bytes.fromhex(coded))
    assert signatures.parse_scheme(bare) == Scheme("pss", "sha1", "sha1", 20)


@pytest.mark.parametrize(
    ("name", "digest"), [("md5_rsa", None), ("rsassa_pkcs1v15", None), ("rsassa_pkcs1v15", "md5")]
)
def test_schemes_that_are_refused(name: str, digest: str | None) -> None:
    with refused(TrustError, "signature_algorithm_unsupported"):
        scheme_of(name, digest)


@pytest.mark.parametrize("number", [11, 12, 14])
def test_ecdsa_by_openssl_and_without_it(number: int) -> None:
    """One key pair and signature, made by hand on any curve; both ways to verify see the same."""
    curve = by_number(number)
    private, nonce = 4242, 31337
    digest = hashlib.sha256(MESSAGE).digest()
    e = int.from_bytes(digest, "big") >> max(256 - curve.n.bit_length(), 0)
    r = curve.multiply(nonce, curve.generator).x % curve.n
    s = pow(nonce, -1, curve.n) * (e + r * private) % curve.n
    key = EllipticKey(curve, curve.multiply(private, curve.generator))
    scheme = scheme_of("sha256_ecdsa")
    signature = utils.encode_dss_signature(r, s)
    assert signatures.verifies(key, scheme, signature, MESSAGE)
    assert not signatures.verifies(key, scheme, signature, MESSAGE + b".")
    for broken in (b"", signature[:-1], signature + b"\0", utils.encode_dss_signature(0, 0)):
        assert not signatures.verifies(key, scheme, broken, MESSAGE)


def test_key_and_scheme_must_go_together() -> None:
    elliptic = EllipticKey(by_number(12), by_number(12).generator)
    plain = signatures.parse_key(info_of(rsa_key().public_key()))
    assert isinstance(plain, RsaKey)
    for key, scheme in ((elliptic, "sha256_rsa"), (plain, "sha256_ecdsa")):
        with refused(TrustError, "signature_algorithm_mismatch"):
            signatures.verifies(key, scheme_of(scheme), b"", MESSAGE)


def identifier(coded: str) -> algos.SignedDigestAlgorithm:
    return algos.SignedDigestAlgorithm.load(bytes.fromhex(coded))


def test_algorithm_identifiers_of_every_form() -> None:
    """ecdsa-with-SHA2 with the hash in its parameters, a hash alone, and what is no identifier."""
    specified = "3016 06072A8648CE3D0403 300B 0609608648016503040202"
    assert signatures.parse_scheme(identifier(specified)) == Scheme("ecdsa", "sha384")
    alone = "300B 0609608648016503040201"
    assert signatures.parse_scheme(identifier(alone)) == Scheme("by_key", "sha256")
    assert signatures.parse_digest(identifier("300B 06092A864886F70D01010B")) == "sha256"
    for coded, code in (
        ("300D 06092A864886F70D01010A 0400", "signature_algorithm_malformed"),
        ("3003 020100", "algorithm_malformed"),
        ("3000", "algorithm_malformed"),
    ):
        with refused(TrustError, code):
            signatures.parse_scheme(identifier(coded))
    with refused(TrustError, "digest_unsupported"):
        signatures.parse_digest(identifier("300A 06082A864886F70D0205"))


def test_unknown_hashes() -> None:
    with refused(TrustError, "digest_unsupported"):
        signatures.digest_of("md5", MESSAGE)


def test_rsa_keys_that_are_refused() -> None:
    for bits, e, code in (
        (1023, 65537, "rsa_key_length"), (9000, 3, "rsa_key_length"), (2048, 1, "key_malformed"),
                          (2048, 4, "key_malformed"), (2048, 2**65 + 1, "key_malformed")):  # fmt: skip
        key = keys.RSAPublicKey({"modulus": 2**bits - 1, "public_exponent": e})
        algorithm = {"algorithm": "rsa"}
        with refused(TrustError, code):
            signatures.parse_key(keys.PublicKeyInfo({"algorithm": algorithm, "public_key": key}))


def test_other_kinds_of_keys() -> None:
    with refused(TrustError, "key_unsupported"):
        signatures.parse_key(info_of(ed25519.Ed25519PrivateKey.generate().public_key()))
    unknown = info_of(ec.derive_private_key(5, ec.SECP256K1()).public_key())
    with refused(TrustError, "curve_unknown"):
        signatures.parse_key(unknown)
    implicit = info_of(ec.derive_private_key(5, ec.SECP256R1()).public_key())
    implicit["algorithm"]["parameters"] = keys.ECDomainParameters(name="implicit_ca", value=keys.Null())
    with refused(TrustError, "curve_parameters_unknown"):
        signatures.parse_key(implicit)
