"""What stands before the camera, and the picture of it at a moment: a pure function of scene and time."""

import numpy as np
from numpy.typing import NDArray

from hw_sim.camera import corridor as lane
from hw_sim.camera import people, staging
from hw_sim.camera.presence import (
    Lit,
    MaskWearer,
    PhotoHolder,
    Presence,
    Scene,
    Seed,
    TabletHolder,
    Walker,
    Waypoint,
    Wearable,
    shown_person,
)
from hw_sim.camera.render import put

__all__ = [
    "Lit",
    "MaskWearer",
    "PhotoHolder",
    "Presence",
    "Scene",
    "Seed",
    "TabletHolder",
    "Walker",
    "Waypoint",
    "Wearable",
    "picture",
    "prepare",
    "unknown_person",
]

Bytes = NDArray[np.uint8]


def picture(scene: Scene, time_s: float) -> Bytes:
    """The frame BGR, of the lens's size, that is exposed at `time_s`. The same arguments, the same bytes."""
    frame = lane.empty_lane(scene.seed, scene.lens, scene.mount).copy()
    for part in staging.parts(scene, time_s):
        points = scene.mount.see(part.points)
        put(frame, scene.lens, part.surface, points, part.atlas, part.optics, part.budget_px, part.raster)
    lane.add_noise(frame, np.random.default_rng([scene.seed, round(time_s * 1e4) % 2**63]))
    return frame


def prepare(scene: Scene) -> None:
    """Make what is slow to make (bodies, prints, the lane) before a frame needs it."""
    lane.empty_lane(scene.seed, scene.lens, scene.mount)
    staging.prepare(scene)


def unknown_person(scene: Scene) -> str | None:
    """Say who in the scene does not exist, if anybody."""
    named = {name for presence in scene.present for name in (presence.person, shown_person(presence)) if name}
    unknown = sorted(name for name in named if not people.known(name))
    return f"nobody is called {', '.join(unknown)}" if unknown else None
