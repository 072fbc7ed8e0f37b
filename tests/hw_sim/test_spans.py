from itertools import pairwise

import pytest

from gated.core.gate import State
from hw_sim.lane.ledger import Mark, Span
from hw_sim.telling import spans
from tests.hw_sim.passages import BEGAN, SCENARIOS, citizen, entries_of, rehearsed


def test_stages_are_measured_from_request_to_answer() -> None:
    found = {one.name: one for one in spans.stages(entries_of(citizen()))}
    assert list(found) == list(spans.STAGES)
    lengths = {name: round(one.end - one.start, 3) for name, one in found.items()}
    assert lengths == {
        "mrz": 0.31,
        "chip": 1.61,
        "background": 0.02,
        "photograph": 0.13,
        "enter": 2.3,
        "face": 1.75,
        "decide": 0.0,
    }
    assert found["face"].start < found["enter"].end  # the capture begins while the door still closes


def test_another_try_is_another_span() -> None:
    tries = [one for one in spans.stages(rehearsed("dead-chip").entries) if one.name == "chip"]
    assert [round(one.end - BEGAN, 2) for one in tries] == [2.4, 4.5]
    looks = [one for one in spans.stages(rehearsed("impostor").entries) if one.name == "face"]
    assert len(looks) == 3


def test_between_a_cut_and_the_next_start_the_gate_is_down() -> None:
    run = rehearsed("power-cut")
    states = spans.gate_states(run.entries, run.marks)
    assert all(one.end == two.start for one, two in pairwise(states))
    down = next(one for one in states if one.name == spans.NO_JOURNAL)
    assert (down.start, down.end) == (BEGAN + 5.2, BEGAN + 7.0)
    without = spans.gate_states(run.entries)
    assert next(one.start for one in without if one.name == "down") == pytest.approx(BEGAN + 4.35)


def test_the_lamps_going_out_tell_when_the_power_failed() -> None:
    run = rehearsed("power-cut")
    lamps = [mark for mark in run.marks if mark.kind == "line" and mark.at < BEGAN + 5]
    out = [
        Mark(at=BEGAN + 5.5, kind="line", name=name, state="inactive")
        for name in ("entry_red", "exit_red", "amber")
    ]
    lit_again = Mark(at=BEGAN + 7.01, kind="line", name="exit_red", state="active")
    states = spans.gate_states(run.entries, (*lamps, *out, lit_again))
    assert next(one.start for one in states if one.name == "down") == BEGAN + 5.5
    still_lit = spans.gate_states(run.entries, (*lamps, *out[:2]))
    assert next(one.start for one in still_lit if one.name == "down") == pytest.approx(BEGAN + 4.35)


def line(at: float, state: str) -> Mark:
    return Mark(at=at, kind="line", name="amber", state=state)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((), []),
        ((line(2, "active"), line(3, "inactive")), [(2, 3)]),
        ((line(3, "inactive"),), [(1, 3)]),
        ((line(4, "active"),), [(4, 9)]),
        ((line(0, "active"), line(3, "inactive"), line(8, "active"), line(12, "inactive")), [(1, 3), (8, 9)]),
        ((line(0, "active"),), [(1, 9)]),
        ((line(0, "active"), line(0.5, "inactive")), []),
        ((line(10, "active"),), []),
        ((Mark(at=2, kind="line", name="other", state="active"),), []),
    ],
)
def test_a_line_is_active_between_its_marks(
    marks: tuple[Mark, ...], expected: list[tuple[float, float]]
) -> None:
    found = spans.active(marks, "amber", Span(start=1, end=9))
    assert [(span.start, span.end) for span in found] == expected


def test_a_door_opens_stands_and_closes_and_may_reverse() -> None:
    moves = [
        (1.0, "opening"),
        (1.6, "open"),
        (3.0, "closing"),
        (3.4, "opening"),
        (3.7, "open"),
        (4, "closing"),
        (4.8, "shut"),
    ]
    marks = [Mark(at=at, kind="door", name="entry", state=state) for at, state in moves]
    leaves = spans.leaves(marks, "entry", Span(start=0, end=6))
    assert [leaf.state for leaf in leaves] == ["shut", *(state for _, state in moves)]
    assert [leaf.was for leaf in leaves] == pytest.approx([0, 0, 1, 1, 0.5, 1, 1, 0])
    assert [leaf.became for leaf in leaves] == pytest.approx([0, 1, 1, 0.5, 1, 1, 0, 0])
    window = spans.leaves(marks, "entry", Span(start=1.3, end=3.2))
    assert [(leaf.start, leaf.end) for leaf in window] == [(1.3, 1.6), (1.6, 3.0), (3.0, 3.2)]
    assert window[0].was == pytest.approx(0.5)
    assert window[-1].became == pytest.approx(0.75)


def test_the_gates_states_fill_the_axis_without_gaps() -> None:
    for name in SCENARIOS:
        run = rehearsed(name)
        states = spans.gate_states(run.entries, run.marks)
        assert states[0].start == run.entries[0].event.at
        assert states[-1].end == run.entries[-1].event.at
        assert {one.name for one in states} - {spans.NO_JOURNAL} <= set(State)


def test_a_power_cut_ends_all_stages() -> None:
    run = rehearsed("power-cut")
    face = next(one for one in spans.stages(run.entries, run.marks) if one.name == "face")
    assert face.end == BEGAN + 5.2
