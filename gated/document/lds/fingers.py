"""DG3: fingerprints (Doc 9303-10, section 4.7.3), which a chip gives to terminals it has authenticated only.

Records of ISO/IEC 19794-4, editions of 2005 and 2011, and data blocks of ISO/IEC 39794-4. What is found is
counted and told by finger; the pictures stay encoded. A group may count no fingers and then holds some
random bytes, so that the group's hash is not the same on every passport without fingerprints.
"""

import struct
from dataclasses import dataclass

from gated.core.personal import Personal
from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds import pictures
from gated.document.lds.directory import DG3
from gated.document.lds.templates import blocks_of, coded, parse_templates

MAX_FINGERS = 32  # in all; ten, and some more than once

OF_2005, OF_2011, OF_39794 = "19794-4:2005", "19794-4:2011", "39794-4"

_FORMAT = b"FIR\0"
_DATA_BLOCK = 0x64  # ISO/IEC 39794-4: FingerImageDataBlock is [APPLICATION 4]
_POSITION, _PICTURE = 0xA0, 0x83

Found = list[tuple[int, bytes]]  # position and picture


@dataclass(frozen=True, slots=True)
class FingerImage:
    """One encoded fingerprint. `position`: 1 to 5 right thumb to little finger, 6 to 10 left, 0 unknown.

    `format` is what the picture's first bytes say (see `pictures`; raw samples are `unknown`).
    """

    position: Personal[int]
    format: str
    image: Personal[bytes]
    record: str


def parse_dg3(raw: bytes) -> tuple[FingerImage, ...]:
    """All fingerprints in order, perhaps none.

    Raises LdsError: `dg3_malformed`, `dg3_length_wrong`, `dg3_format_unsupported`.
    """
    fingers: list[FingerImage] = []
    for template in parse_templates(raw, DG3):
        record, found = _fingers(template.block)
        fingers += [
            FingerImage(Personal(position), pictures.picture_format(image), Personal(image), record)
            for position, image in found
        ]
        if len(fingers) > MAX_FINGERS:
            raise LdsError("dg3_malformed")
    return tuple(fingers)


def _fingers(block: bytes) -> tuple[str, Found]:
    try:
        if block.startswith(_FORMAT + b"010\0"):
            return OF_2005, _record_of_2005(block)
        if block.startswith(_FORMAT + b"020\0"):
            return OF_2011, _record_of_2011(block)
        if block[:1] in {b"\xa1", b"\x64"}:
            return OF_39794, [_representation(item.value) for item in blocks_of(block, _DATA_BLOCK)]
    except (struct.error, TlvError) as error:
        raise LdsError("dg3_malformed") from error
    raise LdsError("dg3_format_unsupported")


def _record_of_2005(record: bytes) -> Found:
    """Clause 7: a header of 32 bytes; for each view a header of 14, whose length comes first."""
    _check_length(int.from_bytes(record[8:14], "big"), record)
    (count,) = struct.unpack_from(">B", record, 18)
    found: Found = []
    at = 32
    while at < len(record):
        length, position, *_, _reserved = struct.unpack_from(">IBBBBBHHB", record, at)
        if not 14 <= length <= len(record) - at:
            raise LdsError("dg3_length_wrong")
        found.append((position, record[at + 14 : at + length]))
        at += length
        if len(found) > MAX_FINGERS:
            raise LdsError("dg3_malformed")
    if len(found) < count:  # a finger may have several views
        raise LdsError("dg3_malformed")
    return found


def _record_of_2011(record: bytes) -> Found:
    """Clause 8: a header of 16 bytes; for each representation its length, a header, the picture's length."""
    length, count, certified, _positions = struct.unpack_from(">IHBB", record, 8)
    _check_length(length, record)
    if count > MAX_FINGERS or certified > 1:
        raise LdsError("dg3_malformed")
    found: Found = []
    at = 16
    for _ in range(count):
        (length,) = struct.unpack_from(">I", record, at)
        if not 4 <= length <= len(record) - at:
            raise LdsError("dg3_length_wrong")
        found.append(_view_of_2011(record[at : at + length], certified=certified == 1))
        at += length
    if at != len(record):
        raise LdsError("dg3_length_wrong")
    return found


def _view_of_2011(view: bytes, *, certified: bool) -> tuple[int, bytes]:
    """Comments and segmentation may follow the picture."""
    at = 19 + 5 * struct.unpack_from(">B", view, 18)[0]
    if certified:
        at += 1 + 3 * struct.unpack_from(">B", view, at)[0]
    position, *_, length = struct.unpack_from(">BBBHHHHBBBHHI", view, at)
    picture = view[at + 22 : at + 22 + length]
    if len(picture) != length:
        raise LdsError("dg3_length_wrong")
    return position, picture


def _representation(block: bytes) -> tuple[int, bytes]:
    """RepresentationBlock { position [0], impression [1], imageDataFormat [2], imageData [3], ... }."""
    fields = tlv.parse(block)
    return coded(tlv.only(fields, _POSITION)) or 0, tlv.only(fields, _PICTURE)


def _check_length(length: int, record: bytes) -> None:
    if length != len(record):
        raise LdsError("dg3_length_wrong")
