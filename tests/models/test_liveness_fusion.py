"""Fusion: cues add, capped; weak ones never decide alone; nothing known is said to be so."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.liveness.check import joined
from models.liveness.cue import Cue, chance, logit_of
from models.liveness.fusion import STRONG, UNSURE, fuse, ratio
from tests.models.portraits import MODELS

ENTRY = MODELS.liveness
NAMES = tuple(ENTRY.caps.__struct_fields__)
WEAK = tuple(name for name in NAMES if name not in STRONG)
ORDER = {"attack": 0, "undetermined": 1, "live": 2}

scores = st.one_of(st.none(), st.floats(0, 1))
mixed = st.fixed_dictionaries(dict.fromkeys(NAMES, scores))


def cues(values: dict[str, float | None]) -> list[Cue]:
    return [Cue(name=name, score=score, reason="") for name, score in values.items()]


def test_without_evidence_the_score_is_a_half_and_nothing_is_determined() -> None:
    for given_cues in ([], cues(dict.fromkeys(NAMES, None))):
        evidence = fuse(given_cues, ENTRY, 3)
        assert (evidence.verdict, evidence.score, evidence.frames) == ("undetermined", 0.5, 3)


def test_motion_alone_decides() -> None:
    assert fuse(cues({"motion": 0.99}), ENTRY, 9).verdict == "live"
    assert fuse(cues({"motion": 0.01}), ENTRY, 9).verdict == "attack"
    assert fuse(cues({"motion": 0.5}), ENTRY, 9).verdict == "undetermined"


@pytest.mark.parametrize("name", WEAK)
@pytest.mark.parametrize("score", [0.0, 1.0])
def test_no_weak_cue_decides_alone(name: str, score: float) -> None:
    assert fuse(cues({name: score}), ENTRY, 9).verdict == "undetermined"


def test_all_weak_cues_together_never_say_live() -> None:
    assert fuse(cues(dict.fromkeys(WEAK, 1.0)), ENTRY, 9).verdict == "undetermined"


def test_two_weak_cues_that_agree_can_name_an_attack() -> None:
    assert fuse(cues({"background": 0.01, "recapture": 0.01}), ENTRY, 9).verdict == "attack"


@pytest.mark.parametrize("name", WEAK)
def test_no_weak_cue_undoes_clear_motion_but_surroundings_and_an_unanswered_light(name: str) -> None:
    expected = "undetermined" if name in {"background", "light"} else "live"
    assert fuse(cues({"motion": 0.99, name: 0.0}), ENTRY, 9).verdict == expected
    assert fuse(cues({"motion": 0.01, name: 1.0}), ENTRY, 9).verdict == "attack"


def test_a_face_that_the_depth_camera_finds_flat_is_an_attack_however_it_moves() -> None:
    for motion in (0.5, 0.99, 1.0):
        film = {"motion": motion, "depth": 0.0, "background": 0.95, "recapture": 0.9, "blink": 1.0}
        assert fuse(cues(film), ENTRY, 9).verdict == "attack"
    assert fuse(cues({"motion": 1.0, "depth": 0.3}), ENTRY, 9).verdict == "live"


def test_relief_that_moves_as_a_sheet_does_is_never_live() -> None:
    rest = dict.fromkeys(WEAK, 1.0)
    assert fuse(cues({"motion": 0.0, "depth": 1.0, **rest}), ENTRY, 9).verdict != "live"


@settings(derandomize=True, max_examples=200)
@given(values=mixed, name=st.sampled_from(NAMES), higher=st.floats(0, 1))
def test_a_higher_score_of_any_cue_never_lowers_the_verdict(
    values: dict[str, float | None], name: str, higher: float
) -> None:
    before = values[name]
    if before is None or higher < before:
        return
    low, high = (fuse(cues(v), ENTRY, 9) for v in (values, {**values, name: higher}))
    assert ORDER[high.verdict] >= ORDER[low.verdict]
    assert high.score >= low.score - 1e-12


@settings(derandomize=True, max_examples=100)
@given(values=mixed, name=st.sampled_from(NAMES))
def test_a_missing_cue_changes_nothing(values: dict[str, float | None], name: str) -> None:
    absent = {key: value for key, value in values.items() if key != name}
    one, other = fuse(cues(absent), ENTRY, 9), fuse(cues({**absent, name: None}), ENTRY, 9)
    assert (one.verdict, one.score) == (other.verdict, other.score)


@settings(derandomize=True, max_examples=100)
@given(values=mixed)
def test_a_held_verdict_is_never_live_and_otherwise_the_same(values: dict[str, float | None]) -> None:
    free, held = (fuse(cues(values), ENTRY, 9, hold=hold) for hold in (False, True))
    assert held.verdict == ("undetermined" if free.verdict == "live" else free.verdict)
    assert held.held == (free.verdict == "live")
    assert ("awaited" in held.lacking) == held.held


@settings(derandomize=True, max_examples=100)
@given(values=mixed, hold=st.booleans())
def test_the_score_agrees_with_the_verdict(*, values: dict[str, float | None], hold: bool) -> None:
    evidence = fuse(cues(values), ENTRY, 9, hold=hold)
    assert 0 <= evidence.score <= 1
    assert (evidence.score >= ENTRY.live_score) == (evidence.verdict == "live")
    assert (evidence.score <= ENTRY.attack_score) == (evidence.verdict == "attack")
    assert (evidence.lacking == "") == (evidence.verdict != "undetermined")


def test_scores_have_far_more_than_ten_levels() -> None:
    found = {round(fuse(cues({"motion": value / 200}), ENTRY, 9).score, 2) for value in range(201)}
    assert len(found) > 30


def test_the_prior_shifts_every_score() -> None:
    fewer = ENTRY.__class__(**{**{n: getattr(ENTRY, n) for n in ENTRY.__struct_fields__}, "prior": 0.2})
    before = fuse(cues({"motion": 0.99}), ENTRY, 9).score
    after = fuse(cues({"motion": 0.99}), fewer, 9).score
    assert math.log(after / (1 - after)) == pytest.approx(math.log(before / (1 - before)) + logit_of(0.2))


def test_weak_caps_lie_below_the_thresholds() -> None:
    for name in WEAK:
        cap = getattr(ENTRY.caps, name)
        assert cap < -logit_of(ENTRY.attack_score)
        assert abs(ratio(Cue(name=name, score=0.0, reason=""), ENTRY)) == cap


def test_readings_of_single_frames_are_not_added_but_joined() -> None:
    readings = [Cue(name="depth", score=score, reason=str(score)) for score in (0.9, 0.95, 0.1)]
    assert joined(readings) == Cue(name="depth", score=pytest.approx(0.9), reason="0.9")
    nothing = [Cue(name="depth", score=None, reason="blind")]
    assert joined(nothing).score is None
    assert joined([*nothing, readings[0]]).score == pytest.approx(0.9)


@pytest.mark.parametrize("score", [0.01, 0.5, 0.8])
def test_a_score_is_the_chance_of_its_logit(score: float) -> None:
    assert chance(logit_of(score)) == pytest.approx(score)
    assert math.isfinite(logit_of(0.0))
    assert math.isfinite(logit_of(1.0))


def test_two_weak_cues_forbid_what_motion_says_and_three_outvote_it() -> None:
    """A film on a screen moves with the relief of a face."""
    doubted = fuse(cues({"motion": 0.99, "background": 0.05, "recapture": 0.05}), ENTRY, 9)
    assert doubted.verdict == "undetermined"
    assert UNSURE[0] <= doubted.score <= UNSURE[1]
    assert "contradict" in doubted.lacking
    outvoted = fuse(cues({"motion": 0.99, "background": 0.05, "recapture": 0.05, "light": 0.05}), ENTRY, 9)
    assert outvoted.verdict == "attack"
    answered = fuse(cues({"motion": 0.99, "background": 0.05, "recapture": 0.05, "light": 0.99}), ENTRY, 9)
    assert answered.verdict == "undetermined"
