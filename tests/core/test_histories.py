"""Long random histories of heart and world, with a clock: here is what the exploration leaves out, time."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import BOTH, Gate, State
from gated.core.step import LEASE_S, next_deadline, step
from gated.core.vocabulary import Device, Door, Topology
from gated.proof.abstraction import normal
from gated.proof.builds import Build
from gated.proof.explore import tellings
from gated.proof.happenings import THIS, answers, coming_up, service, started
from gated.proof.invariants import Checks
from gated.proof.world import Broken, Crossing, Kind, Move, World, faults_of, mirrored, moves

SLOWEST_S = 1.0  # the loop takes a deadline this much too late at most


class Lane(RuleBasedStateMachine):
    """A lane at work, for as long as anybody likes."""

    build = Build(topology=Topology.MANTRAP)

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.checks = Checks()
        self.world = World()
        self.leases: dict[Door, float] = {}
        self.gate = Gate(policy=self.build.policy)
        self.take(started(self.build.policy))
        for event in coming_up(self.build.policy):
            self.take(event)
        self.tell_all()
        self.take(ev.DeviceReady(at=0, device=Device.IO_BOARD))

    # --- how events come to the heart ----------------------------------------------------------------

    def take(self, event: ev.AnyEvent) -> None:
        """Step in real time; the driver grants leases. The abstraction must decide alike."""
        before = self.gate
        event = replace(event, at=self.now)
        self.gate, effects = step(before, event)
        self.compare(before, event, effects)
        for effect in effects:
            match effect:
                case do.UnlockDoor():
                    self.leases[effect.door] = self.now + effect.lease_s
                case do.LockDoor():
                    self.leases.pop(effect.door, None)
                case do.ReleaseAll():
                    self.leases = dict.fromkeys(Door, float("inf"))
                case _:
                    pass
        if isinstance(event, ev.LaneTurned):
            self.world = mirrored(self.world)

    def compare(self, before: Gate, event: ev.AnyEvent, effects: tuple[do.AnyEffect, ...]) -> None:
        """What the exploration leaves out of a gate changes none of its decisions."""
        if isinstance(event, ev.GateStarted):
            return
        known = normal(before)
        alike = replace(event, at=0.0)
        passage = before.passage.id if before.passage else None
        if hasattr(alike, "passage") and not isinstance(event, ev.DocumentPlaced):
            alike = replace(alike, passage=THIS if event.passage == passage else "f" * 16)
        if isinstance(event, ev.FaceAssessed) and before.passage is not None:
            alike = replace(alike, attempt=int(event.attempt == before.passage.attempt))
        if isinstance(event, ev.DeadlinePassed):
            alike = replace(alike, due=known.due if event.due == before.due else known.renew_at)
        if isinstance(event, ev.LaneTurned | ev.DirectionWanted):
            return  # directions have other names there
        after, others = step(known, alike)
        assert normal(after) == normal(self.gate)
        assert [type(effect) for effect in others] == [type(effect) for effect in effects]

    def tell_all(self) -> None:
        """Every honest sensor tells what it has to tell."""
        for _ in range(20):
            honest = [t for t in tellings(self.gate, self.world, self.build) if t.honest]
            if not honest:
                return
            self.world = honest[0].to
            self.take(self.named(honest[0].event))
        raise AssertionError("sensors find no end")

    def named(self, event: ev.AnyEvent) -> ev.AnyEvent:
        """Each document begins a passage of its own."""
        if isinstance(event, ev.DocumentPlaced):
            return replace(event, passage=f"{int(self.now * 1000) + 1:016x}")
        if hasattr(event, "passage") and event.passage == THIS and self.gate.passage is not None:
            event = replace(event, passage=self.gate.passage.id)
            if isinstance(event, ev.FaceAssessed):
                old = event.attempt == 0
                event = replace(event, attempt=self.gate.passage.attempt - old)
        return event

    # --- what happens ------------------------------------------------------------------------------------

    @rule(data=st.data())
    def somebody_moves(self, data: st.DataObject) -> None:
        free = BOTH if self.gate.state is State.EMERGENCY else frozenset(self.leases)
        mine = [
            m for m in moves(self.world, free, self.build, self.build.people) if not m.kind & Kind.MENDING
        ]
        move: Move = data.draw(st.sampled_from(mine))
        if move.kind & Kind.OPENS:
            self.checks.move(self.gate, self.world, move)
        self.world = move.to._replace(out=0)
        self.now += 0.1
        self.tell_all()

    @rule(data=st.data())
    @precondition(lambda self: self.gate.passage is not None)
    def somebody_answers(self, data: st.DataObject) -> None:
        mine = list(answers(self.gate))
        if mine:
            self.now += 0.05
            self.take(self.named(data.draw(st.sampled_from(mine))))

    @rule(data=st.data())
    def somebody_serves(self, data: st.DataObject) -> None:
        self.now += 0.3
        self.take(data.draw(st.sampled_from(list(service(self.gate)))))
        if Device.IO_BOARD not in self.gate.ready:
            self.leases.clear()
            self.tell_all()
            self.take(ev.DeviceReady(at=0, device=Device.IO_BOARD))

    @rule(broken=st.sampled_from(Broken))
    def something_breaks_or_is_mended(self, broken: Broken) -> None:
        if broken in faults_of(self.build):
            self.world = self.world._replace(broken=broken)
            self.tell_all()

    @rule(data=st.data())
    @precondition(lambda self: self.world.broken)
    def something_broken_says_anything(self, data: st.DataObject) -> None:
        false = [t for t in tellings(self.gate, self.world, self.build) if not t.honest]
        if false:
            self.take(self.named(data.draw(st.sampled_from(false)).event))

    @rule(late_s=st.floats(0, SLOWEST_S))
    def time_passes(self, late_s: float) -> None:
        due = next_deadline(self.gate)
        if due is not None:
            self.now = max(self.now, due) + late_s
            self.take(ev.DeadlinePassed(at=0, due=due))

    @rule()
    @precondition(lambda self: self.gate.state is State.CHANGE_OVER)
    def the_board_turns(self) -> None:
        if self.gate.direction is not self.gate.wanted_direction:
            self.world = self.world._replace(untold=Crossing.NONE)
            self.take(ev.LaneTurned(at=0, direction=self.gate.wanted_direction))
            self.tell_all()

    # --- what must hold ------------------------------------------------------------------------------------

    @invariant()
    def the_state_is_safe(self) -> None:
        self.checks.state(self.gate, self.world)
        assert len(self.leases) < len(Door) or self.gate.state is State.EMERGENCY

    @invariant()
    def no_lease_outlives_its_time(self) -> None:
        for door, until in self.leases.items():
            assert door in self.gate.released
            assert until == float("inf") or until - self.now < LEASE_S + 1e-6

    @invariant()
    def a_limit_begins_with_its_state(self) -> None:
        assert self.gate.due is None or self.gate.since <= self.gate.due


def machine(topology: Topology, *, curtains: bool, wide: bool = False) -> type[Lane]:
    """The lane of one topology."""
    build = Build(topology=topology, curtains=curtains, wide=wide, people=3 if wide else 2)
    return type(f"{topology} {curtains} {wide}", (Lane,), {"build": build})


LANES = [
    machine(topology, curtains=curtains)
    for topology in Topology
    for curtains in (True, False)
    if curtains or topology not in {Topology.ONE_DOOR, Topology.CORRIDOR}
] + [machine(Topology.MANTRAP, curtains=True, wide=True)]


def histories(lane: type[Lane], examples: int, steps: int) -> None:
    case = lane.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=[*HealthCheck],
    )
    case("runTest").runTest()


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.__name__)
def test_random_histories_are_safe(lane: type[Lane]) -> None:
    histories(lane, examples=15, steps=80)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.__name__)
def test_many_long_random_histories_are_safe(lane: type[Lane]) -> None:
    histories(lane, examples=60, steps=250)
