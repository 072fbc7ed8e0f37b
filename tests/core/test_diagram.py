"""The diagram in the documentation is the one that the table gives."""

from pathlib import Path

from gated.core.diagram import mermaid
from gated.core.gate import State
from gated.core.table import LIMITS, TABLE

DOCUMENT = Path(__file__).parents[2] / "docs" / "passage.md"


def test_every_state_has_rows_and_every_limit_a_state() -> None:
    assert set(TABLE) == set(State)
    assert set(LIMITS) <= set(State)


def test_a_state_with_a_limit_has_a_row_for_its_passing() -> None:
    for state in LIMITS:
        assert any("expired" in row.when.__code__.co_names for row in TABLE[state]), state


def test_the_document_shows_the_present_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.partition("```mermaid\n")[2].partition("```")[0]
    assert shown == mermaid(), "the table changed: run `gatectl diagram` and paste it into docs/passage.md"
