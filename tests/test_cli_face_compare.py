"""`gatectl face compare` on two public-domain portraits and what was made of them."""

import argparse
import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from gated.commands import face_compare
from gated.commands.answer import Answer, UsageError, Words
from gated.config import DEFAULT_CONFIG
from tests.models.brought import lay_down
from tests.models.evaluation.album import lay
from tests.models.portraits import astronaut, hopper


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lay(tmp_path_factory.mktemp("photographs") / "album")
    both = np.concatenate([astronaut()[:, 60:360], hopper()[:512, 60:460]], axis=1)
    cv2.imwrite(str(folder / "both.jpg"), both)
    return folder


def compare(*words: object) -> Answer:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser = argparse.ArgumentParser()
    face_compare.add(Words(parser.add_subparsers(), common))
    arguments = parser.parse_args(["compare", *map(str, words)])
    answer: Answer = arguments.command(arguments)
    return answer


def collins(album: Path, number: int) -> Path:
    return album / "Eileen_Collins" / f"Eileen_Collins_{number:04}.jpg"


def hopper_at(album: Path, number: int) -> Path:
    return album / "Grace_Hopper" / f"Grace_Hopper_{number:04}.jpg"


def test_one_person_matches_singly_and_fused_and_unusable_images_are_told(album: Path) -> None:
    images = (collins(album, 2), hopper_at(album, 5), collins(album, 3), hopper_at(album, 6))
    answer = compare(collins(album, 1), *images)
    value = json.loads(msgspec.json.encode(answer.value))
    assert answer.good
    assert value["match"]
    assert [each["error"] for each in value["images"]] == [None, "no_face_detected", None, "not_an_image"]
    assert [each["file"] for each in value["images"]] == [str(path) for path in images]
    assert (value["fused"]["images"], value["fused"]["measured_for"]) == (2, 3)
    singles = [each for each in value["images"] if each["score"] is not None]
    assert [each["fmr"] for each in singles[0]["decisions"]] == [0.01, 0.001, 0.0001]
    assert [each["threshold"] for each in singles[0]["decisions"]] == [0.7237, 0.7802, 0.82]
    assert [each["threshold"] for each in value["fused"]["decisions"]] == [0.7437, 0.798, 0.8337]
    assert all(each["match"] for single in singles for each in single["decisions"])
    assert all(0 < each["quality"] <= 1 for each in [value["reference"], *singles])
    assert value["fused"]["score"] >= min(each["score"] for each in singles)


def test_a_stranger_is_bad_news(album: Path) -> None:
    answer = compare(collins(album, 1), hopper_at(album, 1))
    assert not answer.good
    assert not answer.value.fused.decisions[0].match
    assert answer.value.fused.score == answer.value.images[0].score
    assert answer.value.fused.measured_for == 1
    assert answer.text[-1] == "no match at a false match rate of 0.1 %"


def test_text_tells_scores_thresholds_and_what_could_not_be_used(album: Path) -> None:
    text = "\n".join(compare(collins(album, 1), collins(album, 4), hopper_at(album, 5)).text)
    told = f"{hopper_at(album, 5)}: cannot be used: no_face_detected\n           give a photograph of a face"
    assert told in text
    assert "FMR 0.1 %: threshold 0.7802: match" in text
    assert "fused      1 of 2, score 0." in text


def test_a_file_that_is_not_there_is_told_and_the_others_are_compared(album: Path) -> None:
    answer = compare(collins(album, 1), album / "missing.jpg", collins(album, 2), album)
    assert [each.error for each in answer.value.images] == ["file_unreadable", None, "file_unreadable"]
    assert answer.value.images[0].fix.startswith("check the path")
    assert answer.value.fused.images == 1
    assert answer.value.match
    assert not answer.good  # what was asked for is not whole


def test_several_faces_are_told(album: Path) -> None:
    value = compare(collins(album, 1), album / "both.jpg").value
    assert value.images[0].faces == 2
    assert value.reference.faces == 1


def test_an_embedder_that_is_not_installed_is_tried_from_its_entry(album: Path, tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick")
    value = compare(collins(album, 1), collins(album, 2), "--model", entry).value
    assert value.model == "brought"
    assert [(each.fmr, each.match) for each in value.fused.decisions] == [(0.001, True)]


@pytest.mark.parametrize(
    ("reference", "image", "told"),
    [
        ("Grace_Hopper/Grace_Hopper_0005.jpg", "both.jpg", "no_face_detected: give a photograph of a face"),
        ("Grace_Hopper/notes.txt", "both.jpg", "not_an_image: give a JPEG"),
        ("missing.jpg", "both.jpg", "missing.jpg: file_unreadable: check the path"),
        (
            "both.jpg",
            "missing.jpg",
            "no image can be compared: .*missing.jpg: file_unreadable: check the path",
        ),
        (
            "both.jpg",
            "Grace_Hopper/Grace_Hopper_0006.jpg",
            "no image can be compared: .*not_an_image: give a JPEG",
        ),
    ],
)
def test_what_cannot_be_compared_is_no_answer(album: Path, reference: str, image: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        compare(album / reference, album / image)


def test_a_model_that_is_not_there_is_named(album: Path) -> None:
    with pytest.raises(UsageError, match="nobody: no such embedder"):
        compare(collins(album, 1), collins(album, 2), "--model", "nobody")


def test_a_model_without_the_threshold_that_decides_is_refused(album: Path, tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick", **{"fmr = 0.001": "fmr = 0.01"})
    with pytest.raises(UsageError, match=r"no threshold for FMR 0\.001"):
        compare(collins(album, 1), collins(album, 2), "--model", entry)
