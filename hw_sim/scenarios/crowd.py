"""Who and what else is in the way: followers, people in the wrong place, things left behind, families."""

from typing import Final

from gated.core.gate import State
from gated.core.policy import LaneRules
from gated.core.vocabulary import OfficerWord, Outcome, Topology
from hw_sim.lane.bodies import pressed, wheelchair
from hw_sim.lane.geometry import CORRIDOR, ONE_DOOR
from hw_sim.lane.walking import (
    WHEELED_S,
    Await,
    Drop,
    Follow,
    Pause,
    Place,
    Sight,
    Walk,
    enter,
    leave,
    slip_in,
    travel,
)
from hw_sim.scenarios.scenario import Companion, Scenario, Twist

ONE_DOOR_LANE: Final = LaneRules(topology=Topology.ONE_DOOR)
CORRIDOR_LANE: Final = LaneRules(topology=Topology.CORRIDOR)
WIDE_LANE: Final = LaneRules(wide=True)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="piggyback",
        title="Two press through the entry as one: the sensor on the ceiling counts one, the camera two.",
        expected=Outcome.REFUSED,
        reasons=("two_persons",),
        shape=pressed(0.12),
        beside="kurt",
    ),
    Scenario(
        name="wrong-way",
        title="Somebody slips in by the exit while it is open for the traveller.",
        expected=Outcome.REFUSED,
        reasons=("wrong_way", "two_persons"),
        alerts=("wrong_way",),
        holder="emmy",
        plan=(Place(), *enter(), Await(sight=Sight.EXIT_OPEN), Pause(seconds=2.5), *leave()),
        companions=(
            Companion(
                name="intruder",
                plan=(*slip_in(to_m=0.6), Pause(seconds=0.5), *leave()),
                from_exit=True,
                heeds=False,
            ),
        ),
    ),
    Scenario(
        name="loiterer",
        title="The traveller is admitted and stays inside.",
        expected=Outcome.REFERRED,
        reasons=("loitering", "officer_escorts"),
        holder="blaise",
        plan=(Place(), *enter(), Await(sight=Sight.EXIT_OPEN), Pause(seconds=40.0), *leave()),
        officer=OfficerWord.ESCORT,
    ),
    Scenario(
        name="left-bag",
        title="The traveller leaves a bag behind; somebody comes and takes it away.",
        expected=Outcome.ADMITTED,
        reasons=("left_object",),
        alerts=("left_object",),
        holder="sofia",
        plan=(Place(), *enter(), Drop(), *leave()),
        twist=Twist.BAG_IS_FETCHED,
    ),
    Scenario(
        name="obstruction",
        title="A suitcase gets into the closing entry door: it opens again, and the passage goes on.",
        expected=Outcome.ADMITTED,
        visits=(State.ENTRY_CLOSING, State.ENTRY_OPEN, State.ENTRY_CLOSING, State.EXIT_OPEN),
        holder="ada",
        twist=Twist.DOORWAY_IS_BLOCKED,
        cut_in=State.ENTRY_CLOSING,
    ),
    Scenario(
        name="forced-door",
        title="Somebody forces the exit open while the traveller is inside.",
        expected=Outcome.REFERRED,
        reasons=("io_board_door_forced", "officer_escorts"),
        visits=(State.OFFICER, State.REJECT_OUT, State.OUT_OF_SERVICE, State.IDLE),
        holder="kurt",
        officer=OfficerWord.ESCORT,
        twist=Twist.EXIT_IS_FORCED,
    ),
    Scenario(
        name="fire-alarm",
        title="The fire alarm goes off while the traveller is inside: both doors are free at once.",
        expected=Outcome.ABORTED,
        reasons=("emergency",),
        visits=(State.EMERGENCY, State.OUT_OF_SERVICE, State.IDLE),
        holder="emmy",
        twist=Twist.FIRE,
    ),
    Scenario(
        name="wheelchair",
        title="A traveller in a wheelchair passes by themselves.",
        expected=Outcome.ADMITTED,
        holder="blaise",
        shape=wheelchair(),
        walk_s=WHEELED_S,
        low_camera=True,
    ),
    Scenario(
        name="family",
        title="A mother and her small child walk into a wide lane; the officer lets both out.",
        expected=Outcome.ADMITTED,
        reasons=("party",),
        holder="sofia",
        lane=WIDE_LANE,
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
    Scenario(
        name="tailgater",
        title="One door: somebody slips through it close behind the traveller.",
        expected=Outcome.ADMITTED,
        alerts=("tailgating",),
        holder="emmy",
        lane=ONE_DOOR_LANE,
        plan=(
            Place(),
            *enter(ONE_DOOR),
            Await(sight=Sight.EXIT_OPEN),
            Walk(to_m=ONE_DOOR.exit_m),
            Pause(seconds=2.0),
            Walk(to_m=ONE_DOOR.out_m),
        ),
        companions=(
            Companion(
                name="follower",
                plan=(
                    Await(sight=Sight.EXIT_OPEN),
                    Follow(leader="traveller", gap_m=0.62, to_m=ONE_DOOR.out_m),
                ),
                at_m=-1.0,
                walk_s=1.9,
                heeds=False,
            ),
        ),
    ),
    Scenario(
        name="corridor-three-people",
        title="Three walk up the corridor; who has shown no passport meets a closed barrier, and goes back.",
        expected=Outcome.ADMITTED,
        alerts=("not_identified",),
        also=(Outcome.ADMITTED, Outcome.ADMITTED),
        holder="ada",
        lane=CORRIDOR_LANE,
        companions=(
            Companion(
                name="second",
                plan=(
                    Await(sight=Sight.EXIT_OPEN),
                    Walk(to_m=CORRIDOR.decision_m),
                    Pause(seconds=3.0),
                    Walk(to_m=CORRIDOR.reader_m),
                    *travel(CORRIDOR),
                ),
                at_m=-0.8,
                face="kurt",
                aside_m=0.0,
                holder="kurt",
                heeds=False,
            ),
            Companion(
                name="third",
                plan=(Pause(seconds=26.0), Walk(to_m=CORRIDOR.reader_m), *travel(CORRIDOR)),
                at_m=-1.6,
                face="sofia",
                aside_m=0.0,
                holder="sofia",
                heeds=False,
            ),
        ),
    ),
)
