"""How a simulated chip lets a terminal in by BAC, and what all of its access protocols share.

A small state machine that a wrong order, a wrong length or a wrong token throws back to its beginning
(Doc 9303-11 section 4.3). Chance comes from an argument, so the worked examples of the standard can be
replayed. PACE is in `chip_pace`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gated.document import keys, tlv
from gated.document.apdu import Command
from gated.document.errors import TlvError
from gated.document.groups.domains import Domain
from gated.document.keys import Suite
from gated.document.messaging import SessionKeys
from hw_sim.passport.chip_files import WRONG_DATA, WRONG_LENGTH, WRONG_PARAMETERS, Refused

Entropy = Callable[[int], bytes]

AUTHENTICATION_FAILED = 0x6300
LAST_OF_CHAIN_EXPECTED = 0x6883
CONDITIONS_OF_USE = 0x6985
REFERENCE_NOT_FOUND = 0x6A88

CHAINED = 0x10


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """Access: the keys of the session and where its counter begins.

    After PACE, the keys of both sides as terminal authentication names them, Comp(PK); `proven` says that the
    chip authenticated itself as well.
    """

    session: SessionKeys
    counter: int
    answer: bytes
    chip_key: bytes = b""
    terminal_key: bytes = b""
    proven: bool = False


class BasicAccess:
    """BAC: a challenge, then mutual authentication with keys from the MRZ."""

    def __init__(self, access_key: str, entropy: Entropy) -> None:
        seed = keys.mrz_seed(access_key)[:16]
        self._session = session_of(Suite.TDES, seed)
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
        return Granted(session_of(Suite.TDES, mixed), counter, answer)


def session_of(suite: Suite, secret: bytes) -> SessionKeys:
    """The keys of a session (Doc 9303-11 section 9.7.4)."""
    encryption = keys.derive(suite, secret, keys.FOR_ENCRYPTION)
    return SessionKeys(suite, encryption, keys.derive(suite, secret, keys.FOR_AUTHENTICATION))


def token_over(session: SessionKeys, oid: bytes, domain: Domain, public: bytes) -> bytes:
    """Authentication token over a public key (section 4.4.3.4)."""
    content = tlv.encode(0x06, oid) + tlv.encode(domain.public_tag, public)
    return keys.mac(session.suite, session.authentication, tlv.encode(0x7F49, content))


def reply(tag: int, value: bytes) -> bytes:
    """Dynamic authentication data with one object."""
    return tlv.encode(0x7C, tlv.encode(tag, value))


def objects(body: bytes, allowed: set[int]) -> dict[int, bytes]:
    """Data objects by tag, each of them once and all of them allowed. Raises Refused."""
    try:
        items = tlv.parse(body)
    except TlvError as error:
        raise Refused(WRONG_DATA) from error
    found = {item.tag: item.value for item in items}
    if len(found) != len(items) or not set(found) <= allowed:
        raise Refused(WRONG_DATA)
    return found


def dynamic_data(command: Command, tag: int) -> bytes:
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
