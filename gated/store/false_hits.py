"""`false_hits.db`: whom an officer found not to be the listed person, so that nobody is stopped for it twice.

Kept are marks (`gated.watchlist.false_hits`), with who said so and when, and never a document or a case.
Marks are made and looked for under each list key that the gate holds, so a change of keys forgets nothing as
long as the old key is there. A word that was taken back stays on file as such, for as long as it would have
held. What is older than the policy has it counts no more, and is deleted with the next word that is kept.
"""

import re
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.store.database import StoreError, open_owned, open_to_read, store_error
from gated.watchlist.false_hits import Marking
from gated.watchlist.match import DocumentClaim

MAX_KEPT: Final = 200_000  # marks: some 20 MB
_OFFICER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_WORD = "SELECT officer, at, withdrawn FROM false_hit WHERE mark = ?"

migrations = Migrations("false_hits")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def false_hits(db: Database) -> None:
    """Create the table."""
    db.conn.execute(
        "CREATE TABLE false_hit (mark BLOB PRIMARY KEY, officer TEXT NOT NULL, at INTEGER NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def withdrawn(db: Database) -> None:
    """Keep on file what was taken back."""
    db.conn.execute("ALTER TABLE false_hit ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0")


class FalseHit(NamedTuple):
    """Who said that the holder is not the person of a case, and when."""

    reference: str
    officer: str
    at: datetime


class FalseHits:
    """The false hits of one gate. For any thread; every method raises StoreError when the disk refuses."""

    def __init__(self, path: Path, marking: Marking, days: int) -> None:
        """Open or make the file. A word counts for so many `days`."""
        self._path = path
        self._marking = marking
        self._held_for = timedelta(days=days)
        self._lock = threading.Lock()
        self._connection = open_owned(path, migrations)

    def keep(self, marks: Iterable[str], officer: str, at: datetime, *, withdrawn: bool = False) -> None:
        """Keep an officer's word about a document and a case; whoever said something last counts.

        Raises ValueError unless `officer` is a short name of letters, digits, dots, hyphens and underscores;
        StoreError(false_hits_full) where too many are kept already.
        """
        if not _OFFICER.fullmatch(officer):
            raise ValueError("an officer is named by letters, digits, dots, hyphens and underscores")
        said = int(at.timestamp())
        rows = [(_raw(mark), officer, said, int(withdrawn)) for mark in marks]
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    self._keep(rows, said)
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise store_error(self._path, error) from error

    def _keep(self, rows: list[tuple[bytes, str, int, int]], now: int) -> None:
        oldest = now - int(self._held_for.total_seconds())
        self._connection.execute("DELETE FROM false_hit WHERE at < ?", (oldest,))
        self._connection.executemany(
            "INSERT INTO false_hit VALUES (?, ?, ?, ?) ON CONFLICT (mark) DO UPDATE SET"
            " officer = excluded.officer, at = excluded.at, withdrawn = excluded.withdrawn"
            " WHERE excluded.at >= false_hit.at",
            rows,
        )
        (count,) = self._connection.execute("SELECT count(*) FROM false_hit").fetchone()
        if count > MAX_KEPT:
            fix = f"{MAX_KEPT} are kept: let them hold for fewer days, or have the list corrected"
            raise StoreError("false_hits_full", fix)

    def of(self, document: DocumentClaim, references: Iterable[str], now: datetime) -> tuple[FalseHit, ...]:
        """Which of these cases the holder of this document is known not to be."""
        with self._lock:
            try:
                return _known(self._connection, self._marking, document, references, now - self._held_for)
            except sqlite3.Error as error:
                raise store_error(self._path, error) from error

    def close(self) -> None:
        """Leave the file. Idempotent."""
        with self._lock:
            self._connection.close()


def false_hits_in(
    path: Path, marking: Marking, days: int, document: DocumentClaim, references: Iterable[str], now: datetime
) -> tuple[FalseHit, ...]:
    """What `FalseHits.of` tells, from the file of a gate that may be running. Raises StoreError."""
    with closing(open_to_read(path)) as connection:
        try:
            return _known(connection, marking, document, references, now - timedelta(days=days))
        except sqlite3.Error as error:
            raise store_error(path, error) from error


def _known(
    connection: sqlite3.Connection,
    marking: Marking,
    document: DocumentClaim,
    references: Iterable[str],
    since: datetime,
) -> tuple[FalseHit, ...]:
    found: list[FalseHit] = []
    for reference in dict.fromkeys(references):
        marks = [_raw(mark) for mark in marking.of(document, reference)]
        words = [row for mark in marks for row in connection.execute(_WORD, (mark,))]
        if not words:
            continue
        officer, at, withdrawn = max(words, key=lambda word: (word[1], word[2]))
        if not withdrawn and at > since.timestamp():
            found.append(FalseHit(reference, officer, datetime.fromtimestamp(at, UTC)))
    return tuple(found)


def _raw(mark: str) -> bytes:
    """What is kept of a mark: keys differ, so their hashes do."""
    return bytes.fromhex(mark.partition(":")[2])
