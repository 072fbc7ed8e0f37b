"""A recorded reading: what the terminal knew and drew, and every command with its answer.

With the password and the random numbers a reading is repeatable to the byte, so a passport that read badly in
the field can be read again at a desk, without it. A transcript is as personal as the passport is and opens
copies of its traffic: it is written only on demand, and whoever keeps it keeps personal data.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from gated.core.ports import Limits
from gated.core.settings.documents import DocumentSettings
from gated.core.values import Value
from gated.document.access import Password, PasswordKind
from gated.document.apdu import MAX_COMMAND, MAX_RESPONSE, parse_command, status_name
from gated.document.errors import ApduError, DocumentError
from gated.document.groups.curves import Random
from gated.document.reading.passport import ChipFiles, read_passport
from gated.document.reading.terminal import MAX_EXCHANGES, drive

FORMAT = "egate-transcript-1"
MAX_TRANSCRIPT = 32 * 1024 * 1024

_PASSWORDS = {PasswordKind.MRZ: re.compile("[0-9A-Z<]{0,64}"), PasswordKind.CAN: re.compile("[0-9]{6}")}


class TranscriptError(DocumentError):
    """A recorded reading cannot be used, or does not go the way it went; `number` is the exchange, from 1."""

    def __init__(self, code: str, number: int = 0) -> None:
        super().__init__(code)
        self.number = number


class Exchange(Value):
    """A command, its answer (hexadecimal both), and how long it took."""

    command: str
    response: str
    ms: float = 0.0

    def __repr__(self) -> str:
        return "Exchange(‹personal›)"


class Transcript(Value, forbid_unknown_fields=True):
    """All that a reading rests on. `kind` and `password` are the password's; `version` is of the software."""

    format: str
    version: str
    reader: str
    limits: Limits
    settings: DocumentSettings
    historical: str
    kind: PasswordKind
    password: str
    characters: int
    random: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def __repr__(self) -> str:
        return f"Transcript({len(self.exchanges)} exchanges, ‹personal›)"


class Recorder:
    """Stands between a reading and its reader and writes down what goes through. `clock` gives seconds."""

    def __init__(
        self, transceive: Callable[[bytes], bytes], random: Random, clock: Callable[[], float]
    ) -> None:
        self._transceive = transceive
        self._random = random
        self._clock = clock
        self.drawn: list[str] = []
        self.exchanges: list[Exchange] = []

    def random(self, size: int) -> bytes:
        """Draw random bytes."""
        drawn = self._random(size)
        self.drawn.append(drawn.hex())
        return drawn

    def transceive(self, command: bytes) -> bytes:
        """Exchange one APDU; one without an answer leaves the command on record with none."""
        began = self._clock()
        response = b""
        try:
            response = self._transceive(command)
        finally:
            ms = round((self._clock() - began) * 1000, 3)
            self.exchanges.append(Exchange(command=command.hex(), response=response.hex(), ms=ms))
        return response

    def transcript(
        self,
        password: Password,
        *,
        version: str,
        reader: str,
        limits: Limits,
        settings: DocumentSettings,
        historical: bytes,
    ) -> Transcript:
        """What went through so far, with all that is needed to go through it again."""
        return Transcript(
            format=FORMAT,
            version=version,
            reader=reader,
            limits=limits,
            settings=settings,
            historical=historical.hex(),
            kind=password.kind,
            password=password.text,
            characters=password.characters,
            random=tuple(self.drawn),
            exchanges=tuple(self.exchanges),
        )


def parse_transcript(raw: bytes) -> Transcript:
    """Read a transcript. Raises TranscriptError: `transcript_malformed`, `transcript_version`."""
    if len(raw) > MAX_TRANSCRIPT:
        raise TranscriptError("transcript_too_long")
    try:
        transcript = msgspec.json.decode(raw, type=Transcript)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError, too: of keys that are no text
        raise TranscriptError("transcript_malformed") from error
    if transcript.format != FORMAT:
        raise TranscriptError("transcript_version")
    if len(transcript.exchanges) > 2 * MAX_EXCHANGES:
        raise TranscriptError("transcript_too_long")
    if not _PASSWORDS[transcript.kind].fullmatch(transcript.password):
        raise TranscriptError("transcript_malformed")
    for number, exchange in enumerate(transcript.exchanges, 1):
        if len(exchange.command) > 2 * MAX_COMMAND or len(exchange.response) > 2 * MAX_RESPONSE:
            raise TranscriptError("transcript_malformed", number)
    return transcript


def replay(transcript: Transcript) -> ChipFiles:
    """Read again what was read then.

    Raises TranscriptError: `transcript_differs` where this software sends another command than was recorded
    (it is of another version), `transcript_ends` where there is no answer; DocumentError as the reading did.
    """
    draws = iter(transcript.random)
    exchanges = enumerate(transcript.exchanges, 1)

    def random(size: int) -> bytes:
        drawn = _bytes(next(draws, ""))
        if len(drawn) != size:
            raise TranscriptError("transcript_differs")
        return drawn

    def transceive(command: bytes) -> bytes:
        number, exchange = next(exchanges, (0, None))
        if exchange is None:
            raise TranscriptError("transcript_ends", len(transcript.exchanges))
        if exchange.command.lower() != command.hex():
            raise TranscriptError("transcript_differs", number)
        if not exchange.response:
            raise TranscriptError("transcript_ends", number)
        return _bytes(exchange.response, number)

    commands = read_passport(
        Password(transcript.kind, transcript.password, transcript.characters),
        random=random,
        settings=transcript.settings,
        limits=transcript.limits,
        historical=_bytes(transcript.historical),
    )
    return drive(commands, transceive)


def told(transcript: Transcript) -> Iterator[tuple[Exchange, str, str]]:
    """Each exchange with what the command is for and how the chip answered, as far as the outside shows."""
    for number, exchange in enumerate(transcript.exchanges, 1):
        command, response = _bytes(exchange.command, number), _bytes(exchange.response, number)
        status = status_name(int.from_bytes(response[-2:], "big")) if len(response) >= 2 else "no_answer"
        yield exchange, _purpose(command), status


def _bytes(text: str, number: int = 0) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise TranscriptError("transcript_malformed", number) from error


_SECURED = 0x0C
_NAMES = {
    0x20: "VERIFY",
    0x22: "MANAGE SECURITY ENVIRONMENT",
    0x2A: "PERFORM SECURITY OPERATION",
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x86: "GENERAL AUTHENTICATE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xB0: "READ BINARY",
    0xB1: "READ BINARY",
    0xC0: "GET RESPONSE",
}


def _purpose(raw: bytes) -> str:
    """The instruction, and of what is not encrypted what it is about."""
    try:
        command = parse_command(raw)
    except ApduError:
        return "not a command"
    name = _NAMES.get(command.ins, f"INS {command.ins:02X}")
    secured = command.cla & _SECURED == _SECURED
    if command.ins == 0xB0 and command.p1 & 0x80:
        name += f" of file {command.p1 & 0x1F:02X}"
    elif command.ins == 0xB0:
        name += f" at {command.p1 << 8 | command.p2}"
    elif command.ins == 0xA4 and not secured:
        name += f" {command.body.hex().upper()}"
    return f"{name}{' (secured)' if secured else ''}"
