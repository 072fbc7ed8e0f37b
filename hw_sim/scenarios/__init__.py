"""The scenarios: who comes, with which document, how they behave, what happens besides, how it must end.

Each is a line of its family's table. What a scenario cannot say in its line is a named `Twist`, which
`hw_sim.twists` performs: the central side gone, a second person, the power cut. A new family is a module here
and a name in `SCENARIOS`.
"""

from collections.abc import Mapping

from hw_sim.scenarios import (
    crowd,
    document,
    faults,
    lane,
    lists,
    person,
    port,
    registration,
    rules,
)
from hw_sim.scenarios.people import HOLDERS, LIST, WANTED
from hw_sim.scenarios.scenario import Companion, Scenario, Trouble, Twist

__all__ = ["BY_NAME", "HOLDERS", "LIST", "SCENARIOS", "WANTED", "Companion", "Scenario", "Trouble", "Twist"]

SCENARIOS: tuple[Scenario, ...] = (
    *lane.SCENARIOS,
    *document.SCENARIOS,
    *person.SCENARIOS,
    *faults.SCENARIOS,
    *lists.SCENARIOS,
    *crowd.SCENARIOS,
    *port.SCENARIOS,
    *rules.SCENARIOS,
    *registration.SCENARIOS,
)

BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
