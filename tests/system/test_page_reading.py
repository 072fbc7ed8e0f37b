"""gate-vision before a simulated page camera, with this test in the place of gated."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.core.vocabulary import Advice
from gated.runtime import messages as say
from hw_sim.camera.glass import DataPage, Glass, Lying
from hw_sim.camera.server import CameraFailed, SimulatedCamera
from hw_sim.passport.issuer import mrz_lines
from hw_sim.scenarios import HOLDERS
from tests.system.vision_rig import OPTICAL_S, Vision, showing

PASSAGE, OTHER = "00112233445566aa", "00112233445566bb"
LINES = mrz_lines(HOLDERS["ada"], "UTO")
PAGE = DataPage(holder="ada", lines=LINES)
CUT_OFF = Lying(right_mm=75)
COVER_UP = Lying(side="cover", turned=170)
FPS = 8.0  # each frame is read: more would only take time from the rest of this machine


def lying(how: Lying) -> Glass:
    return Glass(page=PAGE, lying=how)


@pytest.fixture(scope="module")
def glass() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(FPS, glass=True) as glass:
        yield glass


@pytest.fixture(scope="module")
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as camera:
        camera.show(showing())
        yield camera


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, camera: SimulatedCamera, glass: SimulatedCamera
) -> Iterator[Vision]:
    with Vision(tmp_path_factory.mktemp("vision"), camera.url, page_camera=glass.url) as vision:
        vision.await_page_camera("asleep")
        yield vision


@pytest.fixture
def vision(running: Vision, glass: SimulatedCamera) -> Iterator[Vision]:
    """With an empty glass, and no page looked at before and after."""
    glass.lay(Glass())
    yield running
    for passage in (PASSAGE, OTHER):
        running.say(say.Forget(passage=passage))
    running.await_page_camera("asleep", 3)


def look(vision: Vision, *, only_coach: bool = False) -> None:
    vision.say(say.ReadPage(passage=PASSAGE, only_coach=only_coach))


def advices(vision: Vision) -> list[Advice | None]:
    return [message.advice for message in vision.heard(say.PagePlacement)]


def await_advice(vision: Vision, advice: Advice | None) -> None:
    assert vision.listen(6, lambda: advices(vision)[-1:] == [advice]), advices(vision)


@pytest.mark.parametrize(
    "how",
    [
        Lying(),
        Lying(turned=90),
        Lying(turned=176, right_mm=6),
        Lying(turned=270),
        Lying(turned=9, down_mm=-8),
        Lying(turned=3, lifted=0.12),
        Lying(glare=0.3),
    ],
    ids=["straight", "a quarter", "head down", "three quarters", "skew", "lifted", "some glare"],
)
def test_a_page_is_read_however_it_lies(vision: Vision, glass: SimulatedCamera, how: Lying) -> None:
    glass.lay(lying(how))
    look(vision)
    read = vision.hear(say.PageRead, 8)
    assert (read.passage, read.lines) == (PASSAGE, LINES)
    assert read.confidence > 0.6
    assert "BERGSTROM" not in repr(read)


def test_it_is_read_once_for_each_question(vision: Vision, glass: SimulatedCamera) -> None:
    glass.lay(lying(Lying()))
    look(vision)
    vision.hear(say.PageRead, 8)
    vision.listen(1)
    assert len(vision.heard(say.PageRead)) == 1
    look(vision)  # the lines did not hold, say
    assert vision.hear(say.PageRead, 2).lines == LINES


def test_a_page_that_is_brought_right_is_coached_and_then_read(
    vision: Vision, glass: SimulatedCamera
) -> None:
    glass.lay(lying(CUT_OFF))
    look(vision)
    await_advice(vision, Advice.PUSH_INTO_CORNER)
    glass.lay(lying(COVER_UP))
    await_advice(vision, Advice.OPEN_AT_PHOTO_PAGE)
    glass.lay(lying(Lying(turned=180)))
    vision.hear(say.PageRead, 3)
    assert advices(vision) == [Advice.PUSH_INTO_CORNER, Advice.OPEN_AT_PHOTO_PAGE]


def test_a_page_in_a_restless_hand_is_asked_to_be_held_still(vision: Vision, glass: SimulatedCamera) -> None:
    glass.lay(lying(Lying(right_mm=75, sway_mm=30)))
    look(vision)
    await_advice(vision, Advice.HOLD_STILL)
    assert not vision.heard(say.PageRead)


def test_what_glare_covers_is_never_made_up(vision: Vision, glass: SimulatedCamera) -> None:
    glass.lay(lying(Lying(glare=1.0)))
    look(vision)
    vision.listen(2)
    assert not vision.heard(say.PageRead)
    glass.lay(lying(Lying()))
    assert vision.hear(say.PageRead, 3).lines == LINES


def test_where_another_device_reads_it_only_coaches(vision: Vision, glass: SimulatedCamera) -> None:
    glass.lay(lying(CUT_OFF))
    look(vision, only_coach=True)
    await_advice(vision, Advice.PUSH_INTO_CORNER)
    glass.lay(lying(Lying()))
    await_advice(vision, None)
    vision.listen(0.5)
    assert not vision.heard(say.PageRead)


@pytest.mark.parametrize("end", [say.StopPage, say.Forget])
def test_it_looks_no_longer_than_it_is_asked_to(
    vision: Vision, glass: SimulatedCamera, end: type[say.StopPage | say.Forget]
) -> None:
    look(vision)
    vision.await_page_camera("live")
    vision.say(end(passage=OTHER))
    vision.listen(0.7)
    assert vision.page_camera == "live", "another passage's end is not this one's"
    vision.say(end(passage=PASSAGE))
    vision.await_page_camera("asleep", 3)
    glass.lay(lying(Lying()))
    vision.listen(1)
    assert not vision.heard(say.PageRead)


def test_a_capture_ends_the_reading(vision: Vision) -> None:
    look(vision, only_coach=True)
    vision.await_page_camera("live")
    vision.say(say.Capture(passage=PASSAGE, attempt=1))
    vision.await_page_camera("asleep", 3)


@pytest.mark.slow
def test_it_gives_up_when_the_gate_waits_for_no_page_any_more(vision: Vision) -> None:
    look(vision)
    vision.await_page_camera("live")
    vision.await_page_camera("asleep", OPTICAL_S + 2)


def test_a_page_camera_in_trouble_is_told_apart_from_the_other(
    vision: Vision, glass: SimulatedCamera
) -> None:
    look(vision)
    vision.await_page_camera("live")
    glass.freeze()
    try:
        vision.await_page_camera("frozen", 6)
        assert vision.camera == "asleep"
    finally:
        glass.resume()
    glass.lay(lying(Lying()))
    assert vision.hear(say.PageRead, 6).lines == LINES


def test_no_page_camera_is_no_trouble(tmp_path: Path, camera: SimulatedCamera) -> None:
    with Vision(tmp_path, camera.url) as vision:
        vision.await_camera("asleep")
        assert vision.page_camera is None
        look(vision)
        vision.listen(0.5)
        assert not vision.heard(say.PagePlacement)


def test_reading_does_not_keep_the_watchdog_waiting(vision: Vision, glass: SimulatedCamera) -> None:
    glass.lay(lying(Lying(glare=1.0, sway_mm=20)))
    look(vision)
    vision.await_page_camera("live")
    began, cpu = time.monotonic(), vision.daemon.cpu_s()
    vision.listen(3, lambda: vision.unanswered > 6)
    assert vision.unanswered <= 6, "it answers between two frames, whatever they show"
    used = (vision.daemon.cpu_s() - cpu) / (time.monotonic() - began)
    memory = vision.memory_mib()
    print(f"reading {FPS:.0f} frames a second: {used:.0%} of a core; {memory:.0f} MiB")  # noqa: T201 - pytest -rP
    assert memory < 450


def test_the_log_says_nothing_of_the_page(vision: Vision, glass: SimulatedCamera) -> None:
    glass.lay(lying(Lying()))
    look(vision)
    vision.hear(say.PageRead, 8)
    log = vision.daemon.log.read_text()
    assert "BERGSTROM" not in log
    assert HOLDERS["ada"].number not in log
    assert "Traceback" not in log


def test_a_camera_shows_what_it_looks_at(glass: SimulatedCamera, camera: SimulatedCamera) -> None:
    with pytest.raises(CameraFailed, match="looks elsewhere"):
        glass.show(showing())
    with pytest.raises(CameraFailed, match="looks elsewhere"):
        camera.lay(Glass())
    with pytest.raises(CameraFailed, match="nobody is called so"):
        glass.lay(Glass(page=DataPage(holder="nobody", lines=LINES)))
