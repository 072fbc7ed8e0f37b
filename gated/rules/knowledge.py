"""What may be known of a fact: exactly, within bounds, or not at all.

A birth date without a day gives an age between two numbers; a journal without personal data gives a band of
ages, and of a nationality only that it is not the own one. A condition over such knowledge is answered yes or
no where every value that is possible gives the same answer, else unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gated.core.personal import MASK


@dataclass(frozen=True, slots=True, repr=False)
class Span:
    """A number from `least` to `most`, both included; None: without a bound."""

    least: float | None
    most: float | None

    def __repr__(self) -> str:
        return f"Span({MASK})"


@dataclass(frozen=True, slots=True, repr=False)
class Code:
    """A code that is one of some or, with `other`, none of them: `Code({"KOR"})` is exactly that one."""

    codes: frozenset[str]
    other: bool = False

    def __repr__(self) -> str:
        return f"Code({MASK})"


@dataclass(frozen=True, slots=True, repr=False)
class Several:
    """All the codes that apply: the reasons of list entries, the programmes that somebody is a member of."""

    codes: frozenset[str]

    def __repr__(self) -> str:
        return f"Several({MASK})"


Known = Span | Code | Several | bool | date | int
"""Plain bool, date, and int (minutes since midnight) for flags, dates and times of day."""


@dataclass(frozen=True, slots=True, repr=False)
class Facts:
    """What is known of a traveller at one moment, by the names of `facts.FACTS`; the rest is unknown."""

    known: Mapping[str, Known]

    def __repr__(self) -> str:
        return f"Facts({', '.join(self.known)})"  # the names alone


def exactly(number: float) -> Span:
    """A number that is known."""
    return Span(number, number)


def one(code: str) -> Code:
    """A code that is known."""
    return Code(frozenset({code}))
