"""The lane of lists: what is entered into the journal when a gate goes back to an earlier list."""

import math
import time
from pathlib import Path
from typing import Any

from gated.core.events import ListsChanged
from gated.lanes.lists import REFRESH_S, RETRY_S, ListsLane
from gated.runtime.bus import Peer
from gated.runtime.messages import Announced, ToLink
from gated.store.replication import Failed
from gated.store.watchlist import ask_back
from tests.lanes.rounds import Posted
from tests.store.central_stand_in import Central, Gate, document


def test_a_gate_that_is_asked_goes_back_and_has_it_on_record(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    gate = Gate(tmp_path / "watchlist", central)
    for number in range(2):
        central.publish(document(f"A0000{number}"))
        gate.refresh()
    posted = Posted()
    lane = ListsLane(f"ipc://{tmp_path}/link", gate.watchlist, posted)
    lane._due = math.inf  # nobody answers: what is fetched is no matter here
    assert ask_back(gate.state).content == 1
    lane._turn()
    lane._turn()
    lane._leave()
    changes = posted.of(ListsChanged)
    assert [(event.version, event.sha256) for event in changes] == [(2, gate.watchlist.digest)]
    assert gate.watchlist.content == 1
    gate.watchlist.close()


class NothingComes:
    """A refresh that fails, again and again."""

    def __init__(self) -> None:
        self.asked = 0

    def refresh(self, *_: Any) -> Failed:
        self.asked += 1
        return Failed(code="link_down", fix="")


def test_after_an_announcement_a_refresh_that_fails_is_soon_tried_again(tmp_path: Path) -> None:
    """However long the line was away before, and however rarely it was tried by then."""
    gate = Gate(tmp_path / "watchlist", Central(tmp_path / "central"))
    lane, updater = ListsLane(f"ipc://{tmp_path}/link", gate.watchlist, Posted()), NothingComes()
    lane._due = math.inf
    lane._turn()
    lane._updater, lane._retry_s = updater, REFRESH_S  # type: ignore[assignment]  # what it asks of one
    with Peer[ToLink](f"ipc://{tmp_path}/link", ToLink, bind=False) as link:
        while not updater.asked:
            link.send(Announced())
            lane._turn()
    assert lane._due - time.monotonic() <= RETRY_S
    lane._leave()
    gate.watchlist.close()
