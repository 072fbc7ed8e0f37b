"""Two public-domain portraits that declared dependencies ship, the models, and how to vary a picture."""

import functools
import importlib.util
from pathlib import Path

import cv2
import numpy as np

from models import manifest
from models.face import Detection, Face, FaceReader, Points
from models.matching import Embedder
from models.tflite import Floats, Image

MODELS = manifest.load()
DLIB = MODELS.embedders["dlib-resnet"]


def _bundled(package: str, file: str) -> Image:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    image: Image | None = cv2.imread(str(Path(spec.origin).parent / file), cv2.IMREAD_COLOR)
    assert image is not None
    image.flags.writeable = False
    return image


@functools.cache
def astronaut() -> Image:
    """Eileen Collins (NASA, public domain), 512 x 512."""
    return _bundled("skimage", "data/astronaut.png")


@functools.cache
def hopper() -> Image:
    """Grace Hopper (US Navy, public domain), 512 x 600."""
    return _bundled("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


@functools.cache
def reader() -> FaceReader:
    return FaceReader(MODELS)


@functools.cache
def embedder() -> Embedder:
    return Embedder(DLIB)


def only(image: Image, margin: float = 0.0) -> Detection:
    (detection,) = reader().detect(image, margin=margin)
    return detection


def face(image: Image, margin: float = 0.0) -> Face:
    found = reader().read(image, only(image, margin))
    assert found is not None
    return found


def embedding(image: Image) -> Floats:
    return embedder().embed(image, face(image).points)


def turned(image: Image, degrees: float = 0.0, scale: float = 1.0, border: int = 0) -> tuple[Image, Points]:
    """The image turned about its middle, scaled and put on a larger grey sheet; and the 2 x 3 matrix."""
    height, width = image.shape[:2]
    size = round(width * scale) + 2 * border, round(height * scale) + 2 * border
    matrix: Points = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    matrix[:, 2] += np.array(size) / 2 - np.array([width, height]) / 2
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    sheet: Image = cv2.warpAffine(image, matrix, size, flags=flags, borderValue=(90, 90, 90))
    return sheet, matrix


def moved(matrix: Points, points: Points) -> Points:
    """Where x and y of points go."""
    result: Points = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return result
