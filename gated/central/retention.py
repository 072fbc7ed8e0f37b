"""What the centre keeps no longer: whole passages, the oldest first, and a signed record that they went.

What counts is when an entry came, by the centre's own clock: a gate's may be wrong, and no entry comes before
it happened. The chain stays checkable: a branch then begins after its *foundation*, the last entry that was
removed, whose number and hash stay. Where an alarm is open, the gate's entries stay from there on. A few
passages go in one transaction, so the collector waits for milliseconds, and a command that is interrupted
leaves a record of just what it did.
"""

import os
import pwd
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gated.central.record_store import Database, Sqlite
from gated.core.values import Value

FEW: Final = 2_000  # entries at a time
MAX_BY: Final = 64
MAX_DAYS: Final = 36_500


class Removal(Value):
    """What one command has removed of one branch: `entries` of them, numbers `first` to `last`."""

    utc: str
    gate: str
    branch: int
    first: int
    last: int
    hash: str
    """That of the last: what remains follows from it."""
    entries: int
    keep_days: int
    by: str
    why: str

    @property
    def signed_text(self) -> bytes:
        """What the centre signs."""
        return b"egate removal 1\n" + msgspec.json.encode(msgspec.structs.astuple(self))


class Recorded(Value):
    """A removal on record. `sound`: the centre has signed it, and what it says is how the branch begins."""

    removal: Removal
    sound: bool


class Held(Value):
    """Older entries of a gate that stay, from `entry` on, because of an alarm that nobody has settled."""

    gate: str
    alarm: int
    entry: int


class Kept(Value):
    """What a run has removed, or would remove, and what it had to leave."""

    before: str
    removed: tuple[Removal, ...]
    held: tuple[Held, ...]


@dataclass(frozen=True)
class Rule:
    """How long entries are kept, who had them removed, and why: a name of a law, not of a person."""

    keep_days: int
    by: str
    why: str


class _Outcome(msgspec.Struct):
    """Of what followed from an entry: the passage that was under way after it."""

    passage: str | None


@dataclass
class _Branch:
    id: int
    gate: str
    first: int
    head: int
    last_utc: str


def who() -> str:
    """The account that runs this, and who became it by sudo."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    behind = os.environ.get("SUDO_USER", "")
    return (f"{name} for {behind}" if behind else name)[:MAX_BY]


class Keeper:
    """Removes entries beside the collector. Belongs to one thread; raises DatabaseError."""

    def __init__(self, database: Database, key: Ed25519PrivateKey) -> None:
        self._db = database
        self._key = key
        self._held: dict[str, Held] = {}

    def remove(self, rule: Rule, now: datetime, gate: str | None = None, *, dry: bool = False) -> Kept:
        """Remove what came earlier than the days of the rule, of one gate or of all; dry: only tell what."""
        before = (now - timedelta(days=rule.keep_days)).isoformat(timespec="milliseconds")
        self._held.clear()
        if isinstance(self._db, Sqlite) and not dry:
            self._db.rows("PRAGMA secure_delete = ON")
        removed = [
            removal
            for branch in self._branches(gate)
            if (removal := self._branch(branch, rule, before, now, dry=dry)) is not None
        ]
        if isinstance(self._db, Sqlite) and removed and not dry:
            self._db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        held = tuple(self._held[name] for name in sorted(self._held))
        return Kept(before=before, removed=tuple(removed), held=held)

    def recorded(self) -> Iterator[Recorded]:
        """Every removal, the oldest first, each held against its signature, the last against its branch."""
        begins = {
            id_: (first - 1, bytes(anchor).hex())
            for id_, first, anchor in self._db.rows("SELECT id, first, anchor FROM branches")
        }
        rows = self._db.rows(
            "SELECT utc, gate, branch, first, last, hash, entries, keep_days, by_whom, why, signature"
            " FROM removals ORDER BY id"
        )
        newest = {row[2]: number for number, row in enumerate(rows)}
        for number, (*told, signature) in enumerate(rows):
            told[5] = bytes(told[5]).hex()
            removal = Removal(**dict(zip(Removal.__struct_fields__, told, strict=True)))
            sound = self._is_ours(removal, bytes(signature))
            if newest[removal.branch] == number:
                sound = sound and begins.get(removal.branch) == (removal.last, removal.hash)
            yield Recorded(removal=removal, sound=sound)

    def _is_ours(self, removal: Removal, signature: bytes) -> bool:
        try:
            self._key.public_key().verify(signature, removal.signed_text)
        except InvalidSignature:
            return False
        return True

    def _branches(self, gate: str | None) -> list[_Branch]:
        """The newest first: a branch waits for what goes on from it."""
        rows = self._db.rows("SELECT id, gate, first, head, last_utc FROM branches ORDER BY id DESC")
        return [each for each in (_Branch(*row) for row in rows) if gate in {None, each.gate}]

    def _branch(
        self, branch: _Branch, rule: Rule, before: str, now: datetime, *, dry: bool
    ) -> Removal | None:
        """Remove a few passages of a branch after the other; return what that was together."""
        removal: Removal | None = None
        record = 0
        while True:
            begun = time.monotonic()
            self._db.begin()
            try:
                # The collector writes this row before anything else of a gate: it waits, and we for it.
                self._db.rows("UPDATE gates SET gate = gate WHERE gate = ?", (branch.gate,))
                until = self._boundary(branch, self._limit(branch, before))
                if until is None:
                    self._db.roll_back()
                    return removal
                removal = self._extended(removal, branch, until, rule, now)
                if not dry:
                    record = self._take_away(removal, record)
                    self._db.commit()
            except BaseException:
                self._db.roll_back()
                raise
            self._db.roll_back()
            time.sleep(0.0 if dry else time.monotonic() - begun)  # half of the time is the collector's
            branch.first = until[0] + 1

    def _limit(self, branch: _Branch, before: str) -> int:
        """Up to where entries may go."""
        came, heads = self._db.rows(
            "SELECT max(seq) FILTER (WHERE utc < ?), count(*) FROM heads WHERE branch = ?",
            (before, branch.id),
        )[0]
        if not heads and branch.last_utc < before:  # an earlier version collected it
            came = branch.head
        limit = came or 0
        alarms = self._db.rows(
            "SELECT seq, id FROM alarms WHERE gate = ? AND settled IS NULL ORDER BY seq, id LIMIT 1",
            (branch.gate,),
        )
        for seq, id_ in alarms:
            if branch.first <= limit and seq <= limit:
                self._held[branch.gate] = Held(gate=branch.gate, alarm=id_, entry=seq)
            limit = min(limit, seq - 1)
        return self._before_forks(branch, limit)

    def _before_forks(self, branch: _Branch, limit: int) -> int:
        """A passage that began here and went on elsewhere stays until the rest of it has gone."""
        forks = self._db.rows(
            "SELECT entries.seq, entries.outcome FROM branches"
            " JOIN entries ON entries.branch = branches.parent AND entries.seq = branches.first - 1"
            " WHERE branches.parent = ? AND branches.id NOT IN (SELECT branch FROM removals)",
            (branch.id,),
        )
        limits: list[int] = [seq for seq, outcome in forks if not _at_rest(outcome)]
        return min(limit, *limits) if limits else limit

    def _boundary(self, branch: _Branch, limit: int) -> tuple[int, bytes] | None:
        """An entry some way on after which no passage is under way, and its hash; None: there is none."""
        after = branch.first - 1
        while after < limit:
            rows = self._db.rows(
                "SELECT seq, hash, outcome FROM entries WHERE branch = ? AND seq > ? AND seq <= ?"
                " ORDER BY seq LIMIT ?",
                (branch.id, after, limit, FEW),
            )
            if not rows:
                return None
            after = rows[-1][0]
            for seq, link, outcome in reversed(rows):
                if _at_rest(outcome):
                    return seq, bytes(link)
        return None

    def _extended(
        self, removal: Removal | None, branch: _Branch, until: tuple[int, bytes], rule: Rule, now: datetime
    ) -> Removal:
        count = self._db.rows(
            "SELECT count(*) FROM entries WHERE branch = ? AND seq <= ? AND seq >= ?",
            (branch.id, until[0], branch.first),
        )[0][0]
        return Removal(
            utc=now.isoformat(timespec="milliseconds"),
            gate=branch.gate,
            branch=branch.id,
            first=removal.first if removal else branch.first,
            last=until[0],
            hash=until[1].hex(),
            entries=(removal.entries if removal else 0) + count,
            keep_days=rule.keep_days,
            by=rule.by,
            why=rule.why,
        )

    def _take_away(self, told: Removal, record: int) -> int:
        """Within a transaction; return the number of the record, which grows with each step."""
        of_it = (told.branch, told.last)
        link, signature = bytes.fromhex(told.hash), self._key.sign(told.signed_text)
        self._db.rows(
            "UPDATE branches SET first = ?, anchor = ? WHERE id = ?", (told.last + 1, link, told.branch)
        )
        self._db.rows("DELETE FROM entries WHERE branch = ? AND seq <= ?", of_it)
        self._db.rows("DELETE FROM heads WHERE branch = ? AND seq <= ?", of_it)
        if record:
            self._db.rows(
                "UPDATE removals SET last = ?, hash = ?, entries = ?, signature = ? WHERE id = ?",
                (told.last, link, told.entries, signature, record),
            )
            return record
        values = (told.utc, told.gate, told.branch, told.first, told.last, link, told.entries)
        made = self._db.rows(
            "INSERT INTO removals"
            " (utc, gate, branch, first, last, hash, entries, keep_days, by_whom, why, signature)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*values, told.keep_days, told.by, told.why, signature),
        )
        return int(made[0][0])


def _at_rest(outcome: str) -> bool:
    """Whether no passage is under way after this; of what cannot be read, no."""
    try:
        return msgspec.json.decode(outcome, type=_Outcome).passage is None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
