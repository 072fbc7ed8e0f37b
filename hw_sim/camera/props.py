"""A printed photograph and the hands that hold it up: the attack that costs least."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.figure import Colour, Surface, grid, joined, shade, tube
from hw_sim.camera.figure import Patch as AtlasPatch

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

PRINT_WIDTH_M: Final = 0.205  # a passport picture enlarged to A4: its face has four fifths of life size
_BORDER: Final = 0.03  # white margin, share of the width
_PAPER: Final = (238, 240, 240)
_COLUMNS: Final = 15  # of the paper's grid, so that it can bend
_PRINT_PX: Final = 640  # width of the print in its atlas
_SKIN_PX: Final = 64


def print_of(picture: Bytes, tone: Colour) -> Bytes:
    """The atlas of a print: the picture as ink on paper with a white margin, beside it the holder's skin."""
    margin = round(_PRINT_PX * _BORDER)
    inner = _PRINT_PX - 2 * margin
    size = (inner, round(inner * picture.shape[0] / picture.shape[1]))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    paper = cv2.copyMakeBorder(scaled, *(margin,) * 4, cv2.BORDER_CONSTANT, value=_PAPER)
    ink = 22 + paper.astype(np.float32) * 0.86  # paper is never black, nor as bright as a face in the lamp
    atlas = np.zeros((paper.shape[0], _PRINT_PX + _SKIN_PX, 3), np.uint8)
    atlas[:, :_PRINT_PX] = ink
    light = np.linspace(0.6, 1.0, _SKIN_PX, dtype=np.float32)
    light = np.concatenate([light[::2], light[::-2]])[:, None, None]
    atlas[:_SKIN_PX, _PRINT_PX:] = np.clip(light * np.array(tone, np.float32), 0, 255)
    return atlas


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


def hands(edge_m: float) -> tuple[Surface, Surface]:
    """Thumbs before and hands behind the paper's side edges; both move with the paper."""
    skin = AtlasPatch(_PRINT_PX, 0, _SKIN_PX, _SKIN_PX)
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
