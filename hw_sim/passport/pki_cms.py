"""CMS SignedData as states write it: the way the standards ask for, and the ways found in the field."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from asn1crypto import algos, cms, core, x509

from gated.document import tlv
from hw_sim.passport.pki_certificates import Identity


@dataclass(frozen=True, slots=True)
class Habits:
    """How a state writes its signed structures.

    `digest` is the hash of the content, the signer's own by default; `digest_named` the one that is written
    in its place. `version` is what the structure claims. `attributes` may be unsorted where the signature is
    over the sorted ones, or missing. `encoding` may be BER with indefinite lengths, also with the content in
    pieces, or PKCS #7 with no octet string around the content. `issuer` is the name written for the
    signer's. `further_signers` sign the same content again.
    """

    version: Literal["v1", "v3", "v4", "v5"] = "v3"
    by_key_id: bool = False
    digest: str = ""
    digest_named: str = ""
    digest_null: bool = False
    attributes: Literal["sorted", "unsorted", "missing"] = "sorted"
    signing_time: datetime | None = None
    encoding: Literal["der", "ber", "pieces", "pkcs7"] = "der"
    issuer: x509.Name | None = None
    serial: int | None = None
    further_signers: tuple[Identity, ...] = field(default=())


def signed_data(
    content_type: str,
    content: bytes,
    signer: Identity,
    certificates: tuple[x509.Certificate, ...],
    *,
    by_key_id: bool = False,
    habits: Habits | None = None,
) -> bytes:
    """CMS SignedData (RFC 5652) with content type and message digest as signed attributes.

    The signer is named by its subject key identifier, or by issuer and serial number.
    """
    chosen = habits or Habits(by_key_id=by_key_id)
    signers = (signer, *chosen.further_signers)
    body = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [_digest(chosen, item) for item in signers],
            "encap_content_info": {
                "content_type": content_type,
                "content": core.ParsableOctetString(content),
            },
            "certificates": [cms.CertificateChoices("certificate", item) for item in certificates],
            "signer_infos": [_signer_info(content_type, content, item, chosen) for item in signers],
        }
    )
    coded = bytes(cms.ContentInfo({"content_type": "signed_data", "content": body}).dump())
    if chosen.attributes == "unsorted":
        coded = _with_attributes_reversed(coded, content_type, content, signers, chosen)
    coded = coded.replace(b"\x02\x01\x03\x31", b"\x02\x01" + bytes([int(chosen.version[1:])]) + b"\x31", 1)
    if chosen.encoding == "pkcs7":
        return _without_octet_string(coded)
    return coded if chosen.encoding == "der" else indefinite(coded, pieces=chosen.encoding == "pieces")


def indefinite(coded: bytes, *, pieces: bool = False, depth: int = 0) -> bytes:
    """The outer levels of a structure with indefinite lengths, its content perhaps in strings of pieces.

    Certificates, attributes and everything else that is signed over stay as they are.
    """
    item = tlv.parse_one(coded)
    if item.tag == 0x04 and pieces:
        halves = item.value[: len(item.value) // 2], item.value[len(item.value) // 2 :]
        return b"\x24\x80" + b"".join(tlv.encode(0x04, half) for half in halves) + b"\0\0"
    if depth > 3 or item.tag not in {0x30, 0xA0} or (depth == 3 and item.tag == 0xA0):
        return coded
    parts = tlv.parse(item.value)
    inner = b"".join(indefinite(part.encode(), pieces=pieces, depth=depth + 1) for part in parts)
    return bytes([item.tag, 0x80]) + inner + b"\0\0"


def _without_octet_string(coded: bytes) -> bytes:
    """The content directly under its tag."""
    kind, body = tlv.parse(tlv.parse_one(coded).value)
    fields = list(tlv.parse(tlv.parse_one(body.value).value))
    content_type, content = tlv.parse(fields[2].value)
    bare = tlv.encode(0xA0, tlv.parse_one(content.value, 0x04).value)
    fields[2] = tlv.Tlv(0x30, content_type.encode() + bare)
    inside = tlv.encode(0x30, b"".join(part.encode() for part in fields))
    return tlv.encode(0x30, kind.encode() + tlv.encode(0xA0, inside))


def _signer_info(content_type: str, content: bytes, signer: Identity, habits: Habits) -> dict[str, Any]:
    written = _attributes(content_type, content, signer, habits)
    stored = bytes(written.untag().dump())
    # Signed as a SET OF, stored under an implicit tag: RFC 5652 section 5.4.
    info = {
        "version": "v3" if habits.by_key_id else "v1",
        "sid": _name(signer.certificate, habits),
        "digest_algorithm": _digest(habits, signer),
        "signature_algorithm": signer.algorithm,
        "signature": signer.sign(content if habits.attributes == "missing" else stored),
    }
    if habits.attributes != "missing":
        info["signed_attrs"] = written
    return info


def _attributes(content_type: str, content: bytes, signer: Identity, habits: Habits) -> cms.CMSAttributes:
    digested = tlv.parse_one(content).value if habits.encoding == "pkcs7" else content
    digest = hashlib.new(habits.digest or signer.digest, digested).digest()
    attributes = [
        {"type": "content_type", "values": [content_type]},
        {"type": "message_digest", "values": [digest]},
    ]
    if habits.signing_time is not None:
        time = cms.Time({"utc_time": habits.signing_time})
        attributes.append({"type": "signing_time", "values": [time]})
    return cms.CMSAttributes(attributes)


def _with_attributes_reversed(
    coded: bytes, content_type: str, content: bytes, signers: tuple[Identity, ...], habits: Habits
) -> bytes:
    """Each set of attributes stored backwards, as a library that does not sort them does."""
    for signer in signers:
        stored = tlv.parse_one(bytes(_attributes(content_type, content, signer, habits).untag().dump())).value
        backwards = b"".join(part.encode() for part in reversed(tlv.parse(stored)))
        coded = coded.replace(stored, backwards)
    return coded


def _digest(habits: Habits, signer: Identity) -> algos.DigestAlgorithm:
    named = {"algorithm": habits.digest_named or habits.digest or signer.digest}
    return algos.DigestAlgorithm(named | ({"parameters": core.Null()} if habits.digest_null else {}))


def _name(certificate: x509.Certificate, habits: Habits) -> cms.SignerIdentifier:
    if habits.by_key_id:
        return cms.SignerIdentifier("subject_key_identifier", certificate.key_identifier)
    serial = certificate.serial_number if habits.serial is None else habits.serial
    return cms.SignerIdentifier(
        "issuer_and_serial_number", {"issuer": habits.issuer or certificate.issuer, "serial_number": serial}
    )
