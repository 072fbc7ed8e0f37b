"""One passage as the camera sees it: the reference, the person's track, and the evidence that grows.

The person is the main one of those in view (`models.tracking`), followed from frame to frame. Evidence
belongs to one continuous track of one face before one camera: if the face is lost, jumps, or comes to look
like somebody else, all that was collected is dropped. Only heights outlive a change of cameras
(`models.height.statures`). And what counts for life counts for likeness: only
usable frames do, and every one of them goes both into the motion check and through the embedder. Otherwise
one face could be shown to be alive and another to match. So that this costs no more than it must, frames are
embedded in turn as they are and mirrored, and others are looked for no more often than 12 times a second.

The best shots (`models.shots`) are averaged for the match; what was not usable never shows life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gated.core.stature import tall_enough
from gated.core.vocabulary import Hint
from models.face import PORTRAIT_MARGIN, Detection, Face, FaceReader, eye_centres
from models.height.stature import Stature
from models.height.statures import Heights, Statures
from models.image import ImageError
from models.liveness.check import LivenessCheck
from models.liveness.depth import Depth
from models.liveness.fusion import Evidence
from models.liveness.light import Code
from models.matching import Embedder, fuse
from models.quality.check import Quality, QualityCheck
from models.shots import Shot, Shots, crop, head_box
from models.tflite import Floats, Image
from models.tracking import RIVAL, Tracker, reach, view

DETECT_S = 0.08  # everybody is looked for about so often; between, the face is followed
EYES = 0.42  # of the size of a face's box lie between its eyes
LONGEST = 1e4  # an embedding is of about unit length; one much longer was not made by the embedder
CLEAR_FRAMES, CLEAR_S = 20, 1.0  # usable frames, and how long, after which no match will come of a mismatch


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
    stature: Stature | None
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
        *,
        heights: Mapping[str, Heights] | None = None,
        shadow: Embedder | None = None,
    ) -> None:
        """`heights`: by the name of a calibrated camera. `shadow`: an embedder that decides nothing."""
        self._reader = reader
        self._quality = quality
        self._embedder = embedder
        self._min_frames = min_frames
        self._same = _sameness(embedder)
        self._liveness = liveness
        self._heights = Statures(heights or {})
        self._measured = False
        self._shadow = shadow
        self._code: Code = ()
        self._min_height_m = 0.0
        self._reference: Floats | None = None
        self._shadow_reference: Floats | None = None
        self.reference_crop: Image | None = None
        self._trackers: dict[str, Tracker] = {}
        self.camera = ""
        """The camera that the track belongs to."""
        self._shots = Shots()
        self._usable = 0
        self._usable_at = (0.0, 0.0)
        self._beside = 0
        self._last: Face | None = None
        self._last_at = 0.0
        self._unread: Detection | None = None  # a face of the frame at hand that gave no mesh
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
            if self._shadow is not None:
                self._shadow_reference = self._shadow.embed(photograph, face.points)
            self.reference_crop = crop(photograph, face)
        except cv2.error as error:  # a stranger's photograph shall not end the process
            raise ImageError("photograph_unusable") from error

    def recall(self, template: bytes) -> None:
        """Take what `template` gave out elsewhere, of the same version of the embedder, for the reference.

        Raises ImageError when it is no embedding.
        """
        self.wipe()
        self._reference = self._embedding(template)

    def compared(self, template: bytes) -> float:
        """Return the score of the reference and what `template` gave out of another photograph.

        Raises ImageError when it is no embedding, or there is no reference.
        """
        if self._reference is None:
            raise ImageError("no_photograph")
        return self._embedder.score(self._reference, self._embedding(template))

    def _embedding(self, template: bytes) -> Floats:
        """Raises ImageError when it is none."""
        try:
            found = np.frombuffer(template, "<f4").astype(np.float32)
        except ValueError:
            found = np.zeros(0, np.float32)
        fits = found.size == np.prod(self._embedder.entry.outputs[0])
        if not fits or not np.isfinite(found).all() or not 0 < np.linalg.norm(found) < LONGEST:
            raise ImageError("template_unusable")
        return found

    @property
    def template(self) -> bytes | None:
        """The reference in bytes, for another lane to `recall`: personal data."""
        return None if self._reference is None else self._reference.astype("<f4").tobytes()

    @property
    def is_enrolled(self) -> bool:
        """Whether there is a reference to compare with."""
        return self._reference is not None

    def begin(self, light: Code = (), min_height_m: float = 0.0) -> None:
        """Begin a capture during which the gate's lamp plays this code: nothing seen before counts.

        `min_height_m`: the person's height is measured, for this rule; 0: it is not.
        """
        self._code, self._min_height_m = light, min_height_m
        self._measured = False
        self._heights.wipe()
        self._trackers.clear()
        self._restart()

    def _restart(self) -> None:
        self._drop_evidence()
        self._detected_at = float("-inf")
        self._keep(None)

    def see(
        self,
        image: Image,
        at: float,
        camera: str = "",
        infrared: Image | None = None,
        depth: Depth | None = None,
    ) -> tuple[Hint, ...]:
        """Take one frame (BGR) of a camera, complete at `at` (seconds, rising).

        `infrared`: the same in near infrared (BGR, grey), `depth`: in millimetres, pixel by pixel, where
        there is a camera for it. Returns what the person could do, the most helpful first; nothing when all
        is well.
        """
        if camera != self.camera:
            self._restart()
            self.camera = camera
        face = self._find(image, at)
        if self._beside and (face is not None or self._unread is not None):
            return (Hint.ONE_PERSON,)
        if face is None:
            unread = self._unread
            return (Hint.LOOK_HERE,) if unread is None else self._quality.glimpse(image, unread)
        if self._min_height_m:
            self._heights.add(camera, image, face, at)
        quality = self._quality.assess(image, face)
        if quality.usable:
            self._count(image, face, quality, at, infrared, depth)
        elif self._shots.wants_spare(quality.value):
            self._shots.spare(self._shot(image, face, quality.value))
        return quality.hints

    def glance(self, image: Image, at: float, camera: str) -> float:
        """Look through any camera: return how well it sees its main person, in [0, 1].

        One that is not looked through measures the height, as long as that is asked and not known.
        """
        detections = self._reader.detect(image)
        height, width = image.shape[:2]
        if camera != self.camera and camera in self._heights and self._min_height_m and not self._measured:
            self._measure(image, at, camera, detections)
        return view(detections, width, height)

    def _measure(self, image: Image, at: float, camera: str, detections: Sequence[Detection]) -> None:
        sighting = self._tracker_of(camera).update(detections, at, image.shape[1])
        if sighting.new_track or sighting.track is None:
            self._heights.lost(camera)
        face = None if sighting.main is None else self._reader.read(image, sighting.main)
        if face is None or sighting.beside:
            return
        self._heights.add(camera, image, face, at)
        if self._heights.wants_face(camera, face.eye_distance):
            self._heights.know(
                camera, self._embedder.embed_side(image, face.points, mirrored=False), face.eye_distance
            )

    def judge(self, match_threshold: float) -> Verdict:
        """Return the evidence so far, and whether more frames would not change it."""
        liveness = self._liveness.judge()
        match = self._match()
        best = self._shots.best
        seconds = self._usable_at[1] - self._usable_at[0] if self._usable else 0.0
        matches = match >= match_threshold
        enough = self._usable >= self._min_frames
        mismatch = not matches and self._usable >= CLEAR_FRAMES and seconds >= CLEAR_S
        stature = self._stature()
        good = matches and liveness.verdict == "live" and self._is_measured(stature)
        return Verdict(
            frames=self._usable,
            seconds=seconds,
            quality=best[0].value if best else 0.0,
            match_score=match,
            liveness=liveness,
            stature=stature,
            conclusive=enough and (good or mismatch or liveness.verdict == "attack"),
        )

    def best(self) -> Image | None:
        """Return the crop of the best shot there is."""
        shots = self._shots.best
        return shots[0].crop if shots else None

    @property
    def reference(self) -> Floats | None:
        """The embedding of the passport photograph."""
        return self._reference

    def likeness(self) -> Floats | None:
        """Return the embedding that stands for the person who was seen, if anybody was."""
        return self._shots.likeness() if self._shots.best else None

    def scores(self, one: Floats, others: Floats) -> Floats:
        """Return the match score of one embedding with each row of others."""
        return self._embedder.scores(one, others).astype(np.float32)

    def shadow_score(self) -> float | None:
        """Return what the shadow says of the best shots; None: there is none, or nobody was seen."""
        shots = self._shots.best
        if self._shadow is None or self._shadow_reference is None or not shots:
            return None
        seen = fuse([self._shadow.embed(shot.crop, shot.points) for shot in shots])
        return self._shadow.score(self._shadow_reference, seen)

    def use(self, embedder: Embedder, shadow: Embedder | None) -> None:
        """Compare by these from now on; what was seen and enrolled so far is forgotten."""
        self.wipe()
        self._embedder, self._shadow = embedder, shadow
        self._same = _sameness(embedder)

    def wipe(self) -> None:
        """Overwrite and forget everything, in the models too."""
        self.begin()
        for array in (self._reference, self._shadow_reference, self.reference_crop):
            if array is not None:
                array.fill(0)
        self._reference = self._shadow_reference = self.reference_crop = None
        for model in (self._reader, self._quality, self._embedder, self._shadow):
            if model is not None:
                model.wipe()

    def _stature(self) -> Stature | None:
        if not self._min_height_m or not self._heights:
            return None
        stature = self._heights.judge(self.camera, self._is_same)
        self._measured = self._is_measured(stature)
        return stature

    def _is_same(self, embedding: Floats) -> bool:
        """Whether an embedding is of the person of the track."""
        return bool(self._shots.usable) and self._likes(embedding)

    def _likes(self, embedding: Floats) -> bool:
        return self._embedder.score(embedding, self._shots.likeness()) >= self._same

    def _is_measured(self, stature: Stature | None) -> bool:
        """Whether more frames would not change what the rule about height says, or there is no rule."""
        if not self._min_height_m or not self._heights:
            return True
        if stature is None:
            return False
        return tall_enough(stature.height_m, stature.error_m, self._min_height_m) != "undetermined"

    def _find(self, image: Image, at: float) -> Face | None:
        """The main person's face in this frame; the track ends where it is another's than before."""
        face = None
        if self._last is not None and 0 <= at - self._detected_at < DETECT_S:
            face = self._reader.follow(image, self._last)
        if face is None:
            face = self._detect(image, at)
        if face is not None and self._last is not None and _jumped(self._last, face, at - self._last_at):
            self._lose()
        self._keep(face)
        self._last_at = at
        return face

    @property
    def beside(self) -> int:
        """How many others were as near as the person looked at, when faces were last looked for."""
        return self._beside

    def _keep(self, face: Face | None) -> None:
        """Keep the face for the next frame, and nothing of the one before."""
        if self._last is not None:
            self._last.points.fill(0)
        self._last = face

    def _detect(self, image: Image, at: float) -> Face | None:
        detections = self._reader.detect(image)
        sighting = self._tracker_of(self.camera).update(detections, at, image.shape[1])
        self._detected_at, self._beside = at, sighting.beside
        if sighting.new_track or sighting.track is None:
            self._lose()
        face = None if sighting.main is None else self._reader.read(image, sighting.main)
        self._unread = sighting.main if face is None else None
        return face

    def _tracker_of(self, camera: str) -> Tracker:
        return self._trackers.setdefault(camera, Tracker())

    def _count(
        self,
        image: Image,
        face: Face,
        quality: Quality,
        at: float,
        infrared: Image | None,
        depth: Depth | None,
    ) -> None:
        """Let a usable frame be evidence, of this person alone."""
        shot = self._shot(image, face, quality.value)
        if self._shots.usable and not self._likes(shot.embedding):
            self._heights.wipe()
            self._drop_evidence()
        self._usable_at = (self._usable_at[0] if self._usable else at, at)
        self._usable += 1
        grey = None if infrared is None else np.ascontiguousarray(infrared[..., 1])
        self._liveness.add(image, face, at, infrared=grey, depth=depth)
        if self._min_height_m and self._heights.wants_face(self.camera, face.eye_distance):
            self._heights.know(self.camera, shot.embedding, face.eye_distance)
        self._shots.add(shot)

    def _shot(self, image: Image, face: Face, value: float) -> Shot:
        embedding = self._embedder.embed_side(image, face.points, mirrored=self._usable % 2 == 1)
        x, y = head_box(image, face)[:2]
        points = face.points - (x, y, 0)
        return Shot(embedding=embedding, value=value, crop=crop(image, face), points=points)

    def _match(self) -> float:
        if self._reference is None or not self._shots.best:
            return 0.0
        return self._embedder.score(self._reference, self._shots.likeness())

    def _lose(self) -> None:
        """The track has ended, and with it what its camera measured."""
        self._heights.lost(self.camera)
        self._drop_evidence()

    def _drop_evidence(self) -> None:
        self._shots.wipe()
        self._liveness.wipe()
        self._liveness.light(self._code)  # the lamp goes on, whomever it shines on
        self._usable = 0


def _sameness(embedder: Embedder) -> float:
    """The score from which two frames show one person.

    Never laxer than the match itself, or a print could lend its likeness to somebody a little like it.
    """
    return max(threshold.score for threshold in embedder.entry.thresholds)


def _jumped(before: Face, after: Face, for_s: float) -> bool:
    """Whether a face moved or grew as none does in this time."""
    size = max(before.eye_distance, 1.0)
    then, now = (eye_centres(face.points).mean(0) for face in (before, after))
    moved, grown = float(np.hypot(*(now - then))) / size * EYES, abs(np.log(after.eye_distance / size))
    far, much = reach(for_s)
    return moved > far or bool(grown > much)
