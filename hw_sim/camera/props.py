"""A printed photograph and the hands that hold it up: the attack that costs least."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.dots import Dots, contrast
from hw_sim.camera.figure import Colour, Matter, Surface, Worn, grid, joined, shade, tube
from hw_sim.camera.figure import Patch as AtlasPatch
from hw_sim.camera.portrait import EYE_DISTANCE_M
from hw_sim.camera.render import Lens

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

PRINT_WIDTH_M: Final = 0.205  # a passport picture enlarged to A4: its face has four fifths of life size
_BORDER: Final = 0.03  # white margin, share of the width
_PAPER: Final = (238, 240, 240)
_COLUMNS: Final = 15  # of the paper's grid, so that it can bend
_PRINT_PX: Final = 640  # width of the print in its atlas
_SKIN_PX: Final = 64
_DULL: Final = 0.10  # share of its colour that a picture loses in print
_BANDS, _FIBRES = 1.2, 1.6  # grey levels, standard deviation
_DOT_M: Final = 0.00017  # 150 dots an inch
_DOT_CONTRAST: Final = 0.5


def print_of(picture: Bytes, tone: Colour) -> Bytes:
    """The atlas of a print: the picture as ink on paper with a white margin, beside it the holder's skin."""
    margin = round(_PRINT_PX * _BORDER)
    inner = _PRINT_PX - 2 * margin
    size = (inner, round(inner * picture.shape[0] / picture.shape[1]))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    paper = cv2.copyMakeBorder(scaled, *(margin,) * 4, cv2.BORDER_CONSTANT, value=_PAPER)
    atlas = np.zeros((paper.shape[0], _PRINT_PX + _SKIN_PX, 3), np.uint8)
    atlas[:, :_PRINT_PX] = inked(paper)
    atlas[:_SKIN_PX, _PRINT_PX:] = skin_of(tone)
    return atlas


def skin_of(tone: Colour) -> Bytes:
    """The atlas of hands."""
    light = np.linspace(0.6, 1.0, _SKIN_PX, dtype=np.float32)
    light = np.concatenate([light[::2], light[::-2]])[:, None, None]
    skin = light * np.array(tone, np.float32) * np.ones((1, _SKIN_PX, 1))
    return np.asarray(np.clip(skin, 0, 255), np.uint8)


def sheet(atlas: Bytes, radius_m: float | None) -> Surface:
    """The paper, its middle at the origin, flat or bent about the vertical (convex towards the camera)."""
    height = PRINT_WIDTH_M * atlas.shape[0] / _PRINT_PX
    across = np.linspace(-PRINT_WIDTH_M / 2, PRINT_WIDTH_M / 2, _COLUMNS)
    if radius_m is None:
        x, z = across, np.zeros(_COLUMNS)
    else:
        x, z = radius_m * np.sin(across / radius_m), radius_m * (1 - np.cos(across / radius_m))
    rows = [np.stack([x, np.full(_COLUMNS, y), z], axis=1) for y in np.linspace(-height / 2, height / 2, 9)]
    return grid(np.stack(rows).astype(np.float32), AtlasPatch(0, 0, _PRINT_PX, atlas.shape[0]))


def hands(edge_m: float, *, beside_print: bool = True) -> tuple[Surface, Surface]:
    """Thumbs before and hands behind the side edges of what they hold, with which both move.

    Their skin is in the atlas of a print, or in one of its own (`skin_of`).
    """
    skin = AtlasPatch(_PRINT_PX if beside_print else 0, 0, _SKIN_PX, _SKIN_PX)
    thumbs, palms = [], []
    for side in (-1, 1):
        along = np.linspace(0, 1, 7)
        thick = 0.0105 * np.sqrt(np.clip(1 - (2 * along - 1) ** 4, 0.02, 1))
        thumb = tube([(0.0, float(a), 0.0, float(t), float(t)) for a, t in zip(along, thick, strict=True)], 9)
        length = thumb[..., 1] * 0.060
        at = np.array([side * (edge_m + 0.022), 0.075, -0.006], np.float32)
        # the thumb lies across the edge, pointing inwards and up
        x, y = -side * length * 0.85 + thumb[..., 0] * 0.5, -length * 0.5 + thumb[..., 0] * 0.85
        thumbs.append(grid(at + np.stack([x, y, thumb[..., 2]], axis=-1).astype(np.float32), skin))
        palm = tube([(0, 0.035, 0, 0.004, 0.004), (0, 0.045, 0, 0.026, 0.012), (0, 0.085, 0, 0.034, 0.018),
                     (0, 0.120, 0, 0.028, 0.022), (0, 0.170, 0.01, 0.024, 0.024)], 11)  # fmt: skip
        palms.append(grid(palm + np.array([side * (edge_m + 0.012), 0.0, 0.022], np.float32), skin))
    return joined(palms), joined(thumbs)


_MASK_RADIUS_M: Final = 0.09
_MASK_HALF_M: Final = (0.084, 0.108)  # half width and half height of the paper that is left
_MASK_MIDDLE_M: Final = 0.012  # of the paper, below the eyes
_HOLE_M: Final = (0.017, 0.0105)


def paper_mask(
    print_: Bytes, scale_px: float, eyes_px: tuple[float, float], nose_m: float, *, eye_holes: bool
) -> Worn:
    """A life-size print cut out along the head and bent about the vertical, worn before the face.

    The print has `scale_px` pixels a metre and its eyes at `eyes_px`; the paper touches the nose (`nose_m`).
    """
    half_width, half_height = _MASK_HALF_M
    across = np.linspace(-half_width, half_width, 21)
    angle = across / _MASK_RADIUS_M
    down = np.linspace(_MASK_MIDDLE_M - half_height, _MASK_MIDDLE_M + half_height, 9)
    front = nose_m - 0.003
    x, z = _MASK_RADIUS_M * np.sin(angle), front + _MASK_RADIUS_M * (1 - np.cos(angle))
    rows = [np.stack([x, np.full(21, y), z], 1) for y in down]
    left, top = eyes_px[0] - half_width * scale_px, eyes_px[1] + down[0] * scale_px
    width, height = (round(2 * half * scale_px) for half in _MASK_HALF_M)
    move = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
    piece = cv2.warpAffine(print_, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (xs + left - eyes_px[0]) / scale_px, (ys + top - eyes_px[1]) / scale_px
    out = np.abs(x / half_width) ** 2.6 + np.abs((y - _MASK_MIDDLE_M) / half_height) ** 2.6
    cover = np.clip((1 - out) * 40, 0, 1)
    if eye_holes:
        apart = np.hypot((np.abs(x) - EYE_DISTANCE_M / 2) / _HOLE_M[0], (y - 0.001) / _HOLE_M[1])
        cover = cover * np.clip((apart - 1) * 12, 0, 1)
    atlas = np.dstack([piece * cover[..., None], cover * 255]).astype(np.uint8)
    surface = grid(np.stack(rows).astype(np.float32), AtlasPatch(0, 0, width, height))
    v, u = np.meshgrid(np.linspace(0, height - 1, 9), np.linspace(0, width - 1, 21), indexing="ij")
    surface = surface._replace(texture=np.stack([u, v], -1).reshape(-1, 2).astype(np.float32))
    return Worn(surface, atlas, Matter.PRINT)


def inked(picture: Bytes) -> Bytes:
    """A picture as ink on paper: never black, nor as bright as a face in the lamp, a little dull.

    The printer leaves bands where the paper was moved on, and ink runs unevenly into the fibres.
    """
    chance = np.random.default_rng(909)
    grey = picture.astype(np.float32)
    grey += (grey.mean(2, keepdims=True) - grey) * np.float32(_DULL)
    height, width = picture.shape[:2]
    bands = cv2.GaussianBlur(chance.normal(0, 1, (height, 1)).astype(np.float32), (1, 0), 0, sigmaY=1.5)
    fibres = cv2.GaussianBlur(chance.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 1.2)
    uneven = _BANDS * bands / bands.std() + _FIBRES * fibres / fibres.std()
    return np.asarray(np.clip(22 + grey * 0.86 + uneven[..., None], 0, 255), np.uint8)


def print_dots(lens: Lens, distance_m: float) -> Dots:
    """A print's own dots as a lens sees them from a distance."""
    periods = PRINT_WIDTH_M / _PRINT_PX / _DOT_M
    return Dots(periods, _DOT_CONTRAST * contrast(distance_m / lens.focal_px / _DOT_M))


def forearms(hands_at: Floats, elbows_at: Floats, shade_of: Colour) -> tuple[Surface, Bytes]:
    """Sleeves from two elbows to two hands (2, 3 camera metres each), with an atlas of their own."""
    sleeves = []
    atlas = np.zeros((_SKIN_PX, _SKIN_PX, 3), np.uint8)
    for hand, elbow in zip(hands_at, elbows_at, strict=True):
        rings = [(float(p[0]), float(p[1]), float(p[2]), 0.036 + 0.014 * k, 0.036 + 0.014 * k)
                 for k in np.linspace(0, 1, 5) for p in [hand + (elbow - hand) * k]]  # fmt: skip
        sleeve = tube(rings, 11)
        sleeves.append(grid(sleeve, AtlasPatch(0, 0, _SKIN_PX, _SKIN_PX)))
        light = cv2.resize(shade(sleeve, 0.4), (_SKIN_PX, _SKIN_PX))[..., None]
        atlas[:] = np.clip(light * np.array(shade_of, np.float32), 0, 255)
    return joined(sleeves), atlas
