"""`gatectl face liveness` over videos and images of an approach."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from gated.commands import face_liveness
from gated.commands.answer import Answer, UsageError, Words
from models.tflite import Image
from tests.bench import presentations
from tests.bench.presentations import Kind, Way
from tests.models.liveness_views import LENS, drawn

Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Ask:
    parser = argparse.ArgumentParser()
    face_liveness.add(Words(parser.add_subparsers(), argparse.ArgumentParser(add_help=False)))

    def run(*words: object) -> Answer:
        arguments = parser.parse_args(["liveness", *map(str, words)])
        answer: Answer = arguments.command(arguments)
        return answer

    return run


def filmed(kind: Kind, way: Way, seed: int = 1) -> list[Image]:
    return [image for _, image, _ in presentations.frames(drawn(kind, way, seed), whole=True)]


def video(path: Path, images: list[Image]) -> Path:
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), LENS.fps, (width, height))
    for image in images:
        writer.write(image)
    writer.release()
    return path


def test_a_person_who_comes_near_is_live(ask: Ask, tmp_path: Path) -> None:
    images = filmed("person", "approach")
    answer = ask(video(tmp_path / "walk.avi", images))
    told = json.loads(msgspec.json.encode(answer.value))
    assert (told["verdict"], told["reason"], told["frames"]) == ("live", "", len(images))
    assert told["score"] > 0.7
    assert told["frames_used"] >= 8
    cues = {cue["name"]: cue["score"] for cue in told["cues"]}
    assert cues["motion"] > 0.7
    assert cues["light"] is None
    assert answer.good
    assert answer.text[0].startswith("live, score ")


def test_a_print_that_comes_near_is_an_attack_given_as_images(ask: Ask, tmp_path: Path) -> None:
    files = []
    for number, image in enumerate(filmed("bent", "approach", 2)):
        files.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(files[-1]), image)
    answer = ask(*files, "--fps", LENS.fps)
    assert answer.value.verdict == "attack"
    assert not answer.good


def test_who_stands_still_is_undetermined_and_is_told_why(ask: Ask, tmp_path: Path) -> None:
    answer = ask(video(tmp_path / "still.avi", filmed("person", "frozen")))
    assert (answer.value.verdict, answer.value.score) == ("undetermined", 0.5)
    assert "too little movement" in answer.value.reason
    assert any("insufficient evidence" in line for line in answer.text)
    assert not answer.good


def test_nobody_is_undetermined(ask: Ask, tmp_path: Path) -> None:
    empty = [np.full((240, 320, 3), 90, np.uint8)] * 3
    answer = ask(video(tmp_path / "empty.avi", empty))
    assert (answer.value.reason, answer.value.frames_with_face) == ("no face was found", 0)


def test_what_is_no_recording_is_refused_by_name(ask: Ask, tmp_path: Path) -> None:
    words = tmp_path / "words.avi"
    words.write_text("not a video")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 nothing")
    for path, told in ((words, "words.avi"), (broken, "broken.jpg"), (tmp_path / "none.png", "none.png")):
        with pytest.raises(UsageError, match=told):
            ask(path)


@pytest.mark.parametrize("rate", ["0", "1000", "nan", "quick"])
def test_a_rate_out_of_range_is_refused(ask: Ask, rate: str) -> None:
    with pytest.raises(SystemExit):
        ask("walk.avi", "--fps", rate)


def test_no_more_images_are_taken_than_a_minute_has(ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="more than 900 images"):
        ask(*[tmp_path / "a.png"] * (face_liveness.MAX_SEEN + 1))
