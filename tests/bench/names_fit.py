"""Fits the weights of `gated.watchlist.names.model` to pairs of names of people who do not exist.

`python -m tests.bench.names_fit RIGOUR NICKNAMES` takes the same unpacked wheels as
`tests.bench.names_families` and needs Faker 40.63.0 (MIT) besides, which is no dependency of the project. A
logistic regression (ridge) over 24,000 pairs gives the weights; MATCH is the score with the best F1 on 8,000
others; how good both are is told on 8,000 more. What is printed goes into the model by hand: whoever changes
a sign fits it again.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gated.watchlist.names.alignment import align
from gated.watchlist.names.signs import SIGNS, signs_of
from gated.watchlist.names.words import name_of
from tests.bench.names_families import FROM_NICKNAMES, FROM_RIGOUR
from tests.bench.names_pairs import Draw, Pair

FITTED, CHOSEN, TOLD = (11, 24_000), (12, 8_000), (13, 8_000)  # seed and pairs
RIDGE: Final = 1.0
STEPS: Final = 60
PRECISION: Final = 0.9

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Fit, choose, and tell."""
    parser = argparse.ArgumentParser(description="Fit the weights of names.")
    parser.add_argument("rigour", type=Path)
    parser.add_argument("nicknames", type=Path)
    arguments = parser.parse_args()
    sources = (arguments.rigour / FROM_RIGOUR, arguments.nicknames / FROM_NICKNAMES)
    fitted, chosen, told = (
        _measured(list(Draw(seed, *sources).pairs(count))) for seed, count in (FITTED, CHOSEN, TOLD)
    )
    weights = _fit(*fitted[:2])
    print(f"BIAS = {weights[0]:.3f}")
    for sign, weight in zip(SIGNS, weights[1:], strict=True):
        print(f'    "{sign}": {weight:.3f},')
    match = _best(_scores(weights, chosen[0]), chosen[1])
    print(f"MATCH = {match:.2f}")
    scores = _scores(weights, told[0])
    recall = _recall(scores, told[1])
    print(f"F1 {_f1(scores, told[1], match):.3f}, recall at precision {PRECISION} {recall:.3f}")
    wrong = (scores >= match) != told[1]
    missed = Counter(how for how, one in zip(told[2], wrong, strict=True) if one)
    every = Counter(told[2])
    for how, count in every.most_common(24):
        print(f"    {how}: {missed[how] / count:.1%} of {count} wrong")


def _measured(pairs: list[Pair]) -> tuple[Floats, npt.NDArray[np.bool_], list[str]]:
    signs, same, how = [], [], []
    for pair in pairs:
        left, right = name_of(pair.left), name_of(pair.right)
        if left.words and right.words:
            signs.append(signs_of(left, right, align(left, right)))
            same.append(pair.same)
            how.append(pair.how)
    return np.array(signs), np.array(same), how


def _fit(signs: Floats, same: npt.NDArray[np.bool_]) -> Floats:
    """Newton's method on the penalised likelihood; the bias is not penalised."""
    rows = np.column_stack((np.ones(len(signs)), signs))
    ridge = np.diag([0.0] + [RIDGE] * signs.shape[1])
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (chance - same) + ridge @ weights
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + ridge
        weights -= np.linalg.solve(curve, slope)
    return weights


def _scores(weights: Floats, signs: Floats) -> Floats:
    scores: Floats = 1 / (1 + np.exp(-(weights[0] + signs @ weights[1:])))
    return scores


def _f1(scores: Floats, same: npt.NDArray[np.bool_], match: float) -> float:
    taken = scores >= match
    return float(2 * (taken & same).sum() / (taken.sum() + same.sum()))


def _best(scores: Floats, same: npt.NDArray[np.bool_]) -> float:
    return max(np.arange(0.05, 0.96, 0.01), key=lambda match: _f1(scores, same, float(match)))


def _recall(scores: Floats, same: npt.NDArray[np.bool_]) -> float:
    """The share of the true pairs among the likeliest, as far as PRECISION of them are true."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(same[order])
    good = np.flatnonzero(right / np.arange(1, len(same) + 1) >= PRECISION)
    return float(right[good[-1]] / same.sum()) if len(good) else 0.0


if __name__ == "__main__":
    main()
