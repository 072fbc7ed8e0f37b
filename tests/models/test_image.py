"""Photographs as they come, and as an attacker would send them: an image or ImageError, soon."""

import re
import struct
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models
from models.image import FIXES, MAX_SCANS, MAX_SEGMENTS, MAX_TILE_PARTS, ImageError, decode, encode, thumbnail
from models.tflite import Image
from tests.document.material import damaged, test_data
from tests.models.portraits import astronaut

SMALL: Image = cv2.resize(astronaut(), (96, 128), interpolation=cv2.INTER_AREA)
LIMIT = 6_000_000
SOON_S = 3.0  # the worst image within the limits takes one second on a quiet machine


def coded(image: Image, kind: str, *parameters: int) -> bytes:
    good, body = cv2.imencode(kind, image, parameters)
    assert good
    return bytes(body)


BASELINE = coded(SMALL, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 90)
PROGRESSIVE = coded(SMALL, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
GREY = coded(cv2.cvtColor(SMALL, cv2.COLOR_BGR2GRAY), ".jpg")
JP2 = coded(SMALL, ".jp2", cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000)
CODESTREAM = JP2[JP2.index(b"\xff\x4f\xff\x51") :]
LOSSY_JP2 = coded(SMALL, ".jp2", cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 250)


def decoded(body: bytes) -> Image:
    return decode(body, max_bytes=2_000_000, max_pixels=LIMIT)


def reason_of(body: bytes) -> str:
    started = time.monotonic()
    with pytest.raises(ImageError) as refusal:
        decoded(body)
    assert time.monotonic() - started < SOON_S
    return refusal.value.reason


def reason_of_or_image(body: bytes) -> str:
    try:
        decoded(body)
    except ImageError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("body", [BASELINE, PROGRESSIVE, LOSSY_JP2], ids=["jpeg", "progressive", "jp2"])
def test_a_photograph_is_decoded(body: bytes) -> None:
    image = decoded(body)
    assert (image.shape, image.dtype.name) == (SMALL.shape, "uint8")
    assert np.abs(image.astype(int) - SMALL).mean() < 6


@pytest.mark.parametrize("body", [JP2, CODESTREAM], ids=["jp2", "code stream"])
def test_lossless_is_exact(body: bytes) -> None:
    assert np.array_equal(decoded(body), SMALL)


def test_grey_becomes_three_equal_channels() -> None:
    grey_jp2 = coded(cv2.cvtColor(SMALL, cv2.COLOR_BGR2GRAY), ".jp2")
    for body in (GREY, grey_jp2, grey_jp2[grey_jp2.index(b"\xff\x4f\xff\x51") :]):
        image = decoded(body)
        assert image.shape == SMALL.shape
        assert np.array_equal(image[..., 0], image[..., 2])


def test_the_specimen_of_the_standard_is_decoded() -> None:
    group = test_data("emrtd/lds_specimen/EF_DG2.bin")
    assert decoded(group[group.index(b"\x00\x00\x00\x0cjP  ") :]).shape == (531, 413, 3)


def test_orientation_in_metadata_is_ignored() -> None:
    """Whoever writes metadata must not be able to choose which way round the decoder gives the image."""
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
    assert np.array_equal(decoded(BASELINE[:2] + segment + BASELINE[2:]), decoded(BASELINE))


# --- limits -----------------------------------------------------------------------------------------


def test_limits_are_the_callers() -> None:
    with pytest.raises(ImageError, match=r"^image_too_long$"):
        decode(BASELINE, max_bytes=len(BASELINE) - 1, max_pixels=LIMIT)
    with pytest.raises(ImageError, match=r"^image_too_large$"):
        decode(BASELINE, max_bytes=len(BASELINE), max_pixels=96 * 128 - 1)
    assert decode(BASELINE, max_bytes=len(BASELINE), max_pixels=96 * 128).shape == SMALL.shape


def test_a_small_image_is_refused() -> None:
    for width, height in ((31, 400), (400, 31)):
        assert reason_of(coded(np.zeros((height, width, 3), np.uint8), ".jpg")) == "image_too_small"
        assert reason_of(jp2_of_size(CODESTREAM, width, height)) == "image_too_small"


def jpeg_of_size(body: bytes, width: int, height: int) -> bytes:
    """The same data under a header that declares another size."""
    at = re.search(rb"\xff[\xc0-\xc2]\x00[\x0b\x11]\x08", body)
    assert at is not None
    return body[: at.end()] + struct.pack(">HH", height, width) + body[at.end() + 4 :]


def jp2_of_size(body: bytes, width: int, height: int, *, tile: int | None = None, offset: int = 0) -> bytes:
    at = body.index(b"\xff\x4f\xff\x51") + 8
    tiles = (width, height) if tile is None else (tile, tile)
    return body[:at] + struct.pack(">6I", width, height, offset, offset, *tiles) + body[at + 24 :]


HUGE = [(65_535, 65_535), (16_384, 16_384), (6_000_001, 1), (65_535, 40)]


@pytest.mark.parametrize(("width", "height"), HUGE)
def test_a_header_that_declares_a_huge_image_is_refused_before_decoding(width: int, height: int) -> None:
    started = time.process_time()
    if width < 65_536:
        for body in (BASELINE, PROGRESSIVE):
            assert reason_of(jpeg_of_size(body, width, height)) in {"image_too_large", "image_too_small"}
    for body in (JP2, CODESTREAM):
        assert reason_of(jp2_of_size(body, width, height)) in {"image_too_large", "image_too_small"}
    assert time.process_time() - started < 0.1


def test_a_header_that_lies_within_the_limits_takes_bounded_time() -> None:
    for body in (BASELINE, PROGRESSIVE):
        started = time.monotonic()
        assert decoded(jpeg_of_size(body, 2_440, 2_440)).shape == (2_440, 2_440, 3)  # the rest stays grey
        assert time.monotonic() - started < SOON_S
    started = time.monotonic()
    assert reason_of_or_image(jp2_of_size(CODESTREAM, 1_700, 1_700)) in {"", "image_damaged"}
    assert reason_of(jp2_of_size(CODESTREAM, 2_440, 2_440)) == "image_too_costly"
    assert time.monotonic() - started < SOON_S


def test_zero_is_refused() -> None:
    for width, height in ((0, 0), (0, 100), (100, 0)):
        assert reason_of(jpeg_of_size(BASELINE, width, height)) == "image_too_small"
        assert reason_of(jp2_of_size(CODESTREAM, width, height)) == "image_damaged"
    assert reason_of(jp2_of_size(CODESTREAM, 96, 128, tile=0)) == "image_damaged"


# --- what a decoder might understand otherwise than we do -----------------------------------------------


def test_scans_are_counted() -> None:
    first = PROGRESSIVE.rindex(b"\xff\xda")
    scan = PROGRESSIVE[first:-2]
    assert decoded(PROGRESSIVE).shape == SMALL.shape
    assert reason_of(PROGRESSIVE[:-2] + scan * MAX_SCANS + b"\xff\xd9") == "image_damaged"


def test_a_progressive_bomb_takes_bounded_time() -> None:
    large = coded(np.full((2_440, 2_440, 3), 90, np.uint8), ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    scan = large[large.rindex(b"\xff\xda") : -2]
    body = large[:-2] + scan * (MAX_SCANS - large.count(b"\xff\xda")) + b"\xff\xd9"
    started = time.monotonic()
    assert decoded(body).shape == (2_440, 2_440, 3)
    assert time.monotonic() - started < SOON_S


@pytest.mark.parametrize("marker", [0x00, 0x01, 0xD0, 0xD7, 0xD8, 0xD9])
def test_a_marker_without_length_cannot_hide_the_true_header(marker: int) -> None:
    """libjpeg takes the bytes after it for the next segment; who skips a length there sees another image."""
    true = jpeg_of_size(BASELINE, 65_500, 65_500)[2:]
    body = b"\xff\xd8\xff" + bytes([marker]) + true[:600]
    body = body.ljust(4 + int.from_bytes(true[:2], "big"), b"\0") + BASELINE[2:]
    assert reason_of(body) == "image_damaged"


def test_fill_bytes_before_a_marker_are_allowed_and_counted() -> None:
    assert np.array_equal(decoded(BASELINE[:2] + b"\xff" * 9 + BASELINE[2:]), decoded(BASELINE))
    assert reason_of(BASELINE[:2] + b"\xff" * MAX_SEGMENTS + BASELINE[2:]) == "image_damaged"


def test_a_second_header_is_refused() -> None:
    at = re.search(rb"\xff\xc0\x00\x11\x08", BASELINE)
    assert at is not None
    header = BASELINE[at.start() : at.start() + 19]
    assert reason_of(BASELINE[: at.start()] + header + BASELINE[at.start() :]) == "image_damaged"


@pytest.mark.parametrize("kind", [0xC3, 0xC5, 0xC9, 0xCB, 0xCF])
def test_lossless_hierarchical_and_arithmetic_jpeg_is_unsupported(kind: int) -> None:
    body = BASELINE.replace(b"\xff\xc0\x00\x11\x08", bytes([0xFF, kind]) + b"\x00\x11\x08", 1)
    assert reason_of(body) == "image_kind_unsupported"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"),  # 12 bits
        (b"\x03\x01\x22\x00", b"\x04\x01\x22\x00"),  # four components
    ],
)
def test_other_samples_are_unsupported(old: bytes, new: bytes) -> None:
    assert old in BASELINE
    assert reason_of(BASELINE.replace(old, new, 1)) == "image_kind_unsupported"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def jp2(*header: bytes, after: bytes = b"") -> bytes:
    """A JP2 file with these boxes in its header."""
    front = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return front + box(b"jp2h", b"".join(header)) + after + box(b"jp2c", CODESTREAM)


IHDR = box(b"ihdr", struct.pack(">IIHBBBB", 128, 96, 3, 7, 7, 0, 0))
SRGB = box(b"colr", b"\x01\0\0" + struct.pack(">I", 16))
SYCC = box(b"colr", b"\x01\0\0" + struct.pack(">I", 18))
PALETTE = box(b"pclr", struct.pack(">HB", 256, 255) + b"\7" * 255 + bytes(256 * 255))


def test_only_the_code_stream_of_a_jp2_file_counts() -> None:
    lying = box(b"ihdr", struct.pack(">IIHBBBB", 60_000, 60_000, 3, 7, 7, 0, 0))
    for body in (jp2(IHDR, SRGB), jp2(lying, SRGB), jp2(IHDR, SRGB, after=box(b"uuid", bytes(5_000)))):
        assert np.array_equal(decoded(body), SMALL)


def test_a_palette_or_luma_and_chroma_is_unsupported() -> None:
    assert reason_of(jp2(IHDR, SRGB, PALETTE)) == "image_kind_unsupported"
    assert reason_of(jp2(IHDR, SYCC)) == "image_kind_unsupported"


@pytest.mark.parametrize(
    "after",
    [
        struct.pack(">I4s", 7, b"uuid"),
        struct.pack(">I4sQ", 1, b"uuid", 2**63),
        struct.pack(">I4sQ", 1, b"uuid", 15),
        struct.pack(">I4s", 0xFFFFFFFF, b"uuid"),
        struct.pack(">I4s", 0, b"uuid"),
        box(b"free", b"") * 100,
    ],
)
def test_boxes_that_lead_nowhere_are_refused(after: bytes) -> None:
    assert reason_of(jp2(IHDR, SRGB, after=after)) == "image_damaged"


@pytest.mark.parametrize(
    "changed",
    [
        jp2_of_size(CODESTREAM, 96, 128, tile=1),  # 12,288 tiles
        jp2_of_size(CODESTREAM, 96, 128, offset=1),
        jp2_of_size(CODESTREAM, 2**31 + 96, 2**31 + 128, offset=2**31),
        CODESTREAM[:40] + b"\0\2" + CODESTREAM[42:],  # two components
        CODESTREAM[:40] + b"\x40\0" + CODESTREAM[42:],  # 16,384 components
        CODESTREAM[:42] + b"\x0b" + CODESTREAM[43:],  # 12 bits
        CODESTREAM[:43] + b"\2" + CODESTREAM[44:],  # subsampled
    ],
)
def test_code_streams_beyond_a_photograph_are_unsupported(changed: bytes) -> None:
    assert reason_of(changed) == "image_kind_unsupported"


def with_coding(*, layers: int = 1, levels: int = 5, blocks: int = 0x0404, precincts: bytes = b"") -> bytes:
    """The code stream with another COD segment (ISO/IEC 15444-1, A.6.1)."""
    at = CODESTREAM.index(b"\xff\x52")
    (length,) = struct.unpack_from(">H", CODESTREAM, at + 2)
    body = struct.pack(">BBHBBHBB", bool(precincts), 0, layers, 1, levels, blocks, 0, 1) + precincts
    segment = b"\xff\x52" + struct.pack(">H", 2 + len(body)) + body
    return CODESTREAM[:at] + segment + CODESTREAM[at + 2 + length :]


@pytest.mark.parametrize(
    "changed",
    [
        with_coding(layers=65_535),
        with_coding(layers=0),
        with_coding(levels=33),
        with_coding(blocks=0),  # code blocks of 4 x 4
        with_coding(precincts=b"\0" * 6),  # precincts of one sample
        CODESTREAM.replace(b"\xff\x52", b"\xff\x53", 1),  # COC in place of COD
    ],
)
def test_codings_that_cost_memory_are_unsupported(changed: bytes) -> None:
    assert reason_of(changed) == "image_kind_unsupported"


def test_precincts_as_encoders_choose_them_are_supported() -> None:
    """The data no longer fits the header here; what matters is that the header passes."""
    assert reason_of_or_image(with_coding(precincts=b"\x88" * 5 + b"\x77")) in {"", "image_damaged"}


def test_tile_parts_must_end_within_the_data() -> None:
    at = CODESTREAM.index(b"\xff\x90\x00\x0a")
    longer = struct.pack(">I", len(CODESTREAM))
    assert reason_of(CODESTREAM[: at + 6] + longer + CODESTREAM[at + 10 :]) == "image_damaged"
    inside = at + 12
    assert CODESTREAM[inside : inside + 2] == b"\xff\x93"
    coding = CODESTREAM[CODESTREAM.index(b"\xff\x52") : CODESTREAM.index(b"\xff\x52") + 14]
    changed = CODESTREAM[:inside] + coding + CODESTREAM[inside:]
    assert reason_of(changed) == "image_kind_unsupported"


def test_comments_are_skipped_and_counted() -> None:
    """In the main header, and in the header of a tile part, whose length then counts them in."""
    comment = b"\xff\x64\x00\x06\x00\x01ab"
    at = CODESTREAM.index(b"\xff\x90\x00\x0a")
    assert np.array_equal(decoded(CODESTREAM[:at] + comment + CODESTREAM[at:]), SMALL)
    assert reason_of(CODESTREAM[:at] + comment * MAX_SEGMENTS + CODESTREAM[at:]) == "image_damaged"
    (extent,) = struct.unpack_from(">I", CODESTREAM, at + 6)
    longer = (
        CODESTREAM[at : at + 6] + struct.pack(">I", extent + len(comment)) + CODESTREAM[at + 10 : at + 12]
    )
    assert np.array_equal(decoded(CODESTREAM[:at] + longer + comment + CODESTREAM[at + 12 :]), SMALL)


def test_tile_parts_are_counted() -> None:
    at = CODESTREAM.index(b"\xff\x90\x00\x0a")
    empty = struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14, 0, 0, 0xFF93)
    assert reason_of(CODESTREAM[:at] + empty * MAX_TILE_PARTS + CODESTREAM[at:]) == "image_kind_unsupported"


# --- noise ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xd8\xff",
        b"GIF89a" + bytes(50),
        b"This is a portrait." * 700,
    ],
)
def test_what_is_no_photograph_is_refused(body: bytes) -> None:
    assert reason_of(body) in {"not_an_image", "image_damaged"}


def test_png_and_jpeg_ls_are_known_and_unsupported() -> None:
    assert reason_of(coded(SMALL, ".png")) == "image_kind_unsupported"
    frame = struct.pack(">HBHHB", 11, 8, 128, 96, 1) + b"\1\x11\0"
    assert reason_of(b"\xff\xd8\xff\xf7" + frame + BASELINE[2:]) == "image_kind_unsupported"


@pytest.mark.parametrize("body", [BASELINE, PROGRESSIVE, JP2, CODESTREAM])
def test_every_cut_within_the_headers_is_refused(body: bytes) -> None:
    for length in [*range(0, 700, 7), len(body) // 2, len(body) - 2]:
        assert reason_of(body[:length])


def check_reason(error: ImageError) -> None:
    assert re.fullmatch("[a-z0-9_]+", error.reason)
    assert str(error) == error.reason


@pytest.mark.parametrize("body", [BASELINE, PROGRESSIVE, LOSSY_JP2], ids=["jpeg", "progressive", "jp2"])
def test_damage_gives_an_image_or_a_refusal(body: bytes) -> None:
    """Half of the damage in the headers, where it does most."""

    @settings(derandomize=True, deadline=None, max_examples=400)
    @given(changed=st.one_of(damaged(body), damaged(body[:700]).map(lambda head: head + body[700:])))
    def contract(changed: bytes) -> None:
        started = time.monotonic()
        try:
            image = decoded(changed)
        except ImageError as error:
            check_reason(error)
        else:
            assert (image.ndim, image.shape[2], image.dtype.name) == (3, 3, "uint8")
            assert image.shape[0] * image.shape[1] <= LIMIT
        assert time.monotonic() - started < SOON_S

    contract()


def test_the_decoder_keeps_silent_about_a_damaged_code_stream(capfd: pytest.CaptureFixture[str]) -> None:
    for body in (JP2, LOSSY_JP2, CODESTREAM):
        reason_of_or_image(body[:900] + bytes(40) + body[940:])
        reason_of_or_image(body[: len(body) // 2])
    assert capfd.readouterr() == ("", "")


# --- what we write ----------------------------------------------------------------------------------


def test_what_we_write_fits_and_can_be_read() -> None:
    for limit in (20_000, 6_000, 3_000):
        body = encode(SMALL, limit)
        assert body is not None
        assert len(body) <= limit
        assert decoded(body).shape == SMALL.shape
    assert encode(SMALL, 500) is None


@pytest.mark.parametrize("shape", [(128, 96), (40, 30), (600, 1), (1, 900), (2000, 3)])
def test_a_thumbnail_fits(shape: tuple[int, int]) -> None:
    body = thumbnail(np.full((*shape, 3), 90, np.uint8), 64, 20_000)
    assert body is not None
    small = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert small.shape[0] == min(shape[0], 64)
    assert small.shape[1] == pytest.approx(shape[1] * small.shape[0] / shape[0], abs=1)


def test_one_thread_does_the_work_of_a_process() -> None:
    """Of OpenCV and every BLAS that is loaded: threads wait for each other, for long beside other work."""
    program = (
        "from models.image import use_one_thread; import cv2, threadpoolctl; use_one_thread();"
        "print(cv2.getNumThreads(), {pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "1 {1}\n"


def test_each_code_names_a_fix() -> None:
    """Of every image file that is read; a chip's portrait has codes of its own, for the journal."""
    sources = Path(models.__file__).parent.rglob("*.py")
    used = {code for source in sources for code in re.findall(r'ImageError\("(\w+)"\)', source.read_text())}
    assert {code for code in used if "photograph" not in code and "template" not in code} == set(FIXES)
    assert ImageError("image_too_long").fix == FIXES["image_too_long"]
