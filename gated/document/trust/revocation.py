"""Whether signer or root was revoked, as far as the revocation lists at hand tell (RFC 5280 section 6.3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gated.core.checks import Check, Result
from gated.core.trust_policy import TrustPolicy
from gated.document.trust.certificates import Certificate
from gated.document.trust.crls import RevocationList, Revoked
from gated.document.trust.signed_data import same_serial
from gated.document.trust.store import TrustStore

REVOCATION = "revocation"


def check_revocation(
    signer: Certificate, root: Certificate, store: TrustStore, at: datetime, policy: TrustPolicy
) -> tuple[Check, Revoked | None]:
    """The check `revocation`, and the entry that made it fail.

    It fails if any verified list names signer or root, of whatever age. Otherwise the latest list of the
    root must be fresh at the time: `crl_missing` and `crl_stale` leave the check undetermined. A list issued
    after the time counts, since it holds all that were revoked before.
    """
    names = store.names_of(root)
    lists = store.crls_for(names | {signer.issuer})
    entry = _entry(signer, lists)
    if entry is not None:
        return Check(REVOCATION, Result.FAILED, "document_signer_revoked"), entry
    entry = _entry(root, store.crls_for(names | {root.issuer}))
    if entry is not None:
        return Check(REVOCATION, Result.FAILED, "csca_revoked"), entry
    if not lists:
        return Check(REVOCATION, Result.UNDETERMINED, "crl_missing"), None
    if not any(is_fresh(item, at, policy) for item in lists):
        return Check(REVOCATION, Result.UNDETERMINED, "crl_stale"), None
    return Check(REVOCATION, Result.SUCCESSFUL), None


def is_fresh(listed: RevocationList, at: datetime, policy: TrustPolicy) -> bool:
    """Whether the list is still to be relied on: before its next update, and not older than policy allows."""
    if at - listed.this_update > timedelta(days=policy.max_crl_age_d):
        return False
    return listed.next_update is None or at <= listed.next_update


def _entry(certificate: Certificate, lists: tuple[RevocationList, ...]) -> Revoked | None:
    return next(_entries(certificate, lists), None)


def _entries(certificate: Certificate, lists: tuple[RevocationList, ...]) -> Iterator[Revoked]:
    for listed in lists:
        found = listed.revoked.get(certificate.serial)
        if found is None and certificate.serial < 0:
            found = next(
                (item for key, item in listed.revoked.items() if same_serial(key, certificate.serial)), None
            )
        if found is not None:
            yield found
