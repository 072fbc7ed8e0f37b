"""One passage as the camera sees it: the reference, the person's track, and the evidence that grows.

The person is the main one of those in view (`models.tracking`), followed from frame to frame. Evidence
belongs to one continuous track of one face before one camera: if the face is lost, jumps, or comes to look
like somebody else, all that was collected is dropped. And what counts for life counts for likeness: only
usable frames do, and every one of them goes both into the motion check and through the embedder. Otherwise
one face could be shown to be alive and another to match. So that this costs no more than it must, frames are
embedded in turn as they are and mirrored, and everybody is looked for no more often than 20 times a second.

The best shots are kept in a short list and their embeddings averaged. Before there is any, the best of what
was not usable is kept, so that at a time-out there is something for an officer to see; it never shows life.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gated.core.vocabulary import Hint
from models.face import PORTRAIT_MARGIN, Face, FaceReader
from models.image import ImageError
from models.liveness.check import LivenessCheck
from models.liveness.fusion import Evidence
from models.liveness.light import Code
from models.matching import Embedder, fuse
from models.quality.check import Quality, QualityCheck
from models.tflite import Floats, Image
from models.tracking import RIVAL, Tracker

BEST = 5  # shots that are averaged; with three the FNMR at FMR 0.1 % falls from 7.7 to 1.2 %
DETECT_S = 0.05  # everybody is looked for at least so often; between, the face is followed
SPARE = 1.1  # a shot that is not usable takes the place of another one when it is better by so much
CLEAR_FRAMES, CLEAR_S = 20, 1.0  # usable frames, and how long, after which no match will come of a mismatch


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One frame of the face: its embedding, its quality in [0, 1], and a crop for the record."""

    embedding: Floats
    value: float
    crop: Image


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All evidence of a capture: `frames` counts the usable ones, which lie `seconds` apart, first to last.

    `quality` is that of the best shot, in [0, 1]. With no usable frame the liveness says nothing, and match
    and quality are those of the best frame that was not usable.
    """

    frames: int
    seconds: float
    quality: float
    match_score: float
    liveness: Evidence
    conclusive: bool


class Observer:
    """Follows one person. The reference outlives a capture; the track does not."""

    def __init__(
        self,
        reader: FaceReader,
        quality: QualityCheck,
        embedder: Embedder,
        liveness: LivenessCheck,
        min_frames: int,
    ) -> None:
        self._reader = reader
        self._quality = quality
        self._embedder = embedder
        self._min_frames = min_frames
        # never laxer than the match itself, or a print could lend its likeness to somebody a little like it
        self._same = max(threshold.score for threshold in embedder.entry.thresholds)
        self._liveness = liveness
        self._code: Code = ()
        self._reference: Floats | None = None
        self.reference_crop: Image | None = None
        self._tracker = Tracker()
        self.camera = ""
        """The camera that the track belongs to."""
        self._shots: list[Shot] = []
        self._spare: Shot | None = None
        self._usable = 0
        self._usable_at = (0.0, 0.0)
        self._beside = 0
        self._last: Face | None = None
        self._detected_at = float("-inf")

    def enrol(self, photograph: Image) -> None:
        """Take the decoded passport photograph (BGR). Raises ImageError when it does not show one face."""
        self.wipe()
        try:
            faces = self._reader.detect(photograph, margin=PORTRAIT_MARGIN)
            face = self._reader.read(photograph, faces[0]) if faces else None
            if face is None:
                raise ImageError("no_face_in_photograph")
            if any(other.area > RIVAL * faces[0].area for other in faces[1:]):
                raise ImageError("several_faces_in_photograph")
            self._reference = self._embedder.embed(photograph, face.points)
            self.reference_crop = crop(photograph, face)
        except cv2.error as error:  # a stranger's photograph shall not end the process
            raise ImageError("photograph_unusable") from error

    @property
    def is_enrolled(self) -> bool:
        """Whether there is a reference to compare with."""
        return self._reference is not None

    def begin(self, light: Code = ()) -> None:
        """Begin a capture during which the gate's lamp plays this code: nothing seen before counts."""
        self._code = light
        self._restart()

    def _restart(self) -> None:
        self._drop_evidence()
        self._tracker.reset()
        self._detected_at = float("-inf")
        self._keep(None)

    def see(self, image: Image, at: float, camera: str = "") -> tuple[Hint, ...]:
        """Take one frame (BGR) of a camera, complete at `at` (seconds, rising).

        Returns what the person could do, the most helpful first; nothing when all is well.
        """
        if camera != self.camera:
            self._restart()
            self.camera = camera
        face = self._find(image, at)
        if face is None:
            return (Hint.LOOK_HERE,)
        if self._beside:
            return (Hint.ONE_PERSON,)
        quality = self._quality.assess(image, face)
        if quality.usable:
            self._count(image, face, quality, at)
        else:
            self._spare_one(image, face, quality)
        return quality.hints

    def judge(self, match_threshold: float) -> Verdict:
        """Return the evidence so far, and whether more frames would not change it."""
        liveness = self._liveness.judge()
        match = self._match()
        best = self._best_there_is()
        seconds = self._usable_at[1] - self._usable_at[0] if self._usable else 0.0
        matches = match >= match_threshold
        enough = self._usable >= self._min_frames
        mismatch = not matches and self._usable >= CLEAR_FRAMES and seconds >= CLEAR_S
        good = matches and liveness.verdict == "live"
        return Verdict(
            frames=self._usable,
            seconds=seconds,
            quality=best[0].value if best else 0.0,
            match_score=match,
            liveness=liveness,
            conclusive=enough and (good or mismatch or liveness.verdict == "attack"),
        )

    def best(self) -> Image | None:
        """Return the crop of the best shot there is."""
        shots = self._best_there_is()
        return shots[0].crop if shots else None

    def wipe(self) -> None:
        """Overwrite and forget everything, in the models too."""
        self.begin()
        for array in (self._reference, self.reference_crop):
            if array is not None:
                array.fill(0)
        self._reference = self.reference_crop = None
        for model in (self._reader, self._quality, self._embedder):
            model.wipe()

    def _find(self, image: Image, at: float) -> Face | None:
        """The main person's face in this frame; the track ends where it is another's than before."""
        face = None
        if self._last is not None and 0 <= at - self._detected_at < DETECT_S:
            face = self._reader.follow(image, self._last)
        if face is None:
            face = self._detect(image, at)
        self._keep(face)
        return face

    def _keep(self, face: Face | None) -> None:
        """Keep the face for the next frame, and nothing of the one before."""
        if self._last is not None:
            self._last.points.fill(0)
        self._last = face

    def _detect(self, image: Image, at: float) -> Face | None:
        detections = self._reader.detect(image)
        sighting = self._tracker.update(detections, at, image.shape[1])
        self._detected_at, self._beside = at, sighting.beside
        if sighting.new_track or sighting.track is None:
            self._drop_evidence()
        return None if sighting.main is None else self._reader.read(image, sighting.main)

    def _count(self, image: Image, face: Face, quality: Quality, at: float) -> None:
        """Let a usable frame be evidence, of this person alone."""
        shot = self._shot(image, face, quality.value)
        if self._shots and self._embedder.score(shot.embedding, self._likeness()) < self._same:
            self._drop_evidence()
        self._wipe_spare()
        self._usable_at = (self._usable_at[0] if self._usable else at, at)
        self._usable += 1
        self._liveness.add(image, face, at)
        self._shots.append(shot)
        self._shots.sort(key=lambda shot: -shot.value)
        _wipe(self._shots[BEST:])
        del self._shots[BEST:]

    def _spare_one(self, image: Image, face: Face, quality: Quality) -> None:
        """Keep what is not usable while there is nothing better."""
        if self._shots or (self._spare is not None and quality.value <= SPARE * self._spare.value):
            return
        self._wipe_spare()
        self._spare = self._shot(image, face, quality.value)

    def _shot(self, image: Image, face: Face, value: float) -> Shot:
        embedding = self._embedder.embed_side(image, face.points, mirrored=self._usable % 2 == 1)
        return Shot(embedding=embedding, value=value, crop=crop(image, face))

    def _best_there_is(self) -> list[Shot]:
        return self._shots or ([] if self._spare is None else [self._spare])

    def _match(self) -> float:
        if self._reference is None or not self._best_there_is():
            return 0.0
        return self._embedder.score(self._reference, self._likeness())

    def _likeness(self) -> Floats:
        return fuse([shot.embedding for shot in self._best_there_is()])

    def _drop_evidence(self) -> None:
        _wipe(self._shots)
        self._shots.clear()
        self._wipe_spare()
        self._liveness.wipe()
        self._liveness.light(self._code)  # the lamp goes on, whomever it shines on
        self._usable = 0

    def _wipe_spare(self) -> None:
        if self._spare is not None:
            _wipe([self._spare])
        self._spare = None


def crop(image: Image, face: Face) -> Image:
    """Cut out the head: the mesh's box with room for hair and chin."""
    low, high = face.points[:, :2].min(0), face.points[:, :2].max(0)
    room = 0.35 * (high - low)
    height, width = image.shape[:2]
    x0, y0 = np.clip(low - room * (1.0, 1.4), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(high + room, 1, (width, height)).astype(int)
    return image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].copy()


def _wipe(shots: Sequence[Shot]) -> None:
    for shot in shots:
        shot.embedding.fill(0)
        shot.crop.fill(0)
