"""A calibration from files: pictures of a board for the lens, and marks for the mounting.

A marks file is TOML with a list of `[[mark]]` (x, y, height_m, distance_m) and a list of `[[board]]` (image,
lowest_m, distance_m): a chessboard that stood upright. An image is named relative to the marks file.
"""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gated.core.values import Value
from models import film
from models.height.calibration import CalibrationError, CameraCalibration
from models.height.lens import Board, Lens, calibrate, corners
from models.height.mounting import Mark, marks_of_board, mounted
from models.image import ImageError
from models.mrz.files import MAX_BYTES, decode
from models.tflite import Image

MAX_MARKS_BYTES: Final = 200_000
_EVERY: Final = 10  # frames of a video


class UprightBoard(Value):
    """A picture of the board standing upright: height of its lowest inner corners, distance to its middle."""

    image: Annotated[str, Meta(min_length=1, max_length=255)]
    lowest_m: Annotated[float, Meta(ge=0, le=4)]
    distance_m: Annotated[float, Meta(ge=0.2, le=20)]


class Marks(Value):
    """What a marks file says."""

    mark: Annotated[tuple[Mark, ...], Meta(max_length=200)] = ()
    board: Annotated[tuple[UprightBoard, ...], Meta(max_length=20)] = ()


def lens_of(recordings: Sequence[Path], board: Board) -> Lens:
    """The lens from images, folders or videos of the board. Raises CalibrationError."""
    return calibrate((image for path in recordings for image in _images(path)), board)


def _images(path: Path) -> Iterator[Image]:
    """One image file, or every so many frames of a recording, so that a hand has moved the board between."""
    if path.suffix.lower() in film.SUFFIXES and not path.is_dir():
        yield _image(path)
        return
    step = 1 if path.is_dir() else _EVERY
    try:
        for number, (image, _) in enumerate(film.frames(path)):
            if number % step == 0:
                yield image
    except film.FilmError as error:
        raise CalibrationError(error.code, f"{path}: {error.fix}") from error


def _image(path: Path) -> Image:
    try:
        with path.open("rb") as file:
            return decode(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise CalibrationError("cannot_be_read", f"{path}: {error.strerror}: check the path") from error
    except ImageError as error:
        raise CalibrationError(error.reason, f"{path}: {error.fix}") from error


def read_marks(path: Path) -> Marks:
    """Read a marks file. Raises CalibrationError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_MARKS_BYTES + 1)
        if len(raw) > MAX_MARKS_BYTES:
            raise CalibrationError("too_long", f"{path}: more than {MAX_MARKS_BYTES} bytes")
        return msgspec.convert(tomllib.loads(raw.decode()), Marks)
    except OSError as error:
        raise CalibrationError("cannot_be_read", f"{path}: {error.strerror}: check the path") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise CalibrationError("marks_not_readable", f"{path}: not TOML: write the file again") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CalibrationError("marks_not_readable", f"{path}: {error}: see docs/height.md") from error


def mounting_of(
    lens: CameraCalibration, marks: Marks, folder: Path, board: Board | None, height_m: float | None
) -> CameraCalibration:
    """The calibration that fits the marks. Raises CalibrationError."""
    found = list(marks.mark)
    for each in marks.board:
        if board is None:
            raise CalibrationError("no_board", "say what stood upright: --board and --square-mm")
        image = _image(folder / each.image)
        if image.shape[:2] != (lens.height, lens.width):
            raise CalibrationError("sizes_differ", f"{each.image}: not of the size of the lens's pictures")
        seen = corners(image, board)
        if seen is None:
            raise CalibrationError(
                "board_not_seen",
                f"{each.image}: show the whole board with its white margin, nearer",
            )
        found += marks_of_board(seen, board, each.lowest_m, each.distance_m, lens)
    return mounted(lens, found, height_m)


def with_lens(lens: Lens) -> CameraCalibration:
    """A calibration that knows its lens and not yet how it hangs."""
    return CameraCalibration(
        width=lens.width, height=lens.height, focal_px=lens.focal_px, cx=lens.cx, cy=lens.cy,
        distortion=lens.distortion, focal_sigma_px=lens.focal_sigma_px, height_m=1.5, tilt_deg=0.0,
    )  # fmt: skip
