"""The lane of the lists: a real list, a real line, and a link process in the test's hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.vocabulary import Device
from gated.lanes import lists as module
from gated.lanes.lists import ListsLane
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.store.fetching import Link
from tests.lanes.rounds import Posted, come_round, leave, rounds_until
from tests.store.central_stand_in import Central, Gate, document


class Bench:
    """The lane with the central side behind it; the far end of its line is `link`."""

    def __init__(self, folder: Path, run: Path, posted: Posted) -> None:
        self.posted = posted
        self.central = Central(folder / "central")
        self.gate = Gate(folder / "state", self.central)
        self.address = f"ipc://{run}/link"
        self.lane = self._lane()
        self.link: Peer[say.ToLink] = Peer(self.address, say.ToLink, bind=False)

    def _lane(self) -> ListsLane:
        return ListsLane(self.address, self.gate.watchlist, self.posted)

    def come_round(self) -> None:
        """One round that believes the central folder directly: how bytes travel is tested elsewhere."""
        if self.lane._updater is None:
            self.lane._due = float("inf")
            come_round(self.lane.lane)
            self.lane._updater = self.gate.updater
            self.lane._due = 0.0
        come_round(self.lane.lane)

    def close(self) -> None:
        leave(self.lane.lane)
        self.link.close()
        self.gate.watchlist.close()


@pytest.fixture
def bench(tmp_path: Path, run: Path, posted: Posted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    wait = Link.wait
    monkeypatch.setattr(Link, "wait", lambda link, timeout_s: wait(link, min(timeout_s, 0.05)))
    one = Bench(tmp_path, run, posted)
    yield one
    one.close()


def test_the_first_list_makes_the_gate_ready(bench: Bench, posted: Posted) -> None:
    bench.central.publish(document("X0000001"))
    bench.come_round()
    assert posted.kinds() == ["ListsChanged", "DeviceReady"]
    assert posted.of(ev.DeviceReady)[0].device is Device.WATCHLIST
    assert bench.gate.watchlist.version == 1
    bench.central.publish(document("X0000002"))
    bench.lane._due = 0.0
    bench.come_round()
    assert bench.gate.watchlist.version == 2
    assert [change.version for change in posted.of(ev.ListsChanged)] == [1, 2]
    assert posted.of(ev.ListsChanged)[1].sha256 == bench.gate.watchlist.digest


def test_without_any_list_the_reason_is_a_fault_with_its_fix(bench: Bench, posted: Posted) -> None:
    bench.central.down = True
    bench.come_round()
    bench.lane._due = 0.0
    bench.come_round()
    assert posted.faults() == ["link_down"]
    assert "gate-link" in bench.lane.condition.fix("link_down")


def test_with_a_list_a_failed_refresh_is_no_fault(bench: Bench, posted: Posted) -> None:
    bench.central.publish(document("X0000001"))
    bench.come_round()
    bench.central.down = True
    bench.lane._due = 0.0
    bench.come_round()
    assert posted.kinds() == ["ListsChanged", "DeviceReady"]
    assert bench.gate.watchlist.version == 1


def test_a_gate_that_has_a_list_is_ready_before_any_refresh(bench: Bench, posted: Posted) -> None:
    bench.central.publish(document("X0000001"))
    bench.gate.refresh()
    bench.central.down = True
    bench.come_round()
    assert posted.kinds() == ["DeviceReady"]


def test_after_a_failure_it_tries_again_less_and_less_often(bench: Bench) -> None:
    bench.central.down = True
    waits = []
    for _ in range(6):
        bench.lane._due = 0.0
        bench.come_round()
        waits.append(bench.lane._retry_s)
    assert waits == [4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    bench.central.down = False
    bench.central.publish(document("X0000001"))
    bench.lane._due = 0.0
    bench.come_round()
    assert bench.lane._retry_s == module.RETRY_S


def test_an_announcement_brings_the_list_at_once(bench: Bench) -> None:
    bench.central.publish(document("X0000001"))
    bench.come_round()
    bench.central.publish(document("X0000002"))
    bench.come_round()
    assert bench.gate.watchlist.version == 1
    bench.link.send(say.Announced())
    rounds_until(bench.lane.lane, lambda: bench.gate.watchlist.version == 2)


def test_what_gate_link_says_of_the_central_side_is_kept(bench: Bench) -> None:
    bench.central.publish(document("X0000001"))
    bench.come_round()
    assert bench.lane.link_state == "unknown"
    bench.link.send(say.Pong(number=1, camera="live"))
    rounds_until(bench.lane.lane, lambda: bench.lane.link_state == "live")
