"""The same scene as cameras of other kinds see it: how far it is, and what near-infrared light shows of it.

Both look from where the colour camera is, through its lens, pixel on pixel. They stand for modules that a
gate may have beside its cameras: their limits are typical ones, not those of a product.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera import corridor, staging
from hw_sim.camera.figure import Matter
from hw_sim.camera.lamp import Finish, Lamp, returned
from hw_sim.camera.presence import Scene
from hw_sim.camera.raster import Patch
from hw_sim.camera.render import Part, drawn

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Depths = NDArray[np.uint16]

_NEAREST_M: Final = 0.20
_FARTHEST_M: Final = 4.5
_DEPTH_NOISE_M: Final = 0.0015  # at 1 m, standard deviation; it grows with the square of the distance
_OPAQUE: Final = 128  # of 255: less than this of a surface and light passes through

_LED: Final = 0.62  # of the infrared lamp at 1 m on what faces it
_AMBIENT: Final = 0.06  # of the hall behind the filter
_IR_NOISE: Final = 2.5  # grey levels
_BRIGHT: Final = 205.0  # grey level that the exposure gives the brightest parts
_MOST_GAIN: Final = 2.0
_HALL: Final = 0.35  # how bright the hall is, of what the eye sees
_IR_GLOSS: Final = {
    Matter.BODY: Finish(matt=1.0, gloss=0.05),
    Matter.PRINT: Finish(matt=1.0, gloss=0.02),
    Matter.SCREEN: Finish(matt=1.0, gloss=1.0, sharp=2500.0),
}


def depth_picture(scene: Scene, time_s: float) -> Depths:
    """Millimetres along the optical axis, of the lens's size; 0 where there is no reading.

    There is none nearer than 0.2 m, beyond 4.5 m, and on the glass of the lane. Same arguments, same bytes.
    """
    metres = corridor.floor_depth(scene.lens, scene.mount).copy()
    for part in staging.parts(scene, time_s):
        points = scene.mount.see(part.points)
        carry = np.stack([1 / np.maximum(points[:, 2], 1e-3), np.zeros(len(points))], 1).astype(np.float32)
        if (patch := drawn(scene.lens, part.surface, points, part.budget_px, carry)) is None:
            continue
        assert patch.carried is not None  # noqa: S101 - what is given to carry is carried
        size = (patch.width, patch.height)
        near = cv2.resize(patch.carried[..., 0], size, interpolation=cv2.INTER_NEAREST)
        solid = cv2.resize(_solid(part, patch), size, interpolation=cv2.INTER_NEAREST) >= _OPAQUE
        area = metres[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
        area[solid] = 1 / np.maximum(near[solid], 1e-3)
    chance = _chance(scene, time_s, 1)
    noise = chance.standard_normal(metres.shape, np.float32)
    metres += noise * np.float32(_DEPTH_NOISE_M) * np.square(metres)
    seen = (metres >= _NEAREST_M) & (metres <= _FARTHEST_M)
    return np.where(seen, np.round(metres * 1000), 0).astype(np.uint16)


def infrared_picture(scene: Scene, time_s: float) -> Bytes:
    """Grey levels (height, width) at 850 nm, lit by a lamp at the camera. Same arguments, same bytes.

    Skin and hair are paler and more alike than to the eye, inks let through to the paper, a screen is dark.
    """
    lane = corridor.empty_lane(scene.seed, scene.lens, scene.mount)
    frame = cv2.cvtColor(lane, cv2.COLOR_BGR2GRAY).astype(np.float32) * np.float32(_HALL)
    lamp = Lamp(np.zeros(3, np.float32), _LED)
    for part in staging.parts(scene, time_s):
        points = scene.mount.see(part.points)
        light = returned(points, part.surface.faces, lamp, _IR_GLOSS[part.matter])
        if (patch := drawn(scene.lens, part.surface, points, part.budget_px, light)) is None:
            continue
        assert patch.carried is not None  # noqa: S101 - what is given to carry is carried
        cover = _solid(part, patch)
        seen = _reflects(part, patch) * (_AMBIENT + patch.carried[..., 0]) + 255 * patch.carried[..., 1]
        share = cover.astype(np.float32) / 255
        both = np.dstack([seen * share, share])
        if cover.shape != (patch.height, patch.width):
            both = cv2.resize(both, (patch.width, patch.height), interpolation=cv2.INTER_LINEAR)
        both = cv2.sepFilter2D(both, -1, *part.optics.spread())
        area = frame[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
        area[:] = area * (1 - both[..., 1]) + both[..., 0]
    frame *= min(_MOST_GAIN, _BRIGHT / float(np.percentile(frame[::8, ::8], 96)))
    frame += _chance(scene, time_s, 2).standard_normal(frame.shape, np.float32) * np.float32(_IR_NOISE)
    return np.asarray(np.clip(frame, 0, 255), np.uint8)


def _solid(part: Part, patch: Patch) -> Bytes:
    """How opaque each pixel of a drawn part is, 0 to 255."""
    if part.atlas.shape[2] == 3:
        return patch.cover
    alpha = cv2.remap(part.atlas[..., 3], patch.map_x, patch.map_y, cv2.INTER_LINEAR)
    return np.asarray(cv2.min(patch.cover, alpha), np.uint8)


def _reflects(part: Part, patch: Patch) -> Floats:
    """Grey levels of a surface in full infrared light."""
    if part.matter is Matter.SCREEN:
        return np.full(patch.cover.shape, 9.0, np.float32)
    colour = cv2.remap(part.atlas, patch.map_x, patch.map_y, cv2.INTER_LINEAR)[..., :3].astype(np.float32)
    if part.matter is Matter.PRINT:
        return np.asarray(205 + 0.10 * colour.mean(2), np.float32)
    return np.asarray(88 + 0.45 * colour[..., 2], np.float32)


def _chance(scene: Scene, time_s: float, kind: int) -> np.random.Generator:
    return np.random.default_rng([scene.seed, round(time_s * 1e4) % 2**63, kind])
