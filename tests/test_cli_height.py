"""`gatectl face height` and `gatectl calibrate camera`, from files to the exit status."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from gated.commands import calibrate_camera, face_height
from gated.commands.answer import Answer, UsageError, Words
from hw_sim.camera.render import Mount
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from models.height.calibration import CameraCalibration, load, written
from models.height.camera import GroundCamera
from tests.mjpeg import MjpegServer, jpeg
from tests.models.height.pictures import BOARD, held, marks, upright
from tests.test_config import filled

LEVEL = CameraCalibration(
    width=1280, height=720, focal_px=1200.0, height_m=1.2, tilt_deg=0.0, camera="middle"
)
SMALL = CameraCalibration(width=640, height=480, focal_px=560.0, height_m=1.5, tilt_deg=10.0, roll_deg=1.0)


def asked(add: Callable[[Words], None], *line: object) -> Answer:
    """What a command answers, as the command line asks it."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true")
    common.add_argument("--config", type=Path, default=Path("/nowhere"))
    parser = argparse.ArgumentParser()
    add(Words(parser.add_subparsers(required=True), common))
    arguments = parser.parse_args([str(word) for word in line])
    answer = arguments.command(arguments)
    assert isinstance(answer, Answer)
    return answer


def refused(add: Callable[[Words], None], *line: object) -> str:
    with pytest.raises(UsageError) as error:
        asked(add, *line)
    return str(error.value)


def value(answer: Answer) -> Any:
    """What --json would print."""
    return msgspec.json.decode(msgspec.json.encode(answer.value))


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    file = tmp_path / "middle.camera"
    file.write_text(written(LEVEL))
    return file


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of JPEG frames of somebody of 1.30 m before a camera at 1.20 m."""
    folder = tmp_path_factory.mktemp("walk")
    path = (Waypoint(time_s=0, distance_m=2.2), Waypoint(time_s=1.0, distance_m=1.2))
    walker = Walker(person="ada", path=path, stature_m=1.30, seed=2)
    for number in range(10):
        frame = picture(Scene(present=(walker,), mount=Mount(1.2)), number / 10)
        cv2.imwrite(str(folder / f"{number:03}.jpg"), frame)
    return folder


def test_a_folder_of_frames_gives_a_height(walk: Path, calibration: Path) -> None:
    answer = asked(
        face_height.add, "height", walk, "--calibration", calibration, "--fps", 10, "--minimum-m", 1.2
    )
    found = value(answer)
    assert answer.good
    assert found["height_m"] == pytest.approx(1.30, abs=0.02)
    assert 0.005 < found["error_m"] < 0.05
    assert (found["method"], found["frames"], found["tall_enough"]) == ("horizon", 10, "yes")
    assert found["calibration_sha256"] == load(calibration).sha256
    assert "cm" in answer.text[0]


@pytest.mark.parametrize(("minimum_m", "verdict"), [(1.30, "undetermined"), (1.40, "no")])
def test_who_is_not_tall_enough_for_certain_is_bad_news(
    walk: Path, calibration: Path, minimum_m: float, verdict: str
) -> None:
    line = ("height", walk, "--calibration", calibration, "--fps", 10)
    answer = asked(face_height.add, *line, "--minimum-m", minimum_m)
    assert (answer.value.tall_enough, answer.good) == (verdict, False)
    assert asked(face_height.add, *line).good


def test_a_recording_without_a_face_is_undetermined(tmp_path: Path, calibration: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.jpg"), picture(Scene(mount=Mount(1.2)), number / 10))
    answer = asked(face_height.add, "height", folder, "--calibration", calibration, "--minimum-m", 1.2)
    assert not answer.good
    assert (answer.value.reason, answer.value.tall_enough) == ("no_face", "undetermined")
    assert "no_face" in answer.text[0]


def test_what_cannot_be_used_is_said(walk: Path, calibration: Path, tmp_path: Path) -> None:
    assert "cannot_be_read" in refused(
        face_height.add, "height", tmp_path / "x.mp4", "--calibration", calibration
    )
    assert "cannot_be_read" in refused(face_height.add, "height", walk, "--calibration", tmp_path / "none")
    other = tmp_path / "other.camera"
    other.write_text(written(SMALL))
    assert "other_image_size" in refused(face_height.add, "height", walk, "--calibration", other)


def test_a_calibration_is_checked(calibration: Path) -> None:
    answer = asked(calibrate_camera.add, "camera", "--check", calibration)
    assert answer.good
    assert value(answer)["height_m"] == 1.2
    assert value(answer)["sha256"] == load(calibration).sha256
    assert any("middle" in line for line in answer.text)


def test_a_damaged_calibration_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad"
    file.write_text("width = 3")
    said = refused(calibrate_camera.add, "camera", "--check", file)
    assert "value_out_of_range: width must be a whole number at least 64, at most 8192" in said
    assert str(file) in said
    assert str(tmp_path / "gone") in refused(calibrate_camera.add, "camera", "--check", tmp_path / "gone")


def marks_file(folder: Path, camera: GroundCamera) -> Path:
    """Marks on doors and a board that stands upright, as a technician would write them."""
    doors = [(x, y, 2.6) for x in (-0.5, 0.5) for y in (0.9, 1.6)]
    lines = [
        f"[[mark]]\nx = {mark.x}\ny = {mark.y}\nheight_m = {mark.height_m}\ndistance_m = {mark.distance_m}\n"
        for mark in marks(camera, doors, noise_px=0.3)
    ]
    cv2.imwrite(str(folder / "standing.png"), upright(camera, 0.9, 1.2))
    lines.append('[[board]]\nimage = "standing.png"\nlowest_m = 0.9\ndistance_m = 1.2\n')
    file = folder / "marks.toml"
    file.write_text("".join(lines))
    return file


def test_pictures_of_a_board_and_marks_give_a_calibration(tmp_path: Path) -> None:
    true = msgspec.structs.replace(SMALL, distortion=(-0.1, 0.02, 0.0, 0.0, 0.0))
    camera, pictures, out = GroundCamera(true), tmp_path / "board", tmp_path / "entry.camera"
    pictures.mkdir()
    for number in range(14):
        cv2.imwrite(str(pictures / f"{number:02}.png"), held(camera, number))
    answer = asked(
        calibrate_camera.add, "camera", "--images", pictures, "--board", "9x6", "--square-mm", 40,
        "--marks", marks_file(tmp_path, camera), "--camera", "entry", "--write", out,
    )  # fmt: skip
    found = load(out).calibration
    assert found.focal_px == pytest.approx(560.0, rel=0.006)
    assert found.tilt_deg == pytest.approx(10.0, abs=0.3)
    assert found.roll_deg == pytest.approx(1.0, abs=0.3)
    assert found.height_m == pytest.approx(1.5, abs=0.01)
    assert found.camera == "entry"
    assert found.date
    assert value(answer)["file"] == str(out)
    again = asked(
        calibrate_camera.add, "camera", "--lens", out, "--board", "9x6", "--square-mm", 40,
        "--marks", tmp_path / "marks.toml",
    )  # fmt: skip
    assert value(again)["tilt_deg"] == pytest.approx(found.tilt_deg, abs=0.001)
    assert "--write" in again.text[-1]


def config_of(folder: Path, url: str) -> Path:
    """The example configuration with a network camera of 640 x 480 called middle."""
    text = filled().replace('"/dev/egate/camera"', f'"{url}"')
    text = text.replace("width = 1280\nheight = 720", "width = 640\nheight = 480", 1)
    file = folder / "gate.toml"
    file.write_text(text)
    return file


def test_the_gate_s_own_camera_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate_camera, "_VIEW_S", 0.05)
    camera = GroundCamera(SMALL)
    pictures = [jpeg(held(camera, number), quality=95) for number in range(14)]
    file = marks_file(tmp_path, camera)
    with MjpegServer(lambda number: pictures[number % len(pictures)], rate=12.0) as server:
        answer = asked(
            calibrate_camera.add, "camera", "--camera", "middle", "--seconds", 3, "--board", "9x6",
            "--square-mm", 40, "--marks", file, "--config", config_of(tmp_path, server.url),
        )  # fmt: skip
    assert value(answer)["focal_px"] == pytest.approx(560.0, rel=0.01)
    assert value(answer)["tilt_deg"] == pytest.approx(10.0, abs=0.3)
    assert value(answer)["camera"] == "middle"


def test_a_camera_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "marks.toml").touch()
    line = (
        "camera",
        "--board",
        "9x6",
        "--square-mm",
        40,
        "--marks",
        tmp_path / "marks.toml",
        "--config",
        config_of(tmp_path, "http://127.0.0.1:9/x"),
    )
    assert "middle" in refused(calibrate_camera.add, *line, "--camera", "exit")
    assert "stop gate-vision" in refused(calibrate_camera.add, *line, "--camera", "middle", "--seconds", 20)


def test_too_little_to_calibrate_with_is_said(tmp_path: Path, calibration: Path) -> None:
    camera = GroundCamera(SMALL)
    one = tmp_path / "one.png"
    cv2.imwrite(str(one), held(camera, 0))

    def because(*line: object) -> str:
        return refused(calibrate_camera.add, "camera", *line)

    board = ("--board", "9x6", "--square-mm", 40)
    marks_ = tmp_path / "marks.toml"
    marks_.touch()
    assert "too_few_views" in because("--images", one, *board, "--marks", marks_)
    # whatever is missing is said before the board is looked for, which may take a minute
    assert "--marks" in because("--lens", calibration)
    assert "--marks" in because("--images", one, *board)
    assert "--marks" in because("--camera", "middle", *board)
    for place in (tmp_path, tmp_path / "nowhere" / "middle.camera"):
        told = because("--images", one, *board, "--marks", marks_, "--write", place)
        assert "cannot be written" in told
    assert "--board" in because("--images", one)
    assert "--square-mm" in because("--images", one, "--board", "9x6")
    assert "9x6" in because("--images", one, "--board", "9by6", "--square-mm", 40)
    assert "--images" in because(*board)
    assert "marks_not_readable" in because("--lens", calibration, "--marks", calibration)
    assert "cannot_be_read" in because("--lens", calibration, "--marks", tmp_path / "none")


@pytest.mark.parametrize(
    "words",
    [
        ("--height-m", "nan"),
        ("--height-m", "-1.5"),
        ("--height-m", "150"),
        ("--seconds", "nan"),
        ("--seconds", "x"),
    ],
)
def test_a_height_or_time_that_cannot_be_is_refused_before_anything_is_fitted(
    tmp_path: Path, calibration: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    file = tmp_path / "marks.toml"
    file.write_text(
        "".join(
            f"[[mark]]\nx = {639.5 + x}\ny = {359.5 - 1200 * (high - 1.2) / far}\n"
            f"height_m = {high}\ndistance_m = {far}\n"
            for high, far, x in ((1.0, 2.0, 200), (1.5, 2.0, -200), (0.5, 3.0, 200), (1.8, 3.0, -200))
        )
    )
    line = (calibrate_camera.add, "camera", "--lens", calibration, "--marks", file)
    assert value(asked(*line))["height_m"] == pytest.approx(1.2, abs=0.05)
    with pytest.raises(SystemExit):
        asked(*line, *words)
    assert words[0] in capsys.readouterr().err


def test_an_upright_board_that_is_not_seen_is_named(tmp_path: Path, calibration: Path) -> None:
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((720, 1280, 3), 128, np.uint8))
    file = tmp_path / "marks.toml"
    file.write_text('[[board]]\nimage = "blank.png"\nlowest_m = 0.9\ndistance_m = 1.2\n')
    line = ("camera", "--lens", calibration, "--marks", file)
    assert "no_board" in refused(calibrate_camera.add, *line)
    assert "blank.png" in refused(calibrate_camera.add, *line, "--board", "9x6", "--square-mm", 40)
    assert BOARD.columns == 9
