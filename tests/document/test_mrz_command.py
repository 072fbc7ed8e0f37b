"""`gatectl mrz parse`: what it takes, what it prints, and how it ends."""

import argparse
import io
import json
import sys

import msgspec
import pytest

from gated.commands import mrz
from gated.commands.answer import Answer, UsageError, Words
from tests.document.test_mrz_examination import FRENCH, RIGHT, TD1, TD3

FIELDS = [
    "document_type", "issuer", "surname", "given_names", "document_number", "nationality", "birth_date",
    "sex", "expiry_date", "optional_data", "optional_data_2", "issuing_office", "issue_date",
]  # fmt: skip


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> "Answered":
    return Answered(monkeypatch)


class Answered:
    """Runs the command on what standard input says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._parser = argparse.ArgumentParser()
        mrz.add(Words(self._parser.add_subparsers(required=True), argparse.ArgumentParser(add_help=False)))

    def __call__(self, stdin: bytes, *arguments: str) -> Answer:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        parsed = self._parser.parse_args(["parse", *arguments])
        answer = parsed.command(parsed)
        assert isinstance(answer, Answer)
        return answer


def given(lines: tuple[str, ...]) -> bytes:
    return "\n".join(lines).encode()


def test_a_right_zone_is_good_news_with_every_field(answered: Answered) -> None:
    answer = answered(given(TD3), "--at", "2026-11-26")
    assert answer.good
    value = json.loads(msgspec.json.encode(answer.value))
    assert list(value) == ["format", "valid", "fields", "checks", "errors"]
    assert list(value["fields"]) == FIELDS
    assert (value["format"], value["valid"], value["errors"]) == ("TD3", True, [])
    assert value["fields"]["birth_date"] == "1974-08-12"
    assert set(value["checks"].values()) == {"good"}


def test_a_wrong_zone_is_bad_news_with_every_fault(answered: Answered) -> None:
    answer = answered(given((TD3[0], TD3[1].replace("7408122", "7408123"))))
    assert not answer.good
    value = json.loads(msgspec.json.encode(answer.value))
    assert value["checks"]["birth_date"] == value["checks"]["composite"] == "wrong"
    assert [list(error) for error in value["errors"]] == [["field", "line", "column", "reason", "text"]] * 2
    assert value["errors"][0] | {"text": ""} == {
        "field": "birth_date",
        "line": 2,
        "column": 20,
        "reason": "check_digit",
        "text": "",
    }
    assert any("line 2, column 20, birth_date check_digit:" in line for line in answer.text)


def test_the_text_has_every_field_of_the_format_and_what_codes_mean(answered: Answered) -> None:
    text = "\n".join(answered(given(TD1), "--at", "2026-11-26").text)
    for wanted in (
        "format                 TD1",
        "valid                  yes",
        "UTO (Utopia)",
        "1974-08-12",
        "optional_data_2",
    ):
        assert wanted in text
    assert "issue_date" not in text
    assert "expiry_date  " not in "\n".join(answered(given(FRENCH)).text).replace("check expiry_date", "")


def test_the_day_gives_the_century(answered: Answered) -> None:
    years = {
        day: answered(given(TD3), "--at", day).value["fields"]["birth_date"][:4]
        for day in ("2026-11-26", "2074-08-12", "2074-08-11", "1990-01-01")
    }
    assert years == {"2026-11-26": "1974", "2074-08-12": "2074", "2074-08-11": "1974", "1990-01-01": "1974"}


@pytest.mark.parametrize("lines", RIGHT)
def test_blank_lines_and_line_ends_do_not_matter(answered: Answered, lines: tuple[str, ...]) -> None:
    plain = answered(given(lines), "--at", "2026-11-26")
    messy = answered(b"\r\n \r\n" + "\r\n\r\n".join(lines).encode() + b"\r\n\n", "--at", "2026-11-26")
    assert plain == messy


def test_a_name_that_is_no_zone_is_bad_news_without_fields(answered: Answered) -> None:
    answer = answered(b"HELLO\n")
    assert not answer.good
    assert answer.value["format"] is None
    assert set(answer.value["fields"].values()) == {None}
    assert answer.text[0] == "format                 none"


@pytest.mark.parametrize(
    ("stdin", "fix"),
    [
        (b"", "no lines"),
        (b" \n\r\n", "no lines"),
        (b"P\n" * 4, "lines of one zone|give those of one zone"),
        (b"P" * (mrz.MAX_INPUT + 1), "more than 4096 bytes"),
        (b"P<UTO\xff\n", "not UTF-8"),
    ],
)
def test_what_cannot_be_asked_about_is_refused_with_the_fix(
    answered: Answered, stdin: bytes, fix: str
) -> None:
    with pytest.raises(UsageError, match=fix):
        answered(stdin)


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "1979-12-31", "2200-01-01"])
def test_another_day_than_a_date_is_refused(answered: Answered, day: str) -> None:
    with pytest.raises(SystemExit):
        answered(given(TD3), "--at", day)


def test_control_characters_do_not_reach_the_terminal(answered: Answered) -> None:
    text = "".join(answered(given(("P<UTO\x1b[31m" + TD3[0][10:], TD3[1]))).text)
    assert text.isprintable()
