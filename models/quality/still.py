"""The quality of one encoded photograph: decode it, find its largest face, assess that."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from gated.core.vocabulary import Hint
from models.face import PORTRAIT_MARGIN, Detection, FaceReader
from models.image import ImageError
from models.manifest import Manifest
from models.mrz.files import decode
from models.quality.check import Quality, QualityCheck
from models.tflite import Image
from models.tracking import RIVAL


@dataclass(frozen=True, kw_only=True)
class Still:
    """A photograph: its size in pixels, how many faces are in it, and what the largest is worth.

    `quality` is None where that face gave no mesh, as masked ones may; `hints` are told all the same. Another
    face that is as near is told of first, as a gate would: whose photograph it is cannot be known.
    """

    width: int
    height: int
    faces: int
    quality: Quality | None
    hints: tuple[Hint, ...]

    @property
    def usable(self) -> bool:
        """Whether it may be matched."""
        return self.quality is not None and self.quality.usable and not self.hints


def present(reader: FaceReader, image: Image) -> tuple[Detection, ...]:
    """Return the faces of a photograph, the largest first: what counts as a face in it, for every command.

    A face that fills its photograph is found only with a border around it. With one, faces that the edge cuts
    off are found too, so there is none unless it is needed.
    """
    return reader.detect(image) or reader.detect(image, margin=PORTRAIT_MARGIN)


def has_several(faces: Sequence[Detection]) -> bool:
    """Whether a second face is as near as the largest, by the gate's own rule (`models.tracking`)."""
    return any(other.area > RIVAL * faces[0].area for other in faces[1:])


class StillCheck:
    """Assesses encoded photographs; keeps nothing of them."""

    def __init__(self, models: Manifest) -> None:
        """Load the models; raises ModelError."""
        self._reader = FaceReader(models)
        self._check = QualityCheck(models)

    def assess(self, encoded: bytes) -> Still:
        """Return what a JPEG, JPEG 2000 or PNG shows. Raises ImageError: no image, or no face in it."""
        image = decode(encoded)
        try:
            return self._assess(image)
        except cv2.error as error:  # a stranger's photograph ends nothing
            raise ImageError("image_unusable") from error
        finally:
            image.fill(0)

    def wipe(self) -> None:
        """Overwrite what the last photograph left in the models."""
        self._reader.wipe()
        self._check.wipe()

    def _assess(self, image: Image) -> Still:
        faces = present(self._reader, image)
        if not faces:
            raise ImageError("no_face_detected")
        face = self._reader.read(image, faces[0])
        height, width = image.shape[:2]
        quality = None if face is None else self._check.assess(image, face, faces)
        hints = self._check.glimpse(image, faces[0]) if quality is None else quality.hints
        if has_several(faces):
            hints = (Hint.ONE_PERSON, *hints)
        return Still(width=width, height=height, faces=len(faces), quality=quality, hints=hints)
