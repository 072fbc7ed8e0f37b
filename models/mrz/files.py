"""Decodes an image file: JPEG, JPEG 2000 or PNG, told by its first bytes, capped by its header.

As `models.image`, which it uses for the first two: nothing is allocated for a size that is too large, and
what the decoder gives must have the size that the header declared. Then it is turned upright as its EXIF
says. Raises ImageError and nothing else.
"""

import struct
from pathlib import Path

import cv2
import numpy as np

from models import image
from models.image import ImageError
from models.orientation import orientation, upright
from models.tflite import Image

MAX_BYTES = 32_000_000
MAX_PIXELS = 40_000_000

_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
# depth and colour type; the decoder halves 16 bits
_PNG_KINDS = frozenset({(8, 0), (8, 2), (8, 3), (8, 4), (8, 6), (16, 0), (16, 2), (16, 4), (16, 6)})


def decode(encoded: bytes) -> Image:
    """Return a BGR image, upright by its EXIF; an alpha channel is dropped."""
    is_png = encoded.startswith(_PNG[:8])
    coded = _png(encoded) if is_png else image.decode(encoded, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS)
    found = upright(coded, orientation(encoded))
    if found is not coded:
        coded.fill(0)
    return found


def read(path: Path) -> bytes:
    """Return a file's bytes, at most MAX_BYTES and one. Raises ImageError: file_unreadable."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError("file_unreadable") from error


def _png(encoded: bytes) -> Image:
    """PNG (ISO/IEC 15948), not interlaced."""
    if len(encoded) > MAX_BYTES:
        raise ImageError("image_too_long")
    if not encoded.startswith(_PNG) or len(encoded) < 33:
        raise ImageError("image_damaged")
    width, height, depth, colour, compression, filters, interlace = struct.unpack_from(
        ">IIBBBBB", encoded, 16
    )
    if (depth, colour) not in _PNG_KINDS or compression or filters or interlace:
        raise ImageError("image_kind_unsupported")
    if min(width, height) < image.MIN_SIDE:
        raise ImageError("image_too_small")
    if max(width, height) > image.MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError("image_too_large")
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        decoded: Image | None = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise ImageError("image_damaged") from error
    if decoded is None or decoded.shape != (height, width, 3) or decoded.dtype != np.uint8:
        raise ImageError("image_damaged")
    return decoded
