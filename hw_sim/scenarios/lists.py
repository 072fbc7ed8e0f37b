"""What happens to the lists while travellers come: attacks, gaps, and a centre that is away for days."""

from gated.core.gate import State
from gated.core.vocabulary import Outcome
from hw_sim.scenarios.scenario import Scenario, Twist

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="rollback-attack",
        title="Somebody lets the gate see an older state of the lists: it keeps the one that it has.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        twist=Twist.LIST_IS_ROLLED_BACK,
    ),
    Scenario(
        name="forged-snapshot",
        title="Somebody changes the bytes of a new list on their way: the gate goes on with its own.",
        expected=Outcome.ADMITTED,
        holder="blaise",
        twist=Twist.LIST_IS_FORGED,
    ),
    Scenario(
        name="delta-gap",
        title="The gate was away, deltas are missing: it takes the whole list, and knows who is new on it.",
        expected=Outcome.REFERRED,
        reasons=("watchlist_hit",),
        holder="kurt",
        twist=Twist.DELTAS_ARE_MISSING,
    ),
    Scenario(
        name="wanted-other-spelling",
        title="A wanted person stands on the list as somebody else wrote the name; officers are alerted.",
        expected=Outcome.REFERRED,
        reasons=("watchlist_hit",),
        holder="kurt",
        twist=Twist.LISTED_OTHERWISE,
    ),
    Scenario(
        name="central-down-72h",
        title="The centre has been silent for almost 72 hours: the gate decides by its own list.",
        expected=Outcome.ADMITTED,
        holder="sofia",
        twist=Twist.AWAY_FOR_72_HOURS,
    ),
    Scenario(
        name="stale-watchlist",
        title="The centre has been silent for longer than the policy allows: travellers go to the counter.",
        expected=Outcome.REFERRED,
        reasons=("watchlist_stale",),
        holder="ada",
        twist=Twist.AWAY_FOR_LONGER,
    ),
    Scenario(
        name="closed-by-age",
        title="The centre has been silent for a week, so the lane is closed; its next word opens it again.",
        expected=Outcome.ADMITTED,
        holder="blaise",
        twist=Twist.AWAY_FOR_A_WEEK,
        cut_in=State.CLOSED,
        visits=(State.CLOSED, State.DOC_OPTICAL, State.EXIT_OPEN),
    ),
)
