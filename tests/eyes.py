"""What tests see through a camera, waited for as the gate waits: by looking again, and opening again."""

import time
from collections.abc import Callable

import pytest

from drivers.camera import Camera, Frame
from gated.core.settings.cameras import CameraSettings
from gated.seeing.eye import Eye

PATIENCE_S = 30.0  # what a busy machine may take; on a quiet one nothing takes so long


def eye_on(source: str, *, name: str = "camera", read_timeout_s: float = 1.0) -> Eye:
    """An eye on a simulated camera of the usual size."""
    settings = CameraSettings(source=source, open_timeout_s=3.0, read_timeout_s=read_timeout_s)
    return Eye(Camera(settings, name), name)


def frame_of(eye: Eye, true: Callable[[Frame], bool] = lambda _: True) -> Frame:
    """The next frame of which something is true."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        frame = eye.look()
        if frame is not None and true(frame):
            return frame
    pytest.fail(f"no such frame came from the camera, which is {eye.state}")


def trouble_of(eye: Eye) -> str:
    """The code of the trouble that the camera falls into."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        eye.look()
        if eye.in_trouble:
            return eye.state
    pytest.fail("the camera did not fail")
