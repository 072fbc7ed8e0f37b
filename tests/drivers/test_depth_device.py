"""Distances from a V4L2 device, through the kernel's interface, from a device that behaves as drivers may."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drivers.camera import Camera
from drivers.pictures import Colours, Distances, millimetres
from gated.core.ports import DeviceGone
from gated.core.settings.cameras import CameraSettings
from hw_sim.lane.gpio_shim import ShimError, build
from tests.drivers.depth_program import PIXELS, SOURCE
from tests.mjpeg import MjpegServer

DEVICE = Path(__file__).with_name("v4l2_device.c")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build(tmp_path_factory.mktemp("v4l2"), DEVICE)
    except ShimError as error:
        pytest.skip(str(error))


def run(library: Path, *command: str, **behaviour: str) -> list[list[str]]:
    """The words of each line that a program prints before such a device."""
    preload = " ".join(filter(None, [str(library), os.environ.get("LD_PRELOAD")]))
    told = {f"EGATE_V4L2_{key.upper()}": value for key, value in behaviour.items()}
    environment = os.environ | {"LD_PRELOAD": preload} | told
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return [line.split() for line in done.stdout.splitlines()]


def read(library: Path, unit: str = "1", wanted: str = "3", **behaviour: str) -> list[list[str]]:
    return run(library, "-m", "tests.drivers.depth_program", unit, wanted, **behaviour)


def sent(number: int, unit_mm: float = 1.0) -> list[int]:
    """What the device sends at some pixels of its frame."""
    values = [(7 * pixel + 1000 * number) % 65536 for pixel in PIXELS]
    scaled = [round(value * unit_mm) for value in values]
    return [value if value <= 65535 else 0 for value in scaled]


@pytest.mark.parametrize("formats", ["Z16 ", "Y16 ", "MJPGZ16 ", "Y16 Z16 "])
def test_every_bit_of_a_distance_arrives(library: Path, formats: str) -> None:
    lines = read(library, formats=formats)
    assert len(lines) == 3
    for line in lines:
        assert [int(word) for word in line[1:]] in [sent(number) for number in range(20)]


def test_rows_may_be_longer_than_what_they_show(library: Path) -> None:
    for line in read(library, row="64"):
        assert [int(word) for word in line[1:]] in [sent(number) for number in range(20)]


def test_units_become_millimetres_and_what_is_too_far_is_not_known(library: Path) -> None:
    for line in read(library, unit="0.25"):
        assert [int(word) for word in line[1:]] in [sent(number, 0.25) for number in range(20)]
    for line in read(library, unit="10"):
        assert [int(word) for word in line[1:]] in [sent(number, 10.0) for number in range(20)]


def test_a_broken_frame_is_passed_over(library: Path) -> None:
    for line in read(library, broken="1"):
        assert [int(word) for word in line[1:]] in [sent(number) for number in range(1, 20, 2)]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ({"frames": "3"}, "stream_ended"),
        ({"silent": "3"}, "frozen"),
        ({"formats": "MJPGYUYV"}, "no_depth"),
    ],
)
def test_a_device_that_fails_is_told_by_its_section(
    library: Path, behaviour: dict[str, str], code: str
) -> None:
    *_, last = read(library, wanted="1000", **behaviour)
    assert last[:3] == ["ended", "cameras.depth", code]


OPENCV = f"""
import cv2, numpy as np
size = [cv2.CAP_PROP_FRAME_WIDTH, 640, cv2.CAP_PROP_FRAME_HEIGHT, 360, cv2.CAP_PROP_CONVERT_RGB, 0]
capture = cv2.VideoCapture("{SOURCE}", cv2.CAP_V4L2, size)
good, frame = capture.read() if capture.isOpened() else (False, None)
print(*frame.reshape(-1).view(np.uint16)[{list(PIXELS)}] if good else ["not", "opened"])
"""


def test_opencv_agrees_about_the_device_and_opens_none_that_measures_distances(library: Path) -> None:
    (line,) = run(library, "-c", OPENCV, formats="Y16 ")
    assert [int(word) for word in line] in [sent(number) for number in range(20)]
    assert run(library, "-c", OPENCV, formats="Z16 ") == [["not", "opened"]], "OpenCV does: drop our own way"


STAMPS = f"""
import time
from drivers.pictures import {{kind}}
from gated.core.settings.cameras import CameraSettings
settings = CameraSettings(source="{SOURCE}", width=640, height=360, read_timeout_s=0.6)
capture = {{kind}}({{unit}}).opened(settings, "cameras.depth")
for _ in range(3):
    good, stamp_s = capture.grab(), capture.stamp_s()
    print(good, time.monotonic() - stamp_s)
"""


@pytest.mark.parametrize(("kind", "unit", "formats"), [("Distances", "1.0", "Z16 "), ("Colours", "", "Y16 ")])
def test_a_frame_is_as_old_as_its_stamp_says_also_by_opencv(
    library: Path, kind: str, unit: str, formats: str
) -> None:
    lines = run(library, "-c", STAMPS.format(kind=kind, unit=unit), formats=formats, age="120")
    assert [good for good, _ in lines] == ["True"] * 3
    for _, age_s in lines:
        assert 0.119 < float(age_s) < 0.35


def settings(source: str = "/dev/video63") -> CameraSettings:
    return CameraSettings(source=source, width=640, height=360)


def test_a_device_that_is_not_there_is_gone() -> None:
    with pytest.raises(DeviceGone) as caught:
        Distances(1.0).opened(settings(), "cameras.depth")
    assert (caught.value.device, caught.value.code) == ("cameras.depth", "no_stream")
    assert "cameras.depth.source" in caught.value.fix


def test_what_is_no_camera_is_refused() -> None:
    with pytest.raises(DeviceGone) as caught:
        Distances(1.0).opened(settings("/dev/null"), "cameras.depth")
    assert caught.value.code == "no_stream"


def test_a_picture_of_another_kind_is_refused() -> None:
    colour, depth = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint16)
    with pytest.raises(DeviceGone, match="set the camera to Z16, Y16 or 16-bit grey"):
        Distances(1.0).image(colour, "cameras.depth")
    with pytest.raises(DeviceGone, match="no pictures in colour"):
        Colours().image(depth, "cameras.middle")


def test_millimetres_share_the_memory_of_the_picture() -> None:
    depth = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2500
    image = Distances(1.0).image(depth, "cameras.depth")
    assert image.shape == (4, 6, 2)
    kept = millimetres(image)
    assert np.array_equal(kept, depth)
    image.fill(0)
    assert not kept.any(), "who wipes the picture wipes the distances"


def test_a_colour_stream_is_no_depth_camera() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url), "cameras.depth", Distances(1.0))
        camera.open()
        with pytest.raises(DeviceGone) as caught:
            camera.latest(5.0)
    assert caught.value.code == "no_depth"
