"""Certificate revocation lists of issuing states (Doc 9303-12 section 7.1.4, RFC 5280 section 5).

A list is complete or it is not used: delta lists, lists of one distribution point and indirect lists say
less than they seem to, so their critical extensions are refused. Nothing here is verified; that is for the
store, which knows the roots.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import core, crl, pem

from gated.document import tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.asn1 import ASN1_ERRORS
from gated.document.trust.certificates import Certificate
from gated.document.trust.names import COUNTRY, CanonicalName, canonical, dotted, readable
from gated.document.trust.signatures import Scheme, parse_scheme, verifies

MAX_CRL = 4 * 1024 * 1024
MAX_REVOKED = 100_000

_KNOWN = {"2.5.29.20", "2.5.29.35", "2.5.29.18"}  # CRL number, authority key identifier, issuer's other names
_PARTIAL = {"2.5.29.27": "crl_is_a_delta", "2.5.29.28": "crl_is_partial"}
_ENTRY_KNOWN = {"2.5.29.21", "2.5.29.24"}  # reason, invalidity date
_REASON = "2.5.29.21"
_REASONS = {
    1: "key_compromise",
    2: "ca_compromise",
    3: "affiliation_changed",
    4: "superseded",
    5: "cessation_of_operation",
    6: "certificate_hold",
    9: "privilege_withdrawn",
    10: "aa_compromise",
}
_SEQUENCE, _TIMES = 0x30, {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}


@dataclass(frozen=True, slots=True)
class Revoked:
    """One entry: since when, and why (RFC 5280 section 5.3.1)."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class RevocationList:
    """A complete list of one issuer, unverified.

    `names` are the issuer's name and those that it bore before, told as alternative names (table 10, note
    1), within its country.
    """

    der: bytes
    issuer: CanonicalName
    names: frozenset[CanonicalName]
    issuer_text: str
    authority_key_id: bytes | None
    number: int | None
    this_update: datetime
    next_update: datetime | None
    revoked: dict[int, Revoked]
    signed: bytes
    scheme: Scheme
    signature: bytes

    def __repr__(self) -> str:
        return f"RevocationList({self.country or '??'}, {len(self.revoked)} entries)"

    @property
    def country(self) -> str:
        """The country of the issuer, in capitals; empty if it names none."""
        return _country(self.issuer)

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Whether the issuer's key made the signature."""
        try:
            return verifies(issuer.key, self.scheme, self.signature, self.signed)
        except TrustError:
            return False


def parse_crl(raw: bytes) -> RevocationList:
    """Read a CRL, DER or PEM. Raises TrustError and nothing else."""
    if len(raw) > MAX_CRL:
        raise TrustError("crl_too_long")
    try:
        der = pem.unarmor(raw)[2] if pem.detect(raw) else raw
        return _read(crl.CertificateList.load(der, strict=True), der)
    except (*ASN1_ERRORS, TlvError) as error:
        raise TrustError("crl_malformed") from error


def _read(listed: crl.CertificateList, der: bytes) -> RevocationList:
    body = listed["tbs_cert_list"]
    scheme = parse_scheme(listed["signature_algorithm"])
    if scheme != parse_scheme(body["signature"]):
        raise TrustError("crl_algorithms_differ")
    issuer = bytes(body["issuer"].dump())
    authority, number, former = _extensions(body["crl_extensions"])
    name = canonical(issuer)
    following = body["next_update"].native
    return RevocationList(
        der=der,
        issuer=name,
        names=frozenset({name, *(item for item in former if _country(item) == _country(name))}),
        issuer_text=readable(issuer),
        authority_key_id=authority,
        number=number,
        this_update=_aware(body["this_update"].native),
        next_update=None if following is None else _aware(following),
        revoked=_entries(bytes(body["revoked_certificates"].dump() or b"")),
        signed=bytes(body.dump()),
        scheme=scheme,
        signature=bytes(listed["signature"].native),
    )


def _country(name: CanonicalName) -> str:
    return next((value.upper() for kind, value in name if kind == COUNTRY), "")


def _aware(time: Any) -> datetime:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise TrustError("crl_malformed")
    return time


def _extensions(listed: Any) -> tuple[bytes | None, int | None, list[CanonicalName]]:
    """The issuer's key identifier, the list's number, former names; what makes a list partial is refused."""
    authority, number, former = None, None, []
    for extension in listed or ():
        oid, value = extension["extn_id"].dotted, extension["extn_value"]
        if oid in _PARTIAL:
            raise TrustError(_PARTIAL[oid])
        if extension["critical"].native and oid not in _KNOWN:
            raise TrustError("crl_critical_extension")
        if oid == "2.5.29.35":
            authority = value.parsed["key_identifier"].native
        elif oid == "2.5.29.20":
            number = core.Integer.load(bytes(value), strict=True).native
        elif oid == "2.5.29.18":
            names = [item for item in value.parsed if item.name == "directory_name"]
            former += [canonical(item.chosen.chosen.dump()) for item in names]
    return authority, number, former


def _entries(coded: bytes) -> dict[int, Revoked]:
    """Revoked serial numbers, each with its time and reason."""
    if not coded:
        return {}
    whole = tlv.parse_one(coded, _SEQUENCE, max_length=MAX_CRL).value
    items = tlv.parse(whole, max_length=MAX_CRL, max_objects=MAX_REVOKED)
    return dict(_entry(tlv.parse(item.value)) for item in items if item.tag == _SEQUENCE)


def _entry(fields: tuple[tlv.Tlv, ...]) -> tuple[int, Revoked]:
    if len(fields) not in {2, 3} or fields[0].tag != 0x02 or fields[1].tag not in _TIMES:
        raise TrustError("crl_malformed")
    since = datetime.strptime(fields[1].value.decode("ascii"), _TIMES[fields[1].tag]).replace(tzinfo=UTC)
    reason = "unspecified"
    for extension in tlv.parse(fields[2].value) if len(fields) == 3 else ():
        parts = tlv.parse(extension.value)
        oid = dotted(parts[0].value)
        critical = len(parts) == 3 and parts[1].value != b"\0"
        if oid == "2.5.29.29":
            raise TrustError("crl_is_indirect")
        if critical and oid not in _ENTRY_KNOWN:
            raise TrustError("crl_critical_extension")
        if oid == _REASON:
            code = tlv.parse_one(parts[-1].value, 0x0A).value
            reason = _REASONS.get(int.from_bytes(code, "big"), "unspecified")
    return int.from_bytes(fields[0].value, "big", signed=True), Revoked(since, reason)
