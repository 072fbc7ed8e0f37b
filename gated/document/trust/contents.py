"""A file of trust material of any kind, taken apart: what it holds, what is usable, and why the rest is not.

Master lists, deviation lists and revocation lists (DER), certificates and revocation lists (DER or PEM, a
PEM file may hold many), and the LDIF files of the ICAO PKD, which hold all of these. Everything is reported
piece by piece: one that cannot be used never hides the others, and a list that does not count is told with
its content, which `TrustStore` then does not get.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gated.document import tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.certificates import Certificate, parse_certificate
from gated.document.trust.crls import RevocationList, parse_crl
from gated.document.trust.deviations import DEVIATION_LIST, Entry, parse_deviations
from gated.document.trust.ldif import MAX_LDIF, is_ldif, parse_ldif
from gated.document.trust.lists import (
    MASTER_LIST,
    SignedList,
    content_type_of,
    listed_certificates,
    look_at,
)
from gated.document.trust.names import readable

MAX_TRUST_FILE = MAX_LDIF
MAX_ARMOURED = 10_000

_SIGNED_DATA = bytes.fromhex("06092A864886F70D010702")
_ROLES = {
    "2.23.136.1.1.3": "master_list_signer",
    "2.23.136.1.1.8": "deviation_list_signer",
}


@dataclass(frozen=True, slots=True, repr=False)
class Piece:
    """One certificate: where it stands, what it is for, and why it is of no use here (empty if it is).

    `role` is csca, link, document_signer, master_list_signer, deviation_list_signer or other; `subject` is
    there also when the certificate could not be read otherwise, as far as its name could be. `vouched` is
    false for what stands in a list that does not count, or unsigned in a directory.
    """

    source: str
    role: str
    subject: str
    certificate: Certificate | None
    reason: str
    vouched: bool = True


@dataclass(slots=True, repr=False)
class Contents:
    """All pieces of one file, in order. `lists` are the signed lists, verified or not, with their place."""

    kind: str
    pieces: list[Piece] = field(default_factory=list)
    lists: list[tuple[str, SignedList]] = field(default_factory=list)
    crls: list[tuple[str, RevocationList]] = field(default_factory=list)
    deviations: list[tuple[str, tuple[Entry, ...]]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """Everything that is of no use, with its place and reason."""
        lists = [(source, looked.trouble) for source, looked in self.lists if looked.trouble]
        pieces = [(piece.source, piece.reason) for piece in self.pieces if piece.reason]
        return [*lists, *self.refused, *pieces]

    @property
    def roots(self) -> list[Certificate]:
        """Certificates that may sign others, and that somebody vouches for."""
        usable = (it for it in self.pieces if it.vouched and it.role in {"csca", "link"})
        return [it.certificate for it in usable if it.certificate]

    @property
    def signers(self) -> list[Certificate]:
        """Document signers, for documents that do not enclose theirs."""
        return [it.certificate for it in self.pieces if it.certificate and it.role == "document_signer"]


def take_apart(raw: bytes, anchors: Sequence[Certificate]) -> Contents:
    """Take a file apart. Raises TrustError for a file that is of no known kind, or malformed as a whole."""
    if len(raw) > MAX_TRUST_FILE:
        raise TrustError("file_too_long")
    if is_ldif(raw):
        contents = Contents("ldif")
        for entry in parse_ldif(raw):
            if entry.reason:
                contents.refused.append((f"line {entry.line}", entry.reason))
            else:
                _add(contents, entry.kind, entry.raw, f"line {entry.line}", anchors)
        contents.pieces = [_as_directory_entry(piece, anchors) for piece in contents.pieces]
        return contents
    if b"-----BEGIN " in raw[:65536]:
        contents = Contents("pem")
        for number, (label, der) in enumerate(_armoured(raw), 1):
            _add(contents, _kind_of(der, label), der, f"block {number}", anchors)
        return contents
    der = _without_filling(raw)
    kind = _kind_of(der, "")
    contents = Contents(kind)
    _add(contents, kind, der, "", anchors)
    return contents


def _without_filling(raw: bytes) -> bytes:
    """One object without the line ends or zeros that some files have behind it."""
    try:
        total = tlv.read_head(raw, max_length=len(raw)).total
    except TlvError:
        return raw
    return raw if raw[total:].strip(b"\0\r\n ") else raw[:total]


def _kind_of(der: bytes, label: str) -> str:
    """What a single object is. Raises TrustError for a CMS structure that is none of the lists."""
    if label == "X509 CRL":
        return "crl"
    if _SIGNED_DATA in der[:24]:
        return _cms_kind(der)
    return "crl" if _is_crl(der) else "certificate"


def _cms_kind(der: bytes) -> str:
    kinds = {MASTER_LIST: "master_list", DEVIATION_LIST: "deviation_list"}
    kind = kinds.get(content_type_of(der))
    if kind is None:
        raise TrustError("file_unknown")
    return kind


def _is_crl(der: bytes) -> bool:
    """A CertificateList has a time third or fourth, where a certificate has a name or a validity."""
    try:
        whole = tlv.parse(tlv.parse_one(der, 0x30, max_length=len(der)).value, max_length=len(der))
        tags = [item.tag for item in tlv.parse(whole[0].value, max_length=len(der))]
    except (TlvError, IndexError):
        return False
    return bool({0x17, 0x18} & set(tags))


def _add(contents: Contents, kind: str, raw: bytes, source: str, anchors: Sequence[Certificate]) -> None:
    try:
        if kind == "certificate":
            contents.pieces.append(_piece(raw, source))
        elif kind == "crl":
            contents.crls.append((source, parse_crl(raw)))
        else:
            _add_list(contents, kind, raw, source, anchors)
    except TrustError as error:
        contents.refused.append((source, error.code))


def _add_list(contents: Contents, kind: str, raw: bytes, source: str, anchors: Sequence[Certificate]) -> None:
    looked = look_at(raw, kind, anchors)
    contents.lists.append((source, looked))
    if kind == "deviation_list":
        contents.deviations.append((source, parse_deviations(looked.content)))
        return
    for number, der in enumerate(listed_certificates(looked.content), 1):
        place = f"certificate {number}"
        piece = _piece(der, f"{source}, {place}" if source else place)
        if piece.certificate is not None:
            piece = replace(piece, reason=piece.certificate.not_a_certifier)
        contents.pieces.append(replace(piece, vouched=not looked.trouble))


def _as_directory_entry(piece: Piece, anchors: Sequence[Certificate]) -> Piece:
    """A root that stands by itself in a directory is only a claim, unless an anchor signed it."""
    if "," in piece.source or piece.role not in {"csca", "link"} or piece.certificate is None:
        return piece
    if any(piece.certificate.is_signed_by(anchor) for anchor in anchors):
        return piece
    return replace(piece, reason="certificate_not_vouched_for", vouched=False)


def _piece(der: bytes, source: str) -> Piece:
    try:
        certificate = parse_certificate(der)
    except TrustError as error:
        return Piece(source, "other", _glimpse(der), None, error.code)
    role = _role(certificate)
    reason = certificate.not_a_document_signer if role == "other" else ""
    return Piece(source, role, certificate.subject_text, certificate, reason)


def _role(certificate: Certificate) -> str:
    if certificate.may_certify:
        return "csca" if certificate.subject == certificate.issuer else "link"
    listed = next((_ROLES[purpose] for purpose in certificate.purposes if purpose in _ROLES), None)
    return listed or ("other" if certificate.not_a_document_signer else "document_signer")


def _glimpse(der: bytes) -> str:
    """The subject of a certificate that cannot be read as a whole, empty if not even that can."""
    try:
        body = tlv.parse(tlv.parse(tlv.parse_one(der, 0x30).value)[0].value)
        names = [item for item in body if item.tag == 0x30]
        return readable(names[3].encode())
    except (TlvError, TrustError, IndexError):
        return ""


def _armoured(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The blocks of a PEM file (RFC 7468). Raises TrustError(`pem_malformed`)."""
    label, count = "", 0
    lines: list[bytes] = []
    for line in raw.splitlines():
        text = line.strip()
        if text.startswith(b"-----BEGIN ") and text.endswith(b"-----"):
            label, lines = text[11:-5].decode("ascii", "replace"), []
        elif text.startswith(b"-----END ") and label:
            try:
                yield label, b64decode(b"".join(lines), validate=True)
            except (binascii.Error, ValueError) as error:
                raise TrustError("pem_malformed") from error
            label, count = "", count + 1
            if count == MAX_ARMOURED:
                raise TrustError("file_too_long")
        elif label and b":" not in text:
            lines.append(text)
    if label:
        raise TrustError("pem_malformed")
