"""From the signs of two names to a score: a logistic model of few weights, each of which can be read.

Fitted by `tests.bench.names_fit` to pairs of names of people who do not exist, drawn from lists of names of
many languages; MATCH is the score with the best F1 on other such pairs. `docs/names.md` has the figures.
"""

import math
from collections.abc import Sequence

from gated.watchlist.names.signs import SIGNS

BIAS = -2.684
WEIGHTS = {
    "covered": 1.756,
    "weakest": -3.397,
    "weakest_squared": 5.956,
    "contradicting": -3.557,
    "surplus": -0.252,
    "variants": 0.292,
    "initials": 1.212,
    "nicknames": 1.315,
    "typed": -2.815,
    "alike": -5.988,
    "whole": 2.616,
    "short": 0.842,
    "patronymics": -2.357,
}
MATCH = 0.58
"""From this score on, two names are taken for those of one person."""

_ORDERED = tuple(WEIGHTS[sign] for sign in SIGNS)


def log_odds(signs: Sequence[float]) -> float:
    """What the signs of two names say, as the logarithm of odds."""
    return BIAS + sum(weight * sign for weight, sign in zip(_ORDERED, signs, strict=True))


def score_of(log_odds: float) -> float:
    """The score of odds: 0 to 1."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))
