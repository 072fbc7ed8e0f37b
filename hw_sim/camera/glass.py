"""What lies on the glass under the page camera, and the picture of it at a moment: a pure function of both.

The data page is printed at its true size (ISO/IEC 7810 ID-3) with a photograph, captions, and the zone in
OCR-B at 2.54 mm a character (Doc 9303-4, 4.2.2); the camera looks straight at a glass of `GLASS_MM`.
"""

import functools
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import cv2
import matplotlib as mpl
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from gated.core.values import Value
from hw_sim.camera import people
from hw_sim.camera.scene import Seed
from models.mrz.training.typeface import OCR_B

Bytes = NDArray[np.uint8]

SIZE: Final = (1280, 960)  # pixels of the camera
GLASS_MM: Final = 180.0  # across the long side of the image: a page fits in any direction
PAGE_MM: Final = (125.0, 88.0)
_PX_MM: Final = 10  # of the flat page, before the camera looks at it
_PITCH_MM: Final = 2.54
_CAP_MM: Final = 2.4  # OCR-B size I (ISO 1073-2)
_ZONE_LEFT_MM: Final = 6.6
_LINES_MM: Final = (11.6, 5.3)  # base lines above the lower edge
_LIGHT: Final = 0.82  # of white paper, as the camera sees it
_GROUND: Final = (24, 22, 20)  # the lid
_COVER: Final = (38, 24, 92)  # burgundy
_GOLD: Final = (92, 158, 190)
_NOISE: Final = 2.5  # grey levels
_SPARE: Final = 64
_NEAR_MM: Final = 10.0
_BLINDING: Final = 0.5
_SWAY_HZ: Final = 1.3


class DataPage(Value):
    """The page with the photograph of `holder`, one of `people.PEOPLE`, and the lines of the zone."""

    holder: str
    lines: tuple[Annotated[str, Meta(pattern=r"^[A-Z0-9<]{44}\Z")], Annotated[str, Meta(max_length=44)]]
    seed: Seed = 0

    def __repr__(self) -> str:
        return "DataPage(‹personal›)"


class Lying(Value):
    """How the booklet lies: `turned` in degrees clockwise, so far off the middle, one edge `lifted`.

    `glare`: how strongly a lamp shines in the middle of the page, 0 to 1. `sway_mm`: how far a hand moves it
    to and fro. The `cover` has no zone.
    """

    side: Literal["photo_page", "cover"] = "photo_page"
    turned: Annotated[float, Meta(ge=-360, le=360)] = 0.0
    right_mm: Annotated[float, Meta(ge=-300, le=300)] = 0.0
    down_mm: Annotated[float, Meta(ge=-300, le=300)] = 0.0
    lifted: Annotated[float, Meta(ge=0, le=0.3)] = 0.0
    glare: Annotated[float, Meta(ge=0, le=1)] = 0.0
    sway_mm: Annotated[float, Meta(ge=0, le=50)] = 0.0

    @property
    def well(self) -> bool:
        """Whether a scanner of swiped or laid pages would find the whole zone."""
        near = max(abs(self.right_mm), abs(self.down_mm)) <= _NEAR_MM
        return self.side == "photo_page" and near and self.glare < _BLINDING and not self.sway_mm


class Glass(Value):
    """What lies there and how; without a page the glass is empty."""

    page: DataPage | None = None
    lying: Lying = Lying()


def picture(glass: Glass, time_s: float) -> Bytes:
    """The frame (960, 1280, 3) BGR of a moment, monotonic seconds. The same arguments, the same bytes."""
    sway = glass.lying.sway_mm * np.sin(2 * np.pi * _SWAY_HZ * time_s)
    still = _still(glass, float(sway))
    down, right = np.random.default_rng(round(time_s * 1e4) % 2**63).integers(0, _SPARE, 2)
    noise = _noise()[down : down + SIZE[1], right : right + SIZE[0]]
    return np.asarray(cv2.add(still, noise, dtype=cv2.CV_8U), np.uint8)


def prepare(glass: Glass) -> None:
    """Print what is slow to print before a frame needs it."""
    if glass.page is not None:
        _flat(glass.page, glass.lying.side)


@functools.lru_cache(maxsize=2)  # what lies still is drawn once
def _still(glass: Glass, sway_mm: float) -> Bytes:
    """The frame without noise."""
    seen: Any = np.full((SIZE[1], SIZE[0], 3), _GROUND, np.uint8)
    if glass.page is None:
        return np.asarray(seen)
    aim = _projection(glass.lying, sway_mm)
    flat = _flat(glass.page, glass.lying.side)
    cv2.warpPerspective(flat, aim, SIZE, dst=seen, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)
    return _glaring(seen, aim, glass.lying.glare) if glass.lying.glare else np.asarray(seen)


@functools.cache
def _noise() -> NDArray[np.int16]:
    """More of it than a frame takes, so that each frame can take another part."""
    shape = SIZE[1] + _SPARE, SIZE[0] + _SPARE, 1
    grains = np.random.default_rng(606).normal(0, _NOISE, shape).astype(np.int16)
    return np.repeat(grains, 3, 2)


def _projection(lying: Lying, sway_mm: float) -> NDArray[np.float64]:
    """From pixels of the flat page to pixels of the image."""
    wide, high = (side * _PX_MM for side in PAGE_MM)
    scale = SIZE[0] / GLASS_MM
    corners = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]]) / (2 * _PX_MM)
    corners[2:] *= 1 + lying.lifted  # the lower edge is nearer to the lens
    angle = np.radians(lying.turned)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array(SIZE) / 2 + scale * np.array([lying.right_mm + sway_mm, lying.down_mm])
    aim = (corners @ turn.T * scale + middle).astype(np.float32)
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, aim))


def _glaring(seen: Bytes, aim: NDArray[np.float64], strength: float) -> Bytes:
    """A lamp mirrored by the laminate, over the middle of the zone."""
    lamp = np.array([[[PAGE_MM[0] / 2 * _PX_MM, (PAGE_MM[1] - 9) * _PX_MM]]], np.float32)
    x, y = cv2.perspectiveTransform(lamp, aim)[0, 0]
    down, right = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    spot = np.exp(-(((right - x) / 150) ** 2 + ((down - y) / 60) ** 2))
    bright: Bytes = np.clip(seen + 255 * strength * 1.5 * spot[..., None], 0, 255).astype(np.uint8)
    return bright


@functools.lru_cache(maxsize=8)
def _flat(page: DataPage, side: str) -> Bytes:
    """The page or the cover, flat, upright, evenly lit."""
    return _cover() if side == "cover" else _photo_page(page)


def _photo_page(page: DataPage) -> Bytes:
    wide, high = (round(side * _PX_MM) for side in PAGE_MM)
    chance = np.random.default_rng([page.seed, 505])
    tint = np.array([0.97, 0.98, 0.93]) * 255 * _LIGHT
    paper = tint + cv2.resize(chance.normal(0, 5, (30, 42, 3)), (wide, high), interpolation=cv2.INTER_CUBIC)
    sheet = np.clip(paper, 0, 255).astype(np.uint8)
    photograph = cv2.resize(people.portrait(page.holder, page.seed), (350, 450), interpolation=cv2.INTER_AREA)
    sheet[120:570, 60:410] = photograph * np.float32(_LIGHT)
    layer = Pictures.fromarray(sheet)
    pen = ImageDraw.Draw(layer)
    surname, _, given = page.lines[0][5:].partition("<<")
    entries = (
        ("PASSPORT  PASSEPORT", page.lines[0][2:5]),
        ("Surname / Nom", surname.replace("<", " ")),
        ("Given names / Prénoms", given.replace("<", " ").strip()),
        ("Document no. / No. du document", page.lines[1][:9].replace("<", "")),
    )
    for row, (caption, entry) in enumerate(entries):
        pen.text((450, 70 + row * 115), caption, fill=(90, 70, 60), font=_font("DejaVuSans.ttf", 24))
        pen.text((450, 104 + row * 115), entry, fill=(30, 26, 24), font=_font("DejaVuSans-Bold.ttf", 36))
    for line, above in zip(page.lines, _LINES_MM, strict=True):
        for place, character in enumerate(line):
            x = (_ZONE_LEFT_MM + (place + 0.5) * _PITCH_MM) * _PX_MM
            pen.text((x, high - above * _PX_MM), character, fill=(28, 26, 26), font=_ocr_b(), anchor="ms")
    return np.asarray(layer)


@functools.cache
def _cover() -> Bytes:
    wide, high = (round(side * _PX_MM) for side in PAGE_MM)
    layer = Pictures.new("RGB", (high, wide), _COVER)  # it is read with the booklet upright
    pen = ImageDraw.Draw(layer)
    for word, size, down in (("UTOPIA", 70, 180), ("PASSPORT", 60, 1060)):
        font = _font("DejaVuSans-Bold.ttf", size)
        pen.text((high / 2, down), word, fill=_GOLD, font=font, anchor="mm")
    pen.ellipse((high / 2 - 170, 440, high / 2 + 170, 780), outline=_GOLD, width=14)
    pen.regular_polygon((high / 2, 610, 130), 5, fill=_GOLD)
    return np.ascontiguousarray(np.rot90(np.asarray(layer)))


@functools.cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


@functools.cache
def _ocr_b() -> ImageFont.FreeTypeFont:
    """OCR-B at its true size."""
    probe = ImageFont.truetype(str(OCR_B), 100)
    _, top, _, bottom = probe.getbbox("H", anchor="ls")
    return ImageFont.truetype(str(OCR_B), 100 * _CAP_MM * _PX_MM / (bottom - top))
