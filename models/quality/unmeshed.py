"""Where the features of a face lie that a detector found and of which no mesh came.

A mask often costs the mesh, and its wearer must still be told to take it off. The detector's eyes are enough
to place a mean face for the network that sees what is worn; nothing else may be measured on it.
"""

from typing import Final

import numpy as np

from models.face import POINTS, Points

# of a mean face that looks straight ahead: right in the image, and down, from the point between the eyes, in
# distances of the eyes
_MEAN: Final = {
    33: -0.72 - 0.01j,
    133: -0.28 + 0.01j,
    362: 0.28 + 0.01j,
    263: 0.72 - 0.01j,
    2: 0.727j,
    61: -0.42 + 1.10j,
    291: 0.42 + 1.10j,
}


def placed(eyes: Points) -> Points:
    """Return a mesh (468, 3) by right and left eye (2, 2): eyes, nose and mouth only, the rest is zero."""
    right, left = (complex(*eye) for eye in eyes)
    points = np.zeros((POINTS, 3))
    for number, place in _MEAN.items():
        at = (right + left) / 2 + place * (left - right)
        points[number, :2] = at.real, at.imag
    return points
