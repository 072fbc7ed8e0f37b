"""The I/O board driver on unmodified python-periphery, in its own process, over a served /dev/gpiochip0."""

import contextlib
import errno
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.gpio import IoBoard
from gated.core.settings.board import IoBoardSettings
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer
from tests.drivers.gpio_program import Program

# Half of the lines active low, so that a mistake in polarity shows on either kind.
ACTIVE_LOW = ("entry_release", "entry_red", "exit_green", "document", "exit_shut", "fire")
INPUTS = ("document", "entry_shut", "exit_shut", "occupied", "crowded", "fire")
OUTPUTS = (
    "entry_release",
    "exit_release",
    "entry_green",
    "entry_red",
    "exit_green",
    "exit_red",
    "amber",
    "face_light",
)


@pytest.fixture
def settings() -> IoBoardSettings:
    return wiring(active_low=ACTIVE_LOW)


@pytest.fixture
def board(settings: IoBoardSettings) -> SimulatedBoard:
    return SimulatedBoard(settings)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)


@pytest.fixture
def server(folder: Path, board: SimulatedBoard) -> Iterator[GpioServer]:
    with GpioServer(folder, board) as server:
        yield server


@pytest.fixture
def program(folder: Path, settings: IoBoardSettings, server: GpioServer) -> Iterator[Program]:
    del server  # plugged in before the program starts
    with Program(folder, settings) as program:
        yield program


def test_start_reports_every_input_and_releases_nothing(board: SimulatedBoard, program: Program) -> None:
    changes: list[tuple[str, bool]] = []
    board.drive("document", active=True)
    board.drive("exit_shut", active=True)
    board.on_change(lambda name, active: changes.append((name, active)))
    program.open_board()
    told = dict(said["watch"] for said in program.said if "watch" in said)
    assert told == dict.fromkeys(INPUTS, False) | {"document": True, "exit_shut": True}
    assert changes == []
    assert not any(board.read(name) for name in OUTPUTS)


def test_every_output_is_driven_and_read_back(board: SimulatedBoard, program: Program) -> None:
    program.open_board()
    for name in OUTPUTS:
        program.write(name, active=True)
        assert [other for other in OUTPUTS if board.read(other)] == [name]
        assert program.ask("read", name)["value"] is True
        program.write(name, active=False)
    assert not any(board.read(name) for name in OUTPUTS)


def test_every_input_is_watched_both_ways(board: SimulatedBoard, program: Program) -> None:
    program.open_board()
    for name in INPUTS:
        for active in (True, False):
            board.drive(name, active)
            program.expect_input(name, active=active, timeout_s=2)


def test_an_edge_is_told_soon_after_its_debounce_time(board: SimulatedBoard, program: Program) -> None:
    program.open_board()
    began = time.monotonic()
    board.drive("occupied", active=True)
    told = program.expect_input("occupied", active=True)
    assert 0.010 <= told["at"] - began < 0.7  # the second's sweep is not what told


def test_edges_that_are_read_late_are_told_by_the_time_at_which_they_came(
    board: SimulatedBoard, program: Program
) -> None:
    """A busy machine makes no bounce of somebody who walked through a beam, and no runner of a walker."""
    program.open_board()
    came = time.monotonic() - 1.0
    for after_s, active in ((0.0, True), (0.3, False), (0.7, True)):
        board.edge_at = came + after_s
        board.drive("occupied", active)
    board.edge_at = None
    for after_s, active in ((0.0, True), (0.3, False), (0.7, True)):
        told = program.expect_input("occupied", active=active)
        assert told["since"] == pytest.approx(came + after_s + 0.01, abs=0.001)


def test_a_bounce_is_swallowed_and_a_contact_that_settles_is_told_once(
    board: SimulatedBoard, program: Program
) -> None:
    program.open_board()
    board.drive("occupied", active=True)
    board.drive("occupied", active=False)
    assert program.silent_for(0.1)
    for _ in range(5):
        board.drive("occupied", active=True)
        board.drive("occupied", active=False)
    board.drive("occupied", active=True)
    program.expect_input("occupied", active=True)
    assert program.silent_for(0.1)


def test_a_lost_edge_is_made_good_within_a_second(board: SimulatedBoard, program: Program) -> None:
    program.open_board()
    board.lose_edges = True
    board.drive("fire", active=True)
    began = time.monotonic()
    told = program.expect_input("fire", active=True, timeout_s=3)
    assert told["at"] - began < 1.7


def last_told(program: Program, name: str) -> bool:
    """What an input was last told to be."""
    told = [said["watch"][1] for said in program.said if said.get("watch", [""])[0] == name]
    return bool(told[-1])


@contextlib.contextmanager
def rattling(board: SimulatedBoard, name: str) -> Iterator[None]:
    """Let an input flap, as a loose plug does."""
    still = threading.Event()

    def rattle() -> None:
        while not still.wait(0.001):
            for active in (True, False):
                board.drive(name, active)

    thread = threading.Thread(target=rattle)
    thread.start()
    try:
        yield
    finally:
        still.set()
        thread.join()


@pytest.mark.parametrize(("name", "cut"), [("fire", True), ("occupied", True), ("exit_shut", False)])
def test_an_input_that_flaps_is_a_fault_and_counts_as_cut_until_it_is_quiet(
    name: str,
    cut: bool,  # noqa: FBT001 - a case
    folder: Path,
    board: SimulatedBoard,
    settings: IoBoardSettings,
    server: GpioServer,
) -> None:
    del server
    with Program(folder, settings) as program:
        board.drive(name, not cut)
        program.open_board()
        with rattling(board, name):
            fault = program.expect(lambda said: "fault" in said, 15)
            if last_told(program, name) is not cut:  # on a busy machine the line may have held for once
                program.expect_input(name, active=cut, timeout_s=1)
            board.drive("document", active=True)  # the others are heard as before
            program.expect_input("document", active=True, timeout_s=1)
            assert program.silent_for(1.5)
        assert (fault["fault"], fault["kind"]) == ("line_flaps", "LineFlaps")
        assert f"input {name} (line {getattr(settings.inputs, name).line} of /dev/gpiochip0)" in fault["text"]
        board.drive(name, not cut)
        program.expect_input(name, active=not cut, timeout_s=4)
        assert program.ask("read", name)["value"] is not cut


def test_a_missing_chip_names_the_key_to_correct(folder: Path, settings: IoBoardSettings) -> None:
    with Program(folder, settings) as program:
        answer = program.ask("open")
    assert (answer["error"], answer["kind"]) == ("no_chip", "DeviceGone")
    assert "[io_board] chip" in answer["text"]
    assert "/dev/gpiochip0" in answer["text"]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("chip", "code"), [("/dev/null", "not_a_chip"), ("/dev/gpiochip77", "no_chip"), ("/dev/none", "no_chip")]
)
def test_what_is_not_the_chip_is_told_apart(chip: str, code: str, folder: Path) -> None:
    with Program(folder, wiring(chip)) as program:
        assert program.ask("open")["error"] == code


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_chip_without_rights_says_so(number: int, settings: IoBoardSettings) -> None:
    board = IoBoard(settings, lambda _name, _active: None, lambda _error: None)
    error = board._not_had("[io_board.inputs.fire]", 12, OSError(number, "refused"))
    assert error.code == "no_access"
    assert settings.chip in error.fix


@pytest.mark.usefixtures("server")
def test_a_line_that_another_program_holds_is_named(folder: Path, settings: IoBoardSettings) -> None:
    with Program(folder, settings) as first, Program(folder, settings) as second:
        first.open_board()
        answer = second.ask("open")
        assert (answer["error"], answer["kind"]) == ("line_busy", "DeviceError")
        assert f"line {settings.outputs.entry_release.line} " in answer["text"]
        first.ask("close")
        second.open_board()


def test_a_line_that_the_chip_has_not_names_its_key(folder: Path, server: GpioServer) -> None:
    plain = wiring()
    outputs = {name: getattr(plain.outputs, name) for name in OUTPUTS}
    outputs["exit_red"] = type(plain.outputs.exit_red)(line=40)
    wrong = IoBoardSettings(chip=plain.chip, outputs=type(plain.outputs)(**outputs), inputs=plain.inputs)
    with Program(folder, wrong) as program:
        answer = program.ask("open")
    assert answer["error"] == "no_such_line"
    assert "[io_board.outputs.exit_red] line" in answer["text"]
    assert server.holders == {}


def test_an_input_is_not_written(program: Program) -> None:
    program.open_board()
    assert program.write("fire", active=True)["error"] == "not_an_output"


def test_a_closed_board_writes_nothing_and_opens_again(board: SimulatedBoard, program: Program) -> None:
    assert program.write("amber", active=True)["error"] == "not_open"
    program.open_board()
    program.write("amber", active=True)
    program.ask("close")
    program.ask("close")
    assert not board.read("amber")
    assert program.ask("read", "fire")["kind"] == "DeviceGone"
    program.open_board()
    program.write("amber", active=True)
    assert board.read("amber")


def test_a_vanished_chip_is_told_at_once_and_its_return_is_usable(
    folder: Path, board: SimulatedBoard, settings: IoBoardSettings
) -> None:
    server = GpioServer(folder, board)
    server.start()
    with Program(folder, settings) as program:
        program.open_board()
        program.write("entry_release", active=True)
        began = time.monotonic()
        server.close()
        fault = program.expect(lambda said: "fault" in said, 2)
        assert (fault["fault"], fault["kind"]) == ("chip_lost", "DeviceGone")
        assert fault["at"] - began < 0.7
        assert not board.read("entry_release")
        assert program.write("entry_release", active=True)["kind"] == "DeviceGone"
        assert program.ask("read", "fire")["error"] == "chip_lost"
        program.ask("close")
        assert program.ask("open")["error"] == "no_chip"
        with GpioServer(folder, board):
            program.open_board()
            program.write("entry_release", active=True)
            assert board.read("entry_release")


def test_a_killed_program_lets_every_output_fall_back(
    board: SimulatedBoard, program: Program, server: GpioServer
) -> None:
    program.open_board()
    for name in OUTPUTS:
        program.write(name, active=True)
    assert set(server.holders) == {*INPUTS, *OUTPUTS}
    program.kill()
    deadline = time.monotonic() + 2
    while any(board.read(name) for name in OUTPUTS):
        assert time.monotonic() < deadline
        time.sleep(0.01)
