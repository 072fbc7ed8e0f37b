"""The diagram in the documentation is the one that the table gives."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gated.core.diagram import mermaid
from gated.core.gate import State
from gated.core.table import ANYWHERE, LIMITS
from gated.core.topologies import PLANS
from gated.core.vocabulary import Topology
from gated.proof.drawing import svg

DOCUMENT = Path(__file__).parents[2] / "docs" / "passage.md"

SVG = "{http://www.w3.org/2000/svg}"

topologies = pytest.mark.parametrize("topology", Topology)


@topologies
def test_every_row_leads_to_a_state_that_has_rows(topology: Topology) -> None:
    table = PLANS[topology].table
    unreachable_by_mode = {State.FREE_PASSAGE} if topology is Topology.KIOSK else set()
    assert {row.to for rows in (*table.values(), ANYWHERE) for row in rows} - unreachable_by_mode <= set(
        table
    )


def test_every_state_belongs_to_some_lane() -> None:
    assert {state for plan in PLANS.values() for state in plan.table} == set(State)
    assert set(LIMITS) <= set(State)


@topologies
def test_a_state_with_a_limit_has_a_row_for_its_passing(topology: Topology) -> None:
    for state, rows in PLANS[topology].table.items():
        if state in LIMITS:
            assert any("expired" in row.when.__code__.co_names for row in rows), state


def test_the_document_shows_the_present_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.partition("```mermaid\n")[2].partition("```")[0]
    assert shown == mermaid(), (
        "the table changed: paste what `gatectl gate diagram` prints into docs/passage.md"
    )


@topologies
def test_each_lane_has_its_present_picture_in_the_documents(topology: Topology) -> None:
    picture = DOCUMENT.parent / "lanes" / f"{topology}.svg"
    fix = f"run `gatectl gate diagram --topology {topology} --svg docs/lanes/{topology}.svg`"
    assert picture.read_text(encoding="utf-8") == svg(topology), fix
    assert f"(lanes/{topology}.svg)" in (DOCUMENT.parent / "lanes.md").read_text(encoding="utf-8")


@topologies
def test_a_picture_is_well_formed_and_shows_every_row(topology: Topology) -> None:
    texts = [each.text for each in ET.fromstring(svg(topology)).iter(f"{SVG}text")]  # noqa: S314  # our own
    for state, rows in PLANS[topology].table.items():
        assert state.replace("_", " ") in texts
        for row in rows:
            outcome = f" [{row.outcome}]" if row.outcome else ""
            assert f"{row.when.__name__.replace('_', ' ')}{outcome}" in texts
