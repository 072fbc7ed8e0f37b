"""The loop: journalled before it is done, deadlines kept, nothing unsafe performed, hanging lanes seen."""

import itertools
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.step import LEASE_S, step
from gated.core.vocabulary import Door, Mode
from gated.runtime.lanes import MAX_JOBS, Lane
from gated.runtime.loop import BEAT_S, MAX_INBOX, InboxFullError, Loop, UnsafeEffectError
from gated.runtime.recorder import HANGS_S, Step
from gated.store.database import open_to_read
from gated.store.journal import Journal, JournalError, read, verify
from tests.core.exploration import POLICY
from tests.core.passages import citizen, start_events

PASSAGE = "a" * 16
IN = {state: Gate(policy=POLICY, state=state) for state in State}


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
        at_once = do.LockDoor | do.AlertOfficer
        assert is_journalled or isinstance(effect, at_once), "performed before it was journalled"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    yield journal
    journal.close()


def test_what_opens_or_shows_anything_is_on_the_disk_before_it_is_performed(
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


class SlowBook:
    """A journal whose disk stands still until it is let on."""

    def __init__(self) -> None:
        self.disk = threading.Event()
        self.kept: list[Step] = []

    def extend(self, steps: list[Step]) -> None:
        assert self.disk.wait(10)
        self.kept += steps

    def check(self) -> None:
        """All is well."""


@pytest.fixture
def book() -> Iterator[SlowBook]:
    book = SlowBook()
    yield book
    book.disk.set()


def reached(loop: Loop) -> State:
    """The state, which a type checker shall not remember from line to line."""
    return loop.gate.state


def test_locks_alarms_and_an_emergency_wait_for_no_disk(book: SlowBook) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), book, done.append)
    expected: list[do.AnyEffect] = []
    for event in (*start_events(), *citizen(PASSAGE), ev.EmergencyRaised(at=99.0)):
        _, effects = step(loop.gate, event)
        expected += [
            each for each in effects if isinstance(each, do.LockDoor | do.ReleaseAll | do.AlertOfficer)
        ]
        loop._begin(event)
        assert done == expected
    assert do.ReleaseAll() in done, "and so it was asked for"
    assert book.kept == []


def test_an_entry_that_closes_on_somebody_opens_again_whatever_the_disk_does(book: SlowBook) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), book, done.append)
    open_the_entry = [*start_events(), *citizen(PASSAGE)[:6]]
    book.disk.set()
    for event in open_the_entry:
        loop.take(event)
    assert reached(loop) is State.ENTRY_OPEN
    book.disk.clear()
    loop._begin(ev.DocumentRemoved(at=1.0))
    loop._begin(ev.OccupancyChanged(at=1.0, persons=1))
    assert reached(loop) is State.ENTRY_CLOSING
    done.clear()
    loop._begin(ev.DoorwayChanged(at=1.1, door=Door.ENTRY, blocked=True))
    assert [type(effect) for effect in done] == [do.UnlockDoor]
    assert book.kept[-1][1] == open_the_entry[-1]


def test_a_first_release_of_the_entry_waits_for_the_disk(book: SlowBook) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), book, done.append)
    for event in (*start_events(), *citizen(PASSAGE)[:5]):
        loop._begin(event)
    assert Door.ENTRY in loop.gate.released
    assert not any(isinstance(effect, do.UnlockDoor) for effect in done)
    book.disk.set()
    loop._settle()
    assert do.UnlockDoor(door=Door.ENTRY, lease_s=LEASE_S, passage=PASSAGE) in done


def test_an_entry_that_was_opened_for_nobody_opens_again_at_once_in_that_stay_alone(
    book: SlowBook,
) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), book, done.append)
    book.disk.set()
    for event in start_events():
        loop.take(event)
    release = do.UnlockDoor(door=Door.ENTRY, lease_s=LEASE_S, passage=None)

    def tried(at: float) -> bool:
        return loop._waits_for_no_disk(release, Gate(policy=POLICY, state=State.REJECT_OUT, since=at))

    assert not tried(5.0)
    loop._check(release, Gate(policy=POLICY, state=State.REJECT_OUT, since=5.0))
    assert tried(5.0)
    assert not tried(6.0), "another stay, of which nothing is on record"


def test_a_disk_that_hangs_withholds_the_beat_so_that_the_watchdog_ends_the_gate(book: SlowBook) -> None:
    beats: list[float] = []
    loop = Loop(Gate(policy=POLICY), book, lambda _: None)
    thread = threading.Thread(target=loop.run, args=(lambda: beats.append(time.monotonic()),))
    thread.start()
    loop.post(start_events()[0])
    time.sleep(HANGS_S + 2 * BEAT_S)
    hung, told = time.monotonic(), len(beats)
    time.sleep(2 * BEAT_S)
    assert [at for at in beats if at > hung] == []
    assert told >= 1
    book.disk.set()
    deadline = time.monotonic() + 5
    while len(beats) == told and time.monotonic() < deadline:
        time.sleep(0.02)
    loop.stop()
    thread.join(5)
    assert len(beats) > told


def test_a_release_that_waits_for_the_disk_is_cancelled_by_a_later_lock(book: SlowBook) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), book, done.append)
    for event in (*start_events(), *citizen(PASSAGE)[:8]):
        loop._begin(event)
    assert reached(loop) is State.ENTRY_CLOSING
    book.disk.set()
    loop._settle()
    assert not any(isinstance(effect, do.UnlockDoor) for effect in done)


DISTURBANCES = (
    ev.EmergencyRaised(at=0),
    ev.EmergencyReset(at=0),
    ev.ModeChanged(at=0, mode=Mode.CLOSED, reason="x"),
    ev.DoorwayChanged(at=0, door=Door.ENTRY, blocked=True),
    ev.OccupancyChanged(at=0, persons=1),
)


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.sampled_from(DISTURBANCES)), st.booleans()), min_size=1, max_size=30
    )
)
def test_however_late_the_disk_is_the_doors_end_as_the_heart_has_them_and_never_both_are_open(
    disturbed: list[tuple[ev.AnyEvent | None, bool]],
) -> None:
    book, doors = SlowBook(), set[Door]()

    def perform(effect: do.AnyEffect) -> None:
        match effect:
            case do.LockDoor():
                doors.discard(effect.door)
            case do.ReleaseAll():
                doors.update(Door)
            case do.UnlockDoor():
                doors.add(effect.door)
                assert doors == {effect.door}

    loop = Loop(Gate(policy=POLICY), book, perform)
    taken: list[ev.AnyEvent] = []
    for event, (disturbance, quick) in zip(
        (*start_events(), *citizen(PASSAGE)), itertools.cycle(disturbed), strict=False
    ):
        for each in (event, *([disturbance] if disturbance else [])):
            loop._begin(each)
            taken.append(each)
        if quick:
            book.disk.set()
            loop._settle()
            assert doors == loop.gate.released
            book.disk.clear()
    book.disk.set()
    loop._settle()
    assert doors == loop.gate.released
    assert [event for _, event, _ in book.kept] == taken
    loop.close()


def test_an_exit_without_its_decision_is_refused_below_the_heart(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    for passage in (PASSAGE, None):
        with pytest.raises(UnsafeEffectError):
            loop._check(do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=passage), IN[State.OUT_OF_SERVICE])
    loop._check(do.Decide(passage=PASSAGE, reasons=(), checks=()), IN[State.OUT_OF_SERVICE])
    loop._check(do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=PASSAGE), IN[State.OUT_OF_SERVICE])
    with pytest.raises(UnsafeEffectError):
        loop._check(do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage="b" * 16), IN[State.OUT_OF_SERVICE])


def test_undecided_the_exit_opens_only_for_an_officer_or_a_technician(journal: Journal) -> None:
    unlock = do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=None)
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    for state in State:
        if state in {State.FREE_PASSAGE, State.MAINTENANCE}:
            loop._check(unlock, IN[state])
            continue
        with pytest.raises(UnsafeEffectError):
            loop._check(unlock, IN[state])


def test_whoever_turns_back_in_the_exit_may_go_on_by_the_same_decision(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    unlock = do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=PASSAGE)
    loop._check(do.Decide(passage=PASSAGE, reasons=(), checks=()), IN[State.EXIT_OPEN])
    loop._check(unlock, IN[State.EXIT_OPEN])
    loop._check(do.LockDoor(door=Door.EXIT), IN[State.EXIT_OPEN])
    loop._check(unlock, IN[State.EXIT_OPEN])


def test_a_decision_is_good_for_one_opening(journal: Journal) -> None:
    loop = Loop(Gate(policy=POLICY), journal, lambda _: None)
    unlock = do.UnlockDoor(door=Door.EXIT, lease_s=1.0, passage=PASSAGE)
    loop._check(do.Decide(passage=PASSAGE, reasons=(), checks=()), IN[State.OUT_OF_SERVICE])
    loop._check(do.LockDoor(door=Door.ENTRY), IN[State.OUT_OF_SERVICE])
    loop._check(unlock, IN[State.OUT_OF_SERVICE])
    loop._check(unlock, IN[State.OUT_OF_SERVICE])  # a renewal
    loop._check(do.LockDoor(door=Door.EXIT), IN[State.OUT_OF_SERVICE])
    with pytest.raises(UnsafeEffectError):
        loop._check(unlock, IN[State.OUT_OF_SERVICE])


def test_both_doors_are_released_in_an_emergency_alone(journal: Journal) -> None:
    done: list[do.AnyEffect] = []
    loop = Loop(Gate(policy=POLICY), journal, done.append)
    with pytest.raises(UnsafeEffectError):
        loop._check(do.ReleaseAll(), IN[State.OUT_OF_SERVICE])
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
