"""The face light: a code that nobody foresees, told before it is played, and played as told."""

import itertools
import time
from collections.abc import Iterator

import pytest

from drivers.face_light import MOST_ALIKE, STEADY_S, STEP_S, STEPS, FaceLight, Switch, draw_code
from gated.core.ports import DeviceError, DeviceGone

LATE_S = 0.15  # by which a busy machine may switch late


class Board:
    """Notes what was written, and when."""

    def __init__(self) -> None:
        self.broken = False
        self.written: list[Switch] = []

    def read(self, name: str) -> bool:
        raise NotImplementedError(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        assert name == "face_light"
        if self.broken:
            raise DeviceGone("io_board", "chip_lost", "check the cable")
        self.written.append(Switch(at=time.monotonic(), on=active))


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def faults() -> list[DeviceError]:
    return []


@pytest.fixture
def light(board: Board, faults: list[DeviceError]) -> Iterator[FaceLight]:
    light = FaceLight(board, faults.append)
    yield light
    light.close()


def wait_for(board: Board, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(board.written) < count and time.monotonic() < deadline:
        time.sleep(0.01)


def test_no_two_codes_need_be_alike_and_each_changes_enough() -> None:
    codes = {draw_code() for _ in range(200)}
    assert len(codes) > 150
    for code in codes:
        assert len(code) == STEPS
        runs = [len(list(same)) for _, same in itertools.groupby(code)]
        assert max(runs) <= MOST_ALIKE


def test_no_more_than_three_flashes_a_second() -> None:
    assert 1 / (2 * STEP_S) <= 3


def test_a_code_is_played_as_it_was_told_and_ends_bright(board: Board, light: FaceLight) -> None:
    told = light.play()
    wait_for(board, len(told))
    assert [switch.on for switch in board.written] == [switch.on for switch in told]
    assert told[-1].on
    for said, done in zip(told, board.written, strict=True):
        assert -0.001 <= done.at - said.at < LATE_S


def test_a_new_code_takes_the_place_of_the_old_one_and_putting_out_ends_it(
    board: Board, light: FaceLight
) -> None:
    light.play()
    second = light.play()
    assert len(second) == STEPS + 2
    assert second[1].at - second[0].at == pytest.approx(STEADY_S)
    light.put_out()
    time.sleep(STEP_S)
    count = len(board.written)
    time.sleep(2 * STEP_S)
    assert len(board.written) == count
    assert not board.written[-1].on


def test_a_lamp_that_cannot_be_written_is_told_once(
    board: Board, light: FaceLight, faults: list[DeviceError]
) -> None:
    board.broken = True
    light.play()
    time.sleep(2 * STEP_S)
    assert [fault.code for fault in faults] == ["chip_lost"]
