"""Pairs drawn at random from a collection, as those of Labeled Faces in the Wild (LFW) were.

In each fold half of the pairs are mated: a person is drawn of those with several photographs, and two of
theirs. The others are of two people, a photograph of each. People are drawn with one chance each, so that
whoever has hundreds of photographs weighs no more than others; comparing all with all, they decide. The
people of a fold are in no other one.

One draw of a small collection says little of a false match rate of 0.1 %. Many draws together come near to
what such draws give on the average.
"""

import random
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from models.evaluation.pairs import MAX_PAIRS, Pair, PairList, Sample
from models.evaluation.photographs import Collection

FOLDS: Final = 10
LEAST: Final = 2 * FOLDS
_VAIN = 100  # draws in a row that bring nothing new: the people of a fold hold no more pairs

Person = tuple[Sample, ...]


class DrawError(Exception):
    """So many pairs cannot be drawn: the text says why."""


def repeated(collection: Collection, count: int, seed: int, draws: int) -> PairList:
    """Return `draws` lists of `count` pairs as one, with the seeds from `seed` on. Raises DrawError.

    The pairs of one list are different, those of several are not, and people have no folds of their own
    any more: there is one fold then.
    """
    if draws > 1 and draws * count > MAX_PAIRS:
        raise DrawError(f"{draws} draws of {count} pairs are more than {MAX_PAIRS} pairs: draw fewer")
    lists = [pairs(collection, count, seed + number) for number in range(draws)]
    if draws == 1:
        return lists[0]
    together = tuple(replace(pair, fold=0) for each in lists for pair in each.pairs)
    return PairList(pairs=together, folds=1, told=None, draws=draws)


def pairs(collection: Collection, count: int, seed: int) -> PairList:
    """Return `count` different pairs, a multiple of 20, in ten folds. Raises DrawError."""
    if count % LEAST or not LEAST <= count <= MAX_PAIRS:
        raise DrawError(
            f"{count} pairs do not make ten folds, half of each mated: give a multiple of {LEAST}"
        )
    chance = random.Random(seed)  # noqa: S311 - a sample, which must come out alike for the same seed
    people = [
        tuple(Sample(person=name, number=each.number) for each in group if each.number is not None)
        for name, group in sorted(collection.people.items())
    ]
    people = [person for person in people if person]
    chance.shuffle(people)
    drawn = [
        pair for fold in range(FOLDS) for pair in _fold(people[fold::FOLDS], fold, count // LEAST, chance)
    ]
    return PairList(pairs=tuple(drawn), folds=FOLDS, told=None)


def _fold(people: Sequence[Person], fold: int, each: int, chance: random.Random) -> list[Pair]:
    several = [person for person in people if len(person) > 1]
    if not several or len(people) < 2:
        raise DrawError("too few people: each of ten folds needs two, and one with two photographs")

    def mated() -> tuple[Sample, Sample]:
        one, other = chance.sample(chance.choice(several), 2)
        return one, other

    def non_mated() -> tuple[Sample, Sample]:
        one, other = chance.sample(people, 2)
        return chance.choice(one), chance.choice(other)

    found: list[Pair] = []
    for draw in (mated, non_mated):
        known: dict[frozenset[Sample], Pair] = {}
        vain = 0
        while len(known) < each:
            reference, probe = draw()
            both = frozenset({reference, probe})
            vain = vain + 1 if both in known else 0
            if vain > _VAIN:
                raise DrawError(f"a fold holds no {each} different pairs of each kind: ask for fewer")
            known.setdefault(both, Pair(reference=reference, probe=probe, fold=fold))
        found += known.values()
    return found
