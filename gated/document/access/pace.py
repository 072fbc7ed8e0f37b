"""Password Authenticated Connection Establishment (Doc 9303-11 section 4.4), the terminal's side.

A generator: it yields command APDUs, is sent response APDUs, and returns what was opened or raises. It never
turns into BAC: that choice is made before, from EF.CardAccess and policy, and a PACE that fails has failed.
Chance comes from the argument `random`, so that the worked examples of the standard can be replayed.

The groups differ by what `Domain` hides; the mappings differ in one step. Chip authentication mapping is the
generic one, with encrypted data at the end that prove the chip genuine (`MappingEvidence`).
"""

from collections.abc import Generator
from dataclasses import dataclass

from gated.document import keys, tlv
from gated.document.access.card_access import PaceChoice
from gated.document.access.integrated_mapping import nonce_length, pseudo_random
from gated.document.access.password import Apdus, Password
from gated.document.access.security_infos import Mapping
from gated.document.apdu import Command, parse_response
from gated.document.errors import AccessError, ApduError, GroupError, TlvError
from gated.document.groups.curves import Random
from gated.document.groups.domains import Domain, KeyPair
from gated.document.keys import PaddingError, Suite
from gated.document.messaging import SecureChannel, SessionKeys

CHAINED = 0x10  # CLA: more commands of the chain follow
MAX_NONCE = 64
_NAME_MISSING = {0x6A87, 0x6A88}  # lengths that do not fit; referenced data not found
MAX_CHIP_DATA = 128  # of encrypted chip authentication data; 80 bytes on the longest curve

_Step = Generator[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True, repr=False)
class MappingEvidence:
    """What PACE-CAM gave to prove the chip genuine (section 4.4.3.5): nothing yet, until it is verified.

    `public` is the chip's public key of the mapping, coded; `data` the decrypted chip authentication data,
    empty where the chip sent none that decrypt.
    """

    choice: PaceChoice
    public: bytes
    data: bytes

    def __repr__(self) -> str:
        return f"MappingEvidence({self.choice.offer.name})"


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """The channel that PACE opened; with chip authentication mapping, also the evidence.

    `terminal_key` and `chip_key` are the ephemeral public keys as terminal authentication names them,
    Comp(PK) of section 7.1.4: it signs the first after PACE-CAM, and the second identifies the chip.
    """

    channel: SecureChannel
    mapping: MappingEvidence | None = None
    terminal_key: bytes = b""
    chip_key: bytes = b""

    def __repr__(self) -> str:
        return f"Opened({self.channel.suite.value})"


def pace(choice: PaceChoice, password: Password, random: Random) -> Apdus[Opened]:
    """Password Authenticated Connection Establishment (section 4.4).

    Draws two private keys; with integrated mapping a nonce and one key. Raises AccessError: `pace_refused`
    before anything secret was used, `access_denied` when the chip does not accept the terminal's token (with
    its status, which may count tries), `pace_token_wrong` when the chip does not know the password,
    `pace_echoed_key`, `pace_point` (a public key that is none), `pace_malformed`.
    """
    run = _Pace(choice, password, random)
    try:
        return (yield from run.commands())
    except (TlvError, ApduError) as error:
        raise AccessError("pace_malformed") from error
    except GroupError as error:
        raise AccessError("pace_point") from error


class _Pace:
    """One run of PACE: the steps of section 4.4.1 in order."""

    def __init__(self, choice: PaceChoice, password: Password, random: Random) -> None:
        self._choice = choice
        self._password = password
        self._random = random
        self._suite = choice.suite
        self._mapping_key = b""  # the chip's, in generic mapping

    def commands(self) -> Apdus[Opened]:
        nonce = yield from self._nonce()
        if self._choice.mapping is Mapping.INTEGRATED:
            domain = yield from self._map_integrally(nonce)
        else:
            domain = yield from self._map_generically(nonce)
        own = domain.draw(self._random)
        chip = yield from self._swap_keys(domain, own, 0x83, 0x84)
        session = session_keys(self._suite, domain.agree(own.private, chip))
        proof = yield from self._confirm(session, domain, own.public, chip)
        evidence = None
        if self._choice.mapping is Mapping.CHIP_AUTHENTICATION:
            evidence = MappingEvidence(self._choice, self._mapping_key, _chip_data(session, proof))
        return Opened(SecureChannel(session), evidence, domain.compress(own.public), domain.compress(chip))

    def _nonce(self) -> _Step:
        """Choose the protocol, then fetch and decrypt the nonce.

        The domain parameters are named where they are ambiguous (section 4.4.4.1), and to a chip that misses
        their name where they are not.
        """
        choice = self._choice
        body = tlv.encode(0x80, choice.offer.oid) + tlv.encode(0x83, bytes([self._password.kind]))
        number = choice.offer.parameter_id
        name = b"" if number is None else tlv.encode(0x84, coded_reference(number))
        first = name if choice.ambiguous else b""
        chosen = parse_response((yield _set_template(body + first)))
        if chosen.status in _NAME_MISSING and name != first:
            chosen = parse_response((yield _set_template(body + name)))
        if not chosen.ok:
            raise AccessError("pace_refused", chosen.status)
        encrypted = tlv.only((yield from self._exchange(b"")), 0x80)
        if not self._fits(len(encrypted)):
            raise AccessError("pace_malformed")
        key = keys.derive(self._suite, self._password.seed, keys.FOR_PASSWORD)
        return keys.decrypt(self._suite, key, encrypted)

    def _fits(self, length: int) -> bool:
        """Whether a nonce can be this long (section 4.4.3.3)."""
        if self._choice.mapping is Mapping.INTEGRATED:
            return length == nonce_length(self._suite)
        return 0 < length <= MAX_NONCE and length % self._suite.block == 0

    def _map_generically(self, nonce: bytes) -> Generator[bytes, bytes, Domain]:
        """The new generator is s * G + H, H from an anonymous key agreement (section 4.4.3.3.1)."""
        domain = self._choice.domain
        own = domain.draw(self._random)
        self._mapping_key = yield from self._swap_keys(domain, own, 0x81, 0x82)
        return domain.map_generically(int.from_bytes(nonce, "big"), own.private, self._mapping_key)

    def _map_integrally(self, nonce: bytes) -> Generator[bytes, bytes, Domain]:
        """The new generator is a function of both sides' nonces (section 4.4.3.3.2)."""
        domain, suite = self._choice.domain, self._suite
        seed = self._random(suite.key_length)
        answer = yield from self._exchange(tlv.encode(0x81, seed))
        if any(item.tag != 0x82 or item.value for item in answer):
            raise AccessError("pace_malformed")
        return domain.map_integrally(pseudo_random(suite, nonce, seed, domain.prime))

    def _swap_keys(self, domain: Domain, own: KeyPair, tag: int, answer: int) -> _Step:
        """Send the own public key, return the chip's as it came; the agreement checks that it is one."""
        chip = tlv.only((yield from self._exchange(tlv.encode(tag, own.public))), answer)
        if domain.alike(own.public, chip):  # section 4.4.1 asks for different ones
            raise AccessError("pace_echoed_key")
        return chip

    def _confirm(
        self, session: SessionKeys, domain: Domain, own: bytes, chip: bytes
    ) -> Generator[bytes, bytes, tuple[tlv.Tlv, ...]]:
        """Mutual authentication by tokens over each other's public key (section 4.4.3.4).

        What the chip's last answer holds; references of certification authorities may be among it.
        """
        token = self._token(session, domain, chip)
        answer = yield from self._exchange(tlv.encode(0x85, token), last=True)
        if not keys.equal(tlv.only(answer, 0x86), self._token(session, domain, own)):
            raise AccessError("pace_token_wrong")
        return answer

    def _token(self, session: SessionKeys, domain: Domain, public: bytes) -> bytes:
        return authentication_token(session, self._choice.offer.oid, domain, public)

    def _exchange(self, body: bytes, *, last: bool = False) -> Generator[bytes, bytes, tuple[tlv.Tlv, ...]]:
        """One GENERAL AUTHENTICATE of the chain: the objects in the reply, which is as long as what was sent.

        The keys of DH with 2048 bits need extended lengths (section 9.3.1).
        """
        cla, sent = 0x00 if last else CHAINED, tlv.encode(0x7C, body)
        command = Command(cla, 0x86, 0x00, 0x00, sent, 65_536 if len(sent) > 255 else 256)
        response = parse_response((yield command.encode()))
        if not response.ok:
            raise AccessError("access_denied" if last else "pace_refused", response.status)
        return tlv.parse(tlv.parse_one(response.body, 0x7C).value)


def _set_template(body: bytes) -> bytes:
    """MSE:Set AT for mutual authentication (section 4.4.4.1)."""
    return Command(0x00, 0x22, 0xC1, 0xA4, body).encode()


def session_keys(suite: Suite, secret: bytes) -> SessionKeys:
    """The keys of a session from a shared secret (section 9.7.4)."""
    encryption = keys.derive(suite, secret, keys.FOR_ENCRYPTION)
    return SessionKeys(suite, encryption, keys.derive(suite, secret, keys.FOR_AUTHENTICATION))


def authentication_token(session: SessionKeys, oid: bytes, domain: Domain, public: bytes) -> bytes:
    """MAC over a public key data object without domain parameters (sections 4.4.3.4 and 9.4)."""
    coded = tlv.encode(0x06, oid) + tlv.encode(domain.public_tag, public)
    return keys.mac(session.suite, session.authentication, tlv.encode(0x7F49, coded))


def coded_reference(number: int) -> bytes:
    """An identifier of a key or of domain parameters, in as few bytes as it takes."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def _chip_data(session: SessionKeys, answer: tuple[tlv.Tlv, ...]) -> bytes:
    """Decrypt the chip authentication data (section 4.4.3.5); empty if there is nothing sound to decrypt."""
    sent = [item.value for item in answer if item.tag == 0x8A]
    suite = session.suite
    if len(sent) != 1 or not 0 < len(sent[0]) <= MAX_CHIP_DATA or len(sent[0]) % suite.block:
        return b""
    vector = keys.encrypt(suite, session.encryption, b"\xff" * suite.block)
    try:
        return keys.unpad(keys.decrypt(suite, session.encryption, sent[0], vector), suite.block)
    except PaddingError:
        return b""
