"""`gate-central` as an operator uses it: what it makes, what it refuses, and how it says so."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.central.cli import main
from gated.central.folder import CentralError
from gated.central.intake import BadRow, read_list
from gated.central.wire import KeyFileError, read_key_file, served_path
from gated.watchlist.snapshot import DocumentEntry, PersonEntry

HEADER = "number,issuer,type,surname,given,birth,nationality,grade,reason,reference\n"
STOLEN = "L898902C3,UTO,P,,,,,stop,stolen,R-1\n"
BANNED = ",,,Eriksson,Anna-Maria,1974-08-XX,UTO,refer,exit_ban,C/2\n"


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path / "central")]) == 0
    capsys.readouterr()
    return tmp_path / "central"


def publish(folder: Path, text: str, *options: str, name: str = "list.csv") -> int:
    source = folder / name
    source.write_text(text)
    return main(["publish", str(folder), "--list", str(source), *options])


def test_secrets_are_for_their_owner_alone_and_differ_between_installations(tmp_path: Path) -> None:
    secrets = set()
    for name in ("a", "b"):
        assert main(["init", str(tmp_path / name)]) == 0
        assert main(["keys", str(tmp_path / name), "--gate", "gate-1"]) == 0
        found = {*(tmp_path / name / "keys").iterdir(), *tmp_path.glob(f"{name}/**/*.key")}
        assert len(found) == 16, "the list key is handed out, too"
        for path in found:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            secrets.add(path.read_bytes())
        assert stat.S_IMODE((tmp_path / name / "keys").stat().st_mode) == 0o700
    assert len(secrets) == 2 * 15
    assert b"PRIVATE" not in b"".join(path.read_bytes() for path in tmp_path.glob("*/repository/**/*.json"))


def test_a_second_init_never_overwrites_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "keys" / "root.pem").read_bytes()
    assert main(["init", str(folder)]) == 1
    assert "is a central folder already" in capsys.readouterr().err
    assert (folder / "keys" / "root.pem").read_bytes() == before


def test_publish_counts_makes_deltas_and_notices_that_nothing_changed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def published(text: str, *options: str) -> dict[str, object]:
        assert publish(folder, text, "--json", *options) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    first = published(HEADER + STOLEN + BANNED)
    assert (first["version"], first["documents"], first["persons"], first["delta_bytes"]) == (1, 1, 1, 0)
    again = published(HEADER + BANNED + STOLEN)
    assert (again["version"], again["unchanged"]) == (1, True)
    second = published(HEADER + STOLEN)
    assert (second["version"], second["persons"]) == (2, 0)
    assert isinstance(second["delta_bytes"], int)
    assert second["delta_bytes"] > 0
    for version in range(3, 8):
        published(HEADER + STOLEN + f"X{version},UTO,P,,,,,stop,stolen,R\n", "--keep", "2")
    assert main(["status", str(folder), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["version"], status["deltas"], status["documents"]) == (7, 2, 2)
    files = {
        path.name.partition(".")[2] for path in (folder / "repository" / "targets" / "watchlist").iterdir()
    }
    assert "snapshot-1.jsonl" not in files
    assert {"snapshot-7.jsonl", "delta-6-7.jsonl", "delta-5-6.jsonl"} <= files


def test_bad_rows_are_told_by_line_and_field_and_nothing_is_published(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        HEADER
        + STOLEN
        + ",,,Müller-Secret,,1974-08-12,,stop,a,b\nsecretnumber!,UTO,P,,,,,stop,stolen,R\n1,2\n"
    )
    assert publish(folder, text) == 1
    said = capsys.readouterr().err
    assert "line 3: surname: expected MRZ letters" in said
    assert "line 4: number: expected letters and digits" in said
    assert "line 5: row: expected 10 columns" in said
    assert "secret" not in said.lower().replace(str(folder).lower(), "")
    assert publish(folder, text, "--skip-bad", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["documents"], len(answer["bad_rows"])) == (1, 3)


def test_json_lines_are_taken_too(folder: Path) -> None:
    rows = (
        '{"number": "l898902c3<", "issuer": "DEU", "grade": "stop", "reason": "stolen", "reference": "R-1"}\n'
        "\n"
        '{"surname": "O\'Connor", "given": "", "birth": "XXXX-XX-XX",'
        ' "grade": "silent", "reason": "a", "reference": "b"}\n'
        '{"surname": 5}\n'
        '{"name": "x"}\n'
        "[]\n"
    )
    source = folder / "list.jsonl"
    source.write_text(rows)
    first, second, *bad = read_list(source)
    assert isinstance(first, DocumentEntry)
    assert (first.number, first.issuer) == ("L898902C3", "D")
    assert isinstance(second, PersonEntry)
    assert second.surname == "OCONNOR"
    assert [row.line for row in bad if isinstance(row, BadRow)] == [4, 5, 6]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("A1,UTOX,P,,,,,stop,stolen,R", "issuer"),
        ("A1,UTO,PPP,,,,,stop,stolen,R", "type"),
        ("A1,UTO,P,,,,,none,stolen,R", "grade"),
        ("A1,UTO,P,,,,,stop,,R", "reason"),
        ("A1,UTO,P,,,,,stop,stolen,", "reference"),
        (",,,ERIKSSON,ANNA,12.08.1974,UTO,stop,a,b", "birth"),
        (",,,ERIKSSON,ANNA,1974-13-01,UTO,stop,a,b", "birth"),
        (",,,ERIKSSON,ANNA,,UTO,stop,a,b", "birth"),
        (",,,ERIKSSON,ANNA,1974-08-12,UTOO,stop,a,b", "nationality"),
        ("A1,UTO,P,,ANNA,,,stop,stolen,R", "given"),
        (",UTO,P,,,,,stop,stolen,R", ""),
        ("A1,UTO,P,ERIKSSON,,,,stop,stolen,R", ""),
        ('"A1,UTO,P,,,,,stop,stolen,R', ""),
        ("A" * 5000, ""),
    ],
)
def test_each_wrong_field_is_named(folder: Path, row: str, field: str) -> None:
    source = folder / "list.csv"
    source.write_text(f"{HEADER}{row}\n{STOLEN}")
    bad, good = read_list(source)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.field) == (2, field)
    assert isinstance(good, DocumentEntry)


@given(st.binary(max_size=400), st.sampled_from(["list.csv", "list.jsonl"]))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes, name: str) -> None:
    source = tmp_path_factory.mktemp("any") / name
    source.write_bytes(HEADER.encode() + raw if name == "list.csv" else raw)
    for row in read_list(source):
        assert isinstance(row, BadRow | DocumentEntry | PersonEntry)


@pytest.mark.parametrize("header", ["", "a,b\n", "number,number\n", "number issuer\n", "\xff\n"])
def test_a_csv_must_name_its_columns(folder: Path, header: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(folder, header + STOLEN) == 1
    assert "line 1 must name the columns" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["list.txt", "list.xlsx"])
def test_a_file_of_another_kind_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(CentralError, match="name the file by what it holds"):
        list(read_list(folder / name))


def test_gates_are_allowed_once_and_revoked_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", str(folder), "--gate", "gate-1", "--json"]) == 0
    handout = json.loads(capsys.readouterr().out)
    assert (
        read_key_file(Path(handout["key_file"])).public_key
        == (folder / "gates" / "gate-1.pub").read_text().strip()
    )
    assert Path(handout["root"]).exists()
    assert main(["keys", str(folder), "--gate", "gate-1"]) == 1
    assert "revoke it first" in capsys.readouterr().err
    assert main(["revoke", str(folder), "--gate", "gate-1"]) == 0
    assert main(["revoke", str(folder), "--gate", "gate-1"]) == 1
    for name in ("../x", "", "Gate", "a" * 64):
        assert main(["keys", str(folder), "--gate", name]) == 1
        assert main(["revoke", str(folder), "--gate", name]) == 1


def test_a_signing_key_that_others_may_read_is_not_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "keys" / "watchlist.pem").chmod(0o644)
    assert publish(folder, HEADER + STOLEN) == 1
    assert "chmod 600" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["publish", "--list", "list.csv"],
        ["keys", "--gate", "gate-1"],
        ["serve", "--requests", "tcp://127.0.0.1:1", "--announcements", "tcp://127.0.0.1:2"],
    ],
)
def test_a_folder_that_is_none_is_named(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([arguments[0], str(tmp_path), *arguments[1:]]) == 1
    assert f"{tmp_path}: not a central folder: run gate-central init" in capsys.readouterr().err


def test_serve_says_which_address_it_cannot_have(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["--requests", "tcp://256.0.0.1:1", "--announcements", "tcp://127.0.0.1:2"]
    assert main(["serve", str(folder), *wrong]) == 1
    assert "cannot listen on tcp://256.0.0.1:1" in capsys.readouterr().err


def test_damaged_metadata_is_an_error_that_names_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "repository" / "metadata" / "timestamp.json").write_text("{}")
    assert main(["status", str(folder)]) == 1
    assert "timestamp.json: not readable metadata" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path",
    ["metadata/../keys/root.pem", "metadata//x", "/etc/passwd", "targets/x", "metadata/.x", "metadata/a\n",
     "targets/watchlist/..", "curve/server.key", "metadata/A", ""],
)  # fmt: skip
def test_paths_outside_the_repository_are_never_served(path: str) -> None:
    assert served_path(path) is None


@given(st.binary(max_size=300))
def test_a_key_file_is_read_or_refused_without_quoting_it(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("key") / "gate.key"
    path.write_bytes(raw)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not a key file"):
        read_key_file(path)
