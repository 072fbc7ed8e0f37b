"""From the signs of two names to a score: a logistic model of few weights, each of which can be read.

Fitted by `tests.bench.names_fit` to pairs of names of people who do not exist, drawn from lists of names of
many languages; MATCH is the score with the best F1 on other such pairs. `docs/names.md` has the figures.
"""

import math
from collections.abc import Sequence

from gated.watchlist.names.signs import SIGNS

BIAS = -2.583
WEIGHTS = {
    "covered": 1.304,
    "weakest": -3.485,
    "weakest_squared": 5.981,
    "contradicting": -3.509,
    "surplus": -0.151,
    "variants": 0.152,
    "initials": 1.631,
    "nicknames": -0.537,
    "typed": -3.092,
    "alike": -6.450,
    "whole": 2.954,
    "short": 0.430,
    "patronymics": -2.110,
}
MATCH = 0.65
"""From this score on, two names are taken for those of one person."""

_ORDERED = tuple(WEIGHTS[sign] for sign in SIGNS)


def log_odds(signs: Sequence[float]) -> float:
    """What the signs of two names say, as the logarithm of odds."""
    return BIAS + sum(weight * sign for weight, sign in zip(_ORDERED, signs, strict=True))


def score_of(log_odds: float) -> float:
    """The score of odds: 0 to 1."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))
