"""Signatures of certificates and security objects: RSA (PKCS #1 v1.5, PSS) and ECDSA.

Keys come as SubjectPublicKeyInfo. Elliptic curves may be named or written out; written-out parameters
count only if every one of them equals a known curve, and are then that curve. OpenSSL computes wherever
it knows the curve, `gated.document.groups.curves` elsewhere.

SHA-1 is still taken: passports of ten years' validity were signed with it, and a forger would need a
second preimage, not a collision. MD5 and RSA keys below 2048 bits are not.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from gated.document.errors import CurveError, TrustError
from gated.document.groups.curves import Curve, Point, by_oid, by_parameters

# What asn1crypto, which parses as fields are looked at, may raise over malformed input.
ASN1_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_RSA_EXPONENT_BITS = 64

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - see above
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}

_FIXED = {  # algorithm identifiers that name scheme and hash
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.1": ("ecdsa", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
}
_BARE = {"1.2.840.113549.1.1.1": "rsa", "1.2.840.10045.2.1": "ecdsa"}  # the hash is named elsewhere
_PSS = "1.2.840.113549.1.1.10"

_OPENSSL_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}


@dataclass(frozen=True, slots=True)
class RsaKey:
    """Modulus and exponent."""

    n: int
    e: int


@dataclass(frozen=True, slots=True)
class EllipticKey:
    """A point on a known curve."""

    curve: Curve
    point: Point


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a signature is made; `mgf_digest` and `salt` for PSS only."""

    name: str
    digest: str
    mgf_digest: str = ""
    salt: int = 0


PublicKey = RsaKey | EllipticKey


def digest_of(name: str, data: bytes) -> bytes:
    """Hash by name. Raises TrustError(`digest_unsupported`)."""
    if name not in _HASHES:
        raise TrustError("digest_unsupported")
    return hashlib.new(name, data, usedforsecurity=False).digest()


def parse_key(info: keys.PublicKeyInfo) -> PublicKey:
    """Read a SubjectPublicKeyInfo. Raises TrustError: `key_unsupported`, `key_malformed`, a curve's code."""
    try:
        kind = info["algorithm"]["algorithm"].dotted
        if kind in {"1.2.840.113549.1.1.1", _PSS}:
            parsed = keys.RSAPublicKey.load(bytes(info["public_key"]), strict=True)
            return _rsa_key(parsed["modulus"].native, parsed["public_exponent"].native)
        if kind == "1.2.840.10045.2.1":
            curve = _curve(info["algorithm"]["parameters"])
            return EllipticKey(curve, curve.decode(bytes(info["public_key"])))
    except CurveError as error:
        raise TrustError(error.code) from error
    except ASN1_ERRORS as error:
        raise TrustError("key_malformed") from error
    raise TrustError("key_unsupported")


def parse_scheme(algorithm: algos.SignedDigestAlgorithm, digest: str | None = None) -> Scheme:
    """Read a signature algorithm; `digest` is the hash named beside it, if any. Raises TrustError."""
    try:
        oid = algorithm["algorithm"].dotted
        if oid == _PSS:
            return _pss(algorithm["parameters"])
    except ASN1_ERRORS as error:
        raise TrustError("signature_algorithm_malformed") from error
    if oid in _FIXED:
        return Scheme(*_FIXED[oid])
    if oid in _BARE and digest in _HASHES:
        return Scheme(_BARE[oid], digest)
    raise TrustError("signature_algorithm_unsupported")


def verifies(key: PublicKey, scheme: Scheme, signature: bytes, message: bytes) -> bool:
    """Whether the signature is good. Raises TrustError where key and scheme do not go together."""
    digest = digest_of(scheme.digest, message)
    if isinstance(key, RsaKey) and scheme.name in {"rsa", "pss"}:
        return _verifies_rsa(key, scheme, signature, digest)
    if isinstance(key, EllipticKey) and scheme.name == "ecdsa":
        return _verifies_ecdsa(key, scheme, signature, digest)
    raise TrustError("signature_algorithm_mismatch")


def _rsa_key(n: int, e: int) -> RsaKey:
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise TrustError("rsa_key_length")
    if e < 3 or e % 2 == 0 or n % 2 == 0 or e.bit_length() > MAX_RSA_EXPONENT_BITS:
        raise TrustError("key_malformed")
    return RsaKey(n, e)


def _curve(parameters: keys.ECDomainParameters) -> Curve:
    """RFC 3279 EcpkParameters: named, or written out (SEC 1 appendix C.2)."""
    if parameters.name == "named":
        return by_oid(parameters.chosen.dotted)
    if parameters.name != "specified":
        raise TrustError("curve_parameters_unknown")
    written = parameters.chosen
    if written["field_id"]["field_type"].native != "prime_field":
        raise TrustError("curve_parameters_unknown")
    return by_parameters(
        written["field_id"]["parameters"].native,
        int.from_bytes(bytes(written["curve"]["a"]), "big"),
        int.from_bytes(bytes(written["curve"]["b"]), "big"),
        base=bytes(written["base"]),
        n=written["order"].native,
        cofactor=written["cofactor"].native,
    )


def _pss(parameters: Any) -> Scheme:
    """RSASSA-PSS-params with all their defaults (RFC 4055 section 3.1)."""
    parsed = algos.RSASSAPSSParams.load(parameters.dump(), strict=True)
    digest = parsed["hash_algorithm"]["algorithm"].native
    generator = parsed["mask_gen_algorithm"]
    mgf_digest = generator["parameters"]["algorithm"].native
    usable = digest in _HASHES and mgf_digest in _HASHES and generator["algorithm"].native == "mgf1"
    salt = parsed["salt_length"].native
    if not usable or parsed["trailer_field"].native != "trailer_field_bc" or not 0 <= salt <= 512:
        raise TrustError("signature_algorithm_unsupported")
    return Scheme("pss", digest, mgf_digest, salt)


def _verifies_rsa(key: RsaKey, scheme: Scheme, signature: bytes, digest: bytes) -> bool:
    public = rsa.RSAPublicNumbers(key.e, key.n).public_key()
    filling: padding.AsymmetricPadding = padding.PKCS1v15()
    if scheme.name == "pss":
        filling = padding.PSS(padding.MGF1(_HASHES[scheme.mgf_digest]), scheme.salt)
    try:
        public.verify(signature, digest, filling, utils.Prehashed(_HASHES[scheme.digest]))
    except (InvalidSignature, ValueError):
        return False
    return True


def _verifies_ecdsa(key: EllipticKey, scheme: Scheme, signature: bytes, digest: bytes) -> bool:
    curve = _OPENSSL_CURVES.get(key.curve.name)
    try:
        if curve is None:
            return key.curve.verifies(key.point, digest, *utils.decode_dss_signature(signature))
        public = ec.EllipticCurvePublicNumbers(key.point.x, key.point.y, curve).public_key()
        public.verify(signature, digest, ec.ECDSA(utils.Prehashed(_HASHES[scheme.digest])))
    except (InvalidSignature, ValueError):
        return False
    return True
