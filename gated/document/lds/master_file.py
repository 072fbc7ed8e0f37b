"""EF.ATR/INFO and EF.DIR: what anyone may read in the master file (Doc 9303-10, section 3.11).

Nothing signs these files either. They may say what to try; what a chip then does is what counts.
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.directory import ATR_INFO, DIR, ElementaryFile

MAX_OBJECTS = 32  # in one file; a chip has one or two applications, four with the travel records of LDS 2
MAX_IDENTIFIER = 16  # bytes of an application identifier

_CAPABILITIES, _LENGTHS = 0x47, 0x7F66
_CHAINING, _EXTENDED = 0x80, 0x40  # third byte of the card capabilities


@dataclass(frozen=True, slots=True)
class AtrInfo:
    """Capabilities. `max_command` and `max_response`: bytes of the longest APDUs, None where not told."""

    chaining: bool = False
    extended: bool = False
    max_command: int | None = None
    max_response: int | None = None


def parse_atr_info(raw: bytes) -> AtrInfo:
    """Raises LdsError(`atr_info_malformed`)."""
    try:
        items = _series(raw, ATR_INFO)
        tags = [item.tag for item in items]
        flags = tlv.only(items, _CAPABILITIES)[2:3] if _CAPABILITIES in tags else b""
        lengths = tlv.parse(tlv.only(items, _LENGTHS)) if _LENGTHS in tags else ()
    except TlvError as error:
        raise LdsError("atr_info_malformed") from error
    if lengths and [item.tag for item in lengths if item.value] != [0x02, 0x02]:
        raise LdsError("atr_info_malformed")
    longest = [int.from_bytes(item.value, "big") for item in lengths]
    told = flags[0] if flags else 0
    return AtrInfo(bool(told & _CHAINING), bool(told & _EXTENDED), *(longest or (None, None)))


def parse_dir(raw: bytes) -> tuple[bytes, ...]:
    """The identifiers of the chip's applications. Raises LdsError(`dir_malformed`)."""
    try:
        found = [tlv.only(tlv.parse(item.value), 0x4F) for item in _series(raw, DIR) if item.tag == 0x61]
    except TlvError as error:
        raise LdsError("dir_malformed") from error
    if any(not 1 <= len(identifier) <= MAX_IDENTIFIER for identifier in found):
        raise LdsError("dir_malformed")
    return tuple(found)


def _series(raw: bytes, file: ElementaryFile) -> list[tlv.Tlv]:
    """The objects one behind the other, up to the zeros that may fill the file. Raises TlvError."""
    if len(raw) > file.max_length:
        raise TlvError("tlv_too_long")
    items: list[tlv.Tlv] = []
    at = 0
    while raw[at:].strip(b"\0"):
        if len(items) == MAX_OBJECTS:
            raise TlvError("tlv_too_many")
        end = at + tlv.read_head(raw[at:]).total
        items.append(tlv.parse_one(raw[at:end]))
        at = end
    return items
