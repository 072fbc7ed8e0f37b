"""A recording gives its frames in order with their times, or says what is wrong with it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models import film
from models.film import FilmError, frames


def grey(level: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((120, 160, 3), level, np.uint8)


def refused(path: Path) -> FilmError:
    with pytest.raises(FilmError) as error:
        list(frames(path))
    return error.value


def test_a_folder_gives_its_images_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, level in (("b.png", 120), ("a.png", 60), ("c.jpg", 200), ("notes.txt", 0)):
        file = tmp_path / name
        if file.suffix == ".txt":
            file.touch()
        else:
            cv2.imwrite(str(file), grey(level))
    found = list(frames(tmp_path, rate=10))
    assert [round(float(image.mean())) for image, _ in found] == [60, 120, 200]
    assert [at for _, at in found] == [0.0, 0.1, 0.2]


def test_numbers_in_names_count_as_numbers_and_hidden_files_are_no_frames(tmp_path: Path) -> None:
    numbers = (1, 2, 9, 10, 11, 100)
    for number in numbers:
        cv2.imwrite(str(tmp_path / f"frame{number}_a.png"), grey(number))
    (tmp_path / "._frame3_a.png").write_bytes(b"what a desktop leaves")
    assert [round(float(image.mean())) for image, _ in frames(tmp_path)] == list(numbers)


def test_a_video_gives_its_frames_at_its_own_rate(tmp_path: Path) -> None:
    file = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (160, 120))
    for level in (40, 90, 140, 190):
        writer.write(grey(level))
    writer.release()
    found = list(frames(file))
    assert [round(float(image.mean()), -1) for image, _ in found] == [40, 90, 140, 190]
    assert [at for _, at in found] == pytest.approx([0.0, 0.05, 0.1, 0.15])
    assert [at for _, at in frames(file, rate=10)] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.mp4").code == "cannot_be_read"
    assert refused(tmp_path).code == "no_images"
    text = tmp_path / "text.mp4"
    text.write_text("this is no video" * 50)
    assert refused(text).code == "not_a_video"


def test_an_image_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40))
    error = refused(tmp_path)
    assert "broken.png" in error.fix


def test_more_frames_than_a_walk_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "MAX_FRAMES", 2)
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(tmp_path / name), grey(90))
    assert refused(tmp_path).code == "too_many_frames"
