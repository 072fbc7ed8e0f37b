"""A gate's outbox and the centre's records, with nothing between them but a line that tests may disturb."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gated.central.record_store import Sqlite
from gated.central.records import NotPlacedError, Records
from gated.core import events as ev
from gated.store import delivery as say
from gated.store.database import open_to_read
from gated.store.journal import Journal, verify
from gated.store.outbox import Outbox
from tests.core.passages import citizen, start_events
from tests.store.test_journal import write

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
UTC = "2030-01-01T00:00:00.000+00:00"
OWN = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
GATE = "gate-1"

Disturb = Callable[[say.ToCentre], int]  # how often a message arrives: 0, 1, 2


def once(_: say.ToCentre) -> int:
    return 1


def lived(path: Path, passages: range, *first: ev.AnyEvent) -> None:
    """Start a gate on this journal, and let so many travellers pass."""
    journal = Journal(path)
    write(journal, first)
    write(journal, start_events())
    for number in passages:
        write(journal, citizen(f"{number:016x}"))
    journal.close()


def copied(source: Path, target: Path) -> Path:
    """A journal at rest, in a folder of its own."""
    target.mkdir(exist_ok=True)
    shutil.copy(source, target / "journal.db")
    return target / "journal.db"


def entries(path: Path) -> list[tuple[int, str]]:
    db = open_to_read(path)
    rows = [
        (seq, bytes(link).hex()) for seq, link in db.execute("SELECT seq, hash FROM entries ORDER BY seq")
    ]
    db.close()
    return rows


def change(path: Path, *statements: str) -> None:
    """Change a journal behind its back, as somebody with the disk could."""
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER IF EXISTS entries_stay")
        db.execute("DROP TRIGGER IF EXISTS entries_remain")
        for statement in statements:
            db.execute(statement)
    db.close()


class Pair:
    """One outbox at a time, and the centre. Time is a number that the test's rounds count up."""

    def __init__(self, journal: Path, records: Records) -> None:
        self.journal = journal
        self.records = records
        self.now = 0.0
        self.utc = UTC
        self.said: list[say.ToCentre] = []
        self.outbox = Outbox(journal, GATE, KEY.public_key(), OWN)

    def restart(self, journal: Path | None = None) -> None:
        """`gated` ends without a word and begins anew, on this journal."""
        self.outbox.close()
        self.journal = journal or self.journal
        self.outbox = Outbox(self.journal, GATE, KEY.public_key(), OWN)

    def answer(self, raw: bytes) -> say.FromCentre:
        said = say.read_at_centre(raw)
        signer = say.attested_by((OWN.public_key(),), GATE, said)
        assert signer is not None
        assert not isinstance(said, say.Enclosed)
        self.records.begin()
        try:
            if isinstance(said, say.Whereabouts):
                at, common = self.records.whereabouts(GATE, said, self.utc)
                answer: say.FromCentre = say.sign(KEY, said.number, GATE, at, self.utc, common)
            else:
                signed = signer.public_bytes_raw()
                at = self.records.take(GATE, said, say.entries_of(said), signed, self.utc)
                answer = say.sign(KEY, said.number, GATE, at, self.utc)
        except NotPlacedError as error:
            answer = say.NotTaken(number=said.number, reason=error.reason)
        self.records.commit()
        return answer

    def round(self, there: Disturb = once, back: Disturb = once) -> None:
        self.now += 1.0
        head = entries(self.journal)[-1][0]
        for message in self.outbox.due(self.now, head):
            self.said.append(message)
            for _ in range(there(message)):
                answer = self.answer(say.encode(message))
                for _ in range(back(message)):
                    self.outbox.take(say.read_at_gate(say.encode(answer)), self.now)
        self.outbox.keep(self.now)

    def deliver(self, rounds: int = 12) -> None:
        for _ in range(rounds):
            self.round()

    def held(self, branch: int | None = None) -> list[tuple[int, str]]:
        return [(each.seq, each.hash) for each in self.records.entries() if branch in {None, each.branch}]

    def alarms(self) -> list[tuple[str, int]]:
        return [(alarm.code, alarm.seq) for alarm in self.records.alarms()]


@contextmanager
def paired(journal: Path, centre: Path) -> Iterator[Pair]:
    records = Records(Sqlite(centre))
    pair = Pair(journal, records)
    try:
        yield pair
    finally:
        pair.outbox.close()
        records.close()


def whole(path: Path) -> bool:
    db = open_to_read(path)
    try:
        return verify(db).problems == ()
    finally:
        db.close()
