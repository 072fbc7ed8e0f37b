"""`gatectl calibrate camera`: the lens from a printed chessboard, how the camera hangs from marks.

Nobody is asked anything on the way: what is missing or too poor to measure heights with is refused, with what
to do about it.
"""

import argparse
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gated.commands import numbers
from gated.commands.answer import Answer, UsageError, Words
from gated.config import load
from gated.runtime.clock import now_utc

if TYPE_CHECKING:
    from models.height.calibration import CameraCalibration, Loaded
    from models.height.lens import Board

_BOARD = re.compile(r"([0-9]{1,2})x([0-9]{1,2})")
_VIEW_S = 0.5  # between two frames that are taken from a camera
_MOST_S = 300.0
_HEIGHTS_M = (0.3, 4.0)  # as a calibration may have


def add(calibrate: Words) -> None:
    """Put `camera` under the word `calibrate`."""
    sub = calibrate.command("camera", calibrate_camera)
    sub.add_argument(
        "--check", type=Path, metavar="FILE", help="only read a calibration, and say what it says"
    )
    lens = sub.add_argument_group("the lens")
    lens.add_argument(
        "--images", nargs="+", type=Path, metavar="PATH", help="images, folders or videos of the board"
    )
    lens.add_argument(
        "--seconds", type=_seconds, default=40.0, metavar="S", help="how long to look with --camera"
    )
    lens.add_argument("--board", metavar="9x6", help="inner corners of the chessboard, across and down")
    lens.add_argument("--square-mm", type=float, metavar="MM", help="side of its squares")
    lens.add_argument("--lens", type=Path, metavar="FILE", help="take the lens of this calibration instead")
    hanging = sub.add_argument_group("how it hangs")
    hanging.add_argument(
        "--marks", type=Path, metavar="FILE", help="marks or upright boards (docs/height.md)"
    )
    hanging.add_argument("--height-m", type=_metres, metavar="M", help="the lens over the floor, by tape")
    sub.add_argument(
        "--camera", default="", metavar="NAME", help="the gate's camera: named, and looked through"
    )
    sub.add_argument("--write", type=Path, metavar="FILE", help="where the calibration goes")


def calibrate_camera(arguments: argparse.Namespace) -> Answer:
    """Calibrate a camera for heights, from pictures of a chessboard and marks; or check a calibration."""
    # a gate whose OpenCV does not load must still answer every other question
    from models.height import calibrating, calibration  # noqa: PLC0415 - see above
    from models.image import use_one_thread  # noqa: PLC0415

    use_one_thread()
    try:
        if arguments.check is not None:
            loaded = _loaded(arguments.check)
            return _answer(loaded.calibration, {"file": str(arguments.check), "sha256": loaded.sha256})
        board = _board(arguments)
        _check_complete(arguments, board)
        marks = calibrating.read_marks(arguments.marks)
        base = _lens(arguments, board)
        found = calibrating.mounting_of(base, marks, arguments.marks.parent, board, arguments.height_m)
        how = (
            "chessboard and marks" if arguments.lens is None else "lens of an earlier calibration, and marks"
        )
        found = calibration.checked(
            msgspec.structs.replace(
                found, method=how, date=now_utc().date().isoformat(), camera=arguments.camera
            )
        )
    except calibration.CalibrationError as error:
        raise UsageError(str(error)) from error
    return _answer(found, {"file": _written(arguments.write, calibration.written(found))})


def _loaded(path: Path) -> "Loaded":
    """A calibration file. Raises UsageError that names it."""
    from models.height import calibration  # noqa: PLC0415 - see calibrate_camera

    try:
        return calibration.load(path)
    except calibration.CalibrationError as error:
        raise UsageError(f"{path}: {error}") from error


def _board(arguments: argparse.Namespace) -> "Board | None":
    """The board of the command line. Raises UsageError."""
    from models.height.lens import CORNERS, Board  # noqa: PLC0415 - see calibrate_camera

    if arguments.board is None and arguments.square_mm is None:
        return None
    size = _BOARD.fullmatch(arguments.board or "")
    if size is None or int(size[1]) not in CORNERS or int(size[2]) not in CORNERS:
        raise UsageError(f"--board: give inner corners such as 9x6, {CORNERS[0]} to {CORNERS[-1]} each way")
    if arguments.square_mm is None or not 5 <= arguments.square_mm <= 500:
        raise UsageError("--square-mm: measure the side of a square, 5 to 500 mm")
    return Board(columns=int(size[1]), rows=int(size[2]), square_m=arguments.square_mm / 1000)


def _check_complete(arguments: argparse.Namespace, board: "Board | None") -> None:
    """Raise UsageError for what is missing, before somebody holds a board up for nothing."""
    if arguments.lens is None:
        if board is None:
            raise UsageError("no board: give --board 9x6 and --square-mm 25, or --lens FILE")
        if not arguments.images and not arguments.camera:
            raise UsageError(
                "no pictures: give --images PATH ..., or --camera NAME to look through the gate's own"
            )
    if arguments.marks is None:
        raise UsageError("no marks: give --marks FILE, from which height, tilt and roll follow")
    file: Path | None = arguments.write
    if file is not None and (file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK)):
        raise UsageError(f"{file}: cannot be written: name a file in a folder that you may write")


def _lens(arguments: argparse.Namespace, board: "Board | None") -> "CameraCalibration":
    """The lens: of a calibration, of pictures, or of the gate's own camera. Raises UsageError."""
    from models.height import calibrating  # noqa: PLC0415 - see calibrate_camera
    from models.height.lens import calibrate  # noqa: PLC0415

    if arguments.lens is not None or board is None:
        return _loaded(arguments.lens).calibration
    if arguments.images:
        return calibrating.with_lens(calibrating.lens_of(arguments.images, board))
    return calibrating.with_lens(calibrate(_frames(arguments), board))


def _frames(arguments: argparse.Namespace) -> Iterator[Any]:
    """What the gate's camera sees while somebody moves the board before it. Raises UsageError."""
    from drivers.camera import Camera  # noqa: PLC0415 - OpenCV, as above
    from gated.core.ports import DeviceError  # noqa: PLC0415

    named = {each.name: each for each in load(arguments.config).config.cameras}
    if arguments.camera not in named:
        raise UsageError(f"no camera {arguments.camera!r} in the configuration: {', '.join(sorted(named))}")
    camera = Camera(named[arguments.camera], f"cameras.{arguments.camera}")
    last, end = 0, time.monotonic() + arguments.seconds
    try:
        camera.open()
        while (now := time.monotonic()) < end:
            frame = camera.latest(_VIEW_S, after=last)
            if frame is not None:
                last = frame.number
                yield frame.image
            time.sleep(max(0.0, now + _VIEW_S - time.monotonic()))
    except DeviceError as error:
        raise UsageError(f"{error}: stop gate-vision first, it has the camera") from error
    finally:
        camera.close()


def _written(path: Path | None, text: str) -> str | None:
    if path is None:
        return None
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
    return str(path)


def _answer(found: "CameraCalibration", more: dict[str, Any]) -> Answer:
    x, y = found.centre
    focal = f"focal length {found.focal_px:.1f} (standard error {found.focal_sigma_px:.1f})"
    high = f"{found.height_m:.3f} m over the floor ({found.height_sigma_m * 1000:.0f} mm)"
    tilt = f"tilt {found.tilt_deg:.2f} degrees ({found.tilt_sigma_deg:.2f})"
    lines = [
        f"{found.width} x {found.height} pixels, {focal}, middle {x:.1f}, {y:.1f}",
        f"{high}, {tilt}, roll {found.roll_deg:.2f}",
    ]
    residual = "unknown" if found.residual_px is None else f"{found.residual_px:.2f} pixels"
    lines.append(f"what is left between marks and model: {residual}")
    told = [("camera", found.camera), ("method", found.method), ("date", found.date)]
    lines += [f"{name}: {value}" for name, value in (*told, *more.items()) if value]
    if more.get("file") is None:
        lines.append("not written: give --write FILE")
    return Answer(value={**msgspec.to_builtins(found), **more}, text=tuple(lines))


def _seconds(text: str) -> float:
    return numbers.between(text, 1.0, _MOST_S, "seconds")


def _metres(text: str) -> float:
    return numbers.between(text, *_HEIGHTS_M, "metres over the floor")
