"""Face crops: kept only where the law lets them, few, small, and readable by nobody else."""

import os
from pathlib import Path

import pytest

from gated.core.vocabulary import Liveness
from gated.runtime.messages import Assessment
from gated.store.evidence import MAX_CROP, MAX_FILES, Evidence

PASSAGE = "a" * 16


def assessed(
    reference: bytes | None = b"reference", best: bytes | None = b"best", attempt: int = 1, number: int = 10
) -> Assessment:
    return Assessment(
        passage=f"{number:016x}",
        attempt=attempt,
        frames=8,
        match_score=0.9,
        liveness_score=0.9,
        liveness=Liveness.LIVE,
        reference_crop=reference,
        best_crop=best,
    )


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_nothing_is_kept_unless_the_settings_say_so(tmp_path: Path) -> None:
    Evidence(tmp_path / "evidence", keep=False).keep(assessed())
    assert list(tmp_path.iterdir()) == []


def test_each_attempt_is_kept_for_the_service_alone(tmp_path: Path) -> None:
    mask = os.umask(0)  # even so
    try:
        evidence = Evidence(tmp_path / "evidence", keep=True)
        for attempt in (1, 2):
            evidence.keep(assessed(attempt=attempt))
    finally:
        os.umask(mask)
    folder = tmp_path / "evidence"
    passage = f"{10:016x}"
    assert names(folder) == {f"{passage}-{kind}.jpg" for kind in ("reference", "best-1", "best-2")}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert (folder / f"{passage}-best-2.jpg").read_bytes() == b"best"


def test_crops_that_are_missing_or_too_long_are_not_kept(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "evidence", keep=True)
    evidence.keep(assessed(reference=bytes(MAX_CROP + 1), best=None))
    assert names(tmp_path / "evidence") == set()
    evidence.keep(assessed(reference=bytes(MAX_CROP)))
    assert len(names(tmp_path / "evidence")) == 2


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for number in range(MAX_FILES):
        old = folder / f"{number:016x}-reference.jpg"
        old.touch()
        os.utime(old, (number, number))
    Evidence(folder, keep=True).keep(assessed(number=9999))
    kept = names(folder)
    assert len(kept) == MAX_FILES
    assert {f"{9999:016x}-reference.jpg", f"{9999:016x}-best-1.jpg"} <= kept
    assert f"{0:016x}-reference.jpg" not in kept
    assert f"{1:016x}-reference.jpg" not in kept
    assert f"{2:016x}-reference.jpg" in kept


def test_a_disk_that_refuses_does_not_stop_the_gate_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "evidence"
    in_the_way.write_text("a file where the folder should be")
    Evidence(in_the_way, keep=True).keep(assessed())
    assert "not kept" in capsys.readouterr().err
    assert in_the_way.read_text() == "a file where the folder should be"


def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "evidence", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_bytes(b"untouched")
    (folder / f"{10:016x}-reference.jpg").symlink_to(elsewhere)
    Evidence(folder, keep=True).keep(assessed(best=None))
    assert elsewhere.read_bytes() == b"untouched"


def test_a_half_written_crop_is_no_crop(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / f"{10:016x}-reference.jpg").mkdir()  # cannot be opened for writing, nor unlinked
    Evidence(folder, keep=True).keep(assessed())
    assert names(folder) == {f"{10:016x}-reference.jpg"}
