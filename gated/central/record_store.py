"""The two databases that journals are collected into: SQLite, and PostgreSQL where one machine is outgrown.

Both are spoken to in the same SQL; what differs stands here. A commit is on the disk when it returns: the
collector signs receipts for what it holds, and gates remove what has a receipt.
"""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlite_utils import Database as SqliteDatabase
from sqlite_utils.migrations import Migrations

from gated.central import postgresql
from gated.store.database import StoreError, open_owned, open_to_read

VERSION = 1
OLDER = "nothing was collected there, or by an earlier version: start gate-central collect on it once"
RETRY_S = 2.0  # between two tries to connect
LOCK_S = 10
LOCK_KEY = 0x6567617465  # of PostgreSQL's advisory lock: one process at a time makes the tables

# {id}, {number} and {bytes} are the types that the two databases name differently.
SCHEMA = (
    """CREATE TABLE gates (
        gate TEXT PRIMARY KEY,
        head {number} NOT NULL,
        heard TEXT NOT NULL
    ){strict}""",
    """CREATE TABLE branches (
        id {id},
        gate TEXT NOT NULL,
        first {number} NOT NULL,
        anchor {bytes} NOT NULL,
        parent {number} REFERENCES branches (id),
        head {number} NOT NULL,
        head_hash {bytes} NOT NULL,
        last_utc TEXT NOT NULL,
        opened TEXT NOT NULL
    ){strict}""",
    """CREATE TABLE entries (
        branch {number} NOT NULL REFERENCES branches (id),
        seq {number} NOT NULL,
        utc TEXT NOT NULL,
        event TEXT NOT NULL,
        outcome TEXT NOT NULL,
        hash {bytes} NOT NULL,
        sound {number} NOT NULL,
        PRIMARY KEY (branch, seq)
    ){strict}""",
    """CREATE TABLE alarms (
        id {id},
        gate TEXT NOT NULL,
        code TEXT NOT NULL,
        branch {number},
        seq {number} NOT NULL,
        first_utc TEXT NOT NULL,
        last_utc TEXT NOT NULL,
        times {number} NOT NULL,
        settled TEXT,
        why TEXT
    ){strict}""",
    "CREATE INDEX branches_of ON branches (gate)",
    "CREATE INDEX alarms_open ON alarms (gate) WHERE settled IS NULL",
)
# What gates have signed: the last entry of each delivery, the entry that it follows from, and by which key.
HEADS = """CREATE TABLE heads (
        branch {number} NOT NULL,
        seq {number} NOT NULL,
        after_seq {number} NOT NULL,
        after_hash {bytes} NOT NULL,
        rest {bytes} NOT NULL,
        signature {bytes} NOT NULL,
        signer {bytes} NOT NULL,
        utc TEXT NOT NULL,
        PRIMARY KEY (branch, seq)
    ){strict}"""
# What was removed when its time was over (`gated.central.retention`); these rows stay.
REMOVALS = """CREATE TABLE removals (
        id {id},
        utc TEXT NOT NULL,
        gate TEXT NOT NULL,
        branch {number} NOT NULL,
        first {number} NOT NULL,
        last {number} NOT NULL,
        hash {bytes} NOT NULL,
        entries {number} NOT NULL,
        keep_days {number} NOT NULL,
        by_whom TEXT NOT NULL,
        why TEXT NOT NULL,
        signature {bytes} NOT NULL
    ){strict}"""
_SQLITE = {"id": "INTEGER PRIMARY KEY", "number": "INTEGER", "bytes": "BLOB", "strict": " STRICT"}
_POSTGRES = {
    "id": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "number": "BIGINT",
    "bytes": "BYTEA",
    "strict": "",
}

migrations = Migrations("collected")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def journals_of_gates(db: SqliteDatabase) -> None:
    """Create the tables."""
    for statement in SCHEMA:
        db.execute(statement.format(**_SQLITE))


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def signed_heads(db: SqliteDatabase) -> None:
    """Keep what gates have signed."""
    db.execute(HEADS.format(**_SQLITE))


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def removals_on_record(db: SqliteDatabase) -> None:
    """Keep a record of what was removed."""
    db.execute(REMOVALS.format(**_SQLITE))


# Branch, number, time, event, outcome, hash, sound (1 or 0).
Entry = tuple[int, int, str, str, str, bytes, int]


class DatabaseError(Exception):
    """The database failed: nothing of the transaction is kept. The text says what to look at."""


class Database(Protocol):
    """A database of journals. Each method raises DatabaseError. `?` stands for a value in every statement."""

    def begin(self) -> None:
        """Begin a transaction that writes."""

    def commit(self) -> None:
        """End it; what it wrote is on the disk when this returns."""

    def roll_back(self) -> None:
        """Undo it, or nothing where there is none."""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; return what it answers, all of it."""

    def add_entries(self, rows: Iterable[Entry]) -> None:
        """Add rows to the table of entries."""

    def close(self) -> None:
        """Close it. Idempotent."""


class Sqlite:
    """A file beside the centre's other files."""

    def __init__(self, path: Path, *, to_read: bool = False) -> None:
        """Open or make it; only to read, beside the collector: it must be there. Raises DatabaseError."""
        self._path = path
        try:
            self._db = open_to_read(path) if to_read else open_owned(path, migrations)
        except StoreError as error:
            raise DatabaseError(str(error)) from error
        if to_read and not self.rows("SELECT 1 FROM sqlite_schema WHERE name = 'removals'"):
            raise DatabaseError(f"{path}: {OLDER}")

    def begin(self) -> None:
        """As in Database."""
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """As in Database."""
        self._run("COMMIT")

    def roll_back(self) -> None:
        """As in Database."""
        if self._db.in_transaction:
            self._run("ROLLBACK")

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """As in Database."""
        return self._run(statement, values).fetchall()

    def add_entries(self, rows: Iterable[Entry]) -> None:
        """As in Database."""
        try:
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def close(self) -> None:
        """As in Database."""
        self._db.close()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> DatabaseError:
        name = getattr(error, "sqlite_errorname", type(error).__name__)  # the text could quote a row
        return DatabaseError(f"{self._path}: {name}: check the file, its disk and its rights")


class Postgres:
    """A server, by psycopg (an extra, `egate[postgresql]`)."""

    def __init__(self, conninfo: str, *, to_read: bool = False) -> None:
        """Connect, and make the tables where there are none. Raises DatabaseError, CentralError."""
        self._errors: type[Exception] = postgresql.driver().Error
        self._conninfo = conninfo
        self._refused: tuple[float, DatabaseError] | None = None
        self._under_way = False  # a transaction: what belongs to it goes over no other connection
        self._db: Any = None
        self._to_read = to_read
        self._connect()

    def begin(self) -> None:
        """As in Database; connects anew where the server was gone."""
        self._run("BEGIN")
        self._under_way = True

    def commit(self) -> None:
        """As in Database."""
        self._run("COMMIT")
        self._under_way = False

    def roll_back(self) -> None:
        """As in Database; a server that is gone has undone it."""
        self._under_way = False
        if self._db is None or self._db.closed:
            return
        try:
            self._db.execute("ROLLBACK")
        except self._errors:
            self._db.close()

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """As in Database."""
        cursor = self._run(statement, values)
        return [] if cursor.description is None else cursor.fetchall()

    def add_entries(self, rows: Iterable[Entry]) -> None:
        """As in Database; in one COPY."""
        try:
            with self._db.cursor() as cursor, cursor.copy("COPY entries FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except self._errors as error:
            raise self._error(error) from error

    def close(self) -> None:
        """As in Database."""
        if self._db is not None:
            self._db.close()

    def _connect_again(self) -> None:
        """Not for each of many that wait: an address that nobody answers takes seconds."""
        if self._refused is not None and time.monotonic() < self._refused[0]:
            raise self._refused[1]
        try:
            self._connect()
        except DatabaseError as error:
            self._refused = (time.monotonic() + RETRY_S, error)
            raise

    def _connect(self) -> None:
        try:
            self._db = postgresql.connect(self._conninfo, autocommit=True)
            self._prepare()
        except self._errors as error:
            self.close()
            raise self._error(error) from error
        except DatabaseError:
            self.close()
            raise

    def _prepare(self) -> None:
        encoding = self._db.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseError(
                f"PostgreSQL: the database is encoded in {encoding}: make one with createdb --encoding=UTF8"
                " --template=template0"
            )
        self._db.execute("SET synchronous_commit = on")
        self._db.execute(f"SET lock_timeout = '{LOCK_S}s'")
        if self._to_read:
            if self._db.execute("SELECT to_regclass('removals')").fetchone()[0] is None:
                raise DatabaseError(f"PostgreSQL: {OLDER}")
            return
        with self._db.transaction():
            self._db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
            if self._db.execute("SELECT to_regclass('branches')").fetchone()[0] is None:
                for statement in SCHEMA:
                    self._db.execute(statement.format(**_POSTGRES))
            for name, table in (("heads", HEADS), ("removals", REMOVALS)):
                if self._db.execute("SELECT to_regclass(%s)", (name,)).fetchone()[0] is None:
                    self._db.execute(table.format(**_POSTGRES))

    def _run(self, statement: str, values: Sequence[Any] = ()) -> Any:
        if self._db.closed and not self._under_way:
            self._connect_again()
        try:
            return self._db.execute(statement.replace("?", "%s"), values)
        except self._errors as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> DatabaseError:
        return DatabaseError(postgresql.told(error))


def open_database(where: str, *, to_read: bool = False) -> Database:
    """By what is named: a `postgresql://` address, or a file. Raises DatabaseError, CentralError."""
    if where.startswith(postgresql.ADDRESSES):
        return Postgres(where, to_read=to_read)
    return Sqlite(Path(where), to_read=to_read)
