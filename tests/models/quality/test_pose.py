from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.camera.people import PEOPLE
from models.face import Points
from models.quality.pose import Pose, head_pose
from tests.models.heads import shape
from tests.models.portraits import astronaut, face, hopper, turned
from tests.models.quality.heads import head, placed

ANGLE = st.floats(-45, 45)


@pytest.mark.parametrize("axis", ["yaw", "pitch", "roll"])
@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_pose_is_that_of_the_head(axis: str, degrees: float) -> None:
    straight, found = head_pose(head().points), head_pose(head(**{axis: degrees}).points)
    assert getattr(found, axis) - getattr(straight, axis) == pytest.approx(degrees, abs=1)
    # the renderer turns a head about its own axes, which are pitched against ours
    askew = 1.5 + abs(straight.pitch * np.sin(np.deg2rad(degrees)))
    for other in {"yaw", "pitch", "roll"} - {axis}:
        assert getattr(found, other) - getattr(straight, other) == pytest.approx(0, abs=askew)


def test_faces_of_everybody_that_look_straight_ahead_have_no_pose() -> None:
    for person in PEOPLE:
        yaw, pitch, roll = head_pose(placed(shape(person), 120, 0, 0, 0, (300, 300)))
        assert yaw == pytest.approx(0, abs=1)
        assert pitch == pytest.approx(0, abs=8)  # the renderer calls this straight ahead
        assert roll == pytest.approx(0, abs=1)


@settings(derandomize=True, max_examples=100)
@given(ANGLE, ANGLE, ANGLE, st.floats(5, 2000), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_neither_size_nor_place_changes_the_pose(
    yaw: float, pitch: float, roll: float, eyes_px: float, x: float, y: float
) -> None:
    near = head_pose(head(yaw=yaw, pitch=pitch, roll=roll).points)
    far = head_pose(head(eyes_px, yaw, pitch, roll, (x, y)).points)
    assert far == pytest.approx(near, abs=1e-3)


def test_a_mirrored_face_has_the_opposite_yaw_and_roll() -> None:
    found = head_pose(face(astronaut()).points)
    mirrored = head_pose(face(np.ascontiguousarray(astronaut()[:, ::-1])).points)
    assert mirrored.yaw == pytest.approx(-found.yaw, abs=2)
    assert mirrored.pitch == pytest.approx(found.pitch, abs=2)
    assert mirrored.roll == pytest.approx(-found.roll, abs=2)


@pytest.mark.parametrize("degrees", [-20, 20])
def test_roll_is_that_of_the_picture(degrees: float) -> None:
    picture, _ = turned(hopper(), degrees)
    upright, rolled = head_pose(face(hopper()).points), head_pose(face(picture).points)
    assert rolled.roll - upright.roll == pytest.approx(-degrees, abs=2)


def test_the_mouth_and_the_lids_have_no_part_in_it() -> None:
    def moved() -> Iterator[Points]:
        points = head(yaw=10).points
        yield points
        lips_and_chin = points.copy()
        lips_and_chin[[13, 14, 17, 152, 148, 377, 61, 291]] += [0, 25, 0]
        yield lips_and_chin
        lids = points.copy()
        lids[[159, 145, 386, 374]] += [0, 5, 0]
        yield lids

    found = [head_pose(points) for points in moved()]
    assert found == [found[0]] * 3


def test_any_mesh_has_a_pose() -> None:
    for points in (
        np.zeros((468, 3)),
        np.ones((468, 3)) * 1e6,
        np.random.default_rng(1).normal(0, 1e5, (468, 3)),
    ):
        assert np.isfinite(head_pose(points)).all()
    assert isinstance(head_pose(np.zeros((468, 3))), Pose)
