"""What went on from when to when: the bars of the report's charts, out of the journal and the world's marks.

All times are monotonic seconds. A span that the record does not close is closed by the end of the record,
and what was so before the record began is inferred from the first change: nothing else is made up.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from drivers.lamps import LAMPS
from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.core.values import Value
from gated.store.journal import Entry
from hw_sim.lane.doorway import CLOSING_S, OPENING_S
from hw_sim.lane.ledger import Mark, Span

STAGES: Final = ("mrz", "chip", "background", "photograph", "enter", "face", "decide")
NO_JOURNAL: Final = "down"  # the gate is not running: between a cut and the next start

_BEGUN_BY: Final[Mapping[type[do.AnyEffect], str]] = {
    do.ReadMrz: "mrz",
    do.ReadChip: "chip",
    do.CheckBackground: "background",
    do.PrepareReference: "photograph",
    do.StartCapture: "face",
}
_ENDED_BY: Final[Mapping[type[ev.AnyEvent], str]] = {
    ev.MrzRead: "mrz",
    ev.MrzFailed: "mrz",
    ev.ChipRead: "chip",
    ev.ChipFailed: "chip",
    ev.BackgroundChecked: "background",
    ev.ReferenceReady: "photograph",
    ev.ReferenceFailed: "photograph",
    ev.FaceAssessed: "face",
}
_ENTERING: Final = frozenset({State.APPROACH, State.ENTRY_OPEN, State.ENTRY_CLOSING})
_CAPTURING: Final = frozenset({State.FACE_CAPTURE, State.VERIFY})
_UNDER_WAY: Final = (
    _ENTERING | _CAPTURING | {State.DOC_OPTICAL, State.DOC_CHIP, State.DOC_TOKEN, State.BACKGROUND}
)


class Named(Value):
    """A span with what it is called."""

    name: str
    start: float
    end: float


class Leaf(Value):
    """How a door stood: from `start` to `end` it went from `was` to `became` (0 shut, 1 wide open)."""

    state: str
    start: float
    end: float
    was: float
    became: float


def stages(entries: Sequence[Entry], marks: Sequence[Mark] = ()) -> tuple[Named, ...]:
    """When each stage of the work went on, tries and overlaps included.

    mrz, chip, background, photograph and face: from the request to its answer. enter: from the entry
    unlocked to one person inside and the entry shut. decide: from the evidence to what follows from it.
    A power cut ends them all.
    """
    found: list[Named] = []
    begun: dict[str, float] = {}

    def end(names: Iterable[str], at: float) -> None:
        found.extend(Named(name=name, start=begun.pop(name), end=at) for name in names if name in begun)

    last = 0.0
    for entry in entries:
        at, state = entry.event.at, entry.followed.state
        if isinstance(entry.event, ev.GateStarted):
            end(STAGES, _cut_at(marks, last, at))
        last = at
        if (ended := _ENDED_BY.get(type(entry.event))) is not None:
            end((ended,), at)
        if isinstance(entry.event, ev.FaceAssessed) and entry.followed.passage is not None:
            begun.setdefault("decide", at)
        if state in _ENTERING:
            begun.setdefault("enter", at)
        else:
            end(("enter",), at)
        requests = [_BEGUN_BY[type(effect)] for effect in entry.followed.effects if type(effect) in _BEGUN_BY]
        if state not in _ENTERING | _CAPTURING or "face" in requests:
            end(("decide",), at)
        for name in requests:
            end((name,), at)
            begun[name] = at
        if state not in _UNDER_WAY:
            end(STAGES, at)
    end(STAGES, last)
    return tuple(sorted(found, key=lambda one: (STAGES.index(one.name), one.start)))


def gate_states(entries: Sequence[Entry], marks: Sequence[Mark] = ()) -> tuple[Named, ...]:
    """Which state the gate was in, and when it was down before a start."""
    found: list[Named] = []
    state, since, last = "", 0.0, 0.0
    for entry in entries:
        at = entry.event.at
        if isinstance(entry.event, ev.GateStarted) and state:
            cut = _cut_at(marks, last, at)
            found.append(Named(name=state, start=since, end=cut))
            found.append(Named(name=NO_JOURNAL, start=cut, end=at))
            state = ""
        if entry.followed.state != state:
            if state:
                found.append(Named(name=state, start=since, end=at))
            state, since = str(entry.followed.state), at
        last = at
    if state:
        found.append(Named(name=state, start=since, end=last))
    return tuple(found)


def _cut_at(marks: Sequence[Mark], last: float, start: float) -> float:
    """When the gate died between its last entry and its start.

    A fault that was marked says it; so do the lamps, which all go out when nobody holds their lines any
    more, and stay out until the start. Where neither is known, it is the last entry.
    """
    faults = [mark.at for mark in marks if mark.kind == "fault" and last <= mark.at <= start]
    if faults:
        return faults[0]
    lit = [span for lamp in LAMPS for span in active(marks, lamp, Span(start=last, end=start))]
    went_out = max((span.end for span in lit), default=last)
    return went_out if went_out < start else last


def active(marks: Sequence[Mark], line: str, within: Span) -> tuple[Span, ...]:
    """When a line was active."""
    changes = [
        (mark.at, mark.state == "active") for mark in marks if (mark.kind, mark.name) == ("line", line)
    ]
    if not changes:
        return ()
    on, since = not changes[0][1], within.start
    found: list[Span] = []
    for at, now in changes:
        if on and not now:
            found.append(Span(start=since, end=at))
        if now != on:
            on, since = now, at
    if on:
        found.append(Span(start=since, end=within.end))
    return clipped(found, within)


def clipped(spans: Iterable[Span], within: Span) -> tuple[Span, ...]:
    """The parts of spans that lie within a window; empty ones are left out."""
    cut = (Span(start=max(s.start, within.start), end=min(s.end, within.end)) for s in spans)
    return tuple(span for span in cut if span.end > span.start)


def leaves(marks: Sequence[Mark], door: str, within: Span) -> tuple[Leaf, ...]:
    """How a door stood and moved; it is shut before its first mark."""
    moves = [mark for mark in marks if (mark.kind, mark.name) == ("door", door)]
    found: list[Leaf] = []
    state, since, stood = "shut", within.start, 0.0
    for at, becomes in (*((mark.at, mark.state) for mark in moves), (within.end, "")):
        reached = _reached(state, stood, max(at - since, 0.0), becomes)
        if at > since:
            found.append(Leaf(state=state, start=since, end=at, was=stood, became=reached))
        state, since, stood = becomes, at, reached
    return tuple(leaf for leaf in (_cut(leaf, within) for leaf in found) if leaf.end > leaf.start)


def _reached(state: str, stood: float, for_s: float, becomes: str) -> float:
    """Where a door is after moving `for_s`; where it comes to rest next is known from the next mark."""
    match becomes, state:
        case "open", _:
            return 1.0
        case "shut", _:
            return 0.0
        case _, "opening":
            return min(1.0, stood + for_s / OPENING_S)
        case _, "closing":
            return max(0.0, stood - for_s / CLOSING_S)
        case _:
            return stood


def _cut(leaf: Leaf, within: Span) -> Leaf:
    start, end = max(leaf.start, within.start), min(leaf.end, within.end)
    if (start, end) == (leaf.start, leaf.end) or end <= start:
        return Leaf(state=leaf.state, start=start, end=end, was=leaf.was, became=leaf.became)
    slope = (leaf.became - leaf.was) / (leaf.end - leaf.start)
    was, became = (leaf.was + slope * (at - leaf.start) for at in (start, end))
    return Leaf(state=leaf.state, start=start, end=end, was=was, became=became)
