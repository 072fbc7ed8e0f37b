"""Pictures obey the camera's geometry: size, parallax and occlusion come out as optics has them."""

import numpy as np
import numpy.typing as npt
import pytest

from hw_sim.camera.figure import Surface
from hw_sim.camera.people import figure
from hw_sim.camera.portrait import EYE_DISTANCE_M
from hw_sim.camera.raster import affine_maps, draw
from hw_sim.camera.render import GATE_LENS, HEIGHT, WIDTH, Optics, Pose, put, put_person, turn
from models import manifest
from models.face import NOSE_TIP, Face, FaceReader, eye_centres

Bytes = npt.NDArray[np.uint8]

SQUARE = np.array([[[0, 0], [0, 20], [20, 0]], [[20, 20], [20, 0], [0, 20]]], np.float32)


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader(manifest.load())


def seen(pose: Pose, gain: float = 1.0) -> Bytes:
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    put_person(picture, GATE_LENS, figure("ada"), pose, Optics(gain))
    return picture


def face_of(reader: FaceReader, picture: Bytes) -> Face:
    (detection,) = reader.detect(picture)
    face = reader.read(picture, detection)
    assert face is not None
    return face


@pytest.mark.parametrize("distance_m", [0.7, 1.2, 2.0])
def test_eyes_are_as_far_apart_as_the_lens_makes_them(reader: FaceReader, distance_m: float) -> None:
    face = face_of(reader, seen(Pose(0, 0, distance_m, 0, 0, 0)))
    assert face.eye_distance == pytest.approx(GATE_LENS.focal_px * EYE_DISTANCE_M / distance_m, rel=0.07)
    assert eye_centres(face.points).mean(0) == pytest.approx(
        (WIDTH / 2, HEIGHT / 2), abs=0.08 * face.eye_distance
    )


def test_a_head_that_turns_moves_its_nose_against_its_eyes(reader: FaceReader) -> None:
    def nose_in_eye_distances(yaw: float) -> float:
        face = face_of(reader, seen(Pose(0, 0, 0.9, yaw, 0, 0)))
        eyes = eye_centres(face.points)
        return float((face.points[NOSE_TIP, 0] - eyes[:, 0].mean()) / face.eye_distance)

    left, ahead, right = (nose_in_eye_distances(np.deg2rad(degrees)) for degrees in (-15, 0, 15))
    assert left - ahead == pytest.approx(ahead - right, rel=0.35)
    assert abs(left - ahead) > 0.1
    assert abs(ahead) < 0.05


def test_a_head_that_tilts_tilts_its_eyes(reader: FaceReader) -> None:
    right, left = eye_centres(face_of(reader, seen(Pose(0, 0, 0.9, 0, 0, np.deg2rad(10)))).points)
    assert np.rad2deg(np.arctan2(left[1] - right[1], left[0] - right[0])) == pytest.approx(10, abs=1.5)


def test_more_light_gives_a_brighter_face() -> None:
    pose = Pose(0, 0, 0.9, 0, 0, 0)
    middle = (slice(HEIGHT // 2, HEIGHT // 2 + 60), slice(WIDTH // 2 - 30, WIDTH // 2 + 30))
    dim, bright = (seen(pose, gain)[middle].mean() for gain in (0.5, 1.0))
    assert bright / dim == pytest.approx(2.0, rel=0.1)


def test_a_person_covers_only_where_they_are() -> None:
    picture = seen(Pose(0, 0, 1.5, 0, 0, 0))
    assert (picture[:, :80] == 128).all()
    assert (picture[:, -80:] == 128).all()
    assert (picture[HEIGHT // 2, WIDTH // 2] != 128).any()


@pytest.mark.parametrize("pose", [Pose(9, 0, 1.0, 0, 0, 0), Pose(0, 0, -1.0, 0, 0, 0)])
def test_who_is_beside_or_behind_the_camera_is_not_seen(pose: Pose) -> None:
    assert (seen(pose) == 128).all()


def test_a_drawn_texture_is_the_texture() -> None:
    patch = draw(SQUARE + 5, SQUARE, (40, 30))
    assert patch is not None
    inside = patch.cover > 0
    ys, xs = np.mgrid[0 : patch.height, 0 : patch.width]
    assert np.abs(patch.map_x - (xs + patch.x - 5))[inside].max() < 1e-3
    assert np.abs(patch.map_y - (ys + patch.y - 5))[inside].max() < 1e-3
    assert inside.sum() >= 20 * 20
    assert (patch.map_x[~inside] < 0).all()


def test_triangles_outside_the_picture_are_not_drawn() -> None:
    assert draw(SQUARE - 100, SQUARE, (40, 30)) is None
    assert draw(SQUARE + 100, SQUARE, (40, 30)) is None


def test_a_triangle_without_area_takes_the_colour_of_its_corner() -> None:
    flat = np.array([[[3, 3], [3, 3], [9, 9]]], np.float32)
    (row,) = affine_maps(flat, SQUARE[:1] + 7)
    assert row.tolist() == [0, 0, 7, 0, 0, 7]


def test_of_two_surfaces_the_nearer_is_seen_and_none_from_behind() -> None:
    corners = np.array([[-1, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]], np.float32) * 0.2
    depths = np.repeat(np.array([[0, 0, 1.0], [0, 0, 2.0]], np.float32), 4, axis=0)
    points = np.tile(corners, (2, 1)) + depths
    texture = np.repeat(
        np.array([[10, 10], [40, 10]], np.float32), 4, axis=0
    )  # near: dark half, far: light half
    atlas = np.zeros((32, 64, 3), np.uint8)
    atlas[:, :32], atlas[:, 32:] = 50, 200
    faces = np.array([[0, 1, 2], [3, 2, 1], [4, 5, 6], [7, 6, 5]])
    centre = (HEIGHT // 2, WIDTH // 2)
    for turned, expected in ((faces, 50), (faces[:, ::-1], 128)):
        picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        put(
            picture,
            GATE_LENS,
            Surface(points, texture, turned, np.zeros(4, np.intp)),
            points,
            atlas,
            Optics(),
            10**6,
        )
        assert picture[centre] == pytest.approx(expected, abs=1)


def test_turning_is_a_rotation_in_its_stated_order() -> None:
    matrix = turn(0.3, -0.2, 0.1)
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-6)
    assert np.linalg.det(matrix) == pytest.approx(1)
    assert matrix == pytest.approx(turn(0.3, 0, 0) @ turn(0, -0.2, 0) @ turn(0, 0, 0.1), abs=1e-6)
