"""Conditions over facts. Each answers yes, no or unknown, and names the facts that decided.

Of several that must all hold, the first that does not hold decides alone; of several of which one is enough,
the first that holds. So an answer is decided by as few facts as the condition allows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gated.rules.knowledge import Code, Facts, Known, Several, Span
from gated.rules.truth import Answer, Truth, merged, negated

ANY_OF_FAMILY = "?"  # in what is known of a document type: a letter, and it is not known what follows


class Condition(Protocol):
    """Something that is asked of facts."""

    def ask(self, facts: Facts) -> Answer:
        """Whether it holds, and what decided."""
        ...

    def names(self) -> Iterable[str]:
        """The facts that it asks for."""
        ...


@dataclass(frozen=True, slots=True)
class All:
    """Each part holds; without parts it holds always."""

    parts: tuple[Condition, ...]

    def ask(self, facts: Facts) -> Answer:
        """No as soon as one part says no."""
        held: list[tuple[str, ...]] = []
        unsure: list[tuple[str, ...]] = []
        for part in self.parts:
            answer = part.ask(facts)
            if answer.truth is Truth.NO:
                return answer
            (held if answer.truth is Truth.YES else unsure).append(answer.by)
        return Answer(Truth.UNKNOWN, merged(*unsure)) if unsure else Answer(Truth.YES, merged(*held))

    def names(self) -> Iterable[str]:
        """Those of the parts."""
        return (name for part in self.parts for name in part.names())


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def ask(self, facts: Facts) -> Answer:
        """Yes as soon as one part says yes."""
        failed: list[tuple[str, ...]] = []
        unsure: list[tuple[str, ...]] = []
        for part in self.parts:
            answer = part.ask(facts)
            if answer.truth is Truth.YES:
                return answer
            (failed if answer.truth is Truth.NO else unsure).append(answer.by)
        return Answer(Truth.UNKNOWN, merged(*unsure)) if unsure else Answer(Truth.NO, merged(*failed))

    def names(self) -> Iterable[str]:
        """Those of the parts."""
        return (name for part in self.parts for name in part.names())


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition

    def ask(self, facts: Facts) -> Answer:
        """Unknown stays unknown."""
        return negated(self.part.ask(facts))

    def names(self) -> Iterable[str]:
        """Those of the part."""
        return self.part.names()


@dataclass(frozen=True, slots=True)
class _OfFact:
    """A condition over one fact."""

    name: str

    def ask(self, facts: Facts) -> Answer:
        """Unknown where nothing is known of the fact, or nothing of the right kind."""
        known = facts.known.get(self.name)
        return Answer(Truth.UNKNOWN if known is None else self.judge(known), (self.name,))

    def names(self) -> Iterable[str]:
        """The one."""
        return (self.name,)

    def judge(self, known: Known) -> Truth:
        """Whether it holds of what is known."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Among(_OfFact):
    """A code is one of these."""

    codes: frozenset[str]

    def judge(self, known: Known) -> Truth:
        """Yes and no where all that is possible says so."""
        if not isinstance(known, Code):
            return Truth.UNKNOWN
        if known.other:
            return Truth.NO if self.codes <= known.codes else Truth.UNKNOWN
        if known.codes <= self.codes:
            return Truth.YES
        return Truth.UNKNOWN if known.codes & self.codes else Truth.NO


@dataclass(frozen=True, slots=True)
class OfType(_OfFact):
    """The document's type: a single letter stands for its family, `P<` for the type without a second one."""

    codes: frozenset[str]

    def judge(self, known: Known) -> Truth:
        """The one type that is known, or a family of which it is one."""
        if not isinstance(known, Code) or known.other or len(known.codes) != 1:
            return Truth.UNKNOWN
        (shown,) = known.codes
        if shown[:1] in self.codes or shown.ljust(2, "<") in self.codes:
            return Truth.YES
        within = shown[1:] == ANY_OF_FAMILY and any(code[0] == shown[0] for code in self.codes)
        return Truth.UNKNOWN if within else Truth.NO


@dataclass(frozen=True, slots=True)
class Listed(_OfFact):
    """At least one of these is among the codes that apply."""

    codes: frozenset[str]

    def judge(self, known: Known) -> Truth:
        """All codes that apply are known, or none."""
        if not isinstance(known, Several):
            return Truth.UNKNOWN
        return Truth.YES if known.codes & self.codes else Truth.NO


@dataclass(frozen=True, slots=True)
class Is(_OfFact):
    """A flag is so."""

    wanted: bool

    def judge(self, known: Known) -> Truth:
        """A flag is known or not."""
        if not isinstance(known, bool):
            return Truth.UNKNOWN
        return Truth.YES if known is self.wanted else Truth.NO


@dataclass(frozen=True, slots=True)
class AtLeast(_OfFact):
    """A number is not below the limit."""

    limit: float

    def judge(self, known: Known) -> Truth:
        """By the bounds that are known."""
        if not isinstance(known, Span):
            return Truth.UNKNOWN
        if known.least is not None and known.least >= self.limit:
            return Truth.YES
        return Truth.NO if known.most is not None and known.most < self.limit else Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class AtMost(_OfFact):
    """A number is not above the limit."""

    limit: float

    def judge(self, known: Known) -> Truth:
        """By the bounds that are known."""
        if not isinstance(known, Span):
            return Truth.UNKNOWN
        if known.most is not None and known.most <= self.limit:
            return Truth.YES
        return Truth.NO if known.least is not None and known.least > self.limit else Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class Between(_OfFact):
    """A date lies in a window, both days included."""

    first: date
    last: date

    def judge(self, known: Known) -> Truth:
        """A date is known or not."""
        if not isinstance(known, date):
            return Truth.UNKNOWN
        return Truth.YES if self.first <= known <= self.last else Truth.NO


@dataclass(frozen=True, slots=True)
class Within(_OfFact):
    """A time of day lies from the first minute on until before the last, over midnight where they are so."""

    first: int
    last: int

    def judge(self, known: Known) -> Truth:
        """A time is known or not."""
        if not isinstance(known, int) or isinstance(known, bool):
            return Truth.UNKNOWN
        if self.first < self.last:
            return Truth.YES if self.first <= known < self.last else Truth.NO
        return Truth.YES if known >= self.first or known < self.last else Truth.NO


Groups = Mapping[str, frozenset[str]]
