"""`gatectl face evaluate`: how often an embedder errs on photographs whose people are known.

The figures are those of ISO/IEC 19795-1; `models.evaluation` says how they are made. Progress goes to
standard error. With --json the files that failed are named; text and report count them.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from gated.commands import face_model
from gated.commands.answer import Answer, UsageError, Words, read_capped

MAX_TEMPLATE = 32
MAX_LIST = 2_000_000
PROGRESS_S = 5.0


def add(face: Words) -> None:
    """Put `evaluate` under the word `face`."""
    sub = face.command("evaluate", face_evaluate)
    sub.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder or zip file of Person/Person_0001.jpg",
    )
    which = sub.add_mutually_exclusive_group(required=True)
    which.add_argument("--pairs", type=Path, metavar="FILE", help="list of pairs as LFW writes it")
    which.add_argument("--all-pairs", action="store_true", help="compare every photograph with every other")
    which.add_argument(
        "--draw", type=_count, metavar="N", help="draw so many pairs as LFW's were, half mated, in ten folds"
    )
    sub.add_argument("--seed", type=_seed, default=0, metavar="S", help="of the draw: other pairs (0)")
    sub.add_argument(
        "--draws", type=_draws, default=1, metavar="K", help="draw so often, with seeds from S on (1)"
    )
    sub.add_argument(
        "--without",
        type=Path,
        metavar="FILE",
        help="leave out photographs that FILE names, NAME/NAME_0001.jpg a line: those with wrong labels",
    )
    face_model.add(sub)
    sub.add_argument(
        "--template",
        type=_template,
        default=1,
        metavar="N",
        help="compare one photograph with the fusion of N others (1)",
    )
    sub.add_argument(
        "--live",
        action="store_true",
        help="embed what is fused as the gate does live frames, in one pass each",
    )
    sub.add_argument("--report", type=Path, metavar="DIR", help="write a page with plots into DIR")
    sub.add_argument(
        "--jobs", type=_jobs, default=0, metavar="N", help="processes (as many as there are processors)"
    )


def face_evaluate(arguments: argparse.Namespace) -> Answer:
    """Measure a face embedder: accuracy, EER, FNMR at chosen FMR, with intervals."""
    # a gate whose OpenCV does not load must still answer every other question
    from gated.commands import face_evaluate_report  # noqa: PLC0415 - see above
    from models import manifest  # noqa: PLC0415
    from models.evaluation import acquisition, draw, pairs, photographs, report, summary, verification  # noqa: PLC0415
    from models.matching import Embedder  # noqa: PLC0415

    if arguments.draws > 1 and arguments.draw is None:
        raise UsageError("--draws says how often pairs are drawn: give --draw N with it")
    if arguments.live and arguments.template == 1:
        raise UsageError("--live is of what is fused: give --template N with it")
    try:
        if arguments.report is not None:
            report.prepare(arguments.report)
        models, name, entry = face_model.chosen(arguments)
        without = _without(arguments.without)
        collection = photographs.Collection(arguments.images, without)
        listed = None
        if arguments.pairs is not None:
            listed = pairs.parse(read_capped(arguments.pairs, pairs.MAX_BYTES))
        elif arguments.draw is not None:
            listed = draw.repeated(collection, arguments.draw, arguments.seed, arguments.draws)
        if listed is not None:
            needed = verification.needed_for_pairs(collection, listed, arguments.template)
        else:
            needed = verification.needed_for_all(collection, arguments.template)
        acquired = acquisition.acquire(
            arguments.images,
            needed,
            models,
            entry,
            live=arguments.live,
            processes=arguments.jobs or len(os.sched_getaffinity(0)),
            progress=_Progress(),
        )
        embedder = Embedder(entry)
        if listed is not None:
            measured = verification.of_pairs(collection, listed, acquired, embedder, arguments.template)
        else:
            measured = verification.of_all(collection, acquired, embedder, arguments.template)
        found = summary.summarise(
            name,
            entry,
            measured,
            acquired,
            listed=listed,
            template=arguments.template,
            live=arguments.live,
            without=None
            if arguments.without is None
            else summary.LeftOut(named=len(without), here=collection.left_out),
        )
        if arguments.report is not None:
            plots = summary.figures(name, measured, found.points)
            report.write(arguments.report, face_evaluate_report.page(found, plots))
    except pairs.PairsError as error:
        raise UsageError(f"{arguments.pairs}: {error}: give a list of pairs as LFW writes it") from error
    except (acquisition.AcquisitionError, verification.VerificationError, draw.DrawError) as error:
        raise UsageError(f"{arguments.images}: {error}") from error
    except (manifest.ModelError, photographs.PhotographsError, report.ReportError) as error:
        raise UsageError(str(error)) from error
    return Answer(value=found, text=tuple(face_evaluate_report.lines(found, arguments.report)))


def _without(path: Path | None) -> frozenset[str]:
    """The photographs that a list names. Raises UsageError."""
    from models.evaluation import photographs  # noqa: PLC0415 - as above

    if path is None:
        return frozenset()
    try:
        return photographs.named(read_capped(path, MAX_LIST))
    except photographs.PhotographsError as error:
        raise UsageError(f"{path}: {error}") from error


class _Progress:
    """Tells on standard error how far the work is, every few seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_S:
            self._told = now
            sys.stderr.write(f"embedded {done} of {of} photographs\n")


def _template(text: str) -> int:
    return _between(text, MAX_TEMPLATE)


def _count(text: str) -> int:
    return _between(text, 500_000)


def _draws(text: str) -> int:
    return _between(text, 1000)


def _seed(text: str) -> int:
    return _between(text, 999_999, least=0)


def _jobs(text: str) -> int:
    return _between(text, 64)


def _between(text: str, most: int, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from {least} to {most}")
    return int(text)
