"""The standings of travellers at a gate: one file from the centre, found by keyed marks, every record sealed.

Theory. A record lies under a mark, a keyed hash of issuer and number of the document, and is sealed with
ChaCha20-Poly1305 to that mark, and to the version and the time of its file: it can be moved neither to
another document nor into a newer file, and a file cannot be made to look newer. Records are padded, so their
lengths tell nothing. Both keys come from the list key: a stolen disk shows how many travellers are known, and
nothing of them. The file is written whole beside its place and renamed into it; the gate notices that and
opens the new one.

What is older than the operator allows is no knowledge any more: a stay that was extended since, or a consent
that was withdrawn, would not show.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Meta
from msgspec.structs import replace

from gated.core.personal import Personal
from gated.core.values import Value
from gated.rules.standing import Standing
from gated.rules.standing_rows import StandingRow
from gated.store.database import StoreError, open_to_read, store_error
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import normal_issuer, normal_number
from gated.watchlist.snapshot import ListError

FORMAT: Final = 1
MARK_BYTES: Final = 16
NONCE_BYTES: Final = 12
PAD_TO: Final = 128
MAX_SEALED: Final = 2048
AHEAD_S: Final = 300.0  # the centre's clock may be so far ahead of the gate's


class Contents(Value):
    """What a file says of itself: `created` in seconds since 1970, `key` the id of its list key."""

    format: int
    version: Annotated[int, Meta(ge=0, le=2**40)]
    created: Annotated[int, Meta(ge=0, le=2**40)]
    key: str
    standings: int


class Standings:
    """The file of standings, as it is now. One thread asks."""

    def __init__(self, path: Path, keys: ListKeys, max_age_s: float) -> None:
        self._path, self._keys, self._max_age_s = path, keys, max_age_s
        self._database: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._contents: Contents | None = None

    def of(self, issuer: str, number: Personal[str], now: datetime) -> Standing | None:
        """What is known of the holder of this document; None: nothing.

        Raises StoreError: the file is missing, too old, damaged, or made under another key.
        """
        database, contents = self._opened()
        age = now.timestamp() - contents.created
        if not -AHEAD_S <= age <= self._max_age_s:
            raise StoreError("standings_stale", "bring a newer file of standings, and look at the clocks")
        key = self._key(contents)
        mark = _mark(key, issuer, number)
        try:
            row = database.execute("SELECT sealed FROM standing WHERE mark = ?", (mark,)).fetchone()
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return None if row is None else self._open_seal(contents, key, mark, row[0])

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._database is not None:
            self._database.close()
        self._database = self._file = self._contents = None

    def _opened(self) -> tuple[sqlite3.Connection, Contents]:
        try:
            found = self._path.stat()
        except OSError as error:
            self.close()
            raise StoreError("standings_missing", f"bring {self._path}, or name none") from error
        file = (found.st_dev, found.st_ino)
        if self._database is None or self._contents is None or self._file != file:
            self.close()
            database = open_to_read(self._path)
            try:
                (raw,) = database.execute("SELECT json FROM contents").fetchone() or ("",)
                self._contents = msgspec.json.decode(raw, type=Contents)
            except (sqlite3.Error, msgspec.MsgspecError, TypeError, ValueError) as error:
                database.close()
                raise self._damaged() from error
            self._database, self._file = database, file
        if self._contents.format != FORMAT:
            raise StoreError("standings_of_another_version", "make the file with this version of egate")
        return self._database, self._contents

    def _key(self, contents: Contents) -> ListKey:
        try:
            return self._keys[contents.key]
        except ListError as error:
            fix = "give this gate the list key that its standings were made under"
            raise StoreError("standings_of_another_key", fix) from error

    def _open_seal(self, contents: Contents, key: ListKey, mark: bytes, sealed: object) -> Standing:
        if not isinstance(sealed, bytes) or not NONCE_BYTES < len(sealed) <= MAX_SEALED:
            raise self._damaged()
        cipher = ChaCha20Poly1305(key.derive("standing seal"))
        try:
            plain = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(contents, mark))
            return msgspec.json.decode(plain, type=Standing)
        except (InvalidTag, msgspec.MsgspecError, UnicodeError) as error:
            raise self._damaged() from error

    def _damaged(self) -> StoreError:
        return StoreError("standings_damaged", f"keep {self._path} as evidence and bring the file again")

    def _failed(self, error: sqlite3.Error) -> StoreError:
        return StoreError("standings_damaged", store_error(self._path, error).fix)


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
            database.execute(
                "CREATE TABLE standing (mark BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID"
            )
            database.execute("BEGIN")
            database.executemany(
                "INSERT OR REPLACE INTO standing VALUES (?, ?)",
                (_sealed(row, key, cipher, contents) for row in rows),
            )
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
) -> tuple[bytes, bytes]:
    mark, nonce = _mark(key, row.issuer, row.number), secrets.token_bytes(NONCE_BYTES)
    plain = msgspec.json.encode(row.standing)
    padded = plain.ljust(-(-len(plain) // PAD_TO) * PAD_TO)
    return mark, nonce + cipher.encrypt(nonce, padded, _bound(contents, mark))


def _bound(contents: Contents, mark: bytes) -> bytes:
    """What a record is sealed to."""
    return mark + contents.version.to_bytes(8, "big") + contents.created.to_bytes(8, "big")


def _mark(key: ListKey, issuer: str, number: Personal[str]) -> bytes:
    text = f"{normal_issuer(issuer)}/{normal_number(number.reveal())}"
    return hashlib.blake2b(text.encode(), key=key.derive("standing mark"), digest_size=MARK_BYTES).digest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
