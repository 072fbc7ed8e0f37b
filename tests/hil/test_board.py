"""The I/O board on the kernel's GPIO character device (uAPI v2), served by its own simulator."""

import signal
from collections.abc import Iterator

import pytest

from tests.hil.guest import board
from tests.hil.machine import Machine, RaisedInsideError

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

ENTRY_RELEASE, EXIT_RELEASE, AMBER = 0, 1, 6  # as config/gate.example.toml numbers the lines
DOCUMENT, ENTRY_SHUT, OCCUPIED, FIRE = 8, 9, 11, 13
RESTING = [9, 10, 13]  # both doors shut, and no fire


@pytest.fixture
def chip(machine: Machine) -> Iterator[Machine]:
    """A machine with a board plugged in that nobody has opened."""
    machine.call(board.plug)
    yield machine
    machine.call(board.close_board)
    machine.call(board.unplug)


@pytest.fixture
def opened(chip: Machine) -> Machine:
    """A machine whose board is open."""
    chip.call(board.open_board)
    return chip


def test_the_outputs_begin_inactive_and_go_where_they_are_told(opened: Machine) -> None:
    assert opened.call(board.levels) == RESTING
    opened.call(board.write, name="amber", active=True)
    assert opened.call(board.levels) == [AMBER, *RESTING]
    opened.call(board.write, name="amber", active=False)
    assert opened.call(board.levels) == RESTING


def test_every_input_is_told_at_the_start_and_each_change_after(opened: Machine) -> None:
    assert opened.call(board.heard, name="entry_shut", after_s=0.5) == [True]
    assert opened.call(board.heard, name="fire") == [False]
    opened.call(board.seconds_from_pull_to_word, name="entry_shut", line=ENTRY_SHUT, up=False, active=False)
    opened.call(board.seconds_from_pull_to_word, name="fire", line=FIRE, up=False, active=True)
    assert opened.call(board.heard, name="entry_shut") == [True, False]
    assert opened.call(board.heard, name="fire") == [False, True]
    assert opened.call(board.read, name="fire") is True


def test_a_level_counts_only_after_it_has_held(opened: Machine) -> None:
    took_s = opened.call(
        board.seconds_from_pull_to_word, name="occupied", line=OCCUPIED, up=True, active=True
    )
    assert took_s >= 0.05  # as gate.example.toml has it


def test_more_edges_than_the_kernel_keeps_end_in_the_right_level(opened: Machine) -> None:
    opened.call(board.rattle, line=DOCUMENT, times=501, up=True)
    opened.call(board.await_level, name="document", active=True, within_s=30.0)
    opened.call(board.rattle, line=DOCUMENT, times=500, up=False)
    opened.call(board.await_level, name="document", active=False, within_s=30.0)
    assert opened.call(board.await_fault, within_s=0.5) == []


def test_a_lease_ends_by_itself(opened: Machine) -> None:
    opened.call(board.unlock, door="entry", lease_s=1.0)
    assert ENTRY_RELEASE in opened.call(board.levels)
    assert opened.call(board.seconds_until_down, line=ENTRY_RELEASE, within_s=30.0) <= 1.5
    assert opened.call(board.levels) == RESTING


def test_the_other_door_is_not_released_beside_a_released_one(opened: Machine) -> None:
    opened.call(board.unlock, door="entry", lease_s=10.0)
    with pytest.raises(RaisedInsideError) as raised:
        opened.call(board.unlock, door="exit", lease_s=1.0)
    assert raised.value.code == "interlock"
    assert EXIT_RELEASE not in opened.call(board.levels)


def test_a_line_that_another_program_holds_is_named_busy_and_free_again_when_it_is_killed(
    chip: Machine,
) -> None:
    chip.call(board.hold, line=AMBER)
    with pytest.raises(RaisedInsideError) as raised:
        chip.call(board.open_board)
    assert raised.value.code == "line_busy"
    chip.call(board.signal_holder, number=int(signal.SIGKILL))
    chip.call(board.open_board)


def test_a_killed_program_lets_go_of_its_lines_and_a_stopped_one_does_not(chip: Machine) -> None:
    chip.call(board.hold, line=ENTRY_RELEASE)
    assert chip.call(board.levels) == [ENTRY_RELEASE, *RESTING]
    chip.call(board.signal_holder, number=int(signal.SIGSTOP))
    assert chip.call(board.levels) == [ENTRY_RELEASE, *RESTING]
    chip.call(board.signal_holder, number=int(signal.SIGKILL))
    assert chip.call(board.levels) == RESTING


def test_a_board_that_is_pulled_out_is_told_within_seconds_and_serves_again_after(opened: Machine) -> None:
    opened.call(board.unplug)
    assert opened.call(board.await_fault, within_s=10.0) == ["chip_lost"]
    with pytest.raises(RaisedInsideError) as raised:
        opened.call(board.write, name="amber", active=True)
    assert raised.value.code == "chip_lost"
    opened.call(board.close_board)
    with pytest.raises(RaisedInsideError) as raised:
        opened.call(board.open_board)
    assert raised.value.code == "no_chip"
    opened.call(board.plug)
    opened.call(board.open_board)
    opened.call(board.write, name="amber", active=True)
    assert opened.call(board.levels) == [AMBER, *RESTING]
