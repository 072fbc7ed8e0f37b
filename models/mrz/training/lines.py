"""Training samples of the line reader: what `models.mrz.cutting` cuts out of a photographed zone."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.mrz.cutting import MARGIN, WIDTH, Strip, cut, scale
from models.mrz.training import ink, photography
from models.mrz.training.zones import ALPHABET, random_zone

Floats = npt.NDArray[np.float32]

STEP = 4  # pixels of the input for one column of the reader's output
COLUMNS = WIDTH // STEP
BLANK = 37  # the class of a column between characters or outside


@dataclass(frozen=True, slots=True)
class Sample:
    """HEIGHT x WIDTH grey levels, and the class of each of COLUMNS columns (-1: either would do)."""

    grey: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.int64]
    text: str


def samples(rng: np.random.Generator) -> list[Sample]:
    """The lines of one photographed zone, each cut as a finder that errs a little would."""
    zone = random_zone(rng, nonsense=0.5)
    inked = ink.draw(zone, rng)
    pitch = float(np.exp(rng.uniform(np.log(5.0), np.log(26.0 if rng.random() < 0.6 else 11.0))))
    grey, strips = _photographed(inked, pitch, rng)
    return [_sample(grey, strip, line, rng) for strip, line in zip(strips, zone.lines, strict=True)]


def _photographed(
    inked: ink.Inked, pitch: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], list[Strip]]:
    """The zone in an image with `pitch` pixels a character, turned and skewed a little."""
    zoom = pitch / ink.PITCH
    height, width = inked.ink.shape
    squeeze = np.diag([1.0, rng.uniform(0.88, 1.14)])
    angle = np.radians(rng.normal(0, 3) if rng.random() < 0.8 else rng.uniform(-45, 45))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, rng.normal(0, 0.04)], [0.0, 1.0]])
    linear = zoom * turn @ shear @ squeeze
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ linear.T
    low = corners.min(0)
    size = np.ceil(corners.max(0) - low).astype(int)
    matrix = np.column_stack((linear, -low))
    # reduce with the area of pixels first, so that the warp has nothing to alias
    first = min(1.0, zoom * 1.2)
    print_: Any = inked.ink
    if first < 1:
        print_ = cv2.resize(print_, None, fx=first, fy=first, interpolation=cv2.INTER_AREA)
    warp = np.column_stack((linear / first, -low))
    coverage: Any = cv2.warpAffine(print_, warp, tuple(size), flags=cv2.INTER_LINEAR)
    shape = coverage.shape
    dark = rng.uniform(0, 0.45)
    bright = rng.uniform(min(0.95, dark + 0.22), 1)
    ground = bright + photography.paper(shape, rng, pitch)
    image = (
        ground * (1 - coverage)
        + (dark + rng.normal(0, 0.02, shape) if rng.random() < 0.3 else dark) * coverage
    )
    if rng.random() < 0.4:
        image = _surrounded(np.asarray(image, np.float32), inked, matrix, rng)
    image = _defaced(np.asarray(image, np.float32), pitch, rng)
    image = photography.blurred(image, rng, 0.11 * pitch)
    if rng.random() < 0.15:
        image = photography.glare(image, rng)
    if rng.random() < 0.05:
        image = 1 - image
    image = photography.exposed(image, rng)
    if rng.random() < 0.06:
        image = (image > image.mean() - 0.05).astype(np.float32)
    pixels = photography.compressed(image, rng)
    strips = [
        Strip(_moved(matrix, s.start), _moved(matrix, s.end), s.cap * float(zoom * squeeze[1, 1]))
        for s in inked.strips
    ]
    return pixels, strips


def _surrounded(
    image: Floats, inked: ink.Inked, matrix: npt.NDArray[np.float64], rng: np.random.Generator
) -> Floats:
    """What lies beyond the page's edge, or a frame around the zone, near the ends of the lines."""
    height, width = inked.ink.shape
    left, right = ink.EDGE - rng.uniform(4, 60), width - ink.EDGE + rng.uniform(4, 60)
    top, bottom = rng.uniform(-30, ink.EDGE - 4), height - ink.EDGE + rng.uniform(4, 70)
    corners = [
        _moved(matrix, point) for point in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]
    polygon = np.round(np.array(corners)).astype(np.int32)
    if rng.random() < 0.3:
        return np.asarray(
            cv2.polylines(image, [polygon], isClosed=True, color=rng.uniform(0, 0.8)), np.float32
        )
    page = cv2.fillConvexPoly(np.zeros(image.shape, np.uint8), polygon, 1) > 0
    beyond = rng.uniform(0, 1) + photography.paper((image.shape[0], image.shape[1]), rng, 10)
    return np.where(page, image, beyond).astype(np.float32)


def _moved(matrix: npt.NDArray[np.float64], point: tuple[float, float]) -> tuple[float, float]:
    x, y = matrix[:, :2] @ np.array(point) + matrix[:, 2]
    return float(x), float(y)


def _defaced(image: Any, pitch: float, rng: np.random.Generator) -> Any:
    """A stamp's stroke or a frame's line across the print, lighter than ink."""
    if rng.random() < 0.2:
        height, width = image.shape
        layer = image.copy()
        for _ in range(int(rng.integers(1, 4))):
            start, end = (
                (int(rng.integers(-20, width + 20)), int(rng.integers(-20, height + 20))) for _ in range(2)
            )
            light, thick = rng.uniform(0.2, 1), max(1, round(pitch * rng.uniform(0.05, 0.35)))
            cv2.line(layer, start, end, light, thick, cv2.LINE_AA)
        share = np.float32(rng.uniform(0.1, 0.5))
        image = image * (1 - share) + layer * share
    return image


def _sample(grey: npt.NDArray[np.uint8], strip: Strip, text: str, rng: np.random.Generator) -> Sample:
    """Cut with errors of place, length, tilt and height."""
    cap = strip.cap
    pitch = strip.length / len(text)
    before, after = rng.uniform(-0.3, 1.4, 2) * pitch  # most of the finder's errors leave room
    tilt = rng.normal(0, 0.07, 2) * cap + rng.normal(0, 0.1) * cap
    found = Strip(
        strip.at(-before, tilt[0]),
        strip.at(strip.length + after, tilt[1]),
        cap * float(np.clip(rng.normal(1, 0.1), 0.75, 1.3)),
    )
    guess = (found.length / pitch) * float(np.clip(rng.normal(1, 0.08), 0.8, 1.2))
    cutting = cut(grey, found, guess)
    along = scale(found, guess)
    place = (MARGIN + along * (before + pitch * (np.arange(len(text)) + 0.5))) / STEP - 0.5
    return Sample(cutting, _classes(text, place, along * pitch / STEP), text)


def _classes(text: str, place: npt.NDArray[np.float64], pitch: float) -> npt.NDArray[np.int64]:
    """A character's class near its middle, BLANK near the borders of its cell, -1 between the two."""
    column = np.arange(COLUMNS)
    nearest = np.clip(np.round((column - place[0]) / pitch).astype(int), 0, len(text) - 1)
    off = np.abs(column - place[nearest]) / pitch
    symbol = np.array([ALPHABET.index(c) for c in text])[nearest]
    return np.where(off <= 0.26, symbol, np.where(off >= 0.38, BLANK, -1)).astype(np.int64)
