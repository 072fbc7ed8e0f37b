"""`gatectl face evaluate` on an album of two people, and what it says of lists that are not whole."""

import argparse
import json
from pathlib import Path

import msgspec
import pytest

from gated.commands import face_evaluate
from gated.commands.answer import Answer, UsageError, Words
from gated.config import DEFAULT_CONFIG
from tests.models.brought import lay_down
from tests.models.evaluation.album import lay, pack

PAIRS = (
    "2\t3\n"
    "Eileen_Collins\t1\t2\nEileen_Collins\t1\t3\nEileen_Collins\t2\t4\n"
    "Eileen_Collins\t1\tGrace_Hopper\t1\nEileen_Collins\t2\tGrace_Hopper\t5\nEileen_Collins\t3\tGrace_Hopper\t3\n"
    "Grace_Hopper\t1\t2\nGrace Hopper\t1\t3\nGrace_Hopper\t2\t6\n"
    "Eileen_Collins\t1\tGrace_Hopper\t2\nEileen_Collins\t9\tGrace_Hopper\t1\nEileen_Collins\t4\tGrace_Hopper\t4\n"
)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("photographs") / "album")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.txt"
    path.write_text(PAIRS)
    return path


def evaluate(*words: object) -> Answer:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser = argparse.ArgumentParser()
    face_evaluate.add(Words(parser.add_subparsers(), common))
    arguments = parser.parse_args(["evaluate", "--jobs", "1", *map(str, words)])
    answer: Answer = arguments.command(arguments)
    return answer


def test_a_list_with_folds_is_measured_and_what_is_missing_is_told(album: Path, listed: Path) -> None:
    answer = evaluate("--images", album, "--pairs", listed)
    value = json.loads(msgspec.json.encode(answer.value))
    assert (value["mated"], value["non_mated"]) == (5, 4)
    assert value["pairs_listed"] == 12
    assert value["pairs_left_out"] == {"failure_to_acquire": 2, "photograph_missing": 1}
    assert value["photographs_missing"] == ["Eileen_Collins 9"]
    assert value["failures_to_enrol"]["files"] == {
        "Grace_Hopper/Grace_Hopper_0005.jpg": "no_face_detected",
        "Grace_Hopper/Grace_Hopper_0006.jpg": "not_an_image",
    }
    assert value["failures_to_enrol"]["rate"]["trials"] == 10
    assert value["accuracy"]["folds"] == [1.0, 1.0]
    assert value["equal_error"]["rate"] == 0.0
    for point in value["points"]:
        assert not point["supported"]
        assert point["false_non_matches"] == {
            "errors": 0, "trials": 5, "rate": 0.0, "low": 0.0, "high": pytest.approx(0.5218, abs=1e-4),
        }  # fmt: skip
        assert point["false_matches"]["high"] == pytest.approx(0.6024, abs=1e-4)
    assert [each["threshold"] for each in value["shipped"]] == [0.7237, 0.7802, 0.82]
    assert value["shipped_template"] == 1


def test_text_says_what_json_says_and_names_no_failed_file(album: Path, listed: Path) -> None:
    lines = evaluate("--images", album, "--pairs", listed).text
    assert [line for line in lines if len(line) > 80] == []
    text = "\n".join(lines)
    assert "5 mated, 4 non-mated" in text
    assert "2 of 10: 1 no_face_detected, 1 not_an_image" in text
    assert "0.1 % not shown: < 60.24 %" in text
    assert "4 non-mated comparisons cannot show it" in text
    assert "missing: Eileen_Collins 9" in text
    assert "Grace_Hopper_0005" not in text
    assert str(album) not in text


def test_templates_are_compared_across_people_and_a_report_is_written(
    album: Path, listed: Path, tmp_path: Path
) -> None:
    words = ("--images", pack(album, tmp_path / "album.zip"), "--pairs", listed, "--template", "3")
    answer = evaluate(*words, "--report", tmp_path / "report")
    value = json.loads(msgspec.json.encode(answer.value))
    assert value["cross"]
    assert value["pairs_left_out"] == {"photograph_missing": 1}  # a template passes over what failed
    assert value["template"] == 3
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"index.html", "det.svg", "scores.svg"}
    page = (tmp_path / "report" / "index.html").read_text()
    assert "False match rate (FMR)" in page
    assert "Grace" not in page
    assert any(line.startswith("report: ") for line in answer.text)


def test_all_photographs_are_compared_without_a_list(album: Path) -> None:
    value = json.loads(msgspec.json.encode(evaluate("--images", album, "--all-pairs").value))
    assert (value["mated"], value["non_mated"]) == (12, 16)
    assert value["accuracy"] is None
    assert value["pairs_listed"] is None


def test_photographs_with_a_wrong_label_are_left_out_and_counted(album: Path, tmp_path: Path) -> None:
    names = tmp_path / "wrong.txt"
    names.write_text(
        "# not hers\n\nEileen_Collins/Eileen_Collins_0002.jpg  # somebody else\nOf_Another/Set_0001.jpg\n"
    )
    answer = evaluate("--images", album, "--all-pairs", "--without", names)
    value = json.loads(msgspec.json.encode(answer.value))
    assert value["without"] == {"named": 2, "here": 1}
    assert (value["mated"], value["non_mated"]) == (9, 12)
    assert any("1 of the 2 that a list names" in line for line in answer.text)
    assert (
        json.loads(msgspec.json.encode(evaluate("--images", album, "--all-pairs").value))["without"] is None
    )


def test_a_list_of_wrong_labels_that_is_none_is_refused_by_line(album: Path, tmp_path: Path) -> None:
    names = tmp_path / "wrong.txt"
    names.write_text("Eileen_Collins/Eileen_Collins_0002.jpg\nEileen_Collins 3\n")
    with pytest.raises(UsageError, match=r"wrong\.txt: line 2 .*write NAME/NAME_0001\.jpg"):
        evaluate("--images", album, "--all-pairs", "--without", names)
    with pytest.raises(UsageError, match="cannot be read"):
        evaluate("--images", album, "--all-pairs", "--without", tmp_path / "none.txt")


def test_frames_are_embedded_as_the_gate_does_when_asked(album: Path) -> None:
    words = ("--images", album, "--all-pairs", "--template", "3")
    stills, frames = (
        json.loads(msgspec.json.encode(evaluate(*w).value)) for w in (words, (*words, "--live"))
    )
    assert not stills["live"]
    assert frames["live"]
    assert stills["points"][0]["threshold"] != frames["points"][0]["threshold"]


def test_another_embedder_is_measured_from_its_entry(album: Path, tmp_path: Path) -> None:
    entry = lay_down(tmp_path / "stick")
    value = json.loads(
        msgspec.json.encode(evaluate("--images", album, "--all-pairs", "--model", entry).value)
    )
    assert value["model"] == "brought"
    assert [each["threshold"] for each in value["shipped"]] == [0.625]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--images", "{album}", "--pairs", "{listed}", "--model", "nobody"), "no such embedder"),
        (("--images", "{album}", "--pairs", "/nowhere/pairs.txt"), "cannot be read"),
        (("--images", "{album}", "--pairs", "{album}/Grace_Hopper/notes.txt"), "not_a_number in line 1"),
        (("--images", "/nowhere", "--pairs", "{listed}"), "neither a folder nor a zip file"),
        (("--images", "{album}/Grace_Hopper", "--pairs", "{listed}"), "no photographs: give a folder"),
        (("--images", "{album}", "--all-pairs", "--template", "5"), "nobody has more than 5"),
        (("--images", "{album}", "--pairs", "{listed}", "--live"), "give --template"),
        (("--images", "{album}", "--draw", "20"), "too few people"),
        (("--images", "{album}", "--draw", "30"), "multiple of 20"),
        (("--images", "{album}", "--all-pairs", "--draws", "2"), "give --draw N"),
        (("--images", "{album}", "--all-pairs", "--report", "{listed}/below"), "cannot be written"),
        # before anything else, for that may take an hour
        (("--images", "/nowhere", "--all-pairs", "--report", "{listed}/below"), "cannot be written"),
    ],
)
def test_what_cannot_be_measured_is_said(
    album: Path, listed: Path, words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        evaluate(*(word.format(album=album, listed=listed) for word in words))


@pytest.mark.parametrize(
    "words", [("--template", "0"), ("--template", "x"), ("--jobs", "0"), ("--pairs", "a")]
)
def test_bad_words_are_refused(album: Path, words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        evaluate("--images", album, "--all-pairs", *words)
