"""Which hint reaches the person, with a clock of our own."""

import itertools
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.vocabulary import Hint
from gated.seeing.guide import ALL_WELL, FALL_S, HINT_S, HOLD_S, YIELD_S, Guide

FRAME_S = 0.05
SLACK_S = FRAME_S + 0.001
SETTLED_S = HINT_S + FALL_S + YIELD_S + HOLD_S  # whatever was told before, it has given way by then

CLOSER, STILL, MASK, LEFT = Hint.COME_CLOSER, Hint.STAND_STILL, Hint.TAKE_OFF_MASK, Hint.MOVE_LEFT

Told = list[tuple[float, Hint]]
Frames = list[tuple[float, tuple[Hint, ...]]]


def told(*spells: tuple[float, tuple[Hint, ...]], until: float = 5.0) -> Told:
    """What reaches the person when frames say these hints, each from a time on, 20 frames a second."""
    frames = []
    for number in range(round(until / FRAME_S)):
        now = number * FRAME_S
        frames.append((now, [hints for since, hints in spells if since <= now + 1e-9][-1]))
    return guided(frames)


def guided(frames: Sequence[tuple[float, tuple[Hint, ...]]]) -> Told:
    guide, said = Guide(), []
    for now, hints in frames:
        if (new := guide.advise(hints, now)) is not None:
            said.append((now, new))
    return said


def test_a_hint_that_lasts_is_told_once() -> None:
    ((at, hint),) = told((0, ()), (1, (CLOSER,)))
    assert hint == CLOSER
    assert HOLD_S <= at - 1 <= HOLD_S + SLACK_S


def test_nothing_is_said_to_somebody_who_does_everything_right() -> None:
    assert told((0, ())) == []


def test_a_single_bad_frame_is_nobodys_fault() -> None:
    assert told((0, ()), (1, (STILL,)), (1.05, ()), (2, (CLOSER,)), (2.1, ())) == []


def test_hints_that_alternate_from_frame_to_frame_are_not_told() -> None:
    spells = [(number / 10, ((CLOSER,), (STILL,))[number % 2]) for number in range(50)]
    assert told(*spells) == []


def test_what_every_frame_says_is_told_whatever_else_comes_and_goes() -> None:
    spells = [(number / 10, ((CLOSER, STILL), (LEFT, STILL))[number % 2]) for number in range(50)]
    assert [hint for _, hint in told(*spells)] == [STILL]


def test_the_first_of_several_that_stand_is_told() -> None:
    assert [hint for _, hint in told((0, (MASK, STILL)))] == [MASK]


def test_a_gap_shorter_than_the_fall_keeps_the_hint_on_the_screen() -> None:
    assert [hint for _, hint in told((0, (CLOSER,)), (2, ()), (2 + FALL_S - 0.1, (CLOSER,)))] == [CLOSER]


def test_a_hint_leaves_later_than_it_enters() -> None:
    assert FALL_S > HOLD_S
    said = told((0, (CLOSER,)), (2, (STILL,)))
    (entered, _), (left, hint) = said
    assert hint == STILL
    assert left - 2 > entered


def test_what_helps_more_takes_over_only_when_it_lasts() -> None:
    flash = told((0, (STILL,)), (2, (CLOSER, STILL)), (2 + YIELD_S, (STILL,)))
    assert [hint for _, hint in flash] == [STILL]
    lasting = told((0, (STILL,)), (2, (CLOSER, STILL)))
    assert [hint for _, hint in lasting] == [STILL, CLOSER]
    assert lasting[1][0] - 2 >= HOLD_S + YIELD_S - SLACK_S


def test_what_helps_less_waits_until_what_is_told_is_heeded() -> None:
    said = told((0, (MASK, STILL)), (2, (STILL,)))
    assert [hint for _, hint in said] == [MASK, STILL]
    assert 2 + FALL_S - SLACK_S <= said[1][0] <= 2 + FALL_S + SLACK_S


def test_a_hint_that_was_heeded_gives_way() -> None:
    assert [hint for _, hint in told((0, (CLOSER,)), (2, ()))] == [CLOSER, ALL_WELL]


def test_a_guide_that_sees_few_frames_still_guides() -> None:
    assert [hint for _, hint in guided([(second, (CLOSER,)) for second in (0.0, 1.0, 2.0)])] == [CLOSER]


# --- whatever frames say ----------------------------------------------------------------------------


SPELL = st.tuples(
    st.lists(st.sampled_from(Hint), unique=True, max_size=4).map(tuple),
    st.integers(1, 40),  # frames
)
STEP = st.floats(0.01, 0.2)


def frames_of(spells: list[tuple[tuple[Hint, ...], int]], step: float) -> Frames:
    said = [hints for hints, count in spells for _ in range(count)]
    return [(number * step, hints) for number, hints in enumerate(said)]


@settings(derandomize=True, max_examples=100)
@given(st.lists(SPELL, max_size=12), STEP)
def test_hints_never_flicker(spells: list[tuple[tuple[Hint, ...], int]], step: float) -> None:
    said = guided(frames_of(spells, step))
    for (earlier, one), (later, other) in itertools.pairwise(said):
        assert later - earlier >= HINT_S
        assert one != other


@settings(derandomize=True, max_examples=100)
@given(st.lists(SPELL, max_size=12), STEP)
def test_nothing_is_told_that_no_frame_said(spells: list[tuple[tuple[Hint, ...], int]], step: float) -> None:
    frames = frames_of(spells, step)
    said = guided(frames)
    for number, (at, hint) in enumerate(said):
        lately = {each for now, hints in frames if at - FALL_S - step <= now <= at for each in hints}
        assert hint in lately or (hint == ALL_WELL and number > 0)


@settings(derandomize=True, max_examples=100)
@given(st.lists(SPELL, max_size=8), STEP, st.sampled_from(Hint))
def test_the_only_hint_there_is_gets_told(
    spells: list[tuple[tuple[Hint, ...], int]], step: float, hint: Hint
) -> None:
    last = ((hint,), round(SETTLED_S / step) + 3)
    assert guided(frames_of([*spells, last], step))[-1][1] == hint


@settings(derandomize=True, max_examples=100)
@given(st.lists(SPELL, max_size=8), STEP)
def test_when_all_is_well_no_old_hint_stays(spells: list[tuple[tuple[Hint, ...], int]], step: float) -> None:
    said = guided(frames_of([*spells, ((), round(SETTLED_S / step) + 3)], step))
    assert not said or said[-1][1] == ALL_WELL
