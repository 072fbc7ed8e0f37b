"""Two desks: whose devices count is told by the direction, and what fails at the other end is told apart."""

import pytest

from gated.core import effects as do
from gated.core import events as ev
from gated.core.facts import observe
from gated.core.gate import Gate
from gated.core.policy import LaneRules, Policy
from gated.core.vocabulary import Device, Direction, Topology
from gated.lanes.condition import Condition
from gated.lanes.desks import Desks, EndsWatch
from tests.lanes.rounds import Posted

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
CHIP = Device.CHIP_READER


class Ends:
    """The conditions of a chip reader at each end, and the facts that the heart has of them."""

    def __init__(self, posted: Posted) -> None:
        self.posted = posted
        self.watch = EndsWatch(posted)
        self.chip = {end: Condition(CHIP, self.watch.post_of(end)) for end in Direction}
        policy = Policy(liveness_threshold=0.5, lane=LaneRules(topology=Topology.PORT))
        self.gate = Gate(policy=policy)
        self.alerts: list[str] = []

    def turn(self, direction: Direction) -> None:
        self.posted(ev.LaneTurned(at=1.0, direction=direction))
        self.watch.turn(direction)

    def learn(self) -> Gate:
        for event in self.posted:
            self.gate, effects = observe(self.gate, event)
            self.alerts += [effect.kind for effect in effects if isinstance(effect, do.AlertOfficer)]
        self.posted.clear()
        return self.gate

    def faults(self) -> tuple[list[str], list[str]]:
        """Those of the end in use, and those of the other one."""
        gate = self.learn()
        return sorted(fault.code for fault in gate.faults), sorted(fault.code for fault in gate.other_faults)


@pytest.fixture
def ends(posted: Posted) -> Ends:
    return Ends(posted)


def test_what_fails_at_the_other_end_is_told_and_closes_nothing(ends: Ends) -> None:
    for condition in ends.chip.values():
        condition.ready()
    assert ends.faults() == ([], [])
    ends.chip[REVERSE].failed("unplugged", "plug it in")
    assert ends.faults() == ([], ["unplugged"])
    assert CHIP in ends.gate.ready
    assert ends.alerts == ["other_end_trouble"]
    ends.chip[REVERSE].ready()
    assert ends.faults() == ([], [])


def test_a_turned_lane_has_the_faults_of_its_new_end(ends: Ends) -> None:
    ends.chip[FORWARD].failed("unplugged", "plug it in")
    ends.chip[REVERSE].ready()
    assert ends.faults() == (["unplugged"], [])
    ends.turn(REVERSE)
    assert ends.faults() == ([], ["unplugged"])
    assert CHIP in ends.gate.ready
    ends.turn(FORWARD)
    assert ends.faults() == (["unplugged"], [])
    assert CHIP not in ends.gate.ready


def test_a_turn_says_nothing_of_what_is_well_at_the_end_that_was_left(ends: Ends, posted: Posted) -> None:
    for condition in ends.chip.values():
        condition.ready()
    posted.clear()
    ends.turn(REVERSE)
    assert posted.kinds() == ["LaneTurned", "DeviceReady"]


def test_an_end_that_was_not_heard_of_yet_is_not_taken_for_well(ends: Ends) -> None:
    ends.chip[FORWARD].ready()
    ends.turn(REVERSE)
    assert ends.faults() == (["starting"], [])
    assert CHIP not in ends.gate.ready
    ends.chip[REVERSE].ready()
    assert ends.faults() == ([], [])
    assert CHIP in ends.gate.ready


def test_an_incident_counts_wherever_it_was(ends: Ends) -> None:
    ends.chip[FORWARD].ready()
    ends.chip[REVERSE].failed("tampered", "look at it", latched=True)
    assert ends.faults() == (["tampered"], [])


def test_other_facts_pass_unchanged_from_both_ends(ends: Ends, posted: Posted) -> None:
    read = ev.MrzRead(at=1.0, passage="a" * 16, format="TD3")
    ends.watch.post_of(REVERSE)(read)
    assert posted == [read]


def test_a_lane_for_one_direction_cannot_be_turned() -> None:
    with pytest.raises(KeyError):
        Desks({}).turn(REVERSE)
