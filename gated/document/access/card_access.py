"""EF.CardAccess: what a chip offers before access is granted (Doc 9303-11 section 9.2), and the choice.

The file is not authenticated, so it can only make the terminal give up or choose among what it accepts:
domain parameters that the chip writes out count only if they are the standardized ones (section 9.2.2).
`confirmed` compares the offers with the signed copy once there is one.
"""

from dataclasses import dataclass

from gated.document.access.security_infos import (
    Mapping,
    PaceInfo,
    SecurityInfos,
    parse_security_infos,
)
from gated.document.errors import AccessError, GroupError
from gated.document.groups.domains import Domain, EllipticDomain, standardized
from gated.document.groups.point_encoding import can_encode
from gated.document.keys import Suite

MAX_CARD_ACCESS = 4096
_RESERVED = 32  # identifiers below are those of section 9.5.1, or reserved for it

_STRENGTH = {Suite.TDES: 112, Suite.AES_128: 128, Suite.AES_192: 192, Suite.AES_256: 256}


@dataclass(frozen=True, slots=True)
class PacePolicy:
    """What the operator accepts: no offer weaker than this many bits, and which proof comes first.

    `chip_authentication_first` takes an offer of chip authentication mapping before a stronger one without,
    as section J.1 of the standard recommends: it saves a protocol, and proves the chip genuine.
    """

    least_strength: int = 0
    chip_authentication_first: bool = True


_DEFAULT = PacePolicy()


@dataclass(frozen=True, slots=True)
class PaceChoice:
    """What the terminal will run. `ambiguous`: the chip must be told which domain parameters are meant."""

    offer: PaceInfo
    suite: Suite
    mapping: Mapping
    domain: Domain
    ambiguous: bool

    @property
    def strength(self) -> int:
        """Bits of security: the lesser of cipher and group."""
        return min(_STRENGTH[self.suite], self.domain.strength)


@dataclass(frozen=True, slots=True)
class CardAccess:
    """What the file holds."""

    infos: SecurityInfos

    @property
    def offers(self) -> tuple[PaceInfo, ...]:
        """The PACE offers of a chip, in the order of the file, supported or not."""
        return self.infos.pace

    def choose(self, policy: PacePolicy = _DEFAULT) -> PaceChoice | None:
        """The best offer that is supported and strong enough; None if there is none.

        First those with chip authentication mapping, if the policy says so; then by strength, by key length,
        by strength of the group; then elliptic curves, whose keys are short; then generic mapping; then as
        the file has them.
        """
        ambiguous = len({offer.parameter_id for offer in self.offers}) > 1
        choices = [
            choice
            for offer in self.offers
            if (choice := self._supported(offer, ambiguous=ambiguous))
            and choice.strength >= policy.least_strength
        ]
        return max(choices, key=lambda choice: _rank(choice, policy), default=None)

    def confirmed(self, signed: SecurityInfos) -> str:
        """Whether the signed copy in EF.DG14 or EF.CardSecurity holds the same offers (section 9.2.11).

        Empty if so, else `pace_offers_not_signed`: somebody may have taken the stronger ones away. To be
        asked only with a copy that passive authentication found good.
        """
        return "" if set(self.offers) == set(signed.pace) else "pace_offers_not_signed"

    def _supported(self, offer: PaceInfo, *, ambiguous: bool) -> PaceChoice | None:
        """The offer with its parts, or None if this terminal does not speak it."""
        suite, mapping, domain = offer.suite, offer.mapping, self._domain(offer)
        if suite is None or mapping is None or domain is None or offer.version != 2:
            return None
        elliptic = isinstance(domain, EllipticDomain)
        if elliptic != (offer.agreement == "ECDH"):
            return None
        if (
            isinstance(domain, EllipticDomain)
            and mapping is Mapping.INTEGRATED
            and not can_encode(domain.curve)
        ):
            return None
        return PaceChoice(offer, suite, mapping, domain, ambiguous)

    def _domain(self, offer: PaceInfo) -> Domain | None:
        """Standardized parameters by their number, or those of the file that are standardized ones."""
        number = offer.parameter_id
        if number is not None and number < _RESERVED:
            try:
                return standardized(number)
            except GroupError:
                return None
        named = [it.domain for it in self.infos.pace_domains if it.parameter_id == number and it.domain]
        if len(named) != 1 or named[0].number is None:
            return None
        return named[0]


def _rank(choice: PaceChoice, policy: PacePolicy) -> tuple[bool, int, int, int, bool, bool]:
    proves = choice.mapping is Mapping.CHIP_AUTHENTICATION
    return (
        proves and policy.chip_authentication_first,
        choice.strength,
        _STRENGTH[choice.suite],
        choice.domain.strength,
        choice.offer.agreement == "ECDH",
        choice.mapping is not Mapping.INTEGRATED,
    )


def parse_card_access(raw: bytes) -> CardAccess:
    """Read EF.CardAccess. Raises AccessError(`card_access_malformed`)."""
    if len(raw) > MAX_CARD_ACCESS:
        raise AccessError("card_access_malformed")
    try:
        return CardAccess(parse_security_infos(raw))
    except AccessError as error:
        raise AccessError("card_access_malformed") from error
