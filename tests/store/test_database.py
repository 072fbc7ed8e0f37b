"""Opening databases: one owner with safe settings, readers that change nothing, errors that name the fix."""

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.store.database import StoreError, open_owned, open_to_read, store_error

first = Migrations("test")


@first()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def numbers(db: Database) -> None:
    db.execute("CREATE TABLE numbers (n INTEGER NOT NULL) STRICT")


second = Migrations("test")
second()(numbers)


@second()  # type: ignore[untyped-decorator]  # as above
def names(db: Database) -> None:
    db.execute("CREATE TABLE names (n TEXT NOT NULL) STRICT")


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_the_owner_has_what_a_power_cut_asks_for(tmp_path: Path) -> None:
    with closing(open_owned(tmp_path / "state" / "one.db", first)) as connection:
        settings = ("journal_mode", "synchronous", "trusted_schema")
        values = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in settings]
        assert values == ["wal", 2, 0]
        assert "numbers" in tables(connection)


def test_an_older_database_is_brought_up_to_date_once_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    with closing(open_owned(path, first)) as connection:
        connection.execute("INSERT INTO numbers VALUES (7)")
    for _ in range(2):
        with closing(open_owned(path, second)) as connection:
            assert {"numbers", "names"} <= tables(connection)
            assert connection.execute("SELECT n FROM numbers").fetchall() == [(7,)]


def test_a_reader_sees_what_is_written_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    with closing(open_owned(path, first)) as owner, closing(open_to_read(path)) as reader:
        owner.execute("INSERT INTO numbers VALUES (1)")
        assert reader.execute("SELECT n FROM numbers").fetchall() == [(1,)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("INSERT INTO numbers VALUES (2)")


@pytest.mark.parametrize("name", ["a?mode=rwc.db", "50%20.db", "a#b.db", "mit Ümlaut.db"])
def test_a_name_is_a_name_and_no_option(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with closing(open_owned(path, first)), closing(open_to_read(path)) as reader:
        assert "numbers" in tables(reader)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("CREATE TABLE more (n)")


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing: .*--file"):
        open_to_read(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_damaged_for_both(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    path.write_bytes(b"This is not a database. " * 100)
    attempts: tuple[Callable[[], object], ...] = (lambda: open_owned(path, first), lambda: open_to_read(path))
    for attempt in attempts:
        with pytest.raises(StoreError) as caught:
            attempt()
        assert caught.value.code == "damaged"
        assert str(path) in caught.value.fix
    assert path.read_bytes().startswith(b"This is not")  # kept as evidence


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(StoreError) as caught:
        open_owned(tmp_path / "state" / "one.db", first)
    assert (caught.value.code, "rights" in caught.value.fix) == ("unusable", True)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SQLITE_FULL", "disk_full"),
        ("SQLITE_IOERR_WRITE", "disk_fails"),
        ("SQLITE_READONLY_DBMOVED", "read_only"),
        ("SQLITE_CORRUPT", "damaged"),
        ("SQLITE_NOTADB", "damaged"),
        ("SQLITE_BUSY", "unusable"),
    ],
)
def test_each_failure_of_sqlite_has_its_fix(name: str, code: str) -> None:
    error = sqlite3.OperationalError("words of the library")
    error.sqlite_errorname = name
    told = store_error(Path("/state/journal.db"), error)
    assert told.code == code
    assert "/state/journal.db" in told.fix
    assert "words of the library" not in str(told)


@pytest.mark.parametrize(
    ("free", "flags", "code"),
    [(0, 0, "disk_full"), (9, os.ST_RDONLY, "disk_read_only"), (9, 0, "disk_fails")],
)
def test_the_file_system_tells_why_sqlite_could_not_write(
    free: int, flags: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [*os.statvfs(tmp_path)[:10]]
    fields[1], fields[4], fields[8] = 4096, free, flags  # f_frsize, f_bavail, f_flag
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))
    error = sqlite3.OperationalError("words of the library")
    error.sqlite_errorname = "SQLITE_IOERR_SHMOPEN"
    told = store_error(tmp_path / "journal.db", error)
    assert told.code == code
    assert str(tmp_path) in told.fix


def test_a_full_disk_is_told_alike_by_the_system() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert store_error(Path("/state/journal.db"), full).code == "disk_full"
