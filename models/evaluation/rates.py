"""Error rates of decisions by score, and how sure they are, in the terms of ISO/IEC 19795-1:2021.

A comparison is decided "match" when its score is at least the threshold. The false match rate (FMR) is the
share of non-mated comparisons that match, the false non-match rate (FNMR) that of mated ones that do not.

Two intervals are given, both of 95 %. Clopper and Pearson's is exact for independent comparisons, which
comparisons that share a person are not: it is too narrow then. The bootstrap draws people with replacement,
and with them all of their comparisons, and chooses the threshold anew each time: it knows of both.

A rate is known only as far as there are comparisons: with N non-mated comparisons no FMR below 1/N can be
set. What is then given is the bound that is known, never a figure that is not. The "rule of 30" asks for
thirty errors: the true rate is then within 30 % of the measured one, with 90 % confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

import numpy as np
import numpy.typing as npt

from gated.core.values import Value

Scores = npt.NDArray[np.float64]
People = npt.NDArray[np.int32]

FMRS = (1e-2, 1e-3, 1e-4)
CONFIDENCE = 0.95
ENOUGH_ERRORS = 30
REPLICAS = 1000
MIN_REPLICAS = 100
MAX_DRAWS = 100_000_000  # comparisons weighed in all replicas together: a few seconds
ROUNDING = 0.01
MAX_STEPS = 200_000  # thresholds that a curve is chosen from
MAX_WEIGHED = 400_000  # comparisons by which a replica is weighed as a whole


class Proportion(Value):
    """`errors` of `trials`, and the ends of its Clopper-Pearson interval; `rate` is None of no trials."""

    errors: int
    trials: int
    rate: float | None
    low: float
    high: float


class Interval(Value):
    """The ends of a 95 % bootstrap interval over people."""

    low: float
    high: float


class OperatingPoint(Value):
    """What was measured at the threshold for a false match rate.

    `supported` is False where the non-mated comparisons are too few for any threshold to have this FMR: then
    the threshold is the lowest without a false match, and only the upper ends of the intervals are known.
    """

    fmr: float
    supported: bool
    threshold: float
    false_matches: Proportion
    false_non_matches: Proportion
    fnmr_over_people: Interval | None = None

    @property
    def few_errors(self) -> bool:
        """Whether fewer than 30 false matches stand behind the threshold."""
        return self.false_matches.errors < ENOUGH_ERRORS


class EqualError(Value):
    """Where FMR and FNMR meet: the mean of both at the threshold that brings them closest."""

    rate: float
    threshold: float


class FoldAccuracy(Value):
    """Share of right decisions, each fold decided by the threshold that is best for all the others."""

    mean: float
    standard_error: float
    folds: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """Scores of comparisons, and whose they are: `first` and `second` number people, the same when mated."""

    scores: Scores
    first: People
    second: People

    @property
    def mated(self) -> npt.NDArray[np.bool_]:
        """Whether each comparison is of one person."""
        same: npt.NDArray[np.bool_] = self.first == self.second
        return same

    def only(self, which: npt.NDArray[np.bool_]) -> "Comparisons":
        """Some of them."""
        return Comparisons(scores=self.scores[which], first=self.first[which], second=self.second[which])


@dataclass(frozen=True, kw_only=True)
class Curve:
    """FMR and FNMR at rising thresholds, with the ends of their Clopper-Pearson intervals: low, high."""

    threshold: Scores
    fmr: Scores
    fnmr: Scores
    fmr_between: Scores
    fnmr_between: Scores


def proportion(errors: int, trials: int, confidence: float = CONFIDENCE) -> Proportion:
    """Return a share with its Clopper-Pearson interval. Raises ValueError unless 0 <= errors <= trials."""
    if not 0 <= errors <= trials:
        raise ValueError(f"{errors} errors of {trials} trials")
    if not trials:
        return Proportion(errors=0, trials=0, rate=None, low=0.0, high=1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else _beta_quantile(tail, errors, trials - errors + 1)
    high = 1.0 if errors == trials else _beta_quantile(1 - tail, errors + 1, trials - errors)
    return Proportion(errors=errors, trials=trials, rate=errors / trials, low=low, high=high)


def threshold_at(non_mated: Scores, fmr: float) -> tuple[float, bool]:
    """Return the lowest threshold that lets at most a share `fmr` match, and whether `fmr` is supported.

    A share that is within one part in a hundred of `fmr` counts as `fmr`: 3 of 2,997 are 0.1 %.
    """
    allowed = _whole(fmr * len(non_mated))
    if not len(non_mated):
        return 0.0, False
    place = len(non_mated) - 1 - min(allowed, len(non_mated) - 1)
    refused = float(np.partition(non_mated, place)[place])
    return float(np.nextafter(refused, np.inf)), allowed >= 1


def _whole(count: float) -> int:
    """The whole number next to a count where that is within a hundredth of it, else the one below."""
    return round(count) if abs(round(count) - count) <= ROUNDING * count else int(count)


def operating_point(mated: Scores, non_mated: Scores, fmr: float) -> OperatingPoint:
    """Return what is measured at the threshold for `fmr`."""
    threshold, supported = threshold_at(non_mated, fmr)
    return OperatingPoint(
        fmr=fmr,
        supported=supported,
        threshold=threshold,
        false_matches=proportion(int((non_mated >= threshold).sum()), len(non_mated)),
        false_non_matches=proportion(int((mated < threshold).sum()), len(mated)),
    )


def operating_points(
    comparisons: Comparisons, fmrs: Sequence[float] = FMRS, *, seed: int = 1
) -> tuple[OperatingPoint, ...]:
    """Return a point for each FMR, with the bootstrap interval of the FNMR where the FMR is supported."""
    mated, non_mated = comparisons.only(comparisons.mated), comparisons.only(~comparisons.mated)
    points = []
    for fmr in fmrs:
        point = operating_point(mated.scores, non_mated.scores, fmr)
        if point.supported and point.false_non_matches.errors:  # of no errors it knows nothing
            over_people = _bootstrap(mated, non_mated, fmr, seed)
            point = OperatingPoint(
                fmr=fmr,
                supported=True,
                threshold=point.threshold,
                false_matches=point.false_matches,
                false_non_matches=point.false_non_matches,
                fnmr_over_people=over_people,
            )
        points.append(point)
    return tuple(points)


def equal_error(mated: Scores, non_mated: Scores) -> EqualError | None:
    """Return where both rates meet; None without mated or non-mated scores."""
    if not (len(mated) and len(non_mated)):
        return None
    thresholds, fmr, fnmr = _steps(mated, non_mated)
    nearest = int(np.argmin(np.abs(fmr - fnmr)))
    return EqualError(rate=float(fmr[nearest] + fnmr[nearest]) / 2, threshold=float(thresholds[nearest]))


def fold_accuracy(comparisons: Comparisons, folds: People) -> FoldAccuracy | None:
    """Return the accuracy over numbered folds; None with fewer than two: nothing is left to choose by."""
    mated = comparisons.mated
    accuracies = []
    for fold in np.unique(folds):
        inside = folds == fold
        if inside.all():
            return None
        threshold = best_threshold(comparisons.scores[~inside], mated[~inside])
        accuracies.append(float(((comparisons.scores[inside] >= threshold) == mated[inside]).mean()))
    if not accuracies:
        return None
    spread = float(np.std(accuracies, ddof=1)) / len(accuracies) ** 0.5
    return FoldAccuracy(mean=float(np.mean(accuracies)), standard_error=spread, folds=tuple(accuracies))


def best_threshold(scores: Scores, mated: npt.NDArray[np.bool_]) -> float:
    """Return the threshold with the most right decisions, in the middle of the gap where it lies."""
    order = np.argsort(scores, kind="stable")
    ranked, truth = scores[order], mated[order]
    # right decisions when the k lowest are refused, for k = 0..n
    right = np.concatenate([[0], np.cumsum(~truth)]) + truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    edges = np.concatenate([[-np.inf], ranked, [np.inf]])
    possible = edges[1:] > edges[:-1]  # equal scores cannot be told apart
    cut = int(np.argmax(np.where(possible, right, -1)))
    if cut == 0:
        return float(ranked[0])
    if cut == len(ranked):
        return float(np.nextafter(ranked[-1], np.inf))
    return float(ranked[cut - 1] + ranked[cut]) / 2


def curve(mated: Scores, non_mated: Scores, points: int = 100) -> Curve:
    """Return both rates over the thresholds where they change, thinned to about `points`."""
    thresholds, fmr, fnmr = _steps(mated, non_mated)
    keep = _thinned(fmr, fnmr, points)
    thresholds, fmr, fnmr = thresholds[keep], fmr[keep], fnmr[keep]
    return Curve(
        threshold=thresholds,
        fmr=fmr,
        fnmr=fnmr,
        fmr_between=_between(fmr, len(non_mated)),
        fnmr_between=_between(fnmr, len(mated)),
    )


def _steps(mated: Scores, non_mated: Scores) -> tuple[Scores, Scores, Scores]:
    """Thresholds at every distinct score (of very many: at some) and above all; FMR and FNMR there."""
    mated, non_mated = np.sort(mated), np.sort(non_mated)
    thresholds = np.unique(np.concatenate([_sampled(mated), _sampled(non_mated)]))
    thresholds = np.concatenate([thresholds, [np.nextafter(thresholds[-1], np.inf)]])
    fmr = (len(non_mated) - np.searchsorted(non_mated, thresholds, side="left")) / len(non_mated)
    fnmr = np.searchsorted(mated, thresholds, side="left") / len(mated)
    return thresholds, fmr, fnmr


def _sampled(ranked: Scores) -> Scores:
    """Of very many rising scores, those whose ranks from either end are evenly spread on a logarithm."""
    if len(ranked) <= MAX_STEPS:
        return ranked
    ranks = np.unique(np.geomspace(1, len(ranked), MAX_STEPS // 4).astype(np.int64)) - 1
    return np.concatenate([ranked[ranks], ranked[len(ranked) - 1 - ranks]])


def _thinned(fmr: Scores, fnmr: Scores, points: int) -> npt.NDArray[np.intp]:
    """Which steps to keep, evenly spread on the logarithm of either rate."""
    kept = {0, len(fmr) - 1}
    for falling in (fmr, fnmr[::-1]):
        present = falling[falling > 0]
        if not len(present):
            continue
        wanted = np.geomspace(present.max(), present.min(), points // 2)
        places = np.minimum(np.searchsorted(-falling, -wanted, side="left"), len(falling) - 1)
        kept.update(int(p) if falling is fmr else len(falling) - 1 - int(p) for p in places)
    return np.array(sorted(kept), np.intp)


def _between(rates: Scores, trials: int) -> Scores:
    ends = [proportion(round(float(rate) * trials), trials) for rate in rates]
    return np.array([[end.low for end in ends], [end.high for end in ends]])


def _bootstrap(mated: Comparisons, non_mated: Comparisons, fmr: float, seed: int) -> Interval:
    """Draw people with replacement; a comparison counts as often as the product of its people's draws."""
    chance = np.random.default_rng([seed, len(mated.scores), len(non_mated.scores)])
    people = 1 + max(int(c.max()) for c in (mated.first, non_mated.first, non_mated.second))
    total = len(non_mated.scores)
    order = np.argsort(-non_mated.scores, kind="stable")
    # weights vary, so the threshold of a replica may lie well below that of the whole
    top = order[: min(total, int(3 * fmr * total) + 1000)]
    top_scores, first, second = non_mated.scores[top], non_mated.first[top], non_mated.second[top]
    every = -(-total // MAX_WEIGHED)
    some_first, some_second = non_mated.first[::every], non_mated.second[::every]
    fnmrs = []
    for _ in range(int(np.clip(MAX_DRAWS // len(top), MIN_REPLICAS, REPLICAS))):
        draws = np.bincount(chance.integers(0, people, people), minlength=people)
        whole = float((draws[some_first] * draws[some_second]).mean()) * total
        passed = np.cumsum(draws[first] * draws[second])
        place = int(np.searchsorted(passed, fmr * whole, side="right"))
        threshold = top_scores[min(place, len(top_scores) - 1)]
        weights = draws[mated.first]
        if weights.sum():
            fnmrs.append(float(weights[mated.scores <= threshold].sum() / weights.sum()))
    if not fnmrs:
        return Interval(low=0.0, high=1.0)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(fnmrs, [tail, 100 - tail])
    return Interval(low=float(low), high=float(high))


def _beta_quantile(share: float, a: float, b: float) -> float:
    """The x at which the regularised incomplete beta function I_x(a, b) is `share`."""
    low, high = 0.0, 1.0
    while high - low > 1e-12 + 1e-8 * low:
        middle = (low + high) / 2
        low, high = (middle, high) if _incomplete_beta(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction (NIST DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 + d1/(1 + d2/(1 + ...)) by Lentz's method."""
    tiny = 1e-300
    value, numerator, denominator = 1.0, 1.0, 0.0
    for step in range(1, 10_000):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        denominator = 1 / ((1 + term * denominator) or tiny)
        numerator = (1 + term / numerator) or tiny
        change = numerator * denominator
        value *= change
        if abs(change - 1) < 1e-14:
            break
    return value
