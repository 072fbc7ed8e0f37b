"""What an evaluation of comparisons found: one value, for JSON, text and report alike."""

from collections import Counter
from collections.abc import Sequence

from gated.core.values import Value
from models.evaluation import plot, rates
from models.evaluation.acquisition import Acquired
from models.evaluation.pairs import PairList
from models.evaluation.rates import EqualError, FoldAccuracy, OperatingPoint, Proportion
from models.evaluation.report import Figure
from models.evaluation.verification import Verification
from models.schema import Embedder, Measurement

FMR_AXIS = "False match rate (FMR)"
FNMR_AXIS = "False non-match rate (FNMR)"


SHARED_PEOPLE = (
    "Comparisons that share a person are not independent: the Clopper-Pearson intervals are too narrow, "
    "those over people (bootstrap, which chooses the threshold anew) are wider."
)


class Shipped(Value):
    """What became of the manifest's threshold for a false match rate."""

    fmr: float
    threshold: float
    false_matches: Proportion
    false_non_matches: Proportion


class BestAccuracy(Value):
    """Right decisions at the threshold that is best for these very comparisons: a flattering figure."""

    accuracy: Proportion
    threshold: float


class Failures(Value):
    """Photographs that gave no embedding, of all that were tried; codes by number, and by file."""

    rate: Proportion
    by_reason: dict[str, int]
    files: dict[str, str]


class LeftOut(Value):
    """Photographs that somebody wanted left out: how many were named, and how many of them were here."""

    named: int
    here: int


class Summary(Value):
    """All figures. `cross`: non-mated comparisons are of all references with all templates of others."""

    model: str
    sha256: str
    template: int
    live: bool
    people: int
    photographs: int
    without: LeftOut | None
    mated: int
    non_mated: int
    cross: bool
    accuracy: FoldAccuracy | None
    best_accuracy: BestAccuracy
    equal_error: EqualError | None
    points: tuple[OperatingPoint, ...]
    shipped: tuple[Shipped, ...]
    shipped_template: int
    pairs_listed: int | None
    pairs_told: int | None
    pairs_left_out: dict[str, int]
    photographs_missing: tuple[str, ...]
    failures_to_enrol: Failures
    remarks: tuple[str, ...]


def summarise(
    name: str,
    entry: Embedder,
    measured: Verification,
    acquired: Acquired,
    *,
    listed: PairList | None,
    template: int,
    live: bool = False,
    without: LeftOut | None = None,
) -> Summary:
    """Return the figures of what was compared."""
    comparisons = measured.comparisons
    mated = comparisons.scores[comparisons.mated]
    non_mated = comparisons.scores[~comparisons.mated]
    best = rates.best_threshold(comparisons.scores, comparisons.mated)
    right = int((mated >= best).sum() + (non_mated < best).sum())
    shipped = entry.measurement(template)
    points = rates.operating_points(comparisons)
    return Summary(
        model=name,
        sha256=entry.sha256,
        template=template,
        live=live,
        people=measured.people,
        photographs=measured.photographs,
        without=without,
        mated=len(mated),
        non_mated=len(non_mated),
        cross=measured.cross,
        accuracy=None if measured.folds is None else rates.fold_accuracy(comparisons, measured.folds),
        best_accuracy=BestAccuracy(accuracy=rates.proportion(right, len(comparisons.scores)), threshold=best),
        equal_error=rates.equal_error(mated, non_mated),
        points=points,
        shipped=tuple(_shipped(shipped, measured)),
        shipped_template=shipped.images,
        pairs_listed=None if listed is None else len(listed.pairs),
        pairs_told=None if listed is None else listed.told,
        pairs_left_out=dict(sorted(measured.left_out.pairs.items())),
        photographs_missing=tuple(measured.left_out.missing),
        failures_to_enrol=_failures(acquired),
        remarks=tuple(_remarks(points, measured, listed, template, shipped.images)),
    )


def figures(name: str, measured: Verification, points: Sequence[OperatingPoint]) -> tuple[Figure, ...]:
    """Return the plots of a report; none where one of the two kinds of comparison is missing."""
    comparisons = measured.comparisons
    mated = comparisons.scores[comparisons.mated]
    non_mated = comparisons.scores[~comparisons.mated]
    if not (len(mated) and len(non_mated)):
        return ()
    line = rates.curve(mated, non_mated)
    known = [point for point in points if point.supported]
    trade = plot.det(
        [plot.Trade(name=name, x=line.fmr, y=line.fnmr, y_between=line.fnmr_between)],
        [
            plot.Point(
                name=f"FMR {100 * point.fmr:g} %",
                x=point.false_matches.errors / point.false_matches.trials,
                y=point.false_non_matches.errors / point.false_non_matches.trials,
                x_between=(point.false_matches.low, point.false_matches.high),
                y_between=(point.false_non_matches.low, point.false_non_matches.high),
            )
            for point in known
        ],
        x_label=FMR_AXIS,
        y_label=FNMR_AXIS,
        title="Detection error trade-off (DET)",
    )
    scores = plot.histogram(
        [plot.Sort(name="mated", scores=mated), plot.Sort(name="non-mated", scores=non_mated)],
        [plot.Mark(name=f"FMR {100 * point.fmr:g} %", score=point.threshold) for point in known],
        x_label="Comparison score",
        y_label="Share of comparisons",
        title="Comparison scores",
    )
    return (
        Figure(
            name="det",
            caption="Both axes are normal deviates. Band and whiskers: 95 % Clopper-Pearson intervals, as if "
            "comparisons were independent; dots: the thresholds of the table.",
            svg=trade,
        ),
        Figure(
            name="scores",
            caption="Shares of the mated and of the non-mated comparisons, and the thresholds of the table.",
            svg=scores,
        ),
    )


def _shipped(shipped: Measurement, measured: Verification) -> list[Shipped]:
    comparisons = measured.comparisons
    mated = comparisons.scores[comparisons.mated]
    non_mated = comparisons.scores[~comparisons.mated]
    return [
        Shipped(
            fmr=each.fmr,
            threshold=each.score,
            false_matches=rates.proportion(int((non_mated >= each.score).sum()), len(non_mated)),
            false_non_matches=rates.proportion(int((mated < each.score).sum()), len(mated)),
        )
        for each in shipped.thresholds
    ]


def _failures(acquired: Acquired) -> Failures:
    tried = len(acquired.embeddings) + len(acquired.failures)
    return Failures(
        rate=rates.proportion(len(acquired.failures), tried),
        by_reason=dict(sorted(Counter(acquired.failures.values()).items())),
        files=dict(sorted(acquired.failures.items())),
    )


def _remarks(
    points: Sequence[OperatingPoint],
    measured: Verification,
    listed: PairList | None,
    template: int,
    shipped_template: int,
) -> list[str]:
    remarks = [SHARED_PEOPLE]
    if listed is not None and listed.told not in (None, len(listed.pairs)):
        remarks.append(
            f"The list's heading speaks of {listed.told} pairs and {len(listed.pairs)} follow: "
            "its folds are not known."
        )
    if listed is not None and listed.draws > 1:
        remarks.append(
            f"{listed.draws} draws together: pairs occur several times, and the Clopper-Pearson intervals, "
            "which take them for different ones, say nothing. Those over people hold."
        )
    if measured.cross:
        remarks.append(
            "Non-mated comparisons: every reference with every template of another person, since pairs of "
            "templates alone are too few."
        )
    for point in points:
        name, matches = f"FMR {100 * point.fmr:g} %", point.false_matches
        if not point.supported:
            remarks.append(
                f"{name}: {matches.trials} non-mated comparisons cannot show it. Given is the lowest "
                f"threshold without a false match; its FMR is below {100 * matches.high:.2g} % (95 % "
                "confidence)."
            )
        elif point.few_errors:
            remarks.append(
                f"{name}: its threshold rests on {matches.errors} false matches; the FMR there lies between "
                f"{100 * matches.low:.2g} and {100 * matches.high:.2g} %."
            )
    if template != shipped_template:
        remarks.append(
            f"The manifest has no thresholds for a template of {template}: those of {shipped_template} "
            "are shown."
        )
    return remarks
