"""Three-valued logic (Kleene's strong one): what is not known is neither yes nor no, and never turns yes."""

from enum import StrEnum
from typing import NamedTuple


class Truth(StrEnum):
    """Whether a condition holds."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Answer(NamedTuple):
    """Whether a condition holds, and the names of the facts that it was decided by."""

    truth: Truth
    by: tuple[str, ...] = ()


_OPPOSITE = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}


def negated(answer: Answer) -> Answer:
    """The answer to the opposite question."""
    return Answer(_OPPOSITE[answer.truth], answer.by)


def merged(*names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of facts, each once, in order."""
    return tuple(dict.fromkeys(name for each in names for name in each))
