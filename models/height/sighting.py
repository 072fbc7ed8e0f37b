"""What one frame says of a height: rays to the crown, and how far ahead the person is.

The crown is looked for twice. The top of the outline is where hair, a cap or a bun ends; from the face's own
size follows where the bare skull should end. Likewise the range: a face of a known size, and the point where
the shoes meet the floor. Which of them counts is for `models.height.stature` to say, from all frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.face import CHIN, LEFT_EYE, RIGHT_EYE, Face
from models.height import proportions
from models.height.camera import GroundCamera
from models.height.outline import Outline
from models.tflite import Floats, Image

Points = npt.NDArray[np.float64]

_HEAD: Final = 5.2  # height of the part of the image that shows the head, in distances from eyes to chin
_HEAD_ABOVE: Final = 0.45  # part of it that is above the eyes
_MOST_ABOVE: Final = 0.6  # or up to so much, where the image ends soon below the face
_SIDE: Final = 0.75  # the crown is not farther aside from the eyes, in the same distances
_PRESENT: Final = 0.5  # probability from which on a pixel is a person
_EDGE_PX: Final = 1.5  # nearer to the image's edge nothing is known to end
_BODY_M: Final = 0.22  # what the part of the image that shows the body has above the eyes
_STEP_M: Final = 0.5  # and its lower end is the floor so much nearer than the face's size has the person
_HALF_M: Final = 0.33  # feet are not farther aside
_FEET_AGREE: Final = 0.3  # part by which feet and face may differ in what they say of the range
_STEEPEST: Final = 0.75  # radians of a turned head beyond which its face is not measured


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One frame. A `rise` is of a ray: metres up for each metre ahead of the camera.

    `outline_rise`: to the top of hair or hat; None: not within the image. `eyes_range`, `chin_range`: how far
    ahead the face is for each metre between its pupils, or from its eyes to its chin. `feet_ahead_m`: how far
    ahead the tips of the shoes are; None: not seen, or not looked for.
    """

    at: float
    outline_rise: float | None
    eyes_rise: float
    eyes_range: float
    chin_range: float
    feet_ahead_m: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Head:
    """What the mesh says, in pixels and in three dimensions with the scale of x."""

    eyes: Points  # (3,)
    apart_px: float
    chin_px: float


def _head(face: Face) -> _Head | None:
    right, left = (face.points[list(eye)].mean(0) for eye in (RIGHT_EYE, LEFT_EYE))
    eyes, across = (right + left) / 2, left - right
    chin = face.points[CHIN] - eyes
    apart, long = float(np.linalg.norm(across)), float(np.linalg.norm(chin))
    if apart < 4 or long < 4 or abs(np.arctan2(across[2], across[0])) > _STEEPEST:
        return None
    return _Head(eyes=eyes, apart_px=apart, chin_px=long)


def sight(
    image: Image,
    face: Face,
    at: float,
    camera: GroundCamera,
    head_outline: Outline,
    feet: Callable[[Image, GroundCamera, Points, float], float | None] | None,
) -> Sighting | None:
    """Read one frame; None when the head is turned too far. `feet`: how to look for them, if this time."""
    head = _head(face)
    if head is None:
        return None
    eyes = head.eyes[:2]
    (ray,) = camera.rays(eyes[None])
    scale = float(ray[2]) * camera.calibration.focal_px  # metres ahead of a metre that is one pixel long
    top = _top(image, head, head_outline)
    rises = camera.rises(np.stack([eyes, eyes if top is None else top]))
    if scale <= 0 or not np.isfinite(rises).all():
        return None
    eyes_range, chin_range = scale / head.apart_px, scale / head.chin_px
    guess_m = 0.5 * (eyes_range * proportions.eyes_apart_m(1.3) + chin_range * proportions.face_m(1.3))
    return Sighting(
        at=at,
        outline_rise=None if top is None else float(rises[1]),
        eyes_rise=float(rises[0]),
        eyes_range=eyes_range,
        chin_range=chin_range,
        feet_ahead_m=None if feet is None else feet(image, camera, eyes, guess_m),
    )


def _top(image: Image, head: _Head, outline: Outline) -> Points | None:
    """The highest point of the outline above the eyes, pixels; None when it is not within the image."""
    scale = _HEAD * head.chin_px / outline.height  # image pixels for one of the outline
    left = head.eyes[0] - scale * (outline.width - 1) / 2
    lowest = image.shape[0] - scale * outline.height  # what is beyond the image shows nobody
    share = min(max(_HEAD_ABOVE, (head.eyes[1] - lowest) / (scale * outline.height)), _MOST_ABOVE)
    above = head.eyes[1] - scale * share * outline.height
    # mirrored: a body whose last row goes on and on is none to the network
    person = outline.read(image, np.array([[scale, 0, left], [0, scale, above]], np.float64), mirrored=True)
    middle, aside = (outline.width - 1) / 2, _SIDE * head.chin_px / scale
    columns = slice(max(0, int(middle - aside)), int(middle + aside) + 2)
    row = _first_gap(person[:, columns].max(1), round(share * outline.height))
    if row is None:
        return None
    y = above + scale * row
    if y < _EDGE_PX:
        return None
    column = columns.start + int(person[round(np.ceil(row)), columns].argmax())
    return np.array([left + scale * column, y], np.float64)


def _first_gap(rows: Floats, start: int) -> float | None:
    """Going up from `start`, where a person ends: a row with a fraction; None when there is no end."""
    if rows[start] < _PRESENT:
        return None
    gaps = np.flatnonzero(rows[:start] < _PRESENT)
    if not len(gaps):
        return None
    row = int(gaps[-1]) + 1
    outside, inside = float(rows[row - 1]), float(rows[row])
    return row - (inside - _PRESENT) / max(inside - outside, 1e-6)


class Feet:
    """Looks for where the shoes meet the floor, in the outline of the whole body."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline

    def ahead(self, image: Image, camera: GroundCamera, eyes: Points, guess_m: float) -> float | None:
        """How far ahead the tips of the shoes are, as a mean over both; None when they are not in view.

        `guess_m`: how far ahead the size of the face has the person.
        """
        f, tall = camera.calibration.focal_px, camera.calibration.height
        (ray,) = camera.rays(eyes[None])
        aside = float(ray[0] / ray[2]) * guess_m
        near_m = max(0.93 * guess_m - _STEP_M, 0.3)
        under, near = camera.project(np.array([[aside, 0, guess_m], [aside, 0, near_m]]))
        if under[1] > tall:
            return None
        above = float(eyes[1] - _BODY_M * f / guess_m)
        below = min(float(near[1]), tall * 1.1)
        side = max(below - above, 64.0)
        scale = side / self._outline.height
        left = float(under[0] + eyes[0]) / 2 - side / 2
        person = self._outline.read(image, np.array([[scale, 0, left], [0, scale, above]], np.float64))
        half = _HALF_M * f / guess_m / scale
        found = _soles(person, half)
        pixels = np.array([[left + scale * x, above + scale * y] for x, y in found], np.float64)
        if len(pixels) == 0 or pixels[:, 1].max() > tall - 1 - _EDGE_PX:
            return None
        ahead = float(camera.floor_ahead(pixels).mean())
        return ahead if abs(ahead / guess_m - 1) < _FEET_AGREE else None


def _largest(present: npt.NDArray[np.bool_], low: int, columns: int) -> npt.NDArray[np.bool_]:
    """The largest part that hangs together, of columns from `low` on: haze below the shoes is no body."""
    count, labels, figures, _ = cv2.connectedComponentsWithStats(present.astype(np.uint8), connectivity=4)
    whole = np.zeros((present.shape[0], columns), np.bool_)
    if count > 1:
        largest = 1 + int(figures[1:, cv2.CC_STAT_AREA].argmax())
        whole[:, low : low + present.shape[1]] = labels == largest
    return whole


def _soles(person: Floats, half: float) -> list[tuple[float, float]]:
    """The lowest points of the outline left and right of the middle of the legs (x, y); of one leg, one."""
    rows, columns = person.shape
    low, high = max(0, int(columns / 2 - half)), min(columns, int(columns / 2 + half) + 1)
    person = np.where(_largest(person[:, low:high] >= _PRESENT, low, columns), person, 0)
    body = person[:, low:high] >= _PRESENT
    filled = np.flatnonzero(body.any(1))
    if len(filled) < rows // 3:
        return []
    bottom = int(filled[-1])
    if bottom >= rows - 2:
        return []
    knees = bottom - (bottom - int(filled[0])) // 3
    across = np.flatnonzero(body[knees : bottom + 1].any(0))  # of both legs, though one foot is farther back
    middle = (int(across[0]) + int(across[-1]) + 1) // 2
    soles: list[tuple[float, float]] = []
    for start, end in ((0, middle), (middle, body.shape[1])):
        part = person[:, low + start : low + end].max(1) if end > start else np.zeros(rows, np.float32)
        ends = np.flatnonzero(part >= _PRESENT)
        if len(ends) and ends[-1] + 1 < rows and ends[-1] > knees:
            row = int(ends[-1])
            inside, outside = float(part[row]), float(part[row + 1])
            x = low + start + int(person[row, low + start : low + end].argmax())
            soles.append((float(x), row + (inside - _PRESENT) / max(inside - outside, 1e-6)))
    return soles
