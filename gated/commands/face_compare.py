"""`gatectl face compare`: one photograph against others, each alone and all fused, at every threshold.

Prints the names of the files as they were typed, and scores; nothing of what the photographs show.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gated.commands import face_model
from gated.commands.answer import Answer, UsageError, Words
from gated.core.values import Value

if TYPE_CHECKING:
    from models.evaluation.acquisition import Enroller
    from models.quality.check import QualityCheck
    from models.schema import Embedder as EmbedderEntry
    from models.tflite import Floats

FMR = 1e-3  # the false match rate at which the answer is yes or no
MAX_IMAGES = 64


class Decision(Value):
    """Whether a score reaches the threshold for a false match rate."""

    fmr: float
    threshold: float
    match: bool


class Compared(Value):
    """One image: its quality in [0, 1] and the faces in it; and its score against the reference.

    `error` is a snake_case code where it could not be used (failure to acquire), `fix` what its owner could
    do about that; the rest is then empty.
    """

    file: str
    error: str | None = None
    fix: str | None = None
    faces: int = 0
    quality: float | None = None
    score: float | None = None
    decisions: tuple[Decision, ...] = ()


class Fused(Value):
    """All usable images as one. `measured_for`: the number of fused images that the thresholds are of."""

    images: int
    measured_for: int
    score: float
    decisions: tuple[Decision, ...]


class Comparison(Value):
    """The whole answer; `match` is that of the fused images at `fmr`."""

    model: str
    sha256: str
    reference: Compared
    images: tuple[Compared, ...]
    fused: Fused
    fmr: float
    match: bool


def add(face: Words) -> None:
    """Put `compare` under the word `face`."""
    sub = face.command("compare", face_compare)
    sub.add_argument("reference", type=Path, metavar="REFERENCE", help="the photograph to compare with")
    sub.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="photographs of one person")
    face_model.add(sub)


def face_compare(arguments: argparse.Namespace) -> Answer:
    """Compare a photograph with others, each alone and all fused; bad news is no match at FMR 0.1 %.

    So is a file that cannot be read, for nobody knows what it would have said. Raises UsageError when no
    image can be compared.
    """
    # a gate whose OpenCV does not load must still answer every other question
    from models.evaluation.acquisition import Enroller  # noqa: PLC0415 - see above
    from models.image import ImageError, use_one_thread  # noqa: PLC0415
    from models.manifest import ModelError, threshold  # noqa: PLC0415
    from models.matching import fuse  # noqa: PLC0415
    from models.quality.check import QualityCheck  # noqa: PLC0415

    if len(arguments.images) > MAX_IMAGES:
        raise UsageError(f"more than {MAX_IMAGES} images")
    use_one_thread()
    models, name, entry = face_model.chosen(arguments)
    try:
        threshold(name, entry, FMR)
        enroller, quality = Enroller(models, entry), QualityCheck(models)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error
    try:
        reference, likeness = _look(enroller, quality, arguments.reference)
    except ImageError as error:
        raise UsageError(f"{arguments.reference}: {error.reason}: {error.fix}") from error
    compared: list[Compared] = []
    embeddings = []
    for path in arguments.images:
        try:
            seen, embedding = _look(enroller, quality, path)
        except ImageError as error:
            compared.append(Compared(file=str(path), error=error.reason, fix=error.fix))
            continue
        score = enroller.embedder.score(likeness, embedding)
        compared.append(
            Compared(
                file=seen.file,
                faces=seen.faces,
                quality=seen.quality,
                score=score,
                decisions=_decisions(entry, 1, score),
            )
        )
        embeddings.append(embedding)
    enroller.wipe()
    quality.wipe()
    if not embeddings:
        reasons = "; ".join(f"{each.file}: {each.error}: {each.fix}" for each in compared)
        raise UsageError(f"no image can be compared: {reasons}")
    score = enroller.embedder.score(likeness, fuse(embeddings))
    fused = Fused(
        images=len(embeddings),
        measured_for=entry.measurement(len(embeddings)).images,
        score=score,
        decisions=_decisions(entry, len(embeddings), score),
    )
    found = Comparison(
        model=name,
        sha256=entry.sha256,
        reference=reference,
        images=tuple(compared),
        fused=fused,
        fmr=FMR,
        match=next(each.match for each in fused.decisions if each.fmr == FMR),
    )
    unread = any(each.error == "file_unreadable" for each in compared)
    return Answer(value=found, text=tuple(_lines(found)), good=found.match and not unread)


def _look(enroller: "Enroller", quality: "QualityCheck", path: Path) -> "tuple[Compared, Floats]":
    """What one file is worth, and its embedding. Raises ImageError."""
    from models.mrz import files  # noqa: PLC0415 - see above

    seen = enroller.see(files.read(path))
    photograph, face, _ = seen.as_photographed()
    faces = enroller.present(seen)
    worth = quality.assess(photograph, face, faces)
    embedding = enroller.embedder.embed(seen.image, seen.face.points)
    return Compared(file=str(path), faces=len(faces), quality=round(worth.value, 3)), embedding


def _decisions(entry: "EmbedderEntry", images: int, score: float) -> tuple[Decision, ...]:
    thresholds = entry.measurement(images).thresholds
    return tuple(
        Decision(fmr=each.fmr, threshold=each.score, match=score >= each.score)
        for each in sorted(thresholds, key=lambda each: -each.fmr)
    )


def _lines(found: Comparison) -> Iterator[str]:
    yield f"model      {found.model}"
    yield f"reference  {_described(found.reference)}"
    for image in found.images:
        yield f"image      {_described(image)}"
        if image.fix is not None:
            yield f"           {image.fix}"
        yield from _decided(image.decisions)
    fused = found.fused
    yield f"fused      {fused.images} of {len(found.images)}, score {fused.score:.4f}"
    if fused.measured_for != fused.images:
        yield f"           thresholds measured for {fused.measured_for} fused images"
    yield from _decided(fused.decisions)
    yield f"{'match' if found.match else 'no match'} at a false match rate of {100 * found.fmr:g} %"


def _described(image: Compared) -> str:
    if image.error is not None:
        return f"{image.file}: cannot be used: {image.error}"
    score = "" if image.score is None else f", score {image.score:.4f}"
    others = "" if image.faces == 1 else f", {image.faces} faces: that nearest to the middle"
    return f"{image.file}{score}, quality {image.quality:.2f}{others}"


def _decided(decisions: Sequence[Decision]) -> Iterator[str]:
    for each in decisions:
        word = "match" if each.match else "no match"
        yield f"           FMR {100 * each.fmr:g} %: threshold {each.threshold:.4f}: {word}"
