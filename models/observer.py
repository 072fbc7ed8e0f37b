"""One passage as the camera sees it: the reference, the person's track, and the evidence that grows.

The person is the nearest face, followed from frame to frame. Evidence belongs to one continuous track of one
face: if the face is lost, jumps, or comes to look like somebody else, all that was collected is dropped. And
what counts for life counts for likeness: only usable frames do, and every one of them goes both into the
motion check and through the embedder. Otherwise one face could be shown to be alive and another to match.
The best shots are kept in a short list and their embeddings averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.face import PORTRAIT_MARGIN, Detection, Face, FaceReader, eye_centres
from models.image import ImageError
from models.liveness.motion import Evidence, MotionCheck
from models.manifest import MotionLiveness
from models.matching import Embedder, fuse
from models.quality.check import assess
from models.tflite import Floats, Image

BEST = 5  # shots that are averaged; with three the FNMR at FMR 0.1 % falls from 7.7 to 1.2 %
JUMP = 1.2  # eye distances that the middle of the eyes may move between two frames
RESIZED = 1.6  # and how much the face may grow or shrink
RIVAL = 0.6  # a second face of this part of the nearest one's area is another person
CLEAR_FRAMES = 20  # usable frames after which a mismatch will not become a match


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One usable frame of the face: its embedding, its quality in [0, 1], and a crop for the record."""

    embedding: Floats
    value: float
    crop: Image


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All evidence of a capture. `frames` counts the usable ones; with none the scores say nothing."""

    frames: int
    match_score: float
    liveness: Evidence
    conclusive: bool


class Observer:
    """Follows one person. The reference outlives a capture; the track does not."""

    def __init__(
        self, reader: FaceReader, embedder: Embedder, liveness: MotionLiveness, min_frames: int
    ) -> None:
        self._reader = reader
        self._embedder = embedder
        self._min_frames = min_frames
        # never laxer than the match itself, or a print could lend its likeness to somebody a little like it
        self._same = max(threshold.score for threshold in embedder.entry.thresholds)
        self._motion = MotionCheck(liveness)
        self._reference: Floats | None = None
        self.reference_crop: Image | None = None
        self._shots: list[Shot] = []
        self._usable = 0
        self._last: Face | None = None

    def enrol(self, photograph: Image) -> None:
        """Take the decoded passport photograph (BGR). Raises ImageError when it does not show one face."""
        self.wipe()
        try:
            faces = self._reader.detect(photograph, margin=PORTRAIT_MARGIN)
            face = self._reader.read(photograph, faces[0]) if faces else None
            if face is None:
                raise ImageError("no_face_in_photograph")
            if _is_beside_another(faces):
                raise ImageError("several_faces_in_photograph")
            self._reference = self._embedder.embed(photograph, face.points)
            self.reference_crop = crop(photograph, face)
        except cv2.error as error:  # a stranger's photograph shall not end the process
            raise ImageError("photograph_unusable") from error

    @property
    def is_enrolled(self) -> bool:
        """Whether there is a reference to compare with."""
        return self._reference is not None

    def begin(self) -> None:
        """Begin a capture: nothing seen before counts."""
        self._drop_track()

    def see(self, image: Image) -> str:
        """Take one frame (BGR); return what the person should do, empty when all is well."""
        faces = self._reader.detect(image)
        face = self._reader.read(image, faces[0]) if faces else None
        if face is None or not self._follows(face):
            self._drop_track()
        if face is None:
            return "look_here"
        hint = "one_person" if _is_beside_another(faces) else self._weigh(image, face)
        self._last = face
        return hint

    def judge(self, match_threshold: float) -> Verdict:
        """Return the evidence so far, and whether more frames would not change it."""
        liveness = self._motion.judge()
        match = self._match()
        matches = match >= match_threshold
        enough = self._usable >= self._min_frames
        mismatch = not matches and self._usable >= CLEAR_FRAMES
        good = matches and liveness.verdict == "live"
        conclusive = enough and (good or mismatch or liveness.verdict == "attack")
        return Verdict(frames=self._usable, match_score=match, liveness=liveness, conclusive=conclusive)

    def best(self) -> Image | None:
        """Return the crop of the best shot."""
        return self._shots[0].crop if self._shots else None

    def wipe(self) -> None:
        """Overwrite and forget everything, in the models too."""
        self._drop_track()
        for array in (self._reference, self.reference_crop):
            if array is not None:
                array.fill(0)
        self._reference = self.reference_crop = None
        self._reader.wipe()
        self._embedder.wipe()

    def _match(self) -> float:
        if self._reference is None or not self._shots:
            return 0.0
        return self._embedder.score(self._reference, self._likeness())

    def _weigh(self, image: Image, face: Face) -> str:
        """Let a usable frame be evidence, of this person alone; return the hint."""
        quality = assess(image, face)
        if not quality.usable:
            return quality.hint
        embedding = self._embedder.embed(image, face.points)
        if self._shots and self._embedder.score(embedding, self._likeness()) < self._same:
            self._drop_track()
        self._usable += 1
        self._motion.add(face.points)
        self._shots.append(Shot(embedding=embedding, value=quality.value, crop=crop(image, face)))
        self._shots.sort(key=lambda shot: -shot.value)
        _wipe(self._shots[BEST:])
        del self._shots[BEST:]
        return ""

    def _likeness(self) -> Floats:
        return fuse([shot.embedding for shot in self._shots])

    def _follows(self, face: Face) -> bool:
        """Whether this is the face of the frame before, moved as faces can."""
        if self._last is None:
            return True
        before, now = (eye_centres(one.points).mean(0) for one in (self._last, face))
        size = self._last.eye_distance
        moved = float(np.hypot(*(now - before))) / max(size, 1.0)
        grown = face.eye_distance / max(size, 1.0)
        return moved < JUMP and 1 / RESIZED < grown < RESIZED

    def _drop_track(self) -> None:
        _wipe(self._shots)
        self._shots.clear()
        self._motion.wipe()
        self._usable = 0
        if self._last is not None:
            self._last.points.fill(0)
        self._last = None


def crop(image: Image, face: Face) -> Image:
    """Cut out the head: the mesh's box with room for hair and chin."""
    low, high = face.points[:, :2].min(0), face.points[:, :2].max(0)
    room = 0.35 * (high - low)
    height, width = image.shape[:2]
    x0, y0 = np.clip(low - room * (1.0, 1.4), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(high + room, 1, (width, height)).astype(int)
    return image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].copy()


def _is_beside_another(faces: Sequence[Detection]) -> bool:
    """Whether the nearest face is not alone: another one is almost as large."""
    return len(faces) > 1 and faces[1].area > RIVAL * faces[0].area


def _wipe(shots: Sequence[Shot]) -> None:
    for shot in shots:
        shot.embedding.fill(0)
        shot.crop.fill(0)
