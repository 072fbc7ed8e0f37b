"""The condition of a device: changes are told once and in order, incidents each, fixes by their code."""

import itertools
import threading

from gated.core import events as ev
from gated.core.ports import DeviceGone
from gated.core.vocabulary import Device
from gated.lanes.condition import MAX_CODES, Condition
from tests.lanes.rounds import Posted


def test_changes_are_told_once(posted: Posted) -> None:
    condition = Condition(Device.VISION, posted)
    assert not condition.is_ready
    for _ in range(2):
        condition.ready()
    for code in ("silent", "silent", "frozen"):
        condition.failed(code, f"fix {code}")
    condition.failed_with(DeviceGone("camera", "frozen", "again"))
    condition.ready()
    assert posted.kinds() == ["DeviceReady", "FaultRaised", "FaultRaised", "DeviceReady"]
    assert posted.faults() == ["silent", "frozen"]


def test_a_latched_incident_is_told_each_time_and_leaves_the_condition(posted: Posted) -> None:
    condition = Condition(Device.IO_BOARD, posted)
    condition.ready()
    for _ in range(2):
        condition.failed("door_forced", "go and look", latched=True)
    assert condition.is_ready
    assert [event.latched for event in posted.of(ev.FaultRaised)] == [True, True]


def test_each_fault_keeps_its_own_fix_also_after_another(posted: Posted) -> None:
    condition = Condition(Device.IO_BOARD, posted)
    condition.failed("door_forced", "go and look", latched=True)
    condition.failed("chip_lost", "check the cable")
    condition.ready()
    assert condition.fix("door_forced") == "go and look"
    assert condition.fix("chip_lost") == "check the cable"
    assert condition.fix("never_seen") == ""


def test_a_device_that_makes_up_codes_does_not_fill_the_memory(posted: Posted) -> None:
    condition = Condition(Device.VISION, posted)
    for number in range(10 * MAX_CODES):
        condition.failed(f"code_{number}", "look")
    assert len(condition._fixes) <= MAX_CODES
    assert condition.fix(f"code_{10 * MAX_CODES - 1}") == "look"


def test_the_last_word_that_is_told_is_the_one_that_is_kept(posted: Posted) -> None:
    condition = Condition(Device.IO_BOARD, posted)

    def quarrel(*, ready: bool) -> None:
        for _ in range(500):
            if ready:
                condition.ready()
            else:
                condition.failed("chip_lost", "check the cable")

    threads = [threading.Thread(target=quarrel, kwargs={"ready": ready}) for ready in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(posted[-1], ev.DeviceReady) == condition.is_ready
    told = posted.kinds()
    assert all(one != other for one, other in itertools.pairwise(told))
