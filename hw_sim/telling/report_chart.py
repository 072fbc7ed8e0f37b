"""The report's charts as inline SVG: the lanes of one passage over time.

Places along the time axis are percentages of the drawing, heights are pixels: so the chart fits any width
while its text keeps its size. Colours come from the style sheet by class; every shape also has its words
as a title, and differs from its neighbours in more than colour (height, place, hatching, label).
"""

import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from typing import Final, NamedTuple

from drivers.lamps import LAMPS
from gated.core.effects import EndPassage, UnlockDoor
from gated.core.gate import State
from gated.core.values import Value
from gated.core.vocabulary import Door
from hw_sim.lane.ledger import Mark, Span
from hw_sim.record import Rehearsed
from hw_sim.telling import spans, words
from hw_sim.telling.story import began_at

SENSORS: Final = ("document", "occupied", "crowded", "fire")
MARGIN_S: Final = 0.3  # before the document and after the last entry
LETTER_PX: Final = 6.3  # a letter of 11 px
WIDE_PX, NARROW_PX = 700.0, 250.0  # the drawing on a desk and on a phone; the style sheet hides by class
LEAST_TICKS: Final = 5
LEAST_WIDTH: Final = 0.2  # percent: what took no time is still seen
UNCHANGED: Final = '<line class="unchanged" x1="0" x2="100%" y1="6" y2="6"><title>no change</title></line>'

STAGE_NAMES: Final = {
    "mrz": "Printed lines",
    "chip": "Chip",
    "background": "Lists",
    "photograph": "Photograph",
    "enter": "Walking in",
    "face": "Face",
    "decide": "Decision",
}
LOOKS: Final = {
    State.IDLE: "rest",
    State.CLOSED: "rest",
    State.CLEARING: "rest",
    State.LOCKED: "rest",
    State.CHANGE_OVER: "rest",
    State.DOC_OPTICAL: "read",
    State.DOC_CHIP: "read",
    State.DOC_TOKEN: "read",
    State.BACKGROUND: "read",
    State.APPROACH: "walk",
    State.ENTRY_OPEN: "walk",
    State.ENTRY_CLOSING: "walk",
    State.FACE_CAPTURE: "look",
    State.VERIFY: "look",
    State.CONSENT: "look",
    State.ISSUING: "look",
    State.EXIT_OPEN: "free",
    State.FREE_PASSAGE: "free",
    State.OFFICER: "hold",
    State.REJECT_OUT: "hold",
    State.OUT_OF_SERVICE: "fail",
    State.MAINTENANCE: "fail",
    State.EMERGENCY: "fail",
}


class Axis:
    """Monotonic seconds to percentages; `zero` is when the document was laid down."""

    def __init__(self, within: Span, zero: float) -> None:
        self.within = within
        self.zero = zero
        self._length = max(within.end - within.start, 1e-3)

    def x(self, at: float) -> float:
        """The place of a time, in percent."""
        return 100 * (at - self.within.start) / self._length

    def width(self, span_s: float) -> float:
        """The width of a length of time, in percent."""
        return 100 * span_s / self._length

    def ticks(self) -> Iterable[float]:
        """Round times since the document was laid down, in seconds."""
        fitting = (step for step in (60, 20, 10, 5, 2, 1) if self._length / step >= LEAST_TICKS)
        step = next(fitting, 0.5)
        first = math.ceil((self.within.start - self.zero) / step)
        last = math.floor((self.within.end - self.zero) / step)
        return (number * step for number in range(first, last + 1))


class Lane(NamedTuple):
    """One row of the chart: its name, its height in pixels, its shapes. A heading has no shapes."""

    name: str
    height: int
    shapes: str
    heading: bool = False


class Chart(Value):
    """A finished chart: the column of names and the drawing beside it."""

    names: str
    drawing: str


def axis_of(run: Rehearsed) -> Axis:
    """The time that a chart of this passage covers."""
    times = [entry.event.at for entry in run.entries] or [mark.at for mark in run.marks] or [0.0]
    zero = began_at(run.entries) if run.entries else times[0]
    return Axis(Span(start=zero - MARGIN_S, end=max(*times, zero + 1.0) + MARGIN_S), zero)


def lanes_chart(run: Rehearsed) -> Chart:
    """Draw everything that happened in a passage over one time axis."""
    axis = axis_of(run)
    lanes = [lane for group in (_work, _doors, _lamps, _sensors, _people) for lane in group(run, axis)]
    names: list[str] = []
    shapes: list[str] = []
    top = 30
    height = top + sum(lane.height for lane in lanes) + 4
    shapes.extend(grid(axis, height))
    shapes.extend(_moments(run, axis, height))
    for lane in lanes:
        base = top + lane.height / 2 + 4
        look = "heading" if lane.heading else "name"
        names.append(f'<text class="{look}" x="0" y="{base:g}">{escape(lane.name)}</text>')
        if lane.heading:
            y = top + lane.height - 3
            rule = f'<line class="rule" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
            names.append(rule)
            shapes.append(rule)
        elif lane.shapes:
            shapes.append(
                f'<svg class="lane" x="0" y="{top}" width="100%" height="{lane.height}" '
                f'data-lane="{escape(lane.name)}">{lane.shapes}</svg>'
            )
        top += lane.height
    told = escape(f"Stages, gate, doors, lamps, sensors and people of the passage {run.scenario} over time. ")
    return Chart(
        names=f'<svg class="names" height="{height}" aria-hidden="true">{"".join(names)}</svg>',
        drawing=(
            f'<svg class="plot" width="100%" height="{height}" role="img" '
            f'aria-label="{told}The story tells the same in words.">{"".join(shapes)}</svg>'
        ),
    )


# --- groups of lanes ----------------------------------------------------------------------------------


def _work(run: Rehearsed, axis: Axis) -> Iterable[Lane]:
    yield Lane("Work", 22, "", heading=True)
    found = spans.stages(run.entries, run.marks)
    for stage in spans.STAGES:
        bars = [
            bar(axis, one, "stage", _length(one), STAGE_NAMES[stage]) for one in found if one.name == stage
        ]
        yield Lane(STAGE_NAMES[stage], 18, "".join(bars))
    yield Lane(
        "Chip busy", 12, "".join(_strips(axis, spans.clipped(run.chip_spans, axis.within), "busy", "chip"))
    )
    states = [
        bar(axis, one, f"state {look_of(one.name)}", words.state(one.name), words.state(one.name))
        for one in spans.gate_states(run.entries, run.marks)
    ]
    yield Lane("Gate", 22, "".join(states))


def look_of(state: str) -> str:
    """The class of a state's colour."""
    return "down" if state == spans.NO_JOURNAL else LOOKS[State(state)]


def _doors(run: Rehearsed, axis: Axis) -> Iterable[Lane]:
    yield Lane("Doors", 22, "", heading=True)
    for door in Door:
        released = spans.active(run.marks, f"{door}_release", axis.within)
        shapes = _strips(axis, released, "released", f"{door} released", top=1, height=4)
        leaf = [_leaf(axis, leaf, door) for leaf in spans.leaves(run.marks, door, axis.within)]
        yield Lane(f"{door.capitalize()} door", 28, "".join((*shapes, *leaf)))


def _leaf(axis: Axis, leaf: spans.Leaf, door: str) -> str:
    """A door's opening as a height: nothing while it is shut, a slope while it moves."""
    corners = f"0,100 0,{100 - 100 * leaf.was:.0f} 100,{100 - 100 * leaf.became:.0f} 100,100"
    title = _title(axis, f"{door} door {leaf.state}", leaf.start, leaf.end)
    shape = (
        '<line class="shut" x1="0" x2="100%" y1="15" y2="15"/>'
        if max(leaf.was, leaf.became) <= 0
        else '<svg viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'<polygon class="leaf" points="{corners}"/></svg>'
    )
    place = f'x="{axis.x(leaf.start):.3f}%" width="{axis.width(leaf.end - leaf.start):.3f}%"'
    return f'<svg {place} y="8" height="16">{title}{shape}</svg>'


def _lamps(run: Rehearsed, axis: Axis) -> Iterable[Lane]:
    yield Lane("Lamps", 22, "", heading=True)
    for lamp in LAMPS:
        name = words.spaced(lamp).capitalize()
        yield Lane(name, 14, _line(run, axis, lamp, f"lamp {lamp.split('_')[-1]}"))


def _sensors(run: Rehearsed, axis: Axis) -> Iterable[Lane]:
    yield Lane("Sensors", 22, "", heading=True)
    for sensor in SENSORS:
        if sensor != "fire" or spans.active(run.marks, sensor, axis.within):
            yield Lane(sensor.capitalize(), 14, _line(run, axis, sensor, "sensor"))


def _line(run: Rehearsed, axis: Axis, line: str, look: str) -> str:
    """When a line was active. Of one that no mark names nothing is known but that it did not change."""
    if not any((mark.kind, mark.name) == ("line", line) for mark in run.marks):
        return UNCHANGED
    return "".join(_strips(axis, spans.active(run.marks, line, axis.within), look, words.spaced(line)))


def _people(run: Rehearsed, axis: Axis) -> Iterable[Lane]:
    inside = [mark for mark in run.marks if axis.within.start - 1 <= mark.at <= axis.within.end]
    named: dict[tuple[str, str], list[Mark]] = {}
    for mark in inside:
        if mark.kind in {"person", "fault", "violation"}:
            named.setdefault((mark.kind, mark.name), []).append(mark)
    if named:
        yield Lane("People", 22, "", heading=True)
    for (kind, name), marks in named.items():
        yield Lane(name, 20, "".join(_dots(axis, marks, kind)))


# --- shapes -------------------------------------------------------------------------------------------


def grid(axis: Axis, height: int) -> Iterable[str]:
    """Upright lines at round times, with their times above."""
    for tick in axis.ticks():
        x = f"{axis.x(axis.zero + tick):.3f}%"
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="16" y2="{height}"/>'
        yield f'<text class="tick" x="{x}" y="11">{tick:g} s</text>'


def _moments(run: Rehearsed, axis: Axis, height: int) -> Iterable[str]:
    """The upright lines: when the exit was unlocked, and when the passage ended."""
    moments: dict[str, float] = {}
    for entry in run.entries:
        for effect in entry.followed.effects:
            if isinstance(effect, UnlockDoor) and effect.door is Door.EXIT:
                moments.setdefault("exit unlocked", entry.event.at)
            if isinstance(effect, EndPassage):
                moments.setdefault(f"{effect.outcome}", entry.event.at)
    for (name, at), (_, until) in pairwise((*moments.items(), ("", axis.within.end))):
        x, wide = axis.x(at), len(name) * LETTER_PX
        after = x + 100 * wide / WIDE_PX < 100
        anchor = "start" if after else "end"
        look = "" if axis.width(until - at) * NARROW_PX / 100 > wide else " wide"
        yield f'<line class="moment" x1="{x:.3f}%" x2="{x:.3f}%" y1="18" y2="{height}"/>'
        yield (
            f'<text class="moment{look}" x="{x:.3f}%" dx="{4 if after else -4}" y="27" '
            f'text-anchor="{anchor}">{escape(name)}</text>'
        )


def bar(axis: Axis, span: spans.Named, look: str, label: str, title: str) -> str:
    """A span as a bar, with its label inside where there is room."""
    cut = spans.clipped([Span(start=span.start, end=max(span.end, span.start + 1e-3))], axis.within)
    if not cut:
        return ""
    start, end = cut[0].start, cut[0].end
    width = max(axis.width(end - start), LEAST_WIDTH)
    needs = len(label) * LETTER_PX + 8
    room = "" if needs <= NARROW_PX * width / 100 else " wide" if needs <= WIDE_PX * width / 100 else None
    text = "" if room is None else f'<text class="in{room}" x="4" y="12">{escape(label)}</text>'
    beside = ""
    if room is None and look == "stage" and axis.x(end) + 100 * needs / WIDE_PX < 100:
        beside = f'<text class="out wide" x="{axis.x(end):.3f}%" dx="4" y="13">{escape(label)}</text>'
    return (
        f'<svg class="bar {look}" x="{axis.x(start):.3f}%" y="1" width="{width:.3f}%" height="16">'
        f'{_title(axis, title, start, end)}<rect width="100%" height="100%" rx="2"/>{text}</svg>{beside}'
    )


def _strips(
    axis: Axis, found: Iterable[Span], look: str, name: str, *, top: int = 2, height: int = 8
) -> Iterable[str]:
    """Spans as strips without labels."""
    for span in found:
        yield (
            f'<rect class="strip {look}" x="{axis.x(span.start):.3f}%" y="{top}" '
            f'width="{axis.width(span.end - span.start):.3f}%" height="{height}" rx="1.5">'
            f"{_title(axis, name, span.start, span.end)}</rect>"
        )


def _dots(axis: Axis, marks: Sequence[Mark], kind: str) -> Iterable[str]:
    """Marks as dots; the words stand beside a dot where they end before the next one."""
    for mark, following in zip(marks, (*marks[1:], None), strict=True):
        x = max(axis.x(mark.at), 0.4)
        until = 100.0 if following is None else axis.x(following.at) - 0.8
        fits = len(mark.state) * LETTER_PX + 10 <= WIDE_PX * (until - x) / 100
        title = f"<title>{mark.at - axis.zero:.2f} s: {escape(f'{mark.name} {mark.state}')}</title>"
        yield f'<circle class="dot {escape(kind)}" cx="{x:.3f}%" cy="10" r="3.5">{title}</circle>'
        if fits:
            yield f'<text class="out wide" x="{x:.3f}%" dx="7" y="14">{escape(mark.state)}</text>'


def _title(axis: Axis, name: str, start: float, end: float) -> str:
    times = f"{start - axis.zero:.2f} to {end - axis.zero:.2f} s ({end - start:.2f} s)"
    return f"<title>{escape(name)}: {times}</title>"


def _length(span: spans.Named) -> str:
    milliseconds = (span.end - span.start) * 1000
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"
