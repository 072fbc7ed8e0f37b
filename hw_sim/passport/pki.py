"""The public-key infrastructure of a simulated issuing state (Doc 9303-12), written out field by field.

An `Authority` is one state: a country signing CA (CSCA), a document signer and a master list signer, each
with its key. The certificates follow the profiles of Doc 9303-12 section 7, with what readers trip over
in practice: the CSCA carries its elliptic curve as explicit parameters, as nearly all of the real ones do.

Utopia is `UTO` in documents (Doc 9303-3) and `UT` in names of certificates, where ICAO asks for the ISO
3166-1 two-letter code; the alternative names of its certificates carry `UTO` as locality, so that a reader
can compare the issuing state of DG1 with the state of the CSCA.

Elliptic keys, and the signatures made with them (RFC 6979), follow from the seed: a run is repeatable.
RSA keys and RSA-PSS salts are drawn anew each time. Keys made from a seed protect nothing but a simulation.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Literal

from asn1crypto import algos, cms, core, keys, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gated.document.groups.curves import by_oid

CONTENT_LDS = "2.23.136.1.1.1"  # ldsSecurityObject
CONTENT_MASTER_LIST = "2.23.136.1.1.2"
PURPOSE_MASTER_LIST = "2.23.136.1.1.3"  # extended key usage of a master list signer
EXTENSION_DOCUMENT_TYPES = "2.23.136.1.1.6.2"

CurveName = Literal["secp256r1", "secp384r1", "brainpoolP256r1", "brainpoolP384r1"]
Scheme = Literal["ecdsa", "rsa-pss"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_CURVES: dict[str, ec.EllipticCurve] = {
    "secp256r1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
}
_RSA_BITS = 2048


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A private key with the certificate of its public half."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate, DER coded."""
        return bytes(self.certificate.dump())

    @property
    def digest(self) -> str:
        """The hash that goes with the key: as strong as the curve."""
        return _digest_of(self.key)

    def sign(self, data: bytes) -> bytes:
        """Sign: ECDSA (RFC 6979) or RSA-PSS with a salt as long as the hash."""
        return _sign(self.key, self.digest, data)

    @property
    def algorithm(self) -> algos.SignedDigestAlgorithm:
        """How `sign` signs, as an algorithm identifier."""
        return _algorithm(self.key, self.digest)


@dataclass(frozen=True, slots=True, repr=False)
class Authority:
    """One issuing state. `state` is its code in documents, `country` the one in certificates."""

    state: str
    country: str
    csca: Identity
    document_signer: Identity
    list_signer: Identity

    @classmethod
    def establish(
        cls,
        seed: str,
        *,
        today: date,
        state: str = "UTO",
        country: str = "UT",
        curve: CurveName = "brainpoolP256r1",
        scheme: Scheme = "ecdsa",
        explicit: bool = True,
    ) -> "Authority":
        """Found a state: its CSCA two years before `today`, its signers two months before.

        `scheme` is the document signer's; `explicit` writes the CSCA's curve out in full.
        """
        maker = _Maker(seed, state, country, today)
        root_key = _elliptic_key(f"{seed}/csca", curve)
        csca = maker.csca(root_key, explicit=explicit)
        signer_key: PrivateKey = _elliptic_key(f"{seed}/document-signer", "secp256r1")
        if scheme == "rsa-pss":
            signer_key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
        list_key = _elliptic_key(f"{seed}/list-signer", "secp256r1")
        return cls(
            state=state,
            country=country,
            csca=csca,
            document_signer=maker.document_signer(signer_key, csca),
            list_signer=maker.list_signer(list_key, csca),
        )

    @property
    def anchor(self) -> bytes:
        """The CSCA's certificate, DER coded: what a gate trusts master lists by."""
        return self.csca.der

    def master_list(self, *others: "Authority") -> bytes:
        """A signed list of this state's CSCA and those of others (Doc 9303-12 section 9)."""
        roots = _CertificateSet([state.csca.certificate for state in (self, *others)])
        content = _CscaMasterList({"version": 0, "certificates": roots})
        chain = (self.list_signer.certificate, self.csca.certificate)
        return signed_data(CONTENT_MASTER_LIST, content.dump(), self.list_signer, chain, by_key_id=True)

    def sign_document(self, security_object: bytes, *, by_key_id: bool = False) -> bytes:
        """Sign an LDS security object: the CMS that EF.SOD wraps (Doc 9303-10 section 4.6.2)."""
        signer = self.document_signer
        return signed_data(CONTENT_LDS, security_object, signer, (signer.certificate,), by_key_id=by_key_id)


def signed_data(
    content_type: str,
    content: bytes,
    signer: Identity,
    certificates: tuple[x509.Certificate, ...],
    *,
    by_key_id: bool,
) -> bytes:
    """CMS SignedData (RFC 5652) with content type and message digest as signed attributes.

    The signer is named by its subject key identifier, or by issuer and serial number.
    """
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.new(signer.digest, content).digest()]},
        ]
    )
    info = {
        "version": "v3" if by_key_id else "v1",
        "sid": _signer_identifier(signer.certificate, by_key_id=by_key_id),
        "digest_algorithm": {"algorithm": signer.digest},
        "signed_attrs": attributes,
        "signature_algorithm": signer.algorithm,
        # Signed as a SET OF, stored under an implicit tag: RFC 5652 section 5.4.
        "signature": signer.sign(attributes.untag().dump()),
    }
    body = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": signer.digest}],
            "encap_content_info": {
                "content_type": content_type,
                "content": core.ParsableOctetString(content),
            },
            "certificates": [cms.CertificateChoices("certificate", item) for item in certificates],
            "signer_infos": [info],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": body}).dump())


class _CertificateSet(core.SetOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = x509.Certificate


class _CscaMasterList(core.Sequence):  # type: ignore[misc]
    """CscaMasterList, Doc 9303-12 appendix A."""

    _fields: ClassVar[list[tuple[str, type]]] = [("version", core.Integer), ("certificates", _CertificateSet)]


class _DocumentTypes(core.SetOf):  # type: ignore[misc]
    _child_spec = core.PrintableString


class _DocumentTypeList(core.Sequence):  # type: ignore[misc]
    """DocumentTypeList, Doc 9303-12 section 7.1.1.6."""

    _fields: ClassVar[list[tuple[str, type]]] = [("version", core.Integer), ("types", _DocumentTypes)]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Writes the certificates of one state."""

    seed: str
    state: str
    country: str
    today: date

    def csca(self, key: ec.EllipticCurvePrivateKey, *, explicit: bool) -> Identity:
        """A self-signed root: signs for five years, is valid for as long as its youngest passport."""
        public = _public_info(key)
        if explicit:
            public["algorithm"]["parameters"] = _in_full(public["algorithm"]["parameters"])
        extensions = [
            _extension("basic_constraints", {"ca": True, "path_len_constraint": 0}, critical=True),
            _extension("key_usage", {"key_cert_sign", "crl_sign"}, critical=True),
        ]
        subject = _Subject("csca", f"CSCA {self.state}", key, public, 730, 5475)
        return self._certify(subject, extensions, None)

    def document_signer(self, key: PrivateKey, csca: Identity) -> Identity:
        """Signs passports (`P`) for three months; valid until the last of them expires."""
        types = _DocumentTypeList({"version": 0, "types": _DocumentTypes(["P"])})
        extensions = [
            _extension("key_usage", {"digital_signature"}, critical=True),
            _extension(EXTENSION_DOCUMENT_TYPES, core.ParsableOctetString(types.dump())),
        ]
        subject = _Subject("document-signer", "Document Signer 1", key, _public_info(key), 60, 3800)
        return self._certify(subject, extensions, csca)

    def list_signer(self, key: PrivateKey, csca: Identity) -> Identity:
        """Signs master lists."""
        extensions = [
            _extension("key_usage", {"digital_signature"}, critical=True),
            _extension("extended_key_usage", [PURPOSE_MASTER_LIST], critical=True),
        ]
        subject = _Subject("list-signer", "Master List Signer 1", key, _public_info(key), 60, 400)
        return self._certify(subject, extensions, csca)

    def _certify(
        self, about: "_Subject", extensions: list[dict[str, Any]], issuer: Identity | None
    ) -> Identity:
        """Sign a certificate with the issuer's key, or with its own."""
        key_id = hashlib.sha1(bytes(about.public["public_key"])).digest()  # noqa: S324 - RFC 5280, 4.2.1.2
        parent = issuer.certificate if issuer else None
        signing_key = issuer.key if issuer else about.key
        digest = _digest_of(signing_key)
        name = self._name(about)
        tbs = x509.TbsCertificate(
            {
                "version": "v3",
                "serial_number": _number(f"{self.seed}/{about.role}/serial", 8),
                "signature": _algorithm(signing_key, digest),
                "issuer": parent.subject if parent else name,
                "validity": {
                    "not_before": self._time(-about.days_before),
                    "not_after": self._time(about.days_after),
                },
                "subject": name,
                "subject_public_key_info": about.public,
                "extensions": [
                    *extensions,
                    _extension("key_identifier", key_id),
                    _extension(
                        "authority_key_identifier",
                        {"key_identifier": parent.key_identifier if parent else key_id},
                    ),
                    _extension("subject_alt_name", self._state_name()),
                    _extension("issuer_alt_name", self._state_name()),
                ],
            }
        )
        signature = _sign(signing_key, digest, tbs.dump())
        certificate = x509.Certificate(
            {
                "tbs_certificate": tbs,
                "signature_algorithm": _algorithm(signing_key, digest),
                "signature_value": signature,
            }
        )
        return Identity(about.key, x509.Certificate.load(certificate.dump()))

    def _name(self, about: "_Subject") -> x509.Name:
        serial = f"{_number(f'{self.seed}/{about.role}/name', 4):08X}"
        return x509.Name.build(
            {
                "country_name": self.country,
                "organization_name": "Simulated issuing state",
                "serial_number": serial,
                "common_name": about.common_name,
            }
        )

    def _state_name(self) -> list[x509.GeneralName]:
        name = x509.Name.build({"locality_name": self.state})
        return [x509.GeneralName("directory_name", name)]

    def _time(self, days: int) -> x509.Time:
        """Midnight so many days from today."""
        return x509.Time({"utc_time": datetime.combine(self.today, time(), UTC) + timedelta(days=days)})


@dataclass(frozen=True, slots=True, repr=False)
class _Subject:
    """Whom a certificate is for, and from how many days before today to how many after it is valid."""

    role: str
    common_name: str
    key: PrivateKey
    public: keys.PublicKeyInfo
    days_before: int
    days_after: int


def _extension(name: str, value: object, *, critical: bool = False) -> dict[str, Any]:
    return {"extn_id": name, "critical": critical, "extn_value": value}


def _signer_identifier(certificate: x509.Certificate, *, by_key_id: bool) -> cms.SignerIdentifier:
    if by_key_id:
        return cms.SignerIdentifier("subject_key_identifier", certificate.key_identifier)
    issuer = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    return cms.SignerIdentifier("issuer_and_serial_number", issuer)


def _elliptic_key(label: str, curve: str) -> ec.EllipticCurvePrivateKey:
    """A key that follows from its label; a byte shorter than the curve's order, hence always below it."""
    chosen = _CURVES[curve]
    return ec.derive_private_key(_number(f"{label}/{curve}", chosen.key_size // 8 - 1), chosen)


def _number(label: str, length: int) -> int:
    """A positive number of at most `length` bytes that follows from the label."""
    digest = hashlib.shake_256(label.encode()).digest(length)
    return int.from_bytes(digest, "big") >> 1 | 1


def _public_info(key: PrivateKey) -> keys.PublicKeyInfo:
    coded = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return keys.PublicKeyInfo.load(coded)


def _in_full(named: keys.ECDomainParameters) -> keys.ECDomainParameters:
    """The same curve as explicit parameters (TR-03111 section 5.1.2)."""
    curve = by_oid(named.chosen.dotted)
    domain = {
        "version": "ecdpVer1",
        "field_id": {"field_type": "prime_field", "parameters": curve.p},
        "curve": {"a": curve.a.to_bytes(curve.length, "big"), "b": curve.b.to_bytes(curve.length, "big")},
        "base": keys.ECPoint(curve.encode(curve.generator)),
        "order": curve.n,
        "cofactor": 1,
    }
    return keys.ECDomainParameters(name="specified", value=keys.SpecifiedECDomain(domain))


def _digest_of(key: PrivateKey) -> str:
    return "sha384" if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256 else "sha256"


def _hash_of(digest: str) -> hashes.HashAlgorithm:
    return hashes.SHA384() if digest == "sha384" else hashes.SHA256()


def _sign(key: PrivateKey, digest: str, data: bytes) -> bytes:
    chosen = _hash_of(digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(chosen, deterministic_signing=True))
    return key.sign(data, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)


def _algorithm(key: PrivateKey, digest: str) -> algos.SignedDigestAlgorithm:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_ecdsa"})
    named = {"algorithm": digest}
    return algos.SignedDigestAlgorithm(
        {
            "algorithm": "rsassa_pss",
            "parameters": {
                "hash_algorithm": named,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": named},
                "salt_length": _hash_of(digest).digest_size,
            },
        }
    )
