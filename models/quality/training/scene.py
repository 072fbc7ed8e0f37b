"""A face under a painter's hands: the picture, the head in it as a frame in space, and the light on it.

The picture is a chip of FINER times the size with a margin around it, float32 0..1, BGR. Lengths on a head
are told in distances between the eyes: across (to the image's right), down, and out of the face; the origin
lies between the eyes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.quality import chip
from models.quality.training.faces import Photograph

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

FINER = 2
MARGIN = 26  # pixels of the finer chip on each side
SIZE = (chip.WIDTH * FINER + 2 * MARGIN, chip.HEIGHT * FINER + 2 * MARGIN)  # width, height
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
    *(148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_CHEEKS = (50, 280, 205, 425, 117, 346, 4, 151)
_FLAT = 0.1  # share of pictures whose overlays are mere patches of colour


@dataclass(slots=True)
class Scene:
    """`picture` is painted over in place; `points` (468, 3) are in its pixels."""

    picture: Floats
    points: Points
    origin: Points
    axes: Points  # rows: across, down, out, each of one eye distance in pixels
    light: Points  # towards the light, of length 1, in the same axes
    skin: Floats  # BGR of the cheeks
    level: float  # how brightly a white surface would show
    flat: bool = False  # things are painted without light or shade

    def at(self, across: float, down: float, out: float = 0.0) -> Points:
        """The pixel of a place on the head."""
        place: Points = (self.origin + np.array([across, down, out]) @ self.axes)[:2]
        return place

    def many(self, places: npt.ArrayLike) -> Points:
        """Pixels of places (N, 3)."""
        pixels: Points = (self.origin + np.asarray(places, np.float64) @ self.axes)[:, :2]
        return pixels

    def vertex(self, number: int, out: float = 0.0) -> Points:
        """The pixel of a mesh point, lifted off the skin."""
        place: Points = (self.points[number] + out * self.axes[2])[:2]
        return place

    @property
    def unit(self) -> float:
        """Pixels of one eye distance across the view."""
        return float(chip.EYES * FINER)


def scene(photograph: Photograph, rng: np.random.Generator, turn: tuple[float, float] = (0.0, 0.0)) -> Scene:
    """Cut a photograph for painting, the head turned by yaw and pitch (radians) as far as pixels allow."""
    matrix = chip.placement(photograph.points, FINER)
    matrix[:, 2] += MARGIN
    image = photograph.image()
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:  # more pixels than wanted: shrink first, so that nothing aliases
        image = np.asarray(
            cv2.resize(image, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        shrunk = matrix.copy()
        shrunk[:, :2] /= 2 * scale
    else:
        shrunk = matrix
    cutting: Any = cv2.warpAffine(
        image, shrunk, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    points = np.empty_like(photograph.points)
    points[:, :2] = photograph.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] = photograph.points[:, 2] * scale
    picture = cutting.astype(np.float32) / 255
    if turn != (0.0, 0.0):
        picture, points = _turned(picture, points, *turn)
    origin, axes = frame(points)
    made = Scene(picture, points, origin, axes, np.array([0.0, 0, 1]), np.zeros(3, np.float32), 0.8)
    _light(made, rng)
    made.flat = bool(rng.random() < _FLAT)
    return made


def frame(points: Points) -> tuple[Points, Points]:
    """Origin between the eyes, and the head's axes (across, down, out), one eye distance long each."""
    right, left = points[[33, 133]].mean(0), points[[263, 362]].mean(0)
    across = left - right
    length = float(np.linalg.norm(across))
    across = across / max(length, 1e-6)
    down = points[152] - points[10]
    down = down - across * float(down @ across)
    down /= max(float(np.linalg.norm(down)), 1e-6)
    out = -np.cross(across, down)
    return (right + left) / 2, np.stack([across, down, out]) * length


def _turned(picture: Floats, points: Points, yaw: float, pitch: float) -> tuple[Floats, Points]:
    """Shift each pixel by its depth, the depth of the head being a bowl fitted to the mesh."""
    centre = points[:, :2].mean(0)
    x, y = ((points[:, :2] - centre) / 100).T
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    bowl = np.linalg.lstsq(terms, points[:, 2], rcond=None)[0]
    down, across = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    u, v = (across - np.float32(centre[0])) / 100, (down - np.float32(centre[1])) / 100
    depth = bowl[0] + bowl[1] * u + bowl[2] * v + bowl[3] * u * u + bowl[4] * u * v + bowl[5] * v * v
    limit = float(points[:, 2].max())
    depth = cv2.GaussianBlur(np.minimum(depth, limit).astype(np.float32), (0, 0), 6)
    fx = across + np.float32(np.sin(yaw)) * depth
    fy = down + np.float32(np.sin(pitch)) * depth
    moved: Any = cv2.remap(picture, fx, fy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    at = np.clip(np.round(points[:, :2]).astype(int), 0, np.array(SIZE) - 1)
    shift = depth[at[:, 1], at[:, 0]]
    turned = points.copy()
    turned[:, 0] -= np.sin(yaw) * shift
    turned[:, 1] -= np.sin(pitch) * shift
    return np.asarray(moved, np.float32), turned


def _light(made: Scene, rng: np.random.Generator) -> None:
    """Read the colour of the skin and where light comes from off the cheeks."""
    soft = cv2.GaussianBlur(made.picture, (0, 0), 4)
    at = np.clip(np.round(made.points[list(_CHEEKS), :2]).astype(int), 0, np.array(SIZE) - 1)
    colours = soft[at[:, 1], at[:, 0]]
    made.skin = np.median(colours, 0).astype(np.float32)
    grey = colours.mean(1) + 1e-3
    right, left = grey[[0, 2, 4]].mean(), grey[[1, 3, 5]].mean()
    aside = 1.6 * (left - right) / (left + right) + rng.normal(0, 0.25)
    above = -abs(rng.normal(0.35, 0.3))
    towards = np.array([np.clip(aside, -1, 1), above, 0.9])
    made.light = towards / np.linalg.norm(towards)
    made.level = float(np.clip(np.median(grey) / rng.uniform(0.35, 0.75) * rng.uniform(0.8, 1.25), 0.12, 1.1))


def cover(polygon: npt.ArrayLike, soft: float = 0.8) -> Floats:
    """Coverage 0..1 of a polygon of pixels, its edge blurred a little."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    corners = np.round(np.clip(np.asarray(polygon, np.float64), -2000, 2000) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, lineType=cv2.LINE_AA, shift=4)
    out: Any = mask.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(out, (0, 0), soft) if soft > 0.3 else out, np.float32)


def stroke(line: npt.ArrayLike, thick: float, soft: float = 0.6) -> Floats:
    """Coverage of a line through pixels, `thick` pixels wide."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    corners = np.round(np.clip(np.asarray(line, np.float64), -2000, 2000) * 16).astype(np.int32)
    whole = max(1, round(thick))
    cv2.polylines(mask, [corners], isClosed=False, color=255, thickness=whole, lineType=cv2.LINE_AA, shift=4)
    out: Any = mask.astype(np.float32) / 255 * min(1.0, thick / whole)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), soft), np.float32)


def rounded(corners: Sequence[Points] | Points, times: int = 3) -> Points:
    """A closed line with its corners cut off, again and again."""
    line = np.asarray(corners, np.float64)
    for _ in range(times):
        after = np.roll(line, -1, 0)
        line = np.stack([0.78 * line + 0.22 * after, 0.22 * line + 0.78 * after], 1).reshape(-1, 2)
    return line


def shading(made: Scene, mask: Floats, roundness: float) -> Floats:
    """Light and shade on something that bulges within `mask`: about 1, less on what turns away."""
    if made.flat:
        return np.ones(mask.shape, np.float32)
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    deepest = max(float(inside.max()), 1.0)
    height = cv2.GaussianBlur(np.sqrt(np.minimum(inside / deepest, 1)), (0, 0), 0.04 * made.unit + 1)
    slope = np.float32(roundness * deepest)
    along = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / 8 * slope
    aside = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / 8 * slope
    lit = (made.light[2] - along * made.light[0] - aside * made.light[1]) / np.sqrt(1 + along**2 + aside**2)
    return np.asarray(0.25 + 0.75 * np.clip(lit / made.light[2], 0, 1.5), np.float32)


def lay(made: Scene, mask: Floats, colour: Floats, light: Floats | np.float32 | float = 1.0) -> None:
    """Paint a colour (3,) or a field of colours over the picture where `mask` is, lit by `light`."""
    x, y, width, height = cv2.boundingRect((mask > 0.004).astype(np.uint8))
    if not width:
        return
    box = slice(y, y + height), slice(x, x + width)
    lit, field = np.asarray(light, np.float32), np.asarray(colour, np.float32)
    field = (field[box] if field.ndim == 3 else field) * (lit[box][..., None] if lit.ndim == 2 else lit)
    share = mask[box][..., None]
    part = made.picture[box]
    part += share * (np.clip(field, 0, 1.2) - part)


def shadow(
    made: Scene, mask: Floats, rng: np.random.Generator, reach: float = 0.08, depth: float = 0.5
) -> None:
    """Darken what lies beside a mask on the side away from the light."""
    if made.flat:
        return
    shift = -made.light[:2] * reach * made.unit * rng.uniform(0.4, 1.5)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    moved = cv2.warpAffine(mask, matrix, SIZE)
    spread: Any = cv2.GaussianBlur(moved, (0, 0), max(0.8, reach * made.unit * rng.uniform(0.3, 0.9)))
    made.picture *= (1 - np.float32(depth * rng.uniform(0.3, 1.0)) * spread * (1 - mask))[..., None]
