"""`docs/passage.md` tells of every state, with the limit that it has by default."""

import re
from pathlib import Path

import pytest

from gated.core.gate import State
from gated.core.policy import Limits
from gated.core.table import LIMITS

PAGE = (Path(__file__).parents[1] / "docs" / "passage.md").read_text("utf-8").partition("## The states")[0]


@pytest.mark.parametrize("state", list(State))
def test_the_page_has_a_row_for_each_state_with_its_limit(state: State) -> None:
    first = re.compile(rf"\| [^|]*`{state}`[^|]* \|")
    (row,) = (line for line in PAGE.splitlines() if first.match(line))
    if state in LIMITS and state is not State.CHANGE_OVER:  # its limit is told where it is explained
        seconds = getattr(Limits(), LIMITS[state])
        assert re.search(rf"\| {seconds:g} s(, and again)? \|$", row)
