"""`gatectl face height`: how tall the person in a recording of one calibrated camera is, with the error.

Prints the figure and how it came about; nothing else of what the frames show.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gated.commands import fps, numbers
from gated.commands.answer import Answer, UsageError, Words
from gated.core.stature import Verdict, tall_enough
from gated.core.values import Value

if TYPE_CHECKING:
    from models.height.stature import Stature


class HeightAnswer(Value):
    """Metres; `error_m` is half the width of 95 %. `reason` is a snake_case code where nothing was measured.

    `tall_enough` answers for `minimum_m`, where one was given. `method`: `horizon` or `feet`.
    """

    height_m: float | None
    error_m: float | None
    frames_used: int
    frames: int
    frames_with_face: int
    method: str | None
    is_covered: bool
    reason: str | None
    calibration_sha256: str
    minimum_m: float | None = None
    tall_enough: Verdict | None = None


def add(face: Words) -> None:
    """Put `height` under the word `face`."""
    sub = face.command("height", face_height)
    sub.add_argument(
        "video", type=Path, metavar="VIDEO", help="a video, or a folder of images in the order of their names"
    )
    sub.add_argument(
        "--calibration", type=Path, metavar="FILE", required=True, help="of the camera (docs/height.md)"
    )
    fps.add(sub)
    sub.add_argument("--minimum-m", type=_metres, metavar="METRES", help="judge by this rule too (1.20)")


def face_height(arguments: argparse.Namespace) -> Answer:
    """Measure who walks towards a calibrated camera; bad news is no height, or not the rule's for certain."""
    # a gate whose OpenCV does not load must still answer every other question
    from models import film, manifest  # noqa: PLC0415 - see above
    from models.height import calibration, watching  # noqa: PLC0415
    from models.image import use_one_thread  # noqa: PLC0415

    use_one_thread()
    try:
        loaded = calibration.load(arguments.calibration)
    except calibration.CalibrationError as error:
        raise UsageError(f"{arguments.calibration}: {error}") from error
    try:
        models = manifest.load()
        found = watching.measure(film.frames(arguments.video, arguments.fps), loaded.calibration, models)
    except manifest.ModelError as error:
        raise UsageError(f"models: {error}") from error
    except (film.FilmError, calibration.CalibrationError) as error:
        raise UsageError(f"{arguments.video}: {error}") from error
    stature, minimum_m = found.stature, arguments.minimum_m
    answer = HeightAnswer(
        height_m=None if stature is None else round(stature.height_m, 4),
        error_m=None if stature is None else round(stature.error_m, 4),
        frames_used=0 if stature is None else stature.frames,
        frames=found.frames,
        frames_with_face=found.with_face,
        method=None if stature is None else stature.method,
        is_covered=stature is not None and stature.is_covered,
        reason=found.reason,
        calibration_sha256=loaded.sha256,
        minimum_m=minimum_m,
        tall_enough=None if minimum_m is None else _verdict(stature, minimum_m),
    )
    good = stature is not None if minimum_m is None else answer.tall_enough == "yes"
    return Answer(value=answer, text=tuple(_text(answer)), good=good)


def _verdict(stature: "Stature | None", minimum_m: float) -> Verdict:
    if stature is None:
        return tall_enough(None, 0.0, minimum_m)
    return tall_enough(stature.height_m, stature.error_m, minimum_m)


def _text(answer: HeightAnswer) -> list[str]:
    if answer.height_m is None or answer.error_m is None:
        advice = {
            "no_face": "no face was found: is this the calibrated camera, and does the person look ahead?",
            "too_few_frames": "record the walk from 3 m to 1 m, at 10 frames a second or more",
            "range_not_known": "hang it at the rule's height, or with the feet in view (docs/height.md); "
            "or check the calibration: gatectl calibrate camera --check FILE",
        }[answer.reason or "range_not_known"]
        faces = f"{answer.frames_with_face} of {answer.frames} frames with a face"
        return [f"undetermined: {answer.reason} ({faces})", f"  {advice}"]
    figure = f"{answer.height_m * 100:.1f} cm, 95 % within {answer.error_m * 100:.1f} cm"
    lines = [f"{figure} ({answer.frames_used} of {answer.frames} frames, by {answer.method})"]
    if answer.is_covered:
        lines.append("  a hat or a bun covers the crown: told from the size of the face")
    if answer.minimum_m is not None:
        lines.append(f"  at least {answer.minimum_m:.2f} m: {answer.tall_enough}")
    return lines


def _metres(text: str) -> float:
    return numbers.between(text, 0.5, 2.5, "a height in metres")
