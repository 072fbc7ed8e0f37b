"""The certificates of a simulated state (Doc 9303-12 section 7), and what real ones do otherwise."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from asn1crypto import algos, core, keys, x509

from gated.document.tlv import encode
from hw_sim.passport.pki_keys import PrivateKey, Recipe, number, public_info, recipe_for

EXTENSION_DOCUMENT_TYPES = "2.23.136.1.1.6.2"


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A private key with the certificate of its public half, and how it signs (`recipe`)."""

    key: PrivateKey
    certificate: x509.Certificate
    recipe: Recipe | None = None

    @property
    def der(self) -> bytes:
        """The certificate, DER coded."""
        return bytes(self.certificate.dump())

    @property
    def digest(self) -> str:
        """The hash that goes with the key: as strong as the curve."""
        return self._recipe.digest

    def sign(self, data: bytes) -> bytes:
        """Sign: ECDSA (RFC 6979) or RSA-PSS with a salt as long as the hash, unless the recipe differs."""
        return self._recipe.sign(self.key, data)

    @property
    def algorithm(self) -> algos.SignedDigestAlgorithm:
        """How `sign` signs, as an algorithm identifier."""
        return self._recipe.algorithm

    @property
    def _recipe(self) -> Recipe:
        return self.recipe or recipe_for(self.key)


@dataclass(frozen=True, slots=True)
class Oddities:
    """What states do otherwise than Doc 9303-12 asks.

    `cofactor` and `compressed_base` are of explicit curve parameters. `signer_serial` is the document
    signer's serial number. `document_types` are those it may sign, None for no such extension.
    `alternative_names` may be missing, `key_usage` and `purposes` be other ones, and any extension be added
    to the document signer (`signer_extensions`) or the CSCA.
    """

    cofactor: bool = True
    compressed_base: bool = False
    signer_serial: int | None = None
    document_types: tuple[str, ...] | None = ("P",)
    alternative_names: bool = True
    key_usage: frozenset[str] = frozenset({"digital_signature"})
    purposes: tuple[str, ...] = ()
    signer_extensions: tuple[tuple[str, bool, bytes], ...] = ()
    csca_extensions: tuple[tuple[str, bool, bytes], ...] = ()
    csca_usage: frozenset[str] = frozenset({"key_cert_sign", "crl_sign"})
    signer_country: str = ""


USUAL = Oddities()


class _DocumentTypes(core.SetOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = core.PrintableString


class _DocumentTypeList(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """DocumentTypeList, Doc 9303-12 section 7.1.1.6."""

    _fields: ClassVar[list[tuple[str, type]]] = [("version", core.Integer), ("types", _DocumentTypes)]


@dataclass(frozen=True, slots=True, repr=False)
class _Subject:
    """Whom a certificate is for, and from how many days before today to how many after it is valid."""

    role: str
    name: x509.Name
    key: PrivateKey
    public: keys.PublicKeyInfo
    days_before: int
    days_after: int
    serial: int


@dataclass(frozen=True, slots=True)
class Maker:
    """Writes the certificates of one state."""

    seed: str
    state: str
    country: str
    today: date
    oddities: Oddities
    common_name: str
    csca_name: x509.Name | None = None

    def csca(self, key: PrivateKey, recipe: Recipe | None, *, explicit: bool) -> Identity:
        """A self-signed root: signs for five years, is valid for as long as its youngest passport."""
        odd = self.oddities
        public = public_info(key, explicit=explicit, cofactor=odd.cofactor, compressed=odd.compressed_base)
        name = self.csca_name or self._name("csca", self.common_name)
        subject = _Subject("csca", name, key, public, 730, 5475, self._serial("csca"))
        return self._certify(subject, self._csca_extensions(), None, recipe)

    def link(self, csca: Identity, older: Identity, *, name_change: bool) -> x509.Certificate:
        """The new CSCA's key certified by the old one (Doc 9303-12, 7.1.1.5)."""
        body = csca.certificate["tbs_certificate"]
        extensions = self._csca_extensions()
        if name_change:
            extensions.append(_raw_extension("2.23.136.1.1.6.1", critical=False, value=b"\x05\x00"))
        subject = _Subject(
            "link",
            csca.certificate.subject,
            csca.key,
            body["subject_public_key_info"],
            730,
            1825,
            self._serial("link"),
        )
        return self._certify(subject, extensions, older, None).certificate

    def document_signer(self, key: PrivateKey, csca: Identity, recipe: Recipe | None) -> Identity:
        """Signs passports (`P`) for three months; valid until the last of them expires."""
        odd = self.oddities
        extensions = [_extension("key_usage", set(odd.key_usage), critical=True)]
        if odd.document_types is not None:
            types = _DocumentTypeList({"version": 0, "types": _DocumentTypes(list(odd.document_types))})
            extensions.append(_extension(EXTENSION_DOCUMENT_TYPES, core.ParsableOctetString(types.dump())))
        if odd.purposes:
            extensions.append(_extension("extended_key_usage", list(odd.purposes)))
        extensions += [_raw_extension(*item) for item in odd.signer_extensions]
        serial = self._serial("document-signer") if odd.signer_serial is None else odd.signer_serial
        name = self._name("document-signer", "Document Signer 1", odd.signer_country)
        subject = _Subject("document-signer", name, key, public_info(key), 60, 3800, serial)
        return self._certify(subject, extensions, csca, recipe)

    def other_signer(
        self, role: str, common_name: str, key: PrivateKey, csca: Identity, purpose: str
    ) -> Identity:
        """Signs lists of one kind."""
        extensions = [
            _extension("key_usage", {"digital_signature"}, critical=True),
            _extension("extended_key_usage", [purpose], critical=True),
        ]
        name = self._name(role, common_name)
        subject = _Subject(role, name, key, public_info(key), 60, 400, self._serial(role))
        return self._certify(subject, extensions, csca, None)

    def _csca_extensions(self) -> list[dict[str, Any]]:
        return [
            _extension("basic_constraints", {"ca": True, "path_len_constraint": 0}, critical=True),
            _extension("key_usage", set(self.oddities.csca_usage), critical=True),
            *(_raw_extension(*item) for item in self.oddities.csca_extensions),
        ]

    def _certify(
        self,
        about: _Subject,
        extensions: list[dict[str, Any]],
        issuer: Identity | None,
        recipe: Recipe | None,
    ) -> Identity:
        """Sign a certificate with the issuer's key, or with its own; `recipe` is how its own key signs."""
        key_id = hashlib.sha1(bytes(about.public["public_key"])).digest()  # noqa: S324 - RFC 5280, 4.2.1.2
        parent = issuer.certificate if issuer else None
        signing = issuer or Identity(about.key, x509.Certificate(), recipe)
        named = [
            _extension("key_identifier", key_id),
            _extension(
                "authority_key_identifier", {"key_identifier": parent.key_identifier if parent else key_id}
            ),
        ]
        if self.oddities.alternative_names:
            named += [_extension(f"{whose}_alt_name", self._state_name()) for whose in ("subject", "issuer")]
        tbs = x509.TbsCertificate(
            {
                "version": "v3",
                "serial_number": about.serial,
                "signature": signing.algorithm,
                "issuer": parent.subject if parent else about.name,
                "validity": {
                    "not_before": self._time(-about.days_before),
                    "not_after": self._time(about.days_after),
                },
                "subject": about.name,
                "subject_public_key_info": about.public,
                "extensions": [*extensions, *named],
            }
        )
        certificate = x509.Certificate(
            {
                "tbs_certificate": tbs,
                "signature_algorithm": signing.algorithm,
                "signature_value": signing.sign(tbs.dump()),
            }
        )
        return Identity(about.key, x509.Certificate.load(certificate.dump()), recipe)

    def _name(self, role: str, common_name: str, country: str = "") -> x509.Name:
        serial = f"{number(f'{self.seed}/{role}/name', 4):08X}"
        return x509.Name.build(
            {
                "country_name": country or self.country,
                "organization_name": "Simulated issuing state",
                "serial_number": serial,
                "common_name": common_name,
            }
        )

    def _serial(self, role: str) -> int:
        return number(f"{self.seed}/{role}/serial", 8)

    def _state_name(self) -> list[x509.GeneralName]:
        name = x509.Name.build({"locality_name": self.state})
        return [x509.GeneralName("directory_name", name)]

    def _time(self, days: int) -> x509.Time:
        """Midnight so many days from today."""
        return x509.Time({"utc_time": datetime.combine(self.today, time(), UTC) + timedelta(days=days)})


def _extension(name: str, value: object, *, critical: bool = False) -> dict[str, Any]:
    return {"extn_id": name, "critical": critical, "extn_value": value}


def _raw_extension(oid: str, critical: bool, value: bytes) -> x509.Extension:  # noqa: FBT001 - one of three
    """An extension of any bytes, also of such as its kind does not allow."""
    flag = b"\x01\x01\xff" if critical else b""
    return x509.Extension.load(encode(0x30, core.ObjectIdentifier(oid).dump() + flag + encode(0x04, value)))
