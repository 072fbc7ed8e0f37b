"""The lamp table, its invariants, and that lamps follow it: steady, blinking, never red beside green.

The rule for whoever takes red for green: two patterns that mean different things differ in which lamps burn,
told by their place and shape, or in how they blink. `test_light_strips` holds the strips to the same.
"""

import threading
import time
from collections.abc import Iterator
from itertools import combinations

import pytest

from drivers.lamps import BLINK_S, LAMPS, PATTERNS, Pattern, SignalLamps
from gated.core.gate import State
from gated.core.ports import DeviceError, DeviceGone
from gated.core.screens import TOLD
from hw_sim.lane.board import SimulatedBoard, wiring

BLINK = "blink"
TURN = "in turn"
# pattern: entry green, entry red, exit green, exit red, amber
EXPECTED = {
    "closed": (0, 1, 0, 1, 0),
    "ready": (1, 0, 0, 1, 0),
    "reading": (0, 1, 0, 1, BLINK),
    "enter": (BLINK, 0, 0, 1, 0),
    "wait": (0, 1, 0, 1, 1),
    "go": (0, 1, 1, 0, 0),
    "step_back": (1, 0, 0, 1, BLINK),
    "officer": (0, 1, 0, 1, 1),
    "approach": (1, 0, 0, 1, 1),
    "token": (0, 1, BLINK, 0, 0),
    "free_passage": (1, 0, 1, 0, 0),
    "wrong_end": (0, 1, 0, BLINK, 0),
    "change_over": (0, BLINK, 0, BLINK, TURN),
    "locked": (0, BLINK, 0, BLINK, 0),
    "maintenance": (0, BLINK, 0, BLINK, 1),
    "out_of_service": (0, BLINK, 0, BLINK, BLINK),
    "emergency": (1, 0, 1, 0, 1),
}


class Board:
    """The simulated board's lamps by name; records what burnt after each write."""

    def __init__(self) -> None:
        self.hardware = SimulatedBoard(wiring(active_low=("amber", "exit_red")))
        self.broken = False
        self.history: list[dict[str, bool]] = []

    def read(self, name: str) -> bool:
        return self.hardware.read(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        if self.broken:
            raise DeviceGone("io_board", "chip_lost", "check the cable")
        wire = self.hardware.wires[name]
        self.hardware.put(wire.offset, active != wire.active_low)
        self.history.append({lamp: self.read(lamp) for lamp in LAMPS})


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def faults() -> list[DeviceError]:
    return []


@pytest.fixture
def lamps(board: Board, faults: list[DeviceError]) -> Iterator[SignalLamps]:
    lamps = SignalLamps(board, faults.append)
    yield lamps
    lamps.close()


def test_the_table_is_what_was_agreed() -> None:
    assert set(PATTERNS) == set(EXPECTED)
    for name, pattern in PATTERNS.items():
        assert tuple(does(pattern, lamp) for lamp in LAMPS) == EXPECTED[name], name


def does(pattern: Pattern, lamp: str) -> str | int:
    """What a lamp does in a pattern: dark, lit, or blinking one way or the other."""
    if lamp in pattern.in_turn:
        return TURN
    return BLINK if lamp in pattern.blinking else int(lamp in pattern.steady)


def test_what_means_different_things_differs_in_place_or_rhythm() -> None:
    """Without any hue: lamps are told by where they are (red above green; cross and arrow)."""
    for one, other in combinations(PATTERNS, 2):
        alike = all(does(PATTERNS[one], lamp) == does(PATTERNS[other], lamp) for lamp in LAMPS)
        assert alike is ({one, other} == {"officer", "wait"}), (one, other)  # both say: wait here


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_nothing_blinks_in_turn_with_nothing(name: str) -> None:
    pattern = PATTERNS[name]
    assert pattern.blinking or not pattern.in_turn


def test_every_pattern_that_a_state_asks_for_exists() -> None:
    assert {TOLD[state][2] for state in State} <= set(PATTERNS)


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_each_door_shows_exactly_one_colour(name: str) -> None:
    pattern = PATTERNS[name]
    used = pattern.steady | pattern.blinking | pattern.in_turn
    assert len(used) == len(pattern.steady) + len(pattern.blinking) + len(pattern.in_turn)
    for door in ("entry", "exit"):
        assert len(used & {f"{door}_green", f"{door}_red"}) == 1


def test_blinking_stays_below_three_flashes_a_second() -> None:
    assert 1 / (2 * BLINK_S) < 3


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_lights_its_lamps_at_once(name: str, board: Board, lamps: SignalLamps) -> None:
    lamps.show(name)
    for lamp, wanted in zip(LAMPS, EXPECTED[name], strict=True):
        assert board.read(lamp) is (wanted in {1, BLINK}), lamp


def test_no_change_of_pattern_shows_red_and_green_at_one_door(board: Board, lamps: SignalLamps) -> None:
    for first in PATTERNS:
        for second in PATTERNS:
            lamps.show(first)
            lamps.show(second)
    for moment in board.history:
        assert not (moment["entry_green"] and moment["entry_red"])
        assert not (moment["exit_green"] and moment["exit_red"])


def test_a_blinking_lamp_blinks_and_the_steady_ones_do_not(board: Board, lamps: SignalLamps) -> None:
    changes: list[tuple[str, bool, float]] = []
    lamps.show("enter")
    board.hardware.on_change(lambda name, active: changes.append((name, active, time.monotonic())))
    deadline = time.monotonic() + 10 * BLINK_S
    while len(changes) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [(name, active) for name, active, _ in changes] == [("entry_green", False), ("entry_green", True)]
    assert changes[1][2] - changes[0][2] == pytest.approx(BLINK_S, abs=0.4)


def test_a_lamp_in_turn_is_lit_while_the_others_are_dark(board: Board, lamps: SignalLamps) -> None:
    lamps.show("change_over")
    seen = len(board.history)
    deadline = time.monotonic() + 10 * BLINK_S
    while len(board.history) < seen + 6:  # three lamps, over and back
        assert time.monotonic() < deadline
        time.sleep(0.01)
    turned, back = board.history[seen + 2], board.history[seen + 5]
    assert (turned["entry_red"], turned["exit_red"], turned["amber"]) == (False, False, True)
    assert (back["entry_red"], back["exit_red"], back["amber"]) == (True, True, False)


def test_showing_the_same_again_keeps_the_rhythm_and_mends_the_lamps(
    board: Board, lamps: SignalLamps
) -> None:
    lamps.show("reading")
    deadline = time.monotonic() + 10 * BLINK_S
    while board.read("amber"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    board.hardware.let_go(board.hardware.wires["entry_red"].offset)
    lamps.show("reading")
    assert not board.read("amber")
    assert board.read("entry_red")


def test_a_steady_pattern_ends_the_blinking(board: Board, lamps: SignalLamps) -> None:
    lamps.show("reading")
    lamps.show("closed")
    seen = len(board.history)
    time.sleep(1.5 * BLINK_S)
    assert len(board.history) == seen


def test_an_unknown_pattern_is_a_programming_error(board: Board, lamps: SignalLamps) -> None:
    with pytest.raises(ValueError, match="no lamp pattern 'disco': use one of closed, ready"):
        lamps.show("disco")
    assert board.history == []


def test_a_lamp_that_cannot_be_written_is_raised_or_told_once(
    board: Board, lamps: SignalLamps, faults: list[DeviceError]
) -> None:
    lamps.show("reading")
    board.broken = True
    time.sleep(2.5 * BLINK_S)
    assert [fault.code for fault in faults] == ["chip_lost"]
    with pytest.raises(DeviceGone):
        lamps.show("closed")
    board.broken = False
    lamps.show("closed")
    assert board.read("entry_red")


def test_closing_ends_the_thread() -> None:
    lamps = SignalLamps(Board(), lambda _error: None)
    lamps.show("reading")
    lamps.close()
    lamps.close()
    assert lamps._thread not in threading.enumerate()
