"""`false_hits.db`: whom an officer found not to be the listed person, so that nobody is stopped for it twice.

Kept are marks (`gated.watchlist.false_hits`), with who said so and when, and never a document or a case.
Marks are made and looked for under each list key that the gate holds, so a change of keys forgets nothing as
long as the old key is there. A word that was taken back stays on file as such, for as long as it would have
held. What is older than the policy has it counts no more, and is deleted with the next word that is kept.
Beside its own words a gate knows those that the centre publishes; of all of them the last one counts.
"""

import re
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.store.database import StoreError, open_owned, open_to_read, store_error
from gated.watchlist.false_hits import MAX_SHARED, Marking, Said, by_mark, newer, parse_shared, raw_mark
from gated.watchlist.match import DocumentClaim
from gated.watchlist.snapshot import ListError

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
    """Who said that the holder is not the person of a case, and when; `gate` is empty where it was here."""

    reference: str
    officer: str
    at: datetime
    gate: str = ""


class FalseHits:
    """The false hits of one gate. For any thread; every method raises StoreError when the disk refuses."""

    def __init__(self, path: Path, marking: Marking, days: int) -> None:
        """Open or make the file. A word counts for so many `days`."""
        self._path = path
        self._marking = marking
        self._held_for = timedelta(days=days)
        self._shared: Mapping[bytes, Said] = {}
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
        rows = [(raw_mark(mark), officer, said, int(withdrawn)) for mark in marks]
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
                since = now - self._held_for
                return _known(self._connection, self._shared, self._marking, document, references, since)
            except sqlite3.Error as error:
                raise store_error(self._path, error) from error

    def take(self, shared: Mapping[bytes, Said]) -> None:
        """Go by these words of all gates, too; what they take back of our own is taken back for good."""
        with self._lock:
            try:
                own = self._connection.execute(
                    "SELECT mark, at FROM false_hit WHERE withdrawn = 0"
                ).fetchall()
                gone = [
                    (shared[mark].officer, shared[mark].at, mark)
                    for mark, at in own
                    if mark in shared and shared[mark].withdrawn and shared[mark].at >= at
                ]
                self._connection.executemany(
                    "UPDATE false_hit SET officer = ?, at = ?, withdrawn = 1 WHERE mark = ?", gone
                )
            except sqlite3.Error as error:
                raise store_error(self._path, error) from error
            self._shared = shared

    def close(self) -> None:
        """Leave the file. Idempotent."""
        with self._lock:
            self._connection.close()


def false_hits_in(
    path: Path,
    marking: Marking,
    days: int,
    document: DocumentClaim,
    references: Iterable[str],
    now: datetime,
    shared: Mapping[bytes, Said] | None = None,
) -> tuple[FalseHit, ...]:
    """What `FalseHits.of` tells, from the file of a gate that may be running. Raises StoreError."""
    with closing(open_to_read(path)) as connection:
        try:
            since = now - timedelta(days=days)
            return _known(connection, shared or {}, marking, document, references, since)
        except sqlite3.Error as error:
            raise store_error(path, error) from error


def read_shared(path: Path, marking: Marking) -> Mapping[bytes, Said]:
    """What was said at all gates, of marks that this gate can make, from the file that is published.

    Raises StoreError.
    """
    try:
        with path.open("rb") as file:
            return by_mark(parse_shared(file.read(MAX_SHARED + 1)), marking.keys)
    except ListError as error:
        raise StoreError(error.code, "publish false hits again at the centre") from error
    except OSError as error:
        raise store_error(path, error) from error


def _known(
    connection: sqlite3.Connection,
    shared: Mapping[bytes, Said],
    marking: Marking,
    document: DocumentClaim,
    references: Iterable[str],
    since: datetime,
) -> tuple[FalseHit, ...]:
    found: list[FalseHit] = []
    for reference in dict.fromkeys(references):
        last: Said | None = None
        for mark in map(raw_mark, marking.of(document, reference)):
            words = [Said(*row) for row in connection.execute(_WORD, (mark,))]
            words += [shared[mark]] if mark in shared else []
            for word in words:
                last = word if newer(word, last) else last
        if last is not None and not last.withdrawn and last.at > since.timestamp():
            found.append(FalseHit(reference, last.officer, datetime.fromtimestamp(last.at, UTC), last.gate))
    return tuple(found)
