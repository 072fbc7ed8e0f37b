"""The gate's tokens on its disk: those that wait, sealed as they came, and the ids of those that were used.

A token counts once, and that must outlast a power cut: its id is written, and synced, before the entry is
released for it. A crash in between costs the traveller a way to the counter, never the gate a second entry.
What has been used is kept for a day longer than the token could count, in case the clock is set back.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.store.database import open_owned, store_error

MAX_WAITING = 256  # what some kiosks make in half an hour
KEEP_USED_S = 86_400

migrations = Migrations("tokens")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def waiting_and_used(db: Database) -> None:
    """Create the tables."""
    db.conn.execute(
        "CREATE TABLE waiting (id TEXT PRIMARY KEY, expires INTEGER NOT NULL, sealed BLOB NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )
    db.conn.execute(
        "CREATE TABLE used (id TEXT PRIMARY KEY, expires INTEGER NOT NULL, passage TEXT NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


class Waiting(NamedTuple):
    """A token that waits for its traveller."""

    id: str
    expires: int
    sealed: bytes


class TokenStore:
    """The database of tokens. For any thread; every method raises StoreError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        """Open or make it."""
        self._path = path
        self._lock = threading.Lock()
        self._connection = open_owned(path, migrations)

    def waiting(self) -> tuple[Waiting, ...]:
        """Every token that waits."""
        with self._lock:
            return tuple(Waiting(*row) for row in self._do("SELECT id, expires, sealed FROM waiting"))

    def keep(self, token: Waiting) -> bool:
        """Keep a token that came; False when there is no room for it."""
        with self._lock:
            ((count,),) = self._do("SELECT count(*) FROM waiting")
            if count >= MAX_WAITING:
                return False
            self._do("INSERT OR IGNORE INTO waiting VALUES (?, ?, ?)", *token)
            return True

    def user(self, token: str) -> str | None:
        """The passage that used this token, if any did."""
        with self._lock:
            return self._user(token)

    def use(self, tokens: Sequence[tuple[str, int]], passage: str) -> bool:
        """Mark tokens (id, expiry) as used by this passage; on disk when this returns.

        False, and nothing is written, where the first of them was used by another passage.
        """
        with self._lock:
            if self._user(tokens[0][0]) not in {None, passage}:
                return False
            self._do("BEGIN IMMEDIATE")
            try:
                for token, expires in tokens:
                    self._do("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", token, expires, passage)
                    self._do("DELETE FROM waiting WHERE id = ?", token)
            except BaseException:
                self._connection.rollback()
                raise
            self._do("COMMIT")
            return True

    def forget_before(self, moment: int) -> None:
        """Forget what had expired by then, and what was used and had expired a day before."""
        with self._lock:
            self._do("DELETE FROM waiting WHERE expires <= ?", moment)
            self._do("DELETE FROM used WHERE expires <= ?", moment - KEEP_USED_S)

    def close(self) -> None:
        """Give the database back. Idempotent."""
        with self._lock:
            self._connection.close()

    def _user(self, token: str) -> str | None:
        row = next(iter(self._do("SELECT passage FROM used WHERE id = ?", token)), None)
        return None if row is None else str(row[0])

    def _do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
