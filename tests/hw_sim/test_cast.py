"""What people do who are told something."""

import pytest

from gated.core.vocabulary import Hint
from hw_sim.camera.scene import Walker, Wearable
from hw_sim.cast import heeding

DRESSED = Walker(person="ada", path=(), wears=(Wearable(kind="mask"), Wearable(kind="sunglasses")))


@pytest.mark.parametrize(
    ("hint", "off"), [(Hint.TAKE_OFF_MASK, "mask"), (Hint.TAKE_OFF_GLASSES, "sunglasses")]
)
def test_who_is_asked_takes_off_that_alone_once_and_after_a_moment(hint: Hint, off: str) -> None:
    told = heeding(heeding(DRESSED, hint, 10.0), hint, 15.0)
    assert {each.kind for each in told.wears if each.on(10.1)} == {"mask", "sunglasses"}
    assert {each.kind for each in told.wears if not each.on(11.0)} == {off}


def test_who_is_asked_turns_the_head_each_time() -> None:
    told = heeding(heeding(DRESSED, Hint.TURN_YOUR_HEAD, 10.0), Hint.TURN_YOUR_HEAD, 15.0)
    assert [10 < at < 16 for at in told.turns_s] == [True, True]
    assert told.wears == DRESSED.wears


def test_other_hints_change_nobody() -> None:
    assert heeding(DRESSED, Hint.LOOK_HERE, 10.0) == DRESSED
