"""The photographs under the overlays: pictures, their mesh, whose they are, what they show by nature."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Part = Literal["train", "validate", "test"]

HEADS = ("mask", "sunglasses", "head_covering", "eyes_closed")
SEEN = Path(__file__).with_name("seen.txt")
_LETTERS = "MSHC"  # of HEADS, in `seen.txt`
_FIXED = 32.0  # points are stored as whole numbers of this part of a pixel


@dataclass(frozen=True, slots=True)
class Photograph:
    """One face. `truth` has 1, 0 or nan (cannot be told) for each of HEADS."""

    person: str
    name: str
    encoded: bytes
    points: Points
    truth: tuple[float, float, float, float]

    def image(self) -> Image:
        """The decoded picture, BGR."""
        decoded: Any = cv2.imdecode(np.frombuffer(self.encoded, np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(decoded, np.uint8)


def part(person: str) -> Part:
    """Which part a person belongs to: 60 % train, 15 % validate, 25 % test, by the SHA-256 of the name.

    Rendered people train only: there are six of them.
    """
    if person.startswith("rendered-"):
        return "train"
    share = hashlib.sha256(person.encode()).digest()[1] / 256  # byte 0 chose the people of `lfw_part`
    if share < 0.6:
        return "train"
    return "validate" if share < 0.75 else "test"


def seen(path: Path = SEEN) -> dict[str, str]:
    """The letters of `seen.txt` by the first 16 hex digits of a file's SHA-256."""
    lines = path.read_text().splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def truth(letters: str) -> tuple[float, float, float, float]:
    """What letters of `seen.txt` say of each of HEADS."""
    values = [1.0 if c in letters else np.nan if c.lower() in letters else 0.0 for c in _LETTERS]
    return values[0], values[1], values[2], values[3]


def store(path: Path, photographs: Sequence[Photograph]) -> None:
    """Write photographs to one file that needs no models to be read."""
    ends = np.cumsum([len(p.encoded) for p in photographs])
    np.savez_compressed(
        path,
        people=np.array([p.person for p in photographs]),
        names=np.array([p.name for p in photographs]),
        pictures=np.frombuffer(b"".join(p.encoded for p in photographs), np.uint8),
        ends=ends,
        points=np.round(np.stack([p.points for p in photographs]) * _FIXED).astype(np.int16),
        truth=np.array([p.truth for p in photographs], np.float32),
    )


def stored(path: Path, wanted: Part | None = None) -> list[Photograph]:
    """Read photographs back, all or those of one part."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    pictures = arrays["pictures"].tobytes()
    starts = [0, *arrays["ends"][:-1].tolist()]
    photographs = []
    for number, person in enumerate(arrays["people"].tolist()):
        if wanted is None or part(person) == wanted:
            row = arrays["truth"][number].tolist()
            photographs.append(
                Photograph(
                    person,
                    str(arrays["names"][number]),
                    pictures[starts[number] : int(arrays["ends"][number])],
                    arrays["points"][number] / _FIXED,
                    (row[0], row[1], row[2], row[3]),
                )
            )
    return photographs
