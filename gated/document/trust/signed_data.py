"""CMS SignedData (RFC 5652) as Doc 9303 uses it: content inside, signed attributes, as a rule one signer.

What is signed is the DER coding of the attributes as a SET OF, while they are stored under an implicit
tag; the content is bound to them by its hash and its type. Both are checked, or the signature says nothing.

States write such structures in every way that BER and habit allow. What only names things wrongly (the
signer, an algorithm) is taken if the signature then holds, since only the owner of the key can have made it;
`Proof.notes` tells each such liberty. What would leave something unsigned is never taken.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from asn1crypto import cms

from gated.document import keys, tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.asn1 import ASN1_ERRORS, definite, set_codings
from gated.document.trust.certificates import Certificate, parse_certificate
from gated.document.trust.names import CanonicalName, canonical, dotted
from gated.document.trust.signatures import (
    Scheme,
    digest_of,
    digest_of_length,
    parse_digest,
    parse_scheme,
    readings,
    verifies,
)

MAX_CERTIFICATES = 16
MAX_SIGNERS = 4
MAX_TRIES = 24  # ways to read a signature's algorithm: there are 15 for RSA keys and 6 for elliptic ones


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
        if self.serial is None or self.issuer != certificate.issuer:
            return False
        return same_serial(self.serial, certificate.serial)


@dataclass(frozen=True, slots=True)
class Proof:
    """A signature that holds: whose, how made, over which hash, and what was not as the standards say."""

    certificate: Certificate
    scheme: Scheme
    digest: str
    signing_time: datetime | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """One SignerInfo, unverified."""

    name: SignerName
    digest: str
    scheme: Scheme
    signature: bytes
    attributes: bytes
    stated_types: tuple[str, ...]
    stated_digests: tuple[bytes, ...]
    signing_time: datetime | None

    def prove(
        self, certificate: Certificate, content_type: str, content: bytes, tries: int = MAX_TRIES
    ) -> Proof:
        """Check content type, hash of the content and signature, the last in so many ways at most.

        Raises TrustError: `signed_type_wrong`, `signed_digest_wrong` or `signature_wrong`.
        """
        if self.stated_types != (content_type,):
            raise TrustError("signed_type_wrong")
        digest = self._digest_used(content)
        notes = [] if digest == self.digest else ["digest_algorithm_misnamed"]
        codings = set_codings(self.attributes)
        ways = islice(readings(certificate.key, self.scheme, self.digest), tries)
        for number, scheme in enumerate(ways):
            for coding in codings:
                if verifies(certificate.key, scheme, self.signature, coding):
                    if number or scheme.name != self.scheme.name:
                        notes.append("signature_algorithm_misnamed")
                    if len(codings) > 1:
                        notes.append("signed_attributes_not_der")
                    return Proof(certificate, scheme, digest, self.signing_time, tuple(notes))
        raise TrustError("signature_wrong")

    def _digest_used(self, content: bytes) -> str:
        """The hash that the content was signed by: the one named, or the one of its length if that fits.

        Nobody signs the name. Raises TrustError(`signed_digest_wrong`).
        """
        if len(self.stated_digests) != 1:
            raise TrustError("signed_digest_wrong")
        stated = self.stated_digests[0]
        if keys.equal(stated, digest_of(self.digest, content)):
            return self.digest
        by_length = digest_of_length(len(stated))
        if (
            by_length is None
            or by_length == self.digest
            or not keys.equal(stated, digest_of(by_length, content))
        ):
            raise TrustError("signed_digest_wrong")
        return by_length


@dataclass(frozen=True, slots=True, repr=False)
class SignedData:
    """A parsed structure; nothing of it is verified until `prove`.

    `unread` are the reasons why enclosed certificates could not be read.
    """

    content_type: str
    content: bytes
    digested: bytes
    certificates: tuple[Certificate, ...]
    unread: tuple[str, ...]
    signers: tuple[Signer, ...]
    notes: tuple[str, ...]

    def signer_certificate(self) -> Certificate | None:
        """The enclosed certificate that the first signer is named by."""
        return next((item for item in self.certificates if self.signers[0].name.means(item)), None)

    def verify(self, certificate: Certificate) -> Proof:
        """Check that this certificate's key made the first signature. Raises TrustError as `Signer.prove`."""
        return self.signers[0].prove(certificate, self.content_type, self.digested)

    def prove(self, known: Iterable[Certificate] = ()) -> Proof:
        """The first of `proofs`. Raises TrustError of the first attempt as that does."""
        return self.proofs(known)[0]

    def proofs(self, known: Iterable[Certificate] = ()) -> tuple[Proof, ...]:
        """The signatures that hold, with certificates enclosed or known otherwise; one for each signer.

        The certificate that is named goes before all; where none is, the enclosed ones are tried, since a
        wrong name takes nothing from a good signature. Raises TrustError of the first attempt if none holds:
        `signer_certificate_missing`, what became of a certificate that was enclosed, or as `Signer.prove`.
        Only one pair of signer and certificate is tried in every way, so that a hostile chip cannot make
        this long.
        """
        found: list[Proof] = []
        failure: TrustError | None = None
        for signer in self.signers:
            for certificate, notes in self._candidates(signer, tuple(known)):
                try:
                    tries = MAX_TRIES if failure is None and not found else 1
                    proof = signer.prove(certificate, self.content_type, self.digested, tries)
                except TrustError as error:
                    failure = failure or SignerFailure(error.code, certificate)
                else:
                    found.append(replace(proof, notes=(*self.notes, *notes, *proof.notes)))
                    break
        if found:
            return tuple(found)
        unread = next(iter(self.unread), "signer_certificate_missing")
        raise failure or TrustError(unread)

    def _candidates(
        self, signer: Signer, known: tuple[Certificate, ...]
    ) -> Iterator[tuple[Certificate, tuple[str, ...]]]:
        named = [item for item in self.certificates if signer.name.means(item)]
        yield from ((item, ()) for item in named)
        if not named:
            stored = [item for item in known if signer.name.means(item)]
            yield from ((item, ("signer_certificate_not_enclosed",)) for item in stored)
            yield from ((item, ("signer_named_otherwise",)) for item in self.certificates)


class SignerFailure(TrustError):
    """A signature that does not hold, with the certificate that it was to be held against."""

    def __init__(self, code: str, certificate: Certificate) -> None:
        super().__init__(code)
        self.certificate = certificate


def same_serial(one: int, other: int) -> bool:
    """Whether two serial numbers are the same octets: some states write them without the sign's zero."""
    return one == other or _octets(one) == _octets(other)


def parse_signed_data(raw: bytes, *, max_length: int, max_certificates: int = MAX_CERTIFICATES) -> SignedData:
    """Parse ContentInfo with SignedData, BER or DER. Raises TrustError and nothing else."""
    if len(raw) > max_length:
        raise TrustError("cms_too_long")
    try:
        coded = definite(raw)
        notes = () if coded == raw else ("cms_not_der",)
        return _read(_signed_data(coded), notes, max_certificates)
    except ASN1_ERRORS as error:
        raise TrustError("cms_malformed") from error
    except TrustError as error:
        raise TrustError("cms_malformed" if error.code.startswith("asn1_") else error.code) from error


def _signed_data(coded: bytes) -> Any:
    wrapper = cms.ContentInfo.load(coded, strict=True)
    if wrapper["content_type"].native != "signed_data":
        raise TrustError("cms_not_signed_data")
    return wrapper["content"]


def _read(body: Any, notes: tuple[str, ...], max_certificates: int) -> SignedData:
    infos = body["signer_infos"]
    if len(infos) == 0:
        raise TrustError("cms_no_signer")
    if len(infos) > MAX_SIGNERS:
        raise TrustError("cms_too_many_signers")
    if len(infos) > 1:
        notes = (*notes, "cms_several_signers")
    enclosed = body["certificates"] or ()
    if len(enclosed) > max_certificates:
        raise TrustError("cms_too_many_certificates")
    content_type, content, digested = _content(bytes(body.dump()))
    if content != digested:
        notes = (*notes, "cms_content_bare")
    certificates, unread = _certificates(enclosed)
    return SignedData(
        content_type=content_type,
        content=content,
        digested=digested,
        certificates=certificates,
        unread=unread,
        signers=_signers(infos),
        notes=notes,
    )


def _content(coded: bytes) -> tuple[str, bytes, bytes]:
    """Type, content, and what of it is hashed, whatever version the structure claims (RFC 5652 section 5.2).

    Without the octet string, as PKCS #7 had it, the hash is over the value of the content (section 5.2.1).
    """
    try:
        body = tlv.parse_one(coded, 0xA0, max_length=len(coded)).value
        fields = tlv.parse(tlv.parse_one(body, 0x30, max_length=len(coded)).value, max_length=len(coded))
        parts = tlv.parse(fields[2].value, max_length=len(coded))
        if [part.tag for part in parts] == [0x06]:
            raise TrustError("cms_content_missing")
        if [part.tag for part in parts] != [0x06, 0xA0]:
            raise TrustError("cms_malformed")
        whole = tlv.parse_one(parts[1].value, max_length=len(coded))
    except (TlvError, IndexError) as error:
        raise TrustError("cms_malformed") from error
    if whole.tag not in {0x04, 0x30}:
        raise TrustError("cms_malformed")
    content = whole.value if whole.tag == 0x04 else parts[1].value
    return dotted(parts[0].value), content, whole.value


def _certificates(enclosed: Any) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """The enclosed certificates that can be read, and why the others cannot."""
    found, unread = [], []
    for item in enclosed:
        if item.name != "certificate":
            continue
        try:
            found.append(parse_certificate(item.chosen.dump()))
        except TrustError as error:
            unread.append(error.code)
    return tuple(found), tuple(unread)


def _signers(infos: Any) -> tuple[Signer, ...]:
    """Those that can be read; if there is none, the trouble with the first is raised."""
    found, trouble = [], None
    for info in infos:
        try:
            found.append(_signer(info))
        except TrustError as error:
            trouble = trouble or error
    if not found and trouble is not None:
        raise trouble
    return tuple(found)


def _signer(info: Any) -> Signer:
    stored = info["signed_attrs"].dump()
    if not stored:
        raise TrustError("cms_attributes_missing")
    digest = parse_digest(info["digest_algorithm"])
    times = [value.native for value in _attribute(info, "signing_time")]
    return Signer(
        name=_signer_name(info["sid"]),
        digest=digest,
        scheme=parse_scheme(info["signature_algorithm"], digest),
        signature=bytes(info["signature"]),
        attributes=bytes(stored),
        stated_types=tuple(value.dotted for value in _attribute(info, "content_type")),
        stated_digests=tuple(bytes(value) for value in _attribute(info, "message_digest")),
        signing_time=times[0] if len(times) == 1 and isinstance(times[0], datetime) else None,
    )


def _signer_name(sid: Any) -> SignerName:
    if sid.name == "subject_key_identifier":
        return SignerName(None, None, bytes(sid.chosen))
    issuer = canonical(sid.chosen["issuer"].dump())
    return SignerName(issuer, sid.chosen["serial_number"].native, None)


def _attribute(signer: Any, name: str) -> list[Any]:
    """All values of all attributes of this type; whoever asks wants exactly one."""
    return [
        value
        for attribute in signer["signed_attrs"]
        if attribute["type"].native == name
        for value in attribute["values"]
    ]


def _octets(serial: int) -> bytes:
    length = (serial + (serial < 0)).bit_length() // 8 + 1
    return serial.to_bytes(length, "big", signed=True).lstrip(b"\0")
