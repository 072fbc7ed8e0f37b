"""A camera as the vision process uses it: asleep, live, or in trouble, and never waited for long."""

import time

from drivers.camera import Camera, Frame
from drivers.camera_controls import ControlRefused
from gated import logs
from gated.core.ports import DeviceError

FRAME_S = 0.1  # how long one look waits for a frame
RETRY_S = 1.0  # a camera in trouble is opened again this often while it is needed
RECHECK_S = 60.0  # a sleeping camera is tried this often

_log = logs.get("vision")


class Eye:
    """The camera with its moods: asleep, live, or in trouble with a code.

    Trouble passes when a frame comes again; until then its first code stays, whatever trying again brings:
    one fault is told once. A camera that does not keep its settings stays in trouble: it would give pictures
    that nobody asked for, and only a technician can change that.
    """

    def __init__(self, camera: Camera, name: str) -> None:
        self._camera = camera
        self.name = name
        self._number = 0
        self._troubled_at = float("-inf")
        self._checked_at = float("-inf")
        self._latched = False
        self._logged = ""
        self.state = "not_checked"

    @property
    def in_trouble(self) -> bool:
        """Whether `state` is the code of a trouble."""
        return self.state not in {"not_checked", "asleep", "live"}

    def wake(self) -> None:
        """Open the stream if it is not open; trouble shows in `state`."""
        if self._camera.is_open or self._latched or time.monotonic() - self._troubled_at < RETRY_S:
            return
        try:
            self._camera.open()
            self._number = 0
        except DeviceError as error:
            self._trouble(error)

    def pace(self, every_s: float) -> None:
        """From now on see no more than one frame in so many seconds; 0: each."""
        self._camera.pace(every_s)

    def look(self, timeout_s: float = FRAME_S) -> Frame | None:
        """Return the next frame, or None when none came in time or the camera is in trouble."""
        self.wake()
        if not self._camera.is_open:
            time.sleep(timeout_s)
            return None
        try:
            frame = self._camera.latest(timeout_s, after=self._number)
        except DeviceError as error:
            self._trouble(error)
            return None
        if frame is None:
            return None
        if self.in_trouble:
            _log.info("camera is well again", device=self.name)
        self._number, self.state, self._logged = frame.number, "live", ""
        self._checked_at = time.monotonic()
        return frame

    def sleep(self) -> None:
        """Close the stream; a camera that was well counts as asleep."""
        self._camera.close()
        if self.state == "live":
            self.state = "asleep"

    def needs_check(self, retry_s: float = RETRY_S) -> bool:
        """Whether nothing is known of the camera, or not for long, or it fell into trouble `retry_s` ago."""
        now = time.monotonic()
        if self.state in {"asleep", "live"}:
            return now - self._checked_at > RECHECK_S
        return not self._latched and now - self._troubled_at >= retry_s

    def _trouble(self, error: DeviceError) -> None:
        if self._logged != error.code:
            _log.error("camera in trouble", device=self.name, code=error.code, fix=error.fix)
        self._logged = error.code
        self._latched = isinstance(error, ControlRefused)
        if self._latched or not self.in_trouble:
            self.state = error.code
        self._troubled_at = time.monotonic()
