"""The picture of the page camera: what lies there is seen, at its true size, and the same each time."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from drivers.camera import Camera
from gated.core.settings.cameras import PageCameraSettings
from gated.document.mrz.decoding import decode
from hw_sim.camera.glass import GLASS_MM, PAGE_MM, SIZE, Bytes, DataPage, Glass, Lying, picture
from hw_sim.camera.server import CameraFailed, SimulatedCamera
from hw_sim.passport.issuer import mrz_lines
from hw_sim.scenarios import HOLDERS
from models import manifest
from models.mrz.page import PageReader

LINES = mrz_lines(HOLDERS["kurt"], "UTO")
PAGE = DataPage(holder="kurt", lines=LINES)


def at(how: Lying, time_s: float = 1.0) -> Bytes:
    return picture(Glass(page=PAGE, lying=how), time_s)


def covered(image: Bytes) -> tuple[float, float]:
    """Long and short side of what is brighter than the lid, in millimetres."""
    points = cv2.findNonZero((cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) > 60).astype(np.uint8))
    _, sides, _ = cv2.minAreaRect(points)
    return max(sides) * GLASS_MM / SIZE[0], min(sides) * GLASS_MM / SIZE[0]


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader(manifest.load().mrz)


@pytest.fixture(scope="module")
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(10.0, glass=True) as camera:
        yield camera


def test_a_frame_is_a_function_of_what_lies_there_and_the_time() -> None:
    how = Lying(turned=20, sway_mm=3)
    assert (at(how) == at(how)).all()
    assert at(how).shape == (SIZE[1], SIZE[0], 3)
    moved = np.abs(at(how).astype(int) - at(how, 1.2)).mean()
    rests = np.abs(at(Lying()).astype(int) - at(Lying(), 1.2)).mean()
    assert 0 < rests < 4 < moved


@pytest.mark.parametrize("turned", [0, 33, 90, 180, 270])
def test_the_page_has_its_true_size_in_every_direction(turned: float) -> None:
    assert covered(at(Lying(turned=turned))) == pytest.approx(PAGE_MM, abs=1.0)


def test_what_lies_over_the_edge_is_not_seen() -> None:
    assert covered(at(Lying(right_mm=75)))[0] < PAGE_MM[0] - 20
    assert at(Lying(right_mm=300)).max() < 60
    assert picture(Glass(), 1.0).max() < 60


def test_the_gate_reads_the_page_and_nothing_on_the_cover(reader: PageReader) -> None:
    page = reader.read(at(Lying(turned=185, down_mm=4)))
    assert decode(page.lines).lines.reveal() == LINES
    assert abs((page.sight.turned or 0) - 180) == 0
    cover = reader.read(at(Lying(side="cover")))
    assert (cover.lines, cover.sight.zone) == ((), False)


def test_full_glare_hides_what_it_covers(reader: PageReader) -> None:
    page = reader.read(at(Lying(glare=1.0)))
    assert not page.lines or decode(page.lines).verdict != "read"


def test_the_driver_of_the_gate_sees_it_change(camera: SimulatedCamera) -> None:
    driver = Camera(PageCameraSettings(source=camera.url), "page_camera")
    camera.lay(Glass())
    driver.open()
    frame = driver.latest(3.0)
    assert frame is not None
    assert frame.image.max() < 70
    camera.lay(Glass(page=PAGE))
    for _ in range(3):  # one may have been under way
        frame = driver.latest(1.0, after=frame.number)
        assert frame is not None
    driver.close()
    assert frame.image.mean() > 60


def test_it_refuses_whom_it_does_not_know(camera: SimulatedCamera) -> None:
    with pytest.raises(CameraFailed, match="nobody is called so"):
        camera.lay(Glass(page=DataPage(holder="nobody", lines=LINES)))


def test_a_page_is_personal_wherever_it_is_shown() -> None:
    assert "LINDQVIST" not in repr(Glass(page=PAGE))
