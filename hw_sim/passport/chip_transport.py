"""Between the bytes that a reader carries and whole commands, as a chip sees it (ISO 7816-4, section 5).

Lengths that the chip does not take are refused here, command chaining is undone, and a response that is
longer than was asked for is handed out in parts by GET RESPONSE. `Behaviour` says what of this a chip can do.
"""

from dataclasses import replace
from typing import Final

from gated.document import tlv
from gated.document.apdu import Command, Response, parse_command
from gated.document.errors import ApduError, TlvError
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip_files import OK, WRONG_LENGTH, WRONG_PARAMETERS, Refused

CHAINED: Final = 0x10  # CLA: more commands of the chain follow
LAST_EXPECTED: Final = 0x6883
CHAINING_NOT_SUPPORTED: Final = 0x6884
MORE: Final = 0x6100

GENERAL_AUTHENTICATE: Final = 0x86
GET_RESPONSE: Final = 0xC0
_MOST: Final = 65_536  # bytes of a chain's body


def parse(apdu: bytes, behaviour: Behaviour) -> Command:
    """Decode a command APDU. Raises Refused."""
    extended = len(apdu) >= 7 and apdu[4] == 0
    if len(apdu) > behaviour.longest_command or (extended and not behaviour.extended_lengths):
        raise Refused(WRONG_LENGTH)
    try:
        return parse_command(apdu)
    except ApduError as error:
        raise Refused(WRONG_LENGTH) from error


class CommandChain:
    """The parts of a command that came so far (5.1.1.1); any other command in between forgets them."""

    def __init__(self, *, supported: bool) -> None:
        self._supported = supported
        self._header = b""
        self._body = b""

    def take(self, command: Command) -> Command | None:
        """The whole command with its last part, None with those before. Raises Refused.

        The steps of PACE before the last one bear the same mark; but they want an answer, or end where their
        object does.
        """
        begun = bool(self._header)
        if begun and command.header[1:] != self._header:
            self.forget()
            raise Refused(LAST_EXPECTED)
        body, marked = self._body + command.body, bool(command.cla & CHAINED)
        if marked and not (command.ins == GENERAL_AUTHENTICATE and (command.le or _is_whole(body))):
            if not self._supported or len(body) > _MOST:
                self.forget()
                raise Refused(CHAINING_NOT_SUPPORTED)
            self._header, self._body = command.header[1:], body
            return None
        self.forget()
        return replace(command, body=body) if begun else command

    def forget(self) -> None:
        """Drop what came so far."""
        self._header = self._body = b""


class ResponseParts:
    """What is left of a response that was longer than the command asked for (5.3.4)."""

    def __init__(self) -> None:
        self._left = Response(b"", OK)

    def forget(self) -> None:
        """Drop what is left."""
        self._left = Response(b"", OK)

    def cut(self, response: Response, most: int) -> Response:
        """As much as fits now, and how to come by more."""
        if len(response.body) <= most:
            self.forget()
            return response
        self._left = Response(response.body[most:], response.status)
        left = len(self._left.body)
        return Response(response.body[:most], MORE | (left if left < 256 else 0))

    def next(self, command: Command) -> Response | None:
        """The next part, None where there is none. Raises Refused."""
        if not self._left.body:
            return None
        if command.p1 or command.p2:
            raise Refused(WRONG_PARAMETERS)
        if command.body or command.le is None:
            raise Refused(WRONG_LENGTH)
        return self.cut(self._left, command.le)


def _is_whole(body: bytes) -> bool:
    """Whether these bytes are one dynamic authentication data object (7C)."""
    try:
        tlv.parse_one(body, 0x7C)
    except TlvError:
        return False
    return True
