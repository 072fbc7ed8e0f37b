"""EF.CardAccess: what a chip offers before access is granted (Doc 9303-11 section 9.2), and the choice.

The file is not authenticated, so it can only make the terminal give up or choose among what it accepts.
Supported is PACE over elliptic curves with generic mapping and standardized domain parameters; what else
is offered is named, so that a refusal can say why.
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import AccessError, CurveError, TlvError
from gated.document.groups.curves import Curve, by_number
from gated.document.keys import Suite

MAX_CARD_ACCESS = 4096
PACE_OID = bytes.fromhex("04007F0007020204")  # id-PACE, 0.4.0.127.0.7.2.2.4

_MAPPINGS = {1: "DH-GM", 2: "ECDH-GM", 3: "DH-IM", 4: "ECDH-IM", 6: "ECDH-CAM"}
_SUITES = {1: Suite.TDES, 2: Suite.AES_128, 3: Suite.AES_192, 4: Suite.AES_256}
_ECDH_GM = 2
_STRENGTH = {Suite.TDES: 0, Suite.AES_128: 1, Suite.AES_192: 2, Suite.AES_256: 3}


@dataclass(frozen=True, slots=True)
class PaceOffer:
    """One PACEInfo: the protocol's identifier behind id-PACE, its version, and its domain parameters."""

    protocol: bytes
    version: int
    parameters: int | None

    @property
    def name(self) -> str:
        """Such as `PACE-ECDH-GM-AES-128`; `PACE-unknown` for what the standard does not name."""
        if self.suite is None:
            return "PACE-unknown"
        return f"PACE-{_MAPPINGS[self.protocol[0]]}-{self.suite.value}"

    @property
    def oid(self) -> bytes:
        """Content octets of the object identifier."""
        return PACE_OID + self.protocol

    @property
    def suite(self) -> Suite | None:
        """The cipher, if the standard names this protocol."""
        if len(self.protocol) != 2 or self.protocol[0] not in _MAPPINGS:
            return None
        return _SUITES.get(self.protocol[1])


@dataclass(frozen=True, slots=True)
class PaceChoice:
    """What the terminal will run. `ambiguous`: the chip must be told which domain parameters are meant."""

    offer: PaceOffer
    suite: Suite
    curve: Curve
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class CardAccess:
    """The PACE offers of a chip, in the order of the file, supported or not."""

    offers: tuple[PaceOffer, ...]

    def choose(self) -> PaceChoice | None:
        """The supported offer with the strongest cipher, then the larger field; None if none is supported."""
        ambiguous = len({offer.parameters for offer in self.offers}) > 1
        choices = [choice for offer in self.offers if (choice := _supported(offer, ambiguous=ambiguous))]
        return max(choices, key=lambda it: (_STRENGTH[it.suite], it.curve.length), default=None)


def _supported(offer: PaceOffer, *, ambiguous: bool) -> PaceChoice | None:
    """The offer with its cipher and curve, or None if this terminal does not speak it."""
    suite = offer.suite
    if suite is None or offer.protocol[0] != _ECDH_GM or offer.version != 2 or offer.parameters is None:
        return None
    try:
        return PaceChoice(offer, suite, by_number(offer.parameters), ambiguous)
    except CurveError:
        return None


def parse_card_access(raw: bytes) -> CardAccess:
    """Read SecurityInfos, passing over other protocols. Raises AccessError(`card_access_malformed`)."""
    try:
        infos = tlv.parse(tlv.parse_one(raw, 0x31, max_length=MAX_CARD_ACCESS).value)
        offers = [_parse_info(info) for info in infos]
    except TlvError as error:
        raise AccessError("card_access_malformed") from error
    return CardAccess(tuple(offer for offer in offers if offer is not None))


def _parse_info(info: tlv.Tlv) -> PaceOffer | None:
    """PACEInfo ::= SEQUENCE { protocol, version INTEGER, parameterId INTEGER OPTIONAL }.

    Whatever lies behind id-PACE counts as an offer, known or not: an unknown PACE is not "no PACE".
    """
    fields = tlv.parse(info.value)
    if info.tag != 0x30 or not fields or fields[0].tag != 0x06:
        raise AccessError("card_access_malformed")
    protocol = fields[0].value.removeprefix(PACE_OID)
    if protocol == fields[0].value or len(protocol) == 1:  # one arc: PACEDomainParameterInfo
        return None
    numbers = [_small_integer(field) for field in fields[1:]]
    if not 1 <= len(numbers) <= 2:
        raise AccessError("card_access_malformed")
    return PaceOffer(protocol, numbers[0], numbers[1] if len(numbers) == 2 else None)


def _small_integer(field: tlv.Tlv) -> int:
    if field.tag != 0x02 or len(field.value) != 1 or field.value[0] > 127:
        raise AccessError("card_access_malformed")
    return field.value[0]
