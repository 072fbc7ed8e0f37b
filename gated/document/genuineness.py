"""The verdicts on what a chip answered to prove itself: each on top of the file that its key stands in.

`chip_authentication_mapping` rests on EF.CardSecurity, `chip_authentication` and `active_authentication` on
DG14 and DG15. Where that file is not known to be the issuing state's, the verdict is undetermined. A chip
that offers no proof is `genuineness`, not supported; or undetermined, where the operator's settings want one.
"""

from collections.abc import Iterator
from datetime import datetime

from gated.core.checks import Check, Result
from gated.core.settings import DocumentSettings
from gated.core.trust_policy import TrustPolicy
from gated.document.genuine.active_authentication import verify_active
from gated.document.reading.passport import ChipFiles
from gated.document.trust.passive import Authentication, PassiveAuthentication
from gated.document.trust.store import TrustStore

NOT_PROVEN = "key_not_authenticated"


def genuineness(
    files: ChipFiles,
    passive: PassiveAuthentication,
    authentication: Authentication,
    store: TrustStore,
    at: datetime,
    settings: DocumentSettings,
    policy: TrustPolicy,
) -> tuple[tuple[Check, ...], str]:
    """The checks, and the name of the first proof that holds (empty: none)."""
    checks = tuple(_verdicts(files, passive))
    if not checks:
        wanted = settings.genuineness == "required"
        result = Result.UNDETERMINED if wanted else Result.NOT_SUPPORTED
        return (Check("genuineness", result, "genuineness_not_offered"),), ""
    return checks, next((check.name for check in checks if check.result is Result.SUCCESSFUL), "")


def _verdicts(files: ChipFiles, passive: PassiveAuthentication) -> Iterator[Check]:
    proofs = files.proofs
    if proofs.active is not None:
        dg14 = files["dg14"].reveal() if "dg14" in files else None
        verdict = verify_active(files["dg15"].reveal(), dg14, proofs.active)
        yield _on_top_of(verdict, passive, files, 15)


def _on_top_of(verdict: Check, passive: PassiveAuthentication, files: ChipFiles, number: int) -> Check:
    """The verdict, if the group with the key is the issuing state's; a failed one fails in any case."""
    raw = files[f"dg{number}"].reveal()
    if verdict.result is Result.FAILED or (passive.signer_is_proven and not passive.compare(number, raw)):
        return verdict
    return Check(verdict.name, Result.UNDETERMINED, NOT_PROVEN)
