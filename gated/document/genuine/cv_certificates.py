"""Card-verifiable certificates (TR-03110-3, C and D; Doc 9303-12 section 7.2): what a terminal shows a chip.

A country's CVCA certifies document verifiers (DV), those certify inspection systems. A certificate names its
issuer and its holder by references, brings a public key, the holder's role and rights, and two dates. On
elliptic curves only a CVCA writes the domain parameters out; who is below it uses the same ones.

Whoever verifies here is the terminal, and only to find out in time that its own credentials are wrong; the
chip decides by itself, and by its own date.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from gated.document import tlv
from gated.document.errors import CurveError, CvError, TlvError
from gated.document.groups.curves import Curve, by_parameters
from gated.document.tlv import Tlv
from gated.document.trust import signatures
from gated.document.trust.signatures import EllipticKey, PublicKey, RsaKey, Scheme

MAX_CERTIFICATE = 4096  # bytes; with a modulus of 4096 bits and its signature about 1.2 KiB
MAX_EXTENSIONS = 16
MIN_RSA_BITS = 1024
MAX_RSA_BITS = 4096
MAX_RSA_EXPONENT_BITS = 32  # A.6.3.2

_TERMINAL_AUTHENTICATION = bytes.fromhex("04007F0007020202")  # id-TA, 0.4.0.127.0.7.2.2.2
_INSPECTION_SYSTEM = bytes.fromhex("04007F000703010201")  # id-IS, 0.4.0.127.0.7.3.1.2.1
_SCHEMES = {
    b"\x01\x01": ("rsa", "sha1"),
    b"\x01\x02": ("rsa", "sha256"),
    b"\x01\x03": ("pss", "sha1"),
    b"\x01\x04": ("pss", "sha256"),
    b"\x01\x05": ("rsa", "sha512"),
    b"\x01\x06": ("pss", "sha512"),
    b"\x02\x01": ("ecdsa", "sha1"),
    b"\x02\x02": ("ecdsa", "sha224"),
    b"\x02\x03": ("ecdsa", "sha256"),
    b"\x02\x04": ("ecdsa", "sha384"),
    b"\x02\x05": ("ecdsa", "sha512"),
}
_SALTS = {"sha1": 20, "sha256": 32, "sha512": 64}
_BODY = (0x5F29, 0x42, 0x7F49, 0x5F20, 0x7F4C, 0x5F25, 0x5F24)  # and 65, the extensions, where there are any
_DOMAIN = (0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87)  # with the public point, 86, in between
_REFERENCE = re.compile("[A-Z]{2}[\x20-\x7e\xa0-\xff]{0,9}[0-9A-Z]{5}")


class Role(IntEnum):
    """The two highest bits of the authorisation (C.4.1)."""

    TERMINAL = 0
    DV_FOREIGN = 1
    DV_DOMESTIC = 2
    CVCA = 3


_ISSUES = {  # sections 2.1 and 2.2
    Role.CVCA: (Role.CVCA, Role.DV_DOMESTIC, Role.DV_FOREIGN),
    Role.DV_DOMESTIC: (Role.TERMINAL,),
    Role.DV_FOREIGN: (Role.TERMINAL,),
    Role.TERMINAL: (),
}


@dataclass(frozen=True, slots=True)
class Authorization:
    """A role and what its holder may read at most (C.4.1)."""

    role: Role
    fingerprints: bool  # DG3
    irises: bool  # DG4

    def under(self, issuer: "Authorization") -> "Authorization":
        """What is left of it under what the issuer may grant."""
        fingers, irises = self.fingerprints and issuer.fingerprints, self.irises and issuer.irises
        return Authorization(self.role, fingers, irises)


@dataclass(frozen=True, slots=True)
class CvKey:
    """A public key as a certificate brings it; `point` is coded, its curve None where it is the issuer's."""

    scheme: Scheme
    rsa: RsaKey | None = None
    point: bytes = b""
    curve: Curve | None = None


@dataclass(frozen=True, slots=True, repr=False)
class CvCertificate:
    """A certificate as parsed; nothing of it is verified. `body` (7F4E) is what is signed."""

    body: bytes
    signature: bytes
    issuer: str
    holder: str
    key: CvKey
    authorization: Authorization
    effective: date
    expires: date

    def __repr__(self) -> str:
        return f"CvCertificate({self.holder!r} by {self.issuer!r}, {self.authorization.role.name})"

    @property
    def is_root(self) -> bool:
        """Whether it names itself as its issuer; a link certificate names the CVCA's reference before."""
        return self.issuer == self.holder

    @property
    def content(self) -> bytes:
        """Body and signature, as PSO:Verify Certificate takes them."""
        return self.body + tlv.encode(0x5F37, self.signature)

    @property
    def coded(self) -> bytes:
        """The whole certificate (7F21)."""
        return tlv.encode(0x7F21, self.content)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose key is known and who may issue: a trust point, or who was certified below one."""

    reference: str
    public: PublicKey
    scheme: Scheme
    authorization: Authorization


def parse_reference(coded: bytes) -> str:
    """The reference of a key (A.6.1): state, mnemonic, sequence number. Raises CvError(`cv_reference`)."""
    text = coded[:17].decode("latin-1")
    if not _REFERENCE.fullmatch(text):
        raise CvError("cv_reference")
    return text


def parse_certificate(raw: bytes) -> CvCertificate:
    """Read one certificate (C.1). Raises CvError.

    `cv_malformed`, `cv_profile`, `cv_reference`, `cv_algorithm`, `cv_key`, `cv_not_inspection_system`,
    `cv_role`, `cv_date`, `cv_extensions`. Extensions are passed over: none is defined for these roles.
    """
    try:
        parts = tlv.parse(tlv.parse_one(raw, 0x7F21, max_length=MAX_CERTIFICATE).value)
        if [part.tag for part in parts] != [0x7F4E, 0x5F37]:
            raise CvError("cv_malformed")
        return _parse_body(parts[0], parts[1].value)
    except (TlvError, CurveError) as error:
        raise CvError("cv_key" if isinstance(error, CurveError) else "cv_malformed") from error


def trust_point(certificate: CvCertificate) -> Holder:
    """A CVCA as holder, taken at its word: the certificate's signature is not looked at.

    Raises CvError: `cv_not_a_cvca`, `cv_domain_parameters_missing`.
    """
    if certificate.authorization.role is not Role.CVCA:
        raise CvError("cv_not_a_cvca")
    return _holder(certificate, None, certificate.authorization)


def verify_certificate(certificate: CvCertificate, issuer: Holder) -> Holder:
    """The holder of a certificate, by the issuer's key. Dates are another question (`check_dates`).

    Raises CvError: `cv_issuer_differs`, `cv_role_not_allowed`, `cv_signature_wrong`,
    `cv_domain_parameters_missing`, `cv_domain_parameters_not_allowed`, `cv_key`.
    """
    if certificate.issuer != issuer.reference:
        raise CvError("cv_issuer_differs")
    role = certificate.authorization.role
    if role not in _ISSUES[issuer.authorization.role]:
        raise CvError("cv_role_not_allowed")
    if not signs(issuer, certificate.signature, certificate.body):
        raise CvError("cv_signature_wrong")
    if role is Role.CVCA:  # of a new trust point its own rights count
        authorization = certificate.authorization
    else:
        authorization = certificate.authorization.under(issuer.authorization)
        if certificate.key.curve is not None:
            raise CvError("cv_domain_parameters_not_allowed")
    return _holder(certificate, issuer, authorization)


def check_dates(certificate: CvCertificate, on: date) -> None:
    """Whether a certificate can be used on that day; the last day counts. Raises CvError.

    `cv_not_yet_valid`, `cv_expired`; the latter never for a link certificate, which a chip accepts however
    late it learns of it (section 2.5).
    """
    if on < certificate.effective:
        raise CvError("cv_not_yet_valid")
    if on > certificate.expires and certificate.authorization.role is not Role.CVCA:
        raise CvError("cv_expired")


def signs(holder: Holder, signature: bytes, message: bytes) -> bool:
    """Whether a signature is the holder's, in the one length that it can have: ECDSA in the plain form."""
    public = holder.public
    order = public.n if isinstance(public, RsaKey) else public.curve.n
    numbers = 1 if isinstance(public, RsaKey) else 2
    if len(signature) != numbers * ((order.bit_length() + 7) // 8):
        return False
    return signatures.verifies(public, holder.scheme, signature, message)


def _parse_body(body: Tlv, signature: bytes) -> CvCertificate:
    parts = tlv.parse(body.value)
    tags = tuple(part.tag for part in parts)
    if tags not in {_BODY, (*_BODY, 0x65)}:
        raise CvError("cv_malformed")
    profile, issuer, key, holder, template, effective, expires = (part.value for part in parts[:7])
    if profile != b"\0":
        raise CvError("cv_profile")
    if len(parts) > len(_BODY):
        _check_extensions(parts[-1].value)
    certificate = CvCertificate(
        body=body.encode(),
        signature=signature,
        issuer=parse_reference(issuer),
        holder=parse_reference(holder),
        key=_parse_key(key),
        authorization=_parse_authorization(template),
        effective=_parse_date(effective),
        expires=_parse_date(expires),
    )
    if certificate.expires < certificate.effective:
        raise CvError("cv_date")
    return certificate


def _parse_key(coded: bytes) -> CvKey:
    """A public key (D.3). Raises CvError, TlvError, CurveError."""
    algorithm, *parts = tlv.parse(coded, max_objects=8) or (Tlv(0, b""),)
    arcs = algorithm.value.removeprefix(_TERMINAL_AUTHENTICATION)
    if algorithm.tag != 0x06 or arcs == algorithm.value or arcs not in _SCHEMES:
        raise CvError("cv_algorithm")
    name, digest = _SCHEMES[arcs]
    scheme = Scheme(name, digest, digest, _SALTS[digest]) if name == "pss" else Scheme(name, digest)
    tags = [part.tag for part in parts]
    if name == "ecdsa":
        return _parse_point(scheme, parts)
    if tags != [0x81, 0x82]:
        raise CvError("cv_key")
    n, e = (int.from_bytes(part.value, "big") for part in parts)
    too_large = e.bit_length() > MAX_RSA_EXPONENT_BITS
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS or n % 2 == 0 or e % 2 == 0 or e < 3 or too_large:
        raise CvError("cv_key")
    return CvKey(scheme, RsaKey(n, e))


def _parse_point(scheme: Scheme, parts: list[Tlv]) -> CvKey:
    """A point alone, or with the domain parameters of a known curve; the cofactor may be left out (D.3.3)."""
    point = tlv.only(parts, 0x86)
    if len(parts) == 1:
        return CvKey(scheme, point=point)
    if tuple(part.tag for part in parts) not in {_DOMAIN, _DOMAIN[:-1]}:
        raise CvError("cv_key")
    numbers = {part.tag: int.from_bytes(part.value, "big") for part in parts}
    curve = by_parameters(
        *(numbers[tag] for tag in (0x81, 0x82, 0x83)),
        base=tlv.only(parts, 0x84),
        n=numbers[0x85],
        cofactor=numbers.get(0x87, 1),
    )
    curve.decode(point)
    return CvKey(scheme, point=point, curve=curve)


def _parse_authorization(template: bytes) -> Authorization:
    """The certificate holder authorisation template (C.1.5, C.4.1)."""
    parts = tlv.parse(template)
    if [part.tag for part in parts] != [0x06, 0x53]:
        raise CvError("cv_malformed")
    if parts[0].value != _INSPECTION_SYSTEM:
        raise CvError("cv_not_inspection_system")
    if len(parts[1].value) != 1:
        raise CvError("cv_role")
    bits = parts[1].value[0]
    return Authorization(Role(bits >> 6), fingerprints=bool(bits & 0x01), irises=bool(bits & 0x02))


def _parse_date(coded: bytes) -> date:
    """YYMMDD of this century, a digit in each byte (D.2.1.3)."""
    if len(coded) != 6 or any(digit > 9 for digit in coded):
        raise CvError("cv_date")
    year, month, day = (10 * coded[at] + coded[at + 1] for at in (0, 2, 4))
    try:
        return date(2000 + year, month, day)
    except ValueError as error:
        raise CvError("cv_date") from error


def _check_extensions(coded: bytes) -> None:
    """Discretionary data templates, each with its identifier in front (C.3)."""
    for template in tlv.parse(coded, max_objects=MAX_EXTENSIONS):
        parts = tlv.parse(template.value, max_objects=MAX_EXTENSIONS)
        if template.tag != 0x73 or not parts or parts[0].tag != 0x06:
            raise CvError("cv_extensions")


def _holder(certificate: CvCertificate, issuer: Holder | None, authorization: Authorization) -> Holder:
    """With the curve of the certificate, or the issuer's."""
    key = certificate.key
    if key.rsa is not None:
        return Holder(certificate.holder, key.rsa, key.scheme, authorization)
    curve = key.curve
    if curve is None and issuer is not None and isinstance(issuer.public, EllipticKey):
        curve = issuer.public.curve
    if curve is None:
        raise CvError("cv_domain_parameters_missing")
    try:
        public = EllipticKey(curve, curve.decode(key.point))
    except CurveError as error:
        raise CvError("cv_key") from error
    return Holder(certificate.holder, public, key.scheme, authorization)
