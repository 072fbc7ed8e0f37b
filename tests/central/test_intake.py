"""What operators hand in besides plain files: entities of FollowTheMoney, and queries; and the report."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.central.cli import main
from gated.central.countries import BY_TWO_LETTERS, zone_code
from gated.central.folder import CentralError
from gated.central.intake import BadRow, read_list, read_query
from gated.document.mrz.codes import CODES, Kind
from gated.watchlist.snapshot import DocumentEntry, PersonEntry


def entities(tmp_path: Path, *rows: dict[str, object]) -> Path:
    source = tmp_path / "entities.json"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return source


def person(**properties: list[str]) -> dict[str, object]:
    return {"id": "NK-1", "schema": "Person", "caption": "of no concern", "properties": properties}


def test_every_spelling_and_every_date_of_a_person_is_an_entry(tmp_path: Path) -> None:
    source = entities(
        tmp_path,
        person(
            name=["Jürgen Müller"],
            alias=["Yuri Mueller"],
            birthDate=["1970", "1970-05-03"],
            nationality=["de"],
            topics=["crime.terror"],
            passportNumber=["c01 x00 t47"],
        ),
    )
    found = list(read_list(source, "refer"))
    people = [each for each in found if isinstance(each, PersonEntry)]
    assert {"JUERGEN MUELLER", "YURI MUELLER"} <= {each.surname for each in people}
    assert {each.birth for each in people} == {"1970-XX-XX", "1970-05-03"}
    assert {(each.nationality, each.grade, each.reason, each.reference) for each in people} == {
        ("D", "refer", "crime_terror", "NK-1")
    }
    (document,) = [each for each in found if isinstance(each, DocumentEntry)]
    assert (document.number, document.issuer) == ("C01X00T47", "D")


def test_surname_and_given_names_stay_apart_where_they_are(tmp_path: Path) -> None:
    (entry,) = read_list(entities(tmp_path, person(lastName=["O'Connor"], firstName=["Ann"])), "stop")
    assert isinstance(entry, PersonEntry)
    assert (entry.surname, entry.given, entry.birth) == ("OCONNOR", "ANN", "XXXX-XX-XX")


def test_papers_are_documents_of_their_country(tmp_path: Path) -> None:
    paper = {"id": "p-1", "schema": "Passport", "properties": {"number": ["A 1"], "country": ["us", "DE"]}}
    other = {"id": "p-2", "schema": "Identification", "properties": {"number": ["B1"], "country": ["fr"]}}
    found = [
        each
        for each in read_list(entities(tmp_path, paper, other), "stop")
        if isinstance(each, DocumentEntry)
    ]
    assert {(each.number, each.issuer, each.type) for each in found} == {
        ("A1", "D", "P"), ("A1", "USA", "P"), ("B1", "FRA", "")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (person(name=["\u738b\u5c0f\u660e"]), "surname"),
        (person(birthDate=["1970"]), "surname"),
        ({"id": "p", "schema": "Passport", "properties": {"number": ["A1"]}}, "issuer"),
        ({"id": "p", "schema": "Passport", "properties": {"country": ["us"]}}, "number"),
        (
            {"id": "-x", "schema": "Passport", "properties": {"number": ["A1"], "country": ["us"]}},
            "reference",
        ),
        ({"schema": "Person"}, ""),
    ],
)
def test_what_cannot_be_taken_of_an_entity_is_told_and_the_rest_goes_on(
    tmp_path: Path, row: dict[str, object], field: str
) -> None:
    bad, good = read_list(entities(tmp_path, row, person(name=["Ann"])), "stop")
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.field) == (1, field)
    assert isinstance(good, PersonEntry)


def test_entities_that_stand_for_nobody_are_passed_over(tmp_path: Path) -> None:
    company = {"id": "c", "schema": "Company", "properties": {"name": ["Ann"]}}
    assert list(read_list(entities(tmp_path, company), "stop")) == []


def test_entities_have_no_grade_of_their_own(tmp_path: Path) -> None:
    (row,) = read_list(entities(tmp_path, person(name=["Ann"])))
    assert isinstance(row, BadRow)
    assert row.field == "grade"


@given(
    st.dictionaries(
        st.sampled_from(["name", "birthDate", "nationality", "topics", "passportNumber"]),
        st.lists(st.text(max_size=8), max_size=3),
    )
)
def test_any_entity_is_taken_or_told(
    tmp_path_factory: pytest.TempPathFactory, properties: dict[str, list[str]]
) -> None:
    source = entities(tmp_path_factory.mktemp("any"), person(**properties))
    for row in read_list(source, "silent"):
        assert isinstance(row, BadRow | DocumentEntry | PersonEntry)


def test_every_state_has_its_code_of_two_letters() -> None:
    british = {"GBD", "GBN", "GBO", "GBP", "GBS"}  # kinds of nationality, not states
    states = {code for code, each in CODES.items() if each.kind is Kind.STATE} - british
    assert states <= set(BY_TWO_LETTERS.values()) <= set(CODES)
    assert [zone_code(text) for text in ("us", "DEU", "d", "xx", "")] == ["USA", "D", "D", "", ""]


def database(tmp_path: Path) -> Path:
    path = tmp_path / "cases.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE stolen (nr TEXT, state TEXT, note TEXT)")
        connection.executemany(
            "INSERT INTO stolen VALUES (?, ?, ?)", [("A1", "UTO", None), ("!!", "UTO", None)]
        )
    return path


QUERY = (
    "SELECT nr AS number, state AS issuer, 'stop' AS grade, 'stolen' AS reason, 'R' AS reference FROM stolen"
)


def test_rows_of_a_query_are_taken_as_rows_of_a_file(tmp_path: Path) -> None:
    good, bad = read_query(str(database(tmp_path)), QUERY)
    assert isinstance(good, DocumentEntry)
    assert isinstance(bad, BadRow)
    assert (good.number, bad.line, bad.field) == ("A1", 2, "number")


@pytest.mark.parametrize(
    "query", ["SELECT nr FROM stolen", "DELETE FROM stolen", "SELECT 1; SELECT 2", "nonsense", ""]
)
def test_a_query_only_reads_and_names_its_columns(tmp_path: Path, query: str) -> None:
    path = database(tmp_path)
    with pytest.raises(CentralError):
        list(read_query(str(path), query))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM stolen").fetchone() == (2,)


def test_text_of_another_encoding_is_a_bad_row_and_never_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = database(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO stolen VALUES (CAST(? AS TEXT), 'UTO', NULL)", (b"SECRET\xff",))
    bad = list(read_query(str(path), QUERY))[2]
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.field) == (3, "number")
    central = tmp_path / "central"
    run(central, capsys, "init")
    assert "SECRET" not in run(central, capsys, "publish", "--database", path, "--query", QUERY)[2]
    status, _, err = run(central, capsys, "publish", "--database", path, "--query", "SELECT \udcff")
    assert status == 1
    assert "not UTF-8" in err


def test_no_database_is_made_by_asking(tmp_path: Path) -> None:
    with pytest.raises(CentralError, match="no such database"):
        list(read_query(str(tmp_path / "none.db"), QUERY))
    assert not list(tmp_path.iterdir())


def test_a_list_comes_from_a_query_and_every_wrong_row_is_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "central")]) == 0
    report = tmp_path / "report.csv"
    asked = ["--database", str(database(tmp_path)), "--query", QUERY, "--report", str(report)]
    assert main(["publish", str(tmp_path / "central"), *asked]) == 1
    assert "1 rows cannot be taken" in capsys.readouterr().err
    assert main(["publish", str(tmp_path / "central"), *asked, "--skip-bad", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["documents"], len(answer["bad_rows"])) == (1, 1)
    with report.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "field", "expected"], ["2", "number", "letters and digits, at most 24"]
        ]  # fmt: skip


def run(central: Path, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(words[0]), str(central), *map(str, words[1:])])
    said = capsys.readouterr()
    return status, said.out, said.err


HEAD = "number,issuer,surname,birth,grade,reason,reference\n"
ROW = "A1,UTO,,,stop,stolen,R\n"


@pytest.mark.parametrize("by", [",", ";", "\t"])
def test_columns_are_parted_as_spreadsheets_do(tmp_path: Path, by: str) -> None:
    source = tmp_path / "list.csv"
    source.write_bytes(b"\xef\xbb\xbf" + (HEAD + ROW).replace(",", by).replace("\n", "\r\n").encode())
    (entry,) = read_list(source)
    assert isinstance(entry, DocumentEntry)
    assert entry.number == "A1"


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("1970", "1970-XX-XX"),
        ("1970-05", "1970-05-XX"),
        ("1970-05-03", "1970-05-03"),
        ("1970-xx-xx", "1970-XX-XX"),
        ("xxxx-xx-xx", "XXXX-XX-XX"),
        ("1970-13", None),
        ("70-05-03", None),
        ("3.5.1970", None),
        ("1970-05-3", None),
        ("", None),
    ],
)
def test_birth_dates_of_which_parts_are_unknown(tmp_path: Path, written: str, taken: str | None) -> None:
    source = tmp_path / "list.csv"
    source.write_text(f"{HEAD},,ERIKSSON,{written},stop,wanted,R\n")
    (row,) = read_list(source)
    assert isinstance(row, PersonEntry if taken else BadRow)
    assert (row.birth if isinstance(row, PersonEntry) else row.field) == (taken or "birth")


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"", "must name the columns"),
        (b"number,issuer,grade,reason\n", "lacks what every row needs: reference"),
        (b"issuer,grade,reason,reference\n", "lacks what every row needs: number or surname"),
        (b"number,issuer,grade,reason,reference,SECRETA\n", "look at column 6"),
        (b"number,number,issuer,grade,reason,reference\n", "look at column 1, 2"),
        (b"\xff\xfen\0u\0m\0", "UTF-8"),
        (b"SECRETA," * 1000 + b"\n", "4096 bytes"),
    ],
)
def test_a_first_line_that_is_none_is_told_with_the_fix_and_never_quoted(
    tmp_path: Path, first: bytes, said: str
) -> None:
    source = tmp_path / "list.csv"
    source.write_bytes(first)
    with pytest.raises(CentralError, match=said) as failed:
        list(read_list(source))
    assert "SECRETA" not in str(failed.value)


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_empty_list_frees_nobody_by_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, encrypted: bool
) -> None:
    central, source = tmp_path / "central", tmp_path / "list.csv"
    run(central, capsys, "init", *([] if encrypted else ["--readable"]))
    source.write_text(HEAD + ROW)
    assert run(central, capsys, "publish", "--list", source)[0] == 0
    for content, more in ((HEAD, ()), (HEAD + "!,UTO,,,stop,stolen,R\n", ("--skip-bad",))):
        source.write_text(content)
        status, out, err = run(central, capsys, "publish", "--list", source, *more)
        assert (status, out) == (1, "")
        assert "--empty" in err
        assert json.loads(run(central, capsys, "status", "--json")[1])["documents"] == 1
    status, out, _ = run(central, capsys, "publish", "--list", source, "--skip-bad", "--empty", "--json")
    assert (status, json.loads(out)["documents"]) == (0, 0)


@pytest.mark.parametrize("name", ["X Y", "", "a" * 64, "../up"])
def test_a_list_of_a_name_that_is_none_leaves_the_folder_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    central, source = tmp_path / "central", tmp_path / "list.csv"
    run(central, capsys, "init")
    source.write_text(HEAD + ROW)
    status, out, err = run(central, capsys, "publish", "--list", source, "--name", name)
    assert (status, out) == (1, "")
    assert "small letters" in err
    assert run(central, capsys, "publish", "--list", source)[0] == 0


def test_a_report_never_takes_the_place_of_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    central, source = tmp_path / "central", tmp_path / "list.csv"
    run(central, capsys, "init")
    source.write_text(HEAD + ROW)
    status, _, err = run(central, capsys, "publish", "--list", source, "--report", source)
    assert status == 1
    assert "is the list itself" in err
    assert source.read_text() == HEAD + ROW


def test_entities_that_were_passed_over_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    central = tmp_path / "central"
    others = [{"id": f"o-{n}", "schema": "Organization", "properties": {"name": ["A"]}} for n in range(3)]
    source = entities(tmp_path, person(name=["Ann"]), *others)
    run(central, capsys, "init")
    asked = ("publish", "--list", source, "--entity-grade", "refer", "--json")
    answer = json.loads(run(central, capsys, *asked)[1])
    assert (answer["persons"], answer["passed_over"], answer["bad_rows"]) == (1, 3, [])


def test_a_full_disk_is_told_by_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    central, source = tmp_path / "central", tmp_path / "list.csv"
    run(central, capsys, "init")
    source.write_text(HEAD + ROW.replace("A1", "!"))
    status, out, err = run(central, capsys, "publish", "--list", source, "--report", "/dev/full")
    assert (status, out) == (1, "")
    assert (
        err == f"gate-central: {central}: No space left on device: check the path, its rights and the disk\n"
    )


def test_an_answer_that_nobody_can_take_is_told_or_let_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "central", capsys, "init")
    command = [sys.executable, "-m", "gated.central.cli", "status", str(tmp_path / "central")]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=20)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"No space left on device" in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_stops_a_command_sees_one_line_and_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    central, endless = tmp_path / "central", tmp_path / "endless.csv"
    run(central, capsys, "init")
    os.mkfifo(endless)
    command = [sys.executable, "-m", "gated.central.cli", "publish", central, "--list", endless]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        with endless.open("w") as file:  # opens once the command reads
            file.write(HEAD + ROW * 2000)
            file.flush()
            program.send_signal(signal.SIGINT)
            assert program.wait(20) == 1
        assert program.stderr is not None
        assert program.stderr.read() == "gate-central: stopped: what was current stays current\n"
    assert json.loads(run(central, capsys, "status", "--json")[1])["version"] == 0


def test_a_group_that_nobody_made_is_no_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    central, overlay = tmp_path / "central", tmp_path / "overlay.toml"
    run(central, capsys, "init")
    overlay.write_text('time_zone = "UTC"\n')
    asked = ("publish", "--kind", "config", "--file", overlay, "--group", "pilot")
    status, out, err = run(central, capsys, *asked)
    assert (status, out) == (1, "")
    assert "no group pilot: gate-central group" in err
    run(central, capsys, "group", "--name", "pilot", "--gate", "gate-1")
    assert run(central, capsys, *asked)[0] == 0


@pytest.mark.parametrize("command", ["publish", "build"])
def test_a_configuration_that_no_gate_would_take_is_refused_before_anything_is_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    central, overlay = tmp_path / "central", tmp_path / "overlay.toml"
    run(central, capsys, "init")
    before = {path: path.read_bytes() for path in central.rglob("*") if path.is_file()}
    overlay.write_text("[policy]\nchip_trys = 3\n")
    status, out, err = run(central, capsys, command, "--kind", "config", "--file", overlay)
    assert (status, out) == (1, "")
    assert "overlay.toml: [policy] Object contains unknown field `chip_trys`: remove it" in err
    assert {path: path.read_bytes() for path in central.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("words", [("--share", "many"), ("--share", "101"), ("--version", "x")])
def test_a_number_that_is_none_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    with pytest.raises(SystemExit):
        main(["rollout", str(tmp_path), "--kind", "rules", "--version", "1", *words])
    assert "invalid" not in capsys.readouterr().err
