"""The observer with the real models, on rendered people: what counts as evidence, and of whom."""

import functools
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from gated.core.stature import tall_enough
from hw_sim.camera import people
from hw_sim.camera.render import Mount
from hw_sim.camera.scene import PhotoHolder, Presence, Scene, Walker, Waypoint, picture
from hw_sim.camera.sensing import depth_picture
from models.height.calibration import CameraCalibration
from models.height.stature import HeightCheck
from models.image import ImageError, decode
from models.liveness.check import LivenessCheck
from models.observer import CLEAR_FRAMES, Observer
from models.quality.check import QualityCheck
from models.shots import BEST
from models.tflite import Image
from models.tracking import GAP_S
from tests.models.portraits import DLIB, MODELS, astronaut, embedder, only, reader
from tests.models.quality.heads import wearing

THRESHOLD = MODELS.threshold("dlib-resnet", 0.001)
MIN_FRAMES = 8
FPS = 15
STANDING = (Waypoint(time_s=0.0, distance_m=0.75),)
ARRIVING = (Waypoint(time_s=0.0, distance_m=1.4), Waypoint(time_s=1.4, distance_m=0.7))
NOBODY = np.full((720, 1280, 3), 90, np.uint8)


@functools.cache
def frames(*present: Presence, count: int = 12) -> tuple[Image, ...]:
    return tuple(picture(Scene(present=present), number / FPS) for number in range(count))


def walker(person: str, *, seed: int = 41, aside_m: float = 0.0) -> Walker:
    return Walker(person=person, path=ARRIVING, seed=seed, aside_m=aside_m)


def stander(person: str, *, seed: int = 41, aside_m: float = 0.0) -> Walker:
    return Walker(person=person, path=STANDING, seed=seed, aside_m=aside_m)


def holder(person: str, photo_of: str) -> PhotoHolder:
    return PhotoHolder(person=person, photo_of=photo_of, path=ARRIVING, seed=41)


def photograph(person: str) -> Image:
    return decode(people.passport_photo(person, seed=1), max_bytes=100_000, max_pixels=1_000_000)


class Watch(Observer):
    """The observer with a clock of its own: each image comes a frame after the one before."""

    now = 0.0
    fps = FPS

    def look(self, image: Image, camera: str = "") -> str:
        """The first hint, empty for none."""
        self.now += 1 / self.fps
        hints = self.see(image, self.now, camera)
        return hints[0] if hints else ""


def observer(reference: str | None = "ada") -> Watch:
    made = Watch(reader(), QualityCheck(MODELS), embedder(), LivenessCheck(MODELS.liveness), MIN_FRAMES)
    if reference is not None:
        made.enrol(photograph(reference))
        made.begin()
    return made


def show(watching: Watch, images: Iterable[Image], camera: str = "") -> list[str]:
    return [watching.look(image, camera) for image in images]


# --- cameras beside each other, and above each other -------------------------------------------------


@pytest.mark.parametrize(("shown", "verdict"), [(stander("ada"), "live"), (None, "attack")])
def test_distances_decide_about_somebody_who_stands_still(shown: Presence | None, verdict: str) -> None:
    presence = shown or PhotoHolder(person="carl", photo_of="ada", path=STANDING, seed=41)
    watching = observer()
    for number, image in enumerate(frames(presence)):
        depth = depth_picture(Scene(present=(presence,)), number / FPS)
        watching.see(image, 1 + number / FPS, "middle", depth=depth)
    evidence = watching.judge(THRESHOLD)
    assert evidence.frames >= MIN_FRAMES
    assert evidence.liveness.verdict == verdict


APPROACH = (Waypoint(time_s=0.0, distance_m=2.4), Waypoint(time_s=1.3, distance_m=0.7))
HIGH, LOW = Mount(1.6), Mount(1.2)
RULE_M = 1.20


def measuring(reference: str) -> Watch:
    """The observer of two calibrated cameras."""
    checks = {
        name: HeightCheck(
            CameraCalibration(width=1280, height=720, focal_px=1200.0, height_m=mount.height_m, tilt_deg=0.0)
        )
        for name, mount in {"middle": HIGH, "low": LOW}.items()
    }
    made = Watch(
        reader(), QualityCheck(MODELS), embedder(), LivenessCheck(MODELS.liveness), MIN_FRAMES, heights=checks
    )
    made.enrol(photograph(reference))
    made.begin((), RULE_M)
    return made


@functools.cache
def pictures(person: str, stature_m: float, mount: Mount, count: int) -> tuple[Image, ...]:
    child = Walker(person=person, path=APPROACH, seed=5, stature_m=stature_m)
    return tuple(picture(Scene(present=(child,), mount=mount), n / FPS) for n in range(count))


def rule(watching: Watch) -> str:
    stature = watching.judge(THRESHOLD).stature
    return "unknown" if stature is None else tall_enough(stature.height_m, stature.error_m, RULE_M)


def test_what_a_camera_measured_by_the_way_counts_once_it_is_looked_through() -> None:
    watching = measuring("mina")
    low = pictures("mina", 1.18, LOW, 20)
    for number, image in enumerate(low[:14]):  # looked through is the other camera, which sees nobody
        watching.see(NOBODY, number / FPS, "middle")
        assert watching.glance(image, number / FPS, "low") > 0
    assert watching.judge(THRESHOLD).frames == 0
    for number, image in enumerate(low[14:17], 14):
        watching.see(image, number / FPS, "low")
    assert rule(watching) == "no"


def test_what_the_camera_that_was_left_measured_counts_on_if_the_face_is_the_same() -> None:
    for other, expected in (("mina", "no"), ("emmy", "unknown")):
        watching = measuring("mina")
        for number, image in enumerate(pictures(other, 1.18, LOW, 20)):
            watching.see(image, number / FPS, "low")
        assert rule(watching) == "no"
        for number, image in enumerate(pictures("mina", 1.6, HIGH, 22)[-4:]):
            watching.see(image, (20 + number) / FPS, "middle")
        assert watching.judge(THRESHOLD).frames > 0
        assert rule(watching) == expected, other


def test_a_frame_that_was_glanced_at_and_is_then_looked_at_is_one_frame() -> None:
    watching = measuring("mina")
    low = pictures("mina", 1.18, LOW, 20)
    for number, image in enumerate(low[:12]):
        watching.glance(image, number / FPS, "low")
    watching.see(low[11], 11 / FPS, "low")
    watching.see(low[12], 12 / FPS, "low")
    assert rule(watching) == "no", "no new track began"


def test_heights_are_forgotten_with_the_capture() -> None:
    watching = measuring("mina")
    for number, image in enumerate(pictures("mina", 1.18, LOW, 20)):
        watching.see(image, number / FPS, "low")
    assert rule(watching) == "no"
    watching.begin((), RULE_M)
    assert rule(watching) == "unknown"
    assert not watching._heights._faces


# --- one person -----------------------------------------------------------------------------------


def test_the_holder_who_walks_up_is_live_and_matches() -> None:
    watching = observer()
    for number, image in enumerate(frames(walker("ada"), count=40)):
        watching.look(image)
        verdict = watching.judge(THRESHOLD)
        if verdict.conclusive:
            break
        assert verdict.liveness.verdict != "attack"
        assert number < 39
    assert verdict.liveness.verdict == "live"
    assert verdict.match_score >= THRESHOLD
    assert verdict.frames >= MIN_FRAMES


def test_a_print_is_an_attack_though_it_matches() -> None:
    watching = observer()
    show(watching, frames(holder("carl", "ada"), count=40))
    verdict = watching.judge(THRESHOLD)
    assert verdict.liveness.verdict == "attack"
    assert verdict.match_score >= THRESHOLD
    assert verdict.conclusive


def test_a_match_alone_is_not_conclusive() -> None:
    watching = observer()
    one = frames(stander("ada"))[0]
    show(watching, [one] * (CLEAR_FRAMES + 5))
    verdict = watching.judge(THRESHOLD)
    assert verdict.match_score >= THRESHOLD
    assert verdict.liveness.verdict == "undetermined"
    assert not verdict.conclusive


def test_a_mismatch_is_conclusive_once_there_are_enough_frames() -> None:
    watching = observer()
    one = frames(stander("kurt"))[0]
    for number in range(1, CLEAR_FRAMES + 1):
        assert watching.look(one) == ""
        verdict = watching.judge(THRESHOLD)
        assert verdict.frames == number
        assert verdict.match_score < THRESHOLD
        assert verdict.conclusive == (number >= CLEAR_FRAMES)


def test_a_mask_shall_come_off_even_where_it_hides_the_face_from_the_mesh() -> None:
    watching = observer()
    masked = wearing("ada", "mask")
    assert reader().read(masked, only(masked)) is None
    assert set(show(watching, [masked] * 5)) == {"take_off_mask"}
    assert watching.judge(THRESHOLD).frames == 0
    assert watching.look(NOBODY) == "look_here"


def test_nothing_seen_is_no_evidence() -> None:
    watching = observer()
    assert set(show(watching, [NOBODY] * 30)) == {"look_here"}
    verdict = watching.judge(THRESHOLD)
    assert (verdict.frames, verdict.match_score, verdict.conclusive) == (0, 0.0, False)
    assert verdict.liveness.verdict == "undetermined"
    assert watching.best() is None


def test_without_a_reference_nothing_matches() -> None:
    watching = observer(None)
    show(watching, frames(walker("ada"), count=12))
    verdict = watching.judge(THRESHOLD)
    assert verdict.frames > 0
    assert verdict.match_score == 0.0
    assert not watching.is_enrolled


def test_a_far_face_is_told_to_come_closer_and_is_no_evidence() -> None:
    watching = observer()
    far = Walker(person="ada", path=(Waypoint(time_s=0, distance_m=1.9),), seed=41)
    assert set(show(watching, frames(far))) == {"come_closer"}
    verdict = watching.judge(THRESHOLD)
    assert verdict.frames == 0
    assert verdict.liveness.frames == 0, "what is not usable shows no life either"


def test_what_is_not_usable_is_the_best_there_is_until_something_is() -> None:
    watching = observer()
    far = Walker(person="ada", path=(Waypoint(time_s=0, distance_m=1.9),), seed=41)
    show(watching, frames(far))
    verdict = watching.judge(THRESHOLD)
    spare = watching.best()
    assert spare is not None
    assert verdict.match_score > 0.4, "an officer sees what there is"
    assert (verdict.frames, verdict.conclusive, verdict.liveness.verdict) == (0, False, "undetermined")
    nearer = Walker(person="ada", path=(Waypoint(time_s=0, distance_m=1.3),), seed=41)
    show(watching, frames(nearer)[:2])
    assert watching.best() is not spare
    assert not spare.any()


# --- evidence belongs to one track of one face ------------------------------------------------------


def test_another_face_in_the_same_place_drops_the_evidence() -> None:
    watching = observer()
    show(watching, frames(walker("ada"), count=24))
    assert watching.judge(THRESHOLD).match_score >= THRESHOLD
    held = list(watching._shots.usable)
    here = frames(stander("kurt", seed=41))
    watching.look(here[0])
    verdict = watching.judge(THRESHOLD)
    assert verdict.frames == 1
    assert verdict.match_score < THRESHOLD
    assert verdict.liveness.frames == 1, "nor does the life of the first face count for the second"
    assert all(not shot.embedding.any() and not shot.crop.any() for shot in held)
    show(watching, here[1:])
    verdict = watching.judge(THRESHOLD)
    assert verdict.frames == len(here)
    assert verdict.match_score < THRESHOLD


def test_a_print_that_is_taken_away_lends_nothing_to_the_face_behind_it() -> None:
    watching = observer()
    show(watching, frames(holder("carl", "ada"), count=14))
    assert watching.judge(THRESHOLD).match_score >= THRESHOLD
    for image in frames(walker("carl"), count=40)[14:]:
        watching.look(image)
        verdict = watching.judge(THRESHOLD)
        assert verdict.match_score < THRESHOLD
        assert not (verdict.conclusive and verdict.liveness.verdict == "attack")
    assert verdict.frames <= 26


def test_one_frame_of_another_person_is_enough() -> None:
    watching = observer()
    show(watching, frames(stander("ada")))
    watching.look(frames(stander("kurt"))[0])
    show(watching, frames(stander("ada"))[:3])
    assert watching.judge(THRESHOLD).frames == 3


@pytest.mark.parametrize("aside_m", [-0.3, 0.3])
def test_a_face_that_jumps_is_another_track(aside_m: float) -> None:
    watching = observer()
    show(watching, frames(stander("ada")))
    assert watching.judge(THRESHOLD).frames == 12
    watching.look(frames(stander("ada", aside_m=aside_m))[0])
    assert watching.judge(THRESHOLD).frames == 1


def test_a_face_that_suddenly_is_much_nearer_is_another_track() -> None:
    watching = observer()
    farther = Walker(person="ada", path=(Waypoint(time_s=0, distance_m=1.25),), seed=41)
    show(watching, frames(farther))
    before = watching.judge(THRESHOLD).frames
    assert before == 12
    watching.look(frames(stander("ada"))[0])
    assert watching.judge(THRESHOLD).frames == 1


def test_a_face_that_was_lost_begins_anew() -> None:
    watching = observer()
    show(watching, frames(stander("ada")))
    show(watching, [NOBODY] * (round(GAP_S * FPS) + 1))
    assert watching.judge(THRESHOLD).frames == 0
    watching.look(frames(stander("ada"))[0])
    assert watching.judge(THRESHOLD).frames == 1


def test_a_face_that_is_not_found_for_a_moment_is_the_same_one() -> None:
    watching = observer()
    show(watching, frames(stander("ada")))
    assert watching.look(NOBODY) == "look_here"
    watching.look(frames(stander("ada"))[0])
    assert watching.judge(THRESHOLD).frames == 13


def test_another_camera_begins_anew() -> None:
    watching = observer()
    show(watching, frames(stander("ada")), "low")
    assert (watching.judge(THRESHOLD).frames, watching.camera) == (12, "low")
    show(watching, frames(stander("ada"))[:3], "high")
    assert (watching.judge(THRESHOLD).frames, watching.camera) == (3, "high")


def test_the_lamps_code_holds_for_whoever_is_tracked_in_the_capture() -> None:
    watching = observer()
    code = [(number / 5, number % 2 == 0) for number in range(10)]
    watching.begin(code)
    show(watching, frames(stander("ada")))
    watching.look(frames(stander("kurt"))[0])
    assert watching._liveness._light._code == code, "another person, the same lamp"
    watching.begin()
    assert watching._liveness._light._code == []


def test_a_new_capture_begins_with_nothing_but_the_reference() -> None:
    watching = observer()
    show(watching, frames(stander("ada")))
    watching.begin()
    assert watching.judge(THRESHOLD).frames == 0
    assert watching.best() is None
    assert watching.is_enrolled


def test_fast_or_slow_cameras_and_walkers_stay_one_track() -> None:
    for fps, speed in ((15, 2.2), (30, 2.2), (30, 1.2)):
        path = (Waypoint(time_s=0.0, distance_m=1.9), Waypoint(time_s=1.25 / speed, distance_m=0.65))
        scene = Scene(present=(Walker(person="ada", path=path, seed=9),))
        watching = observer()
        watching.fps = fps
        drops = 0
        for number in range(round(1.25 / speed * fps)):
            before = watching.judge(THRESHOLD).frames
            watching.look(picture(scene, number / fps))
            drops += watching.judge(THRESHOLD).frames < before
        assert drops == 0, (fps, speed)
        assert watching.judge(THRESHOLD).frames >= 0.6 / speed * fps - 2, (fps, speed)


@pytest.mark.parametrize("fps", [15, 30])
def test_a_second_person_is_noticed_within_a_fifth_of_a_second(fps: int) -> None:
    watching = observer()
    watching.fps = fps
    alone, both = (
        stander("ada", aside_m=-0.17),
        (stander("ada", aside_m=-0.17), stander("kurt", aside_m=0.17)),
    )
    show(watching, frames(alone)[:5])
    told = show(watching, frames(*both)[: fps // 5 + 1])
    assert "one_person" in told
    assert set(told[told.index("one_person") :]) == {"one_person"}


# --- two people ---------------------------------------------------------------------------------


def test_a_second_person_as_near_is_told_and_nothing_counts() -> None:
    watching = observer()
    both = frames(stander("ada", aside_m=-0.17), stander("kurt", aside_m=0.17))
    assert set(show(watching, both)) == {"one_person"}
    assert watching.judge(THRESHOLD).frames == 0


def test_somebody_far_behind_is_nobodys_rival() -> None:
    behind = Walker(person="kurt", path=(Waypoint(time_s=0, distance_m=1.6),), aside_m=0.5)
    watching = observer()
    assert set(show(watching, frames(stander("ada", aside_m=-0.1), behind))) == {""}


# --- the best shots -------------------------------------------------------------------------------


def test_the_best_shots_are_few_and_the_best_come_first() -> None:
    watching = observer()
    show(watching, frames(walker("ada"), count=24))
    values = [shot.value for shot in watching._shots.usable]
    assert len(values) == BEST < watching.judge(THRESHOLD).frames
    assert values == sorted(values, reverse=True)
    best = watching.best()
    assert best is watching._shots.usable[0].crop
    assert best is not None
    assert reader().detect(best, margin=0.25)


def test_a_crop_is_a_picture_of_its_own() -> None:
    watching = observer()
    image = frames(stander("ada"))[0].copy()
    watching.look(image)
    best = watching.best()
    assert best is not None
    kept = best.copy()
    image.fill(0)
    assert np.array_equal(best, kept)


# --- the photograph -------------------------------------------------------------------------------


def test_a_photograph_without_a_face_is_refused() -> None:
    watching = observer(None)
    with pytest.raises(ImageError, match="no_face_in_photograph"):
        watching.enrol(NOBODY)


def test_a_photograph_of_two_people_is_refused() -> None:
    watching = observer(None)
    with pytest.raises(ImageError, match="several_faces_in_photograph"):
        watching.enrol(np.hstack([photograph("ada"), photograph("kurt")]))
    assert not watching.is_enrolled


def test_a_refused_photograph_replaces_the_one_before() -> None:
    watching = observer("ada")
    with pytest.raises(ImageError):
        watching.enrol(NOBODY)
    assert not watching.is_enrolled
    assert watching.reference_crop is None


def test_what_native_code_cannot_digest_is_a_refused_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(*_: object, **__: object) -> None:
        raise cv2.error("no such code path")

    watching = observer(None)
    monkeypatch.setattr(watching._reader, "detect", detect)
    with pytest.raises(ImageError, match="photograph_unusable"):
        watching.enrol(astronaut())


# --- wiping ---------------------------------------------------------------------------------------


def test_wipe_overwrites_all_that_was_kept() -> None:
    watching = observer()
    show(watching, frames(stander("ada")))
    last, reference, crop = watching._last, watching._reference, watching.reference_crop
    assert last is not None
    assert reference is not None
    assert crop is not None
    lives = [fit.found for fit in watching._liveness._motion[False].fits][1:]
    arrays: list[npt.NDArray[np.generic]] = [reference, crop, last.points, *lives]
    for shot in watching._shots.usable:
        arrays += [shot.embedding, shot.crop]
    assert all(np.any(array) for array in arrays)
    watching.wipe()
    assert not any(np.any(array) for array in arrays)
    assert watching.judge(THRESHOLD).frames == 0
    assert (watching.best(), watching.reference_crop, watching.is_enrolled) == (None, None, False)


def test_two_frames_must_be_at_least_as_alike_as_a_match() -> None:
    assert observer(None)._same >= max(threshold.score for threshold in DLIB.thresholds)
