"""Measures the heads on people who did not train them: as they are, and dressed by the generator.

Dressed pictures go through detector and mesh anew, as at a gate, so that errors of the mesh under a mask
count. The generator is the one that trained the heads, with other people and another seed: its misses tell
little of real masks and hats. Photographs that show a hat or sunglasses by nature tell more, and are few.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import manifest
from models.evaluation.rates import proportion
from models.face import FaceReader
from models.quality.heads import NAMES, FaceHeads, HeadReading
from models.quality.training import camera
from models.quality.training.faces import Photograph, stored
from models.quality.training.prepare import middle_face
from models.quality.training.samples import Wardrobe

_NOTHING = "nothing put on"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the heads read of one picture, and what was true: 1, 0 or nan for each of NAMES."""

    reading: HeadReading
    truth: tuple[float, ...]
    kinds: tuple[str, ...]


def main(argv: list[str]) -> int:
    """Print, for each head, false alarms and misses at the manifest's threshold."""
    parser = argparse.ArgumentParser(prog="python -m models.quality.training evaluate", description=__doc__)
    parser.add_argument("faces", type=Path, help="what `prepare` wrote")
    parser.add_argument("--part", choices=("train", "validate", "test", "all"), default="test")
    parser.add_argument("--dressed", type=int, default=1000, help="pictures to dress")
    parser.add_argument("--seed", type=int, default=4000)
    arguments = parser.parse_args(argv)
    models = manifest.load()
    heads, reader = FaceHeads(models.heads), FaceReader(models)
    photographs = stored(arguments.faces, None if arguments.part == "all" else arguments.part)
    bare = [Judged(heads.read(p.image(), p.points), p.truth, ()) for p in photographs]
    people = len({p.person for p in photographs})
    print(f"{len(photographs)} photographs of {people} people, as they are")
    _table(heads, bare)
    if arguments.dressed:
        dressed = list(_dressed(photographs, heads, reader, arguments.dressed, arguments.seed))
        lost = arguments.dressed - len(dressed)
        print(f"\n{arguments.dressed} of them dressed, seed {arguments.seed}; no face found in {lost}")
        _table(heads, dressed)
        print("\nby what was put on")
        _by_kind(heads, dressed)
    return 0


def _dressed(
    photographs: Sequence[Photograph], heads: FaceHeads, reader: FaceReader, count: int, seed: int
) -> Iterator[Judged]:
    wardrobe = Wardrobe(photographs)
    rng = np.random.default_rng(seed)
    for _ in range(count):
        photograph = photographs[int(rng.integers(len(photographs)))]
        dressed = wardrobe.dress(photograph, rng)
        image = camera.photographed(dressed.scene, rng)
        face = middle_face(reader, image)
        if face is not None:
            truth = tuple(float(value) for value in dressed.truth)
            yield Judged(heads.read(image, face.points), truth, dressed.worn or (_NOTHING,))


def _errors(heads: FaceHeads, judged: Sequence[Judged], name: str, truth: float) -> tuple[int, int]:
    """Wrong answers of one head where `truth` holds, and how many there are."""
    number = NAMES.index(name)
    which = [j for j in judged if j.truth[number] == truth]
    return sum((name in heads.found(j.reading)) != (truth == 1) for j in which), len(which)


def _table(heads: FaceHeads, judged: Sequence[Judged]) -> None:
    print(f"{'':15}{'threshold':>10}{'false alarms':>32}{'misses':>32}{'cannot be told':>16}")
    for number, name in enumerate(NAMES):
        alarms, misses = (_errors(heads, judged, name, truth) for truth in (0.0, 1.0))
        unknown = sum(bool(np.isnan(j.truth[number])) for j in judged)
        limit = getattr(heads.entry.thresholds, name)
        print(f"{name:15}{limit:10.2f}{_share(*alarms):>32}{_share(*misses):>32}{unknown:16d}")


def _by_kind(heads: FaceHeads, judged: Sequence[Judged]) -> None:
    print(f"{'':28}{'pictures':>9}" + "".join(f"{name:>26}" for name in NAMES))
    print(f"{'':37}" + "".join(f"{'alarms':>13}{'misses':>13}" for _ in NAMES))
    for kind in sorted({kind for j in judged for kind in j.kinds}):
        some = [j for j in judged if kind in j.kinds]
        cells = []
        for name in NAMES:
            for truth in (0.0, 1.0):
                errors, trials = _errors(heads, some, name, truth)
                cells.append(f"{errors}/{trials}" if trials else "-")
        print(f"{kind:28}{len(some):9d}" + "".join(f"{cell:>13}" for cell in cells))


def _share(errors: int, trials: int) -> str:
    if not trials:
        return "-"
    known = proportion(errors, trials)
    return f"{errors}/{trials} = {errors / trials:.2%} [{known.low:.2%}, {known.high:.2%}]"
