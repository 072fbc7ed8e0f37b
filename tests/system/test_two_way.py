"""A lane for two directions through the real daemons: two readers, two scanners, cameras at both ends."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gated.core.vocabulary import Direction
from gated.runtime import requests as say
from hw_sim.__main__ import demo_policy
from hw_sim.far_end import FarEnd
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, LIST
from hw_sim.site import Site

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

SCENARIO = BY_NAME["port-two-way"]
SOON_S = 15.0
TURN = say.SetDirection(direction=Direction.REVERSE)
TURN_BACK = say.SetDirection(direction=Direction.FORWARD)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("port")
    with Site(folder / "site", demo_policy(), lane=SCENARIO.lane) as site:
        site.centre.publish(LIST)
        site.centre.serve()
        site.start_daemons()
        yield site


def await_status(site: Site, true: Callable[[say.Status], bool]) -> say.Status:
    """Wait until the gate says so."""
    deadline, status = time.monotonic() + SOON_S, None
    while time.monotonic() < deadline:
        status = site.status()
        if status is not None and true(status):
            return status
        time.sleep(0.1)
    pytest.fail(f"the gate says otherwise: {status}")


def test_it_serves_both_ends_in_turn_and_heeds_the_officer_who_locks_it(port: Site) -> None:
    rehearsed = Rehearsal(port, SCENARIO, lambda _: None).play()
    assert rehearsed.problems == ()
    assert rehearsed.as_expected


def test_it_is_not_turned_to_an_end_without_reader_and_turns_away_from_one(port: Site) -> None:
    far = port.far_end
    assert isinstance(far, FarEnd)
    await_status(port, lambda now: now.state == "idle" and not now.other_end)
    port.usb.bus.unplug(far.reader)
    now = await_status(port, lambda now: "chip_reader: not_found" in now.other_end)
    assert (now.state, now.faults) == ("idle", {}), "the present direction is served"
    assert "[port.chip_reader]" in now.other_end["chip_reader: not_found"]
    refused = port.tell(TURN)
    assert isinstance(refused, say.Refused)
    assert refused.reason == "other_end_in_trouble"

    port.usb.bus.plug(far.reader)
    await_status(port, lambda now: not now.other_end)
    assert port.tell(TURN) == say.Done()
    await_status(port, lambda now: (now.state, now.direction) == ("idle", "reverse"))

    port.usb.bus.unplug(far.reader)  # now it is the one in use
    now = await_status(port, lambda now: "chip_reader: not_found" in now.faults)
    assert now.state == "out_of_service"
    assert port.tell(TURN_BACK) == say.Done()
    now = await_status(port, lambda now: (now.state, now.direction) == ("idle", "forward"))
    assert "chip_reader: not_found" in now.other_end
    port.usb.bus.plug(far.reader)
    await_status(port, lambda now: not now.other_end)
