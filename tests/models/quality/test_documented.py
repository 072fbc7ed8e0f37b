"""docs/quality.md says what the code does."""

import re
from pathlib import Path

import pytest

from gated.core.vocabulary import Hint
from models.quality.components import ABSENT, COMPONENTS, Component
from models.tracking import RIVAL
from tests.models.portraits import MODELS

TEXT = (Path(__file__).parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
OF_QUALITY = {Hint.TURN_YOUR_HEAD}  # this is told by others


def row(name: str, component: Component) -> str:
    """The table's row for a component."""
    cells = (
        name.replace("_", " "),
        component.clause,
        component.measure,
        component.scale.text,
        component.basis,
    )
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_component_is_documented_as_it_is(name: str) -> None:
    assert row(name, COMPONENTS[name]) in LINES


@pytest.mark.parametrize("name", ABSENT)
def test_each_absent_component_is_documented_with_its_reason(name: str) -> None:
    clause, _, reason = ABSENT[name]
    assert f"| {name.replace('_', ' ')} | {clause} | {reason} |" in LINES


def test_no_row_is_left_over() -> None:
    rows = [line for line in LINES if re.match(r"\| [a-z ]+ \| 7\.\d", line)]
    assert len(rows) == len(COMPONENTS) + len(ABSENT)


@pytest.mark.parametrize("hint", set(Hint) - OF_QUALITY)
def test_each_hint_is_documented(hint: Hint) -> None:
    assert f"`{hint}`" in TEXT


def test_how_near_a_second_person_may_be_is_that_of_the_tracking() -> None:
    assert f"a second face has over {RIVAL:g} of the first one's area" in TEXT


def test_limits_and_weights_are_those_of_the_manifest() -> None:
    quality = MODELS.quality
    for part in (quality.needs, quality.worth):
        for name in part.__struct_fields__:
            assert f"`{name}` {getattr(part, name):g}" in TEXT
