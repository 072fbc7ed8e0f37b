"""The lanes that are explored: each topology, built and wired in every way that its table distinguishes.

The policy of each has the fewest tries that still show every row, and somebody must be on duty.
"""

from collections.abc import Mapping
from typing import Literal

from gated.core.policy import DAY_S, LaneRules, Policy
from gated.core.values import Value
from gated.core.vocabulary import Topology

SINGLE = 2  # people in the lane at once, doorways included: one more than may
WIDE = 3
IRREGULAR = 1  # so many things at once are not as they should be: a mode, a fault, the clock, duty, a fire
IN_TROUBLE = 1  # people in the lane at once while something is irregular
CLOSE_S = 90 * DAY_S  # whatever is older than that closes the lane
LATE = 1  # so many sensors at once may still have to tell what has changed


class Build(Value):
    """One lane as it is built, and the bounds that it is explored in.

    `breaks`: each sensor, lock and lease may be the one thing that is broken; `irregular`: so many of mode,
    duty, clock, devices and emergency may be other than in an open, sound lane, then with `people_in_trouble`
    at most in it and nothing broken.
    """

    topology: Topology
    curtains: bool = False
    wide: bool = False
    people: int = SINGLE
    people_in_trouble: int = IN_TROUBLE
    irregular: int = IRREGULAR
    breaks: bool = True
    late: int = LATE
    without_consent: Literal["refer", "admit"] = "refer"

    @property
    def name(self) -> str:
        """Its name in reports."""
        how = (
            self.curtains and "with light curtains",
            self.wide and "wide",
            self.without_consent == "admit" and "passing without consent",
        )
        bounds = f"up to {self.people} people" + (", one thing broken" if self.breaks else "")
        if self.irregular:
            bounds += f", {self.irregular} irregular"
        return " ".join((self.topology, *(each for each in how if each))) + f": {bounds}"

    @property
    def enclosed(self) -> bool:
        """Whether people are between two doors."""
        return self.topology in {Topology.MANTRAP, Topology.PORT, Topology.TOKEN_GATE}

    @property
    def has_exit(self) -> bool:
        """Whether the lane has any door."""
        return self.topology is not Topology.KIOSK

    @property
    def policy(self) -> Policy:
        """What the heart decides by in this lane."""
        return Policy(
            match_threshold=0.5,
            liveness_threshold=0.5,
            mrz_tries=2,
            chip_tries=2,
            captures=2,
            reversals=1,
            calls=2,
            without_consent=self.without_consent,
            watchlist_close_age_s=CLOSE_S,
            rules_close_age_s=CLOSE_S,
            trust_close_age_s=CLOSE_S,
            standings_close_age_s=CLOSE_S,
            lane=LaneRules(topology=self.topology, wide=self.wide, duty_s=600.0, curtains=self.curtains),
        )


def _crowded(topology: Topology, *, curtains: bool, wide: bool = False) -> Build:
    """More people than may, and any one thing broken, in a lane that is in service."""
    people = WIDE if wide else SINGLE
    return Build(
        topology=topology,
        curtains=curtains,
        wide=wide,
        people=people,
        irregular=0,
        without_consent="admit",
    )


def _serviced(topology: Topology, *, curtains: bool) -> Build:
    """One person, and a lane of which one thing is not as in service."""
    return Build(topology=topology, curtains=curtains, people=1, breaks=False)


BUILDS: Mapping[Topology, tuple[Build, ...]] = {
    Topology.MANTRAP: (
        Build(topology=Topology.MANTRAP),
        _crowded(Topology.MANTRAP, curtains=True),
        _crowded(Topology.MANTRAP, curtains=False, wide=True),
    ),
    Topology.ONE_DOOR: (
        _crowded(Topology.ONE_DOOR, curtains=True),
        _serviced(Topology.ONE_DOOR, curtains=True),
    ),
    Topology.CORRIDOR: (
        _crowded(Topology.CORRIDOR, curtains=True),
        _serviced(Topology.CORRIDOR, curtains=True),
    ),
    Topology.PORT: (
        _crowded(Topology.PORT, curtains=False),
        _serviced(Topology.PORT, curtains=False),
    ),
    Topology.KIOSK: (
        Build(topology=Topology.KIOSK, people_in_trouble=SINGLE, irregular=3),
        Build(topology=Topology.KIOSK, people_in_trouble=SINGLE, irregular=1, without_consent="admit"),
    ),
    Topology.TOKEN_GATE: (
        Build(topology=Topology.TOKEN_GATE),
        _crowded(Topology.TOKEN_GATE, curtains=True),
    ),
}
