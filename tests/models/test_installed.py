"""Embedders that an operator brings: whole, hashed, and never in place of a shipped one."""

from pathlib import Path

import pytest

from models import installed, manifest, trial
from models.manifest import ModelError
from tests.models.brought import NAME, lay_down


def test_what_was_installed_joins_the_manifest_and_nothing_else_changes(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    before = installed.load(folder)
    assert before == manifest.load()
    done = installed.install(lay_down(tmp_path / "stick"), folder)
    assert done.file == str(folder / f"{NAME}.tflite")
    known = installed.load(folder)
    assert set(known.embedders) == {"dlib-resnet", NAME}
    assert known.embedders["dlib-resnet"] == before.embedders["dlib-resnet"]
    assert known.threshold(NAME, 0.001) == 0.625
    assert installed.find(NAME, folder) == known.embedders[NAME]
    trial.embed(NAME, known.embedders[NAME])


def test_the_fingerprint_stands_for_what_is_installed_too(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    shipped = installed.fingerprint(folder)
    assert shipped == manifest.fingerprint()
    installed.install(lay_down(tmp_path / "stick"), folder)
    one = installed.fingerprint(folder)
    entry = folder / f"{NAME}.toml"
    entry.write_text(entry.read_text().replace("0.625", "0.5"))
    assert len({shipped, one, installed.fingerprint(folder)}) == 3


def test_the_entry_keeps_its_comments(tmp_path: Path) -> None:
    installed.install(lay_down(tmp_path / "stick"), tmp_path / "models")
    text = (tmp_path / "models" / f"{NAME}.toml").read_text()
    assert text.startswith("# brought for a test\n")
    assert f'file = "{NAME}.tflite"' in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({'name = "brought"': 'name = "dlib-resnet"'}, "ships an embedder of this name"),
        ({'file = "model.tflite"': 'file = "../model.tflite"'}, "lay the model beside its entry"),
        ({'file = "model.tflite"': 'file = "mediapipe:model.tflite"'}, "lay the model beside its entry"),
        ({'file = "model.tflite"': 'file = "other.tflite"'}, "cannot be read"),
        ({'sha256 = "': 'sha256 = "0'}, "sha256"),
        ({"mirror = false": ""}, "missing required field `mirror`"),
        ({"mirror = false": "mirror = false\nsurprise = 1"}, "unknown field `surprise`"),
        ({'name = "brought"': 'name = "../brought"'}, "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_an_entry_is_named_and_nothing_is_installed(
    tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    folder = tmp_path / "models"
    with pytest.raises(ModelError, match=words):
        installed.install(lay_down(tmp_path / "stick", **changed), folder)
    assert not list(folder.glob("*"))


def test_another_model_than_the_hash_says_is_not_installed(tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick")
    with (tmp_path / "stick" / "model.tflite").open("ab") as model:
        model.write(b"\0")
    with pytest.raises(ModelError, match="SHA-256"):
        installed.install(entry, tmp_path / "models")
    assert not list((tmp_path / "models").glob("*"))


def test_a_name_is_taken_once_unless_it_is_replaced(tmp_path: Path) -> None:
    folder, entry = tmp_path / "models", lay_down(tmp_path / "stick")
    installed.install(entry, folder)
    with pytest.raises(ModelError, match="--replace"):
        installed.install(entry, folder)
    entry.write_text(entry.read_text().replace("0.625", "0.7"))
    installed.install(entry, folder, replacing=True)
    assert installed.load(folder).threshold(NAME, 0.001) == 0.7
    installed.remove(NAME, folder)
    assert not list(folder.glob("*"))
    with pytest.raises(ModelError, match="is not installed"):
        installed.remove(NAME, folder)


def test_a_broken_entry_stops_nobody_who_uses_another(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    installed.install(lay_down(tmp_path / "stick"), folder)
    (folder / f"{NAME}.toml").write_text("name = 1")
    assert installed.find("dlib-resnet", folder) == manifest.load().embedders["dlib-resnet"]
    with pytest.raises(ModelError, match=NAME):
        installed.find(NAME, folder)
    with pytest.raises(ModelError, match=NAME):
        installed.load(folder)
    for name in ("other", f"../models/{NAME}", ""):
        with pytest.raises(ModelError, match="is not installed"):
            installed.remove(name, folder)
    installed.remove(NAME, folder)
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelError, match="administrator"):
        installed.install(lay_down(tmp_path / "stick"), tmp_path / "models")


def test_every_shipped_model_is_there_and_runs() -> None:
    tried = {part.name: trial.run(part) for part in trial.parts(manifest.load())}
    assert {"detector", "landmarks", "embedders.dlib-resnet", "mrz.finder", "mrz.reader"} <= set(tried)
    assert all(cost > 0 for cost in tried.values())


def test_an_embedder_that_cannot_tell_faces_apart_is_refused(tmp_path: Path) -> None:
    wrong = {"score = { zero = 1.2, one = 0.0 }": "score = { zero = 0.0, one = 1.2 }"}
    entry = installed.read_entry(lay_down(tmp_path / "stick", **wrong))
    with pytest.raises(ModelError, match="check `metric` and `score`"):
        trial.embed(entry.name, installed.embedder_of(entry))


@pytest.mark.parametrize("raw", [b"a = " + b"9" * 5000, b"a = " + b"[" * 20_000, b"a = 2030-02-31", b"\xff"])
def test_whatever_stands_in_for_an_entry_raises_the_one_error(raw: bytes) -> None:
    with pytest.raises(ModelError):
        installed.parse_entry("mine.toml", raw)
