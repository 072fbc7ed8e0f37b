"""What one cue says about life: a score, or that it has no evidence; and scores as log likelihood ratios.

A score is the probability of a bona fide presentation after this cue alone, if before it both kinds were
equally likely. So its logit is the cue's log likelihood ratio, and 0.5 says nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

_SURE: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One cue: `score` in [0, 1], or None for no evidence; `reason` is for officers and records."""

    name: str
    score: float | None
    reason: str


def chance(logit: float) -> float:
    """Return the probability of a log likelihood ratio, at even odds before."""
    return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


def logit_of(score: float) -> float:
    """Return the log likelihood ratio of a score in [0, 1]; certainty is cut."""
    kept = min(max(score, _SURE), 1 - _SURE)
    return float(np.log(kept / (1 - kept)))
