from collections.abc import Callable

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face import POINTS, Points
from models.matching import Embedder, alignment, fuse
from models.schema import Score
from models.tflite import Image
from tests.models.portraits import DLIB, MODELS, astronaut, embedder, embedding, face, hopper, turned

STRICT = MODELS.threshold("dlib-resnet", 0.0001)

# each eighth number of the astronaut's embedding, as first made; units of 0.0001
RECORDED = (
    -616,
    959,
    -1355,
    -2562,
    -921,
    -2440,
    1150,
    -113,
    1360,
    -1262,
    -442,
    2057,
    -1470,
    -1164,
    1515,
    -617,
)


def template_points(matrix: Points) -> Points:
    """A mesh whose template points are where `matrix` brings exactly onto the template."""
    points = np.zeros((POINTS, 3))
    turn = np.linalg.inv(matrix[:, :2])
    for point in DLIB.alignment:
        points[list(point.landmarks), :2] = turn @ (np.array([point.x, point.y]) - matrix[:, 2])
    return points


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.05, 20.0),
    x=st.floats(-2000, 2000),
    y=st.floats(-2000, 2000),
)
def test_alignment_finds_a_similarity_exactly(angle: float, scale: float, x: float, y: float) -> None:
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = np.array([[cos, -sin, x], [sin, cos, y]])
    assert np.allclose(alignment(template_points(matrix), DLIB.alignment), matrix, atol=1e-6 * (1 + scale))


def test_alignment_never_mirrors() -> None:
    mirrored = np.array([[-1.0, 0, 150], [0, 1, 0]])
    found = alignment(template_points(mirrored), DLIB.alignment)
    assert np.linalg.det(found[:, :2]) > 0


def test_alignment_of_a_single_place_is_finite() -> None:
    assert np.isfinite(alignment(np.full((POINTS, 3), 7.0), DLIB.alignment)).all()


def test_alignment_is_the_best_in_the_sense_of_least_squares() -> None:
    points = face(hopper()).points
    source = np.stack([points[list(p.landmarks), :2].mean(0) for p in DLIB.alignment])
    target = np.array([(p.x, p.y) for p in DLIB.alignment])
    rows = np.concatenate(
        [
            np.column_stack([source[:, 0], -source[:, 1], np.ones(5), np.zeros(5)]),
            np.column_stack([source[:, 1], source[:, 0], np.zeros(5), np.ones(5)]),
        ]
    )
    a, b, x, y = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    assert alignment(points, DLIB.alignment) == pytest.approx(np.array([[a, -b, x], [b, a, y]]), abs=1e-6)


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0, 8.0])
def test_the_chip_has_the_eyes_where_the_template_has_them(scale: float) -> None:
    """A bright dot at the inner corner of an eye must come out at its place, however large the face."""
    matrix = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0.0]])
    points = template_points(matrix) + np.array([20, 20, 0])
    corner = DLIB.alignment[1]
    at = points[corner.landmarks[0], :2]
    rows, columns = np.mgrid[0 : round(200 * scale) + 40, 0 : round(200 * scale) + 40]
    squared = (columns - at[0]) ** 2 + (rows - at[1]) ** 2
    image = np.repeat((250 * np.exp(-squared / (2 * (3 * scale) ** 2))).astype(np.uint8)[..., None], 3, 2)
    chip = embedder().chip(image, points)
    assert chip.shape == (150, 150, 3)
    light = chip[:, :, 0].astype(float)
    y, x = np.mgrid[0:150, 0:150]
    middle = (x * light).sum() / light.sum(), (y * light).sum() / light.sum()
    assert middle == pytest.approx((corner.x, corner.y), abs=0.15)


def one_view() -> Embedder:
    """As dlib means its network: image and mirror image, compared by distance."""
    score = Score(zero=1.2, one=0.0)
    return Embedder(msgspec.structs.replace(DLIB, metric="euclidean", zooms=(1.0,), score=score))


def test_an_embedding_is_what_it_was() -> None:
    vector = one_view().embed(astronaut(), face(astronaut()).points)
    assert vector.shape == (128,)
    assert vector.dtype == np.float32
    assert vector[::8] == pytest.approx(np.array(RECORDED) / 10_000, abs=1e-3)


def test_a_still_is_the_mean_of_its_views_and_a_frame_is_one_of_them() -> None:
    points = face(astronaut()).points
    views = embedder().views(astronaut(), points)
    assert len(views) == 2 * len(DLIB.zooms)
    assert np.linalg.norm(views, axis=1) == pytest.approx(np.ones(len(views)), abs=1e-5)
    mean = np.mean(views, axis=0)
    assert embedding(astronaut()) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    for side, mirrored in enumerate((False, True)):
        assert np.array_equal(embedder().embed_side(astronaut(), points, mirrored=mirrored), views[side])


@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.3])
def test_a_zoomed_chip_is_larger_about_its_middle(zoom: float) -> None:
    """A bright dot right of the middle of the chip is so much farther from it."""
    points = template_points(np.array([[1.0, 0, 10], [0, 1, 10]]))
    rows, columns = np.mgrid[0:170, 0:170]
    squared = (columns - 94.5 + 10) ** 2 + (rows - 74.5 + 10) ** 2
    image = np.repeat((250 * np.exp(-squared / 18)).astype(np.uint8)[..., None], 3, 2)
    light = embedder().chip(image, points, zoom)[:, :, 0].astype(float)
    y, x = np.mgrid[0:150, 0:150]
    middle = (x * light).sum() / light.sum(), (y * light).sum() / light.sum()
    assert middle == pytest.approx((74.5 + 20 * zoom, 74.5), abs=0.15)


def test_an_embedding_is_the_same_for_the_mirror_image() -> None:
    points = face(astronaut()).points
    chip = embedder().chip(astronaut(), points)
    inside = np.zeros((POINTS, 3))
    for point in DLIB.alignment:
        inside[list(point.landmarks), :2] = point.x, point.y
    straight = one_view().embed(chip, inside)
    mirrored = one_view().embed(np.ascontiguousarray(chip[:, ::-1]), inside)
    assert np.abs(straight - one_view().embed(astronaut(), points)).max() < 1e-5
    assert np.abs(straight - mirrored).max() < 0.05  # the template is not exactly symmetric: half a pixel off


def dimmed(image: Image) -> Image:
    return (image * 0.6).astype(np.uint8)


def poor(image: Image) -> Image:
    small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 30])
    decoded: Image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return decoded


def blurred(image: Image) -> Image:
    soft: Image = cv2.GaussianBlur(image, (0, 0), 1.5)
    return soft


def leaning(image: Image) -> Image:
    return turned(image, degrees=15, scale=1.4, border=30)[0]


@pytest.mark.parametrize("change", [dimmed, poor, blurred, leaning])
def test_one_person_is_like_herself_and_unlike_another(change: Callable[[Image], Image]) -> None:
    originals = [embedding(astronaut()), embedding(hopper())]
    changed = [embedding(change(astronaut())), embedding(change(hopper()))]
    for person in (0, 1):
        assert embedder().score(originals[person], changed[person]) > STRICT
        assert embedder().score(originals[person], changed[1 - person]) < MODELS.threshold(
            "dlib-resnet", 0.01
        )


def test_a_score_rises_with_likeness_between_nothing_and_one() -> None:
    one = np.zeros(128, np.float32)
    others = np.zeros((4, 128), np.float32)
    others[:, 0] = [0.0, 0.3, 0.6, 5.0]
    assert one_view().scores(one, others) == pytest.approx([1.0, 0.75, 0.5, 0.0])
    assert one_view().score(one, others[2]) == one_view().score(others[2], one)


def test_a_cosine_embedder_gives_unit_vectors_and_the_same_order() -> None:
    entry = msgspec.structs.replace(DLIB, metric="cosine", score=Score(zero=0.0, one=1.0))
    cosine = Embedder(entry)
    vectors = [cosine.embed(image, face(image).points) for image in (astronaut(), hopper())]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    assert cosine.score(vectors[0], 3 * vectors[0]) == pytest.approx(1.0, abs=1e-6)
    again = cosine.embed(dimmed(astronaut()), face(astronaut()).points)
    assert cosine.score(vectors[0], again) > cosine.score(vectors[0], vectors[1])
    assert cosine.score(vectors[0], np.zeros(128, np.float32)) == 0.0


def test_weights_say_how_much_each_counts() -> None:
    vectors = [np.array([1, 2], np.float32), np.array([3, 6], np.float32)]
    assert fuse(vectors, [3.0, 1.0]) == pytest.approx([1.5, 3])
    assert fuse(vectors, [0.0, 0.2]) == pytest.approx([3, 6])
    for weights in ([0.0, 0.0], [-1.0, 2.0]):
        with pytest.raises(ValueError, match="weights"):
            fuse(vectors, weights)
    with pytest.raises(ValueError, match="no embedding"):
        fuse([])


def test_fusing_is_the_mean() -> None:
    vectors = [np.array([1, 2], np.float32), np.array([3, 6], np.float32)]
    assert fuse(vectors) == pytest.approx([2, 4])
    assert fuse(vectors).dtype == np.float32
    assert fuse(vectors[:1]) == pytest.approx(vectors[0])


def test_wiping_changes_nothing_that_follows() -> None:
    before = embedding(hopper())
    embedder().wipe()
    assert np.array_equal(embedding(hopper()), before)
