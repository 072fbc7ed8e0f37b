"""The roots that document signers are checked against: CSCA certificates from master lists and files.

A master list counts only if its signature leads to an anchor that the operator chose. Files that the
operator chose must be usable, or loading fails and says which is not. What a list holds is not the
operator's choice: each certificate is read wholly when the store is loaded, and what cannot be used is
left out and named with its reason, so that one odd certificate never costs the other five hundred.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.certificates import CanonicalName, Certificate, parse_certificate
from gated.document.trust.signed_data import SignedData, parse_signed_data

MAX_MASTER_LIST = 16 * 1024 * 1024
MAX_LISTED = 10_000  # certificates in one list; national lists hold 500 to 600

MASTER_LIST = "2.23.136.1.1.2"
MAY_SIGN_LISTS = "2.23.136.1.1.3"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A listed certificate that is not used: where it stands (`master list 1, certificate 12`), and why."""

    source: str
    reason: str


class TrustStore:
    """CSCA certificates, found by key identifier and by name."""

    def __init__(self, roots: Iterable[Certificate], refused: Iterable[Refusal] = ()) -> None:
        by_hash = {hashlib.sha256(root.der).digest(): root for root in roots}
        self.roots = tuple(by_hash.values())
        self.refused = tuple(refused)
        self.sha256 = hashlib.sha256(b"".join(sorted(by_hash))).hexdigest()
        self._by_key: dict[bytes, list[Certificate]] = {}
        self._by_name: dict[CanonicalName, list[Certificate]] = {}
        for root in self.roots:
            self._by_name.setdefault(root.subject, []).append(root)
            if root.key_id is not None:
                self._by_key.setdefault(root.key_id, []).append(root)

    def __len__(self) -> int:
        return len(self.roots)

    @classmethod
    def load(
        cls, master_lists: Sequence[bytes], certificates: Sequence[bytes], anchors: Sequence[bytes]
    ) -> "TrustStore":
        """Read master lists (DER), single CSCA certificates and anchors (DER or PEM).

        Raises TrustError with `source` for an unusable list, certificate or anchor; listed certificates
        that are unusable go to `refused`.
        """
        chosen = [_chosen(raw, f"anchor {number}") for number, raw in enumerate(anchors, 1)]
        roots = [_chosen(raw, f"certificate {number}") for number, raw in enumerate(certificates, 1)]
        refused: list[Refusal] = []
        for number, raw in enumerate(master_lists, 1):
            source = f"master list {number}"
            try:
                listed = _open_list(raw, chosen)
            except TrustError as error:
                raise TrustError(error.code, source) from error
            roots += _usable(source, listed, refused)
        return cls(roots, refused)

    def issuers_of(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """All roots that may have signed it: by key identifier first, then all of the issuer's name."""
        found: list[Certificate] = []
        if certificate.authority_key_id is not None:
            found += self._by_key.get(certificate.authority_key_id, ())
        found += (root for root in self._by_name.get(certificate.issuer, ()) if root not in found)
        return tuple(found)


def _chosen(raw: bytes, source: str) -> Certificate:
    """A certificate that the operator chose. Raises TrustError with its source."""
    try:
        return _certifier(raw)
    except TrustError as error:
        raise TrustError(error.code, source) from error


def _usable(source: str, listed: Sequence[bytes], refused: list[Refusal]) -> Iterator[Certificate]:
    """The listed certificates that can be used to check others; the rest goes to `refused`."""
    for number, raw in enumerate(listed, 1):
        try:
            yield _certifier(raw)
        except TrustError as error:
            refused.append(Refusal(f"{source}, certificate {number}", error.code))


def _certifier(raw: bytes) -> Certificate:
    certificate = parse_certificate(raw)
    if not certificate.may_certify:
        raise TrustError("certificate_not_a_ca")
    return certificate


def _open_list(raw: bytes, anchors: list[Certificate]) -> list[bytes]:
    """Verify a master list (Doc 9303-12 section 9) and return its certificates."""
    signed = parse_signed_data(raw, max_length=MAX_MASTER_LIST)
    if signed.content_type != MASTER_LIST:
        raise TrustError("master_list_type")
    signer = signed.signer_certificate()
    if signer is None:
        raise TrustError("master_list_signer_missing")
    if MAY_SIGN_LISTS not in signer.purposes:
        raise TrustError("master_list_signer_not_allowed")
    signed.verify(signer)
    if not _leads_to_anchor(signer, signed, anchors):
        raise TrustError("master_list_not_anchored")
    return _listed(signed.content)


def _leads_to_anchor(signer: Certificate, signed: SignedData, anchors: list[Certificate]) -> bool:
    """Signed by an anchor, or by an enclosed CSCA that an anchor signed (a link certificate)."""
    if any(signer.is_signed_by(anchor) for anchor in anchors):
        return True
    links = [item for item in signed.certificates if item.may_certify and signer.is_signed_by(item)]
    return any(link.is_signed_by(anchor) for link in links for anchor in anchors)


def _listed(content: bytes) -> list[bytes]:
    """CscaMasterList ::= SEQUENCE { version INTEGER, certList SET OF Certificate } (appendix A)."""
    try:
        fields = tlv.parse(
            tlv.parse_one(content, 0x30, max_length=MAX_MASTER_LIST).value, max_length=MAX_MASTER_LIST
        )
        if [field.tag for field in fields] != [0x02, 0x31] or fields[0].value != b"\0":
            raise TrustError("master_list_malformed")
        items = tlv.parse(fields[1].value, max_length=MAX_MASTER_LIST, max_objects=MAX_LISTED)
    except TlvError as error:
        raise TrustError("master_list_malformed") from error
    return [item.encode() for item in items]
