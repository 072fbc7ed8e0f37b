"""gate-vision with two cameras at different heights: one of them freezes or dies, and the gate goes on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.runtime import messages as say
from hw_sim.camera import people
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from tests.mjpeg import MjpegServer
from tests.system.vision_rig import Vision
from tests.system.vision_rig import picture as encoded

PASSAGE = "00112233445566aa"
STANDING = (Waypoint(time_s=0.0, distance_m=0.7),)
ADA = people.passport_photo("ada", seed=7)
FILM = [
    encoded(picture(Scene(present=(Walker(person="ada", path=STANDING, seed=8),)), number / 15))
    for number in range(30)
]
EMPTY = encoded(picture(Scene(), 0.0))
TOLD_S = 1.25  # a second to notice, and a question for a sign of life


class Lane:
    """Two cameras, and the process that looks through both."""

    def __init__(self, folder: Path) -> None:
        self.low = MjpegServer(lambda _: EMPTY, 15)
        self.high = MjpegServer(lambda number: FILM[min(number % 60, 59 - number % 60)], 15)
        self.low.__enter__()
        self.high.__enter__()
        self.vision = Vision(folder, {"low": self.low.url, "high": self.high.url})
        self.vision.__enter__()

    def close(self) -> None:
        for each in (self.vision, self.low, self.high):
            each.__exit__(None, None, None)

    def enrol(self) -> None:
        self.vision.say(say.SetReference(passage=PASSAGE, image=ADA))
        self.vision.hear(say.Enrolled, 5)

    def await_states(self, seconds: float, **states: str) -> float:
        began = time.monotonic()
        assert self.vision.listen(seconds, lambda: self.vision.cameras == states), self.vision.cameras
        return time.monotonic() - began

    def assess(self, attempt: int = 1, seconds: float = 3.0) -> say.Assessment:
        """Capture for so long, then take the best there is."""
        self.vision.say(say.Capture(passage=PASSAGE, attempt=attempt))
        self.vision.listen(seconds, lambda: bool(self.vision.heard(say.Assessment)))
        if not self.vision.heard(say.Assessment):
            self.vision.peer.send(say.Conclude(passage=PASSAGE, attempt=attempt))
        return self.vision.hear(say.Assessment, 2)


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    lane = Lane(tmp_path)
    yield lane
    lane.close()


def test_the_camera_that_sees_the_person_is_looked_through(lane: Lane) -> None:
    lane.enrol()
    lane.await_states(6, low="live", high="live")
    assert lane.assess().frames > 3


def test_one_frozen_camera_is_told_by_name_and_the_other_sees_the_person(lane: Lane) -> None:
    lane.enrol()
    lane.await_states(6, low="live", high="live")
    lane.low.frozen = True
    assert lane.await_states(3, low="frozen", high="live") < TOLD_S
    assert lane.vision.camera == "live"
    assert lane.assess().frames > 3
    lane.low.frozen = False
    lane.await_states(8, low="live", high="live")


def test_the_camera_before_the_person_dies_and_comes_back(lane: Lane) -> None:
    lane.enrol()
    lane.await_states(6, low="live", high="live")
    lane.vision.say(say.Capture(passage=PASSAGE, attempt=1))
    lane.vision.listen(0.5)
    lane.high.ending = True
    assert lane.await_states(3, low="live", high="stream_ended") < TOLD_S
    lane.high.ending = False
    lane.await_states(5, low="live", high="live")
    lane.vision.say(say.Conclude(passage=PASSAGE, attempt=1))
    lane.vision.listen(1)
    assert lane.assess(attempt=2, seconds=4).frames > 3


def test_when_both_freeze_the_gate_cannot_see_until_one_is_well(lane: Lane) -> None:
    lane.enrol()
    lane.await_states(6, low="live", high="live")
    lane.low.frozen = lane.high.frozen = True
    assert lane.vision.listen(TOLD_S, lambda: lane.vision.camera == "frozen"), lane.vision.cameras
    lane.high.frozen = False
    assert lane.vision.listen(10, lambda: lane.vision.camera == "live"), lane.vision.cameras
