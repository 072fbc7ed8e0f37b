"""What cameras show: measured through the real driver of a simulated camera, and judged."""

from collections.abc import Iterator

import pytest

from drivers.camera_check import Looked, look
from gated.core.ports import DeviceError
from gated.core.settings.cameras import CameraSettings
from gated.selftest.cameras import MIN_RATE, judge, look_through
from gated.selftest.finding import Verdict
from hw_sim.camera.server import SimulatedCamera

SETTINGS = CameraSettings(source="http://192.0.2.1/")
WELL = Looked(rate=15.0, still=False, brightness=120.0, dark=0.0, bright=0.01, sharpness=34.0)


@pytest.fixture(scope="module")
def camera() -> Iterator[SimulatedCamera]:
    one = SimulatedCamera()
    one.start()
    yield one
    one.stop()


def settings(camera: SimulatedCamera, **more: object) -> CameraSettings:
    return CameraSettings(source=camera.url, **more)  # type: ignore[arg-type]  # its own fields


def test_a_camera_that_looks_into_the_lane(camera: SimulatedCamera) -> None:
    looked = look(settings(camera), "cameras.middle", 1.0)
    assert looked.rate == pytest.approx(15.0, abs=4.0)
    assert not looked.still
    assert 40 < looked.brightness < 220
    assert looked.dark < 0.2
    assert looked.bright < 0.2
    assert judge(looked, settings(camera), "cameras.middle", "middle").verdict is Verdict.OK


def test_one_that_sends_another_size_or_is_not_there_is_told(camera: SimulatedCamera) -> None:
    wrong = settings(camera, width=640, height=480)
    (found,) = look_through({"middle": (wrong, "cameras.middle")}, ["middle"])
    assert (found.verdict, found.code) == (Verdict.FAULT, "wrong_size")
    assert "cameras.middle.width" in found.fix
    nobody = CameraSettings(source="http://127.0.0.1:9/", open_timeout_s=1.0)
    with pytest.raises(DeviceError):
        look(nobody, "cameras.middle")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, ""),
        ({"still": True}, "frozen"),
        ({"rate": 0.7 * MIN_RATE}, "slow"),
        ({"brightness": 10.0}, "too_dark"),
        ({"brightness": 240.0}, "too_bright"),
        ({"bright": 0.4}, "too_bright"),
        ({"sharpness": 1.0}, "blurred"),
        ({"known": 0.1}, "few_distances"),
        ({"known": 0.8}, ""),
    ],
)
def test_each_thing_that_is_wrong_has_its_code_and_fix(changed: dict[str, float], code: str) -> None:
    fields = {name: getattr(WELL, name) for name in WELL.__slots__} | changed
    found = judge(Looked(**fields), SETTINGS, "cameras.middle", "middle")
    assert found.code == code
    assert bool(found.fix) == bool(code)


def test_a_rate_that_the_settings_ask_for_counts() -> None:
    asked = CameraSettings(source="/dev/video0", rate=30)
    assert judge(WELL, asked, "cameras.middle", "middle").code == "slow"
