"""The journal: every event and what followed from it, append-only and chained by hashes.

An entry's hash covers the one before it, so no entry can be changed, taken out or put in without breaking
the chain from there on. That the end was not cut off can be told only by a head (number and hash) that was
kept elsewhere; `head` gives it. An event and its effects are committed together, with fsync, before
anything is done but what makes people safe: why a door was released is therefore always in the journal.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gated.core.effects import AnyEffect, EndPassage
from gated.core.events import AnyEvent, ModeChanged
from gated.core.gate import State
from gated.core.values import Value
from gated.core.vocabulary import Mode
from gated.store.database import StoreError, open_owned, store_error

GENESIS = bytes(32)
MAX_BODY = 64 * 1024  # an event or its effects; the longest real ones are below 8 KiB

# As the encoder begins a ModeChanged; the index of them holds for just this condition.
OF_A_MODE = """substr(event, 1, 22) = '{"type":"ModeChanged",'"""

migrations = Migrations("journal")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def entries_and_passages(db: Database) -> None:
    """Create the chained entries, and the index of passages over them."""
    for statement in (
        """CREATE TABLE entries (
            seq INTEGER PRIMARY KEY,
            utc TEXT NOT NULL,
            event TEXT NOT NULL,
            outcome TEXT NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT""",
        """CREATE TABLE passages (
            id TEXT PRIMARY KEY,
            began INTEGER NOT NULL REFERENCES entries (seq),
            ended INTEGER REFERENCES entries (seq),
            outcome TEXT
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX passages_open ON passages (began) WHERE ended IS NULL",
        """CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
            BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END""",
        """CREATE TRIGGER entries_remain BEFORE DELETE ON entries
            BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END""",
    ):
        db.execute(statement)


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def index_of_modes(db: Database) -> None:
    """Find what the lane was told to do, among everything that happened to it."""
    db.execute(f"CREATE INDEX entries_modes ON entries (seq) WHERE {OF_A_MODE}")


@migrations()  # type: ignore[untyped-decorator]  # sqlite-utils does not type its decorator
def foundation(db: Database) -> None:
    """Let the chain begin later: what is before the foundation may be removed, and nothing else."""
    db.execute(
        """CREATE TABLE foundation (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            seq INTEGER NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT"""
    )
    db.execute("INSERT INTO foundation VALUES (1, 0, zeroblob(32))")
    db.execute("DROP TRIGGER entries_remain")
    db.execute(
        """CREATE TRIGGER entries_remain BEFORE DELETE ON entries
            WHEN old.seq > (SELECT seq FROM foundation)
            BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END"""
    )


class Followed(Value):
    """What followed from an event: the state reached, the passage in it, and the effects, in order."""

    state: State
    passage: str | None
    effects: tuple[AnyEffect, ...]


class Entry(Value):
    """One journalled step."""

    seq: int
    utc: str
    event: AnyEvent
    followed: Followed
    hash: str


class Head(Value):
    """The last entry: its number (0 for an empty journal) and its hash."""

    seq: int
    hash: str


class JournalError(StoreError):
    """The journal cannot be written or read: the gate must not go on."""


_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_followed = msgspec.json.Decoder(Followed)


def chained(previous: bytes, seq: int, utc: str, event: bytes, followed: bytes) -> bytes:
    """Return the hash of an entry: SHA-256 over the previous one, the number, each part with its length."""
    parts = [previous, seq.to_bytes(8, "big")]
    for part in (utc.encode(), event, followed):
        parts += (len(part).to_bytes(4, "big"), part)
    return hashlib.sha256(b"".join(parts)).digest()  # at once: each call costs as much as a short part


def signed_lock(db: sqlite3.Connection) -> tuple[int, str] | None:
    """The entry and the officer of a signed lock that no signed word has lifted since.

    Raises JournalError for an entry that does not decode.
    """
    query = f"SELECT seq, event FROM entries WHERE {OF_A_MODE} ORDER BY seq DESC"  # noqa: S608 - our own words
    for seq, event in db.execute(query):
        try:
            told = _events.decode(event)
        except msgspec.MsgspecError as error:
            raise JournalError("entry_unreadable", "an entry is not of this version or damaged") from error
        if isinstance(told, ModeChanged) and told.officer is not None:
            return (seq, told.officer) if told.mode is Mode.LOCKED else None
    return None


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Let all reads within be of one moment: old entries may be removed meanwhile."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def foundation_of(db: sqlite3.Connection) -> tuple[int, bytes]:
    """The number and hash that the first entry follows from; an older version removed none."""
    known = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'foundation'").fetchone()
    row = db.execute("SELECT seq, hash FROM foundation").fetchone() if known else None
    return (0, GENESIS) if row is None else (row[0], bytes(row[1]))


class Journal:
    """The one writer. Every method raises JournalError when the disk or the file fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = open_owned(path, migrations)
            last = self._db.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
            base = foundation_of(self._db)
        except StoreError as error:
            raise JournalError(error.code, error.fix) from error
        except sqlite3.Error as error:
            raise self._error(error) from error
        self._last: tuple[int, bytes] = last or base  # one value: other threads ask for the head
        self._inode = self._inode_now()

    @property
    def head(self) -> Head:
        """The last entry; kept elsewhere, it proves that the end was not cut off. For any thread."""
        seq, link = self._last
        return Head(seq=seq, hash=link.hex())

    def check(self) -> None:
        """See that an entry could be begun now, and in the file that others read by this name."""
        if self._inode_now() != self._inode:
            raise JournalError("replaced", f"{self._path} was moved or replaced: find out by whom, restart")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._error(error) from error

    def _inode_now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def interrupted(self) -> str | None:
        """Return the passage that began and did not end, if there is one."""
        try:
            row = self._db.execute("SELECT id FROM passages WHERE ended IS NULL ORDER BY began").fetchone()
        except sqlite3.Error as error:
            raise self._error(error) from error
        return None if row is None else str(row[0])

    def locked_by(self) -> str | None:
        """Return the officer whose signed lock no signed word has lifted since."""
        try:
            lock = signed_lock(self._db)
        except sqlite3.Error as error:
            raise self._error(error) from error
        return None if lock is None else lock[1]

    def append(self, utc: str, event: AnyEvent, followed: Followed) -> int:
        """Write one step durably and return its number."""
        return self.extend([(utc, event, followed)])

    def extend(self, steps: Sequence[tuple[str, AnyEvent, Followed]]) -> int:
        """Write steps durably, all or none, and return the last one's number.

        Nobody may pass for a reason among them before this returns.
        """
        seq, link = self._last
        rows = []
        for utc, event, followed in steps:
            what, then = _encoder.encode(event), _encoder.encode(followed)
            if max(len(what), len(then)) > MAX_BODY:
                raise JournalError("entry_too_long", "report this: an event outgrew its bounds")
            seq, link = seq + 1, chained(link, seq + 1, utc, what, then)
            rows.append((seq, utc, what.decode(), then.decode(), link))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for row, (_, _, followed) in zip(rows, steps, strict=True):
                self._db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", row)
                self._index(row[0], followed)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._error(error) from error
        self._last = (seq, link)
        return seq

    def _index(self, seq: int, followed: Followed) -> None:
        ended = [effect for effect in followed.effects if isinstance(effect, EndPassage)]
        begun = [effect.passage for effect in ended] + ([followed.passage] if followed.passage else [])
        self._db.executemany(
            "INSERT INTO passages (id, began) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
            [(passage, seq) for passage in begun],
        )
        for effect in ended:
            changed = self._db.execute(
                "UPDATE passages SET ended = ?, outcome = ? WHERE id = ? AND ended IS NULL",
                (seq, str(effect.outcome), effect.passage),
            ).rowcount
            if changed != 1:
                raise sqlite3.IntegrityError("a passage ended twice")

    def _roll_back(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:  # the first error is the cause; this one follows from it
            return

    def _error(self, error: sqlite3.Error) -> JournalError:
        told = store_error(self._path, error)
        return JournalError(told.code, told.fix)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()


def read(db: sqlite3.Connection, passage: str | None = None, last: int | None = None) -> Iterator[Entry]:
    """Yield entries in order: all, those between a passage's begin and end, or the `last` few.

    Raises JournalError for an entry that does not decode.
    """
    first, until = 1, None
    if passage is not None:
        row = db.execute("SELECT began, ended FROM passages WHERE id = ?", (passage,)).fetchone()
        if row is None:
            raise JournalError("unknown_passage", "give an id that `gatectl journal show` lists")
        first, until = row
    elif last is not None:
        first = max(1, db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0] - last + 1)
    query = "SELECT seq, utc, event, outcome, hash FROM entries WHERE seq >= ? AND seq <= ? ORDER BY seq"
    for seq, utc, event, followed, link in db.execute(query, (first, 2**62 if until is None else until)):
        try:
            yield Entry(
                seq=seq,
                utc=utc,
                event=_events.decode(event),
                followed=_followed.decode(followed),
                hash=bytes(link).hex(),
            )
        except msgspec.MsgspecError as error:
            raise JournalError(
                "entry_unreadable", f"entry {seq} is not of this version or damaged"
            ) from error


class Verdict(Value):
    """What a check of the whole journal found; `problems` names the entries, in order."""

    entries: int
    head: str
    passages: int
    open_passages: int
    problems: tuple[str, ...]
    foundation: int = 0
    """The number of the last entry that was removed, with the centre's receipt for it."""
    receipted: int = 0
    """The number of the last entry that a kept receipt of the centre is for."""


MAX_PROBLEMS = 20


def verify(db: sqlite3.Connection, head: Head | None = None) -> Verdict:
    """Check the chain, the numbering, and that every passage in it ends once. Memory-bounded.

    `head` is one that was kept elsewhere: the journal must still contain it.
    """
    with snapshot(db):
        return _verdict(db, head)


def _verdict(db: sqlite3.Connection, head: Head | None) -> Verdict:
    problems: list[str] = []
    base, link_below = foundation_of(db)
    previous, expected = link_below, base + 1
    for seq, utc, event, followed, link in db.execute(
        "SELECT seq, utc, event, outcome, hash FROM entries ORDER BY seq"
    ):
        if seq != expected:
            problems.append(f"entry {expected}: missing")
        if chained(previous, seq, utc, event.encode(), followed.encode()) != link:
            problems.append(f"entry {seq}: does not follow from the one before it")
        if head is not None and head.seq == seq and head.hash != bytes(link).hex():
            problems.append(f"entry {seq}: is not the one whose head was kept")
        previous, expected = bytes(link), seq + 1
        if len(problems) >= MAX_PROBLEMS:
            break
    if head is not None and 0 < head.seq < base:
        problems.append(f"entry {head.seq}: was removed; keep a head that is newer")
    if head is not None and head.seq == base > 0 and head.hash != link_below.hex():
        problems.append(f"entry {head.seq}: is not the one whose head was kept")
    if head is not None and head.seq >= expected:
        problems.append(f"entry {head.seq}: the journal ended there once; it was cut off")
    problems.extend(_passage_problems(db))
    total, unended = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE ended IS NULL) FROM passages"
    ).fetchone()
    return Verdict(
        entries=expected - 1,
        head=previous.hex(),
        passages=total,
        open_passages=unended,
        problems=tuple(problems[:MAX_PROBLEMS]),
        foundation=base,
    )


def _passage_problems(db: sqlite3.Connection) -> Iterable[str]:
    """Compare the index of passages with what the chained entries say."""
    told: dict[str, list[str]] = {}
    for seq, followed in db.execute("SELECT seq, outcome FROM entries ORDER BY seq"):
        try:
            step = _followed.decode(followed)
        except msgspec.MsgspecError:
            yield f"entry {seq}: unreadable"
            return
        for effect in step.effects:
            if isinstance(effect, EndPassage):
                told.setdefault(effect.passage, []).append(str(effect.outcome))
        if step.passage is not None:
            told.setdefault(step.passage, [])
    index = {row[0]: row[1] for row in db.execute("SELECT id, outcome FROM passages")}
    for passage, outcomes in told.items():
        if len(outcomes) > 1:
            yield f"passage {passage}: ends {len(outcomes)} times"
        if passage not in index or index[passage] != (outcomes[0] if outcomes else None):
            yield f"passage {passage}: the index does not agree with the entries"
    for passage in index.keys() - told.keys():
        yield f"passage {passage}: is in the index but in no entry"
