"""X.509 certificates of the eMRTD trust chain (Doc 9303-12 section 7) as frozen values.

Parsing reads all that will ever be asked, so that what is unusable shows when a list is loaded and not
when a traveller stands in the gate. What decides about trust must be well formed; what only describes (an
alternative name, a list of document types) is left out when it is malformed, and `oddities` tells.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import core, pem, x509

from gated.document import tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.asn1 import ASN1_ERRORS
from gated.document.trust.names import COUNTRY, LOCALITY, PROVINCE, CanonicalName, canonical, dotted, readable
from gated.document.trust.signatures import PublicKey, Scheme, parse_key, parse_scheme, verifies

__all__ = ["CanonicalName", "Certificate", "canonical", "parse_certificate"]

MAX_CERTIFICATE = 16_384
MAX_EXTENSIONS = 64
MAX_DOCUMENT_TYPES = 64

DOCUMENT_TYPES = "2.23.136.1.1.6.2"
EARLY_DOCUMENT_TYPES = "2.23.136.1.1.4"  # a draft's identifier for it, which one state still writes
NAME_CHANGE = "2.23.136.1.1.6.1"

_DECIDING = {  # extensions that must be well formed
    "2.5.29.14": "key_identifier",
    "2.5.29.15": "key_usage",
    "2.5.29.19": "basic_constraints",
    "2.5.29.35": "authority_key_identifier",
    "2.5.29.37": "extended_key_usage",
}
_DESCRIBING = {
    "2.5.29.16": "private_key_usage_period",
    "2.5.29.17": "subject_alt_name",
    "2.5.29.18": "issuer_alt_name",
    DOCUMENT_TYPES: "document_types",
    EARLY_DOCUMENT_TYPES: "early_document_types",
}
_UNUSED = {  # critical or not, they restrict nothing that is asked here
    "2.5.29.31",  # CRL distribution points
    "2.5.29.32",  # certificate policies
    NAME_CHANGE,
}

# Whom Doc 9303-12 lets a CSCA certify besides document signers: signers of master lists and deviation lists,
# of visible digital seals and LDS2 objects (all under 2.23.136.1.1), and TLS hosts for the exchange of keys.
_OTHER_PURPOSES = ("2.23.136.1.1.", "1.3.6.1.5.5.7.3.")


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """What a certificate says, and the bytes by which its own signature is checked."""

    der: bytes
    subject: CanonicalName
    issuer: CanonicalName
    subject_text: str
    issuer_text: str
    serial: int
    key_id: bytes | None
    authority_key_id: bytes | None
    not_before: datetime
    not_after: datetime
    is_ca: bool
    usage: frozenset[str] | None
    purposes: frozenset[str]
    localities: frozenset[str]
    document_types: frozenset[str] | None
    private_key_until: datetime | None
    key: PublicKey
    public_info: bytes
    signed: bytes
    scheme: Scheme
    signature: bytes
    oddities: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Certificate({self.country or '??'}, serial {self.serial:x})"

    @property
    def sha256(self) -> str:
        """The fingerprint, hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def country(self) -> str:
        """The country of the subject, in capitals; empty if it names none."""
        return next((value.upper() for kind, value in self.subject if kind == COUNTRY), "")

    @property
    def may_certify(self) -> bool:
        """Whether it is for signing certificates. Some states' roots lack the CA flag but have the usage."""
        return self.is_ca if self.usage is None else "key_cert_sign" in self.usage

    @property
    def not_a_certifier(self) -> str:
        """Why it may not sign certificates, empty if it may."""
        if self.may_certify:
            return ""
        return "ca_may_not_certify" if self.is_ca else "certificate_not_a_ca"

    @property
    def may_sign_lists(self) -> bool:
        """Whether it is for signing CRLs."""
        return self.is_ca if self.usage is None else "crl_sign" in self.usage

    @property
    def not_a_document_signer(self) -> str:
        """Why it may not sign documents (Doc 9303-12 table 6), empty if it may.

        A signer is no CA, and not certified for another purpose. Some early ones assert non-repudiation
        in place of digital signatures, which is the same key usage seen by a lawyer.
        """
        if self.is_ca or (self.usage is not None and "key_cert_sign" in self.usage):
            return "document_signer_is_a_ca"
        if any(purpose.startswith(_OTHER_PURPOSES) for purpose in self.purposes):
            return "document_signer_other_purpose"
        if self.usage is not None and not self.usage & {"digital_signature", "non_repudiation"}:
            return "document_signer_key_usage"
        return ""

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


def _read(certificate: x509.Certificate, der: bytes) -> Certificate:
    body = certificate["tbs_certificate"]
    scheme = parse_scheme(certificate["signature_algorithm"])
    if scheme != parse_scheme(body["signature"]):
        raise TrustError("certificate_algorithms_differ")
    extensions = _extensions(bytes(body["extensions"].dump()))
    read = _Descriptions(extensions)
    authority = _deciding(extensions, "authority_key_identifier", x509.AuthorityKeyIdentifier)
    constraints = _deciding(extensions, "basic_constraints", x509.BasicConstraints)
    usage = _deciding(extensions, "key_usage", x509.KeyUsage)
    purposes = _deciding(extensions, "extended_key_usage", x509.ExtKeyUsageSyntax)
    key_id = _deciding(extensions, "key_identifier", core.OctetString)
    subject, issuer = bytes(body["subject"].dump()), bytes(body["issuer"].dump())
    return Certificate(
        der=der,
        subject=canonical(subject),
        issuer=canonical(issuer),
        subject_text=readable(subject),
        issuer_text=readable(issuer),
        serial=body["serial_number"].native,
        key_id=None if key_id is None else bytes(key_id.native),
        authority_key_id=None if authority is None else authority["key_identifier"].native,
        not_before=_time(body["validity"]["not_before"]),
        not_after=_time(body["validity"]["not_after"]),
        is_ca=constraints is not None and bool(constraints["ca"].native),
        usage=None if usage is None else frozenset(usage.native),
        purposes=frozenset() if purposes is None else frozenset(item.dotted for item in purposes),
        localities=read.localities(),
        document_types=read.document_types(),
        private_key_until=read.private_key_until(),
        key=parse_key(body["subject_public_key_info"]),
        public_info=bytes(body["subject_public_key_info"]["public_key"].contents),
        signed=bytes(body.dump()),
        scheme=scheme,
        signature=bytes(certificate["signature_value"].native),
        oddities=tuple(read.oddities),
    )


def _time(value: x509.Time) -> datetime:
    """An aware time, of UTC where it lacks the Z; a year 0, which no datetime can hold, is malformed."""
    time = value.native
    if not isinstance(time, datetime):
        raise TrustError("certificate_malformed")
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _extensions(coded: bytes) -> dict[str, bytes]:
    """Values by name or identifier. A repeated extension, or an unknown critical one, is refused."""
    found: dict[str, bytes] = {}
    try:
        listed = tlv.parse_one(tlv.parse_one(coded, 0xA3).value, 0x30).value if coded else b""
        items = [tlv.parse(item.value) for item in tlv.parse(listed, max_objects=MAX_EXTENSIONS)]
    except TlvError as error:
        raise TrustError("certificate_malformed") from error
    for parts in items:
        if [part.tag for part in parts] not in ([0x06, 0x04], [0x06, 0x01, 0x04]):
            raise TrustError("certificate_malformed")
        oid = dotted(parts[0].value)
        name = _DECIDING.get(oid) or _DESCRIBING.get(oid) or oid
        if name in found:
            raise TrustError("certificate_extension_repeated")
        critical = len(parts) == 3 and parts[1].value != b"\0"
        if critical and name == oid and oid not in _UNUSED:
            raise TrustError("certificate_critical_extension")
        found[name] = parts[-1].value
    return found


def _deciding(extensions: dict[str, bytes], name: str, kind: Any) -> Any:
    """The parsed value of an extension that decides, None if it is not there."""
    if name not in extensions:
        return None
    try:
        value = kind.load(extensions[name], strict=True)
        _ = value.native  # all of it, since asn1crypto parses as it is asked
    except ASN1_ERRORS as error:
        raise TrustError("certificate_extension_malformed") from error
    return value


class _Descriptions:
    """The extensions that describe: each read leniently, and named in `oddities` if it cannot be read."""

    def __init__(self, extensions: dict[str, bytes]) -> None:
        self._extensions = extensions
        self.oddities: list[str] = []

    def localities(self) -> frozenset[str]:
        """State codes as documents carry them, of the alternative names (Doc 9303-12, 7.1.1.2).

        Where the locality does not tell the state alone, the state or province is its three-letter code.
        """
        found: set[str] = set()
        for kind in ("subject_alt_name", "issuer_alt_name"):
            if kind not in self._extensions:
                continue
            try:
                listed = x509.GeneralNames.load(self._extensions[kind], strict=True)
                names = [item for item in listed if item.name == "directory_name"]
                pairs = [pair for item in names for pair in canonical(item.chosen.chosen.dump())]
            except (*ASN1_ERRORS, TrustError):
                self.oddities.append(f"{kind}_malformed")
                continue
            codes = (value for which, value in pairs if which in {LOCALITY, PROVINCE})
            found.update(code.upper() for code in codes if re.fullmatch("[a-z]{1,3}", code))
        return frozenset(found)

    def document_types(self) -> frozenset[str] | None:
        """The types of documents that the signer may sign (Doc 9303-12, 7.1.1.6), None if not restricted.

        DocumentTypeList ::= SEQUENCE { version INTEGER, docTypeList SET OF PrintableString }; some states
        write a set for each type.
        """
        coded = self._extensions.get("document_types") or self._extensions.get("early_document_types")
        if coded is None:
            return None
        try:
            fields = tlv.parse(tlv.parse_one(coded, 0x30).value, max_objects=MAX_DOCUMENT_TYPES)
            sets = [field.value for field in fields if field.tag == 0x31]
            types = [item for one in sets for item in tlv.parse(one, max_objects=MAX_DOCUMENT_TYPES)]
            return frozenset(item.value.decode("ascii").rstrip("<") for item in types)
        except (TlvError, UnicodeDecodeError):
            self.oddities.append("document_types_malformed")
            return None

    def private_key_until(self) -> datetime | None:
        """The end of the private key's use (RFC 5280's predecessor, section 4.2.1.4), if it is told.

        PrivateKeyUsagePeriod ::= SEQUENCE { notBefore [0] GeneralizedTime, notAfter [1] GeneralizedTime }.
        """
        if "private_key_usage_period" not in self._extensions:
            return None
        try:
            fields = tlv.parse(tlv.parse_one(self._extensions["private_key_usage_period"], 0x30).value)
            ends = [field.value.decode("ascii") for field in fields if field.tag == 0x81]
            return datetime.strptime(f"{ends[0]}+0000", "%Y%m%d%H%M%SZ%z") if ends else None
        except (TlvError, ValueError):
            self.oddities.append("private_key_usage_period_malformed")
            return None
