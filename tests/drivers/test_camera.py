import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Self

import pytest

from drivers.camera import DEVICE, STOP_S, Camera, moment_of
from gated.core.ports import DeviceError, DeviceGone, DeviceTimeout
from gated.core.settings.cameras import CameraSettings
from tests.mjpeg import MjpegServer, plain


def settings(source: str, **changes: float) -> CameraSettings:
    return CameraSettings(
        source=source,
        width=int(changes.get("width", 640)),
        height=360,
        open_timeout_s=2.0,
        read_timeout_s=changes.get("read_timeout_s", 0.6),
    )


def take_frames(camera: Camera, within_s: float) -> None:
    end = time.monotonic() + within_s
    number = 0
    while time.monotonic() < end:
        frame = camera.latest(0.2, after=number)
        number = frame.number if frame else number


def error_of(camera: Camera, within_s: float) -> DeviceError:
    """Take frames until the camera fails."""
    with pytest.raises(DeviceError) as caught:
        take_frames(camera, within_s)
    return caught.value


def test_only_the_newest_frame_is_kept() -> None:
    with MjpegServer(rate=50) as server:
        camera = Camera(settings(server.url))
        camera.open()
        first = camera.latest(2.0)
        assert first is not None
        time.sleep(0.3)
        asked = time.monotonic()
        second = camera.latest(2.0, after=first.number)
        camera.close()
    assert second is not None
    assert second.number - first.number >= 8
    assert asked - second.at < 0.15


def test_a_camera_at_a_slower_pace_makes_fewer_images_and_is_no_less_alive() -> None:
    with MjpegServer(rate=50) as server:
        camera = Camera(settings(server.url, read_timeout_s=0.3))
        camera.pace(0.5)
        camera.open()
        first = camera.latest(2.0)
        assert first is not None
        assert camera.latest(0.4, after=first.number) is None, "and not frozen either"
        second = camera.latest(0.5, after=first.number)
        assert second is not None
        assert second.number == first.number + 1
        assert 0.45 < second.at - first.at < 0.8
        camera.pace(0.0)
        number, counted, end = second.number, 0, time.monotonic() + 1.0
        while time.monotonic() < end:
            frame = camera.latest(0.2, after=number)
            number, counted = (frame.number, counted + 1) if frame else (number, counted)
        camera.close()
    assert counted > 15


def test_no_news_is_none_and_not_an_error() -> None:
    with MjpegServer(rate=5) as server:
        camera = Camera(settings(server.url))
        camera.open()
        frame = camera.latest(2.0)
        assert frame is not None
        assert camera.latest(0.01, after=frame.number) is None
        camera.close()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """However a camera ended, its thread ends within the time that opening may take."""
    yield
    end = time.monotonic() + 3.0
    while any(thread.name == DEVICE for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert DEVICE not in {thread.name for thread in threading.enumerate()}


def test_closing_leaves_the_stream_and_opening_again_is_quick() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url))
        waits = []
        for _ in range(3):
            camera.open()
            asked = time.monotonic()
            assert camera.latest(2.0) is not None
            waits.append(time.monotonic() - asked)
            camera.close()
            camera.close()
            assert not camera.is_open
        end = time.monotonic() + 2
        while server.clients and time.monotonic() < end:
            time.sleep(0.02)
        assert server.clients == 0
    assert sorted(waits)[1] < 0.3


def test_a_closed_camera_says_that_it_is_asleep() -> None:
    with pytest.raises(DeviceGone) as caught:
        Camera(settings("http://127.0.0.1:1/")).latest(0.1)
    assert caught.value.code == "asleep"


def test_a_frozen_stream_is_noticed_in_time() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url))
        camera.open()
        assert camera.latest(2.0) is not None
        server.frozen = True
        froze = time.monotonic()
        error = error_of(camera, 5.0)
        assert isinstance(error, DeviceTimeout)
        assert error.code == "frozen"
        assert time.monotonic() - froze < 0.6 + 0.5
        assert not camera.is_open


def test_a_frozen_stream_is_noticed_within_a_second_by_default() -> None:
    with MjpegServer() as server:
        camera = Camera(CameraSettings(source=server.url, width=640, height=360))
        camera.open()
        assert camera.latest(2.0) is not None
        server.frozen = True
        froze = time.monotonic()
        assert error_of(camera, 3.0).code == "frozen"
        assert time.monotonic() - froze < 1.0


def test_a_frozen_camera_is_left_without_waiting() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url))
        camera.open()
        assert camera.latest(2.0) is not None
        server.frozen = True
        froze = asked = time.monotonic()
        with contextlib.suppress(DeviceTimeout):
            while time.monotonic() - froze < 5:
                asked = time.monotonic()
                camera.latest(0.1, after=10**6)
        assert not camera.is_open
        assert time.monotonic() - asked < 0.25


def test_a_camera_is_not_opened_again_while_the_last_opening_hangs() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        camera = Camera(settings(f"http://127.0.0.1:{silent.getsockname()[1]}/live"))
        camera.open()
        camera.close()
        with pytest.raises(DeviceTimeout, match="frozen"):
            camera.open()
        assert not camera.is_open


def test_a_server_that_never_sends_a_frame_is_noticed() -> None:
    with MjpegServer() as server:
        server.frozen = True
        camera = Camera(settings(server.url))
        camera.open()
        assert isinstance(error_of(camera, 6.0), DeviceTimeout)


def test_garbage_in_place_of_frames_is_an_error() -> None:
    with MjpegServer() as server:
        server.garbage = True
        camera = Camera(settings(server.url))
        camera.open()
        error = error_of(camera, 6.0)
        assert error.device == "camera"
        assert error.fix


def test_a_stream_that_ends_is_gone() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url))
        camera.open()
        assert camera.latest(2.0) is not None
        server.ending = True
        error = error_of(camera, 3.0)
    assert isinstance(error, DeviceGone)
    assert error.code == "stream_ended"


def test_a_missing_camera_is_gone_and_its_password_is_not_told() -> None:
    camera = Camera(settings("http://operator:secret@127.0.0.1:9/live"))
    camera.open()
    error = error_of(camera, 4.0)
    assert error.code == "no_stream"
    assert "127.0.0.1:9/live" in str(error)
    assert "secret" not in str(error)


def test_a_missing_device_file_is_gone() -> None:
    camera = Camera(settings("/dev/video63"))
    camera.open()
    assert error_of(camera, 4.0).code == "no_stream"


def test_another_frame_size_is_refused_with_the_size_that_came() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url, width=1280))
        camera.open()
        error = error_of(camera, 3.0)
    assert error.code == "wrong_size"
    assert "640x360" in error.fix


@pytest.mark.parametrize("source", ["passport.jpg", "file:///etc/passwd", "concat:a|b", "tcp://x"])
def test_what_cannot_be_a_camera_is_refused(source: str) -> None:
    with pytest.raises(DeviceGone) as caught:
        Camera(settings(source)).open()
    assert caught.value.code == "bad_source"
    assert "set camera.source" in caught.value.fix


def test_a_second_camera_names_its_own_section() -> None:
    with pytest.raises(DeviceGone, match=r"set page_camera\.source") as caught:
        Camera(settings("passport.jpg"), "page_camera").open()
    assert caught.value.device == "page_camera"


def test_a_server_that_goes_away_is_noticed() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url))
        camera.open()
        assert camera.latest(2.0) is not None
    error = error_of(camera, 3.0)
    assert error.code in {"stream_ended", "frozen"}
    assert not camera.is_open


def test_the_first_error_stays_until_the_camera_is_opened_again() -> None:
    with MjpegServer() as server:
        camera = Camera(settings(server.url))
        camera.open()
        assert camera.latest(2.0) is not None
        server.ending = True
        assert error_of(camera, 3.0).code == "stream_ended"
        server.ending = False
        with pytest.raises(DeviceGone) as caught:
            camera.latest(0.1)
        assert caught.value.code == "asleep"
        camera.open()
        frame = camera.latest(2.0)
        camera.close()
    assert frame is not None
    assert frame.number >= 1


def test_closing_is_prompt_also_while_opening_hangs() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        camera = Camera(settings(f"http://127.0.0.1:{silent.getsockname()[1]}/live"))
        camera.open()
        asked = time.monotonic()
        assert camera.latest(0.2) is None
        assert time.monotonic() - asked < 0.5
        camera.close()
        assert time.monotonic() - asked < 0.2 + STOP_S + 0.3


class Trickle:
    """Sends one frame, then the next one byte by byte: a line that is alive and useless."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/live"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listening.close()
        self._thread.join(3)

    def _serve(self) -> None:
        body = plain(1)
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        start = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
        self._listening.settimeout(3)
        with contextlib.suppress(OSError), closing(self._listening.accept()[0]) as client:
            client.recv(4096)
            client.sendall(start + (head + body + b"\r\n") * 3 + head)
            for byte in body:
                client.sendall(bytes([byte]))
                if self._closing.wait(0.05):
                    return


def test_a_frame_that_trickles_in_is_a_frozen_camera() -> None:
    with Trickle() as server:
        camera = Camera(settings(server.url))
        camera.open()
        assert camera.latest(2.0) is not None
        asked = time.monotonic()
        error = error_of(camera, 4.0)
        assert isinstance(error, DeviceTimeout)
        assert error.code == "frozen"
        assert time.monotonic() - asked < 0.6 + 0.5


@pytest.mark.parametrize(
    ("stamp_s", "moment"),
    [
        pytest.param(99.9, 99.9, id="stamped"),
        pytest.param(None, 100.0, id="unstamped"),
        pytest.param(0.0, 100.0, id="nothing in it"),
        pytest.param(100.1, 100.0, id="not yet"),
        pytest.param(1.7e9, 100.0, id="of the calendar"),
        pytest.param(98.9, 100.0, id="too old to be right"),
        pytest.param(99.7, 100.0, id="before the last frame's"),
    ],
)
def test_a_frame_has_the_moment_of_its_stamp_if_that_can_be(stamp_s: float | None, moment: float) -> None:
    assert moment_of(stamp_s, 100.0, after=99.8) == moment


def test_frames_are_what_was_sent() -> None:
    with MjpegServer(rate=50) as server:
        camera = Camera(settings(server.url))
        camera.open()
        frames = [camera.latest(2.0, after=number) for number in (0, 3)]
        camera.close()
    assert all(frame is not None for frame in frames)
    for frame in filter(None, frames):
        assert frame.image.shape == (360, 640, 3)
        assert 10 < frame.image[:, -8:].mean() < 30  # the dark side
        assert 100 < frame.image[:, :6].mean() < 140  # the light bar
    assert frames[0] is not None
    assert frames[1] is not None
    assert frames[1].at > frames[0].at
