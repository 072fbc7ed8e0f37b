"""What the centre holds of registrations: the gates' sealed letters, by numbers that mean nothing to others.

The collector takes letters and opens none. That a registration was deleted at its gate deletes what is held
of it here, before the centre signs for it: overwritten in the file, and the log beside it emptied. A letter
that comes late, about what is deleted already, is signed for and not kept. Only the gate that made a
registration speaks for it.

Whoever has the key opens them to find a traveller, and marks a registration as withdrawn; its gate asks
for that and deletes it.
"""

import contextlib
import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.central.folder import CentralError, CentralFolder, write
from gated.core.values import Value
from gated.store.database import StoreError, open_owned, store_error
from gated.store.registration_letters import Holding, Kind, LetterError, Linked, Registered, open_letter
from gated.store.registration_post import WISHES, LetterUp
from gated.watchlist.match import normal_issuer, normal_number

FILE: Final = "registrations.db"
KEY: Final = "registrations.pem"
MAX_PEM: Final = 4096

migrations = Migrations("registrations at the centre")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def letters_and_wishes(db: Database) -> None:
    """Create the tables."""
    db.conn.execute(
        """CREATE TABLE letter (sha256 TEXT NOT NULL, gate TEXT NOT NULL, registration TEXT NOT NULL,
        kind TEXT NOT NULL, came TEXT NOT NULL, sealed BLOB NOT NULL,
        PRIMARY KEY (gate, sha256)) STRICT, WITHOUT ROWID"""
    )
    db.conn.execute(
        """CREATE TABLE wish (gate TEXT NOT NULL, registration TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (gate, registration)) STRICT, WITHOUT ROWID"""
    )
    db.conn.execute("CREATE INDEX letters_of ON letter (gate, registration)")


class Held(Value):
    """One registration, as anybody without the key sees it. `withdrawn`: its gate has yet to delete it."""

    registration: str
    gate: str
    came: str
    letters: int
    erased: bool
    withdrawn: bool


class Holder(NamedTuple):
    """Who is registered, under which number, and the text that they agreed to. Personal data."""

    who: Holding
    registration: str
    text: str | None


class RegistrationBook:
    """The file in a central folder. Methods raise StoreError when the disk refuses."""

    def __init__(self, folder: CentralFolder) -> None:
        """Open or make it."""
        self._path = folder.path / FILE
        self._connection = open_owned(self._path, migrations)
        self._do("PRAGMA secure_delete = ON")

    def take(self, gate: str, letter: LetterUp, utc: str) -> None:
        """Keep a letter, or delete what it says is deleted; on the disk when this returns."""
        of_it = (gate, letter.registration)
        with self._transaction():
            erased = self._do(
                "SELECT 1 FROM letter WHERE gate = ? AND registration = ? AND kind = ?", *of_it, Kind.ERASED
            )
            if letter.kind is Kind.ERASED:
                self._do("DELETE FROM letter WHERE gate = ? AND registration = ?", *of_it)
                self._do("DELETE FROM wish WHERE gate = ? AND registration = ?", *of_it)
            if letter.kind is Kind.ERASED or not erased:
                sha256 = hashlib.sha256(letter.sealed).hexdigest()
                self._do(
                    "INSERT OR IGNORE INTO letter VALUES (?, ?, ?, ?, ?, ?)",
                    sha256,
                    *of_it,
                    letter.kind,
                    utc,
                    letter.sealed,
                )
        if letter.kind is Kind.ERASED and self._do("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
            raise StoreError("registrations_read", f"somebody reads {self._path}: let go of it")

    def wish(self, gate: str, registration: str, utc: str) -> bool:
        """Let the gate delete a registration; False where nothing is held under this number."""
        held = self._do(
            "SELECT 1 FROM letter WHERE gate = ? AND registration = ? AND kind <> ?",
            gate,
            registration,
            Kind.ERASED,
        )
        if held:
            self._do("INSERT OR IGNORE INTO wish VALUES (?, ?, ?)", gate, registration, utc)
        return bool(held)

    def wishes(self, gate: str) -> tuple[str, ...]:
        """What this gate is to delete, the oldest first."""
        rows = self._do("SELECT registration FROM wish WHERE gate = ? ORDER BY at LIMIT ?", gate, WISHES)
        return tuple(row[0] for row in rows)

    def held(self) -> tuple[Held, ...]:
        """Every registration, by gate and number."""
        rows = self._do(
            """SELECT registration, gate, min(came), count(*), max(kind = 'erased'),
            EXISTS (SELECT 1 FROM wish WHERE wish.gate = letter.gate
                    AND wish.registration = letter.registration)
            FROM letter GROUP BY gate, registration ORDER BY gate, registration"""
        )
        return tuple(
            Held(
                registration=row[0],
                gate=row[1],
                came=row[2],
                letters=row[3],
                erased=bool(row[4]),
                withdrawn=bool(row[5]),
            )
            for row in rows
        )

    def find(self, who: Holding, key: X25519PrivateKey) -> tuple[tuple[str, str], ...]:
        """The registrations (gate, number) of a document, or of a number for life. Opens every letter.

        Raises CentralError where a letter does not open with this key.
        """
        found: dict[tuple[str, str], None] = {}
        query = "SELECT gate, registration, kind, sealed FROM letter WHERE kind <> ?"
        for gate, registration, kind, sealed in self._do(query, Kind.ERASED):
            try:
                content = open_letter(sealed, Kind(kind), registration, gate, key)
            except LetterError as error:
                raise CentralError(f"a letter of {gate} does not open ({error.code}): use its key") from None
            if isinstance(content, Registered | Linked) and _same(content.who, who):
                found[gate, registration] = None
        return tuple(found)

    def valid(self, key: X25519PrivateKey) -> tuple[tuple[Holder, ...], tuple[str, ...]]:
        """Who is registered, each by the document that counts now; and gates with letters that do not open.

        Withdrawn is whose gate is to delete a registration, whether it has or not. Of a letter that does not
        open the whole registration is left out. Raises CentralError where none opens: that is another key.
        """
        query = """SELECT gate, registration, kind, sealed FROM letter WHERE kind <> ? AND NOT EXISTS
        (SELECT 1 FROM wish WHERE wish.gate = letter.gate AND wish.registration = letter.registration)
        ORDER BY gate, registration, came"""
        holders, unreadable = [], set[str]()
        rows = self._do(query, Kind.ERASED)
        for (gate, number), letters in groupby(rows, key=lambda row: (str(row[0]), str(row[1]))):
            try:
                opened = [open_letter(row[3], Kind(row[2]), number, gate, key) for row in letters]
            except LetterError:
                unreadable.add(gate)
                continue
            said = [each for each in opened if isinstance(each, Registered | Linked)]
            agreed = [each for each in said if isinstance(each, Registered)]
            text = max(agreed, key=_at).text if agreed else None  # a letter may be on its way still
            holders.append(Holder(max(said, key=_at).who, number, text))
        if rows and not holders:
            raise CentralError("no letter about a registration opens: use the key that gates seal for")
        return tuple(holders), tuple(sorted(unreadable))

    def close(self) -> None:
        """Leave the file. Idempotent."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._do("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._do("COMMIT")

    def _do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error


def _at(letter: Registered | Linked) -> tuple[int, bool]:
    """The order of letters about one registration, which may come in another one."""
    return (letter.linked, True) if isinstance(letter, Linked) else (letter.agreed, False)


def _same(held: Holding, asked: Holding) -> bool:
    if normal_issuer(held.issuer) != normal_issuer(asked.issuer):
        return False
    if normal_number(held.number) == normal_number(asked.number):
        return True
    told = (held.source, held.personal, held.birth)
    return bool(asked.personal) and told == (asked.source, asked.personal, asked.birth)


def make_registration_key(folder: CentralFolder) -> str:
    """Make the key that gates seal letters for, once; return its public part. Raises CentralError."""
    path = folder.keys / KEY
    if not path.exists():
        key = X25519PrivateKey.generate()
        raw = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        beside = path.with_name(f".new-{secrets.token_hex(8)}")
        write(beside, raw, 0o600)
        try:
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(beside)
        finally:
            beside.unlink()
    return registration_key(path).public_key().public_bytes_raw().hex()


def registration_key(path: Path) -> X25519PrivateKey:
    """Read the key. Raises CentralError."""
    try:
        with path.open("rb") as file:
            if path.stat().st_mode & 0o077:
                raise CentralError(f"{path}: others may read this secret: chmod 600 {path}")
            key = load_pem_private_key(file.read(MAX_PEM), password=None)
    except OSError as error:
        raise CentralError(f"{path}: cannot be read ({error.strerror}): name the key with --key") from error
    except (ValueError, TypeError):
        raise CentralError(f"{path}: no key: put the copy back that was kept") from None
    if not isinstance(key, X25519PrivateKey):
        raise CentralError(f"{path}: not an X25519 key: put the copy back that was kept")
    return key
