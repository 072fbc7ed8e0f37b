"""The photographs that everything is simulated from: JPEG files with the place of the face in each.

A person is in one part only, by a hash of the name, so that no face that is measured was ever trained on.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.liveness.looking import Image

RENDERED: Final = "stranger-"  # what the simulator calls its people
RENDERED_TIMES: Final = 3

Part = Literal["training", "tuning", "testing"]


@dataclass(frozen=True)
class Source:
    """One photograph: BGR image, middle (x, y) and longer side of the mesh's box, in pixels."""

    person: str
    image: Image
    centre: tuple[float, float]
    size: float


def part_of(person: str) -> Part:
    """Three quarters of the people train, a tenth tunes (temperature and limits), the rest tests."""
    byte = hashlib.sha256(b"recapture:" + person.encode()).digest()[0]
    return "training" if byte < 192 else "tuning" if byte < 218 else "testing"


def load(path: Path, part: Part) -> list[Source]:
    """The photographs of one part of the people; those of rendered people, who are few, three times."""
    with np.load(path) as stored:
        people, places, ends = stored["people"], stored["places"], stored["ends"]
        files: npt.NDArray[np.uint8] = stored["files"]
    starts = np.concatenate([[0], ends[:-1]])
    found = []
    for person, (x, y, size), start, end in zip(people, places, starts, ends, strict=True):
        if part_of(str(person)) == part:
            image: Any = cv2.imdecode(files[start:end], cv2.IMREAD_COLOR)
            source = Source(str(person), image, (float(x), float(y)), float(size))
            found += [source] * (RENDERED_TIMES if str(person).startswith(RENDERED) else 1)
    return found
