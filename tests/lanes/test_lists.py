"""The lane of lists: what is entered into the journal when a gate goes back to an earlier list."""

import math
from pathlib import Path

from gated.core.events import ListsChanged
from gated.lanes.lists import ListsLane
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
