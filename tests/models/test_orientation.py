"""Photographs that EXIF says are to be turned, and EXIF that says nothing or nonsense."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import image
from models.mrz import files
from models.orientation import UPRIGHT, orientation, upright
from models.tflite import Image

AS_SEEN = np.zeros((40, 60, 3), np.uint8)
AS_SEEN[:20, :30], AS_SEEN[:20, 30:], AS_SEEN[20:, :30] = (0, 0, 255), (0, 255, 0), (255, 0, 0)
# how the pixels lie in the file, by the place of the first row and the first column (CIPA DC-008, table 6)
AS_CODED = {
    1: AS_SEEN,
    2: AS_SEEN[:, ::-1],
    3: AS_SEEN[::-1, ::-1],
    4: AS_SEEN[::-1],
    5: AS_SEEN.swapaxes(0, 1),
    6: np.rot90(AS_SEEN, 1),
    7: np.rot90(AS_SEEN, 2).swapaxes(0, 1),
    8: np.rot90(AS_SEEN, -1),
}


def tiff(told: int, order: str = "<", *, tag: int = 0x0112, kind: int = 3, count: int = 1) -> bytes:
    mark = {"<": b"II", ">": b"MM"}[order]
    first = struct.pack(f"{order}HHIHH", 0x0100, 3, 1, 77, 0)
    return (
        mark
        + struct.pack(f"{order}HIH", 42, 8, 2)
        + first
        + struct.pack(f"{order}HHIHH", tag, kind, count, told, 0)
    )


def jpeg(pixels: Image, exif: bytes) -> bytes:
    coded = cv2.imencode(".jpg", np.ascontiguousarray(pixels))[1].tobytes()
    body = b"Exif\0\0" + exif
    return coded[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + coded[2:]


def png(pixels: Image, exif: bytes) -> bytes:
    coded = cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes()
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    return coded[:33] + chunk + coded[33:]


@pytest.mark.parametrize("told", AS_CODED)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_is_turned_as_its_exif_says(told: int, order: str) -> None:
    assert np.array_equal(files.decode(png(AS_CODED[told], tiff(told, order))), AS_SEEN)
    found = files.decode(jpeg(AS_CODED[told], tiff(told, order)))
    assert found.shape == AS_SEEN.shape
    assert float(np.abs(found.astype(float) - AS_SEEN).mean()) < 12  # chroma is coarse in a JPEG


def test_a_portrait_of_a_chip_is_never_turned() -> None:
    encoded = jpeg(AS_CODED[6], tiff(6))
    assert image.decode(encoded, max_bytes=10_000, max_pixels=10_000).shape == (60, 40, 3)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"XX" + tiff(6)[2:],
        tiff(0),
        tiff(9),
        tiff(6, kind=4),
        tiff(6, count=2),
        tiff(6, tag=0x0113),
        tiff(6)[:25],
        b"II" + struct.pack("<HIH", 42, 8, 60_000),
        b"II" + struct.pack("<HI", 42, 0xFFFFFFFF),
        b"II" + struct.pack("<HIH", 43, 8, 1) + tiff(6)[10:],
    ],
)
def test_exif_that_tells_no_orientation_leaves_the_image_as_it_is(exif: bytes) -> None:
    assert orientation(jpeg(AS_SEEN, exif)) == UPRIGHT
    assert np.array_equal(files.decode(png(AS_SEEN, exif)), AS_SEEN)


def test_an_upright_image_is_not_copied() -> None:
    pixels = AS_SEEN.copy()
    assert upright(pixels, UPRIGHT) is pixels


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]),
    st.sampled_from(["alone", "in a file"]),
)
def test_any_bytes_have_an_orientation(body: bytes, start: bytes, where: str) -> None:
    encoded = jpeg(AS_SEEN, b"II*\0" + body) if where == "in a file" else start + body
    assert 1 <= orientation(encoded) <= 8
