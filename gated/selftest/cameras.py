"""Looking through the cameras: whether what each of them shows can be worked with."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from gated.config import GateConfig
from gated.core.ports import DeviceError
from gated.core.settings.cameras import CameraSettings
from gated.selftest.finding import Finding, failed, fault, ok, warning

if TYPE_CHECKING:
    from drivers.camera_check import Looked

MIN_RATE: Final = 8.0  # a capture of ten seconds wants eight good views of somebody who moves
DARK, BRIGHT = 25.0, 230.0  # mean of 255
BURNT: Final = 0.25  # share of a picture that is white
BLURRED: Final = 4.0  # the simulated lane, seen sharply, has 34; blurred by 3 pixels of 1280, it has 4
UNKNOWN: Final = 0.3
SLOW: Final = 0.8  # of the rate that the settings ask for


def named(config: GateConfig) -> dict[str, tuple[CameraSettings, str]]:
    """All cameras by name, with their sections."""
    cameras: dict[str, tuple[CameraSettings, str]] = {
        each.name: (each, f"cameras.{each.name}") for each in config.cameras
    }
    if config.page_camera is not None:
        cameras["page"] = (config.page_camera, "page_camera")
    return cameras


def look_through(cameras: dict[str, tuple[CameraSettings, str]], names: Iterable[str]) -> Iterator[Finding]:
    """Open one after another, and say what is seen."""
    from drivers.camera_check import look  # noqa: PLC0415 - OpenCV takes a second to load

    for name in names:
        settings, section = cameras[name]
        try:
            looked = look(settings, section)
        except DeviceError as error:
            yield failed("cameras", error, name)
        else:
            yield judge(looked, settings, section, name)


def judge(looked: "Looked", settings: CameraSettings, section: str, name: str) -> Finding:
    """The worst that is to be said of it."""
    told = f"{settings.width}x{settings.height}, {looked.rate:.1f} a second"
    if looked.still:
        return fault("cameras", "frozen", f"{told}, always the same picture", "restart the camera", name)
    wanted = settings.rate or MIN_RATE
    if looked.rate < SLOW * wanted:
        fix = f"see its exposure and its network, or correct {section}.rate: {wanted:g} a second are needed"
        return warning("cameras", "slow", told, fix, name)
    if looked.known is not None:
        told = f"{told}, distances known for {looked.known:.0%}"
        if looked.known < UNKNOWN:
            return warning("cameras", "few_distances", told, "clean it; see what shines into it", name)
        return ok("cameras", told, name)
    told = f"{told}, brightness {looked.brightness:.0f} of 255, sharpness {looked.sharpness:.0f}"
    if looked.brightness < DARK:
        return warning("cameras", "too_dark", told, f"light the lane, or set {section}.exposure_ms", name)
    if looked.brightness > BRIGHT or looked.bright > BURNT:
        told = f"{told}, {looked.bright:.0%} white"
        fix = f"keep the sun and lamps out of its sight, or lower {section}.exposure_ms"
        return warning("cameras", "too_bright", told, fix, name)
    if looked.sharpness < BLURRED:
        return warning("cameras", "blurred", told, "clean its window, then focus it on the lane", name)
    return ok("cameras", told, name)
