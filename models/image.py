"""Decodes encoded photographs that come from outside: JPEG and JPEG 2000, as in DG2 (ISO/IEC 19794-5).

The bytes are an attacker's. Their format is told by their first bytes, never by a label; the size is read
from the header and capped before any decoder allocates memory for it, and what the decoder gives must have
that size. The decoder itself is native code: the process that calls this one is locked away from doors,
network and disk.

`decode` returns an image or raises ImageError, and nothing else.
"""

import struct
from collections.abc import Iterator

import cv2
import numpy as np

from models.tflite import Image

MAX_PIXELS = 6_000_000
MIN_SIDE = 32
MAX_SIDE = 16_384
MAX_SCANS = 64  # a progressive JPEG of a face has about ten; each scan costs a pass over the whole image
MAX_SEGMENTS = 512
MAX_BOXES = 64
MAX_TILES = 256
MAX_JPEG = 95  # quality of what we write ourselves
MIN_JPEG = 20

_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended and progressive DCT with Huffman coding
_OTHER_FRAMES = frozenset(range(0xC0, 0xD0)) - _FRAMES - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA


class ImageError(Exception):
    """Not a photograph that can be used; `reason` is a snake_case code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(encoded: bytes, *, max_bytes: int, max_pixels: int) -> Image:
    """Return a BGR image. Raises ImageError."""
    if len(encoded) > max_bytes:
        raise ImageError("image_too_long")
    width, height = _size(encoded)
    if min(width, height) < MIN_SIDE:
        raise ImageError("image_too_small")
    if max(width, height) > MAX_SIDE or width * height > max_pixels:
        raise ImageError("image_too_large")
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise ImageError("image_damaged") from error
    if image is None or image.shape != (height, width, 3) or image.dtype != np.uint8:
        raise ImageError("image_damaged")
    return image.astype(np.uint8, copy=False)


def encode(image: Image, max_bytes: int) -> bytes | None:
    """Return a JPEG of at most `max_bytes`, at the best quality that fits; None when none does."""
    for quality in range(MAX_JPEG, MIN_JPEG - 1, -15):
        good, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if good and len(encoded) <= max_bytes:
            return bytes(encoded)
    return None


def _size(encoded: bytes) -> tuple[int, int]:
    """Declared width and height."""
    try:
        if encoded.startswith(b"\xff\xd8\xff"):
            return _jpeg_size(encoded)
        if encoded.startswith(_CODESTREAM):
            return _codestream_size(encoded)
        if encoded.startswith(_JP2):
            return _jp2_size(encoded)
    except struct.error as error:
        raise ImageError("image_damaged") from error
    raise ImageError("not_an_image")


def _jpeg_size(encoded: bytes) -> tuple[int, int]:
    """Size from the frame header (ISO/IEC 10918-1, B.2.2). An image that ends early is refused."""
    sizes: list[tuple[int, int]] = []
    end = 0
    for marker, start in _jpeg_segments(encoded):
        end = start
        if marker in _OTHER_FRAMES:
            raise ImageError("image_kind_unsupported")
        if marker in _FRAMES:
            depth, height, width, components = struct.unpack_from(">BHHB", encoded, start)
            if depth != 8 or components not in {1, 3}:
                raise ImageError("image_kind_unsupported")
            sizes.append((width, height))
    complete = encoded.find(b"\xff\xd9", end) >= 0
    if len(sizes) != 1 or not complete or encoded.count(b"\xff\xda", end) > MAX_SCANS:
        raise ImageError("image_damaged")
    return sizes[0]


def _jpeg_segments(encoded: bytes) -> Iterator[tuple[int, int]]:
    """Yield marker and start of content for each segment up to the first scan."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        lead, marker, length = struct.unpack_from(">BBH", encoded, position)
        if lead != 0xFF:
            raise ImageError("image_damaged")
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if length < 2:
            raise ImageError("image_damaged")
        yield marker, position + 4
        if marker == _START_OF_SCAN:
            return
        position += 2 + length
    raise ImageError("image_damaged")


def _jp2_size(encoded: bytes) -> tuple[int, int]:
    """Size from the code stream inside a JP2 file (ISO/IEC 15444-1, annex I)."""
    position = 0
    for _ in range(MAX_BOXES):
        length, kind = struct.unpack_from(">I4s", encoded, position)
        header = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", encoded, position + 8)
            header = 16
        if kind == b"jp2c":
            return _codestream_size(encoded[position + header :])
        if length < header:
            raise ImageError("image_damaged")
        position += length
    raise ImageError("image_damaged")


def _codestream_size(encoded: bytes) -> tuple[int, int]:
    """Size from the SIZ segment (ISO/IEC 15444-1, A.5.1): 8 bits, no subsampling, few tiles."""
    if not encoded.startswith(_CODESTREAM):
        raise ImageError("image_damaged")
    right, bottom, left, top, tile_width, tile_height, *_ = struct.unpack_from(">8I", encoded, 8)
    (components,) = struct.unpack_from(">H", encoded, 40)
    if components not in {1, 3}:
        raise ImageError("image_kind_unsupported")
    for number in range(components):
        if struct.unpack_from(">3B", encoded, 42 + 3 * number) != (7, 1, 1):
            raise ImageError("image_kind_unsupported")
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0 or not tile_width or not tile_height:
        raise ImageError("image_damaged")
    if -(-width // tile_width) * -(-height // tile_height) > MAX_TILES:
        raise ImageError("image_kind_unsupported")
    return width, height
