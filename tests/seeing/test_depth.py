"""A depth camera beside a colour camera, from its 16-bit stream to what the gate holds for life."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np
import pytest

from drivers.camera import Camera, Frame
from drivers.pictures import Distances, millimetres
from gated.core.settings.cameras import CameraSettings
from gated.seeing.eye import Eye
from gated.seeing.eyes import Eyes, Seen
from hw_sim.camera.presence import Presence, Scene
from hw_sim.camera.sensing import depth_picture
from hw_sim.camera.server import SimulatedCamera
from models import manifest
from models.face import FaceReader
from models.liveness.check import LivenessCheck
from models.liveness.fusion import Evidence
from tests.eyes import PATIENCE_S, eye_on, frame_of
from tests.hw_sim.presences import at, sheet, standing, tablet

NOISE_MM = 15  # of the sensor
STALE_S = 1.0


def depth_eye(source: str) -> Eye:
    settings = CameraSettings(source=source, open_timeout_s=3.0, read_timeout_s=1.0)
    return Eye(Camera(settings, "cameras.depth", Distances(1.0)), "depth")


@dataclass(frozen=True)
class Pair:
    """Two cameras at one place, and the eyes on them."""

    colour: SimulatedCamera
    depth: SimulatedCamera
    eyes: Eyes

    def show(self, *present: Presence) -> None:
        """Show this, and pass over what the streams still hold of what was shown before."""
        for camera in (self.colour, self.depth):
            camera.show(Scene(present=present))
        self.look(monotonic() + STALE_S)

    def look(self, since: float = 0.0) -> Seen:
        """The next picture with its distances, from then on."""
        end = monotonic() + PATIENCE_S
        while monotonic() < end:
            seen = self.eyes.look()
            if seen is not None and seen.depth is not None and seen.at >= since:
                return seen
        pytest.fail(f"no distances came: {self.eyes.states}")


@pytest.fixture(scope="module")
def cameras() -> Iterator[tuple[SimulatedCamera, SimulatedCamera]]:
    with SimulatedCamera(8.0) as colour, SimulatedCamera(16.0, sees="depth") as depth:
        yield colour, depth


@pytest.fixture
def pair(cameras: tuple[SimulatedCamera, SimulatedCamera]) -> Iterator[Pair]:
    colour, depth = cameras
    eyes = Eyes([eye_on(colour.url, name="middle")], lambda *_: 1.0, depth={"middle": depth_eye(depth.url)})
    yield Pair(colour, depth, eyes)
    eyes.sleep()


def test_a_network_depth_camera_is_read_to_the_last_bit(pair: Pair) -> None:
    pair.show(standing("ada"))
    eye, expected = depth_eye(pair.depth.url), depth_picture(Scene(present=(standing("ada"),)), 0.0)

    def fits(frame: Frame) -> bool:  # the stream may still hold what was shown before
        depth = millimetres(frame.image)
        known = (depth > 0) & (expected > 0)
        noise = np.abs(depth[known].astype(int) - expected[known])
        return known.mean() > 0.9 * (expected > 0).mean() and np.median(noise) < NOISE_MM

    depth = millimetres(frame_of(eye, fits).image)
    eye.sleep()
    assert np.any(depth % 256), "no low bits were lost"
    assert np.any(depth >> 8), "nor high ones"


def test_distances_of_the_moment_go_with_the_picture(pair: Pair) -> None:
    pair.show(standing("ada", distance_m=1.0))
    reader, between, end = FaceReader(manifest.load()), 0.0, monotonic() + PATIENCE_S
    while not 900 < between < 1100 and monotonic() < end:
        seen = pair.look()
        assert seen.camera == "middle"
        assert seen.depth is not None
        assert seen.depth.shape == seen.image.shape[:2]
        for face in reader.detect(seen.image)[:1]:
            x, y = (int(value) for value in face.eyes.mean(0))
            between = float(np.median(seen.depth[y - 5 : y + 5, x - 5 : x + 5]))
    assert 900 < between < 1100
    assert pair.eyes.states == {"middle": "live", "depth": "live"}


def test_a_depth_camera_that_freezes_stops_nothing_and_is_named(pair: Pair) -> None:
    pair.show(standing("ada"))
    pair.look()
    pair.depth.freeze()
    end = monotonic() + PATIENCE_S
    while pair.eyes.states["depth"] in {"live", "asleep"} and monotonic() < end:
        pair.eyes.look()
    assert pair.eyes.states["depth"] == "frozen"
    assert pair.eyes.state == "live"
    seen = None
    while seen is None and monotonic() < end:
        seen = pair.eyes.look()
    assert seen is not None
    assert seen.depth is None
    pair.depth.resume()


def judged(pair: Pair, frames: int) -> Evidence:
    """What is known of somebody after so many pictures, who stands still: only the distances tell."""
    entry = manifest.load()
    reader, check = FaceReader(entry), LivenessCheck(entry.liveness)
    counted, end = 0, monotonic() + PATIENCE_S
    while counted < frames and monotonic() < end:
        seen = pair.look()
        detections = reader.detect(seen.image)
        face = reader.read(seen.image, detections[0]) if detections else None
        if face is not None:
            check.add(seen.image, face, seen.at, depth=seen.depth)
            counted += 1
    assert counted == frames
    return check.judge()


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (standing("emmy", distance_m=0.8), "live"),
        (sheet("emmy", at(0.8)), "attack"),
        (tablet("emmy", at(0.8)), "attack"),
    ],
    ids=["person", "print", "tablet"],
)
def test_a_person_has_relief_and_what_is_held_up_has_none(pair: Pair, shown: Presence, verdict: str) -> None:
    pair.show(shown)
    evidence = judged(pair, 6)
    (depth,) = [cue for cue in evidence.cues if cue.name == "depth"]
    assert evidence.verdict == verdict, depth.reason
