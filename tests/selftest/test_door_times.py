"""How doors are measured: on simulated doors, and on contacts as bad as they come."""

import tomllib

import pytest
from msgspec.structs import replace

from drivers.door import OPEN_S, SHUT_S
from gated.core.vocabulary import Door
from gated.runtime.requests import Mark
from gated.selftest.door_times import (
    Cycle,
    DoorStuckError,
    closing_for,
    debounce_for,
    judge,
    measure,
    proposal,
    run_cycle,
)
from gated.selftest.finding import Verdict
from gated.selftest.gate_line import NotDoneError
from hw_sim.lane.board import wiring
from hw_sim.lane.doorway import CLOSING_S
from tests.selftest.bench import WorldLine

SETTINGS = wiring()


def cycle(door: Door = Door.ENTRY, *, open_s: float = 0.2, shut_s: float = 0.9, gap_s: float = 0.0) -> Cycle:
    return Cycle(door=door, open_s=open_s, shut_s=shut_s, bounces=int(gap_s > 0), longest_gap_s=gap_s)


def codes(cycles: list[Cycle], closing_s: float = 3.0) -> list[str]:
    found = list(judge(cycles, SETTINGS, closing_s))
    assert all(each.fix for each in found if each.verdict is not Verdict.OK)
    return [each.code for each in found]


@pytest.mark.parametrize("door", list(Door))
def test_a_door_is_released_seen_to_open_locked_and_seen_to_shut(door: Door) -> None:
    line = WorldLine()
    measured = run_cycle(line, door)
    assert line.asked == [door, None]
    assert line.world.door(door) == 0.0
    assert measured.open_s < 0.1
    assert measured.shut_s == pytest.approx(CLOSING_S, abs=0.05)
    assert measured.bounces == 0
    assert line.world.violations == ()


def test_a_second_cycle_is_measured_by_its_own_marks() -> None:
    line = WorldLine()
    first, second = run_cycle(line, Door.EXIT), run_cycle(line, Door.EXIT)
    assert second.shut_s == pytest.approx(first.shut_s, abs=0.02)


def test_a_contact_that_bounces_asks_for_twice_its_longest_gap() -> None:
    measured = run_cycle(WorldLine(bounce=(0.002, 0.008)), Door.ENTRY)
    assert measured.bounces == 8
    assert measured.longest_gap_s == pytest.approx(0.008)
    assert measured.shut_s == pytest.approx(CLOSING_S + 0.02, abs=0.05)  # until it came to rest
    assert debounce_for(measured.longest_gap_s) == pytest.approx(0.016, abs=0.0011)
    lines = proposal([measured], SETTINGS)
    contact = tomllib.loads("\n".join(lines))["io_board"]["inputs"]["entry_shut"]
    assert contact["debounce_s"] >= 2 * measured.longest_gap_s


def test_without_edges_the_levels_count_and_bounces_are_not_told() -> None:
    marks = [
        Mark(number=number, at=at, name=name, active=active, bounce=False)
        for number, (at, name, active) in enumerate(
            [
                (1.0, "exit_release", True),
                (1.4, "exit_shut", False),
                (3.0, "exit_release", False),
                (4.2, "exit_shut", True),
            ]
        )
    ]
    measured = measure(Door.EXIT, marks, marks[0], marks[2])
    assert (measured.open_s, measured.shut_s) == (pytest.approx(0.4), pytest.approx(1.2))
    assert measured.bounces is None
    (told,) = judge([measured], SETTINGS, 3.0)
    assert "not told" in told.measured


def test_a_door_that_does_not_open_is_locked_again_and_told() -> None:
    line = WorldLine()
    line.world.jam(Door.EXIT)
    with pytest.raises(DoorStuckError) as caught:
        run_cycle(line, Door.EXIT)
    assert caught.value.finding.code == "door_not_open"
    assert "clear-fault" in caught.value.finding.fix
    assert line.asked[-1] is None


def test_a_door_that_does_not_shut_is_told() -> None:
    line = WorldLine()
    news = line.news

    def jam_when_open() -> tuple[Mark, ...]:
        if line.world.door(Door.ENTRY) == 1.0:
            line.world.jam(Door.ENTRY)
        return news()

    line.news = jam_when_open  # type: ignore[method-assign]
    with pytest.raises(DoorStuckError) as caught:
        run_cycle(line, Door.ENTRY)
    assert caught.value.finding.code == "door_not_shut"


def test_a_contact_that_closes_while_the_door_is_released_is_not_the_end_of_the_cycle() -> None:
    line = WorldLine()
    news = line.news
    touched: list[float] = []

    def touch_when_open() -> tuple[Mark, ...]:
        if line.world.door(Door.ENTRY) == 1.0 and not touched:
            touched.append(line.time)
            line.board.drive("entry_shut", active=True)
            line.board.drive("entry_shut", active=False)
        return news()

    line.news = touch_when_open  # type: ignore[method-assign]
    measured = run_cycle(line, Door.ENTRY)
    assert touched
    assert measured.shut_s == pytest.approx(CLOSING_S, abs=0.05)
    assert line.world.door(Door.ENTRY) == 0.0


def test_a_gate_that_refuses_moves_nothing() -> None:
    line = WorldLine()
    line.refuses = True
    with pytest.raises(NotDoneError, match="not_in_maintenance"):
        run_cycle(line, Door.ENTRY)
    assert line.world.door(Door.ENTRY) == 0.0


def test_each_limit_has_its_warning() -> None:
    assert codes([cycle(), cycle(Door.EXIT)]) == ["", ""]
    assert codes([cycle(shut_s=0.7 * SHUT_S)]) == ["door_slow"]
    assert codes([cycle(open_s=0.7 * OPEN_S)]) == ["door_slow"]
    assert codes([cycle(shut_s=3.1)]) == ["closing_too_short"]
    assert codes([cycle(gap_s=0.010)]) == ["contact_bounces"]  # as long as the debounce time of the example
    assert codes([cycle(), cycle(shut_s=3.1)]) == ["closing_too_short"]  # the worst one counts


def test_what_is_proposed_leaves_room_and_changes_only_what_must() -> None:
    slow = cycle(shut_s=2.0)
    assert closing_for([cycle(), slow]) == 4.0
    assert proposal([cycle(), slow], SETTINGS) == ["[policy.limits]", "closing_s = 4"]
    named = replace(SETTINGS.inputs.exit_shut, line="DOOR_EXIT", active_low=True)
    board = replace(SETTINGS, inputs=replace(SETTINGS.inputs, exit_shut=named))
    (line,) = [text for text in proposal([cycle(Door.EXIT, gap_s=0.02)], board) if "exit_shut" in text]
    assert tomllib.loads(line)["exit_shut"] == {"line": "DOOR_EXIT", "active_low": True, "debounce_s": 0.04}
