"""What is worn on a face and head, and closed eyes, as the shipped network sees them."""

import msgspec
import numpy as np
import pytest

from hw_sim.camera import wearing
from hw_sim.camera.people import PEOPLE, figure, portrait
from hw_sim.camera.presence import Apparel, Wearable
from hw_sim.camera.render import GATE_LENS, Optics, Pose, put_person
from models.face import Face
from models.manifest import ModelError, locate
from models.quality import chip
from models.quality.heads import NAMES, FaceHeads, HeadReading
from models.quality.training.prepare import middle_face
from models.tflite import Image
from tests.models import portraits

ENTRY = portraits.MODELS.heads


@pytest.fixture(scope="module")
def heads() -> FaceHeads:
    return FaceHeads(ENTRY)


def found(heads: FaceHeads, image: Image) -> frozenset[str]:
    face = middle_face(portraits.reader(), image)
    assert face is not None
    return heads.found(heads.read(image, face.points))


def walker(person: str, kind: Apparel | None, style: int = 0) -> Image:
    """Somebody of the simulator a metre away; how things look there trained nothing."""
    worn = [] if kind is None else [Wearable(kind=kind, style=style)]
    picture = np.full((GATE_LENS.height, GATE_LENS.width, 3), (170, 160, 150), np.uint8)
    body = wearing.dressed(figure(person), worn) if worn else figure(person)
    put_person(picture, GATE_LENS, body, Pose(0.0, 0.0, 0.9, 0.1, 0.03, 0.02), Optics())
    return picture


def test_nothing_is_seen_on_a_bare_face(heads: FaceHeads) -> None:
    assert found(heads, portraits.astronaut()) == set()


def test_a_cap_is_seen_and_clear_glasses_are_no_sunglasses(heads: FaceHeads) -> None:
    # the admiral wears both
    assert found(heads, portraits.hopper()) == {"head_covering"}


@pytest.mark.parametrize("person", sorted(PEOPLE))
def test_nothing_is_seen_on_the_simulators_people(heads: FaceHeads, person: str) -> None:
    assert found(heads, portrait(person, 5)) == set()
    assert found(heads, walker(person, None)) == set()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("mask", {"mask"}),
        ("sunglasses", {"sunglasses"}),
        ("cap", {"head_covering"}),
        ("headscarf", {"head_covering"}),
        ("glasses", set()),
    ],
)
def test_what_the_simulators_people_put_on_is_seen(heads: FaceHeads, kind: Apparel, name: set[str]) -> None:
    for person in ("ada", "emmy"):
        # the detector finds no face behind some masks: where it is, the bare picture tells
        face = middle_face(portraits.reader(), walker(person, None))
        assert face is not None
        for style in range(3):
            seen = heads.found(heads.read(walker(person, kind, style), face.points))
            # behind sunglasses nothing is known of the eyes
            assert seen - ({"eyes_closed"} if kind == "sunglasses" else set()) == name


def test_a_mirrored_face_reads_the_same(heads: FaceHeads) -> None:
    image, face = portraits.astronaut(), portraits.face(portraits.astronaut())
    mirrored = np.ascontiguousarray(image[:, ::-1])
    points = face.points.copy()
    points[:, 0] = image.shape[1] - 1 - points[:, 0]
    # mesh points keep their numbers, so the person's right eye is now on the other side
    for right, left in ((33, 263), (133, 362), (61, 291)):
        points[[right, left]] = points[[left, right]]
    there, back = heads.read(image, face.points), heads.read(mirrored, points)
    for name in NAMES:
        assert getattr(back, name) == pytest.approx(getattr(there, name), abs=0.02)


def test_a_reading_counts_from_the_threshold_on(heads: FaceHeads) -> None:
    limits = ENTRY.thresholds
    at = HeadReading(
        mask=limits.mask,
        sunglasses=limits.sunglasses - 1e-6,
        head_covering=1.0,
        eyes_closed=0.0,
    )
    assert heads.found(at) == {"mask", "head_covering"}


def test_wiping_leaves_nothing_of_the_last_face(heads: FaceHeads) -> None:
    heads.read(portraits.hopper(), portraits.face(portraits.hopper()).points)
    heads.wipe()
    interpreter = heads._model._model._interpreter
    assert not interpreter.get_tensor(interpreter.get_input_details()[0]["index"]).any()


def test_the_shipped_file_is_small() -> None:
    assert locate(ENTRY.file).stat().st_size < 1_500_000


def test_an_entry_of_another_shape_is_refused() -> None:
    with pytest.raises(ModelError, match="not a head's picture"):
        FaceHeads(msgspec.structs.replace(ENTRY, input=msgspec.structs.replace(ENTRY.input, width=112)))
    with pytest.raises(ModelError, match="outputs are not 4"):
        FaceHeads(msgspec.structs.replace(ENTRY, outputs=((1, 5),)))
    with pytest.raises(ModelError, match="SHA-256"):
        FaceHeads(msgspec.structs.replace(ENTRY, sha256="0" * 64))


def test_every_measurement_of_the_manifest_is_a_share() -> None:
    for measured in ENTRY.measured:
        assert all(e <= n for e, n in zip(measured.alarms, measured.without, strict=True))
        assert all(e <= n for e, n in zip(measured.misses, measured.having, strict=True))


def spread(one: Image, other: Image) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(one.astype(float) - other).mean())


def the_face() -> tuple[Image, Face]:
    return portraits.astronaut(), portraits.face(portraits.astronaut())


def test_the_chip_has_the_eyes_where_the_template_says() -> None:
    _, face = the_face()
    moved = face.points[:, :2] @ chip.placement(face.points)[:, :2].T + chip.placement(face.points)[:, 2]
    for group, place in chip.TEMPLATE:
        assert moved[list(group)].mean(0) == pytest.approx(place, abs=4)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 3.0), (0, 0.7), (25, 1.0), (-40, 2.2), (10, 6.0)])
def test_the_chip_does_not_depend_on_size_and_tilt(degrees: float, scale: float) -> None:
    image, face = the_face()
    turned, matrix = portraits.turned(image, degrees, scale, 200)
    points = np.column_stack([portraits.moved(matrix, face.points), face.points[:, 2] * scale])
    straight = chip.cut(portraits.turned(image, border=200)[0], face.points + np.array([200, 200, 0]))
    assert spread(chip.cut(turned, points), straight) < 6


def test_a_head_that_leaves_the_image_gives_a_chip_all_the_same() -> None:
    image, face = the_face()
    for shift in ((-260, 0), (240, 0), (0, -180), (0, 380)):
        for scale in (1.0, 4.0):
            large, matrix = portraits.turned(image, 0, scale)
            points = np.column_stack([portraits.moved(matrix, face.points), face.points[:, 2] * scale])
            points[:, :2] += np.array(shift) * scale
            assert chip.cut(large, points).shape == (chip.HEIGHT, chip.WIDTH, 3)


def test_finer_chips_show_the_same() -> None:
    image, face = the_face()
    fine = chip.cut(image, face.points, 2)
    assert fine.shape == (2 * chip.HEIGHT, 2 * chip.WIDTH, 3)
    assert (
        spread(fine.reshape(chip.HEIGHT, 2, chip.WIDTH, 2, 3).mean((1, 3)), chip.cut(image, face.points)) < 3
    )
