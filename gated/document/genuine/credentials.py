"""The certificates of one terminal key, and the way to it from what a chip trusts (Doc 9303-11, 7.1.4.3).

A chip trusts one or two CVCA keys, by reference. A terminal holds, beside its own certificates, those of its
document verifiers, the CVCA's own and its link certificates, which carry a chip that trusts an older CVCA
key over to the present one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gated.document.errors import CvError
from gated.document.genuine.cv_certificates import (
    Authorization,
    CvCertificate,
    Holder,
    Role,
    check_dates,
    parse_certificate,
    trust_point,
    verify_certificate,
)

MAX_CERTIFICATES = 256  # of some tens of states, each with links and renewals
MAX_LINKS = 8  # a CVCA renews its key every few years, a passport lasts ten


@dataclass(frozen=True, slots=True)
class Chain:
    """What to present to a chip, in order: links, document verifier, terminal; and whom they lead to."""

    certificates: tuple[CvCertificate, ...]
    terminal: Holder

    @property
    def authorization(self) -> Authorization:
        """What the terminal may read at most."""
        return self.terminal.authorization


@dataclass(frozen=True, slots=True)
class Credentials:
    """All certificates that lead to one terminal key. Public data; the key itself is elsewhere."""

    certificates: tuple[CvCertificate, ...]

    @classmethod
    def load(cls, files: Iterable[bytes]) -> "Credentials":
        """Parse certificates, one a file. Raises CvError: a parser's code, or `cv_too_many`."""
        parsed: list[CvCertificate] = []
        for raw in files:
            if len(parsed) == MAX_CERTIFICATES:
                raise CvError("cv_too_many")
            parsed.append(parse_certificate(raw))
        return cls(tuple(parsed))

    def chain_for(self, references: Iterable[str], on: date) -> Chain:
        """The shortest chain from a CVCA reference of the chip that holds on that day, verified.

        Raises CvError: `cv_no_chain` where no certificates lead there, else what is wrong with the last of
        the chains that do: `cv_expired`, `cv_signature_wrong` ...
        """
        trouble = CvError("cv_no_chain")
        trusted = tuple(references)
        for path in sorted(self._paths(trusted), key=len):
            try:
                return self._verified(path, on)
            except CvError as error:
                trouble = error
        raise trouble

    def _paths(self, trusted: tuple[str, ...]) -> Iterator[tuple[CvCertificate, ...]]:
        """Every way from a trusted reference to a terminal's certificate."""
        for terminal in self._of(Role.TERMINAL):
            for verifier in self._of(Role.DV_DOMESTIC, Role.DV_FOREIGN):
                if verifier.holder == terminal.issuer:
                    for links in self._links(trusted, verifier.issuer):
                        yield (*links, verifier, terminal)

    def _links(self, trusted: tuple[str, ...], wanted: str) -> Iterator[tuple[CvCertificate, ...]]:
        """The link certificates that lead from a trusted reference to the wanted one, oldest first."""
        links: tuple[CvCertificate, ...] = ()
        for _ in range(MAX_LINKS + 1):
            if wanted in trusted:
                yield links
                return
            link = next((it for it in self._of(Role.CVCA) if it.holder == wanted and not it.is_root), None)
            if link is None:
                return
            links, wanted = (link, *links), link.issuer

    def _verified(self, path: tuple[CvCertificate, ...], on: date) -> Chain:
        holder = self._trust_point(path[0].issuer)
        for certificate in path:
            check_dates(certificate, on)
            holder = verify_certificate(certificate, holder)
        return Chain(path, holder)

    def _trust_point(self, reference: str) -> Holder:
        """The key behind a chip's reference, from a certificate that says it: the chip trusts it anyway."""
        known = [it for it in self._of(Role.CVCA) if it.holder == reference]
        if not known:
            raise CvError("cv_root_missing")
        return trust_point(max(known, key=lambda it: (it.key.curve is not None, it.is_root)))

    def _of(self, *roles: Role) -> Iterator[CvCertificate]:
        return (it for it in self.certificates if it.authorization.role in roles)
