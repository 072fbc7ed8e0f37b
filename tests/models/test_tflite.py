import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models import manifest
from models.build import convert
from models.manifest import ModelError
from models.schema import Entry, ImageInput
from models.tflite import ImageModel
from tests.models import networks
from tests.models.portraits import DLIB, MODELS

PIXELS = np.random.default_rng(5).integers(0, 256, (33, 33, 3), np.uint8)


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A small model of our own, described as the manifest would."""
    monkeypatch.setattr(manifest, "MANIFEST", tmp_path / "manifest.toml")
    return written(convert(networks.serialised(networks.small())))


def written(body: bytes) -> Entry:
    manifest.MANIFEST.with_name("small.tflite").write_bytes(body)
    return Entry(
        file="small.tflite",
        sha256=hashlib.sha256(body).hexdigest(),
        licence="CC0-1.0",
        provenance="this test",
        input=ImageInput(width=33, height=33, colour="rgb", mean=(0.0,) * 3, std=(1.0,) * 3),
        outputs=((1, 5),),
    )


def test_a_model_sees_the_colours_and_values_that_its_entry_says(entry: Entry) -> None:
    expected = networks.forward(networks.small(), PIXELS)
    (rgb,) = ImageModel(entry).run(np.ascontiguousarray(PIXELS[:, :, ::-1]))
    as_bgr = msgspec.structs.replace(entry.input, colour="bgr")
    (bgr,) = ImageModel(msgspec.structs.replace(entry, input=as_bgr)).run(PIXELS)
    assert rgb[0] == pytest.approx(expected, abs=0.005 * np.abs(expected).max())
    assert np.array_equal(rgb, bgr)
    scaled = msgspec.structs.replace(entry.input, colour="bgr", mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 8.0))
    (given,) = ImageModel(msgspec.structs.replace(entry, input=scaled)).run(PIXELS)
    expected = networks.forward(networks.small(), (PIXELS - np.array([10.0, 20, 30])) / [2, 4, 8])
    assert given[0] == pytest.approx(expected, abs=0.005 * np.abs(expected).max())


def test_a_wrong_hash_is_refused(entry: Entry) -> None:
    with pytest.raises(ModelError, match="its SHA-256 is not that of the manifest"):
        ImageModel(msgspec.structs.replace(entry, sha256="0" * 64))
    with pytest.raises(ModelError, match="its SHA-256 is not that of the manifest"):
        ImageModel(msgspec.structs.replace(MODELS.detector, sha256=DLIB.sha256))


@pytest.mark.parametrize("changes", [{"width": 34}, {"height": 32}])
def test_a_wrong_input_is_refused(entry: Entry, changes: dict[str, int]) -> None:
    other = msgspec.structs.replace(entry.input, **changes)
    with pytest.raises(ModelError, match="its input is not the manifest's: correct the entry"):
        ImageModel(msgspec.structs.replace(entry, input=other))


@pytest.mark.parametrize("outputs", [((1, 6),), ((5,),), ((1, 5), (1, 5)), ()])
def test_wrong_outputs_are_refused(entry: Entry, outputs: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ModelError, match="its outputs are not the manifest's: correct the entry"):
        ImageModel(msgspec.structs.replace(entry, outputs=outputs))


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("body", [b"", b"TFL3" * 100, b"\0" * 1000, b"\0\0\0\x7fTFL3"])
def test_what_is_no_model_is_refused(body: bytes) -> None:
    with pytest.raises(ModelError, match="not a TFLite file"):
        ImageModel(written(body))


def test_a_model_with_operators_that_are_not_built_in_is_refused() -> None:
    """MediaPipe's mesh with attention has a custom operator: its weights are there, its code is not."""
    file = "mediapipe:modules/face_landmark/face_landmark_with_attention.tflite"
    sha256 = hashlib.sha256(manifest.locate(file).read_bytes()).hexdigest()
    with pytest.raises(ModelError, match="TFLite cannot run it: bring a model of built-in operators"):
        ImageModel(msgspec.structs.replace(MODELS.landmarks, file=file, sha256=sha256))


@pytest.mark.parametrize("shape", [(33, 32, 3), (33, 33, 1), (66, 66, 3), (0, 0, 3)])
def test_an_image_of_another_size_is_a_programming_error(entry: Entry, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="for an input of"):
        ImageModel(entry).run(np.zeros(shape, np.uint8))


def test_outputs_are_copies(entry: Entry) -> None:
    model = ImageModel(entry)
    (first,) = model.run(PIXELS)
    kept = first.copy()
    model.run(PIXELS[::-1])
    model.wipe()
    assert np.array_equal(first, kept)


def test_wiping_leaves_nothing_of_the_image(entry: Entry) -> None:
    model = ImageModel(entry)
    model.run(PIXELS)
    model.wipe()
    inner = model._model
    left = inner._interpreter.get_tensor(inner._input)
    assert not left.any()
    (of_black,) = ImageModel(entry).run(np.zeros((33, 33, 3), np.uint8))
    assert np.array_equal(inner._interpreter.get_tensor(inner._outputs[0]), of_black)


def errors_of(code: str) -> bytes:
    """What a process writes to standard error."""
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    return ran.stderr


def test_a_model_is_loaded_without_a_word() -> None:
    load = "ImageModel(manifest.load().detector)"
    assert (
        errors_of(f"from models import manifest; from models.tflite import ImageModel; {load}; {load}") == b""
    )


def test_what_else_is_said_meanwhile_is_passed_on() -> None:
    said = errors_of(
        "import os; from models.tflite import _without_noise, _NOISE\n"
        "try:\n"
        "    with _without_noise():\n"
        "        os.write(2, b'ERROR: one\\n' + _NOISE + b'two'); raise ValueError\n"
        "except ValueError: os.write(2, b'.')\n"
    )
    assert said == b"ERROR: one\ntwo."


def test_without_standard_error_models_are_loaded_too() -> None:
    load = "from models.tflite import ImageModel; ImageModel(manifest.load().detector)"
    assert errors_of(f"import os; os.close(2); from models import manifest; {load}") == b""


def test_the_models_are_tried_without_a_word() -> None:
    tried = "trial.run(trial.parts(manifest.load())[0])"
    assert errors_of(f"from models import manifest, trial; {tried}") == b""
