"""The frames of a recording: a video file, or a folder of images in the order of their names.

Numbers in names count as numbers, so that `frame_10` comes after `frame_9`; hidden files are no frames.
Recordings are an operator's own, yet what is read is capped: length, size of a frame, number of frames. Each
frame comes with its time in seconds since the first. `frames` yields, or raises FilmError, and nothing else.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.image import MAX_PIXELS, MAX_SIDE, MIN_SIDE, ImageError
from models.mrz.files import MAX_BYTES, decode
from models.tflite import Image

MAX_FRAMES: Final = 5000
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".jp2"})
RATE: Final = 15.0  # frames a second of a folder, and of a video that does not tell
_RATES: Final = (1.0, 240.0)
_DIGITS: Final = re.compile(r"([0-9]+)")


class FilmError(Exception):
    """Not a recording that can be used; `code` is snake_case, `fix` says what to do."""

    def __init__(self, code: str, fix: str) -> None:
        super().__init__(f"{code}: {fix}")
        self.code = code
        self.fix = fix


def frames(path: Path, rate: float | None = None) -> Iterator[tuple[Image, float]]:
    """The frames (BGR) of a recording and their times; `rate` in frames a second, where it does not tell."""
    if path.is_dir():
        yield from _of_folder(path, rate or RATE)
    else:
        yield from _of_video(path, rate)


def _of_folder(folder: Path, rate: float) -> Iterator[tuple[Image, float]]:
    try:
        images = (each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)
        files = sorted((each for each in images if not each.name.startswith(".")), key=_order)
    except OSError as error:
        raise FilmError("cannot_be_read", f"{error.strerror}: check the path") from error
    if not files:
        raise FilmError("no_images", f"the folder has no {', '.join(sorted(SUFFIXES))}")
    if len(files) > MAX_FRAMES:
        raise FilmError("too_many_frames", f"more than {MAX_FRAMES}: give one walk")
    for number, file in enumerate(files):
        try:
            with file.open("rb") as stream:
                image = decode(stream.read(MAX_BYTES + 1))
        except OSError as error:
            raise FilmError(
                "cannot_be_read", f"{file.name}: {error.strerror}: check that you may read it"
            ) from error
        except ImageError as error:
            raise FilmError(
                error.reason, f"{file.name}: {error.fix}, or take it out of the folder"
            ) from error
        yield image, number / rate


def _order(file: Path) -> tuple[tuple[str | int, ...], str]:
    """By words and numbers in turn; by the name itself where they are alike, as of 1 and 01."""
    parts = _DIGITS.split(file.name)
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), file.name


def _of_video(path: Path, rate: float | None) -> Iterator[tuple[Image, float]]:
    if not path.is_file():
        raise FilmError("cannot_be_read", "no such file or folder: check the path")
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        width, height = (int(video.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not video.isOpened() or min(width, height) < MIN_SIDE:
            raise FilmError("not_a_video", "no video that OpenCV reads: give MP4, MJPEG or AVI, or a folder")
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise FilmError("image_too_large", f"frames of at most {MAX_PIXELS} pixels are read")
        told = float(video.get(cv2.CAP_PROP_FPS))
        pace = rate or (told if _RATES[0] <= told <= _RATES[1] else RATE)
        number = 0
        while True:
            good, image = video.read()
            if not good:
                break
            if number == MAX_FRAMES:
                raise FilmError("too_many_frames", f"more than {MAX_FRAMES}: give one walk")
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
                raise FilmError("image_kind_unsupported", "give a colour video of 8 bits")
            yield np.asarray(image, np.uint8), number / pace
            number += 1
        if number == 0:
            raise FilmError("no_frames", "the video has none that OpenCV can decode")
    except cv2.error as error:
        raise FilmError("not_a_video", "OpenCV cannot decode it") from error
    finally:
        video.release()
