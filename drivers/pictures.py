"""What a camera's pictures are, and how a stream of them is opened: colours, or distances.

Every picture is an array of bytes, (height, width, channels): three channels for blue, green and red; two for
a distance in millimetres, the low byte first (`millimetres` reads it; 0: not known).
"""

from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from drivers.camera_controls import Controls, control
from drivers.v4l2 import DepthDevice
from gated.core.ports import DeviceGone
from gated.core.settings.cameras import CameraSettings

Image = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.uint16]
Picture = npt.NDArray[np.generic]

FARTHEST_MM: Final = 65_535
_SCHEMES: Final = ("http://", "https://", "rtsp://")


class Capture(Protocol):
    """A stream that was opened."""

    def grab(self) -> bool:
        """Take the next frame; false when none came."""

    def retrieve(self) -> tuple[bool, Picture]:
        """Make a picture of the frame."""

    def stamp_s(self) -> float | None:
        """When the kernel got the frame, by the monotonic clock if its driver is right; None: not known."""

    def release(self) -> None:
        """Close the stream."""


class Stream:
    """A stream that OpenCV opened: of a V4L2 device, which stamps its frames, or from the network."""

    def __init__(self, capture: cv2.VideoCapture, *, stamped: bool) -> None:
        self._capture = capture
        self._stamped = stamped

    def grab(self) -> bool:
        """Take the next frame."""
        return self._capture.grab()

    def retrieve(self) -> tuple[bool, Picture]:
        """Make a picture of it."""
        return self._capture.retrieve()

    def stamp_s(self) -> float | None:
        """Of a device, what its driver stamped the frame with."""
        return self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 if self._stamped else None

    def release(self) -> None:
        """Close the stream."""
        self._capture.release()


class Pictures(Protocol):
    """A kind of pictures."""

    def opened(self, settings: CameraSettings, section: str) -> Capture | None:
        """Open a stream of them; None when it does not open. Raises DeviceError."""

    def image(self, picture: Picture, section: str) -> Image:
        """The picture as bytes. Raises DeviceGone for a picture of another kind."""


class Colours:
    """Pictures in colour (BGR)."""

    def opened(self, settings: CameraSettings, section: str) -> Capture | None:
        """Open a stream with OpenCV; a V4L2 device is set to what the settings say."""
        if not is_device(settings.source):
            return _network(settings)
        options = [cv2.CAP_PROP_FRAME_WIDTH, settings.width, cv2.CAP_PROP_FRAME_HEIGHT, settings.height]
        options += [cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"), cv2.CAP_PROP_BUFFERSIZE, 1]
        capture = _open(settings.source, cv2.CAP_V4L2, options)
        if capture is not None:
            try:
                prefer_shape(capture)
                control(capture, settings, section)
            except BaseException:
                capture.release()
                raise
        return None if capture is None else Stream(capture, stamped=True)

    def image(self, picture: Picture, section: str) -> Image:
        """The picture itself."""
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise DeviceGone(section, "no_colour", "it sends no pictures in colour: set the camera to do so")
        return picture.astype(np.uint8, copy=False)


class Distances:
    """Pictures of 16 bits a pixel, in units of so many millimetres."""

    def __init__(self, unit_mm: float) -> None:
        self._unit_mm = unit_mm

    def opened(self, settings: CameraSettings, section: str) -> Capture | None:
        """Open a V4L2 device by the kernel's interface, a network camera with OpenCV."""
        if not is_device(settings.source):
            return _network(settings, [cv2.CAP_PROP_CONVERT_RGB, 0])
        return DepthDevice(
            settings.source,
            settings.width,
            settings.height,
            timeout_s=settings.read_timeout_s,
            section=section,
        )

    def image(self, picture: Picture, section: str) -> Image:
        """Millimetres as two bytes; 0 for what lies beyond 65 m."""
        if picture.dtype != np.uint16 or picture.ndim != 2:
            fix = "it sends no 16 bits a pixel: set the camera to Z16, Y16 or 16-bit grey"
            raise DeviceGone(section, "no_depth", fix)
        depth = picture.astype(np.uint16, copy=False)
        if self._unit_mm != 1.0:
            scaled = np.rint(depth * np.float32(self._unit_mm))
            depth = np.where(scaled <= FARTHEST_MM, scaled, 0).astype(np.uint16)
        bytes_ = np.ascontiguousarray(depth, np.dtype("<u2")).view(np.uint8)
        return bytes_.reshape(*depth.shape, 2)


def prefer_shape(device: Controls) -> None:
    """Have a device send YUYV in place of BGR, which OpenCV prefers and hands out as one row of bytes."""
    if device.get(cv2.CAP_PROP_FOURCC) == cv2.VideoWriter.fourcc(*"BGR3"):
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"YUYV"))


def millimetres(image: Image) -> Depth:
    """Return the distances (height, width) of a picture of `Distances`; shares its memory."""
    return image.view(np.dtype("<u2"))[..., 0]


def is_device(source: str) -> bool:
    """Whether a source is a V4L2 device."""
    return source.startswith("/dev/")


def check_source(source: str, section: str) -> None:
    """Raise DeviceGone for what cannot be a camera."""
    if not is_device(source) and not source.startswith(_SCHEMES):
        fix = f"set {section}.source to /dev/video*, http://..., rtsp://..."
        raise DeviceGone(section, "bad_source", fix)


def _network(settings: CameraSettings, more: list[int] | None = None) -> Stream | None:
    options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(settings.open_timeout_s * 1000)]
    options += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(settings.read_timeout_s * 1000)]
    # one decoder thread: each further one would hold back a frame
    options += [cv2.CAP_PROP_N_THREADS, 1, *(more or [])]
    capture = _open(settings.source, cv2.CAP_FFMPEG, options)
    return None if capture is None else Stream(capture, stamped=False)


def _open(source: str, backend: int, options: list[int]) -> cv2.VideoCapture | None:
    capture = cv2.VideoCapture(source, backend, options)
    if capture.isOpened():
        return capture
    capture.release()
    return None
