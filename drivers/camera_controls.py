"""What a V4L2 camera is told before it streams: rate, exposure, gain, lens and white balance.

Each is set and then read back. A device that does not keep what it is told would take pictures for which
nothing here was measured, so that is an error which names the key; opening the device again changes nothing.
"""

import math
from typing import Final, NamedTuple, Protocol

import cv2

from gated.core.ports import DeviceError
from gated.core.settings.cameras import CameraSettings

MANUAL: Final = 1  # V4L2_EXPOSURE_MANUAL
PER_MS: Final = 10  # V4L2_CID_EXPOSURE_ABSOLUTE counts in units of 100 us
ROUGHLY: Final = 0.1  # sensors expose for whole lines and count frames in their own clock


class ControlRefused(DeviceError):
    """The device is there and does not keep what its settings say: somebody must change one of them."""


class Controls(Protocol):
    """A device with numbered properties, as OpenCV's `VideoCapture` is one."""

    def set(self, key: int, value: float, /) -> bool:
        """Ask for a value; tell whether the device took it."""

    def get(self, key: int, /) -> float:
        """The value that the device keeps; negative for one that it does not know."""


class _Control(NamedTuple):
    """One key of the settings: its property, how much of that is one unit, what lets it be set by hand."""

    key: str
    property: int
    unit: float = 1
    automatic: tuple[int, float] | None = None
    slack: float = 0.0


_CONTROLS: Final = (
    _Control("rate", cv2.CAP_PROP_FPS, slack=ROUGHLY),  # first: it may start the device anew
    _Control("exposure_ms", cv2.CAP_PROP_EXPOSURE, PER_MS, (cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL), ROUGHLY),
    _Control("gain", cv2.CAP_PROP_GAIN),
    _Control("focus", cv2.CAP_PROP_FOCUS, automatic=(cv2.CAP_PROP_AUTOFOCUS, 0)),
    _Control("zoom", cv2.CAP_PROP_ZOOM),
    _Control("white_balance_k", cv2.CAP_PROP_WB_TEMPERATURE, automatic=(cv2.CAP_PROP_AUTO_WB, 0)),
)


def control(device: Controls, settings: CameraSettings, section: str) -> None:
    """Set what the settings name; leave the rest as it is. Raises ControlRefused."""
    for each in _CONTROLS:
        wanted = getattr(settings, each.key)
        if wanted is None:
            continue
        # a device without an automatic of this kind refuses to have it switched off: what counts is read back
        if each.automatic is not None:
            device.set(*each.automatic)
        device.set(each.property, round(wanted * each.unit))
        _check(device, each, wanted, settings.source, section)


def _check(device: Controls, each: _Control, wanted: float, source: str, section: str) -> None:
    name = f"{section}.{each.key}"
    kept = device.get(each.property) / each.unit
    fix = f"see `v4l2-ctl -d {source} --list-ctrls`, correct {name} or remove it, and restart gate-vision"
    code = f"{each.key}_refused"
    if not math.isfinite(kept) or kept < 0:
        raise ControlRefused(section, code, f"the camera does not know it: {fix}")
    if abs(kept - wanted) > each.slack * wanted + 0.5 / each.unit:
        raise ControlRefused(section, code, f"the camera keeps {kept:g} in place of {wanted:g}: {fix}")
    if each.automatic is not None and device.get(each.automatic[0]) not in {each.automatic[1], -1.0}:
        raise ControlRefused(section, code, f"the camera goes on to set it by itself: {fix}")
