"""The journal on its way to the centre: read with a cursor, delivered, and kept until there is a receipt.

The journal itself is the store: nothing is copied, so nothing can be lost between two files, and the only
bound is that of the journal's own disk. Whatever goes up is signed with the gate's journal key, which the
process that carries it does not have. The cursor is what the centre has signed for. Up to WINDOW deliveries
are under way; if one stays without a receipt, or the centre does not know the position that it follows
from, the gate asks anew where it stands and goes on from there. Entries that are delivered twice are the same
at the centre.

What the centre has signed for must be in the journal. Where it is not, the journal was cut, or another one
was put in its place: that is told to people, kept as evidence, and stops nothing; the entries go on being
delivered, for the centre keeps both.
"""

import secrets
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gated.core.values import Value
from gated.store.database import open_to_read, store_error
from gated.store.delivery import (
    FULL,
    GENESIS,
    MAX_ENTRIES,
    MAX_KNOWN,
    Delivery,
    FromCentre,
    Position,
    Receipt,
    Sent,
    Whereabouts,
    attest,
    holds,
    pack,
)
from gated.store.journal import foundation_of
from gated.store.journal_key import public_part
from gated.store.receipts import CONTRADICTED, RECEIPT, read_receipt, write_receipt

WINDOW = 4  # deliveries under way: a line with 100 ms there and back stays busy
ANSWER_S = 10.0  # a delivery without a receipt by then is taken for lost
LINGER_S = 1.0  # a few entries wait so long for more: one write at the centre in place of ten
ASK_S, ASK_MAX_S = 1.0, 30.0  # until an unanswered question is put again, doubling
CHECK_S = 600.0  # where nothing is to be delivered
BUSY_S = 5.0  # the centre is given time
KEEP_S = 10.0  # the receipt is written to the disk at most so often: the journal needs it more


class Standing(Value):
    """How far the centre has this journal. `code` is empty while all is well; `fix` says what to do."""

    acknowledged: int
    at: str
    code: str = ""
    fix: str = ""


FIXES = {
    "journal_cut": "the centre holds entries that this journal has not: keep the disk, tell the operator;"
    f" when it is settled remove {CONTRADICTED}",
    "receipt_forged": "compare [journal] receipt_key with gate-central status; if alike, tell the operator",
    "centre_full": "the centre takes no entries: free space on its disk",
    "centre_refuses_journal": "the centre wants somebody to look at this gate's journal: gate-central status",
    "key_refused": "gate-central keys, then install the key",
    "journal_key_unknown": "tell the centre this gate's journal key: gate-central journal-key",
    "journal_key_refused": "the centre knows another journal key of this gate: compare with gate-central"
    " status; if alike, tell the operator",
    "versions_differ": "compare the versions of gate and centre",
}


class Outbox:
    """Delivers one journal. Belongs to one thread; every method raises StoreError when the file fails."""

    def __init__(self, journal: Path, gate: str, key: Ed25519PublicKey, own: Ed25519PrivateKey) -> None:
        """Of the journal in this file, for a gate of this name.

        `key` is the centre's, for receipts; `own` the gate's, which signs what is delivered.
        """
        self._path = journal
        self._folder = journal.parent
        self._gate = gate
        self._key = key
        self._own = own
        self._db = open_to_read(journal)
        self._number = secrets.randbits(40)  # no answer to an earlier process is taken for one to this
        self._cursor: Position | None = None  # up to where entries are delivered; None: ask
        self._under_way: dict[int, float] = {}  # until when each delivery may be without an answer
        self._asked: int | None = None
        self._ask_at = 0.0
        self._ask_s = ASK_S
        self._waits_since: float | None = None
        self._keep_at = 0.0
        self._heard_at = 0.0
        self._newest = ""  # the time of the newest receipt, also of one that this journal contradicts
        self._asked_again = False
        self._trouble = ""
        self._receipt: Receipt | None = None
        for name in (CONTRADICTED, RECEIPT):
            kept = read_receipt(self._folder / name)
            if kept is not None and holds(key, kept.receipt, gate):
                self._newest = max(self._newest, kept.utc)
                self._believe(kept.receipt)
        self._written: Receipt | None = self._receipt

    @property
    def receipted(self) -> Position:
        """Up to where the centre has signed for this journal, by a receipt that is on the disk."""
        return GENESIS if self._written is None or self._trouble == "journal_cut" else self._written.at

    @property
    def standing(self) -> Standing:
        """How far the centre has this journal. For any thread."""
        receipt, code = self._receipt, self._trouble
        return Standing(
            acknowledged=receipt.at.seq if receipt else 0,
            at=receipt.utc if receipt else "",
            code=code,
            fix=self._fix(code),
        )

    def _fix(self, code: str) -> str:
        fix = FIXES.get(code, "")
        of_key = code in {"journal_key_unknown", "journal_key_refused"}
        return f"{fix}; the key here is {public_part(self._own)}" if of_key else fix

    def due(self, now: float, head: int) -> tuple[Whereabouts | Delivery, ...]:
        """What is to be sent now; `head` is the number of the journal's last entry. `now` is monotonic."""
        if any(until <= now for until in self._under_way.values()):
            self._lose_place()
        if self._cursor is not None and not self._under_way and now >= self._heard_at + CHECK_S:
            self._lose_place()  # say that the gate is there, and see that both still have the same
        if self._cursor is None:
            return self._ask(now) if now >= self._ask_at else ()
        sent: list[Whereabouts | Delivery] = []
        while len(self._under_way) < WINDOW and head > self._cursor.seq:
            entries, whole = self._read(self._cursor.seq)
            if not entries:
                break
            if not whole and self._waits_since is None:
                self._waits_since = now
            if not whole and self._waits_since is not None and now < self._waits_since + LINGER_S:
                break
            self._waits_since = None
            sent.append(self._deliver(entries, now))
        return tuple(sent)

    def take(self, answer: FromCentre, now: float) -> None:
        """Take what the centre answered."""
        if answer.number != self._asked and answer.number not in self._under_way:
            return  # of a question that was given up
        if not isinstance(answer, Receipt):
            self._refused(answer.reason, now)
            return
        if not holds(self._key, answer, self._gate):
            self._trouble = "receipt_forged"
            self._lose_place(now + BUSY_S)
            return
        self._heard_at = now
        self._newest = max(self._newest, answer.utc)
        if self._trouble != "journal_cut":
            self._trouble = ""
        own = self._believe(answer)
        if answer.number == self._asked:
            self._asked, self._ask_s = None, ASK_S
            self._cursor = self._beginning(answer.at if own else answer.common)
            if not own and not self._asked_again:
                self._asked_again = True
                self._lose_place(now)  # only who has its newest word is believed to be cut
        else:
            self._under_way.pop(answer.number, None)
            if not own:
                self._lose_place()

    def keep(self, now: float, *, at_once: bool = False) -> None:
        """Write the newest receipt to the disk, now and then. Raises StoreError."""
        receipt = self._receipt
        if receipt is None or receipt is self._written or (now < self._keep_at and not at_once):
            return
        self._keep_at = now + KEEP_S
        write_receipt(self._folder / RECEIPT, receipt)
        self._written = receipt

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()

    def _believe(self, receipt: Receipt) -> bool:
        """Take note of what the centre has signed for; False where this journal does not contain it."""
        if not self._has(receipt.at):
            if self._trouble != "journal_cut":
                self._trouble = "journal_cut"
                if not (self._folder / CONTRADICTED).exists():
                    write_receipt(self._folder / CONTRADICTED, receipt)
            return False
        if self._receipt is None or receipt.at.seq >= self._receipt.at.seq:
            self._receipt = receipt
        return True

    def _beginning(self, known: Position | None) -> Position:
        """Where to deliver from: what the centre knows, if entries of this journal follow it."""
        oldest = self._oldest()
        if known is None or known.seq < oldest.seq or not self._has(known):
            return oldest
        return known

    def _refused(self, reason: str, now: float) -> None:
        self._trouble = {
            "full": "centre_full",
            "too_many_branches": "centre_refuses_journal",
            "refused": "key_refused",
            "no_journal_key": "journal_key_unknown",
            "not_signed": "journal_key_refused",
            "malformed": "versions_differ",
        }.get(reason, self._trouble)
        self._lose_place(now if reason == "unknown_position" else now + BUSY_S)

    def _lose_place(self, ask_at: float = 0.0) -> None:
        self._cursor, self._asked, self._waits_since = None, None, None
        self._under_way.clear()
        self._ask_at = ask_at

    def _ask(self, now: float) -> tuple[Whereabouts]:
        self._number += 1
        self._asked = self._number
        self._ask_at = now + self._ask_s
        self._ask_s = min(2 * self._ask_s, ASK_MAX_S)
        head, known = self._landmarks()
        question = Whereabouts(number=self._number, head=head, known=known, heard=self._newest)
        return (attest(self._own, self._gate, question),)

    def _deliver(self, entries: tuple[Sent, ...], now: float) -> Delivery:
        after = self._cursor or GENESIS
        self._number += 1
        self._under_way[self._number] = now + ANSWER_S
        self._cursor = at = Position(seq=after.seq + len(entries), hash=entries[-1].hash)
        delivery = Delivery(
            number=self._number,
            head=self._landmarks(only_head=True)[0],
            after=after,
            at=at,
            entries=pack(entries),
            oldest=after.seq > 0 and after == self._oldest(),
            heard=self._newest,
        )
        return attest(self._own, self._gate, delivery)

    def _read(self, after: int) -> tuple[tuple[Sent, ...], bool]:
        """The next entries, and whether they are as many as a delivery takes."""
        entries: list[Sent] = []
        size = 0
        query = "SELECT seq, utc, event, outcome, hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
        try:
            rows = self._db.execute(query, (after, MAX_ENTRIES)).fetchall()
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        for seq, utc, event, followed, link in rows:
            if seq != after + len(entries) + 1:
                break  # an entry is missing: deliver what is before the gap, for `journal verify` to tell
            entries.append(Sent(utc=utc, event=event, followed=followed, hash=bytes(link)))
            size += len(event) + len(followed)
            if size >= FULL:
                return tuple(entries), True
        return tuple(entries), len(entries) == MAX_ENTRIES

    def _has(self, position: Position) -> bool:
        return position == GENESIS or position == self._oldest() or self._at(position.seq) == position

    def _at(self, seq: int) -> Position | None:
        try:
            row = self._db.execute("SELECT seq, hash FROM entries WHERE seq = ?", (seq,)).fetchone()
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        return None if row is None else Position(seq=row[0], hash=bytes(row[1]))

    def _oldest(self) -> Position:
        """What the first entry of this journal follows from: nothing, or what was removed with a receipt."""
        try:
            seq, link = foundation_of(self._db)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        return Position(seq=seq, hash=link)

    def _landmarks(self, *, only_head: bool = False) -> tuple[Position, tuple[Position, ...]]:
        """The head, and positions ever farther apart behind it, with the last receipt among them."""
        try:
            last = self._db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0]
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error
        head = self._at(last) or self._oldest()
        if only_head:
            return head, ()
        wanted = {last - 2**step for step in range(last.bit_length()) if 2**step < last}
        if self._receipt is not None:
            wanted.add(self._receipt.at.seq)
        known = [self._at(seq) for seq in sorted(wanted, reverse=True)][: MAX_KNOWN - 2]
        return head, (*filter(None, known), self._oldest())
