import contextlib
import hashlib
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import manifest
from models.manifest import MANIFEST, ModelError
from tests.models.portraits import DLIB, MODELS

TEXT = MANIFEST.read_text()
MRZ = (MODELS.mrz.finder, MODELS.mrz.reader)


def placed(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text)
    return path


def test_every_model_is_there_with_its_hash() -> None:
    for entry in (MODELS.detector, MODELS.landmarks, *MODELS.embedders.values(), *MRZ):
        assert hashlib.sha256(manifest.read(entry.file, entry.sha256)).hexdigest() == entry.sha256


def test_every_model_says_where_it_is_from_and_what_was_measured() -> None:
    for entry in (MODELS.detector, MODELS.landmarks, *MODELS.embedders.values(), *MRZ):
        assert entry.licence in {"Apache-2.0", "CC0-1.0", "MIT", "BSD-3-Clause"}
        assert len(entry.provenance) > 10
    for matched in (matched for embedder in MODELS.embedders.values() for matched in embedder.measured):
        assert "--images" in matched.command
        assert len(matched.material) > 20
        assert matched.genuine_pairs > 500
        for threshold in matched.thresholds:
            assert threshold.fmr * matched.impostor_pairs >= 30  # the rule of 30 errors
            assert round(threshold.fnmr * matched.genuine_pairs) > 0
    for measured in MODELS.mrz.measured:
        assert measured.command.startswith("python -m gated.commands.mrz_evaluate")
        assert measured.exact >= 0.9
        assert measured.wrong <= 0.01
    assert len(MODELS.liveness.measured) > 20


def test_a_stricter_threshold_is_higher_and_refuses_more() -> None:
    for embedder in MODELS.embedders.values():
        by_fmr = sorted(embedder.thresholds, key=lambda each: -each.fmr)
        assert [each.score for each in by_fmr] == sorted({each.score for each in by_fmr})
        assert [each.fnmr for each in by_fmr] == sorted({each.fnmr for each in by_fmr})


def test_a_threshold_is_looked_up_and_never_guessed() -> None:
    assert MODELS.threshold("dlib-resnet", 0.001) == 0.8127
    by_size = [MODELS.threshold("dlib-resnet", 0.001, images) for images in (1, 2, 3, 4, 5, 64)]
    assert by_size == [0.7802, 0.7980, 0.7980, 0.8127, 0.8127, 0.8127]
    with pytest.raises(
        ModelError, match=r"^dlib-resnet: no threshold for FMR 0\.002: choose from 0\.0001, 0\.001, 0\.01$"
    ):
        MODELS.threshold("dlib-resnet", 0.002)
    with pytest.raises(ModelError, match=r"^arcface: no such embedder"):
        MODELS.threshold("arcface", 0.001)


def test_an_unknown_embedder_is_named_with_those_there_are() -> None:
    with pytest.raises(
        ModelError, match=r"^arcface: no such embedder in the manifest: set vision\.embedder to dlib-resnet$"
    ):
        manifest.embedder(MODELS, "arcface")
    assert manifest.embedder(MODELS, "dlib-resnet") is DLIB


@pytest.mark.parametrize(
    ("line", "other", "named"),
    [
        ("stride = 4", "stride = 4\nstrid = 4", "strid"),
        ("stride = 4", "stride = 'four'", "stride"),
        ("stride = 4", "", "stride"),
        ('metric = "cosine"', 'metric = "manhattan"', "metric"),
        ("width = 150", "width = 0", "width"),
        (f'sha256 = "{DLIB.sha256}"', f'sha256 = "{DLIB.sha256[1:]}"', "sha256"),
        ("{ landmarks = [263]", "{ landmarks = [468]", "landmarks"),
        ("fmr = 0.01,", "fmr = 1.01,", "fmr"),
        ("[detector]", "[detector", "line"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, line: str, other: str, named: str) -> None:
    assert line in TEXT
    with pytest.raises(ModelError, match=rf"^manifest\.toml: .*{named}.*: correct the entry$"):
        manifest.load(placed(tmp_path, TEXT.replace(line, other, 1)))


def test_a_missing_and_a_monstrous_manifest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        manifest.load(tmp_path / "manifest.toml")
    with pytest.raises(ModelError, match="longer than 64000 bytes"):
        manifest.load(placed(tmp_path, "#" * 64_001))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(place=st.integers(0, len(TEXT)), noise=st.binary(max_size=6), dropped=st.integers(0, 30))
def test_a_damaged_manifest_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, noise: bytes, dropped: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    raw = TEXT.encode()
    path.write_bytes(raw[:place] + noise + raw[place + dropped :])
    with contextlib.suppress(ModelError):
        assert isinstance(manifest.load(path), manifest.Manifest)


def test_the_fingerprint_changes_with_the_manifest(tmp_path: Path) -> None:
    assert re.fullmatch("[0-9a-f]{64}", manifest.fingerprint())
    assert manifest.fingerprint(placed(tmp_path, TEXT)) == manifest.fingerprint()
    assert manifest.fingerprint(placed(tmp_path, TEXT + "#")) != manifest.fingerprint()


def test_a_file_with_another_hash_is_never_given_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MANIFEST", tmp_path / "manifest.toml")
    (tmp_path / "one.tflite").write_bytes(b"model")
    right = hashlib.sha256(b"model").hexdigest()
    assert manifest.read("one.tflite", right) == b"model"
    with pytest.raises(ModelError, match=r"^one\.tflite: its SHA-256 is not that of the manifest: restore"):
        manifest.read("one.tflite", "0" * 64)
    with pytest.raises(ModelError, match=r"cannot be read \(No such file or directory\): run `python -m"):
        manifest.read("other.tflite", right)
    with pytest.raises(ModelError, match=r"cannot be read .*: run `make install`"):
        manifest.read("mediapipe:no/such.tflite", right)
    monkeypatch.setattr(manifest, "MAX_MODEL", 4)
    with pytest.raises(ModelError, match="longer than 4 bytes"):
        manifest.read("one.tflite", right)


def test_a_package_is_found_without_being_imported() -> None:
    assert manifest.locate(MODELS.detector.file).is_file()
    with pytest.raises(ModelError, match="package no_such_package is not installed"):
        manifest.locate("no_such_package:a.tflite")


def test_the_manifest_is_toml_that_people_can_read() -> None:
    assert set(tomllib.loads(TEXT)) >= {"detector", "landmarks", "embedders", "liveness", "mrz", "height"}
    assert max(map(len, TEXT.splitlines())) < 240
