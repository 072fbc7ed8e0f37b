"""Whether two names are worth comparing word by word: a cheap question that errs on the side of yes.

Where both names have a word that nothing in the other resembles, they contradict each other, and not even the
same birth date lifts them to MEANT. Most candidates that only share a birth date are told apart here.
"""

from collections.abc import Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from gated.watchlist.names.families import names_of
from gated.watchlist.names.parts import Part, part_of

MEANT = 0.75
"""The least score that the question is made for: below it, names are compared unasked."""
_ALIKE = 0.55
_BARE_ALIKE = 0.66
_JOINED = 70.0
_TELLING = frozenset({Part.NAME, Part.PATRONYMIC})
_VOWELS = str.maketrans("", "", "AEIOUYHJW")


class Glance:
    """One name, looked at once, to be held against many. Remembers their words, which many have in common."""

    __slots__ = ("_cut", "_joined", "_kin", "_met", "_words")

    def __init__(self, words: Sequence[str], *, may_be_cut: bool = False) -> None:
        self._cut = may_be_cut
        self._words = _telling(words)
        self._kin = {word: names_of(word) for word in words}
        self._joined = "".join(words)
        self._met: dict[str, frozenset[str]] = {}

    def may_be(self, words: Sequence[str], *, may_be_cut: bool = False) -> bool:
        """Whether no word of theirs, or no word of ours, is without any that resembles it.

        What may be cut contradicts nothing.
        """
        if self._cut or may_be_cut:
            return True
        theirs = [word for word in words if part_of(word) in _TELLING]
        if not self._words or not theirs:
            return True
        met = [self._met_by(other) for other in theirs]
        ours_met = frozenset[str]().union(*met)
        ours_alone = [word for word, _ in self._words if word not in ours_met]
        theirs_alone = [other for other, found in zip(theirs, met, strict=True) if not found]
        if not ours_alone or not theirs_alone:
            return True
        kin = frozenset[int]().union(*(self._kin[word] for word in ours_alone))
        if kin and any(not kin.isdisjoint(names_of(word)) for word in theirs_alone):
            return True
        return fuzz.partial_ratio("".join(words), self._joined) >= _JOINED

    def _met_by(self, other: str) -> frozenset[str]:
        """Which words of ours one of theirs resembles."""
        met = self._met.get(other)
        if met is None:
            their = (other, other.translate(_VOWELS))
            met = self._met[other] = frozenset(word[0] for word in self._words if _resemble(word, their))
        return met


def _telling(words: Sequence[str]) -> list[tuple[str, str]]:
    """The words that tell people apart, each with its consonants."""
    return [(word, word.translate(_VOWELS)) for word in words if part_of(word) in _TELLING]


def _resemble(word: tuple[str, str], other: tuple[str, str]) -> bool:
    ours, theirs = word[0], other[0]
    if ours.startswith(theirs) or theirs.startswith(ours):
        return True
    return (
        OSA.normalized_similarity(ours, theirs) >= _ALIKE
        or OSA.normalized_similarity(word[1], other[1]) >= _BARE_ALIKE
    )
