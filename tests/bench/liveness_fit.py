"""Fits the constants of `[liveness.motion]` in the manifest to presentations drawn at random.

`python -m tests.bench.liveness_fit --each 1100` draws presentations as the bench does, of other seeds and
other people, follows each face with the networks, and measures the motion of its first 8, 10, 16 and 26
views; of walks from 2.5 m to 0.7 m also that of ten frames spread over all of them, and over the nearer part.
A logistic regression (ridge, both classes of equal weight) over windows that moved enough gives the weights.
Fits on seven eighths of the presentations tell how often they are right on the other eighth. What is printed
goes into the manifest by hand: whoever changes the check fits it again.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from models import manifest
from models.face import FaceReader
from models.image import use_one_thread
from models.liveness.alignment import View
from models.liveness.motion import Motion, MotionCheck, measure, trust
from models.schema import MotionLiveness
from tests.bench import presentations
from tests.bench.liveness import Class, find, photographs, presentation_of

FIRST_SEED: Final = 100_000
EACH: Final = 1100
VIEWS: Final = (8, 10, 16, 26)
SIGNS: Final = ("turned", "error", "relief", "bend")
RIDGE: Final = 1.0
FOLDS: Final = 8
SPREAD: Final = 10
NEARER: Final = 0.4  # of the frames of a walk come before its nearer part
MIXTURE: Final = (
    (Class(name="person", kind="person", way="walk", bona_fide=True), 30),
    (Class(name="person", kind="person", way="approach", bona_fide=True), 12),
    (Class(name="person", kind="person", way="swing", bona_fide=True), 5),
    (Class(name="flat", kind="flat", way="walk"), 9),
    (Class(name="flat", kind="flat", way="swing"), 6),
    (Class(name="flat", kind="flat", way="approach"), 4),
    (Class(name="bent", kind="bent", way="walk"), 10),
    (Class(name="bent", kind="bent", way="approach"), 5),
    (Class(name="bent", kind="bent", way="swing"), 6),
    (Class(name="wrapped", kind="wrapped", way="walk"), 10),
    (Class(name="wrapped", kind="wrapped", way="approach"), 5),
    (Class(name="wrapped", kind="wrapped", way="swing"), 6),
    (Class(name="mask", kind="mask", way="walk"), 7),
    (Class(name="mask", kind="mask", way="approach"), 4),
    (Class(name="mask", kind="mask", way="swing"), 3),
    (Class(name="tablet", kind="tablet", way="walk"), 4),
)
Frames = list[tuple[int, float, View]]  # number, moment, view
Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Window:
    """The motion of one window of one presentation."""

    number: int
    row: Class
    motion: Motion

    @property
    def signs(self) -> list[float]:
        """What the regression sees."""
        return [float(np.log(max(getattr(self.motion, name), 1e-5))) for name in SIGNS]


def run(each: int) -> None:
    """Draw, fit, and print."""
    use_one_thread()
    models = manifest.load()
    reader, constants = FaceReader(models), models.liveness.motion
    windows = list(_windows(reader, constants, each))
    moved = [each for each in windows if trust(each.motion, 1.0, constants) >= 1]
    print(f"  {each} presentations, {len(moved)} windows that moved enough")
    signs, live = np.array([each.signs for each in moved]), np.array([each.row.bona_fide for each in moved])
    folds = np.array([each.number % FOLDS for each in moved])
    held_out = np.zeros(len(moved))
    for fold in range(FOLDS):
        weights, bias = fitted(signs[folds != fold], live[folds != fold])
        held_out[folds == fold] = signs[folds == fold] @ weights + bias
    for name in dict.fromkeys(row.name for row, _ in MIXTURE):
        chosen = np.array([each.row.name == name for each in moved])
        above, below = (held_out[chosen] > 0.85).mean(), (held_out[chosen] < -1.39).mean()
        print(f"  {name:8} {chosen.sum():5} windows: live {above:6.1%}, attack {below:6.1%}")
    weights, bias = fitted(signs, live)
    told = ", ".join(f"{name} = {weight:.3f}" for name, weight in zip(SIGNS, weights, strict=True))
    print(f"  weights = {{ {told} }}\n  bias = {bias:.3f}")


def _windows(reader: FaceReader, constants: MotionLiveness, each: int) -> list[Window]:
    sources = photographs(reader, fitting=True)
    shares = np.array([share for _, share in MIXTURE], np.float64)
    found: list[Window] = []
    for number in range(each):
        chance = np.random.default_rng([FIRST_SEED + number, 1])
        row = MIXTURE[chance.choice(len(MIXTURE), p=shares / shares.sum())][0]
        drawn = presentation_of(row, FIRST_SEED + number, sources, figures=FIRST_SEED, fps=(10, 30))
        motions = _motions(constants, _followed(reader, constants, drawn), len(drawn.motion.at), row)
        found += [Window(number=number, row=row, motion=motion) for motion in motions]
    return found


def _followed(reader: FaceReader, constants: MotionLiveness, drawn: presentations.Presentation) -> Frames:
    """The views of a presentation."""
    check, last, corner = MotionCheck(constants), None, np.zeros(2)
    seen: Frames = []
    for number, (at, image, now) in enumerate(presentations.frames(drawn)):
        if last is not None:
            last = replace(last, points=last.points + np.append(corner - now, 0.0))
        last, corner = find(reader, image, last), np.array(now)
        view = None if last is None else check.view(image, last.points)
        if view is not None:
            seen.append((number, at, view))
    return seen


def _motions(constants: MotionLiveness, seen: Frames, count: int, row: Class) -> Iterator[Motion]:
    """The motion of the first views, and of those spread over a walk."""
    check = MotionCheck(constants)
    for _, at, view in seen:
        check.add_view(_copied(view), at)
        if len(check.fits) in VIEWS:
            yield measure(list(check.fits))
        if len(check.fits) == max(VIEWS):
            break
    for first in (0, int(NEARER * count)) if row.way == "walk" else ():
        chosen = set(np.linspace(first, count - 1, SPREAD).round().astype(int))
        spread = MotionCheck(constants)
        for number, at, view in seen:
            if number in chosen:
                spread.add_view(_copied(view), at)
        motion = spread.measure()
        if motion is not None:
            yield motion


def _copied(view: View) -> View:
    """A check overwrites the views that it is given."""
    return view._replace(pixels=view.pixels.copy(), points=view.points.copy())


def fitted(signs: Vectors, live: npt.NDArray[np.bool_]) -> tuple[Vectors, float]:
    """Weights and bias of a logistic regression, by Newton's method on standardised signs."""
    middle, scale = signs.mean(0), signs.std(0)
    inputs = np.column_stack([(signs - middle) / scale, np.ones(len(signs))])
    share = np.where(live, 0.5 / live.mean(), 0.5 / (1 - live.mean()))
    weights, ridge = np.zeros(inputs.shape[1]), np.append(np.full(signs.shape[1], RIDGE), 0.0)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ weights, -50, 50)))
        slope = inputs.T @ (share * (chance - live)) + ridge * weights
        curve = (inputs * (share * chance * (1 - chance))[:, None]).T @ inputs + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    kept: Vectors = weights[:-1] / scale
    return kept, float(weights[-1] - kept @ middle)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fit the constants of the motion check.")
    parser.add_argument("--each", type=int, default=EACH, help=f"presentations ({EACH})")
    run(parser.parse_args().each)
