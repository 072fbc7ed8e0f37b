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

__all__ = [
    "BY_NAME", "DEMO", "HOLDERS", "LIST", "SCENARIOS", "WANTED", "Companion", "Scenario", "Trouble", "Twist"
]  # fmt: skip

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

# What a gate is for, and what it is there to stop, in five minutes.
DEMO: tuple[str, ...] = (
    "citizen", "walk-fast", "placed-wrongly", "two-persons", "wanted-other-spelling", "lost-document",
    "tampered-dg1", "copied-chip", "impostor", "photo-attack", "replay-attack", "masked", "short-child",
    "child-under-10", "overstayer", "foreigner-departing", "first-registration", "new-passport",
    "forged-snapshot", "central-down-72h", "camera-dies", "vision-hangs", "power-cut", "left-bag",
    "obstruction", "fire-alarm", "wheelchair", "family", "corridor-three-people", "port-two-way",
    "kiosk-and-gate",
)  # fmt: skip
