"""All cues of one person over a capture, and what surrounds a face."""

import time
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest

from models.face import Face
from models.liveness.background import BackgroundCheck, _seen
from models.liveness.check import RECAPTURE_S, LivenessCheck
from models.liveness.cue import Cue
from models.liveness.fusion import Evidence
from models.tflite import Image
from tests.bench.presentations import Kind
from tests.models.liveness_views import filmed, seen, turned
from tests.models.portraits import MODELS

ENTRY = MODELS.liveness


class Known:
    """Says the same of each frame."""

    def __init__(self, probability: float | None) -> None:
        self.probability = probability
        self.read_at: list[int] = []
        self.wiped = 0

    def read(self, image: Image, face: Face) -> float | None:  # noqa: ARG002 - as the head has it
        self.read_at.append(image.shape[0])
        return self.probability

    def wipe(self) -> None:
        self.wiped += 1


def watched(frames: Iterable[tuple[Image, Face, float]], check: LivenessCheck) -> Evidence:
    for image, face, at in frames:
        check.add(image, face, at)
    return check.judge()


def said(evidence: Evidence, name: str) -> float | None:
    (cue,) = (cue for cue in evidence.cues if cue.name == name)
    return cue.score


def test_a_person_who_comes_near_is_live() -> None:
    evidence = watched(filmed("person", "approach", 1, whole=True), LivenessCheck(ENTRY))
    assert evidence.verdict == "live"
    assert evidence.score >= ENTRY.live_score
    assert evidence.lacking == ""


@pytest.mark.parametrize("kind", ["flat", "bent", "wrapped", "tablet", "mask"])
def test_an_instrument_that_comes_near_is_an_attack(kind: Kind) -> None:
    evidence = watched(filmed(kind, "approach", 2, whole=True), LivenessCheck(ENTRY))
    assert evidence.verdict == "attack"
    assert evidence.score <= ENTRY.attack_score


@pytest.mark.parametrize("kind", ["person", "flat"])
def test_whoever_stands_still_is_undetermined_with_a_reason(kind: Kind) -> None:
    evidence = watched(filmed(kind, "frozen", 1, whole=True), LivenessCheck(ENTRY))
    assert (evidence.verdict, evidence.score) == ("undetermined", 0.5)
    assert "too little movement" in evidence.lacking


def test_before_any_frame_nothing_is_known() -> None:
    evidence = LivenessCheck(ENTRY).judge()
    assert (evidence.verdict, evidence.score, evidence.frames) == ("undetermined", 0.5, 0)
    assert evidence.lacking == "too few views of the face"


def test_optional_frames_become_cues_only_when_they_come() -> None:
    image, face, at = filmed("person", "approach", 1, whole=True)[0]
    check = LivenessCheck(ENTRY)
    check.add(image, face, at)
    assert {cue.name for cue in check.judge().cues} == {"motion", "background", "blink", "light"}
    dark, flat = np.zeros(image.shape[:2], np.uint8), np.full(image.shape[:2], 800, np.uint16)
    check.add(image, face, at + 0.1, infrared=dark, depth=flat)
    evidence = check.judge()
    infrared, depth = said(evidence, "infrared"), said(evidence, "depth")
    assert infrared is not None
    assert infrared < 0.1
    assert depth is not None
    assert depth < 0.1
    assert evidence.verdict == "attack"


def test_a_code_of_the_lamp_is_followed() -> None:
    check = LivenessCheck(ENTRY)
    code = [(number / 6, number % 2 == 0) for number in range(24)]
    check.light(code)
    presentation = turned("person", 1, 5.0, frames=30)
    chance = np.random.default_rng(1)
    for image, face, at in seen(presentation, whole=True):
        on = code[min(int(at * 6), 23)][1]
        lit = np.clip(image * (1.10 if on else 1.0) + chance.normal(0, 1), 0, 255).astype(np.uint8)
        check.add(lit, face, at)
    assert said(check.judge(), "light") is not None


def test_single_frames_are_looked_at_now_and_then() -> None:
    head = Known(0.1)
    check = LivenessCheck(ENTRY, head)
    frames = list(filmed("person", "approach", 1, whole=True))
    for image, face, at in frames:
        check.add(image, face, at)
    most = 1 + (frames[-1][2] - frames[0][2]) / RECAPTURE_S
    assert 1 < len(head.read_at) <= most
    assert said(check.judge(), "recapture") == pytest.approx(0.9)


def test_a_recapture_alone_neither_makes_nor_undoes_a_verdict() -> None:
    assert (
        watched(filmed("person", "frozen", 1, whole=True), LivenessCheck(ENTRY, Known(1.0))).verdict
        == "undetermined"
    )
    assert (
        watched(filmed("person", "approach", 1, whole=True), LivenessCheck(ENTRY, Known(1.0))).verdict
        == "live"
    )
    assert (
        watched(filmed("flat", "approach", 2, whole=True), LivenessCheck(ENTRY, Known(0.0))).verdict
        == "attack"
    )


CODE = [(0.0, True), *((2 + number / 5, number % 2 == 0) for number in range(24))]
"""Two seconds of steady light, then flashes: nothing of them is seen yet while a person walks up."""


def walked_up(check: LivenessCheck) -> Evidence:
    check.light(CODE)
    return watched(filmed("person", "approach", 1, whole=True), check)


def test_whom_single_frames_clear_is_live_before_the_lamp_plays_its_code() -> None:
    assert walked_up(LivenessCheck(ENTRY, Known(0.1))).verdict == "live"


@pytest.mark.parametrize("probability", [0.6, None])
def test_whom_single_frames_do_not_clear_waits_for_the_lamp_s_code(probability: float | None) -> None:
    evidence = walked_up(LivenessCheck(ENTRY, Known(probability)))
    assert (evidence.verdict, evidence.held) == ("undetermined", True)
    assert "awaited" in evidence.lacking


def test_a_lane_may_let_everybody_wait_for_the_code() -> None:
    assert walked_up(LivenessCheck(ENTRY, Known(0.1), awaits_light=True)).held
    dark = LivenessCheck(ENTRY, Known(0.9), awaits_light=True)
    dark.light([(0.0, True)])
    assert watched(filmed("person", "approach", 1, whole=True), dark).verdict == "live", "no code is played"


@pytest.mark.parametrize(("answers", "expected"), [(True, "live"), (False, "undetermined")])
def test_the_face_s_answer_ends_the_waiting(*, answers: bool, expected: str) -> None:
    """A film moves as a head does, and shines by itself."""
    check = LivenessCheck(ENTRY, Known(0.6))
    check.light(CODE)
    chance = np.random.default_rng(1)
    for number, (image, face, at) in enumerate(seen(turned("person", 1, 8.0, frames=50), whole=True)):
        on = next((state for moment, state in reversed(CODE) if moment <= at), False)
        lit = image.astype(np.float32)
        if answers and on:
            columns = np.abs(np.arange(image.shape[1]) - face.points[168, 0]) / (2 * face.eye_distance)
            lit *= 1 + 0.12 * np.clip(1 - columns, 0, 1)[None, :, None]
        check.add(np.clip(lit + chance.normal(0, 1), 0, 255).astype(np.uint8), face, at)
        if number == 20:
            assert check.judge().held
    evidence = check.judge()
    assert said(evidence, "light") is not None
    assert (evidence.verdict, evidence.held) == (expected, False)


@pytest.mark.parametrize(("score", "held"), [(None, True), (0.5, True), (0.65, True), (0.75, False)])
def test_an_answer_that_is_not_clear_ends_no_waiting(score: float | None, *, held: bool) -> None:
    check = LivenessCheck(ENTRY, Known(0.6))
    check.light(CODE)
    said_of = {"light": score, "recapture": 0.4, "background": None}
    assert check._holds([Cue(name=name, score=each, reason="") for name, each in said_of.items()]) is held


def test_wipe_forgets_everything() -> None:
    head = Known(0.5)
    check = LivenessCheck(ENTRY, head)
    check.light([(0.0, True)])
    watched(filmed("person", "approach", 1, whole=True), check)
    pictures: list[npt.NDArray[np.generic]] = [look.marks for look in check._light._seen]
    assert check._background._earlier is not None
    pictures.append(check._background._earlier[1])
    check.wipe()
    assert not any(np.any(picture) for picture in pictures)
    assert head.wiped == 1
    evidence = check.judge()
    assert (evidence.frames, {cue.score for cue in evidence.cues}) == (0, {None})


def surroundings(kind: Kind, seed: int) -> BackgroundCheck:
    check = BackgroundCheck()
    for image, face, at in filmed(kind, "approach", seed, whole=True):
        check.add(image, face.points, at)
    return check


@pytest.mark.parametrize("seed", [1, 2])
def test_what_stands_behind_a_person_stays_behind(seed: int) -> None:
    cue = surroundings("person", seed).judge()
    assert cue.score is not None
    assert cue.score > 0.5


@pytest.mark.parametrize("kind", ["flat", "tablet"])
def test_a_sheet_and_a_tablet_carry_their_surroundings_along(kind: Kind) -> None:
    cue = surroundings(kind, 2).judge()
    assert cue.score is not None
    assert cue.score < 0.3


def test_surroundings_that_do_not_move_or_have_no_texture_are_no_evidence() -> None:
    frames = list(filmed("person", "frozen", 1, whole=True))
    still, plain = BackgroundCheck(), BackgroundCheck()
    for image, face, at in frames:
        still.add(image, face.points, at)
    for image, face, at in filmed("person", "approach", 1, whole=True):
        plain.add(np.full_like(image, 120), face.points, at)
    assert still.judge().score is None
    assert plain.judge().score is None


@pytest.mark.slow
def test_all_cues_take_little_time() -> None:
    """Generous: other work shares the machine. Quiet, all of it takes 2 to 3 ms of one core."""
    frames = list(filmed("person", "approach", 1, whole=True))
    check = LivenessCheck(ENTRY)
    spent = time.process_time()
    for image, face, at in frames:
        check.add(image, face, at)
        check.judge()
    assert (time.process_time() - spent) / len(frames) < 0.015


def test_surroundings_without_any_texture_have_a_contrast_all_the_same() -> None:
    place = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    for seed in range(40):
        chance = np.random.default_rng(seed)
        image = np.full((160, 160, 3), chance.integers(0, 255), np.uint8)
        image[40:44] = chance.integers(0, 255, (4, 160, 1))
        assert np.isfinite(_seen(image, place)).all()
