"""Does the value of a shot predict how well it matches? `python -m models.quality.trials --images PATH`.

PATH is a folder or a zip file of `.../Person/Person_0001.jpg`; people with two photographs or more count.
Genuine pairs are ranked by the value of their worse photograph and cut in two halves: the better half should
have the lower false non-match rate, at thresholds that all impostor pairs give. What is left after the worst
pairs are discarded is the error-versus-discard characteristic of ISO/IEC 29794-1. With --degrade S, each
photograph is also shown blurred, dark or bright, by draws of the seed S.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models import manifest
from models.evaluation.acquisition import Enroller, Seen
from models.evaluation.photographs import Collection, Opened, PhotographsError
from models.image import ImageError, use_one_thread
from models.manifest import ModelError
from models.matching import Embedder
from models.quality.check import QualityCheck
from models.tflite import Floats, Image

Numbers = npt.NDArray[np.float64]

FMRS: Final = (1e-2, 1e-3)
DISCARDED: Final = (0.0, 0.1, 0.2, 0.5)
MAX_EACH: Final = 8  # photographs of one person, so that a few do not outweigh all others
MAX_BLUR: Final = 0.3  # of the distance of the eyes
LEAST_LIGHT: Final = 0.05
MOST_LIGHT: Final = 3.5
GRAIN: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One photograph: whose, which file, its embedding, and its value."""

    person: str
    file: str
    embedding: Floats
    value: float


@dataclass(frozen=True, kw_only=True)
class Halves:
    """False non-match rates of genuine pairs at one threshold: all, those of better and of worse value."""

    fmr: float
    every: float
    better: float
    worse: float


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was measured. Exit status 1 when there was nothing to measure with."""
    parser = argparse.ArgumentParser(description="Measure whether quality predicts likeness.")
    parser.add_argument("--images", type=Path, required=True, help="folder or zip of Person/Person_0001.jpg")
    parser.add_argument("--embedder", default="dlib-resnet", help="name in models/manifest.toml")
    parser.add_argument("--degrade", type=int, metavar="S", help="add degraded copies, by this seed")
    options = parser.parse_args(argv)
    use_one_thread()
    try:
        models = manifest.load()
        enroller = Enroller(models, manifest.embedder(models, options.embedder))
        shots = list(_shots(Collection(options.images), enroller, QualityCheck(models), options.degrade))
    except (ModelError, PhotographsError) as error:
        print(error, file=sys.stderr)
        return 1
    people = {shot.person for shot in shots}
    if len(people) < 2:
        print(f"fewer than two people with two photographs under {options.images}", file=sys.stderr)
        return 1
    genuine, values, impostor = scores(shots, enroller.embedder)
    print(f"{options.embedder}: {len(people)} people, {len(shots)} pictures")
    print(f"{len(genuine)} genuine pairs of different photographs, {len(impostor)} impostor pairs")
    for fmr in FMRS:
        each = halves(genuine, values, impostor, fmr)
        print(
            f"FMR {100 * fmr:g} %: FNMR {100 * each.every:.2f} %; better half {100 * each.better:.2f} %, "
            f"worse half {100 * each.worse:.2f} %"
        )
        left = discarding(genuine, values, impostor, fmr)
        told = ", ".join(f"{100 * s:g} %: {100 * e:.2f} %" for s, e in zip(DISCARDED, left, strict=True))
        print(f"  left after discarding {told}")
    return 0


def scores(shots: Sequence[Shot], embedder: Embedder) -> tuple[Numbers, Numbers, Numbers]:
    """Return genuine scores, the value of the worse picture of each of these pairs, and impostor scores."""
    vectors = np.stack([shot.embedding for shot in shots])
    people, files = (np.array([getattr(shot, key) for shot in shots]) for key in ("person", "file"))
    values = np.array([shot.value for shot in shots])
    mated, worth, others = [], [], []
    for row in range(len(shots) - 1):
        found = embedder.scores(vectors[row], vectors[row + 1 :])
        same = people[row + 1 :] == people[row]
        other_file = files[row + 1 :] != files[row]
        mated.append(found[same & other_file])
        worth.append(np.minimum(values[row], values[row + 1 :])[same & other_file])
        others.append(found[~same])
    return np.concatenate(mated), np.concatenate(worth), np.concatenate(others)


def halves(genuine: Numbers, values: Numbers, impostor: Numbers, fmr: float) -> Halves:
    """Return the error rates of the pairs above and below the median value."""
    failed = genuine <= _threshold(impostor, fmr)
    better = np.argsort(-values, kind="stable")[: len(values) // 2]
    is_better = np.isin(np.arange(len(values)), better)
    return Halves(
        fmr=fmr,
        every=float(failed.mean()),
        better=float(failed[is_better].mean()),
        worse=float(failed[~is_better].mean()),
    )


def discarding(genuine: Numbers, values: Numbers, impostor: Numbers, fmr: float) -> tuple[float, ...]:
    """Return the error rates that are left after the shares `DISCARDED` of worst value are discarded."""
    failed = (genuine <= _threshold(impostor, fmr))[np.argsort(values, kind="stable")]
    return tuple(float(failed[int(share * len(failed)) :].mean()) for share in DISCARDED)


def _threshold(impostor: Numbers, fmr: float) -> float:
    """The score above which a share `fmr` of the impostors lies."""
    place = len(impostor) - 1 - int(fmr * len(impostor))
    return float(np.partition(impostor, place)[place])


def _shots(
    collection: Collection, enroller: Enroller, check: QualityCheck, degrade: int | None
) -> Iterator[Shot]:
    chance = None if degrade is None else np.random.default_rng(degrade)
    with contextlib.closing(Opened(collection.source)) as opened:
        for person, photographs in collection.people.items():
            if len(photographs) < 2:
                continue
            for photograph in photographs[:MAX_EACH]:
                try:
                    seen = enroller.see(opened.read(photograph))
                except ImageError:
                    continue
                pictures = [seen] if chance is None else [seen, _degraded(seen, chance)]
                for picture in pictures:
                    yield Shot(
                        person=person,
                        file=photograph.file,
                        embedding=enroller.embedder.embed(picture.image, picture.face.points),
                        value=check.assess(*picture.as_photographed()).value,
                    )


def _degraded(seen: Seen, chance: np.random.Generator) -> Seen:
    """The same face smeared along a line, in other light and grained; the mesh stays where it was."""

    def spoil(image: Image, eyes: float) -> Image:
        moved = cv2.filter2D(image, -1, _line(length * eyes, angle))
        lit = moved * gain + grain.normal(0, GRAIN, image.shape)
        spoilt: Image = np.clip(lit, 0, 255).astype(np.uint8)
        return spoilt

    length, angle = chance.uniform(0, MAX_BLUR), chance.uniform(0, np.pi)
    gain = float(np.exp(chance.uniform(np.log(LEAST_LIGHT), np.log(MOST_LIGHT))))
    grain = np.random.default_rng(chance.integers(2**32))
    eyes = seen.face.eye_distance
    return replace(seen, image=spoil(seen.image, eyes), photograph=spoil(seen.photograph, eyes / seen.scale))


def _line(length: float, angle: float) -> Numbers:
    """The kernel of a straight movement by so many pixels."""
    half = int(length / 2) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    steps = np.linspace(-length / 2, length / 2, 8 * half + 1)
    rows = np.rint(half + steps * np.sin(angle)).astype(int)
    columns = np.rint(half + steps * np.cos(angle)).astype(int)
    np.add.at(kernel, (rows, columns), 1)
    kernel /= kernel.sum()
    return kernel


if __name__ == "__main__":
    sys.exit(main())
