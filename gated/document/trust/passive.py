"""Passive authentication (Doc 9303-11 section 5.1): whether the issuing state wrote what the chip holds.

Eight checks in the words of TR-03135. Each says one thing and leaves the rest to the others, so their sum
must be good (`gated.core.checks.overall`):

  sod_signature         a document signer's key signed the security object
  document_signer       the certificate that it belongs to may sign documents
  csca                  a root of the trust store signed that certificate
  dg_hashes             every file that was read is in the security object, with this hash
  issuing_state         the root belongs to the state that DG1 names
  validity              both certificates are valid at the given time
  signer_document_type  the document signer may sign documents of the type that DG1 names
  revocation            neither certificate is on a revocation list of the state

A check that could not be made because an earlier one failed is undetermined (`not_reached`). So is what the
store cannot tell: a root that it does not hold (`csca_unknown`), a state that neither the table nor the
root's own alternative names know, a revocation list that is missing. Undetermined admits nobody either,
unless policy excuses the check: then `Authentication.excused` says so, and the check stays as computed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from gated.core.checks import Check, Result, overall
from gated.core.trust_policy import TrustPolicy
from gated.document import keys
from gated.document.errors import TrustError
from gated.document.trust.certificates import Certificate
from gated.document.trust.chain import Chain
from gated.document.trust.crls import Revoked
from gated.document.trust.deviations import Deviation
from gated.document.trust.revocation import REVOCATION
from gated.document.trust.security_object import Sod, open_sod
from gated.document.trust.signatures import digest_of
from gated.document.trust.states import issuer_codes
from gated.document.trust.store import Refusal, TrustStore

__all__ = [
    "ALL_CHECKS",
    "CHECKS",
    "Authentication",
    "Excuse",
    "PassiveAuthentication",
    "Refusal",
    "TrustStore",
    "authenticate",
]

CHECKS = ("sod_signature", "document_signer", "csca", "dg_hashes", "issuing_state", "validity")
ALL_CHECKS = (*CHECKS, "signer_document_type", REVOCATION)

NOT_ASKED = "not_asked"
NOT_REACHED = "not_reached"

_DEFAULT = TrustPolicy()


@dataclass(frozen=True, slots=True)
class Excuse:
    """A check that policy leaves out of the result, and by what."""

    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class Authentication:
    """All eight checks as computed, which of them policy excuses, and what the record needs.

    `notes` are codes of what is odd without being wrong. `deviations` are those that the issuing state
    tells of this document. `signed_groups` are the numbers in the security object, whatever it is worth.
    `revoked` is the entry of a revocation list that made `revocation` fail.
    """

    checks: tuple[Check, ...]
    excused: tuple[Excuse, ...]
    signer: Certificate | None
    csca: Certificate | None
    signed_groups: frozenset[int]
    revoked: Revoked | None
    deviations: tuple[Deviation, ...]
    notes: tuple[str, ...]

    @property
    def counted(self) -> tuple[Check, ...]:
        """The checks that make the result."""
        left_out = {excuse.check for excuse in self.excused}
        return tuple(check for check in self.checks if check.name not in left_out)

    @property
    def result(self) -> Result:
        """How passive authentication ended."""
        return overall(self.counted)


class PassiveAuthentication:
    """One run on one document: begins with EF.SOD, takes the files as they are read, then concludes.

    The signature, chain and revocation are checked at once, so `signed_groups` can plan the reading and
    each file's hash is checked as soon as it is there. Never raises for what a chip gave.
    """

    def __init__(
        self, sod: bytes, store: TrustStore, *, at: datetime, policy: TrustPolicy = _DEFAULT
    ) -> None:
        """`at` is an aware time, fixed once per passage."""
        if at.tzinfo is None:
            raise ValueError("at: give an aware time")
        self._store = store
        self._policy = policy
        self._found: dict[str, Check] = {}
        self._notes: list[str] = []
        self._hashed: dict[int, str] = {}
        self._sod: Sod | None = None
        self._chain: Chain | None = None
        try:
            self._sod = open_sod(sod)
        except TrustError as error:
            self._note("sod_signature", error.code)
            return
        self._chain = Chain(self._sod.signed, store, at=at, policy=policy, content_digest=self._sod.digest)
        self._found |= self._chain.found
        self._notes += (*self._sod.notes, *self._chain.notes)

    @property
    def signed_groups(self) -> frozenset[int]:
        """The data groups that the security object holds hashes of; to be believed with the checks only."""
        return frozenset(self._sod.groups) if self._sod else frozenset()

    @property
    def signer_is_proven(self) -> bool:
        """Whether signature, signer and root are good so far: what a key in DG14 or DG15 rests on."""
        return self._chain is not None and self._chain.holds("sod_signature", "document_signer", "csca")

    def compare(self, number: int, raw: bytes) -> str:
        """Compare a data group's raw bytes with the security object; return the trouble, empty if none."""
        if self._sod is None:
            return NOT_REACHED
        trouble = ""
        if number not in self._sod.groups:
            trouble = f"dg{number}_not_signed"
        elif not keys.equal(self._sod.groups[number], digest_of(self._sod.digest, raw)):
            trouble = f"dg{number}_hash_wrong"
        self._hashed[number] = trouble
        return trouble

    def conclude(
        self,
        *,
        issuing_state: str | None,
        document_type: str | None = None,
        document_number: str | None = None,
        com_groups: Iterable[int] | None = None,
        not_asked: frozenset[str] = frozenset(),
    ) -> Authentication:
        """Make the checks that need DG1, and sum up.

        `issuing_state`, `document_type` and `document_number` are what DG1 says, None if DG1 could not be
        read. `com_groups` are the numbers that EF.COM lists; a difference is noted, and decides nothing.
        `not_asked` are checks whose input was never meant to be there.
        """
        if self._sod is not None and self._hashed:
            self._note(
                "dg_hashes", next((trouble for _, trouble in sorted(self._hashed.items()) if trouble), "")
            )
        elif self._sod is not None:
            self._note("dg_hashes", "nothing_read")
        if self._chain is not None and self._chain.signer is not None and self._chain.root is not None:
            self._check_state(self._chain, self._chain.root, issuing_state)
            self._check_type(self._chain.signer, document_type)
        if com_groups is not None and self._sod is not None and frozenset(com_groups) != self.signed_groups:
            self._notes.append("com_differs_from_sod")
        deviations = self._deviations(document_type, document_number)
        checks = tuple(self._check(name, not_asked) for name in ALL_CHECKS)
        return Authentication(
            checks=checks,
            excused=tuple(self._excuses(checks, deviations)),
            signer=self._chain.signer if self._chain else None,
            csca=self._chain.root if self._chain else None,
            signed_groups=self.signed_groups,
            revoked=self._chain.revoked if self._chain else None,
            deviations=deviations,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    # --- what DG1 says -------------------------------------------------------------------------------

    def _check_state(self, chain: Chain, root: Certificate, issuing_state: str | None) -> None:
        """Signer, root and DG1 name one state (Doc 9303-11 section 5.1, Doc 9303-12 section 7.1.1)."""
        codes = issuer_codes(root.country) or root.localities
        if issuing_state is not None and not codes:
            self._note("issuing_state", "state_unknown", Result.UNDETERMINED)
        elif issuing_state is not None and issuing_state not in codes:
            self._note("issuing_state", "issuing_state_differs")
        elif not chain.of_one_state:
            self._note("issuing_state", "signer_of_another_state")
        elif issuing_state is not None:
            self._note("issuing_state", "")

    def _check_type(self, signer: Certificate, document_type: str | None) -> None:
        """Doc 9303-12 section 7.1.1.6; one letter in the list stands for all that begin with it."""
        if signer.document_types is None:
            self._note("signer_document_type", "")
        elif document_type is not None:
            code = document_type.rstrip("<")
            allowed = code in signer.document_types or code[:1] in signer.document_types
            self._note("signer_document_type", "" if allowed else "document_type_not_allowed")

    # --- what is left out ----------------------------------------------------------------------------

    def _deviations(self, document_type: str | None, number: str | None) -> tuple[Deviation, ...]:
        """What the signer's state tells of this document; with a signer that is not proven, of its claim."""
        if self._chain is None or self._chain.signer is None:
            return ()
        signer = self._chain.signer
        country = (self._chain.root or signer).country
        code = None if document_type is None else document_type.rstrip("<")
        return tuple(
            deviation
            for entry in self._store.entries_for(country)
            if entry.affected.means(signer, code, number)
            for deviation in entry.deviations
        )

    def _excuses(self, checks: tuple[Check, ...], deviations: tuple[Deviation, ...]) -> Iterable[Excuse]:
        for check in checks:
            if check.result is Result.SUCCESSFUL:
                continue
            if check.reason == NOT_ASKED:
                yield Excuse(check.name, NOT_ASKED)
            elif check.name == REVOCATION and check.result is Result.UNDETERMINED:
                if self._policy.revocation == "if_known" and check.reason != NOT_REACHED:
                    yield Excuse(check.name, "policy_revocation_if_known")
            elif self._policy.deviations == "count" and self._is_deviated(check, deviations):
                yield Excuse(check.name, "deviation_list")

    def _is_deviated(self, check: Check, deviations: tuple[Deviation, ...]) -> bool:
        """Whether deviations of this document, proven to be the state's, cover all that is wrong here."""
        if self._chain is None or not self._chain.holds("sod_signature", "csca"):
            return False
        excusing = [deviation for deviation in deviations if deviation.covers(check.name, check.reason)]
        if check.name != "dg_hashes":
            return bool(excusing)
        covered = {deviation.where for deviation in excusing}
        wrong = {number: trouble for number, trouble in self._hashed.items() if trouble}
        return bool(wrong) and all(
            f"dg{number}" in covered and trouble.endswith("_hash_wrong") for number, trouble in wrong.items()
        )

    def _check(self, name: str, not_asked: frozenset[str]) -> Check:
        missing = Check(name, Result.UNDETERMINED, NOT_ASKED if name in not_asked else NOT_REACHED)
        check = self._found.get(name, missing)
        return missing if name in not_asked and check.reason == "nothing_read" else check

    def _note(self, name: str, reason: str, result: Result = Result.FAILED) -> None:
        self._found[name] = Check(name, result if reason else Result.SUCCESSFUL, reason)


def authenticate(
    sod: bytes,
    groups: Mapping[int, bytes],
    store: TrustStore,
    *,
    at: datetime,
    issuing_state: str | None,
    document_type: str | None = None,
    policy: TrustPolicy = _DEFAULT,
    expired_csca: bool = False,
) -> tuple[Check, ...]:
    """Make the checks on raw EF.SOD and the raw data groups by number; return those that policy counts.

    The six of `CHECKS` are always among them; `document_type` is where its input was given, `revocation`
    where it is known or required. Never raises for bad input.
    """
    if expired_csca:  # the older name of the policy's field
        policy = replace(policy, expired_csca=True)
    run = PassiveAuthentication(sod, store, at=at, policy=policy)
    for number, raw in groups.items():
        run.compare(number, raw)
    not_asked = frozenset({"signer_document_type"} if document_type is None else ())
    found = run.conclude(issuing_state=issuing_state, document_type=document_type, not_asked=not_asked)
    optional = {"signer_document_type"} if document_type is None else set()
    optional |= {
        check.name for check in found.checks if check.name == REVOCATION and check.reason == NOT_REACHED
    }
    return tuple(check for check in found.counted if check.name not in optional)
