"""From photographs to embeddings: each is read, decoded and embedded once, by several processes.

A photograph that gives no embedding is a failure to acquire (ISO/IEC 19795-1:2021, 3): it is kept with a code
that says why, and left out of the comparisons, never out of the account.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from models.evaluation.photographs import Opened, Photograph, PhotographsError
from models.face import PORTRAIT_MARGIN, Detection, Face, FaceReader, Points
from models.image import ImageError, use_one_thread
from models.manifest import Manifest
from models.matching import Embedder
from models.mrz.files import decode
from models.quality.still import present
from models.schema import Embedder as EmbedderEntry
from models.tflite import Floats, Image

BATCH = 16  # photographs that a process takes at once
MAX_ENLARGED = 600  # pixels of the longer side up to which a small image is enlarged

Progress = Callable[[int, int], None]


class AcquisitionError(Exception):
    """A process that embeds has ended: the text says what was being done."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The face of one photograph, for embedding, in an image that may have been enlarged `scale` times."""

    image: Image
    faces: tuple[Detection, ...]
    face: Face
    photograph: Image
    scale: float

    def as_photographed(self) -> tuple[Image, Face, tuple[Detection, ...]]:
        """The photograph as it is, the face and all faces in its pixels: what its quality is judged by."""

        def back(points: Points) -> Points:
            smaller = points / self.scale
            smaller[..., :2] += 0.5 / self.scale - 0.5  # pixel centres lie at whole numbers
            return smaller

        faces = tuple(
            replace(each, box=_box(back(np.array(each.box).reshape(2, 2))), eyes=back(each.eyes))
            for each in self.faces
        )
        return self.photograph, replace(self.face, points=back(self.face.points)), faces


@dataclass(kw_only=True)
class Acquired:
    """What became of photographs, by file: their embeddings, or why there is none.

    `sides`: the same photographs as the gate embeds live frames, plain and mirrored; empty unless asked for.
    """

    embeddings: dict[str, Floats] = field(default_factory=dict)
    sides: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Enroller:
    """Finds the face of a photograph and embeds it. One for each process."""

    def __init__(self, models: Manifest, entry: EmbedderEntry) -> None:
        """Load the models; raises ModelError."""
        self._reader = FaceReader(models)
        self.embedder = Embedder(entry)

    def see(self, encoded: bytes) -> Seen:
        """Return the face nearest to the middle. Raises ImageError when there is none, or no image."""
        photograph = decode(encoded)
        image = _enlarged(photograph)
        try:
            faces = self._reader.detect(image, margin=PORTRAIT_MARGIN) or self._reader.detect(image)
            if not faces:
                raise ImageError("no_face_detected")
            height, width = image.shape[:2]
            middle = np.array([width, height]) / 2
            nearest = min(faces, key=lambda each: float(np.hypot(*(each.eyes.mean(0) - middle))))
            face = self._reader.read(image, nearest)
        except cv2.error as error:
            raise ImageError("image_unusable") from error
        if face is None:
            raise ImageError("no_face_mesh")
        return Seen(
            image=image,
            faces=faces,
            face=face,
            photograph=photograph,
            scale=image.shape[1] / photograph.shape[1],
        )

    def present(self, seen: Seen) -> tuple[Detection, ...]:
        """Return the faces of a photograph by the rule that every command counts by, in its own pixels.

        `seen.faces` may be more: the one to embed is looked for beyond the edges too.
        """
        return present(self._reader, seen.photograph) or seen.as_photographed()[2]

    def embed(self, encoded: bytes, *, live: bool = False) -> list[Floats]:
        """Return the embedding of the face nearest to the middle; with `live`, and of each side of it.

        Raises ImageError.
        """
        seen = self.see(encoded)
        points = seen.face.points
        found = [self.embedder.embed(seen.image, points)]
        if live:
            found.extend(self.embedder.embed_side(seen.image, points, mirrored=m) for m in (False, True))
        return found

    def wipe(self) -> None:
        """Overwrite what the last photograph left in the models."""
        self._reader.wipe()
        self.embedder.wipe()


def _enlarged(image: Image) -> Image:
    """A small image at twice its size: the mesh is finer there."""
    if max(image.shape[:2]) > MAX_ENLARGED // 2:
        return image
    larger: Image = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return larger


def _box(corners: Points) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = corners
    return float(x0), float(y0), float(x1), float(y1)


def acquire(
    source: Path,
    photographs: Sequence[Photograph],
    models: Manifest,
    entry: EmbedderEntry,
    *,
    live: bool = False,
    processes: int = 1,
    progress: Progress | None = None,
) -> Acquired:
    """Embed each photograph once. Raises ModelError, AcquisitionError."""
    acquired = Acquired()
    enroller = Enroller(models, entry)  # a model that cannot be used is found here, not in a child
    batches = [photographs[start : start + BATCH] for start in range(0, len(photographs), BATCH)]
    processes = min(processes, len(batches))
    found = (
        _here(source, batches, enroller, live=live)
        if processes <= 1
        else _in_processes(source, batches, models, entry, processes, live=live)
    )
    done = 0
    for batch, results in found:
        for photograph, result in zip(batch, results, strict=True):
            if isinstance(result, str):
                acquired.failures[photograph.file] = result
            else:
                acquired.embeddings[photograph.file] = result[0]
                if live:
                    acquired.sides[photograph.file] = result[1], result[2]
        done += len(batch)
        if progress is not None:
            progress(done, len(photographs))
    return acquired


_Batches = Sequence[Sequence[Photograph]]
_Found = list[list[Floats] | str]
_Results = Iterator[tuple[Sequence[Photograph], _Found]]


def _here(source: Path, batches: _Batches, enroller: Enroller, *, live: bool) -> _Results:
    opened = Opened(source)
    try:
        for batch in batches:
            yield batch, [_embed(opened, enroller, photograph, live=live) for photograph in batch]
    finally:
        opened.close()


def _in_processes(
    source: Path, batches: _Batches, models: Manifest, entry: EmbedderEntry, processes: int, *, live: bool
) -> _Results:
    # a forked interpreter of TFLite may hold a lock of a thread that is not there
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin, (source, models, entry)) as pool:
        waiting: list[tuple[Sequence[Photograph], Future[_Found]]] = []
        try:
            waiting = [(batch, pool.submit(_embed_batch, list(batch), live=live)) for batch in batches]
            for batch, future in waiting:
                yield batch, future.result()
        except BrokenProcessPool as error:
            raise AcquisitionError("a process that embeds photographs ended: too little memory?") from error
        finally:
            for _, future in waiting:
                future.cancel()


_process: tuple[Opened, Enroller] | None = None


def _begin(source: Path, models: Manifest, entry: EmbedderEntry) -> None:
    global _process  # noqa: PLW0603 - what a process of the pool keeps between batches
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; whoever began the pool ends it
    use_one_thread()
    _process = Opened(source), Enroller(models, entry)


def _embed_batch(batch: list[Photograph], *, live: bool) -> _Found:
    if _process is None:
        raise RuntimeError("a process of the pool was not begun")
    return [_embed(*_process, photograph, live=live) for photograph in batch]


def _embed(opened: Opened, enroller: Enroller, photograph: Photograph, *, live: bool) -> list[Floats] | str:
    """The embeddings, or the code of why there is none."""
    try:
        return enroller.embed(opened.read(photograph), live=live)
    except ImageError as error:
        return error.reason
    except PhotographsError:
        return "file_unreadable"
