"""The caretaker: the clock and the disk, told on change."""

import os
import time
from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.vocabulary import Device
from gated.lanes import caretaker as module
from gated.lanes.caretaker import CaretakerLane
from gated.runtime.clock import LeapWatch
from gated.store.disk import MIN_FREE, PROBE, SLOW_S, Trouble, probe
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


def test_a_disk_that_is_slow_twice_closes_the_lane_until_it_was_quick_twice(
    tmp_path: Path, posted: Posted, disk: Disk
) -> None:
    slow = Trouble("disk_slow", "see what else writes")
    said = iter([None, slow, None, slow, slow, slow, None, slow, None, None, None])
    lane = CaretakerLane(tmp_path, posted, disk, lambda _: next(said))
    told = []
    for _ in range(11):
        come_round(lane.lane)
        told.append(lane.condition.is_ready)
    assert told == [True] * 4 + [False] * 5 + [True] * 2
    assert posted.faults() == ["disk_slow"]


def test_a_disk_that_refuses_a_record_is_told_at_once(tmp_path: Path, posted: Posted, disk: Disk) -> None:
    lane = CaretakerLane(tmp_path, posted, disk)
    come_round(lane.lane)
    (tmp_path / PROBE).unlink()
    (tmp_path / PROBE).mkdir()
    come_round(lane.lane)
    assert posted.faults() == ["disk_fails"]


def test_a_record_is_written_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(tmp_path) is None
    assert (tmp_path / PROBE).stat().st_size == 512
    real = os.fsync

    def late(file: int) -> None:
        time.sleep(SLOW_S)
        real(file)

    monkeypatch.setattr(os, "fsync", late)
    found = probe(tmp_path)
    assert found is not None
    assert found.code == "disk_slow"
    assert "0.5 s" in found.fix


def test_a_clock_that_leaps_is_an_incident_each_time(tmp_path: Path, posted: Posted, disk: Disk) -> None:
    wall = 1_000_000.0
    lane = CaretakerLane(tmp_path, posted, disk, leaps=LeapWatch(lambda: wall, lambda: 50.0))
    for leap in (0.0, 9.0, -9.0, 3 * 3600.0, 0.0, -3 * 3600.0):
        wall += leap
        come_round(lane.lane)
    incidents = [fault for fault in posted.of(ev.FaultRaised) if fault.code == "clock_leapt"]
    assert [fault.latched for fault in incidents] == [True, True]
    assert "-10800 s" in lane.condition.fix("clock_leapt")
    assert lane.condition.is_ready, "the disk is well, and can take entries"
