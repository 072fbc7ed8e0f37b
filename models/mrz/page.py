"""Reads a page: an image in, plain numbers out, for the decoding of zones and for placement coaching."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.mrz.cutting import Strip
from models.mrz.reading import ZoneReader
from models.mrz.sight import PageSight, seen
from models.schema import MrzReading, PageNetwork
from models.tflite import Image, TensorModel

MIN_SIDE = 64
MAX_SIDE = 1800  # a larger image is reduced: a passport across it still has 35 pixels a character

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PageReading:
    """`lines`: for every place of every line the probabilities of `<`, 0-9, A-Z; empty if there is no zone.

    `corners`: for each line its four corners in the image's pixels, from the upper left as read. `sight`
    tells how the page lies.
    """

    lines: tuple[tuple[tuple[float, ...], ...], ...]
    corners: tuple[tuple[Point, Point, Point, Point], ...]
    sight: PageSight


class PageReader:
    """Reads pages with the manifest's networks. Not for use from two threads at once."""

    def __init__(self, entry: MrzReading) -> None:
        """Load both networks; raises ModelError."""
        self._networks = tuple(_network(network) for network in (entry.finder, entry.reader))
        finder, reader = self._networks
        self._zones = ZoneReader(lambda x: finder.run(x)[0], lambda x: reader.run(x)[0], entry.temperature)

    def read(self, page: Image, before: Image | None = None) -> PageReading:
        """Read a BGR image; `before` is the one before it, which tells whether the page moves."""
        if page.ndim != 3 or page.shape[2] != 3 or min(page.shape[:2]) < MIN_SIDE:
            return _nothing(np.zeros((MIN_SIDE, MIN_SIDE), np.uint8))
        grey, factor = _grey(page)
        earlier = None if before is None or before.shape != page.shape else _grey(before)[0]
        best = self._zones.best(grey)
        if best is None:
            return _nothing(grey, earlier)
        count = len(best.lines[0]) if best.whole else 1
        sight = seen(grey, best.strips, whole=best.whole, characters=count, before=earlier)
        lines = (
            tuple(tuple(tuple(map(float, place)) for place in line) for line in best.lines)
            if best.whole
            else ()
        )
        corners = tuple(_corners(strip, factor) for strip in best.strips)
        return PageReading(lines, corners, sight)

    def wipe(self) -> None:
        """Overwrite what the last page left in the networks."""
        for network in self._networks:
            network.wipe()


def _network(entry: PageNetwork) -> TensorModel:
    return TensorModel(entry.file, entry.sha256, (1, entry.height, entry.width, 1), entry.outputs)


def _corners(strip: Strip, factor: float) -> tuple[Point, Point, Point, Point]:
    """The corners of a line in the image that was reduced by `factor`."""
    above, below = -strip.cap / 2, strip.cap / 2

    def point(along: float, down: float) -> Point:
        x, y = strip.at(along, down)
        return x / factor, y / factor

    return point(0, above), point(strip.length, above), point(strip.length, below), point(0, below)


def _grey(page: Image) -> tuple[npt.NDArray[np.uint8], float]:
    """Grey levels of at most MAX_SIDE, and the factor by which the image was reduced."""
    factor = min(1.0, MAX_SIDE / max(page.shape[:2]))
    smaller: Any = page
    if factor < 1:
        size = max(1, round(page.shape[1] * factor)), max(1, round(page.shape[0] * factor))
        smaller = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    grey: Any = cv2.cvtColor(smaller, cv2.COLOR_BGR2GRAY)
    return grey, factor


def _nothing(grey: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8] | None = None) -> PageReading:
    return PageReading((), (), seen(grey, (), whole=False, characters=0, before=before))
