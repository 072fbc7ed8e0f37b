"""The lane for two directions, never both at once: who comes from either end, who keeps it from turning."""

from typing import Final

from gated.core.gate import State
from gated.core.policy import LaneRules
from gated.core.vocabulary import Outcome, Topology
from hw_sim.lane.walking import Await, Pause, Place, Plan, Sight, Take, Walk, enter, leave
from hw_sim.scenarios.scenario import Companion, Scenario, Twist

PORT_LANE: Final = LaneRules(topology=Topology.PORT)
IN_VAIN_S: Final = 3.0  # how long somebody waits for a lane that will not turn

# Whoever meets people who come out lets them go first: the lane is theirs once it was empty. Nobody heeds
# what is told to others: each has their own passage.
_PASS: Final[Plan] = (Place(), Await(sight=Sight.LANE_EMPTY), *enter(), *leave())
_ONE_GOES_THROUGH: Final[Plan] = (Await(sight=Sight.EXIT_OPEN), Await(sight=Sight.LANE_EMPTY))

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="port-two-way",
        title="One departs, one arrives, one departs; an officer locks the direction, and one waits in vain.",
        expected=Outcome.ADMITTED,
        also=(Outcome.ADMITTED, Outcome.ADMITTED),
        visits=(State.EXIT_OPEN, State.CHANGE_OVER, State.EXIT_OPEN, State.CHANGE_OVER, State.EXIT_OPEN),
        holder="ada",
        lane=PORT_LANE,
        companions=(
            Companion(
                name="arriving",
                from_exit=True,
                heeds=False,
                plan=(Await(sight=Sight.EXIT_OPEN), *_PASS),  # while the first goes in at the other end
                face="kurt",
                aside_m=0.0,
                holder="kurt",
            ),
            Companion(
                name="departing",
                heeds=False,
                at_m=-0.8,
                plan=(
                    *_ONE_GOES_THROUGH,
                    Await(sight=Sight.EXIT_OPEN),  # the other one comes in there
                    Walk(to_m=-0.4),
                    *_PASS,
                ),
                face="sofia",
                aside_m=0.0,
                holder="sofia",
            ),
            Companion(
                name="in vain",
                from_exit=True,
                heeds=False,
                at_m=-0.8,
                plan=(
                    *_ONE_GOES_THROUGH,
                    *_ONE_GOES_THROUGH,
                    Await(sight=Sight.EXIT_OPEN),
                    Walk(to_m=-0.4),
                    Place(),
                    Await(sight=Sight.LANE_EMPTY),
                    Pause(seconds=IN_VAIN_S),
                    Take(),
                    Walk(to_m=-2.0),
                ),
                holder="emmy",
            ),
        ),
        twist=Twist.DIRECTION_IS_LOCKED,
    ),
)
