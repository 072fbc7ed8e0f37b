"""`watchlist.db`: the list that this gate decides by, and how a newer one takes its place.

A new list is built in a file beside (`gated.store.list_build`), verified, and then switched in:

    watchlist.db.next  --verified, on disk-->  ready
    watchlist.db       --second name-------->  watchlist.db.previous
    watchlist.db.next  --rename------------->  watchlist.db

Each step is atomic and a crash between any two leaves a whole list under the name `watchlist.db`: the old one
or the new one. At the next start leftovers are removed. If the list cannot be read then, the previous one
serves, with its own version and its own age, until the next refresh brings the newest again.

One connection owns the file. Lookups may come from one thread while another builds and switches; a lock is
held for the few milliseconds that either needs the connection. Without a list there is no answer, and
no answer is an error: an empty list is never assumed.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlite_utils import Database

from gated.core.vocabulary import Grade
from gated.store.list_schema import APPLICATION_ID, describe, migrations
from gated.watchlist.freshness import Age
from gated.watchlist.match import (
    Answer,
    DocumentClaim,
    Hit,
    PersonClaim,
    birth_fits,
    name_key,
    normal_issuer,
    normal_number,
    type_fits,
)
from gated.watchlist.snapshot import Header

CURRENT, NEXT, PREVIOUS = "watchlist.db", "watchlist.db.next", "watchlist.db.previous"
_SPARE = "watchlist.db.previous.new"  # the second name, before it replaces the last one

_DOCUMENTS = "SELECT type, grade, reason, reference FROM document WHERE number = ? AND issuer = ?"
_PERSONS = "SELECT birth, grade, reason, reference FROM person WHERE name = ?"


class WatchlistError(Exception):
    """The list cannot be asked; the text tells the technician why."""


class NoWatchlist(WatchlistError):
    """This gate has never had a list."""


def _silent(_: str) -> None:
    pass


class Watchlist:
    """The list that is in force. Make it with `open`."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._source: Path | None = None
        self._header: Header | None = None
        self._age: Age | None = None

    @classmethod
    def open(cls, state: Path) -> Self:
        """Open the list under the state folder; there may be none yet. Raises OSError."""
        state.mkdir(parents=True, exist_ok=True)
        for leftover in (NEXT, f"{NEXT}-journal", _SPARE):
            (state / leftover).unlink(missing_ok=True)
        watchlist = cls(state)
        watchlist._attach_best()
        return watchlist

    @property
    def state(self) -> Path:
        """The folder that the list lives in."""
        return self._state

    @property
    def header(self) -> Header | None:
        """What list is in force; None before the first."""
        return self._header

    @property
    def version(self) -> int:
        """The version in force; 0 before the first list."""
        return self._header.version if self._header else 0

    @property
    def digest(self) -> str:
        """The digest of the list in force, for the record; empty before the first."""
        return self._header.digest if self._header else ""

    @property
    def signed_at(self) -> float:
        """When the central side last vouched for its list, in seconds since 1970; 0 before the first."""
        return self._age.freshness.signed_at if self._age else 0.0

    def age_s(self, now: datetime, at: float) -> float | None:
        """Seconds since the central side last vouched for this list; None before the first.

        `now` is aware UTC, `at` the monotonic time. A clock that goes back does not make it younger.
        """
        with self._lock:
            return self._age.seconds(now.timestamp(), at) if self._age else None

    def lookup(self, *, document: DocumentClaim | None = None, person: PersonClaim | None = None) -> Answer:
        """Ask the list. Raises NoWatchlist, or WatchlistError when it cannot be read."""
        with self._lock:
            if self._database is None or self._header is None:
                raise NoWatchlist("there is no watchlist yet: check the link and the central server")
            try:
                hits = _documents(self._database, document) if document else ()
                hits += _persons(self._database, person) if person else ()
            except sqlite3.Error as error:
                raise WatchlistError("watchlist.db cannot be read: check the disk") from error
            return Answer(version=self._header.version, hits=hits)

    def remember(self, now: datetime, at: float, signed_at: float | None = None) -> None:
        """Keep on disk what time it is, and the verified word if one came. Raises WatchlistError."""
        with self._lock:
            if self._database is None or self._age is None:
                return
            if signed_at is not None:
                self._age.confirm(signed_at, now.timestamp(), at)
            self._age.seconds(now.timestamp(), at)
            try:
                self._database.execute(
                    "UPDATE freshness SET signed_at = ?, seen_at = ?",
                    (self._age.freshness.signed_at, self._age.freshness.seen_at),
                )
            except sqlite3.Error as error:
                raise WatchlistError("watchlist.db cannot be written: check the disk") from error

    def copy_into(self, target: sqlite3.Connection, alive: Callable[[], None]) -> None:
        """Copy the list in force into another database, page by page; lookups go on. Raises NoWatchlist."""
        if self._database is None:
            raise NoWatchlist("there is no watchlist to start from")
        self._database.backup(target, pages=2000, progress=lambda *_: alive())

    def activate(self, reached: Callable[[str], None] = _silent) -> None:
        """Put the verified list `watchlist.db.next` in force. Raises WatchlistError, OSError.

        `reached` is told after each step; what is on disk then is a whole list, whatever happens next.
        """
        following, current = self._state / NEXT, self._state / CURRENT
        with self._lock:
            keep = self._source == current
            self._detach()
            try:
                if keep:
                    (self._state / _SPARE).unlink(missing_ok=True)
                    os.link(current, self._state / _SPARE)
                    reached("named")
                    (self._state / _SPARE).replace(self._state / PREVIOUS)
                    reached("kept")
                following.replace(current)
                reached("switched")
                _flush_folder(self._state)
            finally:
                self._attach_best()
        reached("settled")

    def close(self) -> None:
        """Leave the list. Idempotent."""
        with self._lock:
            self._detach()

    def _attach_best(self) -> None:
        """Take the list, or the previous one where the list cannot be read (a damaged file is never kept)."""
        for path in (self._state / CURRENT, self._state / PREVIOUS):
            if path.exists():
                with contextlib.suppress(sqlite3.Error, WatchlistError):
                    self._attach(path)
                    return

    def _attach(self, path: Path) -> None:
        database = _connect(path)
        try:
            self._header, freshness = describe(database)
        except sqlite3.Error:
            database.close()
            raise
        except (ValueError, TypeError) as error:
            database.close()
            raise WatchlistError(f"{path.name} is not a watchlist of this software") from error
        self._database, self._source = database, path
        self._age = Age(freshness)

    def _detach(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = self._source = None


def _connect(path: Path) -> sqlite3.Connection:
    """The one connection. Raises sqlite3.Error, WatchlistError for a file of another kind."""
    database = sqlite3.connect(
        f"file:{path}?mode=rw", uri=True, timeout=1.0, isolation_level=None, check_same_thread=False
    )
    try:
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA synchronous = FULL")
        ours = database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        if ours:
            migrations.apply(Database(database))
    except sqlite3.Error:
        database.close()
        raise
    if not ours:
        database.close()
        raise WatchlistError(f"{path.name} is not a watchlist of this software")
    return database


def _documents(database: sqlite3.Connection, claim: DocumentClaim) -> tuple[Hit, ...]:
    key = (normal_number(claim.number.reveal()), normal_issuer(claim.issuer))
    return tuple(
        Hit(kind="document", grade=Grade(grade), reason=reason, reference=reference)
        for listed, grade, reason, reference in database.execute(_DOCUMENTS, key)
        if type_fits(listed, claim.type)
    )


def _persons(database: sqlite3.Connection, claim: PersonClaim) -> tuple[Hit, ...]:
    birth = claim.birth.reveal()
    hits: list[Hit] = []
    key = name_key(claim.surname.reveal(), claim.given.reveal())
    for listed, grade, reason, reference in database.execute(_PERSONS, (key,)):
        agrees, certain = birth_fits(listed, birth)
        if agrees:
            hits.append(
                Hit(kind="person", grade=Grade(grade), reason=reason, reference=reference, certain=certain)
            )
    return tuple(hits)


def _flush_folder(folder: Path) -> None:
    """Make renames in the folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
