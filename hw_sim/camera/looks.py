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

from hw_sim.camera.figure import Cloth, Colour, Hair
from hw_sim.camera.portrait import SKIN_PX, astronaut, hopper, unrolled

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
    stature_m: float | None = None  # of a body that has not the usual proportions: a child's
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


_MOUTH_M: Final = 0.028  # reach of what belongs to the mouth


def face(looks: Looks) -> Floats:
    """The shape (468, 3) of a face, metres, between the eyes at the origin."""
    # how far the mouth is open must fit the skin there: one portrait shows teeth, the other closed lips
    near = np.exp(-0.5 * ((hopper().shape - hopper().shape[13]) ** 2).sum(1, keepdims=True) / _MOUTH_M**2)
    share = looks.shape * (1 - near) + looks.mouth * near
    base = astronaut().shape * (1 - share) + hopper().shape * share
    moved = base.copy()
    for name, amount in looks.features:
        for swell in FEATURES[name]:
            away = base - base[swell.point]
            weight = np.exp(-0.5 * (away**2).sum(1, keepdims=True) / swell.radius_m**2)
            change = np.array(swell.shift_m, np.float32) + away * np.array(swell.stretch, np.float32)
            moved += amount * weight * change
    return np.asarray(moved, np.float32)


_CHEEKS: Final = (50, 280, 205, 425, 117, 346)
_BROWS: Final = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
_EYES: Final = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
_LIPS: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_MOUTH: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_WHITE: Final = np.array([185, 195, 205], np.float32)  # eyes and teeth
_RED: Final = np.array([70, 60, 170], np.float32)  # painted lips


class _Place(NamedTuple):
    """An ellipse in the skin layout, in shares of its side."""

    x: float
    y: float
    half_width: float
    half_height: float

    def mask(self, soft: float) -> Floats:
        """One inside, nought outside, `soft` of a radius between."""
        ys, xs = np.mgrid[0:SKIN_PX, 0:SKIN_PX].astype(np.float32) / SKIN_PX
        r = np.sqrt(((xs - self.x) / self.half_width) ** 2 + ((ys - self.y) / self.half_height) ** 2)
        return np.asarray(0.5 - 0.5 * np.tanh((r - 1) / (2 * soft)), np.float32)


_TRUSTED: Final = (_Place(0.5, 0.57, 0.335, 0.40), _Place(0.5, 0.50, 0.315, 0.42))  # free of hair and ears
_AROUND_EYES: Final = _Place(0.5, 0.35, 0.36, 0.165)  # down to the lower rim of the admiral's spectacles
_AROUND_MOUTH: Final = _Place(0.5, 0.70, 0.20, 0.11)


def _area(points: tuple[int, ...], blur: float, grow: float = 1.0) -> Floats:
    """A soft mask (SKIN_PX, SKIN_PX), 0 to 1, of a polygon between points of the face."""
    corners = unrolled()[list(points)]
    middle = corners.mean(0)
    corners = (corners - middle) * np.array([1.0 + (grow - 1) / 4, grow], np.float32) + middle
    mask = np.zeros((SKIN_PX, SKIN_PX), np.float32)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], (1.0,), lineType=cv2.LINE_AA, shift=4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)


def _noise(chance: np.random.Generator, across: float, along: float) -> Floats:
    """Noise of unit variance with blots of so many pixels across and along the face."""
    noise = chance.normal(0, 1, (SKIN_PX, SKIN_PX)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), across, sigmaY=along)
    return np.asarray(noise / noise.std(), np.float32)


@functools.cache
def _relative(which: int) -> Floats:
    """A portrait's skin as the logarithm of its ratio to its cheeks' colour, trusted parts only, else 0."""
    skin = (astronaut, hopper)[which]().skin.astype(np.float32) + 1
    at = np.round(unrolled()[list(_CHEEKS)]).astype(int)
    patches = [skin[y - 9 : y + 9, x - 9 : x + 9].reshape(-1, 3) for x, y in at]
    cheek = np.median([np.median(patch, axis=0) for patch in patches], axis=0).astype(np.float32)
    return np.asarray(np.log(skin / cheek) * _TRUSTED[which].mask(0.035)[..., None], np.float32)


def skin(looks: Looks, seed: int) -> Bytes:
    """The skin (SKIN_PX, SKIN_PX, 3) of a face; `seed` places pores and hairs."""
    chance = np.random.default_rng(seed)
    share = np.full((SKIN_PX, SKIN_PX), looks.skin, np.float32)
    for place, wanted in ((_AROUND_EYES, looks.eyes), (_AROUND_MOUTH, looks.mouth)):
        region = place.mask(0.12)
        share = share * (1 - region) + wanted * region
    mixed = _relative(0) * (1 - share[..., None]) + _relative(1) * share[..., None]
    old = _relative(1) - cv2.GaussianBlur(_relative(1), (0, 0), 9)
    mixed = mixed + looks.lines * old * (1 - _AROUND_EYES.mask(0.05))[..., None]
    mixed = mixed + 0.035 * _noise(chance, 1.1, 1.1)[..., None]  # pores
    tone = np.array(looks.tone, np.float32)
    white = _area(_EYES[0], 1.5) + _area(_EYES[1], 1.5) + _area(_MOUTH, 1.5) * (1 - looks.mouth)
    white = np.clip(white, 0, 1)
    bright = tone + 0.75 * white[..., None] * (_WHITE - tone)  # eyes and teeth keep their own brightness
    colour = np.exp(mixed) * bright
    red = np.clip(_area(_LIPS, 2.5) - _area(_MOUTH, 2), 0, 1)[..., None] * looks.lips
    light = colour.mean(2, keepdims=True) / tone.mean()
    colour = colour * (1 - red) + light * _RED * red
    return np.asarray(np.clip(_hairs(colour, looks, chance), 0, 255), np.uint8)


def _hairs(colour: Floats, looks: Looks, chance: np.random.Generator) -> Floats:
    """Brows, beard, moustache and the hair over the forehead."""
    strokes = np.clip(0.85 + 0.22 * _noise(chance, 0.8, 1.8), 0, 1.2)
    brow = _area(_BROWS[0], 3.0, 0.6 + looks.brows) + _area(_BROWS[1], 3.0, 0.6 + looks.brows)
    brow = brow * min(1.0, looks.brows * 1.5)
    jaw = _Place(0.5, 0.80, 0.40, 0.24).mask(0.07) * (1 - _Place(0.5, 0.58, 0.30, 0.14).mask(0.06))
    jaw = jaw * (1 - _area(_LIPS, 3, 1.15)) * looks.beard
    over = np.clip(_Place(0.5, 0.640, 0.16, 0.035).mask(0.10) - _area(_LIPS, 2), 0, 1) * looks.moustache
    hair = np.array(looks.hair.colour, np.float32)
    brown = np.array(looks.brow_colour, np.float32)
    for where, tint in ((brow, brown), (jaw, hair * 0.8), (over, hair * 0.8)):
        cover = np.clip(where * strokes, 0, 0.95)[..., None]
        colour = colour * (1 - cover) + tint * cover
    strands = np.clip(1 + 0.25 * _noise(chance, 1.2, 12), 0.4, 1.6)
    ys, xs = np.mgrid[0:SKIN_PX, 0:SKIN_PX].astype(np.float32) / SKIN_PX
    line = 0.035 + 0.19 * looks.fringe + 2.2 * np.maximum(np.abs(xs - 0.5) - 0.25, 0) ** 1.5
    edge = line + 0.072 * (strands - 1)
    cover = ((0.5 - 0.5 * np.tanh((ys - edge) * 45)) * (ys < 0.45))[..., None]
    return np.asarray(colour * (1 - cover) + hair * strands[..., None] * 0.8 * cover, np.float32)
