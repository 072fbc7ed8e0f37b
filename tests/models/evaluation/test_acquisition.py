from pathlib import Path

import cv2
import numpy as np
import pytest

from models.evaluation.acquisition import Acquired, AcquisitionError, Enroller, _in_processes, acquire
from models.evaluation.photographs import Collection
from models.evaluation.verification import needed_for_all
from models.image import ImageError
from tests.models.evaluation.album import lay, pack
from tests.models.portraits import DLIB, MODELS, astronaut, embedding, turned

FAILED = {
    "Grace_Hopper/Grace_Hopper_0005.jpg": "no_face_detected",
    "Grace_Hopper/Grace_Hopper_0006.jpg": "not_an_image",
}


def acquired(source: Path, **options: bool | int) -> Acquired:
    collection = Collection(source)
    return acquire(source, needed_for_all(collection), MODELS, DLIB, **options)  # type: ignore[arg-type]  # its own keywords


def test_each_photograph_is_embedded_or_fails_with_a_code(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = lay(tmp_path / "album")
    needed = needed_for_all(Collection(source))
    found = acquire(source, needed, MODELS, DLIB, progress=lambda done, of: told.append((done, of)))
    assert len(found.embeddings) == 8
    assert found.failures == FAILED
    assert found.sides == {}
    assert told[-1] == (10, 10)
    first = found.embeddings["Eileen_Collins/Eileen_Collins_0001.jpg"]
    assert first @ embedding(astronaut()) > 0.995  # a JPEG of the same photograph


def test_an_archive_gives_what_its_folder_gives_by_several_processes_too(tmp_path: Path) -> None:
    source = lay(tmp_path / "album")
    here = acquired(source, live=True)
    source = pack(source, tmp_path / "album.zip")
    there = acquired(source, live=True, processes=2)
    assert {f"set/{file}": reason for file, reason in here.failures.items()} == there.failures
    for file, one in here.embeddings.items():
        assert np.array_equal(one, there.embeddings[f"set/{file}"])
        for side, other in zip(here.sides[file], there.sides[f"set/{file}"], strict=True):
            assert np.array_equal(side, other)


def test_a_file_that_vanished_is_unreadable(tmp_path: Path) -> None:
    source = lay(tmp_path / "album")
    needed = needed_for_all(Collection(source))
    (source / needed[0].file).unlink()
    assert acquire(source, needed[:1], MODELS, DLIB).failures == {needed[0].file: "file_unreadable"}


def test_of_several_faces_that_nearest_to_the_middle_is_taken() -> None:
    small = turned(astronaut(), scale=0.8)[0]
    sheet = np.full((512, 600, 3), 90, np.uint8)
    sheet[:, 320:] = astronaut()[:, 80:360]
    sheet[:410, :320] = small[:, :320]
    seen = Enroller(MODELS, DLIB).see(encoded(sheet))
    assert len(seen.faces) == 2
    assert seen.faces[0].area > seen.faces[1].area
    assert seen.face.points[:, 0].mean() < 320


def test_a_small_photograph_is_enlarged_and_judged_as_it_is() -> None:
    small = turned(astronaut(), scale=0.4)[0]
    seen = Enroller(MODELS, DLIB).see(encoded(small))
    assert seen.scale == 2
    photograph, face, faces = seen.as_photographed()
    assert photograph.shape == small.shape
    assert face.eye_distance == pytest.approx(seen.face.eye_distance / 2)
    assert faces[0].eyes.mean(0) == pytest.approx(face.points[[33, 133, 362, 263], :2].mean(0), abs=3)
    x0, y0, x1, y1 = faces[0].box
    assert x0 < face.points[:, 0].mean() < x1 < 205
    assert y0 < face.points[:, 1].mean() < y1 < 205


def test_a_photograph_without_a_face_says_so() -> None:
    with pytest.raises(ImageError, match="no_face_detected"):
        Enroller(MODELS, DLIB).embed(encoded(np.zeros((300, 300, 3), np.uint8)))


def test_a_process_that_ends_is_an_error_and_no_shorter_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.evaluation.acquisition._begin", _end)
    source = lay(tmp_path / "album")
    needed = needed_for_all(Collection(source))
    with pytest.raises(AcquisitionError, match="ended"):
        list(_in_processes(source, [needed], MODELS, DLIB, 1, live=False))


def _end(*_: object) -> None:
    raise SystemExit(1)


def encoded(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
