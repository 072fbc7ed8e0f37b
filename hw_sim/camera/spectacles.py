"""Spectacles, clear and dark: lenses, rims, the bridge, and the bars to the ears."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.figure import Patch, Surface, Worn, joined
from hw_sim.camera.headform import ATLAS_PX, EYES, NOSE_BRIDGE, Head, outwards, over, paint

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_LENS_PATCHES: Final = (Patch(0, 0, 256, 160), Patch(256, 0, 256, 160))
_RIM_PATCH: Final = Patch(0, 192, 64, 64)
_RIMS: Final = ((28, 28, 30), (40, 60, 110), (90, 140, 190), (130, 130, 135), (60, 30, 30))
_TINTS: Final = ((26, 22, 20), (20, 30, 46), (30, 38, 28))


def sunglasses(head: Head, style: int) -> Worn:
    """Large dark lenses in which a lamp and the hall are mirrored faintly."""
    tint = np.array(_TINTS[style % len(_TINTS)], np.float32)
    return _spectacles(head, style, 0.0285, 0.0235, tint, opacity=0.96, rim_m=0.0022)


def glasses(head: Head, style: int) -> Worn:
    """Clear lenses: a rim, and little of the hall's light."""
    return _spectacles(
        head, style, 0.0255, 0.0195, np.array((225, 225, 225), np.float32), opacity=0.05, rim_m=0.0018
    )


def _spectacles(
    head: Head,
    style: int,
    half_width_m: float,
    half_height_m: float,
    tint: Floats,
    *,
    opacity: float,
    rim_m: float,
) -> Worn:
    chance = np.random.default_rng([style, 2])
    square = float(chance.uniform(2.2, 4.5))
    atlas = np.zeros((ATLAS_PX, ATLAS_PX, 4), np.uint8)
    rim = np.array(_RIMS[int(chance.integers(len(_RIMS)))], np.float32)
    paint(
        atlas,
        _RIM_PATCH,
        np.linspace(1.15, 0.85, 8, dtype=np.float32)[:, None].repeat(2, 1),
        np.tile(rim, (64, 64, 1)),
    )
    front = float(head.face[[NOSE_BRIDGE - 29, 6], 2].min()) - 0.0035 * head.size
    around = np.linspace(0, 2 * np.pi, 41)
    cos, sin = np.cos(around), np.sin(around)
    bow = (np.abs(cos) ** square + np.abs(sin) ** square) ** (-1 / square)
    parts = []
    outer = []
    for side, patch, corners in zip((-1.0, 1.0), _LENS_PATCHES, EYES, strict=True):
        middle = head.face[list(corners)].mean(0)
        centre = np.array([middle[0] * 1.03, middle[1] + 0.004 * head.size])
        w, h = half_width_m * head.size, half_height_m * head.size

        def ring(grow_m: float, c: Floats = centre, w: float = w, h: float = h) -> Floats:
            x = c[0] + (w + grow_m) * cos * bow
            y = c[1] + (h + grow_m) * sin * bow
            return np.asarray(np.stack([x, y, front + 2.2 / head.size * np.square(x)], -1), np.float32)

        _paint_lens(atlas, patch, tint, opacity, chance)
        parts.append(_disc(ring, patch, w, h))
        parts.append(over(outwards(np.stack([ring(rim_m), ring(-rim_m)]), _RIM_PATCH, 0), 1))
        outer.append((side, np.array([centre[0] + side * (w + rim_m), centre[1] - 0.25 * h])))
    inner = [abs(at) - half_width_m * head.size for at in head.face[[33, 133], 0].mean(keepdims=True)]
    parts.append(over(_bridge(head, inner[0], front, rim_m), 1))
    parts += [over(_temple(head, side, at, front), 2) for side, at in outer]
    return Worn(joined(parts), atlas)


def _disc(ring: Callable[[float], Floats], patch: Patch, w: float, h: float) -> Surface:
    rows = np.stack([ring(-w * k) if w < h else ring(-h * k) for k in (0.0, 0.35, 0.7, 0.97)])
    surface = outwards(rows, patch, 0)
    low, high = rows[0].min(0), rows[0].max(0)
    flat = (surface.points[:, :2] - low[:2]) / (high - low)[:2]
    texture = np.array([patch.x, patch.y]) + (0.02 + 0.96 * flat) * np.array([patch.width, patch.height])
    return surface._replace(texture=texture.astype(np.float32))


def _bridge(head: Head, half_m: float, front: float, rim_m: float) -> Surface:
    x = np.linspace(-half_m * 1.25, half_m * 1.25, 7)
    y = head.face[168, 1] + 0.002 * head.size - 0.003 * head.size * np.cos(x / half_m)
    middle = np.stack([x, y, np.full(7, front) - 0.0005], -1).astype(np.float32)
    half = np.array([0, rim_m, 0], np.float32)
    return outwards(np.stack([middle - half, middle + half]), _RIM_PATCH, 0)


def _temple(head: Head, side: float, hinge: Floats, front: float) -> Surface:
    """The bar from the rim to the ear."""
    start = np.array([hinge[0], hinge[1], front + 2.2 / head.size * hinge[0] ** 2])
    ear = head.temple(side)
    ear[1] = 0.5 * (ear[1] + hinge[1])
    way = np.linspace(0, 1, 6)[:, None]
    middle = start + (ear - start) * way
    middle[:, 0] = start[0] + (ear[0] - start[0]) * np.sin(way[:, 0] * np.pi / 2)
    half = np.array([0, 0.0028 * head.size, 0])
    return outwards(np.stack([middle - half, middle + half]).astype(np.float32), _RIM_PATCH, side)


def _paint_lens(
    atlas: Bytes, patch: Patch, tint: Floats, opacity: float, chance: np.random.Generator
) -> None:
    """A tinted pane: the ceiling's lamps are mirrored in its upper part, the floor in its lower."""
    ys, xs = np.mgrid[0 : patch.height, 0 : patch.width].astype(np.float32)
    ys, xs = ys / patch.height, xs / patch.width
    at = chance.uniform(0.25, 0.7)
    lamp = np.exp(-(((ys - 0.24) / 0.05) ** 4)) * np.exp(-(((xs - at - 0.25 * ys) / 0.13) ** 4))
    hall = 0.05 * np.clip(1 - ys * 1.6, 0, 1)
    mirrored = np.clip(0.30 * lamp + hall, 0, 1)[..., None]
    alpha = opacity * (1 - 0.12 * ys[..., None]) * (1 - mirrored) + mirrored
    colour = tint * opacity * (1 - mirrored) + 235 * mirrored
    area = atlas[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    area[..., :3], area[..., 3:] = np.clip(colour, 0, 255), np.clip(alpha * 255, 0, 255)
