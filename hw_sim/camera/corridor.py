"""The empty lane behind the person, and the sensor's noise."""

import functools
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera.render import CAMERA_HEIGHT_M, GATE_LENS, GATE_MOUNT, Lens, Mount

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_HALF_WIDTH_M: Final = 0.62  # glass side walls of the lane
_CEILING_M: Final = 2.75
_HALL_M: Final = 9.0  # to the wall of the arrivals hall
_LANE_END_M: Final = 4.2  # where the side walls begin
_NOISE_SIGMA: Final = 2.2  # grey levels, a small sensor at a gain that suits 200 lux
_NOISE_SLACK: Final = 64  # px by which the noise field is larger than a frame, so that no two frames share it


@functools.lru_cache(maxsize=8)
def empty_lane(seed: int, lens: Lens = GATE_LENS, mount: Mount = GATE_MOUNT) -> Bytes:
    """The lane without anybody, as a picture of the lens; `seed` moves the hall's furniture."""
    chance = np.random.default_rng(seed)
    x, y = _rays(lens, mount)
    lower = mount.height_m - CAMERA_HEIGHT_M  # what is at the default camera's height lies so far below this
    floor = mount.height_m / np.maximum(y, 1e-6)
    ceiling = (_CEILING_M - mount.height_m) / np.maximum(-y, 1e-6)
    side = _HALF_WIDTH_M / np.maximum(np.abs(x), 1e-6)
    hall = np.minimum(np.minimum(floor, ceiling), _HALL_M)
    picture = np.empty((lens.height, lens.width, 3), np.float32)
    picture[:] = _hall_wall(x * _HALL_M, y * _HALL_M - lower, chance)
    _lay(picture, (floor <= hall), _floor(x * floor, floor))
    _lay(picture, (ceiling <= hall), _ceiling(x * ceiling, ceiling))
    wall = side < np.minimum(hall, _LANE_END_M)
    glass = _glass(side, y * side - lower)
    picture[wall] = picture[wall] * 0.35 + glass[wall] * 0.65
    soft = cv2.GaussianBlur(picture, (0, 0), 1.6)  # the lens is focused on the person
    return np.asarray(np.clip(soft, 0, 255), np.uint8)


@functools.lru_cache(maxsize=8)
def floor_depth(lens: Lens = GATE_LENS, mount: Mount = GATE_MOUNT) -> Floats:
    """How far the floor between the glass walls is along the optical axis, metres; 0 where it is not seen."""
    x, y = _rays(lens, mount)
    ahead = mount.height_m / np.maximum(y, 1e-6)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ mount.turn().T
    between = (y > 1e-3) & (np.abs(x * ahead) < _HALF_WIDTH_M)
    return np.asarray(np.where(between, rays[..., 2] * ahead, 0), np.float32)


def _rays(lens: Lens, mount: Mount) -> tuple[Floats, Floats]:
    """How far aside and down each pixel looks for each metre ahead."""
    x = (np.arange(lens.width, dtype=np.float32) + 0.5 - lens.width / 2)[None, :] / lens.focal_px
    y = (np.arange(lens.height, dtype=np.float32) + 0.5 - lens.height / 2)[:, None] / lens.focal_px
    x, y = np.broadcast_arrays(x, y)
    if mount.tilt == mount.roll == 0:
        return x, y
    level = np.stack([x, y, np.ones_like(x)], axis=-1) @ mount.turn()  # the transpose is the inverse
    ahead = np.maximum(level[..., 2], 1e-3)
    return level[..., 0] / ahead, level[..., 1] / ahead


def _lay(picture: Floats, where: NDArray[np.bool_], colours: Floats) -> None:
    picture[where] = colours[where]


def _hall_wall(x: Floats, y: Floats, chance: np.random.Generator) -> Floats:
    light = 168 - 9 * y
    colour = np.stack([light * 1.02, light, light * 0.95], axis=-1)
    for _ in range(7):
        at, wide = chance.uniform(-5, 5), chance.uniform(0.3, 1.0)
        top, bottom = chance.uniform(-0.9, 0.1), chance.uniform(0.3, 1.6)
        paint = chance.uniform(60, 190) + chance.normal(0, 18, 3)
        board = (np.abs(x - at) < wide) & (y > top) & (y < bottom)
        colour[board] = 0.8 * paint + 0.2 * colour[board]
    return np.asarray(colour, np.float32)


def _floor(x: Floats, z: Floats) -> Floats:
    joint = (np.mod(x + 20, 0.6) < 0.012) | (np.mod(z, 0.6) < 0.02)
    light = np.where(joint, 92, 122 - 4 * np.minimum(z, 9))
    return np.asarray(np.stack([light, light * 1.01, light * 1.03], axis=-1), np.float32)


def _ceiling(x: Floats, z: Floats) -> Floats:
    lamp = (np.mod(z + 0.4, 2.2) < 0.5) & (np.abs(x) < 0.9)
    light = np.where(lamp, 250, 150 - 5 * np.minimum(z, 9))
    return np.asarray(np.stack([light, light, light * 0.98], axis=-1), np.float32)


def _glass(z: Floats, y: Floats) -> Floats:
    post = np.mod(z, 1.1) < 0.06
    rail = np.abs(y - 0.62) < 0.03
    light = np.where(post | rail, 60, 176 - 14 * np.minimum(z, 6) - 12 * y)
    return np.asarray(np.stack([light * 1.05, light * 1.03, light * 0.97], axis=-1), np.float32)


@functools.lru_cache(maxsize=4)
def _noise(height: int, width: int) -> tuple[Bytes, Bytes]:
    """Noise larger than a frame, split into what is added and what is taken away."""
    shape = (height + _NOISE_SLACK, width + _NOISE_SLACK, 3)
    field = np.random.default_rng(20).normal(0, _NOISE_SIGMA, shape)
    field += np.random.default_rng(21).normal(0, _NOISE_SIGMA * 0.6, shape[:2])[..., None]
    return np.clip(field, 0, 255).astype(np.uint8), np.clip(-field, 0, 255).astype(np.uint8)


def add_noise(picture: Bytes, chance: np.random.Generator) -> None:
    """Add the sensor's noise in place."""
    height, width = picture.shape[:2]
    more, less = _noise(height, width)
    x, y = (int(n) for n in chance.integers(0, _NOISE_SLACK, 2))
    window = (slice(y, y + height), slice(x, x + width))
    cv2.add(picture, more[window], dst=picture)
    cv2.subtract(picture, less[window], dst=picture)
