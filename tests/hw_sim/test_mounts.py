"""Other cameras, legs that walk, and people of any height: what measuring heights asks of the simulator."""

import numpy as np
import numpy.typing as npt
import pytest

from hw_sim.camera import people
from hw_sim.camera.corridor import empty_lane
from hw_sim.camera.gait import Gait, Path
from hw_sim.camera.growth import grown
from hw_sim.camera.legs import legs_of, tread
from hw_sim.camera.render import GATE_LENS, GATE_MOUNT, Lens, Mount
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture

Bytes = npt.NDArray[np.uint8]

HIGH = Mount(1.70, np.deg2rad(22.0))
TALL_LENS = Lens(360, 640, 500.0)
STANDING = (Waypoint(time_s=0, distance_m=2.0),)


def shown(stature_m: float, mount: Mount, lens: Lens = TALL_LENS, person: str = "kurt") -> Bytes:
    """Where somebody is drawn: true for each pixel that differs from the empty lane."""
    walker = Walker(person=person, path=STANDING, stature_m=stature_m)
    with_person = picture(Scene(present=(walker,), lens=lens, mount=mount), 1.0)
    without = picture(Scene(lens=lens, mount=mount), 1.0)
    return np.asarray((np.abs(with_person.astype(int) - without).max(2) > 12), np.uint8)


def rows(covered: Bytes) -> tuple[int, int]:
    """The first and the last row of what is covered."""
    filled = np.flatnonzero(covered.sum(1) >= 2)
    return int(filled[0]), int(filled[-1])


def row_of(height_m: float, ahead_m: float, mount: Mount, lens: Lens) -> float:
    seen = mount.see(np.array([[0, 1.6 - height_m, ahead_m]], np.float32))
    return float(lens.project(seen)[0, 1])


@pytest.mark.parametrize("stature_m", [1.18, 1.30, 1.75])
def test_a_person_reaches_from_the_floor_to_their_height(stature_m: float) -> None:
    top, bottom = rows(shown(stature_m, HIGH))
    hair_m = 0.004
    assert top == pytest.approx(row_of(stature_m + hair_m, 2.05, HIGH, TALL_LENS), abs=3.5)
    toes = row_of(0.0, 2.075 - 0.19 * (0.66 if stature_m < 1.5 else 1.0), HIGH, TALL_LENS)
    assert bottom == pytest.approx(toes, abs=6)


def test_the_default_camera_sees_what_it_always_saw() -> None:
    assert Scene().mount == GATE_MOUNT == Mount(1.60)
    assert (empty_lane(3) == empty_lane(3, GATE_LENS, Mount(1.60, 0.0, 0.0))).all()


def test_a_level_camera_sees_its_own_height_in_the_middle_at_any_distance() -> None:
    mount = Mount(1.2)
    for ahead_m in (1.0, 3.0, 8.0):
        assert row_of(1.2, ahead_m, mount, GATE_LENS) == pytest.approx(GATE_LENS.height / 2, abs=1e-3)


def test_a_camera_that_rolls_sees_the_lane_turned() -> None:
    level, rolled = (empty_lane(0, TALL_LENS, Mount(1.7, 0.2, roll)) for roll in (0.0, np.deg2rad(90.0)))
    assert level.shape == rolled.shape
    assert np.abs(level.astype(int) - rolled).mean() > 10
    right_side_lower = Mount(1.7, 0.0, np.deg2rad(5.0)).see(np.array([[0.5, 0, 2.0]], np.float32))
    assert right_side_lower[0, 1] < 0.1  # what lies to the right is seen higher


def test_a_child_has_a_larger_head_for_its_height() -> None:
    adult, child = people.figure("kurt"), grown(people.figure("kurt"), 1.20)
    share = child.crown_m / 1.20
    assert share > 1.15 * (adult.crown_m / 1.75)
    assert child.legs is not None
    assert adult.legs is not None
    assert child.legs.bone_m < 0.7 * adult.legs.bone_m


def test_a_grown_person_of_adult_height_is_nearly_themselves() -> None:
    adult = people.figure("kurt")
    assert grown(adult, 1.70).head.points == pytest.approx(adult.head.points, abs=1e-6)


def test_a_foot_that_carries_stays_on_the_floor_and_where_it_is() -> None:
    """While the body goes ahead at the speed of its steps, the carrying foot does not slide."""
    path, hips = Path(((0.0, 4.0), (4.0, 0.0))), np.array([[-0.095, 0.82, 0], [0.095, 0.82, 0]], np.float32)
    gait, legs = Gait(seed=1, eye_height_m=1.6), legs_of(1.6)
    places = []
    for time_s in np.arange(1.0, 2.0, 0.02):
        pose = gait.pose(path, float(time_s))
        if pose.step % (2 * np.pi) < np.pi:  # the right foot carries
            shoe = legs.standing(hips + np.array([0, 0, pose.distance_m]), 1.6, pose.step, pose.stride_m)[1]
            places.append((float(shoe[..., 1].max()), float(shoe[..., 2].mean())))
    floor, ahead = np.array(places).T
    assert floor == pytest.approx(1.6, abs=1e-5)
    steps = np.diff(ahead)
    assert np.abs(steps[np.abs(steps) < 0.3]).max() < 0.02


def test_a_foot_that_swings_is_lifted_and_ends_ahead() -> None:
    assert tread(0.0) == (1.0, 0.0)
    assert tread(np.pi * 0.999)[0] == pytest.approx(-1, abs=0.01)
    assert tread(1.5 * np.pi)[1] == pytest.approx(1.0)


def test_a_walking_head_of_a_measured_person_is_never_above_their_height() -> None:
    path = Path(((0.0, 4.0), (4.0, 0.8)))
    gait = Gait(seed=5, eye_height_m=1.1, sinks=True)
    eyes = [1.6 - gait.pose(path, float(time_s)).y_m for time_s in np.linspace(0, 4, 200)]
    assert max(eyes) <= 1.1 + 1e-6
    assert min(eyes) > 1.1 - 0.04
