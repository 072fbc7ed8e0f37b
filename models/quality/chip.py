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
_MAX_SHRINK = 8  # a head larger than this many chips is sampled at every n-th pixel


def placement(points: Points, finer: float = 1.0) -> Points:
    """Return the 2 x 3 similarity from image to a chip of `finer` times the size (least squares)."""
    source = np.stack([points[list(group), :2].mean(0) for group, _ in TEMPLATE])
    target = np.array([place for _, place in TEMPLATE])
    # as complex numbers a similarity is one factor and one shift
    x, y = source @ np.array([1, 1j]), target @ np.array([1, 1j])
    centred = x - x.mean()
    spread = max(float(np.square(np.abs(centred)).sum()), 1e-9)
    factor = complex(np.vdot(centred, y - y.mean())) / spread
    shift = complex(y.mean()) - factor * complex(x.mean())
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    matrix = np.column_stack([turn, [shift.real, shift.imag]]) * finer
    matrix[:, 2] += (finer - 1) / 2  # pixel centres lie at whole numbers
    return matrix


def cut(image: Image, points: Points, finer: int = 1) -> Image:
    """Return the chip (HEIGHT x WIDTH x 3 of `finer` times the size); what lies outside repeats the edge."""
    matrix = placement(points)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    # sampling a large head straight into a small chip would alias: make a larger chip, then shrink it
    more = int(np.clip(np.ceil(1 / max(scale * finer, 1e-6)), 1, _MAX_SHRINK))
    size = WIDTH * finer, HEIGHT * finer
    large = placement(points, finer * more)
    chip: Image = cv2.warpAffine(
        image,
        large,
        (size[0] * more, size[1] * more),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if more > 1:
        chip = cv2.resize(chip, size, interpolation=cv2.INTER_AREA)
    return chip
