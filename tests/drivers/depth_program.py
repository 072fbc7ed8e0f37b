"""Reads a depth camera as the gate does, in a process of its own into which a device can be preloaded.

    python -m tests.drivers.depth_program UNIT_MM FRAMES

Prints a line for each frame: its number, and the distances of a few pixels; then why it ended.
"""

import sys
import time

from drivers.camera import Camera
from drivers.pictures import Distances, millimetres
from gated.core.ports import DeviceError
from gated.core.settings.cameras import CameraSettings

SOURCE = "/dev/video77"
PIXELS = (0, 1, 639, 640, 230_399)


def main() -> int:
    """Read so many frames, or until the device fails."""
    unit_mm, wanted = float(sys.argv[1]), int(sys.argv[2])
    settings = CameraSettings(source=SOURCE, width=640, height=360, open_timeout_s=2.0, read_timeout_s=0.6)
    camera = Camera(settings, "cameras.depth", Distances(unit_mm))
    number, end = 0, time.monotonic() + 20
    try:
        camera.open()
        while number < wanted and time.monotonic() < end:
            frame = camera.latest(0.2, after=number)
            if frame is not None:
                number = frame.number
                depth = millimetres(frame.image)
                told = depth.reshape(-1)[list(PIXELS)].tolist()
                sys.stdout.write(f"{number} {' '.join(map(str, told))}\n")
    except DeviceError as error:
        sys.stdout.write(f"ended {error.device} {error.code} {error.fix}\n")
    camera.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
