"""Password Authenticated Connection Establishment (Doc 9303-11 section 4.4), the terminal's side.

A generator: it yields command APDUs, is sent response APDUs, and returns a SecureChannel or raises. It never
turns into BAC: that choice is made before, from EF.CardAccess and policy, and a PACE that fails has failed.
Chance comes from the argument `random`, so that the worked examples of the standard can be replayed.
"""

from collections.abc import Generator
from dataclasses import dataclass

from gated.document import keys, tlv
from gated.document.access.card_access import PaceChoice
from gated.document.access.password import Apdus, Password
from gated.document.apdu import Command, parse_response
from gated.document.errors import AccessError, ApduError, CurveError, TlvError
from gated.document.groups.curves import Point, Random
from gated.document.messaging import SecureChannel, SessionKeys

CHAINED = 0x10  # CLA: more commands of the chain follow
MAX_NONCE = 64


@dataclass(frozen=True, slots=True, repr=False)
class MappingEvidence:
    """What PACE-CAM gave to prove the chip genuine (section 4.4.3.5): nothing yet, until it is verified.

    `public` is the chip's public key of the mapping, coded; `data` the decrypted chip authentication data.
    """

    choice: PaceChoice
    public: bytes
    data: bytes

    def __repr__(self) -> str:
        return f"MappingEvidence({self.choice.offer.name})"


@dataclass(frozen=True, slots=True)
class Opened:
    """The channel that PACE opened; with chip authentication mapping, also the evidence."""

    channel: SecureChannel
    mapping: MappingEvidence | None = None


def pace(choice: PaceChoice, password: Password, random: Random) -> Apdus[Opened]:
    """Password Authenticated Connection Establishment (section 4.4).

    Draws two private keys. Raises AccessError: `pace_refused` before anything secret was used,
    `access_denied` when the chip does not accept the terminal's token, `pace_token_wrong` when the chip
    does not know the password, `pace_echoed_key`, `pace_point`, `pace_malformed`.
    """
    run = _Pace(choice, password, random)
    try:
        return (yield from run.commands())
    except (TlvError, ApduError) as error:
        raise AccessError("pace_malformed") from error
    except CurveError as error:
        raise AccessError("pace_point") from error


class _Pace:
    """One run of PACE: the steps of section 4.4.1 in order."""

    def __init__(self, choice: PaceChoice, password: Password, random: Random) -> None:
        self._choice = choice
        self._password = password
        self._random = random
        self._suite = choice.suite
        self._curve = choice.curve

    def commands(self) -> Apdus[Opened]:
        nonce = yield from self._nonce()
        generator = yield from self._map(nonce)
        own, chip, shared = yield from self._agree(generator)
        session = SessionKeys(
            self._suite,
            keys.derive(self._suite, shared, keys.FOR_ENCRYPTION),
            keys.derive(self._suite, shared, keys.FOR_AUTHENTICATION),
        )
        yield from self._confirm(session, own, chip)
        return Opened(SecureChannel(session))

    def _nonce(self) -> Generator[bytes, bytes, int]:
        """Choose the protocol, then fetch and decrypt the nonce."""
        body = tlv.encode(0x80, self._choice.offer.oid) + tlv.encode(0x83, bytes([self._password.kind]))
        if self._choice.ambiguous:
            body += tlv.encode(0x84, bytes([self._curve.number]))
        chosen = parse_response((yield Command(0x00, 0x22, 0xC1, 0xA4, body).encode()))
        if not chosen.ok:
            raise AccessError("pace_refused")
        encrypted = yield from self._exchange(b"", 0x80)
        if not encrypted or len(encrypted) > MAX_NONCE or len(encrypted) % self._suite.block:
            raise AccessError("pace_malformed")
        key = keys.derive(self._suite, self._password.seed, keys.FOR_PASSWORD)
        return int.from_bytes(keys.decrypt(self._suite, key, encrypted), "big")

    def _map(self, nonce: int) -> Generator[bytes, bytes, Point]:
        """Generic mapping (section 4.4.3.3.1): G' = s * G + H, H from an anonymous key agreement."""
        curve = self._curve
        private = curve.draw(self._random)
        own = curve.multiply(private, curve.generator)
        chip = yield from self._swap_points(own, 0x81, 0x82)
        anonymous = curve.multiply(private, chip)
        return curve.add(curve.multiply(nonce, curve.generator), anonymous)

    def _agree(self, generator: Point) -> Generator[bytes, bytes, tuple[Point, Point, bytes]]:
        """Key agreement on the mapped generator: both public keys and the shared secret."""
        curve = self._curve
        private = curve.draw(self._random)
        own = curve.multiply(private, generator)
        chip = yield from self._swap_points(own, 0x83, 0x84)
        return own, chip, curve.encode_x(curve.multiply(private, chip))

    def _swap_points(self, own: Point, tag: int, answer: int) -> Generator[bytes, bytes, Point]:
        coded = yield from self._exchange(tlv.encode(tag, self._curve.encode(own)), answer)
        chip = self._curve.decode(coded)
        if chip.x == own.x:  # the same key, or its negative: section 4.4.1 asks for different ones
            raise AccessError("pace_echoed_key")
        return chip

    def _confirm(self, session: SessionKeys, own: Point, chip: Point) -> Generator[bytes, bytes, None]:
        """Mutual authentication by tokens over each other's public key (section 4.4.3.4)."""
        token = self._token(session, chip)
        proof = yield from self._exchange(tlv.encode(0x85, token), 0x86, last=True)
        if not keys.equal(proof, self._token(session, own)):
            raise AccessError("pace_token_wrong")

    def _token(self, session: SessionKeys, point: Point) -> bytes:
        coded = tlv.encode(0x06, self._choice.offer.oid) + tlv.encode(0x86, self._curve.encode(point))
        return keys.mac(self._suite, session.authentication, tlv.encode(0x7F49, coded))

    def _exchange(self, body: bytes, answer: int, *, last: bool = False) -> Generator[bytes, bytes, bytes]:
        """One GENERAL AUTHENTICATE of the chain: the value of the wanted object in the reply."""
        cla = 0x00 if last else CHAINED
        command = Command(cla, 0x86, 0x00, 0x00, tlv.encode(0x7C, body), 256)
        response = parse_response((yield command.encode()))
        if not response.ok:
            raise AccessError("access_denied" if last else "pace_refused")
        return tlv.only(tlv.parse(tlv.parse_one(response.body, 0x7C).value), answer)
