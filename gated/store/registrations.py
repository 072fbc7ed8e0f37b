"""`registrations.db`: who is registered at this gate, found by keyed marks, every record sealed.

Theory. A record is sealed (ChaCha20-Poly1305) under the gate's registration key and lies under a random
number. Two marks lead to it, keyed hashes: of the document, and of the number that the state gave its holder
for life, where zone or chip tell one. A stolen disk shows how many registrations there are and nothing of
them.

Deletion. What is deleted is overwritten in the file (`secure_delete`), and the log beside it is emptied, so
neither holds it any longer. Its number stays, with the hash of what was sealed: the *proof*, which the
journal and the centre have too. `search` looks for whatever could be left of a document in the bytes of the
files themselves, and asks no index. The centre signs that it has deleted what it held.

Letters to the centre wait here until it has signed for them; a letter about a registration that is deleted
before it went is not sent any more.
"""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.core.personal import Personal
from gated.core.portraits import Portrait
from gated.core.values import Value
from gated.store.database import StoreError, open_owned, store_error
from gated.store.registration_letters import (
    KINDS,
    Content,
    Erased,
    Holding,
    Kind,
    LetterError,
    LetterReceipt,
    Linked,
    Registered,
    fingerprint,
    receipt_holds,
    seal,
)
from gated.watchlist.keyed import ListKey
from gated.watchlist.match import normal_issuer, normal_number

NAME: Final = "registrations.db"
ID_BYTES: Final = 16
MARK_BYTES: Final = 16
NONCE_BYTES: Final = 12
PAD_TO: Final = 256
CHUNK: Final = 1 << 20
NOT_HELD: Final = "0" * 64  # in place of the hash of a record that was never here

migrations = Migrations("registrations")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def registrations_and_letters(db: Database) -> None:
    """Create the tables."""
    for statement in (
        "CREATE TABLE registration (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE TABLE mark (mark BLOB PRIMARY KEY, registration TEXT NOT NULL) STRICT, WITHOUT ROWID",
        """CREATE TABLE erased (id TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL,
        record TEXT NOT NULL, letter TEXT NOT NULL, receipt BLOB) STRICT, WITHOUT ROWID""",
        """CREATE TABLE letter (number INTEGER PRIMARY KEY AUTOINCREMENT, registration TEXT NOT NULL,
        kind TEXT NOT NULL, sealed BLOB NOT NULL) STRICT""",
        "CREATE INDEX marks_of ON mark (registration)",
        "CREATE INDEX letters_of ON letter (registration)",
    ):
        db.conn.execute(statement)


class Record(Value):
    """What is kept of one registration. Personal data. A `portrait` only where templates are kept."""

    who: Holding
    text: str
    agreed: int
    passage: str
    linked: int = 0
    portrait: Portrait | None = None

    def __repr__(self) -> str:
        return "Record(***)"


class Found(NamedTuple):
    """A registration; `by_person`: its holder came with a document that it does not know yet."""

    id: str
    by_person: bool
    text: str
    agreed: int
    linked: int


class Erasure(Value):
    """The proof that a registration was deleted here. `record` is the hash of what was sealed of it."""

    id: str
    at: int
    reason: str
    record: str
    receipt: LetterReceipt | None = None

    @property
    def proof(self) -> str:
        """The hash that stands for the deletion: in the journal, and in this file."""
        told = ("egate registration erased", self.id, str(self.at), self.reason, self.record, "")
        return hashlib.sha256("\n".join(told).encode()).hexdigest()


class Letter(NamedTuple):
    """What waits for the centre."""

    number: int
    registration: str
    kind: Kind
    sealed: bytes


class Registrations:
    """The registrations of one gate. For any thread; every method raises StoreError when the disk refuses."""

    def __init__(self, folder: Path, key: ListKey, gate: str, centre: X25519PublicKey) -> None:
        """Open or make the file in this folder; letters are sealed for this centre."""
        self._path = folder / NAME
        self._gate, self._centre = gate, centre
        self._cipher = ChaCha20Poly1305(key.derive("record seal"))
        self._documents = hashlib.blake2b(key=key.derive("document mark"), digest_size=MARK_BYTES)
        self._persons = hashlib.blake2b(key=key.derive("person mark"), digest_size=MARK_BYTES)
        self._lock = threading.Lock()
        self._connection = open_owned(self._path, migrations)
        try:
            self._do("PRAGMA secure_delete = ON")
            self._try_key()
            self._bytes = self._path.open("rb")
        except BaseException as error:
            self._connection.close()
            if isinstance(error, OSError):
                raise store_error(self._path, error) from error
            raise

    def find(self, who: Holding) -> Found | None:
        """The registration of this document, or else of this person: the same number and date of birth."""
        with self._lock:
            for by_person, mark in enumerate(self._marks(who)):
                row = self._one("SELECT registration FROM mark WHERE mark = ?", mark)
                if row is None:
                    continue
                record = self._record(row[0])
                if by_person and record.who.birth != who.birth:
                    return None  # one number, two persons: an officer sorts that out
                return Found(row[0], bool(by_person), record.text, record.agreed, record.linked)
            return None

    def register(
        self, who: Holding, text: str, passage: str, at: int, portrait: Personal[Portrait] | None = None
    ) -> tuple[str, str]:
        """Keep a registration; return its number, and the hash of what was sealed.

        A document that is registered already keeps its registration, with the newer consent. The template of
        a portrait stays here: no letter tells of it.
        """
        record = Record(who=who, text=text, agreed=at, passage=passage, portrait=_revealed(portrait))
        with self._lock, self._transaction():
            row = self._one("SELECT registration FROM mark WHERE mark = ?", self._marks(who)[0])
            number = secrets.token_hex(ID_BYTES) if row is None else row[0]
            sealed = self._keep(number, record)
            self._write_letter(number, Registered(who=who, text=text, agreed=at, passage=passage))
        return number, hashlib.sha256(sealed).hexdigest()

    def who(self, number: str) -> Personal[Holding]:
        """Whose registration it is. Raises StoreError(registration_unknown)."""
        with self._lock:
            return Personal(self._record(number).who)

    def portrait(self, number: str) -> Personal[Portrait] | None:
        """The template that is kept with it, if any is. Raises StoreError(registration_unknown)."""
        with self._lock:
            kept = self._record(number).portrait
        return None if kept is None else Personal(kept)

    def link(
        self, number: str, who: Holding, by: str, at: int, portrait: Personal[Portrait] | None = None
    ) -> str:
        """Let the registration be found by this document, and by the old one no more.

        Of the new one's portrait the template is kept, where there is one, and none of the old one's then.
        Returns the hash of what was sealed. Raises StoreError(registration_unknown).
        """
        with self._lock, self._transaction():
            record = self._record(number)
            kept = record.portrait if portrait is None else portrait.reveal()
            moved = msgspec.structs.replace(record, who=who, linked=record.linked + 1, portrait=kept)
            self._do("DELETE FROM mark WHERE registration = ?", number)
            sealed = self._keep(number, moved)
            self._write_letter(number, Linked(who=who, by=by, linked=at))
        return hashlib.sha256(sealed).hexdigest()

    def erase(self, number: str, reason: str, at: int) -> Erasure:
        """Delete a registration for good; the proof stays. Raises StoreError(registration_unknown)."""
        with self._lock:
            with self._transaction():
                sealed = self._sealed(number)
                record = hashlib.sha256(sealed).hexdigest()
                self._do("DELETE FROM registration WHERE id = ?", number)
                self._do("DELETE FROM mark WHERE registration = ?", number)
                self._do("DELETE FROM letter WHERE registration = ?", number)
                content = Erased(erased=at, reason=reason, record=record)
                letter = self._write_letter(number, content)
                self._do(
                    "INSERT INTO erased VALUES (?, ?, ?, ?, ?, NULL)", number, at, reason, record, letter
                )
            self._empty_log()
        return Erasure(id=number, at=at, reason=reason, record=record)

    def disclaim(self, number: str, at: int) -> None:
        """Tell the centre that nothing is held under this number, if that is not on its way already."""
        with self._lock, self._transaction():
            if self._one("SELECT 1 FROM letter WHERE registration = ?", number) is None:
                row = self._one("SELECT record FROM erased WHERE id = ?", number)
                record = NOT_HELD if row is None else row[0]
                self._write_letter(number, Erased(erased=at, reason="not_held", record=record))

    def erasure(self, number: str) -> Erasure | None:
        """The proof that this registration was deleted, with the centre's receipt once it has come."""
        with self._lock:
            row = self._one("SELECT at, reason, record, receipt FROM erased WHERE id = ?", number)
        if row is None:
            return None
        receipt = None if row[3] is None else msgspec.msgpack.decode(row[3], type=LetterReceipt)
        return Erasure(id=number, at=row[0], reason=row[1], record=row[2], receipt=receipt)

    def search(self, who: Holding) -> int:
        """How often a mark of this holder stands in the bytes of the files on the disk, indexes or not."""
        marks = self._marks(who)
        with self._lock:
            self._empty_log()
        beside = (self._path.with_name(NAME + end) for end in ("-wal", "-journal"))
        try:  # travellers are not kept waiting for it
            found = _count(self._bytes, marks)
            for path in beside:
                if path.exists():
                    with path.open("rb") as file:
                        found += _count(file, marks)
        except OSError as error:
            raise store_error(self._path, error) from error
        return found

    @property
    def count(self) -> int:
        """How many registrations there are."""
        with self._lock:
            return int(self._do("SELECT count(*) FROM registration")[0][0])

    # --- letters ------------------------------------------------------------------------------------------

    def letters(self, most: int) -> tuple[Letter, ...]:
        """What waits for the centre, the oldest first."""
        with self._lock:
            rows = self._do(
                "SELECT number, registration, kind, sealed FROM letter ORDER BY number LIMIT ?", most
            )
        return tuple(Letter(row[0], row[1], Kind(row[2]), row[3]) for row in rows)

    def acknowledge(self, receipt: LetterReceipt, key: Ed25519PublicKey) -> bool:
        """The centre has signed for a letter: it is sent no more. False where the word does not hold."""
        if not receipt_holds(key, receipt, self._gate):
            return False
        with self._lock, self._transaction():
            rows = self._do("SELECT number, sealed FROM letter WHERE registration = ?", receipt.registration)
            for number, sealed in rows:
                if fingerprint(sealed) == receipt.sha256:
                    self._do("DELETE FROM letter WHERE number = ?", number)
            raw = msgspec.msgpack.encode(receipt)
            self._do(
                "UPDATE erased SET receipt = ? WHERE id = ? AND letter = ?",
                raw,
                receipt.registration,
                receipt.sha256,
            )
        return True

    def close(self) -> None:
        """Leave the file. Idempotent."""
        with self._lock:
            self._connection.close()
            self._bytes.close()  # not before: to close a file takes SQLite's locks on it away (POSIX)

    def _try_key(self) -> None:
        """Refuse a file that was made under another key: nothing in it would ever be found."""
        rows = self._do("SELECT id FROM registration LIMIT 1")
        if rows:
            self._record(rows[0][0])

    def _marks(self, who: Holding) -> tuple[bytes, ...]:
        """The mark of the document, and that of the person where a number for life is told."""
        issuer = normal_issuer(who.issuer)
        told = [(self._documents, f"{issuer}/{normal_number(who.number)}")]
        if who.personal:
            source = "" if who.source == "zone" else f"{who.source}/"
            told.append((self._persons, f"{issuer}/{source}{who.personal}"))
        marks = []
        for keyed, text in told:
            hashing = keyed.copy()
            hashing.update(text.encode())
            marks.append(hashing.digest())
        return tuple(marks)

    def _keep(self, number: str, record: Record) -> bytes:
        plain = msgspec.msgpack.encode(record)
        padded = len(plain).to_bytes(2, "big") + plain
        padded = padded.ljust(-(-len(padded) // PAD_TO) * PAD_TO, b"\0")
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, padded, number.encode())
        self._do("INSERT OR REPLACE INTO registration VALUES (?, ?)", number, sealed)
        document, *person = self._marks(record.who)
        self._do("INSERT OR REPLACE INTO mark VALUES (?, ?)", document, number)
        for mark in person:  # whoever has it already keeps it: one number, two persons
            self._do("INSERT OR IGNORE INTO mark VALUES (?, ?)", mark, number)
        return sealed

    def _sealed(self, number: str) -> bytes:
        row = self._one("SELECT sealed FROM registration WHERE id = ?", number)
        if row is None:
            raise StoreError("registration_unknown", "nothing is registered under this number here")
        return bytes(row[0])

    def _record(self, number: str) -> Record:
        sealed = self._sealed(number)
        try:
            padded = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], number.encode())
            size = int.from_bytes(padded[:2], "big")
            return msgspec.msgpack.decode(padded[2 : 2 + size], type=Record)
        except (InvalidTag, ValueError):
            fix = f"give this gate the registration key that {self._path} was made under"
            raise StoreError("registrations_of_another_key", fix) from None

    def _write_letter(self, number: str, content: Content) -> str:
        try:
            sealed = seal(content, number, self._gate, self._centre)
        except LetterError as error:
            raise StoreError(error.code, "correct [registration] centre_key") from error
        kind = KINDS[type(content)]
        self._do("INSERT INTO letter (registration, kind, sealed) VALUES (?, ?, ?)", number, kind, sealed)
        return fingerprint(sealed)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._do("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._do("COMMIT")

    def _empty_log(self) -> None:
        """Bring everything into the file and cut its log; an investigator's reader may have to let go."""
        busy = self._do("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
        if busy:
            raise StoreError("registrations_read", f"somebody reads {self._path}: let go of it, and repeat")

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return next(iter(self._do(statement, *values)), None)

    def _do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error


def _revealed(portrait: Personal[Portrait] | None) -> Portrait | None:
    return None if portrait is None else portrait.reveal()


def _count(file: BinaryIO, marks: tuple[bytes, ...]) -> int:
    """How often one of these stands in a file, read in pieces that overlap."""
    found, kept, at = 0, b"", 0
    while piece := os.pread(file.fileno(), CHUNK, at):
        at += len(piece)
        whole = kept + piece
        found += sum(whole.count(mark) for mark in marks)
        kept = whole[1 - MARK_BYTES :]
    return found
