"""Reading the zone from images of pages: find and read with the models, decode with the grammar."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gated.commands.answer import UsageError, read_capped
from gated.document.mrz.decoding import NOTHING, Reading, decode
from gated.document.placement import Advice, Station, advice_for
from models import manifest
from models.image import ImageError, use_one_thread
from models.manifest import ModelError
from models.mrz import files
from models.mrz.page import PageReader


@dataclass(frozen=True, slots=True)
class ImageReading:
    """What one file gave. `error` is a snake_case code where it is no image that can be used; else None.

    `advice` is what a traveller would be told if this were the reader's glass; None where the zone is read.
    """

    file: str
    reading: Reading
    advice: Advice | None = None
    error: str | None = None


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
        return ImageReading(str(path), NOTHING, error=error.reason)
    reading, advice = read_page(reader, image)
    return ImageReading(str(path), reading, advice)
