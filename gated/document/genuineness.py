"""The verdicts on what a chip answered to prove itself: each on top of the file that its key stands in.

  chip_authentication_mapping   rests on EF.CardSecurity
  chip_authentication           on DG14
  active_authentication         on DG15
  card_access                   the offers of PACE in the clear are those that DG14 was signed with
  genuineness                   stands for the first three where the chip offers none of them

Where the file with the key is not known to be the issuing state's, a verdict that would be good is
undetermined. A chip without any proof is not supported; undetermined where the operator's settings want
one, and where its signed files offer the mapping of PACE-CAM that was not run: whoever copies such a chip
has every reason to have its PACE fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gated.core.checks import Check, Result
from gated.core.settings.documents import DocumentSettings
from gated.core.trust_policy import TrustPolicy
from gated.document.access import (
    MappingEvidence,
    SecurityInfos,
    parse_card_access,
    parse_security_infos,
)
from gated.document.access.security_infos import Mapping
from gated.document.errors import AccessError, LdsError
from gated.document.genuine.active_authentication import verify_active
from gated.document.genuine.mapping import verify_mapping
from gated.document.lds import parse_dg14
from gated.document.reading import ChipFiles
from gated.document.reading.proofs import UNSUPPORTED
from gated.document.trust.card_security import authenticate_card_security
from gated.document.trust.passive import Authentication, PassiveAuthentication
from gated.document.trust.states import same_country
from gated.document.trust.store import TrustStore

CARD_ACCESS = "card_access"
NOT_PROVEN = "key_not_authenticated"
KEY_COMPROMISED = "active_authentication_key_compromised"  # as deviation lists tell (Doc 9303-12, 10)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the verdicts rest on: the passive authentication of the files, and by whose word and when."""

    passive: PassiveAuthentication
    authentication: Authentication
    store: TrustStore
    at: datetime
    policy: TrustPolicy

    def carries(self, number: int, raw: bytes) -> bool:
        """Whether a data group is known to be as the issuing state wrote it."""
        return self.passive.signer_is_proven and not self.passive.compare(number, raw)


def genuineness(
    files: ChipFiles, grounds: Grounds, settings: DocumentSettings
) -> tuple[tuple[Check, ...], str]:
    """The checks, and the name of the first proof that holds (empty: none)."""
    proofs, signed = tuple(_proofs(files, grounds)), _signed_infos(files, grounds)
    if not proofs:
        proofs = (_without_proof(signed, settings),)
    held = next((check.name for check in proofs if check.result is Result.SUCCESSFUL), "")
    return (*_offers(files, signed), *proofs), held


def _without_proof(signed: SecurityInfos | None, settings: DocumentSettings) -> Check:
    mappings = {offer.mapping for offer in signed.pace} if signed else set()
    if Mapping.CHIP_AUTHENTICATION in mappings:
        return Check("genuineness", Result.UNDETERMINED, "mapping_offered_and_not_run")
    wanted = settings.genuineness == "required"
    result = Result.UNDETERMINED if wanted else Result.NOT_SUPPORTED
    return Check("genuineness", result, "genuineness_not_offered")


def _proofs(files: ChipFiles, grounds: Grounds) -> Iterator[Check]:
    proofs = files.proofs
    if proofs.mapping is not None:
        yield _mapping(files, proofs.mapping, grounds)
    if proofs.chip_authentication is not None:
        yield _chip_authentication(files, proofs.chip_authentication, grounds)
    if proofs.active is not None:
        dg15 = files["dg15"].reveal()
        dg14 = files["dg14"].reveal() if "dg14" in files else None
        yield _on_top_of(
            _not_known_to_others(verify_active(dg15, dg14, proofs.active), grounds), 15, dg15, grounds
        )


def _not_known_to_others(verdict: Check, grounds: Grounds) -> Check:
    """A good verdict says nothing where the state tells that keys of such documents are in other hands."""
    kinds = {deviation.kind for deviation in grounds.authentication.deviations}
    if verdict.result is Result.SUCCESSFUL and KEY_COMPROMISED in kinds:
        return Check(verdict.name, Result.UNDETERMINED, KEY_COMPROMISED)
    return verdict


def _mapping(files: ChipFiles, evidence: MappingEvidence, grounds: Grounds) -> Check:
    name = "chip_authentication_mapping"
    card = authenticate_card_security(
        files["card_security"].reveal(), grounds.store, at=grounds.at, policy=grounds.policy
    )
    if card.check.result is not Result.SUCCESSFUL:
        return Check(name, card.check.result, card.check.reason)
    csca = grounds.authentication.csca
    if csca is not None and card.csca is not None and not same_country(csca.country, card.csca.country):
        return Check(name, Result.FAILED, "card_security_of_another_state")
    try:
        reason = verify_mapping(parse_security_infos(card.security_infos), evidence)
    except AccessError as error:
        reason = error.code
    return Check(name, Result.FAILED if reason else Result.SUCCESSFUL, reason)


def _chip_authentication(files: ChipFiles, reason: str, grounds: Grounds) -> Check:
    name = "chip_authentication"
    if reason:
        return Check(name, Result.UNDETERMINED if reason == UNSUPPORTED else Result.FAILED, reason)
    return _on_top_of(Check(name, Result.SUCCESSFUL), 14, files["dg14"].reveal(), grounds)


def _on_top_of(verdict: Check, number: int, raw: bytes, grounds: Grounds) -> Check:
    """The verdict, if the group with the key is the issuing state's; a bad one stands in any case."""
    if verdict.result is not Result.SUCCESSFUL or grounds.carries(number, raw):
        return verdict
    return Check(verdict.name, Result.UNDETERMINED, NOT_PROVEN)


def _offers(files: ChipFiles, signed: SecurityInfos | None) -> Iterator[Check]:
    """Whether somebody took offers away from EF.CardAccess, which nobody signed (Doc 9303-11, 9.2.11)."""
    if signed is None or not signed.pace:
        return
    missing = "card_access" not in files or parse_card_access(files["card_access"].reveal()).confirmed(signed)
    yield Check(
        CARD_ACCESS,
        Result.FAILED if missing else Result.SUCCESSFUL,
        "pace_offers_not_signed" if missing else "",
    )


def _signed_infos(files: ChipFiles, grounds: Grounds) -> SecurityInfos | None:
    """What DG14 says, if the issuing state wrote it."""
    if "dg14" not in files or not grounds.carries(14, files["dg14"].reveal()):
        return None
    try:
        return parse_security_infos(parse_dg14(files["dg14"].reveal()))
    except (AccessError, LdsError):
        return None
