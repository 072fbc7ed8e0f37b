"""`persons.db`: the listed persons, sealed one by one, found by keyed codes.

A record is sealed with AES-256-GCM under a sub-key of the list key; what it is found by are keyed hashes of
the codes of `gated.watchlist.names.blocking`. So a stolen disk shows how many persons are listed, and which
of them have a code in common, but neither who nor what. Plain names are in memory for the candidates of
one lookup, and let go of after it.

An index is built in a file beside the one in force and never in it; building sorts the codes in parts, so
that memory stays bounded whatever the length of the list. Changes are strict: who goes must be there, who
comes must not. The tally of the list (`gated.watchlist.snapshot`) says whether it is the published one.
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gated.core.personal import MASK
from gated.core.policy import USUAL_HITS
from gated.core.values import Value
from gated.core.vocabulary import Grade
from gated.store.database import StoreError, store_error
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import PersonClaim
from gated.watchlist.names.birth import UNKNOWN, Agreement, Birth, birth_of, compare_births
from gated.watchlist.names.blocking import listed_codes, sought_codes
from gated.watchlist.names.comparison import SLIP_REACHES, Field, Person, compare
from gated.watchlist.names.memory import forget
from gated.watchlist.names.quick import MEANT, Glance
from gated.watchlist.names.words import fills_its_field, zone_name
from gated.watchlist.snapshot import ListError, PersonEntry, encode_entry

APPLICATION_ID: Final = 0x65475031  # "eGP1"
LISTED: Final = USUAL_HITS.least
"""The score from which a listed person is a hit, where the policy says nothing else."""
BATCH: Final = 2000  # persons between two signs of life: some 0.2 s
SHARES: Final = 32  # parts that the codes are sorted in
NONCE: Final = 12
CACHE_KIB: Final = 65_536  # of a build
READ_CACHE_KIB: Final = 16_384

_TABLES = (
    """CREATE TABLE list (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        key_id TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        persons INTEGER NOT NULL
    ) STRICT""",
    "CREATE TABLE person (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT",
    "CREATE TABLE block (code INTEGER, person INTEGER, PRIMARY KEY (code, person)) STRICT, WITHOUT ROWID",
)


class _Opened(Value, tag_field="entry", tag="p", array_like=True):
    """A PersonEntry that was unsealed: its form was checked before it was sealed, and need not be again."""

    surname: str
    given: str
    birth: str
    nationality: str
    grade: Grade
    reason: str
    reference: str

    def __repr__(self) -> str:
        return MASK


_opened = msgspec.json.Decoder(_Opened)


class PersonHit(Value):
    """A listed person whom a traveller may be. Codes and numbers only; `fields` says why, field by field."""

    grade: Grade
    reason: str
    reference: str
    score: float
    certain: bool
    fields: tuple[Field, ...]


class _Seal:
    """The keyed side: sealing records, marking them, hashing codes."""

    def __init__(self, key: ListKey) -> None:
        self._aead = AESGCM(key.derive("person seal"))
        self._marks = hashlib.blake2b(key=key.derive("person mark"), digest_size=8)
        self._codes = hashlib.blake2b(key=key.derive("person code"), digest_size=8)

    def close(self, person: int, line: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._aead.encrypt(nonce, line, person.to_bytes(8, "big"))

    def open(self, person: int, sealed: bytes) -> _Opened:
        """Raises StoreError where it was altered, or sealed under another key."""
        try:
            line = self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], person.to_bytes(8, "big"))
            return _opened.decode(line)
        except (InvalidTag, ValueError) as error:
            raise StoreError("sealed_otherwise", "persons.db was altered: build it again") from error

    def mark(self, line: bytes) -> int:
        return _hashed(self._marks, line)

    def codes(self, codes: Iterable[str]) -> list[int]:
        return [_hashed(self._codes, code.encode()) for code in codes]


def _hashed(keyed: "hashlib.blake2b", text: bytes) -> int:
    hashing = keyed.copy()
    hashing.update(text)
    return int.from_bytes(hashing.digest(), "big", signed=True)


class IndexState(NamedTuple):
    """Which list and version an index is of, and how many persons that has."""

    name: str
    version: int
    persons: int


def build_persons(
    target: Path,
    key: ListKey,
    entries: Iterable[PersonEntry],
    alive: Callable[[], None] = lambda: None,
    *,
    name: str = "main",
    version: int = 1,
) -> int:
    """Build the index of these persons of a list, on disk when it returns; how many they are.

    Raises ListError for one that comes twice; StoreError.
    """
    sorting = target.with_name(f"{target.name}.sorting")
    for leftover in (target, sorting):
        leftover.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as database:
            database.execute("ATTACH ? AS sorting", (str(sorting),))
            count = _build(database, _Seal(key), iter(entries), alive)
            database.execute("INSERT INTO list VALUES (1, ?, ?, ?, ?)", (key.id, name, version, count))
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise store_error(target, error) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        sorting.unlink(missing_ok=True)
        forget()
    return count


def _build(
    database: sqlite3.Connection,
    seal: _Seal,
    entries: Iterator[PersonEntry],
    alive: Callable[[], None],
) -> int:
    for pragma in (
        "journal_mode = OFF",
        "synchronous = OFF",
        "sorting.journal_mode = OFF",
        "sorting.synchronous = OFF",
    ):
        database.execute(f"PRAGMA {pragma}")
    database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for table in _TABLES:
        database.execute(table)
    for share in range(SHARES):
        database.execute(f"CREATE TABLE sorting.share{share} (code INTEGER, person INTEGER)")
    database.execute("BEGIN")
    count = 0
    while batch := list(islice(entries, BATCH)):
        _add_batch(database, seal, count, batch)
        count += len(batch)
        alive()
    for share in range(SHARES):
        database.execute(f"INSERT OR IGNORE INTO block SELECT code, person FROM share{share} ORDER BY 1, 2")  # noqa: S608 - a number
        alive()
    try:
        database.execute("CREATE UNIQUE INDEX marked ON person (mark)")
    except sqlite3.IntegrityError as error:
        raise ListError("twice_under_one_form", 1) from error
    database.execute("COMMIT")
    return count


def _add_batch(database: sqlite3.Connection, seal: _Seal, start: int, batch: list[PersonEntry]) -> None:
    persons: list[tuple[int, int, bytes]] = []
    shares: list[list[tuple[int, int]]] = [[] for _ in range(SHARES)]
    for number, entry in enumerate(batch, start=start + 1):
        line = encode_entry(entry)
        persons.append((number, seal.mark(line), seal.close(number, line)))
        for code in seal.codes(_codes_of(entry)):
            shares[(code >> 59) + SHARES // 2].append((code, number))
    database.executemany("INSERT INTO person VALUES (?, ?, ?)", persons)
    for share, rows in enumerate(shares):
        database.executemany(f"INSERT INTO share{share} VALUES (?, ?)", rows)  # noqa: S608 - a number


def _codes_of(entry: PersonEntry) -> frozenset[str]:
    person = listed_person(entry)
    return listed_codes(person.name, person.birth)


def listed_person(entry: PersonEntry | _Opened) -> Person:
    """A listed person as the comparison takes one."""
    return Person(zone_name(entry.surname, entry.given), _listed_birth(entry), entry.nationality)


def _listed_birth(entry: PersonEntry | _Opened) -> Birth:
    """The birth date of an entry, which is of one form: the quick way to read it."""
    return Birth(*(int(part) if part.isdigit() else None for part in entry.birth.split("-")))


def claimed_person(claim: PersonClaim) -> Person:
    """A traveller as the comparison takes one. What is no date is an unknown one: no way past the list."""
    birth = birth_of(claim.birth.reveal()) or UNKNOWN
    name = zone_name(claim.surname.reveal(), claim.given.reveal(), may_be_cut=claim.may_be_cut)
    return Person(name, birth, claim.nationality)


def _key_id(path: Path, database: sqlite3.Connection) -> str:
    """Which key an index was made under. Raises StoreError where it is none, or not finished."""
    try:
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute(f"PRAGMA cache_size = -{READ_CACHE_KIB}")
        ours = database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        row = database.execute("SELECT key_id FROM list").fetchone() if ours else None
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    if row is None:
        raise StoreError("not_ours", f"{path} is no finished index of persons: check the path")
    return str(row[0])


class PersonIndex:
    """The index that is in force. One thread at a time. Make it with `open`."""

    def __init__(self, path: Path, database: sqlite3.Connection, seal: _Seal, key_id: str) -> None:
        self.key_id = key_id
        self._path = path
        self._database = database
        self._seal = seal

    @classmethod
    def open(cls, path: Path, keys: ListKeys, *, to_change: bool = False) -> Self:
        """Open an index that was made under one of these keys.

        Raises StoreError, and ListError(unknown_key).
        """
        try:
            name = f"{path.absolute().as_uri()}?mode={'rw' if to_change else 'ro'}"
            database = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise store_error(path, error) from error
        try:
            key = keys[_key_id(path, database)]
            return cls(path, database, _Seal(key), key.id)
        except BaseException:
            database.close()
            raise

    @property
    def count(self) -> int:
        """How many persons are in it now, counted."""
        (count,) = self._database.execute("SELECT count(*) FROM person").fetchone()
        return int(count)

    @property
    def state(self) -> IndexState:
        """Which list it is of. Raises StoreError."""
        try:
            return IndexState(*self._database.execute("SELECT name, version, persons FROM list").fetchone())
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error

    @contextlib.contextmanager
    def changing(self, alive: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Many changes as one, on disk and checked when the block ends well. Raises StoreError."""
        try:
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute("BEGIN")
            yield
            alive()
            self._database.execute("UPDATE list SET persons = (SELECT count(*) FROM person)")
            self._database.execute("COMMIT")
            sound = self._database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        finally:
            forget()
        if not sound:
            raise StoreError("damaged", f"{self._path} was damaged while it was changed: check the disk")

    def become(self, version: int) -> None:
        """Be of this version from now on. Raises StoreError."""
        try:
            self._database.execute("UPDATE list SET version = ?", (version,))
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error

    def copy_to(self, target: Path, alive: Callable[[], None] = lambda: None) -> None:
        """Copy the whole into another file, page by page; lookups go on. Raises StoreError."""
        target.unlink(missing_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
                copy.execute("PRAGMA journal_mode = OFF")
                copy.execute("PRAGMA synchronous = OFF")
                self._database.backup(copy, pages=2000, progress=lambda *_: alive())
        except sqlite3.Error as error:
            raise store_error(target, error) from error

    def lookup(self, claim: PersonClaim, least: float = LISTED) -> tuple[PersonHit, ...]:
        """All listed persons with a score of at least `least`, the likeliest first. Raises StoreError."""
        try:
            return self._lookup(claimed_person(claim), least)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        finally:
            forget()

    def _lookup(self, sought: Person, least: float) -> tuple[PersonHit, ...]:
        glance = Glance(sought.name.spelled(), may_be_cut=sought.name.may_be_cut)
        hits = []
        for entry in self._candidates(sought, slips=least <= SLIP_REACHES):
            if least >= MEANT and not _worth_comparing(sought.birth, glance, entry):
                continue
            found = compare(sought, listed_person(entry))
            if found.score >= least:
                hits.append(
                    PersonHit(
                        grade=entry.grade,
                        reason=entry.reason,
                        reference=entry.reference,
                        score=found.score,
                        certain=found.certain,
                        fields=found.fields,
                    )
                )
        return tuple(sorted(hits, key=lambda hit: -hit.score))

    def _candidates(self, sought: Person, *, slips: bool) -> Iterator[_Opened]:
        codes = self._seal.codes(sought_codes(sought.name, sought.birth, slips=slips))
        sharing = f"SELECT person FROM block WHERE code IN ({','.join('?' * len(codes))})"  # noqa: S608 - marks
        rows = self._database.execute(f"SELECT id, sealed FROM person WHERE id IN ({sharing})", codes)  # noqa: S608
        for number, sealed in rows:
            yield self._seal.open(number, sealed)

    def add(self, entry: PersonEntry) -> None:
        """Add a person. Raises ListError(does_not_fit) for one who is there, StoreError."""
        line = encode_entry(entry)
        try:
            with self._changing():
                number = self._database.execute(
                    "INSERT INTO person VALUES (NULL, ?, x'') RETURNING id", (self._seal.mark(line),)
                ).fetchone()[0]
                sealed = self._seal.close(number, line)
                self._database.execute("UPDATE person SET sealed = ? WHERE id = ?", (sealed, number))
                rows = ((code, number) for code in set(self._seal.codes(_codes_of(entry))))
                self._database.executemany("INSERT INTO block VALUES (?, ?)", rows)
        except sqlite3.IntegrityError as error:
            raise ListError("does_not_fit", 1) from error
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error

    def drop(self, entry: PersonEntry) -> None:
        """Drop a person. Raises ListError(does_not_fit) for one who is not there, StoreError."""
        mark = self._seal.mark(encode_entry(entry))
        try:
            with self._changing():
                row = self._database.execute(
                    "DELETE FROM person WHERE mark = ? RETURNING id", (mark,)
                ).fetchone()
                if row is None:
                    raise ListError("does_not_fit", 1)
                rows = ((code, row[0]) for code in self._seal.codes(_codes_of(entry)))
                self._database.executemany("DELETE FROM block WHERE code = ? AND person = ?", rows)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """A savepoint: all of a change or nothing, inside a transaction of the caller's or alone."""
        self._database.execute("SAVEPOINT change")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK TO change")
            raise
        finally:
            self._database.execute("RELEASE change")

    def close(self) -> None:
        """Leave the index. Idempotent."""
        self._database.close()


def _worth_comparing(birth: Birth, glance: Glance, entry: _Opened) -> bool:
    """Whether a candidate can score at all: neither another's birth date nor another's name alone."""
    if compare_births(birth, _listed_birth(entry)) is Agreement.DIFFERENT:
        return False
    words = (*entry.surname.split(), *entry.given.split())
    cut = fills_its_field(f"{entry.surname}<<{entry.given}" if entry.given else entry.surname)
    return glance.may_be(words, may_be_cut=cut)
