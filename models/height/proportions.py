"""What is known of heads and feet without measuring: by body height, with how far people differ from it.

Rounded from surveys of adults (stature less eye height 11 to 12 cm, eyes to chin 11 cm, pupils 6.3 cm apart)
and of children of seven (5.5 cm apart, and a higher skull). Nothing here decides a height near the rule by
itself: a range from the face enters only with the seven per cent by which people of one height differ.
"""

from typing import Final

import numpy as np

HAIR_M: Final = 0.010  # between skull and outline, and how far people differ
HAIR_SIGMA_M: Final = 0.007
SKULL: Final = 1.08  # from the eyes up to the bare crown, in distances from the eyes to the chin
SKULL_SIGMA: Final = 0.11
BEHIND: Final = 0.55  # the crown lies so far behind the eyes, in the same measure
ROUND_M: Final = 0.095  # radius of the skull about its crown
FACE_SIGMA: Final = 0.07  # of a range that is told from the size of a face
FACE_ABOVE_SIGMA: Final = (
    0.3  # where the camera is above it: a mesh of a face seen so is up to 40 % too large
)
TOE: Final = 0.09  # the tips of shoes are ahead of the crown by this part of the body height
TOE_SIGMA_M: Final = 0.04
FOOT_SIGMA_M: Final = 0.06  # of one look: feet take turns to be ahead
LOST_M: Final = 0.004  # who walks at _BRISK is never so high as who stands, by about so much: knees stay bent
_BRISK: Final = 1.2  # metres a second
BOB_SIGMA_M: Final = 0.004  # how well an upper quantile of a walk is the standing height

_HEIGHTS_M: Final = (0.95, 1.20, 1.45, 1.70, 2.05)
_EYES_M: Final = (0.052, 0.0555, 0.0590, 0.0630, 0.0645)  # between the pupils
_FACE_M: Final = (0.090, 0.0965, 0.1030, 0.1110, 0.1160)  # from the eyes to the chin


def lost_m(speed: float) -> float:
    """What is missing to the standing height at the highest point of a walk (metres a second)."""
    return LOST_M * min(1.0, speed / _BRISK)


def eyes_apart_m(height_m: float) -> float:
    """Between the pupils of somebody so tall."""
    return float(np.interp(height_m, _HEIGHTS_M, _EYES_M))


def face_m(height_m: float) -> float:
    """From the eyes to the chin of somebody so tall."""
    return float(np.interp(height_m, _HEIGHTS_M, _FACE_M))
