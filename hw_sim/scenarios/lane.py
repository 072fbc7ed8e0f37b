"""How people walk through: as they should, in a hurry, watched, or two at once."""

from gated.core.vocabulary import Outcome
from hw_sim.scenarios.scenario import Scenario, Twist

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="citizen",
        title="A traveller with a genuine passport walks through.",
        expected=Outcome.ADMITTED,
    ),
    Scenario(
        name="walk-fast",
        title="The traveller is in a hurry: two metres a second, never standing still.",
        expected=Outcome.ADMITTED,
        holder="sofia",
        walk_s=1.9,
    ),
    Scenario(
        name="bystander",
        title="Somebody stands close behind the traveller, outside the entry, and watches.",
        expected=Outcome.ADMITTED,
        holder="ada",
        twist=Twist.BYSTANDER,
    ),
    Scenario(
        name="two-persons",
        title="A second person slips in close behind.",
        expected=Outcome.REFUSED,
        reasons=("two_persons",),
        holder="sofia",
        twist=Twist.FOLLOWER,
    ),
)
