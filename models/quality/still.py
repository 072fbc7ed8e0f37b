"""The quality of one encoded photograph: decode it, find its largest face, assess that."""

from dataclasses import dataclass

import cv2

from gated.core.vocabulary import Hint
from models.face import PORTRAIT_MARGIN, FaceReader
from models.image import ImageError
from models.manifest import Manifest
from models.mrz.files import decode
from models.quality.check import Quality, QualityCheck
from models.tflite import Image


@dataclass(frozen=True, kw_only=True)
class Still:
    """A photograph: its size in pixels, how many faces are in it, and what the largest is worth.

    `quality` is None where that face gave no mesh, as masked ones may; `hints` are told all the same.
    """

    width: int
    height: int
    faces: int
    quality: Quality | None
    hints: tuple[Hint, ...]


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
        # a face that fills its photograph is found only with a border around it
        faces = self._reader.detect(image) or self._reader.detect(image, margin=PORTRAIT_MARGIN)
        if not faces:
            raise ImageError("no_face_detected")
        face = self._reader.read(image, faces[0])
        height, width = image.shape[:2]
        quality = None if face is None else self._check.assess(image, face, faces)
        hints = self._check.glimpse(image, faces[0]) if quality is None else quality.hints
        return Still(width=width, height=height, faces=len(faces), quality=quality, hints=hints)
