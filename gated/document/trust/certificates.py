"""X.509 certificates of the eMRTD trust chain (Doc 9303-12 section 7) as frozen values.

Parsing reads all that will ever be asked, so that what is unusable shows when a list is loaded and not
when a traveller stands in the gate. Names are made canonical, because states write one name in several
orders, cases and string types.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import pem, x509

from gated.document.errors import TrustError
from gated.document.trust.signatures import ASN1_ERRORS, PublicKey, Scheme, parse_key, parse_scheme, verifies

MAX_CERTIFICATE = 16_384

_COUNTRY = "2.5.4.6"
_LOCALITY = "2.5.4.7"
_KNOWN_CRITICAL = {
    "basic_constraints",
    "key_usage",
    "extended_key_usage",
    "certificate_policies",
    "subject_alt_name",
    "issuer_alt_name",
    "2.23.136.1.1.6.2",  # document types that the signer may sign
}

CanonicalName = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """What a certificate says, and the bytes by which its own signature is checked."""

    der: bytes
    subject: CanonicalName
    issuer: CanonicalName
    serial: int
    key_id: bytes | None
    authority_key_id: bytes | None
    not_before: datetime
    not_after: datetime
    is_ca: bool
    usage: frozenset[str] | None
    purposes: frozenset[str]
    localities: frozenset[str]
    key: PublicKey
    signed: bytes
    scheme: Scheme
    signature: bytes

    def __repr__(self) -> str:
        return f"Certificate({self.country or '??'}, serial {self.serial:x})"

    @property
    def country(self) -> str:
        """The country of the subject, in capitals; empty if it names none."""
        return next((value.upper() for kind, value in self.subject if kind == _COUNTRY), "")

    @property
    def may_certify(self) -> bool:
        """Whether it is for signing certificates. Some states' roots lack the CA flag but have the usage."""
        return self.is_ca if self.usage is None else "key_cert_sign" in self.usage

    @property
    def may_sign_documents(self) -> bool:
        """A document signer: neither a CA nor a signer of lists or deviations (Doc 9303-12 table 6)."""
        if self.is_ca or self.purposes:
            return False
        return self.usage is None or ("digital_signature" in self.usage and "key_cert_sign" not in self.usage)

    def valid_at(self, at: datetime) -> bool:
        """Whether `at` (aware) lies in the validity period, both ends included."""
        return self.not_before <= at <= self.not_after

    def is_signed_by(self, issuer: "Certificate") -> bool:
        """Whether the issuer's key made the signature; a key of another kind did not."""
        try:
            return verifies(issuer.key, self.scheme, self.signature, self.signed)
        except TrustError:
            return False


def parse_certificate(raw: bytes) -> Certificate:
    """Read a certificate, DER or PEM. Raises TrustError and nothing else."""
    if len(raw) > MAX_CERTIFICATE:
        raise TrustError("certificate_too_long")
    try:
        der = pem.unarmor(raw)[2] if pem.detect(raw) else raw
        return _read(x509.Certificate.load(der, strict=True), der)
    except ASN1_ERRORS as error:
        raise TrustError("certificate_malformed") from error


def canonical(name: x509.Name) -> CanonicalName:
    """Attributes by identifier and folded text, sorted: equal for every way to write the same name."""
    pairs = [
        (attribute["type"].dotted, _fold(str(attribute["value"].native)))
        for relative in name.chosen
        for attribute in relative
    ]
    return tuple(sorted(pairs))


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _read(certificate: x509.Certificate, der: bytes) -> Certificate:
    body = certificate["tbs_certificate"]
    if certificate["signature_algorithm"].dump() != body["signature"].dump():
        raise TrustError("certificate_algorithms_differ")
    extensions = _extensions(body["extensions"])
    authority = extensions.get("authority_key_identifier")
    constraints = extensions.get("basic_constraints")
    usage = extensions.get("key_usage")
    purposes = extensions.get("extended_key_usage")
    key_id = extensions.get("key_identifier")
    return Certificate(
        der=der,
        subject=canonical(body["subject"]),
        issuer=canonical(body["issuer"]),
        serial=body["serial_number"].native,
        key_id=None if key_id is None else bytes(key_id.native),
        authority_key_id=None if authority is None else authority["key_identifier"].native,
        not_before=body["validity"]["not_before"].native,
        not_after=body["validity"]["not_after"].native,
        is_ca=constraints is not None and bool(constraints["ca"].native),
        usage=None if usage is None else frozenset(usage.native),
        purposes=frozenset() if purposes is None else frozenset(item.dotted for item in purposes),
        localities=_localities(extensions),
        key=parse_key(body["subject_public_key_info"]),
        signed=bytes(body.dump()),
        scheme=parse_scheme(certificate["signature_algorithm"]),
        signature=bytes(certificate["signature_value"].native),
    )


def _extensions(listed: Any) -> dict[str, Any]:
    """Parsed values by name. A repeated one, or a critical one that is not understood, is refused."""
    found: dict[str, Any] = {}
    for extension in listed:
        name = extension["extn_id"].native
        if name in found:
            raise TrustError("certificate_malformed")
        if extension["critical"].native and name not in _KNOWN_CRITICAL:
            raise TrustError("certificate_critical_extension")
        found[name] = extension["extn_value"].parsed
    return found


def _localities(extensions: dict[str, Any]) -> frozenset[str]:
    """State codes as documents carry them: localities of the alternative names (Doc 9303-12, 7.1.1.2)."""
    names = [
        item.chosen
        for kind in ("subject_alt_name", "issuer_alt_name")
        for item in extensions.get(kind) or ()
        if item.name == "directory_name"
    ]
    pairs = [pair for name in names for pair in canonical(name)]
    return frozenset(
        value.upper() for kind, value in pairs if kind == _LOCALITY and re.fullmatch("[a-z]{1,3}", value)
    )
