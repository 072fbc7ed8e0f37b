"""`gatectl face liveness`: whether a recording shows a living person, by every cue that it allows.

Prints the verdict, the score and what each cue says; nothing else of what the frames show.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gated.commands import fps
from gated.commands.answer import Answer, UsageError, Words
from gated.core.values import Value

if TYPE_CHECKING:
    from models.face import FaceReader
    from models.liveness.check import LivenessCheck
    from models.liveness.fusion import Evidence
    from models.tflite import Image

MAX_SEEN = 900  # frames that are looked at: a minute at 15 a second


class CueValue(Value):
    """One cue. `score` in [0, 1], None for no evidence."""

    name: str
    score: float | None
    reason: str


class LivenessAnswer(Value):
    """`score` in [0, 1]; `reason` says what is lacking where the verdict is undetermined.

    `frames_used`: frames of the longest continuous track of one face; evidence never crosses tracks.
    """

    verdict: Literal["live", "attack", "undetermined"]
    score: float
    reason: str
    cues: tuple[CueValue, ...]
    frames: int
    frames_with_face: int
    frames_used: int


def add(face: Words) -> None:
    """Put `liveness` under the word `face`."""
    sub = face.command("liveness", face_liveness)
    sub.add_argument(
        "recording",
        nargs="+",
        type=Path,
        metavar="VIDEO|IMAGES",
        help="a video, a folder of images, or images in the order in which they were taken",
    )
    fps.add(sub)


def face_liveness(arguments: argparse.Namespace) -> Answer:
    """Say whether a recording shows a living person; bad news is an attack, or too little evidence."""
    # a gate whose OpenCV does not load must still answer every other question
    from models import film, manifest  # noqa: PLC0415 - see above
    from models.face import FaceReader  # noqa: PLC0415
    from models.image import use_one_thread  # noqa: PLC0415
    from models.liveness.check import LivenessCheck  # noqa: PLC0415
    from models.liveness.recapture import RecaptureHead  # noqa: PLC0415

    use_one_thread()
    try:
        models = manifest.load()
        reader = FaceReader(models)
        check = LivenessCheck(models.liveness, RecaptureHead(models.recapture))
        answer = _watch(reader, check, _frames(arguments.recording, arguments.fps))
    except manifest.ModelError as error:
        raise UsageError(f"models: {error}") from error
    except film.FilmError as error:
        raise UsageError(f"{arguments.recording[0]}: {error}") from error
    return Answer(value=answer, text=tuple(_text(answer)), good=answer.verdict == "live")


def _frames(paths: list[Path], rate: float | None) -> Iterator[tuple["Image", float]]:
    """The frames of a video or folder, or of images as they were named. Raises FilmError or UsageError."""
    from models import film  # noqa: PLC0415 - as above
    from models.image import ImageError  # noqa: PLC0415
    from models.mrz.files import MAX_BYTES, decode  # noqa: PLC0415

    if len(paths) == 1 and paths[0].suffix.lower() not in film.SUFFIXES:
        yield from film.frames(paths[0], rate)
        return
    if len(paths) > MAX_SEEN:
        raise UsageError(f"more than {MAX_SEEN} images: give those of one approach")
    for number, path in enumerate(paths):
        try:
            with path.open("rb") as file:
                image = decode(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror}): check the path") from error
        except ImageError as error:
            raise UsageError(f"{path}: {error.reason}: {error.fix}") from error
        yield image, number / (rate or fps.RATE)


def _watch(
    reader: "FaceReader", check: "LivenessCheck", frames: Iterator[tuple["Image", float]]
) -> LivenessAnswer:
    """Follow the main person; the longest track is judged. All that was kept is wiped."""
    from models.tracking import Tracker  # noqa: PLC0415 - as above

    tracker, seen, faces = Tracker(), 0, 0
    longest = check.judge()
    try:
        for image, at in frames:
            if seen == MAX_SEEN:
                break
            seen += 1
            sighting = tracker.update(reader.detect(image), at, image.shape[1])
            if sighting.new_track:
                longest = max(longest, check.judge(), key=_frames_of)
                check.wipe()
            face = None if sighting.main is None else reader.read(image, sighting.main)
            if face is not None:
                faces += 1
                check.add(image, face, at)
        return _answer(max(longest, check.judge(), key=_frames_of), seen, faces)
    finally:
        check.wipe()
        reader.wipe()


def _frames_of(evidence: "Evidence") -> int:
    return evidence.frames


def _answer(evidence: "Evidence", seen: int, faces: int) -> LivenessAnswer:
    return LivenessAnswer(
        verdict=evidence.verdict,
        score=round(evidence.score, 4),
        reason="no face was found" if not faces else evidence.lacking,
        cues=tuple(
            CueValue(
                name=cue.name, score=None if cue.score is None else round(cue.score, 4), reason=cue.reason
            )
            for cue in evidence.cues
        ),
        frames=seen,
        frames_with_face=faces,
        frames_used=evidence.frames,
    )


def _text(answer: LivenessAnswer) -> Iterator[str]:
    counted = f"{answer.frames_used} of {answer.frames} frames"
    yield f"{answer.verdict}, score {answer.score:.2f} ({counted})"
    if answer.reason:
        yield f"  insufficient evidence: {answer.reason}"
    for cue in answer.cues:
        said = "no evidence" if cue.score is None else f"{cue.score:.2f}"
        yield f"  {cue.name:10}  {said:11}  {cue.reason}"
