"""Passive authentication (Doc 9303-11 section 5.1): whether the issuing state wrote what the chip holds.

Six checks, always all of them, in the words of TR-03135. Each says one thing and leaves the rest to the
others, so their sum must be good (`gated.core.checks.overall`):

  sod_signature     the document signer's key signed the security object
  document_signer   the certificate in EF.SOD that is named as the signer may sign documents
  csca              a root of the trust store signed that certificate
  dg_hashes         every file that was read is in the security object, with this hash
  issuing_state     the root belongs to the state that DG1 names
  validity          both certificates are valid at the given time

A check that could not be made because an earlier one failed is undetermined (`not_reached`), and so is a
state that neither the table nor the root's own alternative names can tell: that admits nobody either.
"""

from collections.abc import Mapping
from datetime import datetime

from gated.core.checks import Check, Result
from gated.document import keys
from gated.document.errors import LdsError, TrustError
from gated.document.lds import SecurityObject, parse_security_object, parse_sod
from gated.document.trust.certificates import Certificate
from gated.document.trust.signatures import digest_of
from gated.document.trust.signed_data import SignedData, parse_signed_data
from gated.document.trust.states import issuer_codes
from gated.document.trust.store import Refusal, TrustStore

__all__ = ["CHECKS", "Refusal", "TrustStore", "authenticate"]

CHECKS = ("sod_signature", "document_signer", "csca", "dg_hashes", "issuing_state", "validity")
MAX_SOD = 0x1_0000

# ldsSecurityObject, and two identifiers that early documents used for the same content
SECURITY_OBJECTS = ("2.23.136.1.1.1", "1.3.27.1.1.1", "1.2.528.1.1006.1.20.1")


def authenticate(
    sod: bytes,
    groups: Mapping[int, bytes],
    store: TrustStore,
    *,
    at: datetime,
    issuing_state: str | None,
    expired_csca: bool = False,
) -> tuple[Check, ...]:
    """Make the six checks on raw EF.SOD and the raw data groups by number. Never raises for bad input.

    `at` is an aware time, fixed once per passage. `issuing_state` is what DG1 names, None if DG1 could not
    be read. `expired_csca` accepts a root past its end (the chain model); the signer must always be valid.
    """
    if at.tzinfo is None:
        raise ValueError("at: give an aware time")
    run = _Authentication(groups, store, at, issuing_state)
    run.attempt(sod, expired_csca=expired_csca)
    return tuple(run.found.get(name, Check(name, Result.UNDETERMINED, "not_reached")) for name in CHECKS)


class _Authentication:
    """One run: the checks found so far."""

    def __init__(
        self, groups: Mapping[int, bytes], store: TrustStore, at: datetime, issuing_state: str | None
    ) -> None:
        self.found: dict[str, Check] = {}
        self._groups = groups
        self._store = store
        self._at = at
        self._issuing_state = issuing_state

    def attempt(self, sod: bytes, *, expired_csca: bool) -> None:
        """Make what checks can be made."""
        try:
            signed = parse_signed_data(parse_sod(sod), max_length=MAX_SOD)
            security_object = _security_object(signed)
        except (LdsError, TrustError) as error:
            self._note("sod_signature", error.code)
            return
        self._note("dg_hashes", _compare_hashes(security_object, self._groups))
        signer = signed.signer_certificate()
        if signer is None:
            self._note("document_signer", "document_signer_missing")
            return
        self._note("document_signer", "" if signer.may_sign_documents else "document_signer_not_allowed")
        self._note("sod_signature", _signature_trouble(signed, signer))
        self._check_chain(signer, expired_csca=expired_csca)

    def _check_chain(self, signer: Certificate, *, expired_csca: bool) -> None:
        candidates = self._store.issuers_of(signer)
        roots = [root for root in candidates if signer.is_signed_by(root)]
        if not roots:
            self._note("csca", "csca_signature_wrong" if candidates else "csca_unknown")
            return
        self._note("csca", "")
        # One key may have several certificates (renewed, linked): one of them has to fit.
        root = max(roots, key=lambda item: (item.valid_at(self._at), item.not_after))
        self._note("validity", self._validity_trouble(signer, root, expired_csca=expired_csca))
        self._check_state(signer, root)

    def _validity_trouble(self, signer: Certificate, root: Certificate, *, expired_csca: bool) -> str:
        for name, certificate, lenient in (("document_signer", signer, False), ("csca", root, expired_csca)):
            if self._at < certificate.not_before:
                return f"{name}_not_yet_valid"
            if self._at > certificate.not_after and not lenient:
                return f"{name}_expired"
        return ""

    def _check_state(self, signer: Certificate, root: Certificate) -> None:
        """Signer, root and DG1 name one state (Doc 9303-11 section 5.1, Doc 9303-12 section 7.1.1)."""
        if self._issuing_state is None:
            return
        if signer.country and root.country and signer.country != root.country:
            self._note("issuing_state", "signer_of_another_state")
            return
        codes = issuer_codes(root.country) or root.localities
        if not codes:
            self._note("issuing_state", "state_unknown", Result.UNDETERMINED)
            return
        self._note("issuing_state", "" if self._issuing_state in codes else "issuing_state_differs")

    def _note(self, name: str, reason: str, result: Result = Result.FAILED) -> None:
        self.found[name] = Check(name, result if reason else Result.SUCCESSFUL, reason)


def _security_object(signed: SignedData) -> SecurityObject:
    if signed.content_type not in SECURITY_OBJECTS:
        raise TrustError("sod_content_type")
    return parse_security_object(signed.content)


def _signature_trouble(signed: SignedData, signer: Certificate) -> str:
    try:
        signed.verify(signer)
    except TrustError as error:
        return error.code
    return ""


def _compare_hashes(security_object: SecurityObject, groups: Mapping[int, bytes]) -> str:
    """The first trouble by number, empty when all files that were read are as signed."""
    for number, raw in sorted(groups.items()):
        if number not in security_object.hashes:
            return f"dg{number}_not_signed"
        if not keys.equal(security_object.hashes[number], digest_of(security_object.digest, raw)):
            return f"dg{number}_hash_wrong"
    return "" if groups else "nothing_read"
