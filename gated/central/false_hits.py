"""What officers found at one gate, for all the others: collected from the journals, and published.

An officer's word that a hit is false is signed by the officer and stands in the journal of its gate. The
centre believes the officer and no gate: it publishes the words whose signature holds under a key that it was
given for that name. So a gate that was taken over can make nobody pass at others, but with an officer's key;
nor can it bring back an old word, for the last one counts. What is published names marks and officers,
neither documents nor cases.

The words found so far, and how far each journal was read, are kept in a book beside the journals, so that a
journal is read once.
"""

import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta
from sqlite_utils import Database as Book
from sqlite_utils.migrations import Migrations

from gated.central.collect import database_of
from gated.central.folder import CentralError, CentralFolder
from gated.central.kinds import Signing, kind_index, release
from gated.central.record_store import Database, DatabaseError, open_database
from gated.central.repository import Repository
from gated.core.events import FalseHitDecided
from gated.core.settings.central import OfficerSettings
from gated.core.values import Value
from gated.store.database import StoreError, open_owned, store_error
from gated.watchlist.false_hits import (
    FORMAT,
    MAX_WORDS,
    Said,
    Shared,
    Word,
    newer,
    parse_shared,
    raw_mark,
    signed_text,
)
from gated.watchlist.publication import Kind, Stage, file_path

KIND: Final[Kind] = "false_hits"
FILE: Final = "false-hits.json"
BOOK: Final = "false_hits.db"
RENEW: Final = timedelta(days=30)  # a week before its end `gate-central status` warns
AHEAD: Final = timedelta(minutes=5)  # a word from later is of a clock that is wrong, and would count too long
CHUNK: Final = 1000
OF_A_WORD: Final = '{"type":"FalseHitDecided",'  # as the journal's encoder begins one
MAX_OFFICERS_FILE: Final = 1_000_000

migrations = Migrations("false_hits_of_all_gates")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def words(db: Book) -> None:
    """Create the words, and how far each branch of a journal was read."""
    db.conn.execute(
        "CREATE TABLE word (signature TEXT PRIMARY KEY, gate TEXT NOT NULL, said_at REAL NOT NULL,"
        " event TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )
    db.conn.execute("CREATE TABLE read (branch TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID")


class _Officers(msgspec.Struct, frozen=True):
    """What is looked at of a file: the officers, as a gate's configuration has them."""

    officers: Annotated[tuple[OfficerSettings, ...], Meta(min_length=1, max_length=1000)]


class FalseHitsPublished(Value):
    """What a publication did. `unsigned` words are of no known officer, or of no time that can be; left out.

    `unchanged`: nothing was published, because the same is published already; `renewed`: it was signed for
    another term, because the one that it had was nearly over.
    """

    kind: str
    version: int
    words: int
    withdrawn: int
    unsigned: int
    unchanged: bool
    renewed: bool = False
    staged: bool = False


@dataclass(frozen=True)
class Believed:
    """Whose words count, and for how long."""

    officers: Path
    days: int


def publish_false_hits(
    folder: CentralFolder, believed: Believed, signing: Signing, database: str = ""
) -> FalseHitsPublished:
    """Read what is new in the journals, and publish what officers said.

    Raises CentralError, ListError, OSError.
    """
    folder.require()
    keys = _officers(believed.officers)
    oldest = signing.now - timedelta(days=believed.days)
    try:
        book = open_owned(folder.path / BOOK, migrations)
        try:
            _read_on(book, folder, database)
            book.execute("DELETE FROM word WHERE said_at < ?", (oldest.timestamp(),))
            found = [
                (gate, msgspec.json.decode(event, type=FalseHitDecided))
                for gate, event in book.execute("SELECT gate, event FROM word ORDER BY said_at, signature")
            ]
        finally:
            book.close()
    except sqlite3.Error as error:
        raise CentralError(str(store_error(folder.path / BOOK, error))) from error
    except (StoreError, DatabaseError) as error:
        raise CentralError(str(error)) from error
    latest = (signing.now + AHEAD).timestamp()
    good = [
        Word(
            marks=event.marks,
            gate=gate,
            officer=event.officer,
            said_at=int(event.said_at),
            withdrawn=event.withdrawn,
        )
        for gate, event in found
        if event.said_at <= latest and _is_signed(event, keys)
    ]
    counting = _counting(good)
    if len(counting) > MAX_WORDS:
        raise CentralError(f"more than {MAX_WORDS} words: let them count for fewer --days")
    before = published_words(folder)
    unchanged = before is not None and before.words == counting
    index = kind_index(folder, KIND)
    version = index.releases[-1].version if index and index.releases else 0
    if not unchanged:
        with tempfile.TemporaryDirectory(prefix=".false-hits-", dir=folder.path) as room:
            made = Path(room) / FILE
            made.write_bytes(msgspec.json.encode(Shared(format=FORMAT, words=counting)))
            version = release(folder, KIND, [(KIND, made)], [Stage()], signing).version
    return FalseHitsPublished(
        kind=KIND,
        version=version,
        words=len(counting),
        withdrawn=sum(word.withdrawn for word in counting),
        unsigned=len(found) - len(good),
        unchanged=unchanged,
        renewed=unchanged and _renew(folder, signing),
        staged=signing.stage and not unchanged,
    )


def _renew(folder: CentralFolder, signing: Signing) -> bool:
    """Sign what is published again where its term is nearly over; return whether that was so."""
    with folder.locked():
        repository = Repository(folder, signing.keys)
        left = repository.targets(KIND).expires - signing.now
        if signing.stage or left > min(RENEW, signing.lifetimes.of(KIND) / 2):
            return False
        repository.renew(KIND, signing.now, signing.lifetimes)
        return True


def published_words(folder: CentralFolder) -> Shared | None:
    """What is published now; None before the first. Raises CentralError, ListError, OSError."""
    index = kind_index(folder, KIND)
    if index is None or not index.releases:
        return None
    newest = index.releases[-1]
    repository = Repository(folder)
    target = repository.targets(KIND).targets[file_path(KIND, newest.version, newest.files[0].name)]
    return parse_shared(repository.file(target).read_bytes())


def _officers(path: Path) -> Mapping[str, Ed25519PublicKey]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_OFFICERS_FILE + 1)
        if len(raw) > MAX_OFFICERS_FILE:
            raise CentralError(f"{path}: longer than {MAX_OFFICERS_FILE} bytes: give a file of officers")
        found = msgspec.toml.decode(raw, type=_Officers).officers
        keys = {
            each.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(each.public_key)) for each in found
        }
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise CentralError(f"{path}: give [[officers]] with name and public_key, as in gate.toml") from error
    if len(keys) != len(found):
        raise CentralError(f"{path}: two officers have one name: one key each")
    return keys


def _read_on(book: sqlite3.Connection, folder: CentralFolder, database: str) -> None:
    """Enter the words of all journals into the book, from where it was read to."""
    where = database_of(folder, database)
    if not database and not Path(where).exists():
        return
    records = open_database(where, to_read=True)
    try:
        query = "SELECT id, gate, first, opened, head FROM branches ORDER BY id"
        for branch, gate, first, opened, head in records.rows(query):
            _read_branch(book, records, (branch, gate, f"{gate} {first} {opened}", head))
    finally:
        records.close()


def _read_branch(book: sqlite3.Connection, records: Database, branch: tuple[int, str, str, int]) -> None:
    number, gate, name, head = branch
    row = book.execute("SELECT seq FROM read WHERE branch = ?", (name,)).fetchone()
    seq = row[0] if row is not None else 0
    query = (
        "SELECT seq, event FROM entries WHERE branch = ? AND seq > ? AND seq <= ?"
        " AND substr(event, 1, ?) = ? ORDER BY seq LIMIT ?"
    )
    book.execute("BEGIN IMMEDIATE")
    try:
        while rows := records.rows(query, (number, seq, head, len(OF_A_WORD), OF_A_WORD, CHUNK)):
            for _, event in rows:
                _enter(book, gate, event)
            seq = rows[-1][0]
        book.execute("INSERT OR REPLACE INTO read VALUES (?, ?)", (name, head))
    except BaseException:
        book.execute("ROLLBACK")
        raise
    book.execute("COMMIT")


def _enter(book: sqlite3.Connection, gate: str, event: str) -> None:
    """Enter a word; what is none counts for nothing, as whatever has no officer's signature."""
    try:
        word = msgspec.json.decode(event, type=FalseHitDecided)
    except (msgspec.MsgspecError, RecursionError):
        return
    book.execute(
        "INSERT OR IGNORE INTO word VALUES (?, ?, ?, ?)", (word.signature, gate, word.said_at, event)
    )


def _is_signed(word: FalseHitDecided, keys: Mapping[str, Ed25519PublicKey]) -> bool:
    key = keys.get(word.officer)
    if key is None:
        return False
    text = signed_text(word.reference, word.marks, word.officer, word.said_at, withdrawn=word.withdrawn)
    try:
        key.verify(bytes.fromhex(word.signature), text)
    except InvalidSignature:
        return False
    return True


def _counting(found: list[Word]) -> tuple[Word, ...]:
    """The words that are the last about one of their marks, in their order."""
    last: dict[bytes, tuple[Said, int]] = {}
    for number, word in enumerate(found):
        said = Said(word.officer, word.said_at, int(word.withdrawn))
        for mark in map(raw_mark, word.marks):
            if mark not in last or newer(said, last[mark][0]):
                last[mark] = (said, number)
    return tuple(found[number] for number in sorted({number for _, number in last.values()}))
