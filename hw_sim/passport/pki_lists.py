"""What a state publishes besides certificates: revocation lists, deviation lists, directory files."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import core, crl, x509

from gated.document.tlv import encode
from hw_sim.passport.pki_certificates import Identity

CONTENT_DEVIATIONS = "2.23.136.1.1.7"


def revocation_list(
    issuer: Identity,
    revoked: Mapping[int, str],
    *,
    this_update: datetime,
    next_update: datetime | None,
    number: int = 1,
    key_id: bytes | None = None,
    extensions: Sequence[crl.TBSCertListExtension] = (),
    entry_extensions: Sequence[crl.CRLEntryExtension] = (),
) -> bytes:
    """A CRL (Doc 9303-12 section 7.1.4) of serial numbers with their reasons, empty for none."""
    known = [
        {"extn_id": "authority_key_identifier", "extn_value": {"key_identifier": key_id or _key_id(issuer)}},
        {"extn_id": "crl_number", "extn_value": number},
    ]
    entries = []
    for serial, reason in revoked.items():
        told = [crl.CRLEntryExtension({"extn_id": "crl_reason", "extn_value": reason})] if reason else []
        entry = {"user_certificate": serial, "revocation_date": x509.Time({"utc_time": this_update})}
        written = [*told, *entry_extensions]
        entries.append(entry | ({"crl_entry_extensions": written} if written else {}))
    body: dict[str, object] = {
        "version": "v2",
        "signature": issuer.algorithm,
        "issuer": issuer.certificate.subject,
        "this_update": x509.Time({"utc_time": this_update}),
        "crl_extensions": [*(crl.TBSCertListExtension(item) for item in known), *extensions],
    }
    if next_update is not None:
        body["next_update"] = x509.Time({"utc_time": next_update})
    if entries:
        body["revoked_certificates"] = entries
    listed = crl.TbsCertList(body)
    signed = {
        "tbs_cert_list": listed,
        "signature_algorithm": issuer.algorithm,
        "signature": issuer.sign(listed.dump()),
    }
    return bytes(crl.CertificateList(signed).dump())


@dataclass(frozen=True, slots=True)
class Deviating:
    """Documents, and what deviates in them: pairs of an object identifier's end (`2.2`) and a parameter.

    A parameter is a number (data group or field), an object identifier, or None. Documents are named by
    every criterion that is given.
    """

    deviations: tuple[tuple[str, int | str | None], ...]
    document_type: str = ""
    signer: x509.Certificate | None = None
    signer_by: str = "issuer"  # or key_id, digest
    issued: tuple[str, str] | None = None
    numbers: tuple[str, ...] = field(default=())
    description: str = ""


def deviation_list(entries: Iterable[Deviating]) -> bytes:
    """The content of a deviation list (Doc 9303-12 section 10.2)."""
    coded = b"".join(_entry(entry) for entry in entries)
    return encode(0x30, encode(0x02, b"\0") + encode(0x31, coded))


def ldif(objects: Iterable[tuple[str, bytes]], country: str = "UT") -> bytes:
    """A directory file (RFC 2849) as the ICAO PKD publishes it: attribute names with their binary values."""
    lines = ["version: 1", ""]
    for number, (attribute, raw) in enumerate(objects, 1):
        value = f"{attribute}:: {base64.b64encode(raw).decode()}"
        lines += [f"dn: cn={number},o=ml,c={country},dc=data,dc=download,dc=pkd,dc=icao,dc=int"]
        lines += ["objectClass: pkdDownload", "pkdVersion: 1", value[:76]]
        lines += [f" {value[at : at + 75]}" for at in range(76, len(value), 75)]
        lines += [""]
    return "\n".join(lines).encode()


def _key_id(issuer: Identity) -> bytes:
    return bytes(issuer.certificate.key_identifier)


def _entry(entry: Deviating) -> bytes:
    documents = b""
    if entry.document_type:
        documents += encode(0x80, entry.document_type.encode())
    if entry.signer is not None:
        documents += _signer(entry.signer, entry.signer_by)
    if entry.issued is not None:
        documents += encode(0xA4, b"".join(encode(0x18, moment.encode()) for moment in entry.issued))
    if entry.numbers:
        documents += encode(0xA5, b"".join(encode(0x13, number.encode()) for number in entry.numbers))
    described = b"".join(_deviation(entry.description, *item) for item in entry.deviations)
    return encode(0x30, encode(0x30, documents) + encode(0x31, described))


def _signer(signer: x509.Certificate, by: str) -> bytes:
    if by == "key_id":
        return encode(0x82, bytes(signer.key_identifier))
    if by == "digest":
        return encode(0x83, hashlib.sha256(signer.dump()).digest())
    return encode(0xA1, signer.issuer.dump() + core.Integer(signer.serial_number).dump())


def _deviation(description: str, kind: str, parameter: int | str | None) -> bytes:
    coded = encode(0x13, description.encode()) if description else b""
    coded += core.ObjectIdentifier(f"{CONTENT_DEVIATIONS}.{kind}").dump()
    if parameter is not None:
        value = core.Integer(parameter) if isinstance(parameter, int) else core.ObjectIdentifier(parameter)
        coded += encode(0xA0, value.dump())
    return encode(0x30, coded)
