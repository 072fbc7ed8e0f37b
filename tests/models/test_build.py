"""The conversion against an independent forward pass, and the command that runs it."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tflite_runtime.interpreter import Interpreter

from models import build, dlib_file, manifest
from models.manifest import BUILT, ModelError
from models.tflite import ImageModel
from tests.models import networks
from tests.models.portraits import DLIB, MODELS, astronaut, embedder, face

BUILT_FROM = DLIB.built_from


def dlib_weights() -> bytes:
    assert BUILT_FROM is not None
    return manifest.read(BUILT_FROM.file, BUILT_FROM.sha256)


def test_the_weights_convert_to_the_file_of_the_manifest() -> None:
    converted = build.convert(dlib_weights())
    assert hashlib.sha256(converted).hexdigest() == DLIB.sha256


def test_converting_is_deterministic() -> None:
    file = networks.serialised(networks.small())
    assert build.convert(file) == build.convert(file)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_converted_network_computes_what_the_weights_say(seed: int) -> None:
    network = networks.small(seed)
    interpreter = Interpreter(model_content=build.convert(networks.serialised(network)), num_threads=1)
    interpreter.allocate_tensors()
    pixels = np.random.default_rng(seed).integers(0, 256, (33, 33, 3), np.uint8)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None].astype(np.float32))
    interpreter.invoke()
    given = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    expected = networks.forward(network, pixels)
    assert np.abs(given - expected).max() < 0.005 * np.abs(expected).max()  # float16 has 11 bits


def test_the_embedder_computes_what_dlib_would() -> None:
    """The converted model on a real chip against float64 arithmetic on the weights as dlib stores them."""
    chip = embedder().chip(astronaut(), face(astronaut()).points)
    (given,) = ImageModel(DLIB).run(chip)
    expected = networks.forward(dlib_file.parse(dlib_weights()), chip[:, :, ::-1])
    assert np.linalg.norm(given[0] - expected) < 0.003  # of 0.6, the distance at which dlib draws its line


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place to build in, in place of the checkout's own."""
    monkeypatch.setattr(manifest, "MANIFEST", tmp_path / "manifest.toml")
    return tmp_path / DLIB.file


def test_the_command_builds_once_and_repairs(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main() == 0
    assert "built built/dlib_resnet_fp16.tflite" in capsys.readouterr().out
    assert hashlib.sha256(elsewhere.read_bytes()).hexdigest() == DLIB.sha256
    stamp = elsewhere.stat().st_mtime_ns
    assert build.main() == 0
    assert "up to date" in capsys.readouterr().out
    assert elsewhere.stat().st_mtime_ns == stamp
    elsewhere.write_bytes(elsewhere.read_bytes()[:-1])
    assert build.main() == 0
    assert hashlib.sha256(elsewhere.read_bytes()).hexdigest() == DLIB.sha256
    assert [path.name for path in elsewhere.parent.iterdir()] == [elsewhere.name]


def test_what_has_another_hash_is_not_kept(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = msgspec.structs.replace(DLIB, sha256="0" * 64)
    changed = msgspec.structs.replace(MODELS, embedders={"dlib-resnet": other})
    monkeypatch.setattr(build, "load", lambda: changed)
    assert build.main() == 1
    assert "the conversion gave SHA-256 c26ccf6b" in capsys.readouterr().err
    assert not elsewhere.exists()


def test_missing_weights_name_the_fix(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert BUILT_FROM is not None
    source = msgspec.structs.replace(BUILT_FROM, file="no_such_package:weights.dat")
    other = msgspec.structs.replace(DLIB, built_from=source)
    changed = msgspec.structs.replace(MODELS, embedders={"dlib-resnet": other})
    monkeypatch.setattr(build, "load", lambda: changed)
    assert build.main() == 1
    assert "package no_such_package is not installed: run `make install`" in capsys.readouterr().err
    assert not elsewhere.exists()


def test_an_installed_model_is_the_manifests() -> None:
    assert (BUILT / "dlib_resnet_fp16.tflite").is_file()
    assert manifest.read(DLIB.file, DLIB.sha256)
    with pytest.raises(ModelError):
        manifest.read(DLIB.file, "0" * 64)
