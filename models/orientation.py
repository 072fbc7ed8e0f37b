"""How a photograph on disk is to be turned: the orientation that its EXIF tells (CIPA DC-008, 4.6.5).

Told are 1 to 8, or nothing; what is damaged, out of range or not there counts as upright. Cameras and
telephones write it instead of turning the pixels. Files on disk are turned by it, never a chip's portrait.
"""

import struct
from typing import Final

import cv2
import numpy as np

from models.image import ImageError, jpeg_segments
from models.tflite import Image

UPRIGHT: Final = 1
MAX_ENTRIES: Final = 512  # of the first directory; cameras write about a dozen
MAX_CHUNKS: Final = 4096  # of a PNG before its end

_APP1, _EXIF = 0xE1, b"Exif\0\0"
_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATION, _SHORT = 0x0112, 3


def orientation(encoded: bytes) -> int:
    """Return 1 to 8 as EXIF of a JPEG or PNG has it; UPRIGHT for everything else. Raises nothing."""
    try:
        if encoded.startswith(b"\xff\xd8\xff"):
            return _of_jpeg(encoded)
        if encoded.startswith(_PNG):
            return _of_png(encoded)
    except (struct.error, ImageError):
        pass
    return UPRIGHT


def upright(image: Image, told: int) -> Image:
    """Return the image as it is to be seen (another array unless `told` is UPRIGHT)."""
    if told == UPRIGHT:
        return image
    turned = cv2.transpose(image) if told >= 5 else image
    flipped = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(told)  # about the vertical, both, the horizontal
    return np.asarray(turned if flipped is None else cv2.flip(turned, flipped), np.uint8)


def _of_jpeg(encoded: bytes) -> int:
    for marker, start in jpeg_segments(encoded):
        if marker == _APP1 and encoded.startswith(_EXIF, start):
            (length,) = struct.unpack_from(">H", encoded, start - 2)
            return _of_tiff(encoded[start + len(_EXIF) : start + length - 2])
    return UPRIGHT


def _of_png(encoded: bytes) -> int:
    position = len(_PNG)
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", encoded, position)
        if kind == b"eXIf":
            return _of_tiff(encoded[position + 8 : position + 8 + length])
        if kind == b"IEND":
            break
        position += length + 12
    return UPRIGHT


def _of_tiff(body: bytes) -> int:
    """The orientation in the first directory."""
    order = {b"II": "<", b"MM": ">"}.get(body[:2])
    if order is None:
        return UPRIGHT
    magic, at = struct.unpack_from(f"{order}HI", body, 2)
    (count,) = struct.unpack_from(f"{order}H", body, at)
    if magic != 42 or count > MAX_ENTRIES:
        return UPRIGHT
    for number in range(count):
        tag, kind, values, value = struct.unpack_from(f"{order}HHIH", body, at + 2 + 12 * number)
        if (tag, kind, values) == (_ORIENTATION, _SHORT, 1):
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
