"""The image as the finder sees it: grey, its long side SIDE pixels, the rest of the square filled."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 448


def looked_at(grey: Grey) -> tuple[Floats, float]:
    """Return SIDE x SIDE normalised values, the image in the upper left, and the factor it was scaled by."""
    height, width = grey.shape
    factor = SIDE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small: Any = cv2.resize(grey, size, interpolation=way)
    values = small.astype(np.float32)
    values -= values.mean()
    values /= values.std() + 4.0  # grey levels: an empty image stays near zero
    square = np.zeros((SIDE, SIDE), np.float32)
    square[: size[1], : size[0]] = values
    return square, factor
