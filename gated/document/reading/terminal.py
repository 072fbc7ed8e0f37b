"""The terminal's end of a conversation with a chip: a plain command in, a plain response out.

What lies between is here: secure messaging once there is a channel, extended lengths where reader and chip
carry them, ISO 7816-4 command chaining (5.1.1.1) where a command is longer than they do, GET RESPONSE (61xx)
and the corrected length (6Cxx) of chips that answer in parts. Inside a session the last two arrive outside
the MAC, so a corrected length ends the session there; parts of a response are only joined, and the MAC judges
the whole.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from gated.core.ports import Limits
from gated.document.apdu import Command, Response, parse_command, parse_response
from gated.document.errors import ReadingError
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel

T = TypeVar("T")
Raw = Generator[bytes, bytes, T]  # yields coded commands, is sent coded responses
Protocol = Generator[Command, Response, T]  # the same within a channel, as values

SHORT_COMMAND = 261  # header, Lc, 255 bytes, Le
SHORT_RESPONSE = 256
SHORT_APDUS = Limits(max_command=SHORT_COMMAND, max_response=SHORT_RESPONSE)
MAX_EXCHANGES = 8192  # 256 KiB in the smallest pieces and as much again
MAX_PARTS = 256  # of one response; 64 KiB in short ones

CHAINED = 0x10  # CLA: more commands of the chain follow
_SHORT_BODY = 255
_STATUS_AND_MAC = 4 + 10  # DO99 and DO8E
_SEALED_BODY = 223  # a protected body of 255 bytes has DO87, DO97 and DO8E around it
_MORE = 0x61
_CORRECTED = 0x6C


class Terminal:
    """One conversation. `channel` is set when access is granted, and again by chip authentication."""

    def __init__(self, limits: Limits = SHORT_APDUS) -> None:
        """`limits` are the reader's; the chip's may be lower, and are learnt."""
        self.channel: SecureChannel | None = None
        self.max_response = limits.max_response
        self._max_command = limits.max_command
        self._exchanges = 0

    @property
    def extended(self) -> bool:
        """Whether responses beyond 256 bytes can be asked for."""
        return self.max_response > SHORT_RESPONSE and self._max_command > SHORT_COMMAND

    def room(self, *, long: bool) -> int:
        """How many bytes of data one response brings in its long or its short form, as it is secured now."""
        room = self.max_response if long else min(self.max_response, SHORT_RESPONSE)
        if self.channel is None:
            return room
        block = 8 if self.channel.suite is Suite.TDES else 16
        head = 5 if room > SHORT_RESPONSE else 4  # DO87 with its length and padding indicator
        return (room - head - _STATUS_AND_MAC) // block * block - 1  # at least one byte of padding

    def wants_long_form(self, length: int) -> bool:
        """Whether so many bytes of data take a long APDU to come at once, and long ones are carried."""
        return self.extended and length > self.room(long=False)

    def limit(self, max_command: int = SHORT_COMMAND, max_response: int = SHORT_RESPONSE) -> None:
        """Carry no more than this from now on; by default, no extended lengths."""
        self._max_command = min(self._max_command, max_command)
        self.max_response = min(self.max_response, max_response)

    def send(self, command: Command) -> Raw[Response]:
        """Exchange one command. Raises MessagingError, ApduError, ReadingError(`too_many_exchanges`)."""
        *before, last = self._chain(command)
        for part in before:
            accepted = yield from self._exchange(part)
            if not accepted.ok:
                return accepted
        return (yield from self._exchange(last))

    def run(self, protocol: Protocol[T]) -> Raw[T]:
        """Carry a protocol that speaks in plain commands."""
        try:
            command = next(protocol)
            while True:
                response = yield from self.send(command)
                command = protocol.send(response)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            protocol.close()

    def run_coded(self, protocol: Raw[T]) -> Raw[T]:
        """Carry a protocol that codes its commands itself: access, before there is a channel."""
        try:
            coded = next(protocol)
            while True:
                coded = protocol.send((yield from self.send(parse_command(coded))).encode())
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            protocol.close()

    def _chain(self, command: Command) -> tuple[Command, ...]:
        """The command, in parts where its body is longer than reader and chip carry at once."""
        room = _SHORT_BODY if self.channel is None else _SEALED_BODY
        if self._max_command > SHORT_COMMAND:
            room = max(self._max_command - 2 * (_SHORT_BODY - _SEALED_BODY), room)
        if len(command.body) <= room:
            return (command,)
        parts = [command.body[at : at + room] for at in range(0, len(command.body), room)]
        cla, ins, p1, p2 = command.header
        chained = [Command(cla | CHAINED, ins, p1, p2, part) for part in parts[:-1]]
        le = command.le if self.extended or command.le is None else min(command.le, SHORT_RESPONSE)
        return (*chained, Command(cla, ins, p1, p2, parts[-1], le))

    def _exchange(self, command: Command) -> Raw[Response]:
        if self.channel is None:
            response = yield from self._carry(command.encode())
            if response.status >> 8 == _CORRECTED and not response.body and command.le is not None:
                again = replace(command, le=response.status & 0xFF or 256)
                response = yield from self._carry(again.encode())
            return response
        protected = self.channel.protect(command)
        return self.channel.unprotect((yield from self._carry(protected.encode())))

    def _carry(self, coded: bytes) -> Raw[Response]:
        """One command and its response, whose parts are fetched until there is no more."""
        response = yield from self._count(coded)
        gathered = response.body
        for _ in range(MAX_PARTS):
            if response.status >> 8 != _MORE:
                return Response(gathered, response.status)
            fetch = Command(0x00, 0xC0, 0x00, 0x00, b"", response.status & 0xFF or 256)
            response = yield from self._count(fetch.encode())
            gathered += response.body
        raise ReadingError("too_many_parts")

    def _count(self, coded: bytes) -> Raw[Response]:
        self._exchanges += 1
        if self._exchanges > MAX_EXCHANGES:
            raise ReadingError("too_many_exchanges")
        return parse_response((yield coded))


def drive(commands: Generator[Any, Any, T], transceive: Callable[[Any], Any]) -> T:
    """Run a generator of commands against a chip. What `transceive` raises passes through."""
    try:
        command = next(commands)
        while True:
            command = commands.send(transceive(command))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        commands.close()
