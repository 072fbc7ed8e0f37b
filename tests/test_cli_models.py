"""`gatectl models`: what a technician does with the models of a gate."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from gated.config import load
from gated.embedders import Embedders, Stock
from gated.store.published import Published
from tests.gatectl import Run, gatectl
from tests.models.brought import NAME, lay_down
from tests.published_models import model
from tests.test_config import filled
from tests.test_published_kinds import Daemon


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace('"/etc/egate/models"', f'"{tmp_path / "models"}"'))
    return path


def test_an_embedder_is_brought_and_used_and_let_go(run: Run, config: Path, tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick")
    status, out, _ = run("models", "install", entry, "--config", config)
    assert status == 0
    assert f"gatectl models use {NAME}" in out
    status, out, _ = run("models", "list", "--config", config, "--json")
    listed = {one["name"]: one for one in json.loads(out)}
    assert (listed[NAME]["origin"], listed[NAME]["use"]) == ("installed", "")
    assert (listed["dlib-resnet"]["origin"], listed["dlib-resnet"]["use"]) == ("shipped", "decides")
    assert listed["dlib-resnet"]["images"] > listed[NAME]["images"] == 1
    out = " ".join(run("models", "list", "--config", config)[1].split())
    for one in listed.values():
        of = "one photograph" if one["images"] == 1 else f"{one['images']} fused photographs"
        assert f"thresholds by FMR, of {of}: {one['thresholds'][0]['fmr']:g}: " in out
    comments = config.read_text().count("#")
    status, out, _ = run("models", "use", NAME, "--config", config)
    assert status == 0
    assert "threshold 0.625 (FMR 0.001)" in out
    assert load(config).config.vision.embedder == NAME
    assert config.read_text().count("#") == comments
    status, _, err = run("models", "remove", NAME, "--config", config)
    assert status == 2
    assert "is in use" in err
    assert run("models", "use", "dlib-resnet", "--config", config)[0] == 0
    assert run("models", "remove", NAME, "--config", config)[0] == 0
    assert not list((tmp_path / "models").iterdir())


def test_paths_may_be_told_from_where_one_stands(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_down(tmp_path / "stick")
    monkeypatch.chdir(tmp_path / "stick")
    assert run("models", "install", "entry.toml", "--models", "../here", "--config", config)[0] == 0
    status, out, _ = run("models", "verify", NAME, "--models", "../here", "--config", config)
    assert (status, " good " in out) == (0, True)
    (tmp_path / "stick" / "model.tflite").unlink()
    status, _, err = run("models", "install", "entry.toml", "--replace", "--models", "../here")
    assert status == 2
    assert "lay the model beside its entry" in err


def test_the_configuration_keeps_who_may_read_it(run: Run, config: Path) -> None:
    groups = [each for each in (*os.getgroups(), *([1] if os.geteuid() == 0 else [])) if each != os.getegid()]
    if not groups:
        pytest.skip("needs an account with two groups")
    os.chown(config, -1, groups[0])
    config.chmod(0o640)
    assert run("models", "use", "dlib-resnet", "--config", config)[0] == 0
    assert (config.stat().st_gid, config.stat().st_mode & 0o777) == (groups[0], 0o640)


def test_a_shadow_runs_beside_and_is_another_one(run: Run, config: Path, tmp_path: Path) -> None:
    run("models", "install", lay_down(tmp_path / "stick"), "--config", config)
    assert run("models", "use", NAME, "--shadow", "--config", config)[0] == 0
    vision = load(config).config.vision
    assert (vision.embedder, vision.shadow) == ("dlib-resnet", NAME)
    status, _, err = run("models", "use", "dlib-resnet", "--shadow", "--config", config)
    assert status == 2
    assert "a shadow is another one" in err


def test_nobody_uses_what_is_not_there_or_was_not_measured(run: Run, config: Path, tmp_path: Path) -> None:
    before = config.read_text()
    status, _, err = run("models", "use", "nobody", "--config", config)
    assert status == 2
    assert "no such embedder" in err
    run("models", "install", lay_down(tmp_path / "stick"), "--config", config)
    config.write_text(before.replace("match_fmr = 0.001", "match_fmr = 0.0001"))
    status, _, err = run("models", "use", NAME, "--config", config)
    assert status == 2
    assert "no threshold for FMR 0.0001: choose from 0.001" in err
    assert load(config).config.vision.embedder == "dlib-resnet"


def test_every_model_is_verified_and_a_changed_one_is_found(run: Run, config: Path, tmp_path: Path) -> None:
    run("models", "install", lay_down(tmp_path / "stick"), "--config", config)
    status, out, _ = run("models", "verify", "--config", config)
    assert status == 0
    assert out.count(" good ") == len(out.splitlines())
    with (tmp_path / "models" / f"{NAME}.tflite").open("ab") as model:
        model.write(b"\0")
    status, out, _ = run("models", "verify", NAME, "--config", config, "--json")
    assert status == 1
    (found,) = json.loads(out)
    assert found["name"] == f"embedders.{NAME}"
    assert "SHA-256" in found["fault"]
    status, _, err = run("models", "verify", "nobody", "--config", config)
    assert status == 2
    assert "no model is called nobody: there are detector" in err


def test_a_model_that_does_not_run_is_not_installed(run: Run, config: Path, tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick", **{"width = 150": "width = 112"})
    status, _, err = run("models", "install", entry, "--config", config)
    assert status == 2
    assert "its input is not the manifest's: correct the entry" in err
    assert not (tmp_path / "models").exists()


def test_a_model_that_ends_its_runtime_ends_no_command(run: Run, config: Path, tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick")
    model_ = tmp_path / "stick" / "model.tflite"
    whole, cut = model_.read_bytes(), model_.read_bytes()[:200_000]
    model_.write_bytes(cut)
    entry.write_text(
        entry.read_text().replace(hashlib.sha256(whole).hexdigest(), hashlib.sha256(cut).hexdigest())
    )
    portrait = tmp_path / "portrait.png"
    for words in (("models", "install", entry), ("models", "golden", entry)):
        status, _, err = run(*words, "--config", config)
        assert status == 2
        assert "ends the runtime that loads it" in err
    assert not (tmp_path / "models").exists()
    status, _, err = run("face", "compare", portrait, portrait, "--model", entry, "--config", config)
    assert (status, "ends the runtime" in err) == (2, True)


def test_what_is_published_is_listed_with_what_became_of_it(run: Run, tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    daemon.publish("models", *model(tmp_path / "m", "mine"))
    overlay = tmp_path / "overlay.toml"
    overlay.write_text('[vision]\nembedder = "mine"\n')
    daemon.publish("config", ("overlay", overlay))
    daemon.gate.watchlist.close()

    def listed() -> dict[str, tuple[str, str]]:
        found = json.loads(run("models", "list", "--config", daemon.path, "--json")[1])
        return {one["name"]: (one["origin"], one["use"]) for one in found}

    own = ("shipped", "stands in where another fails")
    assert listed() == {"mine": ("published 1", "decides"), "dlib-resnet": own}
    state = Path(daemon.loaded.config.paths.state)
    stock = Stock(tmp_path / "none", Published(state / "published"))
    Embedders(stock, state, "").refused(stock.find("mine").at, "model_crashed")
    assert listed()["mine"] == ("published 1", "named, refused by gate-vision: model_crashed")


def test_golden_embeddings_are_those_that_a_gate_compares_with(run: Run, tmp_path: Path) -> None:
    entry = lay_down(tmp_path)
    status, out, _ = run("models", "golden", entry)
    assert status == 0
    text = entry.read_text().replace("score = {", f"{out}score = {{")
    entry.write_text(text)
    assert run("models", "golden", entry)[0] == 0, "its own golden embeddings come out"
    numbers = json.loads(run("models", "golden", entry, "--json")[1])[0]["embedding"]
    assert len(numbers) >= 8
    entry.write_text(text.replace(str(numbers[0]), str(numbers[0] + 1)))
    status, _, err = run("models", "golden", entry)
    assert status == 2
    assert "does not give its golden embedding" in err
