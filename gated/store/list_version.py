"""One version of a list, open: its persons, its documents, and how fresh it is.

Its entries lie in a database; on a gate that holds a list key, persons lie sealed beside it
(`gated.store.person_index`), and so do packed documents (`gated.store.documents`). All parts say which list
and version they are of, and must agree.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from sqlite_utils import Database

from gated.core.policy import USUAL_HITS, PersonHits
from gated.core.vocabulary import Grade
from gated.store.database import StoreError
from gated.store.documents import Documents
from gated.store.list_schema import APPLICATION_ID, describe, migrations
from gated.store.person_index import PersonIndex
from gated.store.versions import Contents, read_contents
from gated.watchlist.freshness import Freshness
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import (
    DocumentClaim,
    Hit,
    PersonClaim,
    birth_fits,
    name_key,
    normal_issuer,
    normal_number,
    type_fits,
)
from gated.watchlist.snapshot import Header, ListError

ENTRIES, PERSONS = "entries.db", "persons.db"
Mode = Literal["rw", "ro"]

_DOCUMENTS = "SELECT type, grade, reason, reference FROM document WHERE number = ? AND issuer = ?"
_PERSONS = "SELECT birth, grade, reason, reference FROM person WHERE name = ?"

UNREADABLE = (sqlite3.Error, ListError, OSError)
"""What opening a version, or asking it, raises where it is damaged or the disk fails."""


class ListVersion:
    """An open version. One thread at a time asks it. Make it with `open`."""

    def __init__(
        self,
        folder: Path,
        database: sqlite3.Connection,
        documents: Documents | None,
        persons: PersonIndex | None,
        header: Header,
    ) -> None:
        self.folder = folder
        self.header = header
        self.documents = documents
        self.persons = persons
        self._database = database

    @classmethod
    def open(cls, folder: Path, keys: ListKeys, mode: Mode = "rw") -> Self:
        """Open the version in a folder; to read only, for whoever does not own it. Raises UNREADABLE."""
        contents = read_contents(folder)
        database = connect(folder / ENTRIES, mode)
        documents: Documents | None = None
        persons: PersonIndex | None = None
        try:
            header = _describe(database)[0]
            if contents.documents is not None:
                documents = Documents.open(folder, keys)
            if (folder / PERSONS).exists():
                persons = _open_persons(folder / PERSONS, keys)
            _agree(contents, header, documents)
            _agree_on_persons(database, header, persons)
        except BaseException:
            database.close()
            for part in (documents, persons):
                if part is not None:
                    part.close()
            raise
        return cls(folder, database, documents, persons, header)

    @property
    def freshness(self) -> Freshness:
        """How fresh it was when that was last kept. Raises UNREADABLE."""
        return _describe(self._database)[1]

    def lookup(
        self,
        document: DocumentClaim | None,
        person: PersonClaim | None,
        person_hits: PersonHits = USUAL_HITS,
    ) -> tuple[Hit, ...]:
        """Everything that fits, listed persons from the scores of the policy on. Raises UNREADABLE."""
        hits: tuple[Hit, ...] = ()
        if document is not None:
            hits += _documents(self._database, document)
            hits += self.documents.hits(document) if self.documents else ()
        if person is not None:
            hits += _persons(self._database, person)
            hits += _sealed_persons(self.persons, person, person_hits) if self.persons else ()
        return hits

    def keep(self, freshness: Freshness) -> None:
        """Keep on disk how fresh it is. Raises UNREADABLE."""
        self._database.execute(
            "UPDATE freshness SET signed_at = ?, seen_at = ?", (freshness.signed_at, freshness.seen_at)
        )

    def copy_into(self, target: sqlite3.Connection, alive: Callable[[], None]) -> None:
        """Copy the database into another, page by page; lookups go on. Raises UNREADABLE."""
        self._database.backup(target, pages=2000, progress=lambda *_: alive())

    def close(self) -> None:
        """Give the files back. Idempotent."""
        self._database.close()
        for part in (self.documents, self.persons):
            if part is not None:
                part.close()


def connect(path: Path, mode: Mode) -> sqlite3.Connection:
    """The connection to the database of a version. Raises UNREADABLE, also for a file of another kind."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    database = sqlite3.connect(uri, uri=True, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA synchronous = FULL")
        ours = database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        if ours and mode == "rw":
            migrations.apply(Database(database))
    except sqlite3.Error:
        database.close()
        raise
    if not ours:
        database.close()
        raise ListError("not_a_watchlist")
    return database


def _describe(database: sqlite3.Connection) -> tuple[Header, Freshness]:
    try:
        return describe(database)
    except (ValueError, TypeError) as error:
        raise ListError("not_a_watchlist") from error


def _agree(contents: Contents, header: Header, documents: Documents | None) -> None:
    """Raise ListError unless all parts are of one version of one list."""
    versions = {contents.version, header.version}
    names = {header.list}
    if documents is not None:
        versions.add(documents.state.version)
        names.add(documents.name)
    if len(versions) > 1 or len(names) > 1 or (documents and documents.state != contents.documents):
        raise ListError("parts_of_other_versions")


def _open_persons(path: Path, keys: ListKeys) -> PersonIndex:
    try:
        return PersonIndex.open(path, keys)
    except StoreError as error:
        raise ListError(error.code) from error


def _agree_on_persons(database: sqlite3.Connection, header: Header, persons: PersonIndex | None) -> None:
    """Raise ListError unless all listed persons are there: in the database, or sealed beside it."""
    if persons is None:
        (plain,) = database.execute("SELECT count(*) FROM person").fetchone()
        if plain != header.persons:
            raise ListError("persons_missing")
    elif tuple(persons.state) != (header.list, header.version, header.persons):
        raise ListError("parts_of_other_versions")


def _sealed_persons(persons: PersonIndex, claim: PersonClaim, least: PersonHits) -> tuple[Hit, ...]:
    try:
        found = persons.lookup(claim, least.least)
    except StoreError as error:
        raise ListError(error.code) from error
    return tuple(
        Hit(
            kind="person",
            grade=hit.grade,
            reason=hit.reason,
            reference=hit.reference,
            certain=hit.certain,
            score=hit.score,
            why=tuple(f"{field.field}: {', '.join(field.how)}" for field in hit.fields),
        )
        for hit in found
        if least.are_reached(hit.grade, hit.score)
    )


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
