"""What people have on their heads: masks, spectacles, caps, scarves, fitted to the head that wears them.

Each is a grid of points with a picture of its own, see-through where nothing is. It is made for one head
(of any size: sizes come from the distance between its eyes) and turns with it.
"""

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.ndimage import gaussian_filter1d

from hw_sim.camera.figure import Figure, Patch, Surface, Worn, grid, joined, shade
from hw_sim.camera.portrait import EYE_DISTANCE_M
from hw_sim.camera.presence import Apparel, Wearable

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_ATLAS_PX: Final = 512
_AXIS_M: Final = 0.12  # a face is taken for a cylinder whose axis lies so far behind its nose
_SKULL_RINGS: Final = 9
_ORDER: Final[tuple[Apparel, ...]] = ("headscarf", "mask", "glasses", "sunglasses", "cap")
_EYES: Final = ((33, 133), (362, 263))
_TEMPLES: Final = (234, 454)
_NOSE_BRIDGE, _NOSE_MIDDLE, _CHIN, _FOREHEAD = 197, 195, 152, 10


def dressed(figure: Figure, wears: Sequence[Wearable]) -> Figure:
    """The figure with all of these on."""
    chosen = sorted(wears, key=lambda wearable: _ORDER.index(wearable.kind))
    worn = tuple(_MADE[wearable.kind](_Head(figure), wearable.style) for wearable in chosen)
    covered = any(wearable.kind == "headscarf" for wearable in chosen)
    return figure._replace(worn=(*figure.worn, *worn), behind=None if covered else figure.behind)


class _Head:
    """Measures of a head: metres, from between its eyes."""

    def __init__(self, figure: Figure) -> None:
        self.face = figure.head.points[figure.face]
        self.skull = figure.head.points[: figure.face.start].reshape(_SKULL_RINGS, -1, 3)
        eyes = np.stack([self.face[list(corners)].mean(0) for corners in _EYES])
        self.size = float(np.linalg.norm(eyes[1] - eyes[0])) / EYE_DISTANCE_M
        self.axis_m = float(self.face[:, 2].min()) + _AXIS_M * self.size

    def around(self, angle: Floats, y: Floats) -> Floats:
        """How far the face is from its axis, at angles about it (0: ahead) and heights."""
        x, z = self.face[:, 0], self.axis_m - self.face[:, 2]
        places, radius = np.stack([np.arctan2(x, z) * 0.1, self.face[:, 1]], 1), np.hypot(x, z)
        wanted = np.stack([angle * 0.1, y], -1)
        inside = LinearNDInterpolator(places, radius)(wanted)
        return np.asarray(np.where(np.isnan(inside), NearestNDInterpolator(places, radius)(wanted), inside))

    def temple(self, side: float) -> Floats:
        """Where the ear of a side (-1, 1) begins: hair that covers it also covers what ends there."""
        root = self.face[_TEMPLES[side > 0]]
        return root + np.array([side * 0.004, -0.010, 0.006], np.float32) * np.float32(self.size)

    def at(self, angle: Floats, y: Floats, radius: Floats) -> Floats:
        """Points (..., 3) at angles about the face's axis, heights, and distances from it."""
        z = self.axis_m - radius * np.cos(angle)
        return np.stack([radius * np.sin(angle), y, z], -1).astype(np.float32)


# --- masks ----------------------------------------------------------------------------------------

_MASKS: Final = ((206, 190, 150), (238, 238, 236), (40, 38, 36), (150, 120, 190), (120, 140, 90))
_MASK_HALF: Final = 1.15  # radians that a mask reaches around the face
_MASK_PATCH: Final = Patch(0, 0, 384, 384)
_STRAP_PATCH: Final = Patch(400, 0, 32, 32)


def _mask(head: _Head, style: int) -> Worn:
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
    atlas = np.zeros((_ATLAS_PX, _ATLAS_PX, 4), np.uint8)
    _paint(atlas, _MASK_PATCH, shade(points, 0.62), _mask_cloth(chance, colour, folded=folded))
    _paint(
        atlas, _STRAP_PATCH, np.full((2, 2), 0.92, np.float32), np.tile(np.maximum(colour, 150), (32, 32, 1))
    )
    straps = [
        _strap(head, points[row, column], ear)
        for column in (0, -1)
        for row, ear in ((0, -0.022), (-4, 0.034))
    ]
    return Worn(joined([*straps, _layer(grid(points, _MASK_PATCH), 1)]), atlas)


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
    return light[..., None] * colour


def _strap(head: _Head, corner: Floats, ear_m: float) -> Surface:
    """A band from a corner of the mask to the ear behind it."""
    side = float(np.sign(corner[0]))
    ear = head.temple(side) + np.array([0, ear_m * head.size, 0], np.float32)
    way = np.linspace(0, 1, 6)[:, None]
    middle = corner + (ear - corner) * way
    middle[:, 0] += side * 0.004 * head.size * np.sin(np.pi * way[:, 0])
    half = np.array([0, 0.0024 * head.size, 0], np.float32)
    return _outwards(np.stack([middle - half, middle + half]), _STRAP_PATCH, side)


# --- spectacles -----------------------------------------------------------------------------------

_LENS_PATCHES: Final = (Patch(0, 0, 256, 160), Patch(256, 0, 256, 160))
_RIM_PATCH: Final = Patch(0, 192, 64, 64)
_RIMS: Final = ((28, 28, 30), (40, 60, 110), (90, 140, 190), (130, 130, 135), (60, 30, 30))
_TINTS: Final = ((26, 22, 20), (20, 30, 46), (30, 38, 28))


def _sunglasses(head: _Head, style: int) -> Worn:
    """Large dark lenses in which a lamp and the hall are mirrored faintly."""
    tint = np.array(_TINTS[style % len(_TINTS)], np.float32)
    return _spectacles(head, style, 0.0285, 0.0235, tint, opacity=0.96, rim_m=0.0022)


def _glasses(head: _Head, style: int) -> Worn:
    """Clear lenses: a rim, and little of the hall's light."""
    return _spectacles(
        head, style, 0.0255, 0.0195, np.array((225, 225, 225), np.float32), opacity=0.05, rim_m=0.0018
    )


def _spectacles(
    head: _Head,
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
    atlas = np.zeros((_ATLAS_PX, _ATLAS_PX, 4), np.uint8)
    rim = np.array(_RIMS[int(chance.integers(len(_RIMS)))], np.float32)
    _paint(
        atlas,
        _RIM_PATCH,
        np.linspace(1.15, 0.85, 8, dtype=np.float32)[:, None].repeat(2, 1),
        np.tile(rim, (64, 64, 1)),
    )
    front = float(head.face[[_NOSE_BRIDGE - 29, 6], 2].min()) - 0.0035 * head.size
    around = np.linspace(0, 2 * np.pi, 41)
    cos, sin = np.cos(around), np.sin(around)
    bow = (np.abs(cos) ** square + np.abs(sin) ** square) ** (-1 / square)
    parts = []
    outer = []
    for side, patch, corners in zip((-1.0, 1.0), _LENS_PATCHES, _EYES, strict=True):
        middle = head.face[list(corners)].mean(0)
        centre = np.array([middle[0] * 1.03, middle[1] + 0.004 * head.size])
        w, h = half_width_m * head.size, half_height_m * head.size

        def ring(grow_m: float, c: Floats = centre, w: float = w, h: float = h) -> Floats:
            x = c[0] + (w + grow_m) * cos * bow
            y = c[1] + (h + grow_m) * sin * bow
            return np.stack([x, y, front + 2.2 / head.size * np.square(x)], -1).astype(np.float32)

        _paint_lens(atlas, patch, tint, opacity, chance)
        parts.append(_disc(ring, patch, w, h))
        parts.append(_layer(_outwards(np.stack([ring(rim_m), ring(-rim_m)]), _RIM_PATCH, 0), 1))
        outer.append((side, np.array([centre[0] + side * (w + rim_m), centre[1] - 0.25 * h])))
    inner = [abs(at) - half_width_m * head.size for at in head.face[[33, 133], 0].mean(keepdims=True)]
    parts.append(_layer(_bridge(head, inner[0], front, rim_m), 1))
    parts += [_layer(_temple(head, side, at, front), 2) for side, at in outer]
    return Worn(joined(parts), atlas)


def _disc(ring: Callable[[float], Floats], patch: Patch, w: float, h: float) -> Surface:
    rows = np.stack([ring(-w * k) if w < h else ring(-h * k) for k in (0.0, 0.35, 0.7, 0.97)])
    surface = _outwards(rows, patch, 0)
    low, high = rows[0].min(0), rows[0].max(0)
    flat = (surface.points[:, :2] - low[:2]) / (high - low)[:2]
    texture = np.array([patch.x, patch.y]) + (0.02 + 0.96 * flat) * np.array([patch.width, patch.height])
    return surface._replace(texture=texture.astype(np.float32))


def _bridge(head: _Head, half_m: float, front: float, rim_m: float) -> Surface:
    x = np.linspace(-half_m * 1.25, half_m * 1.25, 7)
    y = head.face[168, 1] + 0.002 * head.size - 0.003 * head.size * np.cos(x / half_m)
    middle = np.stack([x, y, np.full(7, front) - 0.0005], -1).astype(np.float32)
    half = np.array([0, rim_m, 0], np.float32)
    return _outwards(np.stack([middle - half, middle + half]), _RIM_PATCH, 0)


def _temple(head: _Head, side: float, hinge: Floats, front: float) -> Surface:
    """The bar from the rim to the ear."""
    start = np.array([hinge[0], hinge[1], front + 2.2 / head.size * hinge[0] ** 2])
    ear = head.temple(side)
    ear[1] = 0.5 * (ear[1] + hinge[1])
    way = np.linspace(0, 1, 6)[:, None]
    middle = start + (ear - start) * way
    middle[:, 0] = start[0] + (ear[0] - start[0]) * np.sin(way[:, 0] * np.pi / 2)
    half = np.array([0, 0.0028 * head.size, 0])
    return _outwards(np.stack([middle - half, middle + half]).astype(np.float32), _RIM_PATCH, side)


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


# --- caps and scarves -----------------------------------------------------------------------------

_CLOTHS: Final = ((88, 52, 34), (46, 46, 48), (60, 60, 150), (190, 186, 178), (70, 110, 60), (120, 80, 130))
_CAP_PATCH: Final = Patch(0, 0, 384, 256)
_BRIM_PATCH: Final = Patch(0, 256, 256, 128)
_UNDER_PATCH: Final = Patch(256, 256, 128, 128)
_SCARF_PATCH: Final = Patch(0, 0, 512, 320)
_WRAP_PATCH: Final = Patch(0, 320, 512, 192)


def _cap(head: _Head, style: int) -> Worn:
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
    atlas = np.zeros((_ATLAS_PX, _ATLAS_PX, 4), np.uint8)
    seams = np.ones((256, 384), np.float32)
    seams[:, ::64] = seams[:, 1::64] = 0.8
    seams[:10] *= 0.88
    _paint(atlas, _CAP_PATCH, shade(crown, 0.5), seams[..., None] * colour)
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
    _paint(atlas, _BRIM_PATCH, np.full((2, 2), 0.95, np.float32), np.tile(colour, (128, 256, 1)))
    _paint(
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
    return Worn(joined([grid(crown, _CAP_PATCH), _layer(upper, 1), _layer(lower, 1)]), atlas)


def _faces_up(surface: Surface) -> bool:
    a, b, c = (surface.points[surface.faces[:, i]] for i in range(3))
    return bool(np.cross(b - a, c - a)[:, 1].sum() < 0)


def _headscarf(head: _Head, style: int) -> Worn:
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
    over = head.skull + away / np.linalg.norm(away, axis=2, keepdims=True) * np.float32(0.014 * s)
    shell = np.concatenate([inner[None], edge[None], _evened(over)[1:-1]])  # its back is never seen
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
    atlas = np.zeros((_ATLAS_PX, _ATLAS_PX, 4), np.uint8)
    _paint(atlas, _SCARF_PATCH, shade(shell, 0.5), _folds(chance, (512, 320), colour, 60, 12))
    _paint(atlas, _WRAP_PATCH, shade(wrap, 0.45), _folds(chance, (512, 192), colour, 40, 8))
    return Worn(joined([grid(wrap, _WRAP_PATCH), _layer(grid(shell, _SCARF_PATCH), 1)]), atlas)


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


# --- common ---------------------------------------------------------------------------------------


def _paint(atlas: Bytes, patch: Patch, light: Floats, colours: Floats) -> None:
    """Fill a patch with opaque colours (H, W, 3) under a coarse light that is stretched over it."""
    light = cv2.resize(light, (patch.width, patch.height), interpolation=cv2.INTER_CUBIC)[..., None]
    area = atlas[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    area[..., :3], area[..., 3] = np.clip(light * colours, 0, 255), 255


def _layer(surface: Surface, layer: int) -> Surface:
    return surface._replace(layers=np.full(len(surface.faces), layer, np.intp))


def _outwards(points: Floats, patch: Patch, side: float) -> Surface:
    """A grid that is seen from the front (`side` 0) or from its side of the head (-1, 1)."""
    surface = grid(points, patch)
    a, b, c = (surface.points[surface.faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a).sum(0)
    wrong = normal[0] * side < 0 if side else normal[2] > 0
    return surface._replace(faces=surface.faces[:, ::-1]) if wrong else surface


_MADE: Final = {
    "mask": _mask,
    "sunglasses": _sunglasses,
    "glasses": _glasses,
    "cap": _cap,
    "headscarf": _headscarf,
}
