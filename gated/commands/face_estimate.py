"""The false match rate that this gate has measured on its own travellers (BSI TR-03121, EVA-VER)."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from gated.commands.answer import Answer, Words
from gated.commands.journal import opened
from gated.core import events as ev
from gated.store.journal import read


def add(words: Words) -> None:
    """Put this command on the command line."""
    sub = words.command("estimate", estimate)
    sub.add_argument("--file", type=Path, help="a journal, or a copy of one, in place of the gate's")


def estimate(arguments: argparse.Namespace) -> Answer:
    """Show how often travellers matched the photographs of strangers, as the journal has it."""
    from models.evaluation.rates import proportion  # noqa: PLC0415 - numpy takes a moment to load

    comparisons: Counter[str] = Counter()
    matches: Counter[str] = Counter()
    thresholds: set[float] = set()
    passages: set[str] = set()
    with opened(arguments) as database:
        for entry in read(database):
            match entry.event:
                case ev.GateStarted():
                    thresholds.add(entry.event.policy.match_threshold)
                case ev.StrangersCompared():
                    passages.add(entry.event.passage)
                    for count in entry.event.counts:
                        comparisons[count.strata] += count.comparisons
                        matches[count.strata] += count.matches
                case _:
                    pass
    total = proportion(sum(matches.values()), sum(comparisons.values()))
    strata = {name: proportion(matches[name], comparisons[name]) for name in sorted(comparisons)}
    value = {"passages": len(passages), "thresholds": sorted(thresholds), "all": total, "strata": strata}
    return Answer(value=value, text=_text(len(passages), sorted(thresholds), total, strata))


def _text(passages: int, thresholds: list[float], total: Any, strata: dict[str, Any]) -> tuple[str, ...]:
    if not total.trials:
        return ("no traveller was compared with strangers: [vision.estimation] references says how many",)
    at = ", ".join(f"{threshold:g}" for threshold in thresholds)
    return (
        f"{passages} travellers against photographs of strangers, match threshold {at}",
        *(_line(name, found) for name, found in (("all", total), *strata.items())),
        "comparisons share people: the true intervals are wider than these (95 %, Clopper-Pearson)",
    )


def _line(name: str, found: Any) -> str:
    return (
        f"{name:<24} FMR {found.rate:8.3%}  [{found.low:.3%} to {found.high:.3%}]"
        f"  {found.errors} of {found.trials}"
    )
