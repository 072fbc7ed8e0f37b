"""The people of the simulated world: invented names, and faces mixed from two public-domain portraits."""

import functools
import re
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera import looks
from hw_sim.camera.figure import PIVOT, Cloth, Figure, Hair, build
from hw_sim.camera.growth import grown
from hw_sim.camera.looks import Looks
from hw_sim.camera.render import Lens, Optics, Pose, put_person
from hw_sim.camera.strangers import sibling, stranger

Bytes = NDArray[np.uint8]

# chosen among random ones so that the gate's embedder takes every two for strangers (test_people.py)
PEOPLE: Final = {
    "ada": Looks(
        shape=-0.06, skin=0.18, eyes=0.0, mouth=0.0, tone=(150, 169, 216), height_m=1.60,
        hair=Hair(0.024, 0.020, 0.0, (62, 96, 128)), cloth=Cloth((96, 62, 40), (225, 225, 225)),
        brows=0.23, lips=0.16, fringe=0.65,
        features=(("nose_length", -0.2), ("eye_slant", 0.7), ("eye_size", -0.6), ("brow_height", -0.9),
                  ("mouth_width", 0.3), ("forehead", -0.9)),
    ),
    "blaise": Looks(
        shape=0.82, skin=0.97, eyes=1.0, mouth=1.0, tone=(122, 153, 212), height_m=1.56,
        hair=Hair(0.020, 0.012, 0.0, (150, 152, 158)), cloth=Cloth((60, 60, 64), (60, 60, 64)),
        lips=0.24, fringe=0.07,
        features=(("lip_size", -0.8), ("mouth_width", 0.5), ("nose_width", 0.3)),
    ),
    "carl": Looks(
        shape=0.68, skin=0.2, eyes=0.0, mouth=1.0, tone=(98, 138, 188), height_m=1.68,
        hair=Hair(0.016, 0.006, 0.0, (28, 34, 44)), cloth=Cloth((50, 90, 60), (40, 70, 50)),
        brows=0.68, brow_colour=(20, 26, 34), beard=0.8, moustache=0.8, fringe=0.1,
        features=(("lip_size", 0.8), ("jaw", 0.7), ("nose_bridge", -0.4), ("eye_distance", -0.5),
                  ("nose_width", 0.4), ("mouth_width", 0.3), ("eye_size", -0.3)),
    ),
    "emmy": Looks(
        shape=0.16, skin=0.05, eyes=0.0, mouth=0.0, tone=(44, 76, 118), height_m=1.63,
        hair=Hair(0.024, 0.022, 0.16, (18, 20, 24)), cloth=Cloth((40, 40, 150), (40, 40, 150)),
        brows=0.38, brow_colour=(12, 14, 18), lips=0.62, fringe=0.27,
        features=(("cheeks", -1.1), ("nose_width", -1.0), ("nose_bridge", -0.2), ("forehead", -0.6),
                  ("eye_distance", 0.3), ("brow_height", 0.9)),
    ),
    "kurt": Looks(
        shape=0.69, skin=0.73, eyes=0.0, mouth=1.0, tone=(141, 160, 200), height_m=1.66,
        hair=Hair(0.004, 0.004, 0.0, (170, 175, 180)), cloth=Cloth((110, 90, 80), (210, 200, 200)),
        lines=0.08, brows=0.29, brow_colour=(130, 135, 140),
        features=(("chin", 0.9), ("lip_size", -0.7), ("nose_width", -1.1), ("forehead", 1.0),
                  ("mouth_height", -1.1)),
    ),
    "sofia": Looks(
        shape=-0.21, skin=0.04, eyes=0.0, mouth=1.0, tone=(150, 188, 236), height_m=1.59,
        hair=Hair(0.024, 0.019, 0.17, (22, 26, 36)), cloth=Cloth((120, 60, 130), (120, 60, 130)),
        brows=0.59, brow_colour=(18, 22, 30), lips=0.71, fringe=0.53,
        features=(("chin", -0.2), ("jaw", -0.7), ("lip_size", 0.3)),
    ),
}  # fmt: skip


# for the rule of 1.20 m: one below it, one above
CHILDREN: Final = {
    "mina": Looks(
        shape=0.90, skin=0.0, eyes=0.0, mouth=0.0, tone=(36, 56, 92), stature_m=1.18,
        hair=Hair(0.018, 0.019, 0.14, (20, 24, 32)), cloth=Cloth((150, 190, 90), (150, 190, 90)),
        brows=0.27, brow_colour=(16, 20, 26), lips=0.68, fringe=0.35,
        features=(("temples", 0.2), ("nose_width", 0.65), ("nose_length", -0.9), ("eye_size", 1.0),
                  ("nose_bridge", 1.15), ("lip_size", 1.15), ("eye_slant", -0.2), ("chin", -0.55),
                  ("brow_height", -0.7), ("eye_distance", -0.2), ("mouth_width", 0.4),
                  ("mouth_height", -1.0), ("jaw", 0.4)),
    ),
    "levi": Looks(
        shape=0.14, skin=0.35, eyes=0.0, mouth=0.0, tone=(83, 104, 154), stature_m=1.30,
        hair=Hair(0.020, 0.010, 0.0, (26, 32, 42)), cloth=Cloth((60, 130, 220), (40, 90, 190)),
        brows=0.69, brow_colour=(20, 24, 32), fringe=0.07,
        features=(("chin", -1.0), ("eye_slant", -0.9), ("lip_size", 0.65), ("eye_distance", 0.7),
                  ("brow_height", 1.15), ("mouth_height", 0.8), ("cheeks", 1.15), ("nose_width", 0.3),
                  ("eye_size", 0.3), ("nose_length", -0.2), ("jaw", 0.5), ("mouth_width", 0.25),
                  ("forehead", -0.25), ("nose_bridge", 1.15), ("temples", -0.3)),
    ),
}  # fmt: skip

# "alma" is much like Ada, yet another to the gate's embedder; "aida" is her twin, whom it takes for Ada
LOOKALIKES: Final = {
    "alma": sibling(PEOPLE["ada"], stranger(140), 0.50),
    "aida": sibling(PEOPLE["ada"], stranger(140), 0.20),
}

EVERYBODY: Final = {**PEOPLE, **CHILDREN, **LOOKALIKES}

_STRANGER: Final = re.compile(r"stranger-(0|[1-9][0-9]{0,8})")


@functools.lru_cache(maxsize=512)
def looks_of(person_id: str) -> Looks:
    """The looks of a named person, or of a stranger: `stranger-SEED`. Raises KeyError for anybody else."""
    if (named := EVERYBODY.get(person_id)) is not None:
        return named
    if (numbered := _STRANGER.fullmatch(person_id)) is not None:
        return stranger(int(numbered[1]))
    raise KeyError(person_id)


def known(person_id: str) -> bool:
    """Whether somebody is called so."""
    return person_id in EVERYBODY or _STRANGER.fullmatch(person_id) is not None


def _seed_of(person_id: str) -> int:
    """Where somebody's pores and hairs come from."""
    if person_id in EVERYBODY:
        return 1 + list(EVERYBODY).index(person_id)
    return 1000 + int(person_id.rpartition("-")[2])


@functools.lru_cache(maxsize=48)  # of 4 MB each
def figure(person_id: str) -> Figure:
    """The body of a person at their own height. Raises KeyError for an unknown one."""
    stature_m = looks_of(person_id).stature_m
    figure = grown_up(person_id)
    return figure if stature_m is None else grown(figure, stature_m)


@functools.lru_cache(maxsize=48)
def grown_up(person_id: str) -> Figure:
    """The body of a person as a grown-up. Raises KeyError for an unknown one."""
    chosen = looks_of(person_id)
    seed = _seed_of(person_id)
    shape = looks.face(chosen)
    return build(
        shape, looks.skin(chosen, seed), chosen.tone, chosen.hair, chosen.cloth, width=chosen.width,
        seed=seed, eye_height_m=chosen.height_m,
    )  # fmt: skip


_STUDIO: Final = Lens(620, 797, 5200.0)  # 35:45, as ICAO portraits are; a head fills 3/4 of the height
_STUDIO_M: Final = 2.0
_PASSPORT_PX: Final = (413, 531)  # 35 x 45 mm at 300 dpi
_PASSPORT_BYTES: Final = 20_480  # what issuers give a portrait on the chip
_SUPERSAMPLED: Final = 620 * 797


@functools.lru_cache(maxsize=32)
def portrait(person_id: str, seed: int) -> Bytes:
    """A studio portrait (797, 620, 3) BGR: frontal, plain light background (Doc 9303-9, ISO/IEC 39794-5)."""
    chance = np.random.default_rng([seed, 404])
    yaw, pitch, roll = np.deg2rad(chance.normal(0, [1.2, 1.0, 0.7]))
    body = figure(person_id)
    size = float(body.pivot[1] / PIVOT[1])  # the smaller the head, the nearer the camera
    x_m, y_m = size * float(chance.normal(0, 0.002)), size * -0.018
    pose = Pose(x_m, y_m, size * _STUDIO_M, float(yaw), float(pitch), float(roll))
    picture = np.full((_STUDIO.height, _STUDIO.width, 3), (222, 220, 216), np.uint8)
    put_person(picture, _STUDIO, body, pose, Optics(gain=1.04, fine=_SUPERSAMPLED))
    return picture


STUDIO_SCALE: Final = _STUDIO.focal_px / _STUDIO_M  # pixels of a portrait for a metre of a face
STUDIO_EYES: Final = (_STUDIO.width / 2, _STUDIO.height / 2 - 0.018 * STUDIO_SCALE)  # where its eyes are


def passport_photo(person_id: str, seed: int) -> bytes:
    """The portrait as a chip's JPEG, 413 x 531 px, at most 20 KiB. Raises KeyError for an unknown person."""
    picture = cv2.resize(portrait(person_id, seed), _PASSPORT_PX, interpolation=cv2.INTER_AREA)
    for quality in range(92, 30, -4):
        jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
        if len(jpeg) <= _PASSPORT_BYTES:
            return jpeg
    raise ValueError(f"the portrait of {person_id} does not fit {_PASSPORT_BYTES} bytes")
