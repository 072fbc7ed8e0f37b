"""Cameras of the guest: the kernel's v4l2loopback and vivid from below, `drivers.camera` from above."""

import fcntl
import os
import struct
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from drivers.camera import Camera
from drivers.pictures import Colours
from gated.core.settings.cameras import CameraSettings
from tests.hil.guest.system import await_devices, run

LOOPBACK, VIVID = Path("/dev/video8"), Path("/dev/video9")
WIDTH, HEIGHT = 640, 360
PERIOD_S = 0.1
OPEN_S, READ_S = 30.0, 3.0  # this machine is slow: what a gate's camera does in 0.1 s takes it 1 s
_S_FMT, _QUERYCTRL, _S_CTRL = 0xC0D05605, 0xC0445624, 0xC008561C
_OUTPUT, _YUYV, _NO_FIELD, _SRGB = 2, b"YUYV", 1, 8
_NEXT = 0x80000000  # V4L2_CTRL_FLAG_NEXT_CTRL

_camera: list[Camera] = []
_feeds: list["_Feed"] = []


# --- from below --------------------------------------------------------------------------------------


def plug() -> None:
    """Load both kinds of device."""
    run(
        command=["modprobe", "v4l2loopback", "devices=1", f"video_nr={_number(LOOPBACK)}", "exclusive_caps=1"]
    )
    # inputs=1: a webcam
    vivid = ["n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0", f"vid_cap_nr={_number(VIVID)}"]
    run(command=["modprobe", "vivid", *vivid])
    await_devices()


def unplug() -> None:
    """Take both away. Idempotent."""
    for module in ("v4l2loopback", "vivid"):
        if Path(f"/sys/module/{module}").exists():
            run(command=["modprobe", "--remove", module])


def _number(node: Path) -> str:
    return node.name.removeprefix("video")


class _Feed:
    """A program that writes frames into the loopback: grey ones, each as bright as it is told."""

    def __init__(self) -> None:
        self.brightness = 40
        self.frozen = False
        self._ended = False
        self._node = os.open(LOOPBACK, os.O_RDWR)
        size = WIDTH * HEIGHT * 2
        pix = struct.pack("<II4sIIII", WIDTH, HEIGHT, _YUYV, _NO_FIELD, WIDTH * 2, size, _SRGB)
        fcntl.ioctl(self._node, _S_FMT, bytearray(struct.pack("<I4x", _OUTPUT) + pix).ljust(208, b"\0"))
        self._write()  # before its first frame the loopback is no camera: who opens it then finds no stream
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            if not self.frozen:
                self._write()
            time.sleep(PERIOD_S)

    def _write(self) -> None:
        frame = np.full((HEIGHT, WIDTH, 2), 128, np.uint8)
        frame[..., 0] = self.brightness
        os.write(self._node, frame.tobytes())

    def end(self) -> None:
        self._ended = True
        self._thread.join()
        os.close(self._node)


def feed(*, brightness: int = 40, frozen: bool = False) -> None:
    """Have frames of this brightness (luma, 16 to 235) written into the loopback, or none."""
    if not _feeds:
        _feeds.append(_Feed())
    _feeds[0].brightness, _feeds[0].frozen = brightness, frozen


def end_feed() -> None:
    """End the program that writes. Idempotent."""
    while _feeds:
        _feeds.pop().end()


def set_vivid(*, name: str, value: int) -> None:
    """Set a control of vivid's by its name, beside whoever streams."""
    node = os.open(VIVID, os.O_RDWR)
    try:
        number = 0
        while True:
            asked = bytearray(struct.pack("<I", number | _NEXT).ljust(68, b"\0"))
            fcntl.ioctl(node, _QUERYCTRL, asked)
            (number,) = struct.unpack_from("<I", asked)
            if asked[8:40].partition(b"\0")[0].decode() == name:
                break
        fcntl.ioctl(node, _S_CTRL, struct.pack("<Ii", number, value))
    finally:
        os.close(node)


# --- from above --------------------------------------------------------------------------------------


def open_camera(*, source: str, width: int = WIDTH, height: int = HEIGHT, **controls: Any) -> None:
    """Open a camera with these settings."""
    settings = CameraSettings(
        source=source, width=width, height=height, open_timeout_s=OPEN_S, read_timeout_s=READ_S, **controls
    )
    camera = Camera(settings)
    camera.open()
    _camera.append(camera)


def close_camera() -> None:
    """Close it, and wait until its thread has let go of the device. Idempotent."""
    while _camera:
        _camera.pop().close()
    deadline = time.monotonic() + OPEN_S
    while any(thread.name == "camera" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.05)


def latest(*, after: int = 0, within_s: float = OPEN_S) -> dict[str, Any]:
    """The newest frame: its number, shape and mean colour. Raises TimeoutError when there is none."""
    frame = _camera[0].latest(within_s, after=after)
    if frame is None:
        raise TimeoutError
    return {
        "number": frame.number,
        "shape": list(frame.image.shape),
        "mean": float(frame.image.mean()),
        "spread": float(frame.image.std()),
    }


def ages(*, source: str, count: int = 4) -> list[float]:
    """How long the kernel has had each of so many frames when OpenCV has taken it, by its stamps."""
    settings = CameraSettings(source=source, width=WIDTH, height=HEIGHT, read_timeout_s=READ_S)
    capture = Colours().opened(settings, "cameras.middle")
    if capture is None:
        raise TimeoutError
    found = []
    for _ in range(count):
        capture.grab()
        found.append(time.monotonic() - (capture.stamp_s() or 0.0))
    capture.release()
    return found


def await_failure(*, within_s: float) -> float:
    """Ask for frames until the camera fails, which is raised; return if it does not."""
    began, number = time.monotonic(), 0
    while time.monotonic() - began < within_s:
        frame = _camera[0].latest(0.2, after=number)
        number = number if frame is None else frame.number
    return time.monotonic() - began
