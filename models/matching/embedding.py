"""Compares faces: an aligned chip goes through the embedder of the manifest, two embeddings give a score.

The score is in [0, 1] and rises with likeness; it is a straight line over the embedder's own metric, so
the order of pairs and every error rate are those of the embedder. What a score means is in the manifest:
the measured false match and false non-match rates at each threshold.

A gate compares one photograph with many live frames. The photograph is embedded once and with care, as the
mean over several views of its chip; a frame is embedded in one view, in a fraction of the time, and the
embeddings of the best frames are fused before they are compared. Five frames in one view each do as well as
five in all views (docs/matching.md).
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from models.face import Points
from models.schema import AlignmentPoint
from models.schema import Embedder as EmbedderEntry
from models.tflite import Floats, Image, ImageModel

MAX_SHRINK = 8  # chips of faces larger than this many chips are taken from every n-th pixel


class Embedder:
    """Turns a face into a vector, and two vectors into a score."""

    def __init__(self, entry: EmbedderEntry) -> None:
        """Load the model; raises ModelError."""
        self.entry = entry
        self._model = ImageModel(entry)

    def embed(self, image: Image, points: Points) -> Floats:
        """Return the embedding of the face with these mesh points in a BGR image, from all views: a still."""
        return self._normed(fuse(self.views(image, points)))

    def views(self, image: Image, points: Points) -> list[Floats]:
        """Return the embedding in each view of the entry; the first is that of the plain chip."""
        found = []
        for zoom in self.entry.zooms:
            chip = self.chip(image, points, zoom)
            found.append(self._normed(self._model.run(chip)[0][0]))
            if self.entry.mirror:
                found.append(self._normed(self._model.run(chip[:, ::-1])[0][0]))
        return found

    def embed_side(self, image: Image, points: Points, *, mirrored: bool) -> Floats:
        """Return the embedding of the image alone or of its mirror image alone, in one pass: a live frame.

        Of many frames of one face, half taken plain and half mirrored, the mean stands for both. A model that
        is not used with mirror images (`mirror` of its entry) never sees one.
        """
        chip = self.chip(image, points)
        return self._normed(self._model.run(chip[:, ::-1] if mirrored and self.entry.mirror else chip)[0][0])

    def embed_chip(self, chip: Image) -> Floats:
        """Return the embedding of a BGR image of exactly the model's size, in one pass."""
        return self._normed(self._model.run(chip)[0][0])

    def chip(self, image: Image, points: Points, zoom: float = 1.0) -> Image:
        """Return the aligned BGR image that the model sees, the face `zoom` times larger about its middle."""
        size = (self.entry.input.width, self.entry.input.height)
        matrix = alignment(points, self.entry.alignment) * zoom
        matrix[:, 2] += (1 - zoom) * (np.array(size) - 1) / 2
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        # sampling a large face straight into a small chip would alias: make a larger chip, then shrink it
        finer = int(np.clip(np.ceil(1 / max(scale, 1e-6)), 1, MAX_SHRINK))
        large = matrix * finer
        large[:, 2] += (finer - 1) / 2  # pixel centres lie at whole numbers
        chip: Image = cv2.warpAffine(image, large, (size[0] * finer, size[1] * finer), flags=cv2.INTER_LINEAR)
        if finer > 1:
            chip = cv2.resize(chip, size, interpolation=cv2.INTER_AREA)
        return chip

    def score(self, one: Floats, other: Floats) -> float:
        """Return the likeness of two embeddings in [0, 1]."""
        return float(self.scores(one, other[None])[0])

    def scores(self, one: Floats, others: Floats) -> npt.NDArray[np.float64]:
        """Return the likeness of one embedding to each row of `others`."""
        if self.entry.metric == "cosine":
            norms = np.linalg.norm(others, axis=1) * np.linalg.norm(one)
            values = others @ one / np.maximum(norms, 1e-9)
        else:
            values = np.linalg.norm(others - one, axis=1)
        line = self.entry.score
        scores: npt.NDArray[np.float64] = (values.astype(np.float64) - line.zero) / (line.one - line.zero)
        return np.clip(scores, 0.0, 1.0)

    def _normed(self, vector: Floats) -> Floats:
        """A vector of the model's, of unit length where only its direction tells."""
        if self.entry.metric == "cosine":
            vector = vector / max(float(np.linalg.norm(vector)), 1e-9)
        return vector.astype(np.float32)

    def wipe(self) -> None:
        """Overwrite what the last face left in the model."""
        self._model.wipe()


def fuse(embeddings: Sequence[Floats], weights: Sequence[float] | None = None) -> Floats:
    """Return the embedding that stands for several of one face: their mean, weighted if weights are given.

    Raises ValueError for no embedding, and for weights that are negative or all nothing.
    """
    if not len(embeddings):
        raise ValueError("no embedding to fuse")
    if weights is not None and (min(weights) < 0 or not sum(weights)):
        raise ValueError("weights of nothing")
    mean: Floats = np.average(np.stack(embeddings), axis=0, weights=weights).astype(np.float32)
    return mean


def alignment(points: Points, template: Sequence[AlignmentPoint]) -> Points:
    """Return the 2 x 3 similarity that brings mesh points closest to the template (Umeyama 1991)."""
    source = np.stack([points[list(point.landmarks), :2].mean(0) for point in template])
    target = np.array([(point.x, point.y) for point in template])
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred = source - source_mean
    covariance = (target - target_mean).T @ centred / len(source)
    left, strengths, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(signs) @ right
    scale = float((strengths * signs).sum()) / max(float(np.square(centred).sum(1).mean()), 1e-9)
    return np.column_stack([scale * turn, target_mean - scale * turn @ source_mean])
