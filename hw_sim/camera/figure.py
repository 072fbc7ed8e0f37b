"""The body under a face: skull, hair, ears, neck, shoulders, arms, as textured surfaces in metres.

Every surface except the face is a grid of points that carries its own patch of one texture, the *atlas*,
with its light baked in. The face keeps the 468 points of its portrait's shape, so its relief is what a
landmark net measured, not what this file invents. The origin is between the eyes; the head turns about the
top of the neck, the rest of the body does not turn with it.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.legs import Legs, legs_of
from hw_sim.camera.portrait import SKIN_PX, triangles, unrolled

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Indices = NDArray[np.intp]
Colour = tuple[int, int, int]  # blue, green, red

ATLAS_PX: Final = 1024
PIVOT: Final = np.array([0.0, 0.09, 0.07], np.float32)  # where the head turns, from between the eyes
_LIGHT: Final = np.array([0.25, -0.75, -0.62], np.float32)  # towards a ceiling lamp in front of the person
_SKULL: Final = (np.array([0, -0.012, 0.06], np.float32), np.array([0.074, 0.104, 0.088], np.float32))
_RINGS: Final = 9
_LAP_M: Final = 0.004
_ROUND: Final = 2.5  # exponent of the skull's superellipsoid: 2 would give a pointed crown
_COVERS_EARS_M: Final = 0.016  # hair thicker than this at the sides hides the ears
# the outline of MediaPipe's face mesh, clockwise from the top of the forehead
_OUTLINE: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


class Hair(NamedTuple):
    """Thickness over crown and sides (metres), how far it falls below the eyes (0: short), its colour."""

    top_m: float
    side_m: float
    fall_m: float
    colour: Colour


class Cloth(NamedTuple):
    """What the shoulders wear."""

    colour: Colour
    collar: Colour


class Surface(NamedTuple):
    """Points (N, 3), their place in the atlas (N, 2), triangles (T, 3), what is drawn over what (T,)."""

    points: Floats
    texture: Floats
    faces: Indices
    layers: Indices


class Matter(Enum):
    """What a surface is made of, for cameras that see other things than colour."""

    BODY = auto()
    PRINT = auto()
    SCREEN = auto()


class Worn(NamedTuple):
    """What the head wears and turns with it; its atlas is BGRA, premultiplied, so that it can let through."""

    surface: Surface
    atlas: Bytes
    matter: Matter = Matter.BODY


class Figure(NamedTuple):
    """A person: what turns with the head, what stays with the body, hair behind both, one atlas for all.

    `crown_m` is how far the bare skull rises above the eyes: the end of a body height.
    """

    head: Surface
    body: Surface
    behind: Surface | None
    atlas: Bytes
    legs: Legs | None = None  # None: nothing below the hips
    crown_m: float = 0.0
    pivot: Floats = PIVOT
    face: slice = slice(0, 0)  # which points of the head are the 468 of the face
    worn: tuple[Worn, ...] = ()  # in the order in which it is put on


class Patch(NamedTuple):
    """A rectangle of the atlas."""

    x: int
    y: int
    width: int
    height: int


def grid(points: Floats, patch: Patch) -> Surface:
    """A surface from a grid of points (R, C, 3), stretched over a patch of the atlas."""
    rows, columns = points.shape[:2]
    v, u = np.meshgrid(np.linspace(0.02, 0.98, rows), np.linspace(0.02, 0.98, columns), indexing="ij")
    texture = np.stack([patch.x + u * patch.width, patch.y + v * patch.height], axis=-1)
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    if _inward(points):
        faces = faces[:, ::-1]
    layers = np.zeros(len(faces), np.intp)
    return Surface(points.reshape(-1, 3), texture.reshape(-1, 2).astype(np.float32), faces, layers)


def joined(surfaces: Sequence[Surface]) -> Surface:
    """One surface of several; in each layer the farther is drawn first, a later layer over an earlier."""
    starts = np.cumsum([0, *(len(s.points) for s in surfaces[:-1])])
    return Surface(
        np.concatenate([s.points for s in surfaces]).astype(np.float32),
        np.concatenate([s.texture for s in surfaces]).astype(np.float32),
        np.concatenate([s.faces + start for s, start in zip(surfaces, starts, strict=True)]),
        np.concatenate([s.layers for s in surfaces]),
    )


def _over(surface: Surface, layer: int) -> Surface:
    return surface._replace(layers=np.full(len(surface.faces), layer, np.intp))


def _normals(points: Floats) -> Floats:
    normal = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    return np.asarray(normal / (np.linalg.norm(normal, axis=2, keepdims=True) + 1e-9), np.float32)


def _inward(points: Floats) -> bool:
    """Whether the normals of a grid point to the axis behind the middle of its points."""
    inside = points.reshape(-1, 3).mean(0) + np.array([0, 0, 0.01], np.float32)
    return bool((_normals(points) * (points - inside)).sum() < 0)


def shade(points: Floats, ambient: float) -> Floats:
    """How much light each point of a grid gets, `ambient` to about 1."""
    normal = _normals(points) * (-1 if _inward(points) else 1)
    return np.asarray(ambient + (1 - ambient) * np.clip(normal @ _LIGHT, 0, 1), np.float32)


def _paint(atlas: Bytes, patch: Patch, light: Floats, colours: Floats) -> None:
    """Fill a patch with colours (H, W, 3) or (3,) under a coarse light that is stretched over it."""
    size = (patch.width, patch.height)
    light = cv2.resize(light, size, interpolation=cv2.INTER_CUBIC)[..., None]
    area = atlas[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    area[:] = np.clip(light * colours, 0, 255).astype(np.uint8)


def _strands(chance: np.random.Generator, size: tuple[int, int], colour: Colour) -> Floats:
    """Hair: light and dark strands along the vertical axis of a picture of `size` (width, height)."""
    fine = cv2.GaussianBlur(
        chance.normal(0, 1, (size[1], size[0])).astype(np.float32), (0, 0), 0.9, sigmaY=26
    )
    broad = cv2.GaussianBlur(chance.normal(0, 1, (size[1], size[0])).astype(np.float32), (0, 0), 7, sigmaY=60)
    light = 1 + 0.16 * fine / fine.std() + 0.12 * broad / broad.std()
    return np.asarray(np.clip(light, 0.35, 1.8)[..., None] * np.array(colour, np.float32), np.float32)


def _weave(chance: np.random.Generator, size: tuple[int, int], colour: Colour) -> Floats:
    noise = cv2.GaussianBlur(chance.normal(0, 1, (size[1], size[0])).astype(np.float32), (0, 0), 1.0)
    folds = cv2.GaussianBlur(
        chance.normal(0, 1, (size[1], size[0])).astype(np.float32), (0, 0), 14, sigmaY=30
    )
    light = 1 + 0.05 * noise / noise.std() + 0.08 * folds / folds.std()
    return np.asarray(light[..., None] * np.array(colour, np.float32), np.float32)


def _smooth_rim(face: Floats) -> Floats:
    """The outline of the face as a closed curve of 61 points, freed of the mesh's corners."""
    ring = face[list(_OUTLINE)]
    spectrum = np.fft.rfft(ring, axis=0)
    spectrum[8:] = 0
    smooth = np.fft.irfft(spectrum, 60, axis=0) * (60 / len(ring))
    return np.asarray(np.concatenate([smooth, smooth[:1]]), np.float32)


def _skull(face: Floats, hair: Hair) -> Floats:
    """Rings (R, 61, 3) from the outline of the face back over the head, thickened by hair above the ears."""
    centre, axes = _SKULL
    rim = _smooth_rim(face)
    start = rim - centre
    size = np.linalg.norm(start, axis=1, keepdims=True)
    start = start / size
    back = np.array([0, 0.12, 1], np.float32)
    back /= np.linalg.norm(back)
    around = np.linspace(0, 2 * np.pi, len(rim))
    top = np.clip(np.cos(around), 0, 1)[:, None] ** 0.7
    side = np.sin(around)[:, None] ** 2 / (1 + np.exp((-0.40 - np.cos(around)[:, None]) * 14))
    thick = np.clip(hair.top_m * top + hair.side_m * side, 0, None)
    slope, flat = np.unwrap(np.arctan2(start[:, 0], -start[:, 1])), np.hypot(start[:, 0], start[:, 1])
    rings = []
    for part in np.linspace(0, 1, _RINGS):
        even = min(1.0, part * 3)  # the rim's points lie far apart at the top, seen from the crown
        angle = slope * (1 - even) + around * even
        spread = np.stack([flat * np.sin(angle), -flat * np.cos(angle), start[:, 2]], axis=1)
        toward = spread * (1 - part) + back * part
        toward /= np.linalg.norm(toward, axis=1, keepdims=True)
        skull = np.linalg.norm(toward / axes, ord=_ROUND, axis=1, keepdims=True) ** -1
        blend = np.clip(part * 2.2, 0, 1)
        grown = thick * min(1.0, part * 6) if part else -_LAP_M  # the first ring lies behind the face's edge
        rings.append(centre + toward * (size * (1 - blend) + skull * blend + grown))
    return np.asarray(np.stack(rings), np.float32)


def tube(rings: Sequence[tuple[float, float, float, float, float]], columns: int = 19) -> Floats:
    """Elliptic rings (x, y, z, half width, half depth), closed at the back, as a grid (R, columns, 3)."""
    angle = np.linspace(np.pi, -np.pi, columns)  # the seam is at the back
    sin, cos, one = np.sin(angle), np.cos(angle), np.ones(columns)
    points = [np.stack([x - w * sin, y * one, z - d * cos], axis=1) for x, y, z, w, d in rings]
    return np.asarray(np.stack(points), np.float32)


def _ear(side: int, face: Floats) -> Floats:
    """A shallow bowl beside the cheek."""
    at = face[_OUTLINE[8] if side > 0 else _OUTLINE[28]] + np.array([side * 0.004, 0.014, 0.012], np.float32)
    turn, reach = np.meshgrid(np.linspace(0, 2 * np.pi, 13), np.array([1.0, 0.75, 0.4, 0.0]), indexing="ij")
    out = side * (0.006 + 0.010 * reach * np.cos(turn) * side)
    flat = np.stack([out, -0.031 * reach * np.sin(turn), 0.012 * reach * np.cos(turn) * side], axis=-1)
    return np.asarray((at + flat).transpose(1, 0, 2), np.float32)


_PATCHES: Final = {
    "skull": Patch(512, 0, 512, 512),
    "fall": Patch(0, 512, 256, 256),
    "neck": Patch(256, 512, 128, 128),
    "ear": Patch(384, 512, 64, 64),
    "torso": Patch(512, 512, 512, 512),
    "arm": Patch(0, 768, 128, 256),
    "trousers": Patch(256, 768, 128, 256),
    "shoe": Patch(384, 768, 64, 64),
}


_NECK: Final = (
    (0.0, 0.060, 0.060, 0.050, 0.050),
    (0.0, 0.105, 0.066, 0.052, 0.053),
    (0.0, 0.165, 0.078, 0.062, 0.060),
)


def _torso(width: float) -> Floats:
    return tube(
        [
            (0, 0.135, 0.075, 0.066, 0.060),
            (0, 0.158, 0.078, 0.090, 0.068),
            (0, 0.180, 0.080, 0.135 * width, 0.080),
            (0, 0.205, 0.080, 0.185 * width, 0.092),
            (0, 0.250, 0.075, 0.212 * width, 0.105),
            (0, 0.330, 0.065, 0.214 * width, 0.122),
            (0, 0.450, 0.065, 0.200 * width, 0.120),
            (0, 0.620, 0.070, 0.178 * width, 0.105),
            (0, 0.780, 0.070, 0.192 * width, 0.110),
            (0, 0.900, 0.070, 0.190 * width, 0.105),
            (0, 0.980, 0.072, 0.186 * width, 0.100),
        ],
        25,
    )


def _arm(side: int, width: float) -> Floats:
    x = side * width
    return tube(
        [
            (0.165 * x, 0.205, 0.080, 0.050, 0.055),
            (0.212 * x, 0.240, 0.080, 0.058, 0.062),
            (0.236 * x, 0.330, 0.085, 0.052, 0.058),
            (0.250 * x, 0.480, 0.090, 0.046, 0.050),
            (0.255 * x, 0.620, 0.085, 0.040, 0.044),
            (0.250 * x, 0.780, 0.060, 0.032, 0.036),
        ],
        11,
    )


def build(
    face: Floats,
    skin: Bytes,
    tone: Colour,
    hair: Hair,
    cloth: Cloth,
    *,
    width: float,
    seed: int,
    eye_height_m: float = 1.62,
) -> Figure:
    """Build a figure around a face (468, 3): `tone` colours neck and ears, `width` scales the shoulders."""
    chance = np.random.default_rng(seed)
    atlas = np.zeros((ATLAS_PX, ATLAS_PX, 3), np.uint8)
    atlas[:SKIN_PX, :SKIN_PX] = skin
    skull, neck = _skull(face, hair), tube(_NECK)
    ears = [] if hair.side_m > _COVERS_EARS_M else [_ear(side, face) for side in (-1, 1)]
    torso, arms = _torso(width), [_arm(side, width) for side in (-1, 1)]
    flesh = np.array(tone, np.float32)
    strands = _strands(chance, (512, 512), hair.colour)
    _paint(atlas, _PATCHES["skull"], shade(skull, 0.55), _bare_below(strands, flesh * 0.8, hair))
    _paint(atlas, _PATCHES["neck"], shade(neck, 0.6) * np.array([[0.55], [0.75], [0.9]], np.float32), flesh)
    bowl = np.array([[0.80] * 4, [0.95] * 4, [0.82] * 4, [0.74] * 4], np.float32)  # from the rim inwards
    _paint(atlas, _PATCHES["ear"], bowl, flesh)
    wool = _weave(chance, (512, 512), cloth.colour)
    wool[: 512 * 2 // 11] = np.array(cloth.collar, np.float32)
    _paint(atlas, _PATCHES["torso"], shade(torso, 0.45), wool)
    _paint(atlas, _PATCHES["arm"], shade(arms[1], 0.4), _weave(chance, (128, 256), cloth.colour))
    front = Surface(face, unrolled(), triangles(), np.full(len(triangles()), 3, np.intp))
    head = [_over(grid(skull, _PATCHES["skull"]), 1), front]
    at = slice(len(head[0].points), len(head[0].points) + len(face))
    head += [_over(grid(ear, _PATCHES["ear"]), 2) for ear in ears]
    body = [*(grid(arm, _PATCHES["arm"]) for arm in arms), _over(grid(neck, _PATCHES["neck"]), 1)]
    body.append(_over(grid(torso, _PATCHES["torso"]), 2))
    behind = _fall(atlas, hair, _strands(chance, (256, 256), hair.colour)) if hair.fall_m > 0 else None
    _paint_legs(atlas, cloth, np.random.default_rng([seed, 606]))
    bald = hair._replace(top_m=0.0, side_m=0.0)
    crown_m = -float(_skull(face, bald)[..., 1].min())
    return Figure(joined(head), joined(body), behind, atlas, legs_of(eye_height_m), crown_m, face=at)


def _paint_legs(atlas: Bytes, cloth: Cloth, chance: np.random.Generator) -> None:
    """Trousers darker than what the shoulders wear, and shoes darker than these."""
    trousers, shoe = _PATCHES["trousers"], _PATCHES["shoe"]
    grey = float(chance.uniform(34, 80))
    dark = tuple(int(0.3 * part + 0.6 * grey) for part in cloth.colour)
    round_leg = np.tile(0.55 + 0.45 * np.cos(np.linspace(np.pi, -np.pi, 13)) ** 2 * 0.9, (6, 1))
    weave = _weave(chance, (trousers.width, trousers.height), (dark[0], dark[1], dark[2]))
    _paint(atlas, trousers, round_leg.astype(np.float32), weave)
    upper = np.array([[1.0], [1.1], [0.9], [0.5], [0.3]], np.float32)
    _paint(atlas, shoe, np.tile(upper, (1, 13)), np.full(3, chance.uniform(22, 60), np.float32))


def standing(legs: Legs, hips: Floats, floor_y: float, step: float, stride_m: float) -> Surface:
    """The surface of legs and shoes, its points in level metres (`Legs.standing`)."""
    patches = (_PATCHES["trousers"], _PATCHES["shoe"]) * 2
    grids = legs.standing(hips, floor_y, step, stride_m)
    layered = zip(grids, patches, (1, 0) * 2, strict=True)
    return joined([_over(grid(points, patch), layer) for points, patch, layer in layered])


def _fall(atlas: Bytes, hair: Hair, strands: Floats) -> Surface:
    """Long hair: a curtain behind head and shoulders, of which the camera sees the inner side."""
    angle = np.linspace(-1.9, 1.9, 13)
    rows = []
    for part in np.linspace(0, 1, 6):
        y = -0.03 + part * (hair.fall_m + 0.03)
        w = 0.076 + hair.side_m * (0.75 + 0.45 * np.sin(np.pi * min(1.0, part * 1.1)))
        rows.append(np.stack([w * np.sin(angle), np.full(13, y), 0.058 + 0.085 * np.cos(angle)], axis=1))
    curtain = np.stack(rows)[:, ::-1].astype(np.float32)
    side = np.abs(np.sin(angle)).astype(np.float32)  # the depth of the curtain gets no light
    _paint(atlas, _PATCHES["fall"], np.tile(0.35 + 0.55 * side**4, (6, 1)), strands)
    outside = grid(curtain, _PATCHES["fall"])
    return outside._replace(faces=outside.faces[:, ::-1])


def _bare_below(strands: Floats, flesh: Floats, hair: Hair) -> Floats:
    """The skull's texture: hair above and behind the ears, skin under the jaw."""
    column = np.linspace(0, 2 * np.pi, strands.shape[1])
    bare = np.clip((-np.cos(column) - (0.85 if hair.fall_m > 0 else 0.30)) * 9, 0, 1)[None, :, None]
    return np.asarray(strands * (1 - bare) + flesh * bare, np.float32)
