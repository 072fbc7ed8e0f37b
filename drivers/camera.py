"""A camera: a stream that OpenCV opens, read by its own thread, of which only the newest frame counts.

Awake, the thread takes every frame as it comes, so that no buffer ever holds an old one, and makes an image
of as many as are wanted; asleep, the stream is closed, since FFmpeg decodes also what is not wanted. A stream
that ends, stalls or changes its size, and a device that does not keep its settings, is an error that `latest`
raises; the driver never opens it again by itself.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final

import cv2

from drivers.pictures import Capture, Colours, Image, Picture, Pictures, check_source
from gated.core.ports import DeviceError, DeviceGone, DeviceTimeout
from gated.core.settings.cameras import CameraSettings

DEVICE: Final = "camera"
OLDEST_S: Final = 1.0  # a stamp beyond this is of another clock
STOP_S: Final = 0.2  # more than a frame takes; a thread that hangs in a system call longer is left behind


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A picture, BGR unless the camera measures distances, with its number since `open`.

    `at`: the monotonic time, in seconds, at which it reached the kernel where a device's driver says so, else
    that at which it was complete here.
    """

    image: Image
    at: float
    number: int


class Camera:
    """One camera. `open`, `latest` and `close` belong to one thread."""

    def __init__(
        self, settings: CameraSettings, section: str = DEVICE, pictures: Pictures | None = None
    ) -> None:
        """Take note of the settings and the section of `gate.toml` they come from; nothing is opened.

        `pictures`: what it sends, colours by default.
        """
        self._pictures = Colours() if pictures is None else pictures
        self._settings = settings
        self._section = section
        self._every_s = 0.0
        self._stream: _Stream | None = None
        self._left: _Stream | None = None

    @property
    def is_open(self) -> bool:
        """Whether `open` was called and `close` was not."""
        return self._stream is not None

    def open(self) -> None:
        """Start to read the stream; returns at once.

        Raises DeviceGone when the source cannot be a camera, and DeviceTimeout while the last opening of it
        still hangs: a device serves one at a time.
        """
        if self._left is not None and self._left.is_alive():
            raise self._left.frozen()
        if self._stream is None:
            check_source(self._settings.source, self._section)
            self._stream = _Stream(self._settings, self._pictures, self._section)
            self._stream.every_s = self._every_s

    def pace(self, every_s: float) -> None:
        """From now on make an image of no more than one frame in so many seconds; 0: of each frame."""
        self._every_s = every_s
        if self._stream is not None:
            self._stream.every_s = every_s

    def latest(self, timeout_s: float, *, after: int = 0) -> Frame | None:
        """Return the newest frame if its number is above `after`, waiting at most `timeout_s` for one.

        Raises DeviceGone (no stream, ended, wrong size), DeviceTimeout (no frame within the settings' limits)
        and ControlRefused; the stream is then closed.
        """
        if self._stream is None:
            raise DeviceGone(self._section, "asleep", "open the camera first")
        try:
            return self._stream.latest(timeout_s, after)
        except DeviceError:
            self._leave(0.0)  # other cameras may be well: nobody waits for this one
            raise

    def close(self) -> None:
        """Stop reading and forget the last frame. Idempotent, never raises."""
        self._leave(STOP_S)

    def _leave(self, wait_s: float) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._left = stream
            stream.stop(wait_s)


class _Stream:
    """One opening of the source: a thread that reads until it is told to stop or fails."""

    def __init__(self, settings: CameraSettings, pictures: Pictures, section: str) -> None:
        self._settings = settings
        self._section = section
        self._pictures = pictures
        self.every_s = 0.0
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._alive_at: float | None = None
        self._error: DeviceError | None = None
        self._stopped = False
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=DEVICE, daemon=True)
        self._thread.start()

    def latest(self, timeout_s: float, after: int) -> Frame | None:
        with self._news:
            self._news.wait_for(lambda: self._is_news(after), timeout_s)
            if self._error is not None:
                raise self._error
            frame = self._frame
            self._check_age()
            return frame if frame is not None and frame.number > after else None

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, wait_s: float) -> None:
        with self._news:
            self._stopped = True
            self._frame = None
            self._news.notify_all()
        self._thread.join(wait_s)

    def _is_news(self, after: int) -> bool:
        return self._error is not None or (self._frame is not None and self._frame.number > after)

    def _check_age(self) -> None:
        """A read that hangs below OpenCV is noticed here, whatever timeout the backend honours."""
        limits = self._settings
        if self._alive_at is None:
            if time.monotonic() - self._started > limits.open_timeout_s + limits.read_timeout_s:
                raise self._silent()
        elif time.monotonic() - self._alive_at > limits.read_timeout_s:
            raise self.frozen()

    def _run(self) -> None:
        """Read until stopped or broken; the first error is the one that counts."""
        try:
            capture = self._open()
            try:
                self._read(capture)
            finally:
                capture.release()
        except cv2.error as error:
            gone = DeviceGone(self._section, "stream_broken", f"check {_shown(self._settings.source)}")
            gone.__cause__ = error
            self._fail(gone)
        except DeviceError as error:
            self._fail(error)

    def _open(self) -> Capture:
        limits = self._settings
        capture = self._pictures.opened(limits, self._section)
        if capture is None:
            if time.monotonic() - self._started >= limits.open_timeout_s:
                raise self._silent()
            fix = f"check the camera and {self._section}.source ({_shown(limits.source)})"
            raise DeviceGone(self._section, "no_stream", fix)
        return capture

    def _read(self, capture: Capture) -> None:
        number, made_at, stamped = 0, float("-inf"), float("-inf")
        while not self._stopped:
            asked, picture = time.monotonic(), None
            good = capture.grab()
            if good and asked - made_at >= self.every_s:
                good, picture = capture.retrieve()
            at = time.monotonic()
            if not good:
                if at - asked >= self._settings.read_timeout_s * 0.9:
                    raise self.frozen()
                raise DeviceGone(self._section, "stream_ended", "check the camera's power and cable")
            self._alive_at = at
            if picture is not None:
                number, made_at = number + 1, at
                stamped = moment_of(capture.stamp_s(), at, after=stamped)
                self._take(Frame(image=self._checked(picture), at=stamped, number=number))

    def _checked(self, picture: Picture) -> Image:
        width, height, section = self._settings.width, self._settings.height, self._section
        image = self._pictures.image(picture, section)
        if image.shape[:2] != (height, width):
            size = "x".join(str(n) for n in image.shape[1::-1])
            fix = f"it sends {size}: set {section}.width and {section}.height, or the camera, to match"
            raise DeviceGone(section, "wrong_size", fix)
        return image

    def _take(self, frame: Frame) -> None:
        with self._news:
            if not self._stopped:
                self._frame = frame
                self._news.notify_all()

    def _fail(self, error: DeviceError) -> None:
        with self._news:
            self._error = self._error or error
            self._news.notify_all()

    def _silent(self) -> DeviceTimeout:
        fix = f"no frame from {_shown(self._settings.source)}: check camera and network"
        return DeviceTimeout(self._section, "no_answer", fix)

    def frozen(self) -> DeviceTimeout:
        fix = f"no frame for {self._settings.read_timeout_s} s: restart the camera"
        return DeviceTimeout(self._section, "frozen", fix)


def moment_of(stamp_s: float | None, now: float, *, after: float) -> float:
    """The moment of a frame that is here at `now`: its stamp, unless that is of another clock or earlier."""
    if stamp_s is None or not max(after, now - OLDEST_S) < stamp_s <= now:
        return now
    return stamp_s


def _shown(source: str) -> str:
    """The source without user name and password."""
    scheme, found, rest = source.partition("://")
    return f"{scheme}{found}{rest.rpartition('@')[2]}"
