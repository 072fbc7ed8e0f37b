"""Several cameras as one source: real streams over HTTP; how well each sees is how bright its picture is."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Self

import numpy as np
import pytest

from drivers.camera import Camera
from gated.core.settings.cameras import CameraSettings
from gated.seeing.eye import Eye
from gated.seeing.eyes import Eyes, Seen
from models.tflite import Image
from tests.mjpeg import MjpegServer, jpeg

READ_S = 0.6


class Lane:
    """Cameras with their brightness, 0 to 1, and the eyes on them."""

    def __init__(self, *names: str, rate: float = 30.0) -> None:
        self.bright = dict.fromkeys(names, 0.0)
        self.servers = {name: MjpegServer(self._frame(name), rate) for name in names}
        self._stack = ExitStack()
        self.rated = 0

    def _frame(self, name: str) -> Callable[[int], bytes]:
        return lambda _: jpeg(np.full((360, 640, 3), 20 + 200 * self.bright[name], np.uint8))

    def __enter__(self) -> Self:
        for server in self.servers.values():
            self._stack.enter_context(server)
        self.eyes = self.eyes_on({name: server.url for name, server in self.servers.items()})
        return self

    def __exit__(self, *_: object) -> None:
        self.eyes.sleep()
        self._stack.close()

    def eyes_on(self, sources: dict[str, str]) -> Eyes:
        return Eyes(
            [Eye(Camera(settings(source), f"cameras.{name}"), name) for name, source in sources.items()],
            self._rate,
        )

    def _rate(self, image: Image, at: float, camera: str) -> float:
        del at, camera
        self.rated += 1
        return max(0.0, float(image.mean()) - 20) / 200

    def watch(self, seconds: float, until: Callable[[Seen], bool] = lambda _: False) -> list[Seen]:
        """What is seen until something holds, which must come in time."""
        end, seen = time.monotonic() + seconds, []
        while time.monotonic() < end:
            one = self.eyes.look()
            if one is not None:
                seen.append(one)
                if until(one):
                    break
        return seen

    def await_camera(self, name: str, seconds: float = 3.0) -> float:
        """Watch until frames come from this camera; return how long that took."""
        began = time.monotonic()
        seen = self.watch(seconds, lambda one: one.camera == name)
        assert seen, self.eyes.states
        assert seen[-1].camera == name, (seen[-1].camera, self.eyes.states)
        return time.monotonic() - began

    def await_states(self, seconds: float = 4.0, **states: str) -> None:
        end = time.monotonic() + seconds
        while self.eyes.states != states and time.monotonic() < end:
            self.eyes.look()
        assert self.eyes.states == states


def settings(source: str) -> CameraSettings:
    return CameraSettings(source=source, width=640, height=360, open_timeout_s=1.0, read_timeout_s=READ_S)


@pytest.fixture
def lane() -> Iterator[Lane]:
    with Lane("low", "middle", "high") as lane:
        lane.await_states(low="live", middle="live", high="live")
        yield lane


# --- a lane that is walked both ways ------------------------------------------------------------------


def test_only_those_cameras_are_looked_through_that_are_asked_for(lane: Lane) -> None:
    lane.bright |= {"low": 0.9, "middle": 0.2, "high": 0.4}
    lane.await_camera("low")
    lane.eyes.use(("middle", "high"))
    assert lane.eyes.states["low"] == "asleep"
    lane.await_camera("high")
    assert {seen.camera for seen in lane.watch(1.0)} == {"high"}
    assert lane.eyes.states["low"] == "asleep"
    lane.eyes.use(("low",))
    lane.await_camera("low")
    assert lane.eyes.states == {"low": "live", "middle": "asleep", "high": "asleep"}
    lane.eyes.use(())
    lane.bright |= {"low": 0.0, "middle": 0.9}
    lane.await_camera("middle")


# --- which camera sees best -------------------------------------------------------------------------


def test_the_camera_that_sees_best_is_the_source(lane: Lane) -> None:
    lane.bright |= {"low": 0.2, "middle": 0.4, "high": 0.8}
    lane.await_camera("high")
    lane.bright |= {"low": 0.9, "high": 0.3}
    lane.await_camera("low")
    assert {seen.camera for seen in lane.watch(0.6)} == {"low"}


def test_frames_are_the_cameras_own_and_come_in_order_and_fresh(lane: Lane) -> None:
    lane.bright |= {"middle": 0.5}
    lane.await_camera("middle")
    seen = lane.watch(1.0)
    assert len(seen) > 15
    assert all(one.at < other.at for one, other in itertools.pairwise(seen))
    assert all(100 < one.image.mean() < 140 for one in seen), "no frame is another camera's"
    assert time.monotonic() - seen[-1].at < 0.3


def test_cameras_that_see_about_as_well_do_not_take_turns(lane: Lane) -> None:
    lane.bright |= {"low": 0.5, "middle": 0.45, "high": 0.55}
    lane.watch(0.5)
    cameras = {seen.camera for seen in lane.watch(1.5)}
    assert len(cameras) == 1


def test_a_single_good_glance_changes_nothing(lane: Lane) -> None:
    lane.bright |= {"low": 0.5}
    lane.await_camera("low")
    values = iter([0.9, *[0.0] * 100])
    lane.eyes._rate = lambda image, _at, _camera: next(values) if image.mean() < 100 else 0.5
    assert {seen.camera for seen in lane.watch(1.5)} == {"low"}


def test_the_other_cameras_are_not_looked_at_more_often_than_they_must(lane: Lane) -> None:
    lane.rated = 0
    lane.watch(2.0)
    assert 6 <= lane.rated <= 32, "each other one 5 times a second at most, the chosen one as often"


def test_one_camera_alone_is_never_rated() -> None:
    with Lane("only") as lane:
        assert len(lane.watch(1.0)) > 10
        assert lane.rated == 0
        assert (lane.eyes.state, lane.eyes.states) == ("live", {"only": "live"})


# --- cameras in trouble -----------------------------------------------------------------------------


def test_a_camera_that_freezes_is_left_within_a_second_and_told(lane: Lane) -> None:
    lane.bright |= {"middle": 0.8, "low": 0.4}
    lane.await_camera("middle")
    lane.servers["middle"].frozen = True
    began = time.monotonic()
    assert lane.await_camera("low") < 0.6
    lane.await_states(1.0, low="live", middle="frozen", high="live")
    assert time.monotonic() - began < 1.0
    assert lane.eyes.state == "live", "the gate goes on"


def test_a_frozen_camera_holds_up_none_of_the_others(lane: Lane) -> None:
    lane.bright |= {"low": 0.8}
    lane.await_camera("low")
    lane.servers["high"].frozen = True
    seen = lane.watch(3.0)
    gaps = [other.at - one.at for one, other in itertools.pairwise(seen)]
    assert max(gaps) < 0.35
    assert lane.eyes.states["high"] == "frozen"


def test_a_camera_that_comes_back_serves_again(lane: Lane) -> None:
    lane.bright |= {"middle": 0.8, "low": 0.4}
    lane.await_camera("middle")
    lane.servers["middle"].frozen = True
    lane.await_states(low="live", middle="frozen", high="live")
    lane.servers["middle"].frozen = False
    lane.await_states(low="live", middle="live", high="live")
    lane.await_camera("middle")


def test_a_camera_that_dies_is_left_at_once_and_told(lane: Lane) -> None:
    lane.bright |= {"middle": 0.8, "low": 0.4}
    lane.await_camera("middle")
    lane.servers["middle"].ending = True
    assert lane.await_camera("low") < 0.6
    lane.await_states(low="live", middle="stream_ended", high="live")
    lane.servers["middle"].ending = False
    lane.await_states(low="live", middle="live", high="live")


def test_when_all_are_in_trouble_the_gate_is_told_so(lane: Lane) -> None:
    for server in lane.servers.values():
        server.frozen = True
    lane.await_states(low="frozen", middle="frozen", high="frozen")
    assert lane.eyes.state == "frozen"
    assert lane.eyes.look() is None
    lane.servers["high"].frozen = False
    lane.await_camera("high", 8.0)
    assert lane.eyes.state == "live"


def test_a_camera_that_hangs_does_not_hold_up_the_others_in_waking(lane: Lane) -> None:
    lane.servers["high"].frozen = True
    lane.await_states(low="live", middle="live", high="frozen")
    lane.eyes.sleep()
    time.sleep(1.2)  # long enough for another try
    for _ in range(2):
        lane.eyes.wake()
        began = time.monotonic()
        while [lane.eyes.states[name] for name in ("low", "middle")] != ["live", "live"]:
            lane.eyes.look()
            assert time.monotonic() - began < 0.9, "the open time-out is one second"
        lane.eyes.sleep()


def test_a_camera_that_was_never_there_hinders_nobody() -> None:
    with Lane("low", "high") as lane:
        lane.eyes = lane.eyes_on({"low": "http://127.0.0.1:9/live", "high": lane.servers["high"].url})
        lane.await_states(low="no_stream", high="live")
        assert len(lane.watch(1.0, lambda _: False)) > 15
        assert lane.eyes.state == "live"


# --- rest -----------------------------------------------------------------------------------------


def test_at_rest_all_sleep_once_they_were_tried(lane: Lane) -> None:
    end = time.monotonic() + 3
    while set(lane.eyes.states.values()) != {"asleep"} and time.monotonic() < end:
        lane.eyes.rest()
        time.sleep(0.05)
    assert lane.eyes.states == {"low": "asleep", "middle": "asleep", "high": "asleep"}
    assert lane.eyes.state == "asleep"
    while any(server.clients for server in lane.servers.values()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(server.clients for server in lane.servers.values())


def test_at_rest_only_a_camera_in_trouble_is_tried_again() -> None:
    with Lane("low", "high") as lane:
        lane.eyes = lane.eyes_on({"low": "http://127.0.0.1:9/live", "high": lane.servers["high"].url})
        lane.await_states(low="no_stream", high="live")
        end = time.monotonic() + 2.5
        clients = []
        while time.monotonic() < end:
            lane.eyes.rest()
            time.sleep(0.05)
            clients.append(lane.servers["high"].clients)
        assert lane.eyes.states == {"low": "no_stream", "high": "asleep"}
        assert lane.eyes.state == "asleep", "one camera is enough"
        assert not any(clients[20:]), "the well one is left alone"


def test_nothing_that_was_seen_is_kept_in_sleep(lane: Lane) -> None:
    lane.bright |= {"low": 0.8}
    lane.await_camera("low")
    kept = [frame.image for frame in lane.eyes._frames.values()]
    assert any(image.any() for image in kept)
    lane.eyes.sleep()
    assert not any(image.any() for image in kept)
    assert not lane.eyes._frames
