"""Draws whole pages with a zone, and photographs or scans them: any direction, skew, perspective, size."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from models.mrz.cutting import Strip
from models.mrz.training import ink, photography
from models.mrz.training.typeface import OCR_B, other_fonts
from models.mrz.training.zones import LETTERS, Zone

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

SIZES = {  # millimetres: ISO/IEC 7810 ID-1, ID-2, ID-3; visas
    "TD1": (85.6, 54.0),
    "TD2": (105.0, 74.0),
    "TD3": (125.0, 88.0),
    "MRVA": (120.0, 80.0),
    "MRVB": (105.0, 74.0),
    "FRA": (105.0, 74.0),
}
CHARACTER = 2.54  # millimetres


@dataclass(frozen=True, slots=True)
class Page:
    """A BGR image with one zone, whose lines lie on `strips`; `width` of the page in the image, in pixels."""

    image: Image
    zone: Zone
    strips: tuple[Strip, ...]
    width: float

    @property
    def whole(self) -> bool:
        """Whether all of the zone is inside the image."""
        height, width = self.image.shape[:2]
        corners = [
            strip.at(along, down * strip.cap / 2)
            for strip in self.strips
            for along in (0, strip.length)
            for down in (-1, 1)
        ]
        return all(0 <= x < width and 0 <= y < height for x, y in corners)


@dataclass(frozen=True, slots=True)
class View:
    """How the page is seen: image size, turn in degrees, share of the image's width, perspective 0 to 0.3."""

    width: int
    height: int
    turn: float
    share: float
    perspective: float
    shift: tuple[float, float] = (0.0, 0.0)


def draw(
    zone: Zone, rng: np.random.Generator, scale: float, *, plain: bool = False, printed: bool = True
) -> tuple[Floats, list[Strip]]:
    """The flat page at `scale` pixels a millimetre, 0 to 1, and its strips; no zone unless `printed`."""
    wide, high = SIZES[zone.format]
    shape = round(high * scale), round(wide * scale)
    tint = rng.uniform(0.75, 1, 3) if not plain else np.full(3, 0.95)
    page = np.broadcast_to(tint.astype(np.float32), (*shape, 3)).copy()
    if not plain:
        for _ in range(int(rng.integers(1, 4))):
            pattern = photography.paper(shape, rng, rng.uniform(0.8, 4) * scale)
            page += pattern[..., None] * rng.uniform(-1, 1, 3).astype(np.float32)
    _print_labels(page, rng, scale, high)
    if not printed:
        return page, []
    inked = ink.draw(zone, rng, plain=plain)
    zoom = (
        scale * CHARACTER / ink.PITCH * (1.0 if plain else float(np.clip(rng.normal(1, 0.025), 0.93, 1.04)))
    )
    coverage: Any = cv2.resize(inked.ink, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    text_wide = coverage.shape[1]
    left = round((shape[1] - text_wide) / 2 + rng.normal(0, 0.7) * scale)
    below = ink.EDGE * zoom + 12 * zoom
    bottom = round(shape[0] - rng.uniform(3.5, 8) * scale + below)
    top = bottom - coverage.shape[0]
    if rng.random() < 0.5 and not plain:
        y = round(top + (ink.EDGE - rng.uniform(5, 30)) * zoom)
        page[max(y, 0) :] = page[max(y, 0) :] * 0.3 + np.float32(rng.uniform(0.55, 1)) * np.float32(0.7)
    colour = (rng.uniform(0, 0.3) + rng.uniform(0, 0.08, 3)).astype(np.float32)
    _lay(page, coverage, left, top, colour)
    strips = [
        Strip(
            (left + s.start[0] * zoom, top + s.start[1] * zoom),
            (left + s.end[0] * zoom, top + s.end[1] * zoom),
            s.cap * zoom,
        )
        for s in inked.strips
    ]
    return page, strips


def random_view(rng: np.random.Generator, width: int | None = None, page: float | None = None) -> View:
    """A scan that the page fills, or a photograph that it lies in anyhow.

    The image's long side is `width` pixels, or such that the page is about `page` pixels wide, or anything.
    """
    quarter = float(rng.choice([0, 90, 180, 270]))
    if rng.random() < 0.5:
        turn, share, perspective = rng.normal(0, 2.0), rng.uniform(0.8, 1.02), rng.uniform(0, 0.03)
        aspect = rng.uniform(0.62, 0.8)
    else:
        turn = rng.uniform(-45, 45) if rng.random() < 0.25 else rng.normal(0, 10)
        share, perspective = rng.uniform(0.45, 0.92), rng.uniform(0, 0.16)
        aspect = rng.uniform(0.6, 1.2)
    if page is not None:
        width = round(page / share)
    long = width or int(np.exp(rng.uniform(np.log(360), np.log(1500))))
    size = long, round(long * aspect)
    if quarter in {90.0, 270.0}:
        size = size[1], size[0]
    shift = (float(rng.normal(0, 0.025)), float(rng.normal(0, 0.025)))
    return View(*size, quarter + float(turn), float(share), float(perspective), shift)


def photograph(
    zone: Zone, view: View, rng: np.random.Generator, *, plain: bool = False, printed: bool = True
) -> Page:
    """Draw the page and look at it. `plain`: a clean print, evenly lit, without noise."""
    wide, _ = SIZES[zone.format]
    long_side = view.width if round(view.turn / 90) % 2 == 0 else view.height
    target = view.share * long_side
    scale = float(np.clip(1.2 * target / wide, 3.0, 10.0))
    flat, strips = draw(zone, rng, scale, plain=plain, printed=printed)
    matrix = _projection(flat.shape[1], flat.shape[0], target, view, rng)
    size = view.width, view.height
    shrink = target / flat.shape[1]
    seen: Any = cv2.GaussianBlur(flat, (0, 0), max(0.3, 0.4 / shrink))
    beyond = _surface((view.height, view.width), rng, plain=plain)
    seen = cv2.warpPerspective(seen, matrix, size, flags=cv2.INTER_LINEAR)
    inside: Any = cv2.warpPerspective(np.ones(flat.shape[:2], np.float32), matrix, size)
    image = seen + beyond * (1 - inside[..., None])
    if not plain:
        pitch = target / wide * CHARACTER
        image = _marked(image, rng)
        image = photography.blurred(image, rng, min(0.1 * pitch, 2.5))
        for _ in range(int(rng.choice([0, 1, 2], p=[0.7, 0.2, 0.1]))):
            image = photography.glare(image, rng)
        image = photography.exposed(np.asarray(image, np.float32), rng)
        if rng.random() < 0.25:
            image = np.repeat(image.mean(2, keepdims=True), 3, 2)
    pixels = (
        photography.compressed(image, rng) if not plain else (np.clip(image, 0, 1) * 255).astype(np.uint8)
    )
    return Page(pixels, zone, tuple(_projected(matrix, s) for s in strips), target)


def _projection(
    wide: int, high: int, target: float, view: View, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """From the flat page to the image."""
    zoom = target / wide
    corners = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]]) * zoom / 2
    corners = corners * (1 + view.perspective * rng.uniform(-1, 1, (4, 1)))
    angle = np.radians(view.turn)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([(0.5 + view.shift[0]) * view.width, (0.5 + view.shift[1]) * view.height])
    aim = (corners @ turn.T + middle).astype(np.float32)
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, aim))


def _projected(matrix: npt.NDArray[np.float64], strip: Strip) -> Strip:
    ends = np.array([[*strip.start, 1], [*strip.end, 1]])
    middle = (ends[0] + ends[1]) / 2
    half = np.array([0, strip.cap / 2, 0])
    top, bottom = middle - half, middle + half
    points = np.vstack((ends, top, bottom)) @ matrix.T
    flat = points[:, :2] / points[:, 2:]
    along = (flat[1] - flat[0]) / np.linalg.norm(flat[1] - flat[0])
    cap = abs(float(along[0] * (flat[3] - flat[2])[1] - along[1] * (flat[3] - flat[2])[0]))
    return Strip((float(flat[0][0]), float(flat[0][1])), (float(flat[1][0]), float(flat[1][1])), cap)


def _lay(page: Floats, coverage: Floats, left: int, top: int, colour: Floats) -> None:
    """Print ink on the page, cut at its edges."""
    height, width = coverage.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, page.shape[1]), min(top + height, page.shape[0])
    cover = coverage[y0 - top : y1 - top, x0 - left : x1 - left, None]
    page[y0:y1, x0:x1] += cover * (colour - page[y0:y1, x0:x1])


@cache
def _label_fonts() -> tuple[Path, ...]:
    own = Path(mpl.get_data_path()) / "fonts" / "ttf"
    names = (
        "DejaVuSans.ttf",
        "DejaVuSans-Bold.ttf",
        "DejaVuSerif.ttf",
        "DejaVuSansMono.ttf",
        "STIXGeneral.ttf",
    )
    return (OCR_B, *(own / name for name in names if (own / name).is_file()), *other_fonts())


def _print_labels(page: Floats, rng: np.random.Generator, scale: float, high: float) -> None:
    """Captions, entries, a portrait, a signature, a bar code: what else stands on a page."""
    height, width = page.shape[:2]
    free = round(height - 22 * scale)
    layer = Pictures.new("L", (width, height), 0)
    pen = ImageDraw.Draw(layer)
    y = rng.uniform(1, 6) * scale
    face = rng.random() < 0.75
    x0 = round(width * (0.36 if face else 0.05))
    while y < free:
        size = float(rng.uniform(1.4, 3.6) * scale)
        x = x0 + rng.uniform(0, 0.1) * width
        for _ in range(int(rng.integers(1, 4))):
            fonts = _label_fonts()
            font = ImageFont.truetype(str(fonts[rng.integers(len(fonts))]), max(5, round(size)))
            pen.text((x, y), _caption(rng), fill=int(rng.integers(100, 256)), font=font)
            x += rng.uniform(0.15, 0.4) * width
        y += size * rng.uniform(1.1, 2)
    points = np.cumsum(rng.normal(0, 2.5 * scale, (12, 2)), 0) + np.array([width * 0.6, free * 0.8])
    if rng.random() < 0.5:
        pen.line([tuple(p) for p in points], fill=200, width=max(1, round(0.3 * scale)))
    if rng.random() < 0.2:
        x, top = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.05, 0.3)
        for _ in range(int(rng.integers(20, 60))):
            thick = rng.uniform(0.2, 0.8) * scale
            pen.rectangle((x, top, x + thick, top + 7 * scale), fill=255)
            x += thick + rng.uniform(0.2, 0.8) * scale
    cover = np.asarray(layer, np.float32)[..., None] / 255
    page += cover * (rng.uniform(0, 0.4, 3).astype(np.float32) - page)
    if face:
        _portrait(page, rng, scale, high)


def _portrait(page: Floats, rng: np.random.Generator, scale: float, high: float) -> None:
    """Something as large, dark and round as a face."""
    top, left = round(rng.uniform(0.15, 0.25) * high * scale), round(rng.uniform(3, 7) * scale)
    tall, wide = round(0.45 * high * scale), round(0.34 * high * scale)
    target = page[top : top + tall, left : left + wide]
    shape = target.shape[0], target.shape[1]
    target[:] = rng.uniform(0.5, 0.95) + photography.relief(shape, (3, 3), rng)[..., None] * np.float32(0.05)
    middle = shape[1] // 2, round(shape[0] * 0.45)
    skin, hair = rng.uniform(0.3, 0.85, 3), rng.uniform(0.05, 0.5)
    axes = round(shape[1] * 0.3), round(shape[0] * 0.3)
    cv2.ellipse(
        target, (middle[0], middle[1] - axes[1] // 4), (axes[0] + 2, axes[1] + 2), 0, 0, 360, (hair,) * 3, -1
    )
    cv2.ellipse(target, middle, axes, 0, 0, 360, tuple(float(v) for v in skin), -1)
    for side in (-1, 1):
        cv2.circle(
            target, (middle[0] + side * axes[0] // 2, middle[1]), max(1, axes[0] // 7), (0.15,) * 3, -1
        )
    target += photography.relief(shape, (20, 16), rng)[..., None] * np.float32(0.05)


def _caption(rng: np.random.Generator) -> str:
    symbols = LETTERS + "abcdefghijklmnopqrstuvwxyz0123456789 ./-"
    form = rng.random()
    pool = LETTERS if form < 0.3 else symbols[26:52] if form < 0.6 else symbols
    return "".join(pool[i] for i in rng.integers(0, len(pool), int(rng.integers(2, 24))))


def _surface(shape: tuple[int, int], rng: np.random.Generator, *, plain: bool) -> Floats:
    """What the page lies on: a scanner's lid, a desk, another page with print."""
    ground = np.full((*shape, 3), 0.1, np.float32)
    if plain:
        return ground
    ground[:] = rng.choice([0.0, 0.05, 0.5, 1.0]) if rng.random() < 0.5 else rng.uniform(0, 1, 3)
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 4))):
            cells = int(rng.integers(2, 60)), int(rng.integers(2, 60))
            ground += photography.relief(shape, cells, rng)[..., None] * rng.uniform(-0.12, 0.12, 3).astype(
                np.float32
            )
    if rng.random() < 0.3:
        layer = Pictures.new("L", (shape[1], shape[0]), 0)
        pen = ImageDraw.Draw(layer)
        fonts = _label_fonts()
        font = ImageFont.truetype(str(fonts[rng.integers(len(fonts))]), int(rng.integers(8, 30)))
        for _ in range(25):
            place = rng.uniform(-50, shape[1]), rng.uniform(0, shape[0])
            pen.text(place, _caption(rng) + _caption(rng), fill=255, font=font)
        ground += np.asarray(layer, np.float32)[..., None] / 255 * (rng.uniform(0, 1) - ground)
    return np.clip(ground, 0, 1)


def _marked(image: Any, rng: np.random.Generator) -> Any:
    """Strokes, frames and large letters over the page, as samples and photographs of screens have them."""
    if rng.random() < 0.25:
        height, width = image.shape[:2]
        layer = image.copy()
        colour = tuple(float(v) for v in rng.uniform(0, 1, 3))
        for _ in range(int(rng.integers(1, 5))):
            a, b = ((int(rng.integers(0, width)), int(rng.integers(0, height))) for _ in range(2))
            thick = int(rng.integers(1, 4))
            if rng.random() < 0.5:
                cv2.line(layer, a, b, colour, thick, cv2.LINE_AA)
            else:
                cv2.rectangle(layer, a, b, colour, thick)
        word = _caption(rng)[:10].upper()
        size = rng.uniform(0.5, 3) * width / 700
        place = int(rng.integers(0, max(1, width // 2))), int(rng.integers(0, height))
        cv2.putText(
            layer, word, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, int(rng.integers(1, 6)), cv2.LINE_AA
        )
        share = np.float32(rng.uniform(0.15, 0.6))
        image = image * (1 - share) + layer * share
    return image
