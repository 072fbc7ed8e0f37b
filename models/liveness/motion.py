"""Liveness from motion: whether what moves has the relief of a face, or is flat, or merely bent.

Between two views of a flat thing every point moves by one homography. Between two views of a head, points
that stand out move differently: the nose runs ahead of the cheeks when the head turns, or when it comes near
beside the camera's axis. A bent sheet does the same as far as its bend, which is smooth, goes; the relief of
a face is not smooth.

The tracks are not the mesh's, which has a prior of its own: `models.liveness.alignment` measures them on the
texture, and tells apart what a plane does, what a bent sheet does, and what is left for the relief of a face.
A view counts by how exactly its own texture tells the turn: a far face is small and says little, yet not
nothing. Over the views of one face, so weighed, that gives

- `turned`: how much the relief turned (root mean square, radians), and `span`, from end to end;
- `error`: how exactly that is known (the standard error of one view's turn, radians);
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
from models.liveness.alignment import STABLE, Fit, Reference, Vectors, View, cut
from models.liveness.cue import Cue, chance
from models.schema import MotionLiveness
from models.tflite import Image

_TURNED: Final = 0.01  # radians by which a face turns anyway: no view counts as surer than that
_LEAST: Final = 1e-5
_LARGEST: Final = 0.3  # of stretch and keystone: beyond it a fit has gone astray
_LOST: Final = 3  # views in a row that cannot be laid upon the first
_TRIED: Final = 2
_NEARLY: Final = 0.99
_HINT: Final = 0.25  # of the movement that is needed: from here on there is a hint, yet no verdict
_HINTED: Final = 0.8  # log likelihood ratio that hints stay below
_NO_SIZES: Final = (float("inf"), float("-inf"))
_KEPT: Final = 4  # ended windows that count
_APART_S: Final = 1.0  # views further apart than this may show somebody else


@dataclass(frozen=True, kw_only=True)
class Motion:
    """What the views of one face show; see above."""

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

    A window begins with `min_frames` views; upon one of them, called its first, all others are laid. After
    `window` views another one begins, and what was known stays known. The views that it is given are its own.
    """

    def __init__(self, constants: MotionLiveness) -> None:
        self._constants = constants
        self._first: Reference | None = None
        self.fits: deque[Fit] = deque()
        """The views of the present window, each laid upon the first."""
        self._last_at = float("-inf")
        self._known: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # logit and trust of ended windows
        self._sizes = _NO_SIZES  # the smallest and the largest face since the last gap
        self._waiting: list[View] = []  # for a window to begin, or that could not be laid upon its first view
        self.frames = 0
        """How many views counted since the last gap."""

    def add(self, image: Image, points: Points, at: float) -> None:
        """Take one frame (BGR), its mesh (468, 3) and its moment. A small or cut face is left out."""
        view = self.view(image, points)
        if view is not None:
            self.add_view(view, at)

    def view(self, image: Image, points: Points) -> View | None:
        """Cut the face out of a frame; None when it is too small or not whole."""
        eyes = eye_centres(points)
        face, size = points[STABLE, :2], (image.shape[1], image.shape[0])
        large = float(np.hypot(*(eyes[1] - eyes[0]))) >= self._constants.min_eyes_px
        if not large or (face < 0).any() or (face >= size).any():
            return None
        view = cut(image, points)
        return view if view.is_whole else None

    def add_view(self, view: View, at: float) -> None:
        """Take one view. After a gap nothing before it counts: it may have been somebody else."""
        if at - self._last_at > _APART_S:
            self.wipe()
        elif len(self.fits) == self._constants.window:
            self._begin_anew()
        self._last_at = at
        if self._first is not None:
            self._lay(self._first, view)
            return
        self._wait(view)
        if len(self._waiting) >= self._constants.min_frames:
            self._begin()

    def _wait(self, view: View) -> None:
        self._waiting.append(view)
        self.frames += 1

    def _begin(self) -> None:
        """Choose the view that the others are laid upon: of the first two the one that suits them better."""
        least, chosen = float("inf"), None
        for base in self._waiting[:_TRIED]:
            first = Reference(base)
            fits = [first.lay(view) for view in self._waiting if view is not base]
            good = [fit for fit in fits if self._suits(fit)]
            misfit = float(np.median([fit.misfit for fit in fits]))
            if len(good) >= len(fits) - 1 and misfit < least:
                least, chosen = misfit, (first, base.eyes_px, good)
        if chosen is None:
            self._forget(_LOST)
            return
        self._first, eyes_px, good = chosen
        for fit in (Fit(np.zeros(20), 0.0, 0.0, 0.0, 0.0, eyes_px), *good):
            self._count(fit)
        self._forget(len(self._waiting))

    def _suits(self, fit: Fit) -> bool:
        return fit.misfit <= self._constants.max_misfit and bool(np.abs(fit.found[4:8]).max() < _LARGEST)

    def _lay(self, first: Reference, view: View) -> None:
        fit = first.lay(view)
        if self._suits(fit):
            self._forget(len(self._waiting))
            self._count(fit)
            return
        self._wait(view)
        if len(self._waiting) == _LOST:  # too unlike the first view by now
            self._begin_anew()

    def _count(self, fit: Fit) -> None:
        self.fits.append(fit)
        self._sizes = min(self._sizes[0], fit.eyes_px), max(self._sizes[1], fit.eyes_px)
        self.frames += 1

    def _forget(self, count: int) -> None:
        """Overwrite and drop so many of the waiting views, the oldest first."""
        for view in self._waiting[:count]:
            view.pixels.fill(0)
            view.points.fill(0)
            self.frames -= 1
        del self._waiting[:count]

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
        self.fits.clear()
        if self._first is not None:
            self._first.wipe()
        self._first = None

    def wipe(self) -> None:
        """Overwrite and drop everything."""
        self._drop()
        self._forget(len(self._waiting))
        self._known.clear()
        self._last_at = float("-inf")
        self._sizes = _NO_SIZES
        self.frames = 0


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

    Relief that turned shows itself. Its absence shows only when the face came near or its plane tilted, the
    more so the less exactly a turn is known, and in more views: people who walk hold their heads still for a
    moment.
    """
    if motion.error > constants.max_error:
        return 0.0
    if value > 0:
        moved = max(motion.growth / constants.enough_growth, motion.span / constants.enough_span)
    else:
        moved = max(motion.growth / constants.attack_growth, motion.tilted / constants.attack_tilt)
        moved *= min(1.0, constants.attack_error / max(motion.error, _LEAST))
        moved = min(moved, _NEARLY) if motion.frames < constants.attack_frames else moved
    return float(min(1.0, moved))


def measure(fits: list[Fit]) -> Motion:
    """Join the fits of one window; the first is the view upon which the others were laid.

    Of the others the one that turned most unlike the rest, for its noise, is left out: one may go astray.
    """
    sizes = np.array([fit.eyes_px for fit in fits])
    turns = np.stack([fit.found[17:19] for fit in fits])
    noise = np.array([fit.noise for fit in fits]) + _TURNED**2
    unlike = np.square(turns - np.median(turns, 0)).sum(1) / noise
    astray = 1 + int(unlike[1:].argmax())
    kept = [fit for number, fit in enumerate(fits) if number != astray]
    turns, tilts = np.delete(turns, astray, 0), np.stack([fit.found[4:8] for fit in kept])
    noise, relief, bend = np.array([(fit.noise, fit.relief, fit.bend) for fit in kept[1:]]).T
    shares = 1 / (noise + _TURNED**2)
    every = np.append(shares.min(), shares)  # the first view is no surer than what is laid upon it
    away = turns - np.average(turns, axis=0, weights=every)
    return Motion(
        frames=len(fits),
        turned=float(np.sqrt(np.average(np.square(away).sum(1), weights=every))),
        span=float(np.hypot(*np.ptp(turns, axis=0))),
        error=float(np.sqrt(np.average(noise, weights=shares))),
        relief=float(np.average(relief, weights=shares)),
        bend=float(np.average(bend, weights=shares)),
        tilted=_scatter(tilts),
        growth=float(np.ptp(sizes) / sizes.mean()),
        misfit=float(np.median([fit.misfit for fit in kept[1:]])),
    )


def _scatter(values: Vectors) -> float:
    """How far rows lie from their median: the standard deviation, were they normal."""
    away = np.median(np.abs(values - np.median(values, 0)), 0)
    return float(1.4826 * np.sqrt(np.square(away).sum()))
