"""Liveness from motion: whether what moves has the relief of a face, or is flat, or merely bent.

Between two views of a flat thing every point moves by one homography. Between two views of a head, points
that stand out move differently: the nose runs ahead of the cheeks when the head turns, or when it comes near
beside the camera's axis. A bent sheet does the same as far as its bend, which is smooth, goes; the relief of
a face is not smooth.

The tracks are not the mesh's, which has a prior of its own: `models.liveness.alignment` measures them on the
texture, and tells apart what a plane does, what a bent sheet does, and what is left for the relief of a face.
Over the views of one face that gives

- `turned`: how much the relief turned (root mean square, radians), and `span`, from end to end;
- `relief`, `bend`: twice the log likelihood ratio that each gains, a view (chi squares of 3 and 9);
- `tilted`: how much the plane changed its tilt, as far as a homography shows it;
- `growth`: how much the face grew, as a part of its mean size.

A logistic regression joins them. What does not move shows nothing, neither life nor an attack: without
enough growth or turn the outcome is no evidence. A mask with real relief passes by construction.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models.face import Points, eye_centres
from models.liveness.alignment import BEND, RELIEF, STABLE, Fit, Reference, Vectors, View, cut
from models.liveness.cue import Cue, chance
from models.schema import MotionLiveness
from models.tflite import Image

_SYSTEMATIC: Final = np.array([0.0] * 8 + [0.002**2] * 12)  # what first order and interpolation leave
_LEAST: Final = 1e-5
_LARGEST: Final = 0.3  # of stretch and keystone: beyond it a fit has gone astray
_LOST: Final = 3
_NEARLY: Final = 0.99
_HINT: Final = 0.25  # of the movement that is needed: from here on there is a hint, yet no verdict
_HINTED: Final = 0.8  # log likelihood ratio that hints stay below
_NO_SIZES: Final = (float("inf"), float("-inf"))
_KEPT: Final = 4  # ended windows that count
_APART_S: Final = 1.0  # views further apart than this may show somebody else


@dataclass(frozen=True, kw_only=True)
class Motion:
    """What the views of one face show; see above. `error` is the standard error of a turn, radians."""

    frames: int
    turned: float
    span: float
    error: float
    relief: float
    bend: float
    tilted: float
    growth: float
    misfit: float


class MotionCheck:
    """Collects views of one face, and says what their motion tells.

    It keeps the first view and up to `window` fits; then it begins anew, and what was known stays known.
    """

    def __init__(self, constants: MotionLiveness) -> None:
        self._constants = constants
        self._first: Reference | None = None
        self.fits: deque[Fit] = deque()
        """The views of the present window, each laid upon the first."""
        self._last_at = float("-inf")
        self._known: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # logit and trust of ended windows
        self._sizes = _NO_SIZES  # the smallest and the largest face since the last gap
        self._lost = 0  # views in a row that could not be laid upon the first
        self.frames = 0
        """How many views counted since the last gap."""

    def add(self, image: Image, points: Points, at: float) -> None:
        """Take one frame (BGR), its mesh (468, 3) and its moment. A small or cut face is left out."""
        eyes = eye_centres(points)
        face, size = points[STABLE, :2], (image.shape[1], image.shape[0])
        large = float(np.hypot(*(eyes[1] - eyes[0]))) >= self._constants.min_eyes_px
        if large and (face >= 0).all() and (face < size).all():
            self.add_view(cut(image, points), at)

    def add_view(self, view: View, at: float) -> None:
        """Take one view. After a gap nothing before it counts: it may have been somebody else."""
        if at - self._last_at > _APART_S:
            self.wipe()
        elif len(self.fits) == self._constants.window:
            self._begin_anew()
        self._last_at = at
        if self._first is None:
            self._begin_with(view)
            return
        fit = self._first.lay(view)
        if fit.misfit <= self._constants.max_misfit and np.abs(fit.found[4:8]).max() < _LARGEST:
            self._count(fit)
            return
        self._lost += 1
        if self._lost == _LOST:  # too unlike the first view by now
            self._begin_anew()
            self._begin_with(view)

    def _begin_with(self, view: View) -> None:
        self._first = Reference(view)
        self._count(Fit(np.zeros(20), np.zeros((20, 20)), 0.0, view.eyes_px))

    def _count(self, fit: Fit) -> None:
        self.fits.append(fit)
        self._sizes = min(self._sizes[0], fit.eyes_px), max(self._sizes[1], fit.eyes_px)
        self.frames += 1
        self._lost = 0

    def judge(self) -> Cue:
        """Say what is known so far."""
        known, motion = list(self._known), self.measure()
        if motion is not None:
            value = logit(motion, self._constants)
            known.append((value, self._trust(motion, value)))
        if not known:
            return Cue(name="motion", score=None, reason="too few views of the face")
        total, most = sum(value * share for value, share in known), max(share for _, share in known)
        if most < _HINT:
            return Cue(name="motion", score=None, reason=self._lacking(motion))
        if most < 1:
            return Cue(
                name="motion", score=chance(_HINTED * np.tanh(total / 4)), reason=self._lacking(motion)
            )
        told = "moved with the relief of a face" if total > 0 else "moved without the relief of a face"
        return Cue(name="motion", score=chance(total), reason=told)

    def measure(self) -> Motion | None:
        """Measure the motion of the present window, or None when it has too few views."""
        return measure(list(self.fits)) if len(self.fits) >= self._constants.min_frames else None

    def _trust(self, motion: Motion, value: float) -> float:
        """Whoever came near before this window began has not stood still: that counts for relief."""
        least, most = self._sizes
        grown = replace(motion, growth=2 * (most - least) / (most + least)) if value > 0 else motion
        return trust(grown, value, self._constants)

    def _lacking(self, motion: Motion | None) -> str:
        if motion is not None and motion.error > self._constants.max_error:
            return "too little detail in the face"
        return "too little movement: come nearer, or turn the head"

    def _begin_anew(self) -> None:
        motion = self.measure()
        if motion is not None:
            value = logit(motion, self._constants)
            share = self._trust(motion, value)
            if share >= 1:
                self._known.append((value, share))
        self._drop()

    def _drop(self) -> None:
        for fit in self.fits:
            fit.found.fill(0)
            fit.known.fill(0)
        self.fits.clear()
        if self._first is not None:
            self._first.wipe()
        self._first = None

    def wipe(self) -> None:
        """Overwrite and drop everything."""
        self._drop()
        self._known.clear()
        self._last_at = float("-inf")
        self._sizes = _NO_SIZES
        self._lost = self.frames = 0


def logit(motion: Motion, constants: MotionLiveness) -> float:
    """Return the log likelihood ratio of relief against none."""
    weights = constants.weights
    signs = (
        (weights.turned, motion.turned),
        (weights.error, motion.error),
        (weights.relief, motion.relief),
        (weights.bend, motion.bend),
    )
    value = constants.bias + sum(weight * float(np.log(max(sign, _LEAST))) for weight, sign in signs)
    return float(np.clip(value, -constants.most, constants.most))


def trust(motion: Motion, value: float, constants: MotionLiveness) -> float:
    """Return, in [0, 1], how far there was motion in which relief (`value` > 0) or its absence must show.

    Relief that turned shows itself. Its absence shows only when the face came near or its plane tilted, and
    in more views: people who walk hold their heads still for a moment.
    """
    if motion.error > constants.max_error:
        return 0.0
    if value > 0:
        moved = max(motion.growth / constants.enough_growth, motion.span / constants.enough_span)
    else:
        moved = max(motion.growth / constants.attack_growth, motion.tilted / constants.attack_tilt)
        moved = min(moved, _NEARLY) if motion.frames < constants.attack_frames else moved
    return float(min(1.0, moved))


def measure(fits: list[Fit]) -> Motion:
    """Join the fits of one window; the first is the view upon which the others were laid.

    Of the others the one that turned most unlike the rest is left out: a single fit may go astray.
    """
    sizes = np.array([fit.eyes_px for fit in fits])
    turns = np.stack([fit.found[17:19] for fit in fits])
    astray = 1 + int(np.square(turns[1:] - np.median(turns, 0)).sum(1).argmax())
    kept = [fit for number, fit in enumerate(fits) if number != astray]
    found = np.stack([fit.found for fit in kept])
    spread = np.linalg.inv(np.mean([fit.known for fit in kept[1:]], axis=0)) + np.diag(_SYSTEMATIC)
    of_relief, of_bend = (np.linalg.inv(spread[part, part]) for part in (RELIEF, BEND))
    turns, tilts = found[:, 17:19], found[:, 4:8]
    return Motion(
        frames=len(fits),
        turned=float(np.sqrt(turns.var(0).sum())),
        span=float(np.hypot(*np.ptp(turns, axis=0))),
        error=float(np.sqrt(spread[17, 17] + spread[18, 18])),
        relief=_gain(found[1:, RELIEF], of_relief),
        bend=_gain(found[1:, BEND], of_bend),
        tilted=_scatter(tilts),
        growth=float(np.ptp(sizes) / sizes.mean()),
        misfit=float(np.median([fit.misfit for fit in kept[1:]])),
    )


def _gain(rows: Vectors, known: Vectors) -> float:
    """The mean chi square of rows whose information is known."""
    return float(((rows @ known) * rows).sum(1).mean())


def _scatter(values: Vectors) -> float:
    """How far rows lie from their median: the standard deviation, were they normal."""
    away = np.median(np.abs(values - np.median(values, 0)), 0)
    return float(1.4826 * np.sqrt(np.square(away).sum()))
