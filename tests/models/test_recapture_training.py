"""What the re-capture head is trained on, media and camera, and how the network is written."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tflite_runtime.interpreter import Interpreter

from models.liveness.looking import PLANES, SIDE, place
from models.liveness.training import camera, export
from models.liveness.training.chance import Chance
from models.liveness.training.network import FEATURES, LOOKS
from models.liveness.training.patterns import Optics, Term, waves
from models.liveness.training.preparing import prepare
from models.liveness.training.samples import TRAINED, UNSEEN, Kind, sample
from models.liveness.training.scene import View, body, rectangle, view
from models.liveness.training.sources import RENDERED, RENDERED_TIMES, Source, load, part_of
from tests.models.portraits import astronaut, face, hopper, reader

SHARP = Optics(blur=0.0, aperture=1.0, floor=0.0)
EVEN = (1.0, 1.0, 1.0)


def chance(seed: int, *, held_out: bool = False) -> Chance:
    return Chance(np.random.default_rng(seed), held_out=held_out)


def source() -> Source:
    return Source("astronaut", astronaut(), *place(face(astronaut()).points))


def plain(size: float, side: int) -> View:
    x, y = np.meshgrid(*2 * [((np.arange(side) - side / 2) / size).astype(np.float32)])
    return View(x, y, size, (side / 2, side / 2))


@pytest.mark.parametrize("kind", ["bona fide", *TRAINED, *UNSEEN])
def test_the_same_seed_simulates_the_same_presentation(kind: Kind) -> None:
    one, two, other = (sample(kind, [source()], (seed, 4)) for seed in (3, 3, 5))
    assert np.array_equal(one.shot.image, two.shot.image)
    assert (one.shot.centre, one.shot.size) == (two.shot.centre, two.shot.size)
    assert not np.array_equal(one.shot.image, other.shot.image)
    assert one.attack == (kind != "bona fide")


def test_a_test_draws_no_parameter_that_training_draws() -> None:
    trained, tested = chance(1), chance(1, held_out=True)
    drawn = np.array([trained.within(2, 4) for _ in range(2000)])
    held = np.array([tested.within(2, 4) for _ in range(500)])
    inside = ((held >= 2.4) & (held <= 2.6)) | ((held >= 3.4) & (held <= 3.6))
    assert inside.all()
    assert not (((drawn > 2.4) & (drawn < 2.6)) | ((drawn > 3.4) & (drawn < 3.6))).any()
    assert np.histogram(drawn, 5, (2, 4))[0].min() > 200
    logarithms = np.log10([tested.scale(1, 10) for _ in range(300)])
    assert (
        ((logarithms > 0.199) & (logarithms < 0.301)) | ((logarithms > 0.699) & (logarithms < 0.801))
    ).all()


def test_people_are_in_one_part_each() -> None:
    parts = [part_of(f"person {number}") for number in range(2000)]
    shares = [parts.count(part) / 2000 for part in ("training", "tuning", "testing")]
    assert shares == pytest.approx([0.75, 0.10, 0.15], abs=0.03)


def test_prepared_photographs_come_back_with_their_faces(tmp_path: Path) -> None:
    people = {"astronaut": astronaut(), f"{RENDERED}7": hopper()}
    for name, image in people.items():
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "1.jpg"), image)
    (tmp_path / "astronaut" / "2.jpg").write_bytes(b"\xff\xd8\xffno image")
    cv2.imwrite(str(tmp_path / "astronaut" / "3.jpg"), np.full((90, 90, 3), 127, np.uint8))
    assert prepare([tmp_path], reader(), tmp_path / "sources.npz") == 2
    for name, image in people.items():
        found = load(tmp_path / "sources.npz", part_of(name))
        own = [each for each in found if each.person == name]
        assert len(own) == (RENDERED_TIMES if name.startswith(RENDERED) else 1)
        centre, size = place(face(image, 0.25).points)
        assert own[0].centre == pytest.approx(centre, abs=0.05 * size)
        assert own[0].size == pytest.approx(size, rel=0.05)


@pytest.mark.parametrize(("frequency", "seen"), [(0.10, 0.10), (0.90, 0.10), (1.125, 0.125), (2.25, 0.25)])
def test_what_is_finer_than_the_pixels_folds_over(frequency: float, seen: float) -> None:
    at = plain(100.0, 160)
    pattern = waves(at.x * 100 * frequency, at.y, (Term(1, 0, EVEN),), Optics(0.0, 0.3, 0.0))
    power = np.abs(np.fft.rfft(pattern[80, :, 1]))
    assert np.argmax(power) / 160 == pytest.approx(seen, abs=1 / 160)


def test_lens_and_pixel_weaken_what_is_fine() -> None:
    passed = [SHARP.passed(across, 0) for across in (0.0, 0.25, 0.5, 0.75)]
    assert passed == pytest.approx([1, 0.900, 0.637, 0.300], abs=1e-3)
    blurred = [Optics(0.5, 1.0, 0.0).passed(across, 0) for across in (0.25, 0.5)]
    assert blurred == pytest.approx([0.900 * np.exp(-0.3084), 0.637 * np.exp(-1.2337)], abs=1e-3)
    assert Optics(0.5, 1.0, 0.07).passed(3.3, 1.1) == pytest.approx(0.07)


def test_too_many_waves_are_refused() -> None:
    with pytest.raises(ValueError, match="terms"):
        waves(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32), [Term(1, 0, EVEN)] * 13, SHARP)


def test_the_camera_says_where_the_face_has_come_to() -> None:
    for seed in range(40):
        luck = chance(seed)
        side, spot = 260, (140.0, 120.0)
        down, across = np.mgrid[0:side, 0:side].astype(np.float32)
        light = np.exp(-(np.square(across - spot[0]) + np.square(down - spot[1])) / (2 * 36)) + 0.02
        scale = camera.scaling(luck)
        lens = camera.optics(luck)
        shot = camera.photographed(
            np.repeat(light[..., None], 3, axis=2), None, spot, 60.0, scale, lens, luck
        )
        grey: Any = cv2.GaussianBlur(cv2.cvtColor(shot.image, cv2.COLOR_BGR2GRAY), (0, 0), 4 * shot.size / 60)
        rows, columns = np.nonzero(grey >= 0.95 * grey.max())
        assert (columns.mean(), rows.mean()) == pytest.approx(shot.centre, abs=5 * shot.size / 60)
        assert shot.size == pytest.approx(60 * scale, rel=0.02)


def test_a_sheet_has_its_borders_where_they_were_asked_for() -> None:
    at = plain(50.0, 200)
    mask = rectangle(at, (-1.0, -0.5, 0.5, 1.5))
    assert mask[100, [45, 55, 120, 130]].tolist() == [0, 1, 1, 0]
    assert mask[[70, 80, 170, 180], 100].tolist() == [0, 1, 1, 0]
    rounded = rectangle(at, (-1.0, -1.0, 1.0, 1.0), round_=0.5)
    assert (rounded[52, 52], rounded[100, 52]) == (0, 1)


def test_nothing_is_put_before_a_persons_face() -> None:
    person = body(plain(50.0, 200))
    assert person[100, 100] == 1
    assert person[100, 10] == 0


def test_a_bent_sheet_is_longer_than_its_picture() -> None:
    flat, bent = (view(60.0, 1.2, chance(3), bend=bend, tilt=0.0) for bend in (0.0, 0.7))
    assert np.ptp(bent.x) + np.ptp(bent.y) > 1.02 * (np.ptp(flat.x) + np.ptp(flat.y))


def blank(bias: dict[str, float]) -> dict[str, Any]:
    """Weights of nothing, but for the bias of the last layer of each look."""
    arrays: dict[str, Any] = {}
    for name, planes in (("context", 3), ("texture", 3), ("spectrum", 1)):
        table, channels = getattr(LOOKS, name), planes
        for number, layer in enumerate(table):
            inputs = 1 if layer.depthwise else channels
            arrays[f"{name}.weights_{number}"] = np.zeros((layer.channels, inputs, *layer.kernel), np.float32)
            arrays[f"{name}.bias_{number}"] = np.zeros(layer.channels, np.float32)
            channels = layer.channels
        arrays[f"{name}.bias_{len(table) - 1}"][:] = bias[name]
    arrays["together"] = np.full((1, FEATURES), 0.25, np.float32)
    return arrays


def run(arrays: dict[str, Any], looks: Any) -> float:
    network = Interpreter(model_content=export.head(arrays), num_threads=1)
    network.allocate_tensors()
    network.set_tensor(network.get_input_details()[0]["index"], looks[None])
    network.invoke()
    return float(network.get_tensor(network.get_output_details()[0]["index"])[0, 0])


def test_the_written_network_adds_its_three_looks_and_weighs_them() -> None:
    looks = np.random.default_rng(1).normal(0, 1, (SIDE, SIDE, PLANES)).astype(np.float32)
    sums = {"context": 0.5, "texture": -0.25, "spectrum": 1.0}
    assert run(blank(sums), looks) == pytest.approx(0.25 * FEATURES * 1.25)
    assert run(blank({name: -value for name, value in sums.items()}), looks) == 0


@pytest.mark.parametrize("look", ["context", "texture", "spectrum"])
def test_each_look_sees_its_own_planes_only(look: str) -> None:
    arrays = blank({"context": 0.1, "texture": 0.1, "spectrum": 0.1})
    for number in range(len(getattr(LOOKS, look))):
        arrays[f"{look}.weights_{number}"][:] = 0.02
    looks = np.full((SIDE, SIDE, PLANES), 0.2, np.float32)
    before = run(arrays, looks)
    for plane in range(PLANES):
        changed = looks.copy()
        changed[..., plane] = 0.9
        mine = {"context": plane < 3, "texture": 3 <= plane < 6, "spectrum": plane == 6}[look]
        assert (run(arrays, changed) != before) == mine, plane


def test_the_same_weights_give_the_same_file() -> None:
    arrays = blank({"context": 0.1, "texture": 0.2, "spectrum": 0.3})
    assert export.head(arrays) == export.head(arrays)
