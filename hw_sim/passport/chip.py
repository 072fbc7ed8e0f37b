"""The chip of a simulated passport: command APDU in, response APDU out, no transport (Doc 9303-10 and -11).

It speaks the whole protocol and forgives nothing: files of the application stay closed until BAC or PACE
has succeeded; from then on a command that is not properly secured ends the session, takes the access away
and is answered in the clear. `Behaviour` makes it misbehave in the ways that chips in the field do.

Power comes from the field: `reset` is the power-up, after which nothing is selected but the master file
and nothing is granted. A chip that does not answer raises `NoAnswer`, which a reader reports in its own way.
"""

import secrets
from typing import Literal

from gated.core.values import Value
from gated.document.apdu import Command, Response, parse_command
from gated.document.errors import ApduError
from hw_sim.passport import chip_timing, lds
from hw_sim.passport.chip_access import (
    CHAINED,
    CONDITIONS_OF_USE,
    BasicAccess,
    Entropy,
    Granted,
    PasswordAuthenticated,
)
from hw_sim.passport.chip_files import OK, WRONG_LENGTH, BeyondEnd, FileSystem, Refused, StoredFile, endless
from hw_sim.passport.chip_messaging import ChipChannel, MessagingRefused
from hw_sim.passport.issuer import Passport

INSTRUCTION_NOT_SUPPORTED = 0x6D00
CLASS_NOT_SUPPORTED = 0x6E00

GET_CHALLENGE, EXTERNAL_AUTHENTICATE = 0x84, 0x82
MANAGE_ENVIRONMENT, GENERAL_AUTHENTICATE = 0x22, 0x86

_PLAIN, _SECURED = 0x00, 0x0C
_LONGEST_RESPONSE = 65_536

Access = Literal["bac", "pace"]


class NoAnswer(Exception):
    """The chip is silent: dead, out of the field, or gone in mid-read."""


class Behaviour(Value):
    """How a chip departs from the ideal one. The default is a chip that does all and does it right."""

    mute: bool = False  # no answer to reset: as if no chip were there
    lost_at: int | None = None  # the nth command after power-up stays without answer, and all after it
    lost_for_good: bool = False  # at every power-up; else the first time only
    endless_file: int | None = None  # this file declares 4 GB, and has them
    max_read: int | None = None  # bytes that one READ BINARY returns at most
    beyond_end: BeyondEnd = "partial"  # a read over the end: 6282 with data, 6Cxx, or 6700
    refuses_le_on_select: bool = False  # 6700 to a SELECT that carries Le
    extended_lengths: bool = True  # else 6700 to extended APDUs
    garbage_macs: bool = False  # every secured response carries a wrong MAC
    slowness: float = 1.0  # factor on the time that the chip takes


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
        self._files = self._stored_files()
        self._power_up()

    @property
    def atr(self) -> bytes:
        """What a PC/SC reader reports for this ISO 14443 chip (PC/SC part 3, 3.1.3.2.3); empty when mute."""
        if self._behaviour.mute:
            return b""
        third = 0xC0 if self._behaviour.extended_lengths else 0x80
        historical = bytes([0x80, 0x73, 0x80, 0x21, third])
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
        try:
            return self._dispatch(self._parse(apdu)).encode()
        except MessagingRefused as error:
            self._end_session()
            return Response(b"", error.status).encode()
        except Refused as error:
            return Response(b"", error.status).encode()

    def busy_s(self, command: bytes, response: bytes) -> float:
        """How long the chip thinks between command and response, in seconds (`chip_timing`)."""
        return chip_timing.busy_s(command, response) * self._behaviour.slowness

    def _power_up(self) -> None:
        behaviour, passport = self._behaviour, self._passport
        self._commands = 0
        self._channel: ChipChannel | None = None
        self._access: Access | None = None
        self._tree = FileSystem(self._files, behaviour.beyond_end, behaviour.max_read)
        protocols = passport.protocols
        self._bac = BasicAccess(passport.access_key, self._entropy) if protocols.bac else None
        self._pace = (
            PasswordAuthenticated(protocols.pace, passport.access_key, protocols.can, self._entropy)
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

    def _parse(self, apdu: bytes) -> Command:
        """Decode; what cannot be decoded is answered in the clear, which is the end of a session."""
        extended = len(apdu) >= 7 and apdu[4] == 0
        try:
            if not extended or self._behaviour.extended_lengths:
                return parse_command(apdu)
        except ApduError:
            pass
        self._end_session()
        raise Refused(WRONG_LENGTH)

    def _dispatch(self, command: Command) -> Response:
        """Secured commands go through the channel; a plain one ends it (section 9.8.8)."""
        if command.cla & _SECURED == _SECURED:
            return self._secured(command)
        self._end_session()
        chained = command.cla == CHAINED and command.ins == GENERAL_AUTHENTICATE
        if command.cla != _PLAIN and not chained:
            raise Refused(CLASS_NOT_SUPPORTED)
        return self._execute(command, command.le or _LONGEST_RESPONSE)

    def _secured(self, command: Command) -> Response:
        channel = self._channel
        if channel is None:
            raise Refused(CONDITIONS_OF_USE)
        plain = channel.open(command)
        try:
            response = self._execute(plain, channel.room(command.le or 256))
        except Refused as error:
            response = Response(b"", error.status)
        return channel.protect(response, odd=bool(command.ins & 1))

    def _execute(self, command: Command, room: int) -> Response:
        granted = self._access is not None
        if self._pace and command.ins != GENERAL_AUTHENTICATE:
            self._pace.abandon()
        match command.ins:
            case 0xA4:  # SELECT
                return self._select(command, granted=granted)
            case 0xB0:  # READ BINARY
                return self._tree.read(command, room, granted=granted)
            case 0xB1:  # READ BINARY with the offset in a data object
                return self._tree.read_far(command, room, granted=granted)
            case _:
                return self._authenticate(command)

    def _select(self, command: Command, *, granted: bool) -> Response:
        if command.le is not None and self._behaviour.refuses_le_on_select:
            raise Refused(WRONG_LENGTH)
        self._tree.select(command, granted=granted, locked=self._bac is None)
        return Response(b"", OK)

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
            return self._grant("pace", answer) if isinstance(answer, Granted) else Response(answer, OK)
        raise Refused(INSTRUCTION_NOT_SUPPORTED)

    @staticmethod
    def _require(condition: bool) -> None:  # noqa: FBT001 - the only argument
        if not condition:
            raise Refused(CONDITIONS_OF_USE)

    def _grant(self, access: Access, granted: Granted) -> Response:
        garbage = self._behaviour.garbage_macs
        self._channel = ChipChannel(granted.session, granted.counter, garbage_macs=garbage)
        self._access = access
        return Response(granted.answer, OK)

    def _end_session(self) -> None:
        """Throw the keys away and take the access back; what is selected stays selected."""
        self._channel = None
        self._access = None

    def _stored_files(self) -> dict[int, StoredFile]:
        files = {fid: StoredFile(content) for fid, content in self._passport.files.items()}
        files[lds.ATR_INFO] = StoredFile(lds.atr_info(extended=self._behaviour.extended_lengths))
        vast = self._behaviour.endless_file
        if vast is not None:
            files[vast] = endless(files[vast].content)
        return files
