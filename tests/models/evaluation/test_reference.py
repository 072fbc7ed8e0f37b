"""Figures on people that nobody here trained on: skipped where the shared photographs are absent."""

import os
import shutil
from pathlib import Path

import pytest

from models import installed, manifest
from models.evaluation import acquisition, rates, verification
from models.evaluation.photographs import Collection
from models.evaluation.rates import Scores
from models.matching import Embedder
from models.schema import Embedder as EmbedderEntry
from tests.models.portraits import DLIB, MODELS

_REPOSITORY = Path(__file__).resolve().parents[3]
_SHARED = Path(os.environ.get("EGATE_TEST_DATA") or _REPOSITORY.parent / "shared" / "data")
_TEN = _SHARED / "faces" / "lfw10"


def reference(folder: Path) -> EmbedderEntry:
    """The entry that docs/matching.md shows, beside its model; or a skipped test."""
    text = (_REPOSITORY / "docs" / "matching.md").read_text().split("```toml\n")[1].split("```")[0]
    (folder / "entry.toml").write_text(text)
    entry = installed.embedder_of(installed.read_entry(folder / "entry.toml"))
    model = _SHARED.parent / "models" / Path(entry.file).name
    if not model.is_file():
        pytest.skip(f"no reference model: {model.name} (set EGATE_TEST_DATA)")
    shutil.copyfile(model, entry.file)
    return entry


def measured(entry: EmbedderEntry, template: int) -> tuple[Scores, Scores]:
    """Mated and non-mated scores of the ten people."""
    if not _TEN.is_dir():
        pytest.skip("no test data: faces/lfw10 (set EGATE_TEST_DATA)")
    collection = Collection(_TEN)
    needed = verification.needed_for_all(collection)
    live = template > 1
    acquired = acquisition.acquire(_TEN, needed, MODELS, entry, live=live)
    assert acquired.failures == {}
    found = verification.of_all(collection, acquired, Embedder(entry), template).comparisons
    return found.scores[found.mated], found.scores[~found.mated]


def test_the_entry_of_the_document_is_one(tmp_path: Path) -> None:
    entry = reference(tmp_path)
    assert entry.metric == "cosine"
    assert [each.images for each in entry.measured] == [1, 5]
    assert manifest.threshold("mobilefacenet", entry, 0.001, images=1) == 0.4435


@pytest.mark.slow
@pytest.mark.parametrize(("model", "worst"), [("default", 0.06), ("reference", 0.02)])
def test_ten_people_are_told_apart_at_the_threshold_that_others_gave(
    model: str, worst: float, tmp_path: Path
) -> None:
    entry = DLIB if model == "default" else reference(tmp_path)
    mated, others = measured(entry, 1)
    assert (len(mated), len(others)) == (450, 4500)
    threshold = manifest.threshold(model, entry, 0.001, images=1)
    assert rates.proportion(int((others >= threshold).sum()), len(others)).low <= 0.001
    assert (mated < threshold).mean() <= worst


@pytest.mark.slow
def test_five_frames_tell_them_apart_better_than_one_photograph() -> None:
    mated, others = measured(DLIB, 5)
    threshold = manifest.threshold("dlib-resnet", DLIB, 0.001, images=5)
    assert rates.proportion(int((others >= threshold).sum()), len(others)).low <= 0.001
    assert (mated < threshold).mean() <= 0.02
