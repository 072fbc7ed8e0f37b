"""Finds faces in an image, and 468 points on a face.

The detector looks at the whole image scaled into a square and says where faces are; the mesh looks at one
face, turned upright and filling its input, and gives the points. The mesh is run twice: once on what the
detector or the frame before says, once on what the first mesh says, since it is exact only where the face
fills its input as in training. Run once, its points are off by about twice as much. The second costs 2 ms.

Points are in pixels of the image, x to the right and y downward; z has the scale of x and grows away
from the camera. Pixel centres lie at whole numbers.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.manifest import Manifest
from models.schema import Detector as DetectorEntry
from models.schema import Landmarks as LandmarksEntry
from models.tflite import Floats, Image, ImageModel

Points = npt.NDArray[np.float64]

POINTS = 468
MAX_FACES = 8
RIGHT_EYE = (33, 133)  # the person's right: outer and inner corner, on the left of the image
LEFT_EYE = (263, 362)
NOSE_BASE = 2
NOSE_TIP = 1
CHIN = 152

PORTRAIT_MARGIN = 0.25

AGREED = 0.06  # eye distances; walkers at 10 frames a second stay below 0.03, and below it points err by 0.02

_OVERLAP = 0.3  # detections that overlap more are one face
_MARGIN = 1.5  # the mesh's input is this much larger than the face, as in its training


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A face: corners of its box, right and left eye, in pixels; score in [0, 1]."""

    box: tuple[float, float, float, float]
    eyes: Points
    score: float

    @property
    def area(self) -> float:
        """Square pixels."""
        x0, y0, x1, y1 = self.box
        return max(0.0, x1 - x0) * max(0.0, y1 - y0)


@dataclass(frozen=True, kw_only=True)
class Face:
    """The mesh of one face: `points` are (468, 3); presence in [0, 1]."""

    points: Points
    presence: float

    @property
    def eye_distance(self) -> float:
        """Pixels between the middles of the eyes."""
        eyes = eye_centres(self.points)
        return float(np.hypot(*(eyes[1] - eyes[0])))


@dataclass(frozen=True, kw_only=True)
class Window:
    """A square of the image, turned by `angle` (radians, clockwise in the image)."""

    x: float
    y: float
    side: float
    angle: float

    def to_image(self, size: int) -> Points:
        """2 x 3 matrix from the pixels of a square input of `size` to the pixels of the image."""
        scale = self.side / size
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        half = (size - 1) / 2
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = np.array([self.x, self.y]) - turn @ np.array([half, half])
        return np.column_stack([turn, shift])


class FaceReader:
    """Detector and mesh together."""

    def __init__(self, manifest: Manifest) -> None:
        """Load both models; raises ModelError."""
        self._detector = _Detector(manifest.detector)
        self._mesh = _Mesh(manifest.landmarks)

    def detect(self, image: Image, *, margin: float = 0.0) -> tuple[Detection, ...]:
        """Return the faces in a BGR image, the largest first, at most MAX_FACES.

        `margin` is the black border, in parts of the image, that is put around it first: a face that fills
        its image, as in a passport photograph, is found only with one.
        """
        return self._detector.find(image, margin)

    def read(self, image: Image, detection: Detection) -> Face | None:
        """Return the mesh of a detected face, or None when there is no face after all."""
        first = self._mesh.read(image, _window_of(detection))
        return None if first is None else self._mesh.read(image, _window_around(first.points))

    def follow(self, image: Image, before: Face) -> Face | None:
        """Return the mesh of the face that was there in the frame before; None when it is not there now.

        The detector is spared: whoever follows asks it often enough who else is there. Where the face moved
        so far that the second mesh disagrees with the first, neither can be trusted, and there is none.
        """
        first = self._mesh.read(image, _window_around(before.points))
        face = None if first is None else self._mesh.read(image, _window_around(first.points))
        if first is None or face is None:
            return None
        size = max(face.eye_distance, 1.0)
        moved = float(np.hypot(*(face.points - first.points).mean(0)[:2])) / size
        grown = abs(math.log(size / max(first.eye_distance, 1.0)))
        return face if moved < AGREED and grown < AGREED else None

    def wipe(self) -> None:
        """Overwrite what the last image left in the models."""
        self._detector.model.wipe()
        self._mesh.model.wipe()


def eye_centres(points: Points) -> Points:
    """Return the middles of the right and the left eye, as two rows of x and y."""
    return np.stack([points[list(RIGHT_EYE), :2].mean(0), points[list(LEFT_EYE), :2].mean(0)])


class _Detector:
    """MediaPipe's single-shot detector with one anchor of fixed size in each cell."""

    def __init__(self, entry: DetectorEntry) -> None:
        self.model = ImageModel(entry)
        self._min_score = entry.min_score
        self._size = entry.input.width
        cells = self._size // entry.stride
        y, x = np.mgrid[0:cells, 0:cells]
        self._anchors = (np.stack([x.ravel(), y.ravel()], 1) + 0.5) / cells

    def find(self, image: Image, margin: float) -> tuple[Detection, ...]:
        square, scale, offset = self._letterbox(image, margin)
        raw, logits = self.model.run(square)
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(np.float64), -100, 100)))
        keep = np.flatnonzero(scores >= self._min_score)
        keep = keep[np.argsort(-scores[keep], kind="stable")][:200]
        found = _merge(*self._decode(raw[0, keep], keep), scores[keep])
        detections = [
            Detection(
                box=_corners((values[:4].reshape(2, 2) * self._size - offset) / scale),
                eyes=(values[4:].reshape(2, 2) * self._size - offset) / scale,
                score=score,
            )
            for values, score in found
        ]
        return tuple(sorted(detections, key=lambda d: -d.area)[:MAX_FACES])

    def _letterbox(self, image: Image, margin: float) -> tuple[Image, float, Points]:
        """The image scaled into the middle of a black square; scale and offset (x, y) of that."""
        height, width = image.shape[:2]
        scale = self._size / (max(height, width) * (1 + 2 * margin))
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (self._size - inner[0]) // 2, (self._size - inner[1]) // 2
        square = np.zeros((self._size, self._size, 3), np.uint8)
        if scale < 1:
            image = _halved(image, inner)
        shrunk = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        square[top : top + inner[1], left : left + inner[0]] = shrunk
        return square, scale, np.array([left, top], np.float64)

    def _decode(self, raw: Floats, keep: npt.NDArray[np.intp]) -> tuple[Points, Points]:
        """Corner boxes and eyes of the kept anchors, in parts of the input."""
        values = raw.astype(np.float64) / self._size
        anchors = self._anchors[keep]
        centre, half = values[:, 0:2] + anchors, values[:, 2:4] / 2
        boxes = np.concatenate([centre - half, centre + half], 1)
        eyes = np.concatenate([values[:, 4:6] + anchors, values[:, 6:8] + anchors], 1)
        return boxes, eyes


def _halved(image: Image, least: tuple[int, int]) -> Image:
    """Halve an image while it stays twice so large (width, height): the rest is then much cheaper."""
    while (height := image.shape[0] // 2) >= 2 * least[1] and (width := image.shape[1] // 2) >= 2 * least[0]:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return image


def _merge(boxes: Points, eyes: Points, scores: Points) -> list[tuple[Points, float]]:
    """Join overlapping detections into their mean, weighted by score. Input and output best first."""
    merged: list[tuple[Points, float]] = []
    rows = np.concatenate([boxes, eyes], 1)
    rest = np.arange(len(scores))
    while rest.size:
        best = rest[0]
        same = _overlap(boxes[best], boxes[rest]) > _OVERLAP
        same[0] = True
        group = rest[same]
        merged.append((np.average(rows[group], 0, weights=scores[group]), float(scores[best])))
        rest = rest[~same]
    return merged


def _overlap(box: Points, others: Points) -> Points:
    """Intersection over union of one box with others."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), 1)
    areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), 1)
    union = np.prod(np.clip(box[2:] - box[:2], 0, None)) + areas - common
    overlap: Points = common / np.maximum(union, 1e-9)
    return overlap


def _corners(corners: Points) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = corners
    return float(x0), float(y0), float(x1), float(y1)


class _Mesh:
    """MediaPipe's face mesh."""

    def __init__(self, entry: LandmarksEntry) -> None:
        self.model = ImageModel(entry)
        self._size = entry.input.width
        self._min_presence = entry.min_presence

    def read(self, image: Image, window: Window) -> Face | None:
        matrix = window.to_image(self._size)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        upright = cv2.warpAffine(image, matrix, (self._size, self._size), flags=flags)
        raw, logit = self.model.run(upright)
        presence = 1 / (1 + np.exp(-np.clip(float(logit.ravel()[0]), -100, 100)))
        flat = raw.reshape(POINTS, 3).astype(np.float64)
        if presence < self._min_presence or not np.isfinite(flat).all():
            return None
        points = np.empty_like(flat)
        points[:, :2] = flat[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] = flat[:, 2] * window.side / self._size
        return Face(points=points, presence=float(presence))


def _window_of(detection: Detection) -> Window:
    x0, y0, x1, y1 = detection.box
    return _window((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0), detection.eyes)


def _window_around(points: Points) -> Window:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    (x, y), side = (low + high) / 2, float((high - low).max())
    return _window(x, y, side, points[[RIGHT_EYE[0], LEFT_EYE[0]], :2])


def _window(x: float, y: float, side: float, eyes: Points) -> Window:
    dx, dy = eyes[1] - eyes[0]
    return Window(x=x, y=y, side=max(side, 1.0) * _MARGIN, angle=float(np.arctan2(dy, dx)))
