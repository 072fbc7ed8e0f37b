"""Frames of presentations with the meshes that geometry gives: everything but the networks.

A real mesh wanders by parts of a pixel, and on a print it leans towards what a head would do: `LEAN` is how
much of that is put in here, more than was measured, so that a check that trusted the mesh would be caught.
"""

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from models.face import Face, Points
from models.tflite import Image
from tests.bench import presentations
from tests.bench.presentations import EYES_M, Camera, Kind, Presentation, Subject, Way, present, turn

WANDER: Final = 0.006  # eye distances
LEAN: Final = 0.25
LENS: Final = Camera(width=960, height=720, focal_px=1000.0, fps=12.0, noise=2.0, blur=0.6, jpeg=0)


@functools.cache
def subject(seed: int) -> Subject:
    return presentations.random_figure(seed)


def drawn(
    kind: Kind,
    way: Way,
    seed: int,
    *,
    radius_m: float | None = None,
    lens: Camera = LENS,
    seconds: float = 1.4,
) -> Presentation:
    """A presentation whose subject is a random figure."""
    return present(kind, way, subject(7000 + seed % 4), seed, radius_m=radius_m, lens=lens, seconds=seconds)


def turned(kind: Kind, seed: int, degrees: float, *, frames: int = 14) -> Presentation:
    """Somebody, or a sheet, at one distance, turned from side to side by so many degrees and back."""
    base = drawn(kind, "frozen", seed)
    at = np.arange(frames) / LENS.fps
    turns = np.zeros((frames, 3))
    turns[:, 0] = np.deg2rad(degrees) * np.sin(2 * np.pi * 0.6 * at)
    places = np.tile([0.02, 0.03, LENS.focal_px * EYES_M / 85], (frames, 1))
    return replace(base, motion=presentations.Motion(at=at, places=places, turns=turns), axis=0.0)


def seen(presentation: Presentation, *, whole: bool = False) -> Iterator[tuple[Image, Face, float]]:
    """Yield (picture, face, moment): a mesh in the picture's pixels."""
    chance = np.random.default_rng([presentation.seed, 8])
    camera, shape = presentation.camera, _shape(presentation.subject)
    moments = zip(presentation.motion.places, presentation.motion.turns, strict=True)
    for (at, picture, corner), (place, angles) in zip(
        presentations.frames(presentation, whole=whole), moments, strict=True
    ):
        head = _project(shape, presentation.subject.pivot, place, angles, camera)
        points = head
        if presentation.kind != "person":
            sheet = _on_sheet(presentation)
            print_points = _project(sheet, np.zeros(3), place, angles, camera)
            points = (1 - LEAN) * print_points + LEAN * head
            points[:, 2] = head[:, 2]  # a mesh tells the depth of a face whatever it is shown
        unit = camera.focal_px * EYES_M / place[2]
        points[:, :2] += chance.normal(0, WANDER * unit, (len(points), 2)) - corner
        yield picture, Face(points=points, presence=1.0), at


@functools.lru_cache(maxsize=8)
def filmed(
    kind: Kind, way: Way, seed: int, *, whole: bool = False, seconds: float = 1.4
) -> tuple[tuple[Image, Face, float], ...]:
    """What `seen` yields of a drawn presentation, kept for other tests: nobody may write into it."""
    return tuple(seen(drawn(kind, way, seed, seconds=seconds), whole=whole))


def _shape(subject: Subject) -> Points:
    face = subject.head[0]
    assert face.layers is not None
    first = int(face.faces[face.layers == face.layers.max()].min())
    return np.asarray(face.points[first : first + 468], np.float64)


def _on_sheet(presentation: Presentation) -> Points:
    """Where the mesh's points lie on the instrument, in metres."""
    subject = presentation.subject
    shape = _shape(subject)
    flat = np.column_stack([shape[:, :2] * 2.0 / (2.0 + shape[:, 2:]), np.zeros(468)])
    flat *= presentation.face_scale
    if np.isfinite(presentation.radius_m):
        radius = presentation.radius_m
        along = np.array([np.cos(presentation.axis), np.sin(presentation.axis)])
        s = flat[:, :2] @ along
        flat[:, :2] += np.outer(radius * np.sin(s / radius) - s, along)
        flat[:, 2] = radius * (1 - np.cos(s / radius))
    return flat


def _project(shape: Points, pivot: Points, place: Points, angles: Points, camera: Camera) -> Points:
    moved = (shape - pivot) @ turn(*angles).T + pivot + place
    middle = np.array([camera.width, camera.height]) / 2
    pixels = moved[:, :2] * (camera.focal_px / moved[:, 2:]) + middle
    return np.column_stack([pixels, (moved[:, 2] - place[2]) * camera.focal_px / place[2]])
