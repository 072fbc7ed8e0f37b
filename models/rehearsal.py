"""Goes once through a passage on a drawn face, before the first person comes.

What runs for the first time is slow: libraries are read from a disk that others use, memory is fetched, plans
are made. A person who walks must not be the one to wait for that, nor a daemon be thought dead over it. It is
also the last test before service: networks that are the right ones, by their hash, and yet find no face in
the plainest one, run on a processor or a runtime that computes wrongly.
"""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from models.image import thumbnail
from models.manifest import ModelError
from models.observer import Observer
from models.tflite import Image

FRAMES: Final = 14
RATE: Final = 15.0
HD: Final = (1280, 720)
NEAREST: Final = 0.75  # of the picture's height that the drawing fills at last
GROWTH: Final = 1.8
RULE_M: Final = 1.2

_WALL: Final = (140, 140, 140)
_HAIR, _CLOTH, _NECK, _SKIN = (40, 50, 60), (110, 70, 60), (130, 160, 205), (150, 180, 225)
_BROW, _WHITE, _IRIS, _PUPIL, _LID = (50, 60, 80), (245, 240, 235), (70, 60, 60), (20, 20, 20), (120, 90, 70)
_NOSE, _SHADE, _LIPS, _MOUTH = (165, 195, 240), (90, 110, 160), (90, 90, 190), (50, 50, 110)


def face(size: int) -> Image:
    """Draw head and shoulders of nobody, `size` pixels square (BGR)."""
    drawn = np.full((size, size, 3), _WALL, np.uint8)

    def oval(x: float, y: float, across: float, down: float, colour: tuple[int, int, int]) -> None:
        centre, axes = (round(x * size), round(y * size)), (round(across * size), round(down * size))
        cv2.ellipse(drawn, centre, axes, 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA)

    oval(0.5, 0.42, 0.27, 0.32, _HAIR)
    oval(0.5, 1.05, 0.45, 0.25, _CLOTH)
    oval(0.5, 0.75, 0.11, 0.16, _NECK)
    oval(0.5, 0.48, 0.22, 0.30, _SKIN)
    for x in (0.41, 0.59):
        oval(x, 0.385, 0.055, 0.012, _BROW)
        oval(x, 0.436, 0.044, 0.024, _LID)
        oval(x, 0.440, 0.042, 0.020, _WHITE)
        oval(x, 0.440, 0.019, 0.019, _IRIS)
        oval(x, 0.440, 0.008, 0.008, _PUPIL)
    oval(0.5, 0.530, 0.012, 0.070, _NOSE)
    for x in (0.485, 0.515):
        oval(x, 0.575, 0.012, 0.008, _SHADE)
    oval(0.5, 0.655, 0.070, 0.018, _LIPS)
    oval(0.5, 0.655, 0.070, 0.003, _MOUTH)
    soft: Image = cv2.GaussianBlur(drawn, (0, 0), max(size / 200, 0.5))
    return soft


def frame(nearness: float, size: tuple[int, int] = HD) -> Image:
    """Return a camera's picture of the drawing, of `size` (width, height).

    `nearness` rises from 0 to 1 as it comes up.
    """
    width, height = size
    side = round(min(size) * NEAREST * GROWTH ** (nearness - 1))
    seen = np.full((height, width, 3), _WALL, np.uint8)
    left, top = (width - side) // 2, (height - side) // 2
    seen[top : top + side, left : left + side] = face(side)
    return seen


def rehearse(observer: Observer, cameras: Mapping[str, tuple[int, int]]) -> None:
    """Let the drawing be enrolled and walk up to the cameras; forget it. Raises ModelError if it is not seen.

    `cameras` by name with their sizes (width, height): each is looked through, the last one watched.
    """
    observer.enrol(face(480))
    observer.begin([(0.4, True), (0.6, False)], RULE_M)
    for camera, size in cameras.items():
        observer.glance(frame(1.0, size), 0.0, camera)
    usable = 0
    for number in range(FRAMES):
        observer.see(frame(number / (FRAMES - 1), size), number / RATE, camera)
        usable = max(usable, observer.judge(1.0).frames)
    observer.shadow_score()
    likeness, best = observer.likeness(), observer.best()
    if not usable or likeness is None or best is None or not np.isfinite(likeness).all():
        raise ModelError(
            "rehearsal",
            "a drawn face is not recognised as one",
            "try `gatectl selftest`; if the files are right, this processor or runtime computes wrongly",
        )
    thumbnail(best, 240, 20_000)
    observer.wipe()
