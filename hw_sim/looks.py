"""How one person's face differs from the next: a shape and a skin, mixed from two portraits and then changed.

The mixture is done apart for shape, for the skin as a whole, for the region of the eyes and for that of the
mouth. On top come features of shape (a wider jaw, a longer nose), the colour of skin, brows and lips, lines
and beard. All of it happens on the face itself, before any picture is taken, so that every picture of a
person (the passport's and the camera's) shows the same face.
"""

import functools
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.figure import Cloth, Colour, Hair
from hw_sim.portrait import SKIN_PX, astronaut, hopper, unrolled

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


class Looks(NamedTuple):
    """What makes a face. Shares run from 0 (the astronaut) to 1 (the admiral); features about -1 to 1."""

    shape: float
    skin: float
    eyes: float
    mouth: float
    tone: Colour
    hair: Hair
    cloth: Cloth
    lines: float = 0.0  # wrinkles added to those of the mixture
    brows: float = 0.0
    brow_colour: Colour = (30, 40, 55)
    beard: float = 0.0
    moustache: float = 0.0
    lips: float = 0.0  # redness
    fringe: float = 0.0  # how far hair falls over the forehead, 0 to 1
    width: float = 1.0  # of the shoulders
    height_m: float = 1.62  # of the eyes above the floor
    features: tuple[tuple[str, float], ...] = ()


class _Swell(NamedTuple):
    """A smooth change around one point of the face: a shift in metres and a stretch about that point."""

    point: int
    radius_m: float
    shift_m: tuple[float, float, float] = (0, 0, 0)
    stretch: tuple[float, float, float] = (0, 0, 0)


def _both(right: int, left: int, radius_m: float, shift_m: tuple[float, float, float] = (0, 0, 0),
          stretch: tuple[float, float, float] = (0, 0, 0)) -> tuple[_Swell, ...]:  # fmt: skip
    """The same change on both sides; `shift_m` is the left side's (x grows outwards)."""
    x, y, z = shift_m
    return _Swell(left, radius_m, (x, y, z), stretch), _Swell(right, radius_m, (-x, y, z), stretch)


FEATURES: Final = {
    "jaw": _both(172, 397, 0.035, (0.011, 0, 0)),
    "chin": (_Swell(152, 0.040, (0, 0.012, -0.002)),),
    "cheeks": _both(50, 280, 0.028, (0.006, 0, -0.004)),
    "temples": _both(162, 389, 0.035, (0.007, 0, 0)),
    "forehead": (_Swell(10, 0.035, (0, -0.010, 0)),),
    "nose_width": (_Swell(1, 0.020, stretch=(0.40, 0, 0)),),
    "nose_length": (_Swell(1, 0.020, (0, 0.006, -0.004)),),
    "nose_bridge": (_Swell(6, 0.016, (0, 0, -0.005)),),
    "eye_distance": _both(159, 386, 0.022, (0.0045, 0, 0)),
    "eye_size": _both(159, 386, 0.017, stretch=(0.25, 0.35, 0)),
    "eye_slant": _both(33, 263, 0.015, (0, -0.004, 0)),
    "brow_height": _both(105, 334, 0.016, (0, -0.005, 0)),
    "mouth_width": (_Swell(13, 0.026, stretch=(0.32, 0, 0)),),
    "mouth_height": (_Swell(13, 0.022, (0, -0.006, 0)),),
    "lip_size": (_Swell(13, 0.013, stretch=(0, 0.6, 0)),),
}


def face(looks: Looks) -> Floats:
    """The shape (468, 3) of a face, metres, between the eyes at the origin."""
    base = astronaut().shape * (1 - looks.shape) + hopper().shape * looks.shape
    moved = base.copy()
    for name, amount in looks.features:
        for swell in FEATURES[name]:
            away = base - base[swell.point]
            weight = np.exp(-0.5 * (away**2).sum(1, keepdims=True) / swell.radius_m**2)
            change = np.array(swell.shift_m, np.float32) + away * np.array(swell.stretch, np.float32)
            moved += amount * weight * change
    return np.asarray(moved, np.float32)


_CHEEKS: Final = (50, 280, 205, 425, 117, 346)
_BROWS: Final = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_EYES: Final = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
_LIPS: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_MOUTH: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)


def _area(points: tuple[int, ...], blur: float, grow: float = 1.0) -> Floats:
    """A soft mask (SKIN_PX, SKIN_PX), 0 to 1, of a polygon between points of the face."""
    corners = unrolled()[list(points)]
    corners = (corners - corners.mean(0)) * np.array([1.0 + (grow - 1) / 4, grow], np.float32) + corners.mean(0)
    mask = np.zeros((SKIN_PX, SKIN_PX), np.float32)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], (1.0,), lineType=cv2.LINE_AA, shift=4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)


def _blob(x: float, y: float, half_width: float, half_height: float, soft: float) -> Floats:
    """A soft ellipse in the skin layout, in shares of its side."""
    ys, xs = np.mgrid[0:SKIN_PX, 0:SKIN_PX].astype(np.float32) / SKIN_PX
    r = np.sqrt(((xs - x) / half_width) ** 2 + ((ys - y) / half_height) ** 2)
    return np.asarray(0.5 - 0.5 * np.tanh((r - 1) / (2 * soft)), np.float32)


@functools.cache
def _relative(which: int) -> Floats:
    """A portrait's skin as the logarithm of its ratio to its cheeks' colour, trusted parts only, else 0."""
    skin = (astronaut, hopper)[which]().skin.astype(np.float32) + 1
    at = np.round(unrolled()[list(_CHEEKS)]).astype(int)
    cheek = np.median([np.median(skin[y - 9 : y + 9, x - 9 : x + 9].reshape(-1, 3), axis=0) for x, y in at], axis=0)
    trusted = _blob(0.5, 0.57, 0.335, 0.40, 0.035) if which == 0 else _blob(0.5, 0.50, 0.315, 0.42, 0.035)
    return np.asarray(np.log(skin / cheek.astype(np.float32)) * trusted[..., None], np.float32)


def skin(looks: Looks, seed: int) -> Bytes:
    """The skin (SKIN_PX, SKIN_PX, 3) of a face; `seed` places pores and hairs."""
    chance = np.random.default_rng(seed)
    share = np.full((SKIN_PX, SKIN_PX, 1), looks.skin, np.float32)
    for x, y, w, h, wanted in ((0.5, 0.31, 0.36, 0.13, looks.eyes), (0.5, 0.70, 0.20, 0.11, looks.mouth)):
        region = _blob(x, y, w, h, 0.12)[..., None]
        share = share * (1 - region) + wanted * region
    mixed = _relative(0) * (1 - share) + _relative(1) * share
    old = _relative(1)
    mixed = mixed + looks.lines * (old - cv2.GaussianBlur(old, (0, 0), 9)) * (1 - _blob(0.5, 0.31, 0.36, 0.09, 0.05)[..., None])
    pores = cv2.GaussianBlur(chance.normal(0, 1, (SKIN_PX, SKIN_PX)).astype(np.float32), (0, 0), 1.1)
    mixed = mixed + (0.035 * pores / pores.std())[..., None]
    tone = np.array(looks.tone, np.float32)
    own = np.clip(sum(_area(e, 1.5) for e in _EYES) + _area(_MOUTH, 1.5), 0, 1)[..., None]
    bright = tone * (1 - 0.75 * own) + np.array([185, 195, 205], np.float32) * 0.75 * own  # eyes and teeth keep theirs
    colour = np.exp(mixed) * bright
    colour = _tint(colour, np.clip(_area(_LIPS, 2.5) - _area(_MOUTH, 2), 0, 1) * looks.lips, (70, 60, 170), tone)
    colour = _hairs(colour, looks, chance)
    return np.asarray(np.clip(colour, 0, 255), np.uint8)


def _tint(colour: Floats, where: Floats, tint: Colour, tone: Floats) -> Floats:
    """Tint some places: their light stays, their hue moves."""
    light = colour.mean(2, keepdims=True) / tone.mean()
    return np.asarray(colour * (1 - where[..., None]) + light * np.array(tint, np.float32) * where[..., None], np.float32)


def _hairs(colour: Floats, looks: Looks, chance: np.random.Generator) -> Floats:
    """Brows, beard, moustache and the hair over the forehead."""
    noise = chance.normal(0, 1, (SKIN_PX, SKIN_PX)).astype(np.float32)
    short = cv2.GaussianBlur(noise, (0, 0), 1.2)
    strokes = np.clip(0.8 + 0.35 * short / short.std(), 0, 1.3)
    long = cv2.GaussianBlur(noise, (0, 0), 1.2, sigmaY=12)
    strands = np.clip(1 + 0.25 * long / long.std(), 0.4, 1.6)
    brows = sum(_area(b, 3.0, 0.6 + looks.brows) for b in _BROWS) * min(1.0, looks.brows * 1.5)
    jaw = _blob(0.5, 0.80, 0.40, 0.24, 0.07) * (1 - _blob(0.5, 0.58, 0.30, 0.14, 0.06))
    jaw = jaw * (1 - _area(_LIPS, 3, 1.15)) * looks.beard
    over = np.clip(_blob(0.5, 0.640, 0.16, 0.035, 0.10) - _area(_LIPS, 2), 0, 1) * looks.moustache
    hair = np.array(looks.hair.colour, np.float32)
    for where, tint in ((brows, np.array(looks.brow_colour, np.float32)), (jaw, hair * 0.8), (over, hair * 0.8)):
        cover = np.clip(where * strokes, 0, 0.95)[..., None]
        colour = colour * (1 - cover) + tint * cover
    ys, xs = np.mgrid[0:SKIN_PX, 0:SKIN_PX].astype(np.float32) / SKIN_PX
    line = 0.035 + 0.19 * looks.fringe + 1.1 * np.maximum(np.abs(xs - 0.5) - 0.25, 0) ** 1.5 * 2
    edge = line + 0.018 * (strands - 1) / 0.25
    cover = ((0.5 - 0.5 * np.tanh((ys - edge) * 45)) * (ys < 0.45))[..., None]
    return np.asarray(colour * (1 - cover) + hair * strands[..., None] * 0.8 * cover, np.float32)
