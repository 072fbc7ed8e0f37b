"""A recording of one walk, from its frames to a height: who is measured, and why nobody is.

The person with the most frames is measured. A face that is small in the picture, as where the feet are in
view too, is not found in the whole of it: then parts of the picture are looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.face import Detection, FaceReader
from models.height.calibration import CameraCalibration
from models.height.stature import MIN_FRAMES, HeightCheck, Stature
from models.manifest import Manifest
from models.tflite import Image
from models.tracking import Tracker

_PART: Final = 0.5  # side of a part, of the picture's longer side
_STEP: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a recording gave; `reason` is a snake_case code where `stature` is None."""

    stature: Stature | None
    frames: int
    with_face: int
    reason: str | None = None


def measure(
    frames: Iterable[tuple[Image, float]], calibration: CameraCalibration, models: Manifest
) -> Measured:
    """Measure the person of a recording. Raises CalibrationError where its size is not the calibration's."""
    reader, tracker = FaceReader(models), Tracker()
    check = HeightCheck(calibration, models.height, crown_every_s=0.0, feet_every_s=0.0)  # there is time
    best: Stature | None = None
    seen = with_face = most = 0
    for image, at in frames:
        check.fits(image)
        seen += 1
        sighting = tracker.update(find(reader, image), at, image.shape[1])
        if sighting.new_track:
            best, most = _better(best, check), max(most, check.frames)
            check.wipe()
        face = None if sighting.main is None else reader.read(image, sighting.main)
        if face is not None:
            with_face += 1
            check.add(image, face, at)
    best, most = _better(best, check), max(most, check.frames)
    check.wipe()
    reader.wipe()
    return Measured(stature=best, frames=seen, with_face=with_face, reason=_reason(best, with_face, most))


def _better(best: Stature | None, check: HeightCheck) -> Stature | None:
    found = check.judge()
    if found is None or (best is not None and best.frames >= found.frames):
        return best
    return found


def _reason(best: Stature | None, with_face: int, most: int) -> str | None:
    if best is not None:
        return None
    if with_face == 0:
        return "no_face"
    return "too_few_frames" if most < MIN_FRAMES else "range_not_known"


def find(reader: FaceReader, image: Image) -> tuple[Detection, ...]:
    """The faces of a frame; of the parts of the picture, where the whole shows none."""
    whole = reader.detect(image)
    if whole:
        return whole
    height, width = image.shape[:2]
    side = int(_PART * max(height, width))
    step = max(1, int(_STEP * max(height, width)))
    for top in range(0, max(1, height - side + 1), step):
        for left in range(0, max(1, width - side + 1), step):
            found = reader.detect(image[top : top + side, left : left + side])
            if found:
                return tuple(_moved(each, left, top) for each in found)
    return ()


def _moved(detection: Detection, left: int, top: int) -> Detection:
    x0, y0, x1, y1 = detection.box
    eyes = detection.eyes + np.array([left, top], np.float64)
    return Detection(box=(x0 + left, y0 + top, x1 + left, y1 + top), eyes=eyes, score=detection.score)
