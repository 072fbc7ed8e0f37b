"""A lane for two directions through the real daemons: two readers, two scanners, cameras at both ends."""

from pathlib import Path

import pytest

from hw_sim.__main__ import demo_policy
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, LIST
from hw_sim.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_it_serves_both_ends_in_turn_and_heeds_the_officer_who_locks_it(tmp_path: Path) -> None:
    scenario = BY_NAME["port-two-way"]
    with Site(tmp_path / "site", demo_policy(), lane=scenario.lane) as site:
        site.centre.publish(LIST)
        site.centre.serve()
        site.start_daemons()
        rehearsed = Rehearsal(site, scenario, lambda _: None).play()
        assert rehearsed.problems == ()
        assert rehearsed.as_expected
        status = site.status()
        assert status is not None
        assert (status.direction, status.other_end) == ("forward", {})
