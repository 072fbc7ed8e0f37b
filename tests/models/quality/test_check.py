"""Which faces may be matched, what the others are told, and which shot is the best."""

from collections.abc import Callable, Collection
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gated.core.vocabulary import Hint
from hw_sim.camera.presence import Apparel
from models.face import POINTS, Detection, Face
from models.quality import needs
from models.quality.check import Quality, QualityCheck
from models.quality.components import COMPONENTS
from models.quality.heads import NAMES, HeadReading
from models.quality.measures import shape as of_shape
from models.quality.needs import Box
from models.quality.pose import head_pose
from models.quality.worth import worth
from models.tflite import Image
from tests.models.portraits import MODELS, astronaut, face, hopper, only
from tests.models.quality.heads import SIZE, head, plain, sharp, smeared, wearing

NEEDS, WORTH = MODELS.quality.needs, MODELS.quality.worth
CHECK = QualityCheck(MODELS)
MIDDLE = SIZE / 2
NOTHING: frozenset[str] = frozenset()


def reading(**probabilities: float) -> HeadReading:
    """What the network might say, zero unless given."""
    return HeadReading(**{**dict.fromkeys(NAMES, 0.0), **probabilities})


BARE = reading()


def told(found: Face, image: Image | None = None, seen: Collection[str] = NOTHING) -> tuple[Hint, ...]:
    """What the rules say of a mesh in a sharp picture, whatever a network would see in noise."""
    image = sharp() if image is None else image
    height, width = image.shape[:2]
    native = CHECK.assess(image, found).native
    return needs.hints(Box.of(found.points), width, height, native, seen, NEEDS)


def large(portrait: Callable[[], Image]) -> Image:
    picture: Image = cv2.resize(portrait(), None, fx=2, fy=2)
    return picture


@pytest.mark.parametrize("portrait", [astronaut, hopper])
def test_a_portrait_is_usable(portrait: Callable[[], Image]) -> None:
    found = CHECK.assess(large(portrait), face(large(portrait)))
    assert found.usable
    assert found.hints == found.faults == ()
    assert 0.8 < found.value <= 1
    assert set(found.components) == set(COMPONENTS)
    assert all(value is not None for value in found.components.values())


# --- what the person is told --------------------------------------------------------------------------


def test_a_far_face_shall_come_closer_and_nothing_else() -> None:
    assert told(head(NEEDS.min_eyes_px - 1)) == (Hint.COME_CLOSER,)
    assert told(head(NEEDS.min_eyes_px + 1)) == ()
    assert told(head(NEEDS.min_eyes_px - 5, yaw=60), plain(), {"mask"}) == (Hint.COME_CLOSER,)


def test_a_face_that_leaves_the_frame_on_all_sides_shall_step_back() -> None:
    assert told(head(360)) == (Hint.STEP_BACK,)
    assert told(head(160)) == ()


@pytest.mark.parametrize("side", [40, SIZE - 40])
def test_a_face_that_is_cut_above_or_below_shall_step_back(side: float) -> None:
    assert told(head(at=(MIDDLE, side))) == (Hint.STEP_BACK,)


def test_a_face_that_is_cut_at_a_side_shall_move_to_the_other_as_the_person_sees_it() -> None:
    # the camera does not mirror: the left of the image is the person's right
    assert told(head(at=(40, MIDDLE))) == (Hint.MOVE_LEFT,)
    assert told(head(at=(SIZE - 40, MIDDLE))) == (Hint.MOVE_RIGHT,)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("axis", ["yaw", "pitch", "roll"])
def test_a_turned_head_shall_look_here(axis: str, sign: int) -> None:
    most = getattr(NEEDS, f"max_{axis}")
    straight = getattr(head_pose(head().points), axis)
    assert told(head(**{axis: sign * (most - 2) - straight})) == ()
    assert Hint.LOOK_HERE in told(head(**{axis: sign * (most + 3) - straight}))


@pytest.mark.parametrize(
    ("seen", "hint"),
    [
        ("mask", Hint.TAKE_OFF_MASK),
        ("sunglasses", Hint.TAKE_OFF_GLASSES),
        ("eyes_closed", Hint.OPEN_YOUR_EYES),
    ],
)
def test_what_covers_a_face_shall_come_off_and_closed_eyes_open(seen: str, hint: Hint) -> None:
    assert told(head(), seen={seen}) == (hint,)


def test_nobody_shall_open_eyes_that_are_behind_dark_glasses() -> None:
    assert told(head(), seen={"sunglasses", "eyes_closed"}) == (Hint.TAKE_OFF_GLASSES,)


def test_a_head_covering_is_nobodys_business() -> None:
    assert told(head(), seen={"head_covering"}) == ()


def test_a_blurred_face_shall_stand_still() -> None:
    picture = large(hopper)
    found = face(picture)
    moved = smeared(picture, round(0.25 * found.eye_distance))
    assert CHECK.assess(moved, found).hints == (Hint.STAND_STILL,)
    slightly = smeared(picture, round(0.04 * found.eye_distance))
    assert CHECK.assess(slightly, found).usable


@pytest.mark.parametrize("person", ["kurt", "emmy"])
@pytest.mark.parametrize(
    ("kind", "hints"),
    [
        ("mask", (Hint.TAKE_OFF_MASK,)),
        ("sunglasses", (Hint.TAKE_OFF_GLASSES,)),
        ("glasses", ()),
        ("headscarf", ()),
    ],
)
def test_what_a_rendered_person_wears_is_seen(person: str, kind: Apparel, hints: tuple[Hint, ...]) -> None:
    frame = wearing(person, kind)
    assert CHECK.assess(frame, face(frame)).hints == hints
    assert CHECK.glimpse(frame, only(frame)) == (hints or (Hint.LOOK_HERE,))


def test_a_face_without_a_mesh_is_told_first_how_far_to_stand() -> None:
    far = wearing("kurt", "mask", distance_m=2.2)
    assert CHECK.glimpse(far, only(far)) == (Hint.COME_CLOSER,)
    eyes = np.array([(200.0, 300.0), (400.0, 300.0)])
    huge = Detection(box=(-100, -100, 700, 700), eyes=eyes, score=1)
    assert CHECK.glimpse(sharp(), huge) == (Hint.STEP_BACK,)


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (1e9, 1e9, -1e9, -1e9), (5, 5, 5, 5)])
def test_any_detection_can_be_glimpsed_at(box: tuple[float, float, float, float]) -> None:
    for eyes in (np.zeros((2, 2)), np.array([[1e7, 0], [-1e7, 5]]), np.array([[3.0, 3], [3, 3]])):
        assert CHECK.glimpse(sharp(), Detection(box=box, eyes=eyes, score=1))


def test_the_most_helpful_comes_first() -> None:
    everything = told(head(yaw=60), plain(), {"mask", "sunglasses"})
    assert everything == (
        Hint.LOOK_HERE,
        Hint.TAKE_OFF_MASK,
        Hint.TAKE_OFF_GLASSES,
        Hint.STAND_STILL,
    )


@pytest.mark.parametrize(("gain", "fault"), [(0.1, "too_dark"), (3.5, "too_bright")])
def test_bad_light_is_the_gates_fault_and_no_order_to_the_person(gain: float, fault: str) -> None:
    picture = np.clip(large(hopper) * gain, 0, 255).astype(np.uint8)
    found = CHECK.assess(picture, face(large(hopper)))
    assert found.faults == (fault,)
    assert not found.usable


# --- which shot is the best ---------------------------------------------------------------------------


def value(found: Face, image: Image | None = None, heads: HeadReading = BARE) -> float:
    image = sharp() if image is None else image
    native = CHECK.assess(image, found).native
    cut = Box.of(found.points).cut(image.shape[1], image.shape[0])
    return worth(native, found.presence, cut, heads, WORTH)


def test_a_better_shot_has_a_higher_value() -> None:
    best = value(head())
    assert best > 0.85
    worse = {
        "far": value(head(60)),
        "turned": value(head(yaw=25)),
        "nodding": value(head(pitch=-30)),
        "dark": value(head(), sharp(25)),
        "bright": value(head(), sharp(250)),
        "without detail": value(head(), plain()),
        "cut": value(head(at=(20, MIDDLE))),
        "masked": value(head(), heads=reading(mask=1)),
        "behind glasses": value(head(), heads=reading(sunglasses=1)),
        "asleep": value(head(), heads=reading(eyes_closed=1)),
        "hardly a face": value(replace(head(), presence=0.5)),
    }
    assert {name: each for name, each in worse.items() if each >= best} == {}


def test_value_falls_with_the_turn_of_the_head() -> None:
    values = [value(head(yaw=yaw)) for yaw in (0, 10, 20, 30, 40)]
    assert values == sorted(values, reverse=True)


def test_value_falls_with_blur() -> None:
    picture, found = large(hopper), face(large(hopper))
    values = [CHECK.assess(smeared(picture, size), found).value for size in (1, 25, 45)]
    assert values == sorted(set(values), reverse=True)


def test_a_second_face_counts_by_its_size() -> None:
    def present(*sides: float) -> int | None:
        boxes = [(0.0, 0.0, side, side) for side in sides]
        detections = [Detection(box=box, eyes=np.zeros((2, 2)), score=1) for box in boxes]
        return CHECK.assess(sharp(), head(), detections).components["single_face_present"]

    assert present() == present(200) == 100
    assert present(200, 50) == present(50, 200) == 75
    assert present(200, 200) == 0


# --- whatever a camera shows --------------------------------------------------------------------------


def is_sound(found: Quality) -> bool:
    numbers = [*found.native.values(), found.value, *found.box]
    return (
        bool(np.isfinite(numbers).all())
        and 0 <= found.value <= 1
        and all(value is None or 0 <= value <= 100 for value in found.components.values())
    )


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.integers(0, 255),
    st.floats(0.01, 1e4),
    st.tuples(st.floats(-89, 89), st.floats(-89, 89), st.floats(-180, 180)),
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
)
def test_any_face_anywhere_in_any_image_is_assessed(
    size: tuple[int, int],
    level: int,
    eyes_px: float,
    pose: tuple[float, float, float],
    at: tuple[float, float],
) -> None:
    noise = np.random.default_rng(level).integers(0, level + 1, (*size, 3), dtype=np.uint8)
    assert is_sound(CHECK.assess(noise, head(eyes_px, *pose, at)))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(arrays.arrays(np.float64, (6, 3), elements=st.floats(-1e5, 1e5, width=32)), st.integers(0, 2**32 - 1))
def test_any_468_points_are_a_face_to_it(corners: np.ndarray, seed: int) -> None:
    chosen = np.random.default_rng(seed).integers(0, len(corners), POINTS)
    assert is_sound(CHECK.assess(sharp(), Face(points=corners[chosen], presence=0.5)))


def test_an_assessment_leaves_image_and_mesh_as_they_were() -> None:
    picture, found = large(hopper), face(large(hopper))
    before = picture.copy(), found.points.copy()
    CHECK.assess(picture, found)
    assert (picture == before[0]).all()
    assert (found.points == before[1]).all()


def test_measures_of_a_mesh_need_no_image() -> None:
    found = head()
    assert of_shape(found.points, head_pose(found.points), 1, 1)["head_size"] > 0
