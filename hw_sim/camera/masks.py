"""Masks over nose, mouth and chin, with the bands that hold them."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.figure import Patch, Surface, Worn, grid, joined, shade
from hw_sim.camera.headform import ATLAS_PX, Head, outwards, over, paint

Floats = NDArray[np.float32]

_NOSE_MIDDLE, _CHIN = 195, 152
_MASKS: Final = ((206, 190, 150), (238, 238, 236), (40, 38, 36), (150, 120, 190), (120, 140, 90))
_MASK_HALF: Final = 1.15  # radians that a mask reaches around the face
_MASK_PATCH: Final = Patch(0, 0, 384, 384)
_STRAP_PATCH: Final = Patch(400, 0, 32, 32)


def mask(head: Head, style: int) -> Worn:
    """A mask over nose, mouth and chin: pleated and soft, or (every third) folded upright as filters are."""
    chance = np.random.default_rng([style, 1])
    colour = np.array(_MASKS[style % len(_MASKS)], np.float32)
    folded = style % 3 == 1
    down, across = np.meshgrid(np.linspace(0, 1, 17), np.linspace(-1, 1, 33), indexing="ij")
    angle = across * _MASK_HALF
    nose, chin = float(head.face[_NOSE_MIDDLE, 1]), float(head.face[_CHIN, 1])
    side = np.abs(across)
    top = nose + head.size * (0.004 + 0.018 * np.clip(side * 1.6, 0, 1) ** 1.5 + 0.006 * side**2)
    bottom = chin + head.size * (0.010 - 0.042 * side**2)
    y = top + (bottom - top) * down
    radius = cv2.dilate(head.around(angle, y).astype(np.float32), np.ones((5, 5), np.uint8))
    radius = cv2.GaussianBlur(radius, (0, 0), 1.6, borderType=cv2.BORDER_REPLICATE) + 0.0035 * head.size
    if folded:
        radius += (0.014 * head.size) * np.exp(-((angle / 0.30) ** 2)) * np.sin(np.pi * down) ** 0.7
    tuck = np.clip((down - 0.86) / 0.14, 0, 1)
    radius -= (0.022 * head.size * tuck**2).astype(np.float32)
    points = head.at(angle.astype(np.float32), y.astype(np.float32), radius)
    atlas = np.zeros((ATLAS_PX, ATLAS_PX, 4), np.uint8)
    paint(atlas, _MASK_PATCH, shade(points, 0.62), _mask_cloth(chance, colour, folded=folded))
    paint(
        atlas, _STRAP_PATCH, np.full((2, 2), 0.92, np.float32), np.tile(np.maximum(colour, 150), (32, 32, 1))
    )
    straps = [
        _strap(head, points[row, column], ear)
        for column in (0, -1)
        for row, ear in ((0, -0.022), (-4, 0.034))
    ]
    return Worn(joined([*straps, over(grid(points, _MASK_PATCH), 1)]), atlas)


def _mask_cloth(chance: np.random.Generator, colour: Floats, *, folded: bool) -> Floats:
    size = _MASK_PATCH.height
    ys, xs = np.mgrid[0:size, 0:size].astype(np.float32) / size
    light = 1 + 0.02 * cv2.GaussianBlur(chance.normal(0, 1, (size, size)).astype(np.float32), (0, 0), 0.8)
    if folded:
        light -= 0.22 * np.exp(-(((xs - 0.5) / 0.006) ** 2))
        light -= 0.10 * (np.abs(ys - 0.04) < 0.006)
    else:
        for pleat in (0.36, 0.52, 0.68):
            bow = pleat + 0.03 * (1 - (2 * xs - 1) ** 2)
            light -= 0.20 * np.exp(-(((ys - bow) / 0.008) ** 2)) - 0.06 * np.exp(
                -(((ys - bow - 0.02) / 0.012) ** 2)
            )
        light += (
            0.10 * np.exp(-(((ys - 0.035) / 0.012) ** 2)) * (np.abs(xs - 0.5) < 0.22)
        )  # wire over the nose
    light -= 0.12 * ((ys < 0.015) | (ys > 0.985) | (xs < 0.02) | (xs > 0.98))  # seams
    return np.asarray(light[..., None] * colour, np.float32)


def _strap(head: Head, corner: Floats, ear_m: float) -> Surface:
    """A band from a corner of the mask to the ear behind it."""
    side = float(np.sign(corner[0]))
    ear = head.temple(side) + np.array([0, ear_m * head.size, 0], np.float32)
    way = np.linspace(0, 1, 6)[:, None]
    middle = corner + (ear - corner) * way
    middle[:, 0] += side * 0.004 * head.size * np.sin(np.pi * way[:, 0])
    half = np.array([0, 0.0024 * head.size, 0], np.float32)
    return outwards(np.stack([middle - half, middle + half]), _STRAP_PATCH, side)
