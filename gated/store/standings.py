"""The standings of travellers at a gate: one file from the centre, found by keyed marks, every record sealed.

Theory. The file is what the centre has published last, or one that is brought by hand. A record lies under a
mark, a keyed hash of issuer and number of the document, and is sealed with ChaCha20-Poly1305 to that mark,
and to the version and the time of its file: it can be moved neither to another document nor into a newer
file, and a file cannot be made to look newer. Records are padded, so their lengths tell nothing. Both keys
come from the list key: a stolen disk shows how many travellers are known, and nothing of them. Registrations
lie under a second mark, of the number for life with the birth date, where a zone tells one; where a chip
does, under one of a third kind, and the record says by which registration a gate may answer its question. A
file is written whole beside its place and renamed into it; the gate notices that and opens the new one.

What is older than the operator allows is no knowledge any more: a stay that was extended since, or a consent
that was withdrawn, would not show.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Meta
from msgspec.structs import replace

from gated.core.personal import Personal
from gated.core.values import Value
from gated.rules.standing import Standing
from gated.rules.standing_rows import Agreed, Lifelong, StandingRow
from gated.store.database import StoreError, open_to_read, store_error
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import normal_issuer, normal_number
from gated.watchlist.snapshot import ListError

FORMAT: Final = 2
MARK_BYTES: Final = 16
NONCE_BYTES: Final = 12
PAD_TO: Final = 128
MAX_SEALED: Final = 2048
AHEAD_S: Final = 300.0  # the centre's clock may be so far ahead of the gate's
TABLES: Final = ("standing", "person")
BY_CHIP: Final = "chip"  # not in files of earlier versions, which do not look for it either

_standings: Final = msgspec.json.Decoder(Standing)
_agreed: Final[msgspec.json.Decoder[Agreed | None]] = msgspec.json.Decoder(Agreed | None)
K = TypeVar("K")


class Contents(Value):
    """What a file says of itself: `created` in seconds since 1970, `key` the id of its list key.

    `standings` counts the documents.
    """

    format: int
    version: Annotated[int, Meta(ge=0, le=2**40)]
    created: Annotated[int, Meta(ge=0, le=2**40)]
    key: str
    standings: int


def _nothing() -> Path | None:
    return None


class Standings:
    """The file of standings, as it is now. One thread asks."""

    def __init__(
        self,
        path: Path | None,
        keys: ListKeys,
        max_age_s: float,
        published: Callable[[], Path | None] = _nothing,
    ) -> None:
        """`published` tells the file that the centre published, which stands in place of `path`, if any."""
        self._path, self._keys, self._max_age_s = path, keys, max_age_s
        self._published = published
        self._database: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._contents: Contents | None = None

    def of(
        self, issuer: str, number: Personal[str], now: datetime, person: Personal[Lifelong] | None = None
    ) -> Standing | None:
        """What is known of the holder of this document, or else of this person; None: nothing.

        Raises StoreError: the file is missing, too old, damaged, or made under another key.
        """
        if (path := self._in_force()) is None:
            return None
        database, contents, key = self._current(path, now)
        marks = [_mark(key, issuer, number)]
        if person is not None:
            marks.append(_person_mark(key, issuer, person))
        for table, mark in zip(TABLES, marks, strict=False):
            if (found := _found(path, database, contents, key, table, mark, _standings)) is not None:
                return found
        return None

    def agreed(self, issuer: str, person: Personal[Lifelong], now: datetime) -> Agreed | None:
        """What the holder of a number that a chip told has agreed to, at whatever gate; None: nothing.

        Raises StoreError as `of` does.
        """
        if (path := self._in_force()) is None:
            return None
        database, contents, key = self._current(path, now)
        if not _has_chips(path, database):
            return None
        return _found(path, database, contents, key, BY_CHIP, _chip_mark(key, issuer, person), _agreed)

    def _current(self, path: Path, now: datetime) -> tuple[sqlite3.Connection, Contents, ListKey]:
        """The file as it is now, if it is new enough to be believed, and the key to it. Raises StoreError."""
        try:
            database, contents = self._opened(path)
        except StoreError:
            newer = self._in_force()  # one was published, and took its place this very moment
            if newer is None or newer == path:
                raise
            database, contents = self._opened(newer)
        age = now.timestamp() - contents.created
        if not -AHEAD_S <= age <= self._max_age_s:
            raise StoreError("standings_stale", "bring a newer file of standings, and look at the clocks")
        return database, contents, self._key(contents)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._database is not None:
            self._database.close()
        self._database = self._file = self._contents = None

    def _in_force(self) -> Path | None:
        return self._published() or self._path

    def _opened(self, path: Path) -> tuple[sqlite3.Connection, Contents]:
        try:
            found = path.stat()
        except OSError as error:
            self.close()
            raise StoreError("standings_missing", f"bring {path}, or name none") from error
        file = (found.st_dev, found.st_ino)
        if self._database is None or self._contents is None or self._file != file:
            self.close()
            database = open_to_read(path)
            try:
                self._contents = _contents(path, database)
            except StoreError:
                database.close()
                raise
            self._database, self._file = database, file
        return self._database, self._contents

    def _key(self, contents: Contents) -> ListKey:
        try:
            return self._keys[contents.key]
        except ListError as error:
            fix = "give this gate the list key that its standings were made under"
            raise StoreError("standings_of_another_key", fix) from error


class _NoRecordError(Exception):
    """What stands there was not sealed under this key for this place."""


def read_contents(path: Path) -> Contents:
    """What a file of standings says of itself. Raises StoreError for what is none."""
    with closing(open_to_read(path)) as database:
        return _contents(path, database)


def differ(one: Path, other: Path, key: ListKey) -> bool:
    """Whether two files tell different things, or are not both made under this key. Raises StoreError."""
    with closing(open_to_read(one)) as first, closing(open_to_read(other)) as second:
        files = ((one, first, _contents(one, first)), (other, second, _contents(other, second)))
        if any(contents.key != key.id for _, _, contents in files):
            return True
        if files[0][2].standings != files[1][2].standings:
            return True
        return any(a != b for a, b in zip_longest(*(_records(*file, key) for file in files)))


def _found(
    path: Path,
    database: sqlite3.Connection,
    contents: Contents,
    key: ListKey,
    table: str,
    mark: bytes,
    decoder: msgspec.json.Decoder[K],
) -> K | None:
    """What lies under a mark; None: nothing. Raises StoreError."""
    try:
        row = database.execute(f"SELECT sealed FROM {table} WHERE mark = ?", (mark,)).fetchone()  # noqa: S608
        return None if row is None else decoder.decode(_plain(contents, key, mark, row[0]))
    except sqlite3.Error as error:
        raise StoreError("standings_damaged", store_error(path, error).fix) from error
    except (_NoRecordError, msgspec.MsgspecError, UnicodeError) as error:
        raise _damaged(path) from error


def _has_chips(path: Path, database: sqlite3.Connection) -> bool:
    """Whether the file tells of numbers in chips. Raises StoreError."""
    try:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return database.execute(query, (BY_CHIP,)).fetchone() is not None
    except sqlite3.Error as error:
        raise StoreError("standings_damaged", store_error(path, error).fix) from error


def _records(
    path: Path, database: sqlite3.Connection, contents: Contents, key: ListKey
) -> Iterator[tuple[bytes, bytes]]:
    """Every mark with what is sealed for it, in the order of the marks."""
    tables = (*TABLES, BY_CHIP) if _has_chips(path, database) else TABLES
    try:
        for table in tables:
            for mark, sealed in database.execute(f"SELECT mark, sealed FROM {table} ORDER BY mark"):  # noqa: S608
                yield mark, _plain(contents, key, mark, sealed)
    except (_NoRecordError, sqlite3.Error) as error:
        raise _damaged(path) from error


def _contents(path: Path, database: sqlite3.Connection) -> Contents:
    try:
        (raw,) = database.execute("SELECT json FROM contents").fetchone() or ("",)
        contents = msgspec.json.decode(raw, type=Contents)
    except (sqlite3.Error, msgspec.MsgspecError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    if contents.format != FORMAT:
        raise StoreError("standings_of_another_version", "make the file with this version of egate")
    return contents


def _plain(contents: Contents, key: ListKey, mark: bytes, sealed: object) -> bytes:
    """What was sealed for this mark in this file. Raises _NoRecordError."""
    if not isinstance(sealed, bytes) or not NONCE_BYTES < len(sealed) <= MAX_SEALED:
        raise _NoRecordError
    cipher = ChaCha20Poly1305(key.derive("standing seal"))
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(contents, mark))
    except InvalidTag as error:
        raise _NoRecordError from error


def _damaged(path: Path) -> StoreError:
    return StoreError("standings_damaged", f"keep {path} as evidence and bring the file again")


def build(rows: Iterable[StandingRow], path: Path, key: ListKey, version: int, now: datetime) -> Contents:
    """Make a file of standings and put it in place at once; of two rows for one document the later counts.

    Raises StoreError.
    """
    beside = path.with_name(f"{path.name}.new")
    cipher = ChaCha20Poly1305(key.derive("standing seal"))
    contents = Contents(format=FORMAT, version=version, created=int(now.timestamp()), key=key.id, standings=0)
    try:
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640), "wb"):  # noqa: PTH123  # the descriptor carries the mode
            pass
        database = sqlite3.connect(beside, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode = OFF")  # a file that is not whole is never renamed
            database.execute("CREATE TABLE contents (json TEXT NOT NULL) STRICT")
            for table in (*TABLES, BY_CHIP):
                columns = "(mark BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID"
                database.execute(f"CREATE TABLE {table} {columns}")
            database.execute("BEGIN")
            for row in rows:
                for table, *record in _sealed(row, key, cipher, contents):
                    database.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", record)  # noqa: S608
            (count,) = database.execute("SELECT count(*) FROM standing").fetchone()
            contents = replace(contents, standings=count)
            text = msgspec.json.encode(contents).decode()
            database.execute("INSERT INTO contents VALUES (?)", (text,))
            database.execute("COMMIT")
        finally:
            database.close()
        _flush(beside)
        beside.replace(path)
        _flush(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise store_error(path, error) from error
    finally:
        beside.unlink(missing_ok=True)
    return contents


def _sealed(
    row: StandingRow, key: ListKey, cipher: ChaCha20Poly1305, contents: Contents
) -> Iterator[tuple[str, bytes, bytes]]:
    """The records of a row, each with its table and its mark."""
    told: list[tuple[str, bytes, Standing | Agreed | None]] = [
        (TABLES[0], _mark(key, row.issuer, row.number), row.standing)
    ]
    if row.person is not None:
        known = Standing(registered=row.standing.registered, consent=row.standing.consent)
        told.append((TABLES[1], _person_mark(key, row.issuer, row.person), known))
    if row.by_chip is not None:
        who, agreed = row.by_chip.reveal()
        told.append((BY_CHIP, _chip_mark(key, row.issuer, Personal(who)), agreed))
    for table, mark, said in told:
        nonce, plain = secrets.token_bytes(NONCE_BYTES), msgspec.json.encode(said)
        padded = plain.ljust(-(-len(plain) // PAD_TO) * PAD_TO)
        yield table, mark, nonce + cipher.encrypt(nonce, padded, _bound(contents, mark))


def _bound(contents: Contents, mark: bytes) -> bytes:
    """What a record is sealed to."""
    return mark + contents.version.to_bytes(8, "big") + contents.created.to_bytes(8, "big")


def _mark(key: ListKey, issuer: str, number: Personal[str]) -> bytes:
    text = f"{normal_issuer(issuer)}/{normal_number(number.reveal())}"
    return hashlib.blake2b(text.encode(), key=key.derive("standing mark"), digest_size=MARK_BYTES).digest()


def _person_mark(
    key: ListKey, issuer: str, person: Personal[Lifelong], purpose: str = "standing person"
) -> bytes:
    known = person.reveal()
    text = f"{normal_issuer(issuer)}/{known.number}/{known.birth}"
    return hashlib.blake2b(text.encode(), key=key.derive(purpose), digest_size=MARK_BYTES).digest()


def _chip_mark(key: ListKey, issuer: str, person: Personal[Lifelong]) -> bytes:
    """Under a key of its own: the number of a chip is never taken for that of a zone."""
    return _person_mark(key, issuer, person, "standing by chip")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
