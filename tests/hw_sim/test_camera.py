"""The simulated camera, read as the gate reads it: through OpenCV, with the faults that cameras have."""

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import msgspec
import pytest

from drivers.camera import Camera, Frame
from gated.core.ports import DeviceError, DeviceGone, DeviceTimeout
from gated.core.settings import CameraSettings
from hw_sim.camera.projector import LIT, Projector
from hw_sim.camera.render import GATE_MOUNT, Mount
from hw_sim.camera.scene import (
    Lit,
    MaskWearer,
    PhotoHolder,
    Presence,
    Scene,
    TabletHolder,
    Walker,
    Waypoint,
    Wearable,
)
from hw_sim.camera.server import Answer, CameraFailed, Ready, Refused, Show, SimulatedCamera
from hw_sim.camera.stream import Stream
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.walking import Pause
from hw_sim.lane.world import World
from models import manifest
from models.face import FaceReader

HERE = (Waypoint(time_s=0, distance_m=1.0),)
ADA = Walker(person="ada", path=HERE)


def read_from(simulated: SimulatedCamera) -> Camera:
    return Camera(CameraSettings(source=simulated.url, open_timeout_s=3.0, read_timeout_s=0.6))


def frame_after(camera: Camera, number: int = 0) -> Frame:
    frame = camera.latest(3.0, after=number)
    assert frame is not None
    return frame


def failure(camera: Camera) -> DeviceError:
    end, number = time.monotonic() + 4, 0
    while time.monotonic() < end:
        try:
            frame = camera.latest(0.2, after=number)
        except DeviceError as error:
            return error
        number = frame.number if frame else number
    pytest.fail("the camera did not fail within 4 s")


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as simulated:
        yield simulated


@pytest.fixture
def fresh() -> Iterator[SimulatedCamera]:
    """A camera that no other test has clients on."""
    with SimulatedCamera() as simulated:
        yield simulated


@pytest.fixture
def simulated(running: SimulatedCamera) -> SimulatedCamera:
    running.show(Scene())
    return running


def test_the_gate_reads_what_is_shown(simulated: SimulatedCamera) -> None:
    simulated.show(Scene(present=(ADA,)))
    camera = read_from(simulated)
    camera.open()
    image = frame_after(camera).image
    camera.close()
    assert image.shape == (720, 1280, 3)
    (face,) = FaceReader(manifest.load()).detect(image)
    assert face.eyes[:, 0].mean() == pytest.approx(640, abs=80)


def test_frames_come_at_the_camera_s_rate_and_carry_its_clock(simulated: SimulatedCamera) -> None:
    simulated.show(Scene(present=(ADA,)))
    camera = read_from(simulated)
    camera.open()
    first = frame_after(camera, 5)  # what was buffered while the stream opened comes faster
    time.sleep(1.5)
    last = frame_after(camera, first.number)
    camera.close()
    assert 10 <= (last.number - first.number) / (last.at - first.at) <= 17


def test_the_scene_can_change_while_the_gate_reads(simulated: SimulatedCamera) -> None:
    camera = read_from(simulated)
    camera.open()
    frame = frame_after(camera)
    simulated.show(Scene(present=(ADA,)))
    middle = (slice(300, 420), slice(580, 700))
    before, change, end = frame.image[middle].mean(axis=(0, 1)), 0.0, time.monotonic() + 5
    while change < 8 and time.monotonic() < end:
        frame = frame_after(camera, frame.number)
        change = float(abs(frame.image[middle].mean(axis=(0, 1)) - before).max())
    camera.close()
    assert change > 8


def test_a_frozen_camera_times_out_and_comes_back(simulated: SimulatedCamera) -> None:
    camera = read_from(simulated)
    camera.open()
    frame_after(camera)
    simulated.freeze()
    error = failure(camera)
    assert isinstance(error, DeviceTimeout)
    assert "frozen" in str(error)
    simulated.resume()
    camera.open()
    assert frame_after(camera).image.shape == (720, 1280, 3)
    camera.close()


def test_a_camera_that_dies_is_gone_and_starts_again_at_the_same_address() -> None:
    with SimulatedCamera() as simulated:
        url = simulated.url
        camera = read_from(simulated)
        camera.open()
        frame_after(camera)
        simulated.die()
        assert isinstance(failure(camera), DeviceGone)
        with pytest.raises(CameraFailed, match="does not run"):
            simulated.show(Scene())
        simulated.start()
        assert simulated.url == url
        camera.open()
        frame_after(camera)
        camera.close()


def test_with_nobody_reading_nothing_is_drawn(fresh: SimulatedCamera) -> None:
    simulated = fresh
    before, _ = simulated.measure()
    time.sleep(0.3)
    assert simulated.measure()[0] == before
    camera = read_from(simulated)
    camera.open()
    frame_after(camera, 3)
    camera.close()
    after, cpu_s = simulated.measure()
    assert after >= before + 4
    assert cpu_s > 0


def test_no_frame_is_older_than_the_wish_to_see_one() -> None:
    stream = Stream(lambda time_s: f"{time_s}".encode(), fps=50)
    first = stream.enter()
    assert first == 0
    frame = stream.next(first)
    stream.leave()
    time.sleep(0.3)
    came = time.monotonic()
    second = stream.enter()
    assert second is not None
    later = stream.next(second)
    stream.freeze(frozen=True)
    assert stream.next(0) is None
    stream.freeze(frozen=False)
    resumed = time.monotonic()
    last = stream.next(0)
    stream.end()
    assert frame
    assert later
    assert last
    assert later[1] >= came - 0.02
    assert last[1] >= resumed - 0.02


@pytest.mark.parametrize(
    ("present", "reason"),
    [
        ((Walker(person="zoe", path=HERE),), "nobody is called zoe"),
        ((PhotoHolder(person="ada", photo_of="zoe", path=HERE),), "nobody is called zoe"),
        ((ADA,) * 5, "more than 4 people"),
        ((Walker(person="ada", path=()),), "1 to 1000 waypoints"),
        ((Walker(person="ada", path=HERE * 1001),), "1 to 1000 waypoints"),
        (
            (
                Walker(
                    person="ada", path=(Waypoint(time_s=2, distance_m=1), Waypoint(time_s=1, distance_m=1))
                ),
            ),
            "in order of time",
        ),
        ((PhotoHolder(person="ada", photo_of="carl", path=HERE, bend_radius_m=0.01),), "bend_radius_m"),
        ((Walker(person="ada", path=HERE, seed=-1),), "seed"),
        ((Walker(person="ada", path=HERE, wears=(Wearable(kind="cap"),) * 9),), "more than 8 things"),
        ((TabletHolder(person="ada", video_of="zoe", path=HERE),), "nobody is called zoe"),
        ((TabletHolder(person="ada", video_of="carl", path=HERE, pitch_mm=0.0),), "pitch_mm"),
        ((MaskWearer(person="ada", photo_of="zoe", path=HERE),), "nobody is called zoe"),
    ],
)
def test_a_refused_scene_says_why(
    simulated: SimulatedCamera, present: tuple[Presence, ...], reason: str
) -> None:
    with pytest.raises(CameraFailed, match=f"refused: .*{reason}"):
        simulated.show(Scene(present=present))
    simulated.show(Scene(present=(ADA,)))  # and goes on


def test_a_light_that_flickers_without_end_is_refused(simulated: SimulatedCamera) -> None:
    with pytest.raises(CameraFailed, match="refused: the light goes on more than 100 times"):
        simulated.show(Scene(light=tuple(Lit(since_s=n, until_s=n + 0.5) for n in range(101))))


def test_of_several_cameras_one_may_freeze_or_die_alone(fresh: SimulatedCamera) -> None:
    with SimulatedCamera(mount=Mount(1.2)) as other:
        assert other.url != fresh.url
        first, second = read_from(fresh), read_from(other)
        first.open()
        second.open()
        frame_after(first)
        frame_after(second)
        fresh.freeze()
        assert isinstance(failure(first), DeviceTimeout)
        number = frame_after(second).number
        fresh.resume()
        first.open()
        frame_after(first)
        fresh.die()
        assert isinstance(failure(first), DeviceGone)
        frame_after(second, number)
        second.close()


# --- the projector --------------------------------------------------------------------------------


class Watched(SimulatedCamera):
    """A camera without a process, that remembers what it was shown; `dead` ones refuse."""

    def __init__(self, mount: Mount = GATE_MOUNT, *, dead: bool = False) -> None:
        super().__init__(mount=mount)
        self.scenes: list[Scene] = []
        self._dead = dead

    def show(self, shown: Scene) -> None:
        if self._dead:
            raise CameraFailed("the simulated camera has died")
        self.scenes.append(shown)


@contextlib.contextmanager
def projecting(*cameras: SimulatedCamera) -> Iterator[Projector]:
    """Somebody called Ada stands in view of the cameras."""
    world = World(SimulatedBoard(wiring()))
    projector = Projector(world, *cameras)
    projector.cast("traveller", Walker(person="ada", path=(), seed=5, wears=(Wearable(kind="mask"),)))
    world.person("traveller", (Pause(seconds=60),), at_m=1.5)
    with world:
        projector.start()
        try:
            yield projector
        finally:
            projector.stop()


def await_scene(camera: Watched, true: Callable[[Scene], bool]) -> Scene:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for scene in camera.scenes[-3:]:
            if true(scene):
                return scene
        time.sleep(0.02)
    pytest.fail("the camera was not shown it")


def test_every_camera_is_shown_the_world_from_where_it_is_and_a_dead_one_stops_nobody() -> None:
    dead, low, high = Watched(dead=True), Watched(Mount(1.2)), Watched(Mount(1.8, tilt=0.1))
    with projecting(dead, low, high):
        seen = [await_scene(camera, lambda scene: bool(scene.present)) for camera in (low, high)]
    assert [scene.mount.height_m for scene in seen] == [1.2, 1.8]
    (ada,) = seen[0].present
    assert isinstance(ada, Walker)
    assert (ada.person, ada.seed, ada.wears) == ("ada", 5, (Wearable(kind="mask"),))
    assert len(ada.path) >= 2


def test_a_bystander_in_the_hall_is_shown_where_they_stand_and_a_change_of_looks_is_seen() -> None:
    camera = Watched()
    kurt = Walker(person="kurt", path=(Waypoint(time_s=0, distance_m=2.2),), aside_m=0.4)
    with projecting(camera) as projector:
        projector.beside(kurt)
        scene = await_scene(camera, lambda scene: len(scene.present) == 2)
        assert scene.present[1] == kurt
        projector.cast("traveller", Walker(person="ada", path=(), seed=5))  # she took her mask off
        await_scene(camera, lambda scene: getattr(scene.present[0], "wears", None) == ())
        projector.beside()
        await_scene(camera, lambda scene: len(scene.present) == 1)


def test_the_projector_tells_cameras_when_the_light_was_on() -> None:
    camera = Watched()
    with projecting(camera) as projector:
        projector.light(on=False, at=1.0)
        projector.light(on=True, at=2.0)
        projector.light(on=True, at=2.5)
        await_scene(camera, lambda scene: scene.light == (Lit(since_s=2.0),))
        projector.light(on=False, at=3.0)
        await_scene(camera, lambda scene: scene.light == (Lit(since_s=2.0, until_s=3.0),))
        for number in range(LIT + 2):
            projector.light(on=True, at=10.0 + number)
            projector.light(on=False, at=10.5 + number)
        await_scene(
            camera, lambda scene: len(scene.light) == LIT and scene.light[-1].until_s == 10.5 + LIT + 1
        )


def test_a_client_that_gives_up_on_a_frozen_camera_makes_room(fresh: SimulatedCamera) -> None:
    simulated = fresh
    simulated.freeze()
    try:
        for _ in range(2):
            clients = [client(simulated) for _ in range(8)]
            answers = [c.getresponse() for c in clients]
            assert [answer.status for answer in answers] == [200] * 8
            late = client(simulated)
            assert late.getresponse().status == 503
            for answer in answers:
                answer.close()
            for gone in (*clients, late):
                gone.close()
            time.sleep(1.2)
    finally:
        simulated.resume()


def client(simulated: SimulatedCamera, path: str | None = None) -> http.client.HTTPConnection:
    url = urlsplit(simulated.url)
    assert url.hostname
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=3)
    connection.request("GET", path or url.path)
    return connection


def test_another_path_is_not_found(simulated: SimulatedCamera) -> None:
    connection = client(simulated, "/")
    assert connection.getresponse().status == 404
    connection.close()


def test_threads_may_steer_at_the_same_time(simulated: SimulatedCamera) -> None:
    failed: list[CameraFailed] = []

    def steer() -> None:
        try:
            for _ in range(30):
                simulated.show(Scene(present=(ADA,)))
                simulated.measure()  # an answer to another's command would not be a measurement
        except CameraFailed as error:
            failed.append(error)

    threads = [threading.Thread(target=steer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_camera_runs_once() -> None:
    with SimulatedCamera() as simulated:
        with pytest.raises(CameraFailed, match="runs already"):
            simulated.start()
        simulated.stop()
        simulated.stop()
    with pytest.raises(CameraFailed, match="has not been started"):
        _ = SimulatedCamera().url


def test_a_camera_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CameraFailed, match="did not start"):
        SimulatedCamera(fps=0).start()
    assert "--fps is 1 to 60" in capfd.readouterr().err


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "hw_sim.camera.server", "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        yield started
        started.kill()


def told(process: subprocess.Popen[bytes], line: bytes = b"") -> Answer:
    assert process.stdin
    assert process.stdout
    process.stdin.write(line)
    process.stdin.flush()
    answer: Answer = msgspec.json.decode(process.stdout.readline(), type=Answer)
    return answer


def test_the_process_ends_when_its_input_ends(process: subprocess.Popen[bytes]) -> None:
    assert isinstance(told(process), Ready)
    assert process.stdin
    process.stdin.close()
    assert process.wait(5) == 0


def test_each_bad_line_gets_one_refusal_and_the_next_command_is_obeyed(
    process: subprocess.Popen[bytes],
) -> None:
    assert isinstance(told(process), Ready)
    good = msgspec.json.encode(Show(scene=Scene())) + b"\n"
    huge = json.dumps({"type": "Show", "padding": "x" * 200_000}).encode() + b"\n"
    for bad in (b"\n", b"\xff\n", b"[]\n", b'{"type":"Explode"}\n', b'{"type":"Show"}\n', huge):
        refused = told(process, bad)
        assert isinstance(refused, Refused), bad[:20]
        assert refused.reason
        assert isinstance(told(process, good), Ready)


def test_a_drawing_that_fails_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[object] = []
    monkeypatch.setattr(threading, "excepthook", faults.append)

    def fail(_: float) -> bytes:
        raise RuntimeError("no picture")

    stream = Stream(fail, fps=15)
    assert stream.enter() == 0
    end = time.monotonic() + 2
    while not stream.ended and time.monotonic() < end:
        assert stream.next(0) is None
    assert stream.ended
    assert stream.enter() is None
    stream.end()
    assert len(faults) == 1


def test_a_slow_reader_misses_frames_and_gets_the_newest() -> None:
    stream = Stream(lambda time_s: f"{time_s}".encode(), fps=50)
    assert stream.enter() == 0
    time.sleep(0.3)
    frame = stream.next(0)
    assert frame is not None
    number, taken_s, _ = frame
    assert number > 5
    assert time.monotonic() - taken_s < 0.1
    stream.leave()
    stream.end()
