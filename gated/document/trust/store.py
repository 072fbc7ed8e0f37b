"""What document signers are checked against: roots from master lists and files, CRLs, deviation lists.

A master list counts only if its signature leads to an anchor that the operator chose. Files that the
operator chose must be usable, or loading fails and says which is not. What a list holds is not the
operator's choice: each certificate is read wholly when the store is loaded, and what cannot be used is
left out and named with its reason, so that one odd certificate never costs the other five hundred.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gated.document.errors import TrustError
from gated.document.trust.certificates import Certificate, parse_certificate
from gated.document.trust.contents import Contents, take_apart
from gated.document.trust.crls import RevocationList, parse_crl
from gated.document.trust.deviations import Entry, parse_deviations
from gated.document.trust.ldif import is_ldif
from gated.document.trust.lists import listed_certificates, open_list
from gated.document.trust.names import CanonicalName
from gated.document.trust.states import same_country

_Read = TypeVar("_Read")

__all__ = ["DeviationList", "Refusal", "TrustStore", "certifier"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A listed certificate that is not used: where it stands (`master list 1, certificate 12`), and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class DeviationList:
    """The verified entries of one state."""

    country: str
    entries: tuple[Entry, ...]


class TrustStore:
    """CSCA certificates, found by key identifier and by name; document signers, CRLs and deviations beside.

    `signers` are document signers known otherwise, for security objects that do not enclose theirs: they are
    found here, never trusted for it. CRLs that no root signed are refused.
    """

    def __init__(
        self,
        roots: Iterable[Certificate],
        refused: Iterable[Refusal] = (),
        *,
        signers: Iterable[Certificate] = (),
        crls: Iterable[RevocationList] = (),
        deviations: Iterable[DeviationList] = (),
    ) -> None:
        by_hash = {hashlib.sha256(root.der).digest(): root for root in roots}
        self.roots = tuple(by_hash.values())
        self.signers = tuple(signers)
        self._by_key: dict[bytes, list[Certificate]] = {}
        self._by_name: dict[CanonicalName, list[Certificate]] = {}
        for root in self.roots:
            self._by_name.setdefault(root.subject, []).append(root)
            if root.key_id is not None:
                self._by_key.setdefault(root.key_id, []).append(root)
        self._names: dict[CanonicalName, frozenset[CanonicalName]] = {}
        trouble: list[Refusal] = list(refused)
        self.crls = tuple(self._verified(crls, trouble))
        self.deviations = tuple(deviations)
        self.refused = tuple(trouble)
        self.sha256 = self._fingerprint(sorted(by_hash))

    def __len__(self) -> int:
        return len(self.roots)

    @classmethod
    def load(
        cls,
        master_lists: Sequence[bytes],
        certificates: Sequence[bytes],
        anchors: Sequence[bytes],
        crls: Sequence[bytes] = (),
        deviations: Sequence[bytes] = (),
    ) -> "TrustStore":
        """Read master lists, CSCA certificates and anchors (DER or PEM), CRLs and deviation lists.

        A master list may be an LDIF file of the ICAO PKD: of what it holds, the usable is taken. Raises
        TrustError with `source` for an unusable list, certificate or anchor; listed certificates that are
        unusable, and lists in an LDIF file that no anchor vouches for, go to `refused`.
        """
        chosen = [it for number, raw in enumerate(anchors, 1) for it in _certifiers(raw, f"anchor {number}")]
        roots = [
            it
            for number, raw in enumerate(certificates, 1)
            for it in _certifiers(raw, f"certificate {number}")
        ]
        refused: list[Refusal] = []
        revoked = [it for number, raw in enumerate(crls, 1) for it in _revocation_lists(raw, f"CRL {number}")]
        wanted = len(revoked)
        signers: list[Certificate] = []
        for number, raw in enumerate(master_lists, 1):
            source = f"master list {number}"
            if is_ldif(raw):
                directory = _directory(raw, chosen, source)
                roots += directory.roots
                signers += directory.signers
                revoked += [listed for _, listed in directory.crls]
                refused += [Refusal(f"{source}, {place}", reason) for place, reason in directory.refusals]
            else:
                roots += usable_roots(source, _listed(raw, chosen, source), refused)
        known = [
            open_deviations(raw, roots, f"deviation list {number}")
            for number, raw in enumerate(deviations, 1)
        ]
        store = cls(roots, refused, signers=signers, crls=revoked, deviations=known)
        chosen_lists = {f"CRL {number}" for number in range(1, wanted + 1)}
        wrong = next((item for item in store.refused if item.source in chosen_lists), None)
        if wrong is not None:
            raise TrustError(wrong.reason, wrong.source)
        return store

    def issuers_of(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """All roots that may have signed it: by key identifier first, then all of the issuer's name."""
        found: list[Certificate] = []
        if certificate.authority_key_id is not None:
            found += self._by_key.get(certificate.authority_key_id, ())
        found += (root for root in self._by_name.get(certificate.issuer, ()) if root not in found)
        return tuple(found)

    def of_country(self, country: str) -> tuple[Certificate, ...]:
        """All roots of a country."""
        return tuple(root for root in self.roots if same_country(root.country, country))

    def names_of(self, root: Certificate) -> frozenset[CanonicalName]:
        """The names that this root has had: those of every certificate of its key, and of its links.

        A state that changes the name of its CSCA goes on revoking under the new one (Doc 9303-12 D.3), so
        names are followed along link certificates, in both directions, within the country.
        """
        if root.subject in self._names:
            return self._names[root.subject]
        names = {root.subject}
        kin = self.of_country(root.country)
        before = 0
        while len(names) > before:
            before = len(names)
            keys = {item.public_info for item in kin if item.subject in names}
            names |= {item.subject for item in kin if item.public_info in keys or item.issuer in names}
            names |= {item.issuer for item in kin if item.subject in names}
        self._names[root.subject] = frozenset(names)
        return self._names[root.subject]

    def crls_for(self, names: frozenset[CanonicalName]) -> tuple[RevocationList, ...]:
        """The verified lists of these issuers, the latest first."""
        found = [item for item in self.crls if not names.isdisjoint(item.names)]
        return tuple(sorted(found, key=lambda item: item.this_update, reverse=True))

    def entries_for(self, country: str) -> Iterator[Entry]:
        """The deviations that a state tells of its own documents."""
        for listed in self.deviations:
            if same_country(listed.country, country):
                yield from listed.entries

    def _verified(self, crls: Iterable[RevocationList], trouble: list[Refusal]) -> Iterator[RevocationList]:
        """Lists that a root of the same country signed which may: found by key identifier, then by name.

        No state speaks for another, whatever names its list bears.
        """
        for number, listed in enumerate(crls, 1):
            candidates = list(self._by_key.get(listed.authority_key_id or b"", ()))
            candidates += self._by_name.get(listed.issuer, ())
            candidates = [item for item in candidates if same_country(item.country, listed.country)]
            if any(item.may_sign_lists and listed.is_signed_by(item) for item in candidates):
                yield listed
                continue
            reason = "crl_signature_wrong" if candidates else "crl_issuer_unknown"
            trouble.append(Refusal(f"CRL {number}", reason))

    def _fingerprint(self, roots: list[bytes]) -> str:
        """Of everything that decides: roots, and CRLs if there are any."""
        lists = sorted(hashlib.sha256(item.der).digest() for item in self.crls)
        return hashlib.sha256(b"".join((*roots, *lists))).hexdigest()


def certifier(raw: bytes) -> Certificate:
    """Read a certificate that may sign others. Raises TrustError."""
    certificate = parse_certificate(raw)
    if not certificate.may_certify:
        raise TrustError(certificate.not_a_certifier)
    return certificate


def usable_roots(source: str, listed: Sequence[bytes], refused: list[Refusal]) -> Iterator[Certificate]:
    """The listed certificates that can be used to check others; the rest goes to `refused`."""
    for number, raw in enumerate(listed, 1):
        try:
            yield certifier(raw)
        except TrustError as error:
            refused.append(Refusal(f"{source}, certificate {number}", error.code))


def open_deviations(raw: bytes, roots: Sequence[Certificate], source: str = "") -> DeviationList:
    """Verify and read a deviation list; its signer leads to a root of the store. Raises TrustError."""
    try:
        looked = open_list(raw, "deviation_list", roots)
        assert looked.root is not None  # noqa: S101 - `open_list` would have raised
        return DeviationList(looked.root.country, parse_deviations(looked.content))
    except TrustError as error:
        raise TrustError(error.code, source) from error


def _chosen(read: Callable[[bytes], _Read], raw: bytes, source: str) -> _Read:
    """What the operator chose. Raises TrustError with its source."""
    try:
        return read(raw)
    except TrustError as error:
        raise TrustError(error.code, source) from error


def _directory(raw: bytes, anchors: Sequence[Certificate], source: str) -> Contents:
    """A directory file that holds something of use. Raises TrustError."""
    try:
        contents = take_apart(raw, anchors)
    except TrustError as error:
        raise TrustError(error.code, source) from error
    if not contents.roots:
        raise TrustError("master_list_not_anchored", source)
    return contents


def _certifiers(raw: bytes, source: str) -> list[Certificate]:
    """The root in a file, or all roots in an armoured one; each must be usable. Raises TrustError."""
    contents = _armoured(raw, source)
    if contents is None:
        return [_chosen(certifier, raw, source)]
    if len(contents.roots) < len(contents.pieces) or contents.lists or contents.crls:
        raise TrustError("certificate_not_a_ca", source)
    return contents.roots


def _revocation_lists(raw: bytes, source: str) -> list[RevocationList]:
    """The list in a file, or all lists in an armoured one; each must be usable. Raises TrustError."""
    contents = _armoured(raw, source)
    if contents is None:
        return [_chosen(parse_crl, raw, source)]
    return [listed for _, listed in contents.crls]


def _armoured(raw: bytes, source: str) -> Contents | None:
    """What a file of several armoured pieces holds, each usable; None for any other. Raises TrustError."""
    if raw.count(b"-----BEGIN ") <= 1:
        return None
    contents = _chosen(lambda it: take_apart(it, ()), raw, source)
    for place, reason in contents.refusals:
        raise TrustError(reason, f"{source}, {place}")
    return contents


def _listed(raw: bytes, anchors: Sequence[Certificate], source: str) -> list[bytes]:
    try:
        return listed_certificates(open_list(raw, "master_list", anchors).content)
    except TrustError as error:
        raise TrustError(error.code, source) from error
