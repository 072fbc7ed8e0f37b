"""What is put together for one end of a lane, and for both."""

from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.settings.documents import TrustSettings
from gated.core.vocabulary import Device, Direction
from gated.lanes.dossier import Dossiers
from gated.reading import Reading
from gated.store.evidence import Evidence
from gated.trust_files import load_trust
from tests.lanes.rounds import Posted
from tests.test_config import filled, load_text, two_way

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
NEEDED = {Device.MRZ_SCANNER, Device.CHIP_READER, Device.VISION}


def reading(folder: Path, text: str, posted: Posted) -> Reading:
    config = load_text(folder / "gate.toml", text)
    evidence = Evidence(folder / "evidence", keep=False)
    return Reading(config, load_trust(TrustSettings()), Dossiers(), evidence, posted, None)


def test_a_lane_for_one_direction_has_one_end(tmp_path: Path, posted: Posted) -> None:
    one = reading(tmp_path, filled(), posted)
    assert {each.device for each in one.conditions(FORWARD)} == NEEDED
    assert one.conditions(REVERSE) == ()
    assert one.watch is None
    assert [lane.name for lane in one.lanes] == ["mrz-scanner", "chip-reader", "vision"]
    one.chip.condition.failed("unplugged", "plug it in")
    assert posted.faults() == ["unplugged"]


def test_each_end_of_a_lane_for_two_directions_has_its_own(tmp_path: Path, posted: Posted) -> None:
    both = reading(tmp_path, two_way(), posted)
    assert both.watch is not None
    for direction in Direction:
        assert {each.device for each in both.conditions(direction)} == NEEDED
    assert len({id(each) for end in Direction for each in both.conditions(end)}) == 6
    assert len({lane.name for lane in both.lanes}) == len(both.lanes) == 5
    here = both.desks.zone, both.desks.chip
    assert here == (both.zone, both.chip)
    both.desks.turn(REVERSE)
    assert both.desks.zone is not both.zone
    assert both.desks.chip is not both.chip


def test_what_to_do_about_the_other_end_is_known(tmp_path: Path, posted: Posted) -> None:
    both = reading(tmp_path, two_way(), posted)
    chip = next(each for each in both.conditions(REVERSE) if each.device is Device.CHIP_READER)
    chip.failed("unplugged", "check the cable and the ids in [chip_reader]")
    assert [event.code for event in posted.of(ev.OtherDeviceChanged)] == ["unplugged"]
    fix = both.other_fix(FORWARD, Device.CHIP_READER, "unplugged")
    assert fix == "check the cable and the ids in [port.chip_reader]"
    assert both.other_fix(REVERSE, Device.CHIP_READER, "unplugged") == ""


@pytest.fixture
def posted() -> Posted:
    return Posted()


def test_a_lane_that_begins_in_reverse_has_the_other_end_in_use(tmp_path: Path, posted: Posted) -> None:
    both = reading(tmp_path, two_way(('direction = "forward"  ', 'direction = "reverse"  ')), posted)
    assert both.desks.chip is not both.chip
    both.chip.condition.failed("unplugged", "plug it in")
    assert posted.faults() == []
    assert len(posted.of(ev.OtherDeviceChanged)) == 1
