"""What `face evaluate-pad` tells: lines for people, and the page of a report."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gated.commands import columns
from models.evaluation.attacks import Detection, Findings
from models.evaluation.rates import Proportion
from models.evaluation.report import Figure, Report, Table

NOTE = "note: "
SHOWN = 5  # unusable files in text; JSON has all

_HEADING = ("", "presentations", "no response", "error", "95 % interval", "at chosen", "95 % interval", "EER")
_SHORT = (
    "The error of bona fide presentations is BPCER, that of attacks APCER; no response is BPNRR and APNRR."
)
_REMARKS = (
    "APCER is that of the worst species (ISO/IEC 30107-3).",
    "Error rates are over the presentations that got a response.",
    "The chosen threshold is chosen on these presentations: it tells what scores can do, not a gate.",
    "Intervals take presentations for independent; several of one person or instrument are not.",
)


def lines(answer: Findings, report: Path | None) -> Iterator[str]:
    """The figures in text."""
    for found in (answer.stills, answer.sequences):
        if found is not None:
            yield f"{found.kind}:"
            told = facts(found)
            width = max(len(label) for label, _ in told)
            for label, text in told:
                yield from columns.wrapped(text, first=f"  {label:<{width}}  ")
            yield from columns.table(_HEADING, _rows(found, full=False), indent=2)
            yield ""
    for remark in (_SHORT, *_REMARKS):
        yield from columns.wrapped(remark, first=NOTE)
    if answer.unusable:
        yield f"{NOTE}files that could not be used: {len(answer.unusable)}"
        yield from (f"  {_shown(each.file)} ({each.error})" for each in answer.unusable[:SHOWN])
        if len(answer.unusable) > SHOWN:
            yield f"  and {len(answer.unusable) - SHOWN} more: --json names all"
    if report is not None:
        yield f"report: {report / 'index.html'}"


def page(answer: Findings, figures: Sequence[Figure]) -> Report:
    """The page of a report: without names of files."""
    measured = [found for found in (answer.stills, answer.sequences) if found is not None]
    told = [(f"{found.kind}: {label}", text) for found in measured for label, text in facts(found)]
    told.append(("files that could not be used", str(len(answer.unusable))))
    told.append(("manifest of models", f"SHA-256 {answer.manifest_sha256[:16]}..."))
    tables = [
        Table(caption=f"Error rates of {found.kind} (ISO/IEC 30107-3)", heading=_HEADING, rows=_rows(found))
        for found in measured
    ]
    return Report(
        title="Evaluation of presentation attack detection",
        facts=told,
        tables=tables,
        figures=figures,
        remarks=_REMARKS,
    )


def facts(found: Detection) -> list[tuple[str, str]]:
    """The figures of the whole."""
    attacks = sum(each.presentations for each in found.species.values())
    told = [("presentations", f"{found.bona_fide.presentations} bona fide, {attacks} attacks")]
    shipped = (
        "by the fused verdict"
        if found.threshold is None
        else f"at the shipped threshold {found.threshold:.4f}"
    )
    if found.worst is not None:
        told.append((f"APCER {shipped}", f"{_share(found.apcer)} ({_shown(found.worst)})"))
    told.append((f"BPCER {shipped}", _share(found.bona_fide.bpcer)))
    if found.chosen_threshold is not None:
        where = f"at BPCER {100 * found.chosen_bpcer:g} %" if found.supported else "without any BPCER"
        told.append(("chosen threshold", f"{found.chosen_threshold:.4f}, {where}"))
        if found.worst_at_bpcer is not None:
            there = _share(found.apcer_at_bpcer)
            told.append((f"APCER {where}", f"{there} ({_shown(found.worst_at_bpcer)})"))
    if not found.supported:
        told.append(
            ("note", f"too few bona fide presentations for a BPCER of {100 * found.chosen_bpcer:g} %")
        )
    if found.equal_error is not None:
        told.append(
            (
                "EER over all species",
                f"{_percent(found.equal_error.rate)} at {found.equal_error.threshold:.4f}",
            )
        )
    silent = dict(found.bona_fide.reasons)
    for each in found.species.values():
        for reason, count in each.reasons.items():
            silent[reason] = silent.get(reason, 0) + count
    told.append(("no response", _counts(silent)))
    return told


def _rows(found: Detection, *, full: bool = True) -> list[tuple[str, ...]]:
    own = found.bona_fide
    rows = [
        (
            "bona fide (BPCER, BPNRR)" if full else "bona fide",
            str(own.presentations),
            _of(own.non_responses),
            *_both(own.bpcer, own.bpcer_at),
            "-",
        )
    ]
    for name, each in found.species.items():
        equal = "-" if each.equal_error is None else _percent(each.equal_error.rate)
        rates = _both(each.apcer, each.apcer_at_bpcer)
        rows.append(
            (
                f"{_shown(name)} (APCER, APNRR)" if full else _shown(name),
                str(each.presentations),
                _of(each.non_responses),
                *rates,
                equal,
            )
        )
    return rows


def _both(shipped: Proportion, chosen: Proportion | None) -> tuple[str, ...]:
    return _share(shipped), _interval(shipped), _share(chosen), _interval(chosen)


def _of(share: Proportion) -> str:
    return f"{share.errors} ({_share(share)})"


def _share(share: Proportion | None) -> str:
    return "-" if share is None or share.rate is None else _percent(share.rate)


def _interval(share: Proportion | None) -> str:
    return "-" if share is None or share.rate is None else f"{_percent(share.low)} to {_percent(share.high)}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "0"


def _shown(name: str) -> str:
    """A name as a terminal can show it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
