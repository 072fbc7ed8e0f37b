"""PACE, the chip's side (Doc 9303-11 section 4.4): every mapping, on every standardised domain.

A small state machine that a wrong order, a wrong length or a wrong token throws back to its beginning. A
public key that is none of the group, or that echoes the chip's own, is refused. Chance comes from an
argument, so the worked examples of the standard can be replayed.
"""

from collections.abc import Generator
from typing import Final, NamedTuple

from gated.document import keys, tlv
from gated.document.access.integrated_mapping import nonce_length, pseudo_random
from gated.document.apdu import Command
from gated.document.errors import GroupError
from gated.document.groups.domains import Domain, EllipticDomain, standardized
from gated.document.keys import Suite
from gated.document.messaging import SessionKeys
from hw_sim.passport.chip_access import (
    AUTHENTICATION_FAILED,
    CHAINED,
    CONDITIONS_OF_USE,
    LAST_OF_CHAIN_EXPECTED,
    REFERENCE_NOT_FOUND,
    Entropy,
    Granted,
    dynamic_data,
    objects,
    reply,
    session_of,
    token_over,
)
from hw_sim.passport.chip_files import WRONG_DATA, WRONG_LENGTH, WRONG_PARAMETERS, Refused
from hw_sim.passport.protocols import PaceProfile, StaticKey

_SET_MUTUAL_AUTHENTICATION: Final = (0xC1, 0xA4)
_NONCE_LENGTH: Final = 16
_MRZ, _CAN = 1, 2  # references of passwords
_TERMINAL_TOKEN: Final = 0x85


class _Turn(NamedTuple):
    """The chip's reply to one step, and the tag of the object that it awaits next (0: none)."""

    reply: bytes
    awaited: int


_Talk = Generator[_Turn, bytes, Granted]


class PasswordAuthenticated:
    """PACE: MSE:Set AT, then four GENERAL AUTHENTICATE, all but the last one chained."""

    def __init__(
        self,
        profiles: tuple[PaceProfile, ...],
        access_key: str,
        can: str | None,
        entropy: Entropy,
        static_keys: tuple[StaticKey, ...] = (),
    ) -> None:
        self._profiles = profiles
        self._passwords = {_MRZ: keys.mrz_seed(access_key)}
        if can is not None:
            self._passwords[_CAN] = keys.can_seed(can)
        self._entropy = entropy
        self._static = {(key.domain, key.key_id): key.private for key in static_keys}
        self._talk: _Talk | None = None
        self._awaited = 0

    def abandon(self) -> None:
        """Any other command in between ends the run."""
        self._talk = None

    def choose(self, command: Command) -> None:
        """MSE:Set AT (section 4.4.4.1): protocol, password and, where ambiguous, domain. Raises Refused."""
        self._talk = None
        if (command.p1, command.p2) != _SET_MUTUAL_AUTHENTICATION:
            raise Refused(WRONG_PARAMETERS)
        fields = objects(command.body, allowed={0x80, 0x83, 0x84})
        profile = self._profile(fields.get(0x80, b""), fields.get(0x84))
        password = self._passwords.get(int.from_bytes(fields.get(0x83, b""), "big"))
        if password is None:
            raise Refused(REFERENCE_NOT_FOUND)
        self._talk = self._steps(profile, password)
        self._awaited = next(self._talk).awaited

    def step(self, command: Command) -> bytes | Granted:
        """GENERAL AUTHENTICATE (section 4.4.4.2): the reply, or access after the last. Raises Refused."""
        talk, self._talk = self._talk, None
        if talk is None:
            raise Refused(CONDITIONS_OF_USE)
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        last = self._awaited == _TERMINAL_TOKEN
        if (command.cla == CHAINED) == last:
            raise Refused(LAST_OF_CHAIN_EXPECTED if last else CONDITIONS_OF_USE)
        given = dynamic_data(command, self._awaited)
        try:
            turn = talk.send(given)
        except StopIteration as end:
            granted: Granted = end.value
            return granted
        except GroupError as error:
            raise Refused(WRONG_DATA) from error
        self._talk, self._awaited = talk, turn.awaited
        return turn.reply

    def _profile(self, oid: bytes, reference: bytes | None) -> PaceProfile:
        candidates = [profile for profile in self._profiles if profile.oid == oid]
        if reference is not None:
            candidates = [it for it in candidates if bytes([it.parameter_id]) == reference]
        elif len({profile.parameter_id for profile in self._profiles}) > 1:
            raise Refused(WRONG_DATA)
        if len(candidates) != 1:
            raise Refused(WRONG_DATA)
        return candidates[0]

    def _steps(self, profile: PaceProfile, password: bytes) -> _Talk:
        """The chip's side of section 4.4.1. Raises GroupError for a key that is none of the group's."""
        suite, entropy = profile.suite, self._entropy
        yield _Turn(b"", 0)
        nonce = entropy(nonce_length(suite) if profile.mapping == "IM" else _NONCE_LENGTH)
        secret = keys.encrypt(suite, keys.derive(suite, password, keys.FOR_PASSWORD), nonce)

        given = yield _Turn(reply(0x80, secret), 0x81)
        domain, answer, mapping_key = self._map(profile, nonce, given)

        theirs = yield _Turn(reply(0x82, answer), 0x83)
        own = domain.draw(entropy)
        if domain.alike(own.public, theirs):  # both sides' keys must differ, section 4.4.1
            raise Refused(AUTHENTICATION_FAILED)
        session = session_of(suite, domain.agree(own.private, theirs))

        token = yield _Turn(reply(0x84, own.public), _TERMINAL_TOKEN)
        if not keys.equal(token_over(session, profile.oid, domain, own.public), token):
            raise Refused(AUTHENTICATION_FAILED)
        proof = tlv.encode(0x86, token_over(session, profile.oid, domain, theirs))
        if profile.mapping == "CAM":
            proof += tlv.encode(0x8A, self._chip_data(profile, domain, session, mapping_key))
        return Granted(
            session,
            0,
            tlv.encode(0x7C, proof),
            chip_key=domain.compress(own.public),
            terminal_key=domain.compress(theirs),
            proven=profile.mapping == "CAM",
        )

    def _map(self, profile: PaceProfile, nonce: bytes, given: bytes) -> tuple[Domain, bytes, int]:
        """The mapped domain, what the chip answers, and the private key of its mapping (section 4.4.3.3)."""
        static = standardized(profile.domain)
        if profile.mapping == "IM":
            if len(given) != profile.suite.key_length:
                raise Refused(WRONG_LENGTH)
            residue = pseudo_random(profile.suite, nonce, given, static.prime)
            return static.map_integrally(residue), b"", 0
        own = static.draw(self._entropy)
        mapped = static.map_generically(int.from_bytes(nonce, "big"), own.private, given)
        return mapped, own.public, own.private

    def _chip_data(
        self, profile: PaceProfile, domain: Domain, session: SessionKeys, mapping_key: int
    ) -> bytes:
        """Encrypted chip authentication data (section 4.4.3.5): the mapping's key over the static one."""
        if not isinstance(domain, EllipticDomain):
            raise Refused(WRONG_DATA)
        order = domain.curve.n
        static = self._static[profile.domain, profile.parameter_id]
        data = (pow(static, -1, order) * mapping_key % order).to_bytes((order.bit_length() + 7) // 8, "big")
        suite: Suite = session.suite
        vector = keys.encrypt(suite, session.encryption, b"\xff" * suite.block)
        return keys.encrypt(suite, session.encryption, keys.pad(data, suite.block), vector)
