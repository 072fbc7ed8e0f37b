"""A small card-verifiable PKI (TR-03110-3, appendices C and D), written out object by object.

A state's CVCA certifies document verifiers, those certify inspection systems; a link certificate carries
chips that trust an old CVCA key over to the next. Keys on elliptic curves follow from their labels, RSA keys
are drawn. Keys made from a label protect nothing but a simulation.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Literal

from gated.document.groups.curves import by_number
from gated.document.tlv import encode
from hw_sim.passport.pki_keys import HandKey, Recipe, Scheme, rsa_key

Algorithm = Literal[
    "rsa-v1-5-sha1",
    "rsa-v1-5-sha256",
    "rsa-pss-sha1",
    "rsa-pss-sha256",
    "rsa-v1-5-sha512",
    "rsa-pss-sha512",
    "ecdsa-sha1",
    "ecdsa-sha224",
    "ecdsa-sha256",
    "ecdsa-sha384",
    "ecdsa-sha512",
]

CVCA, DV_DOMESTIC, DV_FOREIGN, INSPECTION_SYSTEM = 0xC0, 0x80, 0x40, 0x00
FINGERPRINTS, IRISES = 0x01, 0x02

_ALGORITHMS: dict[Algorithm, tuple[int, int]] = {  # arcs behind id-TA
    "rsa-v1-5-sha1": (1, 1),
    "rsa-v1-5-sha256": (1, 2),
    "rsa-pss-sha1": (1, 3),
    "rsa-pss-sha256": (1, 4),
    "rsa-v1-5-sha512": (1, 5),
    "rsa-pss-sha512": (1, 6),
    "ecdsa-sha1": (2, 1),
    "ecdsa-sha224": (2, 2),
    "ecdsa-sha256": (2, 3),
    "ecdsa-sha384": (2, 4),
    "ecdsa-sha512": (2, 5),
}
_SCHEMES: dict[str, Scheme] = {"rsa-v1-5": "rsa", "rsa-pss": "rsa-pss", "ecdsa": "ecdsa-plain"}
_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class CvPrivate:
    """A private key for one algorithm; `domain` is the curve's number (Doc 9303-11 section 9.5.1)."""

    label: str
    algorithm: Algorithm = "ecdsa-sha256"
    domain: int = 13

    def public(self, *, in_full: bool) -> bytes:
        """The public key object (7F49); a curve's parameters only `in_full`."""
        arcs = bytes(_ALGORITHMS[self.algorithm])
        coded = encode(0x06, bytes.fromhex("04007F0007020202") + arcs)
        if self.algorithm.startswith("rsa"):
            numbers = rsa_key(self.label, _RSA_BITS).public_key().public_numbers()
            return encode(0x7F49, coded + _number(0x81, numbers.n) + _number(0x82, numbers.e))
        curve = by_number(self.domain)
        point = encode(0x86, self._elliptic.point)
        if not in_full:
            return encode(0x7F49, coded + point)
        width = curve.length
        coded += _number(0x81, curve.p) + _number(0x82, curve.a, width) + _number(0x83, curve.b, width)
        coded += encode(0x84, curve.encode(curve.generator)) + _number(0x85, curve.n)
        return encode(0x7F49, coded + point + b"\x87\x01\x01")

    def sign(self, message: bytes) -> bytes:
        """Sign; on a curve r and s side by side, and always the same for a message."""
        scheme, _, digest = self.algorithm.rpartition("-")
        elliptic = scheme == "ecdsa"
        key = self._elliptic if elliptic else rsa_key(self.label, _RSA_BITS)
        return Recipe(_SCHEMES[scheme], digest).sign(key, message)

    @property
    def _elliptic(self) -> HandKey:
        curve = by_number(self.domain)
        seed = hashlib.shake_256(f"{self.label}/cv/{curve.name}".encode()).digest(curve.length + 8)
        return HandKey(curve, int.from_bytes(seed, "big") % (curve.n - 1) + 1)


@dataclass(frozen=True, slots=True, repr=False)
class CvIdentity:
    """A holder: reference, private key, and the certificate about it (7F21)."""

    reference: str
    private: CvPrivate
    certificate: bytes

    def certify(
        self,
        reference: str,
        private: CvPrivate,
        role: int,
        dates: tuple[date, date],
        *,
        rights: int = FINGERPRINTS,
        in_full: bool | None = None,
        extensions: bytes = b"",
    ) -> "CvIdentity":
        """Issue a certificate; a curve is written out in those of CVCAs, unless told otherwise."""
        written = role == CVCA if in_full is None else in_full
        body = _body(self.reference, reference, private.public(in_full=written), role | rights, dates)
        return CvIdentity(reference, private, _certificate(body + extensions, self.private))


def root(
    reference: str, private: CvPrivate, dates: tuple[date, date], rights: int = FINGERPRINTS | IRISES
) -> CvIdentity:
    """A CVCA with its self-signed certificate."""
    body = _body(reference, reference, private.public(in_full=True), CVCA | rights, dates)
    return CvIdentity(reference, private, _certificate(body, private))


def _body(issuer: str, holder: str, key: bytes, authorization: int, dates: tuple[date, date]) -> bytes:
    template = encode(0x06, bytes.fromhex("04007F000703010201")) + encode(0x53, bytes([authorization]))
    return b"".join(
        (
            encode(0x5F29, b"\0"),
            encode(0x42, issuer.encode("latin-1")),
            key,
            encode(0x5F20, holder.encode("latin-1")),
            encode(0x7F4C, template),
            encode(0x5F25, _digits(dates[0])),
            encode(0x5F24, _digits(dates[1])),
        )
    )


def _certificate(body: bytes, key: CvPrivate) -> bytes:
    signed = encode(0x7F4E, body)
    return encode(0x7F21, signed + encode(0x5F37, key.sign(signed)))


def _digits(day: date) -> bytes:
    return bytes(int(digit) for digit in day.strftime("%y%m%d"))


def _number(tag: int, value: int, width: int = 0) -> bytes:
    return encode(tag, value.to_bytes(max(width, (value.bit_length() + 7) // 8), "big"))
