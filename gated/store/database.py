"""Opening a database: one owning connection, strict tables, named migrations, nothing lost on a power cut."""

import errno
import sqlite3
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.store import disk

BUSY_MS = 2_000  # an investigator's reader may hold a shared lock for a moment


class StoreError(Exception):
    """A database cannot be used. `code` is short and snake_case; the text says what to do."""

    def __init__(self, code: str, fix: str) -> None:
        super().__init__(f"{code}: {fix}")
        self.code = code
        self.fix = fix


def open_owned(path: Path, migrations: Migrations) -> sqlite3.Connection:
    """Open, or make, the database that this process owns, and bring its schema up to date.

    Raises StoreError.
    """
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        migrations.apply(Database(connection))
    except (sqlite3.Error, OSError) as error:
        raise store_error(path, error) from error
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a database that another process owns, or a copy of one, for reading only.

    Raises StoreError.
    """
    if not path.is_file():
        raise StoreError("missing", f"{path} is no file: check [paths] state, or give --file")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    return connection


def store_error(path: Path, error: Exception) -> StoreError:
    """Say what a technician can do about a failure of the database or the disk below it."""
    name = getattr(error, "sqlite_errorname", "")
    if str(error).startswith("no such "):
        return StoreError("not_ours", f"{path} is no database of this gate: check the path")
    if name.startswith("SQLITE_FULL") or getattr(error, "errno", 0) == errno.ENOSPC:
        return StoreError(*disk.full(path))
    if name.startswith(("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
        why = disk.refusal(path)  # SQLite tells how it failed, the file system why
        if why is not None:
            return StoreError(*why)
    if name.startswith("SQLITE_IOERR"):
        return StoreError(*disk.failing(path))
    if name.startswith("SQLITE_READONLY"):
        return StoreError("read_only", f"make {path} writable for this service")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError("damaged", f"keep {path} as evidence, move it away, restart, and tell the operator")
    return StoreError("unusable", f"{path}: {type(error).__name__} {name}: check path, owner and rights")
