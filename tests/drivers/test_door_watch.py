"""The comparison of a door's sensor with its command, by itself: it names each breach once."""

import threading

from drivers.door import FORCED_S, OPEN_S, SHUT_S, DoorWatch, Leases
from gated.core.ports import DeviceError
from gated.core.vocabulary import Door


def test_a_door_that_does_not_shut_after_its_lease_is_a_breach() -> None:
    watch = DoorWatch()
    assert watch.observe(shut=True, released=True, now=8.0) is None
    assert watch.observe(shut=False, released=True, now=9.0) is None
    assert watch.observe(shut=False, released=False, now=10.0) is None
    assert watch.observe(shut=False, released=False, now=10.0 + SHUT_S - 0.1) is None
    assert watch.observe(shut=False, released=False, now=10.0 + SHUT_S) is DoorWatch.Breach.NOT_SHUT
    assert watch.observe(shut=False, released=False, now=99.0) is None


def test_a_door_that_shut_in_time_and_opens_again_is_forced() -> None:
    watch = DoorWatch()
    watch.observe(shut=False, released=True, now=0.0)
    watch.observe(shut=False, released=False, now=1.0)
    watch.observe(shut=True, released=False, now=2.0)
    assert watch.observe(shut=False, released=False, now=3.0) is None
    assert watch.observe(shut=False, released=False, now=3.1 + FORCED_S) is DoorWatch.Breach.FORCED


def test_a_door_found_open_at_start_gets_the_time_to_shut() -> None:
    watch = DoorWatch()
    watch.observe(shut=False, released=False, now=0.0)
    assert watch.observe(shut=False, released=False, now=SHUT_S - 0.1) is None
    assert watch.observe(shut=False, released=False, now=SHUT_S) is DoorWatch.Breach.NOT_SHUT


def test_a_breach_that_ended_is_told_again_when_it_returns() -> None:
    watch = DoorWatch()
    watch.observe(shut=True, released=False, now=0.0)
    watch.observe(shut=False, released=False, now=1.0)
    assert watch.observe(shut=False, released=False, now=2.0) is DoorWatch.Breach.FORCED
    watch.observe(shut=True, released=False, now=3.0)
    watch.observe(shut=False, released=False, now=4.0)
    assert watch.observe(shut=False, released=False, now=5.0) is DoorWatch.Breach.FORCED


def test_a_door_that_does_not_begin_to_open_when_it_is_released_is_a_breach() -> None:
    watch = DoorWatch()
    watch.observe(shut=True, released=False, now=0.0)
    assert watch.observe(shut=True, released=True, now=10.0) is None
    assert watch.observe(shut=True, released=True, now=10.0 + OPEN_S - 0.1) is None
    assert watch.observe(shut=True, released=True, now=10.0 + OPEN_S) is DoorWatch.Breach.NOT_OPEN
    assert watch.observe(shut=True, released=True, now=99.0) is None
    assert watch.observe(shut=True, released=False, now=100.0) is None
    assert watch.observe(shut=True, released=True, now=101.0) is None
    assert watch.observe(shut=False, released=True, now=101.0 + OPEN_S) is None


def test_a_release_that_ends_before_the_door_moved_is_no_breach() -> None:
    watch = DoorWatch()
    for now in range(20):
        assert watch.observe(shut=True, released=bool(now % 2), now=now * OPEN_S / 2) is None


def test_the_contact_of_a_door_that_the_lane_has_not_is_not_listened_to() -> None:
    looked, asked = threading.Event(), set[Door]()

    class Contacts:
        """Locks that note whose contact is looked at, for two rounds of the watch."""

        rounds = 0

        def release(self, door: Door, at_most_s: float) -> None: ...
        def lock(self, door: Door) -> None: ...

        def is_shut(self, door: Door) -> bool:
            asked.add(door)
            self.rounds += 1
            if self.rounds > len(Door):
                looked.set()
            return door is Door.EXIT  # the line of the other one is not connected

    faults: list[DeviceError] = []
    doors = Leases(Contacts(), 5.0, faults.append, frozenset({Door.EXIT}))
    try:
        assert looked.wait(5.0)
    finally:
        doors.close()
    assert asked == {Door.EXIT}
    assert not faults
