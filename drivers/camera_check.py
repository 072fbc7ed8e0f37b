"""A look through one camera for a moment, as a technician would take it: does it stream, is it sharp.

The driver itself refuses a wrong size, another kind of picture and a control that is not kept; what is
measured here is what only pictures show. They are looked at and forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from drivers.camera import Camera, Frame
from drivers.pictures import Colours, Distances, Image, millimetres
from gated.core.ports import DeviceTimeout
from gated.core.settings.cameras import CameraSettings, FaceCameraSettings

SETTLE: Final = 3  # first pictures, in which the exposure still settles
LOOK_S: Final = 2.0
WAIT_S: Final = 0.5
DARK, BRIGHT = 16, 250  # of 255
COLUMNS: Final = 640


@dataclass(frozen=True, slots=True)
class Looked:
    """What some pictures in a row showed, at `rate` pictures a second.

    `brightness` is the mean of 0 to 255, `dark` and `bright` are shares of the picture, 0 to 1. `sharpness`
    is the variance of the Laplacian of a picture of 640 columns. `still`: all pictures were the same to the
    last bit. `known`: of a camera that measures distances, the share of the picture that has some.
    """

    rate: float
    still: bool
    brightness: float = 0.0
    dark: float = 0.0
    bright: float = 0.0
    sharpness: float = 0.0
    known: float | None = None


def look(settings: CameraSettings, section: str, seconds: float = LOOK_S) -> Looked:
    """Open the camera, look for so long, close it. Raises DeviceError."""
    unit_mm = _distance_unit(settings)
    camera = Camera(settings, section, Colours() if unit_mm is None else Distances(unit_mm))
    count, began, still, before = 0, 0.0, True, None
    try:
        camera.open()
        for frame in _frames(camera, settings, section):
            count += 1
            began = began or frame.at
            if before is not None:
                still = still and bool(np.array_equal(before.image, frame.image))
            before = frame
            if count > 1 and frame.at - began >= seconds:
                break
    finally:
        camera.close()
    if before is None:
        raise AssertionError("frames end by an error or by their last one")
    rate = (count - 1) / (before.at - began)
    if unit_mm is not None:
        return Looked(rate=rate, still=still, known=float(np.mean(millimetres(before.image) > 0)))
    return _seen(before.image, rate, still=still)


def _frames(camera: Camera, settings: CameraSettings, section: str) -> Iterator[Frame]:
    """Frames once the exposure has settled. Raises DeviceError."""
    last = 0
    while True:
        frame = camera.latest(settings.open_timeout_s + settings.read_timeout_s + WAIT_S, after=last)
        if frame is None:
            raise DeviceTimeout(section, "no_answer", "no picture came: check the camera and its network")
        last = frame.number
        if last > SETTLE:
            yield frame


def _distance_unit(settings: CameraSettings) -> float | None:
    if isinstance(settings, FaceCameraSettings) and settings.depth_of is not None:
        return settings.depth_unit_mm or 1.0
    return None


def _seen(image: Image, rate: float, *, still: bool) -> Looked:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height = max(1, round(grey.shape[0] * COLUMNS / grey.shape[1]))
    small = cv2.resize(grey, (COLUMNS, height), interpolation=cv2.INTER_AREA)
    return Looked(
        rate=rate,
        still=still,
        brightness=float(grey.mean()),
        dark=float(np.mean(grey <= DARK)),
        bright=float(np.mean(grey >= BRIGHT)),
        sharpness=float(cv2.Laplacian(small, cv2.CV_64F).var()),
    )
