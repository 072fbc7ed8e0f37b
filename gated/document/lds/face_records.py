"""Face records of ISO/IEC 19794-5, editions of 2005 and 2011: big-endian fields at fixed places.

Edition 2005 (clause 5): a header of 14 bytes; for each image a block, whose length comes first, of facial
information (20 bytes), feature points (8 each), image information (12), and the picture up to its end.
Edition 2011 (clause 8): a header of 17 bytes; for each representation its length, capture time and device
(14), quality (1, and 5 for each score), facial information (17), landmarks (8 each), image information (11),
the picture's length and the picture; three-dimensional data may follow and is passed over.
"""

import struct

from gated.document.errors import LdsError

FORMAT = b"FAC\0"
OF_2005, OF_2011 = "19794-5:2005", "19794-5:2011"

_POINT = 8

Found = list[tuple[int, int, bytes]]  # declared width and height, and the picture


def parse(record: bytes, max_images: int) -> tuple[str, Found]:
    """Edition and pictures of a whole record.

    Raises LdsError: `dg2_format_unsupported` for other editions, `dg2_length_wrong` where a declared length
    does not fit the bytes that are there, `dg2_malformed` for a record too short or with too many images.
    """
    try:
        version, length, count = struct.unpack_from(">4x4sIH", record)
        if version not in _EDITIONS:
            raise LdsError("dg2_format_unsupported")
        edition, at, picture_of = _EDITIONS[version]
        if length != len(record):
            raise LdsError("dg2_length_wrong")
        if count > max_images:
            raise LdsError("dg2_malformed")
        found: Found = []
        for _ in range(count):
            (length,) = struct.unpack_from(">I", record, at)
            if not 4 <= length <= len(record) - at:
                raise LdsError("dg2_length_wrong")
            found.append(picture_of(record[at : at + length]))
            at += length
    except struct.error as error:
        raise LdsError("dg2_malformed") from error
    if at != len(record):
        raise LdsError("dg2_length_wrong")
    return edition, found


def _picture_of_2005(block: bytes) -> tuple[int, int, bytes]:
    (points,) = struct.unpack_from(">H", block, 4)
    at = 20 + points * _POINT
    _type, _kind, width, height, *_ = struct.unpack_from(">BBHHBBHH", block, at)
    return width, height, block[at + 12 :]


def _picture_of_2011(block: bytes) -> tuple[int, int, bytes]:
    (scores,) = struct.unpack_from(">B", block, 18)
    about = 19 + 5 * scores
    (points,) = struct.unpack_from(">H", block, about)
    at = about + 17 + points * _POINT
    _type, _kind, width, height, *_ = struct.unpack_from(">BBHHBHBB", block, at)
    (length,) = struct.unpack_from(">I", block, at + 11)
    picture = block[at + 15 : at + 15 + length]
    if len(picture) != length:
        raise LdsError("dg2_length_wrong")
    return width, height, picture


_EDITIONS = {
    b"010\0": (OF_2005, 14, _picture_of_2005),
    b"030\0": (OF_2011, 17, _picture_of_2011),
}
