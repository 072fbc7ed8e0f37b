"""What is measured of a face, on pictures whose light, detail and geometry are known."""

import cv2
import numpy as np
import pytest

from models.face import CHIN, Face
from models.quality import measures
from models.quality.pose import head_pose
from models.tflite import Image
from tests.models.portraits import astronaut, face, hopper
from tests.models.quality.heads import SIZE, head, plain, sharp, smeared

LEVELS = [0, 30, 60, 128, 200, 255]


def luminance(level: float) -> float:
    """Of linear light, 0..1 (IEC 61966-2-1)."""
    level /= 255
    return ((level + 0.055) / 1.055) ** 2.4 if level > 0.04045 else level / 12.92


def of_shape(found: Face, width: int = SIZE, height: int = SIZE) -> dict[str, float]:
    return measures.shape(found.points, head_pose(found.points), width, height)


@pytest.mark.parametrize("level", LEVELS)
def test_luminance_is_that_of_linear_light(level: int) -> None:
    found = measures.light(plain(level), head().points)
    assert found["luminance_mean"] == pytest.approx(luminance(level), abs=0.003)
    assert found["luminance_variance"] == pytest.approx(0, abs=1e-9)
    assert found["dynamic_range"] == 0
    assert found["illumination_uniformity"] == 1


def test_pixels_that_show_nothing_are_counted() -> None:
    half = plain(0)
    half[:, SIZE // 2 :] = 255
    found = measures.light(half, head().points)
    assert found["under_exposure_prevention"] == pytest.approx(0.5, abs=0.03)
    assert found["over_exposure_prevention"] == pytest.approx(0.5, abs=0.03)
    assert found["dynamic_range"] == pytest.approx(1, abs=0.15)  # bits: one of two levels
    assert found["illumination_uniformity"] < 0.1
    assert found["luminance_variance"] == pytest.approx(0.25, abs=0.02)


def test_only_the_face_counts_not_what_is_around_it() -> None:
    picture = plain(255)
    found = head()
    low, high = found.points[:, :2].min(0).astype(int), found.points[:, :2].max(0).astype(int)
    picture[low[1] - 5 : high[1] + 5, low[0] - 5 : high[0] + 5] = 128
    assert measures.light(picture, found.points)["over_exposure_prevention"] == 0


@pytest.mark.parametrize(
    ("colour", "is_natural"),
    [((130, 150, 200), True), ((60, 80, 120), True), ((128, 128, 128), False), ((200, 120, 90), False)],
    ids=["light skin", "dark skin", "grey", "blue"],
)
def test_skin_has_natural_colour(colour: tuple[int, int, int], is_natural: bool) -> None:  # noqa: FBT001
    picture = np.tile(np.array(colour, np.uint8), (SIZE, SIZE, 1))
    assert (measures.light(picture, head().points)["natural_colour"] == 0) is is_natural


def test_light_from_the_side_is_uneven() -> None:
    shade = np.clip(np.linspace(-0.4, 1.6, SIZE), 0, 1)[None, :, None]
    even = measures.light(sharp(), head().points)["illumination_uniformity"]
    uneven = measures.light((sharp() * shade).astype(np.uint8), head().points)["illumination_uniformity"]
    assert uneven < even / 2


def test_size_of_the_face_does_not_change_its_light() -> None:
    near = measures.light(cv2.resize(hopper(), None, fx=2, fy=2), face(hopper()).points * 2)
    far = measures.light(hopper(), face(hopper()).points)
    assert near == pytest.approx(far, rel=0.06, abs=0.01)


def test_a_face_outside_the_image_has_no_light() -> None:
    assert measures.light(sharp(), head(at=(-500, 300)).points) == {}


def test_of_a_face_at_the_edge_the_part_inside_counts() -> None:
    found = measures.light(plain(128), head(at=(10, 300)).points)
    assert found["luminance_mean"] == pytest.approx(luminance(128), abs=0.003)
    assert "illumination_uniformity" not in found  # one of its zones is not there


@pytest.mark.parametrize("eyes_px", [50.0, 100.0, 200.0])
def test_distances_are_those_of_the_mesh(eyes_px: float) -> None:
    found = of_shape(head(eyes_px), 800, 640)
    assert found["inter_eye_distance"] == pytest.approx(eyes_px, rel=0.01)
    assert found["leftward_crop"] == pytest.approx((300 + eyes_px / 2) / eyes_px, rel=0.01)
    assert found["rightward_crop"] == pytest.approx((500 + eyes_px / 2) / eyes_px, rel=0.01)
    mesh = head(eyes_px).points
    to_chin = float(np.hypot(*(mesh[CHIN, :2] - [300, 300])))
    assert found["head_size"] == pytest.approx(to_chin / 640, rel=0.01)
    assert found["margin_above"] + found["margin_below"] == pytest.approx(640 / to_chin, rel=0.01)


def test_a_turned_head_is_no_farther_away() -> None:
    turned = head(100, yaw=30)
    assert turned.eye_distance < 90
    assert of_shape(turned)["inter_eye_distance"] == pytest.approx(100, rel=0.02)


def test_lids_and_lips_open_and_close() -> None:
    closed, opened = head(), head()
    closed.points[[144, 145, 153]] = closed.points[[160, 159, 158]]
    opened.points[[178, 14, 402]] = opened.points[[81, 13, 311]] + [0, 40, 0]
    assert of_shape(closed)["eyes_open"] == 0 < of_shape(head())["eyes_open"]  # one closed eye is enough
    assert of_shape(opened)["mouth_closed"] > 1.5 * of_shape(head())["mouth_closed"]


# --- sharpness --------------------------------------------------------------------------------------


def blurred(share: float) -> float:
    """Sharpness of a portrait blurred by this share of the distance of the eyes."""
    found = face(hopper())
    picture = cv2.GaussianBlur(hopper(), (0, 0), share * found.eye_distance) if share else hopper()
    return measures.sharpness(picture, found.points)


def test_blur_takes_sharpness() -> None:
    values = [blurred(share) for share in (0, 0.01, 0.02, 0.04)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.37
    assert values[-1] < 0.27


@pytest.mark.parametrize("upright", [False, True])
def test_a_face_that_moved_is_not_sharp_whichever_way_it_moved(upright: bool) -> None:  # noqa: FBT001
    found = face(hopper())
    moved = smeared(hopper(), round(0.15 * found.eye_distance), upright=upright)
    assert measures.sharpness(moved, found.points) < 0.6 * measures.sharpness(hopper(), found.points)


def varied(picture: Image) -> list[tuple[str, Image]]:
    noise = np.random.default_rng(1).normal(0, 4, picture.shape)
    return [
        ("dark", (picture * 0.4).astype(np.uint8)),
        ("grainy", np.clip(picture + noise, 0, 255).astype(np.uint8)),
        ("compressed", cv2.imdecode(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 50))[1], 1)),
    ]


@pytest.mark.parametrize("number", range(3), ids=["dark", "grainy", "compressed"])
def test_neither_light_nor_grain_nor_compression_passes_for_blur(number: int) -> None:
    found = face(hopper())
    _, picture = varied(hopper())[number]
    clear = measures.sharpness(hopper(), found.points)
    assert measures.sharpness(picture, found.points) == pytest.approx(clear, rel=0.06)


def test_sharpness_does_not_depend_on_distance() -> None:
    sizes = [cv2.resize(astronaut(), None, fx=scale, fy=scale) for scale in (1.5, 2, 3)]
    found = [measures.sharpness(picture, face(picture).points) for picture in sizes]
    assert max(found) < 1.1 * min(found)


def test_where_there_is_nothing_to_see_nothing_is_sharp() -> None:
    assert measures.sharpness(plain(), head().points) == 0
    assert measures.sharpness(sharp(), head(at=(-500, 300)).points) == 0
