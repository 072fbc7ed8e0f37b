"""The journals of all gates, as the centre holds them: chains, where they branch, and the alarms.

A journal is one chain, and its gate signs the head of each delivery. The centre computes every hash of it
again, and takes an entry only where it follows from one that it holds. What it holds already counts once. A
gate whose journal no longer follows from what the centre holds begins another *branch*: nothing that came is
ever given up for it, both are kept, and an alarm tells people, who settle it. The alarms:

`cut`       the gate's journal is shorter than it was: its end was cut off, or an older one was restored
`fork`      an entry differs from the one that the centre holds at its number: a journal was written anew
`gap`       the gate has no entries any more that the centre lacks: they were removed without a receipt
`broken`    an entry does not follow from the one before it, in the gate's own journal
`unsigned`  something came over a gate's line that its journal key has not signed; nothing of it is kept
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gated.central.collected import Collected, signed_of
from gated.central.record_store import Database, DatabaseError
from gated.core.values import Value
from gated.store.delivery import GENESIS, Delivery, NotTakenReason, Position, Sent, Whereabouts
from gated.store.journal import chained

MAX_UNSETTLED = 32  # branches of one gate: a journal that is written anew so often is nobody's accident
MAX_WHY = 200
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+00:00")


class NotPlacedError(Exception):
    """The delivery is not taken, because of `reason`."""

    def __init__(self, reason: NotTakenReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Alarm(Value):
    """Something about a journal that people must look at. `seq` is the entry where it shows."""

    id: int
    gate: str
    code: str
    branch: int | None
    seq: int
    first_utc: str
    last_utc: str
    times: int


class JournalState(Value):
    """What the centre holds of a gate's journal. `lag`: entries that the gate has and the centre has not.

    `first` is the oldest entry that is held.
    """

    gate: str
    entries: int
    hash: str
    last_utc: str
    heard: str
    lag: int
    branches: int
    alarms: tuple[Alarm, ...]
    first: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """One for each alarm that nobody has settled."""
        return tuple(
            f"journal of {self.gate}: {alarm.code} at entry {alarm.seq}, {alarm.times} times since"
            f" {alarm.first_utc}: look into it, then gate-central collect --settle {alarm.id}"
            for alarm in self.alarms
        )


@dataclass
class _Branch:
    """A chain of entries `first` to `head`; before the first comes the entry that `anchor` is the hash of."""

    id: int
    first: int
    anchor: bytes
    parent: int | None
    head: Position
    last_utc: str


@dataclass
class _Place:
    """Where the next entry goes: after `at` on this branch; None: a branch is to be opened."""

    branch: _Branch | None
    at: Position


class Records:
    """Everything that was collected. Belongs to one thread.

    `take` and `whereabouts` work inside a transaction of the caller's: `begin`, then `commit` before any
    receipt. Every method raises DatabaseError.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._branches: dict[str, list[_Branch]] = {}  # by gate, as they were opened

    def begin(self) -> None:
        """Begin to write."""
        self._db.begin()

    def commit(self) -> None:
        """Keep what was written, durably; on failure nothing of it."""
        try:
            self._db.commit()
        except DatabaseError:
            self.roll_back()
            raise

    def roll_back(self) -> None:
        """Keep nothing of what was written."""
        self._branches.clear()
        self._db.roll_back()

    def whereabouts(self, gate: str, said: Whereabouts, utc: str) -> tuple[Position, Position | None]:
        """The head of what the centre holds of this journal, and the newest position that both know."""
        self._heard(gate, said, utc)
        known = (said.head, *said.known)
        common = next((each for each in known if each == GENESIS or self._find(gate, each)), None)
        place = self._find(gate, common) if common else None
        if place is not None and place.head != common:
            place = self._last_from(gate, place)
        current = place or self._newest(gate)
        if current is None:
            return GENESIS, common
        if said.head.seq < current.head.seq and said.heard >= self._came(current):
            self._raise(gate, "cut", current.id, said.head.seq + 1, utc)
        return current.head, common

    def take(self, gate: str, said: Delivery, entries: tuple[Sent, ...], signer: bytes, utc: str) -> Position:
        """Hold these entries, each once; return the position of the last. Raises NotPlacedError.

        `signer` is the gate's public key that has signed the delivery.
        """
        self._heard(gate, said, utc)
        place = self._place(gate, said, utc)
        fresh = self._pass_known(gate, place, entries)
        if fresh:
            self._append(gate, place, fresh, utc)
        if place.branch is not None:
            signed = (said.after.seq, said.after.hash, said.rest, said.signature, signer, utc)
            self._db.rows(
                "INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (branch, seq) DO NOTHING",
                (place.branch.id, place.at.seq, *signed),
            )
        return place.at

    def unsigned(self, gate: str, utc: str) -> None:
        """Something came over this gate's line that the gate has not signed."""
        self._db.rows("INSERT INTO gates VALUES (?, 0, ?) ON CONFLICT (gate) DO NOTHING", (gate, utc))
        newest = self._newest(gate)
        self._raise(gate, "unsigned", None, newest.head.seq if newest else 0, utc)

    def settle(self, alarm: int, why: str, utc: str) -> bool:
        """Somebody has looked into an alarm; False where there is no such open one."""
        found = self._db.rows("SELECT id FROM alarms WHERE id = ? AND settled IS NULL", (alarm,))
        self._db.rows("UPDATE alarms SET settled = ?, why = ? WHERE id = ?", (utc, why[:MAX_WHY], alarm))
        return bool(found)

    def alarms(self) -> tuple[Alarm, ...]:
        """Those that nobody has settled."""
        query = (
            "SELECT id, gate, code, branch, seq, first_utc, last_utc, times"
            " FROM alarms WHERE settled IS NULL ORDER BY id"
        )
        names = Alarm.__struct_fields__
        return tuple(Alarm(**dict(zip(names, row, strict=True))) for row in self._db.rows(query))

    def states(self) -> tuple[JournalState, ...]:
        """What is held of every gate that was ever heard of."""
        alarms = self.alarms()
        states = []
        for gate, head, heard in self._db.rows("SELECT gate, head, heard FROM gates ORDER BY gate"):
            branches = self._of(gate)
            last = branches[-1] if branches else None
            states.append(
                JournalState(
                    gate=gate,
                    entries=last.head.seq if last else 0,
                    hash=last.head.hash.hex() if last else "",
                    last_utc=last.last_utc if last else "",
                    heard=heard,
                    lag=max(0, head - (last.head.seq if last else 0)),
                    branches=len(branches),
                    first=min((branch.first for branch in branches), default=0),
                    alarms=tuple(alarm for alarm in alarms if alarm.gate == gate),
                )
            )
        return tuple(states)

    def entries(self, gate: str | None = None, after: int = 0, chunk: int = 1000) -> Iterator[Collected]:
        """Every entry, gate by gate and branch by branch, numbers beyond `after` only."""
        names = dict(self._db.rows("SELECT id, gate FROM branches ORDER BY gate, id"))
        for branch in [each for each, name in names.items() if gate in {None, name}]:
            seq, last = after, -1
            while rows := self._db.rows(
                "SELECT entries.seq, entries.utc, event, outcome, hash, sound,"
                " after_seq, after_hash, rest, signature, signer, heads.utc FROM entries"
                " LEFT JOIN heads ON heads.branch = entries.branch AND heads.seq = entries.seq"
                " WHERE entries.branch = ? AND entries.seq > ? ORDER BY entries.seq LIMIT ?",
                (branch, seq, chunk),
            ):
                seq = rows[-1][0]
                for number, utc, event, outcome, link, sound, *signed in rows:
                    follows = "" if number == last + 1 else self._link_before(names[branch], branch, number)
                    last = number
                    yield Collected(
                        gate=names[branch],
                        branch=branch,
                        seq=number,
                        utc=utc,
                        event=event,
                        outcome=outcome,
                        hash=bytes(link).hex(),
                        sound=bool(sound),
                        follows=follows,
                        signed=signed_of(signed),
                    )

    def close(self) -> None:
        """Close the database. Idempotent."""
        self._db.close()

    def _of(self, gate: str) -> list[_Branch]:
        if gate not in self._branches:
            rows = self._db.rows(
                "SELECT id, first, anchor, parent, head, head_hash, last_utc FROM branches"
                " WHERE gate = ? ORDER BY id",
                (gate,),
            )
            self._branches[gate] = [
                _Branch(id_, first, bytes(anchor), parent, Position(seq=head, hash=bytes(link)), utc)
                for id_, first, anchor, parent, head, link, utc in rows
            ]
        return self._branches[gate]

    def _newest(self, gate: str) -> _Branch | None:
        branches = self._of(gate)
        return branches[-1] if branches else None

    def _find(self, gate: str, position: Position) -> _Branch | None:
        """The branch that holds this position, its head or its anchor; the newest such."""
        for branch in reversed(self._of(gate)):
            if branch.head == position:
                return branch
        for branch in reversed(self._of(gate)):
            if self._hash_at(branch, position.seq) == position.hash:
                return branch
        return None

    def _hash_at(self, branch: _Branch, seq: int) -> bytes | None:
        if seq == branch.head.seq:
            return branch.head.hash
        if seq == branch.first - 1:
            return branch.anchor
        if not branch.first <= seq < branch.head.seq:
            return None
        found = self._db.rows("SELECT hash FROM entries WHERE branch = ? AND seq = ?", (branch.id, seq))
        return bytes(found[0][0]) if found else None

    def _link_before(self, gate: str, branch: int, seq: int) -> str:
        of = next(each for each in self._of(gate) if each.id == branch)
        return (self._hash_at(of, seq - 1) or b"").hex()

    def _last_from(self, gate: str, branch: _Branch) -> _Branch:
        """The branch that goes on from this one, or from what it goes on from, and was opened last."""
        of = {branch.id}
        last = branch
        for each in self._of(gate):
            if each.parent in of:
                of.add(each.id)
                last = each
        return last

    def _place(self, gate: str, said: Delivery, utc: str) -> _Place:
        found = self._find(gate, said.after)
        if found is not None:
            return _Place(found, said.after)
        if said.after == GENESIS:
            return _Place(None, GENESIS)
        if not said.oldest:
            raise NotPlacedError("unknown_position")
        place = _Place(None, said.after)
        self._open(gate, place, None, utc)
        self._raise(gate, "gap", place.branch.id if place.branch else None, said.after.seq, utc)
        return place

    def _pass_known(self, gate: str, place: _Place, entries: tuple[Sent, ...]) -> tuple[Sent, ...]:
        """Go along what is held already; return what is not."""
        for number, entry in enumerate(entries):
            branch, seq = place.branch, place.at.seq + 1
            if branch is None:
                return entries[number:]
            if branch.head == place.at:
                return entries[number:]
            if self._hash_at(branch, seq) != entry.hash:
                place.branch = self._find(gate, Position(seq=seq, hash=entry.hash)) or branch
                if place.branch is branch:
                    return entries[number:]
            place.at = Position(seq=seq, hash=entry.hash)
        return ()

    def _append(self, gate: str, place: _Place, entries: tuple[Sent, ...], utc: str) -> None:
        branch = place.branch
        if branch is None or branch.head != place.at:
            self._open(gate, place, branch.id if branch else None, utc)
            if branch is not None or len(self._of(gate)) > 1:
                opened = place.branch.id if place.branch else None
                self._raise(gate, "fork", opened, place.at.seq + 1, utc)
            branch = place.branch
        assert branch is not None  # noqa: S101  # for the type checker: `_open` has set it
        rows, previous, seq = [], place.at.hash, place.at.seq
        broken: int | None = None
        for entry in entries:
            seq += 1
            sound = entry.hash == chained(
                previous, seq, entry.utc, entry.event.encode(), entry.followed.encode()
            )
            if not sound and broken is None:
                broken = seq
            rows.append((branch.id, seq, entry.utc, entry.event, entry.followed, entry.hash, int(sound)))
            previous = entry.hash
        self._db.add_entries(rows)
        place.at = branch.head = Position(seq=seq, hash=previous)
        branch.last_utc = entries[-1].utc
        self._db.rows(
            "UPDATE branches SET head = ?, head_hash = ?, last_utc = ? WHERE id = ?",
            (seq, previous, branch.last_utc, branch.id),
        )
        if broken is not None:
            self._raise(gate, "broken", branch.id, broken, utc)

    def _open(self, gate: str, place: _Place, parent: int | None, utc: str) -> None:
        """Begin a branch at the place."""
        query = "SELECT count(*) FROM alarms WHERE gate = ? AND settled IS NULL AND code IN ('fork', 'gap')"
        if self._db.rows(query, (gate,))[0][0] >= MAX_UNSETTLED:
            raise NotPlacedError("too_many_branches")
        at = place.at
        values = (gate, at.seq + 1, at.hash, parent, at.seq, at.hash, "", utc)
        id_ = self._db.rows(
            "INSERT INTO branches (gate, first, anchor, parent, head, head_hash, last_utc, opened)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            values,
        )[0][0]
        place.branch = _Branch(id_, at.seq + 1, at.hash, parent, at, "")
        self._of(gate).append(place.branch)

    def _heard(self, gate: str, said: Whereabouts | Delivery, utc: str) -> None:
        """Note the gate's word, unless it is an older one that somebody brings again.

        The gate was there when it had the receipt that it names; later than that nothing shows.
        """
        heard = min(said.heard, utc) if _MOMENT.fullmatch(said.heard) else ""
        head = said.head.seq
        self._db.rows(
            "INSERT INTO gates VALUES (?, ?, ?)"
            " ON CONFLICT (gate) DO UPDATE SET head = ?, heard = ? WHERE gates.heard <= ?",
            (gate, head, utc, head, heard, heard),
        )

    def _came(self, branch: _Branch) -> str:
        """When the last entry of a branch was taken; empty where an earlier version took it."""
        query = "SELECT utc FROM heads WHERE branch = ? AND seq = ?"
        found = self._db.rows(query, (branch.id, branch.head.seq))
        return str(found[0][0]) if found else ""

    def _raise(self, gate: str, code: str, branch: int | None, seq: int, utc: str) -> None:
        """Raise an alarm, or count that it is still so."""
        same = self._db.rows(
            "SELECT id FROM alarms WHERE gate = ? AND code = ? AND coalesce(branch, 0) = ?"
            " AND settled IS NULL",
            (gate, code, branch or 0),
        )
        if same:
            self._db.rows("UPDATE alarms SET times = times + 1, last_utc = ? WHERE id = ?", (utc, same[0][0]))
            return
        self._db.rows(
            "INSERT INTO alarms (gate, code, branch, seq, first_utc, last_utc, times)"
            " VALUES (?, ?, ?, ?, ?, ?, 1)",
            (gate, code, branch, seq, utc, utc),
        )
