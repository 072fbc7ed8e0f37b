"""Small images that would cost a decoder much: refused by their headers, or bounded in time and memory."""

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.image import MAX_SAMPLE_PLANES, ImageError, decode
from tests.document.material import test_data
from tests.models.code_streams import code_stream, step_sizes

MIB = 1 << 20
LIMITS = {"max_bytes": 512_000, "max_pixels": 6_000_000}
CPU_S = 4.0  # the worst takes 1.2 s on a quiet machine
ROOM = 384 * MIB  # the worst takes 250 MiB of addresses above what the decoder's libraries do


def reason_of(body: bytes) -> str:
    with pytest.raises(ImageError) as refusal:
        decode(body, **LIMITS)
    return refusal.value.reason


def largest(planes: int) -> int:
    """The side of the largest square that is still decoded with so many planes."""
    return int((MAX_SAMPLE_PLANES / 3 / planes) ** 0.5)


def test_a_code_stream_written_by_hand_is_decoded() -> None:
    """So that what follows is refused for its cost and not for a mistake in it."""
    assert decode(code_stream(128, 8), **LIMITS).shape == (128, 128, 3)
    flat = decode(code_stream(128, 8, data=0), **LIMITS)
    assert len(np.unique(flat)) == 1
    assert len(np.unique(decode(code_stream(128, 8, data=40), **LIMITS))) > 100


@pytest.mark.parametrize("planes", [8, 30])
def test_planes_are_counted_before_decoding(planes: int) -> None:
    """35 kilobytes made a decoder work for three seconds, and with smaller code blocks for five."""
    body = code_stream(2_440, planes)
    assert len(body) < 40_000
    started = time.process_time()
    assert reason_of(body) == "image_too_costly"
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(("planes", "block", "data"), [(8, 16, 2), (30, 64, 60)])
def test_the_largest_within_the_limit_takes_bounded_time(planes: int, block: int, data: int) -> None:
    side = largest(planes)
    body = code_stream(side, planes, block=block, data=data)
    started = time.process_time()
    assert decode(body, **LIMITS).shape == (side, side, 3)
    assert time.process_time() - started < CPU_S
    assert reason_of(code_stream(side + 1, planes)) == "image_too_costly"


@pytest.mark.parametrize(
    "quantisation",
    [
        step_sizes(0xFF5C, b"\x20" + bytes([30 << 3])),
        step_sizes(0xFF5C, b"\xe0" + bytes([24 << 3])),  # guard bits count too
        step_sizes(0xFF5C, b"\x21" + bytes([30 << 3, 0])),  # one step, derived for the rest
        step_sizes(0xFF5C, b"\x22" + bytes([8 << 3, 0, 30 << 3, 0])),
        step_sizes(0xFF5C, b"\x20" + bytes([8 << 3])) + step_sizes(0xFF5D, b"\2\x20" + bytes([30 << 3])),
        step_sizes(0xFF5D, b"\0\x22" + bytes([30 << 3, 0])),
    ],
)
def test_planes_are_found_wherever_they_are_declared(quantisation: bytes) -> None:
    assert reason_of(code_stream(1_500, 8, quantisation=quantisation)) == "image_too_costly"


def test_a_code_stream_that_declares_no_planes_is_refused() -> None:
    for quantisation in (
        step_sizes(0xFF64, b"\0\1no steps"),
        step_sizes(0xFF5C, b"\x20"),
        step_sizes(0xFF5C, b""),
    ):
        assert reason_of(code_stream(128, 8, quantisation=quantisation)) == "image_damaged"


def test_a_tile_may_not_declare_planes_of_its_own() -> None:
    body = code_stream(128, 8)
    own = step_sizes(0xFF5C, b"\x20" + bytes([30 << 3]))
    at = body.index(b"\xff\x93")
    length = int.from_bytes(body[at - 6 : at - 2], "big") + len(own)
    changed = body[: at - 6] + length.to_bytes(4, "big") + body[at - 2 : at] + own + body[at:]
    assert reason_of(changed) == "image_kind_unsupported"


def test_portraits_as_states_store_them_are_far_from_the_limit() -> None:
    for name in ("lds_specimen/EF_DG2.bin", "iso39794/ICAO_39794_5_AP_DG2_MandFields.dat"):
        group = test_data(f"emrtd/{name}")
        image = decode(group[group.index(b"\x00\x00\x00\x0cjP  ") :], **LIMITS)
        assert image.size * 20 < MAX_SAMPLE_PLANES / 5


def test_a_large_portrait_of_an_encoder_is_decoded() -> None:
    photograph = np.random.default_rng(1).integers(0, 255, (1_200, 1_600, 3), dtype=np.uint8)
    good, body = cv2.imencode(".jp2", photograph, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 50])
    assert good
    assert decode(bytes(body), **LIMITS).shape == photograph.shape


_WITHIN = """
import resource, sys
from pathlib import Path
from models.image import ImageError, decode
room = int(sys.argv[1])
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + room, taken + room))
for name in sys.argv[2:]:
    try:
        print(decode(Path(name).read_bytes(), max_bytes=512_000, max_pixels=6_000_000).shape)
    except ImageError as error:
        print(error.reason)
"""


def within(room: int, *images: Path) -> list[str]:
    """What a process says that may take `room` more bytes of memory: a shape or a reason for each image."""
    command = [sys.executable, "-c", _WITHIN, str(room), *map(str, images)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()


def test_memory_is_bounded(tmp_path: Path) -> None:
    """The worst of each kind in a process that could not take more. Where memory is too short it is told."""
    good, progressive = cv2.imencode(
        ".jpg", np.full((2_440, 2_440, 3), 90, np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    )
    assert good
    bodies = {
        "planes": code_stream(largest(8), 8),
        "deep": code_stream(largest(30), 30),
        "progressive": bytes(progressive),
        "large": code_stream(2_440, 8),
    }
    files = [tmp_path / name for name in bodies]
    for file, body in zip(files, bodies.values(), strict=True):
        file.write_bytes(body)
    wide, deep = largest(8), largest(30)
    expected = [f"({wide}, {wide}, 3)", f"({deep}, {deep}, 3)", "(2440, 2440, 3)", "image_too_costly"]
    assert within(ROOM, *files) == expected
    assert within(16 * MIB, files[0]) == ["image_damaged"]
