"""`false_hits.db`: whom an officer found not to be the listed person, so that nobody is stopped for it twice.

A false hit belongs to one document and one case: who comes with a new passport is looked at anew. Neither is
written down, but a hash of both under a sub-key of the list key, beside who said so and when. It is found
under every key that the gate holds, and written under the first, so a change of keys forgets nothing at
once.
"""

import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.store.database import open_owned, store_error
from gated.watchlist.keyed import ListKey
from gated.watchlist.match import DocumentClaim, normal_issuer, normal_number

MARK_BYTES = 16
_OFFICER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

migrations = Migrations("false_hits")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def false_hits(db: Database) -> None:
    """Create the table."""
    db.conn.execute(
        "CREATE TABLE false_hit (mark BLOB PRIMARY KEY, officer TEXT NOT NULL, at INTEGER NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


class FalseHit(NamedTuple):
    """Who said that the holder is not the listed person, and when."""

    reference: str
    officer: str
    at: datetime


class FalseHits:
    """The false hits of one gate. For any thread; every method raises StoreError when the disk refuses."""

    def __init__(self, path: Path, keys: Sequence[ListKey]) -> None:
        """Open or make the file; at least one key, the first is written under."""
        if not keys:
            raise ValueError("false hits need a list key")
        self._path = path
        self._keys = [hashlib.blake2b(key=key.derive("false hit"), digest_size=MARK_BYTES) for key in keys]
        self._lock = threading.Lock()
        self._connection = open_owned(path, migrations)

    def remember(self, document: DocumentClaim, reference: str, officer: str, at: datetime) -> None:
        """Keep that the holder of this document is not the person of this case; whoever said so last counts.

        Raises ValueError unless `officer` is a short name of letters, digits, dots, hyphens and underscores.
        """
        if not _OFFICER.fullmatch(officer):
            raise ValueError("an officer is named by letters, digits, dots, hyphens and underscores")
        mark = _mark(self._keys[0], document, reference)
        with self._lock:
            self._do(
                "INSERT OR REPLACE INTO false_hit VALUES (?, ?, ?)", (mark, officer, int(at.timestamp()))
            )

    def forget(self, document: DocumentClaim, reference: str) -> bool:
        """Take it back; whether there was anything to take back."""
        with self._lock:
            found = [
                self._do("DELETE FROM false_hit WHERE mark = ?", (_mark(key, document, reference),)).rowcount
                for key in self._keys
            ]
        return any(found)

    def of(self, document: DocumentClaim, references: Iterable[str]) -> tuple[FalseHit, ...]:
        """Which of these cases the holder of this document is known not to be."""
        known: list[FalseHit] = []
        with self._lock:
            for reference in dict.fromkeys(references):
                for key in self._keys:
                    mark = _mark(key, document, reference)
                    row = self._do("SELECT officer, at FROM false_hit WHERE mark = ?", (mark,)).fetchone()
                    if row is not None:
                        known.append(FalseHit(reference, row[0], datetime.fromtimestamp(row[1], UTC)))
                        break
        return tuple(known)

    def close(self) -> None:
        """Leave the file. Idempotent."""
        with self._lock:
            self._connection.close()

    def _do(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error


def _mark(keyed: "hashlib.blake2b", document: DocumentClaim, reference: str) -> bytes:
    hashing = keyed.copy()
    number, issuer = normal_number(document.number.reveal()), normal_issuer(document.issuer)
    hashing.update(f"{issuer}/{number}/{reference}".encode())
    return hashing.digest()
