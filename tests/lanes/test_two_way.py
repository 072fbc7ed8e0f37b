"""A lane for two directions: whatever is turned and sensed, names and doors mean the right physical ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gpio import OnFault
from gated.core import events as ev
from gated.core.facts import observe
from gated.core.gate import Gate
from gated.core.personal import Personal
from gated.core.policy import LaneRules, Policy
from gated.core.ports import Watch
from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Direction, Door, Topology
from gated.lanes.board import BoardLane
from gated.lanes.dossier import MAX_OPEN, Dossiers
from hw_sim.lane.board import SimulatedBoard, wiring
from tests.lanes.rounds import Posted, come_round
from tests.lanes.test_board import WireBoard

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
BEAMS = ("entry_outer_low", "entry_inner_low", "exit_outer_low", "exit_inner_low")
CURTAINS = tuple(f"{end}_{c}_{h}" for end in Door for c in ("outer", "inner") for h in ("low", "high"))
SENSORS = ("document", "exit_document", "entry_shut", "exit_shut", "occupied", *BEAMS)

POLICY = Policy(
    liveness_threshold=0.5, lane=LaneRules(topology=Topology.PORT, direction=FORWARD, curtains=True)
)


class WholeBoard(WireBoard):
    """Tells every input when it is opened."""

    def open(self) -> None:
        super().open()
        for name, wire in self.hardware.wires.items():
            if not wire.output:
                self._watch(name, self.hardware.read(name))


class TwoWay:
    """The board of a two-way lane, and the facts that the heart has from what it posts."""

    def __init__(self, direction: Direction = FORWARD) -> None:
        self.posted = Posted()
        self.dossiers = Dossiers()
        given_ = wiring(also=("exit_document", *CURTAINS))
        self.hardware = SimulatedBoard(given_)
        for door in Door:
            self.hardware.drive(f"{door}_shut", active=True)
        self.lane = BoardLane(
            given_,
            self.dossiers,
            self.posted,
            self._make,
            direction=direction,
        )
        self.gate = Gate(policy=POLICY, direction=direction)
        come_round(self.lane.lane)
        self.learn()

    def _make(self, _: IoBoardSettings, watch: Watch, on_fault: OnFault) -> WholeBoard:
        self.board = WholeBoard(self.hardware, watch, on_fault)
        return self.board

    def learn(self) -> None:
        """Let the heart learn what was posted since."""
        for event in self.posted:
            self.gate, _ = observe(self.gate, event)
        self.posted.clear()

    def released(self) -> set[str]:
        return {door for door in Door if self.hardware.read(f"{door}_release")}


@dataclass
class Lane:
    """The lane as somebody sees it who stands beside it; its ends are named as they are going forward."""

    walked: Direction = FORWARD
    active: set[str] = field(default_factory=lambda: {"entry_shut", "exit_shut"})

    def end(self, door: Door) -> Literal["entry", "exit"]:
        """Which physical end is the entry, or the exit, now: written out, without the table of the code."""
        match self.walked, door:
            case (Direction.FORWARD, Door.ENTRY) | (Direction.REVERSE, Door.EXIT):
                return "entry"
            case _:
                return "exit"

    def shut(self) -> set[Door]:
        return {door for door in Door if f"{self.end(door)}_shut" in self.active}

    def blocked(self) -> set[Door]:
        beams = {beam for beam in BEAMS if beam in self.active}
        return {door for door in Door if any(beam.startswith(self.end(door)) for beam in beams)}

    def document(self) -> bool:
        return ("document" if self.walked is FORWARD else "exit_document") in self.active

    def other_document(self) -> bool:
        return ("exit_document" if self.walked is FORWARD else "document") in self.active


@dataclass(frozen=True)
class Edge:
    """A sensor changes over."""

    wire: str


@dataclass(frozen=True)
class Turn:
    """The heart wants the lane walked this way."""

    direction: Direction


@dataclass(frozen=True)
class Release:
    """The heart wants this door released, and the other one locked."""

    door: Door


Act = Edge | Turn | Release
ACTS = st.lists(
    st.one_of(
        st.sampled_from(SENSORS).map(Edge),
        st.sampled_from(Direction).map(Turn),
        st.sampled_from(Door).map(Release),
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(start=st.sampled_from(Direction), acts=ACTS)
def test_over_any_turns_and_edges_facts_and_releases_are_those_of_the_right_end(
    start: Direction, acts: Sequence[Act]
) -> None:
    at_once = pytest.MonkeyPatch()
    at_once.setattr("drivers.door.SETTLE_S", 0.0)  # how long a door waits for the other is tested elsewhere
    real, seen = TwoWay(start), Lane(start)
    ever = set[str]()
    real.hardware.on_change(lambda name, active: ever.add(name) if active else None)
    try:
        for act in acts:
            ever.clear()
            allowed = set[str]()
            match act:
                case Edge():
                    seen.active ^= {act.wire}
                    real.hardware.drive(act.wire, active=act.wire in seen.active)
                case Turn():
                    seen.walked = act.direction
                    real.lane.turn(act.direction)
                    assert real.released() == set(), "a lane is turned with both doors locked"
                case Release():
                    other = Door.EXIT if act.door is Door.ENTRY else Door.ENTRY
                    real.lane.lock(other)
                    real.lane.unlock(act.door, 5.0)
                    allowed = {seen.end(act.door)}
                    assert real.released() == allowed
            real.learn()
            assert {name for name in ever if name.endswith("_release")} <= {
                f"{end}_release" for end in allowed
            }
            gate = real.gate
            assert gate.direction is seen.walked
            assert (set(gate.shut), set(gate.blocked)) == (seen.shut(), seen.blocked())
            assert (gate.document, gate.other_document) == (seen.document(), seen.other_document())
            assert gate.persons == ("occupied" in seen.active)
    finally:
        real.lane.close()
        at_once.undo()


@pytest.fixture
def lane() -> Iterator[TwoWay]:
    one = TwoWay()
    yield one
    one.lane.close()


def test_a_lane_whose_doors_cannot_be_locked_is_not_turned(lane: TwoWay) -> None:
    lane.board.broken.add("entry_release")
    assert not lane.lane.turn(REVERSE)
    assert lane.posted.of(ev.LaneTurned) == []
    assert "chip_lost" in lane.posted.faults()
    lane.board.broken.clear()
    come_round(lane.lane.lane)
    lane.posted.clear()
    assert lane.lane.turn(REVERSE)
    assert lane.posted.of(ev.LaneTurned)[0].direction is REVERSE


def test_a_page_at_the_other_end_waits_unread_and_belongs_to_its_document_when_the_lane_is_turned(
    lane: TwoWay,
) -> None:
    lane.hardware.drive("document", active=True)
    lane.hardware.drive("exit_document", active=True)
    assert lane.dossiers.put_page(Personal(b"here"), "document")
    assert lane.dossiers.put_page(Personal(b"there"), "exit_document")
    (here,) = lane.posted.of(ev.DocumentPlaced)
    assert lane.dossiers.take_page(here.passage) == Personal(b"here")
    lane.dossiers.end(here.passage)
    lane.posted.clear()
    lane.lane.turn(REVERSE)
    (there,) = lane.posted.of(ev.DocumentPlaced)
    assert there.passage != here.passage
    assert lane.dossiers.take_page(there.passage) == Personal(b"there")


def test_what_waits_at_both_ends_keeps_its_place_over_two_turns(lane: TwoWay) -> None:
    lane.hardware.drive("document", active=True)
    lane.hardware.drive("exit_document", active=True)
    lane.dossiers.put_page(Personal(b"here"), "document")
    lane.dossiers.put_page(Personal(b"there"), "exit_document")
    lane.lane.turn(REVERSE)
    lane.posted.clear()
    lane.lane.turn(FORWARD)
    (here,) = lane.posted.of(ev.DocumentPlaced)
    assert lane.dossiers.take_page(here.passage) == Personal(b"here")


def test_a_document_that_is_taken_from_the_other_end_leaves_nothing(lane: TwoWay) -> None:
    lane.hardware.drive("exit_document", active=True)
    lane.dossiers.put_page(Personal(b"there"), "exit_document")
    lane.hardware.drive("exit_document", active=False)
    assert lane.dossiers._open == {}


def test_documents_at_the_other_end_push_no_passage_aside(lane: TwoWay) -> None:
    lane.hardware.drive("document", active=True)
    (placed,) = lane.posted.of(ev.DocumentPlaced)
    for _ in range(2 * MAX_OPEN):
        lane.dossiers.begin(f"{_:016x}", lane.dossiers._open[placed.passage].began, "exit_document")
    assert lane.dossiers.is_open(placed.passage)


def test_a_board_that_was_away_forgets_pages_since_another_document_may_lie_there(lane: TwoWay) -> None:
    lane.hardware.drive("exit_document", active=True)
    lane.dossiers.put_page(Personal(b"there"), "exit_document")
    lane.lane.sensors.forget()
    assert all(dossier.page is None for dossier in lane.dossiers._open.values())
