"""A decision in words: what was decided, why, by which text of the law. Lines without personal data."""

from collections.abc import Iterable, Iterator, Mapping

from gated.core.rulings import Held, Ruling, Why
from gated.rules.facts import FACTS
from gated.rules.vocabulary import REASONS

HELD: Mapping[Held, str] = {
    Held.YES: "holds",
    Held.NO: "does not hold",
    Held.UNKNOWN: "cannot be told",
    Held.NOT_CONCERNED: "is not about this traveller",
    Held.LATER: "is left for when the height is measured",
}
RULINGS: Mapping[Ruling, str] = {
    Ruling.ADMIT: "may use the lane",
    Ruling.REFER: "is referred to an officer",
    Ruling.REFUSE: "is referred to an officer, who is told that the law says no",
    Ruling.STOP: "is brought to an officer at once",
}


def why_in_words(why: Why) -> str:
    """One ground or rule, in a sentence."""
    told = f"{why.rule} {HELD[why.held]}"
    if why.by and why.held is not Held.NOT_CONCERNED:
        told += f", by the {_listed(FACTS[name].meaning if name in FACTS else name for name in why.by)}"
    if why.reason:
        told += f": {REASONS.get(why.reason, why.reason)}"
    return f"{told} [{why.law}]"


def trace_in_words(trace: Iterable[Why], *, whole: bool = False) -> Iterator[str]:
    """The trace, what decided first; `whole`: also what is not about this traveller."""
    order = (Held.NO, Held.UNKNOWN, Held.LATER, Held.YES, Held.NOT_CONCERNED)
    for why in sorted(trace, key=lambda each: order.index(each.held)):
        if whole or why.held is not Held.NOT_CONCERNED:
            yield why_in_words(why)


def _listed(words: Iterable[str]) -> str:
    known = list(words)
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}"
