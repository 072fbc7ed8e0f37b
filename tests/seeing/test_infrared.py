"""A near-infrared camera beside a colour camera: its picture goes along when it is of the same moment."""

from collections.abc import Iterator

import pytest

from drivers.camera import Camera
from gated.seeing.eye import Eye
from gated.seeing.eyes import TOGETHER_S, Eyes, Seen
from tests.seeing.test_eyes import Lane, settings


@pytest.fixture
def lane() -> Iterator[Lane]:
    with Lane("middle", "beside") as lane:
        yield lane


def eyes_on(lane: Lane) -> Eyes:
    eye = {
        name: Eye(Camera(settings(server.url), f"cameras.{name}"), name)
        for name, server in lane.servers.items()
    }
    return Eyes([eye["middle"]], lambda *_: 1.0, infrared={"middle": eye["beside"]})


def test_frames_of_one_moment_go_together_and_none_is_waited_for(lane: Lane) -> None:
    lane.bright.update(middle=0.2, beside=0.8)
    lane.eyes = eyes_on(lane)

    def both(seen: Seen) -> bool:
        return seen.infrared is not None

    seen = lane.watch(5.0, both)[-1]
    assert seen.camera == "middle"
    assert seen.infrared is not None
    assert float(seen.infrared.mean()) > float(seen.image.mean()) + 50
    assert lane.eyes.states == {"middle": "live", "beside": "live"}
    assert TOGETHER_S < 1 / 10


def test_a_near_infrared_camera_that_freezes_stops_nothing_and_is_named(lane: Lane) -> None:
    lane.eyes = eyes_on(lane)
    lane.watch(5.0, lambda seen: seen.infrared is not None)
    lane.servers["beside"].frozen = True
    seen = lane.watch(8.0, lambda _: lane.eyes.states["beside"] not in {"live", "asleep"})
    assert seen[-1].infrared is None
    assert lane.eyes.state == "live"
