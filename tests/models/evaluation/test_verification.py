import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.evaluation import verification as evaluate
from tests.models.portraits import astronaut, hopper, turned


def test_rates_of_scores_that_can_be_counted() -> None:
    others = np.arange(1000) / 1000
    mated = np.array([0.5, 0.985, 0.9899, 0.995])
    threshold, fnmr = evaluate.rates(mated, others, 0.01)
    assert threshold == pytest.approx(0.989)
    assert (others > threshold).sum() == 10
    assert fnmr == 0.5


def test_a_rate_without_enough_pairs_is_not_given(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate._print_rates(np.ones(5), np.linspace(0, 0.5, 10_000))
    printed = capsys.readouterr().out
    assert "FMR 0.01: score 0.49" in printed
    assert "FMR 0.001: score 0.49" in printed
    assert "FMR 0.0001: too few impostor pairs" in printed


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two people, four photographs each, one without a face, and one that is not an image."""
    path = tmp_path / "people.zip"
    with zipfile.ZipFile(path, "w") as folder:
        for person, portrait in (("collins", astronaut()), ("hopper", hopper())):
            for number, degrees in enumerate((0, 6, -6, 10)):
                body = cv2.imencode(".jpg", turned(portrait, degrees)[0])[1].tobytes()
                folder.writestr(f"set/{person}/{number}.jpg", body)
        folder.writestr(
            "set/hopper/5.jpg", cv2.imencode(".jpg", np.zeros((200, 200, 3), np.uint8))[1].tobytes()
        )
        folder.writestr("set/hopper/6.jpg", b"not a photograph")
        folder.writestr("set/hopper/notes.txt", b"left out")
    return path


def test_a_small_set_is_measured(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--images", str(archive)]) == 0
    printed = capsys.readouterr().out
    assert "dlib-resnet: 2 people, 8 photographs, 2 without a face" in printed
    assert "all pairs: 12 genuine, 16 impostor" in printed
    assert "fusion: 2 people, 3 live frames for each photograph\n 8 genuine, 32 impostor" in printed
    assert printed.count("too few impostor pairs") == 12


def test_a_folder_is_measured_as_its_archive(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    evaluate.main(["--images", str(archive)])
    of_archive = capsys.readouterr().out
    evaluate.main(["--images", str(tmp_path / "set")])
    assert capsys.readouterr().out == of_archive


def test_people_with_few_photographs_make_no_fusion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for person, portrait in (("collins", astronaut()), ("hopper", hopper())):
        (tmp_path / person).mkdir()
        assert cv2.imwrite(str(tmp_path / person / "1.jpg"), portrait)
    assert evaluate.main(["--images", str(tmp_path)]) == 0
    assert "fusion: nobody has more than 3 photographs" in capsys.readouterr().out


def test_nothing_to_measure_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--images", str(tmp_path)]) == 1
    assert "fewer than two photographs with a face" in capsys.readouterr().err
