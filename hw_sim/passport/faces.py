"""EF.DG2 of a simulated chip: portraits in each of the record standards that passports use.

A picture is taken as it comes: nothing here decodes it, its size is looked up in its own header.
"""

from collections.abc import Sequence
from typing import Literal

from gated.document.tlv import encode

RecordStandard = Literal["19794-5:2005", "19794-5:2011", "39794-5"]

_UNKNOWN_SIZE = (240, 320)  # declared for an image that is none
_FULL_FRONTAL = 1
_CODE_STREAM = bytes.fromhex("FF4FFF51")


def dg2(images: Sequence[bytes], sex: str = "X", standard: RecordStandard = "19794-5:2005") -> bytes:
    """EF.DG2 with one record that holds all images."""
    return dg2_of([(record(images, sex, standard), standard)])


def dg2_of(blocks: Sequence[tuple[bytes, RecordStandard]]) -> bytes:
    """EF.DG2 with a template for each data block, whose header claims that standard."""
    templates = b"".join(encode(0x7F60, _template(block, standard)) for block, standard in blocks)
    return encode(0x75, encode(0x7F61, encode(0x02, bytes([len(blocks)])) + templates))


def record(images: Sequence[bytes], sex: str, standard: RecordStandard) -> bytes:
    """The biometric data block."""
    if standard == "39794-5":
        return data_block(images)
    return record_of_2011(images, sex) if standard == "19794-5:2011" else record_of_2005(images, sex)


def record_of_2005(images: Sequence[bytes], sex: str) -> bytes:
    """ISO/IEC 19794-5:2005 facial record: full frontal images without feature points."""
    blocks = b"".join(_with_length(_about(sex) + _picture_of_2005(image) + image) for image in images)
    length, count = (14 + len(blocks)).to_bytes(4, "big"), len(images).to_bytes(2, "big")
    return b"FAC\x00010\x00" + length + count + blocks


def record_of_2011(images: Sequence[bytes], sex: str) -> bytes:
    """ISO/IEC 19794-5:2011 face record: no quality score, no landmarks, the capture time not known."""
    blocks = b"".join(_with_length(_view_of_2011(image, sex)) for image in images)
    length, count = (17 + len(blocks)).to_bytes(4, "big"), len(images).to_bytes(2, "big")
    return b"FAC\x00030\x00" + length + count + bytes(3) + blocks


def data_block(images: Sequence[bytes]) -> bytes:
    """ISO/IEC 39794-5 face image data block, as the passport profile wraps it; sizes are declared."""
    version = encode(0x80, b"\x03") + encode(0x81, (2019).to_bytes(2, "big"))
    blocks = b"".join(encode(0x30, _representation(number, image)) for number, image in enumerate(images))
    return encode(0xA1, encode(0x65, encode(0xA0, version) + encode(0xA1, blocks)))


def image_size(image: bytes) -> tuple[int, int]:
    """Width and height by the header of a JPEG or JPEG 2000; a nominal size for anything else."""
    at = image.find(_CODE_STREAM)
    if at >= 0 and len(image) >= at + 16 and (at == 0 or image[4:8] == b"jP  "):
        return int.from_bytes(image[at + 8 : at + 12], "big"), int.from_bytes(image[at + 12 : at + 16], "big")
    at = 2
    while image[:2] == b"\xff\xd8" and image[at : at + 1] == b"\xff" and at + 9 <= len(image):
        marker, length = image[at + 1], int.from_bytes(image[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xC2:
            height, width = image[at + 5 : at + 7], image[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        at += 2 + length
    return _UNKNOWN_SIZE


def _template(block: bytes, standard: RecordStandard) -> bytes:
    newer = standard == "39794-5"
    header = (
        encode(0x80, bytes.fromhex("0101"))  # version of the header
        + encode(0x81, b"\x02")  # biometric type: facial features
        + encode(0x87, bytes.fromhex("0101"))  # format owner: ISO/IEC JTC 1/SC 37
        + encode(0x88, bytes.fromhex("002A" if newer else "0008"))
    )
    return encode(0xA1, header) + encode(0x7F2E if newer else 0x5F2E, block)


def _with_length(content: bytes) -> bytes:
    return (4 + len(content)).to_bytes(4, "big") + content


def _about(sex: str) -> bytes:
    """No points; colours, expression and pose not given."""
    return bytes([0, 0, _gender(sex)]) + bytes(13)


def _picture_of_2005(image: bytes) -> bytes:
    width, height = image_size(image)
    return bytes([_FULL_FRONTAL, _kind(image)]) + _pixels(width, height) + bytes([1, 2, 0, 0, 0, 0])


def _view_of_2011(image: bytes, sex: str) -> bytes:
    captured, device, scores = bytes(9), bytes(5), b"\0"
    about = bytes([0, 0, _gender(sex)]) + bytes(14)  # one byte more than before: the subject's height
    picture = bytes([_FULL_FRONTAL, _kind(image)]) + _pixels(*image_size(image)) + bytes([0, 0, 0, 1, 1])
    return captured + device + scores + about + picture + len(image).to_bytes(4, "big") + image


def _representation(number: int, image: bytes) -> bytes:
    width, height = image_size(image)
    code = 3 if _kind(image) else 2  # JPEG 2000 lossy, JPEG
    size = encode(0x80, _integer(width)) + encode(0x81, _integer(height))
    information = encode(0xA0, encode(0x80, bytes([code]))) + encode(0xA7, size)
    plane = encode(0x80, image) + encode(0xA1, information)
    return encode(0x80, bytes([number])) + encode(0xA1, encode(0xA0, encode(0xA0, plane)))


def _kind(image: bytes) -> int:
    return 0 if image.startswith(b"\xff\xd8") else 1


def _gender(sex: str) -> int:
    return {"M": 1, "F": 2}.get(sex, 0)


def _pixels(width: int, height: int) -> bytes:
    return width.to_bytes(2, "big") + height.to_bytes(2, "big")


def _integer(number: int) -> bytes:
    """The content of a DER INTEGER that is not negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")
