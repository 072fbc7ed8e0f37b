"""Whom the agency's rules let through by themselves: children, foreigners, whoever may not leave."""

from datetime import UTC, datetime, timedelta
from typing import Final

from gated.core.policy import LaneRules
from gated.core.vocabulary import OfficerWord, Outcome
from gated.rules.standing import Standing
from hw_sim.lane.walking import Await, Follow, Sight, leave
from hw_sim.scenarios.people import BANNED_NUMBER, LOST_NUMBER
from hw_sim.scenarios.scenario import Companion, Scenario

PERMITTED_DAYS: Final = 90
WIDE_LANE: Final = LaneRules(wide=True)


def _came(days_ago: int) -> Standing:
    """The centre has an entry of so many days ago, and knows that there is no title of residence."""
    entered = datetime.now(UTC).date() - timedelta(days=days_ago)
    return Standing(entered=entered, permitted_days=PERMITTED_DAYS, residence_title="none")


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="child-under-10",
        title="A child of nine lays down her passport: too young to go alone, she is sent to the counter.",
        expected=Outcome.REFERRED,
        reasons=("under_age",),
        holder="mina",
        age=9,
        crossing="departure",
    ),
    Scenario(
        name="foreigner-departing",
        title="A foreigner departs within the permitted stay, registered nowhere.",
        expected=Outcome.ADMITTED,
        holder="ada",
        nationality="FRA",
        standing=_came(30),
        crossing="departure",
    ),
    Scenario(
        name="overstayer",
        title="A foreigner departs thirty days too late, by the record of the entry.",
        expected=Outcome.REFERRED,
        reasons=("overstay",),
        holder="emmy",
        nationality="FRA",
        standing=_came(PERMITTED_DAYS + 30),
        crossing="departure",
    ),
    Scenario(
        name="exit-ban",
        title="A national who may not leave the country departs: the officers are called at once.",
        expected=Outcome.REFERRED,
        reasons=("exit_ban",),
        alerts=("stopped_by_rules",),
        holder="kurt",
        number=BANNED_NUMBER,
        crossing="departure",
    ),
    Scenario(
        name="lost-document",
        title="Somebody comes with a passport that was reported as lost.",
        expected=Outcome.REFERRED,
        reasons=("watchlist_hit",),
        holder="blaise",
        number=LOST_NUMBER,
        crossing="departure",
    ),
    Scenario(
        name="foreigner-arriving",
        title="A foreigner arrives without title or programme: the lane is not for them.",
        expected=Outcome.REFERRED,
        reasons=("not_served",),
        holder="sofia",
        nationality="FRA",
        standing=Standing(residence_title="none", programmes=(), registered=False),
        crossing="arrival",
    ),
    Scenario(
        name="minor-with-adult",
        title="A mother with her child of nine, who has no passage of her own: the officer lets both out.",
        expected=Outcome.ADMITTED,
        reasons=("party",),
        holder="sofia",
        lane=WIDE_LANE,
        crossing="arrival",
        companions=(
            Companion(
                name="child",
                plan=(
                    Await(sight=Sight.ENTRY_OPEN),
                    Follow(leader="traveller", gap_m=0.7, to_m=1.6),
                    *leave(),
                ),
                at_m=-1.0,
            ),
        ),
        officer=OfficerWord.ACCEPT,
        persons=2,
    ),
)
