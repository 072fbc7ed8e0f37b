"""What the heads are trained on, how they are written, and how they are measured."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tflite_runtime.interpreter import Interpreter

from models.quality import chip
from models.quality.training import __main__ as commands
from models.quality.training import camera, coverings, evaluate, export, faces, glasses, lids, masks, prepare
from models.quality.training.network import HIDDEN, LOGITS, PLACES, POOLED, SHARED
from models.quality.training.samples import CLOSED, COVERING, MASK, SUNGLASSES, Wardrobe
from models.quality.training.scene import MARGIN, SIZE, Scene, cover, scene
from tests.models import portraits

BARE = (0.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def photograph() -> faces.Photograph:
    image = portraits.astronaut()
    encoded = cv2.imencode(".png", image)[1].tobytes()
    return faces.Photograph("astronaut", "one.png", encoded, portraits.face(image).points, BARE)


def made(photograph: faces.Photograph, seed: int = 1) -> Scene:
    painted = scene(photograph, np.random.default_rng(seed))
    painted.flat = False
    return painted


def changed(before: Scene, after: Scene, place: np.ndarray) -> float:
    """How much the picture differs around a pixel."""
    x, y = np.round(place).astype(int)
    here = slice(y - 2, y + 3), slice(x - 2, x + 3)
    return float(np.abs(before.picture[here] - after.picture[here]).mean())


def test_a_person_belongs_to_one_part_whatever_the_photograph() -> None:
    parts = [faces.part(f"Person_{n}") for n in range(2000)]
    shares = [parts.count(p) / 2000 for p in ("train", "validate", "test")]
    assert shares == pytest.approx([0.6, 0.15, 0.25], abs=0.04)
    assert parts == [faces.part(f"Person_{n}") for n in range(2000)]
    assert faces.part("rendered-ada") == "train"


def test_letters_tell_what_a_photograph_shows() -> None:
    assert faces.truth("") == BARE
    assert faces.truth("HS")[:3] == (0, 1, 1)
    assert np.isnan(faces.truth("c")[3])


def test_every_line_of_what_was_seen_names_a_file_and_known_letters() -> None:
    known = faces.seen()
    assert len(known) > 400
    for name, letters in known.items():
        assert len(name) == 16
        assert int(name, 16) >= 0
        assert set(letters) <= set("SHCshc")


def test_stored_photographs_come_back(tmp_path: Path, photograph: faces.Photograph) -> None:
    other = faces.Photograph(
        "Person_1", "two.png", photograph.encoded, photograph.points / 2, (0, 1, 0, np.nan)
    )
    faces.store(tmp_path / "faces.npz", [photograph, other])
    one, two = faces.stored(tmp_path / "faces.npz")
    assert (one.person, one.name, one.truth) == ("astronaut", "one.png", BARE)
    assert one.points == pytest.approx(photograph.points, abs=0.02)
    assert np.array_equal(two.image(), portraits.astronaut())
    assert two.truth[1] == 1
    assert np.isnan(two.truth[3])
    assert [p.person for p in faces.stored(tmp_path / "faces.npz", faces.part("Person_1"))].count(
        "Person_1"
    ) == 1


def test_the_same_seed_gives_the_same_samples(photograph: faces.Photograph) -> None:
    one, two = (
        [Wardrobe([photograph]).sample(rng) for _ in range(12)]
        for rng in (np.random.default_rng(7), np.random.default_rng(7))
    )
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.chip, b.chip)
        assert a.worn == b.worn
        assert np.array_equal(a.truth, b.truth, equal_nan=True)


def test_what_is_put_on_is_what_counts_as_true(photograph: faces.Photograph) -> None:
    rng = np.random.default_rng(8)
    wardrobe = Wardrobe([photograph])
    seen: set[str] = set()
    for _ in range(90):
        sample = wardrobe.sample(rng)
        kinds = {worn.partition(":")[0] for worn in sample.worn}
        seen |= kinds
        assert sample.chip.shape == (chip.HEIGHT, chip.WIDTH, 3)
        assert (sample.truth[MASK] == 1) == ("mask" in kinds)
        assert (sample.truth[SUNGLASSES] == 1) == ("sunglasses" in kinds)
        assert (sample.truth[COVERING] == 1) == ("covering" in kinds)
        if "sunglasses" in kinds:  # nobody can tell
            assert np.isnan(sample.truth[CLOSED])
        elif sample.truth[CLOSED] == 1:
            assert "eyes closed" in kinds
    assert {
        "mask",
        "sunglasses",
        "covering",
        "eyes closed",
        "mask on the chin",
        "clear glasses",
        "hair",
    } <= seen


def test_what_a_photograph_shows_by_nature_stays_true(photograph: faces.Photograph) -> None:
    capped = faces.Photograph("capped", "cap.png", photograph.encoded, photograph.points, (0, 0, 1, np.nan))
    rng = np.random.default_rng(9)
    for _ in range(40):
        assert Wardrobe([capped]).dress(capped, rng).truth[COVERING] == 1


def test_a_mask_hides_the_mouth_and_not_the_eyes(photograph: faces.Photograph) -> None:
    for seed in range(12):
        before, after = made(photograph, seed), made(photograph, seed)
        masks.wear(after, np.random.default_rng(seed), None)
        assert changed(before, after, before.vertex(13)) > 0.03
        assert changed(before, after, before.at(-0.5, -0.05)) < 0.02


def test_a_mask_on_the_chin_leaves_the_mouth_free(photograph: faces.Photograph) -> None:
    for seed in range(12):
        before, after = made(photograph, seed), made(photograph, seed)
        masks.on_chin(after, np.random.default_rng(seed), None)
        assert changed(before, after, before.vertex(13)) < 0.02
        assert np.abs(before.picture - after.picture).sum() > 100


def test_sunglasses_darken_both_eyes_and_clear_glasses_do_not(photograph: faces.Photograph) -> None:
    dark, clear = [], []
    for seed in range(15):
        before, tinted, plain = (made(photograph, seed) for _ in range(3))
        glasses.wear_sunglasses(tinted, np.random.default_rng(seed), None)
        glasses.wear_clear(plain, np.random.default_rng(seed))
        for eye in (-0.5, 0.5):
            place = before.at(eye, 0.02)
            dark.append(changed(before, tinted, place))
            clear.append(changed(before, plain, place))
    assert np.median(dark) > 2 * np.median(clear)
    assert min(dark) > 0.01


@pytest.mark.parametrize("kind", coverings.KINDS)
def test_a_covering_lies_on_the_head_and_leaves_the_face_free(
    photograph: faces.Photograph, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverings, "_SHARES", tuple(float(kind == k) for k in coverings.KINDS))
    for seed in range(4):
        before, after = made(photograph, seed), made(photograph, seed)
        assert coverings.wear(after, np.random.default_rng(seed), None) == kind
        moved = np.abs(before.picture - after.picture).mean(2)
        assert moved[: MARGIN + 50].mean() > 0.02
        # the shadow of a brim may fall on the face: the chin lies below it
        assert changed(before, after, before.vertex(17)) < 0.1


def test_lids_drawn_down_change_the_eyes_and_nothing_else(photograph: faces.Photograph) -> None:
    before, after = made(photograph), made(photograph)
    lids.draw_down(after, np.random.default_rng(3), 1.0)
    difference = np.abs(before.picture - after.picture).max(2)
    assert difference.max() > 0.15
    around = cover(before.many([(-1.1, -0.7, 0), (1.1, -0.7, 0), (1.1, 0.5, 0), (-1.1, 0.5, 0)]), 0)
    assert (difference * (around < 0.5)).max() < 0.02
    still = made(photograph)
    lids.draw_down(still, np.random.default_rng(3), 0.0)
    assert np.abs(before.picture - still.picture).mean() < 0.1 * difference.mean() + 1e-3


def test_a_turned_head_moves_its_nose_and_keeps_its_mesh_on_the_picture(photograph: faces.Photograph) -> None:
    straight = scene(photograph, np.random.default_rng(1))
    turned = scene(photograph, np.random.default_rng(1), (0.3, 0.0))
    nose = turned.points[1, 0] - turned.points[[234, 454], 0].mean()
    assert abs(nose - (straight.points[1, 0] - straight.points[[234, 454], 0].mean())) > 4
    image = camera.photographed(turned, np.random.default_rng(2))
    assert image.shape == (SIZE[1], SIZE[0], 3)
    found = prepare.middle_face(portraits.reader(), image)
    assert found is not None
    # the picture may be hard to see: the mesh is near all the same
    assert np.abs(found.points[:, :2] - turned.points[:, :2]).mean() < 5


def convolved(x: np.ndarray, kernel: np.ndarray, stride: int, *, same: bool, depthwise: bool) -> np.ndarray:
    """By the definition; x is rows, columns, channels; kernel as torch has it."""
    size = kernel.shape[2:]
    if same:
        pads = [max(k - stride, 0) for k in size]
        x = np.pad(x, [(p // 2, p - p // 2) for p in pads] + [(0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, size, (0, 1))[::stride, ::stride]
    return np.einsum(
        "rcxij,xij->rcx" if depthwise else "rcxij,oxij->rco",
        windows,
        kernel[:, 0] if depthwise else kernel,
        optimize=True,
    )


def test_the_written_network_is_the_table_by_its_definition() -> None:
    rng = np.random.default_rng(4)
    shapes, channels = [], 3
    for layer in SHARED:
        shapes.append((layer.channels, 1 if layer.depthwise else channels, layer.kernel, layer.kernel))
        channels = layer.channels
    shapes += [(POOLED, 1, *PLACES), (HIDDEN, POOLED, 1, 1), (LOGITS, HIDDEN, 1, 1)]
    arrays = {}
    for number, shape in enumerate(shapes):
        arrays[f"weights_{number}"] = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        arrays[f"bias_{number}"] = np.full(shape[0], 0.05, np.float32)
    body = export.heads(arrays)
    assert export.heads(arrays) == body
    image = rng.normal(0, 1, (chip.HEIGHT, chip.WIDTH, 3))
    rows = [image]
    for number, layer in enumerate(SHARED):
        kernel = arrays[f"weights_{number}"].astype(np.float64)
        y = convolved(rows[-1], kernel, layer.stride, same=True, depthwise=layer.depthwise)
        y = np.maximum(y + 0.05, 0)
        rows.append(y + rows[-layer.add] if layer.add else y)
    x, count = rows[-1], len(SHARED)
    x = np.maximum(convolved(x, arrays[f"weights_{count}"], 1, same=False, depthwise=True) + 0.05, 0)
    x = np.maximum(convolved(x, arrays[f"weights_{count + 1}"], 1, same=True, depthwise=False) + 0.05, 0)
    wanted = convolved(x, arrays[f"weights_{count + 2}"], 1, same=True, depthwise=False)[0, 0] + 0.05
    interpreter = Interpreter(model_content=body, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None].astype(np.float32))
    interpreter.invoke()
    (logits,) = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert logits == pytest.approx(wanted, abs=0.02 * max(1.0, float(np.abs(wanted).max())))


def test_preparing_and_evaluating_tell_how_many_of_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for person, image in (("astronaut", portraits.astronaut()), ("admiral", portraits.hopper())):
        (tmp_path / "people" / person).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "people" / person / "one.png"), image)
    (tmp_path / "people" / "nobody").mkdir()
    cv2.imwrite(str(tmp_path / "people" / "nobody" / "wall.png"), np.full((200, 200, 3), 90, np.uint8))
    assert prepare.main([str(tmp_path / "faces.npz"), str(tmp_path / "people")]) == 0
    assert "2 photographs stored, 1 without a face left out" in capsys.readouterr().out
    assert evaluate.main([str(tmp_path / "faces.npz"), "--part", "all", "--dressed", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 photographs of 2 people, as they are"
    mask, sunglasses, covering, _ = lines[2:6]
    assert " 0/2 = 0.00%" in mask
    assert " 0/2 = 0.00%" in sunglasses
    assert " 1/2 = 50.00%" in covering  # nobody noted the admiral's cap in `seen.txt`
    assert lines[7].startswith("6 of them dressed, seed 4000; no face found in ")


def test_an_unknown_command_is_told_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["training", "guess"])
    assert commands.main() == 2
    assert "prepare, train, export, evaluate" in capsys.readouterr().err
