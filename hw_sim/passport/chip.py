"""The chip of a simulated passport: command APDU in, response APDU out, no transport (Doc 9303-10 and -11).

It speaks the whole protocol and forgives nothing: files of the application stay closed until BAC or PACE
has succeeded; from then on a command that is not properly secured ends the session, takes the access away
and is answered in the clear. `Behaviour` makes it misbehave in the ways that chips in the field do.

Power comes from the field: `reset` is the power-up, after which nothing is selected but the master file
and nothing is granted. A chip that does not answer raises `NoAnswer`, which a reader reports in its own way.
"""

import dataclasses
import secrets
from typing import Literal

from gated.document import tlv
from gated.document.apdu import Command, Response
from hw_sim.passport import chip_timing, lds
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip_access import (
    AUTHENTICATION_FAILED,
    CONDITIONS_OF_USE,
    BasicAccess,
    Entropy,
    Granted,
)
from hw_sim.passport.chip_authentication import Agreed, ChipAuthentication
from hw_sim.passport.chip_files import (
    NO_FILE_INFORMATION,
    OK,
    SECURITY_STATUS,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    FileSystem,
    Refused,
    StoredFile,
    endless,
)
from hw_sim.passport.chip_hostility import Hostility
from hw_sim.passport.chip_messaging import ChipChannel, MessagingRefused
from hw_sim.passport.chip_pace import PasswordAuthenticated
from hw_sim.passport.chip_terminal import TerminalAuthentication
from hw_sim.passport.chip_transport import (
    CHAINED,
    GENERAL_AUTHENTICATE,
    GET_RESPONSE,
    CommandChain,
    ResponseParts,
    parse,
)
from hw_sim.passport.issuer import Passport

__all__ = ["Access", "Behaviour", "Chip", "NoAnswer"]

INSTRUCTION_NOT_SUPPORTED = 0x6D00
CLASS_NOT_SUPPORTED = 0x6E00

GET_CHALLENGE, EXTERNAL_AUTHENTICATE = 0x84, 0x82
MANAGE_ENVIRONMENT = 0x22
INTERNAL_AUTHENTICATE = 0x88

_PLAIN, _SECURED = 0x00, 0x0C
_BY_NAME = 0x04  # P1 of SELECT
_SHORT_RESPONSE = 256
_NO_LIMIT = 65_535

Access = Literal["bac", "pace"]


class NoAnswer(Exception):
    """The chip is silent: dead, out of the field, or gone in mid-read."""


class Chip:
    """One chip with one passport's files."""

    def __init__(
        self,
        passport: Passport,
        behaviour: Behaviour | None = None,
        *,
        entropy: Entropy = secrets.token_bytes,
    ) -> None:
        """`entropy(n)` gives n random bytes; give another source to replay a worked example."""
        self._passport = passport
        self._behaviour = behaviour or Behaviour()
        self._entropy = entropy
        self._times_lost = 0
        self._work_s = 0.0
        self._hostility = Hostility(self._behaviour, passport.protocols)
        trust = passport.terminal
        self._terminal = TerminalAuthentication(trust, entropy) if trust else None
        self._identifier = b""  # ID_PICC of the session
        offered = passport.protocols.chip_authentication
        self._own_proof = ChipAuthentication(offered, passport.static_keys, entropy) if offered else None
        self._files = self._stored_files()
        self._power_up()

    @property
    def atr(self) -> bytes:
        """What a PC/SC reader reports for this ISO 14443 chip (PC/SC part 3, 3.1.3.2.3); empty when mute."""
        if self._behaviour.mute:
            return b""
        historical = b"" if self._behaviour.silent else b"\x80\x73" + self._capabilities()
        body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
        check = 0
        for byte in body:
            check ^= byte
        return b"\x3b" + body + bytes([check])

    @property
    def access(self) -> Access | None:
        """How the terminal got in, while the session lasts."""
        return self._access

    def reset(self) -> None:
        """Power up: forget everything but the files. Raises NoAnswer when mute."""
        self._power_up()
        if self._behaviour.mute:
            raise NoAnswer("mute")

    def command(self, apdu: bytes) -> bytes:
        """Answer one command APDU, short or extended. Raises NoAnswer."""
        self._stay_or_leave()
        self._work_s = 0.0
        try:
            response = self._respond(parse(apdu, self._behaviour))
        except (Refused, MessagingRefused) as error:
            self._end_session()
            response = Response(b"", error.status)
        return self._hostility.on_everything(response).encode()

    def busy_s(self, command: bytes, response: bytes) -> float:
        """How long the chip thought between its last command and response, in seconds (`chip_timing`)."""
        return (chip_timing.busy_s(command, response) + self._work_s) * self._behaviour.slowness

    def _power_up(self) -> None:
        behaviour, passport = self._behaviour, self._passport
        self._commands = 0
        self._channel: ChipChannel | None = None
        self._access: Access | None = None
        self._tree = FileSystem(self._files, behaviour)
        self._forget_terminal()
        self._chain = CommandChain(supported=behaviour.chaining)
        self._parts = ResponseParts()
        self._hostility.power_up()
        protocols = passport.protocols
        self._bac = BasicAccess(passport.access_key, self._entropy) if protocols.bac else None
        self._pace = (
            PasswordAuthenticated(
                protocols.pace, passport.access_key, protocols.can, self._entropy, passport.static_keys
            )
            if protocols.pace
            else None
        )

    def _stay_or_leave(self) -> None:
        """Count the command, and be gone where the behaviour says so."""
        behaviour = self._behaviour
        self._commands += 1
        if behaviour.mute:
            raise NoAnswer("mute")
        if behaviour.lost_at is None or self._commands < behaviour.lost_at:
            return
        if self._commands == behaviour.lost_at:
            self._times_lost += 1
        if self._times_lost == 1 or behaviour.lost_for_good:
            raise NoAnswer("lost")

    def _respond(self, command: Command) -> Response:
        """What is left of the response before, or the beginning of a new one. Raises Refused."""
        if command.cla == _PLAIN and command.ins == GET_RESPONSE:
            part = self._parts.next(command)
            if part is not None:
                return part
        behaviour = self._behaviour
        most = min(command.le or _SHORT_RESPONSE, behaviour.longest_response)
        at_once = min(most, behaviour.part_length or most) + behaviour.generous
        return self._parts.cut(self._dispatch(command, most), at_once)

    def _dispatch(self, command: Command, most: int) -> Response:
        """Secured commands go through the channel; a plain one ends it (section 9.8.8)."""
        if command.cla & _SECURED == _SECURED:
            return self._secured(command, most)
        self._end_session()
        if command.cla & ~CHAINED != _PLAIN:
            raise Refused(CLASS_NOT_SUPPORTED)
        return self._execute(command, most)

    def _secured(self, command: Command, most: int) -> Response:
        channel = self._channel
        if channel is None:
            raise Refused(CONDITIONS_OF_USE)
        plain = channel.open(command)
        if self._behaviour.part_length is not None:
            most = self._behaviour.longest_response
        try:
            response = self._execute(plain, channel.room(most))
        except Refused as error:
            if self._behaviour.unprotected_errors:
                raise
            response = Response(b"", error.status)
        return self._hostility.on_secured(channel.protect(response, odd=bool(command.ins & 1)), response)

    def _execute(self, part: Command, room: int) -> Response:
        command = self._chain.take(part)
        if command is None:
            return Response(b"", OK)
        if self._pace and command.ins != GENERAL_AUTHENTICATE:
            self._pace.abandon()
        for instruction, status in self._behaviour.refuses:
            if command.ins == instruction:
                raise Refused(status)
        response = self._carry_out(command, room)
        passport = self._passport
        self._work_s = chip_timing.work_s(command, response, passport.protocols, passport.active)
        return response

    def _carry_out(self, command: Command, room: int) -> Response:
        granted = self._access is not None
        match command.ins:
            case 0xA4:  # SELECT
                return self._select(command, granted=granted)
            case 0xB0:  # READ BINARY
                return self._tree.read(command, room, granted=granted)
            case 0xB1:  # READ BINARY with the offset in a data object
                return self._tree.read_far(command, room, granted=granted)
            case 0x88:
                return self._prove_active(command)
            case _:
                if granted and self._terminal and self._terminal.handles(command):
                    return self._heed_terminal(self._terminal, command)
                if granted and self._own_proof and self._own_proof.handles(command):
                    return self._prove_itself(self._own_proof, command)
                return self._authenticate(command)

    def _select(self, command: Command, *, granted: bool) -> Response:
        if command.le is not None and self._behaviour.refuses_le_on_select:
            raise Refused(WRONG_LENGTH)
        information = b""
        if command.p1 == _BY_NAME and self._behaviour.insists_on_information:
            if command.p2 == NO_FILE_INFORMATION or command.le is None:
                raise Refused(WRONG_PARAMETERS)
            command = dataclasses.replace(command, p2=NO_FILE_INFORMATION)
            information = tlv.encode(0x6F, tlv.encode(0x84, command.body))
        self._tree.select(command, granted=granted, locked=self._bac is None)
        return Response(information, OK)

    def _authenticate(self, command: Command) -> Response:
        """The commands of BAC and PACE, where the chip has them; neither runs inside a session."""
        bac, pace = self._bac, self._pace
        if command.ins in {GET_CHALLENGE, EXTERNAL_AUTHENTICATE} and bac:
            self._require(self._access is None and self._tree.in_application)
            if command.ins == GET_CHALLENGE:
                return Response(bac.challenge(command), OK)
            return self._grant("bac", bac.authenticate(command))
        if command.ins in {MANAGE_ENVIRONMENT, GENERAL_AUTHENTICATE} and pace:
            self._require(self._access is None and not self._tree.in_application)
            if command.ins == MANAGE_ENVIRONMENT:
                pace.choose(command)
                return Response(b"", OK)
            answer = pace.step(command)
            if not isinstance(answer, Granted):
                return Response(self._hostility.on_pace(command, answer), OK)
            self._require(not self._behaviour.pace_fails, AUTHENTICATION_FAILED)
            return self._grant("pace", answer)
        raise Refused(INSTRUCTION_NOT_SUPPORTED)

    def _prove_active(self, command: Command) -> Response:
        """Active authentication (`chip_active`), once access is granted."""
        if self._passport.active is None:
            raise Refused(INSTRUCTION_NOT_SUPPORTED)
        self._require(self._access is not None, SECURITY_STATUS)
        return Response(self._passport.active.answer(command, self._entropy), OK)

    def _prove_itself(self, proof: ChipAuthentication, command: Command) -> Response:
        """Chip authentication (`chip_authentication`); its answer still goes out in the old session."""
        self._require(self._tree.in_application)
        answer = proof.answer(command)
        if not isinstance(answer, Agreed):
            return Response(answer, OK)
        self._channel = ChipChannel(answer.session, 0)
        self._proven(answer.terminal_key)
        return Response(answer.answer, OK)

    def _proven(self, terminal_key: bytes) -> None:
        """The channel is this chip's, and not of one between: terminal authentication may follow."""
        if self._terminal:
            self._terminal.agreed(self._identifier, terminal_key)
            self._tree.closed = self._terminal.closed

    def _heed_terminal(self, terminal: TerminalAuthentication, command: Command) -> Response:
        """Terminal authentication: what it opens, and what it teaches the chip for good."""
        answer = terminal.answer(command)
        self._tree.closed = terminal.closed
        self._files[lds.CVCA] = StoredFile(terminal.directory)
        return Response(answer, OK)

    def _forget_terminal(self) -> None:
        if self._terminal:
            self._terminal.forget()
            self._tree.closed = self._terminal.closed

    @staticmethod
    def _require(condition: bool, otherwise: int = CONDITIONS_OF_USE) -> None:  # noqa: FBT001 - what it is for
        if not condition:
            raise Refused(otherwise)

    def _grant(self, access: Access, granted: Granted) -> Response:
        self._channel = ChipChannel(granted.session, granted.counter)
        self._access = access
        self._identifier = granted.chip_key or self._passport.access_key[:10].encode("ascii")
        if granted.proven:
            self._proven(granted.terminal_key)
        return Response(granted.answer, OK)

    def _end_session(self) -> None:
        """Throw the keys away and take the access back; what is selected stays selected."""
        self._channel = None
        self._access = None
        self._forget_terminal()
        if self._own_proof:
            self._own_proof.forget()

    def _stored_files(self) -> dict[int, StoredFile]:
        files = {fid: StoredFile(content) for fid, content in self._passport.files.items()}
        behaviour = self._behaviour
        if self._terminal:
            files[lds.CVCA] = StoredFile(self._terminal.directory)
        if not behaviour.silent:
            limits = (behaviour.longest_command, behaviour.longest_response)
            files[lds.ATR_INFO] = StoredFile(lds.atr_info(self._capabilities(), limits))
        vast = behaviour.endless_file
        if vast is not None:
            files[vast] = endless(files[vast].content)
        return files

    def _capabilities(self) -> bytes:
        """Card capabilities (ISO 7816-4, 12.1.1.9): selection, coding, lengths and chaining."""
        behaviour = self._behaviour
        extended = behaviour.extended_lengths or behaviour.boasts
        limited = min(behaviour.longest_command, behaviour.longest_response) < _NO_LIMIT
        third = 0x80 * behaviour.chaining | 0x40 * extended | 0x20 * (extended and limited)
        return bytes([0x80, 0x21, third])
