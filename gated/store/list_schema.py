"""The tables of a list in `entries.db`, and what they say about the list that they hold."""

import sqlite3

import msgspec
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.watchlist.freshness import Freshness
from gated.watchlist.snapshot import Header

APPLICATION_ID = 0x65474C31  # "eGL1"

migrations = Migrations("watchlist")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def list_and_entries(db: Database) -> None:
    """Create the tables: what list this is, how fresh, and the entries by what they are looked up by."""
    for statement in (
        "CREATE TABLE list (one INTEGER PRIMARY KEY CHECK (one = 1), header TEXT NOT NULL) STRICT",
        """CREATE TABLE freshness (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            signed_at REAL NOT NULL,
            seen_at REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE document (
            number TEXT NOT NULL,
            issuer TEXT NOT NULL,
            type TEXT NOT NULL,
            grade TEXT NOT NULL,
            reason TEXT NOT NULL,
            reference TEXT NOT NULL,
            PRIMARY KEY (number, issuer, type, grade, reason, reference)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE person (
            name TEXT NOT NULL,
            birth TEXT NOT NULL,
            surname TEXT NOT NULL,
            given TEXT NOT NULL,
            nationality TEXT NOT NULL,
            grade TEXT NOT NULL,
            reason TEXT NOT NULL,
            reference TEXT NOT NULL,
            PRIMARY KEY (name, birth, surname, given, nationality, grade, reason, reference)
        ) STRICT, WITHOUT ROWID""",
    ):
        db.execute(statement)


def describe(database: sqlite3.Connection) -> tuple[Header, Freshness]:
    """What list a database holds, and how fresh it is. Raises sqlite3.Error, ValueError, TypeError."""
    (raw,) = database.execute("SELECT header FROM list").fetchone()
    signed_at, seen_at = database.execute("SELECT signed_at, seen_at FROM freshness").fetchone()
    return msgspec.json.decode(raw, type=Header), Freshness(signed_at=signed_at, seen_at=seen_at)
