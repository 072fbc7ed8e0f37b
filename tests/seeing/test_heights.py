"""Cameras at different heights: from a child of 1.2 m to a man of 2 m, one of them sees everybody well."""

import functools

import pytest

from hw_sim.camera.render import HEIGHT, WIDTH, Mount
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from models.tracking import view
from tests.models.portraits import reader

MOUNTS = {"low": 1.10, "middle": 1.45, "high": 1.80}
WELL = 0.3  # a frontal face at eye level with 35 pixels between the eyes has as much


@functools.cache
def views(stature_m: float, distance_m: float) -> dict[str, float]:
    """How well each camera sees somebody of this body height."""
    path = (Waypoint(time_s=0.0, distance_m=distance_m),)
    person = Walker(person="ada", stature_m=stature_m, path=path, seed=3)
    frames = {
        name: picture(Scene(present=(person,), mount=Mount(height_m=height)), 0.3)
        for name, height in MOUNTS.items()
    }
    return {name: view(reader().detect(frame), WIDTH, HEIGHT) for name, frame in frames.items()}


@pytest.mark.parametrize("distance_m", [1.6, 0.9, 0.65])
@pytest.mark.parametrize(("stature_m", "best"), [(1.2, "low"), (1.6, "middle"), (2.0, "high")])
def test_the_camera_at_the_height_of_the_eyes_sees_best(
    stature_m: float, best: str, distance_m: float
) -> None:
    seen = views(stature_m, distance_m)
    assert seen[best] > WELL
    assert seen[best] == max(seen.values())


@pytest.mark.parametrize("stature_m", [1.2, 1.35, 1.5, 1.65, 1.8, 2.0])
def test_nobody_between_the_smallest_and_the_tallest_is_missed(stature_m: float) -> None:
    assert max(views(stature_m, 0.8).values()) > WELL


def test_one_camera_alone_would_miss_some() -> None:
    assert views(1.2, 0.65)["high"] == views(2.0, 0.65)["low"] == 0.0
