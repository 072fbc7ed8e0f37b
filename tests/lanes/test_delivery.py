"""The lane that delivers the journal: without an answer, with a disk that fails, and what it removes."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.lanes.delivery import DeliveryLane
from gated.runtime.bus import Peer
from gated.runtime.messages import JournalDown, JournalUp
from gated.store import delivery as say
from gated.store.database import open_to_read
from gated.store.journal import foundation_of
from gated.store.outbox import FIXES
from gated.store.receipts import RECEIPT, read_receipt
from tests.central.collecting import GATE, KEY, OWN, UTC, entries, lived
from tests.lanes.rounds import come_round, leave, rounds_until
from tests.store.test_pruning import LATE


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    lived(tmp_path / "journal.db", range(2))
    lived(tmp_path / "journal.db", range(5, 6))
    return tmp_path / "journal.db"


class Link:
    """What gate-link is to the lane: it hands letters on, here to a centre that takes all."""

    def __init__(self, peer: Peer[JournalUp], journal: Path) -> None:
        self.peer = peer
        self.journal = journal
        self.heard: list[say.ToCentre] = []

    def hand_on(self) -> None:
        while (came := self.peer.receive(0)) is not None:
            said = say.read_at_centre(came.body)
            assert not isinstance(said, say.Enclosed)
            assert say.attested_by((OWN.public_key(),), GATE, said)
            self.heard.append(said)
            at = common = say.GENESIS
            if isinstance(said, say.Delivery):
                sent = say.unpack(said.entries)
                at = say.Position(seq=said.after.seq + len(sent), hash=sent[-1].hash)
            receipt = say.sign(KEY, said.number, GATE, at, UTC, common)
            self.peer.send(JournalDown(body=b"\xc1"))  # nobody's message
            self.peer.send(JournalDown(body=say.encode(receipt)))


@pytest.fixture
def link(run: Path, journal: Path) -> Iterator[Link]:
    with Peer[JournalUp](f"ipc://{run}/journal", JournalUp, bind=False) as peer:
        yield Link(peer, journal)


def lane_on(run: Path, journal: Path, keep_days: int | None = None) -> DeliveryLane:
    head = entries(journal)[-1][0] if journal.exists() else 0
    return DeliveryLane(f"ipc://{run}/journal", journal, GATE, KEY.public_key(), OWN, lambda: head, keep_days)


def test_a_receipt_is_kept_on_the_disk_when_the_lane_ends(run: Path, journal: Path, link: Link) -> None:
    delivery = lane_on(run, journal)

    def delivered() -> bool:
        link.hand_on()
        return delivery.standing.acknowledged == entries(journal)[-1][0]

    rounds_until(delivery.lane, delivered)
    leave(delivery.lane)
    kept = read_receipt(journal.parent / RECEIPT)
    assert kept is not None
    assert (kept.seq, kept.hash) == entries(journal)[-1]


def test_while_nobody_answers_the_lane_is_well_and_asks_again_ever_more_seldom(
    run: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.lanes.delivery.LISTEN_S", 0.0)
    delivery = lane_on(run, journal)
    for _ in range(5):
        come_round(delivery.lane)
    assert delivery.standing.acknowledged == 0
    assert delivery.standing.code == ""
    outbox = delivery._outbox
    assert outbox is not None
    asked = [now for now in range(10**9, 10**9 + 200) if outbox.due(float(now), 10)]
    assert [later - sooner for sooner, later in itertools.pairwise(asked)][-3:] == [30, 30, 30]
    leave(delivery.lane)


def test_a_journal_that_cannot_be_read_is_told_and_ends_no_gate(
    run: Path, tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.lanes.delivery.AGAIN_S", 0.0)
    monkeypatch.setattr("gated.lanes.delivery.LISTEN_S", 0.01)
    later = tmp_path / "later" / "journal.db"
    delivery = lane_on(run, later)
    come_round(delivery.lane)
    assert delivery.standing.code == "missing"
    later.parent.mkdir()
    later.write_bytes(journal.read_bytes())
    rounds_until(delivery.lane, lambda: delivery.standing.code == "")
    leave(delivery.lane)


@pytest.mark.parametrize(("keep_days", "goes"), [(None, False), (7, True), (100_000, False)])
def test_only_what_is_old_and_has_a_receipt_goes(
    run: Path,
    journal: Path,
    link: Link,
    keep_days: int | None,
    goes: bool,  # noqa: FBT001  # by parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gated.lanes.delivery.LISTEN_S", 0.01)
    monkeypatch.setattr("gated.lanes.delivery.PRUNE_S", 0.0)
    monkeypatch.setattr("gated.store.outbox.KEEP_S", 0.0)
    monkeypatch.setattr("gated.lanes.delivery.now_utc", lambda: LATE)
    delivery = lane_on(run, journal, keep_days)
    come_round(delivery.lane)
    assert foundation_of(open_to_read(journal))[0] == 0

    def delivered() -> bool:
        link.hand_on()
        return delivery.standing.acknowledged == entries(journal)[-1][0]

    rounds_until(delivery.lane, delivered)
    for _ in range(3):
        come_round(delivery.lane)
    leave(delivery.lane)
    assert (foundation_of(open_to_read(journal))[0] > 0) == goes


def test_each_trouble_of_the_delivery_is_told_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "journals.md").read_text()
    assert FIXES
    assert {code for code in FIXES if f"| `{code}` |" not in page} == set()
