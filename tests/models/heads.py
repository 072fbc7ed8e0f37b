"""Tracks of a head, of a print, and of a bent print, as the mesh would give them: geometry and noise alone.

A real mesh has a prior: it sees some of a head's relief in any picture of a face. `LEAK` is how much of it is
put into the tracks of prints here; rendered prints behave as with about a fifth.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from hw_sim.camera import looks
from hw_sim.camera.people import PEOPLE
from hw_sim.camera.render import GATE_LENS, turn
from models.face import Points

Kind = Literal["head", "flat", "bent"]
Path = npt.NDArray[np.float64]

LEAK: Final = 0.2
BEND_M: Final = 0.15
NOISE_PX: Final = 0.12
APPROACH: Final = np.linspace(1.4, 0.7, 24)  # metres, one for each frame
STILL: Final = np.full(24, 0.75)


def shape(person: str = "ada") -> Points:
    """The 468 points of a face in metres, looking along -z."""
    return looks.face(PEOPLE[person]).astype(np.float64)


def tracks(
    kind: Kind, distances: Path, seed: int, *, yaw_deg: float = 4.0, noise_px: float = NOISE_PX
) -> list[Points]:
    """What the mesh gives for each frame: pixels, and z on the scale of x."""
    chance = np.random.default_rng([seed, 9])
    phase, hertz = chance.uniform(0, 2 * np.pi, 3), chance.uniform(0.3, 0.7, 3)
    size = np.deg2rad(yaw_deg) * np.array([1.0, 0.5, 0.3])
    person = sorted(PEOPLE)[seed % len(PEOPLE)]
    frames = []
    for number, distance in enumerate(distances):
        turns = size * np.sin(2 * np.pi * hertz * number / 15 + phase)
        sway = np.array([*chance.normal(0, 0.002, 2), distance])
        head = _seen(shape(person), turns, sway)
        points = head if kind == "head" else _print(kind, person, turns, sway, head)
        points[:, :2] += chance.normal(0, noise_px, (len(points), 2))
        frames.append(points)
    return frames


def _print(kind: Kind, person: str, turns: Path, place: Path, head: Points) -> Points:
    """The print's points where optics puts them, drawn a little towards where a head's would be."""
    sheet = shape(person)
    sheet[:, 2] = 0
    if kind == "bent":
        across = sheet[:, 0] / BEND_M
        sheet[:, 0], sheet[:, 2] = BEND_M * np.sin(across), BEND_M * (1 - np.cos(across))
    points = _seen(sheet, turns, place)
    points = (1 - LEAK) * points + LEAK * head
    points[:, 2] = head[:, 2]  # the depth that a mesh tells is always that of a face
    return points


def _seen(surface: Points, turns: Path, place: Path) -> Points:
    moved = surface @ turn(*turns).T.astype(np.float64) + place
    pixels = GATE_LENS.project(moved.astype(np.float32)).astype(np.float64)
    depth = (moved[:, 2] - place[2]) * GATE_LENS.focal_px / place[2]
    return np.column_stack([pixels, depth])
