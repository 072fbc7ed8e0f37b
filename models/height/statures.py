"""The height of one person from every camera that measures, whichever camera the face is looked at through.

Each camera keeps the evidence of its own continuous track through the whole approach. The camera that the
person is matched through counts by itself; another one counts if the face of its track is the same person's,
so that nobody lends their height. The surest of those that count decides; where two contradict each other,
none does.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from models.face import Face
from models.height.stature import Stature
from models.tflite import Floats, Image

BETTER: Final = 1.2  # a face is known by a larger one once that is so much larger


class Heights(Protocol):
    """Measures the body height of one person over the frames of one camera."""

    def add(self, image: Image, face: Face, at: float) -> None:
        """Take one frame."""

    def judge(self) -> Stature | None:
        """Return what is known so far."""

    def wipe(self) -> None:
        """Forget the person."""


class Statures:
    """The calibrated cameras of a gate, by name, and whom each has measured."""

    def __init__(self, checks: Mapping[str, Heights]) -> None:
        self._checks = dict(checks)
        self._faces: dict[str, tuple[Floats, float]] = {}

    def __contains__(self, camera: str) -> bool:
        """Whether a camera measures."""
        return camera in self._checks

    def __len__(self) -> int:
        """How many do."""
        return len(self._checks)

    def add(self, camera: str, image: Image, face: Face, at: float) -> None:
        """Take one frame of a camera; of one that does not measure, nothing."""
        if camera in self._checks:
            self._checks[camera].add(image, face, at)

    def wants_face(self, camera: str, eyes_px: float) -> bool:
        """Whether the person of a camera's track should be embedded from a face of this size."""
        return camera in self._checks and eyes_px > BETTER * self._faces.get(camera, (None, 0.0))[1]

    def know(self, camera: str, embedding: Floats, eyes_px: float) -> None:
        """Keep a copy of the embedding by which the person of a camera's track is known."""
        self._forget_face(camera)
        self._faces[camera] = (embedding.copy(), eyes_px)

    def judge(self, camera: str, same: Callable[[Floats], bool]) -> Stature | None:
        """The person's height so far. `camera`: whose track it is; `same`: whether an embedding is theirs."""
        known = []
        for name, check in self._checks.items():
            if name != camera and not (name in self._faces and same(self._faces[name][0])):
                continue
            if (stature := check.judge()) is not None:
                known.append(stature)
        if not known:
            return None
        best = min(known, key=lambda each: each.error_m)
        contradicted = any(abs(each.height_m - best.height_m) > each.error_m + best.error_m for each in known)
        return None if contradicted else best

    def lost(self, camera: str) -> None:
        """The track of a camera has ended: what it measured is of nobody any more."""
        self._forget_face(camera)
        if camera in self._checks:
            self._checks[camera].wipe()

    def wipe(self) -> None:
        """Forget everybody."""
        for camera in self._checks:
            self.lost(camera)

    def _forget_face(self, camera: str) -> None:
        face = self._faces.pop(camera, None)
        if face is not None:
            face[0].fill(0)
