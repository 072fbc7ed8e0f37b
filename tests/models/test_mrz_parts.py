"""The parts of reading a zone, each alone: strips and cuts, grids over columns, lines out of heat, files."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.image import ImageError
from models.mrz import aligning, files, finding
from models.mrz.cutting import CAP, HEIGHT, MARGIN, PITCH, WIDTH, Strip, cut, levelled, normalised
from models.mrz.looking import SIDE, looked_at

BLANK = aligning.BLANK


def barred(strip: Strip, characters: int) -> np.ndarray:
    """An image with one dark bar in the middle of each character of the strip, as high as a capital."""
    image = np.full((400, 600), 230, np.uint8)
    pitch = strip.length / characters
    for number in range(characters):
        top = strip.at(pitch * (number + 0.5), -strip.cap / 2)
        bottom = strip.at(pitch * (number + 0.5), strip.cap / 2)
        ends = [tuple(round(8 * value) for value in point) for point in (top, bottom)]
        cv2.line(image, ends[0], ends[1], 20, 2, cv2.LINE_AA, shift=3)
    return image


@pytest.mark.parametrize(
    "strip",
    [
        Strip((60, 200), (540, 200), 14),
        Strip((540, 200), (60, 200), 14),
        Strip((300, 30), (300, 380), 11),
        Strip((80, 320), (520, 90), 12),
    ],
    ids=["upright", "upside down", "downwards", "askew"],
)
def test_a_cut_brings_each_character_to_its_place(strip: Strip) -> None:
    cutting = cut(barred(strip, 30), strip, 30)
    assert cutting.shape == (HEIGHT, WIDTH)
    row = cutting[HEIGHT // 2].astype(float)
    dark = 255 - row
    for number in range(30):
        left = round(MARGIN + PITCH * number)
        cell = dark[left : left + round(PITCH)] - dark.min()
        middle = (np.arange(len(cell)) * cell).sum() / cell.sum() + 0.5
        assert middle == pytest.approx(PITCH / 2, abs=0.8)


def test_a_cut_brings_capitals_to_their_height() -> None:
    strip = Strip((60, 200), (540, 200), 40)
    cutting = cut(barred(strip, 30), strip, 30)
    column = cutting[:, round(MARGIN + PITCH / 2)]
    assert np.count_nonzero(column < 125) == pytest.approx(CAP, abs=2)


def test_levelling_finds_the_print_again() -> None:
    truth = Strip((60, 200), (540, 210), 14)
    image = barred(truth, 30)
    level = levelled(image, Strip((60, 203), (540, 206), 12), 30)
    for found, end in ((level.start, truth.start), (level.end, truth.end)):
        assert found[1] == pytest.approx(end[1], abs=1.5)
    assert level.cap == pytest.approx(truth.cap, rel=0.15)


def test_a_blank_strip_stays_near_zero() -> None:
    assert np.abs(normalised(np.full((HEIGHT, WIDTH), 128, np.uint8))).max() == 0


def columns_of(places: list[tuple[float, int]]) -> aligning.Floats:
    """Columns in which a symbol stands out at each of some places."""
    columns = np.full((192, BLANK + 1), 1e-4)
    columns[:, BLANK] = 0.99
    for place, symbol in places:
        for column in range(max(0, round(place - 0.9)), min(192, round(place + 0.9) + 1)):
            columns[column] = 1e-4
            columns[column, symbol] = 0.99
    return columns / columns.sum(1, keepdims=True)


@pytest.mark.parametrize(("pitch", "bend"), [(4.0, 0.0), (3.3, 0.0), (4.0, 0.006), (4.1, -0.006)])
@pytest.mark.parametrize("missing", [(), (0,), (5, 6, 20)])
def test_a_grid_counts_through_what_is_missing(pitch: float, bend: float, missing: tuple[int, ...]) -> None:
    places = [(10 + pitch * n + bend * n * n, n % 37) for n in range(36) if n not in missing]
    grid = aligning.grid_of(columns_of(places))
    assert grid is not None
    first = 1 if 0 in missing else 0  # number 0 is the first that stands out
    found = grid.places(-first, 36)
    assert found == pytest.approx([10 + pitch * n + bend * n * n for n in range(36)], abs=0.6)


def test_the_number_of_characters_is_the_one_that_most_speaks_for() -> None:
    columns = columns_of([(12 + 4 * n, n % 37) for n in range(36)])
    grid = aligning.grid_of(columns)
    assert grid is not None
    best = {
        count: max(aligning.offsets(columns, grid, count).items(), key=lambda o: o[1])
        for count in (30, 36, 44)
    }
    assert max(best, key=lambda count: best[count][1]) == 36
    assert best[36][0] == 0
    read = aligning.characters(columns, grid, 0, 36)
    assert list(read.argmax(1)) == [n % 37 for n in range(36)]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 8))
def test_noise_gives_a_grid_within_reason_or_none(seed: int, contrast: float) -> None:
    logits = np.random.default_rng(seed).normal(0, contrast, (192, BLANK + 1)).astype(np.float32)
    grid = aligning.grid_of(aligning.probabilities(logits, 1.0))
    if grid is not None:
        assert grid.pitch >= aligning.MIN_PITCH
        assert grid.low <= grid.high
        assert np.isfinite(grid.places(grid.low, grid.high - grid.low + 1)).all()


def heat_with(lines: list[tuple[tuple[float, float], tuple[float, float]]], thick: int = 5) -> finding.Floats:
    """A map of heat with straight lines of cells."""
    heat = np.full((SIDE // 2, SIDE // 2), 0.02, np.float32)
    for start, end in lines:
        cv2.line(heat, tuple(map(round, start)), tuple(map(round, end)), 0.97, thick)
    return heat


@pytest.mark.parametrize("lines", [2, 3])
@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_parallel_lines_become_one_zone(lines: int, angle: float) -> None:
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    across = np.array([-along[1], along[0]])
    middles = [112 + across * 11 * (n - (lines - 1) / 2) for n in range(lines)]
    heat = heat_with([(tuple(m - 80 * along), tuple(m + 80 * along)) for m in middles])
    zones = finding.zones(heat, 1.0)
    assert len(zones) == 1
    assert len(zones[0].strips) == lines
    for strip, middle in zip(
        sorted(zones[0].strips, key=lambda s: s.at(80, 0) @ across), middles, strict=True
    ):
        half = np.add(strip.start, strip.end) / 2
        assert half == pytest.approx(2 * (middle + 0.5), abs=3)
        assert strip.length == pytest.approx(2 * 165, abs=10)


def test_a_line_that_glare_interrupts_is_one_line() -> None:
    heat = heat_with([((30, 100), (90, 100)), ((105, 100), (190, 100)), ((30, 112), (190, 112))])
    zones = finding.zones(heat, 1.0)
    assert [len(zone.strips) for zone in zones] == [2]


def test_lines_that_have_grown_together_are_parted() -> None:
    heat = heat_with([((30, y), (190, y)) for y in (100, 108, 116)], thick=4)
    heat[100:109, 60:80] = heat[108:117, 120:150] = 0.9
    zones = finding.zones(heat, 1.0)
    assert [len(zone.strips) for zone in zones] == [3]


def test_blobs_and_nothing_are_no_zone() -> None:
    heat = heat_with([])
    assert not finding.zones(heat, 1.0)
    cv2.circle(heat, (100, 100), 40, 0.9, -1)
    assert not finding.zones(heat, 1.0)
    assert not finding.zones(np.ones_like(heat), 1.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 2), (448, 448), (900, 1600)])
def test_any_shape_is_looked_at(shape: tuple[int, int]) -> None:
    square, factor = looked_at(np.zeros(shape, np.uint8))
    assert square.shape == (SIDE, SIDE)
    assert factor == SIDE / max(shape)


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    """A PNG of zeros with any header."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    rows = zlib.compress(bytes((1 + 3 * 40) * 40))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_png_and_jpeg_are_decoded() -> None:
    image = np.random.default_rng(1).integers(0, 256, (50, 60, 3), np.uint8)
    assert np.array_equal(files.decode(cv2.imencode(".png", image)[1].tobytes()), image)
    assert files.decode(cv2.imencode(".jpg", image)[1].tobytes()).shape == image.shape
    grey = files.decode(cv2.imencode(".png", image[..., 0])[1].tobytes())
    assert np.array_equal(grey, np.repeat(image[..., :1], 3, 2))
    assert files.decode(png(40, 40)).shape == (40, 40, 3)
    deep = image.astype(np.uint16) * 257
    for coded in (deep, deep[..., 0], np.dstack([deep, deep[..., :1]])):
        found = files.decode(cv2.imencode(".png", coded)[1].tobytes())
        assert np.array_equal(found, image if coded.ndim == 3 else np.repeat(image[..., :1], 3, 2))


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", "not_an_image"),
        (b"GIF89a" + bytes(40), "not_an_image"),
        (b"\x89PNG\r\n\x1a\n", "image_damaged"),
        (png(40, 40)[:40], "image_damaged"),
        (png(20_000, 20_000), "image_too_large"),
        (png(16_000, 3_000), "image_too_large"),
        (png(31, 40), "image_too_small"),
        (png(40, 40, depth=4), "image_kind_unsupported"),
        (png(60, 60, depth=16), "image_damaged"),
        (png(40, 40, interlace=1), "image_kind_unsupported"),
        (png(40, 40)[:8] + b"\0" * (files.MAX_BYTES - 7), "image_too_long"),
    ],
)
def test_what_is_no_usable_image_is_refused(encoded: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as refused:
        files.decode(encoded)
    assert refused.value.reason == reason


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.integers(0, 200), st.binary(max_size=8), st.integers(0, 12))
def test_a_damaged_png_is_decoded_or_refused(place: int, noise: bytes, dropped: int) -> None:
    good = cv2.imencode(".png", np.arange(40 * 40 * 3, dtype=np.uint8).reshape(40, 40, 3))[1].tobytes()
    place %= len(good)
    try:
        image = files.decode(good[:place] + noise + good[place + dropped :])
    except ImageError:
        return
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
