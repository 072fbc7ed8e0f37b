"""Registrations over real sockets: beside the journal, through the link, to the collector and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated.central.registrations import RegistrationBook
from gated.lanes.delivery import DeliveryLane
from gated.store import registration_post as post
from gated.store.registrations import Registrations
from tests.central.collecting import GATE, entries, lived
from tests.link.collect_rig import CollectRig
from tests.registration.people import ANNA, BERT, CENTRE, KEY, PASSAGE
from tests.system.link_rig import until

AT = 1_800_000_000


class Gate:
    """A gate's registrations, on a rig whose lane sends letters too."""

    def __init__(self, rig: CollectRig) -> None:
        self.rig = rig
        self.store = Registrations(rig.journal.parent, KEY, GATE, CENTRE.public_key())
        self.book = RegistrationBook(rig.folder)

    def start(self) -> None:
        rig, at_rest = self.rig, entries(self.rig.journal)[-1][0]
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(rig.key))
        box = post.PostBox(self.store, key, GATE, self._withdrawn)
        address = f"ipc://{rig.run}/journal"
        rig.lane = DeliveryLane(address, rig.journal, GATE, key, rig.own, lambda: at_rest, post_box=box)
        rig.lane.lane.start()

    def _withdrawn(self, number: str) -> None:
        if self.store.erasure(number) is None:
            self.store.erase(number, "withdrawn_at_centre", AT + 9)

    def close(self) -> None:
        self.rig.stop_gate()
        self.store.close()
        self.book.close()


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr(post, "ASK_S", 0.3)
    monkeypatch.setattr(post, "AGAIN_S", 0.5)
    (tmp_path / "state").mkdir()
    lived(tmp_path / "state" / "journal.db", range(2))
    with CollectRig(tmp_path, tmp_path / "state" / "journal.db") as rig:
        one = Gate(rig)
        yield one
        one.close()


def test_what_was_registered_without_a_link_comes_to_the_centre_and_a_withdrawal_comes_back(
    gate: Gate,
) -> None:
    number, _ = gate.store.register(ANNA, "2026-1", PASSAGE, AT)
    other, _ = gate.store.register(BERT, "2026-1", PASSAGE, AT)
    gate.start()
    gate.rig.link()
    gate.rig.collect()
    until(lambda: gate.store.letters(4) == ())
    assert {each.registration for each in gate.book.held()} == {number, other}
    until(lambda: gate.rig.acknowledged() == entries(gate.rig.journal)[-1][0])

    assert gate.book.wish(GATE, number, "2026-11-26T22:00:00.000+00:00")
    until(lambda: (found := gate.store.erasure(number)) is not None and found.receipt is not None)
    assert gate.store.find(ANNA) is None
    assert gate.store.search(ANNA) == 0
    assert [(each.registration, each.erased, each.withdrawn) for each in gate.book.held()] == sorted(
        [(number, True, False), (other, False, False)]
    )
    assert gate.book.find(ANNA, CENTRE) == ()


def test_registrations_that_cannot_be_read_keep_no_journal_back(gate: Gate) -> None:
    gate.store.close()
    gate.start()
    gate.rig.link()
    gate.rig.collect()
    until(lambda: gate.rig.acknowledged() == entries(gate.rig.journal)[-1][0])
    assert gate.rig.lane is not None
    assert gate.rig.lane.standing.code == ""
