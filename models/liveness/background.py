"""What lies around the face, and whether it moves with the face as a sheet does, or stays behind.

A person's head moves before a lane that stands still. The edges of a sheet, the picture printed around the
face and the frame of a tablet move as the face does. So what surrounds the face, outside the outline that a
head with hair may have and above the shoulders, is laid upon an earlier view twice: as it lies in the image
(still), and carried along with the face (held). Cells that fit one far better than the other vote.

What has no texture votes for neither, nor does somebody who passes behind: then there is no evidence. A mask
cut out along the face has no surroundings and looks like a person here; a scarf or a broad hat moves with
the face. So this is a cue, not a proof.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.face import Points, eye_centres
from models.liveness.cue import Cue, chance
from models.tflite import Image

Singles = npt.NDArray[np.float32]

SIDE: Final = 96
CELL: Final = 8
_REACH: Final = 4.5  # eye distances from the middle of the face to the side of the picture
_HEAD: Final = (1.9, 2.45)  # half axes of what may be head or hair, eye distances
_HEAD_UP: Final = 0.2  # its middle lies so far above that of the face
_SHOULDERS: Final = 0.6  # below this everything may be the person
_MOVED: Final = 2.0  # pixels by which a cell must differ between the two ways before it may vote
_RESIZED: Final = 1.35  # growth after which a new view is begun
_APART_S: Final = 1.0
_LOOK_S: Final = 0.1  # between two views: nearer ones tell the same
_TEXTURE: Final = 0.15  # energy of a cell that can vote
_CLEAR: Final = 0.35  # of (still - held) / (still + held)
_VOTES: Final = 6.0  # for full weight
_LEAST: Final = 2.0
_HELD: Final = 0.175  # share of held cells at which nothing is said
_MOST: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Votes of cells around the face, averaged over the views that could tell."""

    views: int
    held: float
    still: float


class BackgroundCheck:
    """Compares what surrounds one face from view to view."""

    def __init__(self) -> None:
        self._earlier: tuple[Points, Singles] | None = None
        self._at = float("-inf")
        self._votes: list[tuple[float, float]] = []

    def add(self, image: Image, points: Points, at: float) -> None:
        """Take one frame (BGR) with its mesh (468, 3)."""
        place = _place(points)
        gap = at - self._at
        if gap < _LOOK_S:
            return
        self._at = at
        if self._earlier is None or gap > _APART_S:
            self._begin(image, place)
            return
        before, earlier = self._earlier
        growth = float(np.hypot(*place[0, :2]) / np.hypot(*before[0, :2]))
        if _shift(before, place) < _MOVED * _per_pixel(before):
            return
        votes = vote(earlier, _seen(image, before), _seen(image, place), _differ(before, place))
        self._votes.append(votes)
        del self._votes[:-60]
        if not 1 / _RESIZED < growth < _RESIZED or _shift(before, place) > CELL * _per_pixel(before):
            self._begin(image, place)

    def measure(self) -> Surroundings | None:
        """Join the votes so far; None while nothing could tell."""
        if not self._votes:
            return None
        held, still = np.mean(self._votes, axis=0)
        return Surroundings(views=len(self._votes), held=float(held), still=float(still))

    def judge(self) -> Cue:
        """Say what the surroundings do."""
        found = self.measure()
        if found is None or found.held + found.still < _LEAST:
            return Cue(name="background", score=None, reason="no movement against textured surroundings")
        share = found.held / (found.held + found.still)
        weight = min(1.0, (found.held + found.still) / _VOTES)
        value = _MOST * weight * float(np.clip((_HELD - share) / _HELD, -1, 1))
        told = "moves with the face" if share > _HELD else "stays behind"
        return Cue(
            name="background",
            score=chance(value),
            reason=f"what surrounds the face {told} ({share:.0%} held)",
        )

    def _begin(self, image: Image, place: Points) -> None:
        if self._earlier is not None:
            self._earlier[1].fill(0)
        self._earlier = place, _seen(image, place)

    def wipe(self) -> None:
        """Overwrite and drop everything."""
        if self._earlier is not None:
            self._earlier[1].fill(0)
        self._earlier = None
        self._at = float("-inf")
        self._votes.clear()


def vote(earlier: Singles, still: Singles, held: Singles, differ: Singles) -> tuple[float, float]:
    """Count the cells that were held with the face, and those that stood still."""
    as_still, as_held = _cells(np.square(earlier - still)), _cells(np.square(earlier - held))
    texture = _cells(np.square(earlier))
    able = _OUTSIDE & (texture > _TEXTURE) & (differ > _MOVED)
    lean = (as_still - as_held) / (as_still + as_held + 0.05)
    return float((able & (lean > _CLEAR)).sum()), float((able & (lean < -_CLEAR)).sum())


def _place(points: Points) -> Points:
    """2 x 3 matrix from the square picture around a face to the image."""
    eyes = eye_centres(points)
    across = eyes[1] - eyes[0]
    middle = eyes.mean(0) + 0.5 * np.array([-across[1], across[0]])
    unit = 2 * _REACH / SIDE * np.array([[across[0], -across[1]], [across[1], across[0]]])
    centre = np.full(2, (SIDE - 1) / 2)
    return np.column_stack([unit, middle - unit @ centre])


def _per_pixel(place: Points) -> float:
    return float(np.hypot(*place[:, 0]))


def _shift(before: Points, place: Points) -> float:
    """How far the two ways differ at most in the surroundings, pixels of the image."""
    corners = np.array([[0, 0, 1], [SIDE - 1, 0, 1], [0, SIDE / 2, 1], [SIDE - 1, SIDE / 2, 1]])
    return float(np.hypot(*((place - before) @ corners.T)).max())


def _differ(before: Points, place: Points) -> Singles:
    """How far the two ways differ in each cell, pixels of the picture."""
    middles = np.arange(SIDE // CELL) * CELL + (CELL - 1) / 2
    x, y = np.meshgrid(middles, middles)
    away = np.tensordot(place - before, np.stack([x, y, np.ones_like(x)]), 1)
    return np.asarray(np.hypot(*away) / _per_pixel(before), np.float32)


def _seen(image: Image, place: Points) -> Singles:
    """The surroundings laid into the square, without light: texture alone."""
    fine = 2
    finer = np.column_stack(
        [place[:, :2] / fine, place[:, 2] - place[:, :2] @ np.full(2, 0.5 * (1 - 1 / fine))]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(
        image, finer, (SIDE * fine, SIDE * fine), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.7)
    rest = soft - cv2.blur(soft, (13, 13))
    contrast = np.sqrt(np.maximum(cv2.blur(rest * rest, (25, 25)), 0))  # running sums end a little below 0
    return np.asarray(rest / (contrast + 4.0), np.float32)


def _cells(picture: Singles) -> Singles:
    cells: Singles = cv2.resize(picture, (SIDE // CELL, SIDE // CELL), interpolation=cv2.INTER_AREA)
    return cells


def _outside() -> npt.NDArray[np.bool_]:
    middles = (np.arange(SIDE // CELL) * CELL + CELL / 2 - SIDE / 2) * (2 * _REACH / SIDE)
    x, y = np.meshgrid(middles, middles)
    head = (x / _HEAD[0]) ** 2 + ((y + _HEAD_UP) / _HEAD[1]) ** 2 < 1
    return ~head & (y < _SHOULDERS)


_OUTSIDE: Final = _outside()
