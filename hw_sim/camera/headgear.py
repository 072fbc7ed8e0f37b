"""Caps and headscarves: what hides the hair."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from hw_sim.camera.figure import Patch, Surface, Worn, grid, joined, shade
from hw_sim.camera.headform import ATLAS_PX, Head, over, paint

Floats = NDArray[np.float32]

_CHIN, _FOREHEAD = 152, 10
_CLOTHS: Final = ((88, 52, 34), (46, 46, 48), (60, 60, 150), (190, 186, 178), (70, 110, 60), (120, 80, 130))
_CAP_PATCH: Final = Patch(0, 0, 384, 256)
_BRIM_PATCH: Final = Patch(0, 256, 256, 128)
_UNDER_PATCH: Final = Patch(256, 256, 128, 128)
_SCARF_PATCH: Final = Patch(0, 0, 512, 320)
_WRAP_PATCH: Final = Patch(0, 320, 512, 192)


def cap(head: Head, style: int) -> Worn:
    """A cap with a peak: the crown of the head and the hair's line are under it."""
    colour = np.array(_CLOTHS[style % len(_CLOTHS)], np.float32)
    s = head.size
    high = head.skull.reshape(-1, 3)
    above = high[high[:, 1] < head.face[_FOREHEAD, 1] + 0.02 * s]
    wide = float(np.abs(above[:, 0]).max()) + 0.004 * s
    front, back = float(head.face[_FOREHEAD, 2]) - 0.012 * s, float(above[:, 2].max()) + 0.004 * s
    top = float(high[:, 1].min()) - 0.012 * s
    rim = float(head.face[_FOREHEAD, 1]) + 0.008 * s
    turn = np.linspace(-np.pi, np.pi, 41)
    rise = np.linspace(0, np.pi / 2, 9)
    centre, deep = (front + back) / 2, (back - front) / 2
    flat = np.cos(rise)[:, None] ** 0.7
    x, z = wide * flat * np.sin(turn), centre - deep * flat * np.cos(turn)
    sag = 0.030 * s * (1 - np.cos(turn)) / 2  # lower at the back
    y = (rim + sag) * (1 - np.sin(rise))[:, None] + top * np.sin(rise)[:, None]
    crown = np.stack([x, y, z], -1).astype(np.float32)
    atlas = np.zeros((ATLAS_PX, ATLAS_PX, 4), np.uint8)
    seams = np.ones((256, 384), np.float32)
    seams[:, ::64] = seams[:, 1::64] = 0.8
    seams[:10] *= 0.88
    paint(atlas, _CAP_PATCH, shade(crown, 0.5), seams[..., None] * colour)
    out = np.linspace(0, 1, 6)[:, None]
    sweep = np.linspace(-1.15, 1.15, 21)
    reach = 0.068 * s * np.cos(sweep * 0.9) ** 0.8
    brim = np.stack(
        [
            wide * np.sin(sweep) * (1 + 0 * out),
            rim - 0.002 * s + 0.016 * s * out**1.3 + 0.010 * s * np.sin(sweep) ** 2 + 0 * out,
            centre - deep * np.cos(sweep) - reach * out,
        ],
        -1,
    ).astype(np.float32)
    paint(atlas, _BRIM_PATCH, np.full((2, 2), 0.95, np.float32), np.tile(colour, (128, 256, 1)))
    paint(
        atlas,
        _UNDER_PATCH,
        np.array([[0.35, 0.35], [0.55, 0.55]], np.float32),
        np.tile(colour, (128, 128, 1)),
    )
    upper, lower = grid(brim, _BRIM_PATCH), grid(brim, _UNDER_PATCH)
    if _faces_up(upper):
        lower = lower._replace(faces=lower.faces[:, ::-1])
    else:
        upper = upper._replace(faces=upper.faces[:, ::-1])
    return Worn(joined([grid(crown, _CAP_PATCH), over(upper, 1), over(lower, 1)]), atlas)


def _faces_up(surface: Surface) -> bool:
    a, b, c = (surface.points[surface.faces[:, i]] for i in range(3))
    return bool(np.cross(b - a, c - a)[:, 1].sum() < 0)


def headscarf(head: Head, style: int) -> Worn:
    """A scarf over hair, ears and neck, close around the face."""
    chance = np.random.default_rng([style, 3])
    colour = np.array(_CLOTHS[(style + 2) % len(_CLOTHS)], np.float32)
    s = head.size
    rim = head.skull[0]
    middle = head.face.mean(0)
    inner = (
        rim
        + (middle - rim) * np.array([0.10, 0.07, 0.0], np.float32)
        - np.array([0, 0, 0.010 * s], np.float32)
    )
    edge = rim + (rim - middle) * np.float32(0.04) - np.array([0, 0, 0.014 * s], np.float32)
    centre = head.skull.reshape(-1, 3).mean(0)
    away = head.skull - centre
    outer = head.skull + away / np.linalg.norm(away, axis=2, keepdims=True) * np.float32(0.014 * s)
    shell = np.concatenate([inner[None], edge[None], _evened(outer)[1:-1]])  # its back is never seen
    neck = float(head.face[_CHIN, 1]) - 0.012 * s
    turn = np.linspace(np.pi, -np.pi, 41)
    rings = ((0.0, 0.030, 0.062, 0.060), (0.022, 0.036, 0.074, 0.070), (0.06, 0.056, 0.088, 0.080),
             (0.10, 0.066, 0.118, 0.098), (0.145, 0.070, 0.165, 0.112))  # fmt: skip
    down, depth, half_width, half_depth = (
        np.array(column)[:, None] * s for column in zip(*rings, strict=True)
    )
    fold = 1 + 0.03 * np.sin(5 * turn + 1.0)
    y = neck + down + 0.006 * s * np.cos(2 * turn)
    wrap = np.stack([-half_width * np.sin(turn) * fold, y, depth - half_depth * np.cos(turn) * fold], -1)
    wrap = wrap.astype(np.float32)
    atlas = np.zeros((ATLAS_PX, ATLAS_PX, 4), np.uint8)
    paint(atlas, _SCARF_PATCH, shade(shell, 0.5), _folds(chance, (512, 320), colour, 60, 12))
    paint(atlas, _WRAP_PATCH, shade(wrap, 0.45), _folds(chance, (512, 192), colour, 40, 8))
    return Worn(joined([grid(wrap, _WRAP_PATCH), over(grid(shell, _SCARF_PATCH), 1)]), atlas)


def _evened(rings: Floats) -> Floats:
    """Rings (R, C, 3), each closed, with the bumps of the hair pulled smooth."""
    smooth = gaussian_filter1d(rings[:, :-1], 2.5, axis=1, mode="wrap")
    return np.concatenate([smooth, smooth[:, :1]], axis=1)


def _folds(
    chance: np.random.Generator, size: tuple[int, int], colour: Floats, along: float, across: float
) -> Floats:
    noise = chance.normal(0, 1, (size[1], size[0])).astype(np.float32)
    round_ = np.concatenate([noise] * 3, axis=1)  # a patch goes around the head: its ends meet
    broad = cv2.GaussianBlur(round_, (0, 0), along, sigmaY=across)[:, size[0] : 2 * size[0]]
    fine = cv2.GaussianBlur(noise, (0, 0), 1.0)
    light = 1 + 0.10 * broad / broad.std() + 0.03 * fine / fine.std()
    return np.asarray(light[..., None] * colour, np.float32)
