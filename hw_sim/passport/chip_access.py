"""How a simulated chip lets a terminal in: BAC and PACE with generic mapping, the chip's side.

Both are small state machines that a wrong order, a wrong length or a wrong token throws back to their
beginning (Doc 9303-11 sections 4.3 and 4.4). A public key that is off the curve, or that echoes the chip's
own, is refused. Chance comes from an argument, so the worked examples of the standard can be replayed.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple

from gated.document import keys, tlv
from gated.document.apdu import Command
from gated.document.errors import CurveError, TlvError
from gated.document.groups.curves import by_number
from gated.document.keys import Suite
from gated.document.messaging import SessionKeys
from hw_sim.passport.chip_files import WRONG_DATA, WRONG_LENGTH, WRONG_PARAMETERS, Refused
from hw_sim.passport.lds import PaceProfile

Entropy = Callable[[int], bytes]

AUTHENTICATION_FAILED = 0x6300
LAST_OF_CHAIN_EXPECTED = 0x6883
CONDITIONS_OF_USE = 0x6985
REFERENCE_NOT_FOUND = 0x6A88

CHAINED = 0x10

_SET_MUTUAL_AUTHENTICATION = (0xC1, 0xA4)
_NONCE_LENGTH = 16
_MRZ, _CAN = 1, 2  # references of passwords
_TERMINAL_TOKEN = 0x85


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """Access: the keys of the session and where its counter begins."""

    session: SessionKeys
    counter: int
    answer: bytes


class BasicAccess:
    """BAC: a challenge, then mutual authentication with keys from the MRZ."""

    def __init__(self, access_key: str, entropy: Entropy) -> None:
        seed = keys.mrz_seed(access_key)[:16]
        self._session = _session(Suite.TDES, seed)
        self._entropy = entropy
        self._challenge: bytes | None = None

    def challenge(self, command: Command) -> bytes:
        """GET CHALLENGE: eight random bytes."""
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        if command.body or command.le not in {8, 256}:
            raise Refused(WRONG_LENGTH)
        self._challenge = self._entropy(8)
        return self._challenge

    def authenticate(self, command: Command) -> Granted:
        """EXTERNAL AUTHENTICATE (section 4.3.2). A challenge serves once. Raises Refused."""
        challenge, self._challenge = self._challenge, None
        if challenge is None:
            raise Refused(CONDITIONS_OF_USE)
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        if len(command.body) != 40 or command.le not in {40, 256}:
            raise Refused(WRONG_LENGTH)
        cryptogram, check = command.body[:32], command.body[32:]
        if not keys.equal(keys.mac(Suite.TDES, self._session.authentication, cryptogram), check):
            raise Refused(AUTHENTICATION_FAILED)
        plain = keys.decrypt(Suite.TDES, self._session.encryption, cryptogram)
        theirs, echoed, their_key = plain[:8], plain[8:16], plain[16:]
        if not keys.equal(echoed, challenge):
            raise Refused(AUTHENTICATION_FAILED)
        own_key = self._entropy(16)
        answer = keys.encrypt(Suite.TDES, self._session.encryption, challenge + theirs + own_key)
        answer += keys.mac(Suite.TDES, self._session.authentication, answer)
        mixed = bytes(one ^ other for one, other in zip(their_key, own_key, strict=True))
        counter = int.from_bytes(challenge[4:] + theirs[4:], "big")
        return Granted(_session(Suite.TDES, mixed), counter, answer)


class _Turn(NamedTuple):
    """The chip's reply to one step, and the tag of the object that it awaits next (0: none)."""

    reply: bytes
    awaited: int


_Talk = Generator[_Turn, bytes, Granted]


class PasswordAuthenticated:
    """PACE: MSE:Set AT, then four GENERAL AUTHENTICATE, all but the last one chained."""

    def __init__(
        self, profiles: tuple[PaceProfile, ...], access_key: str, can: str | None, entropy: Entropy
    ) -> None:
        self._profiles = profiles
        self._passwords = {_MRZ: keys.mrz_seed(access_key)}
        if can is not None:
            self._passwords[_CAN] = keys.can_seed(can)
        self._entropy = entropy
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
        fields = _objects(command.body, allowed={0x80, 0x83, 0x84})
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
        given = _dynamic_data(command, self._awaited)
        try:
            turn = talk.send(given)
        except StopIteration as end:
            granted: Granted = end.value
            return granted
        except CurveError as error:
            raise Refused(WRONG_DATA) from error
        self._talk, self._awaited = talk, turn.awaited
        return turn.reply

    def _profile(self, oid: bytes, domain: bytes | None) -> PaceProfile:
        candidates = [profile for profile in self._profiles if _oid(profile) == oid]
        if domain is not None:
            candidates = [profile for profile in candidates if bytes([profile.domain]) == domain]
        elif len({profile.domain for profile in self._profiles}) > 1:
            raise Refused(WRONG_DATA)
        if len(candidates) != 1:
            raise Refused(WRONG_DATA)
        return candidates[0]

    def _steps(self, profile: PaceProfile, password: bytes) -> _Talk:
        """The chip's side of section 4.4.1. Raises CurveError for a key that is none of the curve's."""
        curve, suite, entropy = by_number(profile.domain), profile.suite, self._entropy
        yield _Turn(b"", 0)
        nonce = entropy(_NONCE_LENGTH)
        secret = keys.encrypt(suite, keys.derive(suite, password, keys.FOR_PASSWORD), nonce)

        theirs = curve.decode((yield _Turn(_reply(0x80, secret), 0x81)))
        private = curve.draw(entropy)
        own = curve.multiply(private, curve.generator)
        shared = curve.multiply(private, theirs)
        base = curve.multiply(int.from_bytes(nonce, "big"), curve.generator)
        generator = curve.add(base, shared)  # generic mapping, section 4.4.3.3.1

        theirs = curve.decode((yield _Turn(_reply(0x82, curve.encode(own)), 0x83)))
        private = curve.draw(entropy)
        own = curve.multiply(private, generator)
        if own.x == theirs.x:  # both sides' keys must differ, section 4.4.1
            raise Refused(AUTHENTICATION_FAILED)
        session = _session(suite, curve.encode_x(curve.multiply(private, theirs)))

        token = yield _Turn(_reply(0x84, curve.encode(own)), _TERMINAL_TOKEN)
        if not keys.equal(_token(profile, session, curve.encode(own)), token):
            raise Refused(AUTHENTICATION_FAILED)
        return Granted(session, 0, _reply(0x86, _token(profile, session, curve.encode(theirs))))


def _token(profile: PaceProfile, session: SessionKeys, public: bytes) -> bytes:
    """Authentication token over a public key (section 4.4.3.4)."""
    content = tlv.encode(0x06, _oid(profile)) + tlv.encode(0x86, public)
    return keys.mac(profile.suite, session.authentication, tlv.encode(0x7F49, content))


def _reply(tag: int, value: bytes) -> bytes:
    return tlv.encode(0x7C, tlv.encode(tag, value))


def _session(suite: Suite, secret: bytes) -> SessionKeys:
    encryption = keys.derive(suite, secret, keys.FOR_ENCRYPTION)
    return SessionKeys(suite, encryption, keys.derive(suite, secret, keys.FOR_AUTHENTICATION))


def _oid(profile: PaceProfile) -> bytes:
    """The content octets of a PACE protocol's identifier; all arcs are below 128."""
    first, second, *rest = (int(arc) for arc in profile.protocol.split("."))
    return bytes([40 * first + second, *rest])


def _objects(body: bytes, allowed: set[int]) -> dict[int, bytes]:
    try:
        items = tlv.parse(body)
    except TlvError as error:
        raise Refused(WRONG_DATA) from error
    found = {item.tag: item.value for item in items}
    if len(found) != len(items) or not set(found) <= allowed:
        raise Refused(WRONG_DATA)
    return found


def _dynamic_data(command: Command, tag: int) -> bytes:
    """The value of the one object in 7C that this step awaits; with tag 0 there must be none."""
    if command.le not in {256, 65536}:
        raise Refused(WRONG_LENGTH)
    try:
        content = tlv.parse_one(command.body, 0x7C).value
        if tag:
            return tlv.parse_one(content, tag).value
    except TlvError as error:
        raise Refused(WRONG_DATA) from error
    if content:
        raise Refused(WRONG_DATA)
    return b""
