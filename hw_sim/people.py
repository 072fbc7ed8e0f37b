"""The people of the simulated world. Nobody's names; nobody's faces: each is mixed from two portraits."""

import functools
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim import looks
from hw_sim.figure import Cloth, Figure, Hair, build
from hw_sim.looks import Looks
from hw_sim.render import Lens, Optics, Pose, put_person

Bytes = NDArray[np.uint8]

PEOPLE: Final = {
    "ada": Looks(
        shape=0.0, skin=0.0, eyes=0.0, mouth=0.0, tone=(150, 178, 222), lips=0.2, fringe=0.8,
        hair=Hair(0.03, 0.026, 0.0, (62, 96, 128)), cloth=Cloth((96, 62, 40), (225, 225, 225)),
    ),
    "blaise": Looks(
        shape=1.0, skin=1.0, eyes=1.0, mouth=1.0, tone=(120, 150, 210),
        hair=Hair(0.02, 0.012, 0.0, (150, 152, 158)), cloth=Cloth((60, 60, 64), (60, 60, 64)),
    ),
    "carl": Looks(
        shape=0.6, skin=0.5, eyes=0.0, mouth=1.0, tone=(105, 140, 195), beard=0.9, moustache=0.9, brows=0.8,
        hair=Hair(0.016, 0.006, 0.0, (28, 34, 44)), cloth=Cloth((50, 90, 60), (40, 70, 50)), brow_colour=(20, 26, 34),
        features=(("jaw", 1.0), ("nose_width", 0.6), ("nose_length", 0.6), ("brow_height", -0.8), ("mouth_width", 0.3)),
    ),
    "emmy": Looks(
        shape=0.2, skin=0.0, eyes=0.0, mouth=1.0, tone=(52, 78, 128), brows=0.5, lips=0.3,
        hair=Hair(0.03, 0.03, 0.16, (18, 20, 24)), cloth=Cloth((40, 40, 150), (40, 40, 150)), brow_colour=(12, 14, 18),
        features=(("nose_width", 1.0), ("lip_size", 0.9), ("cheeks", 0.8), ("eye_distance", 0.6), ("forehead", 0.7)),
    ),
    "kurt": Looks(
        shape=1.2, skin=0.8, eyes=0.0, mouth=1.0, tone=(140, 165, 208), lines=0.1, brows=0.4,
        hair=Hair(0.004, 0.004, 0.0, (170, 175, 180)), cloth=Cloth((110, 90, 80), (210, 200, 200)), brow_colour=(130, 135, 140),
        features=(("chin", 1.0), ("jaw", -0.6), ("nose_length", 1.0), ("eye_distance", -0.8), ("mouth_width", -0.5)),
    ),
    "sofia": Looks(
        shape=-0.3, skin=0.2, eyes=0.0, mouth=0.0, tone=(130, 170, 225), brows=0.7, lips=0.9,
        hair=Hair(0.03, 0.025, 0.17, (22, 26, 36)), cloth=Cloth((120, 60, 130), (120, 60, 130)), brow_colour=(18, 22, 30),
        features=(("eye_size", 0.7), ("eye_slant", 1.0), ("chin", -0.8), ("nose_length", -0.8), ("jaw", -0.8)),
    ),
}  # fmt: skip


@functools.cache
def figure(person_id: str) -> Figure:
    """The body of a person. Raises KeyError for an unknown one."""
    chosen = PEOPLE[person_id]
    seed = 1 + list(PEOPLE).index(person_id)
    shape = looks.face(chosen)
    return build(
        shape, looks.skin(chosen, seed), chosen.tone, chosen.hair, chosen.cloth, width=chosen.width, seed=seed
    )


_STUDIO: Final = Lens(620, 797, 5200.0)  # 35:45, as ICAO portraits are; a head fills three quarters of the height
_STUDIO_M: Final = 2.0
_PASSPORT_PX: Final = (413, 531)  # 35 x 45 mm at 300 dpi
_PASSPORT_BYTES: Final = 20_480  # what issuers give a portrait on the chip
_SUPERSAMPLED: Final = 620 * 797


@functools.lru_cache(maxsize=32)
def portrait(person_id: str, seed: int) -> Bytes:
    """A studio portrait (797, 620, 3) BGR: frontal, plain light background, even light (Doc 9303-9, ISO 39794-5)."""
    chance = np.random.default_rng([seed, 404])
    yaw, pitch, roll = np.deg2rad(chance.normal(0, [1.2, 1.0, 0.7]))
    pose = Pose(float(chance.normal(0, 0.002)), -0.018, _STUDIO_M, float(yaw), float(pitch), float(roll))
    picture = np.full((_STUDIO.height, _STUDIO.width, 3), (222, 220, 216), np.uint8)
    put_person(picture, _STUDIO, figure(person_id), pose, Optics(gain=1.04, fine=_SUPERSAMPLED))
    return picture


def passport_photo(person_id: str, seed: int) -> bytes:
    """The portrait as a chip's JPEG, 413 x 531 px, at most 20 KiB. Raises KeyError for an unknown person."""
    picture = cv2.resize(portrait(person_id, seed), _PASSPORT_PX, interpolation=cv2.INTER_AREA)
    for quality in range(92, 30, -4):
        jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
        if len(jpeg) <= _PASSPORT_BYTES:
            return jpeg
    raise ValueError(f"the portrait of {person_id} does not fit {_PASSPORT_BYTES} bytes")
