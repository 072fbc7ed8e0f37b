"""A scene is a pure function of what is in it and of time; the gate's own models see in it what it says."""

import numpy as np
import numpy.typing as npt
import pytest

from hw_sim.camera import scene as scenes
from hw_sim.camera import staging
from hw_sim.camera.corridor import empty_lane
from hw_sim.camera.gait import Gait, Grip, Path
from hw_sim.camera.people import PEOPLE, passport_photo
from hw_sim.camera.portrait import EYE_DISTANCE_M
from hw_sim.camera.render import GATE_LENS
from hw_sim.camera.scene import PhotoHolder, Presence, Scene, Walker, Waypoint, picture, unknown_person
from models import manifest
from models.face import Detection, Face, FaceReader
from tests.hw_sim.test_people import Gallery

Bytes = npt.NDArray[np.uint8]

APPROACH = (Waypoint(time_s=0, distance_m=2.6), Waypoint(time_s=2, distance_m=0.7))


def at(distance_m: float) -> tuple[Waypoint, ...]:
    return (Waypoint(time_s=0, distance_m=distance_m),)


def seen(*present: Presence, time_s: float = 1.0, seed: int = 0) -> Bytes:
    return picture(Scene(present=present, seed=seed), time_s)


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader(manifest.load())


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery()


def only(faces: tuple[Detection, ...]) -> Detection:
    (face,) = faces
    return face


def mesh(reader: FaceReader, image: Bytes, detection: Detection) -> Face:
    face = reader.read(image, detection)
    assert face is not None
    return face


@pytest.mark.parametrize("distance_m", [2.5, 1.5, 0.8])
@pytest.mark.parametrize("name", PEOPLE)
def test_the_gate_sees_one_face_of_the_right_size(reader: FaceReader, name: str, distance_m: float) -> None:
    image = seen(Walker(person=name, path=at(distance_m), seed=4))
    face = mesh(reader, image, only(reader.detect(image)))
    assert face.eye_distance == pytest.approx(GATE_LENS.focal_px * EYE_DISTANCE_M / distance_m, rel=0.12)


def test_an_empty_lane_has_no_face(reader: FaceReader) -> None:
    for seed in range(3):
        assert reader.detect(seen(seed=seed)) == ()


def test_the_same_scene_and_moment_give_the_same_picture() -> None:
    walker = Walker(person="ada", path=APPROACH, seed=2)
    first = seen(walker, time_s=0.7)
    staging._gait.cache_clear()
    assert (seen(walker, time_s=0.7) == first).all()


def test_another_seed_or_moment_gives_another_picture() -> None:
    first = seen(Walker(person="ada", path=APPROACH, seed=2))
    assert (seen(Walker(person="ada", path=APPROACH, seed=3)) != first).any()
    assert (seen(Walker(person="ada", path=APPROACH, seed=2), time_s=1.1) != first).any()
    assert (seen(Walker(person="ada", path=APPROACH, seed=2), seed=1) != first).any()


def test_somebody_beyond_the_hall_is_not_seen() -> None:
    assert (seen(Walker(person="ada", path=at(8.6))) == seen()).all()
    assert (seen(Walker(person="ada", path=at(8.0))) != seen()).any()


def test_two_people_are_two_faces_the_nearer_one_larger(reader: FaceReader) -> None:
    near = Walker(person="carl", path=at(1.0), aside_m=-0.2)
    far = Walker(person="sofia", path=at(1.6), aside_m=0.3)
    image = seen(near, far)
    first, second = reader.detect(image)
    assert first.eyes[:, 0].mean() < 640 < second.eyes[:, 0].mean()
    assert (seen(far, near) == image).all()  # the order of naming does not matter, distance does


def test_who_stands_behind_another_is_hidden(reader: FaceReader) -> None:
    image = seen(Walker(person="sofia", path=at(2.5)), Walker(person="carl", path=at(0.8)))
    face = only(reader.detect(image))
    assert face.area == pytest.approx(
        only(reader.detect(seen(Walker(person="carl", path=at(0.8))))).area, rel=0.05
    )


@pytest.mark.parametrize("bend_radius_m", [None, 0.3, 0.12])
def test_a_held_photograph_shows_whom_it_shows(gallery: Gallery, bend_radius_m: float | None) -> None:
    found = gallery.embedding(
        seen(PhotoHolder(person="carl", photo_of="ada", path=at(1.1), bend_radius_m=bend_radius_m, seed=6))
    )
    assert gallery.embedder.score(found, gallery.photos["ada"]) > gallery.threshold(0.001)
    assert gallery.embedder.score(found, gallery.photos["carl"]) < gallery.threshold(0.01)


def test_a_printed_face_has_four_fifths_of_the_size_of_a_face(reader: FaceReader) -> None:
    image = seen(PhotoHolder(person="carl", photo_of="ada", path=at(1.1), seed=6))
    distance_m = 1.1 - Grip(6)._reach_m
    life_size = GATE_LENS.focal_px * EYE_DISTANCE_M / distance_m
    assert mesh(reader, image, reader.detect(image)[0]).eye_distance == pytest.approx(
        0.8 * life_size, rel=0.1
    )


def test_the_wall_stands_still_while_people_walk() -> None:
    walker = Walker(person="blaise", path=APPROACH)
    frames = np.stack([seen(walker, time_s=time_s)[:100, :100] for time_s in (0.2, 0.6, 1.0, 1.4)])
    assert np.abs(frames.mean(0) - empty_lane(0)[:100, :100]).mean() < 2


def test_noise_differs_from_frame_to_frame_and_has_no_mean() -> None:
    first, second = (seen(time_s=time_s).astype(np.int16) for time_s in (1.0, 1.1))
    difference = first - second
    assert 1.5 < difference.std() < 6
    assert abs(difference.mean()) < 0.05


def test_a_path_is_straight_between_its_points_and_constant_beyond() -> None:
    path = Path(((1.0, 3.0), (2.0, 2.0), (4.0, 1.0)))
    assert [path.at(time_s)[0] for time_s in (0, 1.5, 3, 9)] == [3.0, 2.5, 1.5, 1.0]
    assert path.at(1.5)[1] == pytest.approx(1.0)
    assert path.at(9)[1] == 0


def test_who_walks_bobs_and_who_stands_hardly_moves() -> None:
    gait = Gait(seed=1, eye_height_m=1.6)
    times = np.linspace(0, 2, 60)
    walking, standing = (
        np.ptp([gait.pose(path, time_s).y_m for time_s in times])
        for path in (Path(((0, 4.0), (4, 0.8))), Path(((0, 1.0),)))
    )
    assert 0.01 < walking < 0.04
    assert standing < 0.001


def test_who_is_asked_turns_the_head_to_both_sides_and_looks_ahead_again() -> None:
    gait = Gait(seed=3, eye_height_m=1.6)
    yaws = np.rad2deg([gait.turned((10.0,), time_s) for time_s in np.arange(9.0, 13.0, 0.05)])
    assert 8 <= yaws.max() <= 16
    assert yaws.min() == pytest.approx(-yaws.max())
    assert gait.turned((10.0,), 9.99) == 0
    assert gait.turned((10.0,), 12.0) == 0


def test_a_turn_of_the_head_is_seen(reader: FaceReader) -> None:
    turning = Walker(person="ada", path=at(0.9), turns_s=(2.0,))
    noses = []
    for time_s in (2.4, 3.2):  # to one side, to the other
        image = seen(turning, time_s=time_s)
        face = mesh(reader, image, only(reader.detect(image)))
        noses.append((face.points[1, 0] - face.points[:, 0].mean()) / face.eye_distance)
    assert abs(noses[1] - noses[0]) > 0.1


def test_nobody_comes_nearer_than_the_lens_allows() -> None:
    assert Gait(seed=1, eye_height_m=1.6).pose(Path(((0, -1.0),)), 1.0).distance_m >= 0.3


def test_unknown_people_are_named() -> None:
    known = Walker(person="ada", path=at(1))
    holder = PhotoHolder(person="zoe", photo_of="yan", path=at(1))
    assert unknown_person(Scene(present=(known,))) is None
    assert unknown_person(Scene(present=(known, holder))) == "nobody is called yan, zoe"


def test_preparing_makes_what_the_first_frame_needs() -> None:
    staging._print.cache_clear()
    scenes.prepare(Scene(present=(PhotoHolder(person="kurt", photo_of="emmy", path=at(1)),), seed=9))
    assert staging._print.cache_info().currsize == 1
    seen(PhotoHolder(person="kurt", photo_of="emmy", path=at(1)))
    assert staging._print.cache_info().misses == 1


def test_a_print_is_made_of_the_passport_portrait_of_another_sitting() -> None:
    assert passport_photo("ada", seed=7) != passport_photo("ada", seed=0)
