"""How the re-capture head looks at a face: three squares, cut alike in training and at a gate.

`context`: the face with its surroundings, scaled; `texture`: the middle of the face, pixel for pixel;
`spectrum`: how far each frequency of that texture stands out of its neighbours.
"""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE: Final = 128  # pixels of each of the three
CONTEXT: Final = 2.4  # side of the context, in sizes of the face
PLANES: Final = 7  # context BGR, texture BGR, spectrum (brightness left, red against blue right)
LARGEST: Final = 700.0  # pixels of a face that is looked at as it is
DETAIL_SIDE: Final = 64  # sharpness is measured with the face scaled to this

_LUMA: Final = np.array([0.114, 0.587, 0.299], np.float32)
_CHROMA: Final = np.array([-0.5, 0.0, 0.5], np.float32)
_WINDOW: Final = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)
_NEIGHBOURS: Final = 9  # bins across; what stands out is measured against their mean
_OUTSTANDING: Final = (-2.0, 5.0)  # nepers
_FLOOR: Final = 0.3  # of the amplitude, in grey levels times a root of samples: below rounding to 8 bits


def place(points: npt.NDArray[np.float64]) -> tuple[tuple[float, float], float]:
    """Return the middle (x, y) of the box around a mesh, and its longer side: the size of the face."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    middle, side = (low + high) / 2, float((high - low).max())
    return (float(middle[0]), float(middle[1])), side


def planes(image: Image, centre: tuple[float, float], size: float) -> Floats:
    """Return the network's input (SIDE, SIDE, PLANES), values about -1 to 1."""
    context, texture = crops(image, centre, size)
    return stacked(context, texture, spectrum(texture))


def stacked(context: Image, texture: Image, outstanding: Floats) -> Floats:
    """The three looks as planes of one tensor."""
    looks = [look.astype(np.float32) * np.float32(1 / 127.5) - 1 for look in (context, texture)]
    return np.asarray(cv2.merge([*looks, outstanding]), np.float32)


def crops(image: Image, centre: tuple[float, float], size: float) -> tuple[Image, Image]:
    """Return the context scaled to SIDE, and the texture, SIDE pixels of the image as they are."""
    texture = _square(image, centre, SIDE)
    image, centre, size = _reduced(image, centre, size)
    return _scaled(_square(image, centre, max(2, round(CONTEXT * size))), SIDE), texture


def spectrum(texture: Image) -> Floats:
    """Return how far each frequency stands out of its neighbours, (SIDE, SIDE), about -1 to 2.

    Rows are the frequency down, its zero in the middle; columns that across, from zero up, once for
    brightness and once for red against blue.
    """
    halves = []
    for weights in (_LUMA, _CHROMA):
        values: Any = cv2.transform(texture.astype(np.float32), weights[None])
        values = (values - values.mean()) * _WINDOW
        parts: Any = cv2.dft(values, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : SIDE // 2]
        power = np.square(parts[..., 0]) + np.square(parts[..., 1])
        levels = np.log(np.roll(power, SIDE // 2, axis=0) / (SIDE * SIDE) + _FLOOR**2) / 2
        around: Any = cv2.blur(levels, (_NEIGHBOURS, _NEIGHBOURS), borderType=cv2.BORDER_REFLECT)
        halves.append(np.clip(levels - around, *_OUTSTANDING) / 2)
    return np.asarray(np.concatenate(halves, axis=1), np.float32)


def sharpness(image: Image, centre: tuple[float, float], size: float) -> float:
    """Return the face's fine detail, in grey levels (standard deviation of a Laplacian, the face scaled)."""
    image, centre, size = _reduced(image, centre, size)
    face = _scaled(_square(image, centre, max(2, round(size))), DETAIL_SIDE)
    grey: Any = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std())


def _reduced(
    image: Image, centre: tuple[float, float], size: float
) -> tuple[Image, tuple[float, float], float]:
    """Halve an image until its face is at most LARGEST: a border around more would take much memory."""
    while size > LARGEST and min(image.shape[:2]) > 1:
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
        centre, size = (centre[0] / 2, centre[1] / 2), size / 2
    return image, centre, min(size, LARGEST)


def _scaled(square: Image, side: int) -> Image:
    """The square with another side: by means of four pixels as long as that is possible, for speed."""
    while square.shape[0] >= 2 * side:
        half = square.shape[0] // 2
        square = np.asarray(
            cv2.resize(square[: 2 * half, : 2 * half], (half, half), interpolation=cv2.INTER_AREA), np.uint8
        )
    if square.shape[0] == side:
        return square
    return np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _square(image: Image, centre: tuple[float, float], side: int) -> Image:
    """A square of the image; where it reaches beyond, the image's border goes on."""
    height, width = image.shape[:2]
    left = round(min(max(centre[0], 0), width)) - side // 2
    top = round(min(max(centre[1], 0), height)) - side // 2
    before = max(0, -top), max(0, -left)
    behind = max(0, top + side - height), max(0, left + side - width)
    inside = image[max(0, top) : top + side, max(0, left) : left + side]
    if not any((*before, *behind)):
        return inside
    return np.asarray(
        cv2.copyMakeBorder(inside, before[0], behind[0], before[1], behind[1], cv2.BORDER_REPLICATE), np.uint8
    )
