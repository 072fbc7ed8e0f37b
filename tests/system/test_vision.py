"""gate-vision as a process: a simulated camera before it, and this test in the place of gated."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gated.core.vocabulary import Liveness
from gated.runtime import messages as say
from gated.vision import EXIT_CONFIG, ORPHAN_S
from hw_sim.__main__ import demo_policy
from hw_sim.camera import people
from hw_sim.camera.scene import Walker, Waypoint
from hw_sim.camera.server import SimulatedCamera
from hw_sim.supervisor import DaemonError, python
from tests.system.vision_rig import Vision, picture, seen, showing

PASSAGE, OTHER = "00112233445566aa", "00112233445566bb"
THRESHOLD = demo_policy().match_threshold
STANDING = (Waypoint(time_s=0.0, distance_m=0.7),)
ADA = people.passport_photo("ada", seed=7)
STRIPES = picture(np.tile(np.array([0, 255], np.uint8), (200, 80))[..., None].repeat(3, axis=2))


@pytest.fixture(scope="module")
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as camera:
        yield camera


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, camera: SimulatedCamera) -> Iterator[Vision]:
    with Vision(tmp_path_factory.mktemp("vision"), camera.url) as vision:
        yield vision


@pytest.fixture
def vision(running: Vision, camera: SimulatedCamera) -> Iterator[Vision]:
    """At rest before and after: nobody in view, no passage, and the camera asleep."""
    camera.show(showing())
    running.await_camera("asleep")
    yield running
    for passage in (PASSAGE, OTHER):
        running.say(say.Forget(passage=passage))


def arriving() -> tuple[Waypoint, ...]:
    """Somebody walks up from now on: who stands still shows no life."""
    now = time.monotonic()
    return (Waypoint(time_s=now + 0.3, distance_m=2.0), Waypoint(time_s=now + 1.6, distance_m=0.65))


def enrol(vision: Vision, photograph: bytes = ADA, passage: str = PASSAGE) -> None:
    vision.say(say.SetReference(passage=passage, image=photograph))
    assert vision.hear(say.Enrolled, 5).passage == passage


def assess(vision: Vision, attempt: int = 1, seconds: float = 12.0) -> say.Assessment:
    vision.say(say.Capture(passage=PASSAGE, attempt=attempt))
    assessed = vision.hear(say.Assessment, seconds)
    assert (assessed.passage, assessed.attempt) == (PASSAGE, attempt)
    return assessed


# --- its life -------------------------------------------------------------------------------------


def test_it_is_ready_and_its_camera_sleeps_once_it_was_tried(vision: Vision, camera: SimulatedCamera) -> None:
    assert vision.daemon.ready_s < 10
    vision.listen(1)  # the simulated camera notices within half a second that nobody reads
    drawn, _ = camera.measure()
    cpu = vision.daemon.cpu_s()
    vision.listen(3)
    assert vision.camera == "asleep"
    assert camera.measure()[0] == drawn, "an unread camera draws nothing"
    used = vision.daemon.cpu_s() - cpu
    print(f"ready after {vision.daemon.ready_s:.1f} s; idle: {used / 3:.1%} of a core")  # noqa: T201 - pytest -rP
    assert used < 1.0


def test_it_ends_on_sigterm_in_the_middle_of_a_capture(tmp_path: Path, camera: SimulatedCamera) -> None:
    camera.show(showing())
    with Vision(tmp_path, camera.url) as vision:
        enrol(vision)
        vision.say(say.Capture(passage=PASSAGE, attempt=1))
        vision.await_camera("live")
        began = time.monotonic()
        assert vision.daemon.stop() == 0
        assert time.monotonic() - began < 3
        assert "Traceback" not in vision.daemon.log.read_text()


def test_a_wrong_configuration_is_told_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text("gate = 7")
    command = python("-m", "gated.vision", "--config", str(tmp_path / "gate.toml"))
    ended = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert ended.returncode == EXIT_CONFIG
    assert b"gate.toml" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_model_that_is_not_there_is_told_and_not_tried_again(
    tmp_path: Path, camera: SimulatedCamera
) -> None:
    vision = Vision(tmp_path, camera.url)
    config = tmp_path / "gate.toml"
    config.write_text(config.read_text().replace("dlib-resnet", "no-such-net"))
    with pytest.raises(DaemonError, match=f"ended with {EXIT_CONFIG}"), vision:
        pass
    assert "vision.embedder" in vision.daemon.log.read_text()


def test_what_is_no_message_is_dropped(vision: Vision) -> None:
    for garbage in (b"", b"\xff", b"\x81\xa4type\xa6Pirate", b"\x00" * 100_000):
        vision.peer.pollable.send(garbage)
    vision.camera = ""
    vision.await_camera("asleep", 3)
    enrol(vision)


# --- the photograph -------------------------------------------------------------------------------


def test_a_passport_photograph_is_enrolled(vision: Vision) -> None:
    enrol(vision)
    assert vision.heard(say.NotEnrolled) == []


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "not_an_image"),
        (b"GIF89a" + bytes(100), "not_an_image"),
        (ADA[:3000], "image_damaged"),
        (ADA + bytes(600_000), "image_too_long"),
        (STRIPES, "no_face_in_photograph"),
        (picture(np.hstack([seen(ADA), seen(ADA)])), "several_faces_in_photograph"),
        (picture(np.zeros((40, 16_000, 3), np.uint8)), "no_face_in_photograph"),
    ],
    ids=["empty", "gif", "truncated", "long", "no face", "two faces", "a strip"],
)
def test_a_photograph_that_cannot_be_used_is_refused_by_its_reason(
    vision: Vision, image: bytes, reason: str
) -> None:
    vision.say(say.SetReference(passage=PASSAGE, image=image))
    refused = vision.hear(say.NotEnrolled, 5)
    assert (refused.passage, refused.reason) == (PASSAGE, reason)


def test_a_refused_photograph_leaves_no_earlier_reference_behind(vision: Vision) -> None:
    enrol(vision)
    vision.say(say.SetReference(passage=PASSAGE, image=STRIPES))
    vision.hear(say.NotEnrolled, 5)
    assert assess(vision).frames == 0


# --- captures -------------------------------------------------------------------------------------


def test_the_holder_is_alive_and_matches(vision: Vision, camera: SimulatedCamera) -> None:
    enrol(vision)
    camera.show(showing(Walker(person="ada", path=arriving(), seed=8)))
    assessed = assess(vision)
    print(f"peak memory {vision.memory_mib():.0f} MiB after a whole passage")  # noqa: T201 - pytest -rP
    assert assessed.liveness is Liveness.LIVE
    assert assessed.match_score >= THRESHOLD
    assert assessed.frames >= 8
    assert (assessed.reference_crop, assessed.best_crop) == (None, None)
    assert vision.memory_mib() < 450
    vision.listen(1)
    assert len(vision.heard(say.Assessment)) == 1


def test_where_the_lamp_is_awaited_nobody_is_alive_before_the_face_has_answered_it(
    tmp_path: Path, camera: SimulatedCamera
) -> None:
    camera.show(showing())
    with Vision(tmp_path, camera.url, awaits_light=True) as vision:
        enrol(vision)
        camera.show(showing(Walker(person="ada", path=arriving(), seed=8)))
        now = time.monotonic()
        code = (say.LightSwitch(at=now, on=True), say.LightSwitch(at=now + 60, on=False))  # not yet
        vision.say(say.Capture(passage=PASSAGE, attempt=1, light=code))
        vision.listen(4, lambda: bool(vision.heard(say.Assessment)))
        assert not vision.heard(say.Assessment)
        vision.say(say.Conclude(passage=PASSAGE, attempt=1))
        assessed = vision.hear(say.Assessment, 2)
        assert (assessed.liveness, assessed.match_score >= THRESHOLD) == (Liveness.UNDETERMINED, True)


def test_somebody_else_is_a_clear_mismatch(vision: Vision, camera: SimulatedCamera) -> None:
    enrol(vision)
    camera.show(showing(Walker(person="kurt", path=STANDING, seed=3)))
    assessed = assess(vision)
    assert assessed.match_score < THRESHOLD
    assert assessed.frames >= 8


def test_nobody_in_view_is_no_evidence(vision: Vision) -> None:
    enrol(vision)
    vision.say(say.Capture(passage=PASSAGE, attempt=2))
    assert vision.hear(say.Guidance, 5).hint == "look_here"
    assert not vision.heard(say.Assessment)
    vision.say(say.Conclude(passage=PASSAGE, attempt=2))
    assessed = vision.hear(say.Assessment, 2)
    assert (assessed.attempt, assessed.frames, assessed.liveness) == (2, 0, Liveness.UNDETERMINED)
    assert (assessed.match_score, assessed.best_crop) == (0.0, None)


def test_conclude_for_another_attempt_is_not_answered(vision: Vision) -> None:
    enrol(vision)
    vision.say(say.Capture(passage=PASSAGE, attempt=2))
    vision.say(say.Conclude(passage=PASSAGE, attempt=1))
    vision.say(say.Conclude(passage=OTHER, attempt=2))
    vision.listen(1)
    assert not vision.heard(say.Assessment)


def test_a_capture_without_a_reference_is_answered_at_once(vision: Vision) -> None:
    enrol(vision)
    vision.say(say.Capture(passage=OTHER, attempt=3))
    assessed = vision.hear(say.Assessment, 2)
    assert (assessed.passage, assessed.attempt) == (OTHER, 3)
    assert (assessed.frames, assessed.match_score, assessed.liveness) == (0, 0.0, Liveness.UNDETERMINED)


def test_a_second_person_is_asked_to_step_away(vision: Vision, camera: SimulatedCamera) -> None:
    enrol(vision)
    camera.show(
        showing(
            Walker(person="ada", path=STANDING, aside_m=-0.16),
            Walker(person="kurt", path=STANDING, aside_m=0.16),
        )
    )
    vision.say(say.Capture(passage=PASSAGE, attempt=1))
    assert vision.listen(5, lambda: "one_person" in [g.hint for g in vision.heard(say.Guidance)])
    assert not vision.heard(say.Assessment)


# --- what it keeps --------------------------------------------------------------------------------


def test_forget_ends_a_capture_and_lets_the_camera_sleep(vision: Vision) -> None:
    enrol(vision)
    vision.say(say.Capture(passage=PASSAGE, attempt=1))
    vision.await_camera("live")
    vision.say(say.Forget(passage=OTHER))
    vision.listen(1)
    assert vision.camera == "live", "another passage's end is not this one's"
    vision.say(say.Forget(passage=PASSAGE))
    vision.await_camera("asleep", 3)
    assert assess(vision).frames == 0, "the reference is forgotten too"


@pytest.mark.slow
def test_a_passage_is_forgotten_when_the_gate_falls_silent(vision: Vision) -> None:
    enrol(vision)
    vision.say(say.Capture(passage=PASSAGE, attempt=1))
    vision.await_camera("live")
    time.sleep(ORPHAN_S + 1)
    assert "fallen silent" in vision.daemon.log.read_text()
    assert assess(vision).frames == 0


def test_crops_come_only_where_the_settings_allow_them(tmp_path: Path, camera: SimulatedCamera) -> None:
    camera.show(showing())
    with Vision(tmp_path, camera.url, keep_images=True) as vision:
        enrol(vision)
        camera.show(showing(Walker(person="ada", path=arriving(), seed=8)))
        assessed = assess(vision)
        for crop in (assessed.reference_crop, assessed.best_crop):
            assert crop is not None
            assert len(crop) <= 20_000
            assert crop.startswith(b"\xff\xd8\xff")
            assert seen(crop).shape[0] <= 240


def test_the_log_of_a_passage_says_nothing_about_the_person(vision: Vision, camera: SimulatedCamera) -> None:
    enrol(vision)
    camera.show(showing(Walker(person="kurt", path=STANDING)))
    assert assess(vision).frames > 0
    log = vision.daemon.log.read_text()
    assert "score" not in log
    assert "hint" not in log


# --- a camera in trouble --------------------------------------------------------------------------


def test_a_frozen_camera_is_told_and_recovers(vision: Vision, camera: SimulatedCamera) -> None:
    enrol(vision)
    vision.await_camera("live")
    camera.freeze()
    try:
        vision.await_camera("frozen", 6)
    finally:
        camera.resume()
    vision.await_camera("live", 6)
    camera.show(showing(Walker(person="ada", path=arriving(), seed=8)))
    assert assess(vision).liveness is Liveness.LIVE


def test_a_camera_that_is_absent_at_the_start_is_told_and_found_later(tmp_path: Path) -> None:
    camera = SimulatedCamera()
    camera.start()  # only to learn its address
    camera.die()
    try:
        with Vision(tmp_path, camera.url) as vision:
            vision.await_camera("no_stream")
            camera.start()
            vision.await_camera("asleep", 10)
    finally:
        camera.stop()
