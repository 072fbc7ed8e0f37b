"""The heart alone, under every order of events: no physics is assumed, so it holds for broken sensors too."""

import pytest
from msgspec.structs import replace

from gated.core import events as ev
from gated.core.gate import Gate
from gated.core.step import step
from gated.core.topologies import PLANS
from gated.core.vocabulary import Device, Door, Topology
from gated.proof.abstraction import normal
from gated.proof.builds import Build
from gated.proof.happenings import (
    NEXT,
    OF_A_STATE,
    UTC,
    coming_up,
    deviations,
    service,
    stale,
    started,
)
from gated.proof.invariants import Checks

SENSORS: tuple[ev.AnyEvent, ...] = (
    *(ev.OccupancyChanged(at=0, persons=n) for n in (0, 1, 2)),
    *(ev.DoorMoved(at=0, door=door, shut=shut) for door in Door for shut in (True, False)),
    ev.DocumentPlaced(at=0, passage=NEXT, utc=UTC),
    ev.DocumentRemoved(at=0),
)
ANSWERS: tuple[ev.AnyEvent, ...] = tuple(
    {repr(event): event for events in OF_A_STATE.values() for event in events}.values()  # some hold tables
)


def explore_alone(build: Build, checks: Checks) -> set[Gate]:
    """Every gate that any order of events leads to, with every answer in every state."""
    policy = build.policy
    first = normal(step(Gate(policy=policy), started(policy))[0])
    for event in (*coming_up(policy), ev.DeviceReady(at=0, device=Device.IO_BOARD)):
        first = normal(step(first, event)[0])
    seen, frontier = {first}, [first]
    while frontier:
        gate = frontier.pop()
        most = max(deviations(gate), build.irregular)
        waits = (time for time in (None if gate.expired else gate.due, gate.renew_at) if time is not None)
        time = (ev.DeadlinePassed(at=0, due=due) for due in waits)
        answers = (*ANSWERS, stale(policy)) if gate.passage else ()
        for event in (*SENSORS, *answers, *service(gate), *time):
            after, effects = step(gate, event)
            checks.step(gate, event, after, effects)
            known = normal(after)
            if known not in seen and deviations(known) <= most:
                seen.add(known)
                frontier.append(known)
    return seen


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("topology", [Topology.MANTRAP, Topology.ONE_DOOR, Topology.KIOSK])
def test_the_invariants_of_the_heart_hold_whatever_sensors_say(topology: Topology) -> None:
    build = Build(topology=topology)
    seen = explore_alone(build, Checks())
    without_curtains = {"emergency"}
    assert len(seen) > 1_000
    assert without_curtains <= {gate.state for gate in seen} <= set(PLANS[topology].table)


def test_the_invariants_of_the_heart_hold_whatever_sensors_say_in_a_lane_in_service() -> None:
    build = replace(Build(topology=Topology.TOKEN_GATE), irregular=0)
    assert len(explore_alone(build, Checks())) > 500
