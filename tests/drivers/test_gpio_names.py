"""Lines by the names that the chip gives them: found, missing, or there twice."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from drivers.gpio_names import NoLineError, find_line
from gated.core.settings.board import InputLine, IoBoardSettings, Lights, OutputLine, Strip
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer
from tests.drivers.gpio_program import Program

NAMES = ("", "DOOR_ENTRY", "DOOR_EXIT", "", "FIRE", "SPARE", "SPARE")


def named() -> IoBoardSettings:
    """The simulated wiring, with a lock and a sensor by name."""
    plain = wiring()
    return msgspec.structs.replace(
        plain,
        outputs=msgspec.structs.replace(
            plain.outputs, exit_release=OutputLine(line="DOOR_EXIT", active_low=True)
        ),
        inputs=msgspec.structs.replace(plain.inputs, fire=InputLine(line="FIRE LOOP", active_low=True)),
    )


@pytest.fixture
def board() -> SimulatedBoard:
    return SimulatedBoard(named())


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)


@pytest.fixture
def server(folder: Path, board: SimulatedBoard) -> Iterator[GpioServer]:
    with GpioServer(folder, board) as server:
        yield server


def test_a_name_is_found_wherever_it_stands() -> None:
    assert [find_line(NAMES, name) for name in ("DOOR_ENTRY", "DOOR_EXIT", "FIRE")] == [1, 2, 4]


def test_a_missing_name_lists_those_near_to_it() -> None:
    with pytest.raises(
        NoLineError, match="no line has the name DOOR_EXTI: near to it are DOOR_EXIT"
    ) as refused:
        find_line(NAMES, "DOOR_EXTI")
    assert refused.value.code == "no_such_line"


def test_a_name_in_the_wrong_case_is_missing_and_offered() -> None:
    with pytest.raises(NoLineError, match="near to it are FIRE"):
        find_line(NAMES, "fire")


def test_a_name_that_resembles_nothing_says_where_the_names_are() -> None:
    with pytest.raises(NoLineError, match="`gpioinfo` lists the names"):
        find_line(NAMES, "x")


def test_a_chip_without_names_says_so() -> None:
    with pytest.raises(NoLineError, match="names none of its lines, so write the number"):
        find_line(("", "", ""), "DOOR_EXIT")


def test_a_name_that_two_lines_have_is_refused_with_both_numbers() -> None:
    with pytest.raises(NoLineError, match="lines 5, 6 all have the name SPARE: write the number") as refused:
        find_line(NAMES, "SPARE")
    assert refused.value.code == "line_ambiguous"


@given(some.lists(some.text(max_size=8), max_size=20), some.text(max_size=8))
def test_a_name_is_found_or_refused_in_one_way(names: list[str], wanted: str) -> None:
    if names.count(wanted) == 1:
        assert find_line(names, wanted) == names.index(wanted)
        return
    with pytest.raises(NoLineError) as refused:
        find_line(names, wanted)
    assert refused.value.code == ("line_ambiguous" if wanted in names else "no_such_line")


@given(some.text(some.characters(codec="latin-1"), min_size=1, max_size=31))
def test_only_names_that_can_be_written_are_ever_offered(name: str) -> None:
    with pytest.raises(NoLineError) as refused:
        find_line([name], name + "X")
    assert str(refused.value).isascii() or not name.isascii()
    if "near to it" in str(refused.value):
        assert name.isascii()
        assert name.isprintable()


@pytest.mark.usefixtures("server")
def test_lines_by_name_are_driven_and_watched_as_those_by_number(board: SimulatedBoard, folder: Path) -> None:
    with Program(folder, named()) as program:
        program.open_board()
        assert not board.read("exit_release")
        program.write("exit_release", active=True)
        assert board.read("exit_release")
        board.drive("fire", active=True)
        program.expect_input("fire", active=True)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("spare", "code", "says"),
    [
        ("DOOR_EXIT", "line_ambiguous", "[io_board.outputs.exit_release] line: on /dev/gpiochip0 lines"),
        (None, "no_such_line", "no line has the name DOOR_EXIT: near to it are DOOR_EXIT_2"),
    ],
)
def test_a_name_that_is_not_clear_releases_nothing_and_names_the_key(
    spare: str | None, code: str, says: str, board: SimulatedBoard, folder: Path, server: GpioServer
) -> None:
    offset = board.wires["exit_release"].offset
    board.line_names[board.line_count - 1] = spare or ""
    if spare is None:
        board.line_names[offset] = "DOOR_EXIT_2"
    with Program(folder, named()) as program:
        answer = program.ask("open")
        assert (answer["error"], answer["kind"]) == (code, "DeviceError")
        assert says in answer["text"]
        assert server.holders == {}


@pytest.mark.usefixtures("server")
def test_a_name_and_a_number_for_one_line_are_told_as_that(board: SimulatedBoard, folder: Path) -> None:
    settings = named()
    number = board.wires["exit_release"].offset
    both = msgspec.structs.replace(settings.outputs, amber=OutputLine(line=number))
    with Program(folder, msgspec.structs.replace(settings, outputs=both)) as program:
        answer = program.ask("open")
    assert answer["error"] == "line_twice"
    assert "[io_board.outputs.amber] and [io_board.outputs.exit_release] are both line" in answer["text"]


def test_a_missing_chip_is_gone_also_when_a_name_is_looked_for(folder: Path) -> None:
    with Program(folder, named()) as program:
        answer = program.ask("open")
    assert (answer["error"], answer["kind"]) == ("no_chip", "DeviceGone")


def test_a_strip_on_a_line_is_an_output_of_the_board(folder: Path) -> None:
    strips = Lights(entry_strip=Strip(line="STRIP"), floor_strips=(Strip(line=40, active_low=True),))
    settings = msgspec.structs.replace(wiring(), lights=strips)
    board = SimulatedBoard(settings)
    with GpioServer(folder, board), Program(folder, settings) as program:
        program.open_board()
        assert not board.read("floor_strip_1")
        for name in ("entry_strip", "floor_strip_1"):
            program.write(name, active=True)
            assert board.read(name)
