from collections.abc import Callable
from typing import TypedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face import (
    CHIN,
    LEFT_EYE,
    MAX_FACES,
    NOSE_TIP,
    POINTS,
    PORTRAIT_MARGIN,
    RIGHT_EYE,
    Window,
    eye_centres,
)
from models.tflite import Image
from tests.models.portraits import astronaut, face, hopper, moved, only, reader, turned


class Variant(TypedDict, total=False):
    degrees: float
    scale: float
    border: int


VARIANTS: list[Variant] = [
    {"degrees": 0.0},
    {"degrees": 20.0},
    {"degrees": -20.0},
    {"scale": 0.5},
    {"scale": 2.2},
    {"border": 150},
    {"degrees": 12.0, "scale": 1.5, "border": 60},
]


@pytest.mark.parametrize("portrait", [astronaut, hopper])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_mesh_follows_the_picture(portrait: Callable[[], Image], variant: Variant) -> None:
    upright = face(portrait())
    picture, matrix = turned(portrait(), **variant)
    found = face(picture)
    expected = moved(matrix, upright.points)
    off = np.hypot(*(found.points[:, :2] - expected).T) / found.eye_distance
    assert np.median(off) < 0.04
    assert off.max() < 0.2
    assert np.isfinite(found.points).all()
    height, width = picture.shape[:2]
    assert (found.points[:, :2] >= 0).all()
    assert (found.points[:, :2] < [width, height]).all()
    assert found.presence > 0.9


@pytest.mark.parametrize("portrait", [astronaut, hopper])
def test_points_lie_where_their_names_say(portrait: Callable[[], Image]) -> None:
    found = face(portrait())
    assert found.points.shape == (POINTS, 3)
    right, left = eye_centres(found.points)
    nose, chin = found.points[NOSE_TIP], found.points[CHIN]
    assert right[0] < nose[0] < left[0]  # the person's right eye is on the left of the image
    assert max(right[1], left[1]) < nose[1] < chin[1]
    assert nose[2] < found.points[[*RIGHT_EYE, *LEFT_EYE], 2].min()  # the nose is nearest to the camera
    detection = only(portrait())
    assert np.hypot(*(detection.eyes - [right, left]).T).max() < 0.25 * found.eye_distance
    x0, y0, x1, y1 = detection.box
    assert x0 < nose[0] < x1
    assert y0 < nose[1] < y1
    assert detection.area == pytest.approx((x1 - x0) * (y1 - y0))


def test_two_people_are_two_faces_the_nearer_first() -> None:
    scene = np.full((720, 1280, 3), 60, np.uint8)
    scene[100:700, 40:552] = hopper()
    scene[100:612, 700:1212] = astronaut()
    first, second = reader().detect(scene)
    assert first.eyes[:, 0].max() < 552
    assert second.eyes[:, 0].min() > 700
    assert first.area > second.area


def test_a_crowd_is_capped() -> None:
    small, _ = turned(hopper()[40:400, 100:430], scale=0.5)
    row = np.concatenate([small] * 6, axis=1)
    assert len(reader().detect(np.concatenate([row] * 3, axis=0))) <= MAX_FACES


def test_a_face_that_fills_its_image_is_found_with_a_margin() -> None:
    x0, y0, x1, y1 = (round(side) for side in only(astronaut()).box)
    grown = (y1 - y0) // 4
    portrait = np.ascontiguousarray(astronaut()[max(0, y0 - grown) : y1 + grown // 3, x0:x1])
    with_margin = face(portrait, PORTRAIT_MARGIN)
    expected = face(astronaut()).points[:, :2] - [x0, max(0, y0 - grown)]
    off = np.hypot(*(with_margin.points[:, :2] - expected).T) / with_margin.eye_distance
    assert np.median(off) < 0.06


def noise(seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (360, 640, 3), np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((720, 1280, 3), np.uint8),
        np.full((720, 1280, 3), 255, np.uint8),
        noise(1),
        noise(2),
        astronaut()[300:, 300:],  # a sleeve
        np.full((1, 1, 3), 128, np.uint8),
        np.full((1, 3000, 3), 128, np.uint8),
        np.full((3000, 1, 3), 128, np.uint8),
    ],
    ids=["black", "white", "noise", "more noise", "sleeve", "one pixel", "a row", "a column"],
)
def test_where_nobody_is_nobody_is_found(image: Image) -> None:
    assert reader().detect(np.ascontiguousarray(image)) == ()


def test_a_detection_without_a_face_has_no_mesh() -> None:
    detection = only(astronaut())
    assert reader().read(np.zeros_like(astronaut()), detection) is None


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    degrees=st.floats(-180, 180),
    scale=st.floats(0.05, 2.0),
    border=st.integers(0, 200),
    crop=st.tuples(st.integers(0, 300), st.integers(0, 300)),
)
def test_whatever_is_found_is_finite(
    degrees: float, scale: float, border: int, crop: tuple[int, int]
) -> None:
    picture, _ = turned(astronaut()[crop[0] :, crop[1] :], degrees, scale, border)
    for detection in reader().detect(picture):
        assert np.isfinite(detection.box).all()
        assert np.isfinite(detection.eyes).all()
        assert 0 <= detection.score <= 1
        found = reader().read(picture, detection)
        assert found is None or np.isfinite(found.points).all()


def test_reading_twice_gives_the_same() -> None:
    first, second = face(hopper()), face(hopper())
    assert np.array_equal(first.points, second.points)
    reader().wipe()
    assert np.array_equal(face(hopper()).points, first.points)


def test_a_window_maps_its_corners() -> None:
    window = Window(x=100, y=50, side=40, angle=np.pi / 2)
    matrix = window.to_image(21)
    assert matrix @ [10, 10, 1] == pytest.approx([100, 50])  # middle to middle
    across = matrix[:, :2] @ [20, 0]
    assert across == pytest.approx([0, 40 * 20 / 21])  # turned clockwise: x of the input runs downward


# --- following ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [(0, 0), (12, 5), (-20, 10)])
def test_a_face_that_moved_a_little_is_followed_to_where_the_detector_finds_it(
    shift: tuple[int, int],
) -> None:
    before, _ = turned(astronaut(), border=60)
    after = np.roll(before, shift, axis=(1, 0))
    followed = reader().follow(after, face(before))
    assert followed is not None
    expected = face(after)
    off = np.hypot(*(followed.points - expected.points)[:, :2].T) / expected.eye_distance
    assert off.max() < 0.06
    assert off.mean() < 0.02


def test_a_face_that_moved_far_is_not_followed_halfway() -> None:
    before, _ = turned(astronaut(), border=200)
    last = face(before)
    for across in np.arange(0.4, 3.0, 0.1) * last.eye_distance:
        after = np.roll(before, round(across), axis=1)
        followed = reader().follow(after, last)
        if followed is not None:
            off = np.hypot(*(followed.points - face(after).points)[:, :2].T) / last.eye_distance
            assert off.mean() < 0.05, across


def test_nothing_is_followed_into_an_empty_image() -> None:
    assert reader().follow(np.full((720, 1280, 3), 90, np.uint8), face(astronaut())) is None
