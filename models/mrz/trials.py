"""Images of pages with known zones, to measure reading by: files with their truth, seen in many ways."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from models.mrz import files
from models.tflite import Image

MAX_TRUTH = 1_000_000
WIDTHS = (350, 420, 500, 600, 700)
QUARTERS = (0, 90, 180, 270)
SKEWS = (-6.0, -2.5, 2.5, 6.0)


class Truth(msgspec.Struct, frozen=True):
    """What the zone of one image says."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A BGR image, the lines of its zone, and the conditions.

    `source` is a file or a kind of page, `width` that of the image (of the page, if synthetic) in pixels;
    `turn` and `skew` are in degrees.
    """

    image: Image
    lines: tuple[str, ...]
    source: str
    width: int
    turn: int
    skew: float


def of_files(folder: Path, truth: Path) -> Iterator[Trial]:
    """Each page of `truth` as it is and at WIDTHS up to its own (one that is narrower, at 350 pixels too).

    Every size is seen in the four directions and once askew. Raises ImageError for what is no image.
    """
    raw = truth.read_bytes()
    if len(raw) > MAX_TRUTH:
        raise ValueError(f"{truth.name} is longer than {MAX_TRUTH} bytes")
    for number, (name, known) in enumerate(msgspec.convert(json.loads(raw), dict[str, Truth]).items()):
        page = files.decode((folder / name).read_bytes())
        own = page.shape[1]
        widths = {own, WIDTHS[0], *(width for width in WIDTHS if width < own)}
        for at, width in enumerate(sorted(widths)):
            size = width, max(1, round(page.shape[0] * width / own))
            scaled = cv2.resize(page, size, interpolation=cv2.INTER_AREA if width < own else cv2.INTER_CUBIC)
            for quarter in QUARTERS:
                turned = np.ascontiguousarray(np.rot90(scaled, -quarter // 90))
                yield Trial(turned, known.lines, name, width, quarter, 0.0)
            skew = SKEWS[(number + at) % len(SKEWS)]
            yield Trial(_askew(scaled, skew), known.lines, name, width, 0, skew)


def synthetic(count: int, seed: int) -> Iterator[Trial]:
    """Rendered pages 350 to 1200 pixels wide: half scans, half photographs; the whole zone is in the image.

    Needs what the simulator needs (pillow, matplotlib). The training's seeds are others.
    """
    from models.mrz.training import pages, zones  # noqa: PLC0415  # a gate has no pillow

    number = 0
    while count:
        rng = np.random.default_rng([seed, number, 0x4D525A])
        number += 1
        zone = zones.random_zone(rng)
        view = pages.random_view(rng, page=float(np.exp(rng.uniform(np.log(350), np.log(1200)))))
        page = pages.photograph(zone, view, rng)
        if page.whole:
            turn = round(view.turn / 90) * 90
            source = f"{zone.format} {'scan' if view.perspective < 0.03 else 'photograph'}"
            yield Trial(page.image, zone.lines, source, round(page.width), turn % 360, view.turn - turn)
            count -= 1


def _askew(page: Image, degrees: float) -> Image:
    """Turned a little, on a canvas that holds all of it."""
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned: Any = cv2.warpAffine(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=(128, 128, 128))
    return np.asarray(turned, np.uint8)
