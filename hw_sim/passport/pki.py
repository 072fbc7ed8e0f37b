"""The public-key infrastructure of a simulated issuing state (Doc 9303-12), written out field by field.

An `Authority` is one state: a country signing CA (CSCA), a document signer, signers of master lists and
deviation lists, each with its key. The certificates follow the profiles of Doc 9303-12 section 7, with what
readers trip over in practice: the CSCA carries its elliptic curve as explicit parameters, as nearly all of
the real ones do. `Oddities` makes them deviate further, as real ones have; `renewed` rolls the CSCA over.

Utopia is `UTO` in documents (Doc 9303-3) and `UT` in names of certificates, where ICAO asks for the ISO
3166-1 two-letter code; the alternative names of its certificates carry `UTO` as locality, so that a reader
can compare the issuing state of DG1 with the state of the CSCA.

Elliptic keys, and the signatures made with them (RFC 6979), follow from the seed: a run is repeatable.
RSA keys and RSA-PSS salts are drawn anew each time. Keys made from a seed protect nothing but a simulation.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from asn1crypto import algos, core, keys, x509

from gated.document.tlv import encode
from hw_sim.passport.pki_cms import Habits, signed_data
from hw_sim.passport.pki_keys import (
    CurveName,
    PrivateKey,
    Recipe,
    Scheme,
    elliptic_key,
    number,
    public_info,
    recipe_for,
    rsa_key,
)
from hw_sim.passport.pki_lists import CONTENT_DEVIATIONS, Deviating, deviation_list, revocation_list

__all__ = [
    "CONTENT_LDS",
    "CONTENT_MASTER_LIST",
    "Authority",
    "CurveName",
    "Deviating",
    "Habits",
    "Identity",
    "Oddities",
    "Recipe",
    "Scheme",
    "signed_data",
]

CONTENT_LDS = "2.23.136.1.1.1"  # ldsSecurityObject
CONTENT_MASTER_LIST = "2.23.136.1.1.2"
CONTENT_CARD_SECURITY = "0.4.0.127.0.7.3.2.1"
PURPOSE_MASTER_LIST = "2.23.136.1.1.3"  # extended key usage of a master list signer
PURPOSE_DEVIATIONS = "2.23.136.1.1.8"
EXTENSION_DOCUMENT_TYPES = "2.23.136.1.1.6.2"

_RSA_BITS = 2048


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


_USUAL = Oddities()


@dataclass(frozen=True, slots=True, repr=False)
class Authority:
    """One issuing state. `state` is its code in documents, `country` the one in certificates.

    `links` are certificates of the CSCA's key by its predecessors.
    """

    state: str
    country: str
    csca: Identity
    document_signer: Identity
    list_signer: Identity
    deviation_signer: Identity | None = None
    links: tuple[x509.Certificate, ...] = field(default=())
    today: date | None = None

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
        signer_curve: CurveName = "secp256r1",
        signer_recipe: Recipe | None = None,
        root_recipe: Recipe | None = None,
        rsa_bits: int = _RSA_BITS,
        common_name: str = "",
        oddities: Oddities = _USUAL,
    ) -> "Authority":
        """Found a state: its CSCA two years before `today`, its signers two months before.

        `scheme` is the document signer's; `explicit` writes the CSCA's curve out in full. Recipes say how
        document signer and CSCA sign, and with it what kind of key they have.
        """
        maker = _Maker(seed, state, country, today, oddities, common_name or f"CSCA {state}")
        if signer_recipe is None and scheme != "ecdsa":
            signer_recipe = Recipe(scheme, "sha256")
        root_key = _key(f"{seed}/csca", curve, root_recipe, rsa_bits)
        csca = maker.csca(root_key, root_recipe, explicit=explicit)
        signer_key = _key(f"{seed}/document-signer", signer_curve, signer_recipe, rsa_bits)
        return maker.state_of(csca, signer_key, signer_recipe)

    @property
    def anchor(self) -> bytes:
        """The CSCA's certificate, DER coded: what a gate trusts master lists by."""
        return self.csca.der

    def renewed(self, seed: str, *, common_name: str = "", oddities: Oddities = _USUAL) -> "Authority":
        """The state after a roll-over of its CSCA, under the old name or a new one (Doc 9303-12, 4.1.4).

        The old key has certified the new one: `links` holds that certificate, after the earlier ones.
        """
        today = self.today or date.today()  # noqa: DTZ011 - an authority founded by hand has no day
        own_name = common_name or str(self.csca.certificate.subject.native["common_name"])
        maker = _Maker(seed, self.state, self.country, today, oddities, own_name)
        if not common_name:
            maker = replace(maker, csca_name=self.csca.certificate.subject)
        csca = maker.csca(elliptic_key(f"{seed}/csca", "brainpoolP256r1"), None, explicit=True)
        link = maker.link(csca, self.csca, name_change=bool(common_name))
        signer_key = elliptic_key(f"{seed}/document-signer", "secp256r1")
        return replace(maker.state_of(csca, signer_key, None), links=(*self.links, link))

    def master_list(self, *others: "Authority", habits: Habits | None = None) -> bytes:
        """A signed list of this state's CSCA and those of others (Doc 9303-12 section 9), links included."""
        states = (self, *others)
        roots = [state.csca.certificate for state in states]
        links = [link for state in states for link in state.links]
        content = _CscaMasterList({"version": 0, "certificates": _CertificateSet(roots + links)})
        chain = (self.list_signer.certificate, self.csca.certificate)
        chosen = habits or Habits(by_key_id=True)
        return signed_data(CONTENT_MASTER_LIST, content.dump(), self.list_signer, chain, habits=chosen)

    def deviation_list(self, *entries: Deviating) -> bytes:
        """A signed list of what deviates in this state's documents (Doc 9303-12 section 10)."""
        signer = self.deviation_signer or self.list_signer
        chain = (signer.certificate, self.csca.certificate)
        return signed_data(CONTENT_DEVIATIONS, deviation_list(entries), signer, chain, by_key_id=True)

    def revocation_list(
        self, revoked: Mapping[int, str], *, issued: datetime, days: int = 80, **options: Any
    ) -> bytes:
        """The CSCA's CRL of serial numbers with their reasons; `days` until the next one."""
        following = issued + timedelta(days=days)
        return revocation_list(self.csca, revoked, this_update=issued, next_update=following, **options)

    def sign_document(
        self, security_object: bytes, *, by_key_id: bool = False, habits: Habits | None = None
    ) -> bytes:
        """Sign an LDS security object: the CMS that EF.SOD wraps (Doc 9303-10 section 4.6.2)."""
        signer = self.document_signer
        chosen = habits or Habits(by_key_id=by_key_id)
        return signed_data(CONTENT_LDS, security_object, signer, (signer.certificate,), habits=chosen)

    def sign_card_security(self, security_infos: bytes) -> bytes:
        """Sign SecurityInfos: EF.CardSecurity (Doc 9303-11 section 9.2.11)."""
        signer = self.document_signer
        certificates = (signer.certificate,)
        return signed_data(CONTENT_CARD_SECURITY, security_infos, signer, certificates, by_key_id=True)


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
class _Maker:
    """Writes the certificates of one state."""

    seed: str
    state: str
    country: str
    today: date
    oddities: Oddities
    common_name: str
    csca_name: x509.Name | None = None

    def state_of(self, csca: Identity, signer_key: PrivateKey, recipe: Recipe | None) -> Authority:
        """The state with this CSCA, its signers certified."""
        signer_keys = [
            elliptic_key(f"{self.seed}/{name}", "secp256r1") for name in ("list-signer", "deviations")
        ]
        return Authority(
            state=self.state,
            country=self.country,
            csca=csca,
            document_signer=self.document_signer(signer_key, csca, recipe),
            list_signer=self.other_signer(
                "list-signer", "Master List Signer 1", signer_keys[0], csca, PURPOSE_MASTER_LIST
            ),
            deviation_signer=self.other_signer(
                "deviations", "Deviation List Signer 1", signer_keys[1], csca, PURPOSE_DEVIATIONS
            ),
            today=self.today,
        )

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


def _key(label: str, curve: CurveName, recipe: Recipe | None, rsa_bits: int) -> PrivateKey:
    """The kind of key that the recipe is for."""
    if recipe is not None and recipe.scheme.startswith("rsa"):
        return rsa_key(f"{label}/{rsa_bits}", rsa_bits)
    return elliptic_key(label, curve)


def _extension(name: str, value: object, *, critical: bool = False) -> dict[str, Any]:
    return {"extn_id": name, "critical": critical, "extn_value": value}


def _raw_extension(oid: str, critical: bool, value: bytes) -> x509.Extension:  # noqa: FBT001 - one of three
    """An extension of any bytes, also of such as its kind does not allow."""
    flag = b"\x01\x01\xff" if critical else b""
    return x509.Extension.load(encode(0x30, core.ObjectIdentifier(oid).dump() + flag + encode(0x04, value)))
