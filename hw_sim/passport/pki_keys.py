"""Keys of simulated states and how they sign: every algorithm in use, and the ways to write it down.

Elliptic keys, and the signatures made with them, follow from a label: a run is repeatable. RSA keys and
RSA-PSS salts are drawn anew each time. Curves that OpenSSL does not build are signed on by hand.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from asn1crypto import algos, core, keys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from gated.document.groups.curves import CURVES, Curve, by_oid

CurveName = Literal[
    "secp192r1", "secp224r1", "secp256r1", "secp384r1", "secp521r1",
    "brainpoolP192r1", "brainpoolP224r1", "brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1",
    "brainpoolP512r1",
]  # fmt: skip
Scheme = Literal["ecdsa", "ecdsa-plain", "rsa", "rsa-pss"]

_OPENSSL: dict[str, ec.EllipticCurve] = {
    "secp256r1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "secp521r1": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}
_OURS = {"secp192r1": "P-192", "secp224r1": "P-224"}
_BY_NAME = {curve.name: curve for curve in CURVES}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - old passports are signed with it
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PLAIN = "0.4.0.127.0.7.1.1.4.1."


@dataclass(frozen=True, slots=True, repr=False)
class HandKey:
    """A private key on a curve that OpenSSL lacks."""

    curve: Curve
    secret: int

    @property
    def point(self) -> bytes:
        """The public point, uncompressed."""
        return self.curve.encode(self.curve.multiply(self.secret, self.curve.generator))

    def sign(self, digest: bytes) -> bytes:
        """ECDSA (FIPS 186-4 section 6.4), the nonce following from key and digest."""
        n = self.curve.n
        nonce = number(f"{self.secret}/{digest.hex()}", n.bit_length() // 8 - 1)
        r = self.curve.multiply(nonce, self.curve.generator).x % n
        e = int.from_bytes(digest, "big") >> max(8 * len(digest) - n.bit_length(), 0)
        return utils.encode_dss_signature(r, pow(nonce, -1, n) * (e + r * self.secret) % n)


PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | HandKey


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to sign, and how the algorithm identifier tells it.

    `salt` is as long as the hash, and MGF1 uses it too, unless said otherwise. `named` is an object
    identifier written in place of the right one; `parameters` leaves those of PSS out, or writes NULL.
    """

    scheme: Scheme
    digest: str
    mgf_digest: str = ""
    salt: int | None = None
    named: str = ""
    parameters: Literal["full", "null", "absent"] = "full"

    @property
    def salt_length(self) -> int:
        """The length of the salt in bytes."""
        return _HASHES[self.digest].digest_size if self.salt is None else self.salt

    @property
    def algorithm(self) -> algos.SignedDigestAlgorithm:
        """The algorithm identifier."""
        if self.named:
            return _identifier(self.named, b"\x05\x00" if self.parameters == "null" else b"")
        if self.scheme == "rsa":
            return algos.SignedDigestAlgorithm({"algorithm": f"{self.digest}_rsa"})
        if self.scheme == "ecdsa":
            return algos.SignedDigestAlgorithm({"algorithm": f"{self.digest}_ecdsa"})
        if self.scheme == "ecdsa-plain":
            return _identifier(f"{_PLAIN}{list(_HASHES).index(self.digest) + 1}", b"")
        if self.parameters != "full":
            coded = b"\x05\x00" if self.parameters == "null" else b""
            return _identifier("1.2.840.113549.1.1.10", coded)
        generator = {"algorithm": self.mgf_digest or self.digest}
        parameters = {
            "hash_algorithm": {"algorithm": self.digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": generator},
            "salt_length": self.salt_length,
        }
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})

    def sign(self, key: PrivateKey, data: bytes) -> bytes:
        """Sign: ECDSA deterministically (RFC 6979), RSA with PKCS #1 v1.5 or PSS."""
        chosen = _HASHES[self.digest]
        if isinstance(key, rsa.RSAPrivateKey):
            filling: padding.AsymmetricPadding = padding.PKCS1v15()
            if self.scheme == "rsa-pss":
                generator = padding.MGF1(_HASHES[self.mgf_digest or self.digest])
                filling = padding.PSS(generator, self.salt_length)
            return key.sign(data, filling, chosen)
        if isinstance(key, HandKey):
            signature = key.sign(hashlib.new(self.digest, data).digest())
        else:
            signature = key.sign(data, ec.ECDSA(chosen, deterministic_signing=True))
        if self.scheme == "ecdsa":
            return signature
        size = (key.curve.n.bit_length() if isinstance(key, HandKey) else key.key_size) + 7 >> 3
        return b"".join(part.to_bytes(size, "big") for part in utils.decode_dss_signature(signature))


def recipe_for(key: PrivateKey, scheme: Scheme | None = None, digest: str = "") -> Recipe:
    """The usual way to sign with a key, its hash as strong as the curve."""
    if isinstance(key, rsa.RSAPrivateKey):
        return Recipe(scheme or "rsa-pss", digest or "sha256")
    size = key.curve.n.bit_length() if isinstance(key, HandKey) else key.key_size
    usual = "sha224" if size <= 224 else "sha256" if size <= 256 else "sha384" if size <= 384 else "sha512"
    return Recipe(scheme or "ecdsa", digest or usual)


def elliptic_key(label: str, curve: str) -> PrivateKey:
    """A key that follows from its label; a byte shorter than the curve's order, hence always below it."""
    chosen = _OPENSSL.get(curve)
    if chosen is None:
        ours = _BY_NAME[_OURS.get(curve, curve)]
        return HandKey(ours, number(f"{label}/{curve}", ours.n.bit_length() // 8 - 1))
    return ec.derive_private_key(number(f"{label}/{curve}", chosen.key_size // 8 - 1), chosen)


@lru_cache(maxsize=64)
def rsa_key(label: str, bits: int) -> rsa.RSAPrivateKey:
    """A key drawn once for each label of a run."""
    del label
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_info(
    key: PrivateKey, *, explicit: bool = False, cofactor: bool = True, compressed: bool = False
) -> keys.PublicKeyInfo:
    """The SubjectPublicKeyInfo; `explicit` writes the curve out (TR-03111 section 5.1.2).

    Written out, the optional cofactor may be left out, and the base point compressed.
    """
    if isinstance(key, HandKey):
        named = keys.ECDomainParameters(name="named", value=keys.NamedCurve(key.curve.oid))
        info = keys.PublicKeyInfo(
            {
                "algorithm": {"algorithm": "ec", "parameters": named},
                "public_key": keys.ECPointBitString(key.point),
            }
        )
    else:
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        coded = key.public_key().public_bytes(serialization.Encoding.DER, spki)
        info = keys.PublicKeyInfo.load(coded)
    if explicit and not isinstance(key, rsa.RSAPrivateKey):
        named = info["algorithm"]["parameters"]
        info["algorithm"]["parameters"] = _in_full(by_oid(named.chosen.dotted), cofactor, compressed)
    return info


def number(label: str, length: int) -> int:
    """A positive number of at most `length` bytes that follows from the label."""
    digest = hashlib.shake_256(label.encode()).digest(length)
    return int.from_bytes(digest, "big") >> 1 | 1


def _in_full(curve: Curve, cofactor: bool, compressed: bool) -> keys.ECDomainParameters:  # noqa: FBT001
    base = curve.encode(curve.generator)
    if compressed:
        base = bytes([2 + curve.generator.y % 2]) + curve.encode_x(curve.generator)
    domain: dict[str, object] = {
        "version": "ecdpVer1",
        "field_id": {"field_type": "prime_field", "parameters": curve.p},
        "curve": {"a": curve.a.to_bytes(curve.length, "big"), "b": curve.b.to_bytes(curve.length, "big")},
        "base": keys.ECPoint(base),
        "order": curve.n,
    }
    if cofactor:
        domain["cofactor"] = 1
    return keys.ECDomainParameters(name="specified", value=keys.SpecifiedECDomain(domain))


def _identifier(oid: str, parameters: bytes) -> algos.SignedDigestAlgorithm:
    """An algorithm identifier of any identifier, with coded parameters."""
    body = core.ObjectIdentifier(oid).dump() + parameters
    return algos.SignedDigestAlgorithm.load(b"\x30" + bytes([len(body)]) + body)
