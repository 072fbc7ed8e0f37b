"""Terminal authentication version 1, the chip's side (Doc 9303-11, 7.1; TR-03110-3, 2.5 and B.3).

The chip has no clock. It knows the latest day that a trustworthy certificate told it, and refuses what had
expired by then; link certificates give it new trust points, of which it keeps two. Both outlast its power.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

from gated.core.values import Value
from gated.document import tlv
from gated.document.apdu import Command
from gated.document.errors import CvError, TlvError
from gated.document.genuine.cv_certificates import (
    CvCertificate,
    Holder,
    Role,
    parse_certificate,
    signs,
    trust_point,
    verify_certificate,
)
from hw_sim.passport import lds
from hw_sim.passport.chip_files import SECURITY_STATUS, WRONG_DATA, WRONG_LENGTH, WRONG_PARAMETERS, Refused

VERIFICATION_FAILED: Final = 0x6300
CONDITIONS_OF_USE: Final = 0x6985
REFERENCE_NOT_FOUND: Final = 0x6A88

GET_CHALLENGE, EXTERNAL_AUTHENTICATE = 0x84, 0x82
MANAGE_ENVIRONMENT, PERFORM_OPERATION = 0x22, 0x2A
FOR_VERIFICATION, FOR_EXTERNAL_AUTHENTICATION = (0x81, 0xB6), (0x81, 0xA4)

_CHALLENGE_LENGTH = 8
_CVCA_LENGTH = 36
_TRUST_POINTS = 2


class TerminalTrust(Value):
    """What a chip is personalised with: certificates of the CVCAs that it trusts, and the day of issue."""

    roots: tuple[bytes, ...]
    today: date


class TerminalAuthentication:
    """One chip's. `agreed` starts a session once the chip has authenticated itself."""

    def __init__(self, trust: TerminalTrust, entropy: Callable[[int], bytes]) -> None:
        roots = [parse_certificate(raw) for raw in trust.roots]
        self._expiries = {root.holder: root.expires for root in roots}
        self._points = [trust_point(root) for root in roots]
        self.today = trust.today
        self._entropy = entropy
        self.forget()

    @property
    def directory(self) -> bytes:
        """EF.CVCA (Doc 9303-11, K.2): the references of the trust points, the present one first."""
        return cvca_file([point.reference for point in self._points])

    @property
    def closed(self) -> frozenset[int]:
        """The files that stay closed, as things stand."""
        opened = set()
        if self._authenticated is not None:
            rights = self._authenticated.authorization
            opened |= {lds.DG3} if rights.fingerprints else set()
            opened |= {lds.DG4} if rights.irises else set()
        return frozenset({lds.DG3, lds.DG4} - opened)

    def forget(self) -> None:
        """The session is over."""
        self._certified: dict[str, Holder] = {}
        self._issuer: Holder | None = None
        self._terminal: Holder | None = None
        self._authenticated: Holder | None = None
        self._challenge: bytes | None = None
        self._identifier = self._compressed = b""

    def agreed(self, identifier: bytes, compressed: bytes) -> None:
        """The channel is the genuine chip's: ID_IC, and Comp() of the terminal's public key in it."""
        self.forget()
        self._identifier, self._compressed = identifier, compressed

    @staticmethod
    def handles(command: Command) -> bool:
        """Whether a command within a session is one of this protocol."""
        if command.ins == MANAGE_ENVIRONMENT:
            return (command.p1, command.p2) in {FOR_VERIFICATION, FOR_EXTERNAL_AUTHENTICATION}
        return command.ins in {GET_CHALLENGE, EXTERNAL_AUTHENTICATE, PERFORM_OPERATION}

    def answer(self, command: Command) -> bytes:
        """Carry one command out. Raises Refused."""
        if not self._compressed:
            raise Refused(CONDITIONS_OF_USE)
        challenge, self._challenge = self._challenge, None
        match command.ins:
            case 0x22 if (command.p1, command.p2) == FOR_VERIFICATION:
                self._issuer = self._find(command)
            case 0x22:
                self._terminal = self._find(command)
            case 0x2A:
                self._verify(command)
            case 0x84:
                return self._ask(command)
            case _:
                self._authenticate(command, challenge)
        return b""

    def _find(self, command: Command) -> Holder:
        """The holder of the named key, among trust points and what was certified in this session."""
        try:
            reference = tlv.parse_one(command.body, 0x83).value.decode("latin-1")
        except TlvError as error:
            raise Refused(WRONG_DATA) from error
        found = [point for point in self._points if point.reference == reference]
        if reference in self._certified:
            found.append(self._certified[reference])
        if not found:
            raise Refused(REFERENCE_NOT_FOUND)
        return found[0]

    def _verify(self, command: Command) -> None:
        """PSO:Verify Certificate: import the key, learn the date, move the trust."""
        issuer, self._issuer = self._issuer, None
        if (command.p1, command.p2) != (0x00, 0xBE):
            raise Refused(WRONG_PARAMETERS)
        if issuer is None:
            raise Refused(CONDITIONS_OF_USE)
        try:
            certificate = parse_certificate(tlv.encode(0x7F21, command.body))
        except (CvError, TlvError) as error:
            raise Refused(WRONG_DATA) from error
        try:
            holder = verify_certificate(certificate, issuer)
        except CvError as error:
            raise Refused(VERIFICATION_FAILED) from error
        role = holder.authorization.role
        if role is not Role.CVCA and self._is_over(certificate, issuer):
            raise Refused(VERIFICATION_FAILED)
        self._learn(certificate, issuer)
        if role is Role.CVCA:
            self._trust(holder, certificate)
        else:
            self._certified[holder.reference] = holder

    def _is_over(self, certificate: CvCertificate, issuer: Holder) -> bool:
        """Whether the certificate has expired, or the trust point that answers for it."""
        until = self._expiries.get(issuer.reference, self.today)
        return certificate.expires < self.today or until < self.today

    def _learn(self, certificate: CvCertificate, issuer: Holder) -> None:
        """The date of a terminal counts only where a domestic verifier answers for its accuracy."""
        if certificate.authorization.role is not Role.TERMINAL or (
            issuer.authorization.role is Role.DV_DOMESTIC
        ):
            self.today = max(self.today, certificate.effective)

    def _trust(self, holder: Holder, certificate: CvCertificate) -> None:
        self._expiries[holder.reference] = certificate.expires
        kept = [point for point in self._points if point.reference != holder.reference]
        valid = [point for point in kept if self._expiries[point.reference] >= self.today]
        self._points = [holder, *valid][:_TRUST_POINTS]

    def _ask(self, command: Command) -> bytes:
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        if command.body or command.le not in {8, 256}:
            raise Refused(WRONG_LENGTH)
        self._challenge = self._entropy(_CHALLENGE_LENGTH)
        return self._challenge

    def _authenticate(self, command: Command, challenge: bytes | None) -> None:
        """EXTERNAL AUTHENTICATE with a terminal's key. A challenge serves once."""
        terminal = self._terminal
        if self._authenticated is not None:  # once in a session
            raise Refused(SECURITY_STATUS)
        if challenge is None or terminal is None or terminal.authorization.role is not Role.TERMINAL:
            raise Refused(CONDITIONS_OF_USE)
        if not signs(terminal, command.body, self._identifier + challenge + self._compressed):
            raise Refused(VERIFICATION_FAILED)
        self._authenticated = terminal


def cvca_file(references: list[str]) -> bytes:
    """EF.CVCA: one or two references, filled up with zeros."""
    coded = b"".join(tlv.encode(0x42, reference.encode("latin-1")) for reference in references)
    return coded.ljust(_CVCA_LENGTH, b"\0")


def security_info() -> bytes:
    """TerminalAuthenticationInfo of version 1; EF.CVCA has its usual identifier (K.2)."""
    return tlv.encode(0x30, tlv.encode(0x06, bytes.fromhex("04007F0007020202")) + b"\x02\x01\x01")
