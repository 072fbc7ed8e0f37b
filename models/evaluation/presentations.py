"""Judges recorded presentations, stills and sequences, as a gate would: what evaluation of attacks counts.

A still is an image file; a sequence is a folder of images in the order of their names, or a video file; what
is hidden is neither. A still is judged by what one frame can show; a sequence by all cues together, and by
the first verdict that they reach, where a gate would stop, too. Each is one presentation of the main person
in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models import film
from models.evaluation.attacks import Response
from models.face import FaceReader
from models.image import ImageError
from models.liveness.check import LivenessCheck
from models.liveness.fusion import Evidence
from models.liveness.recapture import RecaptureHead
from models.manifest import Manifest
from models.mrz.files import MAX_BYTES, decode
from models.tflite import Image
from models.tracking import Tracker

VIDEOS: Final = frozenset({".mp4", ".avi", ".mjpeg", ".mjpg", ".mov", ".mkv", ".webm"})
MAX_PRESENTATIONS: Final = 100_000
MAX_SEEN: Final = 900  # frames of a sequence that are looked at; a gate's capture has long timed out then
MARGIN: Final = 0.25  # border, in parts of it, around a still in which no face is found without one


class PresentationError(Exception):
    """A file is no presentation that can be used; `code` is snake_case."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Listing:
    """The presentations of one folder, in the order of their names."""

    stills: tuple[Path, ...]
    sequences: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.stills) + len(self.sequences)


def listed(folder: Path, *, only_stills: bool = False) -> Listing:
    """List what is in a folder; `only_stills`: every image at any depth is one. Raises PresentationError."""
    try:
        if only_stills:
            files = [each for each in folder.rglob("*") if _is(each, film.SUFFIXES)]
            found = Listing(tuple(sorted(files)), ())
        else:
            inside = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
            stills = tuple(each for each in inside if _is(each, film.SUFFIXES))
            sequences = tuple(each for each in inside if each.is_dir() or _is(each, VIDEOS))
            found = Listing(stills, sequences)
    except OSError as error:
        raise PresentationError("cannot_be_read") from error
    if not len(found):
        raise PresentationError("no_presentations")
    if len(found) > MAX_PRESENTATIONS:
        raise PresentationError("too_many_presentations")
    return found


class Judge:
    """Detector, mesh and every cue that recordings allow. Not for use from two threads at once."""

    def __init__(self, models: Manifest, rate: float | None = None) -> None:
        """Load the models; raises ModelError. `rate`: frames a second, where a recording does not tell."""
        self._rate = rate
        self._reader = FaceReader(models)
        self._head = RecaptureHead(models.recapture)
        self._check = LivenessCheck(models.liveness, self._head)
        self.still_threshold = 1 - models.recapture.threshold

    def still(self, path: Path) -> Response:
        """Judge one image by its largest face. Raises PresentationError."""
        try:
            with path.open("rb") as file:
                image = decode(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise PresentationError("cannot_be_read") from error
        except ImageError as error:
            raise PresentationError(error.reason) from error
        found = self._reader.detect(image) or self._reader.detect(image, margin=MARGIN)
        face = self._reader.read(image, found[0]) if found else None
        if face is None:
            return Response(classification=None, score=None, reason="no_face")
        probability = self._head.read(image, face)
        self._head.wipe()
        if probability is None:
            return Response(classification=None, score=None, reason="insufficient_evidence")
        score = 1 - probability
        return Response(classification="bona_fide" if score > self.still_threshold else "attack", score=score)

    def sequence(self, path: Path) -> Response:
        """Judge one recording by the first verdict. Raises PresentationError."""
        try:
            evidence = self._watch(film.frames(path, self._rate))
        except film.FilmError as error:
            raise PresentationError(error.code) from error
        finally:
            self._check.wipe()
            self._reader.wipe()
        if evidence is None:
            return Response(classification=None, score=None, reason="no_face")
        known = any(cue.score is not None for cue in evidence.cues)
        score = evidence.score if known else None
        if evidence.verdict == "undetermined":
            return Response(classification=None, score=score, reason="insufficient_evidence")
        return Response(
            classification="bona_fide" if evidence.verdict == "live" else "attack", score=evidence.score
        )

    def _watch(self, frames: Iterator[tuple[Image, float]]) -> Evidence | None:
        """What is known when there is a verdict, or at the end; None when no face was seen."""
        tracker, evidence = Tracker(), None
        for number, (image, at) in enumerate(frames):
            if number == MAX_SEEN:
                break
            sighting = tracker.update(self._reader.detect(image), at, image.shape[1])
            if sighting.new_track:
                self._check.wipe()
            face = None if sighting.main is None else self._reader.read(image, sighting.main)
            if face is None:
                continue
            self._check.add(image, face, at)
            evidence = self._check.judge()
            if evidence.verdict != "undetermined":
                break
        return evidence


def _is(path: Path, suffixes: frozenset[str]) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
