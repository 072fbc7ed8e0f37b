"""Sees what a person wears over face and head, and whether the eyes are closed: one small network.

Trained by this project (docs/models/face-heads.md). The four answers are independent: a masked person may
wear sunglasses. The mesh is trusted for where the head is, not for what is on it, since it draws a mouth
under a mask and open eyes behind dark glass.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.face import Points
from models.manifest import ModelError
from models.quality import chip
from models.schema import Heads
from models.tflite import Image, ImageModel

Doubles = npt.NDArray[np.float64]

NAMES = ("mask", "sunglasses", "head_covering", "eyes_closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadReading:
    """Probabilities in [0, 1]. Behind sunglasses, `eyes_closed` means nothing."""

    mask: float
    sunglasses: float
    head_covering: float
    eyes_closed: float


class FaceHeads:
    """Runs the network on faces. Not for use from two threads at once."""

    def __init__(self, entry: Heads) -> None:
        """Load the model; raises ModelError."""
        if (entry.input.height, entry.input.width) != (chip.HEIGHT, chip.WIDTH):
            raise ModelError(entry.file, "its input is not a head's picture", "correct the entry")
        if entry.outputs != ((1, len(NAMES)),):
            raise ModelError(entry.file, f"its outputs are not {len(NAMES)}", "correct the entry")
        self.entry = entry
        self._model = ImageModel(entry)

    def read(self, image: Image, points: Points) -> HeadReading:
        """Return what is seen on the face with these mesh points in a BGR image."""
        picture = chip.cut(image, points)
        logits = self._model.run(picture)[0][0].astype(np.float64)
        seen = _probabilities(logits)
        if np.minimum(seen, 1 - seen).max() > self.entry.doubt:  # as good as looking twice at every face
            seen = _probabilities((logits + self._model.run(picture[:, ::-1])[0][0]) / 2)
        mask, sunglasses, covering, closed = seen.tolist()
        return HeadReading(mask=mask, sunglasses=sunglasses, head_covering=covering, eyes_closed=closed)

    def found(self, reading: HeadReading) -> frozenset[str]:
        """Names (of NAMES) whose probability reaches the manifest's threshold."""
        limits = self.entry.thresholds
        return frozenset(name for name in NAMES if getattr(reading, name) >= getattr(limits, name))

    def wipe(self) -> None:
        """Overwrite what the last face left in the model."""
        self._model.wipe()


def _probabilities(logits: Doubles) -> Doubles:
    return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
