"""Signed lists: master lists of roots (Doc 9303-12 section 9) and deviation lists, and whose word they are.

A list counts only if its signer is certified for such lists, its signature holds, and the signer's root is
an anchor that the operator chose or follows from one by link certificates: the old key of a state signs its
new one, never the other way, so a younger root cannot anchor an older list. A root that signs a list itself,
as some have done, is no less its word; `list_signed_by_a_root` notes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gated.document import tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.certificates import Certificate, parse_certificate
from gated.document.trust.deviations import DEVIATION_LIST, MAX_DEVIATION_LIST, MAY_SIGN_DEVIATIONS
from gated.document.trust.signed_data import Proof, SignedData, parse_signed_data

MAX_MASTER_LIST = 16 * 1024 * 1024
MAX_LISTED = 10_000  # certificates in one list; national lists hold 500 to 600
MAX_ENCLOSED = 1_000  # certificates beside the list, where one belongs and some states put all
MAX_LINKS = 8  # roll-overs between an anchor and the root of a list's signer: three years each, at least

MASTER_LIST = "2.23.136.1.1.2"
MAY_SIGN_LISTS = "2.23.136.1.1.3"

_CONTENTS = {"master_list": MASTER_LIST, "deviation_list": DEVIATION_LIST}
_PURPOSES = {"master_list": MAY_SIGN_LISTS, "deviation_list": MAY_SIGN_DEVIATIONS}
_CAPS = {"master_list": MAX_MASTER_LIST, "deviation_list": MAX_DEVIATION_LIST}


@dataclass(frozen=True, slots=True, repr=False)
class SignedList:
    """A list whose signature was looked at. `trouble` says why it does not count, empty if it does.

    `content` is there in either case, so that a list can be shown; it must not be used while there is
    trouble. `root` is the certificate that the signer was traced to.
    """

    kind: str
    content: bytes
    signer: Certificate | None
    root: Certificate | None
    proof: Proof | None
    trouble: str


def content_type_of(raw: bytes) -> str:
    """What a CMS structure holds. Raises TrustError."""
    largest = max(_CAPS.values())
    return parse_signed_data(raw, max_length=largest, max_certificates=MAX_ENCLOSED).content_type


def look_at(raw: bytes, kind: str, anchors: Sequence[Certificate]) -> SignedList:
    """Verify a list (`master_list`, `deviation_list`) as far as it goes.

    Raises TrustError for what is no list of this kind at all.
    """
    signed = parse_signed_data(raw, max_length=_CAPS[kind], max_certificates=MAX_ENCLOSED)
    if signed.content_type != _CONTENTS[kind]:
        raise TrustError(f"{kind}_type")
    try:
        proof = signed.prove(anchors)
    except TrustError as error:
        signer = getattr(error, "certificate", None)
        missing = error.code == "signer_certificate_missing"
        code = f"{kind}_signer_missing" if missing else error.code
        return SignedList(kind, signed.content, signer, None, None, code)
    signer = proof.certificate
    root = _root_of(signer, signed, kind, anchors)
    trouble = "" if root is not None else f"{kind}_not_anchored"
    if _PURPOSES[kind] not in signer.purposes:
        if not signer.may_certify:
            trouble = f"{kind}_signer_not_allowed"
        elif root is None and any(signer.public_info == anchor.public_info for anchor in anchors):
            trouble, root = "", signer
        proof = replace(proof, notes=(*proof.notes, "list_signed_by_a_root"))
    return SignedList(kind, signed.content, signer, root, proof, trouble)


def open_list(raw: bytes, kind: str, anchors: Sequence[Certificate]) -> SignedList:
    """A list that counts. Raises TrustError with the reason of one that does not."""
    looked = look_at(raw, kind, anchors)
    if looked.trouble:
        raise TrustError(looked.trouble)
    return looked


def listed_certificates(content: bytes) -> list[bytes]:
    """CscaMasterList ::= SEQUENCE { version INTEGER, certList SET OF Certificate } (appendix A)."""
    try:
        whole = tlv.parse_one(content, 0x30, max_length=MAX_MASTER_LIST).value
        fields = tlv.parse(whole, max_length=MAX_MASTER_LIST)
        if [field.tag for field in fields] != [0x02, 0x31] or fields[0].value != b"\0":
            raise TrustError("master_list_malformed")
        items = tlv.parse(fields[1].value, max_length=MAX_MASTER_LIST, max_objects=MAX_LISTED)
    except TlvError as error:
        raise TrustError("master_list_malformed") from error
    return [item.encode() for item in items]


def _root_of(
    signer: Certificate, signed: SignedData, kind: str, anchors: Sequence[Certificate]
) -> Certificate | None:
    """The anchor or linked root that signed the signer."""
    direct = _signer_of(signer, anchors)
    if direct is not None:
        return direct
    known = list(anchors)
    links = [item for item in signed.certificates if item.may_certify]
    if kind == "master_list":
        links += _links_of(signer, signed.content)
    for _ in range(MAX_LINKS):
        certified = [link for link in links if link not in known and _signer_of(link, known) is not None]
        if not certified:
            return None
        known += certified
        root = _signer_of(signer, certified)
        if root is not None:
            return root
    return None


def _signer_of(certificate: Certificate, candidates: Iterable[Certificate]) -> Certificate | None:
    return next((item for item in candidates if certificate.is_signed_by(item)), None)


def _links_of(signer: Certificate, content: bytes) -> list[Certificate]:
    """Certificates in the list itself that lead to the signer's root by name: a link proves itself."""
    links = []
    for raw in listed_certificates(content):
        try:
            certificate = parse_certificate(raw)
        except TrustError:
            continue
        if certificate.may_certify and certificate.country == signer.country:
            links.append(certificate)
    return links
