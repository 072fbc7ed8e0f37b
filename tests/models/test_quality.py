from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from hw_sim.camera.render import turn
from models.face import Face
from models.quality.check import BRIGHT, DARK, GOOD_EYES_PX, MAX_TURN, MIN_EYES_PX, MIN_SHARPNESS, assess, pose
from models.tflite import Image
from tests.models.heads import shape
from tests.models.portraits import astronaut, face, hopper, turned

SIZE = 600


def head(eyes_px: float = 120.0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Face:
    """A mesh in the middle of a picture, seen from far away."""
    upright = shape()
    rotation = turn(*np.deg2rad([yaw, pitch, roll])).T.astype(np.float64)
    scale = eyes_px / Face(points=upright, presence=1.0).eye_distance
    points = upright @ rotation * scale + [SIZE / 2, SIZE / 2, 0]
    return Face(points=points, presence=1.0)


def sharp(level: int = 128) -> Image:
    """Everywhere full of detail, with this mean luminance."""
    chance = np.random.default_rng(1)
    noise = chance.normal(level, 25, (SIZE // 4, SIZE // 4, 1)).clip(0, 255).astype(np.uint8)
    large: Image = cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
    return np.repeat(large[..., None], 3, axis=2)


def plain(level: int = 128) -> Image:
    return np.full((SIZE, SIZE, 3), level, np.uint8)


@pytest.mark.parametrize("portrait", [astronaut, hopper])
def test_a_portrait_is_usable(portrait: Callable[[], Image]) -> None:
    picture = cv2.resize(portrait(), None, fx=2, fy=2)
    found = assess(picture, face(picture))
    assert found.usable
    assert found.hint == ""
    assert 0.5 < found.value <= 1
    assert DARK < found.luminance < BRIGHT


def test_a_far_face_shall_come_closer_and_a_near_one_need_not() -> None:
    assert assess(sharp(), head(MIN_EYES_PX - 1)).hint == "come_closer"
    assert assess(sharp(), head(MIN_EYES_PX + 1)).usable


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("axis", ["yaw", "pitch", "roll"])
def test_a_turned_head_shall_look_here(axis: str, sign: int) -> None:
    assert assess(sharp(), head(**{axis: sign * (MAX_TURN - 3)})).usable
    assert assess(sharp(), head(**{axis: sign * (MAX_TURN + 3)})).hint == "look_here"


@pytest.mark.parametrize(
    "image",
    [plain(), sharp(8), plain(250), cv2.GaussianBlur(sharp(), (0, 0), 12)],
    ids=["no detail", "dark", "bright", "blurred"],
)
def test_what_cannot_be_seen_shall_stand_still(image: Image) -> None:
    found = assess(image, head())
    assert found.hint == "stand_still"
    assert not found.usable


def test_hints_come_in_order_of_need() -> None:
    nothing_right = assess(plain(0), head(MIN_EYES_PX - 5, yaw=60))
    assert nothing_right.hint == "come_closer"
    assert assess(plain(0), head(yaw=60)).hint == "look_here"
    assert assess(plain(0), head()).hint == "stand_still"


def test_blur_takes_sharpness_and_value() -> None:
    picture = cv2.resize(astronaut(), None, fx=2, fy=2)
    found = face(picture)
    values = [
        assess(picture if not sigma else cv2.GaussianBlur(picture, (0, 0), sigma), found)
        for sigma in (0, 2, 4, 8)
    ]
    assert [v.sharpness for v in values] == sorted((v.sharpness for v in values), reverse=True)
    assert [v.value for v in values] == sorted((v.value for v in values), reverse=True)
    assert values[0].usable
    assert values[-1].sharpness < MIN_SHARPNESS


def test_sharpness_does_not_depend_on_distance() -> None:
    sizes = [cv2.resize(astronaut(), None, fx=scale, fy=scale) for scale in (1.5, 2, 3)]
    found = [assess(picture, face(picture)).sharpness for picture in sizes]
    assert max(found) < 1.6 * min(found)


def test_value_prefers_near_frontal_and_sharp() -> None:
    best = assess(sharp(), head(GOOD_EYES_PX))
    assert best.value == pytest.approx(1.0, abs=0.1)
    assert assess(sharp(), head(GOOD_EYES_PX * 0.6)).value < best.value
    assert assess(sharp(), head(GOOD_EYES_PX, yaw=20)).value < best.value
    assert assess(plain(), head(GOOD_EYES_PX)).value < best.value
    assert assess(sharp(), head(3 * GOOD_EYES_PX)).value <= 1


@pytest.mark.parametrize("degrees", [-20, 0, 20])
def test_roll_is_that_of_the_picture(degrees: float) -> None:
    picture, _ = turned(hopper(), degrees)
    upright, rolled = pose(face(hopper()).points)[2], pose(face(picture).points)[2]
    assert rolled - upright == pytest.approx(-degrees, abs=3)


@pytest.mark.parametrize("degrees", [-20, 0, 20])
def test_pose_is_that_of_the_head(degrees: float) -> None:
    yaw, pitch, roll = pose(head(yaw=degrees).points)
    assert yaw == pytest.approx(-degrees, abs=1)
    assert (pitch, roll) == pytest.approx((0, 0), abs=1)
    assert pose(head(pitch=degrees).points)[1] == pytest.approx(degrees, abs=1)


def test_a_mirrored_face_has_the_opposite_yaw() -> None:
    yaw = pose(face(astronaut()).points)[0]
    assert pose(face(np.ascontiguousarray(astronaut()[:, ::-1])).points)[0] == pytest.approx(-yaw, abs=2)


@pytest.mark.parametrize("shift", [(-1000, 0), (1000, 0), (0, -1000), (0, 1000), (-330, 0)])
def test_a_face_at_or_beyond_the_edge_of_the_picture_does_no_harm(shift: tuple[float, float]) -> None:
    there = head()
    found = assess(sharp(), replace(there, points=there.points + np.array([*shift, 0.0])))
    assert 0 <= found.value <= 1
    assert np.isfinite(found.sharpness)
