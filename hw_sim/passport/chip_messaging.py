"""Secure messaging as the chip sees it (Doc 9303-11 section 9.8): open a command, protect a response.

The chip is the strict side. A secured command must be exactly what the standard prescribes: CLA 0C (1C within
a chain), the objects [DO87 | DO85] [DO97] DO8E in that order and nothing else, an outer Le of zero, the right
MAC for the present counter. Anything else raises `MessagingRefused`, and whoever catches it throws the keys
away. The cryptography of one message is `SessionKeys`, which the terminal's side shares and which the worked
examples of Doc 9303-11 appendix D check; the order of things here is the chip's own.
"""

from gated.document import keys, tlv
from gated.document.apdu import Command, Response
from gated.document.errors import MessagingError, TlvError
from gated.document.messaging import (
    DO_LE,
    DO_MAC,
    DO_PADDED,
    DO_PLAIN_CODED,
    DO_STATUS,
    PROTECTED,
    WITH_PADDING,
    SessionKeys,
)

OBJECTS_MISSING = 0x6987
OBJECTS_WRONG = 0x6988

_CHAINED = 0x10  # CLA: each part of a chain is secured by itself, its class as it is

_STATUS_AND_MAC = 4 + 10  # DO99 and DO8E at the end of each response


class MessagingRefused(Exception):
    """A secured command is not what it must be; `status` goes out unprotected and the session ends."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04x}")
        self.status = status


class ChipChannel:
    """The chip's end of a session: `open` a command, then `protect` its response, in turn."""

    def __init__(self, session: SessionKeys, counter: int) -> None:
        self._session = session
        self._counter = counter

    def open(self, command: Command) -> Command:
        """Check and decrypt a command. Raises MessagingRefused."""
        self._counter += 1
        if command.cla & ~_CHAINED != PROTECTED or command.le not in {256, 65536}:
            raise MessagingRefused(OBJECTS_WRONG)
        found = self._objects(command)
        covered = command.body[: -2 - keys.MAC_LENGTH]
        expected = self._session.mac_of_command(self._counter, command.header, covered)
        if not keys.equal(expected, found[DO_MAC]):
            raise MessagingRefused(OBJECTS_WRONG)
        body = self._decrypt(found.get(DO_PADDED), found.get(DO_PLAIN_CODED))
        return Command(
            command.cla & _CHAINED, command.ins, command.p1, command.p2, body, _le(found.get(DO_LE))
        )

    def protect(self, response: Response, *, odd: bool) -> Response:
        """Encrypt and authenticate a response; the status stands inside and outside."""
        self._counter += 1
        objects = b""
        if response.body:
            cryptogram = self._session.encrypt(self._counter, response.body)
            objects = (
                tlv.encode(DO_PLAIN_CODED, cryptogram)
                if odd
                else tlv.encode(DO_PADDED, WITH_PADDING + cryptogram)
            )
        objects += tlv.encode(DO_STATUS, response.status.to_bytes(2, "big"))
        check = self._session.mac_of_response(self._counter, objects)
        return Response(objects + tlv.encode(DO_MAC, check), response.status)

    def room(self, outer_le: int) -> int:
        """Most bytes of plain response data that fit into a protected response of `outer_le` bytes."""
        block = self._session.suite.block
        cryptogram = (outer_le - _STATUS_AND_MAC) // block * block
        while len(tlv.encode(DO_PADDED, WITH_PADDING + bytes(cryptogram))) + _STATUS_AND_MAC > outer_le:
            cryptogram -= block
        return cryptogram - 1

    def _objects(self, command: Command) -> dict[int, bytes]:
        """The data objects by tag, having checked which there are and in which order."""
        try:
            items = tlv.parse(command.body)
        except TlvError as error:
            raise MessagingRefused(OBJECTS_WRONG) from error
        if DO_MAC not in {item.tag for item in items}:
            raise MessagingRefused(OBJECTS_MISSING)
        data = DO_PLAIN_CODED if command.ins & 1 else DO_PADDED
        allowed = ([data, DO_LE, DO_MAC], [data, DO_MAC], [DO_LE, DO_MAC], [DO_MAC])
        if [item.tag for item in items] not in allowed or len(items[-1].value) != keys.MAC_LENGTH:
            raise MessagingRefused(OBJECTS_WRONG)
        return {item.tag: item.value for item in items}

    def _decrypt(self, padded: bytes | None, plain_coded: bytes | None) -> bytes:
        if padded is None and plain_coded is None:
            return b""
        if padded is not None and padded[:1] != WITH_PADDING:
            raise MessagingRefused(OBJECTS_WRONG)
        cryptogram = padded[1:] if padded is not None else plain_coded or b""
        try:
            return self._session.decrypt(self._counter, cryptogram)
        except MessagingError as error:
            raise MessagingRefused(OBJECTS_WRONG) from error


def _le(coded: bytes | None) -> int | None:
    if coded is None:
        return None
    if len(coded) not in {1, 2}:
        raise MessagingRefused(OBJECTS_WRONG)
    return int.from_bytes(coded, "big") or 256 ** len(coded)
