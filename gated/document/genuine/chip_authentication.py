"""Chip authentication (Doc 9303-11 section 6.2; TR-03110-2 section 3.4), the terminal's side, in a channel.

The chip agrees on a key with its static private key, whose public half the issuing state signed, and secure
messaging starts anew under the agreed keys with a counter of zero. The exchange itself proves nothing in
version 1: the first good response under the new keys proves that the chip knows its private key. And all of
it proves nothing unless passive authentication finds the file good that the public key came from. So the
caller concludes "genuine" from three things: this generator returned; a response was unprotected with the
channel that it returned; EF.DG14 (or EF.CardSecurity) is authentic.
"""

from collections.abc import Generator
from dataclasses import dataclass

from gated.document import keys, tlv
from gated.document.access.pace import authentication_token, coded_reference, session_keys
from gated.document.access.security_infos import (
    ChipAuthenticationInfo,
    ChipAuthenticationKey,
    SecurityInfos,
)
from gated.document.apdu import Command, Response
from gated.document.errors import AccessError, GroupError, TlvError
from gated.document.groups.curves import Random
from gated.document.groups.key_info import PublicKey
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel

_NONCE_LENGTH = 8  # of version 2 (TR-03110-3 section B.3)
_IMPLIED = {"DH": b"\x01\x01", "ECDH": b"\x02\x01"}  # 3DES: what chips do that name a key and no protocol
_STRENGTH = {Suite.TDES: 112, Suite.AES_128: 128, Suite.AES_192: 192, Suite.AES_256: 256}


@dataclass(frozen=True, slots=True)
class ChipAuthenticationChoice:
    """What the terminal will run, with which of the chip's keys; `key_id` is sent where it is not None."""

    info: ChipAuthenticationInfo
    suite: Suite
    key: PublicKey
    key_id: int | None

    @property
    def strength(self) -> int:
        """Bits of security: the lesser of cipher and group."""
        return min(_STRENGTH[self.suite], self.key.domain.strength)


@dataclass(frozen=True, slots=True, repr=False)
class Restarted:
    """The new channel, and the terminal's ephemeral key as terminal authentication names it, Comp(PK)."""

    channel: SecureChannel
    terminal_key: bytes

    def __repr__(self) -> str:
        return f"Restarted({self.channel.suite.value})"


def choose_chip_authentication(infos: SecurityInfos) -> ChipAuthenticationChoice | None:
    """The strongest that the chip offers and this terminal speaks; None if there is none.

    Version 1 goes before version 2, which belongs behind terminal authentication of version 2; then by
    strength, key length, strength of the group, and as the file has them. A key of which no entry tells the
    protocol stands for 3DES, which is what the protocol was first (TR-03110 version 1.11).
    """
    pairs = [
        (info, key) for info in infos.chip_authentication for key in infos.chip_keys if _meant(info, key)
    ]
    told = {id(key) for _, key in pairs}
    pairs += [
        (ChipAuthenticationInfo(_IMPLIED[key.agreement], 1, key.key_id), key)
        for key in infos.chip_keys
        if id(key) not in told and not infos.chip_authentication
    ]
    choices = [choice for info, key in pairs if (choice := _supported(info, key))]
    return max(choices, key=_rank, default=None)


def chip_authentication(
    choice: ChipAuthenticationChoice, random: Random
) -> Generator[Command, Response, Restarted]:
    """Run chip authentication. Draws one private key.

    Version 1 with 3DES is MSE:Set KAT, everything else MSE:Set AT and GENERAL AUTHENTICATE. A command is as
    long as the public key makes it, up to some 530 bytes. Raises AccessError: `chip_authentication_refused`
    (with the chip's status; the old channel stays good), `chip_authentication_key` when the static key is
    none, and in version 2 `chip_authentication_malformed` and `chip_authentication_token_wrong`.
    """
    try:
        own = choice.key.domain.draw(random)
        secret = choice.key.domain.agree(own.private, choice.key.value)
        if choice.suite is Suite.TDES and choice.info.version == 1:
            nonce, token = (yield from _set_key(choice, own.public)), None
        else:
            nonce, token = yield from _authenticate(choice, own.public)
        session = session_keys(choice.suite, secret + nonce)
        expected = authentication_token(session, choice.info.oid, choice.key.domain, own.public)
        compressed = choice.key.domain.compress(own.public)
    except GroupError as error:
        raise AccessError("chip_authentication_key") from error
    if token is not None and not keys.equal(token, expected):
        raise AccessError("chip_authentication_token_wrong")
    return Restarted(SecureChannel(session), compressed)


def _rank(choice: ChipAuthenticationChoice) -> tuple[bool, int, int, int]:
    first = choice.info.version == 1
    return first, choice.strength, _STRENGTH[choice.suite], choice.key.domain.strength


def _meant(info: ChipAuthenticationInfo, key: ChipAuthenticationKey) -> bool:
    """Whether an entry is about a key: of its kind, and by identifier where both have one."""
    named = info.key_id is not None and key.key_id is not None
    return info.agreement == key.agreement and (not named or info.key_id == key.key_id)


def _supported(info: ChipAuthenticationInfo, key: ChipAuthenticationKey) -> ChipAuthenticationChoice | None:
    suite = info.suite
    if suite is None or key.key is None or info.version not in {1, 2}:
        return None
    key_id = info.key_id if info.key_id is not None else key.key_id
    return ChipAuthenticationChoice(info, suite, key.key, key_id)


def _set_key(choice: ChipAuthenticationChoice, public: bytes) -> Generator[Command, Response, bytes]:
    """MSE:Set KAT (section 6.2.4.1)."""
    body = tlv.encode(0x91, public) + _reference(choice)
    _accepted((yield Command(0x00, 0x22, 0x41, 0xA6, body)))
    return b""


def _authenticate(
    choice: ChipAuthenticationChoice, public: bytes
) -> Generator[Command, Response, tuple[bytes, bytes | None]]:
    """MSE:Set AT and GENERAL AUTHENTICATE (section 6.2.4.2); nonce and token of version 2."""
    body = tlv.encode(0x80, choice.info.oid) + _reference(choice)
    _accepted((yield Command(0x00, 0x22, 0x41, 0xA4, body)))
    sent = tlv.encode(0x7C, tlv.encode(0x80, public))
    answer = _accepted((yield Command(0x00, 0x86, 0x00, 0x00, sent, 256)))
    if choice.info.version == 1:
        return b"", None
    try:
        objects = tlv.parse(tlv.parse_one(answer.body, 0x7C).value)
        nonce, token = tlv.only(objects, 0x81), tlv.only(objects, 0x82)
    except TlvError as error:
        raise AccessError("chip_authentication_malformed") from error
    if len(nonce) != _NONCE_LENGTH:
        raise AccessError("chip_authentication_malformed")
    return nonce, token


def _reference(choice: ChipAuthenticationChoice) -> bytes:
    return b"" if choice.key_id is None else tlv.encode(0x84, coded_reference(choice.key_id))


def _accepted(response: Response) -> Response:
    if not response.ok:
        raise AccessError("chip_authentication_refused", response.status)
    return response
