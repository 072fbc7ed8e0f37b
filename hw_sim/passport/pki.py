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

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from asn1crypto import core, x509

from hw_sim.passport.pki_certificates import USUAL, Identity, Maker, Oddities
from hw_sim.passport.pki_cms import Habits, signed_data
from hw_sim.passport.pki_keys import (
    CurveName,
    PrivateKey,
    Recipe,
    Scheme,
    elliptic_key,
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

_RSA_BITS = 2048


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
        oddities: Oddities = USUAL,
    ) -> "Authority":
        """Found a state: its CSCA two years before `today`, its signers two months before.

        `scheme` is the document signer's; `explicit` writes the CSCA's curve out in full. Recipes say how
        document signer and CSCA sign, and with it what kind of key they have.
        """
        maker = Maker(seed, state, country, today, oddities, common_name or f"CSCA {state}")
        if signer_recipe is None and scheme != "ecdsa":
            signer_recipe = Recipe(scheme, "sha256")
        root_key = _key(f"{seed}/csca", curve, root_recipe, rsa_bits)
        csca = maker.csca(root_key, root_recipe, explicit=explicit)
        signer_key = _key(f"{seed}/document-signer", signer_curve, signer_recipe, rsa_bits)
        return cls._with_signers(maker, csca, signer_key, signer_recipe)

    @classmethod
    def _with_signers(
        cls, maker: Maker, csca: Identity, signer_key: PrivateKey, recipe: Recipe | None
    ) -> "Authority":
        """The state with this CSCA, its signers certified."""
        lists, deviations = (
            elliptic_key(f"{maker.seed}/{name}", "secp256r1") for name in ("list-signer", "deviations")
        )
        return cls(
            state=maker.state,
            country=maker.country,
            csca=csca,
            document_signer=maker.document_signer(signer_key, csca, recipe),
            list_signer=maker.other_signer(
                "list-signer", "Master List Signer 1", lists, csca, PURPOSE_MASTER_LIST
            ),
            deviation_signer=maker.other_signer(
                "deviations", "Deviation List Signer 1", deviations, csca, PURPOSE_DEVIATIONS
            ),
            today=maker.today,
        )

    @property
    def anchor(self) -> bytes:
        """The CSCA's certificate, DER coded: what a gate trusts master lists by."""
        return self.csca.der

    def renewed(self, seed: str, *, common_name: str = "", oddities: Oddities = USUAL) -> "Authority":
        """The state after a roll-over of its CSCA, under the old name or a new one (Doc 9303-12, 4.1.4).

        The old key has certified the new one: `links` holds that certificate, after the earlier ones.
        """
        today = self.today or date.today()  # noqa: DTZ011 - an authority founded by hand has no day
        own_name = common_name or str(self.csca.certificate.subject.native["common_name"])
        maker = Maker(seed, self.state, self.country, today, oddities, own_name)
        if not common_name:
            maker = replace(maker, csca_name=self.csca.certificate.subject)
        csca = maker.csca(elliptic_key(f"{seed}/csca", "brainpoolP256r1"), None, explicit=True)
        link = maker.link(csca, self.csca, name_change=bool(common_name))
        signer_key = elliptic_key(f"{seed}/document-signer", "secp256r1")
        return replace(self._with_signers(maker, csca, signer_key, None), links=(*self.links, link))

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


class _CscaMasterList(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """CscaMasterList, Doc 9303-12 appendix A."""

    _fields: ClassVar[list[tuple[str, type]]] = [("version", core.Integer), ("certificates", _CertificateSet)]


def _key(label: str, curve: CurveName, recipe: Recipe | None, rsa_bits: int) -> PrivateKey:
    """The kind of key that the recipe is for."""
    if recipe is not None and recipe.scheme.startswith("rsa"):
        return rsa_key(f"{label}/{rsa_bits}", rsa_bits)
    return elliptic_key(label, curve)
