"""Old entries of the journal that the centre has signed for, removed a few at a time.

The rest of the chain stays whole: it begins after the *foundation*, the last entry that was removed. What
remains begins where the gate was started, so that it can be replayed; an officer's lock that still holds
stays on record with all that came after it. The writer of the journal waits for a removal no longer than
for a write of its own.
"""

import sqlite3
from datetime import datetime
from pathlib import Path

from gated.core.events import GateStarted
from gated.store.database import BUSY_MS, store_error
from gated.store.journal import foundation_of, signed_lock

FEW = 200  # entries at a time: some milliseconds
STARTED = f'{{"type":"{GateStarted.__name__}",'  # as the journal's encoder begins it


class Pruner:
    """Removes entries of one journal. Belongs to one thread; every method raises StoreError."""

    def __init__(self, path: Path) -> None:
        """Open the journal beside its writer."""
        self._path = path
        self._target = 0
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA trusted_schema = OFF")
        except sqlite3.Error as error:
            raise store_error(path, error) from error

    def aim(self, receipted: int, before: datetime) -> int:
        """Find up to where entries may go: receipted, older than `before` (UTC), followed by a start."""
        lock = signed_lock(self._db)
        until = min(receipted + 1, lock[0] if lock is not None else receipted + 1)
        query = (
            "SELECT coalesce(max(seq), 0) FROM entries"
            " WHERE seq <= ? AND substr(event, 1, ?) = ? AND utc <= ?"
        )
        moment = before.isoformat(timespec="milliseconds")
        try:
            start = self._db.execute(query, (until, len(STARTED), STARTED, moment)).fetchone()[0]
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        self._target = max(0, start - 1)
        return self._target

    def prune(self) -> int:
        """Remove the next few entries; return how many."""
        try:
            base = foundation_of(self._db)[0]
            if base >= self._target:
                return 0
            self._db.execute("BEGIN IMMEDIATE")
            try:
                return self._remove(base, min(base + FEW, self._target))
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error

    def _remove(self, base: int, last: int) -> int:
        link = self._db.execute("SELECT hash FROM entries WHERE seq = ?", (last,)).fetchone()
        if link is None:
            return 0  # an entry is missing: `journal verify` is to tell it, so nothing before it goes
        self._db.execute("UPDATE foundation SET seq = ?, hash = ?", (last, link[0]))
        removed = self._db.execute("DELETE FROM entries WHERE seq > ? AND seq <= ?", (base, last)).rowcount
        self._db.execute("DELETE FROM passages WHERE ended <= ?", (last,))
        self._db.execute("COMMIT")
        return removed

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()
