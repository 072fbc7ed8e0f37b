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
    """One name, looked at once, to be held against many."""

    __slots__ = ("_cut", "_joined", "_kin", "_words")

    def __init__(self, words: Sequence[str], *, may_be_cut: bool = False) -> None:
        self._cut = may_be_cut
        self._words = _telling(words)
        self._kin = {word: names_of(word) for word in words}
        self._joined = "".join(words)

    def may_be(self, words: Sequence[str], *, may_be_cut: bool = False) -> bool:
        """Whether no word of theirs, or no word of ours, is without any that resembles it.

        What may be cut contradicts nothing.
        """
        if self._cut or may_be_cut:
            return True
        theirs = _telling(words)
        if not self._words or not theirs:
            return True
        ours_met, theirs_met = set[str](), set[str]()
        for word in self._words:
            for other in theirs:
                if _resemble(word, other):
                    ours_met.add(word[0])
                    theirs_met.add(other[0])
        ours_alone = [word for word, _ in self._words if word not in ours_met]
        theirs_alone = [word for word, _ in theirs if word not in theirs_met]
        if not ours_alone or not theirs_alone:
            return True
        kin = frozenset[int]().union(*(self._kin[word] for word in ours_alone))
        if any(not kin.isdisjoint(names_of(word)) for word in theirs_alone):
            return True
        return fuzz.partial_ratio("".join(words), self._joined) >= _JOINED


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
