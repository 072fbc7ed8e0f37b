"""Setting a camera: a device that behaves as V4L2 cameras do stands where OpenCV's capture stands."""

from dataclasses import dataclass, field

import cv2
import pytest

from drivers.camera_controls import MANUAL, ControlRefused, control
from gated.core.settings.cameras import CAMERA_CONTROLS, CameraSettings

NAMES = {
    "rate": cv2.CAP_PROP_FPS,
    "exposure_ms": cv2.CAP_PROP_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "focus": cv2.CAP_PROP_FOCUS,
    "zoom": cv2.CAP_PROP_ZOOM,
    "white_balance_k": cv2.CAP_PROP_WB_TEMPERATURE,
}
AUTOMATIC = {
    cv2.CAP_PROP_EXPOSURE: cv2.CAP_PROP_AUTO_EXPOSURE,
    cv2.CAP_PROP_FOCUS: cv2.CAP_PROP_AUTOFOCUS,
    cv2.CAP_PROP_WB_TEMPERATURE: cv2.CAP_PROP_AUTO_WB,
}
BY_HAND = {cv2.CAP_PROP_AUTO_EXPOSURE: MANUAL, cv2.CAP_PROP_AUTOFOCUS: 0, cv2.CAP_PROP_AUTO_WB: 0}
WANTED: dict[str, float] = {
    "rate": 30, "exposure_ms": 8.0, "gain": 20, "focus": 30, "zoom": 100, "white_balance_k": 4600
}  # fmt: skip


@dataclass
class Webcam:
    """Clamps to its ranges and rounds to its steps, as V4L2 lets drivers do; refuses while automatic."""

    kept: dict[int, float] = field(
        default_factory=lambda: {
            **dict.fromkeys(NAMES.values(), 0.0),
            cv2.CAP_PROP_AUTO_EXPOSURE: 3, cv2.CAP_PROP_AUTOFOCUS: 1, cv2.CAP_PROP_AUTO_WB: 1,
        }
    )  # fmt: skip
    most: dict[int, float] = field(default_factory=dict)
    step: dict[int, float] = field(default_factory=dict)
    stubborn: set[int] = field(default_factory=set)

    def set(self, key: int, value: float, /) -> bool:
        automatic = AUTOMATIC.get(key)
        if key not in self.kept or key in self.stubborn:
            return False
        if automatic in self.kept and self.kept[automatic] != BY_HAND[automatic]:
            return False
        step = self.step.get(key, 1)
        self.kept[key] = min(round(value / step) * step, self.most.get(key, 1e9))
        return True

    def get(self, key: int, /) -> float:
        return self.kept.get(key, -1.0)


def settings(**wanted: float) -> CameraSettings:
    return CameraSettings(source="/dev/video0", **wanted)  # type: ignore[arg-type]  # its own fields


def refused(camera: Webcam, **wanted: float) -> ControlRefused:
    with pytest.raises(ControlRefused) as caught:
        control(camera, settings(**wanted), "cameras.low")
    return caught.value


def test_every_control_is_known() -> None:
    assert set(NAMES) == set(WANTED) == set(CAMERA_CONTROLS)


def test_what_is_asked_is_set_in_the_units_of_the_device() -> None:
    camera = Webcam()
    control(camera, settings(**WANTED), "cameras.low")
    assert camera.kept[cv2.CAP_PROP_EXPOSURE] == 80, "units of 100 us"
    for key in set(CAMERA_CONTROLS) - {"exposure_ms"}:
        assert camera.kept[NAMES[key]] == WANTED[key]
    assert {key: camera.kept[key] for key in BY_HAND} == BY_HAND


def test_what_is_not_asked_stays_as_it_is() -> None:
    camera = Webcam()
    before = dict(camera.kept)
    control(camera, settings(), "cameras.low")
    assert camera.kept == before
    control(camera, settings(gain=3), "cameras.low")
    assert camera.kept == before | {cv2.CAP_PROP_GAIN: 3}


@pytest.mark.parametrize("key", CAMERA_CONTROLS)
def test_a_control_that_the_device_lacks_is_told_by_its_key(key: str) -> None:
    camera = Webcam()
    del camera.kept[NAMES[key]]
    error = refused(camera, **{key: WANTED[key]})
    assert (error.device, error.code) == ("cameras.low", f"{key}_refused")
    assert f"correct cameras.low.{key} or remove it" in error.fix
    assert "/dev/video0 --list-ctrls" in error.fix


@pytest.mark.parametrize("key", CAMERA_CONTROLS)
def test_a_value_that_the_device_cuts_is_told_with_what_it_keeps(key: str) -> None:
    unit = 10 if key == "exposure_ms" else 1
    camera = Webcam(most={NAMES[key]: 2 * unit})
    assert f"keeps 2 in place of {WANTED[key]:g}" in refused(camera, **{key: WANTED[key]}).fix


@pytest.mark.parametrize("key", ["exposure_ms", "focus", "white_balance_k"])
def test_a_device_that_goes_on_by_itself_is_told(key: str) -> None:
    camera = Webcam(stubborn={AUTOMATIC[NAMES[key]]})
    assert refused(camera, **{key: WANTED[key]}).code == f"{key}_refused"
    camera.kept[NAMES[key]] = WANTED[key] * (10 if key == "exposure_ms" else 1)  # by chance it is right now
    assert "goes on to set it by itself" in refused(camera, **{key: WANTED[key]}).fix


def test_a_lens_without_automatic_is_set_all_the_same() -> None:
    camera = Webcam()
    del camera.kept[cv2.CAP_PROP_AUTOFOCUS]
    control(camera, settings(focus=30), "cameras.low")
    assert camera.kept[cv2.CAP_PROP_FOCUS] == 30


def test_exposure_in_the_sensors_own_steps_is_kept_well_enough() -> None:
    camera = Webcam(step={cv2.CAP_PROP_EXPOSURE: 7})
    control(camera, settings(exposure_ms=8.0), "cameras.low")
    assert camera.kept[cv2.CAP_PROP_EXPOSURE] == 77
    assert "keeps 0.7 in place of 0.5" in refused(camera, exposure_ms=0.5).fix
