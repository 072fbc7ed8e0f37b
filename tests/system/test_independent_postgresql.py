"""Journals in PostgreSQL, and lists out of it, as in SQLite: against a real server that is ended at will."""

import contextlib
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gated.central import record_store
from gated.central.cli import main
from gated.central.database import query_rows
from gated.central.folder import CentralError
from gated.central.record_store import DatabaseError, Postgres, open_database
from gated.central.records import Records
from tests.central import test_collect_records, test_retention
from tests.central.collecting import Pair, copied, entries, lived
from tests.core.passages import start_events
from tests.system.independent import postgresql
from tests.system.independent.postgresql import Server
from tests.system.test_write_xor_execute import DENIED

MISSING = postgresql.missing()
pytestmark = [pytest.mark.independent, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

TABLES = "entries, heads, alarms, branches, gates, removals"
# They look into SQLite's file, or take a table away for good.
OF_SQLITE = {
    "test_a_centre_that_was_restored_from_an_older_copy_is_filled_up_again",
    "test_a_database_that_fails_keeps_nothing_of_the_transaction_and_says_no_content",
    "test_the_bytes_are_gone_from_the_file",
}
FIELDS = frozenset({"number", "issuer", "type", "surname", "given", "birth", "grade", "reason"})


def told_apart(module: ModuleType) -> Iterator[Any]:
    """The tests of a module that ask for a pair, each with the values that it is given in turn."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("test_") or name in OF_SQLITE:
            continue
        if "pair" not in inspect.signature(function).parameters:
            continue
        marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
        for number, value in enumerate(marks[0].args[1] if marks else (None,)):
            given = partial(function, **{marks[0].args[0]: value}) if marks else function
            yield pytest.param(module, given, id=f"{name.removeprefix('test_')}-{number}")


SAME = [*told_apart(test_collect_records), *told_apart(test_retention)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="egate-pg-") as name:  # pytest's own is too long for a socket
        server = Server(Path(name))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def do(server: Server) -> Callable[[str], None]:
    """Run a statement as the owner of the server."""

    def run(statement: str, database: str = "postgres") -> None:
        import psycopg  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

        with psycopg.connect(server.address(database), autocommit=True) as connection:
            connection.execute(statement)

    return run


@pytest.fixture
def empty(server: Server, do: Callable[[str], None]) -> str:
    """The address of a database with nothing in it."""
    open_database(server.address()).close()
    do(f"TRUNCATE {TABLES} RESTART IDENTITY")
    return server.address()


@contextlib.contextmanager
def pair_of(journal: Path, address: str) -> Iterator[Pair]:
    pair = Pair(journal, Records(open_database(address)))
    try:
        yield pair
    finally:
        pair.outbox.close()
        pair.records.close()


@pytest.fixture
def pair(empty: str, tmp_path: Path) -> Iterator[Pair]:
    lived(tmp_path / "lived.db", range(3))
    with pair_of(copied(tmp_path / "lived.db", tmp_path / "gate"), empty) as pair:
        yield pair


@pytest.mark.parametrize(("module", "scenario"), SAME)
def test_what_holds_in_sqlite_holds_in_postgresql(
    module: ModuleType,
    scenario: Callable[..., None],
    empty: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if module is test_retention:
        module.lived(tmp_path / "lived.db", start_events())
    else:
        lived(tmp_path / "lived.db", range(3))
    with pair_of(copied(tmp_path / "lived.db", tmp_path / "gate"), empty) as pair:
        asked = {"pair": pair, "tmp_path": tmp_path, "monkeypatch": monkeypatch}
        wanted = inspect.signature(scenario).parameters
        scenario(**{name: value for name, value in asked.items() if name in wanted})


def test_a_server_that_goes_away_keeps_nothing_by_halves_and_is_found_again(
    pair: Pair, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_store, "RETRY_S", 0.0)
    pair.round()
    pair.records.begin()
    pair.records._db.rows("UPDATE gates SET head = 4711")
    server.stop()
    with pytest.raises(DatabaseError, match="server runs") as failed:
        pair.records.commit()
    assert str(server.folder) not in str(failed.value)
    pair.records.roll_back()
    with pytest.raises(DatabaseError, match="psql"):
        pair.records.begin()
    server.start()
    pair.now += 100
    pair.deliver()
    assert pair.held() == entries(pair.journal)
    assert pair.alarms() == []
    assert pair.records.states()[0].lag == 0, "what was under way is undone"


def test_a_connection_that_the_server_ends_in_a_transaction_is_made_anew(
    pair: Pair, do: Callable[[str], None]
) -> None:
    pair.records.begin()
    do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> ''")
    with pytest.raises(DatabaseError):
        pair.deliver()
    pair.records.roll_back()
    pair.now += 100
    pair.deliver()
    assert pair.held() == entries(pair.journal)


def test_many_who_wait_do_not_each_wait_for_a_server_that_is_away(pair: Pair, server: Server) -> None:
    server.stop()
    try:
        with pytest.raises(DatabaseError):
            pair.records.begin()
        pair.records.roll_back()
        with pytest.raises(DatabaseError) as first:
            pair.records.begin()
        with pytest.raises(DatabaseError) as second:
            pair.records.begin()
        assert second.value is first.value, "the second did not try"
    finally:
        server.start()


def test_many_who_begin_at_once_make_the_tables_once(server: Server, do: Callable[[str], None]) -> None:
    do("CREATE DATABASE fresh TEMPLATE template0 ENCODING 'UTF8'")
    failed: list[Exception] = []

    def begin() -> None:
        try:
            open_database(server.address("fresh")).close()
        except DatabaseError as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    Records(Postgres(server.address("fresh"), to_read=True)).close()


def test_what_is_wrong_is_told_with_what_helps_and_without_the_address(
    server: Server, do: Callable[[str], None]
) -> None:
    do("CREATE DATABASE western TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    do("CREATE ROLE stranger LOGIN")
    do("CREATE DATABASE closed TEMPLATE template0")
    for address, helps in (
        (server.address("western"), "LATIN1: make one with createdb --encoding=UTF8"),
        (server.address("closed", "stranger"), "GRANT USAGE, CREATE ON SCHEMA public"),
        (server.address("nowhere"), "psql gets in with the same address"),
        (server.address(user="nobody-knows"), "psql gets in with the same address"),
        ("postgresql:///x?host=/nowhere&password=secret", "psql gets in with the same address"),
        ("postgresql://x?no_such_setting=1", "psql gets in with the same address"),
    ):
        with pytest.raises(DatabaseError, match=helps) as failed:
            open_database(address)
        assert not [word for word in ("secret", str(server.folder)) if word in str(failed.value)]
    with pytest.raises(DatabaseError, match="start gate-central collect"):
        open_database(server.address("closed"), to_read=True)


def test_a_list_comes_out_of_a_query(
    server: Server, do: Callable[[str], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    do("CREATE DATABASE wanted TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    do("CREATE TABLE stolen (nr text, state char(3), on_file date)", "wanted")
    do("INSERT INTO stolen SELECT 'X' || n, 'UTO', '1974-08-12' FROM generate_series(1, 2500) n", "wanted")
    do("CREATE TABLE person (name text, born date)", "wanted")
    do("INSERT INTO person VALUES (U&'M\\00FCller', '1974-08-12'), (NULL, NULL)", "wanted")
    where = server.address("wanted")
    [row, unnamed] = query_rows(where, "SELECT name AS surname, born AS birth FROM person", FIELDS)
    assert row == {"surname": "Müller", "birth": "1974-08-12"}
    assert unnamed == {}
    folder = str(tmp_path / "central")
    assert main(["init", folder]) == 0
    query = (
        "SELECT nr AS number, state AS issuer, 'P' AS type, 'stop' AS grade, 'stolen' AS reason,"
        " nr AS reference FROM stolen"
    )
    capsys.readouterr()
    assert main(["publish", folder, "--database", where, "--query", query, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 2500


def test_a_query_that_cannot_be_answered_is_told_by_what_is_wrong(
    server: Server, do: Callable[[str], None]
) -> None:
    do("CREATE DATABASE raw TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    do("CREATE TABLE person (name text)", "raw")
    do("INSERT INTO person VALUES (E'M\\374ller')", "raw")
    do("CREATE ROLE reader LOGIN", "raw")
    where, reader = server.address("raw"), server.address("raw", "reader")
    for address, query, helps in (
        (where, "SELECT nothing AS surname FROM person", "42703: the query cannot be answered"),
        (where, "nonsense", "42601: the query cannot be answered"),
        (where, "DELETE FROM person RETURNING name AS surname", "cannot be answered"),
        (where, "SELECT 1/0 AS surname", "22012: the query cannot be answered"),
        (where, "SELECT name FROM person", "the query must name its columns"),
        (where, "SELECT name AS surname FROM person", "22021: a text is not in the encoding"),
        (reader, "SELECT name AS surname FROM person", "GRANT SELECT"),
        (server.address("nowhere"), "SELECT 1", "psql gets in"),
    ):
        with pytest.raises(CentralError, match=helps) as failed:
            list(query_rows(address, query, FIELDS))
        assert "ller" not in str(failed.value)


def test_the_collector_outlives_its_server_and_its_commands_read_beside_it(
    pair: Pair, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, figures = tmp_path / "central", tmp_path / "collect.prom"
    where = ("--database", server.address())
    assert main(["init", str(folder)]) == 0
    pair.deliver()
    words = (
        "collect",
        str(folder),
        "--address",
        "tcp://127.0.0.1:*",
        *where,
        "--metrics",
        str(figures),
        "--json",
    )
    command = [sys.executable, "-m", "gated.central.cli", *words]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as collector,
        ended(collector),
    ):
        assert collector.stdout is not None
        assert json.loads(collector.stdout.readline())["address"].startswith("tcp://127.0.0.1:")
        told = f'egate_journal_entries{{gate="gate-1"}} {len(entries(pair.journal))}\n'
        until(lambda: figures.exists() and told in figures.read_text())
        server.stop()
        figures.unlink()
        time.sleep(4)  # longer than between two times of writing
        assert not figures.exists()
        assert collector.poll() is None
        server.start()
        until(lambda: figures.exists() and told in figures.read_text())
        capsys.readouterr()
        assert main(["status", str(folder), *where, "--json"]) == 0
        [state] = json.loads(capsys.readouterr().out)["journals"]
        assert (state["gate"], state["lag"]) == ("gate-1", 0)
        out = tmp_path / "entries.jsonl"
        assert main(["collect", str(folder), *where, "--export", str(out)]) == 0
        assert len(out.read_text().splitlines()) == len(entries(pair.journal))
        assert main(["collect", str(folder), *where, "--keep-days", "1", "--dry-run"]) == 0
        os.kill(collector.pid, signal.SIGTERM)
        assert collector.wait(20) == 0


def test_psycopg_needs_no_memory_that_is_writable_and_executable(server: Server) -> None:
    program = (
        f"import psycopg\nprint(psycopg.connect({server.address()!r}).execute('SELECT 7').fetchone()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{DENIED}\n{program}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert done.stdout == "7\n", done.stderr


@contextlib.contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def until(so: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)
