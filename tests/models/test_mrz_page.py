"""Rendered pages, found and read; to draw and read one takes about a fifth of a second."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from gated.core.vocabulary import Advice
from gated.document.mrz.decoding import ALPHABET, decode
from gated.document.placement import Station, advice_for
from models.manifest import load
from models.mrz.finding import Found
from models.mrz.page import PageReader, PageReading
from models.mrz.training import pages
from models.mrz.training.pages import View
from models.mrz.training.zones import Zone
from models.tflite import Image

TD3 = Zone(
    "TD3",
    ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"),
)
TD2 = Zone("TD2", ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"))
TD1 = Zone(
    "TD1",
    ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"),
)
MRVA = Zone(
    "MRVA",
    ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"),
)
MRVB = Zone("MRVB", ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"))
STATION = Station()


@cache
def reader() -> PageReader:
    return PageReader(load().mrz)


def scan(zone: Zone, width: int = 700, turn: float = 0, share: float = 0.92, seed: int = 1) -> Image:
    """A clean print on a dark lid; `turn` in degrees clockwise."""
    upright = round(turn / 90) % 2 == 0
    height = round(0.75 * width)
    view = View(*((width, height) if upright else (height, width)), turn, share, 0.0)
    return pages.photograph(zone, view, np.random.default_rng(seed), plain=True).image


def plainest(page: PageReading) -> tuple[str, ...]:
    """The likeliest symbol of every place."""
    return tuple("".join(ALPHABET[int(np.argmax(place))] for place in line) for line in page.lines)


@pytest.mark.parametrize("zone", [TD3, TD2, TD1, MRVA, MRVB], ids=lambda zone: zone.format)
def test_every_format_is_read(zone: Zone) -> None:
    page = reader().read(scan(zone))
    assert plainest(page) == zone.lines
    reading = decode(page.lines)
    assert (reading.verdict, reading.format) == ("read", zone.format)
    assert reading.lines.reveal() == zone.lines


@pytest.mark.parametrize("turn", [90, 180, 270, -4, 7, 94, 183, 275])
def test_every_direction_is_read_and_told(turn: float) -> None:
    page = reader().read(scan(TD1, turn=turn))
    assert plainest(page) == TD1.lines
    assert page.sight.turned == round(turn / 90) * 90 % 360
    assert decode(page.lines).verdict == "read"


@pytest.mark.parametrize("zone", [TD3, TD1], ids=lambda zone: zone.format)
def test_a_page_350_pixels_wide_is_read(zone: Zone) -> None:
    page = reader().read(scan(zone, width=350, share=1.0))
    assert decode(page.lines).lines.reveal() == zone.lines


def test_the_corners_lie_around_the_lines() -> None:
    view = View(800, 600, 0.0, 0.9, 0.0)
    truth = pages.photograph(TD3, view, np.random.default_rng(3), plain=True)
    page = reader().read(truth.image)
    assert len(page.corners) == 2
    for corners, strip in zip(page.corners, truth.strips, strict=True):
        left, right = np.mean([corners[0], corners[3]], axis=0), np.mean([corners[1], corners[2]], axis=0)
        pitch = strip.length / 44
        assert np.hypot(*(left - strip.start)) < pitch
        assert np.hypot(*(right - strip.end)) < pitch


def test_probabilities_are_plain_numbers_that_add_up_to_one() -> None:
    page = reader().read(scan(TD2))
    for line in page.lines:
        for place in line:
            assert len(place) == len(ALPHABET)
            assert all(type(share) is float for share in place)
            assert sum(place) == pytest.approx(1)


def test_a_page_without_a_zone_gives_no_lines() -> None:
    view = View(700, 520, 0.0, 0.9, 0.0)
    page = pages.photograph(TD3, view, np.random.default_rng(4), plain=True, printed=False).image
    reading = reader().read(page)
    assert not reading.lines
    assert not reading.sight.zone


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((5000, 3, 3), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.full((300, 4000, 3), 255, np.uint8),
        np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8),
        np.random.default_rng(2).integers(0, 2, (700, 70, 3), np.uint8) * 255,
    ],
    ids=["one pixel", "a hair", "small", "a white strip", "noise", "black and white"],
)
def test_what_is_no_page_gives_no_reading(image: Image) -> None:
    page = reader().read(image)
    assert not page.lines or decode(page.lines).verdict != "read"


def test_after_wiping_nothing_of_the_page_is_left_in_the_networks() -> None:
    own = PageReader(load().mrz)
    own.read(scan(TD3))
    own.wipe()
    for network in own._networks:
        assert not network._interpreter.get_tensor(network._input).any()


def shifted(image: Image, right: int, down: int) -> Image:
    """The same glass with the document pushed out of the image."""
    return np.roll(image, (down, right), (0, 1)) if not (right or down) else _rolled(image, right, down)


def _rolled(image: Image, right: int, down: int) -> Image:
    out = np.full_like(image, 25)
    height, width = image.shape[:2]
    x, y = max(right, 0), max(down, 0)
    source = image[max(-down, 0) : height - y, max(-right, 0) : width - x]
    out[y : y + source.shape[0], x : x + source.shape[1]] = source
    return out


def blurred(image: Image) -> Image:
    kernel = np.ones(9) / 9
    rows = np.apply_along_axis(np.convolve, 1, image.astype(float), kernel, mode="same")
    return rows.astype(np.uint8)


@pytest.mark.parametrize(
    ("picture", "advice"),
    [
        (lambda: scan(TD3), None),
        (lambda: shifted(scan(TD3), 180, 0), Advice.PUSH_INTO_CORNER),
        (lambda: shifted(scan(TD3), -160, 0), Advice.PUSH_INTO_CORNER),
        (lambda: np.full((525, 700, 3), 25, np.uint8), None),
    ],
    ids=["whole", "pushed right", "pushed left", "empty"],
)
def test_the_sight_of_a_page_leads_to_advice(picture: Callable[[], Image], advice: Advice | None) -> None:
    page = reader().read(picture())
    read = bool(page.lines) and decode(page.lines).verdict == "read"
    assert advice_for(STATION, page.sight, "unknown", read=read) == advice


def test_a_booklet_without_its_photo_page_is_told_from_a_card_on_its_face() -> None:
    view = View(700, 490, 0.0, 125 / STATION.glass_mm, 0.0)
    booklet = pages.photograph(TD3, view, np.random.default_rng(5), plain=True, printed=False).image
    view = View(700, 490, 0.0, 85.6 / STATION.glass_mm, 0.0)
    card = pages.photograph(TD1, view, np.random.default_rng(6), plain=True, printed=False).image
    for image, advice in ((booklet, Advice.OPEN_AT_PHOTO_PAGE), (card, Advice.TURN_OVER)):
        assert advice_for(STATION, reader().read(image).sight, "present", read=False) == advice


def test_a_cover_is_told_by_the_readers_sensor() -> None:
    cover = np.full((490, 700, 3), (60, 30, 90), np.uint8)
    assert advice_for(STATION, reader().read(cover).sight, "present", read=False) == Advice.OPEN_AT_PHOTO_PAGE


def test_a_page_that_moves_is_told_by_two_images() -> None:
    first, second = scan(TD3, turn=3), scan(TD3, turn=12)
    moving = reader().read(second, first).sight
    assert advice_for(STATION, moving, "present", read=False) == Advice.HOLD_STILL
    resting = reader().read(first, first).sight
    assert resting.moved == 0


def test_a_smeared_page_is_to_be_held_still() -> None:
    sight = reader().read(blurred(blurred(scan(TD3)))).sight
    assert advice_for(STATION, sight, "present", read=False) == Advice.HOLD_STILL


@pytest.mark.parametrize(
    ("zone", "kept"),
    [(TD1, (0,)), (TD1, (2,)), (TD1, (0, 1)), (TD1, (1, 2)), (TD3, (0,)), (TD3, (1,))],
    ids=lambda value: str(getattr(value, "format", value)),
)
def test_lines_that_the_finder_missed_are_looked_for(zone: Zone, kept: tuple[int, ...]) -> None:
    view = View(800, 600, 0.0, 0.9, 0.0)
    truth = pages.photograph(zone, view, np.random.default_rng(9), plain=True)
    strips = tuple(truth.strips[number] for number in kept)
    grey = truth.image.mean(2).astype(np.uint8)
    found = reader()._zones.read(grey, Found(strips, 1.0))
    assert found is not None
    assert found.whole
    lines = ("".join(ALPHABET[i] for i in line.argmax(1)) for line in found.lines)
    assert tuple(lines) == zone.lines


def test_a_part_of_a_zone_is_known_as_such() -> None:
    view = View(800, 600, 0.0, 0.9, 0.0)
    truth = pages.photograph(TD3, view, np.random.default_rng(9), plain=True)
    grey = truth.image.mean(2).astype(np.uint8)
    middle = round(truth.strips[0].at(truth.strips[0].length / 2, 0)[0])
    half = np.ascontiguousarray(grey[:, :middle])
    found = reader()._zones.best(half)
    assert found is not None
    assert not found.whole
    assert not found.lines
    assert len(found.strips) == 2
