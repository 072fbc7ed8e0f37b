"""Reading the zone from images of pages: find and read with the models, decode with the grammar."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gated.commands.answer import Answer, UsageError, read_capped
from gated.commands.mrz_report import examined_text, examined_value
from gated.core.vocabulary import Advice
from gated.document.mrz import examine
from gated.document.mrz.decoding import NOTHING, Reading, decode
from gated.document.placement import Station, advice_for
from gated.runtime.clock import now_utc
from models import manifest
from models.image import ImageError, use_one_thread
from models.manifest import ModelError
from models.mrz import files
from models.mrz.page import PageReader

_DOUBTFUL = 0.9  # a character below this is marked for the reader of the text


@dataclass(frozen=True, slots=True)
class ImageReading:
    """What one file gave. `error` is a snake_case code where it is no image that can be used; else None.

    `fix`: what its owner could do about that.
    `advice` is what a traveller would be told if this were the reader's glass; None where the zone is read.
    """

    file: str
    reading: Reading
    advice: Advice | None = None
    error: str | None = None
    fix: str | None = None


def read(arguments: argparse.Namespace) -> Answer:
    """The command: one object for each image."""
    at = arguments.at or now_utc().date()
    readings = read_images(arguments.images)
    values = tuple(reading_value(reading, at) for reading in readings)
    return Answer(
        value=values,
        text=tuple(line for reading in readings for line in reading_text(reading, at)),
        good=all(value["verdict"] == "read" and value["valid"] for value in values),
        series=True,
    )


def reading_value(image: ImageReading, at: date) -> dict[str, Any]:
    """What `mrz parse` tells of the lines, with the lines and how sure they are. Personal data."""
    lines = image.reading.lines.reveal()
    return {
        "file": image.file,
        "verdict": image.reading.verdict,
        "lines": list(lines),
        "confidence": [[round(each, 3) for each in line] for line in image.reading.confidence],
        "advice": image.advice,
        "error": image.error,
        "fix": image.fix,
        **examined_value(examine(lines, at=at)),
    }


def reading_text(image: ImageReading, at: date) -> Iterator[str]:
    """The same in lines for people. Personal data."""
    yield f"{image.file}: {image.error or image.reading.verdict}"
    if image.fix is not None:
        yield f"  {image.fix}"
    if image.advice is not None:
        yield f"  advice: {image.advice}"
    lines = image.reading.lines.reveal()
    for line, confidence in zip(lines, image.reading.confidence, strict=True):
        yield f"  {line}"
        if marks := "".join("?" if each < _DOUBTFUL else " " for each in confidence).rstrip():
            yield f"  {marks}"
    if lines:
        yield from (f"  {line}" for line in examined_text(examine(lines, at=at)))


def read_images(paths: Sequence[Path]) -> tuple[ImageReading, ...]:
    """Read the zone in each of these files. Raises UsageError for a file or a model that cannot be read."""
    use_one_thread()
    reader = page_reader()
    return tuple(_read_file(reader, path) for path in paths)


def page_reader() -> PageReader:
    """The reader that the manifest describes. Raises UsageError."""
    try:
        return PageReader(manifest.load().mrz)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error


def read_page(reader: PageReader, image: Any) -> tuple[Reading, Advice | None]:
    """Read one BGR image of a page."""
    page = reader.read(image)
    reading = decode(page.lines) if page.lines else NOTHING
    read = reading.verdict == "read"
    return reading, advice_for(Station(), page.sight, "unknown", read=read)


def _read_file(reader: PageReader, path: Path) -> ImageReading:
    try:
        image = files.decode(read_capped(path, files.MAX_BYTES))
    except ImageError as error:
        return ImageReading(str(path), NOTHING, error=error.reason, fix=error.fix)
    reading, advice = read_page(reader, image)
    return ImageReading(str(path), reading, advice)
