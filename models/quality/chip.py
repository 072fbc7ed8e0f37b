"""The picture of a head that the heads network sees: upright, from above the hair to below the chin.

Pure geometry on numpy and OpenCV, so that training cuts exactly what the gate cuts.
"""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

WIDTH, HEIGHT = 96, 112
EYES = 26.0  # pixels between the middles of the eyes of a face that looks into the camera
# mesh points, and where their mean comes to lie; mask and glasses leave these points in place
TEMPLATE = (
    ((33, 133), (34.5, 52.0)),
    ((263, 362), (60.5, 52.0)),
    ((2,), (47.5, 71.4)),
    ((61, 291), (47.5, 80.6)),
)
_MIN_FACTOR = 1e-6
_MAX_SHRINK = 16  # a head larger than this many chips is sampled at every n-th pixel


def placement(points: Points, finer: float = 1.0) -> Points:
    """Return the 2 x 3 similarity from image to a chip of `finer` times the size (least squares)."""
    source = np.stack([points[list(group), :2].mean(0) for group, _ in TEMPLATE])
    target = np.array([place for _, place in TEMPLATE])
    # as complex numbers a similarity is one factor and one shift
    x, y = source @ np.array([1, 1j]), target @ np.array([1, 1j])
    centred = x - x.mean()
    spread = max(float(np.square(np.abs(centred)).sum()), 1e-9)
    factor = complex(np.vdot(centred, y - y.mean())) / spread
    if abs(factor) < _MIN_FACTOR:  # points that lie upon each other have no direction
        factor = complex(_MIN_FACTOR)
    shift = complex(y.mean()) - factor * complex(x.mean())
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    matrix = np.column_stack([turn, [shift.real, shift.imag]]) * finer
    matrix[:, 2] += (finer - 1) / 2  # pixel centres lie at whole numbers
    return matrix


def cut(image: Image, points: Points, finer: int = 1) -> Image:
    """Return the chip (HEIGHT x WIDTH x 3 of `finer` times the size); what lies outside repeats the edge."""
    matrix = placement(points, finer)
    scale = max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6)
    size = WIDTH * finer, HEIGHT * finer
    # sampling a large head straight into a small chip would alias: shrink what will be seen of it first
    fewer = int(np.clip(round(1 / scale), 1, _MAX_SHRINK))
    if fewer > 1:
        image, matrix = _shrunk(image, matrix, size, fewer)
    chip: Image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return chip


def _shrunk(image: Image, matrix: Points, size: tuple[int, int], fewer: int) -> tuple[Image, Points]:
    """The part of an image that a chip shows, each `fewer` x `fewer` pixels made one; and its placement."""
    turn = np.linalg.inv(matrix[:, :2])
    corners = (np.array([[0, 0], [size[0], 0], [0, size[1]], size]) - matrix[:, 2]) @ turn.T
    limits = np.array(image.shape[1::-1])
    low = np.clip(np.floor(corners.min(0)) - fewer, 0, np.maximum(limits - fewer, 0)).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + fewer, low + fewer, limits).astype(int)
    count = np.maximum((high - low) // fewer, 1)
    high = np.minimum(low + count * fewer, limits)
    part = image[low[1] : high[1], low[0] : high[0]]
    small = cv2.resize(part, (int(count[0]), int(count[1])), interpolation=cv2.INTER_AREA)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (low + (fewer - 1) / 2)  # pixel centres lie at whole numbers
    moved[:, :2] *= fewer
    return np.asarray(small, np.uint8), moved
