"""What a hostile chip, or somebody between chip and reader, does to responses that were right.

Nothing here needs to know how a response came about: it is changed on its way out. `Behaviour` says how.
"""

import random

from gated.document import tlv
from gated.document.apdu import Command, Response
from gated.document.errors import TlvError
from gated.document.groups.domains import standardized
from hw_sim.passport.behaviour import Behaviour, Distortion, PaceKey
from hw_sim.passport.chip_files import END_OF_FILE, NOT_FOUND, OK, SECURITY_STATUS, WRONG_LENGTH
from hw_sim.passport.protocols import Protocols

_MAC = 8  # the value of DO8E, the last bytes of a secured response
_KEY_IN_REPLY_TO = {0x81: 0x82, 0x83: 0x84}  # mapping data and ephemeral keys (Doc 9303-11, table 5)
_UNCOMPRESSED = 0x04

_STATUSES = (OK, OK, OK, END_OF_FILE, NOT_FOUND, SECURITY_STATUS, WRONG_LENGTH, 0x6100, 0x6C10, 0x0000)


class Hostility:
    """One chip's; it remembers what it needs for a repetition."""

    def __init__(self, behaviour: Behaviour, protocols: Protocols) -> None:
        self._behaviour = behaviour
        self._primes = [standardized(profile.domain).prime for profile in protocols.pace]
        self._secured = 0
        self._before: Response | None = None
        self._chance = random.Random(behaviour.garbage)

    def power_up(self) -> None:
        """Forget what was sent."""
        self._secured, self._before = 0, None

    def on_secured(self, secured: Response, plain: Response) -> Response:
        """What goes out in place of a secured response."""
        self._secured += 1
        before, self._before = self._before, secured
        distortion = self._behaviour.distorts
        if distortion is None or self._secured < self._behaviour.distorts_from:
            return secured
        return _distorted(distortion, secured, plain, before or secured)

    def on_pace(self, command: Command, reply: bytes) -> bytes:
        """What goes out in place of a reply in PACE."""
        kind = self._behaviour.pace_key
        if kind is None:
            return reply
        try:
            asked = tlv.parse_one(tlv.parse_one(command.body, 0x7C).value)
            answered = tlv.parse_one(tlv.parse_one(reply, 0x7C).value)
        except TlvError:
            return reply
        if _KEY_IN_REPLY_TO.get(asked.tag) != answered.tag or not answered.value:
            return reply
        key = self._low_order(answered.value) if kind == "low_order" else b""
        key = key or _false_key(kind, asked.value, answered.value)
        return tlv.encode(0x7C, tlv.encode(answered.tag, key))

    def _low_order(self, own: bytes) -> bytes:
        """The element of order two of the group that a key is of; nothing for a curve."""
        fits = [prime for prime in self._primes if prime.bit_length() == 8 * len(own)]
        return (fits[0] - 1).to_bytes(len(own), "big") if fits else b""

    def on_everything(self, response: Response) -> Response:
        """What goes out in place of any response."""
        if self._behaviour.garbage is None:
            return response
        body = self._chance.randbytes(self._chance.choice((0, 1, 8, 40, 223, 256)))
        return Response(body, self._chance.choice(_STATUSES))


def _distorted(kind: Distortion, secured: Response, plain: Response, before: Response) -> Response:
    match kind:
        case "wrong_mac":
            check = bytes(byte ^ 0x5A for byte in secured.body[-_MAC:])
            return Response(secured.body[:-_MAC] + check, secured.status)
        case "plain":
            return plain
        case "repeated":
            return before
        case "stripped":
            return Response(b"", OK)


def _false_key(kind: PaceKey, theirs: bytes, own: bytes) -> bytes:
    """A public key of the length of the right one, but where it is the terminal's."""
    elliptic = len(own) % 2 == 1 and own[0] == _UNCOMPRESSED
    match kind:
        case "echoed":
            return theirs
        case "off_group":
            return own[:-1] + bytes([own[-1] ^ 1]) if elliptic else b"\xff" * len(own)
        case "neutral" | "low_order":
            length = len(own) - 1
            return bytes([_UNCOMPRESSED]) + bytes(length) if elliptic else bytes(length) + b"\x01"
