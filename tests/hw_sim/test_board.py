"""The simulated board: polarity, relays that fall back, sensors that stick, edges that get lost."""

import pytest

from hw_sim.lane.board import MIN_LINES, SimulatedBoard, wiring


@pytest.fixture
def board() -> SimulatedBoard:
    return SimulatedBoard(wiring(active_low=("entry_release", "fire")))


def put(board: SimulatedBoard, name: str, *, level: bool) -> None:
    board.put(board.wires[name].offset, level)


def level(board: SimulatedBoard, name: str) -> bool:
    return board.level(board.wires[name].offset)


def test_the_wiring_gives_each_name_its_own_line() -> None:
    settings = wiring()
    board = SimulatedBoard(settings)
    assert sorted(board.by_offset) == list(range(14))
    assert settings.inputs.fire.active_low  # a cut cable reads as fire
    assert board.line_count == MIN_LINES


def test_everything_starts_inactive_whatever_its_polarity(board: SimulatedBoard) -> None:
    assert not any(board.read(name) for name in board.wires)
    assert level(board, "entry_release")
    assert not level(board, "exit_release")


def test_the_programs_level_becomes_active_by_the_wires_polarity(board: SimulatedBoard) -> None:
    put(board, "entry_release", level=False)
    put(board, "exit_release", level=True)
    assert board.read("entry_release")
    assert board.read("exit_release")


def test_an_output_that_is_let_go_falls_back_and_an_input_does_not(board: SimulatedBoard) -> None:
    put(board, "entry_release", level=False)
    board.drive("fire", active=True)
    board.let_go(board.wires["entry_release"].offset)
    board.let_go(board.wires["fire"].offset)
    assert not board.read("entry_release")
    assert board.read("fire")


def test_a_sensor_wins_over_a_program_that_drives_its_line(board: SimulatedBoard) -> None:
    put(board, "occupied", level=True)
    assert not board.read("occupied")


def test_the_world_does_not_drive_outputs(board: SimulatedBoard) -> None:
    with pytest.raises(ValueError, match="entry_release is an output"):
        board.drive("entry_release", active=True)


def test_an_unconnected_line_is_low_and_ignores_writes(board: SimulatedBoard) -> None:
    board.put(15, level=True)
    assert not board.level(15)


def test_a_stuck_sensor_tells_the_truth_again_once_mended(board: SimulatedBoard) -> None:
    board.stick("occupied", active=True)
    board.drive("occupied", active=True)
    board.drive("occupied", active=False)
    assert board.read("occupied")
    board.mend("occupied")
    assert not board.read("occupied")


def test_hooks_hear_changes_only_and_edges_only_of_inputs(board: SimulatedBoard) -> None:
    changes: list[tuple[str, bool]] = []
    edges: list[tuple[int, bool]] = []
    board.on_change(lambda name, active: changes.append((name, active)))
    board.on_edge(lambda offset, to: edges.append((offset, to)))
    for _ in range(2):
        put(board, "exit_release", level=True)
        board.drive("fire", active=True)
    board.lose_edges = True
    board.drive("fire", active=False)
    assert changes == [("exit_release", True), ("fire", True), ("fire", False)]
    assert edges == [(board.wires["fire"].offset, False)]


def test_a_loose_plug_makes_edges_and_moves_nothing(board: SimulatedBoard) -> None:
    changes: list[str] = []
    edges: list[bool] = []
    board.on_change(lambda name, _: changes.append(name))
    board.on_edge(lambda _, to: edges.append(to))
    for active in (True, False, True, True):
        board.rattle("document", active)
    assert (changes, edges) == ([], [True, False, True])
    board.drive("document", active=False)
    assert board.read("document"), "it does not listen"
    board.mend("document")
    assert (changes, board.read("document")) == (["document"], False)
