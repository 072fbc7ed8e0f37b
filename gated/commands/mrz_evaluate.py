"""`python -m gated.commands.mrz_evaluate`: how often pages of known zones are read, right and wrong.

    --images FOLDER --truth FILE    pages with a JSON of {file: {"lines": [...]}}, in many sizes and turns
    --synthetic N --seed S          rendered pages (needs what the simulator needs)

A page is `exact` when the verdict is `read` and every character is right; `wrong` when the verdict is
`read` and one is not. What is `unsure` or `none` is neither. Prints no character of any page.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from gated.commands.answer import UsageError
from gated.commands.mrz_read import page_reader, read_page
from gated.core.values import Value
from models.image import ImageError, use_one_thread
from models.mrz.trials import Trial, of_files, synthetic


class Figures(Value):
    """Shares of `pages`, 0 to 1; `legible`: all characters right, whatever the verdict. CPU ms a page."""

    pages: int
    exact: float
    wrong: float
    unsure: float
    none: float
    legible: float
    cpu_ms_median: float
    cpu_ms_most: float


class Outcome(Value):
    """What became of one page, and the conditions it was seen under."""

    source: str
    width: int
    turn: int
    skewed: bool
    verdict: str
    right: bool
    cpu_ms: float


def outcomes(trials: Iterable[Trial]) -> list[Outcome]:
    """Read each page; CPU time is of finding, reading and decoding, not of rendering or file decoding."""
    use_one_thread()
    reader = page_reader()
    found = []
    for trial in trials:
        began = time.process_time()
        reading, _ = read_page(reader, trial.image)
        spent = 1000 * (time.process_time() - began)
        right = reading.lines.reveal() == trial.lines
        skewed = abs(trial.skew) > 1
        found.append(
            Outcome(
                source=trial.source,
                width=trial.width,
                turn=trial.turn,
                skewed=skewed,
                verdict=reading.verdict,
                right=right,
                cpu_ms=spent,
            )
        )
    return found


def figures(found: list[Outcome]) -> Figures:
    """The shares of all outcomes."""
    pages = len(found)
    read = [outcome for outcome in found if outcome.verdict == "read"]
    exact = sum(outcome.right for outcome in read)
    return Figures(
        pages=pages,
        exact=exact / pages,
        wrong=(len(read) - exact) / pages,
        unsure=sum(outcome.verdict == "unsure" for outcome in found) / pages,
        none=sum(outcome.verdict == "none" for outcome in found) / pages,
        legible=sum(outcome.right for outcome in found) / pages,
        cpu_ms_median=median(outcome.cpu_ms for outcome in found),
        cpu_ms_most=max(outcome.cpu_ms for outcome in found),
    )


def table(found: list[Outcome]) -> list[str]:
    """All together, then by source, width and direction."""
    groups: dict[str, list[Outcome]] = {"all": found}
    for outcome in found:
        low = min(outcome.width // 100 * 100, 700)
        for name in (
            outcome.source,
            f"width {low} to {low + 99}" if low < 700 else "width 700 and more",
            f"turned {outcome.turn}{', skewed' if outcome.skewed else ''}",
        ):
            groups.setdefault(name, []).append(outcome)
    lines = [f"{'':26}{'pages':>6}{'exact':>7}{'wrong':>7}{'unsure':>7}{'none':>7}{'legible':>8}{'ms':>5}"]
    for name in ("all", *sorted(set(groups) - {"all"})):
        f = figures(groups[name])
        shares = "".join(f"{share:7.3f}" for share in (f.exact, f.wrong, f.unsure, f.none))
        lines.append(f"{name:26}{f.pages:6}{shares}{f.legible:8.3f}{f.cpu_ms_median:5.0f}")
    return lines


def main(words: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, metavar="FOLDER")
    parser.add_argument("--truth", type=Path, metavar="FILE")
    parser.add_argument("--synthetic", type=int, metavar="N", default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    try:
        if arguments.images:
            truth = arguments.truth or arguments.images / "truth.json"
            print(*table(outcomes(of_files(arguments.images, truth))), sep="\n")
        if arguments.synthetic:
            print(*table(outcomes(synthetic(arguments.synthetic, arguments.seed))), sep="\n")
    except (UsageError, ImageError, OSError, ValueError) as error:
        print(f"mrz_evaluate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
