"""Reading the zone from images of pages: rendered ones, and the shared test material where it is there."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gated.commands.mrz_evaluate import outcomes, table
from models.mrz.trials import Trial, of_files, synthetic

RENDERED: Final = 200
SEED: Final = 20_261_126  # not one of training

_REPOSITORY = Path(__file__).resolve().parents[2]
_DATA = Path(os.environ.get("EGATE_TEST_DATA") or _REPOSITORY.parent / "shared" / "data")


def run() -> None:
    """Print how many pages are read, right and wrong, and CPU time a page."""
    print(f"  {RENDERED} rendered pages, seed {SEED}:")
    _print(synthetic(RENDERED, SEED))
    truth = _DATA / "mrz" / "truth.json"
    if not truth.is_file():
        print("  no photographs of specimens here (set EGATE_TEST_DATA)")
        return
    print("  photographs and scans of specimens, each in several sizes and directions:")
    _print(of_files(truth.parent, truth))


def _print(trials: Iterable[Trial]) -> None:
    for line in table(outcomes(trials)):
        print(f"    {line}")
