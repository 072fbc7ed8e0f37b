"""One camera with its moods, on a device that fails as it is told."""

import time

import numpy as np
import pytest

from drivers.camera import Frame
from drivers.camera_controls import ControlRefused
from gated.core.ports import DeviceError, DeviceGone
from gated.seeing.eye import RETRY_S, Eye


class Device:
    """A camera of one frame, or of one fault."""

    def __init__(self) -> None:
        self.fault: DeviceError | None = None
        self.opened = 0
        self.is_open = False

    def open(self) -> None:
        self.opened += 1
        self.is_open = True

    def pace(self, every_s: float) -> None: ...

    def latest(self, timeout_s: float, *, after: int = 0) -> Frame | None:
        del timeout_s
        if self.fault is not None:
            self.is_open = False
            raise self.fault
        return Frame(image=np.zeros((4, 4, 3), np.uint8), at=time.monotonic(), number=after + 1)

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def eye(device: Device) -> Eye:
    return Eye(device, "low")  # type: ignore[arg-type] - only these verbs are used


def wait(eye: Eye, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        eye.look(0.02)
        time.sleep(0.01)


def test_a_camera_is_unknown_then_live_then_asleep(eye: Eye, device: Device) -> None:
    assert (eye.state, eye.needs_check()) == ("not_checked", True)
    frame = eye.look(0.0)
    assert frame is not None
    assert (eye.state, eye.needs_check()) == ("live", False)
    eye.sleep()
    assert (eye.state, eye.needs_check(), device.is_open) == ("asleep", False, False)


def test_trouble_is_told_by_its_code_and_passes_with_the_next_frame(eye: Eye, device: Device) -> None:
    device.fault = DeviceGone("cameras.low", "stream_ended", "check the camera's power and cable")
    assert eye.look(0.0) is None
    assert (eye.state, eye.in_trouble) == ("stream_ended", True)
    eye.sleep()
    assert eye.state == "stream_ended", "sleep makes nobody well"
    device.fault = None
    wait(eye, RETRY_S + 0.2)
    assert (eye.state, eye.in_trouble) == ("live", False)
    assert device.opened == 2


def test_the_first_code_stays_until_the_camera_is_well(eye: Eye, device: Device) -> None:
    device.fault = DeviceGone("cameras.low", "stream_ended", "check the camera's power and cable")
    eye.look(0.0)
    device.fault = DeviceGone("cameras.low", "no_stream", "check the camera")
    wait(eye, RETRY_S + 0.2)
    assert device.opened == 2
    assert eye.state == "stream_ended"
    device.fault = None
    wait(eye, RETRY_S + 0.2)
    assert eye.state == "live"
    device.fault = DeviceGone("cameras.low", "no_stream", "check the camera")
    eye.look(0.0)
    assert eye.state == "no_stream"


def test_a_camera_in_trouble_is_not_opened_without_pause(eye: Eye, device: Device) -> None:
    device.fault = DeviceGone("cameras.low", "no_stream", "check the camera")
    wait(eye, 2 * RETRY_S + 0.3)
    assert device.opened == 3


def test_a_camera_that_does_not_keep_its_settings_stays_in_trouble(eye: Eye, device: Device) -> None:
    device.fault = ControlRefused("cameras.low", "gain_refused", "the camera keeps 3 in place of 9")
    assert eye.look(0.0) is None
    device.fault = None
    wait(eye, RETRY_S + 0.3)
    assert (eye.state, eye.needs_check(), device.opened) == ("gain_refused", False, 1)
