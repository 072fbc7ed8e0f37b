"""The loop: journalled before it is done, deadlines kept, nothing unsafe performed, hanging lanes seen."""

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.vocabulary import Door
from gated.runtime.lanes import MAX_JOBS, Lane
from gated.runtime.loop import MAX_INBOX, InboxFullError, Loop, UnsafeEffectError
from gated.store.database import open_to_read
from gated.store.journal import Journal, JournalError, read, verify
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events

PASSAGE = "a" * 16


class Doer:
    """Performs by noting what was asked, and what the journal held at that moment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: list[do.AnyEffect] = []
        self.journalled: list[int] = []

    def __call__(self, effect: do.AnyEffect) -> None:
        self.done.append(effect)
        database = open_to_read(self.path)
        last = list(read(database, last=1))
        database.close()
        is_journalled = bool(last) and effect in last[-1].followed.effects
        assert is_journalled or isinstance(effect, do.LockDoor), "performed before it was journalled"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    yield journal
    journal.close()


def test_every_effect_but_a_lock_is_on_the_disk_before_it_is_performed(
    tmp_path: Path, journal: Journal
) -> None:
    doer = Doer(tmp_path / "journal.db")
    loop = Loop(Gate(policy=POLICY), journal, doer)
    for event in (*start_events(), *citizen(PASSAGE)):
        loop.take(event)
    assert any(isinstance(effect, do.Decide) for effect in doer.done)
    assert verify(open_to_read(tmp_path / "journal.db")).problems == ()


def test_nothing_but_locks_is_performed_when_the_journal_cannot_be_written(journal: Journal) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), journal, done.append)
    journal.close()
    with pytest.raises(JournalError):
        loop.take(start_events()[0])
    assert done == [do.LockDoor(door=door) for door in Door]


class Diskless:
    """A journal whose disk never comes back, as long as `then` says nothing else."""

    def __init__(self, then: list[str]) -> None:
        self.then = then

    def append(self, *_: object) -> int:
        self.then.append("journalled")
        return 1


def test_a_door_locks_and_an_emergency_releases_before_the_disk_is_waited_for() -> None:
    then: list[str] = []
    loop = Loop(
        Gate(policy=POLICY),
        Diskless(then),  # type: ignore[arg-type]  # only what the loop asks of it
        lambda effect: then.append(type(effect).__name__),
    )
    for event in (*start_events(), *citizen(PASSAGE), ev.EmergencyRaised(at=99.0)):
        then.clear()
        loop.take(event)
        before, after = then[: then.index("journalled")], then[then.index("journalled") + 1 :]
        assert set(before) <= {"LockDoor", "ReleaseAll"}
        assert not {"LockDoor", "ReleaseAll"} & set(after)
    assert before == ["ReleaseAll"], "and so it was asked for"


def test_an_exit_without_its_decision_is_refused_below_the_heart(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    for passage in (PASSAGE, None):
        with pytest.raises(UnsafeEffectError):
            loop._check(do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=passage), State.OUT_OF_SERVICE)
    loop._check(do.Decide(passage=PASSAGE, reasons=(), checks=()), State.OUT_OF_SERVICE)
    loop._check(do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=PASSAGE), State.OUT_OF_SERVICE)
    with pytest.raises(UnsafeEffectError):
        loop._check(do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage="b" * 16), State.OUT_OF_SERVICE)


def test_undecided_the_exit_opens_only_for_an_officer_or_a_technician(journal: Journal) -> None:
    unlock = do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=None)
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    for state in State:
        if state in {State.FREE_PASSAGE, State.MAINTENANCE}:
            loop._check(unlock, state)
            continue
        with pytest.raises(UnsafeEffectError):
            loop._check(unlock, state)


def test_whoever_turns_back_in_the_exit_may_go_on_by_the_same_decision(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    unlock = do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=PASSAGE)
    loop._check(do.Decide(passage=PASSAGE, reasons=(), checks=()), State.EXIT_OPEN)
    loop._check(unlock, State.EXIT_OPEN)
    loop._check(do.LockDoor(door=Door.EXIT), State.EXIT_OPEN)
    loop._check(unlock, State.EXIT_OPEN)


def test_a_decision_is_good_for_one_opening(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    unlock = do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=PASSAGE)
    loop._check(do.Decide(passage=PASSAGE, reasons=(), checks=()), State.OUT_OF_SERVICE)
    loop._check(do.LockDoor(door=Door.ENTRY), State.OUT_OF_SERVICE)
    loop._check(unlock, State.OUT_OF_SERVICE)
    loop._check(unlock, State.OUT_OF_SERVICE)  # a renewal
    loop._check(do.LockDoor(door=Door.EXIT), State.OUT_OF_SERVICE)
    with pytest.raises(UnsafeEffectError):
        loop._check(unlock, State.OUT_OF_SERVICE)


def test_both_doors_are_released_in_an_emergency_alone(journal: Journal) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), journal, done.append)
    with pytest.raises(UnsafeEffectError):
        loop._check(do.ReleaseAll(), State.OUT_OF_SERVICE)
    for event in (*start_events(), ev.EmergencyRaised(at=1.0)):
        loop.take(event)
    assert done.count(do.ReleaseAll()) == 1


def test_a_fact_that_finds_no_room_ends_the_loop_and_not_the_thread_that_brought_it(
    journal: Journal,
) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), journal, done.append)
    loop.take(start_events()[0])
    done.clear()
    for _ in range(MAX_INBOX + 1):
        loop.post(ev.DutyChanged(at=0, on=False))  # raises nothing
    with pytest.raises(InboxFullError, match="floods the gate"):
        loop.run(lambda: None)
    assert done == []
    assert journal.head.seq == 1


def test_a_deadline_passes_by_itself(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    for event in start_events():
        loop.take(event)
    began = time.monotonic() - POLICY.limits.optical_s + 0.2
    loop.take(ev.DocumentPlaced(at=began, passage=PASSAGE, utc="2030-01-01T00:00:00Z"))
    thread = threading.Thread(target=loop.run, args=(lambda: None,))
    thread.start()
    deadline = time.monotonic() + 5
    while loop.gate.state is not State.REJECT_OUT and time.monotonic() < deadline:
        time.sleep(0.02)
    loop.stop()
    thread.join(5)
    assert loop.gate.state is State.REJECT_OUT


def test_events_from_other_threads_are_taken_in_order(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    beats: list[float] = []
    for event in (*start_events(), *citizen(PASSAGE)):
        loop.post(event)

    def beat() -> None:
        beats.append(time.monotonic())
        if loop._inbox.empty() and len(beats) > 1:
            loop.stop()

    loop.run(beat)
    assert loop.gate.state is State.IDLE
    assert len(beats) > 1


def test_a_lane_does_its_jobs_in_order_and_turns_between_them() -> None:
    turns, done = [], []
    lane = Lane("test", turn=lambda: turns.append(1), period_s=0.01)
    lane.start()
    for number in range(5):
        lane.ask(lambda number=number: done.append(number))  # type: ignore[misc]  # a default binds the number of this turn
    deadline = time.monotonic() + 5
    while len(done) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    lane.stop()
    assert done == [0, 1, 2, 3, 4]
    assert turns
    assert lane.failure is None


def test_a_lane_that_hangs_is_not_well_and_one_that_fails_keeps_the_cause() -> None:
    release = threading.Event()
    lane = Lane("test", patience_s=0.1)
    lane.start()
    lane.ask(lambda: (release.wait(), None)[1])
    time.sleep(0.3)
    assert not lane.is_well()
    release.set()
    lane.stop()
    broken = Lane("test")
    broken.start()
    broken.ask(lambda: 1 // 0)  # type: ignore[arg-type]  # what it returns is never seen
    deadline = time.monotonic() + 5
    while broken.failure is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(broken.failure, ZeroDivisionError)
    assert not broken.is_well()


def test_a_lane_that_is_hopelessly_behind_refuses_more() -> None:
    lane = Lane("test")
    for _ in range(MAX_JOBS):
        lane.ask(lambda: None)
    with pytest.raises(queue.Full):
        lane.ask(lambda: None)


def test_a_lane_gives_back_what_it_holds_in_its_own_thread_also_after_an_error() -> None:
    left: list[str] = []
    for broken in (False, True):
        lane = Lane("test", leave=lambda: left.append(threading.current_thread().name))
        lane.start()
        if broken:
            lane.ask(lambda: 1 // 0)  # type: ignore[arg-type]  # what it returns is never seen
            deadline = time.monotonic() + 5
            while lane.failure is None and time.monotonic() < deadline:
                time.sleep(0.01)
        lane.stop()
        assert isinstance(lane.failure, ZeroDivisionError) == broken
    assert left == ["test", "test"]


def test_the_first_error_of_a_lane_is_the_cause_whichever_thread_it_came_in() -> None:
    lane = Lane("test")
    seen: list[int] = []
    guarded = lane.guarded(lambda number: seen.append(1 // number))
    guarded(1)
    assert lane.is_well()
    guarded(0)
    lane.guarded(lambda: seen.remove(7))()
    assert seen == [1]
    assert isinstance(lane.failure, ZeroDivisionError)
    assert not lane.is_well()


def test_many_lanes_that_are_busy_are_left_in_bounded_time() -> None:
    release = threading.Event()
    lanes = [Lane(f"test-{number}") for number in range(5)]
    for lane in lanes:
        lane.start()
        lane.ask(lambda: (release.wait(10), None)[1])
    began = time.monotonic()
    for lane in lanes:
        lane.stop(0.0)
    lanes[0].stop(0.2)
    assert time.monotonic() - began < 1.0
    release.set()
    for lane in lanes:
        lane.stop(5.0)
    assert all(lane.failure is None for lane in lanes)
