"""The shape of a head, as geometry alone gives it."""

import numpy as np

from hw_sim.camera import looks
from hw_sim.camera.people import PEOPLE
from models.face import Points


def shape(person: str = "ada") -> Points:
    """The 468 points of a face in metres, looking along -z."""
    return looks.face(PEOPLE[person]).astype(np.float64)
