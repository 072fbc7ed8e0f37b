"""The camera through OpenCV on the kernel's V4L2: frames, controls, freezing, pulling out."""

from collections.abc import Iterator

import pytest

from tests.hil.guest import camera
from tests.hil.machine import Machine, RaisedInsideError

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

LOOPBACK, VIVID = str(camera.LOOPBACK), str(camera.VIVID)
SHAPE = [camera.HEIGHT, camera.WIDTH, 3]


@pytest.fixture
def plugged(machine: Machine) -> Iterator[Machine]:
    """A machine with both cameras, none of them open."""
    machine.call(camera.plug)
    yield machine
    machine.call(camera.close_camera)
    machine.call(camera.end_feed)
    machine.call(camera.unplug)


def code_of_failure(machine: Machine) -> str:
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(camera.await_failure, within_s=60.0)
    return raised.value.code


def test_what_is_seen_now_is_what_comes(plugged: Machine) -> None:
    plugged.call(camera.feed, brightness=40)
    plugged.call(camera.open_camera, source=LOOPBACK)
    dark = plugged.call(camera.latest)
    assert dark["shape"] == SHAPE
    assert dark["mean"] == pytest.approx((40 - 16) * 255 / 219, abs=3)
    plugged.call(camera.feed, brightness=200)
    for _ in range(4):  # what was on its way is let by
        bright = plugged.call(camera.latest, after=plugged.call(camera.latest)["number"])
    assert bright["number"] > dark["number"]
    assert bright["mean"] == pytest.approx((200 - 16) * 255 / 219, abs=3)


def test_the_kernel_stamps_frames_by_the_monotonic_clock(plugged: Machine) -> None:
    ages = plugged.call(camera.ages, source=VIVID)
    assert all(-0.1 < age_s < 5 for age_s in ages), ages  # vivid stamps when a frame ends that it then draws


def test_a_camera_that_freezes_is_told_and_serves_again_when_it_is_opened_anew(plugged: Machine) -> None:
    plugged.call(camera.feed)
    plugged.call(camera.open_camera, source=LOOPBACK)
    plugged.call(camera.latest)
    plugged.call(camera.feed, frozen=True)
    assert code_of_failure(plugged) == "frozen"
    plugged.call(camera.feed)
    plugged.call(camera.close_camera)
    plugged.call(camera.open_camera, source=LOOPBACK)
    assert plugged.call(camera.latest)["shape"] == SHAPE


def test_pictures_of_another_size_than_the_settings_are_refused(plugged: Machine) -> None:
    plugged.call(camera.open_camera, source=VIVID, width=700, height=500)
    assert code_of_failure(plugged) == "wrong_size"


def test_a_control_that_the_device_knows_is_kept(plugged: Machine) -> None:
    plugged.call(camera.set_vivid, name="Gain, Automatic", value=0)  # as a camera without it behaves
    plugged.call(camera.open_camera, source=VIVID, gain=42)
    seen = plugged.call(camera.latest)
    assert seen["shape"] == SHAPE
    assert seen["spread"] > 10  # vivid shows colour bars


@pytest.mark.parametrize(
    ("control", "value"), [("exposure_ms", 8.0), ("focus", 30), ("white_balance_k", 4600), ("gain", 5000)]
)
def test_a_control_that_the_device_does_not_keep_is_named(
    plugged: Machine, control: str, value: float
) -> None:
    plugged.call(camera.open_camera, source=VIVID, **{control: value})
    assert code_of_failure(plugged) == f"{control}_refused"


def test_a_camera_whose_every_frame_is_lost_is_frozen(plugged: Machine) -> None:
    plugged.call(camera.open_camera, source=VIVID)
    plugged.call(camera.latest)
    plugged.call(camera.set_vivid, name="Percentage of Dropped Buffers", value=100)
    assert code_of_failure(plugged) == "frozen"


def test_a_camera_that_is_pulled_out_is_told(plugged: Machine) -> None:
    plugged.call(camera.open_camera, source=VIVID)
    plugged.call(camera.latest)
    plugged.call(camera.set_vivid, name="Disconnect", value=1)
    assert code_of_failure(plugged) in {"stream_ended", "stream_broken", "frozen"}


def test_a_camera_that_is_not_there_is_told(machine: Machine) -> None:
    machine.call(camera.open_camera, source=VIVID)
    assert code_of_failure(machine) == "no_stream"
    machine.call(camera.close_camera)
