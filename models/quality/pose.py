"""How the head is turned: the mesh laid upon a mean face that looks straight ahead.

The rotation is the one that brings 36 points of the mean face, which keep their places on a skull (no lids,
no lips, no jaw), closest to those of the mesh, depth included (Kabsch 1976). It is taken against the line of
sight to the face, so somebody who stands aside and looks at the camera is frontal.

The mean face was made from the mesh itself: the mean of 2,936 meshes of photographs of 1,413 people, turned
upon each other and made symmetric. It looks straight ahead when the line from the middle of the ears to the
lower rims of the eye sockets is level (the Frankfurt horizon, as ISO/IEC 39794-5 places a frontal head).
"""

from typing import Final, NamedTuple

import numpy as np

from models.face import Points


class Pose(NamedTuple):
    """Degrees, zero when the head looks at the camera.

    `yaw` grows as it turns to its own left (the image's right), `pitch` as it looks down, `roll` as its crown
    leans to the image's right.
    """

    yaw: float
    pitch: float
    roll: float


# x to the head's left, y down, z away from the camera; in distances of the eyes, from the point between them
_MIDDLE: Final = (
    (10, -0.861, -0.246),
    (151, -0.600, -0.301),
    (9, -0.316, -0.344),
    (8, -0.181, -0.322),
    (168, -0.071, -0.313),
    (6, 0.048, -0.381),
    (197, 0.162, -0.458),
    (195, 0.270, -0.542),
    (5, 0.384, -0.630),
    (4, 0.523, -0.668),
    (1, 0.628, -0.634),
    (2, 0.727, -0.385),
)
_SIDES: Final = (  # right, left, and the left one's place
    (33, 263, 0.720, -0.010, 0.042),
    (133, 362, 0.280, 0.010, -0.042),
    (127, 356, 1.133, 0.055, 0.826),
    (234, 454, 1.121, 0.290, 0.901),
    (93, 323, 1.109, 0.528, 0.910),
    (162, 389, 1.115, -0.191, 0.664),
    (21, 251, 1.060, -0.386, 0.459),
    (54, 284, 0.958, -0.567, 0.263),
    (103, 332, 0.798, -0.711, 0.061),
    (67, 297, 0.559, -0.808, -0.116),
    (129, 358, 0.338, 0.572, -0.196),
    (98, 327, 0.279, 0.683, -0.255),
)
_RIGID: Final = [p for p, *_ in _MIDDLE] + [p for p, *_ in _SIDES] + [p for _, p, *_ in _SIDES]
_MEAN: Final = np.array(
    [(0.0, y, z) for _, y, z in _MIDDLE]
    + [(-x, y, z) for *_, x, y, z in _SIDES]
    + [(x, y, z) for *_, x, y, z in _SIDES]
)
_CENTRED: Final = _MEAN - _MEAN.mean(0)


def head_pose(points: Points) -> Pose:
    """Return how the head with this mesh (468, 3) is turned."""
    seen = points[_RIGID]
    left, _, right = np.linalg.svd(_CENTRED.T @ (seen - seen.mean(0)))
    if np.linalg.det(left @ right) < 0:
        left[:, 2] = -left[:, 2]
    turn = (left @ right).T
    # turn is roll about z, then pitch about x, then yaw about y
    yaw = -np.arctan2(turn[0, 2], turn[2, 2])
    pitch = np.arcsin(np.clip(-turn[1, 2], -1.0, 1.0))
    roll = np.arctan2(turn[1, 0], turn[1, 1])
    return Pose(*(float(each) for each in np.degrees([yaw, pitch, roll])))
