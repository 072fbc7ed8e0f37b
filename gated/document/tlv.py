"""BER-TLV as Doc 9303 and ISO 7816-4 use it: definite lengths, tags of up to three bytes, hard caps.

There is no recursion: whoever expects a template asks for its content and parses that, so the depth is
what the caller's own code spells out and a chip cannot choose it. Every level has a cap on length and on
the number of objects, and a length is compared with the bytes that are there before anything is copied.
Every function raises TlvError and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gated.document.errors import TlvError

MAX_LENGTH = 0x10_0000  # 1 MiB: the longest object in use, a DG2 with several images, stays well below
MAX_OBJECTS = 512  # at one level; an EF.CardSecurity or a template of several images has some tens
MAX_HEAD = 8  # three tag bytes, one length byte and four that follow it


@dataclass(frozen=True, slots=True, repr=False)
class Tlv:
    """One data object: the tag as Doc 9303 prints it (0x5F1F), and its value."""

    tag: int
    value: bytes

    def __repr__(self) -> str:
        return f"Tlv({self.tag:02X}, {len(self.value)} bytes)"

    def encode(self) -> bytes:
        """Code the object with the shortest length."""
        return encode(self.tag, self.value)


@dataclass(frozen=True, slots=True)
class Head:
    """Tag and length of an object, before its value is read."""

    tag: int
    head_length: int
    value_length: int

    @property
    def total(self) -> int:
        """Length of the whole object in bytes."""
        return self.head_length + self.value_length


def read_head(data: bytes, *, max_length: int = MAX_LENGTH) -> Head:
    """Read tag and length at the start of `data`; the value need not be there.

    Raises TlvError: `tlv_truncated`, `tlv_tag`, `tlv_length_form` or `tlv_too_long`.
    """
    tag, after_tag = _read_tag(data, 0)
    length, start = _read_length(data, after_tag)
    if length > max_length:
        raise TlvError("tlv_too_long")
    return Head(tag, start, length)


def parse(data: bytes, *, max_length: int = MAX_LENGTH, max_objects: int = MAX_OBJECTS) -> tuple[Tlv, ...]:
    """Split `data` into the objects that it is made of, with no byte left over."""
    if len(data) > max_length:
        raise TlvError("tlv_too_long")
    items: list[Tlv] = []
    at = 0
    while at < len(data):
        if len(items) == max_objects:
            raise TlvError("tlv_too_many")
        tag, after_tag = _read_tag(data, at)
        length, start = _read_length(data, after_tag)
        if length > len(data) - start:
            raise TlvError("tlv_truncated")
        at = start + length
        items.append(Tlv(tag, data[start:at]))
    return tuple(items)


def parse_one(data: bytes, tag: int | None = None, *, max_length: int = MAX_LENGTH) -> Tlv:
    """Parse exactly one object, with the given tag if one is given, and nothing behind it."""
    items = parse(data, max_length=max_length)
    if len(items) != 1:
        raise TlvError("tlv_not_one_object")
    if tag is not None and items[0].tag != tag:
        raise TlvError("tlv_unexpected_tag")
    return items[0]


def only(items: Iterable[Tlv], tag: int) -> bytes:
    """Return the value of the one object with this tag; none or two of them is an error."""
    values = [item.value for item in items if item.tag == tag]
    if not values:
        raise TlvError("tlv_object_missing")
    if len(values) > 1:
        raise TlvError("tlv_object_repeated")
    return values[0]


def encode(tag: int, value: bytes) -> bytes:
    """Code one object with the shortest length."""
    if not 0 < tag <= 0xFFFFFF or len(value) > MAX_LENGTH:
        raise TlvError("tlv_not_codable")
    coded_tag = tag.to_bytes((tag.bit_length() + 7) // 8, "big")
    return coded_tag + encode_length(len(value)) + value


def encode_length(length: int) -> bytes:
    """Code a length in as few bytes as BER allows."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    """Return the tag and the position behind it."""
    if at >= len(data):
        raise TlvError("tlv_truncated")
    tag = data[at]
    at += 1
    if tag in {0x00, 0xFF}:
        raise TlvError("tlv_tag")  # ISO 7816-4, 5.2.2: padding between objects, never a tag
    if tag & 0x1F != 0x1F:
        return tag, at
    for _ in range(2):
        if at >= len(data):
            raise TlvError("tlv_truncated")
        tag = tag << 8 | data[at]
        at += 1
        if not data[at - 1] & 0x80:
            return tag, at
    raise TlvError("tlv_tag")


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length and the position behind it."""
    if at >= len(data):
        raise TlvError("tlv_truncated")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise TlvError("tlv_length_form")  # 80 is the indefinite form
    if count > len(data) - at:
        raise TlvError("tlv_truncated")
    return int.from_bytes(data[at : at + count], "big"), at + count
