"""EF.CardSecurity (Doc 9303-11 section 9.2.11): the signed SecurityInfos that hold PACE-CAM's static key."""

from dataclasses import dataclass
from datetime import datetime

from gated.core.checks import Check, Result, overall
from gated.core.trust_policy import TrustPolicy
from gated.document.errors import TrustError
from gated.document.trust.certificates import Certificate
from gated.document.trust.chain import Chain
from gated.document.trust.revocation import REVOCATION
from gated.document.trust.signed_data import parse_signed_data
from gated.document.trust.store import TrustStore

MAX_CARD_SECURITY = 0x1_0000
SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"  # id-SecurityObject, TR-03110-3 appendix A.1.2.5

CARD_SECURITY = "card_security"


@dataclass(frozen=True, slots=True, repr=False)
class CardSecurity:
    """`check` sums up signature, chain, validity and revocation; its reason is the first that is not good.

    `security_infos` is the DER coded SET OF SecurityInfo, to be used only if the check is successful.
    """

    check: Check
    security_infos: bytes
    signer: Certificate | None
    csca: Certificate | None
    notes: tuple[str, ...]


_DEFAULT = TrustPolicy()


def authenticate_card_security(
    raw: bytes, store: TrustStore, *, at: datetime, policy: TrustPolicy = _DEFAULT
) -> CardSecurity:
    """Authenticate raw EF.CardSecurity by the rules of EF.SOD. Never raises for bad input."""
    if at.tzinfo is None:
        raise ValueError("at: give an aware time")
    try:
        signed = parse_signed_data(raw, max_length=MAX_CARD_SECURITY)
    except TrustError as error:
        return _refused(error.code)
    if signed.content_type != SECURITY_OBJECT:
        return _refused("card_security_content_type")
    chain = Chain(signed, store, at=at, policy=policy)
    check = _summed(chain, policy)
    return CardSecurity(check, signed.content, chain.signer, chain.root, tuple(chain.notes))


def _refused(code: str) -> CardSecurity:
    return CardSecurity(Check(CARD_SECURITY, Result.FAILED, code), b"", None, None, ())


def _summed(chain: Chain, policy: TrustPolicy) -> Check:
    names = ["sod_signature", "document_signer", "csca", "validity", REVOCATION]
    found = [chain.found.get(name, Check(name, Result.UNDETERMINED, "not_reached")) for name in names]
    if policy.revocation == "if_known" and found[-1].result is Result.UNDETERMINED:
        found.pop()
    if not chain.of_one_state:
        found.append(Check("issuing_state", Result.FAILED, "signer_of_another_state"))
    result = overall(tuple(found))
    reason = next((check.reason for check in found if check.result is result), "")
    return Check(CARD_SECURITY, result, reason)
