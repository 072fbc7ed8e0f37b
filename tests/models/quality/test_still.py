"""`gatectl face quality`, and the photographs of strangers that it is given."""

import argparse
import contextlib
import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.commands.answer import Answer, UsageError, Words
from gated.commands.face_quality import MAX_IMAGES, add
from gated.core.vocabulary import Hint
from models.evaluation.acquisition import Enroller
from models.image import FIXES, ImageError
from models.quality.components import COMPONENTS
from models.quality.heads import NAMES
from models.quality.still import StillCheck
from models.tflite import Image
from tests.models.portraits import DLIB, MODELS, astronaut, hopper
from tests.models.quality.heads import wearing

CHECK = StillCheck(MODELS)


def coded(image: Image, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def two_of(image: Image, scale: float = 0.5) -> Image:
    """A face, and beside it once more and smaller."""
    small = cv2.resize(image, None, fx=scale, fy=scale)
    beside = np.zeros((image.shape[0], small.shape[1], 3), np.uint8)
    beside[: small.shape[0]] = small
    return np.concatenate([image, beside], axis=1)


def asked(*words: str) -> Answer:
    """The answer to `gatectl face quality`."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true")
    parser = argparse.ArgumentParser()
    add(Words(parser.add_subparsers(), common).group("face", "Faces."))
    arguments = parser.parse_args(["face", "quality", *words])
    answer: Answer = arguments.command(arguments)
    return answer


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    contents = {
        "hopper.png": coded(hopper()),
        "hopper.jpg": coded(hopper(), ".jpg"),
        "hopper.jp2": coded(hopper(), ".jp2"),
        "small.png": coded(astronaut()),
        "two.png": coded(two_of(hopper())),
        "wall.png": coded(np.full((300, 300, 3), 120, np.uint8)),
        "letter.txt": b"Dear officer",
        "empty.jpg": b"",
    }
    for name, body in contents.items():
        (tmp_path / name).write_bytes(body)
    return {name: str(tmp_path / name) for name in contents}


def test_each_image_gets_one_object(files: dict[str, str]) -> None:
    answer = asked(*files.values())
    assert answer.series
    values = [json.loads(msgspec.json.encode(each)) for each in answer.value]
    assert [each["file"] for each in values] == list(files.values())
    assert not answer.good


@pytest.mark.parametrize("name", ["hopper.png", "hopper.jpg", "hopper.jp2"])
def test_a_portrait_is_told_whole(files: dict[str, str], name: str) -> None:
    answer = asked(files[name])
    (told,) = answer.value
    assert answer.good
    assert told.usable
    assert told.error is None
    assert (told.width, told.height, told.faces) == (512, 600, 1)
    left, top, right, bottom = told.box
    assert (left, right) == pytest.approx((172, 355), abs=8)
    assert (top, bottom) == pytest.approx((133, 334), abs=8)
    assert 0.7 < told.value <= 1
    assert list(told.components) == list(COMPONENTS)
    assert all(each.value is not None and each.native is not None for each in told.components.values())
    assert told.components["inter_eye_distance"].native == pytest.approx(88, abs=3)
    assert set(told.heads) == set(NAMES)
    assert told.heads["head_covering"] > 0.5  # a naval cap
    assert told.heads["mask"] < 0.5


def test_a_mask_that_hides_the_face_from_the_mesh_shall_come_off_too(tmp_path: Path) -> None:
    file = tmp_path / "masked.png"
    file.write_bytes(coded(wearing("ada", "mask")))
    answer = asked(str(file))
    (told,) = answer.value
    assert (told.error, told.faces) == ("no_face_mesh", 1)
    assert told.hints == (Hint.TAKE_OFF_MASK,)
    assert answer.text == (f"{file}: no_face_mesh, take_off_mask", f"  {told.fix}")
    assert "uncovered" in str(told.fix)
    assert not answer.good


def test_what_is_missing_is_told(files: dict[str, str]) -> None:
    (told,) = asked(files["small.png"]).value
    assert not told.usable
    assert told.hints == (Hint.COME_CLOSER,)


def test_other_faces_are_counted_and_the_largest_is_assessed(files: dict[str, str]) -> None:
    (told,) = asked(files["two.png"]).value
    assert told.faces == 2
    assert told.box[2] < 512
    assert told.components["single_face_present"].value == pytest.approx(50, abs=8)


def test_of_two_people_who_are_as_near_neither_can_be_matched(tmp_path: Path) -> None:
    for scale, usable in ((0.5, True), (0.95, False)):
        file = tmp_path / "two.png"
        file.write_bytes(coded(two_of(hopper(), scale)))
        answer = asked(str(file))
        (told,) = answer.value
        assert told.faces == 2
        assert told.usable is answer.good is usable
        assert told.hints == (() if usable else (Hint.ONE_PERSON,))
    assert told.components["single_face_present"].value < 20
    assert answer.text[0] == f"{file}: not usable: one_person"


def test_compare_counts_faces_as_quality_does() -> None:
    """A border finds what the edge cuts off: it must not find more people for one command than another."""
    aside = np.ascontiguousarray(np.concatenate([hopper()[:, 250:], hopper()], axis=1))
    enroller = Enroller(MODELS, DLIB)
    seen = enroller.see(coded(aside))
    assert len(enroller.present(seen)) == CHECK.assess(coded(aside)).faces < len(seen.faces)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("wall.png", "no_face_detected"),
        ("letter.txt", "not_an_image"),
        ("empty.jpg", "not_an_image"),
    ],
)
def test_what_shows_no_face_gets_a_code(files: dict[str, str], name: str, code: str) -> None:
    answer = asked(files[name])
    (told,) = answer.value
    assert told.error == code
    assert told.value is told.box is None
    assert not told.usable
    assert not answer.good
    assert answer.text == (f"{files[name]}: {code}", f"  {FIXES[code]}")
    assert told.fix == FIXES[code]


def test_the_text_fits_a_terminal(files: dict[str, str]) -> None:
    answer = asked(files["hopper.png"], files["small.png"])
    assert [line for line in answer.text if not line.startswith("/") and len(line) > 80] == []
    assert any("usable" in line for line in answer.text)
    for name in COMPONENTS:
        assert any(name.replace("_", " ") in line for line in answer.text)


def test_a_file_that_is_not_there_is_told_and_the_others_are_assessed(files: dict[str, str]) -> None:
    nothing = files["hopper.png"] + ".not"
    answer = asked(nothing, files["hopper.png"])
    assert [each.error for each in answer.value] == ["file_unreadable", None]
    assert answer.text[:2] == (f"{nothing}: file_unreadable", f"  {FIXES['file_unreadable']}")
    assert not answer.good


def test_files_none_of_which_is_there_are_a_question_that_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing.png, .*: file_unreadable: check the path"):
        asked(str(tmp_path / "nothing.png"), str(tmp_path))


def test_help_says_that_json_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        asked("--help")
    assert "--json prints one object a line" in capsys.readouterr().out


def test_so_many_images_are_enough(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="more than"):
        asked(*[str(tmp_path / "x.png")] * (MAX_IMAGES + 1))


def test_a_face_that_fills_its_photograph_is_found() -> None:
    tight = np.ascontiguousarray(hopper()[120:345, 165:360])
    assert CHECK.assess(coded(tight)).faces == 1


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_a_damaged_file_is_assessed_or_refused(seed: int, count: int) -> None:
    body = bytearray(coded(cv2.resize(hopper(), (128, 150)), ".jpg"))
    chance = np.random.default_rng(seed)
    for place in chance.integers(0, len(body), count):
        body[place] = chance.integers(256)
    with contextlib.suppress(ImageError):
        found = CHECK.assess(bytes(body))
        assert found.hints if found.quality is None else 0 <= found.quality.value <= 1
