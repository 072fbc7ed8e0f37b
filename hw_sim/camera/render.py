"""What the gate's camera sees: a lane, a person in it or a photograph held up, through a lens and a sensor.

The camera is a pinhole with its principal point in the middle: by default of focal length 1200 px at
1280 x 720 (56 degrees across), without tilt, `CAMERA_HEIGHT_M` above the floor. It does not move, so the lane
behind the person stands still and everything that moves does so by its own depth. Positions are *level
metres*: x to the right, y down, z ahead along the floor, from where the default camera is. A `Mount` says how
another camera sees them.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.eyelids import falling
from hw_sim.camera.figure import Figure, Matter, Surface, standing
from hw_sim.camera.lamp import Finish, Lamp, returned
from hw_sim.camera.raster import Patch, draw

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

WIDTH: Final = 1280
HEIGHT: Final = 720
CAMERA_HEIGHT_M: Final = 1.60
_NEAR_M: Final = 0.15  # nothing nearer than this is drawn
_BODY_PX: Final = 60_000  # clothes are coarser: they carry nothing that the gate measures
_LENS_PX: Final = 0.6  # blur of the lens, standard deviation


class Lens(NamedTuple):
    """A pinhole: picture size and focal length in pixels, principal point in the middle."""

    width: int
    height: int
    focal_px: float

    def project(self, points: Floats) -> Floats:
        """Camera metres (N, 3) to picture pixels (N, 2)."""
        centre = np.array([self.width / 2, self.height / 2], np.float32)
        return np.asarray(points[:, :2] * (self.focal_px / points[:, 2:]) + centre, np.float32)


GATE_LENS: Final = Lens(WIDTH, HEIGHT, 1200.0)


class Mount(NamedTuple):
    """How a camera stands over the origin of level metres: height above the floor, and its turns (radians).

    `tilt` above nought looks down; `roll` above nought has the camera's right side lower.
    """

    height_m: float = CAMERA_HEIGHT_M
    tilt: float = 0.0
    roll: float = 0.0

    def turn(self) -> Floats:
        """Rotation matrix from level axes to the camera's."""
        (ct, cr), (st, sr) = np.cos([self.tilt, self.roll]), np.sin([self.tilt, self.roll])
        down = np.array([[1, 0, 0], [0, ct, -st], [0, st, ct]])
        aside = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
        return np.asarray(aside @ down, np.float32)

    def see(self, points: Floats) -> Floats:
        """Level metres (N, 3) to camera metres (N, 3)."""
        if self == GATE_MOUNT:
            return points
        shifted = points + np.array([0, self.height_m - CAMERA_HEIGHT_M, 0], np.float32)
        return np.asarray(shifted @ self.turn().T, np.float32)


GATE_MOUNT: Final = Mount()


class Pose(NamedTuple):
    """Where the point between the eyes is (level metres) and how the head is turned (radians).

    `step` is the phase of a pair of steps (radians), `stride_m` how far the feet are apart at its longest.
    """

    x_m: float
    y_m: float
    distance_m: float
    yaw: float
    pitch: float
    roll: float
    lean: float = 0.0  # turn of the body about the vertical
    step: float = 0.0
    stride_m: float = 0.0

    def place(self) -> Floats:
        """The point between the eyes, level metres."""
        return np.array([self.x_m, self.y_m, self.distance_m], np.float32)


class Optics(NamedTuple):
    """Light on the person (1: neutral), how fine a head is drawn, how far the picture smears (sigma, px)."""

    gain: float = 1.0
    fine: int = 160_000  # pixels up to which a head is drawn at the picture's own resolution
    smear_x: float = 0.0
    smear_y: float = 0.0
    lamp: Lamp | None = None  # the gate's face light, if it is on
    finish: Finish = Finish()

    def spread(self) -> tuple[Floats, Floats]:
        """Separable kernels of lens and motion together."""
        return _gauss(np.hypot(_LENS_PX, self.smear_x)), _gauss(np.hypot(_LENS_PX, self.smear_y))


def _gauss(sigma: float) -> Floats:
    return np.asarray(cv2.getGaussianKernel(2 * round(2 * sigma + 0.5) + 1, sigma), np.float32)


def turn(yaw: float, pitch: float, roll: float) -> Floats:
    """Rotation matrix: roll about z, then pitch about x, then yaw about y."""
    angles = np.array([yaw, pitch, roll])
    (cy, cp, cr), (sy, sp, sr) = np.cos(angles), np.sin(angles)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


Raster = Callable[[Bytes, Patch], Bytes]  # lays a screen's or a print's own dots over its drawn picture


class Part(NamedTuple):
    """A surface in the lane: its points in level metres, its atlas (BGR, or premultiplied BGRA)."""

    surface: Surface
    points: Floats
    atlas: Bytes
    optics: Optics
    budget_px: int
    matter: Matter = Matter.BODY
    raster: Raster | None = None


def put(
    picture: Bytes,
    lens: Lens,
    surface: Surface,
    points: Floats,
    atlas: Bytes,
    optics: Optics,
    budget_px: int,
    raster: Raster | None = None,
) -> None:
    """Draw a surface, its points at `points` (camera metres), into the picture; at most `budget_px` fine."""
    light = None
    if optics.lamp is not None:
        light = returned(points, surface.faces, optics.lamp, optics.finish)
    if (patch := drawn(lens, surface, points, budget_px, light)) is None:
        return
    colour = cv2.remap(atlas, patch.map_x, patch.map_y, cv2.INTER_LINEAR)  # black where nothing lies
    cover = patch.cover
    if colour.shape[2] == 4:
        colour, cover = colour[..., :3], cv2.min(cover, colour[..., 3])
    if patch.carried is not None:
        colour = _lit(colour, cover, patch.carried / np.float32(optics.gain))
    if cover.shape != (patch.height, patch.width):
        colour = cv2.resize(colour, (patch.width, patch.height), interpolation=cv2.INTER_LINEAR)
        cover = cv2.resize(cover, (patch.width, patch.height), interpolation=cv2.INTER_LINEAR)
    kernel_x, kernel_y = optics.spread()
    colour = cv2.sepFilter2D(colour, -1, kernel_x * optics.gain, kernel_y)
    cover = cv2.sepFilter2D(cover, -1, kernel_x, kernel_y)
    if raster is not None:
        colour = raster(colour, patch)
    under = picture[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    clear = cv2.cvtColor(cv2.bitwise_not(cover), cv2.COLOR_GRAY2BGR)
    cv2.add(cv2.multiply(under, clear, scale=1 / 255), colour, dst=under)


def _lit(colour: Bytes, cover: Bytes, light: Floats) -> Bytes:
    """The colour with what a lamp adds to it, and to white, in parts of the colour's own light."""
    falls = 1 + light[..., 0]
    brighter = cv2.multiply(colour, cv2.merge((falls, falls, falls)), dtype=cv2.CV_8U)
    shine = cv2.min(cv2.convertScaleAbs(light[..., 1], alpha=255), cover)
    return np.asarray(cv2.add(brighter, cv2.cvtColor(shine, cv2.COLOR_GRAY2BGR)), np.uint8)


def drawn(
    lens: Lens, surface: Surface, points: Floats, budget_px: int, carry: Floats | None = None
) -> Patch | None:
    """Rasterise what a lens sees of a surface at `points` (camera metres). None: nothing.

    `carry` (N, 2) are values of the points that the patch shall carry.
    """
    corners, seen = points[surface.faces], lens.project(points)[surface.faces]
    b, c = seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0]
    facing = (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0] < 0) & (corners[..., 2].min(1) > _NEAR_M)
    shown = np.flatnonzero(facing)
    shown = shown[np.lexsort((-corners[shown][..., 2].mean(1), surface.layers[shown]))]
    if not len(shown):
        return None
    low, high = np.maximum(seen[shown].min((0, 1)), 0), np.minimum(seen[shown].max((0, 1)), lens[:2])
    extent = float(np.prod(np.maximum(high - low, 1)))
    fine = min(1.0, (budget_px / extent) ** 0.5)
    faces = surface.faces[shown]
    return draw(seen[shown], surface.texture[faces], lens[:2], fine, None if carry is None else carry[faces])


def put_person(
    picture: Bytes, lens: Lens, figure: Figure, pose: Pose, optics: Optics, mount: Mount = GATE_MOUNT
) -> None:
    """Draw a person with open eyes."""
    for part in person(figure, pose, optics):
        put(picture, lens, part.surface, mount.see(part.points), part.atlas, part.optics, part.budget_px)


def person(figure: Figure, pose: Pose, optics: Optics, closed: float = 0.0) -> Iterator[Part]:
    """The parts of a person, farthest first; the eyes are `closed` from 0 to 1.

    Hair that falls behind, legs, the body, and the head, turned about the neck, with what it wears.
    """
    eyes = pose.place()
    turned = turn(pose.yaw, pose.pitch, pose.roll).T
    pivot = figure.pivot
    if figure.behind is not None:
        hair = (figure.behind.points - pivot) @ turned + pivot + eyes
        yield Part(figure.behind, hair, figure.atlas, optics, _BODY_PX)
    leaning = turn(pose.lean, 0, 0).T
    if figure.legs is not None:
        hips = (figure.legs.hips - pivot) @ leaning + pivot + eyes
        legs = standing(figure.legs, hips, CAMERA_HEIGHT_M, pose.step, pose.stride_m)
        yield Part(legs, legs.points, figure.atlas, optics, _BODY_PX)
    body = (figure.body.points - pivot) @ leaning + pivot + eyes
    yield Part(figure.body, body, figure.atlas, optics, _BODY_PX)
    points = figure.head.points
    if closed > 0:
        points = points.copy()
        points[figure.face] += np.float32(closed) * falling(points[figure.face])
    yield Part(figure.head, (points - pivot) @ turned + pivot + eyes, figure.atlas, optics, optics.fine)
    for worn in figure.worn:
        at = (worn.surface.points - pivot) @ turned + pivot + eyes
        yield Part(worn.surface, at, worn.atlas, optics, optics.fine, worn.matter)
