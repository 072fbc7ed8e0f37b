"""CMS SignedData (RFC 5652) as Doc 9303 uses it: one signer, signed attributes, content inside.

What is signed is the DER coding of the attributes as a SET OF, while they are stored under an implicit
tag; the content is bound to them by its hash and its type. Both are checked, or the signature says nothing.
"""

from dataclasses import dataclass
from typing import Any

from asn1crypto import cms

from gated.document import keys
from gated.document.errors import TrustError
from gated.document.trust.certificates import CanonicalName, Certificate, canonical, parse_certificate
from gated.document.trust.signatures import ASN1_ERRORS, Scheme, digest_of, parse_scheme, verifies

MAX_CERTIFICATES = 16

_SET_OF = b"\x31"


@dataclass(frozen=True, slots=True)
class SignerName:
    """How the structure names its signer: by issuer and serial number, or by key identifier."""

    issuer: CanonicalName | None
    serial: int | None
    key_id: bytes | None

    def means(self, certificate: Certificate) -> bool:
        """Whether this certificate is the one named; names are compared in their canonical form."""
        if self.key_id is not None:
            return self.key_id == certificate.key_id
        return (self.issuer, self.serial) == (certificate.issuer, certificate.serial)


@dataclass(frozen=True, slots=True, repr=False)
class SignedData:
    """A parsed structure; nothing of it is verified until `verify`."""

    content_type: str
    content: bytes
    certificates: tuple[Certificate, ...]
    signer: SignerName
    digest: str
    scheme: Scheme
    signature: bytes
    attributes: bytes
    stated_types: tuple[str, ...]
    stated_digests: tuple[bytes, ...]

    def signer_certificate(self) -> Certificate | None:
        """The enclosed certificate that the signer is named by."""
        return next((item for item in self.certificates if self.signer.means(item)), None)

    def verify(self, certificate: Certificate) -> None:
        """Check content type, hash of the content and signature.

        Raises TrustError: `signed_type_wrong`, `signed_digest_wrong`, `signature_wrong`, or that key and
        algorithm do not go together.
        """
        if self.stated_types != (self.content_type,):
            raise TrustError("signed_type_wrong")
        digest = digest_of(self.digest, self.content)
        if len(self.stated_digests) != 1 or not keys.equal(self.stated_digests[0], digest):
            raise TrustError("signed_digest_wrong")
        if not verifies(certificate.key, self.scheme, self.signature, self.attributes):
            raise TrustError("signature_wrong")


def parse_signed_data(raw: bytes, *, max_length: int) -> SignedData:
    """Parse ContentInfo with SignedData. Raises TrustError and nothing else."""
    if len(raw) > max_length:
        raise TrustError("cms_too_long")
    try:
        wrapper = cms.ContentInfo.load(raw, strict=True)
        if wrapper["content_type"].native != "signed_data":
            raise TrustError("cms_not_signed_data")
        return _read(wrapper["content"])
    except ASN1_ERRORS as error:
        raise TrustError("cms_malformed") from error


def _read(body: Any) -> SignedData:
    if len(body["signer_infos"]) != 1:
        raise TrustError("cms_not_one_signer")
    signer = body["signer_infos"][0]
    enclosed = body["certificates"] or ()
    if len(enclosed) > MAX_CERTIFICATES:
        raise TrustError("cms_too_many_certificates")
    stored = signer["signed_attrs"].dump()
    if not stored:
        raise TrustError("cms_attributes_missing")
    digest = signer["digest_algorithm"]["algorithm"].native
    return SignedData(
        content_type=body["encap_content_info"]["content_type"].dotted,
        content=bytes(body["encap_content_info"]["content"]),
        certificates=tuple(parse_certificate(item.chosen.dump()) for item in enclosed),
        signer=_signer_name(signer["sid"]),
        digest=digest,
        scheme=parse_scheme(signer["signature_algorithm"], digest),
        signature=bytes(signer["signature"]),
        attributes=_SET_OF + stored[1:],
        stated_types=tuple(value.dotted for value in _attribute(signer, "content_type")),
        stated_digests=tuple(bytes(value) for value in _attribute(signer, "message_digest")),
    )


def _signer_name(sid: Any) -> SignerName:
    if sid.name == "subject_key_identifier":
        return SignerName(None, None, bytes(sid.chosen))
    return SignerName(canonical(sid.chosen["issuer"]), sid.chosen["serial_number"].native, None)


def _attribute(signer: Any, name: str) -> list[Any]:
    """All values of all attributes of this type; whoever asks wants exactly one."""
    return [
        value
        for attribute in signer["signed_attrs"]
        if attribute["type"].native == name
        for value in attribute["values"]
    ]
