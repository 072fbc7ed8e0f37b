"""Faults with their way back, through the real daemons: told, nobody admitted, mended, travellers again.

`gate-sim run --faults` plays all of them; here are one of each kind: a sensor, a device, the machine's clock,
and its disk.
"""

import pytest

from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, SCENARIOS
from hw_sim.site import Site

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", ["stuck-sensor", "serial-noise", "clock-jump", "disk-read-only"])
def test_a_fault_is_told_and_mended_and_the_next_traveller_walks_through(site: Site, name: str) -> None:
    site.start_daemons()
    scenario = BY_NAME[name]
    rehearsed = Rehearsal(site, scenario, lambda _: None).play()
    assert rehearsed.problems == ()
    assert rehearsed.outcome is scenario.expected, rehearsed.reasons


def test_every_fault_that_is_mended_says_what_must_be_told_of_it() -> None:
    for scenario in SCENARIOS:
        assert not scenario.way_back or scenario.trouble or scenario.says or scenario.name == "gated-hangs"
