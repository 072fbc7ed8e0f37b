"""Trying an embedder in a process of its own, and taking it into use where it passes."""

import time
from pathlib import Path

import pytest

from gated.core.settings import PathSettings
from gated.runtime.messages import EmbedderAt, UseEmbedders
from gated.seeing.embedders import ANOTHER, CRASHED, TOO_SLOW, UNUSABLE, Embedders, Trial
from models import installed, manifest
from models.matching import Embedder
from tests.published_models import model

SHIPPED = EmbedderAt(name="dlib-resnet", version=manifest.load().embedders["dlib-resnet"].version)
OWN = UseEmbedders(decides=SHIPPED, threshold=0.6)
Taken = tuple[Embedder, Embedder | None] | None


class Place:
    """The published models of a gate."""

    def __init__(self, state: Path) -> None:
        self.paths = PathSettings(state=str(state), run="/nowhere", models=str(state / "none"))
        self.folder = state / "published" / "models"
        self.folder.mkdir(parents=True)

    def publish(self, release: int, name: str, body: bytes | None = None, **changed: str) -> EmbedderAt:
        """Lay a model there; how gated tells of it."""
        model(self.folder / str(release), name, body, **changed)
        version = installed.find(name, self.folder / str(release)).version
        return EmbedderAt(name=name, version=version, release=release)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def settled(embedders: Embedders, seconds: float = 30.0) -> Taken:
    """What comes of what was asked for."""
    deadline = time.monotonic() + seconds
    before = (embedders.in_use, dict(embedders.refused))
    while (embedders.in_use, dict(embedders.refused)) == before:
        assert time.monotonic() < deadline
        if (found := embedders.turn()) is not None:
            return found
        time.sleep(0.02)
    return None


def test_what_passes_is_loaded_with_the_threshold_that_was_told(place: Place) -> None:
    at = place.publish(1, "mine", **{"y = 87.7798": "y = 87.7799"})
    embedders = Embedders(place.paths, OWN)
    use = UseEmbedders(decides=at, threshold=0.625)
    embedders.ask(use)
    assert embedders.in_use.mark == OWN.mark, "nothing changes before it was tried"
    found = settled(embedders)
    assert found is not None
    assert (found[0].entry.version, found[1]) == (at.version, None)
    assert embedders.in_use.mark == use.mark
    embedders.ask(use)
    assert embedders.turn() is None, "asked again, nothing changes"


def test_what_the_runtime_cannot_run_is_refused_and_what_is_in_use_stays(place: Place) -> None:
    at = place.publish(1, "mine", b"\x1c\0\0\0TFL3" + bytes(5000))
    embedders = Embedders(place.paths, OWN)
    embedders.ask(UseEmbedders(decides=at, threshold=0.625))
    assert settled(embedders) is None
    assert embedders.refused in ({at.version: UNUSABLE}, {at.version: CRASHED})
    assert embedders.in_use == OWN
    embedders.ask(UseEmbedders(decides=at, threshold=0.625))
    assert embedders.turn() is None, "it is not tried again"


def test_a_golden_embedding_that_does_not_come_out_is_refused(place: Place) -> None:
    golden = f'mirror = false\ngolden = [{{ seed = "a", embedding = [{", ".join(["0.1"] * 8)}] }}]'
    at = place.publish(1, "mine", **{"mirror = false": golden})
    embedders = Embedders(place.paths, OWN)
    embedders.ask(UseEmbedders(decides=at, threshold=0.625))
    assert settled(embedders) is None
    assert embedders.refused == {at.version: UNUSABLE}


def test_what_hangs_is_ended(place: Place) -> None:
    at = place.publish(1, "mine", **{"y = 87.7798": "y = 87.7799"})
    embedders = Embedders(place.paths, OWN, longest_s=0.0)
    embedders.ask(UseEmbedders(decides=at, threshold=0.625))
    assert settled(embedders) is None
    assert embedders.refused == {at.version: TOO_SLOW}


def test_what_ends_its_process_is_told_as_a_crash(place: Place) -> None:
    at = place.publish(1, "mine")
    trying = Trial(place.folder / "1", at.name)
    assert trying.code() is None
    trying.end()
    assert trying.code() == CRASHED


def test_a_shipped_one_needs_no_trial_and_a_bad_shadow_is_done_without(place: Place) -> None:
    shadow = place.publish(1, "mine", b"no network")
    embedders = Embedders(place.paths, OWN)
    embedders.ask(UseEmbedders(decides=SHIPPED, threshold=0.7))
    assert embedders.turn() is not None
    assert embedders.in_use.threshold == 0.7
    embedders.ask(UseEmbedders(decides=SHIPPED, threshold=0.8, shadow=shadow))
    deadline = time.monotonic() + 30
    while (found := embedders.turn()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert found[1] is None
    assert embedders.refused == {shadow.version: UNUSABLE}
    assert embedders.in_use.mark == UseEmbedders(decides=SHIPPED, threshold=0.8).mark


def test_an_entry_that_was_changed_after_it_was_chosen_is_not_loaded(place: Place) -> None:
    at = place.publish(1, "mine")
    embedders = Embedders(place.paths, OWN)
    other = EmbedderAt(name="mine", version="0" * 64, release=1)
    embedders.ask(UseEmbedders(decides=other, threshold=0.625))
    assert settled(embedders) is None
    assert embedders.refused == {other.version: ANOTHER}
    assert at.version != other.version
