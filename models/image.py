"""Decodes encoded photographs that come from outside: JPEG and JPEG 2000, as in DG2 (ISO/IEC 19794-5).

The bytes are an attacker's. Their format is told by their first bytes, never by a label. Size, tiles,
precincts and bit planes are read from the headers and capped before any decoder takes memory or time for
them, and what the decoder gives must have that size. Of a JP2 file only the code stream is decoded: palettes
and channel maps are never seen by native code. The decoder itself is native: the process that calls it is
locked away from doors, network and disk.

`decode` returns an image or raises ImageError, and nothing else.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from models.tflite import Image

MAX_PIXELS = 6_000_000
MIN_SIDE = 32
MAX_SIDE = 16_384
MAX_SCANS = 64  # a progressive JPEG of a face has about ten; each scan costs a pass over the whole image
MAX_SEGMENTS = 512
MAX_BOXES = 64
MAX_TILES = 256
MAX_TILE_PARTS = 1024
MAX_LAYERS = 64
MAX_PRECINCTS = 32_768  # in all tiles, components and resolutions; each takes kilobytes in the decoder
MIN_CODE_BLOCK = 256  # samples; encoders take 1024 or 4096
# Samples times bit planes: a decoder goes three times over each, with data for it or without, and takes some
# 10 ns: one second. A portrait of 1600 x 1200 pixels in 15 planes, which is large, counts 86 million.
MAX_SAMPLE_PLANES = 100_000_000
MAX_JPEG = 95  # quality of what we write ourselves
MIN_JPEG = 20

_PNG = b"\x89PNG\r\n\x1a\n"
_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended and progressive DCT with Huffman coding
_JPEG_LS = 0xF7  # ISO/IEC 14495-1
_OTHER_FRAMES = frozenset(range(0xC0, 0xD0)) - _FRAMES - {0xC4, 0xC8, 0xCC} | {_JPEG_LS}
_START_OF_SCAN = 0xDA
_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})  # have no length: none belongs before the first scan

_SIZ, _COD, _SOT, _SOD = 0xFF51, 0xFF52, 0xFF90, 0xFF93
_TLM, _PLM, _PLT, _QCD, _QCC, _CRG, _COM = 0xFF55, 0xFF57, 0xFF58, 0xFF5C, 0xFF5D, 0xFF63, 0xFF64
_MAIN_HEADER = frozenset({_SIZ, _COD, _TLM, _PLM, _QCD, _QCC, _CRG, _COM})
_TILE_HEADER = frozenset({_PLT, _COM})
_SYCC = 18

# What the owner of a photograph could do about each code.
FIXES: Final[Mapping[str, str]] = {
    "file_unreadable": "check the path, and that it is a file that you may read",
    "not_an_image": "give a JPEG, JPEG 2000 or PNG file",
    "image_damaged": "copy or export the photograph again",
    "image_kind_unsupported": "save it as 8-bit RGB or grey, not CMYK: JPEG, or PNG without interlacing",
    "image_too_long": "save it in fewer bytes",
    "image_too_small": f"give a photograph of at least {MIN_SIDE} pixels a side",
    "image_too_large": "save it in fewer pixels",
    "image_too_costly": "save it as baseline JPEG",
    "image_unusable": "save it again as 8-bit JPEG, or give another photograph",
    "no_face_detected": "give a photograph of a face, upright, whole and not too small",
    "no_face_mesh": "give one on which the face is sharp, uncovered and turned to the camera",
}

# native decoders tell on standard error what they dislike in a photograph
cv2.setLogLevel(0)


class _Declared(NamedTuple):
    """What a header says: pixels, one component (grey) or three, and for JPEG 2000 the most bit planes."""

    width: int
    height: int
    components: int
    bit_planes: int = 0


class ImageError(Exception):
    """Not a photograph that can be used; `reason` is a snake_case code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def fix(self) -> str:
        """What its owner could do about it."""
        return FIXES.get(self.reason, "give another photograph")


def decode(encoded: bytes, *, max_bytes: int, max_pixels: int) -> Image:
    """Return a BGR image. Raises ImageError.

    EXIF is ignored on purpose: a portrait of Doc 9303 has none and lies upright as it is coded, and nothing
    that a chip adds shall turn it. `models.mrz.files` honours it in files on disk.
    """
    if len(encoded) > max_bytes:
        raise ImageError("image_too_long")
    stream, (width, height, components, bit_planes) = _stream(encoded)
    if min(width, height) < MIN_SIDE:
        raise ImageError("image_too_small")
    if max(width, height) > MAX_SIDE or width * height > max_pixels:
        raise ImageError("image_too_large")
    if width * height * components * bit_planes > MAX_SAMPLE_PLANES:
        raise ImageError("image_too_costly")
    shape = (height, width, 3) if components == 3 else (height, width)
    flags = (cv2.IMREAD_COLOR if components == 3 else cv2.IMREAD_GRAYSCALE) | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image: Image | None = cv2.imdecode(np.frombuffer(stream, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise ImageError("image_damaged") from error
    if image is None or image.shape != shape or image.dtype != np.uint8:
        raise ImageError("image_damaged")
    return image if components == 3 else np.repeat(image[..., None], 3, axis=2)


def encode(image: Image, max_bytes: int) -> bytes | None:
    """Return a JPEG of at most `max_bytes`, at the best quality that fits; None when none does."""
    for quality in range(MAX_JPEG, MIN_JPEG - 1, -15):
        good, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if good and len(encoded) <= max_bytes:
            return bytes(encoded)
    return None


def thumbnail(image: Image, height: int, max_bytes: int) -> bytes | None:
    """Return a JPEG no higher than `height` pixels and no longer than `max_bytes`; None if that cannot be."""
    scale = min(1.0, height / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return encode(cv2.resize(image, size, interpolation=cv2.INTER_AREA), max_bytes)


def use_one_thread() -> None:
    """Keep OpenCV and NumPy from spreading over all processors: the gate's other processes need an even pace.

    Threads that share one small product wait for the slowest of them: beside other work, for a second.
    """
    cv2.setNumThreads(1)
    threadpool_limits(limits=1, user_api="blas")


def _stream(encoded: bytes) -> tuple[bytes, _Declared]:
    """What is to be decoded, and what it declares itself to be."""
    try:
        if encoded.startswith(b"\xff\xd8\xff"):
            return encoded, _jpeg(encoded)
        if encoded.startswith(_JP2):
            encoded = _code_stream(encoded)
        if encoded.startswith(_CODESTREAM):
            return encoded, _jpeg_2000(encoded)
        if encoded.startswith(_PNG):
            raise ImageError("image_kind_unsupported")
    except struct.error as error:
        raise ImageError("image_damaged") from error
    raise ImageError("not_an_image")


def _jpeg(encoded: bytes) -> _Declared:
    """Read the frame header (ISO/IEC 10918-1, B.2.2). An image that ends early is refused."""
    frames: list[_Declared] = []
    end = 0
    for marker, start in jpeg_segments(encoded):
        end = start
        if marker in _OTHER_FRAMES:
            raise ImageError("image_kind_unsupported")
        if marker in _FRAMES:
            depth, height, width, components = struct.unpack_from(">BHHB", encoded, start)
            if depth != 8 or components not in {1, 3}:
                raise ImageError("image_kind_unsupported")
            frames.append(_Declared(width, height, components))
    complete = encoded.find(b"\xff\xd9", end) >= 0
    if len(frames) != 1 or not complete or encoded.count(b"\xff\xda", end) > MAX_SCANS:
        raise ImageError("image_damaged")
    return frames[0]


def jpeg_segments(encoded: bytes) -> Iterator[tuple[int, int]]:
    """Yield marker and start of content for each segment up to the first scan."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        lead, marker, length = struct.unpack_from(">BBH", encoded, position)
        if lead != 0xFF:
            raise ImageError("image_damaged")
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if length < 2 or marker in _BARE:  # a decoder would find another header behind it than we do
            raise ImageError("image_damaged")
        yield marker, position + 4
        if marker == _START_OF_SCAN:
            return
        position += 2 + length
    raise ImageError("image_damaged")


def _code_stream(encoded: bytes) -> bytes:
    """The code stream inside a JP2 file (ISO/IEC 15444-1, annex I) of grey or RGB samples."""
    for kind, start, end in _boxes(encoded, 0, len(encoded)):
        if kind == b"jp2c":
            return encoded[start:end]
        if kind == b"jp2h":
            _check_colours(encoded, start, end)
    raise ImageError("image_damaged")


def _check_colours(encoded: bytes, start: int, end: int) -> None:
    """Refuse what would need the JP2 header to be decoded: a palette, or luma and chroma."""
    for kind, at, _ in _boxes(encoded, start, end):
        if kind == b"pclr":
            raise ImageError("image_kind_unsupported")
        if kind == b"colr":
            method, _precedence, _approximation = struct.unpack_from(">3B", encoded, at)
            if method == 1 and struct.unpack_from(">I", encoded, at + 3) == (_SYCC,):
                raise ImageError("image_kind_unsupported")


def _boxes(encoded: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of content of the boxes from `position` to `end`."""
    for _ in range(MAX_BOXES):
        if position == end:
            return
        length, kind = struct.unpack_from(">I4s", encoded, position)
        header = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", encoded, position + 8)
            header = 16
        elif length == 0:  # up to the end of the file
            length = end - position
        if not header <= length <= end - position:
            raise ImageError("image_damaged")
        yield kind, position + header, position + length
        position += length
    raise ImageError("image_damaged")


def _jpeg_2000(encoded: bytes) -> _Declared:
    """Read the SIZ segment (ISO/IEC 15444-1, A.5.1) and look through the headers after it.

    Eight bits, neither subsampling nor offsets, few tiles and precincts.
    """
    width, height, *offset, tile_width, tile_height, left, top = struct.unpack_from(">8I", encoded, 8)
    (components,) = struct.unpack_from(">H", encoded, 40)
    if components not in {1, 3} or any((*offset, left, top)):
        raise ImageError("image_kind_unsupported")
    for number in range(components):
        if struct.unpack_from(">3B", encoded, 42 + 3 * number) != (7, 1, 1):
            raise ImageError("image_kind_unsupported")
    if not width or not height or not tile_width or not tile_height:
        raise ImageError("image_damaged")
    tiles = -(-width // tile_width) * -(-height // tile_height)
    if tiles > MAX_TILES:
        raise ImageError("image_kind_unsupported")
    header = _main_header(encoded)
    extent = min(width, tile_width), min(height, tile_height)
    if tiles * components * _precincts(encoded, header.coding, extent) > MAX_PRECINCTS:
        raise ImageError("image_kind_unsupported")
    _check_tile_parts(encoded, header.tile_part)
    return _Declared(width, height, components, _bit_planes(header.quantisations))


class _MainHeader(NamedTuple):
    """Where the one COD segment and the first tile part are, and the content of each QCD and QCC segment."""

    coding: int
    tile_part: int
    quantisations: list[bytes]


def _main_header(encoded: bytes) -> _MainHeader:
    """Look through the segments, each once (A.3)."""
    coding: list[int] = []
    quantisations: list[bytes] = []
    position = 2
    for _ in range(MAX_SEGMENTS):
        marker, length = struct.unpack_from(">HH", encoded, position)
        if marker == _SOT and len(coding) == 1:
            return _MainHeader(coding[0], position, quantisations)
        if marker not in _MAIN_HEADER or (marker == _SIZ) != (position == 2) or length < 2:
            raise ImageError("image_kind_unsupported")
        if marker == _COD:
            coding.append(position)
        if marker in {_QCD, _QCC}:  # the component's number stands before the rest in QCC
            quantisations.append(encoded[position + (4 if marker == _QCD else 5) : position + 2 + length])
        position += 2 + length
    raise ImageError("image_damaged")


def _precincts(encoded: bytes, coding: int, tile: tuple[int, int]) -> int:
    """Precincts of one component of one tile, at most, from the COD segment (A.6.1)."""
    style, _order, layers, _mct, levels, wide, high = struct.unpack_from(">BBHBBBB", encoded, coding + 4)
    if levels > 32 or not 1 <= layers <= MAX_LAYERS or 4 << (wide & 15) + (high & 15) << 2 < MIN_CODE_BLOCK:
        raise ImageError("image_kind_unsupported")
    own = style & 1
    sizes = struct.unpack_from(f"{levels + 1}B", encoded, coding + 14) if own else (0xFF,) * (levels + 1)
    total = 0
    for resolution, size in enumerate(sizes):
        across = (tile[0] >> (levels - resolution) >> (size & 15)) + 2
        down = (tile[1] >> (levels - resolution) >> (size >> 4)) + 2
        total += across * down
    return total


def _bit_planes(quantisations: list[bytes]) -> int:
    """The most bit planes that a code block can have (A.6.4, and equation E-2): exponent and guard bits."""
    most = 0
    for content in quantisations:
        (style,) = struct.unpack_from(">B", content)
        steps = content[1::2] if style & 0x1F else content[1:]  # two bytes or one; the exponent comes first
        exponents = [step >> 3 for step in steps]
        most = max(most, max(exponents, default=0) + (style >> 5) - 1)
    if not most:
        raise ImageError("image_damaged")
    return most


def _check_tile_parts(encoded: bytes, position: int) -> None:
    """Refuse tile parts that change how they are coded, or that end after the data."""
    for _ in range(MAX_TILE_PARTS):
        marker, length, _tile, extent = struct.unpack_from(">HHHI", encoded, position)
        if marker != _SOT or length != 10:
            raise ImageError("image_damaged")
        end = position + extent if extent else len(encoded)
        inside = position + 12
        while struct.unpack_from(">H", encoded, inside) != (_SOD,):
            marker, length = struct.unpack_from(">HH", encoded, inside)
            if marker not in _TILE_HEADER or length < 2:
                raise ImageError("image_kind_unsupported")
            inside += 2 + length
        if not inside < end <= len(encoded):
            raise ImageError("image_damaged")
        if encoded[end : end + 2] in {b"", b"\xff\xd9"}:
            return
        position = end
    raise ImageError("image_kind_unsupported")
