"""From the signs of two names to a score: a logistic model of few weights, each of which can be read.

Fitted by `tests.bench.names_fit` to pairs of names of people who do not exist, drawn from lists of names of
many languages; MATCH is the score with the best F1 on other such pairs. `docs/names.md` has the figures.
"""

import math
from collections.abc import Sequence

from gated.watchlist.names.signs import SIGNS

BIAS = -2.030
WEIGHTS = {
    "covered": 1.512,
    "weakest": -4.227,
    "weakest_squared": 6.371,
    "contradicting": -3.901,
    "surplus": -0.232,
    "variants": 0.396,
    "initials": 1.544,
    "nicknames": -0.021,
    "typed": -3.076,
    "alike": -6.165,
    "whole": 2.533,
    "short": 0.307,
    "patronymics": -2.004,
}
MATCH = 0.66
"""From this score on, two names are taken for those of one person."""

_ORDERED = tuple(WEIGHTS[sign] for sign in SIGNS)


def log_odds(signs: Sequence[float]) -> float:
    """What the signs of two names say, as the logarithm of odds."""
    return BIAS + sum(weight * sign for weight, sign in zip(_ORDERED, signs, strict=True))


def score_of(log_odds: float) -> float:
    """The score of odds: 0 to 1."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))
