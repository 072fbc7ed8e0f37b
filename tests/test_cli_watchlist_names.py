"""`gatectl watchlist score` and `match`: rows in, scores out, in order; hits told without names."""

import contextlib
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest

from gated.commands.watchlist_score import scores
from gated.core.personal import Personal
from gated.runtime.clock import now_utc
from gated.store.false_hits import FalseHits
from gated.store.list_keys import make_list_key, read_list_key
from gated.store.person_index import build_persons
from gated.watchlist.false_hits import Marking
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import DocumentClaim
from gated.watchlist.names.model import MATCH
from gated.watchlist.snapshot import PersonEntry
from hw_sim.passport.page import Entry, print_zone
from tests.gatectl import gatectl
from tests.test_config import filled


class _Input:
    def __init__(self, raw: bytes) -> None:
        self.buffer = io.BytesIO(raw)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> object:
    def give(raw: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", _Input(raw))

    return give


ROWS = """left,right,note
"Müller, Jürgen",JUERGEN MUELLER,same
Anna Eriksson,Sven Lindqvist,other
"""


def run(
    capsys: pytest.CaptureFixture[str], given: object, raw: bytes, *options: str
) -> tuple[int, list[str], str]:
    given(raw)  # type: ignore[operator]
    status, out, err = gatectl(capsys)("watchlist", "score", *options)
    return status, out.splitlines(), err


def test_each_row_has_one_score_in_order(capsys: pytest.CaptureFixture[str], given: object) -> None:
    status, lines, err = run(capsys, given, ROWS.encode())
    same, other = map(float, lines)
    assert (status, err) == (0, "")
    assert same > 0.95
    assert other < 0.1


def test_json_tells_the_verdict_and_why(capsys: pytest.CaptureFixture[str], given: object) -> None:
    status, lines, _ = run(capsys, given, ROWS.encode(), "--json")
    same, other = map(json.loads, lines)
    assert status == 0
    assert (same["line"], other["line"]) == (2, 3)
    assert same["match"] is True
    assert other["match"] is False
    assert same["score"] >= MATCH > other["score"]
    assert {"left": "MULLER", "right": "MUELLER", "how": "same", "alike": 1.0} in same["words"]
    assert [field["field"] for field in same["fields"]] == ["name", "birth", "nationality"]


def test_bad_rows_are_told_by_their_lines_and_the_rest_is_scored(
    capsys: pytest.CaptureFixture[str], given: object
) -> None:
    raw = (
        b"left,right,left_birth\nAnna,Anna,1974\n,Anna,\nAnna\n\n"
        b"Anna,Anna,secret\nAn\xffna,Anna,\nAnna,Anna,\n"
    )
    status, lines, err = run(capsys, given, raw)
    assert status == 1
    assert [line == "nan" for line in lines] == [False, True, True, True, True, False]
    assert [text.split(":")[1] for text in err.splitlines()] == [" line 3", " line 4", " line 6", " line 7"]
    assert "secret" not in err
    _, lines, _ = run(capsys, given, raw, "--json")
    assert json.loads(lines[1]) == {"line": 3, "score": None, "error": "the left name has no letters"}


@pytest.mark.parametrize("by", [",", ";", "\t"])
def test_columns_may_stand_in_any_order_parted_as_spreadsheets_do(
    capsys: pytest.CaptureFixture[str], given: object, by: str
) -> None:
    rows = (
        ("note", "right", "left"),
        ("x", "ERIKSSON ANNA", '"Anna  Eriksson"'),
        ("", "Sven Orr", "Anna Eriksson"),
    )
    raw = b"\xef\xbb\xbf" + "\r\n".join(map(by.join, rows)).encode()
    status, lines, err = run(capsys, given, raw)
    assert (status, err) == (0, "")
    assert [float(line) >= MATCH for line in lines] == [True, False]


def test_a_full_disk_behind_standard_output_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gated.cli", "watchlist", "score"],
            input=ROWS.encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=20,
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"No space left on device" in done.stderr


def test_a_field_without_an_end_is_a_bad_row(capsys: pytest.CaptureFixture[str], given: object) -> None:
    status, lines, err = run(capsys, given, b"left,right\n" + b"A" * 5000 + b",B\nAnna,Anna\n")
    assert (status, len(lines)) == (1, 2)
    assert "line 2" in err


def test_a_line_without_an_end_is_not_read_to_it(capsys: pytest.CaptureFixture[str], given: object) -> None:
    status, lines, err = run(capsys, given, b"left,right\nAnna,Anna\n" + b"A" * 200_000)
    assert (status, len(lines)) == (2, 1)
    assert "line 3 has more than 65536 characters" in err


@pytest.mark.parametrize("raw", [b"", b"one,two\nAnna,Anna\n", b"left\nAnna\n"])
def test_without_the_columns_there_is_no_question(
    capsys: pytest.CaptureFixture[str], given: object, raw: bytes
) -> None:
    status, lines, err = run(capsys, given, raw)
    assert (status, lines) == (2, [])
    assert "left,right" in err


@pytest.mark.parametrize(
    "header",
    [
        "left,right,left_birth,right_birth,left_country,right_country",
        "name1,name2,birth1,birth2,country1,country2",
        "LEFT,Right,birth_date_left,birth_date_right,left_nationality,right_nationality",
        "name_a,name_b,dob_a,dob_b,nationality_a,nationality_b",
    ],
)
def test_birth_dates_and_countries_count_under_their_usual_titles(header: str) -> None:
    rows = (
        "Anna Eriksson,ANNA ERIKSSON,1974-08-12,740812,UTO,UTO",
        "Anna Eriksson,ANNA ERIKSSON,1974,1981,UTO,D",
    )
    found = [row for _, row in scores(io.StringIO("\n".join((header, *rows))))]
    assert not any(isinstance(row, str) for row in found)
    same, other = (row.comparison for row in found if not isinstance(row, str))
    assert [field.how for field in same.fields[1:]] == [("same",), ("same",)]
    assert [field.how for field in other.fields[1:]] == [("different",), ("different",)]
    assert same.score > 0.99
    assert other.score < 0.1


def test_scores_come_while_rows_still_go_in_and_a_reader_may_leave() -> None:
    command = [sys.executable, "-m", "gated.cli", "watchlist", "score"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdin.write(b"left,right\n" + b"Anna,Anna\n" * 2000)
        program.stdin.flush()
        assert float(program.stdout.readline()) > 0.5
        program.stdout.close()
        with pytest.raises(BrokenPipeError):
            program.stdin.write(b"Anna,Anna\n" * 200_000)
        with contextlib.suppress(BrokenPipeError):
            program.stdin.close()
        assert program.wait(20) == 0
        assert program.stderr.read() == b""


PERSON = Entry(
    surname="ERIKSSON", given_names="ANNA MARIA", number="L898902C3", birth="740812", expiry=date(2032, 4, 15)
)


def listed(folder: Path) -> tuple[Path, Path]:
    key = make_list_key(folder / "list.key")
    entry = PersonEntry(
        surname="ERIKSON",
        given="ANNA",
        birth="1974-08-12",
        nationality="UTO",
        grade="refer",
        reason="exit_ban",
        reference="C/1",
    )
    build_persons(folder / "persons.db", key, (entry,))
    return folder / "persons.db", folder / "list.key"


def test_match_tells_cases_and_why_but_no_names(
    capsys: pytest.CaptureFixture[str], given: object, tmp_path: Path
) -> None:
    persons, key = listed(tmp_path)
    given("\n".join(print_zone(PERSON, "TD3")).encode())  # type: ignore[operator]
    status, out, err = gatectl(capsys)("watchlist", "match", persons, "--key", key)
    assert (status, err) == (1, "")
    assert out.startswith("C/1: refer, exit_ban, score 0.9")
    assert "birth same +3.0" in out
    assert "ERIK" not in out
    given("\n".join(print_zone(PERSON, "TD3")).encode())  # type: ignore[operator]
    _, out, _ = gatectl(capsys)("watchlist", "match", persons, "--key", key, "--json")
    assert json.loads(out)["reference"] == "C/1"


def test_nobody_is_good_news_and_what_is_no_zone_no_question(
    capsys: pytest.CaptureFixture[str], given: object, tmp_path: Path
) -> None:
    persons, key = listed(tmp_path)
    other = msgspec.structs.replace(PERSON, surname="OKAFOR", given_names="CHIDI")
    given("\n".join(print_zone(other, "TD3")).encode())  # type: ignore[operator]
    assert gatectl(capsys)("watchlist", "match", persons, "--key", key) == (0, "nobody\n", "")
    given(b"ERIKSSON")  # type: ignore[operator]
    status, _, err = gatectl(capsys)("watchlist", "match", persons, "--key", key)
    assert status == 2
    assert "ERIKSSON" not in err
    given(b"")  # type: ignore[operator]
    assert gatectl(capsys)("watchlist", "match", persons, "--key", key, "--least", "2")[0] == 2


def test_match_tells_by_whose_word_a_hit_is_false(
    capsys: pytest.CaptureFixture[str], given: object, tmp_path: Path
) -> None:
    persons, key = listed(tmp_path)
    marking = Marking(ListKeys([read_list_key(key)]))
    hits = FalseHits(tmp_path / "false_hits.db", marking, 1000)
    document = DocumentClaim(number=Personal(PERSON.number), issuer="UTO")
    hits.keep(marking.of(document, "C/1"), "officer-7", now_utc())
    command = ("watchlist", "match", persons, "--key", key, "--false-hits", tmp_path / "false_hits.db")
    for zone_of, status in ((PERSON, 0), (msgspec.structs.replace(PERSON, number="L898902C4"), 1)):
        given("\n".join(print_zone(zone_of, "TD3")).encode())  # type: ignore[operator]
        found, out, _ = gatectl(capsys)(*command)
        assert found == status
        assert ("; false: officer-7, 20" in out) is (status == 0)
    hits.close()


def test_match_goes_by_the_policy_of_the_gate(
    capsys: pytest.CaptureFixture[str], given: object, tmp_path: Path
) -> None:
    """The listed name lacks a word, the date is unknown and the nationality another: a score of 0.947."""
    key = make_list_key(tmp_path / "list.key")
    entry = PersonEntry(
        surname="ERIKSSON",
        given="ANNA",
        birth="XXXX-XX-XX",
        nationality="GBR",
        grade="refer",
        reason="exit_ban",
        reference="C/1",
    )
    build_persons(tmp_path / "persons.db", key, (entry,))
    command = ("watchlist", "match", tmp_path / "persons.db", "--key", tmp_path / "list.key", "--config")
    config = tmp_path / "gate.toml"
    for grade, found in (("refer", 0), ("stop", 1)):
        config.write_text(filled().replace(f"{grade} = 0.9", f"{grade} = 0.95"))
        given("\n".join(print_zone(PERSON, "TD3")).encode())  # type: ignore[operator]
        assert gatectl(capsys)(*command, config)[0] == found, grade
