"""Light curtains that begin anew after maintenance: nothing is left of hands in beams, what stays is told."""

import time

import pytest

from gated.core import events as ev
from gated.core.curtain import STUCK_S
from gated.core.vocabulary import Device, Door
from gated.lanes.condition import Condition
from gated.lanes.dossier import Dossiers
from gated.lanes.ends import Ends
from gated.lanes.sensors import Sensors
from hw_sim.lane.board import CURTAINS, SimulatedBoard, wiring
from tests.lanes.rounds import Posted

BEAM, OTHER = "entry_outer_low", "exit_inner_high"


class Watched:
    """Both doorways, with all beams free two minutes ago; `now` is when the next thing happens."""

    def __init__(self, posted: Posted) -> None:
        self.now = time.monotonic() - 2 * STUCK_S
        settings = wiring(also=CURTAINS)
        condition = Condition(Device.IO_BOARD, posted)
        self.sensors = Sensors(settings, Ends(SimulatedBoard(settings)), condition, Dossiers(), posted)
        for beam in CURTAINS:
            self.beam(beam, blocked=False)

    def beam(self, name: str, *, blocked: bool) -> None:
        self.sensors.sense(name, blocked, self.now)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.sensors._curtains.elapse(self.now)

    def anew(self) -> None:
        self.sensors.watch_anew()
        self.now = time.monotonic()


@pytest.fixture
def watched(posted: Posted) -> Watched:
    return Watched(posted)


def doorways(posted: Posted) -> list[tuple[Door, bool]]:
    return [(event.door, event.blocked) for event in posted.of(ev.DoorwayChanged)]


def test_a_hand_that_left_a_beam_just_before_is_no_crossing_and_no_fault(
    watched: Watched, posted: Posted
) -> None:
    for beam in CURTAINS[:4]:
        watched.beam(beam, blocked=True)
    watched.after(STUCK_S - 1)
    watched.anew()
    for beam in CURTAINS[:4]:
        watched.beam(beam, blocked=False)
    watched.after(STUCK_S)
    assert posted.faults() == []
    assert doorways(posted)[-1] == (Door.ENTRY, False)
    assert not posted.of(ev.Crossed)


def test_a_beam_that_is_still_interrupted_blocks_its_doorway_and_is_told_again(
    watched: Watched, posted: Posted
) -> None:
    watched.beam(BEAM, blocked=True)
    watched.after(STUCK_S)
    assert posted.faults() == ["entry_beam_stuck"]
    assert doorways(posted) == [(Door.ENTRY, True), (Door.ENTRY, False)], "a stuck beam is left out"
    posted.clear()
    watched.anew()
    assert doorways(posted) == [(Door.ENTRY, True)]
    watched.after(STUCK_S)
    assert posted.faults() == ["entry_beam_stuck"]


def test_a_doorway_that_is_blocked_is_told_free_first(watched: Watched, posted: Posted) -> None:
    watched.beam(OTHER, blocked=True)
    watched.beam(BEAM, blocked=True)
    watched.beam(BEAM, blocked=False)
    posted.clear()
    watched.anew()
    assert doorways(posted) == [(Door.EXIT, False), (Door.EXIT, True)]
