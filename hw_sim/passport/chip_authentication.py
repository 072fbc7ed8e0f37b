"""Chip authentication, the chip's side (Doc 9303-11 section 6.2; version 2 as in TR-03110-2 section 3.4).

Runs within a session. With 3DES in version 1 there is one command, MSE:Set KAT; else MSE:Set AT, then GENERAL
AUTHENTICATE. The response to the last command goes out under the old keys; a refusal leaves them as they are.
"""

from dataclasses import dataclass
from typing import Final

from gated.document import tlv
from gated.document.apdu import Command
from gated.document.errors import GroupError
from gated.document.groups.domains import standardized
from gated.document.keys import Suite
from gated.document.messaging import SessionKeys
from hw_sim.passport.chip_access import (
    CONDITIONS_OF_USE,
    REFERENCE_NOT_FOUND,
    Entropy,
    dynamic_data,
    objects,
    session_of,
    token_over,
)
from hw_sim.passport.chip_files import WRONG_DATA, WRONG_PARAMETERS, Refused
from hw_sim.passport.protocols import ChipAuthenticationProfile, StaticKey

MANAGE_ENVIRONMENT, GENERAL_AUTHENTICATE = 0x22, 0x86
_KEY_AGREEMENT: Final = (0x41, 0xA6)
_INTERNAL_AUTHENTICATION: Final = (0x41, 0xA4)
_NONCE_LENGTH: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Agreed:
    """The new keys, the answer that still goes out under the old ones, and Comp() of the terminal's key."""

    session: SessionKeys
    answer: bytes
    terminal_key: bytes


class ChipAuthentication:
    """One chip's, over its sessions."""

    def __init__(
        self,
        profiles: tuple[ChipAuthenticationProfile, ...],
        static_keys: tuple[StaticKey, ...],
        entropy: Entropy,
    ) -> None:
        self._profiles = profiles
        used = {(profile.domain, profile.key_id) for profile in profiles}
        self._keys = [key for key in static_keys if (key.domain, key.key_id) in used]
        self._entropy = entropy
        self._chosen: tuple[ChipAuthenticationProfile, StaticKey] | None = None

    def forget(self) -> None:
        """The session is over."""
        self._chosen = None

    @staticmethod
    def handles(command: Command) -> bool:
        """Whether a command within a session is one of this protocol."""
        if command.ins == MANAGE_ENVIRONMENT:
            return (command.p1, command.p2) in {_KEY_AGREEMENT, _INTERNAL_AUTHENTICATION}
        return command.ins == GENERAL_AUTHENTICATE

    def answer(self, command: Command) -> bytes | Agreed:
        """Carry one command out. Raises Refused."""
        chosen, self._chosen = self._chosen, None
        try:
            if command.ins == GENERAL_AUTHENTICATE:
                return self._authenticate(command, chosen)
            if (command.p1, command.p2) == _KEY_AGREEMENT:
                return self._set_key(command)
        except GroupError as error:
            raise Refused(WRONG_DATA) from error
        fields = objects(command.body, allowed={0x80, 0x84})
        self._chosen = self._find(fields.get(0x80, b""), fields.get(0x84))
        return b""

    def _set_key(self, command: Command) -> Agreed:
        """MSE:Set KAT (section 6.2.4.1)."""
        fields = objects(command.body, allowed={0x91, 0x84})
        old = [it for it in self._profiles if it.suite is Suite.TDES and it.version == 1]
        if not old or 0x91 not in fields:
            raise Refused(WRONG_DATA)
        kinds = {profile.oid for profile in old}
        reference = fields.get(0x84)
        found = [self._find(oid, reference) for oid in kinds if self._has(oid, reference)]
        if len(found) != 1:
            raise Refused(REFERENCE_NOT_FOUND)
        return self._agree(*found[0], fields[0x91])

    def _authenticate(
        self, command: Command, chosen: tuple[ChipAuthenticationProfile, StaticKey] | None
    ) -> Agreed:
        """GENERAL AUTHENTICATE (section 6.2.4.2)."""
        if chosen is None:
            raise Refused(CONDITIONS_OF_USE)
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        return self._agree(*chosen, dynamic_data(command, 0x80))

    def _agree(self, profile: ChipAuthenticationProfile, key: StaticKey, theirs: bytes) -> Agreed:
        domain = standardized(profile.domain)
        if domain.alike(key.public, theirs):
            raise Refused(WRONG_DATA)
        secret = domain.agree(key.private, theirs)
        compressed = domain.compress(theirs)
        if profile.version == 1:
            answer = b"" if profile.suite is Suite.TDES else tlv.encode(0x7C, b"")
            return Agreed(session_of(profile.suite, secret), answer, compressed)
        nonce = self._entropy(_NONCE_LENGTH)
        session = session_of(profile.suite, secret + nonce)
        token = token_over(session, profile.oid, domain, theirs)
        answer = tlv.encode(0x7C, tlv.encode(0x81, nonce) + tlv.encode(0x82, token))
        return Agreed(session, answer, compressed)

    def _find(self, oid: bytes, reference: bytes | None) -> tuple[ChipAuthenticationProfile, StaticKey]:
        """The protocol and the key that are meant."""
        named = [it for it in self._profiles if it.oid == oid]
        if not named:
            raise Refused(WRONG_DATA)
        keys_by_reference = {
            (key.domain, key.key_id): key
            for key in self._keys
            if reference is None or (key.key_id is not None and bytes([key.key_id]) == reference)
        }
        found = [
            (it, keys_by_reference[it.domain, it.key_id])
            for it in named
            if (it.domain, it.key_id) in keys_by_reference
        ]
        if len(found) != 1:
            raise Refused(REFERENCE_NOT_FOUND)
        return found[0]

    def _has(self, oid: bytes, reference: bytes | None) -> bool:
        try:
            self._find(oid, reference)
        except Refused:
            return False
        return True
