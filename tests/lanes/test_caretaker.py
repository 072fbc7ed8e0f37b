"""The caretaker: the clock and the disk, told on change."""

import os
from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.vocabulary import Device
from gated.lanes import caretaker as module
from gated.lanes.caretaker import MIN_FREE, CaretakerLane
from tests.lanes.rounds import Posted, come_round


class Disk:
    """A disk with as much room as a test says."""

    def __init__(self) -> None:
        self.free = 2 * MIN_FREE
        self.flag = 0

    def __call__(self, path: Path) -> os.statvfs_result:
        fields = list(os.statvfs(path)[:10])
        fields[1], fields[4], fields[8] = 4096, self.free // 4096, self.flag  # f_frsize, f_bavail, f_flag
        return os.statvfs_result(fields)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def lane(tmp_path: Path, posted: Posted, disk: Disk) -> CaretakerLane:
    return CaretakerLane(tmp_path, posted, disk)


def test_the_clock_is_told_on_change(
    lane: CaretakerLane, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for good in (False, False, True, False):
        monkeypatch.setattr(module, "synchronised", lambda good=good: good)
        come_round(lane.lane)
    assert [event.synchronised for event in posted.of(ev.ClockChecked)] == [False, True, False]
    assert posted.of(ev.DeviceReady)[0].device is Device.JOURNAL
    assert len(posted) == 4


def test_a_disk_that_fills_up_closes_the_lane_before_it_is_full(
    lane: CaretakerLane, disk: Disk, posted: Posted
) -> None:
    for free in (MIN_FREE, MIN_FREE - 4096, 0, MIN_FREE):
        disk.free = free
        come_round(lane.lane)
    assert [kind for kind in posted.kinds() if kind != "ClockChecked"] == [
        "DeviceReady",
        "FaultRaised",
        "DeviceReady",
    ]
    assert posted.faults() == ["disk_nearly_full"]
    assert "32 MiB" in lane.condition.fix("disk_nearly_full")


def test_a_disk_that_became_read_only_is_told(lane: CaretakerLane, disk: Disk, posted: Posted) -> None:
    disk.flag = os.ST_RDONLY
    come_round(lane.lane)
    assert posted.faults() == ["disk_read_only"]


def test_a_disk_that_is_gone_is_told_and_the_lane_goes_on(tmp_path: Path, posted: Posted) -> None:
    lane = CaretakerLane(tmp_path / "unmounted", posted)
    come_round(lane.lane)
    assert posted.faults() == ["disk_gone"]
    (tmp_path / "unmounted").mkdir()
    come_round(lane.lane)
    assert isinstance(posted[-1], ev.DeviceReady | ev.FaultRaised)
    assert posted.faults().count("disk_gone") == 1
