"""What stands before the simulated camera, on the camera's own grid of pixels, in linear light.

Coordinates on a sheet, a screen or a person are in sizes of the face (the longer side of its mesh's box),
the middle of the face at the origin, x to the right and y down. All patterns are functions of them,
evaluated where the camera's pixels look, as a sensor samples them: what is finer than its pixels folds
over, which is moire.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from models.liveness.training.chance import Chance
from models.liveness.training.sources import Source

Floats = npt.NDArray[np.float32]

GAMMA: Final = 2.2
_TO_LINEAR: Final = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
_HEAD: Final = (0.72, 1.0)  # half axes of what no panel behind a person may cover, in sizes of the face


@dataclass(frozen=True)
class View:
    """Where each pixel looks: `x`, `y` (side, side) in sizes of the face; `size`: of the face in pixels."""

    x: Floats
    y: Floats
    size: float
    centre: tuple[float, float]

    @property
    def side(self) -> int:
        """Pixels of the square image."""
        return self.x.shape[0]


def view(size: float, around: float, chance: Chance, *, bend: float = 0.0, tilt: float = 0.25) -> View:
    """Look at a face of `size` pixels, `around` sizes to each side, turned, shifted and in perspective.

    `bend` is the curvature, in sizes of the face, of a sheet that is bent about some axis.
    """
    side = round(2 * around * size)
    centre = tuple(side / 2 + chance.free(-0.06, 0.06) * size for _ in range(2))
    angle = chance.rng.normal(0, 0.09)
    across, down = np.meshgrid(*(((np.arange(side) - at) / size).astype(np.float32) for at in centre))
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y = cos * across + sin * down, cos * down - sin * across
    lean = np.float32(chance.free(-tilt, tilt)), np.float32(chance.free(-tilt, tilt))
    depth = 1 + lean[0] * x + lean[1] * y
    depth = np.maximum(depth, np.float32(0.3))
    x, y = x / depth, y / depth
    if bend:
        axis = chance.free(-0.3, 0.3) + (np.pi / 2 if chance.happens(0.25) else 0)
        cos, sin = np.float32(np.cos(axis)), np.float32(np.sin(axis))
        over, along = cos * x + sin * y, cos * y - sin * x
        over = np.arcsin(np.clip(over * np.float32(bend), -0.98, 0.98)) / np.float32(bend)
        x, y = cos * over - sin * along, sin * over + cos * along
    return View(x, y, size, (float(centre[0]), float(centre[1])))


def seen(source: Source, at: View, chance: Chance, *, zoom: float = 1.0, finely: bool = True) -> Floats:
    """The photograph where the view looks, linear BGR; beyond its border it is mirrored."""
    scale = np.float32(source.size * zoom)
    flip = np.float32(-1 if chance.happens(0.5) else 1)
    x = at.x * flip * scale + np.float32(source.centre[0])
    y = at.y * scale + np.float32(source.centre[1])
    way = cv2.INTER_CUBIC if finely and chance.happens(0.7) else cv2.INTER_LINEAR
    image = source.image
    ratio = source.size * zoom / at.size
    if ratio > 1.3:  # the camera sees it smaller: no folding over of the photograph itself
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 * ratio), np.uint8)
    pixels: Any = cv2.remap(image, x, y, way, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(_TO_LINEAR[pixels], np.float32)


def detailed(light: Floats, at: View, chance: Chance, *, lost: float = 0.0) -> Floats:
    """The light with the pores, hairs and threads that a small photograph lacks; `lost` of it is not there.

    Both a person and a photograph of one have them; a medium that prints or shows coarsely loses them.
    """
    if chance.happens(0.5):
        sharp = np.float32(chance.free(0.2, 1.2) * (1 - lost))
        light = light + sharp * (light - cv2.GaussianBlur(light, (0, 0), chance.free(0.7, 2.5)))
    strength = chance.free_scale(0.003, 0.07) * (1 - lost)
    if strength < 0.003:
        return np.maximum(light, 0)
    noise = np.zeros((at.side, at.side), np.float32)
    for _ in range(chance.whole(1, 2)):
        grain: Any = chance.noise(at.side, 1)[..., 0]
        down, along = (chance.free_scale(0.35, 1 + 0.012 * at.size) for _ in range(2))
        if chance.happens(0.6):
            along = down
        grain = cv2.GaussianBlur(grain, (0, 0), down, sigmaY=along)
        noise += grain / max(float(grain.std()), 1e-6)
    amount = relief(at.side, chance.whole(2, 9), chance)
    noise *= np.float32(strength) * np.clip(amount + 0.6, 0, 2)
    return np.asarray(np.maximum(light * np.maximum(1 + noise, np.float32(0.4))[..., None], 0), np.float32)


def relief(side: int, cells: int, chance: Chance) -> Floats:
    """Smooth noise of about unit deviation, with so many cells to a side."""
    grid = chance.rng.standard_normal((cells, cells), np.float32)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def softened(light: Floats, blur: float) -> Floats:
    """Blurred by a Gaussian of so many pixels; a wide one at a coarser scale, where it costs less."""
    coarser = 1
    while blur > 4 * coarser and light.shape[0] > 64 * coarser:
        coarser *= 2
    if coarser == 1:
        return np.asarray(cv2.GaussianBlur(light, (0, 0), blur), np.float32)
    side = light.shape[0] // coarser
    small = cv2.resize(light, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), blur / coarser)
    return np.asarray(cv2.resize(small, light.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def shaded(light: Floats, at: View, chance: Chance, most: float) -> Floats:
    """The light falling unevenly: from one side, and in blots."""
    angle = chance.free(0, 2 * np.pi)
    slope = at.x * np.float32(np.cos(angle)) + at.y * np.float32(np.sin(angle))
    shade = 1 + np.float32(chance.free(0, most)) * slope
    if chance.happens(0.4):
        shade += np.float32(chance.free(0, most / 2)) * relief(at.side, chance.whole(2, 4), chance)
    return np.asarray(light * np.clip(shade, 0.15, 3)[..., None], np.float32)


def blended(under: Floats, over: Floats, mask: Floats) -> Floats:
    """`over` where the mask is one."""
    mask = mask[..., None]
    return np.asarray(under + (over - under) * mask, np.float32)


def rectangle(
    at: View, box: tuple[float, float, float, float], *, soft: float = 1.0, round_: float = 0.0
) -> Floats:
    """One inside left, top, right and bottom, with an edge of `soft` pixels and rounded corners."""
    left, top, right, bottom = box
    x = np.abs(at.x - np.float32((left + right) / 2)) - np.float32((right - left) / 2 - round_)
    y = np.abs(at.y - np.float32((top + bottom) / 2)) - np.float32((bottom - top) / 2 - round_)
    if round_:
        outside = np.sqrt(np.square(np.maximum(x, 0)) + np.square(np.maximum(y, 0)))
        distance = outside + np.minimum(np.maximum(x, y), 0) - np.float32(round_)
    else:
        distance = np.maximum(x, y)
    return np.asarray(np.clip(0.5 - distance * np.float32(at.size / soft), 0, 1), np.float32)


def body(at: View, soft: float = 0.12) -> Floats:
    """One where a head with shoulders is, about; nought where things may stand behind it."""
    head = np.sqrt(np.square(at.x / _HEAD[0]) + np.square((at.y + 0.1) / _HEAD[1])) - 1
    slope = (at.y - np.float32(0.62)) * np.float32(1.3) + np.float32(0.45)
    shoulders = np.where(at.y > 0.5, np.abs(at.x) - slope, np.float32(1))
    return np.asarray(np.clip(0.5 - np.minimum(head, shoulders) / soft, 0, 1), np.float32)


def furnished(light: Floats, at: View, others: list[Source], chance: Chance) -> Floats:
    """Things with straight borders behind a person: doors, windows, posters, other screens."""
    person = body(at)
    for _ in range(chance.whole(1, 2)):
        if chance.happens(0.4):  # around the head, as a door or a picture frame behind it
            reach = [chance.free(0.8, 1.4) for _ in range(4)]
            box = -reach[0], -reach[1], reach[2], reach[3] * 2
        else:
            x, y = chance.free(-1.5, 1.5), chance.free(-1.5, 0.8)
            box = x, y, x + chance.free_scale(0.1, 2), y + chance.free_scale(0.1, 2)
        tilted = _turned(at, chance.rng.normal(0, 0.07))
        mask = rectangle(tilted, box, soft=chance.free_scale(1, 1 + 0.1 * at.size))
        if chance.happens(0.3):
            rim = chance.free_scale(0.01, 0.12)
            inner = box[0] + rim, box[1] + rim, box[2] - rim, box[3] - rim
            mask = mask - rectangle(tilted, inner)
        content = surface(at, others, chance)
        light = blended(light, content, np.clip(mask * (1 - person), 0, 1))
    return light


def surface(at: View, others: list[Source], chance: Chance) -> Floats:
    """A plain wall, or something of another photograph, sharp or out of focus."""
    if chance.happens(0.4):
        colour = np.array([chance.free_scale(0.01, 0.9)] * 3, np.float32)
        colour *= np.array([chance.free_scale(0.6, 1.6) for _ in range(3)], np.float32)
        wall = np.broadcast_to(colour, (at.side, at.side, 3))
        return shaded(np.asarray(wall, np.float32), at, chance, 0.25)
    other = chance.one(others)
    moved = View(
        at.x + np.float32(chance.free(-2, 2)), at.y + np.float32(chance.free(-1, 1)), at.size, at.centre
    )
    light = seen(other, moved, chance, zoom=chance.free_scale(0.3, 1.5), finely=False)
    if chance.happens(0.6):
        light = softened(light, chance.free_scale(0.5, 0.5 + 0.06 * at.size))
    return light * np.float32(chance.free_scale(0.4, 1.5))


def _turned(at: View, angle: float) -> View:
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return View(cos * at.x + sin * at.y, cos * at.y - sin * at.x, at.size, at.centre)


def glints(light: Floats, at: View, chance: Chance, *, on_face: bool) -> Floats:
    """Highlights: small ones on damp skin or spectacles, or broad ones of a lamp in a glossy surface."""
    for _ in range(chance.whole(1, 3)):
        if on_face:
            x, y = chance.free(-0.35, 0.35), chance.free(-0.45, 0.4)
            wide, high = (chance.free_scale(0.01, 0.15) for _ in range(2))
            power = chance.free_scale(0.03, 0.6)
        else:
            x, y = chance.free(-1, 1), chance.free(-1, 1)
            wide, high = (chance.scale(0.05, 0.9) for _ in range(2))
            power = chance.scale(0.03, 1.0)
        moved = View(at.x - np.float32(x), at.y - np.float32(y), at.size, at.centre)
        tilted = _turned(moved, chance.free(0, np.pi))
        along, aside = tilted.x / np.float32(wide), tilted.y / np.float32(high)
        spot = np.float32(power) * np.exp(-np.square(along) - np.square(aside))
        warm = np.array([chance.free(0.85, 1.1), 1.0, chance.free(0.9, 1.1)], np.float32)
        light = light + spot[..., None] * warm
    return light
