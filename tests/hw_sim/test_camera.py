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
import numpy as np
import pytest
from msgspec.structs import replace

from hw_sim.camera.presence import Lit, PhotoHolder, Presence, Scene, Walker, Waypoint, Wearable
from hw_sim.camera.projector import LIT, Projector
from hw_sim.camera.render import GATE_MOUNT, Mount
from hw_sim.camera.server import FPS, Answer, CameraFailed, Ready, Refused, Show, SimulatedCamera
from hw_sim.camera.stream import Stream
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.walking import Pause
from hw_sim.lane.world import World
from models import manifest
from models.face import FaceReader
from tests.eyes import PATIENCE_S, eye_on, frame_of, trouble_of
from tests.hw_sim.presences import at, mask, sheet, tablet

HERE = at(1.0)
ADA = Walker(person="ada", path=HERE)


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
    eye = eye_on(simulated.url)
    image = frame_of(eye).image
    eye.sleep()
    assert image.shape == (720, 1280, 3)
    (face,) = FaceReader(manifest.load()).detect(image)
    assert face.eyes[:, 0].mean() == pytest.approx(640, abs=80)


def test_frames_come_at_the_camera_s_rate_and_carry_its_clock(simulated: SimulatedCamera) -> None:
    simulated.show(Scene(present=(ADA,)))
    eye = eye_on(simulated.url)
    frame_of(eye, lambda frame: frame.number > 5)  # what was buffered while the stream opened comes faster
    end, rate = time.monotonic() + PATIENCE_S, 0.0
    while not 0.7 * FPS <= rate <= 1.15 * FPS and time.monotonic() < end:  # a busy machine may stumble
        first = frame_of(eye)
        last = frame_of(eye, lambda frame, since=first: frame.at - since.at > 1.0)
        rate = (last.number - first.number) / (last.at - first.at)
    eye.sleep()
    assert rate == pytest.approx(FPS, rel=0.3)


def test_the_scene_can_change_while_the_gate_reads(simulated: SimulatedCamera) -> None:
    eye = eye_on(simulated.url)
    middle = (slice(300, 420), slice(580, 700))
    before = frame_of(eye).image[middle].mean(axis=(0, 1))
    simulated.show(Scene(present=(ADA,)))
    frame_of(eye, lambda frame: bool(np.abs(frame.image[middle].mean(axis=(0, 1)) - before).max() > 8))
    eye.sleep()


def test_a_frozen_camera_times_out_and_comes_back(simulated: SimulatedCamera) -> None:
    eye = eye_on(simulated.url)
    frame_of(eye)
    simulated.freeze()
    assert trouble_of(eye) == "frozen"
    simulated.resume()
    assert frame_of(eye).image.shape == (720, 1280, 3)
    eye.sleep()


def test_a_camera_that_dies_is_gone_and_starts_again_at_the_same_address() -> None:
    with SimulatedCamera() as simulated:
        url = simulated.url
        eye = eye_on(url, read_timeout_s=5.0)  # nothing but its end shall be noticed
        frame_of(eye)
        simulated.die()
        assert trouble_of(eye) == "stream_ended"
        with pytest.raises(CameraFailed, match="does not run"):
            simulated.show(Scene())
        simulated.start()
        assert simulated.url == url
        frame_of(eye)
        eye.sleep()


def test_with_nobody_reading_nothing_is_drawn(fresh: SimulatedCamera) -> None:
    simulated = fresh
    before, _ = simulated.measure()
    time.sleep(0.3)
    assert simulated.measure()[0] == before
    eye = eye_on(simulated.url)
    frame_of(eye)
    end = time.monotonic() + PATIENCE_S
    while simulated.measure()[0] < before + 4 and time.monotonic() < end:
        eye.look()
    eye.sleep()
    after, cpu_s = simulated.measure()
    assert after >= before + 4
    assert cpu_s > 0


def next_of(stream: Stream, after: int) -> tuple[int, float, bytes]:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if (frame := stream.next(after)) is not None:
            return frame
    pytest.fail("the stream gave no frame")


def test_no_frame_is_older_than_the_wish_to_see_one() -> None:
    stream = Stream(lambda time_s: f"{time_s}".encode(), fps=50)
    first = stream.enter()
    assert first == 0
    next_of(stream, first)
    stream.leave()
    came = time.monotonic()
    second = stream.enter()
    assert second is not None
    assert next_of(stream, second)[1] >= came
    stream.freeze(frozen=True)
    assert stream.next(0) is None
    resumed = time.monotonic()
    stream.freeze(frozen=False)
    assert next_of(stream, 0)[1] >= resumed
    stream.end()


def test_a_frame_that_was_being_drawn_when_somebody_came_is_not_for_them() -> None:
    drawing, go_on = threading.Event(), threading.Event()

    def render(time_s: float) -> bytes:
        drawing.set()
        assert go_on.wait(PATIENCE_S)
        return f"{time_s}".encode()

    stream = Stream(render, fps=50)
    assert stream.enter() == 0
    assert drawing.wait(PATIENCE_S)
    stream.leave()
    came = time.monotonic()
    assert stream.enter() == 0
    go_on.set()
    assert next_of(stream, 0)[1] >= came
    stream.end()


@pytest.mark.parametrize(
    ("present", "reason"),
    [
        ((Walker(person="zoe", path=HERE),), "nobody is called zoe"),
        ((sheet("zoe", HERE),), "nobody is called zoe"),
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
        ((tablet("zoe", HERE),), "nobody is called zoe"),
        ((replace(tablet("carl", HERE), pitch_mm=0.0),), "pitch_mm"),
        ((mask("zoe", HERE),), "nobody is called zoe"),
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
        first, second = eye_on(fresh.url), eye_on(other.url)
        frame_of(first)
        frame_of(second)
        fresh.freeze()
        assert trouble_of(first) == "frozen"
        frame_of(second)
        fresh.resume()
        frame_of(first)
        fresh.die()
        assert trouble_of(first) in {"stream_ended", "frozen"}  # a machine that halts for long sees it frozen
        frame_of(second)
        second.sleep()


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
    end = time.monotonic() + PATIENCE_S
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
            admitted = [admission(simulated) for _ in range(8)]
            late = client(simulated)
            assert late.getresponse().status == 503
            for connection, answer in admitted:
                answer.close()
                connection.close()
            late.close()
    finally:
        simulated.resume()


def admission(simulated: SimulatedCamera) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Ask until there is room."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        connection = client(simulated)
        answer = connection.getresponse()
        if answer.status == 200:
            return connection, answer
        connection.close()
        time.sleep(0.05)
    pytest.fail("the camera made no room")


def client(simulated: SimulatedCamera, path: str | None = None) -> http.client.HTTPConnection:
    url = urlsplit(simulated.url)
    assert url.hostname
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE_S)
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
    assert process.wait(PATIENCE_S) == 0


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
    end = time.monotonic() + PATIENCE_S
    while not stream.ended and time.monotonic() < end:
        assert stream.next(0) is None
    assert stream.ended
    assert stream.enter() is None
    stream.end()
    assert len(faults) == 1


def test_a_slow_reader_misses_frames_and_gets_the_newest() -> None:
    stream = Stream(lambda time_s: f"{time_s}".encode(), fps=50)
    assert stream.enter() == 0
    end = time.monotonic() + PATIENCE_S
    while (drawn := stream.figures()[0]) < 6 and time.monotonic() < end:
        time.sleep(0.02)
    assert drawn >= 6
    frame = stream.next(0)
    assert frame is not None
    assert frame[0] >= drawn
    stream.leave()
    stream.end()
