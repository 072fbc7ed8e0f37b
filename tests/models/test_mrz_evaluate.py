"""Reading pages from files, and the figures of how well pages are read."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from gated.commands.answer import UsageError
from gated.commands.mrz_evaluate import Outcome, figures, main, outcomes, table
from gated.commands.mrz_read import page_reader, read_images, read_page
from models.mrz import trials
from models.mrz.training import pages, zones
from tests.document.material import _DATA, test_data
from tests.models.test_mrz_page import TD3, scan


def outcome(verdict: str, *, right: bool, ms: float = 50) -> Outcome:
    return Outcome(source="a kind", width=420, turn=90, skewed=False, verdict=verdict, right=right, cpu_ms=ms)


def test_a_page_counts_as_exact_only_if_it_was_read_and_right() -> None:
    found = [
        *[outcome("read", right=True)] * 6,
        outcome("read", right=False, ms=200),
        *[outcome("unsure", right=True)] * 2,
        outcome("none", right=False),
    ]
    all_ = figures(found)
    assert (all_.pages, all_.exact, all_.wrong, all_.unsure, all_.none) == (10, 0.6, 0.1, 0.2, 0.1)
    assert all_.legible == 0.8
    assert (all_.cpu_ms_median, all_.cpu_ms_most) == (50, 200)
    lines = table(found)
    assert lines[1].split() == ["all", "10", "0.600", "0.100", "0.200", "0.100", "0.800", "50"]
    assert {line[:26].strip() for line in lines[2:]} == {"a kind", "width 400 to 499", "turned 90"}


def test_files_are_read_and_what_is_no_image_is_said(tmp_path: Path) -> None:
    page, text, blank = (tmp_path / name for name in ("page.png", "text.png", "blank.jpg"))
    page.write_bytes(cv2.imencode(".png", scan(TD3, turn=90))[1].tobytes())
    text.write_text("P<UTO")
    blank.write_bytes(cv2.imencode(".jpg", np.full((300, 400, 3), 200, np.uint8))[1].tobytes())
    one, two, three = read_images([page, text, blank])
    assert (one.reading.verdict, one.error, one.advice) == ("read", None, None)
    assert one.reading.lines.reveal() == TD3.lines
    assert (two.reading.verdict, two.error) == ("none", "not_an_image")
    assert (three.reading.verdict, three.error) == ("none", None)
    assert "ERIKSSON" not in repr(one)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_images([tmp_path / "no.png"])


def test_every_file_is_seen_in_sizes_and_directions(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (300, 520, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"a.png": {"lines": ["ONE", "TWO"], "format": "TD3"}}))
    found = list(trials.of_files(tmp_path, truth))
    assert [trial.width for trial in found] == [width for width in (350, 420, 500, 520) for _ in range(5)]
    assert {trial.lines for trial in found} == {("ONE", "TWO")}
    original = [trial for trial in found if trial.width == 520]
    assert [trial.turn for trial in original] == [0, 90, 180, 270, 0]
    assert np.array_equal(original[0].image, picture)
    assert np.array_equal(original[1].image, cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE))
    assert original[4].skew != 0
    assert min(original[4].image.shape[:2]) > 300


def test_rendered_pages_are_the_same_for_the_same_seed_and_mostly_read() -> None:
    found = list(trials.synthetic(12, 7))
    again = next(trials.synthetic(1, 7))
    assert np.array_equal(found[0].image, again.image)
    assert found[0].lines == again.lines
    shares = figures(outcomes(found))
    assert shares.exact >= 0.6  # a dozen pages, some of them washed out by glare
    assert shares.wrong <= 0.1


def test_the_command_prints_figures_and_no_character(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--synthetic", "2", "--seed", "7"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split()[:2] == ["all", "2"]
    assert all(line not in printed for trial in trials.synthetic(2, 7) for line in trial.lines)


def test_the_command_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--images", str(tmp_path)]) == 1
    assert "truth.json" in capsys.readouterr().err


@pytest.mark.slow
def test_pages_without_a_zone_are_never_read() -> None:
    reader = page_reader()
    for number in range(40):
        rng = np.random.default_rng([31, number])
        view = pages.random_view(rng, page=float(rng.uniform(350, 900)))
        page = pages.photograph(zones.random_zone(rng), view, rng, printed=False)
        assert read_page(reader, page.image)[0].verdict != "read"


@pytest.mark.slow
def test_specimens_are_read_and_none_of_them_wrong() -> None:
    test_data("mrz/truth.json")
    folder = _DATA / "mrz"
    found = outcomes(trials.of_files(folder, folder / "truth.json"))
    shares = figures(found)
    assert shares.exact >= 0.9
    assert shares.wrong <= 0.01
    assert shares.cpu_ms_median <= 300  # 80 to 100 on an idle core of the machine of the figures
