"""Building a list in a file beside the one in force: from a snapshot, or from the present list and deltas.

Entries stream from the file into the database, so memory stays bounded whatever the size of the list. The
new file is trusted only after what stands *in it* was compared with the signed header: its counts by
counting, its digest by the tally of every line, its pages by SQLite's own check. Journalling is off while
building: a build that did not finish is thrown away, and a finished one is forced to disk before anyone
sees it.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from gated.store.database import StoreError
from gated.store.list_schema import APPLICATION_ID, describe, migrations
from gated.store.list_version import PERSONS
from gated.store.person_index import PersonIndex, build_persons
from gated.store.watchlist import Watchlist
from gated.watchlist.delta import Change, read_delta
from gated.watchlist.freshness import Freshness
from gated.watchlist.keyed import ListKey
from gated.watchlist.match import name_key, normal_issuer
from gated.watchlist.snapshot import (
    DocumentEntry,
    Entry,
    Header,
    ListError,
    PersonEntry,
    Tally,
    read_snapshot,
    split,
)

BATCH = 5000  # rows between two signs of life: some 20 ms

_ADD_DOCUMENT = "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?)"
_ADD_PERSON = "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_DROP_DOCUMENT = (
    "DELETE FROM document WHERE number = ? AND issuer = ? AND type = ? AND grade = ? AND reason = ?"
    " AND reference = ?"
)
_DROP_PERSON = (
    "DELETE FROM person WHERE name = ? AND birth = ? AND surname = ? AND given = ? AND nationality = ?"
    " AND grade = ? AND reason = ? AND reference = ?"
)


def from_snapshot(
    target: Path,
    name: str,
    source: Path,
    freshness: Freshness,
    alive: Callable[[], None],
    key: ListKey | None = None,
) -> Header:
    """Build `target` from a snapshot file of list `name`; with a key, persons lie sealed in a file beside it.

    Raises ListError, sqlite3.Error, OSError.
    """
    with _fresh(target) as database, source.open("rb") as file, _as_list_error():
        migrations.apply(Database(database))
        header, entries = read_snapshot(split(file))
        if header.list != name:
            raise ListError("another_list", 1)
        database.execute("BEGIN")
        sealed = 0
        if key is None:
            _insert(database, entries, alive)
        else:
            persons = _without_documents(database, entries)
            beside, version = target.with_name(PERSONS), header.version
            sealed = build_persons(beside, key, persons, alive, name=name, version=version)
        _seal(database, header, freshness, sealed)
    return header


def from_deltas(
    target: Path,
    present: Watchlist,
    sources: Iterable[Path],
    freshness: Freshness,
    alive: Callable[[], None],
) -> Header:
    """Build `target` from the list in force and delta files, in order.

    Raises ListError when one does not fit or the result is not what it says; sqlite3.Error, OSError. Where
    persons are not sealed under the first key that is held, none fits: a snapshot is, and seals them.
    """
    with _fresh(target) as database, _as_list_error():
        if present.persons_key != next(iter(present.keys.ids), None):
            raise ListError("does_not_fit")
        present.copy_into(database, alive)
        header, _ = describe(database)
        database.execute("BEGIN")
        sealed = 0
        with _sealed_copy(present, target.with_name(PERSONS), alive) as persons:
            for source in sources:
                with source.open("rb") as file:
                    header = _apply(database, persons, header, file, alive)
            if persons is not None:
                persons.become(header.version)
                sealed = persons.count
        _seal(database, header, freshness, sealed)
    return header


@contextlib.contextmanager
def _as_list_error() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise ListError(error.code) from error


@contextlib.contextmanager
def _sealed_copy(present: Watchlist, target: Path, alive: Callable[[], None]) -> Iterator[PersonIndex | None]:
    """A copy of the sealed persons in force, open to be changed; on disk when the block ends well."""
    if present.persons_key is None:
        yield None
        return
    present.copy_persons_to(target, alive)
    copy = PersonIndex.open(target, present.keys, to_change=True)
    with contextlib.closing(copy) as persons, persons.changing(alive):
        yield persons
    with target.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _fresh(target: Path) -> Iterator[sqlite3.Connection]:
    """An empty database that is on disk, whole, when the block ends well, and gone when it does not."""
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            yield database
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _insert(database: sqlite3.Connection, entries: Iterator[Entry], alive: Callable[[], None]) -> None:
    while batch := list(islice(entries, BATCH)):
        _insert_documents(database, batch)
        persons = [_person(entry) for entry in batch if isinstance(entry, PersonEntry)]
        try:
            database.executemany(_ADD_PERSON, persons)
        except sqlite3.IntegrityError as error:
            raise ListError("twice_under_one_form", 1) from error
        alive()


def _without_documents(database: sqlite3.Connection, entries: Iterator[Entry]) -> Iterator[PersonEntry]:
    """The persons among the entries; the documents go into the database as they come."""
    while batch := list(islice(entries, BATCH)):
        _insert_documents(database, batch)
        yield from (entry for entry in batch if isinstance(entry, PersonEntry))


def _insert_documents(database: sqlite3.Connection, batch: list[Entry]) -> None:
    rows = [_document(entry) for entry in batch if isinstance(entry, DocumentEntry)]
    try:
        database.executemany(_ADD_DOCUMENT, rows)
    except sqlite3.IntegrityError as error:
        raise ListError("twice_under_one_form", 1) from error


def _apply(
    database: sqlite3.Connection,
    persons: PersonIndex | None,
    before: Header,
    file: Any,
    alive: Callable[[], None],
) -> Header:
    """Apply one delta to the open transaction; strict: each change must change exactly one row."""
    header, changes = read_delta(split(file))
    if header.list != before.list:
        raise ListError("another_list", 1)
    if header.base != before.version:
        raise ListError("does_not_fit", 1)
    tally = Tally(before.documents, before.persons, before.digest)
    for change in changes:
        _change(database, persons, change)
        (tally.add if change.came else tally.remove)(change.entry, change.line)
        if change.number % BATCH == 0:
            alive()
    if not tally.agrees_with(header):
        raise ListError("not_what_the_header_says", 1)
    return header


def _change(database: sqlite3.Connection, persons: PersonIndex | None, change: Change) -> None:
    if persons is not None and isinstance(change.entry, PersonEntry):
        try:
            (persons.add if change.came else persons.drop)(change.entry)
        except ListError as error:
            raise ListError(error.code, change.number) from error
        return
    if isinstance(change.entry, DocumentEntry):
        row, statement = _document(change.entry), _ADD_DOCUMENT if change.came else _DROP_DOCUMENT
    else:
        row, statement = _person(change.entry), _ADD_PERSON if change.came else _DROP_PERSON
    try:
        changed = database.execute(statement, row).rowcount
    except sqlite3.IntegrityError as error:
        raise ListError("does_not_fit", change.number) from error
    if changed != 1:
        raise ListError("does_not_fit", change.number)


def _seal(database: sqlite3.Connection, header: Header, freshness: Freshness, sealed: int) -> None:
    """Write what this list is, end the transaction, and verify what the file now holds.

    `sealed`: how many persons lie beside it.
    """
    database.execute("INSERT OR REPLACE INTO list VALUES (1, ?)", (msgspec.json.encode(header).decode(),))
    database.execute(
        "INSERT OR REPLACE INTO freshness VALUES (1, ?, ?)", (freshness.signed_at, freshness.seen_at)
    )
    database.execute("COMMIT")
    counted = database.execute(
        "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM person)"
    ).fetchone()
    if counted != (header.documents, header.persons - sealed):
        raise ListError("counted_otherwise", 1)
    if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise ListError("damaged_while_building", 1)


def _document(entry: DocumentEntry) -> tuple[str, ...]:
    return (
        entry.number, normal_issuer(entry.issuer), entry.type, entry.grade, entry.reason, entry.reference
    )  # fmt: skip


def _person(entry: PersonEntry) -> tuple[str, ...]:
    return (
        name_key(entry.surname, entry.given), entry.birth, entry.surname, entry.given, entry.nationality,
        entry.grade, entry.reason, entry.reference,
    )  # fmt: skip
