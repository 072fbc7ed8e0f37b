"""Which words of two names stand for each other: one word for one, or one for several neighbours.

All pairs that are alike are ranked, and taken from the best down as long as their words are free. Initials
that are written together (JC) stand for the words that they begin.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from gated.watchlist.names.likeness import (
    How,
    Likeness,
    bare_likeness,
    cut_likeness,
    likeness,
    short_likeness,
)
from gated.watchlist.names.parts import Part
from gated.watchlist.names.sounds import skeleton
from gated.watchlist.names.words import Name, Word

MAX_JOINED = 4
_JOINT = 0.02  # each joint makes a pair less likely
_ALIKE_JOINED = 0.75
_GOOD_ENOUGH = 0.9
WEIGHTS = {Part.NAME: 1.0, Part.PATRONYMIC: 0.6, Part.PARTICLE: 0.15, Part.TITLE: 0.02}
_INITIALS = range(2, 4)
_BLENDED = 0.88
_ARTICLE = re.compile("[AEU](?:[LDNRSTZ]|SH)")
_SUN_LETTERS = frozenset("DLNRSTZ")


class Link(NamedTuple):
    """Words `left` of one name stand for words `right` of the other, as ranges of positions."""

    left: range
    right: range
    degree: float
    how: How


def align(left: Name, right: Name) -> tuple[Link, ...]:
    """The words that stand for each other, in the order of the left name."""
    if "".join(left.spelled()) == "".join(right.spelled()) and left.words:
        return _parted_otherwise(left, right)
    ranked = sorted(
        _links(left, right), key=lambda link: (-link.degree * _size(link), abs(link.left[0] - link.right[0]))
    )
    ours, theirs = set[int](), set[int]()
    taken = []
    for link in ranked:
        if ours.isdisjoint(link.left) and theirs.isdisjoint(link.right):
            ours.update(link.left)
            theirs.update(link.right)
            taken.append(link)
    return tuple(sorted(taken, key=lambda link: link.left[0]))


def _parted_otherwise(left: Name, right: Name) -> tuple[Link, ...]:
    """Names of the same letters: word for word, or as a whole where the words part elsewhere."""
    if left.spelled() == right.spelled():
        return tuple(
            Link(range(at, at + 1), range(at, at + 1), 1.0, How.SAME) for at in range(len(left.words))
        )
    return (Link(range(len(left.words)), range(len(right.words)), 0.98, How.SAME),)


def _size(link: Link) -> float:
    return math.sqrt(max(len(link.left), len(link.right)))


def _links(left: Name, right: Name) -> Iterator[Link]:
    alone: dict[tuple[int, int], float] = {}
    for at, word in enumerate(left.words):
        for there, other in enumerate(right.words):
            best = _best(word, other, ours_cut=left.may_be_cut, theirs_cut=right.may_be_cut)
            if best:
                alone[at, there] = best.degree
                yield Link(range(at, at + 1), range(there, there + 1), *best)
    # Together only where none of them is as much like it alone: JR adds nothing to CARTER.
    for span, there, best in _joined(left, right):
        if best.degree > max(alone.get((at, there), 0.0) for at in span):
            yield Link(span, range(there, there + 1), *best)
    for span, at, best in _joined(right, left):
        if best.degree > max(alone.get((at, there), 0.0) for there in span):
            yield Link(range(at, at + 1), span, *best)


def _best(word: Word, other: Word, *, ours_cut: bool, theirs_cut: bool) -> Likeness | None:
    best: Likeness | None = None
    for form in word.forms:
        for their in other.forms:
            found = likeness(form, their)
            if found is None or found.how is How.INITIAL or found.degree < _GOOD_ENOUGH:
                bare = bare_likeness(form, their) if word.bare != other.bare else None
                cut = (cut_likeness(form, their) if ours_cut else None) or (
                    cut_likeness(their, form) if theirs_cut else None
                )
                found = bare or cut or found or short_likeness(form, their)
            if found and (best is None or found.degree > best.degree):
                best = found
    return best


def _joined(many: Name, few: Name) -> Iterator[tuple[range, int, Likeness]]:
    """Neighbours of the first name that stand for one word of the second."""
    spelled = many.spelled()
    if len(few.words) == 1 and len(spelled) == 2:
        best = _joined_likeness("".join(reversed(spelled)), spelled[::-1], few.words[0], bare=False)
        if best:
            yield range(2), 0, best
    for start in range(len(spelled)):
        for stop in range(start + 2, min(start + MAX_JOINED, len(spelled)) + 1):
            run = spelled[start:stop]
            joined = "".join(run)
            bare = any(word.bare for word in many.words[start:stop])
            for there, word in enumerate(few.words):
                best = _joined_likeness(joined, run, word, bare=bare != word.bare)
                if best:
                    yield range(start, stop), there, best


def _joined_likeness(joined: str, run: tuple[str, ...], word: Word, *, bare: bool) -> Likeness | None:
    """How alike they are together; `bare`: one side's script leaves out vowels, as in Abd al-Aziz."""
    best: Likeness | None = None
    blended = _blended(run)
    for form in word.forms[:4]:
        if len(form) in _INITIALS and len(form) == len(run):
            if all(part[0] == letter for part, letter in zip(run, form, strict=True)):
                best = Likeness(0.6, How.INITIAL)
            continue
        if bare and (found := bare_likeness(joined, form)) and (best is None or found.degree > best.degree):
            best = Likeness(found.degree - _JOINT * (len(run) - 1), found.how)
        if blended and skeleton(blended) == skeleton(form) and (best is None or best.degree < _BLENDED):
            best = Likeness(_BLENDED, How.SOUND)
        if abs(len(form) - len(joined)) > 3 or (form != joined and any(len(part) == 1 for part in run)):
            continue
        found = likeness(form, joined)
        if found and found.degree >= _ALIKE_JOINED and (best is None or found.degree > best.degree):
            best = Likeness(found.degree - _JOINT * (len(run) - 1), found.how)
    return best


def _blended(run: tuple[str, ...]) -> str | None:
    """The words as one without the Arabic article, whose L takes on the sound that follows: Salah ad-Din."""
    for at in range(1, len(run) - 1):
        if _ARTICLE.fullmatch(run[at]) and run[at + 1][0] in _SUN_LETTERS:
            return "".join(run[:at] + run[at + 1 :])
    return None
