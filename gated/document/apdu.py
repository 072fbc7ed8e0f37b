"""Command and response APDUs (ISO 7816-4), short and extended, with names for the status words.

A command knows the longest answer that it wants (`le`, 1 to 65536) and codes itself as short as it can.
Reprs show the header and lengths only: the content of a file is personal.
"""

from dataclasses import dataclass, field

from gated.document.errors import ApduError

MAX_COMMAND = 4 + 3 + 65535 + 2
MAX_RESPONSE = 65536 + 2

OK = 0x9000
END_OF_FILE = 0x6282
WRONG_LENGTH = 0x6700
SECURITY_STATUS = 0x6982
NOT_FOUND = 0x6A82
WRONG_OFFSET = 0x6B00

_NAMES = {
    0x9000: "ok",
    0x6282: "end_of_file",
    0x6283: "file_deactivated",
    0x6300: "authentication_failed",
    0x6400: "execution_error",
    0x6700: "wrong_length",
    0x6882: "messaging_not_supported",
    0x6982: "security_status",
    0x6983: "authentication_blocked",
    0x6984: "reference_data_unusable",
    0x6985: "conditions_of_use",
    0x6986: "command_not_allowed",
    0x6987: "messaging_objects_missing",
    0x6988: "messaging_objects_wrong",
    0x6A80: "wrong_data",
    0x6A81: "function_not_supported",
    0x6A82: "not_found",
    0x6A86: "wrong_parameters",
    0x6A88: "reference_not_found",
    0x6B00: "wrong_offset",
    0x6D00: "instruction_not_supported",
    0x6E00: "class_not_supported",
    0x6F00: "unknown_error",
}


def status_name(status: int) -> str:
    """A snake_case name for a status word; for an unnamed one its four hexadecimal digits (`sw_6faa`)."""
    if status >> 8 == 0x6C:
        return "wrong_le"
    if status & 0xFFF0 == 0x63C0:
        return "tries_left"
    return _NAMES.get(status, f"sw_{status:04x}")


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """A command APDU. `le` is the longest answer wanted, None for none.

    `long` asks for the long form of Lc and Le also where the short one would do.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    body: bytes = b""
    le: int | None = None
    long: bool = field(default=False, kw_only=True)

    def __repr__(self) -> str:
        return f"Command({self.header.hex()}, {len(self.body)} bytes, le={self.le})"

    @property
    def header(self) -> bytes:
        """CLA, INS, P1, P2."""
        return bytes([self.cla, self.ins, self.p1, self.p2])

    @property
    def extended(self) -> bool:
        """Whether Lc and Le are coded in the long form."""
        return self.long or len(self.body) > 255 or (self.le or 0) > 256

    def encode(self) -> bytes:
        """Code the command. Raises ApduError(`apdu_not_codable`) where a length does not fit."""
        if len(self.body) > 65535 or (self.le is not None and not 1 <= self.le <= 65536):
            raise ApduError("apdu_not_codable")
        width = 2 if self.extended else 1
        coded = self.header + (b"\0" if self.extended and (self.body or self.le is not None) else b"")
        if self.body:
            coded += len(self.body).to_bytes(width, "big") + self.body
        return coded + (b"" if self.le is None else (self.le % 256**width).to_bytes(width, "big"))


@dataclass(frozen=True, slots=True, repr=False)
class Response:
    """A response APDU."""

    body: bytes
    status: int

    def __repr__(self) -> str:
        return f"Response({len(self.body)} bytes, {self.status:04x})"

    @property
    def ok(self) -> bool:
        """Whether the status is 9000."""
        return self.status == OK

    def encode(self) -> bytes:
        """Code the response."""
        return self.body + self.status.to_bytes(2, "big")


def parse_command(raw: bytes) -> Command:
    """Decode a command APDU (ISO 7816-4, 5.1, all seven cases). Raises ApduError."""
    if not 4 <= len(raw) <= MAX_COMMAND:
        raise ApduError("apdu_length")
    header, rest = raw[:4], raw[4:]
    body, le = _split_body(rest)
    return Command(header[0], header[1], header[2], header[3], body, le)


def parse_response(raw: bytes) -> Response:
    """Decode a response APDU. Raises ApduError."""
    if not 2 <= len(raw) <= MAX_RESPONSE:
        raise ApduError("apdu_length")
    return Response(raw[:-2], int.from_bytes(raw[-2:], "big"))


def _split_body(rest: bytes) -> tuple[bytes, int | None]:
    """Data and Le of what follows the header."""
    if not rest:
        return b"", None
    if len(rest) == 1:
        return b"", rest[0] or 256
    if rest[0]:
        width, lc, start = 1, rest[0], 1
    elif len(rest) == 3:
        return b"", int.from_bytes(rest[1:], "big") or 65536
    elif len(rest) > 3:
        width, lc, start = 2, int.from_bytes(rest[1:3], "big"), 3
    else:
        raise ApduError("apdu_length")
    body, tail = rest[start : start + lc], rest[start + lc :]
    if lc == 0 or len(body) != lc or len(tail) not in {0, width}:
        raise ApduError("apdu_length")
    if not tail:
        return body, None
    return body, int.from_bytes(tail, "big") or 256**width
