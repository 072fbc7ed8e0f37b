"""From a signed structure of a chip to a root of the store: the checks that its two signed files share."""

from datetime import datetime

from gated.core.checks import Check, Result
from gated.core.trust_policy import TrustPolicy
from gated.document.errors import TrustError
from gated.document.trust.certificates import Certificate
from gated.document.trust.crls import Revoked
from gated.document.trust.revocation import REVOCATION, check_revocation
from gated.document.trust.signatures import RsaKey
from gated.document.trust.signed_data import Proof, SignedData, SignerFailure
from gated.document.trust.states import same_country
from gated.document.trust.store import TrustStore


class Chain:
    """The checks on signature, signer, root, validity and revocation, made at once; `found` holds them.

    `content_digest` is a hash on which the content rests besides the signature's own.
    """

    def __init__(
        self,
        signed: SignedData,
        store: TrustStore,
        *,
        at: datetime,
        policy: TrustPolicy,
        content_digest: str = "",
    ) -> None:
        self.found: dict[str, Check] = {}
        self.notes: list[str] = []
        self.signer: Certificate | None = None
        self.root: Certificate | None = None
        self.revoked: Revoked | None = None
        self._store = store
        self._at = at
        self._policy = policy
        self._content_digest = content_digest
        self._begin(signed)

    def holds(self, *names: str) -> bool:
        """Whether all these checks were made and are successful."""
        return all(name in self.found and self.found[name].result is Result.SUCCESSFUL for name in names)

    @property
    def of_one_state(self) -> bool:
        """Whether signer and root name one country, as far as they name any (Doc 9303-12 section 7.1.1)."""
        if self.signer is None or self.root is None or not self.signer.country or not self.root.country:
            return True
        return same_country(self.signer.country, self.root.country)

    def _begin(self, signed: SignedData) -> None:
        try:
            proof = self._chosen(signed.proofs(self._store.signers))
        except SignerFailure as error:
            self._note("sod_signature", error.code)
            self.signer = error.certificate
        except TrustError as error:
            missing = error.code == "signer_certificate_missing"
            self._note("document_signer", "document_signer_missing" if missing else error.code)
            return
        else:
            self._note("sod_signature", self._algorithm_trouble(proof))
            self.notes += proof.notes
            self._note_times(proof)
            self.signer = proof.certificate
        self._note("document_signer", self._signer_trouble(self.signer))
        self.notes += self.signer.oddities
        self._climb(self.signer)

    def _chosen(self, proofs: tuple[Proof, ...]) -> Proof:
        """Of several signers one that leads to a root, if any does."""
        if len(proofs) == 1:
            return proofs[0]
        issuers = ((proof, self._store.issuers_of(proof.certificate)) for proof in proofs)
        leading = (it for it, roots in issuers if any(it.certificate.is_signed_by(root) for root in roots))
        return next(leading, proofs[0])

    def _algorithm_trouble(self, proof: Proof) -> str:
        used = {proof.scheme.digest, proof.digest, self._content_digest}
        return "sha1_not_allowed" if "sha1" in used and not self._policy.allow_sha1 else ""

    def _signer_trouble(self, signer: Certificate) -> str:
        return "document_signer_rsa_too_short" if self._is_short(signer) else signer.not_a_document_signer

    def _note_times(self, proof: Proof) -> None:
        """When the object was signed, by the signer's own word: a note, since nobody else vouches for it."""
        time = proof.signing_time
        if time is None or time.tzinfo is None:
            return
        if not proof.certificate.valid_at(time):
            self.notes.append("signed_outside_the_signers_validity")
        elif proof.certificate.private_key_until is not None and time > proof.certificate.private_key_until:
            self.notes.append("signed_after_the_private_keys_period")

    def _climb(self, signer: Certificate) -> None:
        candidates = self._store.issuers_of(signer)
        roots = [root for root in candidates if signer.is_signed_by(root)]
        if not roots:
            # The last resort: a root of the state under another name than the signer's issuer.
            kin = self._store.of_country(signer.country)
            roots = [root for root in kin if root not in candidates and signer.is_signed_by(root)]
            if not roots:
                self._note_unknown(signer, candidates)
                return
            self.notes.append("csca_named_otherwise")
        # One key may have several certificates (renewed, linked): one of them has to fit.
        root = max(roots, key=lambda item: (item.valid_at(self._at), item.not_after))
        self.root = root
        self._note("csca", self._root_trouble(signer, root))
        self._note("validity", self._validity_trouble(signer, root))
        check, self.revoked = check_revocation(signer, root, self._store, self._at, self._policy)
        self.found[REVOCATION] = check

    def _note_unknown(self, signer: Certificate, candidates: tuple[Certificate, ...]) -> None:
        """A root of the name alone may be of another key of the state; with the key identifier it is not."""
        same_key = any(root.key_id == signer.authority_key_id for root in candidates if root.key_id)
        if candidates and (same_key or signer.authority_key_id is None):
            self._note("csca", "csca_signature_wrong")
        else:
            self._note("csca", "csca_unknown", Result.UNDETERMINED)

    def _root_trouble(self, signer: Certificate, root: Certificate) -> str:
        if self._is_short(root):
            return "csca_rsa_too_short"
        return "sha1_not_allowed" if signer.scheme.digest == "sha1" and not self._policy.allow_sha1 else ""

    def _is_short(self, certificate: Certificate) -> bool:
        key = certificate.key
        return isinstance(key, RsaKey) and key.n.bit_length() < self._policy.min_rsa_bits

    def _validity_trouble(self, signer: Certificate, root: Certificate) -> str:
        lenient = self._policy.expired_csca
        for name, certificate, forgiven in (("document_signer", signer, False), ("csca", root, lenient)):
            if self._at < certificate.not_before:
                return f"{name}_not_yet_valid"
            if self._at > certificate.not_after and not (forgiven and root.valid_at(signer.not_before)):
                return f"{name}_expired"
        return ""

    def _note(self, name: str, reason: str, result: Result = Result.FAILED) -> None:
        self.found[name] = Check(name, result if reason else Result.SUCCESSFUL, reason)
