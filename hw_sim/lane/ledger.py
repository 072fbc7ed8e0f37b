"""The books of the simulated lane: what changed when, and for how long things were moving."""

import bisect
from collections.abc import Iterable
from typing import Final, Literal

from gated.core.values import Value

TOUCHING_S: Final = 1e-6  # spans nearer than this are one

Moving = Literal["walk", "door"]


class Mark(Value):
    """What changed at monotonic time `at`. `kind`: line, door, person, thing, fault or violation."""

    at: float
    kind: str
    name: str
    state: str


class Span(Value):
    """From when to when something went on (monotonic seconds)."""

    start: float
    end: float


class Ledger:
    """Marks in the order of time, and the spans in which people walked and doors moved."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self._spans: dict[Moving, list[Span]] = {"walk": [], "door": []}

    def add(self, mark: Mark) -> None:
        """Add a mark; one that happened a little before the last goes before it."""
        bisect.insort(self.marks, mark, key=lambda each: each.at)

    def of_kind(self, kind: str) -> tuple[Mark, ...]:
        """The marks of one kind."""
        return tuple(mark for mark in self.marks if mark.kind == kind)

    def book(self, kind: Moving, start: float, end: float) -> None:
        """Add a span; one that touches the last of its kind prolongs it."""
        spans = self._spans[kind]
        if spans and start - spans[-1].end <= TOUCHING_S:
            start = spans.pop().start
        spans.append(Span(start=start, end=end))

    def spans(self, kind: Moving) -> tuple[Span, ...]:
        """When somebody walked, or when a door moved."""
        return tuple(self._spans[kind])

    def moving_s(self, since: float, until: float, more: Iterable[Span] = ()) -> float:
        """For how long of that time somebody walked or a door moved or one of `more` went on, seconds.

        Overlaps count once, so `until - since` less this is time in which nothing modelled went on.
        """
        spans = [*self._spans["walk"], *self._spans["door"], *more]
        total, reached = 0.0, since
        for span in sorted(spans, key=lambda one: one.start):
            start, end = max(span.start, reached), min(span.end, until)
            if end > start:
                total, reached = total + end - start, end
        return total
