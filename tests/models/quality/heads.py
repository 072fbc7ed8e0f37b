"""Heads of known pose and size, and pictures of known detail and light to put behind them."""

from typing import Final

import cv2
import numpy as np

from hw_sim.camera.presence import Apparel, Walker, Waypoint, Wearable
from hw_sim.camera.render import turn
from hw_sim.camera.scene import Scene, picture
from models.face import Face, Points
from models.tflite import Image
from tests.models.heads import shape

SIZE: Final = 600


def head(
    eyes_px: float = 120.0,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    at: tuple[float, float] = (SIZE / 2, SIZE / 2),
) -> Face:
    """A mesh in a picture, seen from far away; yaw to the head's left, pitch down, roll clockwise."""
    return Face(points=placed(shape(), eyes_px, yaw, pitch, roll, at), presence=1.0)


def placed(
    upright: Points, eyes_px: float, yaw: float, pitch: float, roll: float, at: tuple[float, float]
) -> Points:
    """A shape, turned, of this size, at this place."""
    rotation = turn(*np.deg2rad([-yaw, pitch, roll])).T.astype(np.float64)
    scale = eyes_px / Face(points=upright, presence=1.0).eye_distance
    points: Points = upright @ rotation * scale + [*at, 0]
    return points


def sharp(level: int = 128) -> Image:
    """Everywhere full of detail as wide as an eye's lid, with this mean level."""
    chance = np.random.default_rng(1)
    noise = chance.normal(level, 25, (SIZE // 4, SIZE // 4, 1)).clip(0, 255).astype(np.uint8)
    large: Image = cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
    return np.repeat(large[..., None], 3, axis=2)


def plain(level: int = 128) -> Image:
    """One level of grey."""
    return np.full((SIZE, SIZE, 3), level, np.uint8)


def wearing(person: str, *kinds: Apparel, distance_m: float = 0.8, style: int = 2) -> Image:
    """A rendered person who stands before the gate with these things on."""
    path = (Waypoint(time_s=0, distance_m=distance_m),)
    wears = tuple(Wearable(kind=kind, style=style) for kind in kinds)
    walker = Walker(person=person, path=path, seed=3, wears=wears, blinks=False)
    return picture(Scene(present=(walker,)), 0.7)


def smeared(image: Image, pixels: int, *, upright: bool = False) -> Image:
    """The image moved by so many pixels while it was exposed."""
    size = (1, pixels) if upright else (pixels, 1)
    moved: Image = cv2.blur(image, size)
    return moved
