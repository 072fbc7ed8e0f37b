"""Who is followed from frame to frame, and who is the main person: boxes and times, no images."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face import Detection
from models.tracking import GAP_S, MAX_TRACKS, PAUSE_S, TAKEOVER_S, Sighting, Tracker, view, weight

WIDTH, HEIGHT = 1280, 720
FOCAL_PX = 1200.0  # of the simulated gate camera
FACE_M = 0.15  # the side of the detector's box on a face


def face(x: float, y: float, size: float, score: float = 0.9) -> Detection:
    """A frontal face whose box has this middle and size."""
    half = size / 2
    eyes = np.array([[x - size * 0.21, y - size * 0.15], [x + size * 0.21, y - size * 0.15]])
    return Detection(box=(x - half, y - half, x + half, y + half), eyes=eyes, score=score)


def at_distance(metres: float, aside_m: float = 0.0, up_m: float = 0.0) -> Detection:
    scale = FOCAL_PX / metres
    return face(WIDTH / 2 + aside_m * scale, HEIGHT / 2 - up_m * scale, FACE_M * scale)


def play(
    tracker: Tracker, frames: Sequence[Sequence[Detection]], fps: float, begin: float = 1.0
) -> list[Sighting]:
    return [tracker.update(frame, begin + number / fps, WIDTH) for number, frame in enumerate(frames)]


def noisy(detection: Detection, rng: np.random.Generator) -> Detection:
    """As the detector jitters: 2 % of the size."""
    x0, y0, x1, y1 = detection.box
    size = x1 - x0
    x, y = (x0 + x1) / 2 + rng.normal(0, 0.02 * size), (y0 + y1) / 2 + rng.normal(0, 0.02 * size)
    return face(x, y, size * math.exp(rng.normal(0, 0.02)))


def walk(speed: float, fps: float, seed: int) -> Iterator[Detection]:
    """Somebody comes from 3 m to 0.5 m, swaying and nodding as walkers do."""
    rng = np.random.default_rng(seed)
    for number in itertools.count():
        time_s = number / fps
        distance = 3.0 - speed * time_s
        if distance < 0.5:
            return
        aside, up = 0.05 * math.sin(2 * math.pi * 0.9 * time_s), 0.03 * math.sin(2 * math.pi * 1.8 * time_s)
        yield noisy(at_distance(distance, aside, up), rng)


# --- one person -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [7.5, 10, 15, 30])
@pytest.mark.parametrize("speed", [0.8, 1.5, 2.5, 3.5])
def test_who_walks_fast_stays_one_track(speed: float, fps: float) -> None:
    for seed in range(20):
        seen = play(Tracker(), [[each] for each in walk(speed, fps, seed)], fps)
        assert {sighting.track for sighting in seen} == {1}, (speed, fps, seed)
        assert [sighting.new_track for sighting in seen] == [True, *[False] * (len(seen) - 1)]
        assert all(sighting.main is not None for sighting in seen)


@pytest.mark.parametrize("fps", [15, 30])
def test_who_is_not_found_in_every_third_frame_stays_one_track(fps: float) -> None:
    for seed in range(20):
        frames = [[] if number % 3 == 2 else [each] for number, each in enumerate(walk(2.0, fps, seed))]
        seen = play(Tracker(), frames, fps)
        assert {sighting.track for sighting in seen} == {1}
        assert [sighting.main is None for sighting in seen] == [not frame for frame in frames]


def test_a_face_is_kept_for_the_gap_and_then_lost() -> None:
    tracker, here = Tracker(), at_distance(1.0)
    play(tracker, [[here]] * 5, 30)
    since = 1 + 4 / 30
    assert tracker.update([], since + GAP_S - 0.01, WIDTH).track == 1
    assert tracker.update([], since + GAP_S + 0.01, WIDTH) == Sighting(
        main=None, track=None, new_track=False, beside=0
    )
    again = tracker.update([here], since + GAP_S + 0.04, WIDTH)
    assert (again.track, again.new_track) == (2, True)


def test_a_slow_camera_does_not_lose_whom_it_sees_in_every_frame() -> None:
    assert {each.track for each in play(Tracker(), [[at_distance(1.0)]] * 5, 3.0)} == {1}


def test_after_a_pause_nobody_is_the_same() -> None:
    tracker = Tracker()
    play(tracker, [[at_distance(1.0)]] * 5, 30)
    assert tracker.update([at_distance(1.0)], 1 + 4 / 30 + PAUSE_S + 0.01, WIDTH).track == 2


@pytest.mark.parametrize("fps", [15, 30])
@pytest.mark.parametrize("other", [at_distance(0.75, 0.3), at_distance(0.75, -0.3), at_distance(0.45)])
def test_a_face_that_jumps_is_another_one_at_once(fps: float, other: Detection) -> None:
    seen = play(Tracker(), [*[[at_distance(0.75)]] * 5, [other]], fps)
    assert (seen[-1].track, seen[-1].new_track, seen[-1].main) == (2, True, other)


def test_after_a_reset_nobody_is_followed() -> None:
    tracker = Tracker()
    play(tracker, [[at_distance(1.0)]] * 3, 30)
    tracker.reset()
    again = tracker.update([at_distance(1.0)], 1.1, WIDTH)
    assert (again.track, again.new_track) == (2, True)


# --- several people -------------------------------------------------------------------------------


def test_the_larger_face_is_the_main_one_and_a_small_one_a_bystander() -> None:
    near, far = at_distance(0.8, -0.1), at_distance(1.4, 0.3)
    seen = play(Tracker(), [[far, near]] * 10, 15)
    assert all(each.main is near and each.beside == 0 for each in seen)


def test_of_two_as_large_the_one_in_the_middle_is_the_main_one() -> None:
    middle, aside = at_distance(1.0, 0.02), at_distance(1.0, 0.45)
    seen = play(Tracker(), [[aside, middle]] * 5, 15)
    assert all(each.main is middle and each.beside == 1 for each in seen)


def test_a_second_person_as_near_is_beside_from_the_first_frame_on() -> None:
    one, other = at_distance(0.8, -0.15), at_distance(0.85, 0.2)
    seen = play(Tracker(), [*[[one]] * 5, *[[one, other]] * 3, [one]], 15)
    assert [each.beside for each in seen] == [0, 0, 0, 0, 0, 1, 1, 1, 0]
    assert {each.track for each in seen} == {1}


def test_bystanders_who_pass_behind_change_nothing() -> None:
    rng = np.random.default_rng(7)
    people = list(walk(1.2, 15, 3))
    frames = [
        [main, noisy(at_distance(3.2, -1.2 + 0.08 * number), rng)] for number, main in enumerate(people)
    ]
    seen = play(Tracker(), frames[10:], 15)
    assert {each.track for each in seen} == {seen[0].track}
    assert all(each.main is frame[0] for each, frame in zip(seen, frames[10:], strict=True))


def test_a_bystander_does_not_take_the_place_of_who_was_missed_for_a_moment() -> None:
    main, behind = at_distance(0.8), at_distance(1.6, 0.3)
    seen = play(Tracker(), [*[[main, behind]] * 5, [behind], [main, behind]], 30)
    assert (seen[-2].main, seen[-2].track, seen[-2].new_track) == (None, 1, False)
    assert (seen[-1].main, seen[-1].track) == (main, 1)


def test_who_steps_in_front_becomes_the_main_person_after_a_while_and_begins_anew() -> None:
    fps = 30
    first, second = at_distance(1.4, 0.0), at_distance(0.8, 0.05, 0.25)
    seen = play(Tracker(), [*[[first]] * 5, *[[first, second]] * 12], fps)
    new = [number for number, each in enumerate(seen) if each.new_track]
    assert len(new) == 2
    assert (new[1] - 5) / fps == pytest.approx(TAKEOVER_S, abs=1.1 / fps)
    assert seen[-1].main is second
    assert seen[5].beside == 1, "meanwhile nothing of the first one counts"


def test_two_who_sway_about_the_same_size_do_not_take_turns() -> None:
    frames = [
        [at_distance(0.9 + 0.05 * math.sin(number), -0.2), at_distance(0.9 - 0.05 * math.sin(number), 0.2)]
        for number in range(60)
    ]
    assert {each.track for each in play(Tracker(), frames, 15)} == {1}


def test_two_who_pass_each_other_keep_their_numbers() -> None:
    frames = [
        [at_distance(1.0, -0.4 + 0.04 * number), at_distance(1.9, 0.5 - 0.05 * number, 0.1)]
        for number in range(20)
    ]
    seen = play(Tracker(), frames, 15)
    assert all(each.main is frame[0] for each, frame in zip(seen, frames, strict=True))
    assert {each.track for each in seen} == {1}


places = st.tuples(st.floats(-200, 1500), st.floats(-200, 900), st.floats(1, 900))


@given(st.lists(st.tuples(st.lists(places, max_size=12), st.floats(0.001, 1)), max_size=25))
@settings(derandomize=True, deadline=None)
def test_whatever_is_found_the_sighting_is_sound(
    frames: list[tuple[list[tuple[float, float, float]], float]],
) -> None:
    tracker, at, before = Tracker(), 0.0, None
    for where, later in frames:
        at += later
        found = [face(*place) for place in where]
        seen = tracker.update(found, at, WIDTH)
        assert seen.main is None or any(seen.main is each for each in found)
        assert seen.new_track == (seen.track is not None and seen.track != before)
        assert 0 <= seen.beside < max(len(found), 1)
        assert len(tracker._tracks) <= MAX_TRACKS
        before = seen.track


# --- how well a frame shows the person --------------------------------------------------------------


def test_nobody_is_worth_nothing() -> None:
    assert view([], WIDTH, HEIGHT) == 0.0


def test_a_view_is_better_the_nearer_and_the_more_at_eye_level() -> None:
    nearer, farther = at_distance(0.9), at_distance(1.8)
    assert view([nearer], WIDTH, HEIGHT) > view([farther], WIDTH, HEIGHT)
    assert view([farther], WIDTH, HEIGHT) > view([at_distance(1.8, up_m=0.4)], WIDTH, HEIGHT)
    assert view([farther], WIDTH, HEIGHT) > view([at_distance(1.8, up_m=-0.4)], WIDTH, HEIGHT)


def test_a_face_that_is_cut_off_is_worse_than_a_whole_one() -> None:
    assert view([face(640, 20, 200)], WIDTH, HEIGHT) < 0.5 * view([face(640, 110, 200)], WIDTH, HEIGHT)


def test_a_face_that_is_turned_away_is_worse_than_a_frontal_one() -> None:
    frontal = face(640, 360, 200)
    turned = Detection(box=frontal.box, eyes=frontal.eyes + np.array([35.0, 0.0]), score=0.9)
    assert view([turned], WIDTH, HEIGHT) < 0.6 * view([frontal], WIDTH, HEIGHT)


def test_a_view_is_of_the_main_person() -> None:
    main, other = at_distance(0.9), at_distance(1.0, 0.45)
    assert weight(main, WIDTH) > weight(other, WIDTH)
    assert view([other, main], WIDTH, HEIGHT) == view([main], WIDTH, HEIGHT)
