"""What an alignment says of two names, as numbers for the logistic model (`gated.watchlist.names.model`)."""

from rapidfuzz.distance import OSA

from gated.watchlist.names.alignment import WEIGHTS, Link
from gated.watchlist.names.likeness import How
from gated.watchlist.names.parts import Part
from gated.watchlist.names.sounds import fold
from gated.watchlist.names.words import Name

SIGNS = (
    "covered",  # how much of the name with less is found in the other, alike as it is
    "weakest",  # how alike the least alike word of the shorter name is, 0 if it is missing
    "weakest_squared",
    "contradicting",  # words that are left over on both sides
    "surplus",  # words that only the longer name has
    "variants",  # words that are known forms of one name, or sound alike, at most 2
    "initials",  # words that only an initial stands for
    "nicknames",
    "typed",  # what misspelt words lack
    "alike",  # what words lack that are known as different names
    "whole",  # how alike the whole names are, letter by letter, words in alphabetical order
    "short",  # few letters are left to go by
    "patronymics",  # both names have a patronymic that the other lacks
)
_FEW = 8
_KNOWN = frozenset({How.VARIANT, How.NICKNAME})


def signs_of(left: Name, right: Name, links: tuple[Link, ...]) -> tuple[float, ...]:
    """The signs, in the order of SIGNS."""
    ours, theirs = _weights(left), _weights(right)
    found = [_weight(link, ours, theirs) for link in links]
    alike = sum(weight * link.degree for weight, link in zip(found, links, strict=True))
    least = min(sum(ours), sum(theirs))
    shorter_is_left = sum(ours) <= sum(theirs)
    weakest = _weakest(left if shorter_is_left else right, links, left_side=shorter_is_left)
    over_left, over_right = _left_over(left, links, left_side=True), _left_over(right, links, left_side=False)
    if right.may_be_cut:
        over_left = 0.0  # what the field had no room for is not missing
    if left.may_be_cut:
        over_right = 0.0
    return (
        min(1.0, alike / least),
        weakest,
        weakest**2,
        min(over_left, over_right, 3.0),
        min(abs(over_left - over_right), 4.0),
        float(min(2, sum(link.how in {How.VARIANT, How.SOUND} for link in links))),
        float(sum(link.how is How.INITIAL for link in links)),
        float(sum(link.how is How.NICKNAME for link in links)),
        sum(1 - link.degree for link in links if link.how is How.TYPING),
        sum(1 - link.degree for link in links if link.how is How.ALIKE),
        _whole(left, right, links),
        max(0.0, 1 - min(_letters(left), _letters(right)) / _FEW),
        float(
            _unlinked_patronymic(left, links, left_side=True)
            and _unlinked_patronymic(right, links, left_side=False)
        ),
    )


def _weights(name: Name) -> tuple[float, ...]:
    return tuple(WEIGHTS[word.part] * (0.5 if len(word.forms[0]) == 1 else 1.0) for word in name.words)


def _weight(link: Link, ours: tuple[float, ...], theirs: tuple[float, ...]) -> float:
    left, right = sum(ours[at] for at in link.left), sum(theirs[at] for at in link.right)
    return min(left, right) if len(link.left) == len(link.right) else max(left, right)


def _weakest(name: Name, links: tuple[Link, ...], *, left_side: bool) -> float:
    degrees = {at: link.degree for link in links for at in (link.left if left_side else link.right)}
    return min(
        (degrees.get(at, 0.0) for at, word in enumerate(name.words) if word.part is Part.NAME), default=0.0
    )


def _left_over(name: Name, links: tuple[Link, ...], *, left_side: bool) -> float:
    taken = {at for link in links for at in (link.left if left_side else link.right)}
    return sum(WEIGHTS[word.part] for at, word in enumerate(name.words) if at not in taken)


def _unlinked_patronymic(name: Name, links: tuple[Link, ...], *, left_side: bool) -> bool:
    taken = {at for link in links if link.degree > 0.8 for at in (link.left if left_side else link.right)}
    return any(word.part is Part.PATRONYMIC and at not in taken for at, word in enumerate(name.words))


def _letters(name: Name) -> int:
    return sum(len(word.forms[0]) for word in name.words if word.part is Part.NAME)


def _whole(left: Name, right: Name, links: tuple[Link, ...]) -> float:
    """Words that are known forms of one name are the same here: BILL need not look like WILLIAM."""
    ours, theirs = list(map(fold, left.spelled())), list(map(fold, right.spelled()))
    for link in links:
        if link.how in _KNOWN and len(link.left) == len(link.right) == 1:
            ours[link.left[0]] = theirs[link.right[0]]
    return max(0.0, OSA.normalized_similarity("".join(sorted(ours)), "".join(sorted(theirs))))
