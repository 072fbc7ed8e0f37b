"""The measuring command, on scores that are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.quality.trials import DISCARDED, _line, discarding, halves, main
from tests.models.portraits import astronaut, hopper

IMPOSTOR = np.linspace(0, 0.5, 1001)  # at FMR 1 % the threshold is 0.495
GENUINE = np.array([0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.1])
FALLING = np.arange(8, 0, -1.0)


def test_the_worse_half_is_that_of_lower_value() -> None:
    found = halves(GENUINE, FALLING, IMPOSTOR, 0.01)
    assert (found.every, found.better, found.worse) == (0.5, 0.25, 0.75)
    assert halves(GENUINE, -FALLING, IMPOSTOR, 0.01).better == 0.75


def test_a_laxer_threshold_fails_fewer() -> None:
    assert halves(GENUINE, FALLING, IMPOSTOR, 0.5).every == 2 / 8  # 0.2 and 0.1


def test_discarding_takes_the_worst_first() -> None:
    assert DISCARDED == (0.0, 0.1, 0.2, 0.5)
    assert discarding(GENUINE, FALLING, IMPOSTOR, 0.01) == pytest.approx((0.5, 0.5, 3 / 7, 0.25))


@pytest.mark.parametrize("length", [0.0, 1.0, 7.5, 30.0])
@pytest.mark.parametrize("angle", [0.0, 1.0, 3.0])
def test_a_smear_keeps_light_and_place(length: float, angle: float) -> None:
    kernel = _line(length, angle)
    assert kernel.sum() == pytest.approx(1)
    assert kernel == pytest.approx(kernel[::-1, ::-1])
    rows, columns = np.nonzero(kernel)
    reach = np.hypot(rows - len(kernel) // 2, columns - len(kernel) // 2).max()
    assert reach == pytest.approx(length / 2, abs=1)


def test_it_measures_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, image in (("Grace", hopper()), ("Eileen", astronaut())):
        (tmp_path / name).mkdir()
        for number, gain in ((1, 1.0), (2, 0.8)):
            cv2.imwrite(str(tmp_path / name / f"{name}_{number:04}.jpg"), image * gain)
    assert main(["--images", str(tmp_path), "--degrade", "1"]) == 0
    told = capsys.readouterr().out
    assert "2 people, 8 pictures" in told
    assert "8 genuine pairs of different photographs, 16 impostor pairs" in told


def test_nothing_to_measure_with_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--images", str(tmp_path)]) == 1
    assert "no photographs" in capsys.readouterr().err
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "Ada_0001.jpg").write_bytes(b"no picture")
    assert main(["--images", str(tmp_path)]) == 1
    assert "fewer than two people" in capsys.readouterr().err
    assert main(["--images", str(tmp_path / "nothing.zip")]) == 1
