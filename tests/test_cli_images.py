"""What `gatectl` says of an image that it cannot use: the file, the code, and what to do."""

import json
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.gatectl import Run, gatectl

FIX = "save it as 8-bit RGB or grey, not CMYK: JPEG, or PNG without interlacing"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """A JPEG of four inks, as photographs for print are saved."""
    encoded = BytesIO()
    Image.new("CMYK", (200, 300), (10, 20, 30, 0)).save(encoded, "JPEG")
    file = tmp_path / "printed.jpg"
    file.write_bytes(encoded.getvalue())
    return file


@pytest.mark.parametrize("command", [("mrz", "read"), ("face", "quality")])
def test_a_file_among_several_is_told_with_its_fix(run: Run, printed: Path, command: tuple[str, str]) -> None:
    blank = printed.with_name("blank.jpg")
    blank.write_bytes(cv2.imencode(".jpg", np.full((300, 400, 3), 200, np.uint8))[1].tobytes())
    status, out, err = run(*command, printed, blank)
    assert (status, err) == (1, "")
    assert out.splitlines()[:2] == [f"{printed}: image_kind_unsupported", f"  {FIX}"]
    status, out, _ = run(*command, "--json", printed)
    (value,) = map(json.loads, out.splitlines())
    assert (status, value["error"], value["fix"]) == (1, "image_kind_unsupported", FIX)


def test_a_page_that_is_read_wants_no_fix(run: Run, tmp_path: Path) -> None:
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(cv2.imencode(".jpg", np.full((300, 400, 3), 200, np.uint8))[1].tobytes())
    value = json.loads(run("mrz", "read", "--json", blank)[1])
    assert (value["verdict"], value["error"], value["fix"]) == ("none", None, None)


@pytest.mark.parametrize(
    "command",
    [
        ("face", "compare", "IMAGE", "IMAGE"),
        ("face", "liveness", "IMAGE"),
        ("calibrate", "camera", "--images", "IMAGE", "--board", "9x6", "--square-mm", 25, "--marks", "MARKS"),
    ],
)
def test_an_image_without_which_nothing_can_be_said_ends_the_command(
    run: Run, printed: Path, command: tuple[object, ...]
) -> None:
    marks = printed.parent / "marks.toml"
    marks.write_text("[[mark]]\nx = 1.0\ny = 2.0\nheight_m = 1.0\ndistance_m = 2.0\n" * 4)
    given = {"IMAGE": printed, "MARKS": marks}
    status, out, err = run(*(given.get(str(word), word) for word in command))
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert str(printed) in err
    assert "image_kind_unsupported" in err
    assert err.endswith(f": {FIX}\n")


def test_a_frame_of_a_folder_is_named(run: Run, printed: Path) -> None:
    status, _, err = run("face", "liveness", printed.parent)
    assert status == 2
    assert err.endswith(f": {printed.name}: {FIX}, or take it out of the folder\n")
