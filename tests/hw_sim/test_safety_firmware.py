"""The simulated controller's program against the rules of its page, with the real PC's end before it."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.safety_protocol import Fault, Mode, Output, Reason, Report, State
from drivers.safety_session import Session, SessionOver
from gated.core.vocabulary import Door
from hw_sim.lane.safety_firmware import Firmware, Setting, Wires

ENTRY, EXIT = Door.ENTRY, Door.EXIT
BOTH = frozenset(Door)
NONE: frozenset[Door] = frozenset()
TICK_S = 0.01


class Bench:
    """A controller on a table: its wires, its time, and a PC that renews its wish as long as it lives."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.now = 100.0
        self.wires = Wires()
        numbers = iter(range(1, 1_000_000))
        self.firmware = Firmware(self.setting, self.now, lambda: next(numbers) * 0x9E3779B1)
        self.session: Session | None = None
        self.wished: tuple[int, int, Mode] = (0, 0, Mode.KEEP)
        self.report: Report | None = None
        self.over = ""
        self.on_tick: Callable[[], None] = lambda: None
        self.run(0.5)

    @property
    def released(self) -> frozenset[Door]:
        return self.firmware.released if self.firmware.common else NONE

    def connect(self) -> None:
        self.over = ""
        self.wished = (0, 0, Mode.KEEP)
        self.session = Session(int(self.now * 1000), None, 0.1, 0.4)
        self.run(0.3)

    def wish(
        self, entry_ms: int = 0, exit_ms: int = 0, mode: Mode = Mode.KEEP, *, run_s: float = 0.02
    ) -> None:
        self.wished = (entry_ms, exit_ms, mode)
        if self.session is not None and self.session.is_running:
            self.firmware.hear(self.session.wish(*self.wished, self.now), self.now)
        self.run(run_s)

    def run(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / TICK_S))):
            self.now += TICK_S
            self.wires.feedback = {door: door in self.firmware.released for door in Door}
            self.tick()

    def tick(self) -> None:
        if self.session is not None and self.now >= self.session.due:
            running = self.session.is_running
            said = self.session.wish(*self.wished, self.now) if running else self.session.hello(self.now)
            self.firmware.hear(said, self.now)
        self.firmware.scan(self.wires, self.now)
        self.on_tick()
        said = self.firmware.speak()
        if self.session is None:
            return
        try:
            self.report = [self.report, *self.session.take(said, self.now)][-1]
            self.session.check(self.now)
        except SessionOver as over:
            self.session, self.over = None, over.code


@pytest.fixture
def bench() -> Bench:
    one = Bench()
    one.connect()
    assert one.report is not None
    assert one.report.state is State.RUNNING
    return one


def test_a_release_lasts_as_long_as_its_wish_and_no_longer(bench: Bench) -> None:
    bench.wish(entry_ms=200)
    bench.session = None
    assert bench.released == {ENTRY}
    bench.run(0.16)
    assert bench.released == {ENTRY}
    bench.run(0.04)
    assert bench.released == NONE


def test_no_wish_is_longer_than_the_longest_release() -> None:
    bench = Bench(Setting(max_release_ms=250))
    bench.connect()
    bench.wish(exit_ms=60_000)
    bench.wished = (0, 0, Mode.KEEP)
    bench.session = None
    bench.run(0.26)
    assert bench.released == NONE


def test_a_wish_for_both_doors_releases_neither(bench: Bench) -> None:
    bench.wish(entry_ms=1_000, exit_ms=1_000)
    assert bench.released == NONE
    assert bench.report is not None
    assert bench.report.reason is Reason.INTERLOCK


def test_a_door_waits_until_the_other_one_is_shut(bench: Bench) -> None:
    bench.wish(entry_ms=5_000)
    bench.wires.shut[ENTRY] = False
    bench.wish(exit_ms=60_000, run_s=1.0)
    assert bench.released == NONE
    assert bench.report is not None
    assert bench.report.reason is Reason.INTERLOCK
    bench.wires.shut[ENTRY] = True
    bench.run(0.05)
    assert bench.released == {EXIT}
    assert bench.report.reason is Reason.NONE


def test_a_door_that_is_forced_open_ends_the_release_of_the_other_one_unless_it_only_rattles(
    bench: Bench,
) -> None:
    bench.wish(exit_ms=60_000)
    bench.wires.shut[ENTRY] = False
    bench.run(0.2)
    bench.wires.shut[ENTRY] = True
    bench.run(0.5)
    assert bench.released == {EXIT}
    bench.wires.shut[ENTRY] = False
    bench.run(0.35)
    assert bench.released == NONE


def test_without_a_heartbeat_everything_locks_within_the_deadman_time(bench: Bench) -> None:
    bench.wish(entry_ms=60_000)
    assert bench.session is not None
    session, bench.session = bench.session, None
    bench.run(0.26)
    assert bench.released == {ENTRY}
    bench.run(0.05)
    assert bench.released == NONE
    bench.session = session
    bench.wish(entry_ms=60_000, run_s=0.3)
    assert bench.over == "restarted"  # the session is gone; nothing comes back by itself
    assert bench.released == NONE


def test_the_last_report_of_a_session_says_that_the_heartbeat_was_missing(bench: Bench) -> None:
    assert bench.session is not None
    bench.session.wish = lambda *_: b""  # type: ignore[method-assign]  # the PC is heard no more
    bench.run(0.5)
    assert bench.over == "heartbeat_lost"


def test_a_session_does_not_begin_with_a_release(bench: Bench) -> None:
    bench.session = Session(7, None, 0.1, 0.4)
    bench.wished = (5_000, 0, Mode.KEEP)
    bench.run(0.35)
    assert bench.released == NONE
    assert bench.session is None or bench.report is None or not bench.report.outputs


def test_a_repeated_wish_does_not_keep_a_door_released(bench: Bench) -> None:
    assert bench.session is not None
    bench.wish(entry_ms=60_000)
    stuck = bench.session.wish(60_000, 0, Mode.KEEP, bench.now)
    bench.session = None
    for _ in range(40):
        bench.firmware.hear(stuck, bench.now)
        bench.run(TICK_S)
    assert bench.released == NONE


def test_a_wish_that_answers_an_old_challenge_does_not_count(bench: Bench) -> None:
    assert bench.session is not None
    old = bench.session._challenge
    bench.run(0.5)
    bench.session._challenge = old
    bench.wish(entry_ms=5_000, run_s=TICK_S)
    assert bench.released == NONE


def test_hello_alone_ends_no_session(bench: Bench) -> None:
    bench.wish(entry_ms=60_000)
    bench.firmware.hear(Session(9, None, 0.1, 0.4).hello(bench.now), bench.now)
    bench.run(0.2)
    assert bench.released == {ENTRY}


def test_fire_releases_both_without_a_session_and_until_it_is_ended(bench: Bench) -> None:
    bench.session = None
    bench.run(1.0)
    bench.wires.fire = True
    bench.run(TICK_S)
    assert bench.released == BOTH
    bench.wires.fire = False
    bench.run(10.0)
    assert bench.released == BOTH
    bench.connect()
    bench.run(5.0)
    assert bench.released == BOTH
    bench.wish(mode=Mode.END)
    assert bench.released == NONE


def test_the_end_of_an_emergency_is_not_heard_while_its_cause_lasts_and_a_little_longer(bench: Bench) -> None:
    bench.wires.panic = True
    bench.wish(mode=Mode.END, run_s=1.0)
    assert bench.released == BOTH
    bench.wires.panic = False
    bench.run(1.9)
    assert bench.released == BOTH
    bench.run(0.3)
    assert bench.released == NONE


def test_an_emergency_outlives_the_heartbeat(bench: Bench) -> None:
    bench.wish(mode=Mode.EMERGENCY)
    assert bench.released == BOTH
    bench.session = None
    bench.run(3.0)
    assert bench.released == BOTH


def test_the_pc_declares_no_emergency_where_the_parameter_forbids_it() -> None:
    bench = Bench(Setting(pc_emergency=False))
    bench.connect()
    bench.wish(mode=Mode.EMERGENCY, run_s=0.5)
    assert bench.released == NONE


def test_two_fire_contacts_that_disagree_are_a_fire(bench: Bench) -> None:
    bench.wires.fire_agrees = False
    bench.run(0.05)
    assert bench.released == BOTH
    assert bench.report is not None
    assert bench.report.faults == Fault.FIRE_CHANNELS


def test_a_closing_door_reverses_for_what_is_in_the_doorway_also_without_the_pc(bench: Bench) -> None:
    bench.wish(exit_ms=60_000)
    bench.wires.shut[EXIT] = False
    bench.wish(run_s=0.3)
    assert bench.released == NONE
    bench.wires.obstructed[EXIT] = True
    bench.run(0.05)
    assert bench.released == {EXIT}
    assert bench.report is not None
    assert bench.report.outputs & Output.EXIT_REVERSING
    bench.session = None
    bench.run(2.0)
    assert bench.released == {EXIT}
    bench.wires.obstructed[EXIT] = False
    bench.run(1.1)
    assert bench.released == NONE


def test_a_forced_door_does_not_reverse(bench: Bench) -> None:
    bench.wires.shut[ENTRY] = False
    bench.wires.obstructed[ENTRY] = True
    bench.run(1.0)
    assert bench.released == NONE


@pytest.mark.parametrize(("millivolts", "fault"), [(20_000, Fault.SUPPLY_LOW), (29_000, Fault.SUPPLY_HIGH)])
def test_a_supply_outside_its_limits_locks_until_it_is_right_for_a_second(
    bench: Bench, millivolts: int, fault: Fault
) -> None:
    bench.wish(entry_ms=60_000)
    bench.wires.supply_mv = millivolts
    bench.run(0.05)
    assert bench.released == NONE
    assert bench.report is not None
    assert (bench.report.state, bench.report.faults) == (State.LOCKED_OUT, fault)
    bench.wires.supply_mv = 24_000
    bench.run(0.9)
    assert bench.released == NONE
    bench.run(0.3)
    assert bench.released == {ENTRY}


def test_a_common_relay_that_does_not_fall_back_is_found_while_everything_is_locked(bench: Bench) -> None:
    bench.wires.common_feedback = True
    bench.run(0.2)
    assert bench.report is not None
    assert bench.report.faults == Fault.COMMON_RELAY_STUCK
    bench.wish(entry_ms=5_000)
    assert bench.released == NONE


def test_one_door_needs_no_other_one() -> None:
    bench = Bench(Setting(doors=1))
    bench.wires.shut[EXIT] = False
    bench.connect()
    bench.wish(entry_ms=5_000)
    assert bench.released == {ENTRY}
    bench.wish(exit_ms=5_000)
    assert bench.released == NONE


times_ms = st.sampled_from([0, 0, 50, 400, 5_000, 65_535])
actions = st.one_of(
    st.tuples(st.just("wish"), times_ms, times_ms, st.sampled_from(Mode)),
    st.tuples(st.just("shut"), st.sampled_from(Door), st.booleans()),
    st.tuples(st.just("obstructed"), st.sampled_from(Door), st.booleans()),
    st.tuples(st.sampled_from(["fire", "panic", "fire_agrees", "common_feedback"]), st.booleans()),
    st.tuples(st.just("supply_mv"), st.sampled_from([0, 20_399, 24_000, 65_535])),
    st.tuples(st.sampled_from(["connect", "die"])),
    st.tuples(st.just("noise"), st.binary(max_size=40)),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.2, 0.35, 2.5])),
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(actions, max_size=25))
def test_whatever_happens_the_rules_hold(script: list[tuple]) -> None:
    bench = Bench()
    caused = [False]
    alive_at = [bench.now]

    def look() -> None:
        causes = bench.wires.fire or bench.wires.panic or not bench.wires.fire_agrees
        caused[0] = caused[0] or causes or bench.wished[2] is Mode.EMERGENCY
        if bench.session is not None and bench.session.is_running:
            alive_at[0] = bench.now
        if bench.released == BOTH:
            assert caused[0]
        if causes:
            assert bench.released == BOTH
        reversing = any(leaf.reversing_until > bench.now for leaf in bench.firmware._leaves.values())
        if bench.released and not caused[0] and not reversing:
            assert bench.now - alive_at[0] < bench.setting.deadman_ms / 1000 + 0.05
            assert 20_400 <= bench.wires.supply_mv <= 28_800

    bench.on_tick = look
    bench.connect()
    for name, *given_ in script:
        match name:
            case "wish":
                bench.wish(*given_)
            case "shut" | "obstructed":
                getattr(bench.wires, name)[given_[0]] = given_[1]
            case "connect":
                bench.connect()
            case "die":
                bench.session = None
            case "noise":
                bench.firmware.hear(given_[0], bench.now)
            case "wait":
                bench.run(given_[0])
            case _:
                setattr(bench.wires, name, given_[0])
        bench.run(0.05)
