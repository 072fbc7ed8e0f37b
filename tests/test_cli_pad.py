"""`gatectl face evaluate-pad` over folders of stills and recordings."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest

from gated.commands import face_evaluate_pad
from gated.commands.answer import Answer, UsageError, Words
from models import film
from models.evaluation import presentations
from models.evaluation.presentations import Judge, PresentationError, listed
from models.liveness.looking import place
from models.liveness.training.samples import Kind, sample
from models.liveness.training.sources import Source
from models.tflite import Image
from tests.models.portraits import MODELS, astronaut, face

Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Ask:
    parser = argparse.ArgumentParser()
    face_evaluate_pad.add(Words(parser.add_subparsers(), argparse.ArgumentParser(add_help=False)))

    def run(*words: object) -> Answer:
        arguments = parser.parse_args(["evaluate-pad", *map(str, words)])
        answer: Answer = arguments.command(arguments)
        return answer

    return run


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stills of one person, live and shown on paper; a recording without a face; and a file that is none."""
    root = tmp_path_factory.mktemp("presentations")
    person = Source("astronaut", astronaut(), *place(face(astronaut()).points))
    kinds: dict[str, Kind] = {"people": "bona fide", "sheets": "grey", "tablets": "tablet"}
    for name, kind in kinds.items():
        (root / name).mkdir()
        for number in range(6):
            still = sample(kind, [person], (11, number)).shot.image
            cv2.imwrite(str(root / name / f"{number}.png"), still)
    (root / "people" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    (root / "people" / "notes.txt").write_text("not a presentation")
    (root / "sheets" / "wall").mkdir()
    for number in range(3):
        cv2.imwrite(str(root / "sheets" / "wall" / f"{number}.png"), np.full((240, 320, 3), 90, np.uint8))
    return root


def test_rates_of_each_species_are_told(ask: Ask, folders: Path) -> None:
    answer = ask("--bona-fide", folders / "people", "--attack", folders / "sheets", folders / "tablets")
    told = json.loads(msgspec.json.encode(answer.value))
    stills = told["stills"]
    assert set(stills["species"]) == {"sheets", "tablets"}
    assert stills["bona_fide"]["presentations"] == 6
    assert stills["threshold"] == pytest.approx(1 - MODELS.recapture.threshold)
    answered = (stills["bona_fide"], *stills["species"].values())
    assert all(each["non_responses"]["trials"] == 6 for each in answered)
    rates = [each["apcer"]["rate"] for each in stills["species"].values()]
    assert stills["apcer"]["rate"] == max(rates)
    assert stills["species"]["sheets"]["apcer"]["rate"] <= 0.34
    assert stills["bona_fide"]["bpcer"]["rate"] <= 0.34
    assert any(line.startswith("stills:") for line in answer.text)


def test_a_recording_without_a_face_is_no_response(ask: Ask, folders: Path) -> None:
    answer = ask("--bona-fide", folders / "people", "--attack", folders / "sheets")
    sequences = answer.value.sequences
    assert sequences.species["sheets"].reasons == {"no_face": 1}
    assert sequences.apcer is None
    assert sequences.threshold is None


@pytest.mark.parametrize(("words", "rate"), [(("--fps", "7.5"), 7.5), ((), None)])
def test_a_recording_that_does_not_tell_runs_at_the_rate_that_is_given(
    ask: Ask, folders: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], rate: float | None
) -> None:
    rates: list[float | None] = []

    def frames(path: Path, rate: float | None = None) -> Iterator[tuple[Image, float]]:
        rates.append(rate)
        yield from film.frames(path, rate)

    monkeypatch.setattr(presentations, "film", SimpleNamespace(**vars(film) | {"frames": frames}))
    ask("--bona-fide", folders / "sheets", "--attack", folders / "tablets", *words)
    assert rates == [rate]


@pytest.mark.parametrize("rate", ["0", "241", "nan", "fast"])
def test_a_rate_out_of_range_is_refused(ask: Ask, folders: Path, rate: str) -> None:
    with pytest.raises(SystemExit):
        ask("--bona-fide", folders / "sheets", "--attack", folders / "tablets", "--fps", rate)


def test_files_that_cannot_be_used_are_named_and_counted(ask: Ask, folders: Path) -> None:
    answer = ask("--bona-fide", folders / "people", "--attack", folders / "sheets")
    (unusable,) = answer.value.unusable
    assert Path(unusable.file).name == "broken.jpg"
    assert unusable.error == "image_damaged"
    assert any("broken.jpg (image_damaged)" in line for line in answer.text)
    assert [line for line in answer.text if len(line) > 80 and str(folders) not in line] == []


def test_every_image_at_any_depth_can_be_a_still(ask: Ask, folders: Path) -> None:
    answer = ask("--stills", "--bona-fide", folders / "people", "--attack", folders / "sheets")
    assert answer.value.sequences is None
    assert answer.value.stills.species["sheets"].presentations == 9


def test_a_report_names_no_file(ask: Ask, folders: Path, tmp_path: Path) -> None:
    place_ = tmp_path / "report"
    answer = ask("--bona-fide", folders / "people", "--attack", folders / "sheets", "--report", place_)
    page = (place_ / "index.html").read_text()
    assert "broken" not in page
    assert "sheets (APCER, APNRR)" in page
    assert (place_ / "det-stills.svg").exists()
    assert answer.text[-1] == f"report: {place_ / 'index.html'}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--bona-fide", "people", "--attack", "sheets", "sheets"), "second species"),
        (("--bona-fide", "people", "--attack", "sheets/../people"), "holds the bona fide"),
        (("--bona-fide", "people", "--attack", "empty"), "no_presentations"),
        (("--bona-fide", "nowhere", "--attack", "sheets"), "cannot_be_read"),
        (("--bona-fide", "people", "--attack", *[f"s{n}" for n in range(65)]), "more than 64"),
        (("--bona-fide", "people", "--attack", "tablets", "--report", "people/0.png"), "cannot be written"),
        # before anything else, for that may take an hour
        (("--bona-fide", "nowhere", "--attack", "sheets", "--report", "people/0.png"), "cannot be written"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    ask: Ask, folders: Path, words: tuple[str, ...], said: str
) -> None:
    (folders / "empty").mkdir(exist_ok=True)
    with pytest.raises(UsageError, match=said):
        ask(*(word if word.startswith("--") else folders / word for word in words))


def test_a_recording_that_is_none_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\0" * 5000)
    (tmp_path / "void").mkdir()
    assert len(listed(tmp_path).sequences) == 2
    judge = Judge(MODELS)
    for name, code in (("film.mp4", "not_a_video"), ("void", "no_images")):
        with pytest.raises(PresentationError, match=code):
            judge.sequence(tmp_path / name)
    with pytest.raises(PresentationError, match="cannot_be_read"):
        judge.still(tmp_path / "gone.png")


def test_what_is_hidden_is_no_presentation(tmp_path: Path) -> None:
    for name in ("still.png", "._still.png", "._film.mp4"):
        (tmp_path / name).touch()
    (tmp_path / ".Spotlight").mkdir()
    assert listed(tmp_path).stills == (tmp_path / "still.png",)
    assert not listed(tmp_path).sequences
    assert len(listed(tmp_path, only_stills=True)) == 1


def test_one_picture_shown_for_seconds_is_never_live(tmp_path: Path) -> None:
    for number in range(25):
        cv2.imwrite(str(tmp_path / f"{number:03}.png"), astronaut())
    said = Judge(MODELS).sequence(tmp_path)
    assert said.classification != "bona_fide"


def test_too_many_presentations_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentations, "MAX_PRESENTATIONS", 2)
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"")
    with pytest.raises(PresentationError, match="too_many_presentations"):
        listed(tmp_path)
