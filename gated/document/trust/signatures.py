"""Signatures of certificates and security objects: RSA (PKCS #1 v1.5, PSS) and ECDSA.

Keys come as SubjectPublicKeyInfo. Elliptic curves may be named or written out; written-out parameters
count only if every one of them equals a known curve, and are then that curve. OpenSSL computes wherever
it knows the curve, `gated.document.groups.curves` elsewhere.

Algorithm identifiers are read as states write them: hash named or not, parameters NULL, absent or full.
MD5 is never taken, nor RSA keys below 1024 bits; what lies between that and the present state of the art,
SHA-1 among it, is for `TrustPolicy` to say: passports of ten years' validity were signed with it, and a
forger would need a second preimage, not a collision.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from asn1crypto import algos, core, keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from gated.document import tlv
from gated.document.errors import CurveError, TlvError, TrustError
from gated.document.groups.curves import Curve, Point, by_oid, by_parameters
from gated.document.trust.asn1 import ASN1_ERRORS
from gated.document.trust.names import dotted

MIN_RSA_BITS = 1024
MAX_RSA_BITS = 8192
MAX_RSA_EXPONENT_BITS = 64
MAX_SALT = 512
ANY_SALT = -1  # whatever length the signature itself shows

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - see above
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_FIXED = {  # algorithm identifiers that name scheme and hash
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.3.14.3.2.29": ("rsa", "sha1"),  # OIW's name for it
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.1": ("ecdsa", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
    "0.4.0.127.0.7.1.1.4.1.1": ("ecdsa", "sha1"),  # TR-03111 section 5.2.1.1: r and s in plain form
    "0.4.0.127.0.7.1.1.4.1.2": ("ecdsa", "sha224"),
    "0.4.0.127.0.7.1.1.4.1.3": ("ecdsa", "sha256"),
    "0.4.0.127.0.7.1.1.4.1.4": ("ecdsa", "sha384"),
    "0.4.0.127.0.7.1.1.4.1.5": ("ecdsa", "sha512"),
}
_RSA_KEYS = {"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "2.5.8.1.1"}
_EC_KEY = "1.2.840.10045.2.1"
_BARE = {  # the hash is named elsewhere
    "1.2.840.113549.1.1.1": "rsa",
    "2.5.8.1.1": "rsa",
    _EC_KEY: "ecdsa",
    "1.2.840.10045.4.2": "ecdsa",  # ecdsa-with-Recommended
}
_ECDSA_SPECIFIED = "1.2.840.10045.4.3"  # ecdsa-with-SHA2, the hash in its parameters
_PSS = "1.2.840.113549.1.1.10"


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
    """How a signature is made; `mgf_digest` and `salt` for PSS only.

    The name `by_key` is that of an identifier that names a hash alone: the kind of key tells the rest.
    """

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


def digest_of_length(length: int) -> str | None:
    """The name of the hash whose values have this many bytes."""
    return next((name for name, kind in _HASHES.items() if kind.digest_size == length), None)


def parse_digest(algorithm: Any) -> str:
    """Read a digest algorithm; one that names a signature with its hash means the hash. Raises TrustError."""
    oid, _ = _identifier(bytes(algorithm.dump()))
    if oid in _DIGESTS:
        return _DIGESTS[oid]
    if oid in _FIXED:
        return _FIXED[oid][1]
    raise TrustError("digest_unsupported")


def parse_key(info: keys.PublicKeyInfo) -> PublicKey:
    """Read a SubjectPublicKeyInfo. Raises TrustError: `key_unsupported`, `key_malformed`, a curve's code."""
    try:
        algorithm, bits = tlv.parse(tlv.parse_one(bytes(info.dump()), 0x30).value)
        kind, parameters = _identifier(algorithm.encode())
        if bits.tag != 0x03 or bits.value[:1] != b"\0":
            raise TrustError("key_malformed")
        if kind in _RSA_KEYS:
            parsed = keys.RSAPublicKey.load(bits.value[1:], strict=True)
            # Read as unsigned: some states leave out the zero in front of a number whose first bit is set.
            n, e = (int.from_bytes(parsed[part].contents, "big") for part in ("modulus", "public_exponent"))
            return _rsa_key(n, e)
        if kind == _EC_KEY:
            curve = _curve(keys.ECDomainParameters.load(parameters, strict=True))
            return EllipticKey(curve, curve.decode(bits.value[1:]))
    except CurveError as error:
        raise TrustError(error.code) from error
    except (*ASN1_ERRORS, TlvError) as error:
        raise TrustError("key_malformed") from error
    raise TrustError("key_unsupported")


def parse_scheme(algorithm: algos.SignedDigestAlgorithm, digest: str | None = None) -> Scheme:
    """Read a signature algorithm; `digest` is the hash named beside it, if any. Raises TrustError."""
    oid, parameters = _identifier(bytes(algorithm.dump()))
    try:
        if oid == _PSS:
            return _pss(parameters)
        if oid == _ECDSA_SPECIFIED:
            return Scheme("ecdsa", parse_digest(algos.DigestAlgorithm.load(parameters, strict=True)))
    except ASN1_ERRORS as error:
        raise TrustError("signature_algorithm_malformed") from error
    if oid in _FIXED:
        return Scheme(*_FIXED[oid])
    if oid in _BARE and digest in _HASHES:
        return Scheme(_BARE[oid], digest)
    if oid in _DIGESTS:
        return Scheme("by_key", _DIGESTS[oid])
    raise TrustError("signature_algorithm_unsupported")


def readings(key: PublicKey, scheme: Scheme, digest: str) -> Iterator[Scheme]:
    """The scheme as named, then every other that states have used under a wrong name for this kind of key.

    `digest` is the hash named beside it. All of them are sound; which of them a signature was made by only
    its maker can choose.
    """
    if isinstance(key, EllipticKey):
        fits = scheme.name in {"ecdsa", "by_key"}
        named = replace(scheme, name="ecdsa", mgf_digest="", salt=0)
        others = [Scheme("ecdsa", name) for name in (digest, *_HASHES)]
    else:
        fits = scheme.name in {"rsa", "pss", "by_key"}
        named = replace(scheme, name="rsa") if scheme.name == "by_key" else scheme
        kinds = ("pss", "rsa") if scheme.name == "pss" else ("rsa", "pss")
        others = [
            other for kind in kinds for name in (digest, *_HASHES) for other in _rsa_schemes(kind, name)
        ]
    if fits:
        yield named
    yield from (other for other in dict.fromkeys(others) if not fits or other != named)


def verifies(key: PublicKey, scheme: Scheme, signature: bytes, message: bytes) -> bool:
    """Whether the signature is good. Raises TrustError where key and scheme do not go together."""
    digest = digest_of(scheme.digest, message)
    if isinstance(key, RsaKey) and scheme.name in {"rsa", "pss"}:
        return _verifies_rsa(key, scheme, signature, digest)
    if isinstance(key, EllipticKey) and scheme.name == "ecdsa":
        return _verifies_ecdsa(key, scheme, signature, digest)
    raise TrustError("signature_algorithm_mismatch")


def _rsa_schemes(kind: str, digest: str) -> tuple[Scheme, ...]:
    """Plain, or PSS with MGF1 of the same hash or of SHA-1, which is the default that is often left."""
    if kind == "rsa":
        return (Scheme("rsa", digest),)
    return tuple(Scheme("pss", digest, name, ANY_SALT) for name in dict.fromkeys((digest, "sha1")))


def _rsa_key(n: int, e: int) -> RsaKey:
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise TrustError("rsa_key_length")
    if e < 3 or e % 2 == 0 or n % 2 == 0 or e.bit_length() > MAX_RSA_EXPONENT_BITS:
        raise TrustError("key_malformed")
    return RsaKey(n, e)


def _curve(parameters: keys.ECDomainParameters) -> Curve:
    """RFC 3279 EcpkParameters: named, or written out (SEC 1 appendix C.2), the cofactor being optional."""
    if parameters.name == "named":
        return by_oid(parameters.chosen.dotted)
    if parameters.name != "specified":
        raise TrustError("curve_parameters_unknown")
    written = parameters.chosen
    if written["field_id"]["field_type"].native != "prime_field":
        raise TrustError("curve_parameters_unknown")
    cofactor = written["cofactor"].native
    return by_parameters(
        written["field_id"]["parameters"].native,
        int.from_bytes(bytes(written["curve"]["a"]), "big"),
        int.from_bytes(bytes(written["curve"]["b"]), "big"),
        base=bytes(written["base"]),
        n=written["order"].native,
        cofactor=1 if cofactor is None else cofactor,  # of every curve in the table
    )


def _identifier(coded: bytes) -> tuple[str, bytes]:
    """The identifier and the coded parameters of an AlgorithmIdentifier, whatever these are."""
    try:
        parts = tlv.parse(tlv.parse_one(coded, 0x30).value)
    except TlvError as error:
        raise TrustError("algorithm_malformed") from error
    if not 1 <= len(parts) <= 2 or parts[0].tag != 0x06:
        raise TrustError("algorithm_malformed")
    return dotted(parts[0].value), parts[1].encode() if len(parts) == 2 else b""


def _pss(coded: bytes) -> Scheme:
    """RSASSA-PSS-params with all their defaults (RFC 4055 section 3.1); absent altogether is all defaults."""
    if coded in {b"", b"\x05\x00"}:
        return Scheme("pss", "sha1", "sha1", 20)
    parsed = algos.RSASSAPSSParams.load(coded, strict=True)
    digest = parsed["hash_algorithm"]["algorithm"].native
    generator = parsed["mask_gen_algorithm"]
    mgf_digest = generator["parameters"]["algorithm"].native
    usable = digest in _HASHES and mgf_digest in _HASHES and generator["algorithm"].native == "mgf1"
    salt = parsed["salt_length"].native
    if not usable or parsed["trailer_field"].native != "trailer_field_bc" or not 0 <= salt <= MAX_SALT:
        raise TrustError("signature_algorithm_unsupported")
    return Scheme("pss", digest, mgf_digest, salt)


def _verifies_rsa(key: RsaKey, scheme: Scheme, signature: bytes, digest: bytes) -> bool:
    length = (key.n.bit_length() + 7) // 8
    whole = signature.lstrip(b"\0").rjust(length, b"\0")  # some signers write it as a number is written
    filling: padding.AsymmetricPadding = padding.PKCS1v15()
    if scheme.name == "pss":
        salt = padding.PSS.AUTO if scheme.salt == ANY_SALT else scheme.salt
        filling = padding.PSS(padding.MGF1(_HASHES[scheme.mgf_digest]), salt)
    try:
        public = rsa.RSAPublicNumbers(key.e, key.n).public_key()
        public.verify(whole, digest, filling, utils.Prehashed(_HASHES[scheme.digest]))
    except (InvalidSignature, ValueError):
        return scheme.name == "rsa" and _verifies_without_null(key, scheme, whole, digest)
    return True


def _verifies_without_null(key: RsaKey, scheme: Scheme, signature: bytes, digest: bytes) -> bool:
    """PKCS #1 v1.5 with the hash's parameters left out, which RFC 8017 section 8.2.2 lets be taken too.

    The whole encoded message is written out and compared: nothing of the signature is parsed.
    """
    value = int.from_bytes(signature, "big")
    if len(signature) != (key.n.bit_length() + 7) // 8 or value >= key.n:
        return False
    oid = next(oid for oid, name in _DIGESTS.items() if name == scheme.digest)
    algorithm = tlv.encode(0x30, core.ObjectIdentifier(oid).dump())
    info = tlv.encode(0x30, algorithm + tlv.encode(0x04, digest))
    filled = b"\0\1" + b"\xff" * (len(signature) - len(info) - 3) + b"\0" + info
    return pow(value, key.e, key.n).to_bytes(len(signature), "big") == filled


def _verifies_ecdsa(key: EllipticKey, scheme: Scheme, signature: bytes, digest: bytes) -> bool:
    """ECDSA with r and s as a SEQUENCE (RFC 3279), or side by side, each as long as the order (TR-03111)."""
    curve = key.curve.openssl
    size = (key.curve.n.bit_length() + 7) // 8
    try:
        if len(signature) == 2 * size and not _is_sequence(signature):
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            signature = utils.encode_dss_signature(r, s)
        if curve is None:
            return key.curve.verifies(key.point, digest, *utils.decode_dss_signature(signature))
        public = ec.EllipticCurvePublicNumbers(key.point.x, key.point.y, curve).public_key()
        public.verify(signature, digest, ec.ECDSA(utils.Prehashed(_HASHES[scheme.digest])))
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_sequence(signature: bytes) -> bool:
    try:
        utils.decode_dss_signature(signature)
    except ValueError:
        return False
    return True
