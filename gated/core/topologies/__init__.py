"""The kinds of lanes, each with its table. `plan_of(gate)` is the one in force."""

from collections.abc import Mapping

from gated.core.policy import Policy
from gated.core.table import Plan
from gated.core.topologies import corridor, kiosk, mantrap, one_door, port, token_gate
from gated.core.vocabulary import Topology

PLANS: Mapping[Topology, Plan] = {
    Topology.MANTRAP: mantrap.PLAN,
    Topology.ONE_DOOR: one_door.PLAN,
    Topology.CORRIDOR: corridor.PLAN,
    Topology.PORT: port.PLAN,
    Topology.KIOSK: kiosk.PLAN,
    Topology.TOKEN_GATE: token_gate.PLAN,
}


def plan_of(policy: Policy) -> Plan:
    """The plan of the lane that this policy describes."""
    return PLANS[policy.lane.topology]
