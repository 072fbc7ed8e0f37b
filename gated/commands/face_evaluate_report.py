"""What `face evaluate` tells: lines for people, and the page of a report."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gated.commands import columns
from models.evaluation.rates import OperatingPoint, Proportion
from models.evaluation.report import Figure, Report, Table
from models.evaluation.summary import Summary

NOTE = "note: "
SHOWN = 5  # missing photographs in text; JSON has all

_TITLE = "Evaluation of face comparison"
_RATES = (
    "FMR",
    "threshold",
    "FNMR",
    "95 % interval",
    "95 % over people",
    "false matches",
    "false non-matches",
)
_SHIPPED = ("meant FMR", "threshold", "FMR found", "95 % interval", "FNMR found", "95 % interval")


def lines(summary: Summary, report: Path | None) -> Iterator[str]:
    """The figures in text."""
    for label, text in facts(summary):
        yield from columns.wrapped(text, first=f"{label:<26}")
    yield ""
    yield from columns.table(_RATES, [_rates(point) for point in summary.points])
    yield ""
    yield f"at the manifest's thresholds for a template of {summary.shipped_template}:"
    yield from columns.table(_SHIPPED, _shipped(summary))
    yield ""
    for remark in summary.remarks:
        yield from columns.wrapped(remark, first=NOTE)
    missing = summary.photographs_missing
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        names = ", ".join(map(_shown, missing[:SHOWN]))
        yield from columns.wrapped(f"photographs of the list that are missing: {names}{more}", first=NOTE)
    if report is not None:
        yield f"report: {report / 'index.html'}"


def page(summary: Summary, figures: Sequence[Figure]) -> Report:
    """The page of a report: without names of people or files."""
    return Report(
        title=f"{_TITLE}: {summary.model}",
        facts=facts(summary),
        tables=(
            Table(
                caption="Error rates (ISO/IEC 19795-1)",
                heading=_RATES,
                rows=[_rates(point) for point in summary.points],
            ),
            Table(
                caption=f"At the manifest's thresholds for a template of {summary.shipped_template}",
                heading=_SHIPPED,
                rows=_shipped(summary),
            ),
        ),
        figures=figures,
        remarks=summary.remarks,
    )


def facts(summary: Summary) -> list[tuple[str, str]]:
    """What was compared, and the figures that need no threshold of a false match rate."""
    failed = summary.failures_to_enrol
    told = [
        ("model", f"{summary.model} (SHA-256 {summary.sha256[:16]}...)"),
        ("template", _template(summary)),
        ("people, photographs", f"{summary.people}, {summary.photographs}"),
        ("comparisons", f"{summary.mated} mated, {summary.non_mated} non-mated"),
    ]
    if summary.without is not None:
        left = f"{summary.without.here} of the {summary.without.named} that a list names"
        told.append(("photographs left out", left))
    if summary.pairs_listed is not None:
        left = ", ".join(f"{count} {reason}" for reason, count in summary.pairs_left_out.items())
        told.append(("pairs listed", f"{summary.pairs_listed}; left out: {left or 'none'}"))
    elif summary.pairs_left_out:
        left = ", ".join(f"{count} {reason}" for reason, count in summary.pairs_left_out.items())
        told.append(("people left out", left))
    reasons = ", ".join(f"{count} {reason}" for reason, count in failed.by_reason.items())
    told.append(
        (
            "failures to enrol",
            f"{failed.rate.errors} of {failed.rate.trials}" + (f": {reasons}" if reasons else ""),
        )
    )
    if summary.accuracy is not None:
        folds = summary.accuracy
        over = f"{len(folds.folds)} folds, each by the threshold of the others"
        error = _percent(folds.standard_error)
        told.append(("accuracy over folds", f"{_percent(folds.mean)}, standard error {error} ({over})"))
    best = summary.best_accuracy
    told.append(
        ("accuracy at best", f"{_share(best.accuracy)} at {best.threshold:.4f}, chosen on these comparisons")
    )
    if summary.equal_error is not None:
        equal = summary.equal_error
        told.append(("equal error rate", f"{_percent(equal.rate)} at {equal.threshold:.4f}"))
    return told


def _template(summary: Summary) -> str:
    if summary.template == 1:
        return "one photograph"
    return f"{summary.template} photographs, fused{', embedded as live frames are' if summary.live else ''}"


def _rates(point: OperatingPoint) -> tuple[str, ...]:
    people = point.fnmr_over_people
    matches, misses = point.false_matches, point.false_non_matches
    return (
        f"{100 * point.fmr:g} %" + ("" if point.supported else f" not shown: < {_percent(matches.high)}"),
        f"{point.threshold:.4f}",
        _share(misses),
        _interval(misses),
        "-" if people is None else f"{_percent(people.low)} to {_percent(people.high)}",
        f"{matches.errors} of {matches.trials}",
        f"{misses.errors} of {misses.trials}",
    )


def _shipped(summary: Summary) -> list[tuple[str, ...]]:
    return [
        (
            f"{100 * each.fmr:g} %",
            f"{each.threshold:.4f}",
            _share(each.false_matches),
            _interval(each.false_matches),
            _share(each.false_non_matches),
            _interval(each.false_non_matches),
        )
        for each in summary.shipped
    ]


def _share(share: Proportion) -> str:
    return "-" if share.rate is None else _percent(share.rate)


def _interval(share: Proportion) -> str:
    return f"{_percent(share.low)} to {_percent(share.high)}"


def _percent(share: float) -> str:
    """Two decimals, and more for what would be lost by that."""
    return f"{100 * share:.2f} %" if share == 0 or share >= 0.001 else f"{100 * share:.4f} %"


def _shown(name: str) -> str:
    """A name of the list as a terminal can show it."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name
    )
