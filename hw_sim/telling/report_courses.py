"""All passages below each other on one time axis: which state the gate was in, and how each one ended."""

from collections.abc import Sequence
from html import escape
from typing import Final

from hw_sim.lane.ledger import Span
from hw_sim.record import Rehearsed
from hw_sim.telling import spans, words
from hw_sim.telling.report_chart import MARGIN_S, Axis, Chart, bar, grid, look_of
from hw_sim.telling.report_markup import SIGNS
from hw_sim.telling.story import began_at

TOP_PX: Final = 22
ROW_PX: Final = 22

KEY: Final = (
    ("read", "reading"),
    ("walk", "walking in"),
    ("look", "face"),
    ("free", "exit open"),
    ("hold", "officer or way out"),
    ("rest", "at rest"),
    ("fail", "out of service"),
    ("down", "not running"),
)


def courses_chart(runs: Sequence[Rehearsed]) -> Chart:
    """Draw the courses of all passages, each from its document on."""
    courses = [(run, _course(run)) for run in runs]
    longest = max((state.end for _, states in courses for state in states), default=1.0)
    axis = Axis(Span(start=-MARGIN_S, end=longest * 1.12 + MARGIN_S), 0.0)
    height = TOP_PX + ROW_PX * len(runs) + 4
    names: list[str] = []
    shapes = list(grid(axis, height))
    for row, (run, states) in enumerate(courses):
        top = TOP_PX + ROW_PX * row
        names.append(f'<text class="name" x="0" y="{top + 14}">{escape(run.scenario)}</text>')
        bars = "".join(
            bar(axis, state, f"state {look_of(state.name)}", words.state(state.name), words.state(state.name))
            for state in states
        )
        end = states[-1].end if states else 0.0
        ended = f"{SIGNS[run.as_expected]} {run.outcome or 'did not end'}"
        told = f'<text class="end" x="{axis.x(end):.3f}%" dx="6" y="13">{escape(ended)}</text>'
        shapes.append(
            f'<svg class="lane" x="0" y="{top}" width="100%" height="{ROW_PX}" '
            f'data-lane="{escape(run.scenario)}">{bars}{told}</svg>'
        )
    return Chart(
        names=f'<svg class="names" height="{height}" aria-hidden="true">{"".join(names)}</svg>',
        drawing=(
            f'<svg class="plot" width="100%" height="{height}" role="img" aria-label="The states of the gate '
            f'in all passages, on one time axis. The table tells the outcomes.">{"".join(shapes)}</svg>'
        ),
    )


def key() -> str:
    """What the colours mean."""
    told = (
        f'<li><svg class="state {look}" width="14" height="12" aria-hidden="true">'
        f'<rect x="1" y="1" width="12" height="10" rx="2"/></svg> {escape(name)}</li>'
        for look, name in KEY
    )
    return f'<ul class="key">{"".join(told)}</ul>'


def _course(run: Rehearsed) -> tuple[spans.Named, ...]:
    """The gate's states, in seconds since the document was laid down."""
    zero = began_at(run.entries)
    return tuple(
        spans.Named(name=state.name, start=state.start - zero, end=state.end - zero)
        for state in spans.gate_states(run.entries, run.marks)
    )
